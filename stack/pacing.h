/* Pacing: a congestion controller may name the rate at which DATA leaves a path. A bucket of bytes
 * per path, kept as the time at which it will be full again; a path that has to wait has a
 * deadline, like a timer (timer.h). Without such a controller there is none of this. */
#ifndef HWS_STACK_PACING_H
#define HWS_STACK_PACING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hws_path;
struct hws_cc_ops;

/* Stands behind the controller's state, when the controller paces. */
struct hws_pacer {
    uint64_t due_ns;      /* what was sent has taken until then, at that rate */
    uint64_t deadline_us; /* data waits for that time; HWS_NEVER: none does */
};

/** Bytes that a path needs for the state of this controller, its pacer included. */
size_t hws_pacing_state_bytes(const struct hws_cc_ops *cc);

/** Starts, or starts anew. */
void hws_pacing_start(struct hws_path *p);

/** Whether DATA may leave now as far as the rate goes. */
bool hws_pacing_open(const struct hws_path *p);

/** The same, and when not, the path is looked at again when it may. */
bool hws_pacing_allows(struct hws_path *p);

/** DATA chunks of `bytes`, headers counted, are on their way. */
void hws_pacing_sent(struct hws_path *p, uint32_t bytes);

/** When it is to be looked at again, HWS_NEVER: not. */
uint64_t hws_pacing_deadline_us(const struct hws_path *p);
/** That time may have come. */
void hws_pacing_expire(struct hws_path *p);
/** It is looked at no more. */
void hws_pacing_stop(struct hws_path *p);

#endif
