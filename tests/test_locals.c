#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "stack/engine.h"
#include "stack/locals.h"

static struct hws_addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct hws_addr){.ip = {a, b, c, d}, .family = HWS_FAMILY_IPV4};
}

static struct hws_addr v6(uint8_t first, uint8_t second, uint8_t last, uint32_t scope_id)
{
    return (struct hws_addr){
        .ip = {first, second, [15] = last}, .scope_id = scope_id, .family = HWS_FAMILY_IPV6};
}

static struct hws_locals bound(const struct hws_addr *addrs, size_t count, unsigned families)
{
    struct hws_locals l;
    assert_true(hws_locals_ok(addrs, count, families));
    hws_locals_init(&l, addrs, count, families);
    return l;
}

/* ---- What is taken ---- */

static void any_takes_all_of_its_families(void **state)
{
    (void)state;
    const struct hws_addr four = v4(192, 0, 2, 1), six = v6(0x20, 1, 1, 0), none = {0};
    struct hws_locals any = bound(NULL, 0, 0);
    assert_true(hws_locals_take(&any, &four) && hws_locals_take(&any, &six));
    struct hws_locals only_six = bound(NULL, 0, HWS_ENDPOINT_IPV6);
    assert_false(hws_locals_take(&only_six, &four));
    assert_true(hws_locals_take(&only_six, &six));
    assert_true(hws_locals_take(&only_six, &none) && hws_locals_take(&only_six, NULL));
    assert_false(hws_locals_uses(&only_six, &four));
    assert_null(hws_locals_source(&any, &four));
}

static void bound_takes_what_it_lists(void **state)
{
    (void)state;
    const struct hws_addr addrs[] = {v4(192, 0, 2, 1), v4(198, 51, 100, 1)};
    const struct hws_addr other = v4(192, 0, 2, 2), near = v4(198, 51, 100, 9);
    struct hws_locals l = bound(addrs, 2, 0);
    assert_true(hws_locals_take(&l, &addrs[1]));
    assert_false(hws_locals_take(&l, &other));
    assert_true(hws_addr_same(hws_locals_source(&l, &other), &addrs[0]));
    assert_true(hws_addr_same(hws_locals_source(&l, &near), &addrs[1]));
}

static void what_cannot_be_bound(void **state)
{
    (void)state;
    const struct hws_addr four = v4(192, 0, 2, 1), none = {0};
    struct hws_addr many[HWS_LIMIT_PATHS + 1];
    for (uint8_t i = 0; i <= HWS_LIMIT_PATHS; i++)
        many[i] = v4(192, 0, 2, i);
    assert_false(hws_locals_ok(many, HWS_LIMIT_PATHS + 1, 0));
    assert_true(hws_locals_ok(many, HWS_LIMIT_PATHS, 0));
    assert_false(hws_locals_ok(&four, 1, HWS_ENDPOINT_IPV6));
    assert_false(hws_locals_ok(&none, 1, 0));
    assert_false(hws_locals_ok(NULL, 0, 4));
}

static void what_overlaps(void **state)
{
    (void)state;
    const struct hws_addr four = v4(192, 0, 2, 1), other = v4(192, 0, 2, 2);
    const struct hws_addr six = v6(0x20, 1, 1, 0);
    struct hws_locals sets[] = {
        bound(NULL, 0, 0),
        bound(NULL, 0, HWS_ENDPOINT_IPV4),
        bound(NULL, 0, HWS_ENDPOINT_IPV6),
        bound(&four, 1, 0),
        bound(&other, 1, 0),
        bound(&six, 1, 0),
    };
    static const char *const expected[] = {"111111", "110110", "101001",
                                           "110100", "110010", "101001"};
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < 6; k++)
            assert_int_equal(hws_locals_overlap(&sets[i], &sets[k]), expected[i][k] == '1');
}

/* ---- What is told (5.1.2) ---- */

static struct hws_addr host[7];

/* The numbers of the host's addresses that are told to that peer, as bits. */
static unsigned told_to(struct hws_addr remote, const struct hws_addr *local)
{
    struct hws_locals any = bound(NULL, 0, 0), l;
    unsigned bits = 0;
    hws_locals_scope(&l, &any, host, 7, &remote, local);
    for (uint32_t i = 0; i < l.count; i++)
        for (unsigned k = 0; k < 7; k++)
            bits |= hws_addr_same(&l.addrs[i], &host[k]) ? 1u << k : 0;
    assert_int_equal(l.count, (uint32_t)__builtin_popcount(bits));
    assert_true(l.any);
    return bits;
}

static int make_host(void **state)
{
    (void)state;
    host[0] = v4(127, 0, 0, 1);
    host[1] = v4(10, 1, 2, 3);
    host[2] = v4(203, 0, 113, 5);
    host[3] = v6(0, 0, 1, 0); /* ::1 */
    host[4] = v6(0xfe, 0x80, 7, 2);
    host[5] = v6(0xfd, 0, 7, 0);
    host[6] = v6(0x20, 1, 7, 0);
    return 0;
}

static void scopes(void **state)
{
    (void)state;
    const unsigned global = 1u << 2 | 1u << 6, private = global | 1u << 1 | 1u << 5;
    const unsigned loopback = private | 1u << 0 | 1u << 3;
    assert_int_equal(told_to(v4(198, 51, 100, 1), NULL), global);
    assert_int_equal(told_to(v6(0x2a, 0, 1, 0), NULL), global);
    assert_int_equal(told_to(v4(192, 168, 1, 1), NULL), private);
    assert_int_equal(told_to(v4(172, 20, 1, 1), NULL), private);
    assert_int_equal(told_to(v4(172, 32, 1, 1), NULL), global);
    assert_int_equal(told_to(v6(0xfc, 1, 1, 0), NULL), private);
    assert_int_equal(told_to(v4(127, 0, 0, 5), NULL), loopback);
    assert_int_equal(told_to(v6(0, 0, 1, 0), NULL), loopback);
    assert_int_equal(told_to(v6(0xfe, 0x80, 9, 2), NULL), private | 1u << 4);
    assert_int_equal(told_to(v6(0xfe, 0x80, 9, 3), NULL), private);
}

/* Where the peer's packet came the peer knows us: that address is told in any case, first. */
static void the_address_it_came_to(void **state)
{
    (void)state;
    assert_int_equal(told_to(v4(198, 51, 100, 1), &host[1]), 1u << 1 | 1u << 2 | 1u << 6);
    struct hws_locals any = bound(NULL, 0, HWS_ENDPOINT_IPV4), l;
    const struct hws_addr remote = v4(198, 51, 100, 1), none = {0};
    hws_locals_scope(&l, &any, host, 7, &remote, &host[1]);
    assert_int_equal(l.count, 2);
    assert_true(hws_addr_same(&l.addrs[0], &host[1]));
    hws_locals_scope(&l, &any, host, 7, &remote, &none);
    assert_int_equal(l.count, 1);
}

static void no_more_than_there_can_be_paths(void **state)
{
    (void)state;
    struct hws_addr many[20];
    for (uint8_t i = 0; i < 20; i++)
        many[i] = v4(203, 0, 113, i);
    struct hws_locals any = bound(NULL, 0, 0), l;
    hws_locals_scope(&l, &any, many, 20, &many[0], &many[15]);
    assert_int_equal(l.count, HWS_LIMIT_PATHS);
    assert_true(hws_addr_same(&l.addrs[0], &many[15]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_takes_all_of_its_families),
        cmocka_unit_test(bound_takes_what_it_lists),
        cmocka_unit_test(what_cannot_be_bound),
        cmocka_unit_test(what_overlaps),
        cmocka_unit_test_setup(scopes, make_host),
        cmocka_unit_test_setup(the_address_it_came_to, make_host),
        cmocka_unit_test(no_more_than_there_can_be_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
