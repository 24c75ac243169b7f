/* Stories of a receive buffer that associations share: what their windows promise fits into it, in
 * memory, and nobody starves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/pair.h"

#define SECOND 1000000u
#define BUDGET (1u << 20)
#define FULL_PACKET 1452u
/* And of one whose path MTU nobody has asked for. */
#define BASE_PACKET 1152u
/* User data that has a packet to itself, and what that costs. */
#define SMALL 16u
#define SMALL_PACKET_MEMORY 768u
#define COUNT_MAX 400u
/* What a link charges a full packet with at least: a kernel keeps it in 2 KB, beside a descriptor.
 */
#define FULL_PACKET_MEMORY 2304u

/* Associations from as many ports of a to the one port of b. */
struct crowd {
    struct pair *p;
    uint32_t count;
    hws_assoc_id a[COUNT_MAX], b[COUNT_MAX];
    uint64_t edge[COUNT_MAX]; /* user data received and promised: where b's window ends */
    uint64_t received[COUNT_MAX];
};

static struct crowd *crowd_new(uint32_t count, uint64_t budget)
{
    struct crowd *c = calloc(1, sizeof(*c));
    struct hws_params params;
    assert_non_null(c);
    c->p = pair_new(NULL);
    c->count = count;
    hws_engine_set_receive_budget(c->p->b.engine, budget);
    hws_params_default(&params);
    params.nodelay = true;
    for (uint32_t i = 0; i < count; i++) {
        const struct hws_endpoint_config config = {.port = (uint16_t)(3000 + i),
                                                   .locals = &c->p->a.addr,
                                                   .local_count = 1,
                                                   .params = &params};
        hws_endpoint_id endpoint;
        assert_int_equal(hws_endpoint_new(c->p->a.engine, &config, &endpoint), HWS_OK);
        assert_int_equal(hws_assoc_connect(c->p->a.engine, endpoint, &c->p->b.addr, 1, PAIR_PORT_B,
                                           c->p->now_us, &c->a[i]),
                         HWS_OK);
        pair_settle(c->p);
        c->b[i] = c->p->b.assoc;
    }
    return c;
}

static void crowd_free(struct crowd *c)
{
    pair_free(c->p);
    free(c);
}

static struct hws_assoc_status status_of(const struct crowd *c, uint32_t i)
{
    struct hws_assoc_status status;
    assert_int_equal(hws_assoc_status(c->p->b.engine, c->b[i], &status), HWS_OK);
    return status;
}

static void receive(struct crowd *c, uint32_t i)
{
    uint8_t buf[8192];
    struct hws_rcvinfo info;
    size_t len;
    while (hws_assoc_recv(c->p->b.engine, c->b[i], buf, sizeof(buf), &len, &info, c->p->now_us) ==
           HWS_OK)
        c->received[i] += len;
}

/* Messages of this size from one of them; b acknowledges and reads. The window's end never goes
 * back (6.2.1). */
static void talk(struct crowd *c, uint32_t i, uint32_t messages, uint32_t len)
{
    static uint8_t data[8192];
    const struct hws_sndinfo info = {0};
    const struct hws_iovec iov = {data, len};
    for (uint32_t n = 0; n < messages; n++) {
        assert_int_equal(hws_assoc_send(c->p->a.engine, c->a[i], &info, &iov, 1, c->p->now_us),
                         HWS_OK);
        pair_settle(c->p);
        receive(c, i);
    }
    pair_run(c->p, 1000);
    uint64_t edge = c->received[i] + status_of(c, i).rwnd;
    assert_true(edge >= c->edge[i]);
    c->edge[i] = edge;
}

static uint64_t promised(const struct crowd *c)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < c->count; i++)
        sum += status_of(c, i).rwnd;
    return sum;
}

static uint64_t memory_of(uint64_t payload)
{
    return (payload + FULL_PACKET - 1) / FULL_PACKET * FULL_PACKET_MEMORY;
}

static void without_a_budget_the_buffer_counts(void **state)
{
    struct crowd *c = crowd_new(1, 0);
    struct hws_params params;
    (void)state;
    hws_params_default(&params);
    talk(c, 0, 10, FULL_PACKET);
    assert_true(status_of(c, 0).rwnd >= params.rcvbuf_bytes - 2 * FULL_PACKET);
    crowd_free(c);
}

static void one_alone_has_it_all(void **state)
{
    struct crowd *c = crowd_new(1, BUDGET);
    (void)state;
    assert_true(memory_of(status_of(c, 0).rwnd) <= BUDGET);
    talk(c, 0, 200, FULL_PACKET);
    uint64_t rwnd = status_of(c, 0).rwnd;
    assert_true(memory_of(rwnd) <= BUDGET && memory_of(rwnd) >= BUDGET / 3);
    crowd_free(c);
}

/* What was promised when there were fewer is used up by what they send. */
static void those_that_receive_share_it(void **state)
{
    struct crowd *c = crowd_new(20, BUDGET);
    (void)state;
    for (uint32_t round = 0; round < 30; round++)
        for (uint32_t i = 0; i < c->count; i++)
            talk(c, i, 10, FULL_PACKET);
    assert_true(memory_of(promised(c)) <= BUDGET);
    assert_true(memory_of(promised(c)) >= BUDGET / 3);
    for (uint32_t i = 1; i < c->count; i++)
        assert_in_range(status_of(c, i).rwnd, status_of(c, 0).rwnd - 2 * FULL_PACKET,
                        status_of(c, 0).rwnd + 2 * FULL_PACKET);
    crowd_free(c);
}

/* 16 bytes in a packet of their own cost many times as much. */
static void small_chunks_cost_what_their_packets_do(void **state)
{
    struct crowd *c = crowd_new(2, BUDGET / 2);
    (void)state;
    for (uint32_t round = 0; round < 100; round++) {
        talk(c, 0, 100, FULL_PACKET);
        talk(c, 1, 100, SMALL);
    }
    assert_true(status_of(c, 0).rwnd > 10 * status_of(c, 1).rwnd);
    assert_true(status_of(c, 1).rwnd / SMALL * SMALL_PACKET_MEMORY <= BUDGET / 2);
    crowd_free(c);
}

static void everyone_has_two_packets(void **state)
{
    struct crowd *c = crowd_new(COUNT_MAX, 100000);
    (void)state;
    for (uint32_t round = 0; round < 10; round++)
        for (uint32_t i = 0; i < c->count; i++)
            talk(c, i, 3, FULL_PACKET);
    for (uint32_t i = 0; i < c->count; i++) {
        assert_int_equal(c->received[i], 30 * FULL_PACKET);
        assert_in_range(status_of(c, i).rwnd, 2 * BASE_PACKET, 4 * FULL_PACKET);
    }
    crowd_free(c);
}

/* The idle ones leave their share to those that are not, and have it when they come back. */
static void the_idle_leave_their_share(void **state)
{
    struct crowd *c = crowd_new(10, BUDGET);
    (void)state;
    for (uint32_t round = 0; round < 30; round++)
        for (uint32_t i = 0; i < c->count; i++)
            talk(c, i, 10, FULL_PACKET);
    uint32_t shared = status_of(c, 0).rwnd;
    for (uint32_t round = 0; round < 4; round++) {
        pair_run(c->p, SECOND);
        talk(c, 0, 50, FULL_PACKET);
    }
    assert_true(status_of(c, 0).rwnd > 5 * shared);
    for (uint32_t round = 0; round < 60; round++)
        for (uint32_t i = 0; i < c->count; i++)
            talk(c, i, 10, FULL_PACKET);
    assert_true(status_of(c, 0).rwnd < 2 * shared);
    assert_true(memory_of(promised(c)) <= BUDGET);
    crowd_free(c);
}

static void small_receive_buffer(struct hws_params *a, struct hws_params *b)
{
    (void)a;
    b->rcvbuf_bytes = b->rcvbuf_max_bytes = 16384;
}

/* A full receive buffer that is read byte by byte: no SACK says what was said before (the
 * receiver's silly window avoidance, 6.2), however small the share. */
static void a_small_share_brings_no_idle_updates(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = small_receive_buffer});
    hws_engine_set_receive_budget(p->b.engine, 1);
    pair_connect(p);
    pair_send_pattern(&p->a, 0, 0, 1, 16384);
    pair_send_pattern(&p->a, 0, 0, 1, 16384);
    pair_run(p, 10 * SECOND);
    assert_in_range(pair_status(&p->b).rwnd, 0, BASE_PACKET - 1);
    uint64_t before = pair_stats(&p->b)->sacks_out;
    for (uint32_t i = 0; i < 4096; i++) {
        uint8_t byte;
        size_t len;
        struct hws_rcvinfo info;
        assert_int_equal(hws_assoc_recv(p->b.engine, p->b.assoc, &byte, 1, &len, &info, p->now_us),
                         HWS_OK);
        pair_pull(p);
    }
    assert_in_range(pair_stats(&p->b)->sacks_out - before, 1, 4);
    assert_true(pair_status(&p->b).rwnd >= BASE_PACKET);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_budget_the_buffer_counts),
        cmocka_unit_test(one_alone_has_it_all),
        cmocka_unit_test(those_that_receive_share_it),
        cmocka_unit_test(small_chunks_cost_what_their_packets_do),
        cmocka_unit_test(everyone_has_two_packets),
        cmocka_unit_test(the_idle_leave_their_share),
        cmocka_unit_test(a_small_share_brings_no_idle_updates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
