/* What the peer has acknowledged, what is lost, and what is sent again (RFC
 * 9260, 6.2.1, 6.3, 7.2.4). */
#ifndef HWS_STACK_RETRANSMIT_H
#define HWS_STACK_RETRANSMIT_H

#include "stack/core.h"

void hws_retransmit_sack_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk);

/** The cumulative TSN that a SHUTDOWN carries (9.2). */
void hws_retransmit_cum(struct hws_assoc *a, uint32_t cum_tsn);

/** Tells the application that there is room again, or that all is acknowledged, and lets a shutdown
 * that waits for that go on. */
void hws_retransmit_tell_progress(struct hws_assoc *a);

/** Data is in flight on the path, anew: the tail loss probe is due when nothing is heard of it. */
void hws_retransmit_arm_probe(struct hws_path *p);

void hws_retransmit_probe_expired(struct hws_path *p);
/** Packets cannot leave towards it, or a router said that they do not arrive: what is in flight
 * there takes another path at once, if there is one; errors are left to HEARTBEATs to count. */
void hws_retransmit_path_cut(struct hws_path *p);
void hws_retransmit_t3_expired(struct hws_path *p);

#endif
