/* Command lines: what is understood, and that everything else is refused with a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/options.h"

#define ARGS_MAX 24

static struct hws_cli_options options;

/* Parses words separated by spaces. */
static int parse(unsigned command, const char *line)
{
    static char copy[512];
    char *argv[ARGS_MAX + 1];
    int argc = 0;
    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return hws_cli_options_parse(command, argc, argv, &options);
}

static int cat(const char *line)
{
    return parse(HWS_CLI_CAT, line);
}

static void defaults(void **state)
{
    (void)state;
    assert_int_equal(cat("cat example.org 5000"), HWS_CLI_OK);
    assert_string_equal(options.host, "example.org");
    assert_int_equal(options.port, 5000);
    assert_int_equal(options.protocol, 132);
    assert_int_equal(options.msg_size_bytes, 65536);
    assert_false(options.udp || options.listening || options.unordered || options.own_host ||
                 options.stats);
}

static void everything_given(void **state)
{
    (void)state;
    assert_int_equal(cat("cat -l --proto 253 --local 192.0.2.1 --local ::1 --streams 65535 "
                         "--msg-size=1 --unordered --own-host --stats=5 -v --trace t --pcap p 1"),
                     HWS_CLI_OK);
    assert_true(options.listening && options.unordered && options.own_host && options.stats);
    assert_int_equal(options.stats_interval_s, 5);
    assert_true(options.verbose);
    assert_null(options.host);
    assert_int_equal(options.protocol, 253);
    assert_int_equal(options.local_count, 2);
    assert_string_equal(options.locals[1], "::1");
    assert_int_equal(options.streams, 65535);
    assert_int_equal(options.msg_size_bytes, 1);
    assert_string_equal(options.trace, "t");
    assert_string_equal(options.pcap, "p");
}

static void links_have_names(void **state)
{
    (void)state;
    assert_int_equal(cat("cat h 1"), HWS_CLI_OK);
    assert_int_equal(options.link, HWS_LINK_RAW);
    assert_null(options.interface);
    assert_int_equal(cat("cat --link packet --interface eth0 h 1"), HWS_CLI_OK);
    assert_int_equal(options.link, HWS_LINK_PACKET);
    assert_string_equal(options.interface, "eth0");
    assert_int_equal(cat("cat --link=xdp h 1"), HWS_CLI_OK);
    assert_int_equal(options.link, HWS_LINK_XDP);
    assert_int_equal(cat("cat --link auto h 1"), HWS_CLI_OK);
    assert_int_equal(options.link, HWS_LINK_AUTO);
}

static void udp_has_an_optional_port(void **state)
{
    (void)state;
    assert_int_equal(cat("cat h 1 --udp"), HWS_CLI_OK);
    assert_true(options.udp);
    assert_int_equal(options.udp_port, 9899);
    assert_int_equal(cat("cat --udp=1234 h 1"), HWS_CLI_OK);
    assert_int_equal(options.udp_port, 1234);
    assert_int_equal(cat("cat --udp --proto 132 h 1"), HWS_CLI_OK);
}

static int ping(const char *line)
{
    return parse(HWS_CLI_PING, line);
}

static void ping_has_its_own(void **state)
{
    (void)state;
    assert_int_equal(ping("ping a,b 1"), HWS_CLI_OK);
    assert_int_equal(options.count, 0);
    assert_int_equal(options.interval_ms, 1000);
    assert_int_equal(options.timeout_ms, 2000);
    assert_false(options.assoc);
    assert_int_equal(ping("ping -c3 -i 0.2 -W 1.5 --assoc --udp h 1"), HWS_CLI_OK);
    assert_string_equal(options.host, "h");
    assert_int_equal(options.count, 3);
    assert_int_equal(options.interval_ms, 200);
    assert_int_equal(options.timeout_ms, 1500);
    assert_true(options.assoc);
    assert_int_equal(ping("ping 1"), HWS_CLI_USAGE);
    assert_int_equal(ping("ping h 1 -c 0"), HWS_CLI_USAGE);
    assert_int_equal(ping("ping h 1 -i 0"), HWS_CLI_USAGE);
    assert_int_equal(ping("ping h 1 -i -1"), HWS_CLI_USAGE);
    assert_int_equal(ping("ping h 1 -W nan"), HWS_CLI_USAGE);
    assert_int_equal(ping("ping h 1 -W 3601"), HWS_CLI_USAGE);
    assert_int_equal(ping("ping h 1 -W"), HWS_CLI_USAGE);
    assert_int_equal(ping("ping h 1 --msg-size 5"), HWS_CLI_USAGE);
}

static void help_needs_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(cat("cat --help"), HWS_CLI_OK);
    assert_true(options.help);
    assert_int_equal(parse(HWS_CLI_ECHO, "echo -h"), HWS_CLI_OK);
    assert_true(options.help);
}

#define NINE_LOCALS                                                                                \
    "cat -l 1 --local a --local a --local a --local a --local a --local a --local a --local a "    \
    "--local a"

static void refuses(void **state)
{
    static const char *const lines[] = {
        "cat",
        "cat h",
        "cat h 1 2",
        "cat -l",
        "cat -l h 1",
        "cat h 0",
        "cat h 65536",
        "cat h -1",
        "cat h 1x",
        "cat h ''",
        "cat h 1 --nonsense",
        "cat h 1 -z",
        "cat h 1 --stats=yes",
        "cat h 1 --stats=0",
        "cat h 1 -v=1",
        "cat h 1 --proto",
        "cat h 1 --proto 131",
        "cat h 1 --proto 388", /* 132 modulo 256 */
        "cat h 1 --udp=0",
        "cat h 1 --udp=70000",
        "cat h 1 --link",
        "cat h 1 --link packets",
        "cat h 1 --udp --link raw",
        "cat h 1 --udp --interface lo",
        "cat h 1 --udp --proto 253",
        "cat h 1 --udp --proto 254",
        "cat h 1 -4 -6",
        "cat h 1 --streams 0",
        "cat h 1 --streams 65536",
        "cat h 1 --msg-size 0",
        "cat h 1 --msg-size 67108865",
        "cat h 1 --msg-size 99999999999999999999",
        "cat h 1 --expect -5",
        "cat -l 1 --expect 5",
        NINE_LOCALS,
    };
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        print_message("%s\n", lines[i]);
        assert_int_equal(cat(lines[i]), HWS_CLI_USAGE);
    }
    assert_int_equal(parse(HWS_CLI_ECHO, "echo h 1"), HWS_CLI_USAGE);
    assert_int_equal(parse(HWS_CLI_ECHO, "echo -l 1 --msg-size 5"), HWS_CLI_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),         cmocka_unit_test(everything_given),
        cmocka_unit_test(links_have_names), cmocka_unit_test(udp_has_an_optional_port),
        cmocka_unit_test(ping_has_its_own), cmocka_unit_test(help_needs_nothing_else),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
