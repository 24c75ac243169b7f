/* Congestion control: the interface is that of extensions (extend.h); here is what is built in.
 * Integers only. */
#ifndef HWS_STACK_CC_H
#define HWS_STACK_CC_H

#include "stack/extend.h"

/** RFC 9260, section 7, as written; the default. */
extern const struct hws_cc_ops hws_cc_rfc9260;

#endif
