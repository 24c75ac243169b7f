#include "api/runtime/turns.h"

#define PERIOD_US 1000u
/* After such a silence nothing is known. */
#define SILENCE_US 10000u
/* Half a gigabit in a second: 40 packets a millisecond, or more than any exchange of short
 * messages. */
#define MUCH_BYTES_PER_MS 62500u
#define HUGE_PACKET_BYTES 16384u

void hws_turns_learn(struct hws_turns *turns, uint64_t received_bytes, uint64_t received_packets,
                     uint64_t now_us)
{
    uint64_t elapsed_us = now_us - turns->since_us;
    if (elapsed_us < PERIOD_US)
        return;
    uint64_t bytes = received_bytes - turns->seen_bytes;
    uint64_t packets = received_packets - turns->seen_packets;
    turns->pauses_pay = elapsed_us < SILENCE_US &&
                        bytes * 1000 >= (uint64_t)MUCH_BYTES_PER_MS * elapsed_us &&
                        bytes < HUGE_PACKET_BYTES * packets;
    turns->since_us = now_us;
    turns->seen_bytes = received_bytes;
    turns->seen_packets = received_packets;
}
