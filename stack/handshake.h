/* The side that begins an association (RFC 9260, 5.1): INIT -> INIT ACK -> COOKIE ECHO -> COOKIE
 * ACK. The other side is listener.h. */
#ifndef HWS_STACK_HANDSHAKE_H
#define HWS_STACK_HANDSHAKE_H

#include "stack/core.h"

void hws_handshake_init_ack(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk);
void hws_handshake_cookie_ack(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk);

/** A multi-homed peer may send its INIT ACK from an address we do not know yet (5.1.2): the path to
 * one of the addresses that it lists and that we do know, NULL when there is none. */
struct hws_path *hws_handshake_listed_path(struct hws_assoc *a, const struct hws_addr *source,
                                           const struct hws_tlv *chunk);

/** The peer found our cookie stale (5.2.6): begins anew. */
void hws_handshake_stale_cookie(struct hws_assoc *a);

void hws_handshake_t1_expired(struct hws_assoc *a);

#endif
