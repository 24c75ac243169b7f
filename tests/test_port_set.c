#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "api/link/port_set.h"

static struct hws_port_set set_of(const uint16_t *ports, size_t count)
{
    struct hws_port_set set = {.words = {0}};
    for (size_t i = 0; i < count; i++)
        hws_port_set_add(&set, ports[i]);
    return set;
}

static void test_membership(void **state)
{
    (void)state;
    struct hws_port_set set = set_of((uint16_t[]){0, 63, 64, 65535}, 4);
    assert_true(hws_port_set_has(&set, 0) && hws_port_set_has(&set, 63));
    assert_true(hws_port_set_has(&set, 64) && hws_port_set_has(&set, 65535));
    assert_false(hws_port_set_has(&set, 1) || hws_port_set_has(&set, 65534));
    hws_port_set_remove(&set, 64);
    assert_false(hws_port_set_has(&set, 64));
    assert_true(hws_port_set_has(&set, 63));
}

static void test_ranges(void **state)
{
    (void)state;
    struct hws_port_range ranges[4];
    struct hws_port_set set = set_of((uint16_t[]){0, 1, 2, 63, 64, 65535}, 6);
    assert_int_equal(hws_port_set_ranges(&set, ranges, 4), 3);
    assert_int_equal(ranges[0].first, 0);
    assert_int_equal(ranges[0].last, 2);
    assert_int_equal(ranges[1].first, 63);
    assert_int_equal(ranges[1].last, 64);
    assert_int_equal(ranges[2].first, 65535);
    assert_int_equal(ranges[2].last, 65535);
    struct hws_port_set empty = {.words = {0}};
    assert_int_equal(hws_port_set_ranges(&empty, ranges, 4), 0);
}

static void test_whole_space_is_one_range(void **state)
{
    (void)state;
    struct hws_port_range range;
    struct hws_port_set set = {.words = {0}};
    for (uint32_t port = 0; port < 65536; port++)
        hws_port_set_add(&set, (uint16_t)port);
    assert_int_equal(hws_port_set_ranges(&set, &range, 1), 1);
    assert_int_equal(range.first, 0);
    assert_int_equal(range.last, 65535);
}

static void test_widened_across_narrow_gaps(void **state)
{
    (void)state;
    struct hws_port_range ranges[2];
    struct hws_port_set set = set_of((uint16_t[]){10, 12, 14, 1000, 1002}, 5);
    assert_int_equal(hws_port_set_ranges(&set, ranges, 2), 2);
    assert_int_equal(ranges[0].first, 10);
    assert_int_equal(ranges[0].last, 14);
    assert_int_equal(ranges[1].first, 1000);
    assert_int_equal(ranges[1].last, 1002);
}

static void test_random_sets_lie_within_their_ranges(void **state)
{
    (void)state;
    struct hws_port_range ranges[64];
    srand(1);
    for (int round = 0; round < 20; round++) {
        struct hws_port_set set = {.words = {0}};
        for (int i = 0; i < 1 + round * 50; i++)
            hws_port_set_add(&set, (uint16_t)rand());
        size_t count = hws_port_set_ranges(&set, ranges, 64);
        assert_in_range(count, 1, 64);
        size_t at = 0;
        for (uint32_t port = 0; port < 65536; port++) {
            while (at < count && ranges[at].last < port)
                at++;
            if (hws_port_set_has(&set, (uint16_t)port))
                assert_true(at < count && ranges[at].first <= port);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_membership),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_whole_space_is_one_range),
        cmocka_unit_test(test_widened_across_narrow_gaps),
        cmocka_unit_test(test_random_sets_lie_within_their_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
