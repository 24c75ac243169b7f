#include <stdbool.h>
#include <string.h>

#include "memory_env.h"
#include "proto/serial.h"
#include "stack/outq.h"

#define MAX_GAPS 40u
#define RING_OBJECTS 4u /* the ring and its bitmaps */

static struct memory_env m;
static struct hws_outq q;
static struct hws_outq_ack ack; /* of the last SACK */

static void begin(uint32_t initial_tsn)
{
    memory_env_init(&m, initial_tsn, true);
    hws_outq_init(&q, &m.pool, initial_tsn);
}

static void end(void)
{
    hws_outq_fini(&q);
    memory_env_fini(&m);
}

static struct hws_msg *new_msg(uint32_t refs)
{
    struct hws_msg *msg = hws_pool_alloc(&m.pool, sizeof *msg);
    assert_non_null(msg);
    *msg = (struct hws_msg){.refs = refs};
    return msg;
}

static uint32_t send_part(struct hws_msg *msg, uint16_t len, uint8_t path)
{
    struct hws_fragment f = {.msg = msg, .offset = 12, .len = len, .flags = HWS_DATA_B};
    uint32_t tsn = hws_outq_add(&q, &f, path);
    const struct hws_tx *tx = hws_outq_at(&q, tsn);
    assert_ptr_equal(tx->msg, msg);
    assert_int_equal(tx->offset, 12);
    assert_int_equal(tx->flags, HWS_DATA_B);
    return tsn;
}

/** Sends `count` messages of `len` bytes, a chunk each. */
static void send_chunks(uint32_t count, uint16_t len, uint8_t path)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_true(hws_outq_reserve(&q));
        send_part(new_msg(1), len, path);
    }
}

/* What a packet carries: endless, so that every SACK is one report, unless a test says otherwise.
 */
static uint32_t packet_bytes = UINT32_MAX;

/* A SACK that acknowledges `cum` more TSNs and has these gap blocks. */
static void sack_gaps(uint32_t cum, const struct hws_gap *gaps, uint16_t count, bool in_recovery)
{
    static uint8_t wire[4 * MAX_GAPS];
    for (uint32_t i = 0; i < count; i++) {
        hws_put16(wire + 4 * i, gaps[i].start);
        hws_put16(wire + 4 * i + 2, gaps[i].end);
    }
    struct hws_sack sack = {.cum_tsn = q.cum + cum, .gap_count = count, .gaps = wire};
    ack = (struct hws_outq_ack){0};
    hws_outq_sack(&q, &sack, packet_bytes, in_recovery, &ack);
}

static void sack(uint32_t cum)
{
    sack_gaps(cum, NULL, 0, false);
}

static void sack_gap(uint32_t cum, uint16_t start, uint16_t end)
{
    sack_gaps(cum, &(struct hws_gap){start, end}, 1, false);
}

/* The chunks to be sent again are exactly these, counted from the cumulative TSN. */
static void marked(const uint32_t *offsets, uint32_t count)
{
    uint32_t tsn = q.cum + 1;
    assert_int_equal(q.rtx_count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(hws_outq_next_rtx(&q, tsn, &tsn));
        assert_int_equal(tsn - q.cum, offsets[i]);
        tsn++;
    }
    assert_false(hws_outq_next_rtx(&q, tsn, &tsn));
}

#define MARKED(...)                                                                                \
    marked((const uint32_t[]){__VA_ARGS__},                                                        \
           sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))
#define NONE_MARKED() marked(NULL, 0)

/* ---- Stories ---- */

static void nothing_sent(void **state)
{
    (void)state;
    begin(100);
    uint32_t tsn;
    assert_int_equal(hws_outq_count(&q), 0);
    assert_true(hws_outq_is_acked(&q, 99));
    assert_false(hws_outq_next_rtx(&q, 100, &tsn));
    sack(0);
    assert_false(ack.cum_advanced);
    sack_gap(0, 1, 1); /* of what was never sent */
    sack_gap(0, 0, 65535);
    assert_int_equal(ack.new_paths, 0);
    hws_outq_timeout(&q, 0);
    assert_int_equal(m.live_objects, 0);
    end();
}

/* DATA chunks count in flight as they are in packets: header, user data, padding. */
static void flight_is_counted_as_on_the_wire(void **state)
{
    (void)state;
    begin(100);
    send_chunks(1, 1, 0);
    send_chunks(1, 1000, 3);
    assert_int_equal(q.flight_bytes[0], 20);
    assert_int_equal(q.flight_bytes[3], 1016);
    assert_int_equal(q.flight_payload, 1001);
    assert_int_equal(q.unacked_bytes, 1001);
    sack_gap(0, 2, 2);
    assert_int_equal(ack.acked_bytes[3], 1016);
    assert_int_equal(ack.new_paths, 1u << 3);
    assert_int_equal(ack.cum_paths, 0);
    assert_int_equal(ack.freed_bytes, 0); /* the peer may renege */
    assert_int_equal(q.flight_bytes[3], 0);
    assert_int_equal(q.flight_payload, 1);
    assert_int_equal(q.unacked_bytes, 1001);
    sack(2);
    assert_int_equal(ack.acked_bytes[0], 20);
    assert_int_equal(ack.acked_bytes[3], 0); /* not a second time */
    assert_int_equal(ack.new_paths, 1u << 0);
    assert_int_equal(ack.cum_paths, 1u << 0 | 1u << 3);
    assert_int_equal(ack.freed_bytes, 1001);
    assert_int_equal(q.unacked_bytes, 0);
    assert_int_equal(q.flight_payload, 0);
    end();
}

/* Three fragments of one message: it is freed with the last of them. */
static void a_message_waits_for_all_its_fragments(void **state)
{
    (void)state;
    begin(100);
    struct hws_msg *msg = new_msg(3);
    for (int i = 0; i < 3; i++) {
        assert_true(hws_outq_reserve(&q));
        send_part(msg, 100, 0);
    }
    size_t objects = m.live_objects;
    sack_gap(0, 3, 3);
    sack(2);
    assert_int_equal(m.live_objects, objects);
    sack(1);
    assert_int_equal(m.live_objects, objects - 1);
    end();
}

/* RFC 9260, 7.2.4: the third report that a TSN is missing, not the second. */
static void third_report_marks(void **state)
{
    (void)state;
    begin(UINT32_MAX - 1);
    send_chunks(6, 100, 2);
    sack_gap(0, 2, 2);
    sack_gap(0, 2, 3);
    NONE_MARKED();
    assert_int_equal(ack.lost_chunks, 0);
    sack_gap(0, 2, 4);
    MARKED(1);
    assert_int_equal(ack.lost_chunks, 1);
    assert_int_equal(ack.lost_paths, 1u << 2);
    assert_int_equal(q.flight_bytes[2], 2 * 116); /* chunks 5 and 6 */
    end();
}

/* One SACK for a batch counts as many reports as packets it newly acknowledges beyond the hole. */
static void a_batch_counts_its_packets(void **state)
{
    (void)state;
    begin(500);
    send_chunks(6, 84, 0); /* 100 bytes each on the wire */
    packet_bytes = 100;
    sack_gap(0, 2, 3);
    assert_int_equal(ack.lost_chunks, 0);
    sack_gap(0, 2, 4);
    assert_int_equal(ack.lost_chunks, 1);
    sack(6);
    send_chunks(5, 84, 0);
    sack_gap(0, 3, 5);
    assert_int_equal(ack.lost_chunks, 2);
    packet_bytes = UINT32_MAX;
    end();
}

/* Only TSNs below the highest one newly acknowledged count as missing (HTNA, 7.2.4). */
static void reports_without_news_do_not_count(void **state)
{
    (void)state;
    begin(100);
    send_chunks(6, 100, 0);
    for (int i = 0; i < 9; i++)
        sack_gap(0, 3, 4);
    NONE_MARKED();
    sack_gaps(0, (const struct hws_gap[]){{2, 4}, {6, 6}}, 2,
              false); /* second for 1, first for 5 */
    NONE_MARKED();
    sack_gap(0, 2, 6); /* news is 5: third for 1 */
    MARKED(1);
    end();
}

static void chunks_above_the_highest_news_do_not_count(void **state)
{
    (void)state;
    begin(100);
    send_chunks(9, 100, 0);
    sack_gaps(0, (const struct hws_gap[]){{2, 2}, {9, 9}}, 2, false);
    sack_gaps(0, (const struct hws_gap[]){{2, 3}, {9, 9}}, 2, false);
    sack_gaps(0, (const struct hws_gap[]){{2, 4}, {9, 9}}, 2, false);
    MARKED(1); /* 5 to 8 were reported once with news above them, twice without */
    end();
}

/* In Fast Recovery, a SACK that moves the cumulative TSN counts for every gap (7.2.4). */
static void recovery_counts_every_gap(void **state)
{
    (void)state;
    const struct hws_gap gaps[] = {{2, 2}, {4, 4}};
    begin(100);
    send_chunks(9, 100, 0);
    sack_gaps(0, (const struct hws_gap[]){{5, 5}, {7, 7}}, 2, true); /* first for all below 7 */
    sack_gaps(3, gaps, 2, true);                                     /* second for 4 and 6 */
    NONE_MARKED();
    sack_gaps(0, gaps, 2, true); /* the cumulative TSN stays: nothing counts */
    NONE_MARKED();
    sack_gaps(1, (const struct hws_gap[]){{1, 1}, {3, 3}}, 2, true); /* third for 6 */
    MARKED(2);
    end();
}

/* A chunk is fast retransmitted once (7.2.4, rule 5); after a timeout it is as new. */
static void fast_retransmitted_once(void **state)
{
    (void)state;
    begin(100);
    send_chunks(12, 100, 0);
    for (uint16_t i = 2; i <= 4; i++)
        sack_gap(0, 2, i);
    MARKED(1);
    hws_outq_resent(&q, q.cum + 1, 0);
    NONE_MARKED();
    for (uint16_t i = 5; i <= 8; i++)
        sack_gap(0, 2, i);
    NONE_MARKED();
    hws_outq_timeout(&q, 0);
    MARKED(1, 9, 10, 11, 12);
    for (uint32_t i = 1; i <= 12; i += i == 1 ? 8 : 1)
        hws_outq_resent(&q, q.cum + i, 0);
    for (uint16_t i = 9; i <= 11; i++)
        sack_gap(0, 2, i);
    MARKED(1);
    end();
}

/* 6.3.3 E3: what is in flight on that path, and only there. */
static void timeout_marks_its_path(void **state)
{
    (void)state;
    begin(100);
    send_chunks(2, 100, 0);
    send_chunks(2, 100, 1);
    send_chunks(1, 100, 0);
    sack_gap(0, 2, 2);
    hws_outq_timeout(&q, 0);
    MARKED(1, 5);
    assert_int_equal(q.flight_bytes[0], 0);
    assert_int_equal(q.flight_bytes[1], 2 * 116);
    hws_outq_resent(&q, q.cum + 5, 1);
    assert_int_equal(q.flight_bytes[1], 3 * 116);
    MARKED(1);
    hws_outq_timeout(&q, 1);
    MARKED(1, 3, 4, 5);
    sack_gap(0, 3, 5); /* what was to be sent again has arrived after all */
    MARKED(1);
    assert_int_equal(ack.acked_bytes[1], 3 * 116);
    assert_int_equal(q.flight_payload, 100); /* chunk 2, which the peer reneged on */
    end();
}

/* 6.2.1 D iii: a TSN reported once and then not is in flight again. */
static void reneged_chunks_fly_again(void **state)
{
    (void)state;
    begin(UINT32_MAX - 3);
    send_chunks(200, 100, 0);
    sack_gap(0, 2, 200);
    assert_int_equal(q.flight_payload, 100);
    sack_gap(0, 100, 150);
    assert_int_equal(q.flight_payload, 149 * 100);
    assert_false(hws_outq_is_acked(&q, q.cum + 99));
    assert_true(hws_outq_is_acked(&q, q.cum + 100));
    sack(0);
    assert_int_equal(q.flight_payload, 200 * 100);
    sack(200);
    assert_int_equal(ack.acked_bytes[0], 116); /* the others were counted: reneging gains nothing */
    end();
}

/* The SHUTDOWN chunk's cumulative TSN (9.2) says nothing about what is above it. */
static void cumulative_ack_of_shutdown(void **state)
{
    (void)state;
    begin(100);
    send_chunks(6, 100, 0);
    sack_gap(0, 4, 6);
    for (int i = 0; i < 3; i++) {
        ack = (struct hws_outq_ack){0};
        hws_outq_ack_cum(&q, q.cum + (i == 0), &ack);
        assert_int_equal(ack.cum_advanced, i == 0);
    }
    assert_int_equal(q.flight_payload, 200);
    assert_true(hws_outq_is_acked(&q, q.cum + 5));
    NONE_MARKED();
    end();
}

/* A block that is empty, backwards, overlapping, or beyond what was sent ends the list. */
static void hostile_blocks_end_the_list(void **state)
{
    (void)state;
    const struct hws_gap hostile[] = {{0, 3}, {0, 0}, {5, 4}, {2, 5}, {3, 3}, {9, 11}, {11, 65535}};
    begin(100);
    send_chunks(10, 100, 0);
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        sack_gaps(0, (const struct hws_gap[]){{2, 3}, hostile[i], {8, 8}}, 3, false);
        assert_int_equal(q.flight_payload, 800);
        assert_true(hws_outq_is_acked(&q, 102));
        assert_false(hws_outq_is_acked(&q, 107));
    }
    sack_gaps(0, (const struct hws_gap[]){{2, 3}, {4, 10}}, 2, false); /* touching is legal */
    assert_int_equal(q.flight_payload, 100);
    end();
}

static void fini_starts_anew(void **state)
{
    (void)state;
    begin(100);
    send_chunks(10, 100, 4);
    sack_gap(1, 3, 3);
    hws_outq_timeout(&q, 4);
    hws_outq_fini(&q);
    assert_int_equal(m.live_objects, 0);
    assert_int_equal(q.unacked_bytes, 0);
    assert_int_equal(q.flight_bytes[4], 0);
    assert_int_equal(hws_outq_count(&q), 0);
    assert_int_equal(q.next_tsn, 110);
    memory_env_fini(&m);
}

/* Each allocation of a larger ring fails once. How many there are. */
static uint32_t refused_each_time(uint32_t size)
{
    size_t objects = m.live_objects;
    uint32_t refused = 0;
    for (m.fail_in = 1; !hws_outq_reserve(&q); m.fail_in = ++refused + 1) {
        assert_int_equal(m.fail_in, 0);
        assert_int_equal(m.live_objects, objects);
        assert_int_equal(q.size, size);
    }
    m.fail_in = 0;
    return refused;
}

static void no_memory_changes_nothing(void **state)
{
    (void)state;
    begin(UINT32_MAX - 70);
    assert_int_equal(refused_each_time(0), RING_OBJECTS);
    send_chunks(64, 10, 0);
    sack_gap(0, 3, 63);
    assert_int_equal(refused_each_time(64), RING_OBJECTS);
    assert_int_equal(m.live_objects, RING_OBJECTS + 64);
    send_chunks(64, 10, 0);
    assert_true(hws_outq_is_acked(&q, q.cum + 63));
    assert_false(hws_outq_is_acked(&q, q.cum + 64));
    sack(128);
    assert_int_equal(q.unacked_bytes, 0);
    end();
}

/* A gap block's offsets have 16 bits: what is in flight stays well below. */
static void the_window_is_bounded(void **state)
{
    (void)state;
    begin(UINT32_MAX - 20000);
    struct hws_msg *msg = new_msg(HWS_LIMIT_TSN_WINDOW);
    uint32_t count = 0;
    while (hws_outq_reserve(&q)) {
        send_part(msg, 8, 0);
        count++;
    }
    assert_true(count >= 16384 && count < HWS_LIMIT_TSN_WINDOW);
    assert_int_equal(q.flight_payload, 8 * count);
    sack_gap(0, 2, (uint16_t)count);
    assert_int_equal(q.flight_payload, 8);
    sack(count);
    assert_int_equal(q.flight_payload, 0);
    assert_true(hws_outq_reserve(&q));
    msg->refs -= HWS_LIMIT_TSN_WINDOW - count - 1;
    hws_msg_unref(&m.pool, msg);
    end();
}

/* ---- Against a model: chunks in an array by number, every rule a loop over all of them ---- */

#define MODEL_CHUNKS 30000u
#define MODEL_PATHS 3u

struct model_chunk {
    uint32_t size; /* on the wire */
    uint16_t len;
    uint8_t path, misses;
    bool acked, rtx, fast;
    bool credited; /* has been counted as newly acknowledged */
    bool ends;     /* the last fragment of its message */
};

static struct {
    uint32_t first; /* the TSN of chunk 0 */
    struct model_chunk chunks[MODEL_CHUNKS];
    uint32_t cum, next;  /* chunks acknowledged in order, and sent */
    struct hws_msg *msg; /* of which fragments are still to be sent */
    uint32_t parts_left;
    uint32_t messages; /* alive */
    struct hws_outq_ack ack;
} model;

static void model_send(uint64_t *seed)
{
    if (model.parts_left == 0) {
        model.parts_left = 1 + random_below(seed, 4);
        model.msg = new_msg(model.parts_left);
        model.messages++;
    }
    struct model_chunk *c = &model.chunks[model.next];
    c->len = (uint16_t)(1 + random_below(seed, 1400));
    c->size = 16 + (c->len + 3u) / 4 * 4;
    c->path = (uint8_t)random_below(seed, MODEL_PATHS);
    c->ends = --model.parts_left == 0;
    assert_true(hws_outq_reserve(&q));
    assert_int_equal(send_part(model.msg, c->len, c->path), model.first + model.next);
    model.next++;
}

static void model_news(struct model_chunk *c)
{
    model.ack.acked_bytes[c->path] += c->credited ? 0 : c->size;
    c->credited = true;
    model.ack.new_paths |= 1u << c->path;
    c->rtx = false;
}

static void model_cum(uint32_t cum)
{
    model.ack.cum_advanced = cum > model.cum;
    for (; model.cum < cum; model.cum++) {
        struct model_chunk *c = &model.chunks[model.cum];
        if (!c->acked)
            model_news(c);
        c->acked = true;
        model.ack.cum_paths |= 1u << c->path;
        model.ack.freed_bytes += c->len;
        model.messages -= c->ends;
    }
}

/* Whether a valid block of the SACK names chunk `i`; `end` gets one past the last one named. */
static bool model_reported(const struct hws_gap *gaps, uint32_t count, uint32_t i, uint32_t *end)
{
    uint32_t offset = i + 1 - model.cum, last = 0;
    bool named = false;
    for (uint32_t g = 0; g < count; g++) {
        if (gaps[g].start <= last || gaps[g].end < gaps[g].start ||
            gaps[g].end > model.next - model.cum)
            break;
        last = gaps[g].end;
        named = named || (offset >= gaps[g].start && offset <= gaps[g].end);
    }
    *end = model.cum + last;
    return named;
}

static void model_miss(uint32_t i, uint32_t reports)
{
    struct model_chunk *c = &model.chunks[i];
    if (c->acked || c->rtx || c->fast)
        return;
    c->misses = (uint8_t)(c->misses + reports);
    if (c->misses < 3)
        return;
    c->fast = true;
    c->rtx = true;
    model.ack.lost_chunks++;
    model.ack.lost_paths |= 1u << c->path;
}

/* A report per packet's worth of news beyond the chunk, at least one for any news, at most three;
 * in Fast Recovery with the cumulative TSN moving, one for any hole. */
static uint32_t model_reports(uint32_t news_bytes, bool any_hole)
{
    uint32_t reports = news_bytes / packet_bytes;
    if (reports == 0)
        reports = news_bytes > 0 || any_hole;
    return reports < 3 ? reports : 3;
}

static void model_sack(uint32_t cum, const struct hws_gap *gaps, uint32_t count, bool in_recovery)
{
    static bool news[MODEL_CHUNKS];
    uint32_t gaps_end = model.cum, news_bytes = 0;
    memset(&model.ack, 0, sizeof model.ack);
    model_cum(model.cum + cum);
    for (uint32_t i = model.cum; i < model.next; i++) {
        struct model_chunk *c = &model.chunks[i];
        bool reported = model_reported(gaps, count, i, &gaps_end);
        news[i] = reported && !c->acked;
        if (news[i])
            model_news(c);
        c->acked = reported;
    }
    bool any_hole = in_recovery && model.ack.cum_advanced;
    for (uint32_t i = gaps_end; i-- > model.cum;) {
        news_bytes += news[i] ? model.chunks[i].size : 0;
        model_miss(i, model_reports(news_bytes, any_hole));
    }
}

static void check_marks(uint32_t from)
{
    uint32_t i = from, tsn = 0;
    while (i < model.next && !model.chunks[i].rtx)
        i++;
    assert_int_equal(hws_outq_next_rtx(&q, model.first + from, &tsn), i < model.next);
    if (i < model.next)
        assert_int_equal(tsn, model.first + i);
}

static void check_memory(void)
{
    size_t rings = q.ring != NULL ? RING_OBJECTS : 0;
    assert_int_equal(m.live_objects, model.messages + rings);
}

static void check(uint64_t *seed)
{
    uint32_t flight[HWS_LIMIT_PATHS] = {0}, payload = 0, unacked = 0, rtx = 0;
    for (uint32_t i = model.cum; i < model.next; i++) {
        const struct model_chunk *c = &model.chunks[i];
        assert_int_equal(hws_outq_is_acked(&q, model.first + i), c->acked);
        unacked += c->len;
        rtx += c->rtx;
        if (c->acked || c->rtx)
            continue;
        flight[c->path] += c->size;
        payload += c->len;
    }
    assert_memory_equal(q.flight_bytes, flight, sizeof flight);
    assert_int_equal(q.flight_payload, payload);
    assert_int_equal(q.unacked_bytes, unacked);
    assert_int_equal(q.rtx_count, rtx);
    assert_int_equal(q.cum, model.first + model.cum - 1);
    assert_int_equal(hws_outq_count(&q), model.next - model.cum);
    check_marks(model.cum + random_below(seed, model.next - model.cum + 1));
    check_memory();
}

static void check_ack(void)
{
    assert_memory_equal(ack.acked_bytes, model.ack.acked_bytes, sizeof ack.acked_bytes);
    assert_int_equal(ack.new_paths, model.ack.new_paths);
    assert_int_equal(ack.cum_paths, model.ack.cum_paths);
    assert_int_equal(ack.lost_paths, model.ack.lost_paths);
    assert_int_equal(ack.lost_chunks, model.ack.lost_chunks);
    assert_int_equal(ack.freed_bytes, model.ack.freed_bytes);
    assert_int_equal(ack.cum_advanced, model.ack.cum_advanced);
}

/* What a receiver that got some more, and forgot some, would report. */
static uint16_t honest_gaps(uint64_t *seed, uint32_t cum, struct hws_gap *gaps)
{
    uint32_t base = model.cum + cum, forget = random_below(seed, 4) == 0 ? 20 : 100000;
    uint32_t arrives = 2 + random_below(seed, 20), left = model.next - base;
    uint16_t count = 0;
    bool open = false;
    for (uint32_t offset = 2; offset <= left && count < MAX_GAPS; offset++) {
        bool was = model.chunks[base + offset - 1].acked;
        bool now = was ? random_below(seed, forget) > 0 : random_below(seed, arrives) == 0;
        if (now && !open)
            gaps[count++].start = (uint16_t)offset;
        if (now)
            gaps[count - 1].end = (uint16_t)offset;
        open = now;
    }
    return count;
}

/* Blocks in any order, backwards, overlapping, of nothing, and beyond what was sent. */
static uint16_t hostile_gaps(uint64_t *seed, uint32_t cum, struct hws_gap *gaps)
{
    uint32_t left = model.next - model.cum - cum;
    uint16_t count = (uint16_t)(1 + random_below(seed, 5));
    for (uint16_t i = 0; i < count; i++) {
        gaps[i].start = (uint16_t)random_below(seed, left + 3);
        gaps[i].end = (uint16_t)(gaps[i].start + random_below(seed, 20));
        if (random_below(seed, 8) == 0)
            gaps[i].end = (uint16_t)random64(seed);
    }
    return count;
}

static void step_sack(uint64_t *seed)
{
    struct hws_gap gaps[MAX_GAPS];
    uint32_t left = model.next - model.cum;
    uint32_t cum = random_below(seed, 3) == 0 ? random_below(seed, left + 1) : 0;
    uint16_t count =
        random_below(seed, 4) == 0 ? hostile_gaps(seed, cum, gaps) : honest_gaps(seed, cum, gaps);
    bool in_recovery = random_below(seed, 2) == 0;
    packet_bytes = random_below(seed, 2) == 0 ? UINT32_MAX : 1 + random_below(seed, 5000);
    model_sack(cum, gaps, count, in_recovery);
    sack_gaps(cum, gaps, count, in_recovery);
    check_ack();
}

static void step_shutdown(uint64_t *seed)
{
    memset(&model.ack, 0, sizeof model.ack);
    model_cum(model.cum + random_below(seed, model.next - model.cum + 1));
    ack = (struct hws_outq_ack){0};
    hws_outq_ack_cum(&q, model.first + model.cum - 1, &ack);
    check_ack();
}

static void step_timeout(uint64_t *seed)
{
    uint8_t path = (uint8_t)random_below(seed, MODEL_PATHS);
    for (uint32_t i = model.cum; i < model.next; i++) {
        struct model_chunk *c = &model.chunks[i];
        if (c->path != path || c->acked || c->rtx)
            continue;
        c->rtx = true;
        c->fast = false;
    }
    hws_outq_timeout(&q, path);
}

static void step_resend(uint64_t *seed)
{
    uint32_t tsn, from = q.cum + 1;
    for (uint32_t i = random_below(seed, 10); i > 0 && hws_outq_next_rtx(&q, from, &tsn); i--) {
        struct model_chunk *c = &model.chunks[tsn - model.first];
        assert_true(c->rtx);
        c->rtx = false;
        c->misses = 0;
        c->path = (uint8_t)random_below(seed, MODEL_PATHS);
        hws_outq_resent(&q, tsn, c->path);
        from = tsn + random_below(seed, 3); /* some are passed over for now */
    }
}

static void step(uint64_t *seed, uint32_t window)
{
    uint32_t dice = random_below(seed, 40);
    if (dice == 0)
        step_timeout(seed);
    else if (dice == 1)
        step_shutdown(seed);
    else if (dice < 14)
        step_resend(seed);
    else if (dice < 26)
        step_sack(seed);
    else
        for (uint32_t i = random_below(seed, window / 2); i > 0; i--)
            if (model.next - model.cum < window)
                model_send(seed);
}

static void run_model(uint64_t seed, uint32_t first, uint32_t window)
{
    begin(first);
    memset(&model, 0, sizeof model);
    model.first = first;
    for (uint32_t i = 0; i < 2000 && model.next < MODEL_CHUNKS - window; i++) {
        step(&seed, window);
        check(&seed);
    }
    /* Fragments of the last message that were never sent have nobody else to let go of them. */
    for (; model.parts_left > 0; model.parts_left--)
        hws_msg_unref(&m.pool, model.msg);
    packet_bytes = UINT32_MAX;
    end();
}

static void random_use_agrees_with_model(void **state)
{
    (void)state;
    const uint32_t firsts[] = {1, 0, UINT32_MAX, UINT32_MAX - 63, UINT32_MAX - 700, 0x7fffff00};
    const uint32_t windows[] = {3, 40, 64, 65, 300, 1000};
    for (size_t f = 0; f < sizeof firsts / sizeof firsts[0]; f++)
        for (size_t w = 0; w < sizeof windows / sizeof windows[0]; w++)
            run_model(100 * f + w, firsts[f], windows[w]);
}

/* ---- Several paths ---- */

#define SIZE_100 (16u + 100u) /* of a DATA chunk with 100 bytes */

static void a_copy_is_in_flight_on_both_paths(void **state)
{
    (void)state;
    begin(500);
    send_chunks(1, 100, 0);
    hws_outq_copied(&q, 500, 3);
    assert_int_equal(q.flight_bytes[0], SIZE_100);
    assert_int_equal(q.flight_bytes[3], SIZE_100);
    assert_int_equal(q.flight_payload, 100);
    assert_int_equal(hws_outq_lowest(&q, 3, 500), 500);
    sack(1);
    assert_int_equal(ack.copy_paths, 1u << 0 | 1u << 3);
    assert_int_equal(ack.new_paths, 0);
    assert_int_equal(ack.acked_bytes[0] + ack.acked_bytes[3], 0);
    assert_int_equal(q.flight_bytes[0] + q.flight_bytes[3] + q.flight_payload, 0);
    end();
}

/* Taken back on one path it is still in flight on the other, and not to be sent again. */
static void the_last_copy_decides(void **state)
{
    (void)state;
    for (uint8_t first = 0; first < 3; first++) {
        begin(500);
        send_chunks(1, 100, 0);
        hws_outq_copied(&q, 500, 1);
        hws_outq_copied(&q, 500, 2);
        for (uint8_t i = 0; i < 3; i++) {
            uint8_t path = (uint8_t)((first + i) % 3);
            NONE_MARKED();
            assert_int_equal(q.flight_bytes[path], SIZE_100);
            hws_outq_timeout(&q, path);
            assert_int_equal(q.flight_bytes[path], 0);
        }
        MARKED(1);
        assert_int_equal(q.flight_payload, 0);
        hws_outq_resent(&q, 500, 1);
        sack(1);
        assert_int_equal(ack.new_paths, 1u << 1); /* of the retransmission alone */
        end();
    }
}

/* Where DATA is spread over paths, what overtakes on another path reports nothing missing. */
static void each_path_reports_its_own(void **state)
{
    (void)state;
    for (int split = 0; split < 2; split++) {
        begin(500);
        q.split = split != 0;
        send_chunks(1, 100, 0);
        send_chunks(3, 100, 1);
        sack_gap(0, 2, 2);
        sack_gap(0, 2, 3);
        sack_gap(0, 2, 4);
        assert_int_equal(q.rtx_count, split != 0 ? 0 : 1);
        send_chunks(3, 100, 0);
        sack_gap(0, 2, 5);
        sack_gap(0, 2, 6);
        sack_gap(0, 2, 7);
        MARKED(1);
        end();
    }
}

/* Missing on the path it left on first, it may still come on the other. */
static void missing_leaves_it_to_the_copy(void **state)
{
    (void)state;
    begin(500);
    q.split = true;
    send_chunks(1, 100, 0);
    hws_outq_copied(&q, 500, 1);
    send_chunks(3, 100, 0);
    packet_bytes = SIZE_100;
    sack_gap(0, 2, 4);
    packet_bytes = UINT32_MAX;
    NONE_MARKED();
    assert_int_equal(ack.lost_paths, 1u << 0);
    assert_int_equal(q.flight_bytes[0], 0);
    assert_int_equal(q.flight_bytes[1], SIZE_100);
    hws_outq_timeout(&q, 1);
    MARKED(1);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_sent),
        cmocka_unit_test(flight_is_counted_as_on_the_wire),
        cmocka_unit_test(a_message_waits_for_all_its_fragments),
        cmocka_unit_test(third_report_marks),
        cmocka_unit_test(a_batch_counts_its_packets),
        cmocka_unit_test(reports_without_news_do_not_count),
        cmocka_unit_test(chunks_above_the_highest_news_do_not_count),
        cmocka_unit_test(recovery_counts_every_gap),
        cmocka_unit_test(fast_retransmitted_once),
        cmocka_unit_test(timeout_marks_its_path),
        cmocka_unit_test(reneged_chunks_fly_again),
        cmocka_unit_test(cumulative_ack_of_shutdown),
        cmocka_unit_test(hostile_blocks_end_the_list),
        cmocka_unit_test(fini_starts_anew),
        cmocka_unit_test(no_memory_changes_nothing),
        cmocka_unit_test(the_window_is_bounded),
        cmocka_unit_test(random_use_agrees_with_model),
        cmocka_unit_test(a_copy_is_in_flight_on_both_paths),
        cmocka_unit_test(the_last_copy_decides),
        cmocka_unit_test(each_path_reports_its_own),
        cmocka_unit_test(missing_leaves_it_to_the_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
