#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/env.h"
#include "stack/cookie.h"

#define SECOND UINT64_C(1000000)
#define KEY_LIFE (120 * SECOND)

static struct sim_env env;
static struct hws_engine engine; /* of which only keys, clock and environment are used */
static uint8_t sealed[HWS_COOKIE_MAX_LEN];

static void begin(uint64_t seed)
{
    memset(&engine, 0, sizeof engine);
    sim_env_init(&env, seed);
    engine.config.env = sim_env_make(&env);
    engine.now_us = 5000 * SECOND;
    hws_cookie_init(&engine);
}

/* Addresses that differ in every byte there is. */
static struct hws_addr address(uint8_t number, bool ipv6)
{
    struct hws_addr a = {.family = ipv6 ? HWS_FAMILY_IPV6 : HWS_FAMILY_IPV4,
                         .scope_id = ipv6 ? 0x01020300u + number : 0,
                         .udp_port = (uint16_t)(9000 + number)};
    for (unsigned i = 0; i < hws_addr_len(&a); i++)
        a.ip[i] = (uint8_t)(16 * i + number);
    return a;
}

/* Every field has bytes of its own, so that none can stand for another. */
static struct hws_cookie example(uint8_t addr_count)
{
    struct hws_cookie c = {.made_us = 0x0102030405060708,
                           .life_us = 0x11121314,
                           .local_vtag = 0x21222324,
                           .remote_vtag = 0x31323334,
                           .local_tsn = 0x41424344,
                           .remote_tsn = 0x51525354,
                           .remote_rwnd = 0x61626364,
                           .remote_ostreams = 0x7172,
                           .remote_max_instreams = 0x8182,
                           .tie_local = 0x91929394,
                           .tie_remote = 0xa1a2a3a4,
                           .local_port = 0xb1b2,
                           .remote_port = 0xc1c2,
                           .has_adaptation = true,
                           .adaptation_indication = 0xd1d2d3d4,
                           .local = address(1, false),
                           .remote = address(2, true),
                           .addr_count = addr_count};
    for (uint8_t i = 0; i < addr_count; i++)
        c.addrs[i] = address((uint8_t)(3 + i), i % 2 == 0);
    return c;
}

static void check_addr(const struct hws_addr *a, const struct hws_addr *b)
{
    assert_memory_equal(a, b, sizeof *a);
}

static void check_same(const struct hws_cookie *a, const struct hws_cookie *b)
{
    assert_int_equal(a->made_us, b->made_us);
    assert_int_equal(a->life_us, b->life_us);
    assert_int_equal(a->local_vtag, b->local_vtag);
    assert_int_equal(a->remote_vtag, b->remote_vtag);
    assert_int_equal(a->local_tsn, b->local_tsn);
    assert_int_equal(a->remote_tsn, b->remote_tsn);
    assert_int_equal(a->remote_rwnd, b->remote_rwnd);
    assert_int_equal(a->remote_ostreams, b->remote_ostreams);
    assert_int_equal(a->remote_max_instreams, b->remote_max_instreams);
    assert_int_equal(a->tie_local, b->tie_local);
    assert_int_equal(a->tie_remote, b->tie_remote);
    assert_int_equal(a->local_port, b->local_port);
    assert_int_equal(a->remote_port, b->remote_port);
    check_addr(&a->local, &b->local);
    check_addr(&a->remote, &b->remote);
    assert_int_equal(a->addr_count, b->addr_count);
    for (unsigned i = 0; i < a->addr_count; i++)
        check_addr(&a->addrs[i], &b->addrs[i]);
}

/* Opens a copy of exactly that many bytes, so that a memory checker sees what is read beyond. */
static bool opens(const uint8_t *bytes, uint32_t len, struct hws_cookie *out)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    bool ok = hws_cookie_open(&engine, copy, len, out);
    free(copy);
    return ok;
}

static bool rejected(const uint8_t *bytes, uint32_t len)
{
    struct hws_cookie out;
    return !opens(bytes, len, &out);
}

static uint32_t seal(uint8_t addr_count)
{
    struct hws_cookie cookie = example(addr_count);
    return hws_cookie_seal(&engine, &cookie, sealed);
}

static void round_trip(void **state)
{
    (void)state;
    begin(1);
    for (uint8_t n = 0; n <= HWS_LIMIT_PATHS; n++) {
        struct hws_cookie cookie = example(n), out;
        uint32_t len = hws_cookie_seal(&engine, &cookie, sealed);
        memset(&out, 0xee, sizeof out);
        assert_true(opens(sealed, len, &out));
        check_same(&out, &cookie);
        for (unsigned i = 0; i < HWS_EXT_MAX; i += 2) {
            cookie.offers.mask |= (uint8_t)(1u << i);
            cookie.offers.len[i] = (uint8_t)(i * HWS_EXT_PARAM_MAX / HWS_EXT_MAX);
            memset(cookie.offers.value[i], 0xc0 + n, cookie.offers.len[i]);
        }
        len = hws_cookie_seal(&engine, &cookie, sealed);
        assert_true(opens(sealed, len, &out));
        check_same(&out, &cookie);
        assert_memory_equal(&out.offers, &cookie.offers, sizeof out.offers);
    }
}

/* An INIT ACK to a stranger has an upper size, whatever addresses it listed. */
static void sizes(void **state)
{
    (void)state;
    begin(1);
    for (uint8_t n = 0; n <= HWS_LIMIT_PATHS; n++)
        assert_int_equal(seal(n), 56 + 23 * (2 + n) + 32);
    struct hws_cookie all = example(HWS_LIMIT_PATHS);
    all.offers.mask = 0xff;
    memset(all.offers.len, HWS_EXT_PARAM_MAX, sizeof all.offers.len);
    assert_int_equal(hws_cookie_seal(&engine, &all, sealed), HWS_COOKIE_MAX_LEN);
    assert_true(HWS_COOKIE_MAX_LEN < HWS_LIMIT_INIT_ACK_BYTES / 2);
}

/* What is not a field is the same in every cookie: nothing of the stack's memory leaks out. */
static void every_byte_is_defined(void **state)
{
    (void)state;
    uint8_t first[HWS_COOKIE_MAX_LEN];
    begin(1);
    memset(sealed, 0x55, sizeof sealed);
    uint32_t len = seal(3);
    memcpy(first, sealed, len);
    memset(sealed, 0xaa, sizeof sealed);
    assert_int_equal(seal(3), len);
    assert_memory_equal(first, sealed, len);
}

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    begin(1);
    for (uint8_t n = 0; n <= HWS_LIMIT_PATHS; n += HWS_LIMIT_PATHS / 2) {
        uint32_t len = seal(n);
        for (uint32_t bit = 0; bit < 8 * len; bit++) {
            sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_true(rejected(sealed, len));
            sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_false(rejected(sealed, len));
    }
}

static void every_other_length_is_rejected(void **state)
{
    (void)state;
    uint8_t bytes[2 * HWS_COOKIE_MAX_LEN] = {0};
    begin(1);
    for (uint8_t n = 0; n <= HWS_LIMIT_PATHS; n++) {
        uint32_t good = seal(n);
        memcpy(bytes, sealed, good);
        for (uint32_t len = 0; len <= sizeof bytes; len++)
            assert_int_equal(rejected(bytes, len), len != good);
    }
}

static void of_another_engine(void **state)
{
    (void)state;
    begin(1);
    uint32_t len = seal(2);
    assert_false(rejected(sealed, len));
    begin(2);
    assert_true(rejected(sealed, len));
}

/* Time passes and another peer is given a cookie, which is when keys rotate. */
static void later(uint64_t us)
{
    uint8_t other[HWS_COOKIE_MAX_LEN];
    struct hws_cookie cookie = example(1);
    engine.now_us += us;
    uint32_t len = hws_cookie_seal(&engine, &cookie, other);
    assert_false(rejected(other, len));
}

/* Counts of addresses and numbers of keys that were never sealed, with lengths that would fit; both
 * keys are in use. */
static void made_up_heads_are_rejected(void **state)
{
    (void)state;
    uint8_t bytes[56 + 23 * 257 + 32] = {0};
    begin(1);
    later(0);
    later(KEY_LIFE);
    for (unsigned key = 0; key < 256; key++) {
        bytes[0] = (uint8_t)key;
        for (unsigned n = 0; n < 256; n++) {
            bytes[1] = (uint8_t)n;
            assert_true(rejected(bytes, 56 + 23 * (2 + n) + 32));
        }
    }
}

static void a_cookie_survives_one_rotation(void **state)
{
    (void)state;
    begin(1);
    uint32_t len = seal(2);
    later(KEY_LIFE - 1); /* the same key still signs */
    uint8_t key = engine.cookie_keys.current;
    assert_false(rejected(sealed, len));
    later(1);
    assert_int_not_equal(engine.cookie_keys.current, key);
    assert_false(rejected(sealed, len));
    later(KEY_LIFE - 1);
    assert_false(rejected(sealed, len));
    later(1);
    assert_true(rejected(sealed, len));
    later(KEY_LIFE);
    assert_true(rejected(sealed, len));
}

/* A key that nobody has used for two lifetimes vouches for nothing. */
static void an_idle_key_expires(void **state)
{
    (void)state;
    begin(1);
    uint32_t len = seal(2);
    later(2 * KEY_LIFE - 1);
    assert_false(rejected(sealed, len));
    begin(1);
    len = seal(2);
    later(2 * KEY_LIFE);
    assert_true(rejected(sealed, len));
    /* It must not come to life again with the next rotation. */
    later(KEY_LIFE);
    assert_true(rejected(sealed, len));
}

/* Signs with a key of the attacker's choice. */
static void sign(const uint8_t key[HWS_MAC_KEY_LEN], uint8_t *bytes, uint32_t len)
{
    const struct hws_env *e = &engine.config.env;
    e->hmac_sha256(e->ctx, key, bytes, len - HWS_MAC_LEN, bytes + len - HWS_MAC_LEN);
}

/* Before any rotation there is no previous key: an empty one must not sign. */
static void the_key_never_drawn_signs_nothing(void **state)
{
    (void)state;
    static const uint8_t empty[HWS_MAC_KEY_LEN];
    begin(1);
    engine.now_us = 0;
    uint32_t len = seal(0);
    assert_int_equal(engine.cookie_keys.current, 0);
    sealed[0] = 1;
    sign(empty, sealed, len);
    assert_true(rejected(sealed, len));
}

/* There are two keys: what lies behind them in memory, some of which can be guessed, is none. */
static void what_lies_behind_the_keys_signs_nothing(void **state)
{
    (void)state;
    uint8_t behind[HWS_MAC_KEY_LEN];
    begin(1);
    later(0);
    later(KEY_LIFE);
    size_t at = offsetof(struct hws_engine, cookie_keys.key) + sizeof engine.cookie_keys.key;
    memcpy(behind, (const uint8_t *)&engine + at, sizeof behind);
    uint32_t len = seal(0);
    sealed[0] = 2;
    sign(behind, sealed, len);
    assert_true(rejected(sealed, len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(sizes),
        cmocka_unit_test(every_byte_is_defined),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(every_other_length_is_rejected),
        cmocka_unit_test(made_up_heads_are_rejected),
        cmocka_unit_test(of_another_engine),
        cmocka_unit_test(a_cookie_survives_one_rotation),
        cmocka_unit_test(an_idle_key_expires),
        cmocka_unit_test(the_key_never_drawn_signs_nothing),
        cmocka_unit_test(what_lies_behind_the_keys_signs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
