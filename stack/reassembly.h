/* From DATA chunks to messages: fragments wait here by TSN until their message is complete,
 * messages until their turn in their stream (RFC 9260, 6.5, 6.6, 6.9), and ready ones until the
 * application takes them.
 *
 * Fragments of one message have consecutive TSNs. A ring indexed by TSN holds those not yet handed
 * to the ready queue. A run of consecutive fragments of one message keeps at each of its two ends
 * where the other end is, so that joining is O(1) and nobody ever scans a message.
 *
 * The caller has already decided that a TSN is new (tsnmap) and its stream is valid. */
#ifndef HWS_STACK_REASSEMBLY_H
#define HWS_STACK_REASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/chunk.h"
#include "stack/buf.h"
#include "stack/engine.h"
#include "stack/pool.h"

struct hws_frag;     /* one DATA chunk that is held */
struct hws_instream; /* per inbound stream: next SSN to deliver, complete messages waiting */

struct hws_reassembly {
    struct hws_pool *pool;
    struct hws_frag **ring;       /* by TSN mod size; NULL until a fragment has to wait */
    uint32_t ring_size;           /* a power of two */
    struct hws_instream *streams; /* allocated when first used, grown by stream number */
    uint32_t stream_count;        /* the association's inbound streams */
    uint32_t stream_capacity;
    struct hws_frag *ready_head, *ready_tail; /* messages for the application, in delivery order */
    uint32_t charged_bytes;                   /* memory of everything held, at its real cost */
    uint32_t payload_bytes;                   /* user data of everything held */
    bool delivering;      /* the head of the ready queue is a message still growing */
    uint32_t partial_tsn; /* while delivering: TSN the next part must have */
    uint64_t messages_taken;
};

enum hws_reassembly_result {
    HWS_REASSEMBLY_HELD,    /* stored; no message became ready */
    HWS_REASSEMBLY_READY,   /* at least one more byte can be taken */
    HWS_REASSEMBLY_NOMEM,   /* not stored: forget that the TSN arrived */
    HWS_REASSEMBLY_INVALID, /* contradicts its neighbours (B after a fragment that did not end,
                               other stream, SSN or U bit within a message): a protocol violation */
};

void hws_reassembly_init(struct hws_reassembly *r, struct hws_pool *pool, uint32_t stream_count);
void hws_reassembly_fini(struct hws_reassembly *r);

/** Takes one DATA chunk. `buf` owns the payload and a reference is kept when the payload is large
 * against `truesize` (what the reference pins, charged); otherwise, or when `buf` is NULL, the
 * payload is copied out. A single-fragment message in its turn goes straight to the ready queue. */
enum hws_reassembly_result hws_reassembly_add(struct hws_reassembly *r, const struct hws_data *data,
                                              struct hws_buf *buf, uint32_t truesize);

/** Whether hws_reassembly_take has something to give. */
static inline bool hws_reassembly_readable(const struct hws_reassembly *r)
{
    return r->ready_head != NULL;
}

/** Starts partial delivery (6.9) when nothing is ready and the message whose turn it is begins at
 * or before the cumulative TSN `cum` and is incomplete: its consecutive fragments up to cum become
 * readable, and further ones as they arrive in order. The caller does this when the receive buffer
 * would otherwise fill up for ever. Ordered messages of other streams and unordered ones wait until
 * that message has ended. True when something became readable. */
bool hws_reassembly_deliver_partial(struct hws_reassembly *r, uint32_t cum);

/** Copies the next bytes of the first ready message, as hws_assoc_recv says; 0 when there is
 * nothing to take now. */
size_t hws_reassembly_take(struct hws_reassembly *r, void *buf, size_t capacity,
                           struct hws_rcvinfo *info);

/** The bytes that can be taken of the first ready message, 0 when none. */
size_t hws_reassembly_next_len(const struct hws_reassembly *r);

/** Forgets every fragment and message, ready or not, and starts all streams at SSN 0: the peer
 * restarted (5.2.4 A). Ready messages are kept when `keep_ready`. A message in partial delivery is
 * ended (its last part without HWS_RECV_EOR is followed by the next message). */
void hws_reassembly_reset(struct hws_reassembly *r, bool keep_ready);

#endif
