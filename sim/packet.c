#include "sim/packet.h"

#include "sim/memory.h"

#define FIRST_CAPACITY 64u

void sim_ring_grow(struct sim_ring *ring)
{
    uint32_t capacity = ring->capacity != 0 ? 2 * ring->capacity : FIRST_CAPACITY;
    struct sim_packet *slots = sim_new(capacity, sizeof *slots);
    for (uint32_t i = 0; i < ring->count; i++)
        slots[i] = *sim_ring_at(ring, i);
    free(ring->slots);
    ring->slots = slots;
    ring->capacity = capacity;
    ring->head = 0;
}

void sim_ring_fini(struct sim_ring *ring)
{
    while (ring->count > 0)
        hws_buf_unref(sim_ring_pop(ring).buf);
    free(ring->slots);
    *ring = (struct sim_ring){0};
}
