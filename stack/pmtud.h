/* Path MTU discovery in the engine (RFC 8899; RFC 9260, 7.3): sends the probes that pmtu.c asks
 * for, a HEARTBEAT with a PAD chunk behind it (RFC 8899, 6.2.1; RFC 4820), keeps their timer, and
 * sets the path's MTU. Probes count towards no congestion window, their loss is no error of the
 * path. With discovery off the path's MTU is what the interface, and ICMP, say. */
#ifndef HWS_STACK_PMTUD_H
#define HWS_STACK_PMTUD_H

#include "stack/core.h"

/** A new path: its MTU until more is known. */
void hws_pmtud_init(struct hws_path *p);

/** The peer has restarted: no probe of ours is on its way to it any more. */
void hws_pmtud_restart(struct hws_path *p);

/** The MTU of the interface or route that leads there (HWS_NET_MTU). */
void hws_pmtud_told(struct hws_path *p, uint32_t mtu);

/** The path's parameters changed: `pmtud`, or the MTU that the application sets. */
void hws_pmtud_configure(struct hws_path *p);

/** Whether the path's MTU has been discovered, or set. */
bool hws_pmtud_known(const struct hws_path *p);

/** The association's packets are full: a larger MTU is of use on any of its paths. Nothing is
 * probed before, so associations of small messages never probe. */
void hws_pmtud_wanted(struct hws_assoc *a);

/** T3-rtx expired: whether full packets are lost is to be found out (4.3). Called while what is
 * lost still counts as in flight. */
void hws_pmtud_data_lost(struct hws_path *p);

/** An ICMP message that is valid (RFC 9260, section 10) quotes a packet of ours. */
void hws_pmtud_too_big(struct hws_path *p, const struct hws_net_event *event);

/** This host could not send a packet of so many SCTP bytes there. */
void hws_pmtud_refused(struct hws_path *p, uint32_t packet_len);

/** A HEARTBEAT ACK came. False: it answers no probe in flight. */
bool hws_pmtud_heartbeat_ack_in(struct hws_assoc *a, const struct hws_tlv *ack);

/** PROBE_TIMER or PMTU_RAISE_TIMER expired. */
void hws_pmtud_timer_expired(struct hws_path *p);

/** Builds the probe the path wants; false when it cannot be sent now. */
bool hws_pmtud_build_probe(struct hws_path *p, struct hws_train *train);

/** Received PAD chunks mean nothing (RFC 4820, 3). */
void hws_pmtud_pad_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk);

#endif
