#include "tests/script/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/crc32c.h"
#include "proto/packet.h"
#include "proto/text.h"
#include "tests/script/names.h"
#include "tests/script/script.h"

#define WORLD_START_US 1000000u
#define TRAIN_BYTES (2u * HWS_PACKET_MAX_LEN)
/* Timers that run in one wait: an engine that is never done is found by this. */
#define EXPIRIES_MAX 200000u

/* ---- Log ---- */

double world_seconds(const struct world *w, uint64_t at_us)
{
    (void)w;
    return (double)(at_us - WORLD_START_US) / 1e6;
}

void world_log(struct script *s, const char *format, ...)
{
    struct world *w = &s->world;
    char *line = w->log[w->log_count++ % WORLD_LOG_LINES];
    int len = snprintf(line, WORLD_LOG_LINE_MAX, "%10.6f ", world_seconds(w, w->now_us));
    va_list args;
    va_start(args, format);
    vsnprintf(line + len, WORLD_LOG_LINE_MAX - (size_t)len, format, args);
    va_end(args);
    if (s->verbose)
        printf("%s\n", line);
}

void world_log_packet(struct script *s, char direction, const struct hws_addr *src,
                      const struct hws_addr *dst, const uint8_t *data, uint32_t len)
{
    char from[HWS_ADDR_TEXT_MAX], to[HWS_ADDR_TEXT_MAX], text[HWS_TEXT_MAX];
    hws_text_packet(text, sizeof text, data, len);
    world_log(s, "%c %s > %s %s", direction, hws_addr_text(src, from), hws_addr_text(dst, to),
              text);
}

/* ---- Beginning and end ---- */

static struct hws_addr ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct hws_addr){.family = HWS_FAMILY_IPV4, .ip = {a, b, c, d}};
}

void world_init(struct world *w)
{
    *w = (struct world){.now_us = WORLD_START_US,
                        .local_count = 1,
                        .peer_count = 1,
                        .local_port = 5001,
                        .peer_port = 6001,
                        .mtu = 1500};
    w->locals[0] = ipv4(192, 0, 2, 1);
    w->peers[0] = ipv4(192, 0, 2, 2);
    hws_params_default(&w->params);
    /* RFC 9260 alone, unless the script asks for more. */
    w->params.tail_probe = w->params.pmtud = false;
    sim_env_init(&w->env, 1);
}

static void free_list(struct world_packet *packet)
{
    while (packet != NULL) {
        struct world_packet *next = packet->next;
        free(packet);
        packet = next;
    }
}

void world_fini(struct world *w)
{
    free_list(w->sent_head);
    for (uint32_t i = 0; i < WORLD_ADDRS_MAX; i++)
        free(w->last_to[i]);
    hws_engine_free(w->engine);
    w->sent_head = w->sent_tail = NULL;
    w->engine = NULL;
}

void world_start(struct script *s)
{
    struct world *w = &s->world;
    if (w->engine != NULL)
        return;
    struct hws_engine_config config = {
        .env = sim_env_make(&w->env), .own_host = w->own_host, .direct_alloc = true};
    w->engine = hws_engine_new(&config);
    struct hws_endpoint_config endpoint = {.port = w->local_port,
                                           .locals = w->locals,
                                           .local_count = w->any_local ? 0 : w->local_count,
                                           .params = &w->params};
    int code =
        w->engine == NULL ? HWS_E_NOMEM : hws_endpoint_new(w->engine, &endpoint, &w->endpoint);
    if (code != HWS_OK)
        script_fail(s, "the endpoint cannot be made: %s", hws_error_name(code));
}

/* ---- What the engine sends ---- */

static struct world_packet *packet_new(struct script *s, const struct hws_train *train, uint32_t at)
{
    uint32_t len = train->len - at < train->segment_len ? train->len - at : train->segment_len;
    struct world_packet *packet = malloc(sizeof *packet + len);
    if (packet == NULL)
        script_fail(s, "out of memory");
    *packet = (struct world_packet){.at_us = s->world.now_us,
                                    .src = train->src,
                                    .dst = train->dst,
                                    .may_fragment = train->may_fragment,
                                    .len = len};
    if (packet->src.family == HWS_FAMILY_NONE)
        packet->src = s->world.locals[0];
    memcpy(packet->data, train->data + at, len);
    return packet;
}

static void keep_last(struct world *w, const struct world_packet *packet)
{
    for (uint32_t i = 0; i < w->peer_count; i++) {
        if (!hws_addr_same(&w->peers[i], &packet->dst))
            continue;
        size_t size = sizeof *packet + packet->len;
        struct world_packet *copy = malloc(size);
        if (copy == NULL)
            return;
        memcpy(copy, packet, size);
        free(w->last_to[i]);
        w->last_to[i] = copy;
    }
}

static void sent(struct script *s, struct world_packet *packet)
{
    struct world *w = &s->world;
    if (w->sent_head == NULL)
        w->sent_head = packet;
    else
        w->sent_tail->next = packet;
    w->sent_tail = packet;
    keep_last(w, packet);
    world_log_packet(s, '>', &packet->src, &packet->dst, packet->data, packet->len);
    if (packet->len < HWS_PACKET_HEADER_LEN || !hws_crc32c_ok(packet->data, packet->len))
        script_fail(s, "hawser sent a packet with a wrong checksum");
}

static void pump_packets(struct script *s)
{
    static uint8_t buffer[TRAIN_BYTES];
    struct hws_train train = {.data = buffer, .capacity = sizeof buffer, .max_packets = 16};
    while (hws_engine_output(s->world.engine, &train, s->world.now_us))
        for (uint32_t at = 0; at < train.len; at += train.segment_len)
            sent(s, packet_new(s, &train, at));
}

struct world_packet *world_first(const struct world *w)
{
    return w->sent_head;
}

void world_drop_first(struct script *s)
{
    struct world_packet *packet = s->world.sent_head;
    s->world.sent_head = packet->next;
    free(packet);
}

/* ---- What the engine tells ---- */

static void note_event(struct script *s, const struct hws_event *event)
{
    struct world *w = &s->world;
    if (event->type == HWS_EVENT_UP)
        w->assoc = event->assoc;
    if (w->event_count == WORLD_EVENTS_MAX)
        script_fail(s, "more than %u events wait", WORLD_EVENTS_MAX);
    w->events[w->event_count++] = *event;
    if (event->type != HWS_EVENT_PATH_NEW)
        world_log(s, "! %s", names_event(event->type));
}

static void tell_mtu(struct script *s, const struct hws_event *event)
{
    struct world *w = &s->world;
    struct hws_net_event mtu = {.kind = HWS_NET_MTU,
                                .assoc = event->assoc,
                                .local = event->local,
                                .remote = event->remote,
                                .mtu = w->mtu};
    if (w->mtu != 0)
        hws_engine_net_event(w->engine, &mtu, w->now_us);
}

static void pump_events(struct script *s)
{
    struct hws_event event;
    while (hws_engine_event(s->world.engine, &event)) {
        note_event(s, &event);
        if (event.type == HWS_EVENT_PATH_NEW)
            tell_mtu(s, &event);
    }
}

void world_pump(struct script *s)
{
    pump_events(s);
    pump_packets(s);
    pump_events(s);
}

uint32_t world_path(struct script *s, const struct hws_addr *remote, struct hws_path_status *out)
{
    const struct world *w = &s->world;
    for (uint32_t i = 0; hws_assoc_path_status(w->engine, w->assoc, i, out) == HWS_OK; i++)
        if (hws_addr_same(&out->remote, remote))
            return i;
    script_fail(s, "the association has no such path");
}

/* ---- Input and time ---- */

void world_input(struct script *s, const struct hws_addr *src, const struct hws_addr *dst,
                 const uint8_t *data, uint32_t len)
{
    struct world *w = &s->world;
    uint8_t *exact = malloc(len > 0 ? len : 1); /* so that a sanitizer sees every overread */
    if (exact == NULL)
        script_fail(s, "out of memory");
    memcpy(exact, data, len);
    world_log_packet(s, '<', src, dst, data, len);
    struct hws_packet_in in = {
        .data = exact, .len = len, .truesize = len, .src = *src, .dst = *dst};
    hws_engine_input(w->engine, &in, 1, w->now_us);
    free(exact);
    world_pump(s);
}

void world_wait(struct script *s, uint64_t until_us)
{
    struct world *w = &s->world;
    uint32_t expiries = 0;
    for (uint64_t next; w->sent_head == NULL && (next = hws_engine_deadline(w->engine)) <= until_us;
         expiries++) {
        if (expiries == EXPIRIES_MAX)
            script_fail(s, "more than %u timers ran: the engine is never done", EXPIRIES_MAX);
        w->now_us = next > w->now_us ? next : w->now_us;
        hws_engine_expire(w->engine, w->now_us);
        world_pump(s);
    }
    if (w->sent_head == NULL)
        w->now_us = until_us;
}
