/* ABORT and ERROR chunks, sent and received, and their causes (RFC 9260, 3.3.7, 3.3.10, 9.1). */
#ifndef HWS_STACK_FAULT_H
#define HWS_STACK_FAULT_H

#include "stack/core.h"

/** Ends the association with an ABORT that carries one cause (0: none). */
void hws_fault_abort(struct hws_assoc *a, int reason, uint16_t cause, const void *value,
                     uint32_t value_len);

/** Notes a cause for the next ERROR chunk on that path. A value too long is left out. */
void hws_fault_report(struct hws_path *p, uint16_t cause, const void *value, uint32_t value_len);

/** Adds the ERROR chunk with what was noted. */
bool hws_fault_fill_error(struct hws_path *p, struct hws_builder *b);

/** The tag rule of ABORT and SHUTDOWN COMPLETE: ours, or with the T bit the peer's, reflected
 * (8.5.1 B, C). Counts a violation. */
bool hws_fault_tag_ok(const struct hws_assoc *a, const struct hws_rx *rx,
                      const struct hws_tlv *chunk);

void hws_fault_abort_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk);
void hws_fault_error_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk);

/** What the peer's ERROR said, one cause for each event REMOTE_ERROR, and what its ABORT said. */
void hws_fault_describe_error(struct hws_assoc *a, struct hws_event *out);
void hws_fault_describe_down(const struct hws_assoc *a, struct hws_event *out);

/** What waits to be reported is not sent any more. */
void hws_fault_forget_reports(struct hws_assoc *a);
/** The same when nothing is sent any more. */
void hws_fault_drop_reports(struct hws_assoc *a);
/** The network cannot reach that address of the peer (ICMP9, or a local send that failed). */
void hws_fault_unreachable(struct hws_path *p);
/** ICMP said that the peer's host does not speak SCTP, about a packet of ours. While setting up
 * that is the end; later it may only mean that a raw socket over there was full for a moment, so it
 * is remembered until the next timer expires. Of an address that nobody has confirmed it says only
 * that it cannot be reached: it may not be the peer's (5.4). */
void hws_fault_protocol_unreachable(struct hws_path *p);

/** Whether ICMP said so and nothing was heard of the peer since. */
bool hws_fault_peer_gone(const struct hws_assoc *a);

#endif
