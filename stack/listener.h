/* The side that answers (RFC 9260, 5.1, 5.2): INIT gets an INIT ACK and is forgotten, a COOKIE ECHO
 * makes the association, or meets one that exists: collision, duplicate, restart (table 12). */
#ifndef HWS_STACK_LISTENER_H
#define HWS_STACK_LISTENER_H

#include "stack/core.h"

/** A packet that is a single INIT with tag 0. */
void hws_listener_init(struct hws_engine *e, struct hws_rx *rx, const struct hws_tlv *chunk);

/** A packet that begins with COOKIE ECHO. The association that the rest of the packet belongs to,
 * or NULL when the rest is to be dropped. */
struct hws_assoc *hws_listener_cookie_echo(struct hws_engine *e, struct hws_rx *rx,
                                           const struct hws_tlv *chunk);

#endif
