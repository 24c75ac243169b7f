/* Autoclose (RFC 6458, 8.1.8): an association that carries no DATA for long is shut down. */
#ifndef HWS_STACK_AUTOCLOSE_H
#define HWS_STACK_AUTOCLOSE_H

#include "stack/core.h"

/** Established, or the parameter changed: the timer runs from now on, or not at all. */
void hws_autoclose_start(struct hws_assoc *a);

void hws_autoclose_timer_expired(struct hws_assoc *a);

#endif
