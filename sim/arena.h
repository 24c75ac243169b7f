/* Memory for packets: large blocks that are filled from the front, each given back when the last
 * packet in it is. What is sent together lies together. */
#ifndef HWS_SIM_ARENA_H
#define HWS_SIM_ARENA_H

#include "stack/buf.h"

struct sim_block;

struct sim_arena {
    struct sim_block *current; /* its first reference is the arena's */
    struct sim_block *free;
};

/** Room for `bytes`, which hws_buf_ref'd references to `*buf` keep. */
uint8_t *sim_arena_room(struct sim_arena *arena, uint32_t bytes, struct hws_buf **buf);

/** So many bytes of the room were used. */
void sim_arena_used(struct sim_arena *arena, uint32_t bytes);

/** Frees it; all packets have to be gone. */
void sim_arena_fini(struct sim_arena *arena);

#endif
