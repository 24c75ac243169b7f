/* What tables of congestion controllers, schedulers and path selectors have to be like for an
 * engine to take them, and that what is wrong is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/engine.h"
#include "tests/sim/erratic.h"

static char error[HWS_EXTENSION_ERROR_MAX];

static int check(const struct hws_cc_ops *cc, const struct hws_sched_ops *sched,
                 const struct hws_pathsel_ops *pathsel)
{
    const struct hws_cc_ops *const ccs[] = {cc, NULL};
    const struct hws_sched_ops *const scheds[] = {sched, NULL};
    const struct hws_pathsel_ops *const pathsels[] = {pathsel, NULL};
    const struct hws_extension x = {
        .api = HWS_EXTEND_API, .name = "x", .ccs = ccs, .scheds = scheds, .pathsels = pathsels};
    const struct hws_extension *const list[] = {&sim_erratic, &x};
    error[0] = '\0';
    return hws_extensions_check(list, 2, error);
}

static void says(int result, const char *what)
{
    assert_int_equal(result, HWS_E_INVAL);
    if (strstr(error, what) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error, what);
}

static void controllers(void **state)
{
    (void)state;
    const struct hws_cc_ops good = *sim_erratic.ccs[0];
    struct hws_cc_ops cc = good;
    says(check(&cc, NULL, NULL), "congestion controller erratic: extension erratic has one");
    cc.name = "rfc9260";
    says(check(&cc, NULL, NULL), "has one of that name");
    cc.name = "mine";
    assert_int_equal(check(&cc, NULL, NULL), HWS_OK);
    cc.name = "";
    says(check(&cc, NULL, NULL), "needs a name");
    cc.name = "longer-than-it-may-be";
    says(check(&cc, NULL, NULL), "needs a name");
    cc.name = "mine";
    cc.state_size = HWS_EXT_CC_STATE_MAX + 1;
    says(check(&cc, NULL, NULL), "there may be 256");
    cc = good;
    cc.name = "mine";
    cc.cwnd = NULL;
    says(check(&cc, NULL, NULL), "needs init, ack, loss, timeout and cwnd");
}

static void schedulers(void **state)
{
    (void)state;
    const struct hws_sched_ops good = *sim_erratic.scheds[0];
    struct hws_sched_ops sched = good;
    says(check(NULL, &sched, NULL), "stream scheduler erratic: extension erratic has one");
    sched.name = "rr";
    says(check(NULL, &sched, NULL), "has one of that name");
    sched.name = "rfc9260"; /* names of another kind do not matter */
    assert_int_equal(check(NULL, &sched, NULL), HWS_OK);
    sched.stream_size = HWS_EXT_SCHED_STREAM_MAX + 1;
    says(check(NULL, &sched, NULL), "for a stream: there may be 64");
    sched.stream_size = 0;
    sched.state_size = UINT32_MAX;
    says(check(NULL, &sched, NULL), "there may be 64");
    sched.state_size = 0;
    sched.next = NULL;
    says(check(NULL, &sched, NULL), "needs ready, next and sent");
}

static void selectors(void **state)
{
    (void)state;
    struct hws_pathsel_ops pathsel = *sim_erratic.pathsels[0];
    pathsel.name = "primary";
    says(check(NULL, NULL, &pathsel), "has one of that name");
    pathsel.name = "with blanks";
    says(check(NULL, NULL, &pathsel), "needs a name");
    pathsel.name = "mine";
    assert_int_equal(check(NULL, NULL, &pathsel), HWS_OK);
    pathsel.state_size = HWS_EXT_PATHSEL_STATE_MAX + 1;
    says(check(NULL, NULL, &pathsel), "there may be 1024");
    pathsel.state_size = 8;
    pathsel.pick = NULL;
    says(check(NULL, NULL, &pathsel), "needs pick");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controllers),
        cmocka_unit_test(schedulers),
        cmocka_unit_test(selectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
