/* An environment for tests of modules that only need memory and randomness: counts what is
 * allocated, fails on demand, and draws from a seed. */
#ifndef HWS_TESTS_MEMORY_ENV_H
#define HWS_TESTS_MEMORY_ENV_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stack/pool.h"

struct memory_env {
    struct hws_env env;
    struct hws_pool pool;
    size_t live_bytes, live_objects;
    uint64_t fail_in; /* this many allocations from now fails once; 0: none does */
    uint64_t seed;
};

static inline uint64_t random64(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/** A number in 0 .. n-1. */
static inline uint32_t random_below(uint64_t *seed, uint32_t n)
{
    return (uint32_t)(random64(seed) % n);
}

static inline void *memory_env_alloc(void *ctx, size_t size)
{
    struct memory_env *m = ctx;
    if (m->fail_in > 0 && --m->fail_in == 0)
        return NULL;
    void *ptr = malloc(size);
    assert_non_null(ptr);
    m->live_bytes += size;
    m->live_objects++;
    return ptr;
}

static inline void memory_env_free(void *ctx, void *ptr, size_t size)
{
    struct memory_env *m = ctx;
    assert_non_null(ptr);
    assert_true(m->live_bytes >= size && m->live_objects > 0);
    m->live_bytes -= size;
    m->live_objects--;
    free(ptr);
}

static inline void memory_env_random(void *ctx, void *out, size_t len)
{
    struct memory_env *m = ctx;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)random64(&m->seed);
}

/** `direct`: every object of the pool is one of malloc, for the memory checker to see. */
static inline void memory_env_init(struct memory_env *m, uint64_t seed, bool direct)
{
    *m = (struct memory_env){.seed = seed};
    m->env.ctx = m;
    m->env.alloc = memory_env_alloc;
    m->env.free = memory_env_free;
    m->env.random = memory_env_random;
    hws_pool_init(&m->pool, &m->env, direct);
}

/** Checks that everything was given back. */
static inline void memory_env_fini(struct memory_env *m)
{
    assert_int_equal(m->pool.used_objects, 0);
    assert_int_equal(m->pool.used_bytes, 0);
    hws_pool_fini(&m->pool);
    assert_int_equal(m->live_objects, 0);
    assert_int_equal(m->live_bytes, 0);
}

#endif
