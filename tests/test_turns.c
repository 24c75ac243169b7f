/* When a sleeper pauses: what it learns from the amount received. */
#include "api/runtime/turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define BEGIN_US 5000000u

struct stream {
    struct hws_turns turns;
    uint64_t bytes, now_us;
};

static bool receive(struct stream *s, uint64_t bytes, uint64_t every_us, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        s->bytes += bytes;
        s->now_us += every_us;
        hws_turns_learn(&s->turns, s->bytes, s->now_us);
    }
    return s->turns.large;
}

static struct stream begin(void)
{
    struct stream s = {.now_us = BEGIN_US};
    hws_turns_learn(&s.turns, 0, s.now_us);
    assert_false(s.turns.large);
    return s;
}

static void bulk_is_large(void **state)
{
    (void)state;
    struct stream small_packets = begin(), large_packets = begin();
    assert_true(receive(&small_packets, 8800, 30, 100)); /* 2.3 Gbit/s, six packets each */
    assert_true(receive(&large_packets, 65535, 900, 4));
}

static void messages_and_slow_streams_are_not(void **state)
{
    (void)state;
    struct stream messages = begin(), slow = begin();
    assert_false(receive(&messages, 250, 20, 1000)); /* 50,000 a second */
    assert_false(receive(&slow, 1480, 30, 1000));    /* 0.4 Gbit/s */
}

/* One answer of many packets, and the next one much later. */
static void a_burst_after_silence_is_not(void **state)
{
    (void)state;
    struct stream s = begin();
    for (int i = 0; i < 5; i++)
        assert_false(receive(&s, 1000000, 20000, 1));
}

static void what_was_large_ends(void **state)
{
    (void)state;
    struct stream s = begin();
    assert_true(receive(&s, 88000, 300, 10));
    assert_false(receive(&s, 100, 1000, 2));
    assert_true(receive(&s, 88000, 300, 10));
    assert_false(receive(&s, 88000, 50000, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bulk_is_large),
        cmocka_unit_test(messages_and_slow_streams_are_not),
        cmocka_unit_test(a_burst_after_silence_is_not),
        cmocka_unit_test(what_was_large_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
