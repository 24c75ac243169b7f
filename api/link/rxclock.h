/* The kernel's receive timestamps (SO_TIMESTAMPNS), which are of CLOCK_REALTIME, in the runtime's
 * clock, CLOCK_MONOTONIC.
 *
 * Both clocks run alike, so that the distance between them changes only when the realtime clock is
 * set. What the kernel stamped before that cannot be told from what it stamped afterwards until the
 * socket was empty once: till then no time is known. */
#ifndef HWS_API_RXCLOCK_H
#define HWS_API_RXCLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct hws_rxclock {
    int64_t distance_ns; /* realtime less monotonic */
    uint64_t now_ns;     /* monotonic, of the last call that received */
    uint64_t empty_ns;   /* the socket was empty then: what comes from it came later */
    bool set;            /* the realtime clock was set since */
};

/** Both clocks as they are before anything is received. */
void hws_rxclock_init(struct hws_rxclock *clock, uint64_t realtime_ns, uint64_t monotonic_ns);

/** Whether by these readings the realtime clock was set since the ones before. */
bool hws_rxclock_jumps(const struct hws_rxclock *clock, uint64_t realtime_ns,
                       uint64_t monotonic_ns);

/** A batch has been received; both clocks as they are now. */
void hws_rxclock_received(struct hws_rxclock *clock, uint64_t realtime_ns, uint64_t monotonic_ns);

/** When a packet of the batch was received: microseconds of CLOCK_MONOTONIC, not before the socket
 * was empty last, and not after now; 0: not known. */
uint64_t hws_rxclock_us(const struct hws_rxclock *clock, uint64_t stamp_ns);

/** The batch was all there was, and its packets' times have been asked for. */
void hws_rxclock_emptied(struct hws_rxclock *clock);

#endif
