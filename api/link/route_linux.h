/* What the routing table says about the way to an address, looked up now. */
#ifndef HWS_API_ROUTE_LINUX_H
#define HWS_API_ROUTE_LINUX_H

#include <stdint.h>

#include "proto/addr.h"

/** The source address towards `remote` and the IP MTU of the interface there, or of the route where
 * the administrator set one. `interface`: go through this one; NULL: as routed. `local` and `mtu`
 * may be NULL. 0 or a negative errno (-ENETUNREACH, ...). */
int hws_route_lookup(const struct hws_addr *remote, const char *interface, struct hws_addr *local,
                     uint32_t *mtu);

#endif
