/* Endpoints: a local port with the addresses it may be reached at. */
#ifndef HWS_STACK_ENDPOINT_H
#define HWS_STACK_ENDPOINT_H

#include "stack/core.h"

/** The endpoint that owns `port` at address `local`; NULL when there is none. */
struct hws_endpoint *hws_endpoint_find(const struct hws_engine *e, uint16_t port,
                                       const struct hws_addr *local);

/** The listening endpoint to which an INIT from that peer goes; NULL when there is none. Of several
 * that share port and address the same one is chosen for a peer as long as they all listen. */
struct hws_endpoint *hws_endpoint_listener(const struct hws_engine *e, uint16_t port,
                                           const struct hws_addr *local,
                                           const struct hws_addr *remote, uint16_t remote_port);

/** Our addresses in an association with the peer at `remote`, whose INIT came to `local` (NULL: we
 * begin). */
void hws_endpoint_locals(const struct hws_endpoint *ep, const struct hws_addr *remote,
                         const struct hws_addr *local, struct hws_locals *out);

/** The same to keep: a reference, NULL when there is no memory. */
struct hws_locals *hws_endpoint_share_locals(const struct hws_endpoint *ep,
                                             const struct hws_addr *remote,
                                             const struct hws_addr *local);

/** Frees a released endpoint that no association uses any more. */
void hws_endpoint_reap(struct hws_endpoint *ep);

/** Frees it at once. */
void hws_endpoint_free(struct hws_endpoint *ep);

#endif
