/* Copies of DATA chunks: a path selector may have a chunk leave on several paths at once. It is in
 * flight on each of them, within each one's cwnd, and once against the peer's window. A copy leaves
 * at once or not at all. What acknowledges the chunk tells of none of the paths: no round trip is
 * timed, no cwnd grows and no error count is cleared by it. When one path's copy is lost, the chunk
 * stays in flight on the others; only the last one's loss has it sent again. */
#ifndef HWS_STACK_COPIES_H
#define HWS_STACK_COPIES_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/packet.h"
#include "stack/limits.h"

struct hws_assoc;
struct hws_path;

/* Copies that are due, in the order of their chunks' sending. */
struct hws_copies {
    uint32_t count;
    struct {
        uint32_t tsn;
        uint8_t paths; /* bit per path that has yet to get one */
    } due[HWS_LIMIT_COPIES_DUE];
};

/** Copies of the chunk are due on these paths. There is room. */
void hws_copies_note(struct hws_copies *c, uint32_t tsn, uint8_t paths);

/** Whether as many wait as can: new data waits until they have left. */
bool hws_copies_full(const struct hws_assoc *a);

/** The first TSN from `tsn` on of which no copy is due. */
uint32_t hws_copies_first_single(const struct hws_assoc *a, uint32_t tsn);

/** The path of the next copy, NULL when none is due. Those that cannot be sent now are dropped. */
struct hws_path *hws_copies_path(struct hws_assoc *a);

/** Whether a copy is due on this path. */
bool hws_copies_due(const struct hws_path *p);

/** Appends copies that are due on the path, as far as they fit. */
void hws_copies_fill(struct hws_path *p, struct hws_builder *b);

#endif
