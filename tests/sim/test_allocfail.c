/* The n-th allocation fails, for every n of a short life: nothing crashes, nothing leaks, and the
 * engine serves the next association as if nothing had been. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/pair.h"
#include "tests/sim/erratic.h"
#include "tests/sim/unruly.h"

#define SECOND 1000000u
/* More allocations than the story makes: a count that does not end is found by this. */
#define NUMBERS_MAX 20000u

static void try_send(struct pair_end *end, uint16_t sid, uint16_t flags, size_t len)
{
    static uint8_t bytes[20000];
    struct hws_sndinfo info = {.sid = sid, .flags = flags, .ppid = 7};
    struct hws_iovec iov = {bytes, len};
    (void)hws_assoc_send(end->engine, end->assoc, &info, &iov, 1, end->pair->now_us);
    (void)hws_assoc_send_lent(end->engine, end->assoc, &info, &iov, 1, bytes, end->pair->now_us);
    pair_pull(end->pair);
}

static void forget(struct pair_end *end)
{
    struct hws_failed failed;
    void *lent;
    while (end->assoc != 0 && hws_assoc_failed(end->engine, end->assoc, &failed) == HWS_OK)
        assert_true(failed.len > 0);
    while (hws_engine_lent_done(end->engine, &lent))
        assert_non_null(lent);
    if (end->assoc != 0)
        (void)hws_assoc_release(end->engine, end->assoc, end->pair->now_us);
    end->assoc = 0;
    end->events = 0;
    pair_pull(end->pair);
}

/* Handshake, messages of several shapes both ways with a loss among them, and the graceful end. */
static void short_life(struct pair *p)
{
    pair_begin(&p->a);
    pair_settle(p);
    pair_run(p, 10ull * SECOND);
    try_send(&p->a, 0, 0, 10);
    try_send(&p->a, 5, 0, 20000);
    try_send(&p->b, 3, HWS_SEND_UNORDERED, 5000);
    if (p->a.wire_head != NULL)
        free(pair_take(&p->a));
    try_send(&p->b, 200, 0, 1);
    pair_run(p, 20ull * SECOND);
    pair_drain(&p->a);
    pair_drain(&p->b);
    (void)hws_assoc_shutdown(p->a.engine, p->a.assoc, p->now_us);
    pair_run(p, 1000ull * SECOND);
    pair_drain(&p->b);
    forget(&p->a);
    forget(&p->b);
    pair_run(p, 1000ull * SECOND);
}

static void expect_healthy(struct pair *p)
{
    assert_int_equal(hws_engine_assoc_count(p->a.engine), 0);
    assert_int_equal(hws_engine_assoc_count(p->b.engine), 0);
    pair_connect(p);
    pair_send_pattern(&p->a, 2, 0, 1, 10000);
    pair_send_pattern(&p->b, 2, 0, 2, 10000);
    pair_run(p, 10ull * SECOND);
    pair_recv_pattern(&p->b, 2, 1, 10000);
    pair_recv_pattern(&p->a, 2, 2, 10000);
}

static const struct hws_extension *const extensions[] = {&sim_unruly, &sim_erratic,
                                                         &hws_extension_fec, NULL};

static void selects_paths(struct hws_params *a, struct hws_params *b)
{
    a->pathsel = b->pathsel = SIM_ERRATIC;
}

static const struct pair_options plain = {.tolerant = true};
static const struct pair_options extended = {.tolerant = true,
                                             .a_extensions = extensions,
                                             .b_extensions = extensions,
                                             .params = selects_paths};

/* Allocations number `n` .. `n + width - 1` of one side fail; false when there were not so many. */
static bool live_with_failure(const struct pair_options *options, bool listener, uint64_t n,
                              uint64_t width)
{
    struct pair *p = pair_new(options);
    struct sim_env *env = listener ? &p->b.env : &p->a.env;
    env->fail_from = env->allocs + n;
    env->fail_until = env->fail_from + width;
    short_life(p);
    env->fail_from = env->fail_until = 0;
    bool reached = env->failed != 0;
    expect_healthy(p);
    pair_free(p);
    return reached;
}

static void every_number(const struct pair_options *options, bool listener, uint64_t width)
{
    uint64_t n = 0;
    while (live_with_failure(options, listener, n, width) && n < NUMBERS_MAX)
        n++;
    /* The story needs an association, paths, tables, queues, messages and fragments. */
    assert_in_range(n, 20, NUMBERS_MAX - 1);
    print_message("%u allocations, each failed\n", (unsigned)n);
}

static void connector_lacks_one(void **state)
{
    (void)state;
    every_number(&plain, false, 1);
}

static void listener_lacks_one(void **state)
{
    (void)state;
    every_number(&plain, true, 1);
}

static void connector_lacks_many(void **state)
{
    (void)state;
    every_number(&plain, false, 7);
}

static void listener_lacks_many(void **state)
{
    (void)state;
    every_number(&plain, true, 7);
}

static void extensions_lack_one(void **state)
{
    (void)state;
    every_number(&extended, false, 1);
    every_number(&extended, true, 1);
}

/* Making an engine and an endpoint either works or leaves nothing behind. */
static void engine_lacks_one(void **state)
{
    (void)state;
    bool made = false;
    for (uint64_t n = 0; !made; n++) {
        struct sim_env env;
        sim_env_init(&env, n);
        env.fail_from = n;
        env.fail_until = n + 1;
        struct hws_engine_config config = {.env = sim_env_make(&env), .direct_alloc = true};
        struct hws_engine *engine = hws_engine_new(&config);
        struct hws_endpoint_config endpoint = {.port = 9, .listening = true};
        hws_endpoint_id id;
        int error = engine != NULL ? hws_endpoint_new(engine, &endpoint, &id) : HWS_E_NOMEM;
        assert_true(error == HWS_OK || error == HWS_E_NOMEM);
        made = env.failed == 0;
        assert_true(!made || error == HWS_OK);
        hws_engine_free(engine);
        assert_int_equal(env.live_objects, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_lacks_one),    cmocka_unit_test(connector_lacks_one),
        cmocka_unit_test(listener_lacks_one),  cmocka_unit_test(connector_lacks_many),
        cmocka_unit_test(listener_lacks_many), cmocka_unit_test(extensions_lack_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
