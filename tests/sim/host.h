/* A node that is one engine of ours, driven by the loop its contract asks for, with the promises
 * that can be seen from outside checked at every turn: window, congestion window, MTU, timers and
 * deadlines. */
#ifndef HWS_TESTS_SIM_HOST_H
#define HWS_TESTS_SIM_HOST_H

#include "sim/env.h"
#include "tests/sim/net.h"
#include "tests/sim/watch.h"
#include "tests/sim/world.h"

#define SIM_HOST_ASSOCS_MAX 16u

struct sim_host_config {
    uint64_t seed;
    uint32_t interface_mtu; /* what the link reports for every path */
    uint32_t max_packets;   /* of one train */
    bool copied_input;      /* hand in packets without a buffer to refer to */
    bool direct_alloc;
    bool own_host;
    struct hws_shard shard;
    uint32_t receive_budget; /* 0: none */
    bool observed;           /* the engine has an observer */
    bool unruly, fec;        /* the engine has these extensions, too */
    bool any_local;          /* endpoints are bound to no address, and told what the host has */
};

struct sim_host {
    struct sim_node node; /* first: a node is converted to its host */
    struct sim_net *net;
    struct sim_host_config config;
    struct sim_env env;
    struct sim_rng rng;
    struct hws_engine *engine;
    struct sim_watch watch;                   /* when it is observed */
    hws_assoc_id assocs[SIM_HOST_ASSOCS_MAX]; /* those whose promises are checked */
    uint32_t assoc_count;
    uint8_t *train_buffer;
    /* The application. */
    void (*on_event)(struct sim_host *host, const struct hws_event *event);
    void (*on_turn)(struct sim_host *host); /* between events and output */
    void *app;
    /* Shown every packet of the engine, when it is not NULL. */
    void (*on_packet)(void *ctx, bool outbound, const struct hws_addr *src,
                      const struct hws_addr *dst, const uint8_t *data, uint32_t len);
    void *on_packet_ctx;
    bool changed;            /* events or packets may wait to be taken */
    uint64_t refused_before; /* by the engines it had before it restarted */
    uint32_t restarts;
};

void sim_host_init(struct sim_host *host, struct sim_net *net,
                   const struct sim_host_config *config);

/** Makes another engine with the same addresses, once they are all there, and the next index among
 * the shards that the configuration of `host` says there are. */
void sim_host_add_shard(struct sim_host *host, struct sim_host *shard);

/** Frees the engine and checks that all memory came back. */
void sim_host_fini(struct sim_host *host);

/** Frees the engine, checks that all memory came back, and begins with a new one. */
void sim_host_restart(struct sim_host *host);

/** Everything that an engine has ever refused. */
uint64_t sim_refused(const struct hws_stats *stats);

/** Gives the host one more address. */
void sim_host_add_addr(struct sim_host *host, const struct hws_addr *addr);

/** Checks the association's promises from now on, until it is unwatched. */
void sim_host_watch(struct sim_host *host, hws_assoc_id id);
void sim_host_unwatch(struct sim_host *host, hws_assoc_id id);

#endif
