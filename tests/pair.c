#include "tests/pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/crc32c.h"
#include "proto/text.h"

#define TRAIN_BYTES (2u * HWS_PACKET_MAX_LEN)
/* More packets than any story needs: a conversation that does not end is found by this. */
#define SETTLE_MAX 200000u

static void end_engine(struct pair_end *end, bool own_host)
{
    struct hws_engine_config config = {.env = sim_env_make(&end->env),
                                       .own_host = own_host,
                                       .direct_alloc = true,
                                       .extensions = end->extensions,
                                       .extension_count = end->extension_count};
    end->engine = hws_engine_new(&config);
    assert_non_null(end->engine);
}

static void end_endpoint(struct pair_end *end, bool listening, const struct hws_params *params)
{
    struct hws_endpoint_config config = {.port = end->port,
                                         .locals = end->addrs,
                                         .local_count = end->any_local ? 0 : end->addr_count,
                                         .host_addresses = end->told_host,
                                         .listening = listening,
                                         .params = params};
    if (end->told_host)
        hws_engine_set_host_addresses(end->engine, end->addrs, end->addr_count);
    assert_int_equal(hws_endpoint_new(end->engine, &config, &end->endpoint), HWS_OK);
}

static struct hws_addr end_addr(uint8_t net, uint8_t host, bool ipv6)
{
    struct hws_addr addr = {.family = ipv6 ? HWS_FAMILY_IPV6 : HWS_FAMILY_IPV4};
    if (ipv6)
        memcpy(addr.ip, (const uint8_t[]){0x20, 1, 0x0d, 0xb8, [5] = net, [15] = host}, 16);
    else
        memcpy(addr.ip, (const uint8_t[]){192, 0, (uint8_t)(2 + net), host}, 4);
    return addr;
}

static void end_init(struct pair *p, struct pair_end *end, struct pair_end *other, uint8_t host,
                     const struct pair_options *o)
{
    end->pair = p;
    end->other = other;
    end->port = (uint16_t)(host == 1 ? PAIR_PORT_A : PAIR_PORT_B);
    end->addr_count = o->addrs != 0 ? o->addrs : 1;
    assert_in_range(end->addr_count, 1, PAIR_ADDRS_MAX);
    for (uint32_t i = 0; i < end->addr_count; i++)
        end->addrs[i] = end_addr((uint8_t)i, host, o->ipv6);
    end->addr = end->addrs[0];
    end->any_local = o->any_local;
    end->told_host = o->told_host;
    end->extensions = o->extensions;
    end->extension_count = o->extension_count;
    sim_env_init(&end->env, host);
}

static void take_extensions(struct pair_end *end, const struct hws_extension *const *list)
{
    end->extensions = list;
    for (end->extension_count = 0; list[end->extension_count] != NULL;)
        end->extension_count++;
}

struct pair *pair_new(const struct pair_options *options)
{
    struct pair_options o = options != NULL ? *options : (struct pair_options){0};
    struct pair *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->now_us = 1000000;
    p->mtu = o.mtu != 0 ? o.mtu : 1500;
    p->tolerant = o.tolerant;
    struct hws_params a, b;
    hws_params_default(&a);
    hws_params_default(&b);
    a.tail_probe = b.tail_probe = false; /* stories of T3 want to wait for it */
    a.pmtud = b.pmtud = false;           /* and others count packets */
    if (o.params != NULL)
        o.params(&a, &b);
    end_init(p, &p->a, &p->b, 1, &o);
    end_init(p, &p->b, &p->a, 2, &o);
    if (o.a_extensions != NULL)
        take_extensions(&p->a, o.a_extensions);
    if (o.b_extensions != NULL)
        take_extensions(&p->b, o.b_extensions);
    end_engine(&p->a, o.own_host);
    end_engine(&p->b, o.own_host);
    end_endpoint(&p->a, o.both_listen, &a);
    end_endpoint(&p->b, true, &b);
    return p;
}

static void wire_clear(struct pair_end *end)
{
    while (end->wire_head != NULL)
        free(pair_take(end));
}

static void end_free(struct pair_end *end)
{
    wire_clear(end);
    hws_engine_free(end->engine);
    assert_int_equal(end->env.live_objects, 0);
    assert_int_equal(end->env.live_bytes, 0);
    assert_int_equal(end->env.wrong_frees, 0);
}

void pair_free(struct pair *p)
{
    end_free(&p->a);
    end_free(&p->b);
    free(p);
}

void pair_reboot(struct pair_end *end, bool listening)
{
    end_free(end);
    end_engine(end, false);
    end_endpoint(end, listening, NULL);
    end->assoc = 0;
    end->events = 0;
}

/* ---- The wire ---- */

/* HWS_PAIR_TRACE=1 prints every packet as it is sent. */
static void trace(const struct pair_end *end, const struct pair_packet *packet)
{
    if (getenv("HWS_PAIR_TRACE") != NULL)
        printf("%10.6f %s: %s\n", (double)end->pair->now_us / 1e6, end == &end->pair->a ? "a" : "b",
               pair_text(packet));
}

static void wire_put(struct pair_end *end, const struct hws_train *train, uint32_t at, uint32_t len)
{
    struct pair_packet *packet = malloc(sizeof *packet + len);
    assert_non_null(packet);
    bool chosen = train->src.family != HWS_FAMILY_NONE;
    *packet = (struct pair_packet){.src = chosen ? train->src : end->addr,
                                   .dst = train->dst,
                                   .may_fragment = train->may_fragment,
                                   .tos = train->tos,
                                   .ttl = train->ttl,
                                   .len = len};
    memcpy(packet->data, train->data + at, len);
    if (end->wire_head == NULL)
        end->wire_head = packet;
    else
        end->wire_tail->next = packet;
    end->wire_tail = packet;
    end->packets++;
    trace(end, packet);
}

static void end_output(struct pair_end *end)
{
    static uint8_t buffer[TRAIN_BYTES];
    struct hws_train train = {.data = buffer, .capacity = sizeof buffer, .max_packets = 16};
    while (hws_engine_output(end->engine, &train, end->pair->now_us))
        for (uint32_t at = 0; at < train.len; at += train.segment_len)
            wire_put(end, &train, at,
                     train.len - at < train.segment_len ? train.len - at : train.segment_len);
}

static void end_note(struct pair_end *end, const struct hws_event *event)
{
    end->events |= 1u << event->type;
    if (event->type == HWS_EVENT_UP || event->type == HWS_EVENT_RESTART)
        end->assoc = event->assoc;
    if (event->type == HWS_EVENT_UP)
        end->passive = event->passive;
    if (event->type == HWS_EVENT_DOWN)
        end->reason = event->reason;
    if (event->type == HWS_EVENT_DOWN || event->type == HWS_EVENT_REMOTE_ERROR)
        end->cause = event->cause;
    end->told[event->type] = *event;
    end->told_count[event->type]++;
    if (event->data == NULL)
        return;
    memcpy(end->told_data, event->data, event->data_len);
    end->told_data_len = event->data_len;
}

static void end_events(struct pair_end *end)
{
    struct hws_event event;
    while (hws_engine_event(end->engine, &event)) {
        end_note(end, &event);
        if (event.type != HWS_EVENT_PATH_NEW)
            continue;
        struct hws_net_event mtu = {.kind = HWS_NET_MTU,
                                    .local = event.local,
                                    .remote = event.remote,
                                    .mtu = end->pair->mtu};
        hws_engine_net_event(end->engine, &mtu, end->pair->now_us);
    }
}

static void end_pull(struct pair_end *end)
{
    end_events(end);
    end_output(end);
}

void pair_pull(struct pair *p)
{
    end_pull(&p->a);
    end_pull(&p->b);
}

struct pair_packet *pair_first(struct pair_end *end)
{
    if (end->wire_head == NULL)
        fail_msg("%s has sent nothing", end == &end->pair->a ? "a" : "b");
    return end->wire_head;
}

bool pair_wire_empty(const struct pair *p)
{
    return p->a.wire_head == NULL && p->b.wire_head == NULL;
}

struct pair_packet *pair_take(struct pair_end *end)
{
    struct pair_packet *packet = pair_first(end);
    end->wire_head = packet->next;
    return packet;
}

const char *pair_chunks(const struct pair_packet *packet)
{
    static char names[2000];
    struct hws_tlv_iter it = hws_packet_chunks(packet->data, packet->len);
    struct hws_tlv chunk;
    size_t at = 0;
    names[0] = 0;
    while (hws_tlv_next(&it, &chunk) && at < sizeof names - 40) {
        const char *name = hws_chunk_name(hws_chunk_type(&chunk));
        at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", at == 0 ? "" : "+",
                               name != NULL ? name : "?");
    }
    return names;
}

const char *pair_text(const struct pair_packet *packet)
{
    static char line[4 * HWS_TEXT_MAX];
    hws_text_packet(line, sizeof line, packet->data, packet->len);
    return line;
}

struct hws_tlv pair_chunk(const struct pair_packet *packet, uint32_t index)
{
    struct hws_tlv_iter it = hws_packet_chunks(packet->data, packet->len);
    struct hws_tlv chunk = {0};
    for (uint32_t i = 0; i <= index; i++)
        if (!hws_tlv_next(&it, &chunk))
            fail_msg("no chunk %u in %s", index, pair_text(packet));
    return chunk;
}

static bool is_cut(const struct pair_end *from, const struct pair_packet *packet)
{
    const struct pair_end *to = from->other;
    for (uint32_t i = 0; i < to->addr_count; i++)
        if (from->pair->cut[i] && hws_addr_same(&to->addrs[i], &packet->dst))
            return true;
    return false;
}

static bool is_too_big(const struct pair_end *from, const struct pair_packet *packet)
{
    uint32_t header = packet->dst.family == HWS_FAMILY_IPV6 ? 40 : 20, mtu = from->pair->wire_mtu;
    return mtu != 0 && packet->len + header > mtu && !packet->may_fragment;
}

void pair_too_big(struct pair_end *end, const struct pair_packet *packet, uint32_t mtu)
{
    struct hws_net_event event = {.kind = HWS_NET_TOO_BIG,
                                  .local = packet->src,
                                  .remote = packet->dst,
                                  .mtu = mtu,
                                  .quoted = packet->data,
                                  .quoted_len = packet->len < 64 ? packet->len : 64};
    hws_engine_net_event(end->engine, &event, end->pair->now_us);
    pair_pull(end->pair);
}

static void arrive(struct pair_end *from, const struct pair_packet *packet)
{
    if (is_cut(from, packet))
        return;
    if (is_too_big(from, packet)) {
        if (from->pair->icmp)
            pair_too_big(from, packet, from->pair->wire_mtu);
        return;
    }
    struct hws_packet_in in = {.data = packet->data,
                               .len = packet->len,
                               .truesize = packet->len,
                               .src = packet->src,
                               .dst = packet->dst,
                               .rx_time_us = from->pair->rx_time_us};
    hws_engine_input(from->other->engine, &in, 1, from->pair->now_us);
    pair_pull(from->pair);
}

static struct pair_packet *take_expected(struct pair_end *end, const char *chunks)
{
    pair_pull(end->pair);
    struct pair_packet *packet = pair_first(end);
    if (strcmp(pair_chunks(packet), chunks) != 0)
        fail_msg("expected %s, found %s", chunks, pair_text(packet));
    return pair_take(end);
}

void pair_arrives(struct pair_end *end, const char *chunks)
{
    struct pair_packet *packet = take_expected(end, chunks);
    arrive(end, packet);
    free(packet);
}

void pair_lost(struct pair_end *end, const char *chunks)
{
    free(take_expected(end, chunks));
}

void pair_silent(struct pair *p)
{
    pair_pull(p);
    if (p->a.wire_head != NULL)
        fail_msg("a sent %s", pair_text(p->a.wire_head));
    if (p->b.wire_head != NULL)
        fail_msg("b sent %s", pair_text(p->b.wire_head));
}

static void arrive_first(struct pair_end *end)
{
    if (end->wire_head == NULL)
        return;
    struct pair_packet *packet = pair_take(end);
    arrive(end, packet);
    free(packet);
}

void pair_settle(struct pair *p)
{
    pair_pull(p);
    uint32_t packets = 0;
    while (!pair_wire_empty(p) && packets++ < SETTLE_MAX) {
        arrive_first(&p->a);
        arrive_first(&p->b);
    }
    assert_true(packets < SETTLE_MAX);
}

/* ---- The clock ---- */

static uint64_t next_deadline(const struct pair *p)
{
    uint64_t a = hws_engine_deadline(p->a.engine), b = hws_engine_deadline(p->b.engine);
    return a < b ? a : b;
}

static void expire_both(struct pair *p)
{
    hws_engine_expire(p->a.engine, p->now_us);
    hws_engine_expire(p->b.engine, p->now_us);
    pair_pull(p);
}

static void pass_time(struct pair *p, uint64_t us, bool arrives)
{
    uint64_t until_us = p->now_us + us;
    uint32_t stalls = 0;
    pair_pull(p);
    if (arrives)
        pair_settle(p);
    for (uint64_t next; (next = next_deadline(p)) <= until_us;) {
        stalls = next > p->now_us ? 0 : stalls + 1;
        assert_true(stalls < 100);
        p->now_us = next > p->now_us ? next : p->now_us;
        expire_both(p);
        if (arrives)
            pair_settle(p);
    }
    p->now_us = until_us;
}

void pair_wait(struct pair *p, uint64_t us)
{
    pass_time(p, us, false);
}

void pair_run(struct pair *p, uint64_t us)
{
    pass_time(p, us, true);
}

void pair_next_timer(struct pair_end *end)
{
    uint64_t next = hws_engine_deadline(end->engine);
    assert_true(next != UINT64_MAX);
    pair_wait(end->pair, next > end->pair->now_us ? next - end->pair->now_us : 0);
}

/* ---- Associations ---- */

void pair_begin(struct pair_end *end)
{
    int error = hws_assoc_connect(end->engine, end->endpoint, &end->other->addr, 1,
                                  end->other->port, end->pair->now_us, &end->assoc);
    assert_true(error == HWS_OK || end->pair->tolerant);
    pair_pull(end->pair);
}

void pair_connect(struct pair *p)
{
    pair_begin(&p->a);
    pair_settle(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_UP));
    assert_true(pair_saw(&p->b, HWS_EVENT_UP));
}

void pair_shutdown(struct pair_end *end)
{
    assert_int_equal(hws_assoc_shutdown(end->engine, end->assoc, end->pair->now_us), HWS_OK);
    pair_pull(end->pair);
}

bool pair_saw(struct pair_end *end, enum hws_event_type type)
{
    end_events(end);
    bool seen = (end->events >> type & 1) != 0;
    end->events &= ~(1u << type);
    return seen;
}

struct hws_assoc_status pair_status(const struct pair_end *end)
{
    struct hws_assoc_status status;
    assert_int_equal(hws_assoc_status(end->engine, end->assoc, &status), HWS_OK);
    return status;
}

struct hws_path_status pair_path_to(const struct pair_end *end, const struct hws_addr *remote)
{
    struct hws_path_status status;
    uint32_t index = 0;
    do
        assert_int_equal(hws_assoc_path_status(end->engine, end->assoc, index++, &status), HWS_OK);
    while (!hws_addr_same(&status.remote, remote));
    return status;
}

struct hws_path_status pair_path(const struct pair_end *end)
{
    return pair_path_to(end, &end->other->addr);
}

const struct hws_stats *pair_stats(const struct pair_end *end)
{
    return hws_engine_stats(end->engine);
}

/* ---- Forged packets ---- */

void pair_inject_between(struct pair_end *end, const struct hws_addr *src,
                         const struct hws_addr *dst, uint8_t *data, uint32_t len)
{
    if (len >= HWS_PACKET_HEADER_LEN)
        hws_crc32c_set(data, len);
    struct hws_packet_in in = {.data = data,
                               .len = len,
                               .truesize = len,
                               .src = *src,
                               .dst = *dst,
                               .rx_time_us = end->pair->rx_time_us};
    hws_engine_input(end->engine, &in, 1, end->pair->now_us);
    pair_pull(end->pair);
}

void pair_inject_from(struct pair_end *end, const struct hws_addr *src, uint8_t *data, uint32_t len)
{
    pair_inject_between(end, src, &end->addr, data, len);
}

void pair_inject(struct pair_end *end, uint8_t *data, uint32_t len)
{
    pair_inject_from(end, &end->other->addr, data, len);
}

void pair_forge(struct pair_end *end, struct hws_builder *b, uint8_t *buf, uint32_t cap)
{
    hws_builder_init(b, buf, cap, end->other->port, end->port, pair_status(end).local_vtag);
}

/* ---- Messages ---- */

void pair_send(struct pair_end *end, uint16_t sid, uint16_t flags, const void *data, size_t len)
{
    struct hws_sndinfo info = {.sid = sid, .flags = flags, .ppid = 7};
    struct hws_iovec iov = {data, len};
    int error = hws_assoc_send(end->engine, end->assoc, &info, &iov, 1, end->pair->now_us);
    assert_int_equal(error, HWS_OK);
    pair_pull(end->pair);
}

static uint8_t *pattern(uint8_t first, size_t len)
{
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(first + i + (i >> 8));
    return bytes;
}

void pair_send_pattern(struct pair_end *end, uint16_t sid, uint16_t flags, uint8_t first,
                       size_t len)
{
    uint8_t *bytes = pattern(first, len);
    pair_send(end, sid, flags, bytes, len);
    free(bytes);
}

/* Reads one message in as many parts as it takes; its length. */
static size_t recv_whole(struct pair_end *end, uint8_t *buf, size_t cap, struct hws_rcvinfo *info)
{
    size_t at = 0;
    do {
        size_t len = 0;
        int error = hws_assoc_recv(end->engine, end->assoc, buf + at, cap - at, &len, info,
                                   end->pair->now_us);
        if (error != HWS_OK)
            fail_msg("recv: %s", hws_error_text(error));
        at += len;
        pair_pull(end->pair);
    } while ((info->flags & HWS_RECV_EOR) == 0);
    return at;
}

void pair_recv(struct pair_end *end, uint16_t sid, const void *data, size_t len)
{
    uint8_t *buf = malloc(len + 1);
    assert_non_null(buf);
    struct hws_rcvinfo info = {0};
    size_t got = recv_whole(end, buf, len + 1, &info);
    assert_int_equal(got, len);
    assert_memory_equal(buf, data, len);
    assert_int_equal(info.sid, sid);
    assert_int_equal(info.ppid, 7);
    free(buf);
}

void pair_recv_pattern(struct pair_end *end, uint16_t sid, uint8_t first, size_t len)
{
    uint8_t *bytes = pattern(first, len);
    pair_recv(end, sid, bytes, len);
    free(bytes);
}

size_t pair_drain(struct pair_end *end)
{
    static uint8_t buf[65536];
    size_t total = 0, len;
    struct hws_rcvinfo info;
    while (hws_assoc_recv(end->engine, end->assoc, buf, sizeof buf, &len, &info,
                          end->pair->now_us) == HWS_OK)
        total += len;
    pair_pull(end->pair);
    return total;
}

void pair_recv_nothing(struct pair_end *end)
{
    uint8_t byte;
    size_t len;
    struct hws_rcvinfo info;
    assert_int_equal(
        hws_assoc_recv(end->engine, end->assoc, &byte, 1, &len, &info, end->pair->now_us),
        HWS_E_AGAIN);
}

void pair_connect_and_talk(struct pair *p)
{
    pair_connect(p);
    pair_send(&p->a, 0, 0, "hello", 5);
    pair_settle(p);
    pair_recv(&p->b, 0, "hello", 5);
    pair_send(&p->b, 0, 0, "hello", 5);
    pair_run(p, 1000000);
    pair_recv(&p->a, 0, "hello", 5);
    pair_silent(p);
}
