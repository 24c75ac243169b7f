/* What ping counts, and its statistics as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/ping_count.h"

/* What hws_cli_ping_count_print writes. */
static const char *printed(const struct hws_cli_ping_count *count)
{
    static char text[512];
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_int_equal(dup2(fileno(file), STDOUT_FILENO), STDOUT_FILENO);
    hws_cli_ping_count_print(count, "192.0.2.1 port 7", 2003.4);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    rewind(file);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    text[len] = '\0';
    fclose(file);
    return text;
}

static void round_trips(void **state)
{
    struct hws_cli_ping_count count = {.sent = 4};
    (void)state;
    hws_cli_ping_count_received(&count, 3);
    hws_cli_ping_count_received(&count, 1);
    hws_cli_ping_count_received(&count, 5);
    assert_string_equal(printed(&count),
                        "\n--- 192.0.2.1 port 7 ping statistics ---\n"
                        "4 packets transmitted, 3 received, 25% packet loss, time 2003ms\n"
                        "rtt min/avg/max/mdev = 1.000/3.000/5.000/1.633 ms\n");
}

static void equal_round_trips_do_not_vary(void **state)
{
    struct hws_cli_ping_count count = {.sent = 3};
    (void)state;
    for (int i = 0; i < 3; i++)
        hws_cli_ping_count_received(&count, 0.1);
    assert_non_null(strstr(printed(&count), "= 0.100/0.100/0.100/0.000 ms\n"));
}

static void no_answer(void **state)
{
    const struct hws_cli_ping_count count = {.sent = 2, .errors = 1};
    (void)state;
    assert_string_equal(
        printed(&count),
        "\n--- 192.0.2.1 port 7 ping statistics ---\n"
        "2 packets transmitted, 0 received, +1 errors, 100% packet loss, time 2003ms\n");
}

static void nothing_was_sent(void **state)
{
    const struct hws_cli_ping_count count = {.sent = 0};
    (void)state;
    assert_non_null(strstr(printed(&count), "0 packets transmitted, 0 received, 0% packet loss"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(equal_round_trips_do_not_vary),
        cmocka_unit_test(no_answer),
        cmocka_unit_test(nothing_was_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
