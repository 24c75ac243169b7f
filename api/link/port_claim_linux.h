/* Who owns a port among the processes of a network namespace: whoever holds the abstract AF_UNIX
 * name made of the protocol and the port. Raw sockets know no ports, so nothing in the kernel
 * keeps two stacks from taking the same one; abstract names belong to the network namespace and
 * vanish with their process. Any user of the host may hold a name: this settles accidents, it is
 * no protection from a local attacker. */
#ifndef HWS_API_PORT_CLAIM_LINUX_H
#define HWS_API_PORT_CLAIM_LINUX_H

#include <stdint.h>

#include "proto/shard.h"

/** Claims `port` of IP protocol `protocol`. A descriptor that holds the claim until it is closed,
 * or a negative errno: -EADDRINUSE when somebody else has it. */
int hws_port_claim(uint8_t protocol, uint16_t port);

/** The same for a runtime that may be one of several shards: they own the port together. 0 or a
 * negative errno. */
int hws_port_take(uint8_t protocol, uint16_t port, const struct hws_shard *shard, int *claim);

/** Gives back what hws_port_take took. */
void hws_port_give(uint8_t protocol, uint16_t port, const struct hws_shard *shard, int claim);

/** Whether the calling thread may use `port`: 0, or -EACCES below
 * net.ipv4.ip_unprivileged_port_start without CAP_NET_BIND_SERVICE. */
int hws_port_check(uint16_t port);

#endif
