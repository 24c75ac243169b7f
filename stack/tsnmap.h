/* Which TSNs have arrived: the cumulative TSN, the ones beyond it as a bitmap, and the duplicates
 * to report (RFC 9260, 6.2). A ring of bits, a power of two long, grown on demand. */
#ifndef HWS_STACK_TSNMAP_H
#define HWS_STACK_TSNMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/chunk.h"
#include "stack/limits.h"
#include "stack/pool.h"

struct hws_tsnmap {
    struct hws_pool *pool;
    uint32_t cum;     /* highest TSN up to which everything has arrived */
    uint32_t highest; /* highest TSN that has arrived; equals cum when there is no gap */
    uint64_t *bits;   /* TSN t at bit t mod size; set: arrived; NULL while never needed */
    uint32_t size;    /* bits, a power of two >= 64, or 0 */
    uint32_t dup_count;
    uint32_t *dups; /* HWS_LIMIT_SACK_DUPS of them; NULL while there never was one */
};

enum hws_tsn_result {
    HWS_TSN_NEW,       /* first time seen; now marked */
    HWS_TSN_DUPLICATE, /* seen before; noted for the next SACK */
    HWS_TSN_BEYOND,    /* further from cum than HWS_LIMIT_TSN_WINDOW - 1: not marked */
    HWS_TSN_NOMEM,     /* no memory to mark it: not marked */
};

/** `initial_tsn` is the first TSN the peer will send. */
void hws_tsnmap_init(struct hws_tsnmap *map, struct hws_pool *pool, uint32_t initial_tsn);
void hws_tsnmap_fini(struct hws_tsnmap *map);

/** What adding `tsn` would say, without marking or noting anything (NOMEM is never said). */
enum hws_tsn_result hws_tsnmap_check(const struct hws_tsnmap *map, uint32_t tsn);

/** Makes room for `tsn`, for which check says NEW, so that adding it cannot fail. False: no memory.
 * A chunk's data can be stored between the two, and nothing has to be undone. */
bool hws_tsnmap_reserve(struct hws_tsnmap *map, uint32_t tsn);

/** Marks `tsn` as arrived and moves cum over everything that is now complete. In order without
 * gaps this touches no memory but the struct and costs a few instructions. */
enum hws_tsn_result hws_tsnmap_add(struct hws_tsnmap *map, uint32_t tsn);

/** Takes back that `tsn`, beyond cum, has arrived. */
void hws_tsnmap_forget(struct hws_tsnmap *map, uint32_t tsn);

static inline bool hws_tsnmap_has_gap(const struct hws_tsnmap *map)
{
    return map->highest != map->cum;
}

/** Writes at most `max` gap blocks, lowest first; returns how many. Costs the words scanned, not
 * the bits. */
uint32_t hws_tsnmap_gaps(const struct hws_tsnmap *map, struct hws_gap *out, uint32_t max);

/** Gives back what it needs only while TSNs are missing. */
void hws_tsnmap_trim(struct hws_tsnmap *map);

/** Forgets the duplicates: they have been reported. */
static inline void hws_tsnmap_clear_dups(struct hws_tsnmap *map)
{
    map->dup_count = 0;
}

#endif
