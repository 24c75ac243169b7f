/* Who runs a runtime whose sockets are descriptors: leader and followers.
 *
 * A call that has to wait runs the runtime itself (it *leads*) when no other call does; others
 * *follow*, asleep until their socket changes. The library's thread sleeps in the kernel beside
 * the leader. Both watch the link's descriptors exclusively (EPOLLEXCLUSIVE) and the leader comes
 * first, so that a packet wakes the leader when there is one, and else the thread: no system call
 * hands the role over, and a blocking exchange of messages costs no context switch of ours.
 *
 * Without the thread (HWS_DRIVE_CALLER) the program's own loop stands in its place, and a leader
 * that leaves wakes a follower to lead.
 *
 * Whoever changes the time at which something is due makes sure that one of the sleepers sleeps no
 * longer than that (hws_driving_rearm). */
#ifndef HWS_API_DRIVING_H
#define HWS_API_DRIVING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "api/link/link.h"
#include "api/runtime/spin.h"
#include "api/runtime/turns.h"

#define HWS_DRIVING_FOREVER UINT64_MAX

/** A call that waits; lives on its stack, and in the list of its socket. */
struct hws_waiter {
    uint32_t woken; /* the word it sleeps on; 1: it was woken */
    bool follows;   /* it sleeps on that word, or is about to */
    TAILQ_ENTRY(hws_waiter) in_socket, in_followers;
};

TAILQ_HEAD(hws_waiter_list, hws_waiter);

struct hws_runtime;

struct hws_driving {
    struct hws_runtime *runtime;
    /* Whoever wants `lock` takes `next` first and lets it go once it has both: those that wait get
     * their turn before the one that has just let go. */
    pthread_mutex_t next, lock;
    pthread_cond_t left; /* the leader left */
    bool started, stopping;
    int lead_epoll, lead_event;     /* the leader's, or the program's loop's */
    int thread_epoll, thread_event; /* the thread's; -1 without one */
    pthread_t thread;
    struct hws_waiter *leader; /* asleep or about to be; NULL: none */
    bool leader_called;        /* its event is set */
    struct hws_waiter_list followers;
    uint64_t lead_until_us;   /* how long the leader sleeps */
    uint64_t thread_until_us; /* how long the thread sleeps, 0: it is awake; or how long the
                                 program's loop does */
    bool thread_called;
    pthread_t caller;      /* who asked last how long to sleep */
    bool caller_asked;     /* since its loop ran the runtime last */
    bool caller_loops;     /* and it did so in its turn before that, too */
    uint32_t writable_fds; /* bit i: fds[i] of the link is watched for writing, too */
    struct hws_spin lead_spin, thread_spin;
    struct hws_turns turns;
    bool
        thread_parked; /* does not watch the links: the leader polls them (api/runtime/driving.c) */
    uint64_t led_us;   /* the last leader left then */
};

/** Makes locks only; nothing is watched yet. 0 or a negative errno. */
int hws_driving_init(struct hws_driving *driving, struct hws_runtime *runtime);

/** Has who is about to sleep poll for up to `spin_us` first, while that pays. Before it starts. */
void hws_driving_spin(struct hws_driving *driving, uint32_t spin_us);

/** Watches the runtime's descriptors and begins the thread when `thread`. Under the lock; changes
 * nothing when it was done. 0 or a negative errno. */
int hws_driving_start(struct hws_driving *driving, bool thread);

/** Ends the thread, sends the leader away and waits until it has gone. Not under the lock. */
void hws_driving_stop(struct hws_driving *driving);

/** Frees the locks. */
void hws_driving_fini(struct hws_driving *driving);

void hws_driving_lock(struct hws_driving *driving);
void hws_driving_unlock(struct hws_driving *driving);

/** Sleeps, leading or following, until the waiter is woken, something may have happened, or it is
 * `until_us`. Under the lock, which is let go meanwhile. 0, or -EINTR: a signal was handled. */
int hws_driving_wait(struct hws_driving *driving, struct hws_waiter *waiter, uint64_t until_us);

/** Wakes a waiter that sleeps or is about to. Under the lock. */
void hws_driving_wake(struct hws_driving *driving, struct hws_waiter *waiter);

/** The last thing under the lock, also of a call that follows: sees to it that somebody watches the
 * time and the descriptors. */
void hws_driving_rearm(struct hws_driving *driving);

/** The program's loop runs the runtime, or (HWS_DRIVE_THREAD) any call does for it. Under the lock.
 */
void hws_driving_caller_runs(struct hws_driving *driving);

/** Until when the program's loop may sleep. Under the lock. */
uint64_t hws_driving_caller_sleeps(struct hws_driving *driving);

/** Whether the calling thread is the program's loop in the middle of its turn: as far as its last
 * turn tells, it will ask how long it may sleep before it sleeps. Under the lock. */
bool hws_driving_caller_will_ask(const struct hws_driving *driving);

#endif
