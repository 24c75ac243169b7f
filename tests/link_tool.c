#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/link_tool.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "proto/bytes.h"

#define WAIT_STEPS 200
#define WAIT_STEP_MS 10

struct hws_addr link_addr(const char *text, uint16_t udp_port)
{
    struct hws_addr addr = {.udp_port = udp_port};
    bool ipv6 = strchr(text, ':') != NULL;
    addr.family = ipv6 ? HWS_FAMILY_IPV6 : HWS_FAMILY_IPV4;
    assert_int_equal(inet_pton(ipv6 ? AF_INET6 : AF_INET, text, addr.ip), 1);
    return addr;
}

static uint8_t body_byte(uint32_t seed, uint32_t at)
{
    return (uint8_t)((seed * 2654435761u + at * 40503u) >> 8);
}

void link_fill(uint8_t *packet, uint32_t len, uint16_t src_port, uint16_t dst_port, uint32_t seed)
{
    hws_put16(packet, src_port);
    hws_put16(packet + 2, dst_port);
    for (uint32_t i = 4; i < len; i++)
        packet[i] = body_byte(seed, i);
}

void link_check(const struct hws_packet_in *packet, uint32_t len, uint16_t src_port,
                uint16_t dst_port, uint32_t seed)
{
    assert_int_equal(packet->len, len);
    assert_int_equal(hws_get16(packet->data), src_port);
    assert_int_equal(hws_get16(packet->data + 2), dst_port);
    for (uint32_t i = 4; i < len; i++)
        if (packet->data[i] != body_byte(seed, i))
            fail_msg("byte %u of %u differs", i, len);
    assert_true(packet->truesize >= packet->len);
}

void link_submit(struct hws_link *link, const struct link_send *send)
{
    struct hws_train train = {.packets = 0};
    assert_true(link->ops->train(link, &train));
    assert_true(send->count <= train.max_packets);
    uint32_t last_len = send->last_len != 0 ? send->last_len : send->len;
    for (uint32_t i = 0; i < send->count; i++) {
        uint32_t len = i + 1 == send->count ? last_len : send->len;
        assert_true(train.len + len <= train.capacity);
        link_fill(train.data + train.len, len, send->src_port, send->dst_port, send->seed + i);
        train.len += len;
    }
    train.packets = send->count;
    train.segment_len = send->count == 1 ? last_len : send->len;
    train.may_fragment = send->fragment_mtu != 0;
    train.mtu = send->fragment_mtu;
    train.tos = send->tos;
    train.ttl = send->ttl;
    train.dst = link_addr(send->dst, send->udp_port);
    if (send->src != NULL)
        train.src = link_addr(send->src, 0);
    link->ops->submit(link, &train);
}

void link_send(struct hws_link *link, const struct link_send *send)
{
    link_submit(link, send);
    for (int i = 0; i < WAIT_STEPS; i++) {
        if (link->ops->flush(link))
            return;
        poll(NULL, 0, WAIT_STEP_MS);
    }
    fail_msg("the link does not get rid of its trains");
}

size_t link_receive(struct hws_link *link, struct hws_packet_in *packets, size_t count)
{
    size_t have = 0;
    for (int i = 0; i < WAIT_STEPS && have < count; i++) {
        have += link->ops->receive(link, packets + have, count - have);
        if (have < count)
            poll(NULL, 0, WAIT_STEP_MS);
    }
    return have;
}

void link_expect_nothing(struct hws_link *link)
{
    struct hws_packet_in packet;
    poll(NULL, 0, WAIT_STEP_MS);
    assert_int_equal(link->ops->receive(link, &packet, 1), 0);
}

void link_unref(const struct hws_packet_in *packets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hws_buf_unref(packets[i].buf);
}

void link_watch_ip(int fd, bool ipv6)
{
    int on = 1, level = ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
    assert_int_equal(setsockopt(fd, level, ipv6 ? IPV6_RECVTCLASS : IP_RECVTOS, &on, sizeof(on)),
                     0);
    assert_int_equal(setsockopt(fd, level, ipv6 ? IPV6_RECVHOPLIMIT : IP_RECVTTL, &on, sizeof(on)),
                     0);
}

/* A value of a control message: IPv4's TOS is one byte, all others are an int. */
static int control_value(const struct cmsghdr *c)
{
    int value = 0;
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
        return *CMSG_DATA(c);
    memcpy(&value, CMSG_DATA(c), sizeof(value));
    return value;
}

void link_check_ip(int fd, uint8_t tos, uint8_t ttl)
{
    uint8_t byte;
    _Alignas(struct cmsghdr) uint8_t control[256];
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof(control)};
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int seen = 0;
    assert_int_equal(poll(&wait, 1, WAIT_STEPS * WAIT_STEP_MS), 1);
    assert_true(recvmsg(fd, &msg, 0) > 0);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
        bool v6 = c->cmsg_level == IPPROTO_IPV6;
        if (c->cmsg_type == (v6 ? IPV6_TCLASS : IP_TOS)) {
            assert_int_equal(control_value(c), tos);
            seen |= 1;
        } else if (c->cmsg_type == (v6 ? IPV6_HOPLIMIT : IP_TTL)) {
            assert_int_equal(control_value(c), ttl);
            seen |= 2;
        }
    }
    assert_int_equal(seen, 3);
}

bool link_wait_event(struct hws_link *link, struct hws_net_event *event)
{
    for (int i = 0; i < WAIT_STEPS; i++) {
        if (link->ops->net_event(link, event))
            return true;
        poll(NULL, 0, WAIT_STEP_MS);
    }
    return false;
}
