/* The simulated network: a link from every address of every node to every other one, each with its
 * own delay, faults, outages and MTU in each direction, or absent: then nothing passes, ever. Every
 * packet goes into a hash, so that two runs can be compared, and into a trace when one is asked
 * for. */
#ifndef HWS_TESTS_SIM_NET_H
#define HWS_TESTS_SIM_NET_H

#include <stdio.h>

#include "tests/sim/world.h"

/* Nodes that have links of their own. */
#define SIM_LINKED_MAX 4u
#define SIM_OUTAGES_MAX 12u
#define SIM_MTU_CHANGES_MAX 3u
#define SIM_RECORDED_MAX 64u
/* What everybody sends and takes SCTP in UDP with (RFC 6951). */
#define SIM_UDP_PORT 9899u

/* How the sender learns of an outage. */
enum sim_outage_kind {
    SIM_OUTAGE_SILENT,      /* not at all */
    SIM_OUTAGE_SEND_FAILED, /* its own interface is down: the send fails */
    SIM_OUTAGE_ICMP,        /* a router says: host unreachable */
    SIM_OUTAGE_KINDS,
};

struct sim_outage {
    uint64_t from_us, until_us;
    enum sim_outage_kind kind;
};

struct sim_mtu_change {
    uint64_t at_us;
    uint32_t mtu;
};

struct sim_link_config {
    uint32_t delay_us, jitter_us; /* jitter alone keeps the order */
    uint32_t loss_ppm, duplicate_ppm, corrupt_ppm, truncate_ppm;
    uint32_t reorder_ppm, reorder_us; /* so many packets come up to that much later */
    uint32_t rate_bytes_per_s;        /* 0: no limit */
    uint32_t queue_bytes;             /* what waits for a limited link before it is dropped */
    uint32_t mtu;                     /* of IP packets, until it changes */
    struct sim_mtu_change mtu_changes[SIM_MTU_CHANGES_MAX]; /* in the order of their times */
    uint32_t mtu_change_count;
    bool silent_too_big; /* a packet beyond the MTU vanishes without ICMP */
    bool absent;         /* there is no such link */
    struct sim_outage outages[SIM_OUTAGES_MAX];
    uint32_t outage_count;
};

struct sim_link {
    struct sim_link_config config;
    uint64_t busy_until_us; /* the last byte queued so far is sent then */
    uint64_t last_arrival_us;
    uint64_t packets_passed;
};

struct sim_recorded {
    struct hws_addr src, dst;
    struct sim_node *to;
    uint32_t len;
    uint8_t *data;
};

struct sim_net {
    struct sim_world *world;
    struct sim_rng rng;
    struct sim_link links[SIM_LINKED_MAX][SIM_NODE_ADDRS_MAX][SIM_LINKED_MAX][SIM_NODE_ADDRS_MAX];
    uint64_t hash; /* of every packet sent, with its time, in order */
    FILE *trace;   /* NULL: none */
    uint64_t packets_sent, packets_lost, packets_corrupted;
    uint64_t packets_cut[SIM_OUTAGE_KINDS]; /* by an outage */
    uint64_t packets_absent;                /* to or from where there is no link */
    uint64_t packets_in_udp;
    uint64_t packets_steered[SIM_SHARDS_MAX];
    uint64_t too_big_told, too_big_silent;
    uint64_t last_sent_us;
    /* Some packets seen lately: what an attacker on the way could send again. */
    struct sim_recorded recorded[SIM_RECORDED_MAX];
    uint64_t recorded_count;
    bool record;
};

void sim_net_init(struct sim_net *net, struct sim_world *world, uint64_t seed);
void sim_net_fini(struct sim_net *net);

/** The link from address `from_addr` of node `from` to address `to_addr` of node `to`. */
struct sim_link *sim_net_link(struct sim_net *net, uint32_t from, uint32_t from_addr, uint32_t to,
                              uint32_t to_addr);

/** Takes all faults from all links: short delay, no loss, no limit; MTUs stay as they are now, and
 * links that are absent stay so. */
void sim_net_heal(struct sim_net *net);

/** Adds an outage in both directions. Only the first one's sender is told when sending fails: it is
 * his interface that is down. False: the link has SIM_OUTAGES_MAX already. */
bool sim_net_cut(struct sim_net *net, uint32_t from, uint32_t from_addr, uint32_t to,
                 uint32_t to_addr, struct sim_outage outage);

/** Lets a packet arrive at `to`, or at the shard of it whose it is, after `delay_us`; takes over
 * the caller's reference. */
void sim_net_arrive(struct sim_net *net, uint64_t delay_us, struct sim_node *to,
                    struct sim_packet *packet);

/** Sends a train of `node`, cut into its packets. */
void sim_net_send(struct sim_net *net, struct sim_node *node, const struct hws_train *train);

/** Sends one packet of `node`; `src` may be HWS_FAMILY_NONE. */
void sim_net_send_packet(struct sim_net *net, struct sim_node *node, const struct hws_addr *src,
                         const struct hws_addr *dst, const uint8_t *data, uint32_t len,
                         bool may_fragment);

/** The address that `node` reaches `dst` from: the one in its subnet, else the first of its family.
 */
const struct hws_addr *sim_net_source(struct sim_net *net, const struct sim_node *node,
                                      const struct hws_addr *dst);

/** IP header bytes in front of a packet to `dst`. */
uint32_t sim_net_overhead(const struct hws_addr *dst);

/** Whose address `addr` is; NULL: nobody's. `index` tells which one of his. */
struct sim_node *sim_net_owner(struct sim_net *net, const struct hws_addr *addr, uint32_t *index);

/** Writes one line about a packet when a trace is on. */
void sim_net_trace(struct sim_net *net, const char *what, const struct hws_addr *src,
                   const struct hws_addr *dst, const uint8_t *data, uint32_t len);

#endif
