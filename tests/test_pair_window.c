/* Stories of windows and acknowledgements: RFC 9260, sections 6.1, 6.2 and what belongs to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/pair.h"

#define SECOND 1000000u
/* User data of a full packet over IPv4 with an MTU of 1500. */
#define FULL_PACKET 1452u

/* ---- What is on the wire ---- */

static struct hws_data data_of(const struct pair_packet *packet, uint32_t index)
{
    struct hws_tlv chunk = pair_chunk(packet, index);
    struct hws_data data = {0};
    assert_int_equal(hws_chunk_type(&chunk), HWS_CHUNK_DATA);
    assert_true(hws_data_decode(&chunk, &data));
    return data;
}

static struct hws_sack sack_of(const struct pair_packet *packet)
{
    struct hws_tlv chunk = pair_chunk(packet, 0);
    struct hws_sack sack = {0};
    assert_int_equal(hws_chunk_type(&chunk), HWS_CHUNK_SACK);
    assert_true(hws_sack_decode(&chunk, &sack));
    return sack;
}

static void lose_all(struct pair *p)
{
    while (p->a.wire_head != NULL)
        free(pair_take(&p->a));
    while (p->b.wire_head != NULL)
        free(pair_take(&p->b));
}

static void send_full(struct pair *p, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        pair_send_pattern(&p->a, 0, 0, (uint8_t)i, FULL_PACKET);
}

/* ---- Forged chunks ---- */

static void give_sack(struct pair_end *end, uint32_t cum_tsn, uint32_t a_rwnd,
                      const struct hws_gap *gaps, uint32_t gap_count)
{
    uint8_t buf[200];
    struct hws_builder b;
    pair_forge(end, &b, buf, sizeof buf);
    assert_true(hws_sack_encode(&b, cum_tsn, a_rwnd, gaps, gap_count, NULL, 0));
    pair_inject(end, buf, hws_builder_finish(&b));
}

static void put_data(struct hws_builder *b, uint32_t tsn, uint16_t ssn, uint8_t flags, uint32_t len)
{
    struct hws_data data = {.tsn = tsn, .ssn = ssn, .flags = flags, .ppid = 7, .payload_len = len};
    uint8_t *payload = hws_data_encode(b, &data);
    assert_non_null(payload);
    memset(payload, (uint8_t)tsn, len);
}

static void give_data(struct pair_end *end, uint32_t tsn, uint16_t ssn, uint8_t flags, uint32_t len)
{
    uint8_t buf[2000];
    struct hws_builder b;
    pair_forge(end, &b, buf, sizeof buf);
    put_data(&b, tsn, ssn, flags, len);
    pair_inject(end, buf, hws_builder_finish(&b));
}

#define WHOLE (HWS_DATA_B | HWS_DATA_E)

/* a and b are up and b expects the TSN that is returned, with SSN 1 of stream 0. */
static uint32_t connect_to_forge(struct pair *p)
{
    pair_connect(p);
    pair_send(&p->a, 0, 0, "first", 5);
    uint32_t tsn = data_of(pair_first(&p->a), 0).tsn;
    pair_settle(p);
    pair_recv(&p->b, 0, "first", 5);
    pair_silent(p);
    return tsn + 1;
}

/* 6: nothing that is queued early leaves before the COOKIE ACK has come. */
static void data_waits_for_the_cookie_ack(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    pair_send(&p->a, 0, 0, "early", 5);
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT-ACK");
    struct pair_packet *echo = pair_take(&p->a);
    assert_string_equal(pair_chunks(echo), "COOKIE-ECHO");
    pair_silent(p);
    pair_send(&p->a, 0, 0, "later", 5);
    pair_silent(p);
    pair_wait(p, SECOND);
    pair_arrives(&p->a, "COOKIE-ECHO");
    pair_arrives(&p->b, "COOKIE-ACK");
    pair_arrives(&p->a, "DATA+DATA");
    free(echo);
    pair_free(p);
}

/* ---- The sender and the peer's window (6.1 A) ---- */

static void small_window(struct hws_params *a, struct hws_params *b)
{
    (void)a;
    b->rcvbuf_bytes = 8000;
}

/* 6.1 A: new data stops where the peer's window does. */
static void new_data_stops_at_the_window(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    pair_send(&p->a, 0, 0, "x", 1);
    uint32_t tsn = data_of(pair_first(&p->a), 0).tsn;
    lose_all(p);
    give_sack(&p->a, tsn, 2 * FULL_PACKET + 100, NULL, 0);
    send_full(p, 10);
    assert_true(pair_path(&p->a).cwnd > 2 * 1468);
    assert_int_equal(pair_status(&p->a).flight_bytes, 2 * FULL_PACKET);
    lose_all(p);
    /* One is through, and no room is left for more. */
    give_sack(&p->a, tsn + 1, FULL_PACKET, NULL, 0);
    pair_silent(p);
    give_sack(&p->a, tsn + 1, 2 * FULL_PACKET, NULL, 0);
    assert_int_equal(pair_status(&p->a).flight_bytes, 2 * FULL_PACKET);
    assert_int_equal(data_of(pair_first(&p->a), 0).tsn, tsn + 3);
    pair_free(p);
}

/* 6.1 A: however long the window stays closed, probes go on, ever more seldom, and count against
 * nobody as long as SACKs come; cwnd does not change. */
static void probes_of_a_closed_window_are_no_errors(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = small_window});
    pair_connect(p);
    for (uint8_t i = 0; i < 20; i++)
        pair_send_pattern(&p->a, 0, 0, i, 1000);
    pair_run(p, 5ull * SECOND);
    uint32_t cwnd = pair_path(&p->a).cwnd;
    uint64_t probes = pair_stats(&p->a)->window_probes, last_us = p->now_us, interval_us = 0;
    uint32_t seen = 0;
    for (uint64_t end_us = p->now_us + 3600ull * SECOND; p->now_us < end_us;) {
        pair_run(p, SECOND / 10);
        if (pair_stats(&p->a)->window_probes == probes)
            continue;
        uint64_t now_interval_us = p->now_us - last_us;
        if (seen++ > 1 && interval_us < 29ull * SECOND)
            assert_in_range(now_interval_us, interval_us * 19 / 10, interval_us * 21 / 10);
        if (seen > 1)
            interval_us = now_interval_us;
        last_us = p->now_us;
        probes = pair_stats(&p->a)->window_probes;
    }
    assert_true(seen > 50); /* RTO.Max is a minute */
    assert_int_equal(pair_path(&p->a).errors, 0);
    assert_int_equal(pair_path(&p->a).cwnd, cwnd);
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_drain(&p->b);
    pair_run(p, 120ull * SECOND);
    pair_drain(&p->b);
    pair_run(p, 120ull * SECOND);
    pair_drain(&p->b);
    assert_int_equal(pair_status(&p->a).unacked_bytes, 0);
    pair_free(p);
}

static void small_window_no_heartbeats(struct hws_params *a, struct hws_params *b)
{
    small_window(a, b);
    a->hb_interval_us = 0;
}

/* A probe was dropped, and T3 has been backed off to a minute: the window update that says there is
 * room lets it go at once. */
static void an_open_window_does_not_wait_for_t3(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = small_window_no_heartbeats});
    pair_connect(p);
    for (uint8_t i = 0; i < 8; i++)
        pair_send_pattern(&p->a, 0, 0, i, 1000);
    pair_send_pattern(&p->a, 0, 0, 8, 60); /* all of it is the probe */
    pair_run(p, 310ull * SECOND);
    assert_true(pair_stats(&p->a)->window_probes > 5);
    assert_true(pair_path(&p->a).rto_us > 30ull * SECOND);
    assert_true(pair_status(&p->a).unacked_chunks > 0);
    assert_int_equal(pair_drain(&p->b), 8000);
    pair_run(p, SECOND);
    assert_int_equal(pair_drain(&p->b), 60);
    assert_int_equal(pair_status(&p->a).unacked_bytes, 0);
    pair_free(p);
}

/* ... once: to a peer that says there is room, and does not take it, T3 is the pace again. */
static void room_that_is_none_is_believed_once(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    send_full(p, 3);
    uint32_t tsn = data_of(pair_first(&p->a), 0).tsn;
    send_full(p, 3);
    lose_all(p);
    uint32_t sent = pair_status(&p->a).flight_bytes / FULL_PACKET;
    give_sack(&p->a, tsn + sent - 1, 0, NULL, 0);
    pair_wait(p, SECOND);
    lose_all(p);
    give_sack(&p->a, tsn + sent - 1, 0, NULL, 0);
    pair_silent(p);
    give_sack(&p->a, tsn + sent - 1, 63, NULL, 0); /* not enough for what is in flight */
    pair_silent(p);
    give_sack(&p->a, tsn + sent - 1, 64, NULL, 0);
    assert_int_equal(data_of(pair_first(&p->a), 0).tsn, tsn + sent);
    lose_all(p);
    give_sack(&p->a, tsn + sent - 1, 64, NULL, 0);
    give_sack(&p->a, tsn + sent - 1, 64, NULL, 0);
    pair_silent(p);
    pair_free(p);
}

/* 6.1 A: a probe that nobody answers at all is an error like any other (8.1). */
static void probes_of_a_dead_peer_are_errors(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = small_window_no_heartbeats});
    pair_connect(p);
    for (uint8_t i = 0; i < 20; i++)
        pair_send_pattern(&p->a, 0, 0, i, 1000);
    pair_run(p, 5ull * SECOND);
    p->cut[0] = true;
    pair_run(p, 2000ull * SECOND);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(p->a.reason, HWS_E_TIMEDOUT);
    pair_free(p);
}

/* 6.1 A: a probe is one chunk and waits until nothing is in flight. */
static void one_probe_and_nothing_else(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    send_full(p, 20);
    uint32_t tsn = data_of(pair_first(&p->a), 0).tsn;
    lose_all(p);
    uint32_t sent = pair_status(&p->a).flight_bytes / FULL_PACKET;
    assert_true(sent > 1);
    give_sack(&p->a, tsn, 0, NULL, 0);
    pair_silent(p);
    give_sack(&p->a, tsn + sent - 1, 0, NULL, 0);
    pair_wait(p, 10ull * SECOND);
    assert_true(pair_stats(&p->a)->window_probes > 0);
    for (const struct pair_packet *q = pair_first(&p->a); q != NULL; q = q->next) {
        assert_string_equal(pair_chunks(q), "DATA");
        assert_int_equal(data_of(q, 0).tsn, tsn + sent);
    }
    pair_free(p);
}

/* 6.1 A: the first probe waits for one RTO, the second for two more; a window that opens meanwhile
 * is used at once. */
static void first_probe_after_one_rto(void **state)
{
    (void)state;
    for (int opens = 0; opens < 2; opens++) {
        struct pair *p = pair_new(NULL);
        pair_connect_and_talk(p);
        send_full(p, 3);
        uint32_t tsn = data_of(pair_first(&p->a), 0).tsn;
        lose_all(p);
        send_full(p, 3);
        lose_all(p);
        uint32_t sent = pair_status(&p->a).flight_bytes / FULL_PACKET;
        give_sack(&p->a, tsn + sent - 1, 0, NULL, 0);
        pair_wait(p, SECOND - 1);
        pair_silent(p);
        if (opens) {
            give_sack(&p->a, tsn + sent - 1, 100000, NULL, 0);
            assert_int_equal(data_of(pair_first(&p->a), 0).payload_len, FULL_PACKET);
            assert_int_equal(pair_stats(&p->a)->window_probes, 0);
            pair_free(p);
            continue;
        }
        pair_wait(p, 1);
        assert_int_equal(data_of(pair_first(&p->a), 0).tsn, tsn + sent);
        assert_true(data_of(pair_first(&p->a), 0).payload_len < FULL_PACKET);
        lose_all(p);
        give_sack(&p->a, tsn + sent - 1, 0, NULL, 0);
        pair_wait(p, SECOND - 1);
        pair_silent(p);
        pair_wait(p, 1);
        lose_all(p);
        give_sack(&p->a, tsn + sent - 1, 0, NULL, 0);
        pair_wait(p, 2 * SECOND - 1);
        pair_silent(p);
        pair_wait(p, 1);
        assert_int_equal(data_of(pair_first(&p->a), 0).tsn, tsn + sent);
        assert_int_equal(pair_path(&p->a).errors, 0);
        pair_free(p);
    }
}

/* 6.1 (sender's silly window avoidance): a little room is not used while data is in flight. */
static void a_little_room_is_not_used(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    pair_send_pattern(&p->a, 0, 0, 1, 2 * FULL_PACKET);
    uint32_t tsn = data_of(pair_first(&p->a), 0).tsn;
    pair_send_pattern(&p->a, 0, 0, 2, 10 * FULL_PACKET);
    lose_all(p);
    give_sack(&p->a, tsn, pair_status(&p->a).flight_bytes - FULL_PACKET + 200, NULL, 0);
    assert_int_equal(pair_status(&p->a).peer_rwnd, 200);
    pair_silent(p);
    give_sack(&p->a, tsn, pair_status(&p->a).flight_bytes + FULL_PACKET, NULL, 0);
    assert_int_equal(data_of(pair_first(&p->a), 0).payload_len, FULL_PACKET);
    pair_free(p);
}

/* ---- Acknowledgements that ride on data ---- */

/* 6.1, 6.9: where SACK and DATA do not fit one packet, there are two, none above the PMTU. */
static void sack_and_full_packet(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    for (uint32_t len = FULL_PACKET - 20; len <= FULL_PACKET; len += 4) {
        pair_send(&p->a, 0, 0, "q", 1);
        pair_arrives(&p->a, "DATA");
        pair_recv(&p->b, 0, "q", 1);
        pair_send_pattern(&p->b, 0, 0, 5, len);
        bool fits = len + HWS_DATA_HEADER_LEN + 16 <= 1468;
        assert_string_equal(pair_chunks(pair_first(&p->b)), fits ? "SACK+DATA" : "SACK");
        for (const struct pair_packet *q = p->b.wire_head; q != NULL; q = q->next) {
            assert_true(q->len <= 1480);
            assert_false(q->may_fragment);
        }
        pair_run(p, SECOND);
        pair_recv_pattern(&p->a, 0, 5, len);
    }
    pair_free(p);
}

/* 6.9, 6.10: a message that has to be cut anyway leaves room for the SACK in its first packet. */
static void sack_and_fragments(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    pair_send(&p->a, 0, 0, "q", 1);
    pair_arrives(&p->a, "DATA");
    pair_send_pattern(&p->b, 0, 0, 5, 2 * FULL_PACKET);
    assert_string_equal(pair_chunks(pair_first(&p->b)), "SACK+DATA");
    assert_int_equal(pair_first(&p->b)->len, 1480);
    assert_int_equal(data_of(pair_first(&p->b), 1).payload_len, FULL_PACKET - 16);
    pair_run(p, SECOND);
    pair_recv_pattern(&p->a, 0, 5, 2 * FULL_PACKET);
    pair_free(p);
}

/* ---- The receiver's window (6.2) ---- */

static void window_of_4096(struct hws_params *a, struct hws_params *b)
{
    (void)a;
    b->rcvbuf_bytes = 4096;
}

/* Fills b's buffer; the next TSN. */
static uint32_t fill_window(struct pair *p, uint32_t tsn)
{
    for (uint16_t i = 0; i < 4; i++)
        give_data(&p->b, tsn + i, (uint16_t)(1 + i), WHOLE, 1024);
    struct hws_sack sack = {0};
    while (p->b.wire_head != NULL) {
        sack = sack_of(pair_first(&p->b));
        free(pair_take(&p->b));
    }
    assert_int_equal(sack.a_rwnd, 0);
    assert_int_equal(sack.cum_tsn, tsn + 3);
    return tsn + 4;
}

/* 6.2: with a closed window what is new is dropped, and a SACK without it says so at once. */
static void closed_window_drops_what_is_new(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = window_of_4096});
    uint32_t tsn = fill_window(p, connect_to_forge(p));
    for (uint32_t ahead = 0; ahead < 3; ahead++) {
        give_data(&p->b, tsn + ahead, (uint16_t)(5 + ahead), WHOLE, 100);
        struct hws_sack sack = sack_of(pair_first(&p->b));
        assert_int_equal(sack.cum_tsn, tsn - 1);
        assert_int_equal(sack.gap_count, 0);
        assert_int_equal(sack.a_rwnd, 0);
        lose_all(p);
    }
    assert_int_equal(pair_stats(&p->b)->drop_data_window, 3);
    assert_int_equal(pair_drain(&p->b), 4096);
    pair_free(p);
}

/* 6.2: what fills a gap is taken even then, so that what waits behind the gap can be delivered. */
static void closed_window_takes_what_fills_a_gap(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = window_of_4096});
    uint32_t tsn = connect_to_forge(p);
    static const uint16_t beyond[] = {1, 3, 4, 5};
    for (uint16_t i = 0; i < 4; i++)
        give_data(&p->b, tsn + beyond[i], (uint16_t)(1 + beyond[i]), WHOLE, 1024);
    lose_all(p);
    pair_recv_nothing(&p->b);
    give_data(&p->b, tsn + 2, 3, WHOLE, 1024);
    assert_int_equal(sack_of(pair_first(&p->b)).gap_count, 1);
    lose_all(p);
    give_data(&p->b, tsn, 1, WHOLE, 1024);
    assert_int_equal(sack_of(pair_first(&p->b)).cum_tsn, tsn + 5);
    assert_int_equal(pair_drain(&p->b), 6 * 1024);
    pair_free(p);
}

/* 6.2 (receiver's silly window avoidance): less room than a packet is advertised as none. */
static void a_little_room_is_not_advertised(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = window_of_4096});
    uint32_t tsn = fill_window(p, connect_to_forge(p));
    uint8_t buf[500];
    size_t len;
    struct hws_rcvinfo info;
    assert_int_equal(
        hws_assoc_recv(p->b.engine, p->b.assoc, buf, sizeof buf, &len, &info, p->now_us), HWS_OK);
    give_data(&p->b, tsn - 1, 4, WHOLE, 1024); /* a duplicate: asks for a SACK */
    assert_int_equal(sack_of(pair_first(&p->b)).a_rwnd, 0);
    pair_free(p);
}

/* 6.2: room that the application makes is told once it is a quarter of the buffer, not before, and
 * not with every byte. */
static void window_updates_are_few(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = window_of_4096});
    (void)fill_window(p, connect_to_forge(p));
    for (uint32_t i = 1; i <= 4096; i++) {
        uint8_t byte;
        size_t len;
        struct hws_rcvinfo info;
        assert_int_equal(hws_assoc_recv(p->b.engine, p->b.assoc, &byte, 1, &len, &info, p->now_us),
                         HWS_OK);
        pair_pull(p);
        if (i % 1024 != 0) {
            assert_null(p->b.wire_head);
            continue;
        }
        assert_int_equal(sack_of(pair_first(&p->b)).a_rwnd, i);
        lose_all(p);
    }
    pair_free(p);
}

/* 6.2: fragments that wait for the rest of their message keep their place in the window. */
static void held_fragments_keep_the_window(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    uint32_t tsn = connect_to_forge(p);
    uint32_t rwnd = pair_status(&p->b).rwnd + 5; /* the message read since */
    give_data(&p->b, tsn, 1, HWS_DATA_B, 1000);
    give_data(&p->b, tsn + 1, 1, 0, 1000);
    give_data(&p->b, tsn + 3, 1, HWS_DATA_E, 1000);
    struct hws_sack sack = {0};
    while (p->b.wire_head != NULL) {
        sack = sack_of(pair_first(&p->b));
        free(pair_take(&p->b));
    }
    assert_int_equal(sack.gap_count, 1);
    assert_int_equal(sack.a_rwnd, rwnd - 3000);
    give_data(&p->b, tsn + 2, 1, 0, 1000);
    assert_int_equal(sack_of(pair_first(&p->b)).a_rwnd, rwnd - 4000);
    lose_all(p);
    assert_int_equal(pair_drain(&p->b), 4000);
    give_data(&p->b, tsn + 4, 2, WHOLE | HWS_DATA_I, 10);
    assert_int_equal(sack_of(pair_first(&p->b)).a_rwnd, rwnd - 10);
    pair_free(p);
}

/* 6.2: what is dropped because memory has an end is in no further SACK until it comes again, lies
 * beyond the cumulative TSN, and gives its room back. */
static void reneged_chunks_leave_the_sack(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = window_of_4096});
    uint32_t tsn = connect_to_forge(p);
    /* One byte each, so that the memory behind them reaches its limit before the window closes. */
    for (uint16_t i = 1; i < 1000 && pair_stats(&p->b)->drop_data_window == 0; i++)
        give_data(&p->b, tsn + i, (uint16_t)(1 + i), WHOLE, 1);
    assert_true(pair_stats(&p->b)->drop_data_window > 0);
    lose_all(p);
    give_data(&p->b, tsn, 1, WHOLE, 10);
    assert_int_equal(pair_stats(&p->b)->reneged, 1);
    struct hws_sack sack = sack_of(pair_first(&p->b));
    assert_int_equal(sack.cum_tsn, tsn);
    assert_int_equal(sack.gap_count, 0);
    assert_int_equal(sack.a_rwnd, 4096 - 10);
    lose_all(p);
    give_data(&p->b, tsn + 2, 3, WHOLE, 1);
    sack = sack_of(pair_first(&p->b));
    assert_int_equal(sack.gap_count, 1);
    assert_int_equal(hws_sack_gap(&sack, 0).start, 2);
    assert_int_equal(hws_sack_gap(&sack, 0).end, 2);
    pair_free(p);
}

/* ---- When a SACK is sent (6.2) ---- */

/* 6.2: one packet causes one SACK, however many chunks, new and old, it carries. */
static void a_packet_causes_one_sack(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    uint32_t tsn = connect_to_forge(p);
    uint8_t buf[1480];
    struct hws_builder b;
    pair_forge(&p->b, &b, buf, sizeof buf);
    for (uint16_t i = 0; i < 10; i++)
        put_data(&b, tsn + 2u * (i / 2), (uint16_t)(1 + 2 * (i / 2)), WHOLE | HWS_DATA_I, 10);
    pair_inject(&p->b, buf, hws_builder_finish(&b));
    struct hws_sack sack = sack_of(pair_first(&p->b));
    assert_int_equal(sack.cum_tsn, tsn);
    assert_int_equal(sack.gap_count, 4);
    assert_int_equal(sack.dup_count, 5);
    free(pair_take(&p->b));
    pair_silent(p);
    pair_wait(p, SECOND);
    pair_silent(p);
    pair_free(p);
}

/* 6.2: a packet with nothing but duplicates is answered without delay. */
static void duplicate_is_acknowledged_at_once(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    uint32_t tsn = connect_to_forge(p);
    give_data(&p->b, tsn, 1, WHOLE, 10);
    pair_wait(p, SECOND);
    lose_all(p); /* it has been acknowledged, after the delay */
    give_data(&p->b, tsn, 1, WHOLE, 10);
    struct hws_sack sack = sack_of(pair_first(&p->b));
    assert_int_equal(sack.cum_tsn, tsn);
    assert_int_equal(sack.dup_count, 1);
    assert_int_equal(hws_sack_dup(&sack, 0), tsn);
    pair_free(p);
}

/* 6.7, 7.2.4: while there is a hole every packet with data is answered at once; the one that fills
 * it, too; after that the delay is back. */
static void holes_are_reported_at_once(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    uint32_t tsn = connect_to_forge(p);
    for (uint16_t i = 1; i < 6; i++) {
        give_data(&p->b, tsn + i, (uint16_t)(1 + i), WHOLE, 10);
        struct hws_sack sack = sack_of(pair_first(&p->b));
        assert_int_equal(sack.cum_tsn, tsn - 1);
        assert_int_equal(sack.gap_count, 1);
        free(pair_take(&p->b));
        pair_silent(p);
    }
    give_data(&p->b, tsn, 1, WHOLE, 10);
    assert_int_equal(sack_of(pair_first(&p->b)).cum_tsn, tsn + 5);
    lose_all(p);
    give_data(&p->b, tsn + 6, 7, WHOLE, 10);
    pair_silent(p);
    pair_free(p);
}

/* 6.2: after our SHUTDOWN, too, data that came out of order is acknowledged by a SACK, since a
 * SHUTDOWN has no Gap Ack Blocks. */
static void gaps_after_shutdown_are_in_a_sack(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    pair_send_pattern(&p->b, 0, 0, 1, 3 * FULL_PACKET);
    pair_shutdown(&p->a);
    pair_arrives(&p->a, "SHUTDOWN");
    uint32_t tsn = data_of(pair_first(&p->b), 0).tsn;
    pair_lost(&p->b, "DATA");
    pair_arrives(&p->b, "DATA");
    struct hws_sack sack = sack_of(pair_first(&p->a));
    assert_int_equal(sack.cum_tsn, tsn - 1);
    assert_int_equal(sack.gap_count, 1);
    pair_run(p, 5ull * SECOND);
    pair_recv_pattern(&p->a, 0, 1, 3 * FULL_PACKET);
    pair_free(p);
}

/* 6.2: SACK.Delay can be lowered and cannot be more than 500 ms. */
static void sack_delay_is_bounded(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct hws_params params;
    hws_params_default(&params);
    hws_endpoint_id id;
    struct hws_endpoint_config config = {.port = 7777, .params = &params};
    params.sack_delay_us = 500001;
    assert_int_equal(hws_endpoint_new(p->a.engine, &config, &id), HWS_E_INVAL);
    params.sack_delay_us = 500000;
    assert_int_equal(hws_endpoint_new(p->a.engine, &config, &id), HWS_OK);
    pair_connect(p);
    params.sack_delay_us = 500001;
    assert_int_equal(hws_endpoint_set_params(p->a.engine, id, &params), HWS_E_INVAL);
    assert_int_equal(hws_assoc_set_params(p->a.engine, p->a.assoc, &params, p->now_us),
                     HWS_E_INVAL);
    params.sack_delay_us = 50000;
    assert_int_equal(hws_endpoint_set_params(p->a.engine, id, &params), HWS_OK);
    assert_int_equal(hws_assoc_set_params(p->a.engine, p->a.assoc, &params, p->now_us), HWS_OK);
    pair_free(p);
}

/* ---- What comes in a packet ---- */

/* 6.10: chunks take effect in their order: what follows an ABORT is of no association any more. */
static void chunks_are_taken_in_order(void **state)
{
    (void)state;
    for (int abort_first = 0; abort_first < 2; abort_first++) {
        struct pair *p = pair_new(NULL);
        uint32_t tsn = connect_to_forge(p);
        uint8_t buf[200];
        struct hws_builder b;
        pair_forge(&p->b, &b, buf, sizeof buf);
        if (abort_first)
            assert_true(hws_chunk_put(&b, HWS_CHUNK_ABORT, 0, NULL, 0));
        put_data(&b, tsn, 1, WHOLE, 10);
        if (!abort_first)
            assert_true(hws_chunk_put(&b, HWS_CHUNK_ABORT, 0, NULL, 0));
        pair_inject(&p->b, buf, hws_builder_finish(&b));
        assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
        assert_int_equal(pair_drain(&p->b), abort_first ? 0 : 10);
        pair_free(p);
    }
}

/* 6.6: the SSN of an unordered message says nothing, not even for telling fragments apart. */
static void unordered_ssn_is_ignored(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    uint32_t tsn = connect_to_forge(p);
    give_data(&p->b, tsn, 4711, WHOLE | HWS_DATA_U, 10);
    assert_int_equal(pair_drain(&p->b), 10);
    give_data(&p->b, tsn + 1, 1, HWS_DATA_B | HWS_DATA_U, 10);
    give_data(&p->b, tsn + 2, 999, HWS_DATA_U, 10);
    give_data(&p->b, tsn + 3, 0, HWS_DATA_E | HWS_DATA_U, 10);
    assert_int_equal(pair_drain(&p->b), 30);
    give_data(&p->b, tsn + 4, 1, WHOLE, 10); /* the ordered ones have not moved */
    assert_int_equal(pair_drain(&p->b), 10);
    pair_free(p);
}

/* 6: a SACK or DATA with a tag of nobody is out of the blue (8.4). */
static void out_of_the_blue(void **state)
{
    (void)state;
    for (int sack = 0; sack < 2; sack++) {
        struct pair *p = pair_new(NULL);
        uint8_t buf[200];
        struct hws_builder b;
        hws_builder_init(&b, buf, sizeof buf, PAIR_PORT_A, PAIR_PORT_B, 4711);
        if (sack)
            assert_true(hws_sack_encode(&b, 1, 1000, NULL, 0, NULL, 0));
        else
            put_data(&b, 1, 0, WHOLE, 10);
        pair_inject(&p->b, buf, hws_builder_finish(&b));
        struct pair_packet *answer = pair_take(&p->b);
        assert_string_equal(pair_chunks(answer), "ABORT");
        assert_int_equal(hws_get32(answer->data + 4), 4711);
        free(answer);
        pair_silent(p);
        pair_free(p);
    }
}

/* 6.2, 6.5: no message without data, none on a stream that is not there. */
static void send_refuses_what_has_no_chunk(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    struct hws_iovec none = {"", 0}, one = {"x", 1};
    struct hws_sndinfo info = {0};
    assert_int_equal(hws_assoc_send(p->a.engine, p->a.assoc, &info, &none, 1, p->now_us),
                     HWS_E_INVAL);
    info.sid = pair_status(&p->a).ostreams;
    assert_int_equal(hws_assoc_send(p->a.engine, p->a.assoc, &info, &one, 1, p->now_us),
                     HWS_E_INVAL);
    pair_silent(p);
    pair_free(p);
}

/* 6.2, 6.7: a SACK has as many Gap Ack Blocks as its packet can hold, the lowest; more gaps make no
 * second SACK. */
static void every_gap_that_fits(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    uint32_t tsn = connect_to_forge(p);
    for (uint16_t i = 1; i <= 500; i++) {
        lose_all(p);
        give_data(&p->b, tsn + 2u * i, i, WHOLE | HWS_DATA_U, 1);
    }
    struct hws_sack sack = sack_of(pair_first(&p->b));
    assert_int_equal(pair_first(&p->b)->len, 1480);
    assert_int_equal(sack.gap_count, (1480 - 12 - 16) / 4);
    for (uint16_t i = 0; i < sack.gap_count; i++) {
        assert_int_equal(hws_sack_gap(&sack, i).start, 3 + 2 * i);
        assert_int_equal(hws_sack_gap(&sack, i).end, 3 + 2 * i);
    }
    free(pair_take(&p->b));
    pair_silent(p);
    pair_free(p);
}

static void two_streams(struct hws_params *a, struct hws_params *b)
{
    (void)a;
    b->max_instreams = 2;
}

/* 6.5: what was queued for a stream that the peer turns out not to have is never sent. */
static void no_data_on_streams_the_peer_has_not(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = two_streams});
    pair_begin(&p->a);
    pair_send(&p->a, 5, 0, "nowhere", 7);
    pair_send(&p->a, 1, 0, "there", 5);
    pair_run(p, SECOND);
    assert_int_equal(pair_status(&p->a).ostreams, 2);
    assert_int_equal(pair_stats(&p->b)->drop_data_invalid, 0);
    pair_recv(&p->b, 1, "there", 5);
    pair_recv_nothing(&p->b);
    assert_int_equal(pair_status(&p->a).unacked_bytes, 0);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_waits_for_the_cookie_ack),
        cmocka_unit_test(new_data_stops_at_the_window),
        cmocka_unit_test(probes_of_a_closed_window_are_no_errors),
        cmocka_unit_test(an_open_window_does_not_wait_for_t3),
        cmocka_unit_test(room_that_is_none_is_believed_once),
        cmocka_unit_test(probes_of_a_dead_peer_are_errors),
        cmocka_unit_test(one_probe_and_nothing_else),
        cmocka_unit_test(first_probe_after_one_rto),
        cmocka_unit_test(a_little_room_is_not_used),
        cmocka_unit_test(sack_and_full_packet),
        cmocka_unit_test(sack_and_fragments),
        cmocka_unit_test(closed_window_drops_what_is_new),
        cmocka_unit_test(closed_window_takes_what_fills_a_gap),
        cmocka_unit_test(a_little_room_is_not_advertised),
        cmocka_unit_test(window_updates_are_few),
        cmocka_unit_test(held_fragments_keep_the_window),
        cmocka_unit_test(reneged_chunks_leave_the_sack),
        cmocka_unit_test(a_packet_causes_one_sack),
        cmocka_unit_test(duplicate_is_acknowledged_at_once),
        cmocka_unit_test(holes_are_reported_at_once),
        cmocka_unit_test(gaps_after_shutdown_are_in_a_sack),
        cmocka_unit_test(sack_delay_is_bounded),
        cmocka_unit_test(chunks_are_taken_in_order),
        cmocka_unit_test(unordered_ssn_is_ignored),
        cmocka_unit_test(out_of_the_blue),
        cmocka_unit_test(send_refuses_what_has_no_chunk),
        cmocka_unit_test(every_gap_that_fits),
        cmocka_unit_test(no_data_on_streams_the_peer_has_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
