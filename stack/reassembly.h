/* From DATA chunks to messages: fragments wait here by TSN until their message is complete,
 * messages until their turn in their stream (RFC 9260, 6.5, 6.6, 6.9), and ready ones until the
 * application takes them.
 *
 * Fragments of one message have consecutive TSNs. A run is what has arrived of a message without a
 * gap; each of its two ends knows the other, so that joining is O(1) and nobody ever scans a
 * message. The run that was begun first stands alone ("open"): fragments in order go there. Further
 * runs, which only loss or reordering make, are found by the TSNs of their ends in a ring.
 * Complete messages whose turn has not come are found by stream and SSN in a hash table.
 *
 * The caller has already decided that a TSN is new (tsnmap), within HWS_LIMIT_TSN_WINDOW of the
 * cumulative TSN, and its stream is valid.
 *
 * What a hostile peer can do with SSNs: one that waits already and comes again with another TSN is
 * INVALID. One that was delivered before cannot be told from the same number 65536 messages later:
 * it waits for its turn, and its memory is charged. */
#ifndef HWS_STACK_REASSEMBLY_H
#define HWS_STACK_REASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/chunk.h"
#include "stack/buf.h"
#include "stack/engine.h"
#include "stack/hashtab.h"
#include "stack/limits.h"
#include "stack/pool.h"
#include "stack/siphash.h"

struct hws_frag; /* one DATA chunk that is held */

struct hws_message_queue {
    struct hws_frag *head, *tail; /* first fragments of messages */
};

struct hws_reassembly {
    struct hws_pool *pool;
    struct hws_frag *open;    /* last fragment of the run that is not in the ring, or NULL */
    struct hws_frag *growing; /* last fragment of the message in partial delivery, or NULL; it may
                                 have been taken already */
    struct hws_frag **ring;   /* both ends of runs, by TSN mod size; NULL until needed */
    uint32_t ring_size;       /* a power of two, at most HWS_LIMIT_TSN_WINDOW */
    uint32_t ring_runs;
    uint16_t *next_ssn; /* per inbound stream: the SSN to deliver next; grown when used */
    uint32_t next_ssn_count;
    uint32_t stream_count;          /* the association's inbound streams */
    uint32_t charged_bytes;         /* memory of everything held, at its real cost */
    uint32_t payload_bytes;         /* user data of everything held */
    struct hws_message_queue ready; /* for the application, in delivery order */
    struct hws_message_queue later; /* ready once partial delivery has ended */
    uint32_t later_count;
    struct hws_hashtab waiting; /* complete messages before their turn, by stream and SSN */
    struct hws_siphash_key waiting_key;
    struct hws_rcvinfo taking_info; /* while taking: the first ready message */
    bool taking;                    /* a part of the first ready message was taken */
    bool ended;                     /* a message has ended */
    uint32_t after_end_tsn;         /* the TSN after the message that ended last */
    uint64_t messages_ready;        /* that ever were in `ready` */
    uint64_t messages_taken;        /* of these, those that have left it */
};

enum hws_reassembly_result {
    HWS_REASSEMBLY_HELD,    /* stored; no message became ready */
    HWS_REASSEMBLY_READY,   /* at least one more byte can be taken */
    HWS_REASSEMBLY_NOMEM,   /* not stored: forget that the TSN arrived */
    HWS_REASSEMBLY_INVALID, /* not stored: contradicts what is held (B after a fragment that did
                               not end, another stream, SSN or U bit within a message, an SSN that
                               waits already, no payload): a protocol violation */
};

void hws_reassembly_init(struct hws_reassembly *r, struct hws_pool *pool, uint32_t stream_count);
void hws_reassembly_fini(struct hws_reassembly *r);

/* Where DATA chunks come from: one for all chunks of a packet. */
struct hws_data_source {
    struct hws_buf *buf; /* owns the payloads; NULL: they are copied */
    uint32_t truesize;   /* what a reference to it pins */
    bool charged;        /* truesize is charged to a chunk that keeps a reference */
    uint64_t time_us;    /* when the packet was received, kept for hws_rcvinfo; 0: not kept */
};

/** Takes one DATA chunk. A reference to its buffer is kept, and what that pins is charged, when the
 * payload is large against it, or large and at once ready: such chunks of one packet are taken by
 * the application in a row, and are charged it once, and their payload. Otherwise the payload is
 * copied out. A single-fragment message in its turn goes straight to the ready queue. */
enum hws_reassembly_result hws_reassembly_add(struct hws_reassembly *r, const struct hws_data *data,
                                              struct hws_data_source *source);

/** Whether hws_reassembly_take has something to give. */
static inline bool hws_reassembly_readable(const struct hws_reassembly *r)
{
    return r->ready.head != NULL;
}

/** Whether a message is in partial delivery: the next TSN continues it. */
static inline bool hws_reassembly_growing(const struct hws_reassembly *r)
{
    return r->growing != NULL;
}

/** Starts partial delivery (6.9) when nothing is ready and the message whose turn it is begins at
 * or before the cumulative TSN `cum` and is incomplete: its consecutive fragments up to cum become
 * readable, and further ones as they arrive in order. The caller does this when the receive buffer
 * would otherwise fill up for ever. Ordered messages of other streams and unordered ones wait until
 * that message has ended. True when something became readable. */
bool hws_reassembly_deliver_partial(struct hws_reassembly *r, uint32_t cum);

/** The same as soon as `point_bytes` of the message have come in order; it may be behind others
 * that are ready. */
bool hws_reassembly_reach_point(struct hws_reassembly *r, uint32_t cum, uint32_t point_bytes);

/** The message in partial delivery will not be completed: what is ready of it ends without
 * HWS_RECV_EOR, and what had to wait for its end is ready. False: there is none. */
bool hws_reassembly_abort_partial(struct hws_reassembly *r, struct hws_rcvinfo *info);

/** Copies the next bytes of the first ready message, as hws_assoc_recv says; 0 when there is
 * nothing to take now. */
size_t hws_reassembly_take(struct hws_reassembly *r, void *buf, size_t capacity,
                           struct hws_rcvinfo *info);

/** The same without taking anything. */
size_t hws_reassembly_peek(const struct hws_reassembly *r, void *buf, size_t capacity,
                           struct hws_rcvinfo *info);

/** The first ready message of which nothing was taken; false: there is none. */
bool hws_reassembly_next(const struct hws_reassembly *r, struct hws_next *out);

/** Takes the next fragments of the first ready message as they are, into `view`. They stay charged
 * until they are given back. NULL: there is nothing to take now, or no memory. */
struct hws_frag *hws_reassembly_lend(struct hws_reassembly *r, struct hws_recv_view *view);

/** Frees fragments that were lent; those of a reassembly that is gone by hws_reassembly_orphans. */
void hws_reassembly_give_back(struct hws_reassembly *r, struct hws_frag *frags);
void hws_reassembly_orphans(struct hws_pool *pool, struct hws_frag *frags);

/** Drops every fragment that lies beyond `cum` and has not become ready, and tells each one's TSN
 * to `forget`: the receiver reneges on them (6.2). For the moment when memory is at its limit. */
void hws_reassembly_renege(struct hws_reassembly *r, uint32_t cum,
                           void (*forget)(void *ctx, uint32_t tsn), void *ctx);

/** Gives back what it needs only while messages are incomplete. */
void hws_reassembly_trim(struct hws_reassembly *r);

/** Forgets every fragment and message, ready or not, and starts all streams at SSN 0: the peer
 * restarted (5.2.4 A). Ready messages are kept when `keep_ready`. A message in partial delivery is
 * ended (its last part without HWS_RECV_EOR is followed by the next message). */
void hws_reassembly_reset(struct hws_reassembly *r, bool keep_ready);

#endif
