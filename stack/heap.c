#include "stack/heap.h"

#include <string.h>

#define FIRST_NODES 8u

void hws_heap_init(struct hws_heap *heap, struct hws_pool *pool)
{
    *heap = (struct hws_heap){.pool = pool};
}

static size_t nodes_bytes(uint32_t capacity)
{
    return capacity * sizeof(struct hws_heap_node *);
}

void hws_heap_fini(struct hws_heap *heap)
{
    hws_pool_free(heap->pool, heap->nodes, nodes_bytes(heap->capacity));
    hws_heap_init(heap, heap->pool);
}

static uint32_t grown_capacity(uint32_t capacity, uint32_t wanted)
{
    if (capacity == 0)
        capacity = FIRST_NODES;
    while (capacity < wanted && capacity <= UINT32_MAX / 2)
        capacity *= 2;
    return capacity;
}

bool hws_heap_reserve(struct hws_heap *heap, uint32_t count)
{
    if (count <= heap->capacity)
        return true;
    uint32_t capacity = grown_capacity(heap->capacity, count);
    struct hws_heap_node **nodes = NULL;
    if (capacity >= count)
        nodes = hws_pool_alloc(heap->pool, nodes_bytes(capacity));
    if (nodes == NULL)
        return false;
    if (heap->count > 0)
        memcpy(nodes, heap->nodes, nodes_bytes(heap->count));
    hws_pool_free(heap->pool, heap->nodes, nodes_bytes(heap->capacity));
    heap->nodes = nodes;
    heap->capacity = capacity;
    return true;
}

static bool leaves_before(const struct hws_heap_node *a, const struct hws_heap_node *b)
{
    if (a->deadline_us != b->deadline_us)
        return a->deadline_us < b->deadline_us;
    return a->order < b->order;
}

static void put_at(struct hws_heap *heap, struct hws_heap_node *node, uint32_t index)
{
    heap->nodes[index] = node;
    node->index = index;
}

/** Places `node`, whose hole is at `index`, there or nearer to the top. */
static void sift_up(struct hws_heap *heap, struct hws_heap_node *node, uint32_t index)
{
    while (index > 0) {
        uint32_t parent = (index - 1) / 2;
        if (!leaves_before(node, heap->nodes[parent]))
            break;
        put_at(heap, heap->nodes[parent], index);
        index = parent;
    }
    put_at(heap, node, index);
}

/** Places `node`, whose hole is at `index`, there or further from the top. */
static void sift_down(struct hws_heap *heap, struct hws_heap_node *node, uint32_t index)
{
    for (;;) {
        uint64_t child = 2 * (uint64_t)index + 1;
        if (child >= heap->count)
            break;
        uint32_t first = (uint32_t)child;
        if (child + 1 < heap->count && leaves_before(heap->nodes[first + 1], heap->nodes[first]))
            first++;
        if (!leaves_before(heap->nodes[first], node))
            break;
        put_at(heap, heap->nodes[first], index);
        index = first;
    }
    put_at(heap, node, index);
}

static void place(struct hws_heap *heap, struct hws_heap_node *node, uint32_t index)
{
    if (index > 0 && leaves_before(node, heap->nodes[(index - 1) / 2]))
        sift_up(heap, node, index);
    else
        sift_down(heap, node, index);
}

bool hws_heap_push(struct hws_heap *heap, struct hws_heap_node *node, uint64_t deadline_us)
{
    if (heap->count == heap->capacity &&
        (heap->count == UINT32_MAX || !hws_heap_reserve(heap, heap->count + 1)))
        return false;
    node->deadline_us = deadline_us;
    node->order = heap->pushes++;
    sift_up(heap, node, heap->count++);
    return true;
}

void hws_heap_move(struct hws_heap *heap, struct hws_heap_node *node, uint64_t deadline_us)
{
    node->deadline_us = deadline_us;
    node->order = heap->pushes++;
    place(heap, node, node->index);
}

void hws_heap_remove(struct hws_heap *heap, struct hws_heap_node *node)
{
    uint32_t index = node->index;
    if (index == HWS_HEAP_NONE)
        return;
    node->index = HWS_HEAP_NONE;
    struct hws_heap_node *last = heap->nodes[--heap->count];
    if (last != node)
        place(heap, last, index);
}
