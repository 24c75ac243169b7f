/* Who gets a packet next: interface, link-layer address and MTU on the way to a destination, as
 * the kernel's routes and neighbours say. What was looked up is kept until the kernel tells that
 * something changed, and for a few seconds at most. Neighbours are resolved by the kernel alone:
 * where it does not know one yet, or wants to hear from it again, packets go the slow way, by a
 * raw socket, which makes it ask. */
#ifndef HWS_API_NEXTHOP_LINUX_H
#define HWS_API_NEXTHOP_LINUX_H

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/addr.h"

struct hws_nexthop {
    struct hws_addr source;  /* that packets get when the engine names none */
    struct sockaddr_ll link; /* interface, protocol and the neighbour's address */
    uint32_t mtu;            /* the largest IP packet */
};

struct hws_nexthops;

/** A new table for packets through `interface` (NULL: as routed). 0 or a negative errno. */
int hws_nexthops_new(const char *interface, struct hws_nexthops **out);
void hws_nexthops_free(struct hws_nexthops *table);

/** The next hop towards `remote` for packets from `source` (HWS_FAMILY_NONE: any). NULL: this
 * packet goes the slow way. Valid until the next call. */
const struct hws_nexthop *hws_nexthops_find(struct hws_nexthops *table,
                                            const struct hws_addr *remote,
                                            const struct hws_addr *source, uint64_t now_us);

/** Whether `addr` is this host's own now. */
bool hws_nexthops_is_local(struct hws_nexthops *table, const struct hws_addr *addr,
                           uint64_t now_us);

/** Looks everything up anew: a packet could not be sent. */
void hws_nexthops_forget(struct hws_nexthops *table);

#endif
