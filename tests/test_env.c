/* The environment: its MAC against published vectors (RFC 4231), randomness, time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/runtime/blocks.h"
#include "api/runtime/env.h"

static void mac_is(const struct hws_env *env, const uint8_t key[HWS_MAC_KEY_LEN], const char *data,
                   const char *expected)
{
    uint8_t mac[HWS_MAC_LEN];
    char text[2 * HWS_MAC_LEN + 1];
    env->hmac_sha256(env->ctx, key, data, strlen(data), mac);
    for (size_t i = 0; i < HWS_MAC_LEN; i++)
        snprintf(text + 2 * i, 3, "%02x", mac[i]);
    assert_string_equal(text, expected);
}

/* RFC 4231, test cases 1 and 2; a key shorter than the block is padded with zeros (RFC 2104), so
 * they hold for our 32-byte keys, too. More keys than are kept, in turn. */
static void macs_match_published_vectors(void **state)
{
    static const char hi[] = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
    static const char jefe[] = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    uint8_t key1[HWS_MAC_KEY_LEN] = {0}, key2[HWS_MAC_KEY_LEN] = "Jefe",
            key3[HWS_MAC_KEY_LEN] = {9};
    struct hws_env env;
    uint8_t scrap[HWS_MAC_LEN];
    (void)state;
    memset(key1, 0x0b, 20);
    assert_int_equal(hws_env_init(&env), 0);
    for (int i = 0; i < 3; i++) {
        mac_is(&env, key1, "Hi There", hi);
        mac_is(&env, key2, "what do ya want for nothing?", jefe);
        mac_is(&env, key2, "what do ya want for nothing?", jefe);
        env.hmac_sha256(env.ctx, key3, "x", 1, scrap);
    }
    hws_env_fini(&env);
}

static void random_bytes_differ(void **state)
{
    struct hws_env env;
    uint8_t a[300] = {0}, b[300] = {0};
    (void)state;
    assert_int_equal(hws_env_init(&env), 0);
    env.random(env.ctx, a, sizeof(a));
    env.random(env.ctx, b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    hws_env_fini(&env);
}

/* Every size there is a class for, and those beside: what is written stays, also when blocks of
 * other sizes are taken and given back in between; what is kept has an end. */
static void blocks_hold_what_they_are_asked_for(void **state)
{
    struct hws_blocks blocks = {0};
    (void)state;
    for (size_t size = 1; size < HWS_BLOCKS_MAX_BYTES + 5000; size += size / 64 + 1) {
        uint8_t *a = hws_blocks_alloc(&blocks, size), *b = hws_blocks_alloc(&blocks, size);
        assert_non_null(a);
        assert_non_null(b);
        memset(a, 1, size);
        memset(b, 2, size);
        assert_int_equal(a[size - 1], 1);
        hws_blocks_free(&blocks, a, size);
        hws_blocks_free(&blocks, b, size);
    }
    assert_true(blocks.kept_bytes > 0 && blocks.kept_bytes <= HWS_BLOCKS_KEPT_BYTES);
    hws_blocks_fini(&blocks);
    assert_int_equal(blocks.kept_bytes, 0);
}

static void a_block_given_back_is_the_next_one(void **state)
{
    struct hws_blocks blocks = {0};
    (void)state;
    void *first = hws_blocks_alloc(&blocks, 8193);
    hws_blocks_free(&blocks, first, 8193);
    assert_ptr_equal(hws_blocks_alloc(&blocks, 10240), first);
    hws_blocks_free(&blocks, first, 10240);
    hws_blocks_fini(&blocks);
}

static void few_blocks_are_kept(void **state)
{
    enum { COUNT = 2 * HWS_BLOCKS_KEPT_BYTES / HWS_BLOCKS_MAX_BYTES };
    struct hws_blocks blocks = {0};
    void *all[COUNT];
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        all[i] = hws_blocks_alloc(&blocks, HWS_BLOCKS_MAX_BYTES);
    for (size_t i = 0; i < COUNT; i++)
        hws_blocks_free(&blocks, all[i], HWS_BLOCKS_MAX_BYTES);
    assert_int_equal(blocks.kept_bytes, HWS_BLOCKS_KEPT_BYTES);
    hws_blocks_fini(&blocks);
}

/* What was drawn ahead must not be given out in both processes. */
static void random_bytes_differ_after_fork(void **state)
{
    struct hws_env env;
    uint8_t parents[16], childs[16] = {0};
    int ends[2];
    (void)state;
    assert_int_equal(hws_env_init(&env), 0);
    env.random(env.ctx, parents, sizeof parents);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        env.random(env.ctx, childs, sizeof childs);
        _exit(write(ends[1], childs, sizeof childs) == sizeof childs ? 0 : 1);
    }
    env.random(env.ctx, parents, sizeof parents);
    assert_int_equal(read(ends[0], childs, sizeof childs), sizeof childs);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_memory_not_equal(parents, childs, sizeof parents);
    close(ends[0]);
    close(ends[1]);
    hws_env_fini(&env);
}

static void time_does_not_run_backwards(void **state)
{
    (void)state;
    uint64_t before_us = hws_env_now_us();
    assert_true(hws_env_now_us() >= before_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(macs_match_published_vectors),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(blocks_hold_what_they_are_asked_for),
        cmocka_unit_test(a_block_given_back_is_the_next_one),
        cmocka_unit_test(few_blocks_are_kept),
        cmocka_unit_test(random_bytes_differ_after_fork),
        cmocka_unit_test(time_does_not_run_backwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
