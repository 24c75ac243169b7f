/* Routes looked up lately, since the kernel takes a dozen system calls to tell one: a client that
 * sets up many associations asks for the same one again and again. Any change of an interface, an
 * address or a route of this host empties it, after a millisecond at most. */
#ifndef HWS_API_ROUTE_CACHE_LINUX_H
#define HWS_API_ROUTE_CACHE_LINUX_H

#include <stdint.h>

#include "proto/addr.h"

#define HWS_ROUTE_CACHE_ENTRIES 16u

struct hws_route_cache_entry {
    struct hws_addr remote; /* HWS_FAMILY_NONE: empty */
    struct hws_addr local;
    uint32_t mtu;
    uint64_t until_us;
};

struct hws_route_cache {
    int watch; /* descriptor + 1 of what tells of changes, 0: not open */
    uint32_t next;
    uint64_t unchanged_until_us; /* nobody is asked before */
    struct hws_route_cache_entry entries[HWS_ROUTE_CACHE_ENTRIES];
};

/** As hws_route_lookup; always with the same `interface`. The cache begins with zeros. */
int hws_route_cache_lookup(struct hws_route_cache *cache, const struct hws_addr *remote,
                           uint32_t interface, struct hws_addr *local, uint32_t *mtu);

/** What the network said makes it likely that something has changed: the next lookup asks. */
void hws_route_cache_doubt(struct hws_route_cache *cache);

/** Closes what it has open; it can be used again. */
void hws_route_cache_fini(struct hws_route_cache *cache);

#endif
