/* Links of shards at one port, on loopback: whatever is sent there reaches the shard that the rule
 * names, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/link/port_claim_linux.h"
#include "tests/link_tool.h"
#include "tests/netns.h"

#define SHARDS 3u
#define PORT 2000
#define UDP_PORT 9899
#define PROTOCOL 253

static bool have_namespace;

static int open_raw(const struct hws_shard *shard, struct hws_link **link)
{
    const struct hws_link_raw_config config = {
        .protocol = PROTOCOL, .ipv4 = true, .ipv6 = true, .shard = *shard};
    char error[HWS_LINK_ERROR_MAX];
    int result = hws_link_raw_open(&config, link, error);
    if (result != 0)
        return result;
    result = (*link)->ops->add_port(*link, PORT);
    if (result != 0)
        (*link)->ops->close(*link);
    return result;
}

static int open_own_host(const struct hws_shard *shard, struct hws_link **link)
{
    const struct hws_link_raw_config config = {
        .protocol = PROTOCOL, .ipv4 = true, .ipv6 = true, .own_host = true, .shard = *shard};
    char error[HWS_LINK_ERROR_MAX];
    return hws_link_raw_open(&config, link, error);
}

static int open_udp(const struct hws_shard *shard, struct hws_link **link)
{
    const struct hws_link_udp_config config = {
        .port = UDP_PORT, .ipv4 = true, .ipv6 = true, .shard = *shard};
    char error[HWS_LINK_ERROR_MAX];
    return hws_link_udp_open(&config, link, error);
}

typedef int (*open_function)(const struct hws_shard *shard, struct hws_link **link);

static struct hws_link *must_open(open_function open, uint32_t count, uint32_t index)
{
    const struct hws_shard shard = {.count = count, .index = index};
    struct hws_link *link;
    assert_int_equal(open(&shard, &link), 0);
    return link;
}

struct shards {
    struct hws_link *sender, *links[SHARDS];
    uint16_t udp_port; /* to send to */
};

/* The last one opens first: the order decides nothing. */
static struct shards open_shards(open_function open)
{
    struct shards s = {.udp_port = open == open_udp ? UDP_PORT : 0};
    if (!have_namespace)
        skip();
    for (uint32_t i = SHARDS; i-- > 0;)
        s.links[i] = must_open(open, SHARDS, i);
    const struct hws_link_udp_config udp = {.ipv4 = true, .ipv6 = true};
    const struct hws_link_raw_config raw = {.protocol = PROTOCOL, .ipv4 = true, .ipv6 = true};
    char error[HWS_LINK_ERROR_MAX];
    int result = open == open_udp ? hws_link_udp_open(&udp, &s.sender, error)
                                  : hws_link_raw_open(&raw, &s.sender, error);
    assert_int_equal(result, 0);
    return s;
}

static void close_shards(struct shards *s)
{
    s->sender->ops->close(s->sender);
    for (uint32_t i = 0; i < SHARDS; i++)
        if (s->links[i] != NULL)
            s->links[i]->ops->close(s->links[i]);
}

/* The packet that link_fill writes with these ports and this seed. */
static uint32_t rule(const struct link_send *send)
{
    uint8_t packet[64];
    link_fill(packet, send->len, send->src_port, send->dst_port, send->seed);
    return hws_shard_of_packet(SHARDS, packet, send->len);
}

/* Sends packets whose tags, types and flags depend on their numbers. Returns the shards that got
 * any, a bit each. */
static unsigned send_many(struct shards *s, const char *host, uint32_t len)
{
    unsigned reached = 0;
    for (uint32_t seed = 0; seed < 300; seed++) {
        struct link_send send = {.dst = host,
                                 .udp_port = s->udp_port,
                                 .src_port = (uint16_t)(1000 + seed),
                                 .dst_port = PORT,
                                 .count = 1,
                                 .len = len,
                                 .seed = seed};
        struct hws_packet_in packet;
        uint32_t shard = rule(&send);
        reached |= 1u << shard;
        link_send(s->sender, &send);
        assert_int_equal(link_receive(s->links[shard], &packet, 1), 1);
        link_check(&packet, len, send.src_port, PORT, seed);
        link_unref(&packet, 1);
    }
    for (uint32_t i = 0; i < SHARDS; i++) {
        link_expect_nothing(s->links[i]);
        assert_int_equal(s->links[i]->ops->stats(s->links[i])->rx_foreign, 0);
    }
    return reached;
}

static void check_steering(open_function open)
{
    struct shards s = open_shards(open);
    assert_int_equal(send_many(&s, "127.0.0.1", 40), 7);
    assert_int_equal(send_many(&s, "::1", 40), 7);
    assert_int_equal(send_many(&s, "127.0.0.1", HWS_SHARD_BYTES), 7);
    close_shards(&s);
}

static void test_raw(void **state)
{
    (void)state;
    check_steering(open_raw);
}

static void test_own_host(void **state)
{
    (void)state;
    check_steering(open_own_host);
}

static void test_udp(void **state)
{
    (void)state;
    check_steering(open_udp);
}

/* Too short to say whose: on UDP the first one's, which drops and counts them. */
static void test_udp_short(void **state)
{
    (void)state;
    struct shards s = open_shards(open_udp);
    for (uint32_t len = 4; len < HWS_SHARD_BYTES; len++)
        assert_int_equal(send_many(&s, "127.0.0.1", len), 1);
    close_shards(&s);
}

/* What comes for a shard that is not there is lost, others go on, and it may come back. */
static void check_leaving(open_function open)
{
    struct shards s = open_shards(open);
    struct link_send send = {.dst = "127.0.0.1",
                             .udp_port = s.udp_port,
                             .src_port = 1000,
                             .dst_port = PORT,
                             .count = 1,
                             .len = 40};
    while (rule(&send) != 0)
        send.seed++;
    s.links[0]->ops->close(s.links[0]);
    link_send(s.sender, &send);
    link_expect_nothing(s.links[1]);
    link_expect_nothing(s.links[2]);
    s.links[0] = must_open(open, SHARDS, 0);
    link_expect_nothing(s.links[0]);
    assert_int_equal(send_many(&s, "127.0.0.1", 40), 7);
    close_shards(&s);
}

static void test_raw_leaving(void **state)
{
    (void)state;
    check_leaving(open_raw);
}

static void test_udp_leaving(void **state)
{
    (void)state;
    check_leaving(open_udp);
}

static int in_other_process(open_function open, const struct hws_shard *shard)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct hws_link *link;
        _exit(-open(shard, &link));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* One runtime for each shard, all of one number, all of one process. */
static void check_owner(open_function open)
{
    struct hws_link *link;
    if (!have_namespace)
        skip();
    const struct hws_shard alone = {0}, first = {2, 0}, second = {2, 1}, other = {3, 1};
    struct hws_link *owner = must_open(open, 2, 0);
    assert_int_equal(open(&first, &link), -EADDRINUSE);
    assert_int_equal(open(&other, &link), -EADDRINUSE);
    assert_int_equal(open(&alone, &link), -EADDRINUSE);
    assert_int_equal(in_other_process(open, &second), EADDRINUSE);
    struct hws_link *beside = must_open(open, 2, 1);
    owner->ops->close(owner);
    assert_int_equal(in_other_process(open, &first), EADDRINUSE);
    beside->ops->close(beside);
    assert_int_equal(in_other_process(open, &first), 0);
    owner = must_open(open, 0, 0);
    assert_int_equal(open(&first, &link), -EADDRINUSE);
    owner->ops->close(owner);
}

static void test_raw_owner(void **state)
{
    (void)state;
    check_owner(open_raw);
}

static void test_udp_owner(void **state)
{
    (void)state;
    check_owner(open_udp);
}

int main(void)
{
    have_namespace = netns_enter();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_raw),         cmocka_unit_test(test_own_host),
        cmocka_unit_test(test_udp),         cmocka_unit_test(test_udp_short),
        cmocka_unit_test(test_raw_leaving), cmocka_unit_test(test_udp_leaving),
        cmocka_unit_test(test_raw_owner),   cmocka_unit_test(test_udp_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
