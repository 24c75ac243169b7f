#include "stack/pool.h"

#include <string.h>

/* One slab: its objects are all of one class and stay with the engine until it ends. */
#define SLAB_BYTES 16384u
/* Objects begin on cache lines, so that a small one never lies on two. */
#define OBJECT_ALIGN 64u

struct hws_pool_slab {
    struct hws_pool_slab *next;
};

struct hws_pool_free {
    struct hws_pool_free *next;
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

static bool is_slab_object(const struct hws_pool *pool, size_t size)
{
    return size <= HWS_POOL_MAX_BYTES && !pool->direct;
}

/** The smallest class whose objects hold `size` bytes. */
static unsigned class_of(size_t size)
{
    return (unsigned)((size - 1) / HWS_POOL_MIN_BYTES);
}

static unsigned char *first_object(struct hws_pool_slab *slab)
{
    unsigned char *after_header = (unsigned char *)(slab + 1);
    size_t past_line = (uintptr_t)after_header % OBJECT_ALIGN;
    return past_line == 0 ? after_header : after_header + (OBJECT_ALIGN - past_line);
}

/** Cuts a new slab into free objects of class `c`, the first of them first in the list. */
static bool add_slab(struct hws_pool *pool, unsigned c)
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

static void *take_object(struct hws_pool *pool, unsigned c)
{
    if (pool->free[c] == NULL && !add_slab(pool, c))
        return NULL;
    struct hws_pool_free *object = pool->free[c];
    pool->free[c] = object->next;
    return object;
}

void *hws_pool_alloc(struct hws_pool *pool, size_t size)
{
    void *ptr = is_slab_object(pool, size) ? take_object(pool, class_of(size))
                                           : pool->env->alloc(pool->env->ctx, size);
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

void hws_pool_free(struct hws_pool *pool, void *ptr, size_t size)
{
    if (ptr == NULL)
        return;
    pool->used_bytes -= size;
    pool->used_objects--;
    if (!is_slab_object(pool, size)) {
        pool->env->free(pool->env->ctx, ptr, size);
        return;
    }
    struct hws_pool_free *object = ptr;
    unsigned c = class_of(size);
    object->next = pool->free[c];
    pool->free[c] = object;
}
