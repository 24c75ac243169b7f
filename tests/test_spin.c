/* How long a sleeper polls: what it learns from the waits before. */
#include "api/runtime/spin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void none_is_never(void **state)
{
    (void)state;
    struct hws_spin spin;
    hws_spin_init(&spin, 0);
    assert_int_equal(spin.for_us, 0);
    hws_spin_learn(&spin, 0, true);
    assert_int_equal(spin.for_us, 0);
}

static void what_pays_goes_on(void **state)
{
    (void)state;
    struct hws_spin spin;
    hws_spin_init(&spin, 50);
    assert_int_equal(spin.for_us, 50);
    for (int i = 0; i < 100; i++)
        hws_spin_learn(&spin, (uint64_t)i % 51, true);
    assert_int_equal(spin.for_us, 50);
}

static void what_does_not_pay_ends(void **state)
{
    (void)state;
    struct hws_spin spin;
    hws_spin_init(&spin, 64);
    hws_spin_learn(&spin, 65, true);
    assert_int_equal(spin.for_us, 32);
    hws_spin_learn(&spin, 10, false); /* a timer, or another call */
    assert_int_equal(spin.for_us, 16);
    for (int i = 0; i < 5; i++)
        hws_spin_learn(&spin, 1000000, true);
    assert_int_equal(spin.for_us, 0);
}

/* A sleep that was short enough tells that polling would have paid. */
static void it_begins_again(void **state)
{
    (void)state;
    struct hws_spin spin;
    hws_spin_init(&spin, 64);
    for (int i = 0; i < 10; i++)
        hws_spin_learn(&spin, 1000, true);
    assert_int_equal(spin.for_us, 0);
    hws_spin_learn(&spin, 64, true);
    assert_int_equal(spin.for_us, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_never),
        cmocka_unit_test(what_pays_goes_on),
        cmocka_unit_test(what_does_not_pay_ends),
        cmocka_unit_test(it_begins_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
