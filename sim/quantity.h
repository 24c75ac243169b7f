/* Quantities as scenario files write them, with their units: "10ms", "100Mbit/s", "64KB", "0.5%".
 * All become integers: nanoseconds, bits per second, bytes, parts per million. */
#ifndef HWS_SIM_QUANTITY_H
#define HWS_SIM_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

enum sim_quantity {
    SIM_COUNT,   /* a number */
    SIM_TIME,    /* nanoseconds */
    SIM_RATE,    /* bits per second */
    SIM_BYTES,   /* bytes; KB, MB, GB are thousands, KiB, MiB, GiB powers of 1024 */
    SIM_PORTION, /* parts per million */
};

/** Reads one. A fraction ("1.5ms") is cut to whole units. False: it is none of that kind, or less
 * than the smallest unit and not 0. */
bool sim_quantity_read(enum sim_quantity kind, const char *text, uint64_t *out);

/** What is allowed, for messages: "a time, such as 10ms (ns, us, ms, s, min, h)". */
const char *sim_quantity_help(enum sim_quantity kind);

#endif
