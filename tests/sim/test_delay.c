/* Bulk data over links with delay, in virtual time: how much of the link an association fills, and
 * what its buffers grow to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/host.h"

#define MS 1000u
#define SECOND 1000000u
#define MESSAGE_BYTES 8192u
#define CONNECT_PORT 20000u
#define LISTEN_PORT 5000u
#define MBIT 125000u /* bytes per second */

struct setup {
    uint32_t one_way_us;
    uint32_t rate_bytes_per_s;
    uint32_t queue_bytes;
    uint64_t read_bytes_per_s; /* 0: the application reads all there is */
    void (*params)(struct hws_params *source, struct hws_params *sink);
};

/* One host's application: the first sends all it can, the second reads all there is. */
struct party {
    struct sim_host host;
    struct bulk *bulk;
    hws_assoc_id assoc;
    bool source, up, over, blocked;
    uint64_t bytes_in;
    uint64_t last_in_us, longest_us; /* longest time in which nothing could be read */
};

struct bulk {
    const struct setup *setup;
    struct sim_world world;
    struct sim_net net;
    uint64_t begin_us;
    struct party source, sink;
};

static void wake(struct sim_world *world, void *ctx, uint32_t arg)
{
    (void)world, (void)ctx, (void)arg;
}

/* A slow application looks again later. */
static bool may_read(struct party *p)
{
    const struct bulk *b = p->bulk;
    uint64_t rate = b->setup->read_bytes_per_s;
    if (rate == 0 || p->bytes_in * 1000000 / rate <= b->world.now_us - b->begin_us)
        return true;
    sim_world_call(p->host.node.world, 2 * MS, &p->host.node, wake, NULL, 0);
    return false;
}

static void receive(struct party *p)
{
    static uint8_t buffer[65536];
    uint64_t now_us = p->host.node.world->now_us;
    size_t len;
    struct hws_rcvinfo info;
    while (may_read(p) && hws_assoc_recv(p->host.engine, p->assoc, buffer, sizeof buffer, &len,
                                         &info, now_us) == HWS_OK) {
        p->host.changed = true;
        p->bytes_in += len;
        if (p->last_in_us != 0 && now_us - p->last_in_us > p->longest_us)
            p->longest_us = now_us - p->last_in_us;
        p->last_in_us = now_us;
    }
}

static void send_all(struct party *p)
{
    static const uint8_t bytes[MESSAGE_BYTES];
    struct hws_sndinfo info = {.sid = 0};
    struct hws_iovec iov = {bytes, sizeof bytes};
    while (!p->blocked) {
        p->blocked = hws_assoc_send(p->host.engine, p->assoc, &info, &iov, 1,
                                    p->host.node.world->now_us) != HWS_OK;
        p->host.changed = true;
    }
}

static void party_turn(struct sim_host *host)
{
    struct party *p = host->app;
    if (p->assoc == 0)
        return;
    if (!p->source)
        receive(p);
    else if (p->up && !p->over)
        send_all(p);
}

static void party_event(struct sim_host *host, const struct hws_event *event)
{
    struct party *p = host->app;
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

static void make_party(struct bulk *b, struct party *p, uint32_t number)
{
    struct hws_addr addr = {.family = HWS_FAMILY_IPV4, .ip = {10, 0, 0, (uint8_t)(number + 1)}};
    *p = (struct party){.bulk = b, .source = number == 0};
    sim_host_init(
        &p->host, &b->net,
        &(struct sim_host_config){.seed = number + 1, .interface_mtu = 1500, .max_packets = 16});
    sim_host_add_addr(&p->host, &addr);
    p->host.app = p;
    p->host.on_event = party_event;
    p->host.on_turn = party_turn;
    sim_net_link(&b->net, number, 0, 1 - number, 0)->config = (struct sim_link_config){
        .delay_us = b->setup->one_way_us,
        .rate_bytes_per_s = b->setup->rate_bytes_per_s,
        .queue_bytes = b->setup->queue_bytes,
        .mtu = 1500,
    };
}

static hws_endpoint_id endpoint(struct party *p, uint16_t port, const struct hws_params *params)
{
    const struct hws_endpoint_config config = {.port = port,
                                               .locals = p->host.node.addrs,
                                               .local_count = p->host.node.addr_count,
                                               .listening = port == LISTEN_PORT,
                                               .params = params};
    hws_endpoint_id id;
    assert_int_equal(hws_endpoint_new(p->host.engine, &config, &id), HWS_OK);
    return id;
}

static struct bulk *bulk_new(const struct setup *setup)
{
    struct bulk *b = calloc(1, sizeof *b);
    struct hws_params source, sink;
    assert_non_null(b);
    b->setup = setup;
    sim_world_init(&b->world, 1);
    b->begin_us = b->world.now_us;
    sim_net_init(&b->net, &b->world, 1);
    make_party(b, &b->source, 0);
    make_party(b, &b->sink, 1);
    hws_params_default(&source);
    hws_params_default(&sink);
    if (setup->params != NULL)
        setup->params(&source, &sink);
    endpoint(&b->sink, LISTEN_PORT, &sink);
    hws_endpoint_id connector = endpoint(&b->source, CONNECT_PORT, &source);
    assert_int_equal(hws_assoc_connect(b->source.host.engine, connector, b->sink.host.node.addrs, 1,
                                       LISTEN_PORT, b->world.now_us, &b->source.assoc),
                     HWS_OK);
    b->source.host.changed = true;
    sim_world_call(&b->world, 0, &b->source.host.node, wake, NULL, 0);
    return b;
}

static void bulk_run(struct bulk *b, uint64_t until_us)
{
    if (!sim_world_run(&b->world, until_us))
        fail_msg("%s", b->world.failure);
}

static void bulk_free(struct bulk *b)
{
    sim_host_fini(&b->source.host);
    sim_host_fini(&b->sink.host);
    sim_world_fini(&b->world);
    sim_net_fini(&b->net);
    free(b);
}

/* Megabits per second that the application gets from one time to another. */
static uint32_t goodput_mbit(struct bulk *b, uint64_t from_us, uint64_t until_us)
{
    bulk_run(b, b->begin_us + from_us);
    uint64_t before = b->sink.bytes_in;
    bulk_run(b, b->begin_us + until_us);
    return (uint32_t)((b->sink.bytes_in - before) * 8 / (until_us - from_us));
}

static struct hws_assoc_status status_of(const struct party *p)
{
    struct hws_assoc_status status;
    assert_int_equal(hws_assoc_status(p->host.engine, p->assoc, &status), HWS_OK);
    return status;
}

static const struct hws_stats *stats_of(const struct party *p)
{
    return hws_engine_stats(p->host.engine);
}

static uint32_t cwnd_of(const struct party *p)
{
    struct hws_path_status path;
    assert_int_equal(hws_assoc_path_status(p->host.engine, p->assoc, 0, &path), HWS_OK);
    return path.cwnd;
}

/* ---- How much of the link is filled ---- */

/* 500 Mbit/s, 10 ms, and a queue of as much. User data is 96.8 % of IP packets of 1500 bytes. */
static const struct setup near_link = {
    .one_way_us = 5 * MS, .rate_bytes_per_s = 500 * MBIT, .queue_bytes = 5 * 125 * 1000};

static void ten_milliseconds(void **state)
{
    (void)state;
    struct bulk *b = bulk_new(&near_link);
    assert_in_range(goodput_mbit(b, SECOND / 2, 3 * SECOND), 475, 510);
    assert_int_equal(stats_of(&b->source)->timeouts_t3, 0);
    assert_in_range(b->sink.longest_us, 1, 30 * MS);
    bulk_free(b);
}

/* 1 Gbit/s and 50 ms: 6.25 MB are on the way, and neither buffer begins with as much. */
static const struct setup far_link = {
    .one_way_us = 25 * MS, .rate_bytes_per_s = 1000 * MBIT, .queue_bytes = 6250000};

static void fifty_milliseconds(void **state)
{
    (void)state;
    struct bulk *b = bulk_new(&far_link);
    assert_in_range(goodput_mbit(b, 3 * SECOND / 2, 3 * SECOND), 950, 1060);
    assert_int_equal(stats_of(&b->source)->timeouts_t3, 0);
    assert_in_range(status_of(&b->sink).rcvbuf_bytes, 6250000, 16u << 20);
    assert_in_range(status_of(&b->source).unacked_bytes, 6250000, 16u << 20);
    assert_true(stats_of(&b->sink)->rcvbuf_raised > 0);
    bulk_free(b);
}

/* ---- The receive buffer ---- */

static void fixed_window(struct hws_params *source, struct hws_params *sink)
{
    (void)source;
    sink->rcvbuf_bytes = 1u << 20;
    sink->rcvbuf_max_bytes = 0;
}

/* Who has set a size has it: a window in a round trip is all that passes. */
static void a_size_that_was_set_is_kept(void **state)
{
    (void)state;
    struct setup setup = far_link;
    setup.params = fixed_window;
    struct bulk *b = bulk_new(&setup);
    assert_in_range(goodput_mbit(b, SECOND, 2 * SECOND), 100, (8u << 20) / 50000);
    assert_int_equal(status_of(&b->sink).rcvbuf_bytes, 1u << 20);
    bulk_free(b);
}

static void to_two_mebibytes(struct hws_params *source, struct hws_params *sink)
{
    (void)source;
    sink->rcvbuf_max_bytes = 2u << 20;
}

static void it_grows_to_its_limit(void **state)
{
    (void)state;
    struct setup setup = far_link;
    setup.params = to_two_mebibytes;
    struct bulk *b = bulk_new(&setup);
    assert_in_range(goodput_mbit(b, SECOND, 2 * SECOND), 250, (16u << 20) / 50000);
    assert_int_equal(status_of(&b->sink).rcvbuf_bytes, 2u << 20);
    bulk_free(b);
}

/* An application that reads a tenth of what the link brings. */
static void it_stays_when_the_application_is_slow(void **state)
{
    (void)state;
    struct setup setup = near_link;
    setup.read_bytes_per_s = 50 * MBIT;
    struct bulk *b = bulk_new(&setup);
    assert_in_range(goodput_mbit(b, SECOND, 3 * SECOND), 45, 51);
    assert_int_equal(status_of(&b->sink).rcvbuf_bytes, 1u << 20);
    assert_int_equal(stats_of(&b->sink)->rcvbuf_raised, 0);
    bulk_free(b);
}

/* ---- The send buffer ---- */

static void small_send_buffer(struct hws_params *source, struct hws_params *sink)
{
    (void)sink;
    source->sndbuf_bytes = 32768;
}

/* Twice cwnd is accepted, headers counted, and no more. */
static void it_follows_cwnd(void **state)
{
    (void)state;
    struct setup setup = near_link;
    setup.params = small_send_buffer;
    struct bulk *b = bulk_new(&setup);
    for (uint32_t i = 1; i <= 20; i++) {
        bulk_run(b, b->begin_us + i * 20 * MS);
        uint32_t most = 2 * cwnd_of(&b->source);
        assert_in_range(status_of(&b->source).unacked_bytes, 0,
                        (most > 32768 ? most : 32768) + MESSAGE_BYTES);
        b->source.blocked = false; /* cwnd has grown since: what it allows now is accepted */
    }
    assert_in_range(goodput_mbit(b, SECOND, 2 * SECOND), 450, 510);
    bulk_free(b);
}

/* ---- After slow start has gone too far ---- */

static void large_window(struct hws_params *source, struct hws_params *sink)
{
    (void)source;
    sink->rcvbuf_bytes = 16u << 20;
}

/* A thousand packets of one window are lost, more gaps than a SACK has room for: they are sent
 * again without waiting for T3, and not faster than packets arrive, or the full queue would lose
 * them once more. */
static void many_losses_are_repaired_at_once(void **state)
{
    (void)state;
    const struct setup setup = {.one_way_us = 5 * MS,
                                .rate_bytes_per_s = 1000 * MBIT,
                                .queue_bytes = 1250000,
                                .params = large_window};
    struct bulk *b = bulk_new(&setup);
    uint32_t mbit = goodput_mbit(b, SECOND / 2, 2 * SECOND);
    const struct hws_stats *stats = stats_of(&b->source);
    assert_in_range(b->net.packets_lost, 500, 2000);
    assert_in_range(mbit, 700, 1060);
    assert_int_equal(stats->timeouts_t3, 0);
    assert_in_range(b->sink.longest_us, 1, 100 * MS);
    bulk_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_milliseconds),
        cmocka_unit_test(fifty_milliseconds),
        cmocka_unit_test(a_size_that_was_set_is_kept),
        cmocka_unit_test(it_grows_to_its_limit),
        cmocka_unit_test(it_stays_when_the_application_is_slow),
        cmocka_unit_test(it_follows_cwnd),
        cmocka_unit_test(many_losses_are_repaired_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
