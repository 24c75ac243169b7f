/* Timers as a driver sees them: hws_engine_deadline is never late, hws_engine_expire runs what is
 * due and nothing else, and the heap behind them is moved only when it must be (timer.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/assoc.h"
#include "stack/timer.h"
#include "tests/pair.h"

#define MS UINT64_C(1000)
#define SECOND (1000 * MS)

static struct hws_assoc *assoc_of(const struct pair_end *end)
{
    struct hws_assoc *a = hws_idtab_get(&end->engine->assocs, end->assoc);
    assert_non_null(a);
    return a;
}

static uint64_t earliest(const struct hws_assoc *a)
{
    uint64_t min = HWS_NEVER;
    for (int t = 0; t < HWS_TIMER_COUNT; t++)
        if (a->deadline_us[t] < min)
            min = a->deadline_us[t];
    for (unsigned i = 0; i < a->path_count; i++)
        for (int t = 0; t < HWS_PATH_TIMER_COUNT; t++)
            if (a->paths[i]->deadline_us[t] < min)
                min = a->paths[i]->deadline_us[t];
    return min;
}

/* The engine asks to be called no later than the first timer of any association. */
static void check_never_late(const struct hws_engine *e)
{
    for (uint32_t i = 0; i < e->assocs.capacity; i++) {
        const struct hws_assoc *a = hws_idtab_at(&e->assocs, i);
        if (a == NULL || a->over)
            continue;
        assert_int_not_equal(a->timer_node.index, HWS_HEAP_NONE);
        assert_true(a->timer_node.deadline_us <= earliest(a));
        assert_true(hws_engine_deadline(e) <= earliest(a));
    }
}

/* Runs `end`'s timers at that time; what it sends is left to the next pull. */
static void expire_at(struct pair_end *end, uint64_t at_us)
{
    assert_true(at_us >= end->pair->now_us);
    end->pair->now_us = at_us;
    hws_engine_expire(end->engine, at_us);
    assert_true(hws_engine_deadline(end->engine) > at_us);
    check_never_late(end->engine);
}

/* The counter goes up by one at that time, not a microsecond before and not again after. */
static void counts_at(struct pair_end *end, const uint64_t *counter, uint64_t at_us)
{
    uint64_t before = *counter;
    assert_true(hws_engine_deadline(end->engine) <= at_us);
    expire_at(end, at_us - 1);
    assert_int_equal(*counter, before);
    assert_int_equal(hws_engine_deadline(end->engine), at_us);
    expire_at(end, at_us);
    assert_int_equal(*counter, before + 1);
    expire_at(end, at_us);
    assert_int_equal(*counter, before + 1);
}

/* Up, and the first DATA chunk of each side, which is acknowledged at once (5.1), is over. */
static void connect_and_talk(struct pair *p)
{
    pair_connect(p);
    pair_send(&p->a, 0, 0, "hi", 2);
    pair_send(&p->b, 0, 0, "hi", 2);
    pair_run(p, SECOND);
}

/* ---- Each timer ---- */

static void nothing_to_wait_for(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    assert_int_equal(hws_engine_deadline(p->a.engine), UINT64_MAX);
    hws_engine_expire(p->a.engine, 100 * SECOND);
    assert_int_equal(hws_engine_deadline(p->a.engine), UINT64_MAX);
    pair_free(p);
}

static void t1_init(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    uint64_t start_us = p->now_us;
    counts_at(&p->a, &pair_stats(&p->a)->timeouts_t1, start_us + SECOND);
    counts_at(&p->a, &pair_stats(&p->a)->timeouts_t1, start_us + 3 * SECOND);
    pair_free(p);
}

static void t1_cookie(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    expire_at(&p->a, p->now_us + SECOND / 2);
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT-ACK");
    counts_at(&p->a, &pair_stats(&p->a)->timeouts_t1, p->now_us + SECOND);
    pair_free(p);
}

static void t2_shutdown(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_shutdown(&p->a);
    uint64_t start_us = p->now_us;
    counts_at(&p->a, &pair_stats(&p->a)->timeouts_t2, start_us + SECOND);
    counts_at(&p->a, &pair_stats(&p->a)->timeouts_t2, start_us + 3 * SECOND);
    pair_free(p);
}

static void t3_rtx(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send(&p->a, 0, 0, "data", 4);
    counts_at(&p->a, &pair_stats(&p->a)->timeouts_t3, p->now_us + SECOND);
    pair_free(p);
}

static void delayed_sack(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    connect_and_talk(p);
    pair_send(&p->a, 0, 0, "data", 4);
    pair_arrives(&p->a, "DATA");
    uint64_t due_us = p->now_us + 200 * MS;
    expire_at(&p->b, due_us - 1);
    pair_silent(p);
    assert_int_equal(hws_engine_deadline(p->b.engine), due_us);
    expire_at(&p->b, due_us);
    pair_arrives(&p->b, "SACK");
    pair_free(p);
}

/* 8.3: HB.interval + RTO, the RTO between a half and one and a half times. */
static void heartbeat(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_run(p, SECOND); /* what the handshake's timers have left in the heap is gone */
    uint64_t due_us = earliest(assoc_of(&p->a));
    assert_in_range(due_us, p->now_us + 29500 * MS, p->now_us + 30500 * MS);
    expire_at(&p->a, due_us - 1);
    pair_silent(p);
    expire_at(&p->a, due_us);
    pair_lost(&p->a, "HEARTBEAT");
    pair_free(p);
}

/* 8.3: discontinued after sending SHUTDOWN, whose own timer goes on. */
static void no_heartbeat_after_shutdown(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_shutdown(&p->a);
    for (int i = 0; i < 60; i++) {
        while (p->a.wire_head != NULL)
            pair_lost(&p->a, "SHUTDOWN");
        pair_wait(p, SECOND);
        while (p->b.wire_head != NULL)
            free(pair_take(&p->b));
    }
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_SHUTDOWN_SENT);
    assert_int_equal(pair_stats(&p->a)->heartbeats_out, 0);
    assert_true(pair_stats(&p->b)->heartbeats_out > 0); /* b has heard nothing of it */
    pair_free(p);
}

/* ---- The heap ---- */

/* A timer that is set to an earlier time than any other is seen at once. */
static void an_earlier_timer_moves_the_heap(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_run(p, 5 * SECOND);
    assert_true(hws_engine_deadline(p->a.engine) > p->now_us + 20 * SECOND);
    pair_send(&p->a, 0, 0, "data", 4);
    assert_int_equal(hws_engine_deadline(p->a.engine), p->now_us + SECOND);
    pair_free(p);
}

/* T3 is set anew with every SACK (6.3.2 R3): the heap stays, and the early call finds nothing. */
static void a_later_timer_leaves_the_heap(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    connect_and_talk(p);
    uint64_t first_us = p->now_us + SECOND;
    pair_send_pattern(&p->a, 0, 0, 1, 3000);
    pair_arrives(&p->a, "DATA");
    expire_at(&p->a, first_us - 600 * MS);
    pair_wait(p, 200 * MS);
    pair_arrives(&p->b, "SACK"); /* of the first packet: the others are on the wire */
    uint64_t second_us = p->now_us + pair_path(&p->a).rto_us;
    assert_true(second_us > first_us);
    assert_int_equal(earliest(assoc_of(&p->a)), second_us);
    assert_int_equal(hws_engine_deadline(p->a.engine), first_us);
    expire_at(&p->a, first_us);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 0);
    assert_int_equal(hws_engine_deadline(p->a.engine), second_us);
    counts_at(&p->a, &pair_stats(&p->a)->timeouts_t3, second_us);
    pair_free(p);
}

static void a_stopped_timer_does_nothing(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_run(p, 5 * SECOND);
    pair_send(&p->a, 0, 0, "data", 4);
    uint64_t t3_us = p->now_us + SECOND;
    pair_run(p, 500 * MS); /* acknowledged meanwhile */
    assert_false(pair_status(&p->a).timer_armed);
    expire_at(&p->a, t3_us);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 0);
    pair_silent(p);
    assert_true(hws_engine_deadline(p->a.engine) > p->now_us + 20 * SECOND);
    pair_free(p);
}

/* A driver that comes very late: every timer that is due runs, each of them once. */
static void a_late_call_runs_everything_once(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    connect_and_talk(p);
    pair_send(&p->a, 0, 0, "data", 4);
    pair_lost(&p->a, "DATA");
    pair_send(&p->b, 0, 0, "data", 4);
    pair_arrives(&p->b, "DATA"); /* a owes a SACK */
    const struct hws_stats before = *pair_stats(&p->a);
    expire_at(&p->a, p->now_us + 100 * SECOND);
    pair_pull(p);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 1);
    assert_int_equal(pair_stats(&p->a)->sacks_out, before.sacks_out + 1);
    pair_free(p);
}

static void one_try(struct hws_params *a, struct hws_params *b)
{
    (void)b;
    a->max_init_retrans = 0;
}

/* The handler of one timer ends the association: no other runs, none is left. */
static void timers_end_with_the_association(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = one_try});
    pair_begin(&p->a);
    expire_at(&p->a, p->now_us + 100 * SECOND);
    assert_int_equal(pair_stats(&p->a)->timeouts_t1, 1);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(hws_engine_deadline(p->a.engine), UINT64_MAX);
    pair_free(p);
}

static void abort_stops_all_timers(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send(&p->a, 0, 0, "data", 4);
    assert_int_equal(hws_assoc_abort(p->a.engine, p->a.assoc, NULL, 0, p->now_us), HWS_OK);
    assert_int_equal(hws_engine_deadline(p->a.engine), UINT64_MAX);
    pair_free(p);
}

/* ---- Many associations: T1 of each, to the microsecond ---- */

#define CALLS 200u

/* When T1 expires after the first INIT, RTO doubling from 1 s to 60 s: 8 INITs more, then DOWN. */
static const uint64_t t1_after_s[] = {1, 3, 7, 15, 31, 63, 123, 183, 243};
#define T1_EXPIRIES (sizeof t1_after_s / sizeof t1_after_s[0])

static uint64_t starts_us[CALLS];

static uint64_t expiries_until(uint64_t now_us)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < CALLS; i++)
        for (size_t t = 0; t < T1_EXPIRIES && starts_us[i] != 0; t++)
            count += starts_us[i] + t1_after_s[t] * SECOND <= now_us;
    return count;
}

static void call(struct pair *p, uint32_t i)
{
    hws_assoc_id id;
    starts_us[i] = p->now_us;
    assert_int_equal(hws_assoc_connect(p->a.engine, p->a.endpoint, &p->b.addr, 1,
                                       (uint16_t)(3000 + i), p->now_us, &id),
                     HWS_OK);
}

static void many_associations(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    const uint64_t *t1 = &pair_stats(&p->a)->timeouts_t1;
    struct sim_rng rng = sim_rng_seeded(5);
    memset(starts_us, 0, sizeof starts_us);
    for (uint32_t i = 0; i < CALLS; i++) {
        uint64_t next_us = p->now_us + sim_rng_below(&rng, 2000000);
        while (hws_engine_deadline(p->a.engine) <= next_us) {
            uint64_t at_us = hws_engine_deadline(p->a.engine);
            expire_at(&p->a, at_us);
            assert_int_equal(*t1, expiries_until(at_us));
        }
        expire_at(&p->a, next_us);
        call(p, i);
        check_never_late(p->a.engine);
    }
    while (hws_engine_deadline(p->a.engine) != UINT64_MAX) {
        uint64_t at_us = hws_engine_deadline(p->a.engine);
        expire_at(&p->a, at_us);
        assert_int_equal(*t1, expiries_until(at_us));
    }
    assert_int_equal(*t1, CALLS * T1_EXPIRIES);
    pair_free(p);
}

/* ---- Whatever happens ---- */

static void lose(struct pair_end *end)
{
    if (end->wire_head != NULL)
        free(pair_take(end));
}

static void something_happens(struct pair *p, struct sim_rng *rng)
{
    struct pair_end *end = sim_rng_below(rng, 2) == 0 ? &p->a : &p->b;
    switch (sim_rng_below(rng, 8)) {
    case 0:
    case 1:
        pair_send_pattern(end, (uint16_t)sim_rng_below(rng, 5), 0, 1, 1 + sim_rng_below(rng, 5000));
        break;
    case 2:
        lose(end);
        break;
    case 3:
        pair_settle(p);
        break;
    case 4:
        (void)pair_drain(end);
        break;
    case 5: /* a driver that comes when it likes */
        p->now_us += sim_rng_below(rng, 1500000);
        hws_engine_expire(end->engine, p->now_us);
        assert_true(hws_engine_deadline(end->engine) > p->now_us);
        pair_pull(p);
        break;
    default:
        if (end->wire_head != NULL)
            pair_arrives(end, pair_chunks(end->wire_head));
        break;
    }
}

static bool both_up(const struct pair *p)
{
    return pair_status(&p->a).state == HWS_STATE_ESTABLISHED &&
           pair_status(&p->b).state == HWS_STATE_ESTABLISHED;
}

static void never_late_whatever_happens(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct pair *p = pair_new(NULL);
        struct sim_rng rng = sim_rng_seeded(seed);
        pair_connect(p);
        for (int i = 0; i < 400 && both_up(p); i++) {
            something_happens(p, &rng);
            check_never_late(p->a.engine);
            check_never_late(p->b.engine);
        }
        pair_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_wait_for),
        cmocka_unit_test(t1_init),
        cmocka_unit_test(t1_cookie),
        cmocka_unit_test(t2_shutdown),
        cmocka_unit_test(t3_rtx),
        cmocka_unit_test(delayed_sack),
        cmocka_unit_test(heartbeat),
        cmocka_unit_test(no_heartbeat_after_shutdown),
        cmocka_unit_test(an_earlier_timer_moves_the_heap),
        cmocka_unit_test(a_later_timer_leaves_the_heap),
        cmocka_unit_test(a_stopped_timer_does_nothing),
        cmocka_unit_test(a_late_call_runs_everything_once),
        cmocka_unit_test(timers_end_with_the_association),
        cmocka_unit_test(abort_stops_all_timers),
        cmocka_unit_test(many_associations),
        cmocka_unit_test(never_late_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
