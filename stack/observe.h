/* What the engine's modules tell its observer (observer.h). Without one each of these is a branch
 * that is never taken; where one stands in the way of every packet or SACK, it is tested there, so
 * that no call is made. */
#ifndef HWS_STACK_OBSERVE_H
#define HWS_STACK_OBSERVE_H

#include "stack/core.h"

static inline bool hws_observed(const struct hws_engine *e)
{
    return __builtin_expect(e->observer.tell != NULL, 0);
}

/** Counts what is given up and tells why. `rx` NULL: it was no part of a packet received. */
#define HWS_DROP(e, rx, counter) ((e)->stats.counter++, hws_observe_drop((e), (rx), #counter))

void hws_observe_drop(struct hws_engine *e, const struct hws_rx *rx, const char *reason);

/** The association's state was `before`. */
void hws_observe_assoc(const struct hws_assoc *a, enum hws_assoc_state before);

/** The path was made. */
void hws_observe_new_path(const struct hws_path *p);
/** The path's state was `before`; told when it is another one now. */
void hws_observe_path(const struct hws_path *p, enum hws_path_state before);

/** What congestion control and round trips of a path, or of all of them, are now. */
void hws_observe_metrics(const struct hws_path *p);
void hws_observe_all_metrics(const struct hws_assoc *a);

/** The chunk of that TSN was marked to be sent again. */
void hws_observe_lost(const struct hws_assoc *a, uint32_t tsn, enum hws_lost_reason reason);
/** All that is in flight on the path from TSN `from` on, and on no other, is about to be. */
void hws_observe_flight_lost(const struct hws_path *p, uint32_t from, enum hws_lost_reason reason);
/** It was sent again, on the path that its outq entry names. */
void hws_observe_retransmitted(const struct hws_assoc *a, uint32_t tsn);

/** What waits in the stream, or in all of them, changed. */
void hws_observe_stream(const struct hws_assoc *a, uint16_t sid);
void hws_observe_all_streams(const struct hws_assoc *a);
/** All that waits is about to be dropped, or kept for the application. */
void hws_observe_streams_gone(const struct hws_assoc *a);
/** New DATA chunks, from TSN `first` on, were cut from what waits in their streams. */
void hws_observe_new_data(const struct hws_assoc *a, uint32_t first);

#endif
