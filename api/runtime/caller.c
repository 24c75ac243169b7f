/* Runtimes that the program's own loop runs. */
#include <errno.h>
#include <limits.h>

#include "api/runtime/env.h"
#include "api/runtime/runtime.h"

/* Takes the lock of a runtime that calls of this process may drive. */
static int enter(struct hws_runtime *runtime, bool only_caller)
{
    if (runtime == NULL)
        return -EFAULT;
    if (runtime->process != hws_process_id())
        return -ESTALE;
    if (runtime->loop != NULL || (only_caller && !runtime->caller_drives))
        return -EINVAL;
    hws_driving_lock(&runtime->driving);
    return 0;
}

static int answer(int rc)
{
    errno = rc < 0 ? -rc : 0;
    return rc < 0 ? -1 : rc;
}

int hws_runtime_run(struct hws_runtime *runtime)
{
    int rc = enter(runtime, false);
    if (rc < 0)
        return answer(rc);
    hws_driving_caller_runs(&runtime->driving);
    hws_runtime_leave(runtime);
    return 0;
}

int hws_runtime_fd(struct hws_runtime *runtime)
{
    int rc = enter(runtime, true);
    if (rc < 0)
        return answer(rc);
    rc = hws_runtime_start(runtime);
    int fd = runtime->driving.lead_epoll;
    hws_runtime_leave(runtime);
    return answer(rc < 0 ? rc : fd);
}

int hws_runtime_timeout_ms(struct hws_runtime *runtime)
{
    int rc = enter(runtime, true);
    if (rc < 0)
        return answer(rc);
    if (runtime->more)
        hws_runtime_work(runtime, false, false);
    uint64_t until_us = hws_driving_caller_sleeps(&runtime->driving);
    hws_runtime_leave(runtime);
    errno = 0;
    if (until_us == UINT64_MAX)
        return -1;
    uint64_t now_us = hws_env_now_us();
    uint64_t wait_ms = until_us > now_us ? (until_us - now_us + 999u) / 1000u : 0;
    return wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
}
