/* DATA chunks received (RFC 9260, 6.2, 6.5, 6.6): checked, marked, handed to reassembly. */
#ifndef HWS_STACK_RECEIVE_H
#define HWS_STACK_RECEIVE_H

#include "stack/core.h"

void hws_receive_data(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk);

/** The batch is over: partial delivery when the buffer fills up with one message, then the SACK. */
void hws_receive_settle(struct hws_assoc *a);

/** Takes a DATA chunk that an extension has repaired, as if it had come. An enum hws_ext_result. */
int hws_receive_repaired(struct hws_assoc *a, const struct hws_tlv *chunk);

#endif
