/* Messages the application gave and that are not sent yet: a queue per outbound stream, and the
 * stream scheduler that chooses among them. Messages are cut into fragments here, at their first
 * transmission (RFC 9260, 6.9). */
#ifndef HWS_STACK_SENDQ_H
#define HWS_STACK_SENDQ_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/engine.h"
#include "stack/pool.h"
#include "stack/sched.h"

/* One outbound message. It lives while it is queued or any of its fragments may have to be sent
 * again. */
struct hws_msg {
    struct hws_msg *next; /* in its stream's queue */
    uint64_t order;
    uint32_t len;
    uint32_t cut; /* bytes already cut into fragments */
    uint32_t refs;
    uint32_t ppid;
    uint16_t sid, ssn;
    uint16_t flags; /* HWS_SEND_* */
    uint8_t data[];
};

struct hws_outstream {
    struct hws_sched_stream sched;
    struct hws_msg *head, *tail;
    uint16_t next_ssn;
};

struct hws_sendq {
    struct hws_pool *pool;
    const struct hws_sched_ops *sched;
    struct hws_outstream **streams; /* by stream identifier, made when first used */
    uint32_t capacity;              /* of `streams` */
    uint32_t stream_count;          /* streams made */
    uint32_t unsent_bytes;          /* user data not cut yet */
    uint32_t unsent_messages;       /* messages with bytes not cut yet */
    uint64_t orders;                /* messages accepted so far */
    struct hws_outstream *current;  /* whose head message has begun but not ended, or NULL */
    _Alignas(max_align_t) uint8_t sched_state[HWS_LIMIT_SCHED_STATE_BYTES];
};

/* The next fragment of a message: what a DATA chunk needs. Holds a reference to its message. */
struct hws_fragment {
    struct hws_msg *msg;
    uint32_t offset;
    uint16_t len;
    uint8_t flags; /* HWS_DATA_* */
};

void hws_sendq_init(struct hws_sendq *q, struct hws_pool *pool, const struct hws_sched_ops *sched);
/** Drops every message. Fragments that were cut keep theirs alive. */
void hws_sendq_fini(struct hws_sendq *q);

/** Queues a copy of the message. HWS_OK or HWS_E_NOMEM; `len` is the sum of the iovecs, > 0. */
int hws_sendq_push(struct hws_sendq *q, const struct hws_sndinfo *info, const struct hws_iovec *iov,
                   size_t iov_count, uint32_t len);

/** The peer takes fewer streams: drops every message for stream `stream_count` and above, of which
 * nothing has been cut yet. Returns how many. */
uint32_t hws_sendq_limit_streams(struct hws_sendq *q, uint32_t stream_count);

/** Cuts the next fragment to fill a DATA chunk of at most `room` bytes of payload, in a packet that
 * could carry `full` bytes of payload when empty. A message that a packet of its own could carry
 * whole is not cut only to fill the rest of this one. False: nothing queued, or it does not fit. */
bool hws_sendq_cut(struct hws_sendq *q, uint32_t room, uint32_t full, struct hws_fragment *out);

/** Lets go of a fragment's message; the last one frees it. */
void hws_msg_unref(struct hws_pool *pool, struct hws_msg *msg);

#endif
