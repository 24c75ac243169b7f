/* Packets out of the blue: correct ones that belong to no association (RFC 9260, 8.4). */
#ifndef HWS_STACK_OOTB_H
#define HWS_STACK_OOTB_H

#include "stack/core.h"

/** An INIT to a port where nobody listens. */
void hws_ootb_init(struct hws_engine *e, const struct hws_rx *rx, uint32_t initiate_tag);

/** Any other packet. */
void hws_ootb_packet(struct hws_engine *e, const struct hws_rx *rx);

/** Whether an ABORT is in the packet, which then must not be answered (rule 2). */
bool hws_ootb_has_abort(const struct hws_rx *rx);
/** Whether rule 5 is the one that applies. */
bool hws_ootb_has_shutdown_ack(const struct hws_rx *rx);

/** A SHUTDOWN ACK that no association expects: SHUTDOWN COMPLETE with the T bit (8.4 rule 5, 8.5.1
 * E). */
void hws_ootb_shutdown_ack(struct hws_engine *e, const struct hws_rx *rx);

#endif
