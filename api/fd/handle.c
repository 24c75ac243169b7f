#include "api/fd/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/fd/table.h"
#include "api/runtime/env.h"

/* ---- References ---- */

void hws_handle_ref(struct hws_handle *handle)
{
    __atomic_add_fetch(&handle->refs, 1, __ATOMIC_RELAXED);
}

void hws_handle_unref(struct hws_handle *handle)
{
    if (__atomic_sub_fetch(&handle->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    hws_level_close_own(&handle->level);
    hws_runtime_unref(handle->runtime);
    free(handle);
}

int hws_handle_open(struct hws_runtime *runtime, int domain, int type, struct hws_handle **out)
{
    struct hws_handle *handle = calloc(1, sizeof(*handle));
    if (handle == NULL)
        return -ENOMEM;
    int rc = hws_level_open(&handle->level);
    if (rc < 0) {
        free(handle);
        return rc;
    }
    hws_runtime_ref(runtime);
    handle->refs = 1;

    handle->process = hws_process_id();
    handle->runtime = runtime;
    handle->domain = domain;
    handle->type = type;
    TAILQ_INIT(&handle->waiters[HWS_IN]);
    TAILQ_INIT(&handle->waiters[HWS_OUT]);
    *out = handle;
    return 0;
}

void hws_handle_drop(struct hws_handle *handle)
{
    close(handle->level.fd);
    hws_handle_unref(handle);
}

/* ---- Settling ---- */

static void on_socket(struct hws_sock *sock, unsigned ready, void *arg)
{
    struct hws_handle *handle = arg;
    (void)sock;
    (void)ready;
    if (handle->changed)
        return;
    handle->changed = true;
    TAILQ_INSERT_TAIL(&handle->runtime->changed, handle, in_changed);
}

static void forget_changed(struct hws_handle *handle)
{
    if (handle->changed)
        TAILQ_REMOVE(&handle->runtime->changed, handle, in_changed);
    handle->changed = false;
}

static void wake_all(struct hws_handle *handle, enum hws_direction direction)
{
    struct hws_waiter *waiter;
    TAILQ_FOREACH(waiter, &handle->waiters[direction], in_socket)
    hws_driving_wake(&handle->runtime->driving, waiter);
}

/* A thread that waits to receive has its turn before the descriptor shows anything: mostly there is
 * nothing to show any more then. */
static void settle_in(struct hws_handle *handle, bool readable)
{
    struct hws_waiter *waiter = TAILQ_FIRST(&handle->waiters[HWS_IN]);
    bool arrived = handle->sock->arrivals != handle->arrivals;
    if (readable && waiter != NULL) {
        hws_driving_wake(&handle->runtime->driving, waiter);
        return;
    }
    hws_level_readable(&handle->level, readable, arrived && handle->asked);
    if (arrived)
        handle->asked = false;
    handle->arrivals = handle->sock->arrivals;
}

/* Whoever was refused waits for an edge, also when there is room again before the call ends. */
static void settle_out(struct hws_handle *handle, bool writable)
{
    if (handle->sock->refusals != handle->refusals)
        hws_level_writable(&handle->level, false);
    hws_level_writable(&handle->level, writable);
    handle->refusals = handle->sock->refusals;
}

/* A call that waits takes the error, and then there is none to show. */
static bool awaited(const struct hws_handle *handle)
{
    return !TAILQ_EMPTY(&handle->waiters[HWS_IN]) || !TAILQ_EMPTY(&handle->waiters[HWS_OUT]);
}

static void settle(struct hws_handle *handle)
{
    int shows = hws_sock_poll(handle->sock);
    settle_out(handle, (shows & POLLOUT) != 0);
    if (!awaited(handle))
        hws_level_error(&handle->level, (shows & POLLERR) != 0 && handle->type == SOCK_STREAM);
    if ((shows & POLLRDHUP) != 0)
        hws_level_rdhup(&handle->level);
    if ((shows & POLLHUP) != 0)
        hws_level_hup(&handle->level);
    /* The last, since what has ended is readable without further ado. */
    settle_in(handle, (shows & (POLLIN | POLLERR | POLLHUP | POLLRDHUP)) != 0);
}

static void settle_changed(struct hws_runtime *runtime)
{
    struct hws_handle *handle;
    while ((handle = TAILQ_FIRST(&runtime->changed)) != NULL) {
        forget_changed(handle);
        wake_all(handle, HWS_OUT);
        if (hws_sock_may_wait(handle->sock) < 0) /* nothing comes any more: all are told */
            wake_all(handle, HWS_IN);
        settle(handle);
    }
}

/* ---- Life ---- */

void hws_handle_send_away(struct hws_handle *handle)
{
    handle->closed = true;
    wake_all(handle, HWS_IN);
    wake_all(handle, HWS_OUT);
}

static void let_socket_go(struct hws_handle *handle)
{
    hws_sock_set_callback(handle->sock, NULL, NULL);
    forget_changed(handle);
    TAILQ_REMOVE(&handle->runtime->handles, handle, in_runtime);
    handle->sock = NULL;
    wake_all(handle, HWS_IN);
    wake_all(handle, HWS_OUT);
}

/* The runtime is about to end: its sockets with it, and what shows them hangs up. */
static void detach_all(struct hws_runtime *runtime)
{
    struct hws_handle *handle;
    while ((handle = TAILQ_FIRST(&runtime->handles)) != NULL) {
        let_socket_go(handle);
        hws_level_close_own(&handle->level);
    }
}

/* Of one whose number nobody has: not in the table, or closed with close(2) behind its back. It may
 * be another runtime's, whose lock is taken alone. */
static void close_handle(struct hws_handle *handle)
{
    if (handle->process == hws_process_id()) {
        hws_driving_lock(&handle->runtime->driving);
        if (handle->sock != NULL)
            hws_handle_close(handle, hws_env_now_us());
        hws_runtime_leave(handle->runtime);
    }
    hws_handle_unref(handle);
}

void hws_handle_bind(struct hws_handle *handle, struct hws_sock *sock)
{
    struct hws_runtime *runtime = handle->runtime;
    runtime->settle = settle_changed;
    runtime->detach = detach_all;
    handle->sock = sock;
    TAILQ_INSERT_TAIL(&runtime->handles, handle, in_runtime);
    hws_sock_set_callback(sock, on_socket, handle);
    settle(handle);
    handle->level.unknown = false;
}

int hws_handle_publish(struct hws_handle *handle)
{
    struct hws_handle *stale;
    int rc = hws_table_put(handle, &stale);
    if (stale != NULL)
        close_handle(stale);
    if (rc < 0) {
        close(handle->level.fd);
        close_handle(handle);
    } else {
        hws_handle_unref(handle);
    }
    return rc;
}

void hws_handle_close(struct hws_handle *handle, uint64_t now_us)
{
    struct hws_sock *sock = handle->sock;
    bool over = sock->state == HWS_SOCK_OVER; /* nobody waits for what closing sends */
    handle->closed = true;
    let_socket_go(handle);
    hws_sock_close(sock, now_us);
    if (over)
        hws_runtime_work_in_turn(handle->runtime);
    else
        hws_runtime_work(handle->runtime, false, false);
}

/* ---- Calls ---- */

/* Of the thread: calls it is in. More than one: a lent buffer came back during a call, and its
 * owner called us. */
static _Thread_local struct {
    unsigned depth;
    int error;
    int cancel;
} thread;

/* A thread cancelled in the middle would leave the lock and its waiter behind. */
void hws_call_begin(void)
{
    if (thread.depth++ > 0)
        return;
    thread.error = errno;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &thread.cancel);
}

/* As the kernel: a call that succeeds leaves errno alone. One that fails sets it after this. */
void hws_call_end(void)
{
    if (--thread.depth > 0)
        return;
    errno = thread.error;
    pthread_setcancelstate(thread.cancel, NULL);
}

static int enter(struct hws_handle *handle)
{
    if (handle->process != hws_process_id())
        return -ESTALE;
    hws_driving_lock(&handle->runtime->driving);
    if (handle->sock != NULL && !handle->closed)
        return 0;
    int rc = handle->closed ? -EBADF : -ESTALE;
    hws_driving_unlock(&handle->runtime->driving);
    return rc;
}

static int find(int fd, struct hws_handle **out)
{
    struct hws_handle *handle = hws_table_get(fd);
    if (handle == NULL)
        return fcntl(fd, F_GETFD) < 0 ? -EBADF : -ENOTSOCK;
    int rc = enter(handle);
    if (rc < 0)
        hws_handle_unref(handle);
    else
        *out = handle;
    return rc;
}

int hws_handle_enter(int fd, struct hws_handle **out)
{
    hws_call_begin();
    int rc = find(fd, out);
    if (rc < 0)
        hws_call_end();
    return rc;
}

static void leave(struct hws_handle *handle)
{
    if (handle->sock != NULL)
        settle(handle);
    hws_runtime_leave(handle->runtime);
    hws_handle_unref(handle);
    hws_call_end();
}

void hws_handle_leave(struct hws_handle *handle, bool changed)
{
    if (changed && handle->sock != NULL)
        hws_runtime_work(handle->runtime, false, false);
    leave(handle);
}

void hws_handle_leave_in_turn(struct hws_handle *handle)
{
    if (handle->sock != NULL)
        hws_runtime_work_in_turn(handle->runtime);
    leave(handle);
}

int hws_handle_sleep(struct hws_handle *handle, enum hws_direction direction, uint64_t until_us)
{
    struct hws_waiter waiter = {0};
    if (handle->sock != NULL)
        settle(handle);
    TAILQ_INSERT_TAIL(&handle->waiters[direction], &waiter, in_socket);
    /* What calls before this one left to the program's loop. It may bring what this one waits for,
     * which then does not sleep. */
    if (handle->runtime->more)
        hws_runtime_work(handle->runtime, false, false);
    int rc = hws_driving_wait(&handle->runtime->driving, &waiter, until_us);
    TAILQ_REMOVE(&handle->waiters[direction], &waiter, in_socket);
    return rc;
}

int hws_handle_wait(struct hws_handle *handle, enum hws_direction direction, uint64_t until_us)
{
    int rc = hws_handle_sleep(handle, direction, until_us);
    if (handle->closed)
        return -EBADF;
    return handle->sock == NULL ? -ESTALE : rc;
}
