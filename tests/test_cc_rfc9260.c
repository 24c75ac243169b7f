#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/cc.h"
#include "stack/limits.h"
#include "stack/registry.h"

#define PMDCS 1452u

static const struct hws_cc_ops *const cc = &hws_cc_rfc9260;
static uint64_t state_words[HWS_EXT_CC_STATE_MAX / 8];
static void *const s = state_words;

static void start(uint32_t pmdcs_bytes, uint32_t l, bool ipv6)
{
    memset(state_words, 0, sizeof state_words);
    cc->init(s, &(struct hws_cc_config){
                    .pmdcs_bytes = pmdcs_bytes,
                    .ipv6 = ipv6,
                    .slow_start_l = l,
                });
}

/** A SACK for `acked_bytes` while cwnd was in full use. */
static void ack_full(uint32_t acked_bytes)
{
    uint32_t flight_bytes = cc->cwnd(s);
    cc->ack(s, &(struct hws_cc_ack){
                   .acked_bytes = acked_bytes,
                   .flight_before_bytes = flight_bytes,
                   .flight_bytes = flight_bytes > acked_bytes ? flight_bytes - acked_bytes : 1,
                   .cum_advanced = true,
                   .cwnd_limited = true,
               });
}

/** Congestion avoidance with a cwnd of 10 * PMDCS and ssthresh of 9 * PMDCS. */
static void start_avoidance(void)
{
    start(PMDCS, 1, false);
    while (cc->cwnd(s) < 18 * PMDCS)
        ack_full(PMDCS);
    cc->loss(s, 0, 0);
    ack_full(PMDCS);
    assert_true(cc->cwnd(s) > cc->ssthresh(s));
}

static void found_by_name(void **state)
{
    (void)state;
    struct hws_registry r;
    hws_registry_init(&r, NULL, 0);
    assert_ptr_equal(hws_registry_cc(&r, NULL), cc);
    assert_ptr_equal(hws_registry_cc(&r, "rfc9260"), cc);
    assert_null(hws_registry_cc(&r, "rfc"));
    assert_true(cc->state_size <= HWS_EXT_CC_STATE_MAX);
}

/* 7.2.1: min(4 * PMDCS, max(2 * PMDCS, 4404 or 4344)) */
static void initial_cwnd(void **state)
{
    (void)state;
    const struct {
        uint32_t pmdcs_bytes;
        bool ipv6;
        uint32_t cwnd_bytes;
    } rows[] = {
        {500, false, 2000},   {1452, false, 4404},   {1432, true, 4344},
        {8952, false, 17904}, {65492, true, 130984},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        start(rows[i].pmdcs_bytes, 1, rows[i].ipv6);
        assert_int_equal(cc->cwnd(s), rows[i].cwnd_bytes);
        assert_int_equal(cc->ssthresh(s), UINT32_MAX);
    }
}

/* 7.2.1: the lesser of what was acknowledged and L * PMDCS */
static void slow_start_growth(void **state)
{
    (void)state;
    start(PMDCS, 1, false);
    ack_full(1000);
    assert_int_equal(cc->cwnd(s), 4404 + 1000);
    ack_full(2 * PMDCS);
    assert_int_equal(cc->cwnd(s), 4404 + 1000 + PMDCS);
    start(PMDCS, 3, false);
    ack_full(2 * PMDCS);
    assert_int_equal(cc->cwnd(s), 4404 + 2 * PMDCS);
    ack_full(4 * PMDCS);
    assert_int_equal(cc->cwnd(s), 4404 + 5 * PMDCS);
}

/* 7.2.1: only while cwnd is in full use and outside Fast Recovery */
static void slow_start_stands_still(void **state)
{
    (void)state;
    struct hws_cc_ack ack = {.acked_bytes = PMDCS, .flight_before_bytes = PMDCS};
    start(PMDCS, 1, false);
    cc->ack(s, &ack);
    assert_int_equal(cc->cwnd(s), 4404);
    ack.cwnd_limited = true;
    ack.in_recovery = true;
    cc->ack(s, &ack);
    assert_int_equal(cc->cwnd(s), 4404);
}

/* A large L does not carry cwnd far past ssthresh. */
static void slow_start_ends_at_ssthresh(void **state)
{
    (void)state;
    start(PMDCS, 32, false);
    while (cc->cwnd(s) < 100 * PMDCS)
        ack_full(32 * PMDCS);
    cc->timeout(s, 0, 0);
    uint32_t ssthresh_bytes = cc->ssthresh(s);
    while (cc->cwnd(s) < ssthresh_bytes)
        ack_full(32 * PMDCS);
    assert_in_range(cc->cwnd(s), ssthresh_bytes, ssthresh_bytes + PMDCS);
    ack_full(32 * PMDCS);
    assert_in_range(cc->cwnd(s), ssthresh_bytes, ssthresh_bytes + PMDCS);
}

/* 7.2.2: one PMDCS per cwnd of acknowledged bytes */
static void avoidance_growth(void **state)
{
    (void)state;
    start_avoidance();
    uint32_t cwnd_bytes = cc->cwnd(s);
    uint32_t acked_bytes = 0;
    while (acked_bytes + PMDCS < cwnd_bytes) {
        ack_full(PMDCS);
        acked_bytes += PMDCS;
        assert_int_equal(cc->cwnd(s), cwnd_bytes);
    }
    ack_full(PMDCS);
    assert_int_equal(cc->cwnd(s), cwnd_bytes + PMDCS);
}

/* 7.2.2: partial_bytes_acked does not pile up while cwnd is not in use */
static void avoidance_without_full_use(void **state)
{
    (void)state;
    start_avoidance();
    uint32_t cwnd_bytes = cc->cwnd(s);
    struct hws_cc_ack ack = {.acked_bytes = PMDCS, .flight_before_bytes = cwnd_bytes - 1};
    for (int i = 0; i < 100; i++)
        cc->ack(s, &ack);
    assert_int_equal(cc->cwnd(s), cwnd_bytes);
    ack_full(PMDCS);
    assert_int_equal(cc->cwnd(s), cwnd_bytes + PMDCS);
    ack_full(PMDCS);
    assert_int_equal(cc->cwnd(s), cwnd_bytes + PMDCS);
}

/* 7.2.2, last rule: everything acknowledged starts partial_bytes_acked anew */
static void all_acked_resets_partial_bytes(void **state)
{
    (void)state;
    start_avoidance();
    uint32_t cwnd_bytes = cc->cwnd(s);
    struct hws_cc_ack ack = {
        .acked_bytes = cwnd_bytes - 1, .flight_before_bytes = cwnd_bytes, .all_acked = true};
    cc->ack(s, &ack);
    ack_full(PMDCS);
    assert_int_equal(cc->cwnd(s), cwnd_bytes);
}

/* 7.2.3 */
static void loss_halves(void **state)
{
    (void)state;
    start(PMDCS, 1, false);
    while (cc->cwnd(s) < 40 * PMDCS)
        ack_full(PMDCS);
    uint32_t cwnd_bytes = cc->cwnd(s);
    cc->loss(s, 0, cwnd_bytes);
    assert_int_equal(cc->cwnd(s), cwnd_bytes / 2);
    assert_int_equal(cc->ssthresh(s), cwnd_bytes / 2);
    for (int i = 0; i < 10; i++)
        cc->loss(s, 0, 0);
    assert_int_equal(cc->cwnd(s), 4 * PMDCS);
}

/* 7.2.3 */
static void timeout_leaves_one_pmdcs(void **state)
{
    (void)state;
    start(PMDCS, 1, false);
    while (cc->cwnd(s) < 40 * PMDCS)
        ack_full(PMDCS);
    uint32_t cwnd_bytes = cc->cwnd(s);
    cc->timeout(s, 0, cwnd_bytes);
    assert_int_equal(cc->cwnd(s), PMDCS);
    assert_int_equal(cc->ssthresh(s), cwnd_bytes / 2);
    cc->timeout(s, 0, PMDCS);
    assert_int_equal(cc->cwnd(s), PMDCS);
    assert_int_equal(cc->ssthresh(s), 4 * PMDCS);
}

/* 7.2.1, last rule */
static void idle_decays_once_per_rto(void **state)
{
    (void)state;
    start(PMDCS, 1, false);
    while (cc->cwnd(s) < 40 * PMDCS)
        ack_full(PMDCS);
    uint32_t cwnd_bytes = cc->cwnd(s);
    cc->idle(s, 999, 1000);
    assert_int_equal(cc->cwnd(s), cwnd_bytes);
    assert_int_equal(cc->ssthresh(s), UINT32_MAX);
    cc->idle(s, 2999, 1000);
    assert_int_equal(cc->cwnd(s), cwnd_bytes / 2 / 2);
    assert_int_equal(cc->ssthresh(s), cwnd_bytes);
    cc->idle(s, UINT64_MAX, 1);
    assert_int_equal(cc->cwnd(s), 4 * PMDCS);
}

static void idle_never_grows(void **state)
{
    (void)state;
    start(PMDCS, 1, false);
    cc->timeout(s, 0, 0);
    cc->idle(s, UINT64_MAX, 1);
    assert_int_equal(cc->cwnd(s), PMDCS);
}

static void mtu_before_and_after_first_data(void **state)
{
    (void)state;
    start(1232, 1, false);
    cc->mtu(s, 65492);
    assert_int_equal(cc->cwnd(s), 2 * 65492);
    cc->mtu(s, PMDCS);
    assert_int_equal(cc->cwnd(s), 4404);
    cc->sent(s, 0, PMDCS, PMDCS);
    cc->mtu(s, 2000);
    assert_int_equal(cc->cwnd(s), 4404);
    cc->mtu(s, 8952);
    assert_int_equal(cc->cwnd(s), 4404);
}

static void cwnd_is_bounded(void **state)
{
    (void)state;
    start(65492, UINT32_MAX, false);
    for (int i = 0; i < 10; i++)
        ack_full(UINT32_MAX);
    assert_int_equal(cc->cwnd(s), 1u << 30);
    cc->loss(s, 0, 0);
    for (int i = 0; i < 100000; i++)
        ack_full(UINT32_MAX);
    assert_int_equal(cc->cwnd(s), 1u << 30);
    assert_null(cc->pacing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_by_name),
        cmocka_unit_test(initial_cwnd),
        cmocka_unit_test(slow_start_growth),
        cmocka_unit_test(slow_start_stands_still),
        cmocka_unit_test(slow_start_ends_at_ssthresh),
        cmocka_unit_test(avoidance_growth),
        cmocka_unit_test(avoidance_without_full_use),
        cmocka_unit_test(all_acked_resets_partial_bytes),
        cmocka_unit_test(loss_halves),
        cmocka_unit_test(timeout_leaves_one_pmdcs),
        cmocka_unit_test(idle_decays_once_per_rto),
        cmocka_unit_test(idle_never_grows),
        cmocka_unit_test(mtu_before_and_after_first_data),
        cmocka_unit_test(cwnd_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
