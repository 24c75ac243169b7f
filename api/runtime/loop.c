#include "api/runtime/loop.h"

#include <errno.h>
#include <stdlib.h>

#include "api/runtime/runtime.h"

struct hws_loop {
    struct hws_runtime *runtime;
    uv_loop_t *uv;
    uv_poll_t polls[HWS_LINK_MAX_FDS]; /* as many as the runtime has descriptors */
    size_t poll_count;
    uv_poll_t netwatch;
    bool netwatch_open;
    bool netwatch_paused; /* until the change has been looked at */
    uv_timer_t timer;
    uv_prepare_t prepare;
    uint64_t timer_us;     /* when the timer will fire; UINT64_MAX: it is not set */
    uint32_t writable_fds; /* bit i: polls[i] waits for writing, too */
    bool pending;          /* calls changed something that has not been sent */
    unsigned open_handles;
};

/* ---- Running ---- */

static void on_timer(uv_timer_t *timer)
{
    struct hws_loop *loop = timer->data;
    loop->timer_us = UINT64_MAX;
    loop->pending = true;
}

static void set_timer(struct hws_loop *loop, uint64_t deadline_us)
{
    /* A timer that is set too early costs one idle wake-up, less than moving it every time. */
    if (deadline_us >= loop->timer_us)
        return;
    /* libuv's time is the engine's clock in milliseconds. Rounded up: a timer that fires early
     * finds nothing to do. */
    uint64_t at_ms = deadline_us / 1000 + 1;
    uint64_t now_ms = uv_now(loop->uv);
    uv_timer_start(&loop->timer, on_timer, at_ms > now_ms ? at_ms - now_ms : 0, 0);
    loop->timer_us = deadline_us;
}

static void on_poll(uv_poll_t *poll, int status, int events);
static void on_netwatch(uv_poll_t *poll, int status, int events);

static void poll_events(struct hws_loop *loop)
{
    uint32_t writable_fds = loop->runtime->driver.blocked_fds;
    for (size_t i = 0; i < loop->poll_count; i++) {
        bool writable = (writable_fds >> i & 1) != 0;
        uv_poll_start(&loop->polls[i], UV_READABLE | (writable ? UV_WRITABLE : 0), on_poll);
    }
    loop->writable_fds = writable_fds;
}

static void keep_alive(struct hws_loop *loop)
{
    if (loop->pending || hws_sockets_orphans(&loop->runtime->sockets) > 0)
        uv_ref((uv_handle_t *)&loop->prepare);
    else
        uv_unref((uv_handle_t *)&loop->prepare);
}

static void give_back(struct hws_runtime *runtime)
{
    hws_driving_lock(&runtime->driving);
    hws_runtime_give_back(runtime);
    hws_driving_unlock(&runtime->driving);
}

static void work(struct hws_loop *loop, bool input, bool netwatch)
{
    struct hws_runtime *runtime = loop->runtime;
    loop->pending = false;
    hws_runtime_work(runtime, input, netwatch);
    give_back(runtime);
    if (runtime->driver.blocked_fds != loop->writable_fds)
        poll_events(loop);
    if (loop->netwatch_paused && runtime->netwatch_due_us == UINT64_MAX) {
        loop->netwatch_paused = false;
        uv_poll_start(&loop->netwatch, UV_READABLE, on_netwatch);
    }
    set_timer(loop, hws_runtime_deadline(runtime));
    keep_alive(loop);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct hws_loop *loop = poll->data;
    (void)events;
    work(loop, true, false);
    /* libuv stops a handle whose descriptor reports POLLERR: here that is news in the error queue,
     * which has been read now. */
    if (status < 0)
        poll_events(loop);
}

static void on_netwatch(uv_poll_t *poll, int status, int events)
{
    struct hws_loop *loop = poll->data;
    (void)status;
    (void)events;
    uv_poll_stop(poll);
    loop->netwatch_paused = true;
    work(loop, false, true);
}

/* What no descriptor tells of has to be looked at: packets that the link holds already, or that of
 * a link without descriptors. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct hws_loop *loop = prepare->data;
    if (loop->pending || loop->runtime->unread || loop->poll_count == 0)
        work(loop, false, false);
}

void hws_loop_kick(struct hws_loop *loop)
{
    loop->pending = true;
    keep_alive(loop);
}

uv_loop_t *hws_loop_uv(const struct hws_loop *loop)
{
    return loop->uv;
}

/* ---- Beginning and end ---- */

static int open_poll(struct hws_loop *loop, uv_poll_t *poll, int fd)
{
    int rc = uv_poll_init(loop->uv, poll, fd);
    if (rc < 0)
        return rc;
    poll->data = loop;
    uv_unref((uv_handle_t *)poll);
    loop->open_handles++;
    return 0;
}

static void open_timers(struct hws_loop *loop)
{
    uv_timer_init(loop->uv, &loop->timer);
    uv_prepare_init(loop->uv, &loop->prepare);
    loop->timer.data = loop->prepare.data = loop;
    uv_unref((uv_handle_t *)&loop->timer);
    uv_unref((uv_handle_t *)&loop->prepare);
    loop->open_handles = 2;
    uv_prepare_start(&loop->prepare, on_prepare);
}

/* Without it paths keep the MTU and the source address they began with. */
static void open_netwatch(struct hws_loop *loop)
{
    int fd = loop->runtime->netwatch;
    if (fd < 0 || open_poll(loop, &loop->netwatch, fd) < 0)
        return;
    loop->netwatch_open = true;
    uv_poll_start(&loop->netwatch, UV_READABLE, on_netwatch);
}

int hws_loop_start(struct hws_runtime *runtime, uv_loop_t *uv)
{
    struct hws_link *link = runtime->driver.link;
    int fds[HWS_LINK_MAX_FDS];
    size_t fd_count = link->ops->fds(link, fds);
    struct hws_loop *loop = calloc(1, sizeof(*loop));
    if (loop == NULL)
        return -ENOMEM;
    *loop = (struct hws_loop){.runtime = runtime, .uv = uv, .timer_us = UINT64_MAX};
    runtime->loop = loop;
    open_timers(loop);
    for (size_t i = 0; i < fd_count; i++) {
        int rc = open_poll(loop, &loop->polls[i], fds[i]);
        if (rc < 0)
            return rc;
        loop->poll_count++;
    }
    poll_events(loop);
    open_netwatch(loop);
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct hws_loop *loop = handle->data;
    if (--loop->open_handles > 0)
        return;
    hws_runtime_unref(loop->runtime);
    free(loop);
}

void hws_loop_stop(struct hws_loop *loop)
{
    for (size_t i = 0; i < loop->poll_count; i++)
        uv_close((uv_handle_t *)&loop->polls[i], on_closed);
    if (loop->netwatch_open)
        uv_close((uv_handle_t *)&loop->netwatch, on_closed);
    uv_close((uv_handle_t *)&loop->timer, on_closed);
    uv_close((uv_handle_t *)&loop->prepare, on_closed);
}
