#include "api/runtime/driving.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "api/runtime/env.h"
#include "api/runtime/runtime.h"

#define MAX_EVENTS 8

/* What an epoll's event names; below these the number of one of the link's descriptors. */
#define TAG_EVENT HWS_LINK_MAX_FDS
#define TAG_NETWATCH (HWS_LINK_MAX_FDS + 1u)

/* ---- The lock ---- */

int hws_driving_init(struct hws_driving *driving, struct hws_runtime *runtime)
{
    pthread_condattr_t attr;
    *driving = (struct hws_driving){.runtime = runtime,
                                    .lead_epoll = -1,
                                    .lead_event = -1,
                                    .thread_epoll = -1,
                                    .thread_event = -1};
    TAILQ_INIT(&driving->followers);
    if (pthread_condattr_init(&attr) != 0)
        return -ENOMEM;
    pthread_mutex_init(&driving->next, NULL);
    pthread_mutex_init(&driving->lock, NULL);
    pthread_cond_init(&driving->left, &attr);
    pthread_condattr_destroy(&attr);
    return 0;
}

void hws_driving_fini(struct hws_driving *driving)
{
    pthread_cond_destroy(&driving->left);
    pthread_mutex_destroy(&driving->lock);
    pthread_mutex_destroy(&driving->next);
}

void hws_driving_lock(struct hws_driving *driving)
{
    pthread_mutex_lock(&driving->next);
    pthread_mutex_lock(&driving->lock);
    pthread_mutex_unlock(&driving->next);
}

void hws_driving_unlock(struct hws_driving *driving)
{
    pthread_mutex_unlock(&driving->lock);
}

/* ---- Descriptors ---- */

static void set_event(int fd)
{
    const uint64_t one = 1;
    ssize_t written;
    do
        written = write(fd, &one, sizeof(one));
    while (written < 0 && errno == EINTR);
}

static void clear_event(int fd)
{
    uint64_t count;
    ssize_t got;
    do
        got = read(fd, &count, sizeof(count));
    while (got < 0 && errno == EINTR);
}

static int watch(int epoll, int fd, uint32_t tag, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u32 = tag};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* In the kernel's list of those to wake the leader's epoll comes before the thread's. Exclusive
 * watches cannot be changed: they are taken out and put in again. */
static int watch_links(struct hws_driving *driving, uint32_t writable_fds)
{
    const int epolls[] = {driving->lead_epoll, driving->thread_epoll};
    struct hws_link *link = driving->runtime->driver.link;
    uint32_t events = EPOLLIN | (driving->thread_epoll >= 0 ? EPOLLEXCLUSIVE : 0);
    int fds[HWS_LINK_MAX_FDS];
    size_t count = link->ops->fds(link, fds), watching = driving->thread_parked ? 1 : 2;
    int rc = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t e = 0; e < 2 && epolls[e] >= 0; e++)
            epoll_ctl(epolls[e], EPOLL_CTL_DEL, fds[i], NULL);
        uint32_t writing = (writable_fds >> i & 1) != 0 ? EPOLLOUT : 0;
        for (size_t e = 0; e < watching && epolls[e] >= 0 && rc == 0; e++)
            rc = watch(epolls[e], fds[i], (uint32_t)i, events | writing);
    }
    driving->writable_fds = writable_fds;
    return rc;
}

/* Where the link takes no more, until it does. */
static void watch_writing(struct hws_driving *driving)
{
    uint32_t blocked_fds = driving->runtime->driver.blocked_fds;
    if (blocked_fds != driving->writable_fds)
        watch_links(driving, blocked_fds);
}

static int open_watch(int *epoll, int *event)
{
    *epoll = epoll_create1(EPOLL_CLOEXEC);
    *event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return *epoll < 0 || *event < 0 ? -errno : watch(*epoll, *event, TAG_EVENT, EPOLLIN);
}

static void close_watch(int *epoll, int *event)
{
    if (*epoll >= 0)
        close(*epoll);
    if (*event >= 0)
        close(*event);
    *epoll = *event = -1;
}

static int open_descriptors(struct hws_driving *driving, bool thread)
{
    int netwatch = driving->runtime->netwatch;
    int rc = open_watch(&driving->lead_epoll, &driving->lead_event);
    if (rc == 0 && thread)
        rc = open_watch(&driving->thread_epoll, &driving->thread_event);
    if (rc == 0)
        rc = watch_links(driving, driving->runtime->driver.blocked_fds);
    if (rc == 0 && netwatch >= 0)
        rc = watch(thread ? driving->thread_epoll : driving->lead_epoll, netwatch, TAG_NETWATCH,
                   EPOLLIN | EPOLLET);
    return rc;
}

static void close_descriptors(struct hws_driving *driving)
{
    close_watch(&driving->lead_epoll, &driving->lead_event);
    close_watch(&driving->thread_epoll, &driving->thread_event);
}

/* ---- Sleeping ---- */

/* epoll_wait ends with EINTR even where the handler asked for calls to be restarted. Which signal
 * it was cannot be known; while no handler wants calls to be interrupted, they go on. Handlers of
 * crashes do not count: a thread that sleeps makes no fault. */
static bool is_fault(int number)
{
    return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL ||
           number == SIGTRAP || number == SIGABRT || number == SIGSYS;
}

static bool wants_interrupts(void)
{
    for (int number = 1; number < SIGRTMAX; number++) {
        struct sigaction action;
        if (!is_fault(number) && sigaction(number, NULL, &action) == 0 &&
            action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN &&
            (action.sa_flags & SA_RESTART) == 0)
            return true;
    }
    return false;
}

static int epoll_spinning(int epoll, struct epoll_event *events, uint64_t until_us)
{
    int count;
    do
        count = epoll_wait(epoll, events, MAX_EVENTS, 0);
    while (count == 0 && hws_env_now_us() < until_us);
    return count;
}

static int epoll_until(int epoll, struct epoll_event *events, uint64_t until_us)
{
    if (until_us == HWS_DRIVING_FOREVER)
        return epoll_wait(epoll, events, MAX_EVENTS, -1);
    uint64_t now_us = hws_env_now_us();
    uint64_t wait_us = until_us > now_us ? until_us - now_us : 0;
    const struct timespec timeout = {.tv_sec = (time_t)(wait_us / 1000000u),
                                     .tv_nsec = (long)(wait_us % 1000000u) * 1000};
    int count = epoll_pwait2(epoll, events, MAX_EVENTS, &timeout, NULL);
    if (count < 0 && errno == ENOSYS) /* before Linux 5.11 */
        count = epoll_wait(epoll, events, MAX_EVENTS,
                           (int)(wait_us > 60000000u ? 60000 : (wait_us + 999u) / 1000u));
    return count;
}

struct woken {
    int count; /* of events; 0: the time is over, or a negative errno */
    bool event, netwatch, link, error;
    uint8_t link_fds; /* bit i: number i of the link's descriptors */
};

static struct woken wait_until(int epoll, uint64_t until_us, bool spin)
{
    struct epoll_event events[MAX_EVENTS];
    struct woken woken = {.count = spin ? epoll_spinning(epoll, events, until_us)
                                        : epoll_until(epoll, events, until_us)};
    if (woken.count < 0)
        woken.count = -errno;
    for (int i = 0; i < woken.count; i++) {
        uint32_t tag = events[i].data.u32;
        woken.event = woken.event || tag == TAG_EVENT;
        woken.netwatch = woken.netwatch || tag == TAG_NETWATCH;
        woken.error = woken.error || (events[i].events & EPOLLERR) != 0;
        if (tag < HWS_LINK_MAX_FDS)
            woken.link_fds |= (uint8_t)(1u << tag);
    }
    woken.link = woken.link_fds != 0;
    return woken;
}

static struct woken sleep_until(int epoll, uint64_t until_us)
{
    return wait_until(epoll, until_us, false);
}

/* Of a sleeper that no other one stands in for meanwhile. A signal ends the pause as it ends a
 * sleep. */
static struct woken pause_or_sleep(bool pauses, int epoll, uint64_t until_us)
{
    const struct timespec pause = {.tv_nsec = HWS_TURNS_PAUSE_US * 1000};
    if (pauses) {
        struct woken woken = wait_until(epoll, 0, true);
        if (woken.count != 0)
            return woken;
        if (nanosleep(&pause, NULL) < 0)
            return (struct woken){.count = -errno};
    }
    return sleep_until(epoll, until_us);
}

static long futex(uint32_t *word, int op, uint32_t value, const struct timespec *timeout)
{
    return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, timeout, NULL,
                   FUTEX_BITSET_MATCH_ANY);
}

/* ---- Running ---- */

static void learn_turns(struct hws_driving *driving)
{
    const struct hws_stats *stats = hws_engine_stats(driving->runtime->engine);
    hws_turns_learn(&driving->turns, stats->bytes_in, stats->packets_in, hws_env_now_us());
}

/* The error queues are read when poll tells of them; calls between leave them alone. Where several
 * descriptors could have packets, those that poll did not tell of are not asked. */
static void run(struct hws_driving *driving, bool input, const struct woken *woken)
{
    struct hws_link *link = driving->runtime->driver.link;
    link->no_errors = !woken->error && woken->count > 0;
    link->quiet_fds = woken->link_fds != 0 ? (uint8_t)~woken->link_fds : 0;
    hws_runtime_work(driving->runtime, input, woken->netwatch);
    learn_turns(driving);
    link->no_errors = true;
    link->quiet_fds = 0;
    watch_writing(driving);
}

/* Wakes the thread once; what it is woken for it finds out by looking. */
static void call_thread(struct hws_driving *driving)
{
    if (driving->thread_called)
        return;
    driving->thread_called = true;
    set_event(driving->thread_event);
}

static void call_leader(struct hws_driving *driving)
{
    if (driving->leader_called)
        return;
    driving->leader_called = true;
    set_event(driving->lead_event);
}

void hws_driving_wake(struct hws_driving *driving, struct hws_waiter *waiter)
{
    if (__atomic_exchange_n(&waiter->woken, 1, __ATOMIC_RELAXED) != 0)
        return;
    if (waiter == driving->leader)
        call_leader(driving);
    else if (waiter->follows)
        futex(&waiter->woken, FUTEX_WAKE, 1, NULL);
}

/* What is awake looks at the time before it sleeps. That is no promise of the program's loop: it
 * may follow a leader. */
static bool somebody_watches(const struct hws_driving *driving, uint64_t deadline_us)
{
    bool thread = driving->thread_epoll >= 0;
    if (driving->leader != NULL && driving->lead_until_us <= deadline_us)
        return true;
    return driving->thread_until_us <= deadline_us && (thread || driving->leader == NULL);
}

void hws_driving_rearm(struct hws_driving *driving)
{
    bool thread = driving->thread_epoll >= 0;
    if (!driving->started || driving->stopping)
        return;
    watch_writing(driving);
    if (!thread && driving->leader == NULL && !TAILQ_EMPTY(&driving->followers))
        hws_driving_wake(driving, TAILQ_FIRST(&driving->followers));
    if (somebody_watches(driving, hws_runtime_deadline(driving->runtime)))
        return;
    if (thread)
        call_thread(driving);
    else if (driving->leader != NULL || !pthread_equal(driving->caller, pthread_self()))
        call_leader(driving);
}

/* ---- Polling ---- */

void hws_driving_spin(struct hws_driving *driving, uint32_t spin_us)
{
    hws_spin_init(&driving->lead_spin, spin_us);
    hws_spin_init(&driving->thread_spin, spin_us);
}

/* A leader that polls is not in the kernel's list of those to wake, so that each packet would wake
 * the thread. While leaders poll it does not watch the links; it looks every so often whether there
 * still is one, and before a leader sleeps it is back. */
#define PARKED_US 2000u

static void park_thread(struct hws_driving *driving)
{
    if (driving->thread_parked || driving->thread_epoll < 0)
        return;
    driving->thread_parked = true;
    watch_links(driving, driving->writable_fds);
    call_thread(driving);
}

static void unpark_thread(struct hws_driving *driving)
{
    if (!driving->thread_parked)
        return;
    driving->thread_parked = false;
    watch_links(driving, driving->writable_fds);
}

/* Until when the thread may sleep, and whether it takes over from leaders that are gone. */
static uint64_t thread_until_us(struct hws_driving *driving)
{
    uint64_t until_us = hws_runtime_deadline(driving->runtime);
    if (!driving->thread_parked)
        return until_us;
    uint64_t now_us = hws_env_now_us();
    if (driving->leader == NULL && now_us - driving->led_us >= PARKED_US) {
        unpark_thread(driving);
        return until_us;
    }
    return until_us < now_us + PARKED_US ? until_us : now_us + PARKED_US;
}

/* Not under the lock. Polls first, as long as that pays; the count is 0 when that found nothing. */
static struct woken spin(int epoll, uint32_t for_us, uint64_t begin_us, uint64_t until_us)
{
    uint64_t end_us = begin_us + for_us;
    if (for_us == 0)
        return (struct woken){.count = 0};
    return wait_until(epoll, end_us < until_us ? end_us : until_us, true);
}

/* The leader: polls, and then sleeps, when the thread watches the links again. */
static struct woken spin_or_sleep(struct hws_driving *driving, uint64_t until_us)
{
    struct hws_spin *lead_spin = &driving->lead_spin;
    uint64_t begin_us = hws_env_now_us();
    uint32_t for_us = lead_spin->for_us;
    if (for_us > 0)
        park_thread(driving);
    hws_driving_unlock(driving);
    struct woken woken = spin(driving->lead_epoll, for_us, begin_us, until_us);
    hws_driving_lock(driving);
    if (woken.count == 0) {
        unpark_thread(driving);
        hws_driving_unlock(driving);
        woken = sleep_until(driving->lead_epoll, until_us);
        hws_driving_lock(driving);
    }
    driving->led_us = hws_env_now_us();
    hws_spin_learn(lead_spin, driving->led_us - begin_us, woken.link);
    return woken;
}

/* With a thread beside it there is no pause: packets would wake the thread. */
static struct woken lead_sleep(struct hws_driving *driving, uint64_t until_us)
{
    if (driving->lead_spin.most_us > 0)
        return spin_or_sleep(driving, until_us);
    bool pauses = driving->thread_epoll < 0 && driving->turns.pauses_pay;
    hws_driving_unlock(driving);
    struct woken woken = pause_or_sleep(pauses, driving->lead_epoll, until_us);
    hws_driving_lock(driving);
    return woken;
}

/* ---- The thread ---- */

/* It polls where no leader does. */
static struct woken thread_sleep(struct hws_driving *driving, uint64_t until_us)
{
    struct hws_spin *thread_spin = &driving->thread_spin;
    bool may_spin = driving->leader == NULL && !driving->thread_parked;
    uint32_t for_us = may_spin ? thread_spin->for_us : 0;
    bool pauses = may_spin && driving->turns.pauses_pay;
    uint64_t begin_us = thread_spin->most_us > 0 ? hws_env_now_us() : 0;
    hws_driving_unlock(driving);
    struct woken woken = spin(driving->thread_epoll, for_us, begin_us, until_us);
    if (woken.count == 0)
        woken = pause_or_sleep(pauses, driving->thread_epoll, until_us);
    hws_driving_lock(driving);
    if (thread_spin->most_us > 0)
        hws_spin_learn(thread_spin, hws_env_now_us() - begin_us, woken.link);
    return woken;
}

static void *thread_main(void *arg)
{
    struct hws_driving *driving = arg;
    hws_driving_lock(driving);
    while (!driving->stopping) {
        hws_runtime_give_back(driving->runtime);
        uint64_t until_us = thread_until_us(driving);
        driving->thread_until_us = until_us;
        struct woken woken = thread_sleep(driving, until_us);
        driving->thread_until_us = 0;
        if (woken.event) {
            clear_event(driving->thread_event);
            driving->thread_called = false;
        }
        run(driving, woken.link, &woken);
    }
    hws_driving_unlock(driving);
    return NULL;
}

/* Signals are for the program's threads. */
static int begin_thread(struct hws_driving *driving)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&driving->thread, NULL, thread_main, driving);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        pthread_setname_np(driving->thread, "hawser");
    return -rc;
}

int hws_driving_start(struct hws_driving *driving, bool thread)
{
    if (driving->started)
        return 0;
    int rc = open_descriptors(driving, thread);
    if (rc == 0 && thread)
        rc = begin_thread(driving);
    if (rc < 0)
        close_descriptors(driving);
    else
        driving->started = true;
    return rc;
}

void hws_driving_stop(struct hws_driving *driving)
{
    hws_driving_lock(driving);
    bool thread = driving->started && driving->thread_epoll >= 0;
    driving->stopping = true;
    if (thread)
        call_thread(driving);
    while (driving->leader != NULL) {
        call_leader(driving);
        pthread_cond_wait(&driving->left, &driving->lock);
    }
    hws_driving_unlock(driving);
    if (thread)
        pthread_join(driving->thread, NULL);
    hws_driving_lock(driving);
    close_descriptors(driving);
    driving->started = false;
    hws_driving_unlock(driving);
}

/* ---- Calls that wait ---- */

static int interrupted(int error, uint64_t until_us)
{
    bool ends = error == EINTR && (until_us != HWS_DRIVING_FOREVER || wants_interrupts());
    return ends ? -EINTR : 0;
}

static int lead(struct hws_driving *driving, struct hws_waiter *waiter, uint64_t until_us)
{
    if (hws_runtime_give_back(driving->runtime))
        return 0;
    watch_writing(driving);
    uint64_t deadline_us = hws_runtime_deadline(driving->runtime);
    bool covered = driving->thread_epoll >= 0 && driving->thread_until_us <= deadline_us;
    uint64_t sleep_us = covered || until_us < deadline_us ? until_us : deadline_us;
    driving->leader = waiter;
    driving->lead_until_us = sleep_us;
    struct woken woken = lead_sleep(driving, sleep_us);
    driving->leader = NULL;
    if (driving->leader_called) {
        clear_event(driving->lead_event);
        driving->leader_called = false;
    }
    if (driving->stopping)
        pthread_cond_signal(&driving->left);
    else /* a packet may have come for a leader that wakes for another reason */
        run(driving, woken.link || woken.count <= 0, &woken);
    return interrupted(-woken.count, until_us);
}

static int follow(struct hws_driving *driving, struct hws_waiter *waiter, uint64_t until_us)
{
    const struct timespec until = {.tv_sec = (time_t)(until_us / 1000000u),
                                   .tv_nsec = (long)(until_us % 1000000u) * 1000};
    hws_driving_rearm(driving); /* what this call began may be due before the leader wakes */
    TAILQ_INSERT_TAIL(&driving->followers, waiter, in_followers);
    waiter->follows = true;
    hws_driving_unlock(driving);
    long rc = futex(&waiter->woken, FUTEX_WAIT_BITSET, 0,
                    until_us == HWS_DRIVING_FOREVER ? NULL : &until);
    int error = rc < 0 ? errno : 0;
    hws_driving_lock(driving);
    waiter->follows = false;
    TAILQ_REMOVE(&driving->followers, waiter, in_followers);
    return interrupted(error, until_us);
}

int hws_driving_wait(struct hws_driving *driving, struct hws_waiter *waiter, uint64_t until_us)
{
    if (__atomic_exchange_n(&waiter->woken, 0, __ATOMIC_RELAXED) != 0 || driving->stopping)
        return 0;
    return driving->leader == NULL ? lead(driving, waiter, until_us)
                                   : follow(driving, waiter, until_us);
}

/* ---- The program's loop ---- */

void hws_driving_caller_runs(struct hws_driving *driving)
{
    struct woken woken = {.link = true};
    if (driving->started)
        woken = sleep_until(driving->lead_epoll, 0);
    if (driving->thread_epoll < 0)
        driving->thread_until_us = 0;
    driving->caller_loops = driving->caller_asked;
    driving->caller_asked = false;
    if (driving->leader == NULL && driving->leader_called) {
        clear_event(driving->lead_event);
        driving->leader_called = false;
    }
    run(driving, woken.link, &woken);
}

uint64_t hws_driving_caller_sleeps(struct hws_driving *driving)
{
    driving->thread_until_us = hws_runtime_deadline(driving->runtime);
    driving->caller = pthread_self();
    driving->caller_asked = true;
    return driving->thread_until_us;
}

bool hws_driving_caller_will_ask(const struct hws_driving *driving)
{
    return driving->caller_loops && !driving->caller_asked &&
           pthread_equal(driving->caller, pthread_self());
}
