/* Receive timestamps in the runtime's clock: true ones, and what happens when the clock is set. */
#include "api/link/rxclock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define US UINT64_C(1000) /* in ns */
#define SECOND UINT64_C(1000000000)
#define REALTIME (UINT64_C(1700000000) * SECOND) /* when the monotonic clock was 0 */

static struct hws_rxclock clock_at(uint64_t monotonic_ns)
{
    struct hws_rxclock clock;
    hws_rxclock_init(&clock, REALTIME + monotonic_ns, monotonic_ns);
    return clock;
}

static void received(struct hws_rxclock *clock, uint64_t monotonic_ns)
{
    hws_rxclock_received(clock, REALTIME + monotonic_ns, monotonic_ns);
}

static void stamps_become_monotonic(void **state)
{
    (void)state;
    struct hws_rxclock clock = clock_at(5 * SECOND);
    received(&clock, 6 * SECOND);
    assert_int_equal(hws_rxclock_us(&clock, REALTIME + 6 * SECOND - 30 * US), 6000000 - 30);
    assert_int_equal(hws_rxclock_us(&clock, REALTIME + 5 * SECOND + 1 * US), 5000001);
}

/* Not after now, and not before the socket was empty. */
static void stamps_stay_within_bounds(void **state)
{
    (void)state;
    struct hws_rxclock clock = clock_at(5 * SECOND);
    received(&clock, 6 * SECOND);
    assert_int_equal(hws_rxclock_us(&clock, REALTIME + 7 * SECOND), 6000000);
    assert_int_equal(hws_rxclock_us(&clock, REALTIME + 4 * SECOND), 5000000);
    hws_rxclock_emptied(&clock);
    received(&clock, 7 * SECOND);
    assert_int_equal(hws_rxclock_us(&clock, REALTIME + 5 * SECOND), 6000000);
}

/* A socket that was not empty may give what came before the last batch. */
static void a_queue_that_is_not_empty_keeps_its_bound(void **state)
{
    (void)state;
    struct hws_rxclock clock = clock_at(5 * SECOND);
    received(&clock, 6 * SECOND);
    received(&clock, 7 * SECOND);
    assert_int_equal(hws_rxclock_us(&clock, REALTIME + 5 * SECOND + 9 * US), 5000009);
}

/* The two clocks are not read at the same instant. */
static void a_reading_s_error_is_no_step(void **state)
{
    (void)state;
    struct hws_rxclock clock = clock_at(5 * SECOND);
    hws_rxclock_received(&clock, REALTIME + 6 * SECOND - 50 * US, 6 * SECOND);
    assert_int_equal(hws_rxclock_us(&clock, REALTIME + 6 * SECOND - 80 * US), 6000000 - 30);
}

static void set_clock(int64_t step_ns)
{
    struct hws_rxclock clock = clock_at(5 * SECOND);
    uint64_t after = REALTIME + (uint64_t)step_ns;
    hws_rxclock_received(&clock, after + 6 * SECOND, 6 * SECOND);
    assert_int_equal(hws_rxclock_us(&clock, REALTIME + 6 * SECOND - 30 * US), 0);
    assert_int_equal(hws_rxclock_us(&clock, after + 6 * SECOND - 30 * US), 0);
    /* There is more in the queue, stamped before. */
    hws_rxclock_received(&clock, after + 7 * SECOND, 7 * SECOND);
    assert_int_equal(hws_rxclock_us(&clock, REALTIME + 6 * SECOND - 20 * US), 0);
    hws_rxclock_emptied(&clock);
    hws_rxclock_received(&clock, after + 8 * SECOND, 8 * SECOND);
    assert_int_equal(hws_rxclock_us(&clock, after + 8 * SECOND - 10 * US), 8000000 - 10);
}

static void a_clock_that_is_set_makes_times_unknown(void **state)
{
    (void)state;
    set_clock((int64_t)(3600 * SECOND));
    set_clock(-(int64_t)(3600 * SECOND));
    set_clock((int64_t)SECOND / 1000);
    set_clock(-(int64_t)SECOND / 1000);
    set_clock(-(int64_t)REALTIME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stamps_become_monotonic),
        cmocka_unit_test(stamps_stay_within_bounds),
        cmocka_unit_test(a_queue_that_is_not_empty_keeps_its_bound),
        cmocka_unit_test(a_reading_s_error_is_no_step),
        cmocka_unit_test(a_clock_that_is_set_makes_times_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
