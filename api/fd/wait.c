/* Calls that wait: for how long, and what a signal does to them. */
#include "api/fd/posix.h"
#include "api/runtime/env.h"

struct hws_fd_patience hws_fd_patience(uint64_t timeout_us)
{
    return (struct hws_fd_patience){.until_us = timeout_us == 0 ? HWS_DRIVING_FOREVER
                                                                : hws_env_now_us() + timeout_us};
}

int hws_fd_wait(struct hws_handle *handle, enum hws_direction direction,
                struct hws_fd_patience *patience, int answer)
{
    if (hws_env_now_us() >= patience->until_us)
        return answer;
    if (patience->interrupted)
        return -EINTR;
    int rc = hws_handle_wait(handle, direction, patience->until_us);
    patience->interrupted = rc == -EINTR;
    return patience->interrupted ? 0 : rc;
}
