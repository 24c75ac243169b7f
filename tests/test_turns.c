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
    uint64_t bytes, packets, now_us;
};

#define PACKET_BYTES 1480u

static bool receive_sized(struct stream *s, uint64_t bytes, uint64_t packet_bytes,
                          uint64_t every_us, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        s->bytes += bytes;
        s->packets += (bytes + packet_bytes - 1) / packet_bytes;
        s->now_us += every_us;
        hws_turns_learn(&s->turns, s->bytes, s->packets, s->now_us);
    }
    return s->turns.pauses_pay;
}

static bool receive(struct stream *s, uint64_t bytes, uint64_t every_us, unsigned times)
{
    return receive_sized(s, bytes, PACKET_BYTES, every_us, times);
}

static struct stream begin(void)
{
    struct stream s = {.now_us = BEGIN_US};
    hws_turns_learn(&s.turns, 0, 0, s.now_us);
    assert_false(s.turns.pauses_pay);
    return s;
}

static void pauses_pay_for_bulk_data(void **state)
{
    (void)state;
    struct stream ethernet = begin(), jumbo = begin();
    assert_true(receive(&ethernet, 8800, 30, 100)); /* 2.3 Gbit/s, six packets each */
    assert_true(receive_sized(&jumbo, 8980, 8980, 30, 100));
}

/* Over the loopback interface: looking for each is cheap beside its bytes. */
static void not_for_packets_of_64_kb(void **state)
{
    (void)state;
    struct stream s = begin();
    assert_false(receive_sized(&s, 65515, 65515, 30, 100));
    assert_true(receive(&s, 8800, 30, 100));
}

static void nor_for_messages_and_slow_streams(void **state)
{
    (void)state;
    struct stream messages = begin(), slow = begin();
    assert_false(receive(&messages, 250, 20, 1000)); /* 50,000 a second */
    assert_false(receive(&slow, 1480, 30, 1000));    /* 0.4 Gbit/s */
}

/* One answer of many packets, and the next one much later. */
static void nor_for_a_burst_after_silence(void **state)
{
    (void)state;
    struct stream s = begin();
    for (int i = 0; i < 5; i++)
        assert_false(receive(&s, 1000000, 20000, 1));
}

static void bulk_data_ends(void **state)
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
        cmocka_unit_test(pauses_pay_for_bulk_data),
        cmocka_unit_test(not_for_packets_of_64_kb),
        cmocka_unit_test(nor_for_messages_and_slow_streams),
        cmocka_unit_test(nor_for_a_burst_after_silence),
        cmocka_unit_test(bulk_data_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
