/* The emulated line of bench/, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/emu_line.h"

#define MS 1000000u

static void put(struct emu_line *line, uint32_t number, size_t len, uint64_t now_ns)
{
    void *room = emu_line_room(line);
    assert_non_null(room);
    memset(room, 0xa5, len);
    memcpy(room, &number, sizeof number);
    emu_line_put(line, len, now_ns);
}

/* The number of the packet that comes out, which is `len` bytes long. */
static uint32_t take(struct emu_line *line, size_t len, uint64_t now_ns)
{
    size_t got;
    uint32_t number;
    const uint8_t *packet = emu_line_take(line, &got, now_ns);
    assert_non_null(packet);
    assert_int_equal(got, len);
    memcpy(&number, packet, sizeof number);
    assert_int_equal(packet[len - 1], 0xa5);
    return number;
}

static void nothing(struct emu_line *line, uint64_t now_ns)
{
    size_t len;
    assert_null(emu_line_take(line, &len, now_ns));
}

/* SplitMix64, written a second time: what a seed means is part of what a row says. */
static uint64_t splitmix(uint64_t seed, uint64_t number)
{
    uint64_t state = seed;
    for (uint64_t i = 0; i <= number; i++)
        state += 0x9e3779b97f4a7c15u;
    state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;
    state = (state ^ (state >> 27)) * 0x94d049bb133111ebu;
    return state ^ (state >> 31);
}

static void a_packet_arrives_after_the_delay(void **state)
{
    (void)state;
    struct emu_line *line = emu_line_new(&(struct emu_line_config){.delay_ns = 5 * MS});
    assert_true(emu_line_due_ns(line) == EMU_NEVER);
    put(line, 1, 100, 1000);
    assert_int_equal(emu_line_due_ns(line), 5 * MS + 1000);
    nothing(line, 5 * MS + 999);
    assert_int_equal(take(line, 100, 5 * MS + 1000), 1);
    nothing(line, UINT64_MAX - 1);
    emu_line_free(line);
}

/* 8 Mbit/s: a byte takes a microsecond. */
static void packets_leave_at_the_rate(void **state)
{
    (void)state;
    struct emu_line_config config = {.delay_ns = MS, .rate_bps = 8000000, .queue_bytes = 100000};
    struct emu_line *line = emu_line_new(&config);
    for (uint32_t i = 0; i < 10; i++)
        put(line, i, 1000, 0);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(emu_line_due_ns(line), (i + 2) * (uint64_t)MS);
        assert_int_equal(take(line, 1000, (i + 2) * (uint64_t)MS), i);
    }
    put(line, 10, 500, 20 * MS); /* the link was idle meanwhile */
    assert_int_equal(emu_line_due_ns(line), 21 * MS + MS / 2);
    emu_line_free(line);
}

static void a_full_queue_drops_and_counts(void **state)
{
    (void)state;
    struct emu_line_config config = {.rate_bps = 8000000, .queue_bytes = 5000};
    struct emu_line *line = emu_line_new(&config);
    for (uint32_t i = 0; i < 12; i++)
        put(line, i, 1000, 0);
    assert_int_equal(emu_line_counts(line).overflow, 7);
    put(line, 12, 1000, MS); /* one has left */
    put(line, 13, 1000, MS);
    assert_int_equal(emu_line_counts(line).overflow, 8);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(take(line, 1000, 10 * MS), i);
    assert_int_equal(take(line, 1000, 10 * MS), 12);
    nothing(line, 100 * MS);
    assert_int_equal(emu_line_counts(line).out, 6);
    assert_int_equal(emu_line_counts(line).bytes, 6000);
    emu_line_free(line);
}

/* Exactly those packets are lost that the seed names, in whatever company they come. */
static void the_seed_says_what_is_lost(void **state)
{
    (void)state;
    const struct emu_line_config config = {.loss_ppm = 10000, .seed = 42};
    struct emu_line *line = emu_line_new(&config);
    uint64_t lost = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        bool loses = (splitmix(42, i) & UINT32_MAX) * 1000000 >> 32 < 10000;
        put(line, i, 60 + i % 7, i);
        if (loses)
            nothing(line, i);
        else
            assert_int_equal(take(line, 60 + i % 7, i), i);
        lost += loses;
    }
    assert_int_equal(emu_line_counts(line).lost, lost);
    assert_in_range(lost, 150, 250);
    emu_line_free(line);
}

/* A packet that is held back arrives later by just so much, and the others are in order. */
static void held_packets_are_overtaken(void **state)
{
    (void)state;
    const struct emu_line_config config = {
        .delay_ns = MS, .held_ppm = 100000, .held_ns = 50, .seed = 3};
    struct emu_line *line = emu_line_new(&config);
    uint32_t last = 0, overtaken = 0, next = 0;
    for (uint32_t i = 0; i < 2000; i++)
        put(line, i, 64, 10 * i);
    for (uint32_t i = 0; i < 2000; i++) {
        uint64_t due_ns = emu_line_due_ns(line);
        uint32_t number = take(line, 64, due_ns);
        bool held = due_ns == MS + 10 * (uint64_t)number + 50;
        assert_true(held || due_ns == MS + 10 * (uint64_t)number);
        overtaken += number < last;
        assert_true(held || number >= next);
        next = held ? next : number + 1;
        last = number;
    }
    assert_int_equal(emu_line_counts(line).out, 2000);
    assert_in_range(emu_line_counts(line).held, 150, 250);
    assert_in_range(overtaken, 100, 250);
    emu_line_free(line);
}

/* Packets of all sizes, put in and taken out in turn, come out as they went in. */
static void the_ring_wraps(void **state)
{
    (void)state;
    const struct emu_line_config config = {
        .delay_ns = MS, .rate_bps = 800000000, .queue_bytes = 200000};
    struct emu_line *line = emu_line_new(&config);
    uint32_t in = 0, out = 0;
    for (uint64_t now_ns = 0; out < 20000; now_ns += 40000) {
        for (unsigned i = 0; i < 3; i++, in++)
            put(line, in, 40 + in * 7919 % 1460, now_ns);
        while (emu_line_due_ns(line) <= now_ns) {
            assert_int_equal(take(line, 40 + out * 7919 % 1460, now_ns), out);
            out++;
        }
        assert_int_equal(emu_line_counts(line).overflow, 0);
    }
    emu_line_free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_arrives_after_the_delay),
        cmocka_unit_test(packets_leave_at_the_rate),
        cmocka_unit_test(a_full_queue_drops_and_counts),
        cmocka_unit_test(the_seed_says_what_is_lost),
        cmocka_unit_test(held_packets_are_overtaken),
        cmocka_unit_test(the_ring_wraps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
