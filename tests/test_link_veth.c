/* A link at one end of a veth; at the other end the test itself, which sees and makes whole
 * frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/link/link_kind.h"
#include "proto/bytes.h"
#include "proto/ip.h"
#include "tests/link_tool.h"
#include "tests/netns.h"

#define OUR_PORT 1000
#define PEER_PORT 2000
#define SCTP 132
#define ETHERNET_LEN 14u
#define FRAME_MAX 4096u
#define WAIT_MS 2000
#define QUIET_MS 100

static const char *const our_host[] = {"10.99.0.1", "fd99::1"};
static const char *const peer_host[] = {"10.99.0.2", "fd99::2"};
static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2},
                     other_mac[6] = {2, 0, 0, 0, 0, 3};

static bool have_namespace;
static enum hws_link_kind kind;

struct world {
    struct hws_link *link;
    int wire; /* the other end of the veth */
};

/* ---- Setting up ---- */

static bool run(const char *command)
{
    return system(command) == 0;
}

static bool make_network(void)
{
    return run("ip link add va address 02:00:00:00:00:01 type veth "
               "peer name vb address 02:00:00:00:00:02") &&
           run("ip link set va up && ip link set vb up") &&
           run("ip addr add 10.99.0.1/24 dev va && ip addr add fd99::1/64 dev va nodad");
}

static void set_neighbour_at(const char *interface, const char *mac)
{
    char command[160];
    for (int i = 0; i < 2; i++) {
        snprintf(command, sizeof(command), "ip neigh replace %s lladdr %s dev %s", peer_host[i],
                 mac, interface);
        assert_true(run(command));
    }
}

static void set_neighbour(const char *mac)
{
    set_neighbour_at("va", mac);
}

static struct hws_link *open_link(void)
{
    const struct hws_link_raw_config config = {
        .protocol = SCTP, .ipv4 = true, .ipv6 = true, .interface = "va"};
    struct hws_link *link;
    char error[HWS_LINK_ERROR_MAX];
    if (hws_link_kind_open(kind, &config, &link, error) != 0)
        fail_msg("%s", error);
    assert_int_equal(link->ops->add_port(link, OUR_PORT), 0);
    return link;
}

static int setup(void **state)
{
    static struct world world;
    if (!have_namespace)
        return 0;
    set_neighbour("02:00:00:00:00:02");
    const struct sockaddr_ll name = {.sll_family = AF_PACKET,
                                     .sll_protocol = htons(ETH_P_ALL),
                                     .sll_ifindex = (int)if_nametoindex("vb")};
    world.wire = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    world.link = open_link();
    *state = &world;
    return bind(world.wire, (const struct sockaddr *)&name, sizeof(name));
}

static int teardown(void **state)
{
    struct world *world = *state;
    if (world == NULL)
        return 0;
    close(world->wire); /* frames that lie there would keep the link's queue busy */
    if (world->link != NULL)
        world->link->ops->close(world->link);
    run("nft delete table ip t 2>/dev/null"); /* where a test failed with it */
    return run("ip link set va up && ip neigh flush dev va nud all") ? 0 : -1;
}

static struct world *world_of(void **state)
{
    if (*state == NULL)
        skip();
    return *state;
}

/* ---- The wire ---- */

/* The next frame from the link's side with this IP protocol, within the time; its length or 0. */
static uint32_t next_frame(struct world *w, uint8_t protocol, int wait_ms, uint8_t *frame)
{
    struct pollfd readable = {.fd = w->wire, .events = POLLIN};
    while (poll(&readable, 1, wait_ms) == 1) {
        struct sockaddr_ll from;
        socklen_t from_len = sizeof(from);
        ssize_t len = recvfrom(w->wire, frame, FRAME_MAX, 0, (struct sockaddr *)&from, &from_len);
        uint16_t type = len > (ssize_t)ETHERNET_LEN + 40 ? hws_get16(frame + 12) : 0;
        uint8_t found = type == ETH_P_IP ? frame[23] : type == ETH_P_IPV6 ? frame[20] : 0;
        if (from.sll_pkttype != PACKET_OUTGOING && type != 0 && found == protocol)
            return (uint32_t)len;
    }
    return 0;
}

struct frame {
    const char *src, *dst;
    const uint8_t *mac;
    uint16_t dst_port;
    uint8_t bytes[FRAME_MAX];
    uint32_t len;
};

#define IP_AT ETHERNET_LEN

static void make_frame(struct frame *f)
{
    struct hws_ip ip = {
        .src = link_addr(f->src, 0), .dst = link_addr(f->dst, 0), .protocol = SCTP, .ttl = 64};
    memcpy(f->bytes, f->mac, 6);
    memcpy(f->bytes + 6, peer_mac, 6);
    hws_put16(f->bytes + 12, ip.dst.family == HWS_FAMILY_IPV6 ? ETH_P_IPV6 : ETH_P_IP);
    uint32_t header_len = hws_ip_write(&ip, 100, f->bytes + IP_AT);
    link_fill(f->bytes + IP_AT + header_len, 100, PEER_PORT, f->dst_port, 5);
    f->len = IP_AT + header_len + 100;
}

static struct frame good_frame(int family)
{
    struct frame f = {
        .src = peer_host[family], .dst = our_host[family], .mac = our_mac, .dst_port = OUR_PORT};
    make_frame(&f);
    return f;
}

static void inject(struct world *w, const struct frame *f)
{
    assert_int_equal(send(w->wire, f->bytes, f->len, 0), f->len);
}

static void set_checksum4(uint8_t *ip)
{
    uint32_t sum = 0;
    hws_put16(ip + 10, 0);
    for (int i = 0; i < 20; i += 2)
        sum += hws_get16(ip + i);
    sum = (sum & 0xffff) + (sum >> 16);
    hws_put16(ip + 10, (uint16_t) ~(sum + (sum >> 16)));
}

static void expect_one(struct world *w, int family)
{
    struct hws_packet_in packet;
    assert_int_equal(link_receive(w->link, &packet, 1), 1);
    link_check(&packet, 100, PEER_PORT, OUR_PORT, 5);
    struct hws_addr src = link_addr(peer_host[family], 0), dst = link_addr(our_host[family], 0);
    assert_true(hws_addr_same(&packet.src, &src) && hws_addr_same(&packet.dst, &dst));
    link_unref(&packet, 1);
    link_expect_nothing(w->link);
}

/* ---- The interface ---- */

/* A link is bound to an interface, not to the name that it had. */
static void test_renamed(void **state)
{
    struct world *w = world_of(state);
    struct hws_addr remote = link_addr(peer_host[0], 0), local, ours = link_addr(our_host[0], 0);
    struct link_send send = {
        .dst = peer_host[0], .src_port = OUR_PORT, .dst_port = PEER_PORT, .count = 1, .len = 100};
    uint8_t frame[FRAME_MAX];
    uint32_t mtu;
    assert_true(run("ip link set va down && ip link set va name vc && ip link set vc up"));
    set_neighbour_at("vc", "02:00:00:00:00:02");
    usleep(10000); /* news of it are looked at every few milliseconds */
    int result = w->link->ops->route(w->link, &remote, &local, &mtu);
    link_send(w->link, &send);
    uint32_t len = next_frame(w, SCTP, WAIT_MS, frame);
    assert_true(run("ip link set vc down && ip link set vc name va && ip link set va up && "
                    "ip addr replace fd99::1/64 dev va nodad"));
    assert_int_equal(result, 0);
    assert_int_equal(mtu, 1500);
    assert_true(hws_addr_same(&local, &ours));
    assert_int_equal(len, IP_AT + HWS_IPV4_HEADER_LEN + 100);
}

/* ---- Descriptors ---- */

static void test_closed_on_exec(void **state)
{
    struct world *w = world_of(state);
    int fds[HWS_LINK_MAX_FDS];
    size_t count = w->link->ops->fds(w->link, fds);
    for (size_t i = 0; i < count; i++)
        assert_true((fcntl(fds[i], F_GETFD) & FD_CLOEXEC) != 0);
}

/* ---- Sending ---- */

static struct link_send to_peer(int family, uint32_t count, uint32_t len)
{
    return (struct link_send){.src = our_host[family],
                              .dst = peer_host[family],
                              .src_port = OUR_PORT,
                              .dst_port = PEER_PORT,
                              .count = count,
                              .len = len,
                              .seed = 9};
}

static void expect_frame(struct world *w, const struct link_send *sent, const uint8_t *mac,
                         uint32_t number)
{
    uint8_t frame[FRAME_MAX];
    struct hws_ip_packet ip;
    uint32_t len = next_frame(w, SCTP, WAIT_MS, frame);
    assert_true(len > 0);
    assert_memory_equal(frame, mac, 6);
    assert_memory_equal(frame + 6, our_mac, 6);
    assert_true(hws_ip_read(frame + IP_AT, len - IP_AT, &ip));
    const struct hws_packet_in packet = {
        .data = ip.payload, .len = ip.payload_len, .truesize = FRAME_MAX};
    link_check(&packet, sent->len, OUR_PORT, PEER_PORT, sent->seed + number);
    struct hws_addr src = link_addr(sent->src != NULL ? sent->src : our_host[0], 0);
    assert_true(hws_addr_same(&ip.src, &src));
    bool ipv6 = frame[IP_AT] >> 4 == 6;
    const uint8_t *header = frame + IP_AT;
    uint8_t tos = ipv6 ? (uint8_t)(hws_get16(header) >> 4) : header[1];
    assert_int_equal(tos, sent->tos);
    assert_int_equal(ipv6 ? header[7] : header[8], sent->ttl != 0 ? sent->ttl : 64);
    if (!ipv6)
        assert_int_equal(hws_get16(header + 6), 0x4000);
}

static void test_sent_frames(void **state)
{
    struct world *w = world_of(state);
    for (int family = 0; family < 2; family++) {
        struct link_send send = to_peer(family, 3, 1000), marked = to_peer(family, 2, 1200);
        marked.tos = 0x48;
        marked.ttl = 3;
        link_submit(w->link, &send);
        link_send(w->link, &marked);
        for (uint32_t i = 0; i < 3; i++)
            expect_frame(w, &send, peer_mac, i);
        for (uint32_t i = 0; i < 2; i++)
            expect_frame(w, &marked, peer_mac, i);
    }
    struct link_send any = to_peer(0, 1, 100);
    any.src = NULL;
    link_send(w->link, &any);
    expect_frame(w, &any, peer_mac, 0);
    assert_int_equal(w->link->ops->stats(w->link)->tx_packets, 11);
    assert_int_equal(w->link->ops->stats(w->link)->tx_failed, 0);
}

/* What the links below IP are for: IP does not see the packets, and neither do its filters. XDP
 * takes those to an address that a packet has come to before. */
static void test_past_ip(void **state)
{
    struct world *w = world_of(state);
    uint8_t frame[FRAME_MAX];
    struct link_send send = to_peer(0, 1, 1000);
    struct frame f = good_frame(0);
    bool passes = kind != HWS_LINK_RAW;
    inject(w, &f);
    expect_one(w, 0);
    assert_true(run("nft 'table ip t { chain o { type filter hook output priority 0; ip protocol "
                    "132 drop; }; chain i { type filter hook input priority 0; ip protocol 132 "
                    "drop; }; }'"));
    link_send(w->link, &send);
    assert_int_equal(next_frame(w, SCTP, passes ? WAIT_MS : QUIET_MS, frame) > 0, passes);
    inject(w, &f);
    if (passes)
        expect_one(w, 0);
    else
        link_expect_nothing(w->link);
    assert_true(run("nft delete table ip t"));
}

/* A neighbour that is not known is asked for by the kernel, which keeps the packet meanwhile. */
static void test_unknown_neighbour(void **state)
{
    struct world *w = world_of(state);
    uint8_t frame[FRAME_MAX];
    struct link_send send = to_peer(0, 1, 100);
    assert_true(run("ip neigh flush dev va nud all"));
    link_send(w->link, &send);
    assert_int_equal(next_frame(w, SCTP, QUIET_MS, frame), 0);
    set_neighbour("02:00:00:00:00:02");
    expect_frame(w, &send, peer_mac, 0);
}

static void test_neighbour_moves(void **state)
{
    struct world *w = world_of(state);
    struct link_send send = to_peer(0, 1, 100);
    link_send(w->link, &send);
    expect_frame(w, &send, peer_mac, 0);
    set_neighbour("02:00:00:00:00:03");
    poll(NULL, 0, 20); /* news are looked at every few milliseconds */
    link_send(w->link, &send);
    expect_frame(w, &send, other_mac, 0);
}

static void test_too_big_for_interface(void **state)
{
    struct world *w = world_of(state);
    for (int family = 0; family < 2; family++) {
        struct hws_net_event event;
        struct link_send large = to_peer(family, 1, 1600), fits = to_peer(family, 1, 1400);
        link_submit(w->link, &large);
        link_send(w->link, &fits);
        expect_frame(w, &fits, peer_mac, 0);
        do
            assert_true(link_wait_event(w->link, &event));
        while (event.kind != HWS_NET_SEND_FAILED);
        assert_int_equal(event.reason, HWS_SEND_TOO_BIG);
        assert_int_equal(event.packet_len, 1600);
    }
}

static void test_interface_down(void **state)
{
    struct world *w = world_of(state);
    struct hws_net_event event;
    struct link_send send = to_peer(0, 1, 100);
    link_send(w->link, &send);
    assert_true(run("ip link set va down"));
    poll(NULL, 0, 20); /* what the xdp link sends until it has looked at the news is lost */
    link_send(w->link, &send);
    assert_true(link_wait_event(w->link, &event));
    assert_int_equal(event.kind, HWS_NET_SEND_FAILED);
    assert_int_equal(event.reason, HWS_SEND_UNREACHABLE);
    assert_true(run("ip link set va up && ip addr add fd99::1/64 dev va nodad"));
    set_neighbour("02:00:00:00:00:02");
    poll(NULL, 0, 50);
    link_send(w->link, &send);
    expect_frame(w, &send, peer_mac, 0);
}

/* The interface's MTU may grow while the link is open, and with it the packets. */
static void test_interface_grows(void **state)
{
    struct world *w = world_of(state);
    struct link_send large = to_peer(0, 2, 2400), small = to_peer(0, 1, 100);
    assert_true(run("ip link set vb mtu 2500 && ip link set va mtu 2500"));
    poll(NULL, 0, 50);
    link_send(w->link, &large);
    for (uint32_t i = 0; i < 2; i++)
        expect_frame(w, &large, peer_mac, i);
    link_send(w->link, &small);
    expect_frame(w, &small, peer_mac, 0);
    assert_int_equal(w->link->ops->stats(w->link)->tx_failed, 0);
    assert_true(run("ip link set va mtu 1500 && ip link set vb mtu 1500"));
}

/* More packets than any queue takes, and nobody who takes them off it: flush ends all the same. */
static void test_interface_down_and_full(void **state)
{
    struct world *w = world_of(state);
    struct link_send send = to_peer(0, 60, 1000);
    struct hws_train room;
    while (w->link->ops->train(w->link, &room))
        link_submit(w->link, &send);
    assert_true(run("ip link set va down"));
    while (!w->link->ops->flush(w->link))
        poll(NULL, 0, 10);
    assert_true(w->link->ops->train(w->link, &room));
    assert_true(run("ip link set va up && ip addr add fd99::1/64 dev va nodad"));
}

/* ---- Receiving ---- */

static void test_received_frames(void **state)
{
    struct world *w = world_of(state);
    for (int family = 0; family < 2; family++) {
        struct frame f = good_frame(family);
        inject(w, &f);
        expect_one(w, family);
    }
    assert_int_equal(w->link->ops->stats(w->link)->rx_foreign, 0);
}

static void test_foreign_frames(void **state)
{
    struct world *w = world_of(state);
    struct frame f = good_frame(0);
    f.dst_port = OUR_PORT + 1;
    make_frame(&f);
    inject(w, &f);
    f = good_frame(0);
    f.mac = other_mac;
    make_frame(&f);
    inject(w, &f);
    f = good_frame(0);
    f.dst = "10.99.0.77"; /* to be forwarded, perhaps */
    make_frame(&f);
    inject(w, &f);
    f = good_frame(0);
    f.src = "127.0.0.1";
    make_frame(&f);
    inject(w, &f);
    f = good_frame(0);
    f.bytes[IP_AT + 10] ^= 1; /* the header's checksum */
    inject(w, &f);
    f = good_frame(0);
    f.bytes[IP_AT + 3] ^= 0x80; /* says more bytes than there are */
    set_checksum4(f.bytes + IP_AT);
    inject(w, &f);
    f = good_frame(1);
    f.dst = "fd99::77";
    make_frame(&f);
    inject(w, &f);
    link_expect_nothing(w->link);
}

/* Packets without DF, with IP options, or with an extension header come once, all the same. */
static void test_unusual_headers(void **state)
{
    struct world *w = world_of(state);
    struct frame f = good_frame(0);
    f.bytes[IP_AT + 6] = 0;
    set_checksum4(f.bytes + IP_AT);
    inject(w, &f);
    expect_one(w, 0);
    f = good_frame(1);
    uint8_t *header = f.bytes + IP_AT;
    memmove(header + 48, header + 40, 100);
    memcpy(header + 40, (const uint8_t[8]){SCTP, 0, 1, 4}, 8); /* Destination Options: PadN */
    header[6] = 60;
    hws_put16(header + 4, 108);
    f.len += 8;
    inject(w, &f);
    expect_one(w, 1);
}

static void inject_fragment4(struct world *w, const struct frame *whole, uint32_t offset,
                             uint32_t len, bool more)
{
    struct frame f = *whole;
    uint8_t *header = f.bytes + IP_AT;
    hws_put16(header + 2, (uint16_t)(20 + len));
    hws_put16(header + 4, 77);
    hws_put16(header + 6, (uint16_t)(offset / 8 | (more ? 0x2000u : 0)));
    memcpy(header + 20, whole->bytes + IP_AT + 20 + offset, len);
    set_checksum4(header);
    f.len = IP_AT + 20 + len;
    inject(w, &f);
}

static void inject_fragment6(struct world *w, const struct frame *whole, uint32_t offset,
                             uint32_t len, bool more)
{
    struct frame f = *whole;
    uint8_t *header = f.bytes + IP_AT;
    header[6] = 44;
    hws_put16(header + 4, (uint16_t)(8 + len));
    hws_put16(header + 40, SCTP << 8);
    hws_put16(header + 42, (uint16_t)(offset | more));
    hws_put32(header + 44, 4711);
    memcpy(header + 48, whole->bytes + IP_AT + 40 + offset, len);
    f.len = IP_AT + 48 + len;
    inject(w, &f);
}

static void test_fragments(void **state)
{
    struct world *w = world_of(state);
    for (int round = 0; round < 2; round++) {
        struct frame f = good_frame(0);
        inject_fragment4(w, &f, 48, 52, false);
        inject_fragment4(w, &f, 0, 48, true);
        expect_one(w, 0);
        f = good_frame(1);
        inject_fragment6(w, &f, 48, 52, false);
        inject_fragment6(w, &f, 0, 48, true);
        expect_one(w, 1);
    }
}

/* ---- The kernel's own answers ---- */

#define ICMP 1
#define ICMPV6 58

static bool is_answered(struct world *w, int family)
{
    uint8_t frame[FRAME_MAX];
    uint8_t protocol = family == 1 ? ICMPV6 : ICMP;
    struct frame f = good_frame(family);
    inject(w, &f);
    uint32_t len;
    while ((len = next_frame(w, protocol, QUIET_MS, frame)) > 0)
        if (family == 0 ? frame[34] == 3 : frame[54] == 4)
            return true;
    return false;
}

/* With the link open the kernel takes SCTP for known, and without it says that it is not. */
static void test_kernel_is_quiet(void **state)
{
    struct world *w = world_of(state);
    for (int family = 0; family < 2; family++)
        assert_false(is_answered(w, family));
    w->link->ops->close(w->link);
    w->link = NULL;
    for (int family = 0; family < 2; family++)
        assert_true(is_answered(w, family));
    w->link = open_link();
}

/* The lowest number that is free is the new limit: nothing can be opened any more. */
static void test_no_descriptors_left(void **state)
{
    struct world *w = world_of(state);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    int lowest = dup(w->wire);
    close(lowest);
    none.rlim_cur = (rlim_t)lowest;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (int family = 0; family < 2; family++) {
        struct frame f = good_frame(family);
        struct link_send send = to_peer(family, 1, 100);
        for (int i = 0; i < 2; i++) {
            inject(w, &f);
            expect_one(w, family);
        }
        link_send(w->link, &send);
        expect_frame(w, &send, peer_mac, 0);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Usage: test_link_veth KIND */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sent_frames),
        TEST(test_past_ip),
        TEST(test_unknown_neighbour),
        TEST(test_neighbour_moves),
        TEST(test_too_big_for_interface),
        TEST(test_interface_down),
        TEST(test_interface_grows),
        TEST(test_interface_down_and_full),
        TEST(test_received_frames),
        TEST(test_foreign_frames),
        TEST(test_unusual_headers),
        TEST(test_fragments),
        TEST(test_kernel_is_quiet),
        TEST(test_closed_on_exec),
        TEST(test_renamed),
        TEST(test_no_descriptors_left),
    };
    if (argc != 2 || !hws_link_kind_read(argv[1], &kind))
        return 2;
    have_namespace = netns_enter();
    if (have_namespace && !make_network()) {
        printf("SKIP: the test may not make a veth\n");
        have_namespace = false;
    }
    char error[HWS_LINK_ERROR_MAX];
    if (have_namespace && kind == HWS_LINK_XDP && hws_link_xdp_usable(error) != 0) {
        printf("SKIP: %s\n", error);
        have_namespace = false;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
