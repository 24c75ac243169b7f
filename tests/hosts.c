#include "tests/hosts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/packet.h"
#include "tests/willing_host.h"

#define MTU 1500u
#define TRAIN_BYTES (2u * HWS_PACKET_MAX_LEN)

static void host_init(struct host *host, struct hosts *h, struct host *other, uint8_t number)
{
    host->hosts = h;
    host->other = other;
    for (uint8_t i = 0; i < HOSTS_ADDRS; i++)
        host->addrs[i] =
            (struct hws_addr){.family = HWS_FAMILY_IPV4, .ip = {192, 0, (uint8_t)(2 + i), number}};
    sim_env_init(&host->memory, number);
    host->env = sim_env_make(&host->memory);
    const struct hws_engine_config config = {.env = host->env, .direct_alloc = true};
    host->engine = hws_engine_new(&config);
    assert_non_null(host->engine);
    hws_sockets_init(&host->sockets, host->engine, &host->env, &willing_host);
}

struct hosts *hosts_new(void)
{
    struct hosts *h = calloc(1, sizeof(*h));
    assert_non_null(h);
    h->now_us = 1000000;
    host_init(&h->a, h, &h->b, 1);
    host_init(&h->b, h, &h->a, 2);
    return h;
}

static void host_fini(struct host *host)
{
    hws_sockets_fini(&host->sockets, host->hosts->now_us);
    hws_engine_free(host->engine);
    assert_int_equal(host->memory.live_objects, 0);
}

void hosts_free(struct hosts *h)
{
    host_fini(&h->a);
    host_fini(&h->b);
    free(h);
}

static void take_events(struct host *host)
{
    struct hws_event event;
    uint64_t now_us = host->hosts->now_us;
    while (hws_engine_event(host->engine, &event)) {
        const struct hws_net_event mtu = {
            .kind = HWS_NET_MTU, .local = event.local, .remote = event.remote, .mtu = MTU};
        if (event.type == HWS_EVENT_PATH_NEW)
            hws_engine_net_event(host->engine, &mtu, now_us);
        else
            hws_sockets_event(&host->sockets, &event, now_us);
    }
    hws_sockets_dispatch(&host->sockets);
}

static void deliver(const struct host *from, const struct hws_train *train, uint32_t at)
{
    uint32_t left = train->len - at;
    const struct hws_packet_in packet = {
        .data = train->data + at,
        .len = left < train->segment_len ? left : train->segment_len,
        .truesize = train->segment_len,
        .src = train->src.family != HWS_FAMILY_NONE ? train->src : from->addrs[0],
        .dst = train->dst};
    hws_engine_input(from->other->engine, &packet, 1, from->hosts->now_us);
}

static bool send_train(struct host *host)
{
    static uint8_t buffer[TRAIN_BYTES];
    struct hws_train train = {.data = buffer, .capacity = sizeof(buffer), .max_packets = 16};
    if (!hws_engine_output(host->engine, &train, host->hosts->now_us))
        return false;
    host->last = train;
    for (uint32_t at = 0; at < train.len && !host->hosts->cut; at += train.segment_len)
        deliver(host, &train, at);
    return true;
}

void hosts_settle(struct hosts *h)
{
    bool more = true;
    while (more) {
        take_events(&h->a);
        take_events(&h->b);
        more = send_train(&h->a);
        more = send_train(&h->b) || more;
    }
}

static uint64_t deadline(const struct hosts *h)
{
    uint64_t a = hws_engine_deadline(h->a.engine), b = hws_engine_deadline(h->b.engine);
    return a < b ? a : b;
}

void hosts_wait(struct hosts *h, uint64_t us)
{
    uint64_t end_us = h->now_us + us;
    hosts_settle(h);
    for (uint64_t next_us; (next_us = deadline(h)) <= end_us; hosts_settle(h)) {
        h->now_us = next_us > h->now_us ? next_us : h->now_us;
        hws_engine_expire(h->a.engine, h->now_us);
        hws_engine_expire(h->b.engine, h->now_us);
    }
    h->now_us = end_us;
}

struct hws_sock *hosts_listen(struct host *host, uint16_t port)
{
    struct hws_sock *sock = hws_sock_open(&host->sockets, AF_INET6, HWS_SOCK_ONE_TO_ONE);
    assert_non_null(sock);
    assert_int_equal(hws_sock_bind(sock, host->addrs, HOSTS_ADDRS, port), 0);
    assert_int_equal(hws_sock_listen(sock, 8), 0);
    return sock;
}

void hosts_connect(struct hws_sock *sock, struct host *host, uint16_t port)
{
    if (sock->state == HWS_SOCK_NEW)
        assert_int_equal(hws_sock_bind(sock, host->addrs, HOSTS_ADDRS, 0), 0);
    assert_int_equal(
        hws_sock_connect(sock, host->other->addrs, 1, port, false, NULL, host->hosts->now_us),
        -EINPROGRESS);
}
