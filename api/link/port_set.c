#include "api/link/port_set.h"

#define PORTS 65536u

/* The next port of the set at or after `from`; PORTS when there is none. */
static uint32_t next_port(const struct hws_port_set *set, uint32_t from)
{
    for (uint32_t word = from / 64; word < PORTS / 64; word++) {
        uint64_t bits = set->words[word];
        if (word == from / 64)
            bits &= UINT64_MAX << (from % 64);
        if (bits != 0)
            return word * 64 + (uint32_t)__builtin_ctzll(bits);
    }
    return PORTS;
}

/* The end of the range that begins at `first`, when gaps narrower than `gap` are bridged. */
static uint32_t range_last(const struct hws_port_set *set, uint32_t first, uint32_t gap)
{
    uint32_t last = first;
    for (;;) {
        uint32_t next = next_port(set, last + 1);
        if (next == PORTS || next - last > gap)
            return last;
        last = next;
    }
}

/* Returns max + 1 when the ranges do not fit. */
static size_t ranges_with_gap(const struct hws_port_set *set, uint32_t gap,
                              struct hws_port_range *ranges, size_t max)
{
    size_t count = 0;
    for (uint32_t port = next_port(set, 0); port < PORTS;) {
        if (count == max)
            return max + 1;
        uint32_t last = range_last(set, port, gap);
        ranges[count++] = (struct hws_port_range){(uint16_t)port, (uint16_t)last};
        port = next_port(set, last + 1);
    }
    return count;
}

bool hws_port_set_fits(const struct hws_port_set *set, size_t max)
{
    size_t count = 0;
    for (uint32_t port = next_port(set, 0); port < PORTS && count <= max; count++)
        port = next_port(set, range_last(set, port, 1) + 1);
    return count <= max;
}

size_t hws_port_set_ranges(const struct hws_port_set *set, struct hws_port_range *ranges,
                           size_t max)
{
    uint32_t gap = 1;
    size_t count;
    while ((count = ranges_with_gap(set, gap, ranges, max)) > max)
        gap *= 2;
    return count;
}
