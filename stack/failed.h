/* Messages that were accepted and will not arrive (RFC 9260, 11.2.2; RFC 6458, 6.1.11). */
#ifndef HWS_STACK_FAILED_H
#define HWS_STACK_FAILED_H

#include "stack/core.h"

/** Of everything not acknowledged nothing will arrive, for `reason`: kept when the application
 * wants that, and told. The queues still hold what was sent. */
void hws_failed_all(struct hws_assoc *a, int reason);

/** The same for messages to streams that the peer does not take (5.1.1). */
void hws_failed_streams(struct hws_assoc *a);

/** Nobody will ask for them any more. */
void hws_failed_forget(struct hws_assoc *a);

#endif
