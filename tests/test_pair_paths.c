/* Stories of peers with several addresses, true and false ones (5.1.2, 5.4; RFC 5062). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/param.h"
#include "tests/pair.h"

#define SECOND 1000000u
#define STRANGER_TAG 0x5eedu

static struct hws_addr address(uint8_t d)
{
    return (struct hws_addr){.family = HWS_FAMILY_IPV4, .ip = {198, 51, 100, d}};
}

/* What a stranger at `from`, port of a, sends to b: an INIT that lists further addresses. */
static void stranger_inits(struct pair *p, const struct hws_addr *from,
                           const struct hws_addr *listed, uint32_t count)
{
    uint8_t buf[400];
    struct hws_builder b;
    hws_builder_init(&b, buf, sizeof buf, PAIR_PORT_A, PAIR_PORT_B, 0);
    const struct hws_init init = {
        .tag = STRANGER_TAG, .a_rwnd = 100000, .ostreams = 5, .max_instreams = 5, .tsn = 1};
    assert_true(hws_init_open(&b, HWS_CHUNK_INIT, &init));
    for (uint32_t i = 0; i < count; i++)
        assert_true(hws_param_put_addr(&b, &listed[i]));
    assert_true(hws_builder_close(&b));
    pair_inject_from(&p->b, from, buf, hws_builder_finish(&b));
}

/* The stranger echoes the cookie of b's INIT ACK, the first packet on the wire. */
static void stranger_echoes(struct pair *p, const struct hws_addr *from)
{
    struct pair_packet *ack = pair_take(&p->b);
    struct hws_tlv chunk = pair_chunk(ack, 0), param = {0};
    struct hws_init init;
    assert_int_equal(hws_chunk_type(&chunk), HWS_CHUNK_INIT_ACK);
    assert_true(hws_init_decode(&chunk, &init));
    struct hws_tlv_iter it = hws_tlv_begin(init.params, init.params_len);
    do
        assert_true(hws_tlv_next(&it, &param));
    while (param.type != HWS_PARAM_COOKIE);
    uint8_t buf[600];
    struct hws_builder b;
    hws_builder_init(&b, buf, sizeof buf, PAIR_PORT_A, PAIR_PORT_B, init.tag);
    assert_true(hws_chunk_put(&b, HWS_CHUNK_COOKIE_ECHO, 0, hws_param_value(&param),
                              hws_param_value_len(&param)));
    pair_inject_from(&p->b, from, buf, hws_builder_finish(&b));
    free(ack);
}

static void stranger_connects(struct pair *p, const struct hws_addr *from,
                              const struct hws_addr *listed, uint32_t count)
{
    stranger_inits(p, from, listed, count);
    stranger_echoes(p, from);
    assert_true(pair_saw(&p->b, HWS_EVENT_UP));
}

/* 5.4: nothing but path verification goes to an address that was only listed. */
static void listed_addresses_get_no_data(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    const struct hws_addr from = address(1), victims[] = {address(7), address(8)};
    stranger_connects(p, &from, victims, 2);
    pair_send_pattern(&p->b, 0, 0, 1, 40000);
    uint32_t data = 0, heartbeats = 0;
    for (unsigned second = 0; second < 5; second++) {
        while (!pair_wire_empty(p)) {
            struct pair_packet *packet = pair_take(&p->b);
            bool confirmed = hws_addr_same(&packet->dst, &from);
            data += strstr(pair_chunks(packet), "DATA") != NULL;
            if (!confirmed)
                assert_string_equal(pair_chunks(packet), "HEARTBEAT");
            heartbeats += !confirmed;
            free(packet);
        }
        pair_wait(p, SECOND);
    }
    assert_true(data > 0 && heartbeats >= 2);
    pair_free(p);
}

/* RFC 5062, 2: who lists somebody else's address does not get that somebody's association. */
static void a_listed_address_is_its_owners(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    const struct hws_addr camper = address(1);
    stranger_connects(p, &camper, &p->a.addr, 1);
    while (!pair_wire_empty(p))
        free(pair_take(&p->b));
    pair_begin(&p->a);
    pair_settle(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_UP));
    assert_int_equal(pair_stats(&p->b)->assocs_passive, 2);
    assert_int_equal(pair_stats(&p->b)->assocs_restarted, 0);
    pair_free(p);
}

/* The same the other way round: an association's address cannot be listed by another (5.1.2 D). */
static void an_owned_address_is_not_listed(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    const struct hws_addr thief = address(1);
    stranger_inits(p, &thief, &p->a.addr, 1);
    struct pair_packet *answer = pair_take(&p->b);
    assert_non_null(strstr(pair_text(answer), "Restart-with-New-Addresses"));
    free(answer);
    pair_send(&p->a, 0, 0, "mine", 4);
    pair_settle(p);
    pair_recv(&p->b, 0, "mine", 4);
    pair_free(p);
}

static void tiny_send_buffer(struct hws_params *a, struct hws_params *b)
{
    (void)a;
    b->sndbuf_bytes = 100;
}

/* 5.2.4 A: after a restart nothing of the old transfer is owed, and a blocked sender learns it. */
static void restart_unblocks_the_sender(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = tiny_send_buffer});
    pair_connect(p);
    pair_send(&p->b, 0, 0, "what the other side will never acknowledge, since it is gone", 60);
    const struct hws_sndinfo info = {0};
    const struct hws_iovec iov = {"more", 4};
    assert_int_equal(hws_assoc_send(p->b.engine, p->b.assoc, &info, &iov, 1, p->now_us),
                     HWS_E_AGAIN);
    while (!pair_wire_empty(p))
        free(pair_take(&p->b));
    (void)pair_saw(&p->b, HWS_EVENT_WRITABLE);
    pair_reboot(&p->a, false);
    pair_begin(&p->a);
    pair_settle(p);
    assert_true(pair_saw(&p->b, HWS_EVENT_RESTART));
    assert_true(pair_saw(&p->b, HWS_EVENT_WRITABLE));
    assert_int_equal(pair_status(&p->b).unacked_bytes, 0);
    pair_send(&p->b, 0, 0, "again", 5);
    pair_settle(p);
    pair_recv(&p->a, 0, "again", 5);
    pair_free(p);
}

/* One SACK of a packet counts: each costs what is in flight, and a packet holds hundreds. */
static void one_sack_per_packet(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    uint64_t sacks = pair_stats(&p->a)->drop_bundle;
    uint8_t buf[1000];
    struct hws_builder b;
    pair_forge(&p->a, &b, buf, sizeof buf);
    for (unsigned i = 0; i < 10; i++)
        assert_true(hws_sack_encode(&b, 1, 1000, NULL, 0, NULL, 0));
    pair_inject(&p->a, buf, hws_builder_finish(&b));
    assert_int_equal(pair_stats(&p->a)->drop_bundle, sacks + 9);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listed_addresses_get_no_data),
        cmocka_unit_test(a_listed_address_is_its_owners),
        cmocka_unit_test(an_owned_address_is_not_listed),
        cmocka_unit_test(restart_unblocks_the_sender),
        cmocka_unit_test(one_sack_per_packet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
