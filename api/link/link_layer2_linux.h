/* What the links below IP (AF_PACKET, AF_XDP) have in common. They carry whole IP packets to and
 * from neighbours that the kernel knows. Everything else takes the slow way, by a raw link of
 * theirs: what is for this host or has no neighbour's address yet, what is larger than the
 * interface's MTU or has to go in fragments, what comes in fragments, ICMP. The raw link's sockets
 * also keep the kernel from answering "protocol unreachable". */
#ifndef HWS_API_LINK_LAYER2_LINUX_H
#define HWS_API_LINK_LAYER2_LINUX_H

#include "api/link/link.h"
#include "api/link/nexthop_linux.h"
#include "api/link/port_set.h"
#include "api/link/reassembly6.h"
#include "api/link/rxpool.h"
#include "proto/ip.h"

#define HWS_LAYER2_TRAINS 32u /* that may wait; 64 KB of address space each */

struct hws_layer2_train {
    struct hws_train train;
    uint8_t *buffer;
    uint32_t offset; /* bytes sent */
    bool fast;       /* goes to `hop`; else the slow way */
    struct hws_nexthop hop;
    struct hws_ip ip;
};

struct hws_link_layer2;
/** Makes the link's own filter let packets for `port` in, or no longer. 0, or a negative errno. */
typedef int (*hws_layer2_set_port)(struct hws_link_layer2 *l2, uint16_t port, bool on);

struct hws_link_layer2 {
    struct hws_link link;
    hws_layer2_set_port set_port;
    struct hws_link *raw;
    struct hws_nexthops *nexthops;
    struct hws_rxpool *pool;
    struct hws_reassembly6 *reassembly;
    struct hws_link_stats stats, all_stats; /* its own; with those of the raw link */
    struct hws_port_set ports;
    uint8_t protocol, ttl4, ttl6; /* ttl: where the engine names none */
    bool own_host;
    struct hws_shard shard;
    struct hws_layer2_train trains[HWS_LAYER2_TRAINS];
    struct hws_layer2_train *waiting[HWS_LAYER2_TRAINS]; /* a ring */
    uint32_t head, count;
    struct hws_layer2_train *free[HWS_LAYER2_TRAINS]; /* last in, first out */
    uint32_t free_count;
};

/** Opens the raw link and what else is common; `config->rest` as the link below needs it. 0, or a
 * negative errno with a sentence in `error`. Either way hws_link_layer2_finish follows one day. */
int hws_link_layer2_start(struct hws_link_layer2 *l2, const struct hws_link_ops *ops,
                          hws_layer2_set_port set_port, const struct hws_link_raw_config *config,
                          char error[HWS_LINK_ERROR_MAX]);
void hws_link_layer2_finish(struct hws_link_layer2 *l2);

/* ---- Sending: what the link's flush is made of ---- */

/** Train number `i` of those that wait, or NULL. */
struct hws_layer2_train *hws_link_layer2_waiting(struct hws_link_layer2 *l2, uint32_t i);
/** Bytes of the packet that begins at `offset`. */
uint32_t hws_layer2_packet_len(const struct hws_layer2_train *t, uint32_t offset);
/** The packet at the head has been sent. */
void hws_link_layer2_sent(struct hws_link_layer2 *l2);
/** Sends the train at the head the slow way, or what is left of it; false when the raw link takes
 * no more now. */
bool hws_link_layer2_send_slowly(struct hws_link_layer2 *l2);
/** The train at the head cannot go to its next hop: the slow way will tell what is wrong. */
void hws_link_layer2_refused(struct hws_link_layer2 *l2);

/** The end of flush, and its answer: sends what the raw link has. `sent` tells whether the link's
 * own descriptors, the first `fd_count`, took everything, `taken` whether the raw link did. Where
 * it did not, it is its descriptors that have to become writable. */
bool hws_link_layer2_flush_raw(struct hws_link_layer2 *l2, uint32_t fd_count, bool sent,
                               bool taken);

/* ---- Receiving ---- */

/** Makes a packet for the engine of one that came in through `interface` and lies in `buf`, whose
 * reference is taken. False when it is not for us, or a fragment, which is kept. */
bool hws_link_layer2_accept(struct hws_link_layer2 *l2, struct hws_buf *buf, uint32_t len,
                            uint32_t interface, struct hws_packet_in *packet);

/* ---- Operations of both links ---- */

bool hws_link_layer2_train(struct hws_link *link, struct hws_train *train);
void hws_link_layer2_submit(struct hws_link *link, const struct hws_train *train);
int hws_link_layer2_add_port(struct hws_link *link, uint16_t port);
void hws_link_layer2_remove_port(struct hws_link *link, uint16_t port);
bool hws_link_layer2_net_event(struct hws_link *link, struct hws_net_event *event);
int hws_link_layer2_route(struct hws_link *link, const struct hws_addr *remote,
                          struct hws_addr *local, uint32_t *mtu);
uint16_t hws_link_layer2_encapsulation_port(struct hws_link *link);

/** The counters of both: what the raw link received and sent is part of them. */
const struct hws_link_stats *hws_link_layer2_sum(struct hws_link_layer2 *l2);

#endif
