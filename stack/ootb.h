/* Packets out of the blue: correct ones that belong to no association (RFC 9260, 8.4). */
#ifndef HWS_STACK_OOTB_H
#define HWS_STACK_OOTB_H

#include "stack/core.h"

/** An INIT to a port where nobody listens. */
void hws_ootb_init(struct hws_engine *e, const struct hws_rx *rx, uint32_t initiate_tag);

/** Any other packet; `first` is the type of its first chunk. */
void hws_ootb_packet(struct hws_engine *e, const struct hws_rx *rx, uint8_t first);

/** A SHUTDOWN ACK that no association expects: SHUTDOWN COMPLETE with the T bit (8.4 rule 5, 8.5.1
 * E). */
void hws_ootb_shutdown_ack(struct hws_engine *e, const struct hws_rx *rx);

#endif
