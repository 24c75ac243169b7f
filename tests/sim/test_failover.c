/* How long an association stands still when a path fails, in virtual time: two hosts on parallel
 * links, messages both ways all the time, and the longest time in which a receiving application
 * got nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/host.h"

#define MS 1000u
#define SECOND 1000000u
#define DELAY_US (10 * MS) /* one way */
#define RATE_BYTES_PER_S 1250000u
#define QUEUE_BYTES 65536u
#define WINDOW_BYTES 49152u /* fills the links, not their queues: nothing is lost but by cuts */
#define BULK_BYTES 1200u
#define PACED_BYTES 100u
#define PACE_US (20 * MS)
#define START_US (5u * SECOND)
#define CUT_US (20u * SECOND)
#define END_US (60u * SECOND)
#define CONNECT_PORT 20000u
#define LISTEN_PORT 5000u

/* A window queued, and the delay. */
#define ONE_WAY_MAX_US (WINDOW_BYTES * 1000000ull / RATE_BYTES_PER_S + DELAY_US)
/* Both ways, and the SACK of a single packet, which may be delayed (6.2). */
#define RTT_MAX_US (2 * ONE_WAY_MAX_US + 200 * MS)

/* What one link lives through: down from `from_us` until `until_us`. */
struct cut {
    uint32_t link;
    uint64_t from_us, until_us;
    enum sim_outage_kind kind;
};

struct setup {
    uint32_t links;
    bool paced;
    const struct cut *cuts;
    uint32_t cut_count;
    void (*params)(struct hws_params *params);
};

/* One host's application. */
struct party {
    struct sim_host host;
    struct race *race;
    hws_assoc_id assoc;
    bool up, over;
    bool blocked;
    uint64_t next_send_us;
    uint64_t messages_in;
    uint64_t last_in_us, longest_us; /* longest time without a message, and when it ended */
    uint64_t longest_at_us;
};

struct race {
    const struct setup *setup;
    struct sim_world world;
    struct sim_net net;
    struct party parties[2];
};

static struct party *party_of(struct sim_host *host)
{
    return host->app;
}

static void got_message(struct party *p)
{
    uint64_t now_us = p->host.node.world->now_us;
    p->messages_in++;
    if (now_us >= START_US && p->last_in_us >= START_US && now_us - p->last_in_us > p->longest_us) {
        p->longest_us = now_us - p->last_in_us;
        p->longest_at_us = now_us;
    }
    p->last_in_us = now_us;
}

static void receive(struct party *p)
{
    static uint8_t buffer[2048];
    size_t len;
    struct hws_rcvinfo info;
    while (hws_assoc_recv(p->host.engine, p->assoc, buffer, sizeof buffer, &len, &info,
                          p->host.node.world->now_us) == HWS_OK) {
        p->host.changed = true;
        if (info.flags & HWS_RECV_EOR)
            got_message(p);
    }
}

static bool send_one(struct party *p, size_t len)
{
    static const uint8_t bytes[BULK_BYTES];
    struct hws_sndinfo info = {.sid = 0};
    struct hws_iovec iov = {bytes, len};
    int error =
        hws_assoc_send(p->host.engine, p->assoc, &info, &iov, 1, p->host.node.world->now_us);
    p->host.changed = p->host.changed || error == HWS_OK;
    return error == HWS_OK;
}

static void wake(struct sim_world *world, void *ctx, uint32_t arg)
{
    (void)world, (void)ctx, (void)arg;
}

static void send_paced(struct party *p)
{
    struct sim_world *world = p->host.node.world;
    if (world->now_us < p->next_send_us)
        return;
    send_one(p, PACED_BYTES);
    p->next_send_us = world->now_us + PACE_US;
    sim_world_call(world, PACE_US, &p->host.node, wake, NULL, 0);
}

static void party_turn(struct sim_host *host)
{
    struct party *p = party_of(host);
    if (p->assoc == 0)
        return;
    receive(p);
    if (!p->up || p->over)
        return;
    if (p->race->setup->paced)
        send_paced(p);
    else
        while (!p->blocked)
            p->blocked = !send_one(p, BULK_BYTES);
}

static void party_event(struct sim_host *host, const struct hws_event *event)
{
    struct party *p = party_of(host);
    if (event->type == HWS_EVENT_UP) {
        p->up = true;
        p->assoc = event->assoc;
        sim_host_watch(host, event->assoc);
    } else if (event->type == HWS_EVENT_WRITABLE) {
        p->blocked = false;
    } else if (event->type == HWS_EVENT_DOWN) {
        p->over = true;
    }
}

/* ---- The network ---- */

static struct hws_addr address(uint32_t host, uint32_t link)
{
    return (struct hws_addr){.family = HWS_FAMILY_IPV4,
                             .ip = {10, 0, (uint8_t)link, (uint8_t)(host + 1)}};
}

static void make_links(struct race *r)
{
    for (uint32_t from = 0; from < 2; from++)
        for (uint32_t a = 0; a < r->setup->links; a++)
            for (uint32_t b = 0; b < r->setup->links; b++)
                sim_net_link(&r->net, from, a, 1 - from, b)->config =
                    (struct sim_link_config){.delay_us = DELAY_US,
                                             .rate_bytes_per_s = RATE_BYTES_PER_S,
                                             .queue_bytes = QUEUE_BYTES,
                                             .mtu = 1500,
                                             .absent = a != b};
    for (uint32_t i = 0; i < r->setup->cut_count; i++) {
        const struct cut *c = &r->setup->cuts[i];
        struct sim_outage outage = {c->from_us, c->until_us, c->kind};
        assert_true(sim_net_cut(&r->net, 0, c->link, 1, c->link, outage));
    }
}

static uint64_t passed(struct race *r, uint32_t link)
{
    return sim_net_link(&r->net, 0, link, 1, link)->packets_passed +
           sim_net_link(&r->net, 1, link, 0, link)->packets_passed;
}

/* ---- The race ---- */

static hws_endpoint_id endpoint(struct party *p, uint16_t port)
{
    struct hws_params params;
    hws_params_default(&params);
    params.sndbuf_bytes = params.sndbuf_max_bytes = 1u << 20;
    params.rcvbuf_bytes = params.rcvbuf_max_bytes = WINDOW_BYTES;
    params.nodelay = true; /* or each paced message would wait for the SACK of the last one (6.1) */
    if (p->race->setup->params != NULL)
        p->race->setup->params(&params);
    const struct hws_endpoint_config config = {.port = port,
                                               .locals = p->host.node.addrs,
                                               .local_count = p->host.node.addr_count,
                                               .listening = port == LISTEN_PORT,
                                               .params = &params};
    hws_endpoint_id id;
    assert_int_equal(hws_endpoint_new(p->host.engine, &config, &id), HWS_OK);
    return id;
}

static struct race *race_new(const struct setup *setup)
{
    struct race *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->setup = setup;
    sim_world_init(&r->world, 1);
    sim_net_init(&r->net, &r->world, 1);
    for (uint32_t i = 0; i < 2; i++) {
        struct party *p = &r->parties[i];
        p->race = r;
        sim_host_init(
            &p->host, &r->net,
            &(struct sim_host_config){.seed = i + 1, .interface_mtu = 1500, .max_packets = 16});
        for (uint32_t link = 0; link < setup->links; link++) {
            struct hws_addr addr = address(i, link);
            sim_host_add_addr(&p->host, &addr);
        }
        p->host.app = p;
        p->host.on_event = party_event;
        p->host.on_turn = party_turn;
    }
    make_links(r);
    endpoint(&r->parties[1], LISTEN_PORT);
    hws_endpoint_id connector = endpoint(&r->parties[0], CONNECT_PORT);
    struct party *p = &r->parties[0];
    assert_int_equal(hws_assoc_connect(p->host.engine, connector, r->parties[1].host.node.addrs,
                                       setup->links, LISTEN_PORT, r->world.now_us, &p->assoc),
                     HWS_OK);
    sim_world_call(&r->world, 0, &p->host.node, wake, NULL, 0);
    return r;
}

static void race_run(struct race *r, uint64_t until_us)
{
    if (!sim_world_run(&r->world, until_us))
        fail_msg("%s", r->world.failure);
}

static void race_free(struct race *r)
{
    for (uint32_t i = 0; i < 2; i++)
        sim_host_fini(&r->parties[i].host);
    sim_world_fini(&r->world);
    sim_net_fini(&r->net);
    free(r);
}

/* The longest silence of either side; the association has to live at the end. */
static uint64_t longest_silence_us(struct race *r, const char *what)
{
    uint64_t longest_us = 0;
    for (uint32_t i = 0; i < 2; i++) {
        struct party *p = &r->parties[i];
        assert_true(p->up && !p->over);
        uint64_t tail_us = r->world.now_us - p->last_in_us;
        longest_us = p->longest_us > longest_us ? p->longest_us : longest_us;
        longest_us = tail_us > longest_us ? tail_us : longest_us;
    }
    print_message("%-58s %u links: %7.1f ms without progress (%7.1f one way, %7.1f the other)\n",
                  what, r->setup->links, (double)longest_us / 1e3,
                  (double)r->parties[0].longest_us / 1e3, (double)r->parties[1].longest_us / 1e3);
    return longest_us;
}

static uint64_t silence_us(const struct setup *setup, const char *what)
{
    struct race *r = race_new(setup);
    race_run(r, END_US);
    uint64_t longest_us = longest_silence_us(r, what);
    race_free(r);
    return longest_us;
}

static const struct cut primary_cut[] = {{0, CUT_US, END_US, SIM_OUTAGE_SILENT}};

static void without_a_cut(void **state)
{
    (void)state;
    for (uint32_t paced = 0; paced < 2; paced++) {
        const struct setup setup = {.links = 2, .paced = paced};
        uint64_t longest_us =
            silence_us(&setup, paced ? "paced, nothing cut" : "bulk, nothing cut");
        assert_in_range(longest_us, 1, RTT_MAX_US);
    }
}

/* ---- A silent cut ----
 *
 * The last SACK before the cut starts T3 (6.3.2, R3), or the next message does (R1): PACE_US later
 * at most. A tail loss probe, sent within one RTT_MAX_US, starts it once more (RFC 8985, 7). Its
 * first expiry makes the path Potentially Failed (RFC 7829, 3.2, PFMR 0), and what is outstanding
 * goes to the other path at once (6.3.3, E3; 6.4.1). There it takes one RTT_MAX_US at most until
 * the lowest TSN has arrived. So one RTO, and for the tail two round trips and the pace. RTO itself
 * is RTO.Min, or SRTT + 4 * RTTVAR, at most three round trips here. */
static uint64_t bound_us(uint64_t rto_min_us)
{
    uint64_t rto_us = rto_min_us > 3 * RTT_MAX_US ? rto_min_us : 3 * RTT_MAX_US;
    return rto_us + 2 * RTT_MAX_US + PACE_US;
}

static void defaults(void **state)
{
    (void)state;
    for (uint32_t paced = 0; paced < 2; paced++) {
        const struct setup setup = {
            .links = 2, .paced = paced, .cuts = primary_cut, .cut_count = 1};
        uint64_t longest_us = silence_us(&setup, paced ? "paced, primary cut silently"
                                                       : "bulk, primary cut silently");
        assert_in_range(longest_us, SECOND / 2, bound_us(SECOND));
    }
}

static void rto_min_100ms(struct hws_params *params)
{
    params->rto_min_us = 100 * MS;
}

static void rto_min(void **state)
{
    (void)state;
    for (uint32_t paced = 0; paced < 2; paced++) {
        const struct setup setup = {.links = 2,
                                    .paced = paced,
                                    .cuts = primary_cut,
                                    .cut_count = 1,
                                    .params = rto_min_100ms};
        uint64_t longest_us = silence_us(&setup, paced ? "paced, cut silently, RTO.Min 100 ms"
                                                       : "bulk, cut silently, RTO.Min 100 ms");
        assert_in_range(longest_us, 1, SECOND - 1);
    }
}

/* Potentially Failed only at the third timeout: until then new data goes to the primary, and only
 * what T3 gave up goes elsewhere (6.4.1). T3 doubles (6.3.3, E2), so the last wait is the longest,
 * 4 * RTO; and with two retransmissions less it is RTO. */
static void three_timeouts(struct hws_params *params)
{
    params->pf_max_retrans = 2;
    params->path_max_retrans = 5;
}

static void later_failover(void **state)
{
    (void)state;
    for (uint32_t paced = 0; paced < 2; paced++) {
        const struct setup setup = {.links = 2,
                                    .paced = paced,
                                    .cuts = primary_cut,
                                    .cut_count = 1,
                                    .params = three_timeouts};
        uint64_t longest_us = silence_us(&setup, paced ? "paced, cut silently, PFMR 2"
                                                       : "bulk, cut silently, PFMR 2");
        assert_in_range(longest_us, bound_us(SECOND), 3 * SECOND + bound_us(SECOND));
    }
}

/* ---- The interface is down: nobody has to wait for a timer ---- */

static void send_failure(void **state)
{
    (void)state;
    static const struct cut cuts[] = {{0, CUT_US, END_US, SIM_OUTAGE_SEND_FAILED}};
    for (uint32_t paced = 0; paced < 2; paced++) {
        const struct setup setup = {.links = 2, .paced = paced, .cuts = cuts, .cut_count = 1};
        struct race *r = race_new(&setup);
        race_run(r, END_US);
        longest_silence_us(r, paced ? "paced, interface of one side down"
                                    : "bulk, interface of one side down");
        /* What the other side gets comes from the one whose interface is down. */
        assert_in_range(r->parties[1].longest_us, 1, ONE_WAY_MAX_US + PACE_US);
        assert_in_range(r->parties[0].longest_us, 1, bound_us(SECOND));
        race_free(r);
    }
}

/* ---- The path comes back ---- */

static void comes_back(void **state)
{
    (void)state;
    static const struct cut cuts[] = {{0, CUT_US, CUT_US + 10u * SECOND, SIM_OUTAGE_SILENT}};
    const struct setup setup = {.links = 2, .cuts = cuts, .cut_count = 1};
    struct race *r = race_new(&setup);
    race_run(r, CUT_US + 10u * SECOND);
    uint64_t primary_down = passed(r, 0), other_down = passed(r, 1);
    assert_true(other_down > primary_down / 4);
    /* HEARTBEATs are sent every RTO, which doubles (RFC 7829, 3.2): as long as the cut at most. */
    race_run(r, END_US - 10u * SECOND);
    uint64_t primary_back = passed(r, 0), other_back = passed(r, 1);
    assert_true(primary_back > primary_down);
    race_run(r, END_US);
    print_message("after the cut: %u packets on the primary, %u on the other path\n",
                  (unsigned)(passed(r, 0) - primary_back), (unsigned)(passed(r, 1) - other_back));
    assert_true(passed(r, 0) - primary_back > 1000);
    assert_in_range(passed(r, 1) - other_back, 0, 20);
    assert_in_range(longest_silence_us(r, "bulk, primary cut for 10 s"), 1, bound_us(SECOND));
    race_free(r);
}

static void flaps(void **state)
{
    (void)state;
    struct cut cuts[5];
    for (uint32_t i = 0; i < 5; i++)
        cuts[i] = (struct cut){0, CUT_US + 6ull * i * SECOND, CUT_US + (6ull * i + 2) * SECOND,
                               SIM_OUTAGE_SILENT};
    for (uint32_t paced = 0; paced < 2; paced++) {
        const struct setup setup = {.links = 2, .paced = paced, .cuts = cuts, .cut_count = 5};
        uint64_t longest_us = silence_us(&setup, paced ? "paced, primary down 2 s of every 6 s"
                                                       : "bulk, primary down 2 s of every 6 s");
        assert_in_range(longest_us, 1, bound_us(SECOND));
    }
}

/* ---- More paths ---- */

static void more_links(void **state)
{
    (void)state;
    for (uint32_t links = 4; links <= 8; links += 4)
        for (uint32_t paced = 0; paced < 2; paced++) {
            const struct setup setup = {
                .links = links, .paced = paced, .cuts = primary_cut, .cut_count = 1};
            uint64_t longest_us = silence_us(&setup, paced ? "paced, primary cut silently"
                                                           : "bulk, primary cut silently");
            assert_in_range(longest_us, 1, bound_us(SECOND));
        }
}

/* Each path has to fail by itself before the next one is tried. */
static void all_but_the_last(void **state)
{
    (void)state;
    struct cut cuts[7];
    for (uint32_t i = 0; i < 7; i++)
        cuts[i] = (struct cut){i, CUT_US, END_US, SIM_OUTAGE_SILENT};
    for (uint32_t links = 2; links <= 8; links *= 2)
        for (uint32_t paced = 0; paced < 2; paced++) {
            const struct setup setup = {
                .links = links, .paced = paced, .cuts = cuts, .cut_count = links - 1};
            uint64_t longest_us = silence_us(&setup, paced ? "paced, all but the last link cut"
                                                           : "bulk, all but the last link cut");
            assert_in_range(longest_us, 1, (links - 1) * bound_us(SECOND));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_cut),
        cmocka_unit_test(defaults),
        cmocka_unit_test(rto_min),
        cmocka_unit_test(later_failover),
        cmocka_unit_test(send_failure),
        cmocka_unit_test(comes_back),
        cmocka_unit_test(flaps),
        cmocka_unit_test(more_links),
        cmocka_unit_test(all_but_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
