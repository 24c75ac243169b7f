#include "stack/pool.h"

#include <string.h>

/* One slab: its objects are all of one class and stay with the engine until it ends. */
#define SLAB_BYTES 16384u
/* The first object begins on a cache line, so that a small one never lies on two. */
#define OBJECT_ALIGN 64u

struct hws_pool_slab {
    struct hws_pool_slab *next;
};

void hws_pool_init(struct hws_pool *pool, const struct hws_env *env, bool direct)
{
    memset(pool, 0, sizeof *pool);
    pool->env = env;
    pool->direct = direct;
}

void hws_pool_fini(struct hws_pool *pool)
{
    while (pool->slabs != NULL) {
        struct hws_pool_slab *slab = pool->slabs;
        pool->slabs = slab->next;
        pool->env->free(pool->env->ctx, slab, SLAB_BYTES);
    }
    memset(pool->free, 0, sizeof pool->free);
}

static unsigned char *first_object(struct hws_pool_slab *slab)
{
    unsigned char *after_header = (unsigned char *)(slab + 1);
    size_t past_line = (uintptr_t)after_header % OBJECT_ALIGN;
    return past_line == 0 ? after_header : after_header + (OBJECT_ALIGN - past_line);
}

/** Cuts a new slab into free objects of class `c`, the first of them first in the list. */
static bool add_slab(struct hws_pool *pool, size_t c)
{
    struct hws_pool_slab *slab = pool->env->alloc(pool->env->ctx, SLAB_BYTES);
    if (slab == NULL)
        return false;
    slab->next = pool->slabs;
    pool->slabs = slab;
    size_t object_bytes = (size_t)HWS_POOL_MIN_BYTES * (c + 1);
    size_t count = (SLAB_BYTES - sizeof *slab - OBJECT_ALIGN) / object_bytes;
    unsigned char *first = first_object(slab);
    for (size_t i = count; i-- > 0;) {
        struct hws_pool_free *object = (struct hws_pool_free *)(void *)(first + i * object_bytes);
        object->next = pool->free[c];
        pool->free[c] = object;
    }
    return true;
}

void *hws_pool_alloc_new(struct hws_pool *pool, size_t size)
{
    if (hws_pool_in_slab(pool, size))
        return add_slab(pool, hws_pool_class(size)) ? hws_pool_alloc(pool, size) : NULL;
    void *ptr = pool->env->alloc(pool->env->ctx, size);
    if (ptr == NULL)
        return NULL;
    pool->used_bytes += size;
    pool->used_objects++;
    return ptr;
}

void *hws_pool_zalloc(struct hws_pool *pool, size_t size)
{
    void *ptr = hws_pool_alloc(pool, size);
    if (ptr != NULL)
        memset(ptr, 0, size);
    return ptr;
}

void hws_pool_free_direct(struct hws_pool *pool, void *ptr, size_t size)
{
    pool->env->free(pool->env->ctx, ptr, size);
}
