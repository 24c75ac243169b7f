/* The SACKs we send (RFC 9260, 6.2): when, and with what window. */
#ifndef HWS_STACK_SACK_H
#define HWS_STACK_SACK_H

#include "stack/core.h"

/** The batch is over: a SACK now, or with the delay, or none is due. */
void hws_sack_settle(struct hws_assoc *a);

/** The application has read: a window update when the peer's view has fallen far behind. */
void hws_sack_window_update(struct hws_assoc *a);

bool hws_sack_fill(struct hws_path *p, struct hws_builder *b);

void hws_sack_timer_expired(struct hws_assoc *a);

#endif
