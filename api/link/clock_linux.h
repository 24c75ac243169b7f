/* The system's clocks as numbers. */
#ifndef HWS_API_CLOCK_LINUX_H
#define HWS_API_CLOCK_LINUX_H

#include <stdint.h>
#include <time.h>

#define HWS_NS_PER_S 1000000000u

static inline uint64_t hws_clock_to_ns(struct timespec time)
{
    return (uint64_t)time.tv_sec * HWS_NS_PER_S + (uint64_t)time.tv_nsec;
}

static inline uint64_t hws_clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return hws_clock_to_ns(now);
}

/** The monotonic clock for what needs no more than milliseconds: reading it costs no more than a
 * load. */
static inline uint64_t hws_clock_coarse_us(void)
{
    return hws_clock_ns(CLOCK_MONOTONIC_COARSE) / 1000u;
}

#endif
