/* How the application of a flow's end reads: by copying, by looking first, or by borrowing what was
 * received and giving it back later. */
#ifndef HWS_TESTS_SIM_READING_H
#define HWS_TESTS_SIM_READING_H

#include <stdbool.h>

#include "sim/rng.h"
#include "stack/engine.h"

enum sim_reading { SIM_READ_COPY, SIM_READ_PEEK, SIM_READ_VIEW, SIM_READINGS };

#define SIM_VIEWS_MAX 8u
/* Most bytes of one reading. */
#define SIM_READ_MAX (HWS_RECV_VIEW_PARTS << 16)

struct sim_reader {
    bool within; /* a message whose end has not been read */
    uint32_t view_count;
    struct hws_recv_view views[SIM_VIEWS_MAX];
    uint64_t sums[SIM_VIEWS_MAX]; /* of the views' bytes when they were lent */
};

struct sim_end;

/** Reads the next bytes into `out`, which has room for SIM_READ_MAX, as the end is configured to;
 * answers as hws_assoc_recv. */
int sim_read(struct sim_end *end, uint8_t *out, size_t *len, struct hws_rcvinfo *info);

/** Gives back what is borrowed, in any order. */
void sim_read_give_back(struct sim_end *end);

#endif
