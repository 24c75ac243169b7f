#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stack/error.h"

static void every_error_has_name_and_text(void **state)
{
    (void)state;
#define X(symbol, text)                                                                            \
    assert_true(HWS_E_##symbol < 0);                                                               \
    assert_string_equal(hws_error_name(HWS_E_##symbol), #symbol);                                  \
    assert_string_equal(hws_error_text(HWS_E_##symbol), text);
    HWS_ERRORS(X)
#undef X
    assert_string_equal(hws_error_name(HWS_OK), "OK");
}

static void other_numbers_are_answered(void **state)
{
    (void)state;
    const int others[] = {1, -1, HWS_E_BASE, HWS_E_EOF + 1};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_string_equal(hws_error_name(others[i]), "UNKNOWN");
        assert_string_equal(hws_error_text(others[i]), "unknown error");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_name_and_text),
        cmocka_unit_test(other_numbers_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
