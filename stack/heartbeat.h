/* HEARTBEAT and HEARTBEAT ACK (RFC 9260, 8.3) and path verification with them (5.4). */
#ifndef HWS_STACK_HEARTBEAT_H
#define HWS_STACK_HEARTBEAT_H

#include "stack/core.h"

/** The association is up: schedules the first HEARTBEAT, at once for an unconfirmed address. */
void hws_heartbeat_start(struct hws_path *p);
/** Data went unanswered there: the path is probed soon (RFC 7829). */
void hws_heartbeat_path_failed(struct hws_path *p);
/** Its parameters changed. */
void hws_heartbeat_reschedule(struct hws_path *p);
/** One HEARTBEAT now (11.1.9). False: not in this state. */
bool hws_heartbeat_request(struct hws_path *p);
void hws_heartbeat_timer_expired(struct hws_path *p);

void hws_heartbeat_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk);
void hws_heartbeat_ack_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk);

bool hws_heartbeat_fill(struct hws_path *p, struct hws_builder *b);
bool hws_heartbeat_fill_ack(struct hws_path *p, struct hws_builder *b);

/** The HEARTBEAT ACKs that wait to be sent there are not sent. */
void hws_heartbeat_forget_echoes(struct hws_path *p);

#endif
