/* What the routing table says about the way to an address, looked up now. */
#ifndef HWS_API_ROUTE_LINUX_H
#define HWS_API_ROUTE_LINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/addr.h"

/** A way to an address. */
struct hws_route {
    struct hws_addr source;   /* that the host would send from */
    struct hws_addr next_hop; /* the gateway, or the address itself where it is on the link */
    uint32_t interface;       /* index */
    uint32_t mtu;             /* IP MTU of the interface, or of the route where it has one */
    bool local;               /* the address is this host's own */
};

/** The way to `remote` for packets from `source` (NULL or HWS_FAMILY_NONE: any) through
 * `interface` (its index; 0: as routed). 0 or a negative errno (-ENETUNREACH, ...). */
int hws_route_find(const struct hws_addr *remote, const struct hws_addr *source, uint32_t interface,
                   struct hws_route *route);

/** Asks the kernel one question of rtnetlink: bytes of the answer, or a negative errno. */
int hws_route_ask(const void *request, size_t request_len, void *answer, size_t size);

/** A socket for hws_route_is_local, or a negative errno. */
int hws_route_open(void);

/** Whether `addr` is this host's own, asked by `netlink`, which takes no descriptor more: 1 or 0,
 * or a negative errno when the kernel does not tell. */
int hws_route_is_local(int netlink, const struct hws_addr *addr);

/** The source address towards `remote` and the IP MTU of the interface there, or of the route where
 * the administrator set one. `interface`: go through the one of this index; 0: as routed. `local`
 * and `mtu` may be NULL. 0 or a negative errno (-ENETUNREACH, ...). */
int hws_route_lookup(const struct hws_addr *remote, uint32_t interface, struct hws_addr *local,
                     uint32_t *mtu);

#endif
