#include "bench/shard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/runtime/driver.h"
#include "api/runtime/env.h"

#define PORT 5001u
#define MTU 1500u
#define MESSAGE_BYTES_MAX 8192u
#define MESSAGES_PER_TURN 4u

/* An association as one side sees it. */
struct member {
    hws_assoc_id assoc;
    bool ready;        /* source: room to send; sink: something to read */
    uint64_t number;   /* of the next message */
    size_t part_bytes; /* received of the message that has not ended */
    uint8_t *message;  /* sink: where it is put together */
};

struct side {
    struct hws_env env;
    struct hws_driver driver;
    struct bench_shard *shard;
    struct member *members;
    uint32_t up_count;
    uint64_t now_us;
};

struct bench_shard {
    const struct bench_row *row;
    struct side source, sink;
    uint32_t assoc_count;
    uint64_t received;
    bool failed;
    uint8_t message[MESSAGE_BYTES_MAX]; /* what is sent; its number is written in front */
};

static struct member *member_of(const struct side *side, hws_assoc_id assoc)
{
    uint32_t i = 0;
    while (i < side->up_count && side->members[i].assoc != assoc)
        i++;
    return &side->members[i];
}

static void on_event(void *arg, const struct hws_event *event, uint64_t now_us)
{
    struct side *side = arg;
    (void)now_us;
    if (event->type == HWS_EVENT_UP) {
        struct member *member = &side->members[side->up_count++];
        member->assoc = event->assoc;
        member->ready = true;
    } else if (event->type == HWS_EVENT_READABLE || event->type == HWS_EVENT_WRITABLE) {
        member_of(side, event->assoc)->ready = true;
    } else if (event->type == HWS_EVENT_DOWN) {
        side->shard->failed = true;
    }
}

/* ---- Source ---- */

static bool send_one(struct side *side, struct member *member)
{
    struct bench_shard *shard = side->shard;
    const struct hws_sndinfo info = {.sid = 0};
    struct hws_iovec iov = {shard->message, shard->row->message_bytes};
    memcpy(shard->message, &member->number, sizeof member->number);
    int rc = hws_assoc_send(side->driver.engine, member->assoc, &info, &iov, 1, side->now_us);
    shard->failed |= rc != HWS_OK && rc != HWS_E_AGAIN;
    member->number += rc == HWS_OK;
    return rc == HWS_OK;
}

/* Each association gets a few messages in its turn, as long as its send buffer takes them. */
static bool send_some(void *arg)
{
    struct side *side = arg;
    for (uint32_t i = 0; i < side->up_count; i++) {
        struct member *member = &side->members[i];
        for (uint32_t n = 0; n < MESSAGES_PER_TURN && member->ready; n++)
            member->ready = send_one(side, member);
    }
    return false;
}

/* ---- Sink ---- */

static void take_message(struct bench_shard *shard, struct member *member)
{
    uint64_t number;
    memcpy(&number, member->message, sizeof number);
    if (member->part_bytes != shard->row->message_bytes || number != member->number++) {
        fprintf(stderr, "%s: a message is not the one expected\n", shard->row->name);
        shard->failed = true;
    }
    member->part_bytes = 0;
    shard->received++;
}

static bool receive_part(struct side *side, struct member *member)
{
    struct hws_rcvinfo info;
    size_t len;
    int rc =
        hws_assoc_recv(side->driver.engine, member->assoc, member->message + member->part_bytes,
                       MESSAGE_BYTES_MAX - member->part_bytes, &len, &info, side->now_us);
    side->shard->failed |= rc != HWS_OK && rc != HWS_E_AGAIN;
    if (rc != HWS_OK)
        return false;
    member->part_bytes += len;
    if ((info.flags & HWS_RECV_EOR) != 0)
        take_message(side->shard, member);
    return true;
}

static bool receive_all(void *arg)
{
    struct side *side = arg;
    bool any = false;
    for (uint32_t i = 0; i < side->up_count; i++) {
        while (side->members[i].ready) {
            side->members[i].ready = receive_part(side, &side->members[i]);
            any |= side->members[i].ready;
        }
    }
    return any;
}

/* ---- Both ---- */

static void turn(struct side *side)
{
    side->now_us = hws_env_now_us();
    hws_driver_input(&side->driver, side->now_us);
    hws_driver_run(&side->driver, side->now_us);
}

static bool steered(const struct side *side)
{
    return hws_engine_stats(side->driver.engine)->drop_shard == 0;
}

bool bench_shard_run(struct bench_shard *shard, double end_s)
{
    while (!shard->failed && bench_wall_s() < end_s) {
        turn(&shard->source);
        turn(&shard->sink);
    }
    if (!steered(&shard->source) || !steered(&shard->sink)) {
        fprintf(stderr, "%s: packets were steered to another shard\n", shard->row->name);
        shard->failed = true;
    }
    return !shard->failed;
}

void bench_shard_count(const struct bench_shard *shard, struct bench_round *sum)
{
    const struct hws_stats *out = hws_engine_stats(shard->source.driver.engine);
    struct hws_link *link = shard->source.driver.link;
    sum->messages = shard->received;
    sum->bytes = shard->received * shard->row->message_bytes;
    sum->packets = out->packets_out;
    sum->trains = link->ops->stats(link)->tx_calls;
    sum->sacks = hws_engine_stats(shard->sink.driver.engine)->sacks_out;
    sum->retransmits = out->retransmits;
    sum->timeouts = out->timeouts_t3;
}

/* ---- Making one ---- */

static bool open_side(struct bench_shard *shard, struct side *side, struct hws_link *link,
                      const struct hws_shard *which, bool (*dispatch)(void *arg))
{
    side->shard = shard;
    side->members = calloc(shard->assoc_count + 1, sizeof *side->members);
    if (side->members == NULL || hws_env_init(&side->env) != 0)
        return false;
    const struct hws_engine_config config = {.env = side->env, .shard = *which};
    side->driver = (struct hws_driver){
        .engine = hws_engine_new(&config),
        .link = link,
        .host = {.arg = side, .event = on_event, .dispatch = dispatch},
    };
    side->now_us = hws_env_now_us();
    for (uint32_t i = 0; i < shard->assoc_count && dispatch == receive_all; i++) {
        side->members[i].message = malloc(MESSAGE_BYTES_MAX);
        if (side->members[i].message == NULL)
            return false;
    }
    return side->driver.engine != NULL;
}

/* Each from a port of its own, which the engine draws so that it leads to this shard. */
static bool connect_one(struct side *source)
{
    const struct hws_addr sink = {.family = HWS_FAMILY_IPV4, .ip = {192, 0, 2, 2}};
    const struct hws_endpoint_config config = {.remote_port = PORT};
    hws_endpoint_id endpoint;
    hws_assoc_id assoc;
    return hws_endpoint_new(source->driver.engine, &config, &endpoint) == HWS_OK &&
           hws_assoc_connect(source->driver.engine, endpoint, &sink, 1, PORT, source->now_us,
                             &assoc) == HWS_OK;
}

static bool connect_all(struct bench_shard *shard)
{
    const struct hws_endpoint_config listening = {.port = PORT, .listening = true};
    hws_endpoint_id endpoint;
    if (hws_endpoint_new(shard->sink.driver.engine, &listening, &endpoint) != HWS_OK)
        return false;
    for (uint32_t i = 0; i < shard->assoc_count; i++)
        if (!connect_one(&shard->source))
            return false;
    double end_s = bench_wall_s() + 10;
    while (shard->sink.up_count < shard->assoc_count && bench_wall_s() < end_s) {
        turn(&shard->source);
        turn(&shard->sink);
    }
    return shard->sink.up_count == shard->assoc_count;
}

struct bench_shard *bench_shard_new(const struct bench_row *row, const struct hws_shard *shard,
                                    uint32_t assoc_count)
{
    struct bench_shard *made = calloc(1, sizeof *made);
    struct hws_link *a, *b;
    if (made == NULL || hws_link_memory_pair(MTU, &a, &b) != 0)
        return NULL;
    made->row = row;
    made->assoc_count = assoc_count;
    if (open_side(made, &made->source, a, shard, send_some) &&
        open_side(made, &made->sink, b, shard, receive_all) && connect_all(made))
        return made;
    fprintf(stderr, "%s: a shard's associations do not come up\n", row->name);
    return NULL; /* the program ends */
}

static void close_side(struct bench_shard *shard, struct side *side)
{
    hws_engine_free(side->driver.engine);
    side->driver.link->ops->close(side->driver.link);
    hws_env_fini(&side->env);
    for (uint32_t i = 0; i < shard->assoc_count; i++)
        free(side->members[i].message);
    free(side->members);
}

void bench_shard_free(struct bench_shard *shard)
{
    close_side(shard, &shard->source);
    close_side(shard, &shard->sink);
    free(shard);
}
