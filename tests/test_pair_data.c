/* Stories of data: RFC 9260, sections 6 and 7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/pair.h"

#define SECOND 1000000u
/* User data of a full packet over IPv4 with an MTU of 1500. */
#define FULL_PACKET 1452u

static struct hws_data decode_data(const struct pair_packet *packet)
{
    struct hws_tlv chunk = pair_chunk(packet, 0);
    struct hws_data data = {0};
    assert_int_equal(hws_chunk_type(&chunk), HWS_CHUNK_DATA);
    assert_true(hws_data_decode(&chunk, &data));
    return data;
}

static struct hws_sack decode_sack(const struct pair_packet *packet)
{
    struct hws_tlv chunk = pair_chunk(packet, 0);
    struct hws_sack sack = {0};
    assert_int_equal(hws_chunk_type(&chunk), HWS_CHUNK_SACK);
    assert_true(hws_sack_decode(&chunk, &sack));
    return sack;
}

/* Opens a's congestion window so that many packets can be on the wire at once. */
static void grow_cwnd(struct pair *p)
{
    for (int i = 0; i < 10; i++) {
        pair_send_pattern(&p->a, 0, 0, 1, 20 * FULL_PACKET);
        pair_run(p, SECOND);
        pair_recv_pattern(&p->b, 0, 1, 20 * FULL_PACKET);
    }
    assert_true(pair_path(&p->a).cwnd > 12 * 1500);
    pair_silent(p);
}

static void send_packets(struct pair *p, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        pair_send_pattern(&p->a, 0, 0, (uint8_t)i, FULL_PACKET);
}

static void data_both_ways(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send(&p->a, 1, 0, "ping", 4);
    pair_arrives(&p->a, "DATA");
    assert_true(pair_saw(&p->b, HWS_EVENT_READABLE));
    pair_recv(&p->b, 1, "ping", 4);
    pair_recv_nothing(&p->b);
    pair_send(&p->b, 2, 0, "pong", 4);
    pair_settle(p);
    pair_recv(&p->a, 2, "pong", 4);
    pair_run(p, SECOND);
    assert_int_equal(pair_status(&p->a).unacked_bytes, 0);
    assert_true(pair_saw(&p->a, HWS_EVENT_DRY));
    assert_false(pair_status(&p->a).timer_armed);
    pair_free(p);
}

static void big_buffers(struct hws_params *a, struct hws_params *b)
{
    a->sndbuf_bytes = a->sndbuf_max_bytes = 1000;
    b->rcvbuf_bytes = 1u << 20;
}

/* A message far larger than both buffers passes in parts (6.9). */
static void sixteen_mebibytes(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = big_buffers});
    const size_t len = 16u << 20;
    uint8_t *sent = malloc(len), *got = malloc(len);
    assert_non_null(sent);
    assert_non_null(got);
    for (size_t i = 0; i < len; i++)
        sent[i] = (uint8_t)(i * 7 + (i >> 11));
    pair_connect(p);
    pair_send(&p->a, 0, 0, sent, len);
    size_t at = 0;
    struct hws_rcvinfo info = {0};
    for (int idle = 0; at < len && idle < 1000; idle++) {
        size_t part = 0;
        while (hws_assoc_recv(p->b.engine, p->b.assoc, got + at, len - at, &part, &info,
                              p->now_us) == HWS_OK) {
            at += part;
            idle = 0;
            assert_int_equal((info.flags & HWS_RECV_EOR) != 0, at == len);
        }
        pair_run(p, 10000);
    }
    assert_int_equal(at, len);
    assert_memory_equal(sent, got, len);
    free(sent);
    free(got);
    pair_free(p);
}

/* Every size around the packet's edges. */
static void sizes_around_the_mtu(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    for (uint32_t len = FULL_PACKET - 6; len <= FULL_PACKET + 6; len++) {
        pair_send_pattern(&p->a, 0, 0, (uint8_t)len, len);
        pair_run(p, SECOND);
        pair_recv_pattern(&p->b, 0, (uint8_t)len, len);
    }
    assert_int_equal(pair_stats(&p->a)->retransmits, 0);
    pair_free(p);
}

/* A full packet fills the MTU exactly. */
static void packets_are_full(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send_pattern(&p->a, 0, 0, 3, 3 * FULL_PACKET);
    assert_int_equal(pair_first(&p->a)->len, 1480);
    pair_settle(p);
    pair_recv_pattern(&p->b, 0, 3, 3 * FULL_PACKET);
    pair_free(p);
}

static void at_once(struct hws_params *a, struct hws_params *b)
{
    a->nodelay = b->nodelay = true;
}

/* 6.6: a hole in one stream does not hold another one. */
static void streams_do_not_wait_for_each_other(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = at_once});
    pair_connect(p);
    pair_send(&p->a, 1, 0, "one", 3);
    pair_lost(&p->a, "DATA");
    pair_send(&p->a, 1, 0, "two", 3);
    pair_send(&p->a, 2, 0, "other", 5);
    pair_settle(p);
    pair_recv(&p->b, 2, "other", 5);
    pair_recv_nothing(&p->b);
    pair_run(p, 5ull * SECOND);
    pair_recv(&p->b, 1, "one", 3);
    pair_recv(&p->b, 1, "two", 3);
    pair_free(p);
}

static void unordered_overtakes(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = at_once});
    pair_connect(p);
    pair_send(&p->a, 1, 0, "first", 5);
    pair_lost(&p->a, "DATA");
    pair_send(&p->a, 1, 0, "second", 6);
    pair_send(&p->a, 1, HWS_SEND_UNORDERED, "urgent", 6);
    pair_settle(p);
    pair_recv(&p->b, 1, "urgent", 6);
    pair_recv_nothing(&p->b);
    pair_run(p, 5ull * SECOND);
    pair_recv(&p->b, 1, "first", 5);
    pair_recv(&p->b, 1, "second", 6);
    pair_free(p);
}

/* 5.1, 6: the first DATA of an association is acknowledged at once, even if alone. */
static void first_data_is_acknowledged(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send(&p->a, 0, 0, "first", 5);
    pair_arrives(&p->a, "DATA");
    pair_arrives(&p->b, "SACK");
    pair_free(p);
}

/* 6.2: one packet waits for the timer, two are acknowledged at once, the I bit does not wait. */
static void acknowledgement_is_delayed(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    pair_send(&p->a, 0, 0, "one", 3);
    pair_arrives(&p->a, "DATA");
    pair_silent(p);
    pair_wait(p, 199999);
    pair_silent(p);
    pair_wait(p, 1);
    pair_arrives(&p->b, "SACK");
    send_packets(p, 2);
    pair_arrives(&p->a, "DATA");
    assert_null(p->b.wire_head);
    pair_arrives(&p->a, "DATA");
    pair_arrives(&p->b, "SACK");
    pair_send(&p->a, 0, HWS_SEND_SACK_IMMEDIATELY, "now", 3);
    pair_arrives(&p->a, "DATA");
    pair_arrives(&p->b, "SACK");
    pair_free(p);
}

/* 6.1: an acknowledgement rides on data. */
static void sack_is_bundled(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    pair_send(&p->a, 0, 0, "question", 8);
    pair_arrives(&p->a, "DATA");
    pair_send(&p->b, 0, 0, "answer", 6);
    pair_arrives(&p->b, "SACK+DATA");
    assert_int_equal(pair_status(&p->a).unacked_bytes, 0);
    pair_free(p);
}

/* 6.1: what waits goes together in one packet. */
static void small_messages_are_bundled(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    pair_send(&p->a, 0, 0, "in flight", 9);
    pair_send(&p->a, 1, 0, "b", 1);
    pair_send(&p->a, 2, 0, "c", 1);
    pair_send(&p->a, 3, 0, "d", 1);
    pair_arrives(&p->a, "DATA");
    pair_silent(p); /* Nagle's rule: something is in flight */
    pair_wait(p, 200000);
    pair_arrives(&p->b, "SACK");
    pair_arrives(&p->a, "DATA+DATA+DATA");
    pair_recv(&p->b, 0, "in flight", 9);
    pair_recv(&p->b, 1, "b", 1);
    pair_recv(&p->b, 2, "c", 1);
    pair_recv(&p->b, 3, "d", 1);
    pair_free(p);
}

/* 6.7, 6.2.1, 7.2.4: gaps are reported at once, and the third report brings the packet again. */
static void fast_retransmit(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    grow_cwnd(p);
    send_packets(p, 6);
    uint32_t cwnd = pair_path(&p->a).cwnd;
    struct hws_data lost = decode_data(pair_first(&p->a));
    uint32_t lost_tsn = lost.tsn;
    pair_lost(&p->a, "DATA");
    for (uint16_t report = 1; report <= 3; report++) {
        pair_arrives(&p->a, "DATA");
        struct hws_sack sack = decode_sack(pair_first(&p->b));
        assert_int_equal(sack.cum_tsn, lost_tsn - 1);
        assert_int_equal(sack.gap_count, 1);
        assert_int_equal(hws_sack_gap(&sack, 0).start, 2);
        assert_int_equal(hws_sack_gap(&sack, 0).end, 1 + report);
        assert_int_equal(pair_stats(&p->a)->fast_retransmits, 0);
        pair_arrives(&p->b, "SACK");
    }
    assert_int_equal(pair_stats(&p->a)->fast_retransmits, 1);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 0);
    assert_true(pair_path(&p->a).cwnd <= cwnd / 2 + 1500);
    /* It takes its time, which must not be taken for a round trip (6.3.1 C5). */
    uint32_t srtt_us = pair_path(&p->a).srtt_us;
    pair_wait(p, SECOND / 2);
    pair_settle(p);
    assert_true(pair_path(&p->a).srtt_us <= srtt_us);
    pair_run(p, SECOND);
    for (uint8_t i = 0; i < 6; i++)
        pair_recv_pattern(&p->b, 0, i, FULL_PACKET);
    assert_int_equal(pair_stats(&p->a)->retransmits, 1);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 0);
    pair_free(p);
}

/* 6.3.3, 7.2.3: the timer brings it again, RTO doubles, cwnd falls to one packet. */
static void retransmission_timer(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    grow_cwnd(p);
    uint32_t rto_us = pair_path(&p->a).rto_us;
    assert_int_equal(rto_us, SECOND);
    send_packets(p, 3);
    for (int i = 0; i < 3; i++)
        pair_lost(&p->a, "DATA");
    assert_true(pair_status(&p->a).timer_armed);
    pair_wait(p, rto_us - 1);
    pair_silent(p);
    pair_wait(p, 1);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 1);
    assert_int_equal(pair_path(&p->a).rto_us, 2 * SECOND);
    assert_true(pair_path(&p->a).cwnd <= 1500);
    pair_lost(&p->a, "DATA");
    pair_silent(p);
    pair_wait(p, 2ull * SECOND);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 2);
    assert_int_equal(pair_path(&p->a).rto_us, 4 * SECOND);
    pair_settle(p);
    pair_run(p, SECOND);
    for (uint8_t i = 0; i < 3; i++)
        pair_recv_pattern(&p->b, 0, i, FULL_PACKET);
    assert_int_equal(pair_path(&p->a).errors, 0);
    pair_free(p);
}

/* 6.2: a TSN that comes twice is reported. */
static void duplicates_are_reported(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    pair_send(&p->a, 0, 0, "twice", 5);
    struct pair_packet *data = pair_take(&p->a);
    uint32_t tsn = decode_data(data).tsn;
    pair_inject(&p->b, data->data, data->len);
    pair_inject(&p->b, data->data, data->len);
    struct hws_sack sack = decode_sack(pair_first(&p->b));
    assert_int_equal(sack.dup_count, 1);
    assert_int_equal(hws_sack_dup(&sack, 0), tsn);
    assert_int_equal(sack.cum_tsn, tsn);
    pair_recv(&p->b, 0, "twice", 5);
    pair_recv_nothing(&p->b);
    assert_int_equal(pair_stats(&p->b)->duplicates_in, 1);
    free(data);
    pair_free(p);
}

static void small_window(struct hws_params *a, struct hws_params *b)
{
    (void)a;
    b->rcvbuf_bytes = 8000;
}

/* 6.1 A, 6.2: the window closes, is probed, and opens again with an update. */
static void window_closes_and_opens(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = small_window});
    pair_connect(p);
    for (uint8_t i = 0; i < 40; i++)
        pair_send_pattern(&p->a, 0, 0, i, 1000);
    pair_run(p, 100ull * SECOND);
    assert_true(pair_status(&p->b).charged_bytes <= 2 * 8000);
    assert_true(pair_status(&p->a).unacked_bytes > 20000);
    assert_true(pair_stats(&p->a)->window_probes > 2);
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    uint64_t sacks = pair_stats(&p->b)->sacks_out;
    pair_recv_pattern(&p->b, 0, 0, 1000);
    for (uint8_t i = 1; i < 5; i++)
        pair_recv_pattern(&p->b, 0, i, 1000);
    assert_true(pair_stats(&p->b)->sacks_out > sacks);
    for (uint8_t i = 5; i < 40; i++) {
        pair_run(p, 70ull * SECOND);
        pair_recv_pattern(&p->b, 0, i, 1000);
    }
    pair_run(p, SECOND);
    assert_int_equal(pair_status(&p->a).unacked_bytes, 0);
    pair_free(p);
}

static void tiny_send_buffer(struct hws_params *a, struct hws_params *b)
{
    (void)b;
    a->sndbuf_bytes = a->sndbuf_max_bytes = 3000;
}

static void send_says_again(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = tiny_send_buffer});
    pair_connect(p);
    pair_saw(&p->a, HWS_EVENT_WRITABLE);
    struct hws_sndinfo info = {.ppid = 7};
    struct hws_iovec iov = {"0123456789", 10};
    int error;
    uint32_t accepted = 0;
    while ((error = hws_assoc_send(p->a.engine, p->a.assoc, &info, &iov, 1, p->now_us)) == HWS_OK)
        accepted++;
    assert_int_equal(error, HWS_E_AGAIN);
    assert_in_range(accepted, 40, 75); /* each costs its header, too */
    assert_false(pair_saw(&p->a, HWS_EVENT_WRITABLE));
    pair_run(p, 5ull * SECOND);
    assert_true(pair_saw(&p->a, HWS_EVENT_WRITABLE));
    assert_int_equal(pair_drain(&p->b), 10 * accepted);
    pair_free(p);
}

static void with_tail_probe(struct hws_params *a, struct hws_params *b)
{
    a->tail_probe = b->tail_probe = true;
}

/* RFC 8985, 7: a lost SACK, and the loss of the last packet, cost two round trips and not an RTO.
 */
static void tail_is_probed(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = with_tail_probe});
    pair_connect(p);
    send_packets(p, 2);
    pair_settle(p); /* a round trip is measured */
    send_packets(p, 2);
    pair_arrives(&p->a, "DATA");
    pair_arrives(&p->a, "DATA");
    pair_lost(&p->b, "SACK");
    pair_wait(p, 20000);
    assert_int_equal(pair_stats(&p->a)->tail_probes, 1);
    pair_settle(p);
    assert_int_equal(pair_status(&p->a).unacked_bytes, 0);
    send_packets(p, 1);
    pair_lost(&p->a, "DATA");
    pair_wait(p, 220000);
    pair_settle(p);
    assert_int_equal(pair_status(&p->a).unacked_bytes, 0);
    assert_int_equal(pair_stats(&p->a)->tail_probes, 2);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 0);
    pair_free(p);
}

/* What was sent too large for the new MTU may be fragmented by IP; what is new is not (8). */
static void mtu_shrinks(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    grow_cwnd(p);
    send_packets(p, 4);
    struct pair_packet *first = pair_first(&p->a);
    struct hws_net_event event = {.kind = HWS_NET_TOO_BIG,
                                  .local = p->a.addr,
                                  .remote = p->b.addr,
                                  .mtu = 1000,
                                  .quoted = first->data,
                                  .quoted_len = 64};
    hws_engine_net_event(p->a.engine, &event, p->now_us);
    while (p->a.wire_head != NULL)
        free(pair_take(&p->a));
    assert_int_equal(pair_path(&p->a).mtu, 1000);
    pair_pull(p);
    pair_send_pattern(&p->a, 0, 0, 99, 10000);
    pair_wait(p, SECOND);
    while (pair_stats(&p->b)->messages_in < 5 + 10) {
        pair_pull(p);
        for (const struct pair_packet *q = p->a.wire_head; q != NULL; q = q->next)
            assert_true(q->len <= 980 || q->may_fragment);
        pair_settle(p);
        while (pair_drain(&p->b) != 0)
            continue;
        pair_wait(p, SECOND);
        assert_true(p->now_us < 1000ull * SECOND);
    }
    pair_free(p);
}

/* A SACK for what was never sent is no reason to believe it (3.3.4, 6.2.1). */
static void sack_of_the_future(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send(&p->a, 0, 0, "x", 1);
    uint32_t tsn = decode_data(pair_first(&p->a)).tsn;
    pair_lost(&p->a, "DATA");
    uint8_t buf[100];
    struct hws_builder b;
    pair_forge(&p->a, &b, buf, sizeof buf);
    assert_true(hws_sack_encode(&b, tsn + 5, 65536, NULL, 0, NULL, 0));
    pair_inject(&p->a, buf, hws_builder_finish(&b));
    assert_int_equal(pair_stats(&p->a)->drop_sack_invalid, 1);
    if (!pair_saw(&p->a, HWS_EVENT_DOWN))
        assert_int_equal(pair_status(&p->a).unacked_bytes, 1);
    pair_free(p);
}

/* 6.2.1: an old SACK changes nothing, not even the window. */
static void old_sack(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send(&p->a, 0, 0, "one", 3);
    uint32_t tsn = decode_data(pair_first(&p->a)).tsn;
    pair_run(p, SECOND);
    uint32_t rwnd = pair_status(&p->a).peer_rwnd;
    uint8_t buf[100];
    struct hws_builder b;
    pair_forge(&p->a, &b, buf, sizeof buf);
    assert_true(hws_sack_encode(&b, tsn - 1, 0, NULL, 0, NULL, 0));
    pair_inject(&p->a, buf, hws_builder_finish(&b));
    assert_int_equal(pair_status(&p->a).peer_rwnd, rwnd);
    assert_int_equal(pair_status(&p->a).unacked_bytes, 0);
    pair_free(p);
}

/* Round-robin lets a short message of another stream in between (scheduler "rr"). */
static void use_rr(struct hws_params *a, struct hws_params *b)
{
    (void)b;
    a->sched = "rr";
    a->nodelay = true;
}

static void round_robin(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = use_rr});
    pair_connect(p);
    for (uint8_t i = 0; i < 20; i++)
        pair_send_pattern(&p->a, 0, 0, i, FULL_PACKET);
    pair_send(&p->a, 1, 0, "short", 5);
    pair_settle(p);
    /* Under fcfs it would be the last of all. */
    uint16_t last_sid = 1;
    uint8_t buf[2000];
    size_t len;
    struct hws_rcvinfo info;
    while (hws_assoc_recv(p->b.engine, p->b.assoc, buf, sizeof buf, &len, &info, p->now_us) ==
           HWS_OK)
        last_sid = info.sid;
    assert_int_equal(last_sid, 0);
    pair_free(p);
}

/* SSNs wrap after 65,536 messages of a stream (3.3.1). */
static void ssn_wraps(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = at_once});
    pair_connect(p);
    for (uint32_t i = 0; i < 66000; i++) {
        uint8_t byte = (uint8_t)i;
        pair_send(&p->a, 0, 0, &byte, 1);
        if (i % 100 != 99)
            continue;
        pair_run(p, SECOND);
        for (uint32_t k = i - 99; k <= i; k++)
            pair_recv(&p->b, 0, &(uint8_t){(uint8_t)k}, 1);
    }
    pair_free(p);
}

/* 6.2.1 D iii: what a peer takes back from its gap blocks is in flight again and sent again. */
static void reneged(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    grow_cwnd(p);
    send_packets(p, 3);
    uint32_t first_tsn = decode_data(pair_first(&p->a)).tsn;
    for (int i = 0; i < 3; i++)
        pair_lost(&p->a, "DATA");
    uint8_t buf[100];
    struct hws_builder b;
    struct hws_gap gap = {2, 3};
    pair_forge(&p->a, &b, buf, sizeof buf);
    assert_true(hws_sack_encode(&b, first_tsn - 1, 100000, &gap, 1, NULL, 0));
    pair_inject(&p->a, buf, hws_builder_finish(&b));
    assert_int_equal(pair_status(&p->a).flight_bytes, FULL_PACKET);
    pair_forge(&p->a, &b, buf, sizeof buf);
    assert_true(hws_sack_encode(&b, first_tsn, 100000, NULL, 0, NULL, 0));
    pair_inject(&p->a, buf, hws_builder_finish(&b));
    assert_int_equal(pair_status(&p->a).flight_bytes, 2 * FULL_PACKET);
    assert_true(pair_status(&p->a).timer_armed);
    pair_wait(p, 2ull * SECOND);
    assert_int_equal(decode_data(pair_first(&p->a)).tsn, first_tsn + 1);
    pair_free(p);
}

/* 6.3.1 C5 (Karn): a chunk that was sent twice tells nothing about the round trip. */
static void retransmissions_are_not_timed(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send(&p->a, 0, 0, "x", 1);
    pair_lost(&p->a, "DATA");
    pair_wait(p, SECOND);
    pair_wait(p, SECOND / 2);
    pair_settle(p);
    pair_run(p, SECOND / 2);
    assert_int_equal(pair_status(&p->a).unacked_bytes, 0);
    assert_in_range(pair_path(&p->a).srtt_us, 0, SECOND / 10);
    pair_free(p);
}

/* 6.3.1 C2, C3: SRTT and RTTVAR follow the formulas. */
static void round_trips_are_measured(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    uint64_t srtt_us = 0, rttvar_us = 0;
    static const uint32_t rtt_us[] = {400000, 100000, 700000, 700000};
    for (size_t i = 0; i < 4; i++) {
        pair_send(&p->a, 0, HWS_SEND_SACK_IMMEDIATELY, "x", 1);
        pair_wait(p, rtt_us[i]);
        pair_settle(p);
        uint64_t distance_us = rtt_us[i] > srtt_us ? rtt_us[i] - srtt_us : srtt_us - rtt_us[i];
        rttvar_us = i == 0 ? rtt_us[i] / 2 : rttvar_us * 3 / 4 + distance_us / 4;
        srtt_us = i == 0 ? rtt_us[i] : srtt_us * 7 / 8 + rtt_us[i] / 8;
        assert_in_range(pair_path(&p->a).srtt_us, srtt_us - 10, srtt_us + 10);
        assert_in_range(pair_path(&p->a).rttvar_us, rttvar_us - 10, rttvar_us + 10);
        uint64_t rto_us = srtt_us + 4 * rttvar_us;
        rto_us = rto_us < SECOND ? SECOND : rto_us;
        assert_in_range(pair_path(&p->a).rto_us, rto_us - 50, rto_us + 50);
    }
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_both_ways),
        cmocka_unit_test(sixteen_mebibytes),
        cmocka_unit_test(sizes_around_the_mtu),
        cmocka_unit_test(packets_are_full),
        cmocka_unit_test(streams_do_not_wait_for_each_other),
        cmocka_unit_test(unordered_overtakes),
        cmocka_unit_test(first_data_is_acknowledged),
        cmocka_unit_test(acknowledgement_is_delayed),
        cmocka_unit_test(sack_is_bundled),
        cmocka_unit_test(small_messages_are_bundled),
        cmocka_unit_test(fast_retransmit),
        cmocka_unit_test(retransmission_timer),
        cmocka_unit_test(duplicates_are_reported),
        cmocka_unit_test(window_closes_and_opens),
        cmocka_unit_test(send_says_again),
        cmocka_unit_test(tail_is_probed),
        cmocka_unit_test(mtu_shrinks),
        cmocka_unit_test(sack_of_the_future),
        cmocka_unit_test(old_sack),
        cmocka_unit_test(round_robin),
        cmocka_unit_test(ssn_wraps),
        cmocka_unit_test(reneged),
        cmocka_unit_test(retransmissions_are_not_timed),
        cmocka_unit_test(round_trips_are_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
