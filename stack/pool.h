/* Memory of one engine: slabs of size classes for the small objects of the hot path, the
 * environment for everything else, and a count of what is in use. */
#ifndef HWS_STACK_POOL_H
#define HWS_STACK_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/env.h"

/* Size classes: each number of half cache lines up to 2048 bytes, so that an object wastes less
 * than that, and lies on no more lines than its size takes. Larger objects come from the
 * environment. */
#define HWS_POOL_CLASSES 64u
#define HWS_POOL_MIN_BYTES 32u
#define HWS_POOL_MAX_BYTES (HWS_POOL_MIN_BYTES * HWS_POOL_CLASSES)

struct hws_pool_slab;

/* An object that nobody has: in a list of its class. */
struct hws_pool_free {
    struct hws_pool_free *next;
};

struct hws_pool {
    const struct hws_env *env;
    bool direct; /* no slabs: every object straight from the environment */
    struct hws_pool_free *free[HWS_POOL_CLASSES];
    struct hws_pool_slab *slabs;
    size_t used_bytes; /* handed out and not given back, as asked for */
    size_t used_objects;
};

/** `env` must live as long as the pool. */
void hws_pool_init(struct hws_pool *pool, const struct hws_env *env, bool direct);

/** Gives every slab back to the environment. Every object must have been freed before. */
void hws_pool_fini(struct hws_pool *pool);

/** Whether an object of that size comes from a slab. */
static inline bool hws_pool_in_slab(const struct hws_pool *pool, size_t size)
{
    return size <= HWS_POOL_MAX_BYTES && !pool->direct;
}

/** The smallest class whose objects hold `size` bytes. */
static inline size_t hws_pool_class(size_t size)
{
    return (size - 1) / HWS_POOL_MIN_BYTES;
}

/** What hws_pool_alloc and hws_pool_free do for objects that are not in a list of free ones, and
 * not to be. */
void *hws_pool_alloc_new(struct hws_pool *pool, size_t size);
void hws_pool_free_direct(struct hws_pool *pool, void *ptr, size_t size);

/** Uninitialised memory aligned for any type; NULL when there is none. size > 0. */
static inline void *hws_pool_alloc(struct hws_pool *pool, size_t size)
{
    if (!hws_pool_in_slab(pool, size) || pool->free[hws_pool_class(size)] == NULL)
        return hws_pool_alloc_new(pool, size);
    struct hws_pool_free *object = pool->free[hws_pool_class(size)];
    pool->free[hws_pool_class(size)] = object->next;
    pool->used_bytes += size;
    pool->used_objects++;
    return object;
}

/** The same, zeroed. */
void *hws_pool_zalloc(struct hws_pool *pool, size_t size);

/** `size` as given to alloc. NULL is allowed. */
static inline void hws_pool_free(struct hws_pool *pool, void *ptr, size_t size)
{
    if (ptr == NULL)
        return;
    pool->used_bytes -= size;
    pool->used_objects--;
    if (!hws_pool_in_slab(pool, size)) {
        hws_pool_free_direct(pool, ptr, size);
        return;
    }
    struct hws_pool_free *object = ptr;
    object->next = pool->free[hws_pool_class(size)];
    pool->free[hws_pool_class(size)] = object;
}

#endif
