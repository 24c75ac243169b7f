#include "api/link/rxclock.h"

/* The two clocks are read one after the other: by so much their distance may seem to change. */
#define READING_NS 100000

void hws_rxclock_init(struct hws_rxclock *clock, uint64_t realtime_ns, uint64_t monotonic_ns)
{
    *clock = (struct hws_rxclock){.distance_ns = (int64_t)(realtime_ns - monotonic_ns),
                                  .now_ns = monotonic_ns,
                                  .empty_ns = monotonic_ns};
}

bool hws_rxclock_jumps(const struct hws_rxclock *clock, uint64_t realtime_ns, uint64_t monotonic_ns)
{
    int64_t change_ns = (int64_t)(realtime_ns - monotonic_ns) - clock->distance_ns;
    return change_ns > READING_NS || change_ns < -READING_NS;
}

void hws_rxclock_received(struct hws_rxclock *clock, uint64_t realtime_ns, uint64_t monotonic_ns)
{
    clock->set |= hws_rxclock_jumps(clock, realtime_ns, monotonic_ns);
    clock->distance_ns = (int64_t)(realtime_ns - monotonic_ns);
    clock->now_ns = monotonic_ns;
}

uint64_t hws_rxclock_us(const struct hws_rxclock *clock, uint64_t stamp_ns)
{
    int64_t at_ns = (int64_t)(stamp_ns - (uint64_t)clock->distance_ns);
    if (clock->set)
        return 0;
    if (at_ns < (int64_t)clock->empty_ns)
        at_ns = (int64_t)clock->empty_ns;
    if (at_ns > (int64_t)clock->now_ns)
        at_ns = (int64_t)clock->now_ns;
    return (uint64_t)at_ns / 1000u;
}

void hws_rxclock_emptied(struct hws_rxclock *clock)
{
    clock->set = false;
    clock->empty_ns = clock->now_ns;
}
