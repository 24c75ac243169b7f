/* A runtime: one engine, one link and the sockets above them. It is driven as driving.h says, under
 * its lock, or by a libuv loop of the caller (loop.h), which needs none. */
#ifndef HWS_API_RUNTIME_H
#define HWS_API_RUNTIME_H

#include "api/hawser/runtime.h"
#include "api/runtime/driver.h"
#include "api/runtime/driving.h"
#include "api/sock/socket.h"
#include "stack/observer.h"

struct hws_handle;
TAILQ_HEAD(hws_handle_list, hws_handle);

struct hws_runtime {
    struct hws_driving driving;
    unsigned refs;    /* atomic: the program's, and one of each descriptor */
    unsigned process; /* whose it is: hws_process_id when it was made */
    bool caller_drives;
    bool over; /* hws_runtime_free has been called: sockets are gone, the lock is left */
    bool more; /* the driver wants to run again at once */
    uint64_t netwatch_due_us; /* when changes of the network are looked at */
    uint64_t looked_us;       /* when a call that binds looked last whether there are any */
    /* Of api/fd: all sockets, those whose state changed, and what settles their descriptors. */
    struct hws_handle_list handles, changed;
    void (*settle)(struct hws_runtime *runtime);
    void (*detach)(struct hws_runtime *runtime); /* the runtime ends: lets its sockets go */

    struct hws_loop *loop; /* NULL: driven with descriptors */
    struct hws_env env;
    struct hws_engine *engine;
    struct hws_driver driver;
    struct hws_sockets sockets;

    size_t fd_count;       /* of the link */
    int netwatch;          /* tells of changes of the network; negative: cannot be told */
    bool unread;           /* the link may hold packets that no descriptor tells of */
    uint64_t sent_packets; /* the link's count when last looked at */
    uint64_t heard_bytes;  /* that the engine had sent when packets were last asked for */
};

/** What an engine answers for. */
struct hws_runtime_part {
    bool own_host;                                 /* all ports of the host */
    struct hws_shard shard;                        /* and of their packets those of this one */
    const struct hws_extension *const *extensions; /* that were checked */
    size_t extension_count;
};

/** A runtime over a link that is open already and that the runtime closes (on failure, too).
 * `loop` NULL: none. 0 or a negative errno. */
int hws_runtime_open(struct uv_loop_s *loop, struct hws_link *link,
                     const struct hws_runtime_part *part, struct hws_runtime **out);

/** Frees what is left when the last reference goes. */
void hws_runtime_ref(struct hws_runtime *runtime);
void hws_runtime_unref(struct hws_runtime *runtime);

/** Receives when `input` (or when packets are left from last time, or much was sent since), runs
 * timers, hands out events, sends, and settles the descriptors. `netwatch`: the network changed.
 * Under the lock. */
void hws_runtime_work(struct hws_runtime *runtime, bool input, bool netwatch);

/** Of a call whose packets may wait for those of the calls behind it: works, or leaves that to the
 * program's loop, which is in the middle of its turn. Under the lock. */
void hws_runtime_work_in_turn(struct hws_runtime *runtime);

/** When hws_runtime_work has to be called next; 0: at once; UINT64_MAX: not before something
 * happens. Under the lock. */
uint64_t hws_runtime_deadline(const struct hws_runtime *runtime);

/** Gives lent buffers back to the application; the lock is let go meanwhile. Whether there were
 * any.
 */
bool hws_runtime_give_back(struct hws_runtime *runtime);

/** The end of a call: gives lent buffers back, sees to it that somebody drives on, and lets go of
 * the lock. */
void hws_runtime_leave(struct hws_runtime *runtime);

/** Begins to drive sockets with descriptors. Under the lock. 0 or a negative errno. */
int hws_runtime_start(struct hws_runtime *runtime);

/** Closes every socket and waits until none ends in the background any more, at most until
 * `until_us`. */
void hws_runtime_finish(struct hws_runtime *runtime, uint64_t until_us);

/** Names this process: another number after fork. */
unsigned hws_process_id(void);

/** Has every packet sent and received shown to `trace`, which may not call the library. NULL ends
 * that. */
void hws_runtime_set_trace(struct hws_runtime *runtime, hws_driver_trace trace, void *arg);

/** The same for what else the network said: failed sends, ICMP. */
void hws_runtime_set_net_trace(struct hws_runtime *runtime, hws_driver_net_trace trace, void *arg);

/** Has the engine tell `observer` what it does from within, on the thread that drives it. NULL ends
 * that. */
void hws_runtime_set_observer(struct hws_runtime *runtime, const struct hws_observer *observer);

#endif
