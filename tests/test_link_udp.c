#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "proto/bytes.h"
#include "tests/link_tool.h"
#include "tests/netns.h"

#define PORT_A 1000
#define PORT_B 2000
#define LO_MTU 65536

static bool have_namespace;

struct pair {
    struct hws_link *a, *b;
    uint16_t a_udp, b_udp;
};

static struct hws_link *open_udp(uint16_t port)
{
    struct hws_link_udp_config config = {.port = port, .ipv4 = true, .ipv6 = true};
    struct hws_link *link;
    char error[HWS_LINK_ERROR_MAX];
    if (hws_link_udp_open(&config, &link, error) != 0)
        fail_msg("%s", error);
    return link;
}

static int setup(void **state)
{
    static struct pair pair;
    if (!have_namespace)
        return 0;
    pair.a = open_udp(0);
    pair.b = open_udp(9899);
    pair.a_udp = pair.a->ops->encapsulation_port(pair.a);
    pair.b_udp = pair.b->ops->encapsulation_port(pair.b);
    *state = &pair;
    return 0;
}

static int teardown(void **state)
{
    struct pair *pair = *state;
    if (pair == NULL)
        return 0;
    pair->a->ops->close(pair->a);
    pair->b->ops->close(pair->b);
    netns_set_lo_mtu(LO_MTU);
    return 0;
}

static struct pair *links_of(void **state)
{
    if (*state == NULL)
        skip();
    return *state;
}

static struct link_send to_b(const char *dst, uint32_t count, uint32_t len)
{
    return (struct link_send){.dst = dst,
                              .udp_port = 9899,
                              .src_port = PORT_A,
                              .dst_port = PORT_B,
                              .count = count,
                              .len = len,
                              .seed = 7};
}

static void expect_train(const struct pair *links, const struct link_send *sent)
{
    struct hws_packet_in packets[64];
    struct hws_addr dst = link_addr(sent->dst, 0);
    assert_int_equal(link_receive(links->b, packets, sent->count), sent->count);
    for (uint32_t i = 0; i < sent->count; i++) {
        bool last = i + 1 == sent->count && sent->last_len != 0;
        link_check(&packets[i], last ? sent->last_len : sent->len, PORT_A, PORT_B, sent->seed + i);
        assert_int_equal(packets[i].src.udp_port, links->a_udp);
        assert_int_equal(packets[i].dst.udp_port, links->b_udp);
        assert_true(hws_addr_same(&packets[i].dst, &dst));
    }
    link_unref(packets, sent->count);
}

static void test_ports(void **state)
{
    struct pair *links = links_of(state);
    struct hws_link_udp_config config = {.port = 9899, .ipv4 = true};
    struct hws_link *link;
    char error[HWS_LINK_ERROR_MAX] = "";
    assert_int_equal(links->b_udp, 9899);
    assert_in_range(links->a_udp, 1024, 65535);
    assert_int_equal(hws_link_udp_open(&config, &link, error), -EADDRINUSE);
    assert_non_null(strstr(error, "9899"));
    struct hws_link *other = open_udp(0);
    assert_int_not_equal(other->ops->encapsulation_port(other), links->a_udp);
    other->ops->close(other);
}

/* A train leaves in one call and arrives as equal packets, joined or not. */
static void test_train(void **state)
{
    struct pair *links = links_of(state);
    const char *hosts[] = {"127.0.0.1", "::1"};
    for (size_t i = 0; i < 2; i++) {
        struct link_send send = to_b(hosts[i], 44, 1444);
        send.last_len = 100;
        link_send(links->a, &send);
        expect_train(links, &send);
    }
    assert_int_equal(links->a->ops->stats(links->a)->tx_calls, 2);
    assert_int_equal(links->a->ops->stats(links->a)->tx_packets, 88);
    assert_int_equal(links->b->ops->stats(links->b)->rx_packets, 88);
}

/* As many packets as a train may have, and more bytes than one message takes. */
static void test_largest_trains(void **state)
{
    struct pair *links = links_of(state);
    struct link_send sends[] = {to_b("127.0.0.1", 64, 1020), to_b("::1", 64, 1020),
                                to_b("127.0.0.1", 2, 32756), to_b("::1", 7, 9356),
                                to_b("127.0.0.1", 64, 12)};
    for (size_t i = 0; i < sizeof(sends) / sizeof(sends[0]); i++) {
        link_send(links->a, &sends[i]);
        expect_train(links, &sends[i]);
    }
    assert_int_equal(links->a->ops->stats(links->a)->tx_failed, 0);
}

static void test_sizes(void **state)
{
    struct pair *links = links_of(state);
    uint32_t sizes[] = {12, 1444, 1992, 1996, 2048, 10184, 10188, 30000, 65504};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct link_send send = to_b("127.0.0.1", 1, sizes[i]);
        link_send(links->a, &send);
        expect_train(links, &send);
    }
    struct link_send send = to_b("::1", 1, 65484);
    link_send(links->a, &send);
    expect_train(links, &send);
}

/* The caller takes fewer packets than one message holds. */
static void test_receive_in_parts(void **state)
{
    struct pair *links = links_of(state);
    struct hws_packet_in packets[30];
    struct link_send send = to_b("127.0.0.1", 30, 1200);
    link_send(links->a, &send);
    for (size_t have = 0; have < 30; have += 5)
        assert_int_equal(link_receive(links->b, packets + have, 5), 5);
    uint64_t truesize = 0;
    for (uint32_t i = 0; i < 30; i++) {
        link_check(&packets[i], 1200, PORT_A, PORT_B, 7 + i);
        truesize += packets[i].truesize;
    }
    assert_in_range(truesize, 30 * 1200, 70000);
    link_unref(packets, 30);
}

/* Large packets come in batches that stay in the cache; the descriptor tells of the rest. */
static void test_large_packets_come_in_turns(void **state)
{
    struct pair *links = links_of(state);
    struct hws_packet_in packets[64];
    struct link_send send = to_b("127.0.0.1", 1, 65000);
    for (uint32_t i = 0; i < 30; i++, send.seed++)
        link_send(links->a, &send);
    size_t have = links->b->ops->receive(links->b, packets, 64);
    assert_in_range(have, 1, 16);
    while (have < 30) {
        int fds[HWS_LINK_MAX_FDS];
        links->b->ops->fds(links->b, fds);
        struct pollfd wait = {.fd = fds[0], .events = POLLIN};
        assert_int_equal(poll(&wait, 1, 2000), 1);
        size_t last = links->b->ops->receive(links->b, packets + have, 64 - have);
        assert_in_range(last, 1, 4);
        have += last;
    }
    for (uint32_t i = 0; i < 30; i++)
        link_check(&packets[i], 65000, PORT_A, PORT_B, 7 + i);
    link_unref(packets, 30);
}

static void test_closed_with_packets_left(void **state)
{
    struct pair *links = links_of(state);
    struct hws_packet_in packet;
    struct hws_link *link = open_udp(0);
    struct link_send send = to_b("127.0.0.1", 30, 1200);
    send.udp_port = link->ops->encapsulation_port(link);
    link_send(links->a, &send);
    assert_int_equal(link_receive(link, &packet, 1), 1);
    link->ops->close(link);
    link_check(&packet, 1200, PORT_A, PORT_B, 7);
    link_unref(&packet, 1);
}

static void test_source_address(void **state)
{
    struct pair *links = links_of(state);
    struct hws_packet_in packets[4];
    struct link_send send = to_b("127.0.0.1", 4, 800);
    send.src = "127.0.0.5";
    link_send(links->a, &send);
    assert_int_equal(link_receive(links->b, packets, 4), 4);
    struct hws_addr src = link_addr("127.0.0.5", 0);
    for (size_t i = 0; i < 4; i++)
        assert_true(hws_addr_same(&packets[i].src, &src));
    link_unref(packets, 4);
}

static void test_empty_datagram(void **state)
{
    struct pair *links = links_of(state);
    struct sockaddr_in sin = {
        .sin_family = AF_INET, .sin_port = htons(9899), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(sendto(fd, "", 0, 0, (const struct sockaddr *)&sin, sizeof(sin)), 0);
    close(fd);
    struct link_send send = to_b("127.0.0.1", 1, 100);
    link_send(links->a, &send);
    expect_train(links, &send);
    assert_int_equal(links->b->ops->stats(links->b)->rx_foreign, 1);
}

/* Packets larger than the MTU cannot leave as a train; each is told of, the shorter last one and
 * the train behind it arrive. */
static void test_too_big(void **state)
{
    struct pair *links = links_of(state);
    struct hws_net_event event;
    netns_set_lo_mtu(1500);
    struct link_send large = to_b("127.0.0.1", 3, 2000);
    struct link_send fits = to_b("127.0.0.1", 20, 1472);
    large.last_len = 1400;
    link_submit(links->a, &large);
    link_send(links->a, &fits);
    struct hws_packet_in packet;
    assert_int_equal(link_receive(links->b, &packet, 1), 1);
    link_check(&packet, 1400, PORT_A, PORT_B, 9);
    link_unref(&packet, 1);
    expect_train(links, &fits);
    assert_true(link_wait_event(links->a, &event));
    assert_int_equal(event.kind, HWS_NET_SEND_FAILED);
    assert_int_equal(event.reason, HWS_SEND_TOO_BIG);
    assert_int_equal(event.remote.udp_port, 9899);
    assert_int_equal(links->a->ops->stats(links->a)->tx_failed, 2);
    while (links->a->ops->net_event(links->a, &event))
        if (event.kind == HWS_NET_MTU)
            assert_int_equal(event.mtu, 1500);
}

/* RFC 6951, 5.5: nobody at the UDP port is as good as a host without SCTP. */
static void test_port_unreachable(void **state)
{
    struct pair *links = links_of(state);
    const char *hosts[] = {"127.0.0.1", "::1"};
    for (size_t i = 0; i < 2; i++) {
        struct hws_net_event event;
        struct link_send nobody = to_b(hosts[i], 1, 100), fine = to_b(hosts[i], 1, 100);
        nobody.udp_port = 9;
        link_send(links->a, &nobody);
        assert_true(link_wait_event(links->a, &event));
        assert_int_equal(event.kind, HWS_NET_UNREACHABLE);
        assert_true(event.protocol_unreachable);
        assert_int_equal(event.remote.udp_port, 9);
        assert_true(event.quoted_len >= 8);
        assert_int_equal(hws_get16(event.quoted), PORT_A);
        link_send(links->a, &fine);
        expect_train(links, &fine);
        assert_false(links->a->ops->net_event(links->a, &event));
    }
}

struct watch {
    struct hws_link *link;
    int status, events;
    bool told;
};

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct watch *watch = handle->data;
    struct hws_net_event event;
    watch->status = status;
    watch->events |= events;
    while (watch->link->ops->net_event(watch->link, &event))
        watch->told |= event.kind == HWS_NET_UNREACHABLE;
    uv_poll_stop(handle);
    uv_close((uv_handle_t *)handle, NULL);
}

/* An error queue that is not empty must not end libuv's watch with an error. */
static void test_libuv_watches_errors(void **state)
{
    struct pair *links = links_of(state);
    struct watch watch = {.link = links->a};
    int fds[HWS_LINK_MAX_FDS];
    uv_loop_t loop;
    uv_poll_t poll = {.data = &watch};
    assert_int_equal(links->a->ops->fds(links->a, fds), 2);
    struct link_send nobody = to_b("127.0.0.1", 1, 100);
    nobody.udp_port = 9;
    link_send(links->a, &nobody);
    uv_loop_init(&loop);
    uv_poll_init(&loop, &poll, fds[0]);
    uv_poll_start(&poll, UV_READABLE | UV_PRIORITIZED, on_poll);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(watch.status, 0);
    assert_true(watch.told);
}

static int udp_receiver(bool ipv6, uint16_t port)
{
    struct sockaddr_in6 name6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in name4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    int only = 1, fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
    assert_true(fd >= 0);
    if (ipv6)
        assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)), 0);
    assert_int_equal(ipv6 ? bind(fd, (struct sockaddr *)&name6, sizeof(name6))
                          : bind(fd, (struct sockaddr *)&name4, sizeof(name4)),
                     0);
    link_watch_ip(fd, ipv6);
    return fd;
}

/* What a train says of IP's header, each of its packets has, cut by UDP_SEGMENT or not. */
static void test_tos_and_ttl(void **state)
{
    struct pair *links = links_of(state);
    const char *hosts[] = {"127.0.0.1", "::1"};
    for (int i = 0; i < 2; i++) {
        int fd = udp_receiver(i == 1, 9900);
        struct link_send plain = to_b(hosts[i], 2, 100), marked = to_b(hosts[i], 5, 100);
        plain.udp_port = marked.udp_port = 9900;
        marked.src = hosts[i];
        marked.tos = 0xb8;
        marked.ttl = 7;
        link_submit(links->a, &plain);
        link_submit(links->a, &marked);
        link_send(links->a, &plain);
        for (int k = 0; k < 9; k++)
            link_check_ip(fd, k >= 2 && k < 7 ? 0xb8 : 0, k >= 2 && k < 7 ? 7 : 64);
        close(fd);
    }
    assert_int_equal(links->a->ops->stats(links->a)->tx_failed, 0);
    assert_int_equal(links->a->ops->stats(links->a)->tx_calls, 2); /* one for each family */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ports),
        TEST(test_train),
        TEST(test_largest_trains),
        TEST(test_sizes),
        TEST(test_receive_in_parts),
        TEST(test_large_packets_come_in_turns),
        TEST(test_closed_with_packets_left),
        TEST(test_source_address),
        TEST(test_empty_datagram),
        TEST(test_too_big),
        TEST(test_port_unreachable),
        TEST(test_libuv_watches_errors),
        TEST(test_tos_and_ttl),
    };
    have_namespace = netns_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
