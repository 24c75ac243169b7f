/* Stories of path MTU discovery (RFC 8899; RFC 9260, 7.3) on wires that carry less than the
 * interface. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/pair.h"

#define SECOND 1000000u
#define PROBE "HEARTBEAT+PAD"

static void discovering(struct hws_params *a, struct hws_params *b)
{
    a->pmtud = b->pmtud = true;
}

static struct pair *connected(uint32_t told, uint32_t wire_mtu, bool ipv6)
{
    struct pair *p =
        pair_new(&(struct pair_options){.params = discovering, .mtu = told, .ipv6 = ipv6});
    p->wire_mtu = wire_mtu;
    pair_connect(p);
    return p;
}

static uint32_t ip_len(const struct pair_packet *packet)
{
    return packet->len + (packet->dst.family == HWS_FAMILY_IPV6 ? 40 : 20);
}

static bool is_probe(const struct pair_packet *packet)
{
    return strcmp(pair_chunks(packet), PROBE) == 0;
}

/* a sends `len` bytes, which b has `seconds` later, whatever the wire does to some packets. */
static void transfer(struct pair *p, size_t len, uint32_t seconds)
{
    pair_send_pattern(&p->a, 0, 0, 7, len);
    pair_run(p, (uint64_t)seconds * SECOND);
    pair_recv_pattern(&p->b, 0, 7, len);
}

static void assert_nothing_lost(struct pair *p)
{
    const struct hws_stats *stats = pair_stats(&p->a);
    assert_int_equal(stats->retransmits, 0);
    assert_int_equal(stats->timeouts_t3, 0);
    assert_int_equal(stats->pmtu_black_holes, 0);
    assert_int_equal(pair_path(&p->a).errors, 0);
    assert_false(pair_saw(&p->a, HWS_EVENT_PATH_FAILING));
}

static struct pair *found(uint32_t told, uint32_t wire_mtu, bool ipv6)
{
    struct pair *p = connected(told, wire_mtu, ipv6);
    transfer(p, 100000, 20);
    assert_nothing_lost(p);
    return p;
}

/* ---- Probes ---- */

/* RFC 8899, 4.3: who sends little has no use for it. */
static void small_messages_are_not_probed_for(void **state)
{
    (void)state;
    struct pair *p = connected(1500, 0, false);
    for (int i = 0; i < 100; i++)
        transfer(p, 1000, 10);
    assert_int_equal(pair_stats(&p->a)->pmtu_probes, 0);
    assert_int_equal(pair_stats(&p->b)->pmtu_probes, 0);
    assert_int_equal(pair_path(&p->a).mtu, 1200);
    pair_free(p);
}

/* RFC 8899, 6.2.1: HEARTBEAT and PAD, of exactly that size, not to be fragmented, one at a time;
 * packets with data never exceed what was confirmed. */
static void probes_are_exact(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1200, 1500, 9000, 0};
    struct pair *p = connected(9000, 0, false);
    pair_send_pattern(&p->a, 0, 0, 7, 100000);
    uint32_t probes = 0;
    while (!pair_wire_empty(p)) {
        struct pair_end *end = p->a.wire_head != NULL ? &p->a : &p->b;
        struct pair_packet *packet = pair_first(end);
        if (is_probe(packet)) {
            assert_ptr_equal(end, &p->a);
            assert_int_equal(ip_len(packet), sizes[probes++]);
            assert_false(packet->may_fragment);
            for (const struct pair_packet *q = packet->next; q != NULL; q = q->next)
                assert_false(is_probe(q));
        } else {
            assert_true(ip_len(packet) <= pair_path(&p->a).mtu);
        }
        pair_arrives(end, pair_chunks(packet));
    }
    pair_settle(p);
    assert_int_equal(probes, 3);
    assert_int_equal(pair_path(&p->a).mtu, 9000);
    assert_int_equal(pair_stats(&p->a)->pmtu_probes, 3);
    assert_int_equal(pair_stats(&p->a)->pmtu_raised, 2);
    pair_recv_pattern(&p->b, 0, 7, 100000);
    assert_nothing_lost(p);
    pair_free(p);
}

static void whatever_the_interface_has_is_found(void **state)
{
    (void)state;
    static const uint32_t tellings[] = {576, 1000, 1200, 1280, 1281, 1499, 1500, 9000, 65535};
    for (size_t i = 0; i < sizeof tellings / sizeof tellings[0]; i++)
        for (int ipv6 = 0; ipv6 <= (tellings[i] >= 1280); ipv6++) {
            struct pair *p = connected(tellings[i], 0, ipv6);
            pair_send_pattern(&p->a, 0, 0, 7, 10000);
            pair_settle(p);
            assert_int_equal(pair_path(&p->a).mtu, tellings[i]);
            pair_free(p);
        }
}

/* Silence is a matter of time, but of no data: nothing is lost, nothing slows down. */
static void silent_wires_are_measured(void **state)
{
    (void)state;
    static const uint32_t wires[] = {1280, 1400, 1492, 1500};
    static const uint32_t tellings[] = {1500, 9000, 65535};
    for (size_t w = 0; w < 4; w++)
        for (size_t t = 0; t < 3; t++)
            for (int ipv6 = 0; ipv6 < 2; ipv6++) {
                struct pair *p = found(tellings[t], wires[w], ipv6);
                assert_int_equal(pair_path(&p->a).mtu, wires[w]);
                pair_free(p);
            }
}

/* RFC 8899, 3: the loss of a probe is neither congestion nor an error of the path. */
static void lost_probes_cost_nothing(void **state)
{
    (void)state;
    struct pair *p = connected(9000, 1500, false);
    transfer(p, 100000, 0);
    uint32_t cwnd = pair_path(&p->a).cwnd;
    pair_run(p, 10ull * SECOND);
    assert_int_equal(pair_stats(&p->a)->pmtu_probes_lost, 3);
    assert_int_equal(pair_path(&p->a).cwnd, cwnd);
    assert_int_equal(pair_path(&p->a).rto_us, SECOND);
    assert_nothing_lost(p);
    assert_int_equal(pair_path(&p->a).mtu, 1500);
    pair_free(p);
}

/* Raising the MTU raises no cwnd (RFC 8899, 3). */
static void a_larger_mtu_is_no_larger_window(void **state)
{
    (void)state;
    struct pair *p = connected(65535, 0, false);
    pair_send_pattern(&p->a, 0, 0, 7, 2000);
    uint32_t cwnd = pair_path(&p->a).cwnd;
    while (pair_path(&p->a).mtu < 65535) {
        struct pair_end *end = p->a.wire_head != NULL ? &p->a : &p->b;
        pair_arrives(end, pair_chunks(pair_first(end)));
    }
    assert_true(pair_path(&p->a).cwnd <= cwnd + 2000 + 2 * 16);
    pair_free(p);
}

/* ---- ICMP (RFC 8899, 4.6; RFC 9260, section 10) ---- */

static void honest_icmp_spares_the_wait(void **state)
{
    (void)state;
    static const uint32_t wires[] = {1280, 1333, 1400, 1500, 4000};
    for (size_t w = 0; w < sizeof wires / sizeof wires[0]; w++)
        for (int ipv6 = 0; ipv6 < 2; ipv6++) {
            struct pair *p = connected(9000, wires[w], ipv6);
            p->icmp = true;
            transfer(p, 100000, 0);
            assert_int_equal(pair_path(&p->a).mtu, wires[w]);
            assert_nothing_lost(p);
            assert_int_equal(pair_stats(&p->a)->pmtu_probes_lost, 0);
            pair_free(p);
        }
}

/* Tells a of a packet that it sent, but for one byte, or of less than was sent. */
static void misquote(struct pair *p, uint32_t at, uint32_t len, uint32_t mtu)
{
    struct pair_packet *packet = pair_first(&p->a);
    packet->data[at] ^= 0x40;
    struct hws_net_event event = {.kind = HWS_NET_TOO_BIG,
                                  .local = packet->src,
                                  .remote = packet->dst,
                                  .mtu = mtu,
                                  .quoted = packet->data,
                                  .quoted_len = len};
    hws_engine_net_event(p->a.engine, &event, p->now_us);
    packet->data[at] ^= 0x40;
}

static void forged_icmp_changes_nothing(void **state)
{
    (void)state;
    struct pair *p = found(1500, 0, false);
    pair_send_pattern(&p->a, 0, 0, 7, 4000);
    for (uint32_t at = 0; at < 8; at++) /* ports and tag */
        misquote(p, at, 64, 1300);
    for (uint32_t len = 0; len < 8; len++)
        misquote(p, 60, len, 1300);
    static const uint32_t sizes[] = {0, 68, 511, 1500, 9000, UINT32_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        pair_too_big(&p->a, pair_first(&p->a), sizes[i]);
    assert_int_equal(pair_path(&p->a).mtu, 1500);
    pair_settle(p);
    pair_recv_pattern(&p->b, 0, 7, 4000);
    assert_nothing_lost(p);
    pair_free(p);
}

/* A tag of 0 is an INIT's, whose Initiate Tag has to be ours (ICMP6). */
static void icmp_about_an_init(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = discovering});
    pair_begin(&p->a);
    misquote(p, 16, 64, 600); /* its Initiate Tag */
    misquote(p, 39, 19, 600); /* not quoted */
    assert_int_equal(pair_path(&p->a).mtu, 1200);
    pair_too_big(&p->a, pair_first(&p->a), 600);
    assert_int_equal(pair_path(&p->a).mtu, 512);
    p->wire_mtu = 600;
    pair_settle(p);
    transfer(p, 50000, 20);
    assert_in_range(pair_path(&p->a).mtu, 560, 600);
    pair_free(p);
}

/* ---- Wires that shrink ---- */

/* 6.9: chunks keep their boundaries, IP fragments what is too large now; with ICMP at once: T3 does
 * not expire, cwnd does not shrink, no time passes. */
static void shrinking_with_icmp(void **state)
{
    (void)state;
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct pair *p = found(9000, 0, ipv6);
        uint32_t cwnd = pair_path(&p->a).cwnd;
        assert_true(cwnd > 30000);
        p->wire_mtu = 1400;
        p->icmp = true;
        transfer(p, 200000, 0);
        const struct hws_stats *stats = pair_stats(&p->a);
        assert_in_range(stats->retransmits, 2, 20);
        assert_int_equal(stats->timeouts_t3, 0);
        assert_int_equal(stats->fast_retransmits, 0);
        assert_int_equal(stats->pmtu_black_holes, 1);
        assert_true(pair_path(&p->a).cwnd >= cwnd);
        assert_int_equal(pair_path(&p->a).mtu, 1400);
        pair_free(p);
    }
}

/* RFC 8899, 4.3: one expiry of T3, one lost probe, and it goes on. */
static void shrinking_in_silence(void **state)
{
    (void)state;
    static const uint32_t before[] = {1500, 9000, 65535};
    for (size_t i = 0; i < 3; i++)
        for (int ipv6 = 0; ipv6 < 2; ipv6++) {
            struct pair *p = found(before[i], 0, ipv6);
            p->wire_mtu = 1400;
            transfer(p, 200000, 3);
            const struct hws_stats *stats = pair_stats(&p->a);
            assert_int_equal(stats->timeouts_t3, 1);
            assert_int_equal(stats->pmtu_black_holes, 1);
            pair_run(p, 20ull * SECOND);
            transfer(p, 10000, 20);
            assert_int_equal(pair_path(&p->a).mtu, 1400);
            assert_int_equal(stats->timeouts_t3, 1);
            pair_free(p);
        }
}

/* Small messages pass, and HEARTBEATs: the path is alive, but not for large packets. */
static void a_black_hole_among_small_messages(void **state)
{
    (void)state;
    struct pair *p = found(1500, 0, false);
    p->wire_mtu = 1300;
    pair_send_pattern(&p->a, 1, 0, 9, 20000);
    for (uint32_t i = 0; i < 60; i++) {
        pair_send_pattern(&p->a, 0, HWS_SEND_UNORDERED, 1, 100);
        pair_run(p, SECOND / 10);
    }
    assert_int_equal(pair_drain(&p->b), 20000 + 60 * 100);
    assert_in_range(pair_stats(&p->a)->timeouts_t3, 1, 2);
    assert_int_equal(pair_stats(&p->a)->pmtu_black_holes, 1);
    pair_free(p);
}

/* An outage is no black hole for long: what was known before is found again. */
static void an_outage(void **state)
{
    (void)state;
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct pair *p = found(1500, 0, ipv6);
        p->cut[0] = true;
        pair_send_pattern(&p->a, 0, 0, 7, 50000);
        pair_run(p, 20ull * SECOND);
        uint64_t probes = pair_stats(&p->a)->pmtu_probes;
        assert_in_range(probes, 1, 2 + 7 + 2); /* the last ones go with data, one each time */
        p->cut[0] = false;
        pair_run(p, 40ull * SECOND);
        pair_recv_pattern(&p->b, 0, 7, 50000);
        transfer(p, 50000, 20);
        assert_int_equal(pair_path(&p->a).mtu, 1500);
        pair_free(p);
    }
}

/* IPv4 paths narrower than BASE, found by data that is lost. */
static void narrower_than_base(void **state)
{
    (void)state;
    static const uint32_t wires[] = {576, 1006};
    for (size_t i = 0; i < 2; i++) {
        struct pair *p = connected(1500, wires[i], false);
        transfer(p, 20000, 30);
        assert_int_equal(pair_path(&p->a).mtu, wires[i]);
        pair_free(p);
    }
}

/* 4.3 is about any packet that is lost for its size: one that is not full is seen, too, though
 * nothing else is in flight. */
static void packets_that_are_not_full(void **state)
{
    (void)state;
    for (uint32_t wire = 576; wire < 1200; wire += 104)
        for (uint32_t len = wire - 40; len < 1160; len += 60) {
            struct pair *p = connected(1500, wire, false);
            transfer(p, len, 30);
            pair_free(p);
        }
}

/* The same for a packet of many small chunks. */
static void packets_of_many_chunks(void **state)
{
    (void)state;
    for (uint32_t count = 20; count < 60; count++) {
        struct pair *p = connected(1500, 576, false);
        for (uint32_t i = 0; i < count; i++)
            pair_send(&p->a, 0, 0, "x", 1);
        pair_run(p, 30ull * SECOND);
        assert_int_equal(pair_drain(&p->b), count);
        pair_free(p);
    }
}

/* Errors that were counted before, while setting up, hide nothing. */
static void data_lost_after_a_slow_set_up(void **state)
{
    (void)state;
    struct pair *p =
        pair_new(&(struct pair_options){.params = discovering, .mtu = 1500, .both_listen = true});
    p->wire_mtu = 576;
    pair_begin(&p->b);
    pair_lost(&p->b, "INIT");
    pair_wait(p, SECOND);
    pair_lost(&p->b, "INIT");
    pair_begin(&p->a);
    pair_settle(p);
    assert_true(pair_saw(&p->b, HWS_EVENT_UP));
    pair_send_pattern(&p->b, 0, 0, 7, 572);
    pair_run(p, 30ull * SECOND);
    pair_recv_pattern(&p->a, 0, 7, 572);
    pair_free(p);
}

/* Nor does the loss of a small packet hide that of a larger one that follows. */
static void a_small_loss_before_a_large_one(void **state)
{
    (void)state;
    struct pair *p = connected(1500, 576, false);
    pair_send(&p->a, 0, 0, "small", 5);
    pair_lost(&p->a, "DATA");
    pair_wait(p, SECOND);
    pair_lost(&p->a, "DATA");
    pair_send_pattern(&p->a, 0, 0, 7, 572);
    pair_run(p, 30ull * SECOND);
    pair_recv(&p->b, 0, "small", 5);
    pair_recv_pattern(&p->b, 0, 7, 572);
    pair_free(p);
}

static void soon_inactive(struct hws_params *a, struct hws_params *b)
{
    discovering(a, b);
    a->path_max_retrans = 0;
}

/* The only path there is is probed although it has failed. */
static void a_failed_path_without_alternative(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = soon_inactive, .mtu = 1500});
    p->wire_mtu = 576;
    pair_connect(p);
    transfer(p, 20000, 30);
    assert_int_equal(pair_path(&p->a).mtu, 576);
    pair_free(p);
}

static void never_giving_up(struct hws_params *a, struct hws_params *b)
{
    soon_inactive(a, b);
    a->assoc_max_retrans = 100;
}

/* Two paths fail in turn, and answer HEARTBEATs: each is probed although it has failed. */
static void failed_paths_in_turn(void **state)
{
    (void)state;
    for (uint32_t count = 1; count < 4; count++) {
        struct pair *p =
            pair_new(&(struct pair_options){.params = never_giving_up, .mtu = 1500, .addrs = 2});
        pair_connect(p);
        pair_run(p, 5ull * SECOND);
        p->wire_mtu = 576;
        for (uint32_t i = 0; i < count; i++)
            pair_send_pattern(&p->a, 0, 0, (uint8_t)i, 1140 / count);
        pair_run(p, 30ull * SECOND);
        for (uint32_t i = 0; i < count; i++)
            pair_recv_pattern(&p->b, 0, (uint8_t)i, 1140 / count);
        pair_free(p);
    }
}

static void patient(struct hws_params *a, struct hws_params *b)
{
    discovering(a, b);
    a->assoc_max_retrans = a->path_max_retrans = 100;
}

static void patient_and_searching_often(struct hws_params *a, struct hws_params *b)
{
    patient(a, b);
    a->pmtud_interval_us = SECOND;
}

/* Nor does an outage, during which no probe passed either, hide that they are too large. */
static void not_full_after_an_outage(void (*params)(struct hws_params *a, struct hws_params *b))
{
    for (uint32_t outage_s = 1; outage_s < 64; outage_s *= 2) {
        struct pair *p = pair_new(&(struct pair_options){.params = params, .mtu = 1500});
        pair_connect(p);
        p->wire_mtu = 576;
        p->cut[0] = true;
        pair_send_pattern(&p->a, 0, 0, 7, 572);
        pair_run(p, (uint64_t)outage_s * SECOND);
        p->cut[0] = false;
        pair_run(p, 200ull * SECOND);
        pair_recv_pattern(&p->b, 0, 7, 572);
        pair_free(p);
    }
}

static void packets_that_are_not_full_after_an_outage(void **state)
{
    (void)state;
    not_full_after_an_outage(patient);
    not_full_after_an_outage(patient_and_searching_often);
}

/* A restart in the middle of a search ends it (5.2.4 A); what comes then is measured anew. */
static void a_restart_during_the_search(void **state)
{
    (void)state;
    struct pair *p = connected(1500, 576, false);
    pair_send_pattern(&p->b, 0, 0, 7, 20000);
    pair_wait(p, SECOND / 2); /* probes and data are under way */
    while (p->b.wire_head != NULL)
        free(pair_take(&p->b));
    pair_reboot(&p->a, false);
    pair_begin(&p->a);
    pair_settle(p);
    assert_true(pair_saw(&p->b, HWS_EVENT_RESTART));
    pair_send_pattern(&p->b, 0, 0, 7, 20000);
    pair_run(p, 30ull * SECOND);
    pair_recv_pattern(&p->a, 0, 7, 20000);
    assert_int_equal(pair_path(&p->b).mtu, 576);
    pair_free(p);
}

/* ---- Wires that grow ---- */

static void growing_is_found_after_the_raise_timer(void **state)
{
    (void)state;
    struct pair *p = found(1500, 1400, false);
    p->wire_mtu = 0;
    transfer(p, 10000, 500);
    assert_int_equal(pair_path(&p->a).mtu, 1400);
    uint64_t probes = pair_stats(&p->a)->pmtu_probes;
    transfer(p, 10000, 120);
    assert_int_equal(pair_path(&p->a).mtu, 1500);
    assert_int_equal(pair_stats(&p->a)->pmtu_probes, probes + 1);
    assert_nothing_lost(p);
    pair_free(p);
}

static void searching_often(struct hws_params *a, struct hws_params *b)
{
    discovering(a, b);
    a->pmtud_interval_us = 20 * SECOND;
}

/* PMTU_RAISE_TIMER is a parameter; a path's own goes before its association's. */
static void the_raise_timer_is_set(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = searching_often, .mtu = 1500});
    p->wire_mtu = 1400;
    pair_connect(p);
    transfer(p, 10000, 10); /* it is found */
    p->wire_mtu = 1450;
    transfer(p, 10000, 8);
    assert_int_equal(pair_path(&p->a).mtu, 1400);
    transfer(p, 10000, 10);
    assert_int_equal(pair_path(&p->a).mtu, 1450);
    struct hws_path_params own;
    assert_int_equal(hws_path_params(p->a.engine, p->a.assoc, 0, &own), HWS_OK);
    assert_int_equal(own.pmtud_interval_us, 20 * SECOND);
    own.pmtud_interval_us = 100 * SECOND;
    pair_run(p, 10ull * SECOND); /* the search after 1450 was found is over */
    assert_int_equal(hws_path_set_params(p->a.engine, p->a.assoc, 0, &own, p->now_us), HWS_OK);
    pair_run(p, 25ull * SECOND); /* it holds from the next search on */
    transfer(p, 10000, 10);
    p->wire_mtu = 0;
    transfer(p, 10000, 60);
    assert_int_equal(pair_path(&p->a).mtu, 1450);
    transfer(p, 10000, 60);
    assert_int_equal(pair_path(&p->a).mtu, 1500);
    own.pmtud_interval_us = 0;
    assert_int_equal(hws_path_set_params(p->a.engine, p->a.assoc, 0, &own, p->now_us), HWS_E_INVAL);
    pair_free(p);
}

/* RFC 8899, 5.1.1: no probes while no data is sent; then they come with it. */
static void idle_paths_are_not_probed(void **state)
{
    (void)state;
    struct pair *p = found(1500, 1400, false);
    uint64_t probes = pair_stats(&p->a)->pmtu_probes;
    p->wire_mtu = 0;
    pair_run(p, 5000ull * SECOND);
    assert_int_equal(pair_stats(&p->a)->pmtu_probes, probes);
    transfer(p, 10000, 0);
    assert_int_equal(pair_stats(&p->a)->pmtu_probes, probes + 1);
    assert_int_equal(pair_path(&p->a).mtu, 1500);
    pair_free(p);
}

static void tell_mtu(struct pair *p, uint32_t mtu)
{
    struct hws_net_event event = {
        .kind = HWS_NET_MTU, .local = p->a.addr, .remote = p->b.addr, .mtu = mtu};
    hws_engine_net_event(p->a.engine, &event, p->now_us);
}

static void the_interface_changes(void **state)
{
    (void)state;
    struct pair *p = found(1500, 0, false);
    tell_mtu(p, 9000);
    assert_int_equal(pair_path(&p->a).mtu, 1500);
    transfer(p, 20000, 0);
    assert_int_equal(pair_path(&p->a).mtu, 9000);
    tell_mtu(p, 1400);
    assert_int_equal(pair_path(&p->a).mtu, 1400);
    p->wire_mtu = 1400;
    transfer(p, 20000, 0);
    assert_nothing_lost(p);
    pair_free(p);
}

/* ---- This host refuses (EMSGSIZE) ---- */

static void refuse(struct pair *p, const struct pair_packet *packet)
{
    struct hws_net_event event = {.kind = HWS_NET_SEND_FAILED,
                                  .reason = HWS_SEND_TOO_BIG,
                                  .local = packet->src,
                                  .remote = packet->dst,
                                  .packet_len = packet->len,
                                  .local_port = p->a.port,
                                  .remote_port = p->b.port};
    hws_engine_net_event(p->a.engine, &event, p->now_us);
}

static void a_refused_probe(void **state)
{
    (void)state;
    struct pair *p = connected(9000, 0, false);
    pair_send_pattern(&p->a, 0, 0, 7, 20000);
    while (!is_probe(pair_first(&p->a)) || ip_len(pair_first(&p->a)) < 9000) {
        struct pair_packet *packet = pair_first(&p->a);
        pair_arrives(&p->a, pair_chunks(packet));
        while (p->b.wire_head != NULL)
            pair_arrives(&p->b, pair_chunks(pair_first(&p->b)));
    }
    struct pair_packet *probe = pair_take(&p->a);
    refuse(p, probe);
    free(probe);
    p->wire_mtu = 4352;
    pair_settle(p);
    assert_int_equal(pair_path(&p->a).mtu, 4352);
    assert_nothing_lost(p);
    pair_free(p);
}

static void refused_data_is_sent_again_at_once(void **state)
{
    (void)state;
    struct pair *p = found(9000, 0, false);
    pair_send_pattern(&p->a, 0, 0, 7, 20000);
    uint32_t cwnd = pair_path(&p->a).cwnd;
    while (p->a.wire_head != NULL) {
        struct pair_packet *packet = pair_take(&p->a);
        refuse(p, packet);
        free(packet);
    }
    assert_int_equal(pair_path(&p->a).mtu, 1200);
    assert_int_equal(pair_path(&p->a).cwnd, cwnd);
    p->wire_mtu = 1500;
    pair_settle(p);
    pair_recv_pattern(&p->b, 0, 7, 20000);
    assert_int_equal(pair_stats(&p->a)->timeouts_t3, 0);
    pair_free(p);
}

/* ---- Company ---- */

static void chatty(struct hws_params *a, struct hws_params *b)
{
    discovering(a, b);
    a->hb_interval_us = SECOND / 4;
}

/* Each HEARTBEAT ACK finds its own HEARTBEAT. */
static void heartbeats_and_probes_together(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = chatty, .mtu = 9000});
    p->wire_mtu = 1300;
    pair_connect(p);
    transfer(p, 20000, 20);
    assert_nothing_lost(p);
    assert_int_equal(pair_path(&p->a).mtu, 1280);
    assert_int_equal(pair_stats(&p->a)->timeouts_heartbeat, 0);
    assert_int_equal(pair_stats(&p->a)->drop_heartbeat_ack, 0);
    assert_true(pair_stats(&p->a)->heartbeats_out > pair_stats(&p->a)->pmtu_probes + 10);
    pair_free(p);
}

/* Another's nonce, or one of a probe long answered, confirms nothing. */
static void false_answers_confirm_nothing(void **state)
{
    (void)state;
    struct pair *p = connected(1500, 0, false);
    pair_send_pattern(&p->a, 0, 0, 7, 3000);
    while (p->b.wire_head == NULL || strcmp(pair_chunks(p->b.wire_head), "HEARTBEAT-ACK") != 0) {
        struct pair_end *end = p->b.wire_head != NULL ? &p->b : &p->a;
        pair_arrives(end, pair_chunks(pair_first(end)));
    }
    struct pair_packet *answer = pair_take(&p->b);
    answer->data[answer->len - 1] ^= 1; /* the nonce's last byte */
    pair_inject(&p->a, answer->data, answer->len);
    assert_int_equal(pair_stats(&p->a)->drop_heartbeat_ack, 1);
    answer->data[answer->len - 1] ^= 1;
    pair_inject(&p->a, answer->data, answer->len);
    pair_inject(&p->a, answer->data, answer->len);
    assert_int_equal(pair_stats(&p->a)->drop_heartbeat_ack, 2);
    free(answer);
    assert_int_equal(pair_path(&p->a).mtu, 1200); /* BASE; 1500 is on the wire */
    pair_settle(p);
    assert_int_equal(pair_path(&p->a).mtu, 1500);
    pair_free(p);
}

/* 7.3, 1: each address has its own; those that carry no data know theirs as well. */
static void each_path_has_its_own(void **state)
{
    (void)state;
    struct pair *p =
        pair_new(&(struct pair_options){.params = discovering, .mtu = 9000, .addrs = 3});
    pair_connect(p);
    pair_run(p, 5ull * SECOND);
    p->cut[2] = true;
    transfer(p, 50000, 20);
    static const uint32_t mtus[] = {9000, 9000, 1200};
    for (uint32_t i = 0; i < 3; i++) {
        struct hws_path_status path;
        assert_int_equal(hws_assoc_path_status(p->a.engine, p->a.assoc, i, &path), HWS_OK);
        assert_int_equal(path.mtu, mtus[i]);
    }
    assert_int_equal(pair_stats(&p->a)->pmtu_probes, 3 + 3 + 6);
    pair_send_pattern(&p->a, 0, 0, 7, 50000); /* cut for the paths that are known (7.3, 2) */
    assert_int_equal(ip_len(pair_first(&p->a)), 9000);
    pair_free(p);
}

/* Data that moves to a path whose MTU nobody knows is cut to fit there. */
static void failover_to_an_unknown_path(void **state)
{
    (void)state;
    struct pair *p =
        pair_new(&(struct pair_options){.params = discovering, .mtu = 9000, .addrs = 2});
    pair_connect(p);
    pair_run(p, 5ull * SECOND);
    p->cut[1] = true;
    transfer(p, 50000, 20);
    p->cut[1] = false;
    p->cut[0] = true;
    pair_send_pattern(&p->a, 0, 0, 1, 9000);
    for (uint8_t i = 0; i < 20; i++)
        pair_send_pattern(&p->a, 0, 0, i, 5000);
    pair_run(p, SECOND * 19 / 10);
    pair_recv_pattern(&p->b, 0, 1, 9000);
    for (uint8_t i = 0; i < 20; i++)
        pair_recv_pattern(&p->b, 0, i, 5000);
    pair_free(p);
}

/* 9.2 with 8.3: no HEARTBEAT, so no probe, once SHUTDOWN is sent. */
static void no_probes_after_shutdown(void **state)
{
    (void)state;
    struct pair *p = connected(9000, 1500, false);
    transfer(p, 50000, 0);
    assert_int_equal(pair_stats(&p->a)->pmtu_probes, 3);
    pair_shutdown(&p->a);
    pair_lost(&p->a, "SHUTDOWN");
    pair_wait(p, 30ull * SECOND);
    assert_int_equal(pair_stats(&p->a)->pmtu_probes, 3);
    pair_run(p, 60ull * SECOND);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_free(p);
}

/* RFC 4820, 3: skipped, whatever is in it, and nobody is told. */
static void received_pads_mean_nothing(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    uint8_t buf[400];
    struct hws_builder b;
    pair_forge(&p->a, &b, buf, sizeof buf);
    assert_true(hws_chunk_put(&b, HWS_CHUNK_PAD, 0xff, "anything", 7));
    assert_true(hws_heartbeat_encode(&b, HWS_CHUNK_HEARTBEAT, "info", 4));
    assert_true(hws_pad_encode(&b));
    assert_int_equal(b.len, sizeof buf);
    pair_inject(&p->a, buf, hws_builder_finish(&b));
    pair_lost(&p->a, "HEARTBEAT-ACK");
    pair_silent(p);
    assert_int_equal(pair_stats(&p->a)->drop_chunk_unknown, 0);
    pair_free(p);
}

/* ---- Off ---- */

static void without_discovery_the_interface_decides(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.mtu = 9000});
    pair_connect(p);
    assert_int_equal(pair_path(&p->a).mtu, 9000);
    transfer(p, 100000, 700);
    assert_int_equal(pair_stats(&p->a)->pmtu_probes, 0);
    pair_send_pattern(&p->a, 0, 0, 7, 100000);
    pair_too_big(&p->a, pair_first(&p->a), 1400);
    assert_int_equal(pair_path(&p->a).mtu, 1400);
    pair_settle(p);
    pair_recv_pattern(&p->b, 0, 7, 100000);
    assert_int_equal(pair_stats(&p->a)->pmtu_probes, 0);
    pair_free(p);
}

static void set_path(struct pair *p, uint32_t mtu, bool pmtud)
{
    struct hws_path_params params;
    assert_int_equal(hws_path_params(p->a.engine, p->a.assoc, 0, &params), HWS_OK);
    params.mtu = mtu;
    params.pmtud = pmtud;
    assert_int_equal(hws_path_set_params(p->a.engine, p->a.assoc, 0, &params, p->now_us), HWS_OK);
}

static void the_application_decides(void **state)
{
    (void)state;
    struct pair *p = found(9000, 0, false);
    uint64_t probes = pair_stats(&p->a)->pmtu_probes;
    set_path(p, 1300, true);
    pair_send_pattern(&p->a, 0, 0, 7, 20000);
    assert_int_equal(ip_len(pair_first(&p->a)), 1300);
    pair_too_big(&p->a, pair_first(&p->a), 1280);
    tell_mtu(p, 1500);
    assert_int_equal(pair_path(&p->a).mtu, 1300);
    pair_settle(p);
    pair_recv_pattern(&p->b, 0, 7, 20000);
    assert_int_equal(pair_stats(&p->a)->pmtu_probes, probes);
    set_path(p, 0, false);
    assert_int_equal(pair_path(&p->a).mtu, 1500);
    set_path(p, 0, true);
    transfer(p, 20000, 1);
    assert_int_equal(pair_path(&p->a).mtu, 1500);
    assert_int_equal(pair_stats(&p->a)->pmtu_probes, probes + 2);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_messages_are_not_probed_for),
        cmocka_unit_test(probes_are_exact),
        cmocka_unit_test(whatever_the_interface_has_is_found),
        cmocka_unit_test(silent_wires_are_measured),
        cmocka_unit_test(lost_probes_cost_nothing),
        cmocka_unit_test(a_larger_mtu_is_no_larger_window),
        cmocka_unit_test(honest_icmp_spares_the_wait),
        cmocka_unit_test(forged_icmp_changes_nothing),
        cmocka_unit_test(icmp_about_an_init),
        cmocka_unit_test(shrinking_with_icmp),
        cmocka_unit_test(shrinking_in_silence),
        cmocka_unit_test(a_black_hole_among_small_messages),
        cmocka_unit_test(an_outage),
        cmocka_unit_test(narrower_than_base),
        cmocka_unit_test(packets_that_are_not_full),
        cmocka_unit_test(packets_of_many_chunks),
        cmocka_unit_test(data_lost_after_a_slow_set_up),
        cmocka_unit_test(a_small_loss_before_a_large_one),
        cmocka_unit_test(a_failed_path_without_alternative),
        cmocka_unit_test(failed_paths_in_turn),
        cmocka_unit_test(a_restart_during_the_search),
        cmocka_unit_test(packets_that_are_not_full_after_an_outage),
        cmocka_unit_test(growing_is_found_after_the_raise_timer),
        cmocka_unit_test(the_raise_timer_is_set),
        cmocka_unit_test(idle_paths_are_not_probed),
        cmocka_unit_test(the_interface_changes),
        cmocka_unit_test(a_refused_probe),
        cmocka_unit_test(refused_data_is_sent_again_at_once),
        cmocka_unit_test(heartbeats_and_probes_together),
        cmocka_unit_test(false_answers_confirm_nothing),
        cmocka_unit_test(each_path_has_its_own),
        cmocka_unit_test(failover_to_an_unknown_path),
        cmocka_unit_test(no_probes_after_shutdown),
        cmocka_unit_test(received_pads_mean_nothing),
        cmocka_unit_test(without_discovery_the_interface_decides),
        cmocka_unit_test(the_application_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
