/* IPv6 packets put together of their fragments (RFC 8200, 4.5), for links that see the fragments.
 * IPv4's are left to the kernel: its filters can tell a packet that was in fragments, IPv6's lose
 * every trace of it. */
#ifndef HWS_API_REASSEMBLY6_H
#define HWS_API_REASSEMBLY6_H

#include "api/link/rxpool.h"
#include "proto/ip.h"

struct hws_reassembly6;

/** A new one that takes its buffers from `pool`, or NULL when there is no memory. */
struct hws_reassembly6 *hws_reassembly6_new(struct hws_rxpool *pool);
void hws_reassembly6_free(struct hws_reassembly6 *r);

/** Takes a packet whose protocol is HWS_IPV6_FRAGMENT. When it was the last that was missing of
 * one of `protocol`, the buffer with what was put together, one reference of which is the
 * caller's, and its length in `len`; else NULL. */
struct hws_buf *hws_reassembly6_add(struct hws_reassembly6 *r, const struct hws_ip_packet *fragment,
                                    uint8_t protocol, uint64_t now_us, uint32_t *len);

#endif
