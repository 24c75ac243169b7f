/* Memory of one engine: slabs of size classes for the small objects of the hot path, the
 * environment for everything else, and a count of what is in use. */
#ifndef HWS_STACK_POOL_H
#define HWS_STACK_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/env.h"

/* Size classes: each number of cache lines up to 2048 bytes, so that an object wastes less than one
 * line. Larger objects come from the environment. */
#define HWS_POOL_CLASSES 32u
#define HWS_POOL_MIN_BYTES 64u
#define HWS_POOL_MAX_BYTES (HWS_POOL_MIN_BYTES * HWS_POOL_CLASSES)

struct hws_pool_slab;
struct hws_pool_free;

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

/** Uninitialised memory aligned for any type; NULL when there is none. size > 0. */
void *hws_pool_alloc(struct hws_pool *pool, size_t size);

/** The same, zeroed. */
void *hws_pool_zalloc(struct hws_pool *pool, size_t size);

/** `size` as given to alloc. NULL is allowed. */
void hws_pool_free(struct hws_pool *pool, void *ptr, size_t size);

#endif
