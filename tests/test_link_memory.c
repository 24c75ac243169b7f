#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/link_tool.h"

#define MTU 1500

struct pair {
    struct hws_link *a, *b;
};

static int setup(void **state)
{
    static struct pair pair;
    *state = &pair;
    return hws_link_memory_pair(MTU, &pair.a, &pair.b);
}

static int teardown(void **state)
{
    struct pair *pair = *state;
    if (pair->a != NULL)
        pair->a->ops->close(pair->a);
    if (pair->b != NULL)
        pair->b->ops->close(pair->b);
    return 0;
}

static struct link_send to_b(uint32_t count, uint32_t len)
{
    return (struct link_send){
        .dst = "192.0.2.2", .src_port = 1, .dst_port = 2, .count = count, .len = len, .seed = 9};
}

static void expect_train(struct hws_link *link, const struct link_send *sent)
{
    struct hws_packet_in packets[64];
    assert_int_equal(link->ops->receive(link, packets, 64), sent->count);
    for (uint32_t i = 0; i < sent->count; i++) {
        bool last = i + 1 == sent->count && sent->last_len != 0;
        link_check(&packets[i], last ? sent->last_len : sent->len, 1, 2, sent->seed + i);
    }
    link_unref(packets, sent->count);
}

static void test_train(void **state)
{
    struct pair *pair = *state;
    struct link_send send = to_b(44, 1452);
    send.last_len = 12;
    link_submit(pair->a, &send);
    link_expect_nothing(pair->b);
    assert_true(pair->a->ops->flush(pair->a));
    expect_train(pair->b, &send);
    link_expect_nothing(pair->b);
    link_expect_nothing(pair->a);
}

static void test_addresses(void **state)
{
    struct pair *pair = *state;
    struct hws_packet_in packet;
    struct hws_addr a, b = link_addr("192.0.2.2", 0);
    uint32_t mtu;
    assert_int_equal(pair->a->ops->route(pair->a, &b, &a, &mtu), 0);
    assert_int_equal(mtu, MTU);
    struct link_send send = to_b(1, 100);
    link_send(pair->a, &send);
    assert_int_equal(pair->b->ops->receive(pair->b, &packet, 1), 1);
    assert_true(hws_addr_same(&packet.src, &a));
    assert_true(hws_addr_same(&packet.dst, &b));
    link_unref(&packet, 1);
}

/* Small trains must not pin the large buffers they are built in. */
static void test_truesize(void **state)
{
    struct pair *pair = *state;
    struct hws_packet_in packets[40];
    struct link_send small = to_b(1, 1452), bulk = to_b(40, 1452);
    link_send(pair->a, &small);
    assert_int_equal(pair->b->ops->receive(pair->b, packets, 1), 1);
    assert_true(packets[0].truesize <= 2048);
    link_unref(packets, 1);
    link_send(pair->a, &bulk);
    assert_int_equal(pair->b->ops->receive(pair->b, packets, 40), 40);
    assert_ptr_equal(packets[0].buf, packets[39].buf);
    assert_true(packets[0].truesize < 2048);
    link_unref(packets, 40);
}

static void test_receive_in_parts(void **state)
{
    struct pair *pair = *state;
    struct hws_packet_in packets[10];
    struct link_send send = to_b(10, 600);
    link_send(pair->a, &send);
    assert_int_equal(pair->b->ops->receive(pair->b, packets, 3), 3);
    assert_int_equal(pair->b->ops->receive(pair->b, packets + 3, 64), 7);
    for (uint32_t i = 0; i < 10; i++)
        link_check(&packets[i], 600, 1, 2, 9 + i);
    link_unref(packets, 10);
}

static void test_mtu(void **state)
{
    struct pair *pair = *state;
    struct hws_net_event event;
    struct link_send fits = to_b(1, MTU - 20), large = to_b(1, MTU - 16);
    link_send(pair->a, &large);
    link_send(pair->a, &fits);
    expect_train(pair->b, &fits);
    assert_true(pair->a->ops->net_event(pair->a, &event));
    assert_int_equal(event.kind, HWS_NET_SEND_FAILED);
    assert_int_equal(event.reason, HWS_SEND_TOO_BIG);
    assert_false(pair->a->ops->net_event(pair->a, &event));
    large.fragment_mtu = 1500;
    link_send(pair->a, &large);
    expect_train(pair->b, &large);
}

static void test_full_queue_blocks(void **state)
{
    struct pair *pair = *state;
    struct link_send send = to_b(1, 100);
    struct hws_train train = {.packets = 0};
    uint32_t trains = 0;
    while (pair->a->ops->train(pair->a, &train)) {
        link_submit(pair->a, &send);
        pair->a->ops->flush(pair->a);
        trains++;
        assert_true(trains < 10000);
    }
    assert_false(pair->a->ops->flush(pair->a));
    uint32_t received = 0;
    struct hws_packet_in packet;
    while (pair->b->ops->receive(pair->b, &packet, 1) == 1) {
        link_unref(&packet, 1);
        pair->a->ops->flush(pair->a);
        received++;
    }
    assert_int_equal(received, trains);
}

static void test_peer_closes(void **state)
{
    struct pair *pair = *state;
    struct hws_packet_in packet;
    struct link_send send = to_b(20, 1400);
    link_send(pair->a, &send);
    assert_int_equal(pair->b->ops->receive(pair->b, &packet, 1), 1);
    pair->b->ops->close(pair->b);
    pair->b = NULL;
    link_send(pair->a, &send);
    pair->a->ops->close(pair->a);
    pair->a = NULL;
    link_check(&packet, 1400, 1, 2, 9);
    link_unref(&packet, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_train),       TEST(test_addresses),
        TEST(test_truesize),    TEST(test_receive_in_parts),
        TEST(test_mtu),         TEST(test_full_queue_blocks),
        TEST(test_peer_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
