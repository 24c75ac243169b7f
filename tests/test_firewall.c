#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "cli/firewall.h"

static struct hws_cli_firewall scan(const char *ruleset)
{
    struct hws_cli_firewall firewall;
    FILE *in = tmpfile();
    assert_non_null(in);
    fputs(ruleset, in);
    rewind(in);
    hws_cli_firewall_scan(in, &firewall);
    fclose(in);
    return firewall;
}

static void test_nothing(void **state)
{
    (void)state;
    assert_int_equal(scan("").rules, 0);
    struct hws_cli_firewall firewall =
        scan("table inet t {\n"
             "\tchain input {\n"
             "\t\ttype filter hook input priority 0; policy accept;\n"
             "\t\ttcp dport 132 drop\n"
             "\t\tip saddr 192.0.2.254 accept\n"
             "\t}\n"
             "}\n");
    assert_int_equal(firewall.rules, 0);
    assert_int_equal(firewall.closed_chains, 0);
}

static void test_rules(void **state)
{
    (void)state;
    const char *rules[] = {"meta l4proto 132 drop",
                           "meta l4proto sctp drop",
                           "sctp dport 80 accept",
                           "ip protocol { 6, 132 } drop",
                           "ip6 nexthdr 132 counter packets 0 bytes 0 drop",
                           "ip protocol 253 drop",
                           "ip protocol 254 accept",
                           "udp dport 9899 drop",
                           "udp sport { 53, 9899 } drop"};
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        char line[256];
        snprintf(line, sizeof(line), "\t\t%s\n", rules[i]);
        struct hws_cli_firewall firewall = scan(line);
        assert_int_equal(firewall.rules, 1);
        assert_string_equal(firewall.first, rules[i]);
    }
}

static void test_closed_chain(void **state)
{
    (void)state;
    assert_int_equal(scan("type filter hook input priority 0; policy drop;\n").closed_chains, 1);
    assert_int_equal(scan("type filter hook forward priority 0; policy drop;\n").closed_chains, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_closed_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
