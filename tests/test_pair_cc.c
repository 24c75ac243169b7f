/* Stories of congestion controllers as an extension brings them: what is asked of them, what
 * becomes of nonsense, and pacing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/pair.h"

#define SECOND 1000000u

/* A controller that answers what the story wants, and notes what it is told. */
static struct {
    uint32_t cwnd_bytes;
    uint64_t rate;
    uint32_t starts, acks, losses, timeouts;
    uint32_t rtt_us; /* of the last ack that had one */
} told;

static void told_init(void *state, const struct hws_cc_config *config)
{
    assert_true(config->pmdcs_bytes > 500);
    memset(state, 0xff, HWS_EXT_CC_STATE_MAX);
    told.starts++;
}

static void told_ack(void *state, const struct hws_cc_ack *ack)
{
    (void)state;
    told.acks++;
    if (ack->rtt_us != 0)
        told.rtt_us = ack->rtt_us;
}

static void told_loss(void *state, uint64_t now_us, uint32_t flight_bytes)
{
    (void)state, (void)now_us, (void)flight_bytes;
    told.losses++;
}

static void told_timeout(void *state, uint64_t now_us, uint32_t flight_bytes)
{
    (void)state, (void)now_us, (void)flight_bytes;
    told.timeouts++;
}

static uint32_t told_cwnd(const void *state)
{
    (void)state;
    return told.cwnd_bytes;
}

static uint64_t told_rate(const void *state)
{
    (void)state;
    return told.rate;
}

/* With as few functions as there may be. */
#define TOLD                                                                                       \
    .state_size = HWS_EXT_CC_STATE_MAX, .init = told_init, .ack = told_ack, .loss = told_loss,     \
    .timeout = told_timeout, .cwnd = told_cwnd

static const struct hws_cc_ops told_ops = {.name = "told", TOLD};
static const struct hws_cc_ops paced_ops = {.name = "paced", TOLD, .pacing = told_rate};

static const struct hws_cc_ops *const list[] = {&told_ops, &paced_ops, NULL};
static const struct hws_extension extension = {.api = HWS_EXTEND_API, .name = "cc", .ccs = list};
static const struct hws_extension *const extensions[] = {&extension};

static const char *name;

static void use_it(struct hws_params *a, struct hws_params *b)
{
    (void)b;
    a->cc = name;
    a->nodelay = true;
    a->max_burst_bytes = 1u << 20;
}

static struct pair *begin(const char *cc, uint32_t cwnd_bytes, uint64_t rate)
{
    memset(&told, 0, sizeof told);
    told.cwnd_bytes = cwnd_bytes;
    told.rate = rate;
    name = cc;
    struct pair *p = pair_new(
        &(struct pair_options){.params = use_it, .extensions = extensions, .extension_count = 1});
    pair_connect_and_talk(p);
    assert_int_equal(told.starts, 1);
    return p;
}

static void it_is_asked_and_told(void **state)
{
    (void)state;
    struct pair *p = begin("told", 5000, 0);
    uint32_t acks = told.acks;
    pair_send_pattern(&p->a, 0, 0, 1, 20000);
    assert_in_range(pair_path(&p->a).flight_bytes, 5000, 6500);
    assert_int_equal(pair_path(&p->a).cwnd, 5000);
    pair_wait(p, 30000);
    pair_settle(p);
    pair_run(p, SECOND);
    pair_recv_pattern(&p->b, 0, 1, 20000);
    assert_true(told.acks > acks);
    assert_int_equal(told.rtt_us, 30000);
    pair_send(&p->a, 0, 0, "x", 1);
    pair_lost(&p->a, "DATA");
    pair_run(p, 5ull * SECOND);
    assert_int_equal(told.timeouts, 1);
    assert_int_equal(pair_stats(&p->a)->cc_refused, 0);
    pair_free(p);
}

/* A window of nothing would stand still, one without end would flood: neither is taken. */
static void nonsense_is_refused(void **state)
{
    (void)state;
    struct pair *p = begin("told", 0, 0);
    pair_send_pattern(&p->a, 0, 0, 1, 20000);
    pair_run(p, 60ull * SECOND);
    pair_recv_pattern(&p->b, 0, 1, 20000);
    uint64_t refused = pair_stats(&p->a)->cc_refused;
    assert_true(refused > 0);
    told.cwnd_bytes = UINT32_MAX;
    pair_send_pattern(&p->a, 0, 0, 2, 20000);
    pair_run(p, SECOND);
    pair_recv_pattern(&p->b, 0, 2, 20000);
    assert_int_equal(pair_path(&p->a).cwnd, HWS_EXT_CWND_MAX);
    assert_true(pair_stats(&p->a)->cc_refused > refused);
    pair_free(p);
}

/* ---- Pacing ---- */

#define PMDCS 1468u /* of 1500 bytes of IP */

static uint32_t packets_on_wire(struct pair *p)
{
    uint32_t count = 0;
    while (p->a.wire_head != NULL) {
        free(pair_take(&p->a));
        count++;
    }
    return count;
}

/* 100 packets a second: two at once after silence, and one more every 10 ms. */
static void data_leaves_at_its_rate(void **state)
{
    (void)state;
    struct pair *p = begin("paced", 1u << 20, 100 * PMDCS);
    pair_run(p, SECOND);
    pair_send_pattern(&p->a, 0, 0, 1, 100000);
    assert_in_range(packets_on_wire(p), 2, 3);
    for (unsigned i = 0; i < 20; i++) {
        pair_wait(p, 9000);
        assert_true(packets_on_wire(p) <= 1);
        pair_wait(p, 1000);
        (void)packets_on_wire(p);
    }
    uint64_t before = p->a.packets;
    pair_wait(p, SECOND / 10);
    assert_in_range(p->a.packets - before, 9, 11);
    pair_run(p, 60ull * SECOND);
    pair_recv_pattern(&p->b, 0, 1, 100000);
    pair_free(p);
}

/* Absurd rates: less than one that ever ends is brought there, and one beyond any link is none. */
static void absurd_rates(void **state)
{
    (void)state;
    struct pair *p = begin("paced", 1u << 20, 1);
    pair_run(p, 10ull * SECOND);
    pair_send_pattern(&p->a, 0, 0, 1, 10000);
    pair_run(p, 15ull * SECOND);
    pair_recv_pattern(&p->b, 0, 1, 10000);
    assert_true(pair_stats(&p->a)->cc_refused > 0);
    told.rate = UINT64_MAX;
    pair_send_pattern(&p->a, 0, 0, 1, 100000);
    pair_settle(p);
    pair_recv_pattern(&p->b, 0, 1, 100000);
    told.rate = 0;
    pair_send_pattern(&p->a, 0, 0, 1, 100000);
    pair_settle(p);
    pair_recv_pattern(&p->b, 0, 1, 100000);
    pair_free(p);
}

/* An association that waits for its rate ends like any other. */
static void the_end_waits_for_the_rate(void **state)
{
    (void)state;
    struct pair *p = begin("paced", 1u << 20, 100 * PMDCS);
    pair_send_pattern(&p->a, 0, 0, 1, 50000);
    pair_shutdown(&p->a);
    pair_run(p, 10ull * SECOND);
    pair_recv_pattern(&p->b, 0, 1, 50000);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(p->a.reason, HWS_E_EOF);
    pair_free(p);
}

static void sack_each(struct hws_params *a, struct hws_params *b)
{
    use_it(a, b);
    b->sack_packets = 1;
}

/* Packets leave by another source from now on (7.2.5): what waits for the rate goes on. */
static void a_new_route_holds_nothing_up(void **state)
{
    (void)state;
    memset(&told, 0, sizeof told);
    told.cwnd_bytes = 1u << 20;
    told.rate = 100 * PMDCS;
    name = "paced";
    struct pair *p = pair_new(&(struct pair_options){
        .addrs = 2, .params = sack_each, .extensions = extensions, .extension_count = 1});
    pair_connect_and_talk(p);
    pair_run(p, SECOND);
    pair_send_pattern(&p->a, 0, 0, 1, 4 * PMDCS);
    pair_settle(p);
    assert_int_equal(pair_path(&p->a).flight_bytes, 0);
    assert_true(pair_status(&p->a).unacked_bytes > 0);
    const struct hws_net_event moved = {.kind = HWS_NET_MTU,
                                        .assoc = p->a.assoc,
                                        .local = p->a.addrs[1],
                                        .remote = p->b.addr,
                                        .mtu = 1500};
    hws_engine_net_event(p->a.engine, &moved, p->now_us);
    pair_run(p, SECOND);
    pair_recv_pattern(&p->b, 0, 1, 4 * PMDCS);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_asked_and_told),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(data_leaves_at_its_rate),
        cmocka_unit_test(absurd_rates),
        cmocka_unit_test(the_end_waits_for_the_rate),
        cmocka_unit_test(a_new_route_holds_nothing_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
