/* The side that begins an association (RFC 9260, 5.1): INIT -> INIT ACK -> COOKIE ECHO -> COOKIE
 * ACK. The other side is listener.h. */
#ifndef HWS_STACK_HANDSHAKE_H
#define HWS_STACK_HANDSHAKE_H

#include "stack/core.h"

void hws_handshake_init_ack(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk);
void hws_handshake_cookie_ack(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk);

/** The peer found our cookie stale (5.2.6): begins anew. */
void hws_handshake_stale_cookie(struct hws_assoc *a);

void hws_handshake_t1_expired(struct hws_assoc *a);

#endif
