/* Virtual time: a clock, a queue of what will happen, and the nodes it happens to. Nothing here
 * asks the operating system anything; two worlds with equal seeds live equal lives.
 *
 * A node is whatever speaks packets: an engine of ours (host.h) or another stack behind the same
 * four functions. */
#ifndef HWS_TESTS_SIM_WORLD_H
#define HWS_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/rng.h"
#include "stack/engine.h"
#include "stack/limits.h"

#define SIM_NODES_MAX 6u
/* Engines that share the addresses of a node. */
#define SIM_SHARDS_MAX 2u
#define SIM_NODE_ADDRS_MAX HWS_LIMIT_PATHS
#define SIM_BATCH_MAX 64u

struct sim_world;
struct sim_node;

struct sim_node_ops {
    void (*input)(struct sim_node *node, const struct hws_packet_in *packets, size_t count);
    void (*net_event)(struct sim_node *node, const struct hws_net_event *event);
    /** Timers that are due, then events, then output. */
    void (*run)(struct sim_node *node);
    /** When `run` has to be called next, UINT64_MAX: not before something happens. */
    uint64_t (*deadline)(struct sim_node *node);
};

/* What a node's link knows of the time at which a packet was received. */
enum sim_stamps {
    SIM_STAMPS_NONE,
    SIM_STAMPS_TRUE,
    SIM_STAMPS_WRONG, /* any number */
};

struct sim_node {
    const struct sim_node_ops *ops;
    struct sim_world *world;
    uint32_t index;
    struct hws_addr addrs[SIM_NODE_ADDRS_MAX]; /* address i lies in subnet i */
    uint32_t addr_count;
    /* Addresses that it names as its own although nobody, or another node, has them. */
    struct hws_addr false_addrs[SIM_NODE_ADDRS_MAX];
    uint32_t false_addr_count;
    /* Shards of one host: the first one has the links, and knows them all, itself included. */
    struct sim_node *first_shard; /* NULL: there are no others */
    struct sim_node *shards[SIM_SHARDS_MAX];
    uint32_t shard_count;
    bool unfiltered;  /* every shard is given every packet */
    bool wants_run;   /* something happened to it at this instant */
    uint32_t late_us; /* it looks at packets so long after they were received */
    enum sim_stamps stamps;
    struct hws_packet_in batch[SIM_BATCH_MAX];
    size_t batch_count;
};

/* A packet on its way or held by a receiver. */
struct sim_packet {
    struct hws_buf buf;
    struct hws_addr src, dst;
    uint32_t len;
    bool may_fragment;
    uint64_t received_us;
    uint8_t data[];
};

typedef void sim_call(struct sim_world *world, void *ctx, uint32_t arg);

struct sim_event {
    uint64_t at_us, order;     /* equal times happen in the order they were asked for */
    struct sim_node *node;     /* who is touched, may be NULL */
    struct sim_packet *packet; /* arrives at node */
    sim_call *call;            /* or this is called */
    void *ctx;
    uint32_t arg;
};

struct sim_world {
    uint64_t now_us;
    struct sim_rng rng;
    struct sim_event *heap;
    size_t heap_len, heap_cap;
    uint64_t order;
    struct sim_node *nodes[SIM_NODES_MAX];
    uint32_t node_count;
    size_t live_packets; /* sim_packets that somebody still refers to */
    uint32_t stalls;     /* steps without time passing, in a row */
    bool failed;
    char failure[512]; /* the first broken promise */
};

void sim_world_init(struct sim_world *world, uint64_t seed);

/** Drops what has not happened yet. */
void sim_world_fini(struct sim_world *world);

void sim_world_add(struct sim_world *world, struct sim_node *node);

/** A packet of `len` bytes, copied, with one reference that the caller owns. */
struct sim_packet *sim_packet_new(struct sim_world *world, const void *data, uint32_t len);

/** Lets `packet` arrive at `node` after `delay_us`; takes over the caller's reference. */
void sim_world_arrive(struct sim_world *world, uint64_t delay_us, struct sim_node *node,
                      struct sim_packet *packet);

/** Calls `call(world, ctx, arg)` after `delay_us`, then runs `node` when it is not NULL. */
void sim_world_call(struct sim_world *world, uint64_t delay_us, struct sim_node *node,
                    sim_call *call, void *ctx, uint32_t arg);

/** Lets the next thing happen. False when that would be after `until_us` (the clock then shows
 * `until_us`) or when a promise was broken. */
bool sim_world_step(struct sim_world *world, uint64_t until_us);

/** Lets everything happen up to `until_us`. False when a promise was broken. */
bool sim_world_run(struct sim_world *world, uint64_t until_us);

/** Notes a broken promise; only the first one is kept. */
void sim_world_fail(struct sim_world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define SIM_CHECK(world, condition, ...)                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            sim_world_fail(world, __VA_ARGS__);                                                    \
    } while (0)

#endif
