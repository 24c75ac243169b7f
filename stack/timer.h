/* Timers (RFC 9260): what each one is for, when it starts and what its end does.
 *
 * Per association
 *
 * T1: INIT or COOKIE ECHO was sent, until INIT ACK or COOKIE ACK. Expiry sends again, after twice
 * the time, Max.Init.Retransmits times (5.1).
 *
 * T2: SHUTDOWN or SHUTDOWN ACK was sent, until SHUTDOWN ACK or SHUTDOWN COMPLETE. Expiry sends
 * again and counts an error (9.2).
 *
 * T5: the graceful end began, until the association is over. Expiry aborts: 5 * RTO.Max (9.2).
 *
 * SACK: data came that is not acknowledged yet. Expiry sends the SACK (6.2).
 *
 * AUTOCLOSE: the association is established, until it is not. Expiry begins the graceful end when
 * no DATA came or went for autoclose_us.
 *
 * Per path
 *
 * T3: data is in flight. Expiry sends it again and counts an error (6.3.3).
 *
 * PROBE: the last data in flight has not been acknowledged for two round trips: it or its SACK may
 * be lost. Expiry sends its last chunk again, once, so that a SACK comes and T3's long wait is
 * spared (tail loss probe, RFC 8985, 7).
 *
 * HEARTBEAT: the next HEARTBEAT is due, or the last one's ACK is overdue (8.3).
 *
 * PMTU: a probe of the path MTU has no answer, or it is time to look for a larger one (RFC 8899,
 * 5.1.1).
 *
 * A path whose congestion controller paces has one more (pacing.h).
 *
 * A timer is only a deadline in an array. The association stands in the engine's heap under a time
 * that is never later than its earliest deadline; setting a deadline later does not touch the heap,
 * so restarting T3 with every SACK costs a store. */
#ifndef HWS_STACK_TIMER_H
#define HWS_STACK_TIMER_H

#include "stack/core.h"

void hws_timer_start(struct hws_assoc *a, enum hws_timer timer, uint64_t delay_us);
void hws_timer_stop(struct hws_assoc *a, enum hws_timer timer);
bool hws_timer_running(const struct hws_assoc *a, enum hws_timer timer);

void hws_path_timer_start(struct hws_path *p, enum hws_path_timer timer, uint64_t delay_us);
void hws_path_timer_stop(struct hws_path *p, enum hws_path_timer timer);
bool hws_path_timer_running(const struct hws_path *p, enum hws_path_timer timer);

/** A deadline of the association that stands elsewhere (pacing.h). */
void hws_timer_start_at(struct hws_assoc *a, uint64_t *deadline, uint64_t delay_us);

/** Stops every timer of the association and its paths. */
void hws_timer_stop_all(struct hws_assoc *a);

/** Runs what is due of this association and puts it back into the heap under its next deadline. */
void hws_timer_run(struct hws_assoc *a);

#endif
