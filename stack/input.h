/* A received packet's way in: checks, the association it belongs to, its chunks' handlers. */
#ifndef HWS_STACK_INPUT_H
#define HWS_STACK_INPUT_H

#include "stack/core.h"

void hws_input_packet(struct hws_engine *e, const struct hws_packet_in *packet);

#endif
