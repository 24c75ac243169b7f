/* Endpoints: a local port with the addresses it may be reached at. */
#ifndef HWS_STACK_ENDPOINT_H
#define HWS_STACK_ENDPOINT_H

#include "stack/core.h"

/** The endpoint that owns `port` at address `local`; NULL when there is none. */
struct hws_endpoint *hws_endpoint_find(const struct hws_engine *e, uint16_t port,
                                       const struct hws_addr *local);

/** Whether the endpoint may be reached at that address; any address when it is not bound to some,
 * or when the packet's destination is not known. */
bool hws_endpoint_has_local(const struct hws_endpoint *ep, const struct hws_addr *local);

/** The source address to use towards `remote` until the network says better: of its family, that
 * the endpoint is bound to, and most like it (so each of several links has its own), or NULL to let
 * the network choose. */
const struct hws_addr *hws_endpoint_source(const struct hws_endpoint *ep,
                                           const struct hws_addr *remote);

/** Frees a released endpoint that no association uses any more. */
void hws_endpoint_reap(struct hws_endpoint *ep);

/** Frees it at once. */
void hws_endpoint_free(struct hws_endpoint *ep);

#endif
