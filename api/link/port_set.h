/* A set of ports: membership in one look, and its contents as ranges. */
#ifndef HWS_API_PORT_SET_H
#define HWS_API_PORT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hws_port_set {
    uint64_t words[65536 / 64];
};

struct hws_port_range {
    uint16_t first, last;
};

static inline bool hws_port_set_has(const struct hws_port_set *set, uint16_t port)
{
    return (set->words[port / 64] >> (port % 64) & 1) != 0;
}

static inline void hws_port_set_add(struct hws_port_set *set, uint16_t port)
{
    set->words[port / 64] |= (uint64_t)1 << (port % 64);
}

static inline void hws_port_set_remove(struct hws_port_set *set, uint16_t port)
{
    set->words[port / 64] &= ~((uint64_t)1 << (port % 64));
}

/** Whether `max` ranges are enough to hold exactly the set. */
bool hws_port_set_fits(const struct hws_port_set *set, size_t max);

/** Writes the set as at most `max` (1 or more) ascending ranges and returns their number. A set
 * that needs more is widened: neighbours are joined across the narrowest gaps, so that the ranges
 * always hold the whole set. */
size_t hws_port_set_ranges(const struct hws_port_set *set, struct hws_port_range *ranges,
                           size_t max);

#endif
