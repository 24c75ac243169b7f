/* The graceful end (RFC 9260, 9.2): SHUTDOWN -> SHUTDOWN ACK -> SHUTDOWN COMPLETE. */
#ifndef HWS_STACK_SHUTDOWN_H
#define HWS_STACK_SHUTDOWN_H

#include "stack/core.h"

/** The application asked for it in ESTABLISHED: SHUTDOWN-PENDING. */
void hws_shutdown_begin(struct hws_assoc *a);

/** Starts T5, after which the association is aborted, unless it runs. */
void hws_shutdown_guard(struct hws_assoc *a);

/** Goes on to SHUTDOWN or SHUTDOWN ACK when everything queued has been acknowledged. */
void hws_shutdown_progress(struct hws_assoc *a);

/** DATA came while SHUTDOWN-SENT: SHUTDOWN goes with the SACK, T2 starts anew. */
void hws_shutdown_data_came(struct hws_path *p);

/** A packet of the peer came: in SHUTDOWN-SENT it is alive and sending, T2 starts anew (9.2). */
void hws_shutdown_heard(struct hws_path *p);

void hws_shutdown_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk);
void hws_shutdown_ack_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk);
void hws_shutdown_complete_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk);

void hws_shutdown_t2_expired(struct hws_assoc *a);
void hws_shutdown_t5_expired(struct hws_assoc *a);

#endif
