/* Tags of associations that are over (RFC 9260, 5.3.1): not to be used again while packets of
 * theirs, or the State Cookie they were made from, may still come. A late COOKIE ECHO then revives
 * nothing, and a late SHUTDOWN ACK finds its answer although the port is gone. */
#ifndef HWS_STACK_TIMEWAIT_H
#define HWS_STACK_TIMEWAIT_H

#include "stack/core.h"

/** The association's tag is given up now. Without memory, or with HWS_LIMIT_TIME_WAIT tags waiting,
 * the oldest is forgotten first. */
void hws_timewait_add(const struct hws_assoc *a);

/** Whether the tag, with any ports, is still waiting. */
bool hws_timewait_has_tag(struct hws_engine *e, uint32_t vtag);

/** Whether it belonged to an association between these ports. */
bool hws_timewait_has(struct hws_engine *e, uint32_t vtag, uint16_t local_port,
                      uint16_t remote_port);

void hws_timewait_free_all(struct hws_engine *e);

#endif
