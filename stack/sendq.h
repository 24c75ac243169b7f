/* Messages the application gave and that are not sent yet: a queue per outbound stream, and the
 * stream scheduler that chooses among them. Messages are cut into fragments here, at their first
 * transmission (RFC 9260, 6.9). */
#ifndef HWS_STACK_SENDQ_H
#define HWS_STACK_SENDQ_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/msg.h"
#include "stack/pool.h"
#include "stack/sched.h"

struct hws_outstream {
    struct hws_msg_list queue;
    uint64_t queued_bytes; /* user data of the queue not cut yet */
    uint16_t next_ssn;
    _Alignas(max_align_t) uint8_t sched_state[]; /* the scheduler's, for the stream */
};

struct hws_sendq {
    struct hws_pool *pool;
    const struct hws_sched_ops *sched;
    struct hws_outstream **streams; /* by stream identifier, made when first used */
    uint32_t capacity;              /* of `streams` */
    uint32_t stream_count;          /* streams made */
    uint32_t unsent_bytes;          /* user data not cut yet */
    uint32_t unsent_messages;       /* messages with bytes not cut yet */
    uint32_t overrides;             /* of these, messages with a path of their own */
    uint64_t order_us;              /* of the message accepted last */
    struct hws_outstream *current;  /* whose head message has begun but not ended, or NULL */
    struct hws_outstream *only;     /* while one stream was made: the scheduler is not asked */
    struct hws_outstream *chosen;   /* by the scheduler, until another stream is ready; or NULL */
    uint64_t *refused;              /* counts what it answered in vain */
    _Alignas(max_align_t) uint8_t sched_state[HWS_EXT_SCHED_STATE_MAX];
};

/* The next fragment of a message: what a DATA chunk needs. Holds a reference to its message. */
struct hws_fragment {
    struct hws_msg *msg;
    uint32_t offset;
    uint16_t len;
    uint8_t flags; /* HWS_DATA_* */
};

/** `refused` counts answers of the scheduler that were no ready stream. */
void hws_sendq_init(struct hws_sendq *q, struct hws_pool *pool, const struct hws_sched_ops *sched,
                    uint64_t *refused);
/** Drops every message. Fragments that were cut keep theirs alive. */
void hws_sendq_fini(struct hws_sendq *q);

/** Makes a stream that is not there yet; false: no memory. */
bool hws_sendq_make_stream(struct hws_sendq *q, uint16_t sid);
/** Makes what a message for that stream needs; false: no memory. */
static inline bool hws_sendq_reserve(struct hws_sendq *q, uint16_t sid)
{
    return (sid < q->capacity && q->streams[sid] != NULL) || hws_sendq_make_stream(q, sid);
}
/** Queues the message, whose reference becomes the queue's. Its stream is reserved. */
void hws_sendq_push(struct hws_sendq *q, struct hws_msg *msg, uint64_t now_us);

/** The message that is cut next, NULL when there is none. */
const struct hws_msg *hws_sendq_next(struct hws_sendq *q);

/** Takes that message out, though not all of it has been cut; its reference becomes the caller's.
 * NULL when there is none. */
struct hws_msg *hws_sendq_take(struct hws_sendq *q);

/** The peer takes fewer streams: moves every message for stream `stream_count` and above, of which
 * nothing has been cut yet, to the list. Returns how many. */
uint32_t hws_sendq_limit_streams(struct hws_sendq *q, uint32_t stream_count,
                                 struct hws_msg_list *dropped);

/** Cuts the next fragment to fill a DATA chunk of at most `room` bytes of payload, in a packet that
 * could carry `full` bytes of payload when empty. A message that a packet of its own could carry
 * whole is not cut only to fill the rest of this one. False: nothing queued, or it does not fit. */
bool hws_sendq_cut(struct hws_sendq *q, uint32_t room, uint32_t full, struct hws_fragment *out);

#endif
