/* Stories of path selectors, good and bad ones, and of chunks that leave on several paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/observer.h"
#include "tests/pair.h"

#define SECOND 1000000u

/* A selector that answers what the story wants, and notes what it is asked. */
static struct {
    struct hws_pathsel_choice choice;
    bool declines;
    uint32_t picks, sent, sent_copies, changes, starts;
    struct hws_pathsel_args last;
    struct hws_ext_path paths[PAIR_ADDRS_MAX];
} told;

static void told_init(void *state)
{
    assert_int_equal(*(uint64_t *)state, 0);
    *(uint64_t *)state = 1;
    told.starts++;
}

static bool told_pick(void *state, const struct hws_pathsel_args *args,
                      struct hws_pathsel_choice *choice)
{
    assert_int_equal(*(uint64_t *)state, 1);
    told.picks++;
    told.last = *args;
    assert_in_range(args->path_count, 1, PAIR_ADDRS_MAX);
    memcpy(told.paths, args->paths, args->path_count * sizeof *args->paths);
    *choice = told.choice;
    return !told.declines;
}

static void told_sent(void *state, uint32_t path, uint32_t bytes, bool copy)
{
    (void)state;
    (void)path;
    assert_true(bytes > 16);
    told.sent += !copy;
    told.sent_copies += copy;
}

static void told_changed(void *state, uint32_t path, const struct hws_ext_path *facts)
{
    (void)state;
    assert_in_range(path, 0, PAIR_ADDRS_MAX - 1);
    assert_in_range(facts->state, HWS_PATH_UNCONFIRMED, HWS_PATH_INACTIVE);
    told.changes++;
}

static const struct hws_pathsel_ops told_ops = {
    .name = "told",
    .state_size = 8,
    .init = told_init,
    .pick = told_pick,
    .sent = told_sent,
    .path_changed = told_changed,
};

static const struct hws_pathsel_ops *const told_list[] = {&told_ops, NULL};
static const struct hws_extension extension = {
    .api = HWS_EXTEND_API, .name = "told", .pathsels = told_list};
static const struct hws_extension *const extensions[] = {&extension};

static void use_told(struct hws_params *a, struct hws_params *b)
{
    (void)b;
    a->pathsel = "told";
    a->nodelay = true;
}

static struct pair *begin_with(void (*params)(struct hws_params *a, struct hws_params *b))
{
    memset(&told, 0, sizeof told);
    struct pair *p = pair_new(&(struct pair_options){
        .addrs = 3, .params = params, .extensions = extensions, .extension_count = 1});
    pair_connect(p);
    pair_run(p, 10ull * SECOND);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(pair_path_to(&p->a, &p->b.addrs[i]).confirmed);
    return p;
}

static struct pair *begin(void)
{
    return begin_with(use_told);
}

/* The first packet of `a` goes to that address of b, and has these chunks. */
static void leaves_to(struct pair *p, uint32_t index, const char *chunks)
{
    struct pair_packet *first = pair_first(&p->a);
    assert_true(hws_addr_same(&first->dst, &p->b.addrs[index]));
    assert_string_equal(pair_chunks(first), chunks);
}

static uint32_t flight_on(struct pair *p, uint32_t index)
{
    return pair_path_to(&p->a, &p->b.addrs[index]).flight_bytes;
}

#define CHUNK(len) (16u + (((len) + 3u) & ~3u))

static void the_selector_chooses(void **state)
{
    (void)state;
    struct pair *p = begin();
    for (uint8_t i = 0; i < 3; i++) {
        told.choice.path = (uint8_t)(2 - i);
        pair_send(&p->a, i, 0, "hello", 5);
        assert_int_equal(told.last.chunk.sid, i);
        assert_int_equal(told.last.chunk.len, 5);
        assert_int_equal(told.last.path_count, 3);
        assert_int_equal(told.paths[0].state, HWS_PATH_ACTIVE);
        leaves_to(p, 2u - i, "DATA");
        pair_settle(p);
        pair_recv(&p->b, i, "hello", 5);
    }
    assert_int_equal(told.starts, 1);
    assert_int_equal(told.sent, 3);
    assert_int_equal(pair_stats(&p->a)->pathsel_refused, 0);
    pair_free(p);
}

static void who_declines_gets_the_default(void **state)
{
    (void)state;
    struct pair *p = begin();
    told.declines = true;
    told.choice.path = 2;
    pair_send(&p->a, 0, 0, "x", 1);
    assert_true(told.picks > 0);
    leaves_to(p, 0, "DATA");
    assert_int_equal(pair_stats(&p->a)->pathsel_refused, 0);
    pair_free(p);
}

/* What cannot be done is not: paths that are not there, copies that lead nowhere. */
static void bad_choices_are_refused(void **state)
{
    (void)state;
    struct pair *p = begin();
    told.choice = (struct hws_pathsel_choice){.path = 200, .copies = 0};
    pair_send(&p->a, 0, 0, "x", 1);
    leaves_to(p, 0, "DATA");
    assert_true(pair_stats(&p->a)->pathsel_refused > 0);
    pair_settle(p);
    uint64_t refused = pair_stats(&p->a)->pathsel_refused;
    told.choice = (struct hws_pathsel_choice){.path = 0, .copies = 0xf9}; /* itself, and 3 to 7 */
    pair_send(&p->a, 0, 0, "y", 1);
    leaves_to(p, 0, "DATA");
    assert_true(pair_stats(&p->a)->pathsel_refused > refused);
    assert_int_equal(pair_stats(&p->a)->copies_out, 0);
    pair_settle(p);
    pair_recv(&p->b, 0, "x", 1);
    pair_recv(&p->b, 0, "y", 1);
    pair_free(p);
}

/* An inactive path carries nothing while another is active, whatever a selector says. */
static void quick_to_fail(struct hws_params *a, struct hws_params *b)
{
    use_told(a, b);
    a->path_max_retrans = 1;
    a->assoc_max_retrans = 100;
    a->rto_max_us = 1000000;
}

static void a_dead_path_is_refused(void **state)
{
    (void)state;
    struct pair *p = begin_with(quick_to_fail);
    p->cut[1] = true;
    told.choice.path = 1;
    pair_send(&p->a, 0, 0, "x", 1);
    leaves_to(p, 1, "DATA");
    pair_run(p, 20ull * SECOND);
    pair_recv(&p->b, 0, "x", 1);
    assert_int_equal(pair_path_to(&p->a, &p->b.addrs[1]).state, HWS_PATH_INACTIVE);
    assert_true(told.changes > 0);
    assert_true(pair_stats(&p->a)->pathsel_refused > 0);
    pair_free(p);
}

/* ---- Copies ---- */

static struct pair *send_copied(uint8_t path, uint8_t copies)
{
    struct pair *p = begin();
    told.choice = (struct hws_pathsel_choice){.path = path, .copies = copies};
    pair_send(&p->a, 0, 0, "twice", 5);
    return p;
}

static void a_copy_leaves_at_once(void **state)
{
    (void)state;
    struct pair *p = send_copied(0, 1u << 1 | 1u << 2);
    assert_int_equal(flight_on(p, 0), CHUNK(5));
    assert_int_equal(flight_on(p, 1), CHUNK(5));
    assert_int_equal(flight_on(p, 2), CHUNK(5));
    assert_int_equal(pair_status(&p->a).flight_bytes, 5); /* once against the peer's window */
    for (uint32_t i = 0; i < 3; i++) {
        leaves_to(p, i, "DATA");
        pair_arrives(&p->a, "DATA");
    }
    pair_settle(p);
    pair_recv(&p->b, 0, "twice", 5);
    pair_recv_nothing(&p->b);
    assert_int_equal(pair_stats(&p->b)->duplicates_in, 2);
    assert_int_equal(pair_stats(&p->a)->copies_out, 2);
    assert_int_equal(pair_stats(&p->a)->retransmits, 0);
    assert_int_equal(told.sent_copies, 2);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(flight_on(p, i), 0);
    assert_false(pair_status(&p->a).timer_armed);
    pair_free(p);
}

static void one_of_two_is_enough(void **state)
{
    (void)state;
    struct pair *p = send_copied(0, 1u << 1);
    pair_lost(&p->a, "DATA");
    pair_arrives(&p->a, "DATA");
    pair_recv(&p->b, 0, "twice", 5);
    pair_run(p, 5ull * SECOND);
    assert_int_equal(pair_stats(&p->a)->retransmits, 0);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 0);
    pair_free(p);
}

/* What acknowledges a chunk on two paths tells of neither (6.3.1 C5). */
static void a_copied_chunk_says_nothing_of_its_paths(void **state)
{
    (void)state;
    struct pair *p = begin();
    uint32_t srtt_us = pair_path(&p->a).srtt_us, cwnd = pair_path(&p->a).cwnd;
    told.choice = (struct hws_pathsel_choice){.path = 0, .copies = 1u << 1};
    pair_send(&p->a, 0, 0, "twice", 5);
    pair_wait(p, 400000);
    pair_settle(p);
    assert_int_equal(pair_path(&p->a).srtt_us, srtt_us);
    assert_int_equal(pair_path(&p->a).cwnd, cwnd);
    assert_int_equal(flight_on(p, 0), 0);
    pair_free(p);
}

/* Nor does it where all that goes there is lost, though its cwnd is in full use: no SACK reports
 * that loss, so nothing may grow, either (7.2.1, 7.2.3). */
static void lost_copies_are_not_seen(void **state)
{
    (void)state;
    struct pair *p = begin();
    uint32_t cwnd = pair_path_to(&p->a, &p->b.addrs[1]).cwnd;
    p->cut[1] = true;
    told.choice = (struct hws_pathsel_choice){.path = 1, .copies = 1u << 0};
    for (uint8_t i = 0; i < 20; i++)
        pair_send_pattern(&p->a, 0, 0, i, 500);
    assert_true(flight_on(p, 1) >= cwnd);
    pair_run(p, SECOND / 2);
    for (uint8_t i = 0; i < 20; i++)
        pair_recv_pattern(&p->b, 0, i, 500);
    assert_int_equal(pair_stats(&p->a)->retransmits, 0);
    assert_int_equal(flight_on(p, 1), 0);
    assert_int_equal(pair_path_to(&p->a, &p->b.addrs[1]).cwnd, cwnd);
    pair_free(p);
}

/* Both are lost: once both timers have expired it is sent again, and both paths have erred. */
static void both_lost_is_lost(void **state)
{
    (void)state;
    struct pair *p = send_copied(0, 1u << 1);
    pair_lost(&p->a, "DATA");
    pair_lost(&p->a, "DATA");
    told.choice = (struct hws_pathsel_choice){.path = 2};
    pair_run(p, 10ull * SECOND);
    pair_recv(&p->b, 0, "twice", 5);
    assert_int_equal(pair_stats(&p->a)->retransmits, 1);
    assert_true(pair_stats(&p->a)->timeouts_t3 >= 2);
    assert_int_equal(pair_status(&p->a).flight_bytes, 0);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(flight_on(p, i), 0);
    pair_free(p);
}

/* Missing reports say that one path lost it: that path shrinks its cwnd, and nothing is sent again
 * while another still carries it. */
static void one_path_loses_it(void **state)
{
    (void)state;
    struct pair *p = send_copied(0, 1u << 1);
    pair_lost(&p->a, "DATA");
    free(pair_take(&p->a)); /* the copy takes long */
    told.choice.copies = 0;
    for (uint32_t i = 0; i < 4; i++) {
        pair_send(&p->a, 1, 0, "behind", 6);
        pair_settle(p);
    }
    assert_int_equal(flight_on(p, 0), 0);
    assert_int_equal(flight_on(p, 1), CHUNK(5));
    assert_int_equal(pair_stats(&p->a)->fast_retransmits, 0);
    assert_int_equal(pair_stats(&p->a)->retransmits, 0);
    pair_free(p);
}

/* Only what is to be sent again is told to be lost, not what another path still carries. */
static void see_lost(void *lost, const struct hws_observation *o)
{
    *(uint32_t *)lost += o->kind == HWS_OBSERVED_LOST;
}

static void lost_is_told_once(void **state)
{
    (void)state;
    uint32_t lost = 0;
    struct pair *p = send_copied(0, 1u << 1);
    hws_engine_set_observer(p->a.engine, &(struct hws_observer){.ctx = &lost, .tell = see_lost});
    pair_lost(&p->a, "DATA");
    pair_lost(&p->a, "DATA");
    told.choice = (struct hws_pathsel_choice){.path = 2};
    pair_run(p, 10ull * SECOND);
    assert_true(pair_stats(&p->a)->timeouts_t3 >= 2);
    assert_int_equal(pair_stats(&p->a)->retransmits, 1);
    assert_int_equal(lost, 1);
    pair_free(p);
}

/* After a timeout a path has one packet in flight (6.3.3, E3), until one is acknowledged: of those
 * on several paths nobody knows by which they came, but nothing is lost where all arrive. */
static void after_a_timeout_copies_flow_again(void **state)
{
    (void)state;
    struct pair *p = send_copied(0, 1u << 1);
    pair_lost(&p->a, "DATA");
    pair_lost(&p->a, "DATA");
    pair_run(p, 10ull * SECOND);
    assert_true(pair_stats(&p->a)->timeouts_t3 >= 2);
    pair_send(&p->a, 0, 0, "first", 5);
    pair_settle(p);
    pair_send(&p->a, 0, 0, "second", 6);
    pair_send(&p->a, 0, 0, "third", 5);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(flight_on(p, i), CHUNK(6) + CHUNK(5));
    pair_settle(p);
    pair_free(p);
}

/* A copy leaves within its path's cwnd or not at all. */
static void no_room_no_copy(void **state)
{
    (void)state;
    struct pair *p = begin();
    told.choice = (struct hws_pathsel_choice){.path = 1};
    pair_send_pattern(&p->a, 0, 0, 1, 40000);
    while (!pair_wire_empty(p))
        free(pair_take(&p->a));
    assert_true(flight_on(p, 1) >= pair_path_to(&p->a, &p->b.addrs[1]).cwnd);
    told.choice = (struct hws_pathsel_choice){.path = 0, .copies = 1u << 1};
    pair_send(&p->a, 1, 0, "once", 4);
    pair_run(p, 20ull * SECOND);
    pair_recv(&p->b, 1, "once", 4); /* what was lost on path 1 came later */
    pair_recv_pattern(&p->b, 0, 1, 40000);
    assert_true(pair_stats(&p->a)->copies_withheld > 0);
    pair_free(p);
}

/* Thousands of chunks with copies: those that wait are limited, new data waits for them. */
static void many_copies(void **state)
{
    (void)state;
    struct pair *p = begin();
    told.choice = (struct hws_pathsel_choice){.path = 0, .copies = 1u << 2};
    for (uint32_t i = 0; i < 2000; i++)
        pair_send(&p->a, (uint16_t)(i % 3), 0, "tiny", 4);
    pair_run(p, 60ull * SECOND);
    assert_int_equal(pair_drain(&p->b), 8000);
    assert_int_equal(pair_status(&p->a).unacked_bytes, 0);
    assert_true(pair_stats(&p->a)->copies_out > 500);
    pair_free(p);
}

/* The restart of the peer starts the selector anew. */
static void restart(void **state)
{
    (void)state;
    struct pair *p = send_copied(0, 1u << 1);
    while (!pair_wire_empty(p))
        free(pair_take(&p->a));
    pair_reboot(&p->b, false);
    pair_begin(&p->b);
    pair_settle(p);
    assert_int_equal(told.starts, 2);
    pair_send(&p->a, 0, 0, "anew", 4);
    pair_settle(p);
    pair_recv(&p->b, 0, "anew", 4);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_selector_chooses),
        cmocka_unit_test(who_declines_gets_the_default),
        cmocka_unit_test(bad_choices_are_refused),
        cmocka_unit_test(a_dead_path_is_refused),
        cmocka_unit_test(a_copy_leaves_at_once),
        cmocka_unit_test(one_of_two_is_enough),
        cmocka_unit_test(a_copied_chunk_says_nothing_of_its_paths),
        cmocka_unit_test(lost_copies_are_not_seen),
        cmocka_unit_test(both_lost_is_lost),
        cmocka_unit_test(one_path_loses_it),
        cmocka_unit_test(lost_is_told_once),
        cmocka_unit_test(no_room_no_copy),
        cmocka_unit_test(after_a_timeout_copies_flow_again),
        cmocka_unit_test(many_copies),
        cmocka_unit_test(restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
