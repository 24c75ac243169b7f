#include "api/runtime/runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/link/local.h"
#include "api/link/netwatch_linux.h"
#include "api/runtime/env.h"

/* Receive batches before other handles of the loop get their turn. */
#define BATCHES_PER_WAKE 8u
/* How often hws_runtime_finish looks whether another thread has finished. */
#define FINISH_STEP_US 10000u

/* ---- Running ---- */

static void on_timer(uv_timer_t *timer)
{
    struct hws_runtime *runtime = timer->data;
    runtime->timer_us = UINT64_MAX;
    runtime->pending = true;
}

static void set_timer(struct hws_runtime *runtime, uint64_t deadline_us)
{
    /* A timer that is set too early costs one idle wake-up, less than moving it every time. */
    if (deadline_us >= runtime->timer_us)
        return;
    /* libuv's time is the engine's clock in milliseconds. Rounded up: a timer that fires early
     * finds nothing to do. */
    uint64_t at_ms = deadline_us / 1000 + 1;
    uint64_t now_ms = uv_now(runtime->loop);
    uv_timer_start(&runtime->timer, on_timer, at_ms > now_ms ? at_ms - now_ms : 0, 0);
    runtime->timer_us = deadline_us;
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void poll_events(struct hws_runtime *runtime)
{
    int events = UV_READABLE | (runtime->driver.blocked ? UV_WRITABLE : 0);
    for (size_t i = 0; i < runtime->poll_count; i++)
        uv_poll_start(&runtime->polls[i], events, on_poll);
    runtime->polls_writable = runtime->driver.blocked;
}

static bool run_driver(struct hws_runtime *runtime, uint64_t now_us)
{
    runtime->running = true;
    runtime->pending = false;
    bool more = hws_driver_run(&runtime->driver, now_us);
    runtime->running = false;
    return more;
}

static void run(struct hws_runtime *runtime, uint64_t now_us)
{
    bool more = run_driver(runtime, now_us);
    if (runtime->waiting) /* what the call waits for may have come: do not sleep */
        uv_stop(runtime->loop);
    if (runtime->driver.blocked != runtime->polls_writable)
        poll_events(runtime);
    set_timer(runtime, more ? now_us : hws_engine_deadline(runtime->engine));
}

/* A link without descriptors (memory) cannot wake its other end: as long as it sends something, the
 * loop goes round once more without sleeping. */
static bool sent_without_descriptor(struct hws_runtime *runtime)
{
    struct hws_link *link = runtime->driver.link;
    uint64_t sent_packets = link->ops->stats(link)->tx_packets;
    bool more = sent_packets != runtime->sent_packets;
    runtime->sent_packets = sent_packets;
    return more && runtime->poll_count == 0;
}

/* What is left after the last batch may lie in the link already (one UDP_GRO message holds many
 * packets), where no descriptor shows it: the timer, due at once, brings us back. */
static void receive(struct hws_runtime *runtime)
{
    size_t count = 1;
    for (unsigned i = 0; i < BATCHES_PER_WAKE && count > 0; i++) {
        uint64_t now_us = hws_env_now_us();
        count = hws_driver_input(&runtime->driver, now_us);
        run(runtime, now_us);
    }
    runtime->unread = count > 0 || sent_without_descriptor(runtime);
    if (runtime->unread) {
        runtime->timer_us = 0;
        uv_timer_start(&runtime->timer, on_timer, 0, 0);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct hws_runtime *runtime = poll->data;
    (void)events;
    receive(runtime);
    /* libuv stops a handle whose descriptor reports POLLERR: here that is news in the error queue,
     * which has been read now. */
    if (status < 0)
        poll_events(runtime);
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct hws_runtime *runtime = prepare->data;
    if (runtime->unread || runtime->poll_count == 0)
        receive(runtime);
    else if (runtime->pending)
        run(runtime, hws_env_now_us());
}

void hws_runtime_kick(struct hws_runtime *runtime, uint64_t now_us)
{
    if (runtime->owns_loop && !runtime->running)
        run(runtime, now_us);
    else
        runtime->pending = true;
}

int hws_runtime_wait(struct hws_runtime *runtime)
{
    if (runtime->running)
        return -EDEADLK;
    runtime->waiting = true;
    uv_run(runtime->loop, UV_RUN_ONCE);
    runtime->waiting = false;
    return 0;
}

/* ---- Changes of the network ---- */

/* An interface that comes or goes is told in many messages: after so long all have come. */
#define NETWATCH_DELAY_MS 50u

static void on_path(void *arg, hws_assoc_id assoc, const struct hws_addr *remote)
{
    struct hws_runtime *runtime = arg;
    hws_driver_tell_route(&runtime->driver, assoc, remote, hws_env_now_us());
}

static void on_netwatch(uv_poll_t *poll, int status, int events);

static void look_at_network(struct hws_runtime *runtime)
{
    hws_netwatch_drain(runtime->netwatch);
    hws_sockets_visit_paths(&runtime->sockets, on_path, runtime);
    runtime->pending = true;
}

static void on_netwatch_timer(uv_timer_t *timer)
{
    struct hws_runtime *runtime = timer->data;
    look_at_network(runtime);
    uv_poll_start(&runtime->netwatch_poll, UV_READABLE, on_netwatch);
}

static void on_netwatch(uv_poll_t *poll, int status, int events)
{
    struct hws_runtime *runtime = poll->data;
    (void)status;
    (void)events;
    uv_poll_stop(poll);
    uv_timer_start(&runtime->netwatch_timer, on_netwatch_timer, NETWATCH_DELAY_MS, 0);
}

/* Without it paths keep the MTU and the source address they began with. A link without descriptors
 * has a network of its own. */
static void watch_network(struct hws_runtime *runtime)
{
    runtime->netwatch = runtime->poll_count > 0 ? hws_netwatch_open() : -1;
    if (runtime->netwatch < 0)
        return;
    uv_timer_init(runtime->loop, &runtime->netwatch_timer);
    uv_poll_init(runtime->loop, &runtime->netwatch_poll, runtime->netwatch);
    runtime->netwatch_timer.data = runtime->netwatch_poll.data = runtime;
    runtime->open_handles += 2;
    uv_poll_start(&runtime->netwatch_poll, UV_READABLE, on_netwatch);
    uv_unref((uv_handle_t *)&runtime->netwatch_poll);
    uv_unref((uv_handle_t *)&runtime->netwatch_timer);
}

/* ---- Driven with descriptors ---- */

static void receive_some(struct hws_runtime *runtime)
{
    size_t count = HWS_DRIVER_BATCH;
    for (unsigned i = 0; i < BATCHES_PER_WAKE && count == HWS_DRIVER_BATCH; i++) {
        uint64_t now_us = hws_env_now_us();
        count = hws_driver_input(&runtime->driver, now_us);
        runtime->more = run_driver(runtime, now_us);
    }
    runtime->unread = count == HWS_DRIVER_BATCH || sent_without_descriptor(runtime);
}

void hws_runtime_work(struct hws_runtime *runtime, bool input, bool netwatch)
{
    uint64_t now_us = hws_env_now_us();
    if (netwatch && runtime->netwatch_due_us == UINT64_MAX)
        runtime->netwatch_due_us = now_us + NETWATCH_DELAY_MS * 1000u;
    if (runtime->netwatch_due_us <= now_us) {
        runtime->netwatch_due_us = UINT64_MAX;
        look_at_network(runtime);
    }
    if (input || runtime->unread || runtime->poll_count == 0)
        receive_some(runtime);
    else
        runtime->more = run_driver(runtime, now_us);
    if (runtime->settle != NULL)
        runtime->settle(runtime);
}

uint64_t hws_runtime_deadline(const struct hws_runtime *runtime)
{
    uint64_t deadline_us = hws_engine_deadline(runtime->engine);
    if (runtime->more || runtime->unread)
        return 0;
    return deadline_us < runtime->netwatch_due_us ? deadline_us : runtime->netwatch_due_us;
}

bool hws_runtime_give_back(struct hws_runtime *runtime)
{
    struct hws_sock_release lent;
    bool any = false;
    while (!runtime->over && hws_sockets_released(&runtime->sockets, &lent)) {
        hws_driving_unlock(&runtime->driving);
        lent.release(lent.arg);
        hws_driving_lock(&runtime->driving);
        any = true;
    }
    return any;
}

void hws_runtime_leave(struct hws_runtime *runtime)
{
    hws_runtime_give_back(runtime);
    hws_driving_rearm(&runtime->driving);
    hws_driving_unlock(&runtime->driving);
}

int hws_runtime_start(struct hws_runtime *runtime)
{
    return runtime->owns_loop ? hws_driving_start(&runtime->driving, !runtime->caller_drives)
                              : -EINVAL;
}

/* ---- What the sockets and the driver call ---- */

static int host_add_port(void *arg, uint16_t port)
{
    struct hws_link *link = ((struct hws_runtime *)arg)->driver.link;
    return link->ops->add_port(link, port);
}

static void host_remove_port(void *arg, uint16_t port)
{
    struct hws_link *link = ((struct hws_runtime *)arg)->driver.link;
    link->ops->remove_port(link, port);
}

static int host_check_local(void *arg, const struct hws_addr *local)
{
    /* A link without descriptors has addresses of its own. */
    return ((struct hws_runtime *)arg)->poll_count > 0 ? hws_local_check(local) : 0;
}

static int host_check_route(void *arg, const struct hws_addr *remote)
{
    struct hws_link *link = ((struct hws_runtime *)arg)->driver.link;
    return link->ops->route(link, remote, NULL, NULL);
}

static void host_event(void *arg, const struct hws_event *event, uint64_t now_us)
{
    hws_sockets_event(&((struct hws_runtime *)arg)->sockets, event, now_us);
}

static bool host_dispatch(void *arg)
{
    return hws_sockets_dispatch(&((struct hws_runtime *)arg)->sockets);
}

/* ---- Making one ---- */

static int init_handles(struct hws_runtime *runtime)
{
    struct hws_link *link = runtime->driver.link;
    int fds[HWS_LINK_MAX_FDS];
    size_t fd_count = link->ops->fds(link, fds);
    uv_timer_init(runtime->loop, &runtime->timer);
    uv_prepare_init(runtime->loop, &runtime->prepare);
    runtime->timer.data = runtime->prepare.data = runtime;
    runtime->open_handles = 2;
    uv_prepare_start(&runtime->prepare, on_prepare);
    if (fd_count > 0) /* the descriptors keep the loop alive */
        uv_unref((uv_handle_t *)&runtime->prepare);
    for (size_t i = 0; i < fd_count; i++) {
        int rc = uv_poll_init(runtime->loop, &runtime->polls[i], fds[i]);
        if (rc < 0)
            return rc;
        runtime->polls[i].data = runtime;
        runtime->poll_count++;
        runtime->open_handles++;
    }
    poll_events(runtime);
    watch_network(runtime);
    return 0;
}

static int init_engine(struct hws_runtime *runtime, bool own_host)
{
    int rc = hws_env_init(&runtime->env);
    if (rc < 0)
        return rc;
    struct hws_engine_config config = {.env = runtime->env, .own_host = own_host};
    runtime->engine = hws_engine_new(&config);
    if (runtime->engine == NULL) {
        hws_env_fini(&runtime->env);
        return -ENOMEM;
    }
    runtime->driver.engine = runtime->engine;
    runtime->driver.host =
        (struct hws_driver_host){.arg = runtime, .event = host_event, .dispatch = host_dispatch};
    const struct hws_sockets_host host = {.arg = runtime,
                                          .add_port = host_add_port,
                                          .remove_port = host_remove_port,
                                          .check_local = host_check_local,
                                          .check_route = host_check_route};
    hws_sockets_init(&runtime->sockets, runtime->engine, &runtime->env, &host);
    return 0;
}

static int init_loop(struct hws_runtime *runtime, uv_loop_t *loop)
{
    runtime->owns_loop = loop == NULL;
    runtime->loop = loop != NULL ? loop : &runtime->own_loop;
    return runtime->owns_loop ? uv_loop_init(runtime->loop) : 0;
}

static int init(struct hws_runtime *runtime, uv_loop_t *loop, bool own_host)
{
    int rc = init_loop(runtime, loop);
    if (rc < 0)
        return rc;
    rc = init_engine(runtime, own_host);
    if (rc < 0 && runtime->owns_loop)
        uv_loop_close(runtime->loop);
    return rc;
}

int hws_runtime_open(uv_loop_t *loop, struct hws_link *link, bool own_host,
                     struct hws_runtime **out)
{
    struct hws_runtime *runtime = calloc(1, sizeof(*runtime));
    int rc = -ENOMEM;
    if (runtime != NULL) {
        runtime->timer_us = runtime->netwatch_due_us = UINT64_MAX;
        runtime->driver.link = link;
        runtime->netwatch = -1;
        runtime->refs = 1;
        runtime->process = hws_process_id();
        TAILQ_INIT(&runtime->handles);
        TAILQ_INIT(&runtime->changed);
        rc = init(runtime, loop, own_host);
    }
    if (rc == 0)
        hws_driving_init(&runtime->driving, runtime);
    if (rc < 0) {
        link->ops->close(link);
        free(runtime);
        return rc;
    }
    rc = init_handles(runtime);
    if (rc < 0)
        hws_runtime_free(runtime);
    else
        *out = runtime;
    return rc;
}

/* ---- Its end ---- */

static void on_closed(uv_handle_t *handle)
{
    struct hws_runtime *runtime = handle->data;
    if (handle == (uv_handle_t *)&runtime->netwatch_poll)
        close(runtime->netwatch);
    if (--runtime->open_handles == 0 && !runtime->owns_loop)
        hws_runtime_unref(runtime);
}

static void close_handles(struct hws_runtime *runtime)
{
    for (size_t i = 0; i < runtime->poll_count; i++)
        uv_close((uv_handle_t *)&runtime->polls[i], on_closed);
    if (runtime->netwatch >= 0) {
        uv_close((uv_handle_t *)&runtime->netwatch_poll, on_closed);
        uv_close((uv_handle_t *)&runtime->netwatch_timer, on_closed);
    }
    uv_close((uv_handle_t *)&runtime->timer, on_closed);
    uv_close((uv_handle_t *)&runtime->prepare, on_closed);
}

void hws_runtime_ref(struct hws_runtime *runtime)
{
    __atomic_add_fetch(&runtime->refs, 1, __ATOMIC_RELAXED);
}

void hws_runtime_unref(struct hws_runtime *runtime)
{
    if (__atomic_sub_fetch(&runtime->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    hws_driving_fini(&runtime->driving);
    free(runtime);
}

/* Calls that are in it find their sockets gone. */
static void send_calls_away(struct hws_runtime *runtime)
{
    hws_driving_lock(&runtime->driving);
    runtime->over = true;
    if (runtime->detach != NULL)
        runtime->detach(runtime);
    hws_driving_unlock(&runtime->driving);
    hws_driving_stop(&runtime->driving);
}

static void free_engine(struct hws_runtime *runtime)
{
    uint64_t now_us = hws_env_now_us();
    hws_sockets_fini(&runtime->sockets, now_us);
    hws_engine_abort_all(runtime->engine, now_us);
    hws_driver_run(&runtime->driver, now_us);
    hws_engine_free(runtime->engine);
    hws_env_fini(&runtime->env);
}

void hws_runtime_free(struct hws_runtime *runtime)
{
    if (runtime == NULL || runtime->process != hws_process_id())
        return;
    struct hws_link *link = runtime->driver.link;
    send_calls_away(runtime);
    free_engine(runtime);
    bool owns_loop = runtime->owns_loop;
    close_handles(runtime);
    link->ops->close(link);
    if (!owns_loop)
        return;
    while (runtime->open_handles > 0)
        uv_run(runtime->loop, UV_RUN_ONCE);
    uv_loop_close(runtime->loop);
    hws_runtime_unref(runtime);
}

void hws_runtime_finish(struct hws_runtime *runtime, uint64_t until_us)
{
    struct hws_waiter waiter = {0};
    struct hws_sock *sock, *next;
    hws_driving_lock(&runtime->driving);
    if (runtime->detach != NULL)
        runtime->detach(runtime);
    for (sock = TAILQ_FIRST(&runtime->sockets.all); sock != NULL; sock = next) {
        next = TAILQ_NEXT(sock, in_all);
        if (!sock->orphaned)
            hws_sock_close(sock, hws_env_now_us());
    }
    hws_runtime_work(runtime, false, false);
    while (hws_sockets_orphans(&runtime->sockets) > 0 && hws_env_now_us() < until_us)
        hws_driving_wait(&runtime->driving, &waiter, hws_env_now_us() + FINISH_STEP_US);
    hws_runtime_leave(runtime);
}

void hws_runtime_set_trace(struct hws_runtime *runtime, hws_driver_trace trace, void *arg)
{
    runtime->driver.trace = trace;
    runtime->driver.trace_arg = arg;
}

void hws_runtime_set_net_trace(struct hws_runtime *runtime, hws_driver_net_trace trace, void *arg)
{
    runtime->driver.net_trace = trace;
    runtime->driver.net_trace_arg = arg;
}
