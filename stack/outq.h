/* DATA chunks in flight: sent and not yet covered by the cumulative TSN ack (RFC
 * 9260, 6.2.1, 6.3.3, 7.2.4). A ring indexed by TSN, with bitmaps beside it for "acknowledged by a
 * gap block" and "to be sent again", so that a SACK costs what it acknowledges and the holes it
 * reports. */
#ifndef HWS_STACK_OUTQ_H
#define HWS_STACK_OUTQ_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/chunk.h"
#include "stack/limits.h"
#include "stack/pool.h"
#include "stack/sendq.h"

#define HWS_OUTQ_MISSES_LOST 3u

/* One DATA chunk. */
struct hws_tx {
    struct hws_msg *msg;
    uint32_t offset;
    uint16_t len;
    uint8_t flags; /* HWS_DATA_* */
    uint8_t path;  /* index of the path it was last sent on */
    uint8_t misses;
    bool flying;    /* counted as in flight on its path */
    bool credited;  /* has been counted as newly acknowledged; a peer that reneges gains nothing */
    bool copied;    /* since it was last sent it left on other paths, too */
    uint8_t copies; /* bit per path, `path` excepted, on which it is in flight as well */
};

struct hws_outq {
    struct hws_pool *pool;
    struct hws_tx *ring;  /* NULL until the first chunk */
    uint64_t *acked;      /* bit per ring place: acknowledged by a gap block */
    uint64_t *rtx;        /* bit per ring place: to be sent again */
    uint64_t *fast;       /* bit per ring place: was fast retransmitted, not again (7.2.4, 5) */
    uint32_t size;        /* places, a power of two >= 64 */
    uint32_t cum;         /* the cumulative TSN ack point */
    uint32_t next_tsn;    /* the next new chunk's */
    uint32_t misses_lost; /* reports after which a chunk is lost */
    uint32_t gap_acked;   /* chunks acknowledged by gap blocks alone */
    uint32_t rtx_count;
    bool split;       /* DATA is spread over paths: each path's losses show by what arrives on it */
    uint32_t rtx_low; /* no chunk to be sent again is below this TSN */
    uint32_t unacked_bytes;                 /* user data above cum, gap-acknowledged or not */
    uint32_t flight_payload;                /* user data in flight on all paths */
    uint32_t flight_bytes[HWS_LIMIT_PATHS]; /* DATA chunks, headers and padding included */
};

/* What one SACK did: all zero before but for who is told. */
struct hws_outq_ack {
    void (*lost)(const void *ctx,
                 uint32_t tsn); /* a chunk was marked by missing reports; or NULL */
    const void *lost_ctx;
    uint32_t acked_bytes[HWS_LIMIT_PATHS]; /* newly acknowledged, as flight_bytes counts */
    uint32_t new_paths;                    /* bit per path with anything newly acknowledged */
    uint32_t answered_paths;               /* ... that was in flight, not taken back by T3 */
    uint32_t cum_paths;                    /* ... newly acknowledged by the cumulative TSN ack */
    uint32_t copy_paths;  /* bit per path of what was in flight on several at once: nobody knows
                             which of them it arrived on */
    uint32_t lost_paths;  /* bit per path that lost a chunk, as missing reports say */
    uint32_t lost_chunks; /* now marked to be sent again for that */
    uint32_t freed_bytes; /* user data that needs to be kept no longer */
    bool cum_advanced;
    bool cut_short; /* the SACK may have had no room for all gaps */
};

void hws_outq_init(struct hws_outq *q, struct hws_pool *pool, uint32_t initial_tsn);
/** So many reports of it missing tell that a chunk is lost, 1..255; 0: three (7.2.4). */
static inline void hws_outq_set_missing_reports(struct hws_outq *q, uint32_t reports)
{
    q->misses_lost = reports > 0 ? reports : HWS_OUTQ_MISSES_LOST;
}

/** Lets go of every chunk. */
void hws_outq_fini(struct hws_outq *q);

/** Gives the ring back while nothing is in flight. */
void hws_outq_trim(struct hws_outq *q);

/** Makes room for one more chunk; false when there is no memory or the TSN window is full. */
bool hws_outq_reserve(struct hws_outq *q);
/** Takes over a fragment that is being sent on `path` and returns its TSN. There is room. */
uint32_t hws_outq_add(struct hws_outq *q, const struct hws_fragment *f, uint8_t path);

/** The chunk of a TSN within (cum, next_tsn). */
static inline struct hws_tx *hws_outq_at(const struct hws_outq *q, uint32_t tsn)
{
    return &q->ring[tsn & (q->size - 1)];
}

/** Number of chunks above the cumulative TSN ack. */
static inline uint32_t hws_outq_count(const struct hws_outq *q)
{
    return q->next_tsn - q->cum - 1;
}

/** A DATA chunk's bytes in a packet. */
static inline uint32_t hws_tx_size(const struct hws_tx *tx)
{
    return HWS_DATA_HEADER_LEN + hws_pad4(tx->len);
}

/** Whether a TSN has been acknowledged, by the cumulative TSN or a gap block. */
bool hws_outq_is_acked(const struct hws_outq *q, uint32_t tsn);

/** The lowest TSN >= `from` to be sent again; false when there is none. */
bool hws_outq_next_rtx(struct hws_outq *q, uint32_t from, uint32_t *tsn);
/** The chunk is being sent again, on `path`. */
void hws_outq_resent(struct hws_outq *q, uint32_t tsn, uint8_t path);

/** A copy of the chunk, which is in flight on another path, is being sent on `path`. It counts in
 * flight on both, and once against the peer's window. */
void hws_outq_copied(struct hws_outq *q, uint32_t tsn, uint8_t path);

/** Whether the chunk is in flight on `path`. */
static inline bool hws_tx_flies(const struct hws_tx *tx, uint8_t path)
{
    return tx->flying && (tx->path == path || (tx->copies >> path & 1));
}

/** Applies a SACK whose cumulative TSN lies within [cum, next_tsn). Gap blocks that are out of
 * order or beyond what was sent end the evaluation of gaps. `packet_bytes` is what a full packet
 * carries, for counting missing reports; `in_recovery` as 7.2.4 needs it. */
void hws_outq_sack(struct hws_outq *q, const struct hws_sack *sack, uint32_t packet_bytes,
                   bool in_recovery, struct hws_outq_ack *out);

/** The cumulative TSN of a SHUTDOWN (9.2), within [cum, next_tsn): it says nothing about gaps. */
void hws_outq_ack_cum(struct hws_outq *q, uint32_t cum_tsn, struct hws_outq_ack *out);

/** The lowest TSN >= `from` in flight on `path`, next_tsn when there is none. */
uint32_t hws_outq_lowest(const struct hws_outq *q, uint8_t path, uint32_t from);

/** Marks the highest TSN in flight on `path` to be sent again, asking for a SACK at once. False:
 * nothing is in flight there. */
bool hws_outq_probe(struct hws_outq *q, uint8_t path);

/** Everything in flight on `path` from TSN `from` on did not arrive and is to be sent again. */
void hws_outq_lost_from(struct hws_outq *q, uint8_t path, uint32_t from);

/** T3-rtx expired: everything in flight on `path` is to be sent again (6.3.3 E3). */
void hws_outq_timeout(struct hws_outq *q, uint8_t path);

#endif
