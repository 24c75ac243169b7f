/* An intrusive binary min-heap of deadlines. Equal deadlines leave in the order they were pushed,
 * so that a run repeats exactly. */
#ifndef HWS_STACK_HEAP_H
#define HWS_STACK_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/pool.h"

#define HWS_HEAP_NONE UINT32_MAX

struct hws_heap_node {
    uint64_t deadline_us;
    uint64_t order; /* set by push: ties leave first in, first out */
    uint32_t index; /* HWS_HEAP_NONE while not in the heap */
};

struct hws_heap {
    struct hws_pool *pool;
    struct hws_heap_node **nodes;
    uint32_t count, capacity;
    uint64_t pushes;
};

void hws_heap_init(struct hws_heap *heap, struct hws_pool *pool);
void hws_heap_fini(struct hws_heap *heap);
/** Makes room for `count` nodes in all, so that pushing them later cannot fail. False: no memory.
 */
bool hws_heap_reserve(struct hws_heap *heap, uint32_t count);
/** Adds a node (index HWS_HEAP_NONE). False: no memory, and no room was reserved. */
bool hws_heap_push(struct hws_heap *heap, struct hws_heap_node *node, uint64_t deadline_us);
/** Moves a node that is in the heap. */
void hws_heap_move(struct hws_heap *heap, struct hws_heap_node *node, uint64_t deadline_us);
/** Takes a node out; does nothing when it is not in. */
void hws_heap_remove(struct hws_heap *heap, struct hws_heap_node *node);
/** The node with the earliest deadline, NULL when empty. */
static inline struct hws_heap_node *hws_heap_top(const struct hws_heap *heap)
{
    return heap->count > 0 ? heap->nodes[0] : NULL;
}

#endif
