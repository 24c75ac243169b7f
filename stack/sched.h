/* Stream schedulers: which stream's next message is sent. The interface is that of extensions
 * (extend.h); here is what is built in. */
#ifndef HWS_STACK_SCHED_H
#define HWS_STACK_SCHED_H

#include "stack/extend.h"

extern const struct hws_sched_ops hws_sched_fcfs; /* first come, first served (RFC 8260, 3.1) */
extern const struct hws_sched_ops hws_sched_rr;   /* round robin over streams (RFC 8260, 3.2) */

#endif
