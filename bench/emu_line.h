/* One direction of an emulated link, without I/O and without a clock: packets go in at a time, and
 * come out when they are due. A packet waits in a drop-tail queue for the packets ahead of it,
 * leaves at the link's rate, may be lost then, and arrives after the delay. What is lost, and what
 * is held back longer so that later packets overtake it, depends on the seed and the packet's
 * number alone.
 */
#ifndef HWS_BENCH_EMU_LINE_H
#define HWS_BENCH_EMU_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest packet that a line takes. */
#define EMU_PACKET_MAX 65535u
#define EMU_NEVER UINT64_MAX

struct emu_line_config {
    uint64_t delay_ns;    /* from the end of a packet's transmission to its arrival */
    uint64_t rate_bps;    /* bits of IP packets per second; 0: no limit */
    uint32_t queue_bytes; /* that may wait, the packet that is being sent among them */
    uint32_t loss_ppm;    /* of a million packets, how many are lost */
    uint32_t held_ppm;    /* and how many are held back */
    uint64_t held_ns;     /* for so much longer than the delay */
    uint64_t seed;
};

struct emu_line_counts {
    uint64_t in;       /* packets put in */
    uint64_t out;      /* and taken out */
    uint64_t lost;     /* drawn for loss */
    uint64_t overflow; /* found the queue full */
    uint64_t held;     /* held back */
    uint64_t bytes;    /* of those taken out */
};

struct emu_line;

/** A new line; NULL when there is no memory. */
struct emu_line *emu_line_new(const struct emu_line_config *config);
void emu_line_free(struct emu_line *line);

/** Where the next packet can be written, EMU_PACKET_MAX bytes. */
void *emu_line_room(struct emu_line *line);

/** What was written there, `len` bytes, goes in at `now_ns`, which is never less than before. */
void emu_line_put(struct emu_line *line, size_t len, uint64_t now_ns);

/** When the next packet is due; EMU_NEVER: there is none. */
uint64_t emu_line_due_ns(const struct emu_line *line);

/** The next packet, if it is due at `now_ns`, else NULL. Valid until the line is used again. */
const void *emu_line_take(struct emu_line *line, size_t *len, uint64_t now_ns);

struct emu_line_counts emu_line_counts(const struct emu_line *line);

#endif
