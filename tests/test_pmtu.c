/* The state machine of path MTU discovery (RFC 8899, 5), on networks that answer or do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stack/limits.h"
#include "stack/pmtu.h"

#define BASE HWS_PMTU_BASE_IPV4
#define PROBES_MAX 40u

static struct hws_pmtu told(uint32_t mtu, bool ipv6)
{
    struct hws_pmtu d;
    hws_pmtu_init(&d, ipv6);
    hws_pmtu_set_max(&d, mtu);
    return d;
}

/* Probes until there is nothing more to probe, on a path that carries `path_mtu`; how many. */
static uint32_t probe_all(struct hws_pmtu *d, uint32_t path_mtu)
{
    uint32_t probes = 0;
    while (d->probe != 0) {
        assert_true(probes++ < PROBES_MAX);
        assert_in_range(d->probe, hws_pmtu_min(d), d->max);
        if (d->probe <= path_mtu)
            hws_pmtu_probe_acked(d);
        else
            (void)hws_pmtu_probe_lost(d, true);
    }
    return probes;
}

static struct hws_pmtu searched(uint32_t mtu, uint32_t path_mtu, bool ipv6)
{
    struct hws_pmtu d = told(mtu, ipv6);
    hws_pmtu_wanted(&d);
    probe_all(&d, path_mtu);
    assert_int_equal(d.state, HWS_PMTU_SEARCH_COMPLETE);
    return d;
}

static void ack(struct hws_pmtu *d, uint32_t size)
{
    assert_int_equal(d->probe, size);
    hws_pmtu_probe_acked(d);
}

static void lose(struct hws_pmtu *d, uint32_t size)
{
    assert_int_equal(d->probe, size);
    assert_false(hws_pmtu_probe_lost(d, true));
}

/* ---- The search ---- */

static void packets_start_at_base(void **state)
{
    (void)state;
    assert_int_equal(told(1500, false).plpmtu, 1200);
    assert_int_equal(told(1500, true).plpmtu, 1280);
    assert_int_equal(told(1000, false).plpmtu, 1000);
    assert_int_equal(told(65535, false).plpmtu, 1200);
    assert_int_equal(told(65535, false).probe, 0);
}

/* 5.2: BASE is confirmed, then what is likely. */
static void what_is_told_is_found_at_once(void **state)
{
    (void)state;
    struct hws_pmtu d = told(1500, false);
    hws_pmtu_wanted(&d);
    assert_int_equal(d.state, HWS_PMTU_BASE);
    ack(&d, BASE);
    assert_int_equal(d.state, HWS_PMTU_SEARCHING);
    ack(&d, 1500);
    assert_int_equal(d.state, HWS_PMTU_SEARCH_COMPLETE);
    assert_int_equal(d.plpmtu, 1500);
    assert_int_equal(d.probe, 0);
    d = told(9000, true);
    hws_pmtu_wanted(&d);
    ack(&d, HWS_PMTU_BASE_IPV6);
    ack(&d, 1500);
    ack(&d, 9000);
    assert_int_equal(d.plpmtu, 9000);
}

static void odd_interfaces_are_used_whole(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {600, 1199, 1201, 1283, 1407, 1501, 8999, 65535};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct hws_pmtu d = searched(sizes[i], 65535, false);
        assert_int_equal(d.plpmtu, sizes[i]);
    }
}

/* Three losses in a row end the search (5.3.1), each at another size. */
static void jumbo_frames_that_do_not_pass(void **state)
{
    (void)state;
    struct hws_pmtu d = told(9000, false);
    hws_pmtu_wanted(&d);
    ack(&d, BASE);
    ack(&d, 1500);
    lose(&d, 9000);
    lose(&d, 4352);
    lose(&d, 2924);
    assert_int_equal(d.state, HWS_PMTU_SEARCH_COMPLETE);
    assert_int_equal(d.plpmtu, 1500);
}

static void common_sizes_are_found_exactly(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {576,  1006, 1280, 1400, 1420, 1450, 1472,
                                     1480, 1492, 1500, 4352, 9000, 16384};
    static const uint32_t tellings[] = {1500, 9000, 65535};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (size_t t = 0; t < 3; t++)
            if (sizes[i] <= tellings[t])
                assert_int_equal(searched(tellings[t], sizes[i], false).plpmtu, sizes[i]);
}

/* Never more than passes, and not much less, within few probes. */
static void any_path_below_ethernets(void **state)
{
    (void)state;
    for (uint32_t path_mtu = HWS_LIMIT_MTU_MIN; path_mtu <= 1500; path_mtu++)
        for (int ipv6 = 0; ipv6 <= (path_mtu >= 1280); ipv6++) {
            struct hws_pmtu d = told(1500, ipv6);
            hws_pmtu_wanted(&d);
            assert_in_range(probe_all(&d, path_mtu), 2, 16);
            assert_in_range(d.plpmtu, path_mtu - path_mtu / (path_mtu < 1006 ? 6 : 16), path_mtu);
        }
}

/* A probe lost by chance costs little: a size near it passes. */
static void a_lost_probe_is_no_disaster(void **state)
{
    (void)state;
    struct hws_pmtu d = told(1500, false);
    hws_pmtu_wanted(&d);
    ack(&d, BASE);
    lose(&d, 1500);
    probe_all(&d, 1500);
    assert_int_equal(d.plpmtu, 1492);
    d = told(65535, false);
    hws_pmtu_wanted(&d);
    lose(&d, BASE);
    lose(&d, BASE);
    ack(&d, BASE);
    ack(&d, 1500);
    lose(&d, 65535);
    probe_all(&d, 65535);
    assert_in_range(d.plpmtu, 64512, 65535);
}

/* ---- Raising ---- */

static void raise_timer_searches_when_it_is_of_use(void **state)
{
    (void)state;
    struct hws_pmtu d = searched(9000, 1500, false);
    hws_pmtu_raise(&d);
    assert_int_equal(d.probe, 0); /* nothing was sent since */
    hws_pmtu_wanted(&d);
    assert_int_equal(d.state, HWS_PMTU_SEARCHING);
    ack(&d, 9000);
    d = searched(9000, 1500, false);
    hws_pmtu_wanted(&d);
    assert_int_equal(d.probe, 0);
    hws_pmtu_raise(&d);
    ack(&d, 9000);
    assert_int_equal(d.plpmtu, 9000);
}

static void a_larger_interface_is_searched(void **state)
{
    (void)state;
    struct hws_pmtu d = searched(1500, 1500, false);
    hws_pmtu_set_max(&d, 9000);
    assert_int_equal(d.probe, 0);
    hws_pmtu_wanted(&d);
    ack(&d, 9000);
    assert_int_equal(d.plpmtu, 9000);
}

static void an_interface_that_grows_during_the_search(void **state)
{
    (void)state;
    struct hws_pmtu d = told(1500, false);
    hws_pmtu_wanted(&d);
    ack(&d, BASE);
    lose(&d, 1500);
    ack(&d, 1280);
    hws_pmtu_set_max(&d, 9000);
    probe_all(&d, 1450);
    assert_int_equal(d.plpmtu, 1450);
    hws_pmtu_wanted(&d);
    assert_int_equal(d.probe, 1500);
}

static void a_smaller_interface_takes_effect_at_once(void **state)
{
    (void)state;
    struct hws_pmtu d = searched(9000, 9000, false);
    hws_pmtu_set_max(&d, 1500);
    assert_int_equal(d.plpmtu, 1500);
    d = told(9000, false);
    hws_pmtu_wanted(&d);
    ack(&d, BASE);
    ack(&d, 1500);
    assert_int_equal(d.probe, 9000);
    hws_pmtu_set_max(&d, 1400);
    assert_int_equal(d.plpmtu, 1400);
    assert_int_equal(d.probe, 0);
    d = told(9000, false);
    hws_pmtu_wanted(&d);
    hws_pmtu_set_max(&d, 600);
    probe_all(&d, 65535);
    assert_int_equal(d.plpmtu, 600);
}

/* ---- Black holes (4.3) ---- */

static void suspicion_is_cleared_by_a_probe(void **state)
{
    (void)state;
    struct hws_pmtu d = searched(1500, 1500, false);
    hws_pmtu_suspect(&d);
    ack(&d, 1500);
    assert_int_equal(d.state, HWS_PMTU_SEARCH_COMPLETE);
    assert_int_equal(d.plpmtu, 1500);
    assert_int_equal(d.probe, 0);
    d = told(9000, false);
    hws_pmtu_wanted(&d);
    ack(&d, BASE);
    ack(&d, 1500);
    hws_pmtu_suspect(&d); /* while 9000 is probed */
    ack(&d, 1500);
    ack(&d, 9000);
    assert_int_equal(d.plpmtu, 9000);
}

static void a_path_that_does_not_answer_falls_back_at_once(void **state)
{
    (void)state;
    struct hws_pmtu d = searched(1500, 1500, false);
    hws_pmtu_suspect(&d);
    assert_int_equal(d.probe, 1500);
    assert_true(hws_pmtu_probe_lost(&d, false));
    assert_int_equal(d.state, HWS_PMTU_BASE);
    assert_int_equal(d.plpmtu, BASE);
    ack(&d, BASE);
    probe_all(&d, 1420);
    assert_int_equal(d.plpmtu, 1420);
}

static void a_path_that_is_alive_is_probed_twice(void **state)
{
    (void)state;
    struct hws_pmtu d = searched(1500, 1500, true);
    hws_pmtu_suspect(&d);
    hws_pmtu_suspect(&d);
    lose(&d, 1500);
    assert_int_equal(d.plpmtu, 1500);
    assert_int_equal(d.probe, 1500);
    assert_true(hws_pmtu_probe_lost(&d, true));
    assert_int_equal(d.plpmtu, HWS_PMTU_BASE_IPV6);
}

/* 5.2: ERROR, where not even BASE passes; IPv6 has nothing smaller. */
static void smaller_than_base(void **state)
{
    (void)state;
    struct hws_pmtu d = told(1500, false);
    hws_pmtu_wanted(&d);
    lose(&d, BASE);
    lose(&d, BASE);
    assert_int_equal(d.probe, BASE);
    assert_true(hws_pmtu_probe_lost(&d, true));
    assert_int_equal(d.state, HWS_PMTU_ERROR);
    assert_int_equal(d.plpmtu, HWS_LIMIT_MTU_MIN);
    ack(&d, HWS_LIMIT_MTU_MIN);
    assert_int_equal(d.state, HWS_PMTU_SEARCHING);
    assert_int_equal(d.probe, BASE); /* it may have been an outage */
    probe_all(&d, 1006);
    assert_int_equal(d.plpmtu, 1006);
}

static void a_dead_path_is_not_probed_forever(void **state)
{
    (void)state;
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct hws_pmtu d = searched(1500, 1500, ipv6);
        hws_pmtu_suspect(&d);
        assert_true(hws_pmtu_probe_lost(&d, false));
        assert_in_range(probe_all(&d, 0), 3, 6);
        assert_int_equal(d.state, HWS_PMTU_DISABLED);
        assert_int_equal(d.plpmtu, hws_pmtu_base(&d));
        hws_pmtu_wanted(&d);
        assert_int_equal(d.probe, 0);
        if (ipv6)
            hws_pmtu_recovered(&d);
        else
            hws_pmtu_raise(&d);
        assert_int_equal(d.probe, 0);
        hws_pmtu_wanted(&d);
        probe_all(&d, 1500);
        assert_int_equal(d.plpmtu, 1500);
    }
}

/* While data is lost on a dead path, one small probe at a time asks whether it is back. */
static void a_dead_path_is_asked_for_data(void **state)
{
    (void)state;
    struct hws_pmtu d = searched(1500, 1500, false);
    hws_pmtu_ask(&d);
    assert_int_equal(d.state, HWS_PMTU_SEARCH_COMPLETE);
    hws_pmtu_suspect(&d);
    assert_true(hws_pmtu_probe_lost(&d, false));
    probe_all(&d, 0);
    for (int i = 0; i < 3; i++) {
        hws_pmtu_ask(&d);
        lose(&d, HWS_LIMIT_MTU_MIN);
        assert_int_equal(d.state, HWS_PMTU_DISABLED);
        assert_int_equal(d.plpmtu, BASE);
    }
    hws_pmtu_ask(&d);
    hws_pmtu_ask(&d);
    assert_int_equal(d.plpmtu, HWS_LIMIT_MTU_MIN);
    probe_all(&d, 576);
    assert_int_equal(d.state, HWS_PMTU_SEARCH_COMPLETE);
    assert_int_equal(d.plpmtu, 576);
    hws_pmtu_ask(&d);
    assert_int_equal(d.probe, 0);
}

/* Without a search, too: IPv4 paths narrower than BASE exist. */
static void suspicion_before_any_search(void **state)
{
    (void)state;
    struct hws_pmtu d = told(1500, false);
    hws_pmtu_suspect(&d);
    assert_int_equal(d.state, HWS_PMTU_BASE);
    probe_all(&d, 576);
    assert_int_equal(d.plpmtu, 576);
    d = told(1500, true);
    hws_pmtu_suspect(&d);
    assert_int_equal(d.probe, 0);
}

/* ---- Packet Too Big (4.6.2) ---- */

static void a_ptb_of_a_probe_is_the_next_size(void **state)
{
    (void)state;
    struct hws_pmtu d = told(9000, false);
    hws_pmtu_wanted(&d);
    ack(&d, BASE);
    ack(&d, 1500);
    assert_int_equal(d.probe, 9000);
    assert_false(hws_pmtu_too_big(&d, 2000));
    assert_int_equal(d.plpmtu, 1500);
    ack(&d, 2000);
    assert_int_equal(d.state, HWS_PMTU_SEARCH_COMPLETE);
    assert_int_equal(d.plpmtu, 2000);
}

static void a_ptb_of_the_size_in_use_ends_the_search(void **state)
{
    (void)state;
    struct hws_pmtu d = told(9000, false);
    hws_pmtu_wanted(&d);
    ack(&d, BASE);
    ack(&d, 1500);
    assert_false(hws_pmtu_too_big(&d, 1500));
    assert_int_equal(d.state, HWS_PMTU_SEARCH_COMPLETE);
    assert_int_equal(d.plpmtu, 1500);
}

/* It never sets the size: BASE is used until a probe has confirmed it. */
static void a_ptb_of_data_falls_back_and_is_probed(void **state)
{
    (void)state;
    struct hws_pmtu d = searched(1500, 1500, false);
    assert_true(hws_pmtu_too_big(&d, 1400));
    assert_int_equal(d.state, HWS_PMTU_BASE);
    assert_int_equal(d.plpmtu, BASE);
    assert_false(hws_pmtu_too_big(&d, 1400)); /* each packet in flight brings one */
    ack(&d, BASE);
    ack(&d, 1400);
    assert_int_equal(d.state, HWS_PMTU_SEARCH_COMPLETE);
    assert_int_equal(d.plpmtu, 1400);
}

static void a_ptb_below_base(void **state)
{
    (void)state;
    struct hws_pmtu d = searched(1500, 1500, false);
    assert_true(hws_pmtu_too_big(&d, 1000));
    assert_int_equal(d.state, HWS_PMTU_ERROR);
    assert_int_equal(d.plpmtu, HWS_LIMIT_MTU_MIN);
    ack(&d, 1000);
    assert_int_equal(d.state, HWS_PMTU_SEARCH_COMPLETE);
    assert_int_equal(d.plpmtu, 1000);
    d = told(1500, false); /* before anything was probed */
    assert_true(hws_pmtu_too_big(&d, 1000));
    assert_int_equal(d.plpmtu, HWS_LIMIT_MTU_MIN);
    hws_pmtu_wanted(&d);
    assert_false(hws_pmtu_too_big(&d, 1000)); /* of BASE */
    ack(&d, 1000);
    assert_int_equal(d.plpmtu, 1000);
}

static void impossible_ptbs_change_nothing(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 1, 68, 511, 1500, 1501, 65535, UINT32_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct hws_pmtu d = searched(1500, 1500, false);
        assert_false(hws_pmtu_too_big(&d, sizes[i]));
        assert_int_equal(d.plpmtu, 1500);
        assert_int_equal(d.probe, 0);
    }
    struct hws_pmtu d = searched(1500, 1500, true); /* IPv6: never below 1280 (RFC 8200, 5) */
    assert_false(hws_pmtu_too_big(&d, 1279));
    assert_int_equal(d.plpmtu, 1500);
}

/* A forged one holds until the next search, at most. */
static void a_ptb_does_not_bound_the_next_search(void **state)
{
    (void)state;
    struct hws_pmtu d = searched(1500, 1500, false);
    assert_true(hws_pmtu_too_big(&d, BASE));
    probe_all(&d, 1500);
    assert_int_equal(d.plpmtu, BASE);
    hws_pmtu_raise(&d);
    hws_pmtu_wanted(&d);
    ack(&d, 1500);
    assert_int_equal(d.plpmtu, 1500);
}

/* ---- Refused by this host ---- */

static void a_refused_probe_bounds_the_search(void **state)
{
    (void)state;
    struct hws_pmtu d = told(9000, false);
    hws_pmtu_wanted(&d);
    ack(&d, BASE);
    ack(&d, 1500);
    hws_pmtu_probe_refused(&d);
    assert_int_equal(d.plpmtu, 1500);
    assert_int_equal(d.probe, 4352);
}

static void refused_data_falls_back(void **state)
{
    (void)state;
    struct hws_pmtu d = searched(9000, 9000, false);
    assert_true(hws_pmtu_refused(&d));
    assert_int_equal(d.plpmtu, BASE);
    assert_true(hws_pmtu_refused(&d));
    assert_int_equal(d.plpmtu, HWS_LIMIT_MTU_MIN);
    assert_false(hws_pmtu_refused(&d));
    d = told(9000, false);
    assert_true(hws_pmtu_refused(&d));
    assert_int_equal(d.plpmtu, HWS_LIMIT_MTU_MIN);
}

/* ---- All of it at once ---- */

static void one_event(struct hws_pmtu *d, unsigned what, uint32_t size)
{
    switch (what) {
    case 0:
        hws_pmtu_set_max(d, size);
        break;
    case 1:
        hws_pmtu_suspect(d);
        break;
    case 2:
        hws_pmtu_raise(d);
        break;
    case 3:
        (void)hws_pmtu_too_big(d, size);
        break;
    case 4:
        if (d->probe > d->plpmtu)
            hws_pmtu_probe_refused(d);
        else
            (void)hws_pmtu_refused(d);
        break;
    case 5:
        hws_pmtu_recovered(d);
        hws_pmtu_disable(d);
        break;
    case 6:
        hws_pmtu_ask(d);
        break;
    default:
        hws_pmtu_wanted(d);
        break;
    }
    if (what > 6 && d->probe != 0 && size % 3 != 0)
        hws_pmtu_probe_acked(d);
    else if (what > 6 && d->probe != 0)
        (void)hws_pmtu_probe_lost(d, size % 2);
}

/* Whatever happens in whatever order: sizes stay in bounds, and every search ends. */
static void any_events_in_any_order(void **state)
{
    (void)state;
    srand(8899);
    for (int run = 0; run < 2000; run++) {
        struct hws_pmtu d = told(1500, run % 2);
        for (int i = 0; i < 200; i++) {
            uint32_t size = HWS_LIMIT_MTU_MIN + (uint32_t)rand() % (run % 4 < 2 ? 1200 : 65000);
            one_event(&d, (unsigned)rand() % 12, size);
            assert_in_range(d.plpmtu, hws_pmtu_min(&d), d.max);
            assert_true(d.probe == 0 || (d.probe >= hws_pmtu_min(&d) && d.probe <= d.max));
            assert_true(d.probe == 0 || d.state != HWS_PMTU_DISABLED);
            assert_true(d.probe != 0 || d.state == HWS_PMTU_DISABLED ||
                        d.state == HWS_PMTU_SEARCH_COMPLETE);
        }
        (void)probe_all(&d, d.plpmtu);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_start_at_base),
        cmocka_unit_test(what_is_told_is_found_at_once),
        cmocka_unit_test(odd_interfaces_are_used_whole),
        cmocka_unit_test(jumbo_frames_that_do_not_pass),
        cmocka_unit_test(common_sizes_are_found_exactly),
        cmocka_unit_test(any_path_below_ethernets),
        cmocka_unit_test(a_lost_probe_is_no_disaster),
        cmocka_unit_test(raise_timer_searches_when_it_is_of_use),
        cmocka_unit_test(a_larger_interface_is_searched),
        cmocka_unit_test(an_interface_that_grows_during_the_search),
        cmocka_unit_test(a_smaller_interface_takes_effect_at_once),
        cmocka_unit_test(suspicion_is_cleared_by_a_probe),
        cmocka_unit_test(a_path_that_does_not_answer_falls_back_at_once),
        cmocka_unit_test(a_path_that_is_alive_is_probed_twice),
        cmocka_unit_test(smaller_than_base),
        cmocka_unit_test(a_dead_path_is_not_probed_forever),
        cmocka_unit_test(a_dead_path_is_asked_for_data),
        cmocka_unit_test(suspicion_before_any_search),
        cmocka_unit_test(a_ptb_of_a_probe_is_the_next_size),
        cmocka_unit_test(a_ptb_of_the_size_in_use_ends_the_search),
        cmocka_unit_test(a_ptb_of_data_falls_back_and_is_probed),
        cmocka_unit_test(a_ptb_below_base),
        cmocka_unit_test(impossible_ptbs_change_nothing),
        cmocka_unit_test(a_ptb_does_not_bound_the_next_search),
        cmocka_unit_test(a_refused_probe_bounds_the_search),
        cmocka_unit_test(refused_data_falls_back),
        cmocka_unit_test(any_events_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
