#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api/link/link_kind.h"
#include "proto/bytes.h"
#include "proto/packet.h"
#include "tests/link_tool.h"
#include "tests/netns.h"

#define PORT_A 1000
#define PORT_B 2000
#define LO_MTU 65536
#define IPV4_HEADER_LEN 20u
#define IPV6_HEADER_LEN 40

static bool have_namespace;
static enum hws_link_kind kind; /* what carries the packets: all promise the same */

static struct hws_link *open_raw(uint8_t protocol, uint16_t port)
{
    struct hws_link_raw_config config = {.protocol = protocol, .ipv4 = true, .ipv6 = true};
    struct hws_link *link;
    char error[HWS_LINK_ERROR_MAX];
    if (hws_link_kind_open(kind, &config, &link, error) != 0)
        fail_msg("%s", error);
    assert_int_equal(link->ops->add_port(link, port), 0);
    return link;
}

struct pair {
    struct hws_link *a, *b;
};

static int setup(void **state)
{
    static struct pair pair;
    if (!have_namespace)
        return 0;
    pair.a = open_raw(132, PORT_A);
    pair.b = open_raw(132, PORT_B);
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
    return (struct link_send){
        .dst = dst, .src_port = PORT_A, .dst_port = PORT_B, .count = count, .len = len, .seed = 7};
}

static void expect_train(struct hws_link *link, const struct link_send *sent)
{
    struct hws_packet_in packets[64];
    assert_int_equal(link_receive(link, packets, sent->count), sent->count);
    struct hws_addr dst = link_addr(sent->dst, 0);
    for (uint32_t i = 0; i < sent->count; i++) {
        bool last = i + 1 == sent->count && sent->last_len != 0;
        link_check(&packets[i], last ? sent->last_len : sent->len, sent->src_port, sent->dst_port,
                   sent->seed + i);
        assert_true(hws_addr_same(&packets[i].dst, &dst));
        assert_int_equal(packets[i].src.udp_port, 0);
    }
    link_unref(packets, sent->count);
}

static void test_train(void **state)
{
    struct pair *links = links_of(state);
    const char *hosts[] = {"127.0.0.1", "::1"};
    for (size_t i = 0; i < 2; i++) {
        struct link_send send = to_b(hosts[i], 44, 1452);
        send.last_len = 40;
        link_send(links->a, &send);
        expect_train(links->b, &send);
        link_expect_nothing(links->a);
    }
    assert_int_equal(links->a->ops->stats(links->a)->tx_packets, 88);
    assert_int_equal(links->a->ops->stats(links->a)->tx_calls, 2);
    assert_int_equal(links->b->ops->stats(links->b)->rx_packets, 88);
    assert_int_equal(links->b->ops->stats(links->b)->rx_foreign, 0);
}

/* Every size class of the receive buffers, its edges, and the largest packet there is. */
static void test_sizes(void **state)
{
    struct pair *links = links_of(state);
    uint32_t sizes[] = {12, 1480, 1900, 2048, 9000, 10100, 10240, 20000, 65000, 65492, 65512};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (uint32_t less = 0; less < 100; less += 4) {
            if (sizes[i] < 12 + less)
                continue;
            struct link_send send = to_b("127.0.0.1", 1, sizes[i] - less);
            link_send(links->a, &send);
            expect_train(links->b, &send);
        }
    }
    struct link_send send = to_b("::1", 1, 65492);
    link_send(links->a, &send);
    expect_train(links->b, &send);
}

/* Where huge packets come small ones do, too: each lies in a buffer of its size, whole. */
static void test_small_among_huge(void **state)
{
    struct pair *links = links_of(state);
    uint32_t sizes[] = {65000, 65000, 12, 65000, 1480, 65000, 9000, 9500, 1900, 65000, 12};
    size_t count = sizeof(sizes) / sizeof(sizes[0]);
    struct hws_packet_in packets[16];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < count; i++) {
            struct link_send send = to_b("127.0.0.1", 1, sizes[i]);
            send.seed = (uint32_t)i;
            link_send(links->a, &send);
        }
        assert_int_equal(link_receive(links->b, packets, count), count);
        for (size_t i = 0; i < count; i++) {
            struct link_send send = to_b("127.0.0.1", 1, sizes[i]);
            link_check(&packets[i], sizes[i], send.src_port, send.dst_port, (uint32_t)i);
            assert_true(packets[i].truesize < 2 * sizes[i] + 2048);
        }
        link_unref(packets, count);
    }
}

static void test_source_address(void **state)
{
    struct pair *links = links_of(state);
    struct hws_packet_in packet;
    struct link_send send = to_b("127.0.0.1", 1, 100);
    send.src = "127.0.0.5";
    link_send(links->a, &send);
    assert_int_equal(link_receive(links->b, &packet, 1), 1);
    struct hws_addr src = link_addr("127.0.0.5", 0);
    assert_true(hws_addr_same(&packet.src, &src));
    link_unref(&packet, 1);
}

static uint64_t monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* Whether a packet's time is that of its reception, though it is taken later. */
static bool is_time_of_reception(struct pair *links)
{
    const uint64_t margin_us = 200; /* two clocks are read one after the other */
    struct hws_packet_in packet;
    struct link_send send = to_b("127.0.0.1", 1, 100);
    uint64_t before_us = monotonic_us();
    link_send(links->a, &send);
    uint64_t after_us = monotonic_us();
    usleep(20000);
    assert_int_equal(link_receive(links->b, &packet, 1), 1);
    link_unref(&packet, 1);
    assert_true(packet.rx_time_us >= before_us - margin_us);
    return packet.rx_time_us <= after_us + margin_us;
}

/* The kernel begins to stamp some time after it was asked to; until then the time is that at which
 * a packet is taken. */
static void test_time_of_reception(void **state)
{
    int tries = 250;
    while (!is_time_of_reception(links_of(state)))
        assert_true(--tries > 0);
}

static void test_protocols_are_apart(void **state)
{
    struct pair *links = links_of(state);
    struct hws_link *other = open_raw(253, PORT_B);
    struct link_send send = to_b("127.0.0.1", 2, 200);
    link_send(other, &send);
    expect_train(other, &send);
    link_expect_nothing(links->b);
    other->ops->close(other);
}

static void test_port_is_claimed(void **state)
{
    struct pair *links = links_of(state);
    assert_int_equal(links->a->ops->add_port(links->a, PORT_B), -EADDRINUSE);
    assert_int_equal(links->b->ops->add_port(links->b, PORT_B), 0);
    links->b->ops->remove_port(links->b, PORT_B);
    assert_int_equal(links->a->ops->add_port(links->a, PORT_B), 0);
    struct link_send send = to_b("127.0.0.1", 1, 100);
    link_send(links->b, &send);
    expect_train(links->a, &send);
    link_expect_nothing(links->b);
}

static void test_own_host(void **state)
{
    links_of(state);
    struct hws_link_raw_config config = {.protocol = 132, .ipv4 = true, .own_host = true};
    struct hws_link *host;
    char error[HWS_LINK_ERROR_MAX];
    assert_int_equal(hws_link_kind_open(kind, &config, &host, error), 0);
    struct link_send send = to_b("127.0.0.1", 3, 100);
    send.dst_port = 4711;
    link_send(host, &send);
    expect_train(host, &send);
    host->ops->close(host);
}

/* ---- What others send ---- */

static void inject(int family, int protocol, const void *data, size_t len, bool options)
{
    int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol);
    assert_true(fd >= 0);
    static const uint8_t no_operation[4] = {1, 1, 1, 1};
    if (options)
        assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_OPTIONS, no_operation, sizeof(no_operation)),
                         0);
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const struct sockaddr *to =
        family == AF_INET ? (const struct sockaddr *)&sin : (const struct sockaddr *)&sin6;
    socklen_t to_len = family == AF_INET ? sizeof(sin) : sizeof(sin6);
    assert_int_equal(sendto(fd, data, len, 0, to, to_len), len);
    close(fd);
}

static void test_short_and_foreign(void **state)
{
    struct pair *links = links_of(state);
    int families[] = {AF_INET, AF_INET6};
    for (size_t i = 0; i < 2; i++) {
        uint8_t packet[16];
        link_fill(packet, sizeof(packet), PORT_A, PORT_B, 1);
        for (size_t len = 0; len < 4; len++)
            inject(families[i], 132, packet, len, false);
        link_expect_nothing(links->b);
        link_fill(packet, sizeof(packet), PORT_B, 4711, 1);
        inject(families[i], 132, packet, sizeof(packet), false);
        link_expect_nothing(links->b);
        link_expect_nothing(links->a);
    }
    assert_int_equal(links->b->ops->stats(links->b)->rx_foreign, 0);
    assert_int_equal(links->b->ops->stats(links->b)->rx_socket_drops, 0);
}

static void test_ip_options(void **state)
{
    struct pair *links = links_of(state);
    struct hws_packet_in in;
    uint8_t packet[64];
    link_fill(packet, sizeof(packet), PORT_A, PORT_B, 3);
    inject(AF_INET, 132, packet, sizeof(packet), true);
    assert_int_equal(link_receive(links->b, &in, 1), 1);
    link_check(&in, sizeof(packet), PORT_A, PORT_B, 3);
    link_unref(&in, 1);
}

/* ---- What the network says ---- */

static void test_too_big(void **state)
{
    struct pair *links = links_of(state);
    struct hws_net_event event;
    const char *hosts[] = {"127.0.0.1", "::1"};
    netns_set_lo_mtu(1500);
    for (size_t i = 0; i < 2; i++) {
        struct link_send large = to_b(hosts[i], 3, 2000);
        struct link_send fits = to_b(hosts[i], 2, 1400);
        large.last_len = 100;
        link_submit(links->a, &large);
        link_send(links->a, &fits);
        assert_true(link_wait_event(links->a, &event));
        assert_int_equal(event.kind, HWS_NET_SEND_FAILED);
        assert_int_equal(event.reason, HWS_SEND_TOO_BIG);
        assert_true(link_wait_event(links->a, &event));
        assert_int_equal(event.kind, HWS_NET_MTU);
        assert_int_equal(event.mtu, 1500);
        struct hws_addr remote = link_addr(hosts[i], 0);
        assert_true(hws_addr_same(&event.remote, &remote));
        struct hws_packet_in packets[3];
        assert_int_equal(link_receive(links->b, packets, 3), 3);
        link_check(&packets[0], 100, PORT_A, PORT_B, 9);
        link_check(&packets[1], 1400, PORT_A, PORT_B, 7);
        link_unref(packets, 3);
        while (links->a->ops->net_event(links->a, &event))
            continue;
    }
    assert_int_equal(links->a->ops->stats(links->a)->tx_failed, 4);
}

static int shorter_first(const void *a, const void *b)
{
    return (int)((const struct hws_packet_in *)a)->len -
           (int)((const struct hws_packet_in *)b)->len;
}

/* Only packets that may be fragmented are: DF is set on those before and after. */
static void test_may_fragment(void **state)
{
    struct pair *links = links_of(state);
    int sniffer = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 132);
    assert_true(sniffer >= 0);
    netns_set_lo_mtu(1500);
    uint32_t lens[] = {1000, 4000, 1004};
    for (size_t i = 0; i < 3; i++) {
        struct link_send send = to_b("127.0.0.1", 1, lens[i]);
        send.fragment_mtu = lens[i] == 4000 ? 1500 : 0;
        link_submit(links->a, &send);
    }
    assert_true(links->a->ops->flush(links->a));
    struct hws_packet_in packets[3];
    assert_int_equal(link_receive(links->b, packets, 3), 3);
    qsort(packets, 3, sizeof(packets[0]), shorter_first); /* what was in pieces may come last */
    link_check(&packets[0], 1000, PORT_A, PORT_B, 7);
    link_check(&packets[1], 1004, PORT_A, PORT_B, 7);
    link_check(&packets[2], 4000, PORT_A, PORT_B, 7);
    for (size_t i = 0; i < 3; i++) {
        uint8_t ip[8000];
        assert_int_equal(recv(sniffer, ip, sizeof(ip), MSG_DONTWAIT), lens[i] + IPV4_HEADER_LEN);
        assert_int_equal((ip[6] & 0x40) != 0, lens[i] != 4000);
    }
    link_unref(packets, 3);
    close(sniffer);
}

/* With IPv6 the sender fragments, for the path's MTU though its interface carries more. */
static void test_may_fragment_ipv6(void **state)
{
    struct pair *links = links_of(state);
    int sniffer = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IPV6));
    assert_true(sniffer >= 0);
    static const uint32_t mtus[] = {1280, 1400, 0};
    for (size_t i = 0; i < 3; i++) {
        struct link_send send = to_b("::1", 1, 4000);
        send.fragment_mtu = mtus[i];
        link_send(links->a, &send);
        expect_train(links->b, &send);
        uint8_t ip[8000];
        ssize_t len, longest = 0;
        while ((len = recv(sniffer, ip, sizeof(ip), MSG_DONTWAIT)) > 0)
            longest = len > longest ? len : longest;
        if (mtus[i] != 0)
            assert_in_range(longest, mtus[i] - 8, mtus[i]);
        else
            assert_int_equal(longest, 4000 + IPV6_HEADER_LEN);
    }
    close(sniffer);
}

static void test_unreachable_goes_on(void **state)
{
    struct pair *links = links_of(state);
    struct link_send lost = to_b("198.51.100.1", 3, 100);
    struct link_send fine = to_b("127.0.0.1", 2, 100);
    struct hws_net_event event;
    link_submit(links->a, &lost);
    link_send(links->a, &fine);
    expect_train(links->b, &fine);
    assert_true(links->a->ops->net_event(links->a, &event));
    assert_int_equal(event.kind, HWS_NET_SEND_FAILED);
    assert_int_equal(event.reason, HWS_SEND_UNREACHABLE);
    assert_false(links->a->ops->net_event(links->a, &event));
    assert_int_equal(links->a->ops->stats(links->a)->tx_failed, 3);
}

/* A firewall on the way out makes the call fail; packets to elsewhere still leave. */
static void test_filtered(void **state)
{
    struct pair *links = links_of(state);
    struct hws_net_event event;
    if (system("PATH=$PATH:/usr/sbin:/sbin; nft 'add table inet t; add chain inet t out { type "
               "filter hook output priority 0; }; add rule inet t out ip daddr 127.0.0.66 drop' "
               "2>/dev/null") != 0) {
        printf("SKIP: nft is missing or may not be used\n");
        skip();
    }
    struct link_send dropped = to_b("127.0.0.66", 3, 100), fine = to_b("127.0.0.1", 2, 100);
    link_submit(links->a, &dropped);
    link_send(links->a, &fine);
    assert_int_equal(system("PATH=$PATH:/usr/sbin:/sbin; nft delete table inet t"), 0);
    expect_train(links->b, &fine);
    assert_true(links->a->ops->net_event(links->a, &event));
    assert_int_equal(event.kind, HWS_NET_SEND_FAILED);
    assert_int_equal(event.reason, HWS_SEND_FILTERED);
    assert_int_equal(links->a->ops->stats(links->a)->tx_failed, 3);
}

static uint16_t internet_checksum(const uint8_t *data, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i += 2)
        sum += hws_get16(data + i);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* An ICMP message that quotes a packet from PORT `src_port` of ours to 127.0.0.9. */
static void inject_icmp4(uint8_t type, uint8_t code, uint16_t mtu, uint16_t src_port)
{
    uint8_t icmp[8 + 20 + 16] = {type, code};
    hws_put16(icmp + 6, mtu);
    uint8_t *ip = icmp + 8;
    ip[0] = 0x45;
    hws_put16(ip + 2, 20 + 1000);
    ip[8] = 64;
    ip[9] = 132;
    hws_put32(ip + 12, INADDR_LOOPBACK);
    hws_put32(ip + 16, INADDR_LOOPBACK + 8);
    hws_put16(ip + 10, internet_checksum(ip, 20));
    link_fill(ip + 20, 16, src_port, 4711, 5);
    hws_put16(icmp + 2, internet_checksum(icmp, sizeof(icmp)));
    inject(AF_INET, IPPROTO_ICMP, icmp, sizeof(icmp), false);
}

static void expect_quote(const struct hws_net_event *event)
{
    assert_int_equal(event->quoted_len, 16);
    assert_int_equal(hws_get16(event->quoted), PORT_A);
    assert_int_equal(hws_get16(event->quoted + 2), 4711);
}

static void test_icmp4(void **state)
{
    struct pair *links = links_of(state);
    struct hws_net_event event;
    struct hws_addr remote = link_addr("127.0.0.9", 0);
    inject_icmp4(ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0, PORT_A);
    assert_true(link_wait_event(links->a, &event));
    assert_int_equal(event.kind, HWS_NET_UNREACHABLE);
    assert_true(event.protocol_unreachable);
    assert_true(hws_addr_same(&event.remote, &remote));
    expect_quote(&event);
    inject_icmp4(ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, 1280, PORT_A);
    assert_true(link_wait_event(links->a, &event));
    assert_int_equal(event.kind, HWS_NET_TOO_BIG);
    assert_int_equal(event.mtu, 1280);
    expect_quote(&event);
    inject_icmp4(ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0, PORT_A);
    assert_true(link_wait_event(links->a, &event));
    assert_int_equal(event.kind, HWS_NET_UNREACHABLE);
    assert_false(event.protocol_unreachable);
}

/* While packets come with their IP header the system quotes that, too. */
static void test_icmp4_about_large_packets(void **state)
{
    struct pair *links = links_of(state);
    struct hws_net_event event;
    struct link_send large = to_b("127.0.0.1", 1, 20000), small = to_b("127.0.0.1", 1, 100);
    link_send(links->a, &large);
    inject_icmp4(ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0, PORT_A);
    inject_icmp4(ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0, 4711);
    link_send(links->a, &small);
    inject_icmp4(ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0, PORT_A);
    for (int i = 0; i < 2; i++) {
        assert_true(link_wait_event(links->a, &event));
        assert_int_equal(event.kind, HWS_NET_UNREACHABLE);
        assert_true(event.protocol_unreachable);
        expect_quote(&event);
    }
    assert_false(links->a->ops->net_event(links->a, &event));
}

/* RFC 9260, ICMP3; and packets of another stack on this host. A packet sent right afterwards is
 * not lost to the error that they leave on the socket. */
static void test_icmp4_ignored(void **state)
{
    struct pair *links = links_of(state);
    struct hws_net_event event;
    inject_icmp4(ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0, PORT_A);
    inject_icmp4(ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0, 4711);
    inject_icmp4(ICMP_TIME_EXCEEDED, 0, 0, PORT_A);
    poll(NULL, 0, 20);
    struct link_send send = to_b("127.0.0.1", 2, 100);
    link_send(links->a, &send);
    expect_train(links->b, &send);
    assert_false(links->a->ops->net_event(links->a, &event));
    assert_int_equal(links->a->ops->stats(links->a)->tx_failed, 0);
}

static void inject_icmp6(uint8_t type, uint8_t code, uint32_t mtu)
{
    uint8_t icmp[8 + 40 + 16] = {type, code}; /* the kernel computes the checksum */
    hws_put32(icmp + 4, mtu);
    uint8_t *ip = icmp + 8;
    ip[0] = 0x60;
    hws_put16(ip + 4, 1000);
    ip[6] = 132;
    ip[7] = 64;
    ip[8 + 15] = 1;
    ip[24 + 15] = 1;
    link_fill(ip + 40, 16, PORT_A, 4711, 5);
    inject(AF_INET6, IPPROTO_ICMPV6, icmp, sizeof(icmp), false);
}

static void test_icmp6(void **state)
{
    struct pair *links = links_of(state);
    struct hws_net_event event;
    inject_icmp6(ICMP6_PARAM_PROB, ICMP6_PARAMPROB_NEXTHEADER, 40);
    assert_true(link_wait_event(links->a, &event));
    assert_int_equal(event.kind, HWS_NET_UNREACHABLE);
    assert_true(event.protocol_unreachable);
    expect_quote(&event);
    inject_icmp6(ICMP6_PACKET_TOO_BIG, 0, 1300);
    assert_true(link_wait_event(links->a, &event));
    assert_int_equal(event.kind, HWS_NET_TOO_BIG);
    assert_int_equal(event.mtu, 1300);
    inject_icmp6(ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, 0);
    inject_icmp6(ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE, 0);
    assert_true(link_wait_event(links->a, &event));
    assert_int_equal(event.kind, HWS_NET_UNREACHABLE);
    assert_false(event.protocol_unreachable);
}

/* A forged "fragmentation needed" must not change what the route says. */
static void test_route(void **state)
{
    struct pair *links = links_of(state);
    struct hws_addr remote = link_addr("127.0.0.9", 0), local;
    uint32_t mtu;
    inject_icmp4(ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, 1280, PORT_A);
    assert_int_equal(links->a->ops->route(links->a, &remote, &local, &mtu), 0);
    assert_int_equal(mtu, 65535);
    remote = link_addr("127.0.0.1", 0);
    assert_int_equal(links->a->ops->route(links->a, &remote, &local, &mtu), 0);
    assert_true(hws_addr_same(&local, &remote));
    assert_int_equal(mtu, 65535);
    remote = link_addr("::1", 0);
    assert_int_equal(links->a->ops->route(links->a, &remote, &local, &mtu), 0);
    assert_true(hws_addr_same(&local, &remote));
    assert_int_equal(mtu, 65535);
    remote = link_addr("198.51.100.1", 0);
    assert_int_equal(links->a->ops->route(links->a, &remote, NULL, NULL), -ENETUNREACH);
}

static void test_overflow_is_counted(void **state)
{
    struct pair *links = links_of(state);
    struct link_send send = to_b("127.0.0.1", 1, 65000);
    const struct hws_link_stats *stats = links->b->ops->stats(links->b);
    uint64_t enough = 2 + stats->rx_buffer_bytes / send.len;
    for (uint64_t i = 0; i < enough; i++)
        link_send(links->a, &send);
    links->b->ops->stats(links->b);
    assert_true(stats->rx_buffer_bytes > 0);
    assert_true(stats->rx_socket_drops > 0);
}

/* ---- Opening ---- */

/* In a child that has become somebody without capabilities. Exit code 0: told so in clear words. */
static int open_without_capability(void)
{
    struct hws_link_raw_config config = {.protocol = 132, .ipv4 = true, .ipv6 = true};
    struct hws_link *link;
    char error[HWS_LINK_ERROR_MAX] = "";
    if (setresuid(65534, 65534, 65534) != 0)
        return 2;
    if (hws_link_kind_open(kind, &config, &link, error) != -EPERM)
        return 1;
    bool clear = strstr(error, "CAP_NET_RAW") && strstr(error, "setcap") && strstr(error, "--udp");
    return clear ? 0 : 1;
}

static void test_missing_capability(void **state)
{
    links_of(state);
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(open_without_capability());
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2) {
        printf("SKIP: the test may not become another user\n");
        skip();
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static rlim_t lowest_free(void)
{
    int fd = dup(0);
    assert_true(fd >= 0);
    close(fd);
    return (rlim_t)fd;
}

/* However many descriptors are left when there are too few: it says so, and leaves none open. */
static void test_too_few_descriptors(void **state)
{
    links_of(state);
    struct hws_link_raw_config config = {.protocol = 132, .ipv4 = true, .ipv6 = true};
    struct hws_link *link;
    char error[HWS_LINK_ERROR_MAX];
    struct rlimit before, few;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlim_t lowest = lowest_free(), left = 0;
    int result;
    do {
        few = before;
        few.rlim_cur = lowest + left++;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        result = hws_link_kind_open(kind, &config, &link, error);
        if (result == 0)
            link->ops->close(link);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_true(result == 0 || (result == -EMFILE && strstr(error, "Too many open files")));
        assert_int_equal(lowest_free(), lowest);
    } while (result != 0);
    assert_true(left > 2);
}

static void test_interface(void **state)
{
    struct pair *links = links_of(state);
    struct hws_link_raw_config config = {.protocol = 132, .ipv4 = true, .interface = "lo"};
    struct hws_link *link;
    char error[HWS_LINK_ERROR_MAX] = "";
    assert_int_equal(hws_link_kind_open(kind, &config, &link, error), 0);
    assert_int_equal(link->ops->add_port(link, 3000), 0);
    struct link_send send = to_b("127.0.0.1", 1, 100);
    send.dst_port = 3000;
    link_send(links->a, &send);
    expect_train(link, &send);
    link->ops->close(link);
    config.interface = "nowhere0";
    assert_int_equal(hws_link_kind_open(kind, &config, &link, error), -ENODEV);
    assert_non_null(strstr(error, "nowhere0"));
}

static int raw_receiver(bool ipv6)
{
    int fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_RAW, 132);
    assert_true(fd >= 0);
    link_watch_ip(fd, ipv6);
    return fd;
}

/* What a train says of IP's header, each of its packets has, and the next train does not. */
static void check_tos_and_ttl(struct pair *links, uint32_t len)
{
    const char *hosts[] = {"127.0.0.1", "::1"};
    for (int i = 0; i < 2; i++) {
        int fd = raw_receiver(i == 1);
        struct link_send plain = to_b(hosts[i], 1, 100), marked = to_b(hosts[i], 3, len);
        marked.src = hosts[i];
        marked.tos = 0xb8;
        marked.ttl = 7;
        link_submit(links->a, &plain);
        link_submit(links->a, &marked);
        link_submit(links->a, &plain);
        marked.tos = 0;
        link_send(links->a, &marked);
        link_check_ip(fd, 0, 64);
        for (int k = 0; k < 3; k++)
            link_check_ip(fd, 0xb8, 7);
        link_check_ip(fd, 0, 64);
        for (int k = 0; k < 3; k++)
            link_check_ip(fd, 0, 7);
        close(fd);
    }
    assert_int_equal(links->a->ops->stats(links->a)->tx_failed, 0);
}

/* Large packets over IPv4 come with a header of ours. */
static void test_tos_and_ttl(void **state)
{
    check_tos_and_ttl(links_of(state), 100);
    check_tos_and_ttl(links_of(state), 20000);
}

/* Fragments have them, too; those of IPv6 are made here. */
static void test_tos_of_fragments(void **state)
{
    struct pair *links = links_of(state);
    const char *hosts[] = {"127.0.0.1", "::1"};
    netns_set_lo_mtu(1500);
    for (int i = 0; i < 2; i++) {
        int fd = raw_receiver(i == 1);
        struct link_send send = to_b(hosts[i], 1, 4000);
        send.fragment_mtu = 1400;
        send.tos = 0x10;
        send.ttl = 9;
        link_send(links->a, &send);
        link_check_ip(fd, 0x10, 9);
        close(fd);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Usage: test_link_raw [KIND] */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_train),
        TEST(test_sizes),
        TEST(test_small_among_huge),
        TEST(test_source_address),
        TEST(test_time_of_reception),
        TEST(test_protocols_are_apart),
        TEST(test_port_is_claimed),
        TEST(test_own_host),
        TEST(test_short_and_foreign),
        TEST(test_ip_options),
        TEST(test_too_big),
        TEST(test_may_fragment),
        TEST(test_may_fragment_ipv6),
        TEST(test_unreachable_goes_on),
        TEST(test_filtered),
        TEST(test_icmp4),
        TEST(test_icmp4_about_large_packets),
        TEST(test_icmp4_ignored),
        TEST(test_icmp6),
        TEST(test_route),
        TEST(test_overflow_is_counted),
        TEST(test_missing_capability),
        TEST(test_too_few_descriptors),
        TEST(test_interface),
        TEST(test_tos_and_ttl),
        TEST(test_tos_of_fragments),
    };
    if (argc > 1 && !hws_link_kind_read(argv[1], &kind))
        return 2;
    have_namespace = netns_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
