/* Stories of retransmission, several paths and congestion control: RFC 9260, 6.1 B to D, 6.3, 6.4
 * and 7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/pair.h"

#define SECOND 1000000u
/* Over IPv4 with an MTU of 1500: user data of a full packet, and the largest DATA chunk. */
#define FULL_PACKET 1452u
#define PMDCS 1468u

/* ---- What is on the wire ---- */

static struct hws_data data_of(const struct pair_packet *packet, uint32_t index)
{
    struct hws_tlv chunk = pair_chunk(packet, index);
    struct hws_data data = {0};
    assert_int_equal(hws_chunk_type(&chunk), HWS_CHUNK_DATA);
    assert_true(hws_data_decode(&chunk, &data));
    return data;
}

static uint32_t wire_count(const struct pair_end *end)
{
    uint32_t count = 0;
    for (const struct pair_packet *q = end->wire_head; q != NULL; q = q->next)
        count++;
    return count;
}

static void lose_all(struct pair *p)
{
    while (p->a.wire_head != NULL)
        free(pair_take(&p->a));
    while (p->b.wire_head != NULL)
        free(pair_take(&p->b));
}

static void give_sack(struct pair_end *end, uint32_t cum_tsn, const struct hws_gap *gaps,
                      uint32_t gap_count)
{
    uint8_t buf[200];
    struct hws_builder b;
    pair_forge(end, &b, buf, sizeof buf);
    assert_true(hws_sack_encode(&b, cum_tsn, 1u << 20, gaps, gap_count, NULL, 0));
    pair_inject(end, buf, hws_builder_finish(&b));
}

static void send_packets(struct pair *p, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        pair_send_pattern(&p->a, 0, 0, (uint8_t)i, FULL_PACKET);
}

/* Opens a's congestion window to at least `packets`. */
static void grow_cwnd(struct pair *p, uint32_t packets)
{
    while (pair_path(&p->a).cwnd < packets * PMDCS) {
        send_packets(p, 4 * packets);
        pair_run(p, SECOND / 2);
        pair_drain(&p->b);
    }
    pair_run(p, SECOND / 2);
    pair_silent(p);
}

/* Sends `count` full packets, all of which cwnd allows; the first one's TSN. They are on nobody's
 * wire any more: the test speaks for b. */
static uint32_t in_flight(struct pair *p, uint32_t count)
{
    send_packets(p, count);
    uint32_t tsn = data_of(pair_first(&p->a), 0).tsn;
    assert_int_equal(wire_count(&p->a), count);
    lose_all(p);
    return tsn;
}

/* ---- 6.1 B to D ---- */

/* 6.1 B: cwnd is exceeded by less than a packet, and by one packet only. */
static void cwnd_is_exceeded_by_one_packet(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    assert_int_equal(pair_path(&p->a).cwnd, 4404);
    for (uint8_t i = 0; i < 20; i++)
        pair_send_pattern(&p->a, 0, 0, i, 1200);
    /* Three of 1216 bytes leave room for a part of the fourth. */
    assert_int_equal(pair_path(&p->a).flight_bytes, 4 * 1216);
    assert_int_equal(wire_count(&p->a), 4);
    pair_free(p);
}

/* 6.1 C, 6.10: what is to be sent again goes before what is new, in the order of TSNs, within one
 * packet, too; 6.3.3: what the first packet after T3 does not hold goes when cwnd allows. */
static void retransmissions_go_first(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    for (uint8_t i = 0; i < 20; i++)
        pair_send_pattern(&p->a, 0, 0, i, 700);
    uint32_t tsn = data_of(pair_first(&p->a), 0).tsn;
    uint32_t sent = pair_status(&p->a).flight_bytes / 700;
    assert_true(sent % 2 == 1 && sent < 20);
    lose_all(p);
    pair_wait(p, SECOND);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 1);
    assert_int_equal(wire_count(&p->a), 1);
    uint32_t expected = tsn;
    while (pair_status(&p->a).unacked_bytes > 0) {
        assert_in_range(wire_count(&p->a), 1, 20);
        for (const struct pair_packet *q = p->a.wire_head; q != NULL; q = q->next) {
            uint32_t chunks = q->len > 1000 ? 2 : 1;
            for (uint32_t i = 0; i < chunks; i++)
                assert_int_equal(data_of(q, i).tsn, expected++);
        }
        lose_all(p);
        give_sack(&p->a, expected - 1, NULL, 0);
    }
    assert_int_equal(expected, tsn + 20);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 1);
    pair_free(p);
}

static void burst_of_five_packets(struct hws_params *a, struct hws_params *b)
{
    a->max_burst_bytes = 5 * PMDCS;
    a->sndbuf_bytes = b->rcvbuf_bytes = 16u << 20;
}

/* 6.1 D: the burst limit ends a burst and does not touch cwnd. */
static void bursts_leave_cwnd_alone(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = burst_of_five_packets});
    pair_connect(p);
    grow_cwnd(p, 20);
    uint32_t cwnd = pair_path(&p->a).cwnd;
    pair_send_pattern(&p->a, 0, 0, 1, 100 * FULL_PACKET);
    assert_int_equal(wire_count(&p->a), 5);
    assert_int_equal(pair_path(&p->a).cwnd, cwnd);
    pair_free(p);
}

/* ---- T3 (6.1, 6.3.2) ---- */

static void at_once(struct hws_params *a, struct hws_params *b)
{
    a->nodelay = b->nodelay = true;
}

/* 6.1: new data does not restart T3, which runs from the first. */
static void new_data_leaves_t3_alone(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = at_once});
    pair_connect_and_talk(p);
    pair_send(&p->a, 0, 0, "one", 3);
    assert_true(pair_status(&p->a).timer_armed);
    pair_wait(p, SECOND / 2);
    pair_send(&p->a, 0, 0, "two", 3);
    lose_all(p);
    pair_wait(p, SECOND / 2 - 1);
    pair_silent(p);
    pair_wait(p, 1);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 1);
    pair_free(p);
}

/* 6.1: T3 starts anew when the earliest outstanding chunk is sent again, and not when another is.
 */
static void t3_restarts_with_the_earliest_chunk(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    grow_cwnd(p, 20);
    uint32_t tsn = in_flight(p, 12);
    pair_wait(p, 300000);
    const struct hws_gap first[] = {{2, 4}}, second[] = {{2, 4}, {6, 8}};
    give_sack(&p->a, tsn - 1, first, 1);
    assert_int_equal(data_of(pair_first(&p->a), 0).tsn, tsn);
    lose_all(p);
    pair_wait(p, 500000);
    give_sack(&p->a, tsn - 1, second, 2);
    assert_int_equal(data_of(pair_first(&p->a), 0).tsn, tsn + 4);
    lose_all(p);
    pair_wait(p, 499999);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 0);
    pair_wait(p, 1);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 1);
    pair_free(p);
}

static void with_tail_probe(struct hws_params *a, struct hws_params *b)
{
    a->tail_probe = b->tail_probe = true;
}

/* 6.1: so does the only chunk when the tail loss probe sends it again. */
static void t3_restarts_with_the_tail_probe(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = with_tail_probe});
    pair_connect(p);
    send_packets(p, 1);
    pair_settle(p); /* a round trip is measured */
    (void)in_flight(p, 1);
    uint64_t sent_us = p->now_us;
    while (pair_stats(&p->a)->tail_probes == 0)
        pair_next_timer(&p->a);
    uint64_t probed_us = p->now_us;
    assert_in_range(probed_us - sent_us, 1, SECOND - 1);
    lose_all(p);
    pair_wait(p, SECOND - 1);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 0);
    pair_wait(p, 1);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 1);
    pair_free(p);
}

/* ---- Round trips (6.3.1) ---- */

/* 6.3.1 C4: of what is in flight at the same time one chunk is timed. */
static void one_measurement_per_round_trip(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    send_packets(p, 3);
    uint32_t tsn = data_of(pair_first(&p->a), 0).tsn;
    lose_all(p);
    pair_wait(p, 100000);
    give_sack(&p->a, tsn, NULL, 0);
    assert_int_equal(pair_path(&p->a).srtt_us, 100000);
    pair_wait(p, 300000);
    give_sack(&p->a, tsn + 1, NULL, 0);
    assert_int_equal(pair_path(&p->a).srtt_us, 100000);
    pair_wait(p, 300000);
    give_sack(&p->a, tsn + 2, NULL, 0);
    assert_int_equal(pair_path(&p->a).srtt_us, 100000);
    send_packets(p, 1); /* the next round trip */
    pair_wait(p, 100000);
    give_sack(&p->a, tsn + 3, NULL, 0);
    assert_int_equal(pair_path(&p->a).rttvar_us, 37500);
    pair_free(p);
}

/* A chunk is sent, and its SACK looked at 100 ms later: how long that took, when the link says that
 * the SACK was received `waited_us` before that. */
static uint32_t round_trip_us(uint64_t waited_us)
{
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    send_packets(p, 1);
    uint32_t tsn = data_of(pair_first(&p->a), 0).tsn;
    lose_all(p);
    pair_wait(p, 100000);
    p->rx_time_us = p->now_us - waited_us;
    give_sack(&p->a, tsn, NULL, 0);
    uint32_t srtt_us = pair_path(&p->a).srtt_us;
    pair_free(p);
    return srtt_us;
}

/* 6.3.1: how long a packet lay in the socket's buffer is not the network's delay. A time of
 * reception that cannot be is not believed: before the chunk was sent, or to come. */
static void a_round_trip_ends_when_the_packet_was_received(void **state)
{
    (void)state;
    assert_int_equal(round_trip_us(0), 100000);
    assert_int_equal(round_trip_us(40000), 60000);
    assert_int_equal(round_trip_us(99999), 1);
    assert_int_equal(round_trip_us(100000), 100000);
    assert_int_equal(round_trip_us(200000), 100000);
    assert_int_equal(round_trip_us((uint64_t)-1), 100000);
}

/* The same for HEARTBEATs (8.3). */
static void a_heartbeat_ends_when_its_answer_was_received(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    assert_int_equal(hws_assoc_heartbeat(p->a.engine, p->a.assoc, 0, p->now_us), HWS_OK);
    pair_arrives(&p->a, "HEARTBEAT");
    pair_wait(p, 100000);
    p->rx_time_us = p->now_us - 40000;
    pair_arrives(&p->b, "HEARTBEAT-ACK");
    assert_int_equal(pair_path(&p->a).heartbeat_rtt_us, 60000);
    assert_int_equal(pair_path(&p->a).srtt_us, 60000);
    pair_free(p);
}

/* 6.3.1 C5: a chunk is not timed any more when one before it was sent again meanwhile. */
static void a_lower_tsn_sent_again_ends_the_measurement(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    grow_cwnd(p, 20);
    uint32_t tsn = in_flight(p, 4);
    give_sack(&p->a, tsn, NULL, 0);
    (void)in_flight(p, 4); /* tsn + 4 is being timed, tsn + 1 to 3 are in flight */
    uint32_t srtt_us = pair_path(&p->a).srtt_us;
    const struct hws_gap gaps[] = {{2, 3}, {5, 5}};
    give_sack(&p->a, tsn, gaps, 2);
    assert_int_equal(data_of(pair_first(&p->a), 0).tsn, tsn + 1);
    lose_all(p);
    pair_wait(p, SECOND / 2);
    give_sack(&p->a, tsn + 7, NULL, 0);
    assert_int_equal(pair_status(&p->a).unacked_bytes, 0);
    assert_int_equal(pair_path(&p->a).srtt_us, srtt_us);
    pair_free(p);
}

/* ---- Fast Retransmit and Fast Recovery (7.2.4) ---- */

/* 7.2.4, 3: the first packet of a Fast Retransmit does not ask what cwnd allows; the rest does. */
static void fast_retransmission_ignores_cwnd(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    grow_cwnd(p, 20);
    uint32_t tsn = in_flight(p, pair_path(&p->a).cwnd / PMDCS);
    const struct hws_gap gaps[] = {{3, 5}};
    give_sack(&p->a, tsn - 1, gaps, 1);
    assert_int_equal(pair_stats(&p->a)->fast_retransmits, 2);
    /* Two are missing, three have arrived, and what is still in flight is more than cwnd. */
    assert_true(pair_path(&p->a).flight_bytes > pair_path(&p->a).cwnd);
    assert_int_equal(wire_count(&p->a), 1);
    assert_int_equal(data_of(pair_first(&p->a), 0).tsn, tsn);
    pair_free(p);
}

/* And one packet only: a SACK that comes twice has nothing to say. */
static void further_retransmissions_ask_cwnd(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    grow_cwnd(p, 20);
    uint32_t tsn = in_flight(p, pair_path(&p->a).cwnd / PMDCS);
    const struct hws_gap gaps[] = {{6, 8}};
    give_sack(&p->a, tsn - 1, gaps, 1);
    assert_int_equal(pair_stats(&p->a)->fast_retransmits, 5);
    assert_int_equal(wire_count(&p->a), 1);
    for (uint32_t i = 0; i < 3; i++)
        give_sack(&p->a, tsn - 1, gaps, 1);
    assert_true(pair_path(&p->a).flight_bytes > pair_path(&p->a).cwnd);
    assert_int_equal(wire_count(&p->a), 1);
    pair_free(p);
}

static void large_bursts(struct hws_params *a, struct hws_params *b)
{
    a->nodelay = b->nodelay = true; /* each message is sent when it is given */
    a->max_burst_bytes = a->sndbuf_bytes = b->rcvbuf_bytes = 16u << 20;
}

/* Where a SACK had room for so many gaps and no more, what arrived beyond them caused it. */
static void a_sack_without_room_brings_a_packet(void **state)
{
    (void)state;
    struct hws_gap gaps[16];
    struct pair *p = pair_new(&(struct pair_options){.params = large_bursts});
    pair_connect(p);
    grow_cwnd(p, 100);
    uint32_t tsn = in_flight(p, pair_path(&p->a).cwnd / PMDCS);
    for (uint16_t i = 0; i < 16; i++)
        gaps[i] = (struct hws_gap){(uint16_t)(2 * i + 2), (uint16_t)(2 * i + 2)};
    give_sack(&p->a, tsn - 1, gaps, 16);
    assert_int_equal(wire_count(&p->a), 1);
    for (uint32_t i = 2; i < 5; i++) {
        give_sack(&p->a, tsn - 1, gaps, 16);
        assert_true(pair_path(&p->a).flight_bytes > pair_path(&p->a).cwnd);
        assert_int_equal(wire_count(&p->a), i);
    }
    pair_free(p);
}

/* 7.2.4, 6: one reduction per Fast Recovery, which ends with what was in flight at its beginning;
 * 7.2.1: no growth while it lasts. */
static void one_reduction_per_recovery(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    grow_cwnd(p, 20);
    uint32_t tsn = in_flight(p, 20);
    uint32_t before = pair_path(&p->a).cwnd;
    const struct hws_gap first[] = {{2, 4}};
    give_sack(&p->a, tsn - 1, first, 1);
    uint32_t cwnd = pair_path(&p->a).cwnd;
    assert_true(cwnd < before);
    assert_int_equal(pair_path(&p->a).ssthresh, cwnd);
    const struct hws_gap second[] = {{2, 4}, {6, 9}};
    give_sack(&p->a, tsn - 1, second, 2);
    assert_int_equal(pair_stats(&p->a)->fast_retransmits, 2);
    assert_int_equal(pair_path(&p->a).cwnd, cwnd);
    assert_int_equal(pair_path(&p->a).ssthresh, cwnd);
    lose_all(p);
    give_sack(&p->a, tsn + 18, NULL, 0); /* all but the last: still in recovery */
    send_packets(p, 8);
    lose_all(p);
    const struct hws_gap third[] = {{2, 5}};
    give_sack(&p->a, tsn + 18, third, 1);
    assert_int_equal(pair_stats(&p->a)->fast_retransmits, 3);
    assert_int_equal(pair_path(&p->a).cwnd, cwnd);
    lose_all(p);
    give_sack(&p->a, tsn + 23, NULL, 0); /* and out of it */
    const struct hws_gap fourth[] = {{2, 4}};
    give_sack(&p->a, tsn + 23, fourth, 1);
    assert_int_equal(pair_stats(&p->a)->fast_retransmits, 4);
    assert_true(pair_path(&p->a).cwnd < cwnd);
    pair_free(p);
}

/* RFC 9937 (safeACK): in Fast Recovery a SACK that shows no further loss lets one packet more leave
 * than it acknowledged; a window that was lost nearly whole is not sent one by one. */
static void lost_window_is_repaired_in_few_round_trips(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    grow_cwnd(p, 20);
    uint32_t tsn = in_flight(p, 20);
    const struct hws_gap tail = {17, 20};
    give_sack(&p->a, tsn - 1, &tail, 1);
    assert_int_equal(pair_stats(&p->a)->fast_retransmits, 16);
    uint32_t repaired = 0, arrived = 4, round_trips = 0;
    for (; repaired < 16; round_trips++) {
        uint32_t sent = wire_count(&p->a);
        assert_in_range(sent, 1, arrived + 1);
        repaired += sent;
        arrived = sent;
        lose_all(p);
        const struct hws_gap rest = {(uint16_t)(17 - repaired), (uint16_t)(20 - repaired)};
        give_sack(&p->a, tsn - 1 + repaired, &rest, repaired < 16 ? 1 : 0);
    }
    assert_int_equal(round_trips, 4);
    pair_free(p);
}

/* 7.2.1: in Fast Recovery cwnd does not grow, even when it is in full use and the cumulative TSN
 * moves. */
static void no_growth_in_recovery(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    grow_cwnd(p, 20);
    pair_send_pattern(&p->a, 0, 0, 1, 100 * FULL_PACKET);
    uint32_t tsn = data_of(pair_first(&p->a), 0).tsn;
    lose_all(p);
    const struct hws_gap gap = {2, 4};
    give_sack(&p->a, tsn - 1, &gap, 1);
    uint32_t cwnd = pair_path(&p->a).cwnd;
    lose_all(p);
    for (uint32_t i = 4; i < 12; i++) {
        assert_true(pair_path(&p->a).flight_bytes >= cwnd);
        give_sack(&p->a, tsn + i, NULL, 0);
        assert_int_equal(pair_path(&p->a).cwnd, cwnd);
        lose_all(p);
    }
    pair_free(p);
}

/* 7.2.4, note: what the SACK acknowledges lets cwnd grow before the loss halves it. */
static void growth_before_reduction(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    grow_cwnd(p, 20);
    uint32_t cwnd = pair_path(&p->a).cwnd;
    pair_send_pattern(&p->a, 0, 0, 1, 60 * FULL_PACKET); /* in slow start, cwnd in full use */
    assert_true(pair_path(&p->a).ssthresh > cwnd);
    assert_true(pair_path(&p->a).flight_bytes >= cwnd);
    uint32_t tsn = data_of(pair_first(&p->a), 0).tsn;
    lose_all(p);
    const struct hws_gap gap = {2, 4};
    give_sack(&p->a, tsn + 3, &gap, 1);
    assert_int_equal(pair_stats(&p->a)->fast_retransmits, 1);
    assert_int_equal(pair_path(&p->a).cwnd, (cwnd + 7 * PMDCS) / 2);
    pair_free(p);
}

/* ---- cwnd over time ---- */

/* 7.1, 7.2.1: a path that carries nothing loses its cwnd by half per RTO. */
static void cwnd_decays_in_silence(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    grow_cwnd(p, 40);
    uint32_t cwnd = pair_path(&p->a).cwnd;
    uint32_t rto_us = pair_path(&p->a).rto_us;
    pair_run(p, rto_us);
    send_packets(p, 1);
    assert_in_range(pair_path(&p->a).cwnd, cwnd / 4, cwnd / 2);
    assert_int_equal(pair_path(&p->a).ssthresh, cwnd);
    pair_run(p, 20ull * rto_us);
    send_packets(p, 1);
    assert_int_equal(pair_path(&p->a).cwnd, 4 * PMDCS);
    pair_free(p);
}

/* 7.2.1: an application that does not fill the window does not make it grow. */
static void unused_cwnd_does_not_grow(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    uint32_t cwnd = pair_path(&p->a).cwnd;
    for (int i = 0; i < 50; i++) {
        send_packets(p, 1);
        pair_run(p, SECOND / 4);
        pair_drain(&p->b);
    }
    assert_int_equal(pair_path(&p->a).cwnd, cwnd);
    pair_free(p);
}

/* 7.2.5: a peer that restarted is a network unknown. */
static void restart_begins_with_the_first_cwnd(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.both_listen = true});
    pair_connect(p);
    grow_cwnd(p, 20);
    pair_reboot(&p->b, true);
    pair_begin(&p->b);
    pair_settle(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_RESTART));
    assert_int_equal(pair_path(&p->a).cwnd, 4404);
    assert_int_equal(pair_path(&p->a).ssthresh, UINT32_MAX);
    assert_int_equal(pair_path(&p->a).srtt_us, 0);
    pair_free(p);
}

/* ---- Several paths (6.4) ---- */

static struct pair *two_paths_with(void (*params)(struct hws_params *a, struct hws_params *b))
{
    struct pair *p = pair_new(&(struct pair_options){.addrs = 2, .params = params});
    pair_connect(p);
    pair_run(p, 5ull * SECOND);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(pair_path_to(&p->a, &p->b.addrs[i]).confirmed);
        assert_true(pair_path_to(&p->b, &p->a.addrs[i]).confirmed);
    }
    return p;
}

static struct pair *two_paths(void)
{
    return two_paths_with(NULL);
}

static void set_mtu(struct pair_end *end, uint32_t path, uint32_t mtu)
{
    struct hws_net_event event = {.kind = HWS_NET_MTU,
                                  .assoc = end->assoc,
                                  .local = end->addrs[path],
                                  .remote = end->other->addrs[path],
                                  .mtu = mtu};
    hws_engine_net_event(end->engine, &event, end->pair->now_us);
}

static bool goes_to(const struct pair_packet *packet, const struct hws_addr *addr)
{
    return hws_addr_same(&packet->dst, addr);
}

/* The first packet with DATA; those before it are lost. */
static struct pair_packet *take_data(struct pair_end *end)
{
    struct pair_packet *packet = pair_take(end);
    while (strstr(pair_chunks(packet), "DATA") == NULL) {
        free(packet);
        packet = pair_take(end);
    }
    return packet;
}

/* 6.4: data goes to the primary path, all of it. */
static void the_primary_carries_the_data(void **state)
{
    (void)state;
    struct pair *p = two_paths();
    for (int i = 0; i < 20; i++) {
        send_packets(p, 3);
        for (const struct pair_packet *q = p->a.wire_head; q != NULL; q = q->next)
            assert_true(goes_to(q, &p->b.addrs[0]));
        pair_run(p, SECOND);
        pair_drain(&p->b);
    }
    assert_int_equal(pair_path_to(&p->a, &p->b.addrs[1]).flight_bytes, 0);
    pair_free(p);
}

/* 6.4, 6.4.1, 6.3.3: what timed out goes to the other address, T3 there runs with that path's RTO,
 * and new data follows while the primary does not answer. */
static void timed_out_data_takes_the_alternate(void **state)
{
    (void)state;
    struct pair *p = two_paths();
    send_packets(p, 2);
    pair_run(p, SECOND); /* a round trip on the primary */
    uint32_t rto_us = pair_path_to(&p->a, &p->b.addrs[1]).rto_us;
    p->cut[0] = true;
    send_packets(p, 1);
    uint32_t tsn = data_of(pair_first(&p->a), 0).tsn;
    lose_all(p);
    pair_wait(p, pair_path(&p->a).rto_us);
    assert_int_equal(pair_path(&p->a).rto_us, 2 * SECOND); /* backed off; the other one's is not */
    struct pair_packet *again = take_data(&p->a);
    assert_true(goes_to(again, &p->b.addrs[1]));
    assert_true(hws_addr_same(&again->src, &p->a.addrs[1])); /* nothing in common (6.4.1) */
    assert_int_equal(data_of(again, 0).tsn, tsn);
    free(again);
    assert_int_equal(pair_path(&p->a).flight_bytes, 0);
    assert_int_equal(pair_path_to(&p->a, &p->b.addrs[1]).flight_bytes, PMDCS);
    lose_all(p);
    pair_wait(p, rto_us - 1);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 1);
    pair_wait(p, 1);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 2);
    pair_free(p);
}

/* 6.4: with no path answering, what timed out on one goes to the other. */
static void failing_paths_take_turns(void **state)
{
    (void)state;
    struct pair *p = two_paths();
    p->cut[0] = p->cut[1] = true;
    send_packets(p, 1);
    struct hws_addr last = pair_first(&p->a)->dst;
    for (int i = 0; i < 6; i++) {
        uint64_t timeouts = pair_stats(&p->a)->timeouts_t3;
        lose_all(p);
        while (pair_stats(&p->a)->timeouts_t3 == timeouts)
            pair_next_timer(&p->a);
        struct pair_packet *again = take_data(&p->a);
        assert_false(goes_to(again, &last));
        last = again->dst;
        free(again);
    }
    pair_free(p);
}

/* 6.4: what is missing is sent again where it was sent, and 6.1: each address has a T3, which
 * starts anew with the earliest chunk of that address, not of the association. */
static void lost_chunks_stay_on_their_path(void **state)
{
    (void)state;
    struct pair *p = two_paths();
    grow_cwnd(p, 20);
    uint32_t tsn = in_flight(p, 3);
    assert_int_equal(hws_assoc_set_primary(p->a.engine, p->a.assoc, 1, p->now_us), HWS_OK);
    send_packets(p, 10);
    assert_true(goes_to(pair_first(&p->a), &p->b.addrs[1]));
    uint32_t sent = wire_count(&p->a);
    assert_in_range(sent, 2, 10);
    lose_all(p);
    pair_wait(p, SECOND / 2);
    /* Of each path the first is missing. */
    for (uint16_t i = 0; i < 2; i++) {
        const struct hws_gap gaps[] = {{2, 3}, {5, (uint16_t)(3 + sent + i)}};
        give_sack(&p->a, tsn - 1, gaps, 2);
        struct pair_packet *again = take_data(&p->a);
        assert_int_equal(data_of(again, 0).tsn, tsn + 3u * i);
        assert_true(goes_to(again, &p->b.addrs[i]));
        free(again);
        lose_all(p);
    }
    pair_wait(p, SECOND - 1);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 0);
    pair_wait(p, 1);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 2);
    pair_free(p);
}

/* 6.2.1, 6.3.2 R4: what a SACK takes back of a path on which nothing was in flight any more starts
 * that path's T3. */
static void reneging_starts_t3_again(void **state)
{
    (void)state;
    struct pair *p = two_paths();
    uint32_t tsn = in_flight(p, 1);
    assert_int_equal(hws_assoc_set_primary(p->a.engine, p->a.assoc, 1, p->now_us), HWS_OK);
    (void)in_flight(p, 2);
    const struct hws_gap gap = {2, 3};
    give_sack(&p->a, tsn - 1, &gap, 1);
    assert_int_equal(pair_path_to(&p->a, &p->b.addrs[1]).flight_bytes, 0);
    pair_wait(p, SECOND / 2);
    give_sack(&p->a, tsn, NULL, 0);
    assert_int_equal(pair_path(&p->a).flight_bytes, 0);
    assert_int_equal(pair_path_to(&p->a, &p->b.addrs[1]).flight_bytes, 2 * PMDCS);
    pair_wait(p, SECOND - 1);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 0);
    pair_wait(p, 1);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 1);
    pair_free(p);
}

/* 6.4.1: with the primary inactive everything gets through the alternate. */
static void an_inactive_primary_is_gone_around(void **state)
{
    (void)state;
    struct pair *p = two_paths();
    p->cut[0] = true;
    size_t got = 0;
    for (int i = 0; i < 600; i++) {
        send_packets(p, 1);
        pair_run(p, SECOND);
        got += pair_drain(&p->b);
    }
    pair_run(p, 5ull * SECOND);
    got += pair_drain(&p->b);
    assert_int_equal(got, 600 * FULL_PACKET);
    assert_false(pair_path(&p->a).active);
    assert_true(pair_path_to(&p->a, &p->b.addrs[1]).active);
    pair_free(p);
}

static void put_data(struct hws_builder *b, uint32_t tsn)
{
    struct hws_data data = {.tsn = tsn,
                            .ssn = 0,
                            .flags = HWS_DATA_B | HWS_DATA_E | HWS_DATA_U | HWS_DATA_I,
                            .ppid = 7,
                            .payload_len = 4};
    uint8_t *payload = hws_data_encode(b, &data);
    assert_non_null(payload);
    memset(payload, 1, 4);
}

/* 6.4, 6.7: a SACK goes where the last data came from, a HEARTBEAT ACK where its HEARTBEAT did. */
static void answers_go_to_the_source(void **state)
{
    (void)state;
    struct pair *p = two_paths();
    send_packets(p, 1);
    uint32_t tsn = data_of(pair_first(&p->a), 0).tsn;
    pair_run(p, SECOND);
    for (uint32_t i = 1; i <= 4; i++) {
        const struct hws_addr *from = &p->a.addrs[i % 2], *to = &p->b.addrs[i % 2];
        uint8_t buf[200];
        struct hws_builder b;
        pair_forge(&p->b, &b, buf, sizeof buf);
        put_data(&b, tsn + i);
        pair_inject_between(&p->b, from, to, buf, hws_builder_finish(&b));
        assert_string_equal(pair_chunks(pair_first(&p->b)), "SACK");
        assert_true(goes_to(pair_first(&p->b), from));
        free(pair_take(&p->b));
        pair_forge(&p->b, &b, buf, sizeof buf);
        assert_true(hws_heartbeat_encode(&b, HWS_CHUNK_HEARTBEAT, "information", 11));
        pair_inject_between(&p->b, from, to, buf, hws_builder_finish(&b));
        assert_string_equal(pair_chunks(pair_first(&p->b)), "HEARTBEAT-ACK");
        assert_true(goes_to(pair_first(&p->b), from));
        free(pair_take(&p->b));
        pair_silent(p);
    }
    pair_free(p);
}

/* 7.2, 7.2.1, 7.3: each address has its own cwnd, ssthresh and PMTU, and the cwnd that grows is the
 * one of the address whose data was acknowledged. */
static void each_path_has_its_own_variables(void **state)
{
    (void)state;
    struct pair *p = two_paths();
    struct hws_path_status before = pair_path_to(&p->a, &p->b.addrs[1]);
    grow_cwnd(p, 20);
    struct hws_path_status after = pair_path_to(&p->a, &p->b.addrs[1]);
    assert_int_equal(after.cwnd, before.cwnd);
    assert_int_equal(after.ssthresh, before.ssthresh);
    (void)in_flight(p, 4);
    uint32_t cwnd = pair_path(&p->a).cwnd;
    pair_wait(p, SECOND);
    assert_int_equal(pair_path(&p->a).cwnd, PMDCS);
    assert_int_equal(pair_path(&p->a).ssthresh, cwnd / 2);
    after = pair_path_to(&p->a, &p->b.addrs[1]);
    assert_int_equal(after.cwnd, before.cwnd);
    assert_int_equal(after.ssthresh, before.ssthresh);
    set_mtu(&p->a, 1, 1400);
    assert_int_equal(pair_path(&p->a).mtu, 1500);
    assert_int_equal(pair_path_to(&p->a, &p->b.addrs[1]).mtu, 1400);
    pair_free(p);
}

/* 7.2.1: a window that retransmissions fill is in full use: slow start after T3 doubles it. */
static void slow_start_grows_while_sending_again(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    grow_cwnd(p, 20);
    uint32_t tsn = in_flight(p, 12);
    pair_wait(p, SECOND);
    assert_int_equal(wire_count(&p->a), 1);
    lose_all(p);
    give_sack(&p->a, tsn, NULL, 0);
    assert_int_equal(wire_count(&p->a), 2);
    lose_all(p);
    give_sack(&p->a, tsn + 2, NULL, 0);
    assert_int_equal(wire_count(&p->a), 4);
    pair_free(p);
}

/* ---- AMDCS (6.9, 7.3) ---- */

/* 6.9, 7.3: no chunk is larger than the smallest path carries, and so what timed out on a large one
 * is sent again on the small one without IP's help. */
static void chunks_are_no_larger_than_amdcs(void **state)
{
    (void)state;
    struct pair *p = two_paths();
    set_mtu(&p->a, 1, 1000);
    pair_send_pattern(&p->a, 0, 0, 1, 1400);
    pair_send_pattern(&p->a, 0, 0, 2, 20000);
    for (const struct pair_packet *q = pair_first(&p->a); q != NULL; q = q->next) {
        assert_true(goes_to(q, &p->b.addrs[0]));
        assert_in_range(data_of(q, 0).payload_len, 1, 1000 - 20 - 12 - 16);
    }
    lose_all(p);
    p->cut[0] = true;
    pair_wait(p, SECOND);
    uint32_t again = 0;
    for (const struct pair_packet *q = pair_first(&p->a); q != NULL; q = q->next) {
        assert_false(q->may_fragment);
        again += goes_to(q, &p->b.addrs[1]);
    }
    assert_true(again > 0);
    pair_free(p);
}

/* 6.10: nor is a packet larger than the primary path carries, whichever way it goes. */
static void packets_are_no_larger_than_the_primarys_pmtu(void **state)
{
    (void)state;
    struct pair *p = two_paths();
    set_mtu(&p->a, 0, 1000);
    p->cut[0] = true;
    for (uint8_t i = 0; i < 20; i++)
        pair_send_pattern(&p->a, 0, 0, i, 300);
    lose_all(p);
    pair_wait(p, SECOND);
    uint32_t seen = 0;
    for (int i = 0; i < 10; i++) {
        for (const struct pair_packet *q = p->a.wire_head; q != NULL; q = q->next) {
            assert_true(q->len <= 980);
            seen += goes_to(q, &p->b.addrs[1]) && q->len > 700;
        }
        pair_settle(p);
        pair_wait(p, SECOND / 2);
    }
    assert_true(seen > 3);
    pair_free(p);
}

/* 7.2.5.2: another source address is another route. */
static void a_new_source_is_a_new_route(void **state)
{
    (void)state;
    struct pair *p = two_paths();
    grow_cwnd(p, 20);
    struct hws_net_event event = {.kind = HWS_NET_MTU,
                                  .assoc = p->a.assoc,
                                  .local = p->a.addrs[1],
                                  .remote = p->b.addrs[0],
                                  .mtu = 1500};
    hws_engine_net_event(p->a.engine, &event, p->now_us);
    assert_int_equal(pair_path(&p->a).cwnd, 4404);
    assert_int_equal(pair_path(&p->a).ssthresh, UINT32_MAX);
    grow_cwnd(p, 20);
    uint32_t cwnd = pair_path(&p->a).cwnd;
    hws_engine_net_event(p->a.engine, &event, p->now_us); /* nothing new */
    assert_int_equal(pair_path(&p->a).cwnd, cwnd);
    pair_free(p);
}

static void with_discovery(struct hws_params *a, struct hws_params *b)
{
    (void)b;
    a->pmtud = true;
}

/* 7.3: the path MTU is probed, on each path by itself (RFC 8899). */
static void path_mtus_are_discovered(void **state)
{
    (void)state;
    struct pair *p = two_paths_with(with_discovery);
    set_mtu(&p->a, 1, 1400);
    for (uint32_t i = 0; i < 2; i++)
        assert_in_range(pair_path_to(&p->a, &p->b.addrs[i]).mtu, 500, 1399);
    pair_send_pattern(&p->a, 0, 0, 1, 100 * FULL_PACKET);
    pair_run(p, SECOND);
    assert_int_equal(pair_path_to(&p->a, &p->b.addrs[0]).mtu, 1500);
    assert_int_equal(pair_path_to(&p->a, &p->b.addrs[1]).mtu, 1400);
    pair_drain(&p->b);
    /* Now the second one carries nothing at all, the first one remains what it is. */
    p->cut[1] = true;
    set_mtu(&p->a, 1, 9000);
    pair_send_pattern(&p->a, 0, 0, 1, 100 * FULL_PACKET);
    pair_run(p, 60ull * SECOND);
    assert_int_equal(pair_path_to(&p->a, &p->b.addrs[0]).mtu, 1500);
    assert_true(pair_path_to(&p->a, &p->b.addrs[1]).mtu <= 1400);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cwnd_is_exceeded_by_one_packet),
        cmocka_unit_test(retransmissions_go_first),
        cmocka_unit_test(bursts_leave_cwnd_alone),
        cmocka_unit_test(new_data_leaves_t3_alone),
        cmocka_unit_test(t3_restarts_with_the_earliest_chunk),
        cmocka_unit_test(t3_restarts_with_the_tail_probe),
        cmocka_unit_test(one_measurement_per_round_trip),
        cmocka_unit_test(a_round_trip_ends_when_the_packet_was_received),
        cmocka_unit_test(a_heartbeat_ends_when_its_answer_was_received),
        cmocka_unit_test(a_lower_tsn_sent_again_ends_the_measurement),
        cmocka_unit_test(fast_retransmission_ignores_cwnd),
        cmocka_unit_test(further_retransmissions_ask_cwnd),
        cmocka_unit_test(a_sack_without_room_brings_a_packet),
        cmocka_unit_test(one_reduction_per_recovery),
        cmocka_unit_test(lost_window_is_repaired_in_few_round_trips),
        cmocka_unit_test(no_growth_in_recovery),
        cmocka_unit_test(growth_before_reduction),
        cmocka_unit_test(cwnd_decays_in_silence),
        cmocka_unit_test(unused_cwnd_does_not_grow),
        cmocka_unit_test(restart_begins_with_the_first_cwnd),
        cmocka_unit_test(the_primary_carries_the_data),
        cmocka_unit_test(timed_out_data_takes_the_alternate),
        cmocka_unit_test(failing_paths_take_turns),
        cmocka_unit_test(lost_chunks_stay_on_their_path),
        cmocka_unit_test(reneging_starts_t3_again),
        cmocka_unit_test(an_inactive_primary_is_gone_around),
        cmocka_unit_test(answers_go_to_the_source),
        cmocka_unit_test(each_path_has_its_own_variables),
        cmocka_unit_test(path_mtus_are_discovered),
        cmocka_unit_test(slow_start_grows_while_sending_again),
        cmocka_unit_test(chunks_are_no_larger_than_amdcs),
        cmocka_unit_test(packets_are_no_larger_than_the_primarys_pmtu),
        cmocka_unit_test(a_new_source_is_a_new_route),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
