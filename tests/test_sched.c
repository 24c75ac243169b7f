#include <stdbool.h>
#include <string.h>

#include "memory_env.h"
#include "stack/registry.h"

#define STREAMS 40u

static struct hws_registry registry;
static const struct hws_sched_ops *ops;
static _Alignas(max_align_t) uint8_t sched_state[HWS_EXT_SCHED_STATE_MAX];
static _Alignas(max_align_t) uint8_t streams[STREAMS][HWS_EXT_SCHED_STREAM_MAX];

static void begin(const char *name)
{
    hws_registry_init(&registry, NULL, 0);
    ops = hws_registry_sched(&registry, name);
    assert_non_null(ops);
    assert_true(ops->state_size <= sizeof sched_state && ops->stream_size <= sizeof streams[0]);
    memset(sched_state, 0, sizeof sched_state);
    memset(streams, 0, sizeof streams);
    if (ops->init != NULL)
        ops->init(sched_state);
}

static void ready(uint16_t sid, uint64_t order)
{
    ops->ready(sched_state, streams[sid],
               &(struct hws_sched_message){.sid = sid, .order_us = order});
}

/* It is this stream's turn, however often one asks; its message is sent. */
static void turn_of(uint16_t sid)
{
    for (int i = 0; i < 3; i++)
        assert_int_equal(ops->next(sched_state), sid);
    ops->sent(sched_state, streams[sid], 100);
}

static void names(void **state)
{
    (void)state;
    hws_registry_init(&registry, NULL, 0);
    assert_ptr_equal(hws_registry_sched(&registry, NULL), &hws_sched_fcfs);
    assert_ptr_equal(hws_registry_sched(&registry, "fcfs"), &hws_sched_fcfs);
    assert_ptr_equal(hws_registry_sched(&registry, "rr"), &hws_sched_rr);
    assert_null(hws_registry_sched(&registry, "fcf"));
    assert_null(hws_registry_sched(&registry, ""));
}

static void nothing_ready_nothing_next(void **state)
{
    (void)state;
    const char *const both[] = {"fcfs", "rr"};
    for (int i = 0; i < 2; i++) {
        begin(both[i]);
        assert_int_equal(ops->next(sched_state), HWS_SCHED_NONE);
        ready(3, 0);
        turn_of(3);
        assert_int_equal(ops->next(sched_state), HWS_SCHED_NONE);
    }
}

/* RFC 8260, 3.1: the order of the application's calls, whatever the streams. */
static void fcfs_is_first_come_first_served(void **state)
{
    (void)state;
    begin("fcfs");
    ready(5, 10);
    ready(1, 11);
    ready(9, 14);
    turn_of(5);
    ready(5, 12); /* its next message was given before stream 9's */
    turn_of(1);
    turn_of(5);
    ready(5, 15);
    turn_of(9);
    turn_of(5);
}

/* RFC 8260, 3.2: streams take turns, a message each; one that has more waits for all others. */
static void rr_takes_turns(void **state)
{
    (void)state;
    begin("rr");
    ready(5, 0); /* 0 .. 3 are all of stream 5 */
    ready(1, 4);
    ready(9, 5);
    turn_of(5);
    ready(5, 1);
    turn_of(1);
    turn_of(9);
    turn_of(5);
    ready(5, 2);
    ready(9, 6); /* empty meanwhile: to the tail, not to its old place */
    turn_of(5);
    ready(5, 3);
    turn_of(9);
    turn_of(5);
    assert_int_equal(ops->next(sched_state), HWS_SCHED_NONE);
}

/* A message may leave though it was another stream's turn. */
static void any_stream_may_leave(void **state)
{
    (void)state;
    const char *const both[] = {"fcfs", "rr"};
    for (int i = 0; i < 2; i++) {
        begin(both[i]);
        for (uint16_t sid = 0; sid < STREAMS; sid++)
            ready(sid, sid);
        turn_of(0);
        for (uint16_t sid = 2; sid < STREAMS; sid += 2)
            ops->sent(sched_state, streams[sid], 1);
        for (uint16_t sid = 1; sid < STREAMS; sid += 2)
            turn_of(sid);
        assert_int_equal(ops->next(sched_state), HWS_SCHED_NONE);
    }
}

/* ---- Against a list that is searched from end to end ---- */

static struct {
    struct {
        uint16_t sid;
        uint64_t order;
    } ready[STREAMS]; /* in the order in which they became ready */
    uint32_t count;
    bool is_ready[STREAMS];
    uint64_t orders;
} model;

static uint32_t model_next(bool fcfs)
{
    uint32_t best = 0;
    for (uint32_t i = 1; fcfs && i < model.count; i++)
        if (model.ready[i].order < model.ready[best].order)
            best = i;
    return best;
}

static void model_add(uint16_t sid, uint64_t order)
{
    model.ready[model.count].sid = sid;
    model.ready[model.count++].order = order;
    model.is_ready[sid] = true;
    ready(sid, order);
}

static void model_send(bool fcfs)
{
    uint32_t i = model_next(fcfs);
    uint16_t sid = model.ready[i].sid;
    turn_of(sid);
    model.is_ready[sid] = false;
    model.count--;
    memmove(&model.ready[i], &model.ready[i + 1], (model.count - i) * sizeof model.ready[0]);
}

static void run_model(const char *name, uint64_t seed)
{
    begin(name);
    memset(&model, 0, sizeof model);
    model.orders = 20;
    for (int step = 0; step < 20000; step++) {
        uint16_t sid = (uint16_t)random_below(&seed, STREAMS);
        /* A stream's next message was given at any time since: its order is not the newest. */
        uint64_t order = 40 * ++model.orders - 40 * random_below(&seed, 20) + sid;
        if (!model.is_ready[sid])
            model_add(sid, order);
        if (model.count > 0 && random_below(&seed, 3) > 0)
            model_send(strcmp(name, "fcfs") == 0);
    }
}

static void random_use_agrees_with_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        run_model("fcfs", seed);
        run_model("rr", seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(nothing_ready_nothing_next),
        cmocka_unit_test(fcfs_is_first_come_first_served),
        cmocka_unit_test(rr_takes_turns),
        cmocka_unit_test(any_stream_may_leave),
        cmocka_unit_test(random_use_agrees_with_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
