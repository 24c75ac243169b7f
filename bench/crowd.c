#include "bench/crowd.h"

#include <stdlib.h>

#define FIRST_PORT 1024u
/* Begun or ended at once: their packets find room in the link's queue. */
#define BATCH 32u
#define MTU 1500u

static const struct hws_addr server_addr = {.family = HWS_FAMILY_IPV4, .ip = {192, 0, 2, 2}};

/* ---- Events ---- */

static void on_up(struct crowd_end *end, const struct hws_event *event)
{
    struct crowd *crowd = end->crowd;
    end->up++;
    if (crowd->churn && end == &crowd->client)
        crowd->failed |=
            hws_assoc_shutdown(end->driver.engine, event->assoc, crowd->now_us) != HWS_OK;
}

static void on_down(struct crowd_end *end, const struct hws_event *event)
{
    struct crowd *crowd = end->crowd;
    end->down++;
    crowd->failed |= event->reason != HWS_E_EOF;
    (void)hws_assoc_release(end->driver.engine, event->assoc, crowd->now_us);
    if (crowd->churn && end == &crowd->client)
        crowd->idle[crowd->idle_count++] = event->endpoint;
}

static void on_event(void *arg, const struct hws_event *event, uint64_t now_us)
{
    struct crowd_end *end = arg;
    (void)now_us;
    if (event->type == HWS_EVENT_UP)
        on_up(end, event);
    else if (event->type == HWS_EVENT_DOWN)
        on_down(end, event);
}

static bool on_dispatch(void *arg)
{
    (void)arg;
    return false;
}

/* ---- Life ---- */

static bool open_end(struct crowd *crowd, struct crowd_end *end, struct hws_link *link,
                     const struct hws_env *env, const struct hws_extension *extension)
{
    const struct hws_engine_config config = {
        .env = *env, .extensions = &extension, .extension_count = extension != NULL};
    end->crowd = crowd;
    end->driver = (struct hws_driver){
        .engine = hws_engine_new(&config),
        .link = link,
        .host = {.arg = end, .event = on_event, .dispatch = on_dispatch},
    };
    return end->driver.engine != NULL;
}

static bool open_endpoints(struct crowd *crowd, const struct hws_params *params)
{
    hws_endpoint_id ignored;
    for (uint32_t i = 0; i < crowd->servers; i++) {
        const struct hws_endpoint_config config = {
            .port = (uint16_t)(FIRST_PORT + i), .listening = true, .params = params};
        if (hws_endpoint_new(crowd->server.driver.engine, &config, &ignored) != HWS_OK)
            return false;
    }
    for (uint32_t i = 0; i < crowd->clients; i++) {
        const struct hws_endpoint_config config = {.port = (uint16_t)(FIRST_PORT + i),
                                                   .params = params};
        if (hws_endpoint_new(crowd->client.driver.engine, &config, &crowd->endpoints[i]) != HWS_OK)
            return false;
        crowd->idle[crowd->idle_count++] = crowd->endpoints[i];
    }
    return true;
}

bool crowd_open(struct crowd *crowd, const struct hws_env *env, const struct hws_params *params,
                const struct hws_extension *extension, uint32_t clients, uint32_t servers)
{
    struct hws_link *a, *b;
    *crowd = (struct crowd){.clients = clients, .servers = servers};
    crowd->endpoints = calloc(clients, sizeof *crowd->endpoints);
    crowd->idle = calloc(clients, sizeof *crowd->idle);
    crowd->assocs = calloc((size_t)clients * servers, sizeof *crowd->assocs);
    return crowd->endpoints != NULL && crowd->idle != NULL && crowd->assocs != NULL &&
           hws_link_memory_pair(MTU, &a, &b) == 0 &&
           open_end(crowd, &crowd->client, a, env, extension) &&
           open_end(crowd, &crowd->server, b, env, extension) && open_endpoints(crowd, params);
}

static void close_end(struct crowd_end *end)
{
    hws_engine_free(end->driver.engine);
    if (end->driver.link != NULL)
        end->driver.link->ops->close(end->driver.link);
}

void crowd_close(struct crowd *crowd)
{
    close_end(&crowd->client);
    close_end(&crowd->server);
    free(crowd->endpoints);
    free(crowd->idle);
    free(crowd->assocs);
}

/* ---- Turns ---- */

static void turn_end(struct crowd_end *end, uint64_t now_us)
{
    hws_driver_input(&end->driver, now_us);
    hws_driver_run(&end->driver, now_us);
}

void crowd_turn(struct crowd *crowd)
{
    turn_end(&crowd->client, crowd->now_us);
    turn_end(&crowd->server, crowd->now_us);
}

static uint64_t packets_of(const struct crowd_end *end)
{
    const struct hws_stats *stats = hws_engine_stats(end->driver.engine);
    return stats->packets_in + stats->packets_out;
}

void crowd_settle(struct crowd *crowd)
{
    uint64_t before, after = 0;
    do {
        before = after;
        crowd_turn(crowd);
        after = packets_of(&crowd->client) + packets_of(&crowd->server);
    } while (after != before);
}

static bool connect_one(struct crowd *crowd, hws_endpoint_id endpoint, uint32_t server,
                        hws_assoc_id *assoc)
{
    return hws_assoc_connect(crowd->client.driver.engine, endpoint, &server_addr, 1,
                             (uint16_t)(FIRST_PORT + server), crowd->now_us, assoc) == HWS_OK;
}

static bool batch_full(uint32_t from, uint32_t i, uint32_t to)
{
    return (i + 1 - from) % BATCH == 0 || i + 1 == to;
}

bool crowd_connect(struct crowd *crowd, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (!connect_one(crowd, crowd->endpoints[i % crowd->clients], i / crowd->clients,
                         &crowd->assocs[i]))
            return false;
        while (batch_full(from, i, to) && !crowd->failed &&
               (crowd->client.up <= i || crowd->server.up <= i))
            crowd_turn(crowd);
    }
    return !crowd->failed;
}

bool crowd_churn(struct crowd *crowd)
{
    hws_assoc_id ignored;
    crowd->churn = true;
    while (crowd->idle_count > 0 && !crowd->failed)
        crowd->failed |= !connect_one(crowd, crowd->idle[--crowd->idle_count], 0, &ignored);
    crowd_turn(crowd);
    return !crowd->failed;
}

bool crowd_shutdown(struct crowd *crowd, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (hws_assoc_shutdown(crowd->client.driver.engine, crowd->assocs[i], crowd->now_us) !=
            HWS_OK)
            return false;
        while (batch_full(0, i, count) && !crowd->failed &&
               (crowd->client.down <= i || crowd->server.down <= i))
            crowd_turn(crowd);
    }
    return !crowd->failed;
}

uint64_t crowd_count(const struct crowd *crowd)
{
    return hws_engine_assoc_count(crowd->client.driver.engine) +
           hws_engine_assoc_count(crowd->server.driver.engine);
}
