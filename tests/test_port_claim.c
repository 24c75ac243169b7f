#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/link/port_claim_linux.h"
#include "tests/netns.h"

#define PROTOCOL 253
#define PORT 61234

static void test_second_claim_is_refused(void **state)
{
    (void)state;
    int first = hws_port_claim(PROTOCOL, PORT);
    assert_true(first >= 0);
    assert_int_equal(hws_port_claim(PROTOCOL, PORT), -EADDRINUSE);
    close(first);
    int second = hws_port_claim(PROTOCOL, PORT);
    assert_true(second >= 0);
    close(second);
}

static void test_protocols_and_ports_are_apart(void **state)
{
    (void)state;
    int fds[] = {hws_port_claim(PROTOCOL, PORT), hws_port_claim(PROTOCOL + 1, PORT),
                 hws_port_claim(PROTOCOL, PORT + 1), hws_port_claim(PROTOCOL, 6123)};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        assert_true(fds[i] >= 0);
        close(fds[i]);
    }
}

/* Runs `try` in a child and returns what it returned. */
static int in_child(int (*try)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(try());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int claim_and_die(void)
{
    return hws_port_claim(PROTOCOL, PORT) >= 0 ? 0 : 1;
}

static int is_refused(void)
{
    return hws_port_claim(PROTOCOL, PORT) == -EADDRINUSE ? 0 : 1;
}

static void test_other_processes(void **state)
{
    (void)state;
    assert_int_equal(in_child(claim_and_die), 0);
    int fd = hws_port_claim(PROTOCOL, PORT);
    assert_true(fd >= 0);
    assert_int_equal(in_child(is_refused), 0);
    close(fd);
}

static int claim_in_new_namespace(void)
{
    if (!netns_enter())
        return 2;
    return claim_and_die();
}

static void test_other_namespace(void **state)
{
    (void)state;
    int fd = hws_port_claim(PROTOCOL, PORT);
    assert_true(fd >= 0);
    fflush(stdout);
    int result = in_child(claim_in_new_namespace);
    close(fd);
    if (result == 2) {
        printf("SKIP: no network namespace can be made here\n");
        skip();
    }
    assert_int_equal(result, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_claim_is_refused),
        cmocka_unit_test(test_protocols_and_ports_are_apart),
        cmocka_unit_test(test_other_processes),
        cmocka_unit_test(test_other_namespace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
