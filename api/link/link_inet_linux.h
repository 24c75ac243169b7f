/* What the raw and the UDP link have in common: a socket for each address family, buffers to
 * receive into, a queue to send from, errors, counters. */
#ifndef HWS_API_LINK_INET_LINUX_H
#define HWS_API_LINK_INET_LINUX_H

#include <net/if.h>

#include "api/link/errqueue_linux.h"
#include "api/link/link.h"
#include "api/link/route_cache_linux.h"
#include "api/link/rxbatch_linux.h"
#include "api/link/txqueue_linux.h"

struct hws_inet_socket {
    int fd; /* -1: the family is not open */
    enum hws_family family;
    struct hws_rxbatch *batch;
};

#define HWS_INET_SOCKETS 2u

struct hws_link_inet {
    struct hws_link link;
    bool udp;
    char interface[IF_NAMESIZE];                      /* to bind to; empty: none */
    uint32_t interface_index;                         /* its name may change; 0: none */
    struct hws_inet_socket sockets[HWS_INET_SOCKETS]; /* IPv4, IPv6 */
    uint32_t turn;                                    /* the socket that receives first next time */
    struct hws_rxpool *pool;
    struct hws_txqueue *txqueue;
    struct hws_route_cache routes;
    struct hws_link_stats stats;
    uint8_t quote[HWS_ERRQUEUE_QUOTE_MAX];
};

/** Before anything else: no socket is open. Sockets will be bound to `interface` unless it is NULL.
 */
void hws_link_inet_init(struct hws_link_inet *inet, const struct hws_link_ops *ops, bool udp,
                        const char *interface);

/** Opens the socket of one family with the options that every link needs (a
 * protocol of 0 means UDP). 0 or a negative errno. */
int hws_link_inet_open_socket(struct hws_link_inet *inet, enum hws_family family, int protocol);

/** Once the sockets are open: what receives and sends on them, packets of IP protocol
 * `protocol`. 0 or -ENOMEM. */
int hws_link_inet_start(struct hws_link_inet *inet, uint8_t protocol);

/** Closes the sockets, so that they can be opened anew. */
void hws_link_inet_close_sockets(struct hws_link_inet *inet);

/** Closes and frees what init, open_socket and start made, but not `inet` itself. */
void hws_link_inet_finish(struct hws_link_inet *inet);

/** Whether the owner has seen that there is nothing to receive from the socket, which is open. */
bool hws_link_inet_is_quiet(const struct hws_link_inet *inet, const struct hws_inet_socket *sock);

/* Operations of both links. */
bool hws_link_inet_net_event(struct hws_link *link, struct hws_net_event *event);
bool hws_link_inet_train(struct hws_link *link, struct hws_train *train);
void hws_link_inet_submit(struct hws_link *link, const struct hws_train *train);
bool hws_link_inet_flush(struct hws_link *link);
size_t hws_link_inet_fds(struct hws_link *link, int fds[HWS_LINK_MAX_FDS]);
int hws_link_inet_route(struct hws_link *link, const struct hws_addr *remote,
                        struct hws_addr *local, uint32_t *mtu);
const struct hws_link_stats *hws_link_inet_stats(struct hws_link *link);

#endif
