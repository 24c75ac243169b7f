#include "stack/outq.h"

#include <string.h>

#include "proto/serial.h"

#define HWS_OUTQ_FIRST_SIZE 64u

void hws_outq_init(struct hws_outq *q, struct hws_pool *pool, uint32_t initial_tsn)
{
    memset(q, 0, sizeof *q);
    q->pool = pool;
    q->cum = initial_tsn - 1;
    q->next_tsn = initial_tsn;
    q->rtx_low = initial_tsn;
    q->misses_lost = HWS_OUTQ_MISSES_LOST;
}

static size_t bitmap_bytes(uint32_t size)
{
    return size / 8;
}

static void free_rings(struct hws_outq *q)
{
    hws_pool_free(q->pool, q->ring, q->size * sizeof *q->ring);
    hws_pool_free(q->pool, q->acked, bitmap_bytes(q->size));
    hws_pool_free(q->pool, q->rtx, bitmap_bytes(q->size));
    hws_pool_free(q->pool, q->fast, bitmap_bytes(q->size));
}

void hws_outq_fini(struct hws_outq *q)
{
    for (uint32_t t = q->cum + 1; t != q->next_tsn; t++)
        hws_msg_unref(q->pool, hws_outq_at(q, t)->msg);
    free_rings(q);
    hws_outq_init(q, q->pool, q->next_tsn);
}

void hws_outq_trim(struct hws_outq *q)
{
    if (hws_outq_count(q) > 0)
        return;
    free_rings(q);
    q->ring = NULL;
    q->acked = q->rtx = q->fast = NULL;
    q->size = 0;
}

/* ---- Bits by TSN ---- */

static bool bit_get(const uint64_t *bits, uint32_t size, uint32_t tsn)
{
    uint32_t i = tsn & (size - 1);
    return bits[i / 64] >> (i % 64) & 1;
}

static void bit_set(uint64_t *bits, uint32_t size, uint32_t tsn)
{
    uint32_t i = tsn & (size - 1);
    bits[i / 64] |= (uint64_t)1 << (i % 64);
}

static void bit_clear(uint64_t *bits, uint32_t size, uint32_t tsn)
{
    uint32_t i = tsn & (size - 1);
    bits[i / 64] &= ~((uint64_t)1 << (i % 64));
}

/* A stretch of TSNs whose bits lie in one word. */
struct span {
    uint32_t tsn; /* its first */
    uint32_t count;
    uint32_t word;
    uint64_t mask;
};

/* The first span of [tsn, end). */
static struct span span_at(const struct hws_outq *q, uint32_t tsn, uint32_t end)
{
    uint32_t i = tsn & (q->size - 1);
    uint32_t count = 64 - i % 64;
    if (count > end - tsn)
        count = end - tsn;
    uint64_t ones = count == 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1;
    return (struct span){.tsn = tsn, .count = count, .word = i / 64, .mask = ones << (i % 64)};
}

/* The TSN of a bit of the span's word. */
static uint32_t span_tsn(const struct hws_outq *q, const struct span *s, unsigned bit)
{
    uint32_t first = s->tsn & (q->size - 1) & 63;
    return s->tsn + (bit - first);
}

/* ---- Growing ---- */

static bool alloc_rings(struct hws_outq *q, uint32_t size)
{
    q->ring = hws_pool_alloc(q->pool, size * sizeof *q->ring);
    q->acked = hws_pool_zalloc(q->pool, bitmap_bytes(size));
    q->rtx = hws_pool_zalloc(q->pool, bitmap_bytes(size));
    q->fast = hws_pool_zalloc(q->pool, bitmap_bytes(size));
    q->size = size;
    if (q->ring != NULL && q->acked != NULL && q->rtx != NULL && q->fast != NULL)
        return true;
    free_rings(q);
    return false;
}

static bool grow(struct hws_outq *q)
{
    struct hws_outq old = *q;
    if (!alloc_rings(q, old.size > 0 ? old.size * 2 : HWS_OUTQ_FIRST_SIZE)) {
        *q = old;
        return false;
    }
    for (uint32_t t = q->cum + 1; t != q->next_tsn; t++) {
        *hws_outq_at(q, t) = *hws_outq_at(&old, t);
        if (bit_get(old.acked, old.size, t))
            bit_set(q->acked, q->size, t);
        if (bit_get(old.rtx, old.size, t))
            bit_set(q->rtx, q->size, t);
        if (bit_get(old.fast, old.size, t))
            bit_set(q->fast, q->size, t);
    }
    free_rings(&old);
    return true;
}

bool hws_outq_reserve(struct hws_outq *q)
{
    uint32_t count = hws_outq_count(q);
    if (count < q->size)
        return true;
    return count < HWS_LIMIT_TSN_WINDOW / 2 && grow(q);
}

/* ---- In flight ---- */

static void fly(struct hws_outq *q, struct hws_tx *tx, uint8_t path)
{
    tx->path = path;
    tx->flying = true;
    q->flight_bytes[path] += hws_tx_size(tx);
    q->flight_payload += tx->len;
}

static void land_copies(struct hws_outq *q, struct hws_tx *tx)
{
    for (; tx->copies != 0; tx->copies &= (uint8_t)(tx->copies - 1))
        q->flight_bytes[__builtin_ctz(tx->copies)] -= hws_tx_size(tx);
}

static void land(struct hws_outq *q, struct hws_tx *tx)
{
    if (!tx->flying)
        return;
    tx->flying = false;
    q->flight_bytes[tx->path] -= hws_tx_size(tx);
    q->flight_payload -= tx->len;
    if (tx->copies != 0)
        land_copies(q, tx);
}

/* The chunk is in flight on `path` no more, but still on another one. */
static void leave_path(struct hws_outq *q, struct hws_tx *tx, uint8_t path)
{
    q->flight_bytes[path] -= hws_tx_size(tx);
    if (tx->path == path)
        tx->path = (uint8_t)__builtin_ctz(tx->copies);
    tx->copies &= (uint8_t) ~(1u << path | 1u << tx->path);
    tx->misses = 0;
}

void hws_outq_copied(struct hws_outq *q, uint32_t tsn, uint8_t path)
{
    struct hws_tx *tx = hws_outq_at(q, tsn);
    tx->copied = true;
    tx->copies |= (uint8_t)(1u << path);
    q->flight_bytes[path] += hws_tx_size(tx);
}

uint32_t hws_outq_add(struct hws_outq *q, const struct hws_fragment *f, uint8_t path)
{
    uint32_t tsn = q->next_tsn++;
    struct hws_tx *tx = hws_outq_at(q, tsn);
    *tx = (struct hws_tx){.msg = f->msg, .offset = f->offset, .len = f->len, .flags = f->flags};
    fly(q, tx, path);
    q->unacked_bytes += tx->len;
    return tsn;
}

bool hws_outq_is_acked(const struct hws_outq *q, uint32_t tsn)
{
    return hws_tsn_le(tsn, q->cum) || bit_get(q->acked, q->size, tsn);
}

/* ---- Retransmission marks ---- */

static void mark_rtx(struct hws_outq *q, uint32_t tsn)
{
    land(q, hws_outq_at(q, tsn));
    if (bit_get(q->rtx, q->size, tsn))
        return;
    bit_set(q->rtx, q->size, tsn);
    if (q->rtx_count++ == 0 || hws_tsn_lt(tsn, q->rtx_low))
        q->rtx_low = tsn;
}

static void unmark_rtx(struct hws_outq *q, uint32_t tsn)
{
    if (q->rtx_count == 0 || !bit_get(q->rtx, q->size, tsn))
        return;
    bit_clear(q->rtx, q->size, tsn);
    q->rtx_count--;
}

bool hws_outq_next_rtx(struct hws_outq *q, uint32_t from, uint32_t *tsn)
{
    if (q->rtx_count == 0)
        return false;
    bool from_low = hws_tsn_le(from, q->rtx_low);
    uint32_t t = from_low ? q->rtx_low : from;
    while (hws_tsn_lt(t, q->next_tsn)) {
        struct span s = span_at(q, t, q->next_tsn);
        uint64_t found = q->rtx[s.word] & s.mask;
        if (found != 0) {
            *tsn = span_tsn(q, &s, (unsigned)__builtin_ctzll(found));
            if (from_low)
                q->rtx_low = *tsn;
            return true;
        }
        t += s.count;
    }
    return false;
}

void hws_outq_resent(struct hws_outq *q, uint32_t tsn, uint8_t path)
{
    struct hws_tx *tx = hws_outq_at(q, tsn);
    unmark_rtx(q, tsn);
    tx->misses = 0;
    tx->copied = false;
    fly(q, tx, path);
}

uint32_t hws_outq_lowest(const struct hws_outq *q, uint8_t path, uint32_t from)
{
    uint32_t t = hws_tsn_le(from, q->cum) ? q->cum + 1 : from;
    while (t != q->next_tsn && !hws_tx_flies(hws_outq_at(q, t), path))
        t++;
    return t;
}

bool hws_outq_probe(struct hws_outq *q, uint8_t path)
{
    if (q->flight_bytes[path] == 0)
        return false;
    uint32_t t = q->next_tsn - 1;
    while (!hws_tx_flies(hws_outq_at(q, t), path))
        t--;
    hws_outq_at(q, t)->flags |= HWS_DATA_I;
    mark_rtx(q, t);
    return true;
}

void hws_outq_timeout(struct hws_outq *q, uint8_t path)
{
    hws_outq_lost_from(q, path, q->cum + 1);
}

void hws_outq_lost_from(struct hws_outq *q, uint8_t path, uint32_t from)
{
    for (uint32_t t = from; t != q->next_tsn; t++) {
        struct hws_tx *tx = hws_outq_at(q, t);
        if (tx->copies != 0 && hws_tx_flies(tx, path)) {
            leave_path(q, tx, path);
        } else if (tx->flying && tx->path == path) {
            mark_rtx(q, t);
            bit_clear(q->fast, q->size, t); /* sent anew, it may be fast retransmitted again */
        }
    }
}

/* ---- SACK ---- */

static void acknowledge(struct hws_outq *q, uint32_t tsn, struct hws_outq_ack *out)
{
    struct hws_tx *tx = hws_outq_at(q, tsn);
    if (tx->copied) {
        out->copy_paths |= 1u << tx->path | tx->copies;
    } else {
        if (!tx->credited)
            out->acked_bytes[tx->path] += hws_tx_size(tx);
        out->new_paths |= 1u << tx->path;
        if (tx->flying)
            out->answered_paths |= 1u << tx->path;
    }
    tx->credited = true;
    land(q, tx);
    unmark_rtx(q, tsn);
}

/* Messages have left the cache since they were sent: they come back while others are let go of.
 * What lies behind the last chunk was one's once, and is only asked for, not read. */
#define HWS_OUTQ_AHEAD 8u

/* The chunk at the cumulative TSN ack, which a gap block may have acknowledged before, needs to be
 * kept no longer. */
static void pass_chunk(struct hws_outq *q, uint32_t tsn, bool gap_acked, struct hws_outq_ack *out)
{
    struct hws_tx *tx = hws_outq_at(q, tsn);
    __builtin_prefetch(hws_outq_at(q, tsn + HWS_OUTQ_AHEAD)->msg, 1);
    out->cum_paths |= 1u << tx->path;
    if (!gap_acked)
        acknowledge(q, tsn, out);
    q->unacked_bytes -= tx->len;
    out->freed_bytes += tx->len;
    hws_msg_unref(q->pool, tx->msg);
}

static void advance_cum(struct hws_outq *q, uint32_t cum, struct hws_outq_ack *out)
{
    out->cum_advanced = q->cum != cum;
    for (uint32_t t = q->cum + 1; t != cum + 1;) {
        struct span s = span_at(q, t, cum + 1);
        uint64_t gap_acked = q->acked[s.word] & s.mask;
        q->acked[s.word] &= ~s.mask;
        q->fast[s.word] &= ~s.mask;
        q->gap_acked -= (uint32_t)__builtin_popcountll(gap_acked);
        gap_acked >>= t & 63;
        for (uint32_t end = t + s.count; t != end; t++, gap_acked >>= 1)
            pass_chunk(q, t, gap_acked & 1, out);
    }
    q->cum = cum;
    if (hws_tsn_le(q->rtx_low, cum))
        q->rtx_low = cum + 1;
}

/* What a SACK says of holes, by path where DATA is spread over several: what overtook a chunk on
 * another path says nothing of it. */
struct evidence {
    uint32_t bytes[HWS_LIMIT_PATHS];   /* newly acknowledged beyond */
    uint32_t reports[HWS_LIMIT_PATHS]; /* as so many missing reports */
    uint32_t any;                      /* bit per path with reports */
};

static uint32_t witness(const struct hws_outq *q, const struct hws_tx *tx)
{
    return q->split ? tx->path : 0;
}

/* TSNs [start, end) are reported as received. */
static void ack_range(struct hws_outq *q, uint32_t start, uint32_t end, struct evidence *beyond,
                      struct hws_outq_ack *out)
{
    for (uint32_t t = start; t != end;) {
        struct span s = span_at(q, t, end);
        uint64_t news = s.mask & ~q->acked[s.word];
        q->acked[s.word] |= news;
        for (; news != 0; news &= news - 1) {
            uint32_t tsn = span_tsn(q, &s, (unsigned)__builtin_ctzll(news));
            const struct hws_tx *tx = hws_outq_at(q, tsn);
            if (!tx->copied)
                beyond->bytes[witness(q, tx)] += hws_tx_size(tx);
            q->gap_acked++;
            acknowledge(q, tsn, out);
        }
        t += s.count;
    }
}

/* TSNs [start, end) are not reported: those that were before have been reneged on and are in flight
 * again (6.2.1 D iii). */
static void renege_range(struct hws_outq *q, uint32_t start, uint32_t end)
{
    for (uint32_t t = start; t != end;) {
        struct span s = span_at(q, t, end);
        uint64_t reneged = s.mask & q->acked[s.word];
        q->acked[s.word] &= ~reneged;
        for (; reneged != 0; reneged &= reneged - 1) {
            struct hws_tx *tx = hws_outq_at(q, span_tsn(q, &s, (unsigned)__builtin_ctzll(reneged)));
            fly(q, tx, tx->path);
            q->gap_acked--;
        }
        t += s.count;
    }
}

/* The chunk is reported missing, several times at once perhaps; the third time marks it (7.2.4), or
 * a later one if an extension says so, or leaves it to the path that has a copy. */
static void miss(struct hws_outq *q, uint32_t tsn, const struct evidence *beyond,
                 struct hws_outq_ack *out)
{
    struct hws_tx *tx = hws_outq_at(q, tsn);
    if (!tx->flying)
        return;
    uint32_t misses = tx->misses + beyond->reports[witness(q, tx)];
    tx->misses = (uint8_t)(misses < q->misses_lost ? misses : q->misses_lost);
    if (misses < q->misses_lost)
        return;
    out->lost_paths |= 1u << tx->path;
    if (tx->copies != 0) {
        leave_path(q, tx, tx->path);
        return;
    }
    out->lost_chunks++;
    bit_set(q->fast, q->size, tsn);
    mark_rtx(q, tsn);
    if (out->lost != NULL)
        out->lost(out->lost_ctx, tsn);
}

static void miss_range(struct hws_outq *q, uint32_t start, uint32_t end,
                       const struct evidence *beyond, struct hws_outq_ack *out)
{
    for (uint32_t t = start; beyond->any != 0 && t != end;) {
        struct span s = span_at(q, t, end);
        uint64_t missing = s.mask & ~(q->acked[s.word] | q->rtx[s.word] | q->fast[s.word]);
        for (; missing != 0; missing &= missing - 1)
            miss(q, span_tsn(q, &s, (unsigned)__builtin_ctzll(missing)), beyond, out);
        t += s.count;
    }
}

/* How many of the SACK's gap blocks can be used: in order, apart, and within what was sent. */
static uint32_t usable_gaps(const struct hws_outq *q, const struct hws_sack *sack)
{
    uint32_t after = q->cum + 1;
    for (uint32_t i = 0; i < sack->gap_count; i++) {
        struct hws_gap gap = hws_sack_gap(sack, i);
        uint32_t end = q->cum + gap.end + 1u;
        if (gap.start > gap.end || hws_tsn_lt(q->cum + gap.start, after) ||
            hws_tsn_lt(q->next_tsn, end))
            return i;
        after = end;
    }
    return sack->gap_count;
}

/* What a SACK that newly acknowledges `bytes` beyond a hole says of that hole. One SACK may stand
 * for a batch of packets: each packet's worth is a report of its own, as if the receiver had sent
 * the SACK per packet that 7.2.4 asks for. */
static uint32_t reports_of(uint32_t bytes, uint32_t packet_bytes)
{
    uint32_t reports = bytes / packet_bytes;
    if (reports == 0)
        reports = bytes > 0;
    return reports;
}

static void count_reports(const struct hws_outq *q, struct evidence *beyond, uint32_t packet_bytes)
{
    uint32_t paths = q->split ? HWS_LIMIT_PATHS : 1;
    for (uint32_t i = 0; i < paths; i++) {
        if (beyond->bytes[i] == 0)
            continue;
        beyond->reports[i] = reports_of(beyond->bytes[i], packet_bytes);
        beyond->any |= 1u << i;
    }
}

/* In Fast Recovery with the cumulative TSN moving, every reported hole counts (7.2.4). */
static void count_recovery(const struct hws_outq *q, struct evidence *beyond,
                           const struct hws_outq_ack *out)
{
    beyond->any = q->split ? out->cum_paths : 1;
    for (uint32_t i = 0; i < HWS_LIMIT_PATHS; i++)
        beyond->reports[i] = beyond->any >> i & 1;
}

void hws_outq_ack_cum(struct hws_outq *q, uint32_t cum_tsn, struct hws_outq_ack *out)
{
    advance_cum(q, cum_tsn, out);
}

/* From the highest block down, so that at each hole it is known what was newly acknowledged beyond
 * it: the HTNA rule of 7.2.4. */
void hws_outq_sack(struct hws_outq *q, const struct hws_sack *sack, uint32_t packet_bytes,
                   bool in_recovery, struct hws_outq_ack *out)
{
    hws_outq_ack_cum(q, sack->cum_tsn, out);
    if (q->size == 0)
        return;
    struct evidence beyond = {{0}, {0}, 0};
    if (in_recovery && out->cum_advanced)
        count_recovery(q, &beyond, out);
    uint32_t top = q->next_tsn; /* from here on everything has been looked at */
    uint32_t count = usable_gaps(q, sack);
    for (uint32_t i = count; i > 0; i--) {
        struct hws_gap gap = hws_sack_gap(sack, i - 1);
        uint32_t end = q->cum + gap.end + 1u;
        renege_range(q, end, top);
        if (i < count)
            miss_range(q, end, top, &beyond, out);
        ack_range(q, q->cum + gap.start, end, &beyond, out);
        count_reports(q, &beyond, packet_bytes);
        top = q->cum + gap.start;
    }
    renege_range(q, q->cum + 1, top);
    if (count > 0)
        miss_range(q, q->cum + 1, top, &beyond, out);
}
