/* A received packet's way in: checks, the association it belongs to, its chunks' handlers. */
#ifndef HWS_STACK_INPUT_H
#define HWS_STACK_INPUT_H

#include "stack/core.h"

void hws_input_packet(struct hws_engine *e, const struct hws_packet_in *packet);

/** The time from `sent_us` to the reception of the packet whose chunks are being handled: as the
 * link says, or until now where it does not know, or says what cannot be. */
uint64_t hws_input_round_trip_us(const struct hws_engine *e, uint64_t sent_us);

#endif
