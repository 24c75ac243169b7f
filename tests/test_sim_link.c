/* Links of the simulator: times to the nanosecond, counts, and the laws that their models follow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/link.h"

#define MS UINT64_C(1000000)
#define S UINT64_C(1000000000)
#define PACKET 1000u

static struct hws_buf buf;

static void never(struct hws_buf *b)
{
    (void)b;
    fail_msg("a reference too many was given back");
}

static struct sim_link_config plain(void)
{
    return (struct sim_link_config){.queue_bytes = 10 * PACKET,
                                    .mtu = 1500,
                                    .codel_target_ns = 5 * MS,
                                    .codel_interval_ns = 100 * MS,
                                    .burst_loss_ppm = 1000000,
                                    .burst_end_ppm = 1000000};
}

static void open_link(struct sim_link *link, const struct sim_link_config *config)
{
    buf = (struct hws_buf){.refs = 1, .release = never};
    sim_link_init(link, config, "l", 0, 7);
}

static void close_link(struct sim_link *link)
{
    sim_link_fini(link);
    assert_int_equal(buf.refs, 1);
}

static void send_tos(struct sim_link *link, uint32_t bytes, uint64_t now_ns, uint8_t tos)
{
    const struct sim_packet packet = {.buf = hws_buf_ref(&buf), .ip_bytes = bytes, .tos = tos};
    sim_link_send(link, &packet, now_ns);
}

static void send(struct sim_link *link, uint32_t bytes, uint64_t now_ns)
{
    send_tos(link, bytes, now_ns, 0);
}

/* The next packet, as a clock would take it; its time of arrival. */
static uint64_t take(struct sim_link *link, struct sim_packet *packet)
{
    for (;;) {
        uint64_t next_ns = sim_link_next(link);
        if (next_ns == UINT64_MAX)
            return UINT64_MAX;
        if (sim_link_take(link, packet, next_ns)) {
            hws_buf_unref(packet->buf);
            assert_int_equal(packet->at_ns, next_ns);
            return next_ns;
        }
    }
}

static uint64_t drops(const struct sim_link *link)
{
    uint64_t sum = 0;
    for (uint32_t why = 0; why < SIM_DROPS; why++)
        sum += link->drops[why];
    return sum;
}

static void packets_take_their_time(void **state)
{
    struct sim_link_config config = plain();
    struct sim_link link;
    struct sim_packet p;
    (void)state;
    config.rate_bit_s = 8000000; /* a byte in a microsecond */
    config.delay_ns = 20 * MS;
    config.overhead_bytes = 18;
    open_link(&link, &config);
    send(&link, PACKET, 0);
    send(&link, 500, 0);
    send(&link, PACKET, 10 * MS);
    assert_int_equal(take(&link, &p), 20 * MS + 1018000);
    assert_int_equal(take(&link, &p), 20 * MS + 1018000 + 518000);
    assert_int_equal(take(&link, &p), 30 * MS + 1018000);
    assert_int_equal(take(&link, &p), UINT64_MAX);
    assert_int_equal(link.busy_ns, 1018000 + 518000 + 1018000);
    assert_int_equal(link.packets, 3);
    assert_int_equal(link.bytes, 2500);
    close_link(&link);
}

static void a_full_queue_drops(void **state)
{
    struct sim_link_config config = plain();
    struct sim_link link;
    struct sim_packet p;
    (void)state;
    config.rate_bit_s = 8000000;
    open_link(&link, &config);
    for (int i = 0; i < 15; i++)
        send(&link, PACKET, 0); /* one is transmitted, ten wait */
    assert_int_equal(link.drops[SIM_DROP_QUEUE], 4);
    assert_int_equal(link.queue_max_bytes, 10 * PACKET);
    send(&link, PACKET, 1 * MS); /* the second one leaves the queue at that moment */
    assert_int_equal(link.drops[SIM_DROP_QUEUE], 4);
    send(&link, 1501, 1 * MS);
    assert_int_equal(link.drops[SIM_DROP_MTU], 1);
    for (int i = 0; i < 12; i++)
        assert_int_equal(take(&link, &p), (uint64_t)(i + 1) * MS);
    assert_int_equal(take(&link, &p), UINT64_MAX);
    /* The first two did not wait, the others 1 .. 10 ms. */
    assert_int_equal(sim_histogram_quantile(&link.wait_us, 1000), 10000);
    close_link(&link);
}

/* The first packet arrives after a second: nobody has asked the link for anything before. */
static void counts_are_those_of_the_moment(void **state)
{
    struct sim_link_config config = plain();
    struct sim_link link;
    struct sim_packet p;
    (void)state;
    config.rate_bit_s = 8000000; /* 1 ms for a packet */
    config.delay_ns = S;
    open_link(&link, &config);
    for (int i = 0; i < 10; i++)
        send(&link, PACKET, 0);
    sim_link_count_anew(&link, 4 * MS + MS / 4); /* the fifth packet is on its way out */
    assert_int_equal(link.packets, 0);
    assert_int_equal(link.queue_max_bytes, 5 * PACKET);
    sim_link_catch_up(&link, 7 * MS + MS / 2);
    assert_int_equal(link.packets, 3);
    assert_int_equal(link.bytes, 3 * PACKET);
    assert_int_equal(sim_link_busy_ns(&link, 7 * MS + MS / 2), 3 * MS + MS / 4);
    assert_int_equal(sim_histogram_quantile(&link.wait_us, 1000), 7000);
    while (take(&link, &p) != UINT64_MAX)
        continue;
    assert_int_equal(link.packets, 5);
    assert_int_equal(sim_link_busy_ns(&link, S), 5 * MS + 3 * MS / 4);
    close_link(&link);
}

static void losses_are_as_many_as_asked_for(void **state)
{
    struct sim_link_config config = plain();
    struct sim_link link;
    struct sim_packet p;
    (void)state;
    config.loss_ppm = 20000;
    open_link(&link, &config);
    for (uint64_t i = 0; i < 100000; i++) {
        send(&link, PACKET, i);
        take(&link, &p);
    }
    /* 2000, with a standard deviation of 44. */
    assert_in_range(link.drops[SIM_DROP_LOSS], 1800, 2200);
    close_link(&link);
}

static void bursts_have_their_length(void **state)
{
    enum { PACKETS = 200000 };
    struct sim_link_config config = plain();
    struct sim_link link;
    struct sim_packet p;
    uint64_t bursts = 0;
    bool lost = false;
    (void)state;
    config.burst_begin_ppm = 10000; /* one in a hundred packets begins a burst */
    config.burst_end_ppm = 250000;  /* of four packets */
    open_link(&link, &config);
    for (uint64_t i = 0; i < PACKETS; i++) {
        uint64_t before = link.drops[SIM_DROP_LOSS];
        send(&link, PACKET, i);
        take(&link, &p);
        bool lost_too = link.drops[SIM_DROP_LOSS] != before;
        bursts += lost_too && !lost;
        lost = lost_too;
    }
    /* In the bad state for 4 of 104 packets. */
    assert_in_range(link.drops[SIM_DROP_LOSS], PACKETS / 26 * 95 / 100, PACKETS / 26 * 105 / 100);
    assert_in_range(link.drops[SIM_DROP_LOSS] * 100 / bursts, 380, 420);
    close_link(&link);
}

static void outages_cut_what_comes_and_what_leaves(void **state)
{
    struct sim_link_config config = plain();
    struct sim_link link;
    struct sim_packet p;
    (void)state;
    config.rate_bit_s = 8000000;
    config.outages[0] = (struct sim_outage){2 * MS + 1, 4 * MS};
    config.outages[1] = (struct sim_outage){10 * MS, 11 * MS};
    config.outage_count = 2;
    open_link(&link, &config);
    for (int i = 0; i < 6; i++)
        send(&link, PACKET, 0);  /* they leave at 0, 1, .. 5 ms: the fourth is cut */
    send(&link, PACKET, 3 * MS); /* comes in between */
    send(&link, PACKET, 10 * MS);
    send(&link, PACKET, 11 * MS);
    int arrived = 0;
    while (take(&link, &p) != UINT64_MAX)
        arrived++;
    assert_int_equal(link.drops[SIM_DROP_OUTAGE], 3);
    assert_int_equal(arrived, 6);
    close_link(&link);
}

static void jitter_keeps_the_order_and_reordering_does_not(void **state)
{
    enum { PACKETS = 10000 };
    struct sim_link_config config = plain();
    struct sim_link link;
    struct sim_packet p;
    uint64_t last_ns = 0, late = 0;
    (void)state;
    config.delay_ns = MS;
    config.jitter_ns = MS;
    open_link(&link, &config);
    for (uint16_t i = 0; i < 100; i++) {
        const struct sim_packet packet = {
            .buf = hws_buf_ref(&buf), .ip_bytes = 100, .association = i};
        sim_link_send(&link, &packet, i * 1000);
    }
    for (uint16_t i = 0; i < 100; i++) {
        uint64_t at_ns = take(&link, &p);
        assert_int_equal(p.association, i);
        assert_in_range(at_ns, last_ns, i * 1000 + 2 * MS);
        last_ns = at_ns;
    }
    close_link(&link);

    config.jitter_ns = 0;
    config.reorder_ppm = 100000;
    config.reorder_ns = 5 * MS;
    config.queue_bytes = UINT64_MAX / 2;
    config.rate_bit_s = 800000000; /* 1.25 us for 125 bytes: some still wait when others arrive */
    open_link(&link, &config);
    uint16_t expected = 0;
    for (uint16_t i = 0; i < PACKETS; i++) {
        const struct sim_packet packet = {
            .buf = hws_buf_ref(&buf), .ip_bytes = 125, .association = i};
        sim_link_send(&link, &packet, 0);
    }
    last_ns = 0;
    for (uint16_t i = 0; i < PACKETS; i++) {
        uint64_t at_ns = take(&link, &p), due_ns = MS + (p.association + UINT64_C(1)) * 1250;
        assert_true(at_ns == due_ns || at_ns == due_ns + 5 * MS);
        assert_true(at_ns >= last_ns);
        last_ns = at_ns;
        late += p.association != expected;
        expected = (uint16_t)(p.association + 1);
    }
    assert_in_range(late, 500, 3000);
    close_link(&link);
}

/* Twice as much as leaves comes all the time. */
static void codel_drops_ever_faster(void **state)
{
    struct sim_link_config config = plain();
    struct sim_link link;
    struct sim_packet p;
    uint64_t at_ns[64], count = 0;
    (void)state;
    config.rate_bit_s = 8000000; /* 1 ms for a packet */
    config.queue_bytes = UINT64_MAX / 2;
    config.aqm = SIM_AQM_CODEL;
    open_link(&link, &config);
    for (uint64_t i = 0; i < 4000; i++) {
        uint64_t before = link.drops[SIM_DROP_AQM];
        send(&link, PACKET, i * MS / 2);
        while (sim_link_next(&link) <= i * MS / 2)
            if (sim_link_take(&link, &p, i * MS / 2))
                hws_buf_unref(p.buf);
        if (link.drops[SIM_DROP_AQM] != before && count < 64)
            at_ns[count++] = i * MS / 2;
    }
    /* Above target (5 ms) after 10 ms, dropping an interval later, then after intervals of
     * 100 ms / sqrt(n) (RFC 8289, 5.2): 100, 70.7, 57.7, 50, ... Packets begin every millisecond.
     */
    static const uint64_t gaps_ms[] = {100, 71, 58, 50, 45, 41, 38, 35, 33};
    assert_in_range(at_ns[0], 109 * MS, 113 * MS);
    for (size_t i = 0; i < sizeof gaps_ms / sizeof gaps_ms[0]; i++)
        assert_in_range(at_ns[i + 1] - at_ns[i], (gaps_ms[i] - 2) * MS, (gaps_ms[i] + 2) * MS);
    while (take(&link, &p) != UINT64_MAX)
        continue;
    close_link(&link);
}

static void codel_lets_short_queues_be(void **state)
{
    struct sim_link_config config = plain();
    struct sim_link link;
    struct sim_packet p;
    (void)state;
    config.rate_bit_s = 8000000;
    config.queue_bytes = UINT64_MAX / 2;
    config.aqm = SIM_AQM_CODEL;
    open_link(&link, &config);
    for (uint64_t i = 0; i < 5000; i += 5) {
        for (int k = 0; k < 5; k++) /* bursts of 5 ms: the last one waits 4 ms */
            send(&link, PACKET, i * MS);
        for (int k = 0; k < 5; k++)
            take(&link, &p);
    }
    assert_int_equal(drops(&link), 0);
    close_link(&link);
}

static void ecn_marks_those_who_can(void **state)
{
    struct sim_link_config config = plain();
    struct sim_link link;
    struct sim_packet p;
    uint64_t marked = 0;
    (void)state;
    config.rate_bit_s = 8000000;
    config.queue_bytes = UINT64_MAX / 2;
    config.aqm = SIM_AQM_CODEL;
    config.ecn = true;
    open_link(&link, &config);
    for (uint64_t i = 0; i < 2000; i++)
        send_tos(&link, PACKET, i * MS / 2, i % 2 == 0 ? 2 : 0);
    while (take(&link, &p) != UINT64_MAX)
        marked += (p.tos & SIM_ECN_MASK) == SIM_ECN_CE;
    assert_int_equal(marked, link.marks);
    assert_true(marked > 5);
    assert_true(link.drops[SIM_DROP_AQM] > 5); /* every other one cannot be marked */
    assert_int_equal(drops(&link), link.drops[SIM_DROP_AQM]);
    close_link(&link);

    config = plain();
    config.rate_bit_s = 8000000;
    config.ecn = true;
    config.ecn_bytes = 3 * PACKET;
    open_link(&link, &config);
    for (int i = 0; i < 8; i++)
        send_tos(&link, PACKET, 0, 1);
    assert_int_equal(link.marks, 3); /* one leaves, 0 .. 3 packets wait, then more */
    while (take(&link, &p) != UINT64_MAX)
        continue;
    close_link(&link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_take_their_time),
        cmocka_unit_test(a_full_queue_drops),
        cmocka_unit_test(counts_are_those_of_the_moment),
        cmocka_unit_test(losses_are_as_many_as_asked_for),
        cmocka_unit_test(bursts_have_their_length),
        cmocka_unit_test(outages_cut_what_comes_and_what_leaves),
        cmocka_unit_test(jitter_keeps_the_order_and_reordering_does_not),
        cmocka_unit_test(codel_drops_ever_faster),
        cmocka_unit_test(codel_lets_short_queues_be),
        cmocka_unit_test(ecn_marks_those_who_can),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
