/* A socket with a descriptor: the table's object. It joins the number, what the number shows in
 * poll, the calls that wait, and the socket itself, which lives in its runtime. */
#ifndef HWS_API_HANDLE_H
#define HWS_API_HANDLE_H

#include <stdbool.h>

#include "api/fd/level.h"
#include "api/runtime/runtime.h"
#include "api/sock/socket.h"

enum hws_direction {
    HWS_IN,  /* waits for something to receive or accept */
    HWS_OUT, /* waits for room to send, for the end of connect or of close */
};

struct hws_handle {
    unsigned refs;               /* atomic */
    unsigned process;            /* whose it is */
    struct hws_runtime *runtime; /* one reference */

    /* Under the runtime's lock: */
    struct hws_sock *sock; /* NULL: closed, or its runtime is over */
    bool closed;           /* nobody may use it any more, but for hws_close that lingers */
    int domain, type;
    struct hws_level level;
    bool changed;                /* in runtime->changed */
    uint64_t refusals, arrivals; /* the socket's when the descriptor was settled last */
    bool asked;                  /* the application has tried to receive since the last edge */
    struct hws_waiter_list waiters[2];
    TAILQ_ENTRY(hws_handle) in_runtime, in_changed;
};

void hws_handle_ref(struct hws_handle *handle);
void hws_handle_unref(struct hws_handle *handle);

/** Makes a handle with a number that nobody knows of yet, and no socket. 0 or a negative errno. */
int hws_handle_open(struct hws_runtime *runtime, int domain, int type, struct hws_handle **out);

/** Gives it its socket. Under the lock. */
void hws_handle_bind(struct hws_handle *handle, struct hws_sock *sock);

/** Puts it into the table; the caller's reference is then the table's. Not under a lock. 0, or a
 * negative errno: then the handle is closed. */
int hws_handle_publish(struct hws_handle *handle);

/** Drops one that was not bound, its number included. */
void hws_handle_drop(struct hws_handle *handle);

/** Calls that wait answer -EBADF from now on; the socket stays. Under the lock. */
void hws_handle_send_away(struct hws_handle *handle);

/** Closes: wakes the calls that wait, and lets the socket go. The caller has taken the handle out
 * of the table. Under the lock. */
void hws_handle_close(struct hws_handle *handle, uint64_t now_us);

/** Around every call that takes a runtime's lock (hws_handle_enter and hws_handle_leave do it):
 * between them the thread cannot be cancelled, and errno is put back at the end. */
void hws_call_begin(void);
void hws_call_end(void);

/** Finds the handle of `fd` and takes its runtime's lock. 0, -EBADF, -ENOTSOCK (a descriptor that
 * is not ours) or -ESTALE. */
int hws_handle_enter(int fd, struct hws_handle **out);

/** Ends a call: runs the runtime when the call changed something, settles the descriptor, lets go
 * of the lock and the reference. */
void hws_handle_leave(struct hws_handle *handle, bool changed);

/** Ends a call that begins or ends an association: what that sends may go with what the program's
 * loop sends otherwise in its turn. */
void hws_handle_leave_in_turn(struct hws_handle *handle);

/** Waits for something to happen to the socket, at most until `until_us`. 0: look again; -EINTR;
 * -EBADF: it was closed meanwhile; -ESTALE: its runtime ended. */
int hws_handle_wait(struct hws_handle *handle, enum hws_direction direction, uint64_t until_us);

/** The same for the call that closes it: 0 or -EINTR. */
int hws_handle_sleep(struct hws_handle *handle, enum hws_direction direction, uint64_t until_us);

#endif
