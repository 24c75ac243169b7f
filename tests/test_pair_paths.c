/* Stories of peers with several addresses, true and false ones (5.1.2, 5.4; RFC 5062). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/stranger.h"

#define SECOND 1000000u
/* 5.4: nothing but path verification goes to an address that was only listed. */
static void listed_addresses_get_no_data(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    const struct hws_addr victims[] = {stranger_addr(7), stranger_addr(8)};
    struct stranger s = stranger_new(&p->b);
    stranger_connects(&s, victims, 2);
    pair_send_pattern(&p->b, 0, 0, 1, 40000);
    uint32_t data = 0, heartbeats = 0;
    for (unsigned second = 0; second < 5; second++) {
        while (!pair_wire_empty(p)) {
            struct pair_packet *packet = pair_take(&p->b);
            bool confirmed = hws_addr_same(&packet->dst, &s.addr);
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
    struct stranger camper = stranger_new(&p->b);
    camper.port = PAIR_PORT_A;
    stranger_connects(&camper, &p->a.addr, 1);
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
    struct stranger thief = stranger_new(&p->b);
    thief.port = PAIR_PORT_A;
    stranger_inits(&thief, &p->a.addr, 1);
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
    b->sndbuf_bytes = b->sndbuf_max_bytes = 100;
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
    pair_send(&p->a, 0, 0, "x", 1);
    struct hws_tlv chunk = pair_chunk(pair_first(&p->a), 0);
    uint32_t tsn = hws_get32(hws_chunk_value(&chunk));
    pair_lost(&p->a, "DATA");
    uint8_t buf[1000];
    struct hws_builder b;
    pair_forge(&p->a, &b, buf, sizeof buf);
    for (unsigned i = 0; i < 10; i++)
        assert_true(hws_sack_encode(&b, tsn, 1000, NULL, 0, NULL, 0));
    pair_inject(&p->a, buf, hws_builder_finish(&b));
    assert_int_equal(pair_stats(&p->a)->drop_bundle, sacks + 9);
    pair_free(p);
}

static void soon_inactive(struct hws_params *a, struct hws_params *b)
{
    a->path_max_retrans = b->path_max_retrans = 1;
    a->assoc_max_retrans = 100;
    a->rto_max_us = 1000000;
    a->hb_interval_us = 0;
}

/* 6.4.1: when no path answers, data tries them all in turn: any may be the one that works again. */
static void dead_paths_take_turns(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.addrs = 4, .params = soon_inactive});
    pair_connect(p);
    pair_run(p, 10ull * SECOND);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(pair_path_to(&p->a, &p->b.addrs[i]).confirmed);
        p->cut[i] = true;
    }
    pair_send(&p->a, 0, 0, "x", 1);
    pair_run(p, 20ull * SECOND);
    uint32_t data[4] = {0};
    for (unsigned second = 0; second < 20; second++) {
        pair_wait(p, SECOND);
        while (p->a.wire_head != NULL) {
            struct pair_packet *packet = pair_take(&p->a);
            for (uint32_t i = 0; i < 4 && strstr(pair_chunks(packet), "DATA") != NULL; i++)
                data[i] += hws_addr_same(&packet->dst, &p->b.addrs[i]);
            free(packet);
        }
    }
    for (uint32_t i = 0; i < 4; i++)
        assert_in_range(data[i], 4, 6);
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
        cmocka_unit_test(dead_paths_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
