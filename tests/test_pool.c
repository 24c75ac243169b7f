#include <stdint.h>
#include <string.h>

#include "memory_env.h"

static const size_t sizes[] = {1, 63, 64, 65, 128, 129, 1000, 2047, 2048, 2049, 70000};
#define SIZES (sizeof sizes / sizeof sizes[0])

static void objects_are_aligned_and_do_not_overlap(struct memory_env *m)
{
    enum { ROUNDS = 40 };
    uint8_t *objects[ROUNDS][SIZES];
    for (size_t r = 0; r < ROUNDS; r++) {
        for (size_t i = 0; i < SIZES; i++) {
            objects[r][i] = hws_pool_alloc(&m->pool, sizes[i]);
            assert_non_null(objects[r][i]);
            assert_int_equal((uintptr_t)objects[r][i] % _Alignof(max_align_t), 0);
            memset(objects[r][i], (int)(r * SIZES + i) % 256, sizes[i]);
        }
    }
    for (size_t r = 0; r < ROUNDS; r++) {
        for (size_t i = 0; i < SIZES; i++) {
            for (size_t k = 0; k < sizes[i]; k++)
                assert_int_equal(objects[r][i][k], (r * SIZES + i) % 256);
            hws_pool_free(&m->pool, objects[r][i], sizes[i]);
        }
    }
}

static void slab_objects(void **state)
{
    (void)state;
    struct memory_env m;
    memory_env_init(&m, 1, false);
    objects_are_aligned_and_do_not_overlap(&m);
    memory_env_fini(&m);
}

static void direct_objects(void **state)
{
    (void)state;
    struct memory_env m;
    memory_env_init(&m, 1, true);
    void *object = hws_pool_alloc(&m.pool, 64);
    assert_int_equal(m.live_objects, 1);
    assert_int_equal(m.live_bytes, 64);
    hws_pool_free(&m.pool, object, 64);
    assert_int_equal(m.live_objects, 0);
    objects_are_aligned_and_do_not_overlap(&m);
    memory_env_fini(&m);
}

static void freed_objects_are_used_again(void **state)
{
    (void)state;
    struct memory_env m;
    memory_env_init(&m, 1, false);
    void *first = hws_pool_alloc(&m.pool, 100);
    hws_pool_free(&m.pool, first, 100);
    assert_ptr_equal(hws_pool_alloc(&m.pool, 120), first);
    assert_int_equal(m.live_objects, 1);
    hws_pool_free(&m.pool, first, 120);
    hws_pool_free(&m.pool, NULL, 120);
    memory_env_fini(&m);
}

static void zalloc_clears(void **state)
{
    (void)state;
    struct memory_env m;
    memory_env_init(&m, 1, false);
    uint8_t *object = hws_pool_alloc(&m.pool, 64);
    memset(object, 0xff, 64);
    hws_pool_free(&m.pool, object, 64);
    object = hws_pool_zalloc(&m.pool, 64);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(object[i], 0);
    hws_pool_free(&m.pool, object, 64);
    memory_env_fini(&m);
}

static void use_is_counted(void **state)
{
    (void)state;
    struct memory_env m;
    memory_env_init(&m, 1, false);
    void *small = hws_pool_alloc(&m.pool, 10);
    void *large = hws_pool_alloc(&m.pool, 10000);
    assert_int_equal(m.pool.used_objects, 2);
    assert_int_equal(m.pool.used_bytes, 10010);
    hws_pool_free(&m.pool, small, 10);
    hws_pool_free(&m.pool, large, 10000);
    memory_env_fini(&m);
}

static void no_memory(void **state)
{
    (void)state;
    for (int direct = 0; direct <= 1; direct++) {
        struct memory_env m;
        memory_env_init(&m, 1, direct != 0);
        for (size_t i = 0; i < SIZES; i++) {
            m.fail_in = 1;
            assert_null(hws_pool_zalloc(&m.pool, sizes[i]));
            m.fail_in = 0;
            void *object = hws_pool_alloc(&m.pool, sizes[i]);
            assert_non_null(object);
            hws_pool_free(&m.pool, object, sizes[i]);
            if (direct == 0) { /* slabs of this class exist now: start with none again */
                hws_pool_fini(&m.pool);
                assert_int_equal(m.live_objects, 0);
            }
        }
        memory_env_fini(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slab_objects),
        cmocka_unit_test(direct_objects),
        cmocka_unit_test(freed_objects_are_used_again),
        cmocka_unit_test(zalloc_clears),
        cmocka_unit_test(use_is_counted),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
