#include "sim/arena.h"

#include "sim/memory.h"

#define BLOCK_BYTES (1u << 20)

struct sim_block {
    struct hws_buf buf;
    struct sim_block *next;
    uint32_t used;
    _Alignas(16) uint8_t data[BLOCK_BYTES];
};

static void release(struct hws_buf *buf)
{
    struct sim_block *block = (struct sim_block *)buf;
    struct sim_arena *arena = buf->owner;
    block->next = arena->free;
    arena->free = block;
}

static struct sim_block *take_block(struct sim_arena *arena)
{
    struct sim_block *block = arena->free;
    if (block != NULL)
        arena->free = block->next;
    else
        block = malloc(sizeof *block);
    if (block == NULL)
        abort();
    block->buf = (struct hws_buf){
        .refs = 1, .size = BLOCK_BYTES, .release = release, .owner = arena, .data = block->data};
    block->used = 0;
    return block;
}

uint8_t *sim_arena_room(struct sim_arena *arena, uint32_t bytes, struct hws_buf **buf)
{
    if (arena->current != NULL && BLOCK_BYTES - arena->current->used < bytes) {
        hws_buf_unref(&arena->current->buf);
        arena->current = NULL;
    }
    if (arena->current == NULL)
        arena->current = take_block(arena);
    *buf = &arena->current->buf;
    return arena->current->data + arena->current->used;
}

void sim_arena_used(struct sim_arena *arena, uint32_t bytes)
{
    arena->current->used += (bytes + 15u) & ~15u;
    if (arena->current->used > BLOCK_BYTES)
        arena->current->used = BLOCK_BYTES;
}

void sim_arena_fini(struct sim_arena *arena)
{
    if (arena->current != NULL)
        hws_buf_unref(&arena->current->buf);
    arena->current = NULL;
    while (arena->free != NULL) {
        struct sim_block *next = arena->free->next;
        free(arena->free);
        arena->free = next;
    }
}
