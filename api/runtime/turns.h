/* Whether a sleeper lets more come before it looks again. Who takes bulk data faster than it is
 * sent is woken by every few packets, and the sender pays for that: a process on the same host
 * wakes it, several microseconds each time. So while much is received, a sleeper that finds nothing
 * pauses where no packet wakes it, and looks then. A packet of tens of kilobytes is worth being
 * woken for. */
#ifndef HWS_API_TURNS_H
#define HWS_API_TURNS_H

#include <stdbool.h>
#include <stdint.h>

/** A pause, which the system's timers make some 50 us longer. */
#define HWS_TURNS_PAUSE_US 20u

struct hws_turns {
    uint64_t since_us;                 /* the period's begin */
    uint64_t seen_bytes, seen_packets; /* received before it */
    bool pauses_pay;                   /* after what was received in the last period */
};

/** What has been received until `now_us`, all in all; in any intervals. */
void hws_turns_learn(struct hws_turns *turns, uint64_t received_bytes, uint64_t received_packets,
                     uint64_t now_us);

#endif
