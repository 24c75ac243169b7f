#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A node whose deadline stays in the past makes the world stand still. */
#define STALLS_MAX 1000u

void sim_world_init(struct sim_world *world, uint64_t seed)
{
    memset(world, 0, sizeof *world);
    world->rng = sim_rng_seeded(seed);
    world->now_us = 1000000;
}

void sim_world_fini(struct sim_world *world)
{
    for (size_t i = 0; i < world->heap_len; i++)
        if (world->heap[i].packet != NULL)
            hws_buf_unref(&world->heap[i].packet->buf);
    free(world->heap);
    world->heap = NULL;
    world->heap_len = world->heap_cap = 0;
}

void sim_world_add(struct sim_world *world, struct sim_node *node)
{
    node->world = world;
    node->index = world->node_count;
    world->nodes[world->node_count++] = node;
}

void sim_world_fail(struct sim_world *world, const char *format, ...)
{
    if (world->failed)
        return;
    world->failed = true;
    int at = snprintf(world->failure, sizeof world->failure,
                      "at %llu us: ", (unsigned long long)world->now_us);
    va_list args;
    va_start(args, format);
    vsnprintf(world->failure + at, sizeof world->failure - (size_t)at, format, args);
    va_end(args);
}

static void packet_release(struct hws_buf *buf)
{
    struct sim_world *world = buf->owner;
    world->live_packets--;
    free(buf);
}

struct sim_packet *sim_packet_new(struct sim_world *world, const void *data, uint32_t len)
{
    struct sim_packet *p = calloc(1, sizeof *p + len);
    if (p == NULL)
        abort();
    p->buf = (struct hws_buf){
        .refs = 1, .size = len, .release = packet_release, .owner = world, .data = p->data};
    p->len = len;
    if (len != 0)
        memcpy(p->data, data, len);
    world->live_packets++;
    return p;
}

static bool before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void heap_push(struct sim_world *world, struct sim_event event)
{
    if (world->heap_len == world->heap_cap) {
        world->heap_cap = world->heap_cap == 0 ? 256 : 2 * world->heap_cap;
        world->heap = realloc(world->heap, world->heap_cap * sizeof *world->heap);
        if (world->heap == NULL)
            abort();
    }
    event.order = world->order++;
    size_t i = world->heap_len++;
    for (; i > 0 && before(&event, &world->heap[(i - 1) / 2]); i = (i - 1) / 2)
        world->heap[i] = world->heap[(i - 1) / 2];
    world->heap[i] = event;
}

static struct sim_event heap_pop(struct sim_world *world)
{
    struct sim_event *h = world->heap;
    struct sim_event top = h[0], last = h[--world->heap_len];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= world->heap_len)
            break;
        if (child + 1 < world->heap_len && before(&h[child + 1], &h[child]))
            child++;
        if (!before(&h[child], &last))
            break;
        h[i] = h[child];
        i = child;
    }
    h[i] = last;
    return top;
}

void sim_world_arrive(struct sim_world *world, uint64_t delay_us, struct sim_node *node,
                      struct sim_packet *packet)
{
    packet->received_us = world->now_us + delay_us;
    heap_push(world, (struct sim_event){.at_us = packet->received_us + node->late_us,
                                        .node = node,
                                        .packet = packet});
}

void sim_world_call(struct sim_world *world, uint64_t delay_us, struct sim_node *node,
                    sim_call *call, void *ctx, uint32_t arg)
{
    heap_push(
        world,
        (struct sim_event){
            .at_us = world->now_us + delay_us, .node = node, .call = call, .ctx = ctx, .arg = arg});
}

static void node_flush(struct sim_node *node)
{
    if (node->batch_count == 0)
        return;
    node->ops->input(node, node->batch, node->batch_count);
    for (size_t i = 0; i < node->batch_count; i++)
        hws_buf_unref(node->batch[i].buf);
    node->batch_count = 0;
}

static uint64_t stamp(struct sim_node *node, const struct sim_packet *p)
{
    if (node->stamps == SIM_STAMPS_WRONG)
        return sim_rng_next(&node->world->rng);
    return node->stamps == SIM_STAMPS_TRUE ? p->received_us : 0;
}

static void node_arrival(struct sim_node *node, struct sim_packet *p)
{
    if (node->batch_count == SIM_BATCH_MAX)
        node_flush(node);
    node->batch[node->batch_count++] = (struct hws_packet_in){
        .data = p->data,
        .len = p->len,
        .truesize = p->len + (uint32_t)sizeof *p,
        .buf = &p->buf,
        .src = p->src,
        .dst = p->dst,
        .rx_time_us = stamp(node, p),
    };
}

static void happen(struct sim_world *world, struct sim_event *event)
{
    if (event->packet != NULL)
        node_arrival(event->node, event->packet);
    else
        event->call(world, event->ctx, event->arg);
    if (event->node != NULL)
        event->node->wants_run = true;
}

static uint64_t next_time(struct sim_world *world)
{
    uint64_t next = world->heap_len != 0 ? world->heap[0].at_us : UINT64_MAX;
    for (uint32_t i = 0; i < world->node_count; i++) {
        uint64_t deadline = world->nodes[i]->ops->deadline(world->nodes[i]);
        next = deadline < next ? deadline : next;
    }
    return next > world->now_us ? next : world->now_us;
}

static void run_nodes(struct sim_world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        struct sim_node *node = world->nodes[i];
        node_flush(node);
        if (!node->wants_run && node->ops->deadline(node) > world->now_us)
            continue;
        node->wants_run = false;
        node->ops->run(node);
    }
}

bool sim_world_step(struct sim_world *world, uint64_t until_us)
{
    uint64_t next = next_time(world);
    if (next > until_us || world->failed) {
        world->now_us = world->failed ? world->now_us : until_us;
        return false;
    }
    world->stalls = next == world->now_us ? world->stalls + 1 : 0;
    SIM_CHECK(world, world->stalls < STALLS_MAX, "a deadline stays in the past");
    world->now_us = next;
    while (world->heap_len != 0 && world->heap[0].at_us <= next) {
        struct sim_event event = heap_pop(world);
        happen(world, &event);
    }
    run_nodes(world);
    return !world->failed;
}

bool sim_world_run(struct sim_world *world, uint64_t until_us)
{
    while (sim_world_step(world, until_us))
        continue;
    return !world->failed;
}
