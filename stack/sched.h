/* Stream schedulers: which stream's next message is sent. A scheduler is a const table of functions
 * over a state that the association embeds; it sees streams only through the node below. A message,
 * once begun, is sent whole before the next choice (RFC 9260, 6.9: consecutive TSNs). */
#ifndef HWS_STACK_SCHED_H
#define HWS_STACK_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/heap.h"
#include "stack/list.h"
#include "stack/pool.h"

/* What every outbound stream embeds for the scheduler's use. */
struct hws_sched_stream {
    struct hws_heap_node heap;
    struct hws_list list;
    uint16_t sid;
};

#define HWS_LIMIT_SCHED_STATE_BYTES 64u

struct hws_sched_ops {
    const char *name;
    uint32_t state_size; /* at most HWS_LIMIT_SCHED_STATE_BYTES */
    void (*init)(void *state, struct hws_pool *pool);
    void (*fini)(void *state);
    /** One more stream exists: take what memory it will need, so that ready cannot fail. */
    bool (*reserve)(void *state, uint32_t stream_count);
    /** The stream, which was not ready, has a message at its head; `order` grows with every message
     * the application gave, over all streams. */
    void (*ready)(void *state, struct hws_sched_stream *stream, uint64_t order);
    /** The ready stream whose turn it is; NULL when none is. It stays ready. */
    struct hws_sched_stream *(*next)(void *state);
    /** The stream's head message has been sent whole; the stream is no longer ready. */
    void (*sent)(void *state, struct hws_sched_stream *stream, uint32_t bytes);
};

extern const struct hws_sched_ops hws_sched_fcfs; /* first come, first served (RFC 8260, 3.1) */
extern const struct hws_sched_ops hws_sched_rr;   /* round robin over streams (RFC 8260, 3.2) */

#endif
