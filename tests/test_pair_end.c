/* Stories of how an association ends: RFC 9260, sections 8.1, 8.3 and 9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/cause.h"
#include "tests/pair.h"

#define SECOND 1000000u

/* Both are over, gracefully, and forgotten without a trace. */
static void expect_graceful(struct pair *p)
{
    struct pair_end *ends[2] = {&p->a, &p->b};
    for (int i = 0; i < 2; i++) {
        assert_true(pair_saw(ends[i], HWS_EVENT_DOWN));
        assert_int_equal(ends[i]->reason, HWS_E_EOF);
        uint8_t byte;
        size_t len;
        struct hws_rcvinfo info;
        assert_int_equal(
            hws_assoc_recv(ends[i]->engine, ends[i]->assoc, &byte, 1, &len, &info, p->now_us),
            HWS_E_EOF);
        assert_int_equal(hws_assoc_release(ends[i]->engine, ends[i]->assoc, p->now_us), HWS_OK);
        assert_int_equal(hws_engine_assoc_count(ends[i]->engine), 0);
        assert_int_equal(pair_stats(ends[i])->assocs_shutdown, 1);
    }
    pair_wait(p, 1000ull * SECOND);
    pair_silent(p);
}

static void shutdown_from_the_connector(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_shutdown(&p->a);
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_SHUTDOWN_SENT);
    pair_arrives(&p->a, "SHUTDOWN");
    assert_true(pair_saw(&p->b, HWS_EVENT_PEER_SHUTDOWN));
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_SHUTDOWN_ACK_SENT);
    pair_arrives(&p->b, "SHUTDOWN-ACK");
    pair_arrives(&p->a, "SHUTDOWN-COMPLETE");
    expect_graceful(p);
    pair_free(p);
}

static void shutdown_from_the_listener(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_shutdown(&p->b);
    pair_arrives(&p->b, "SHUTDOWN");
    pair_arrives(&p->a, "SHUTDOWN-ACK");
    pair_arrives(&p->b, "SHUTDOWN-COMPLETE");
    expect_graceful(p);
    pair_free(p);
}

static void shutdown_from_both_at_once(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_shutdown(&p->a);
    pair_shutdown(&p->b);
    pair_arrives(&p->a, "SHUTDOWN");
    pair_arrives(&p->b, "SHUTDOWN");
    pair_settle(p);
    expect_graceful(p);
    pair_free(p);
}

/* 9.2: what was accepted is delivered first, whoever sent it. */
static void shutdown_waits_for_data(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send_pattern(&p->a, 0, 0, 1, 100000);
    pair_send_pattern(&p->b, 0, 0, 2, 50000);
    pair_shutdown(&p->a);
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_SHUTDOWN_PENDING);
    struct hws_sndinfo info = {0};
    struct hws_iovec iov = {"x", 1};
    assert_int_equal(hws_assoc_send(p->a.engine, p->a.assoc, &info, &iov, 1, p->now_us),
                     HWS_E_SHUTDOWN);
    pair_run(p, SECOND);
    pair_recv_pattern(&p->b, 0, 1, 100000);
    pair_recv_pattern(&p->a, 0, 2, 50000);
    expect_graceful(p);
    pair_free(p);
}

/* 9.2: in SHUTDOWN-RECEIVED our own data still goes out, and each DATA chunk that comes in
 * SHUTDOWN-SENT is acknowledged at once. */
static void data_after_shutdown_sent(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send_pattern(&p->b, 0, 0, 9, 20000);
    pair_shutdown(&p->a);
    pair_arrives(&p->a, "SHUTDOWN");
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_SHUTDOWN_RECEIVED);
    pair_settle(p);
    pair_recv_pattern(&p->a, 0, 9, 20000);
    expect_graceful(p);
    pair_free(p);
}

static void shutdown_lost(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_shutdown(&p->a);
    pair_lost(&p->a, "SHUTDOWN");
    pair_next_timer(&p->a);
    assert_int_equal(pair_stats(&p->a)->timeouts_t2, 1);
    pair_arrives(&p->a, "SHUTDOWN");
    pair_settle(p);
    expect_graceful(p);
    pair_free(p);
}

static void shutdown_ack_lost(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_shutdown(&p->a);
    pair_arrives(&p->a, "SHUTDOWN");
    pair_lost(&p->b, "SHUTDOWN-ACK");
    pair_run(p, 10ull * SECOND);
    expect_graceful(p);
    pair_free(p);
}

/* 8.4, 5: a is gone already; the SHUTDOWN ACK that comes again is answered with the T bit. */
static void shutdown_complete_lost(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_shutdown(&p->a);
    pair_arrives(&p->a, "SHUTDOWN");
    pair_arrives(&p->b, "SHUTDOWN-ACK");
    pair_lost(&p->a, "SHUTDOWN-COMPLETE");
    assert_int_equal(hws_assoc_release(p->a.engine, p->a.assoc, p->now_us), HWS_OK);
    assert_int_equal(hws_engine_assoc_count(p->a.engine), 0);
    pair_next_timer(&p->b);
    uint32_t tag = hws_get32(pair_first(&p->b)->data + 4);
    pair_arrives(&p->b, "SHUTDOWN-ACK");
    struct hws_tlv chunk = pair_chunk(pair_first(&p->a), 0);
    assert_int_equal(hws_chunk_flags(&chunk), HWS_FLAG_T);
    assert_int_equal(hws_get32(pair_first(&p->a)->data + 4), tag);
    pair_arrives(&p->a, "SHUTDOWN-COMPLETE");
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    assert_int_equal(p->b.reason, HWS_E_EOF);
    pair_free(p);
}

/* 9.2: the tries are limited by Association.Max.Retrans, and T5 guards the whole. */
static void shutdown_never_answered(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_shutdown(&p->a);
    pair_wait(p, 3600ull * SECOND);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(p->a.reason, HWS_E_TIMEDOUT);
    assert_in_range(p->a.packets, 6, 20);
    pair_free(p);
}

/* Released while shutting down, an association finishes by itself. */
static void release_while_shutting_down(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send_pattern(&p->a, 0, 0, 5, 30000);
    pair_shutdown(&p->a);
    assert_int_equal(hws_assoc_release(p->a.engine, p->a.assoc, p->now_us), HWS_OK);
    struct hws_assoc_status status;
    assert_int_equal(hws_assoc_status(p->a.engine, p->a.assoc, &status), HWS_E_NOENT);
    pair_run(p, SECOND);
    pair_recv_pattern(&p->b, 0, 5, 30000);
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    assert_int_equal(p->b.reason, HWS_E_EOF);
    assert_int_equal(hws_engine_assoc_count(p->a.engine), 0);
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_free(p);
}

static void abort_with_a_reason(struct pair *p, struct pair_end *from)
{
    struct pair_end *to = from->other;
    pair_connect(p);
    assert_int_equal(hws_assoc_abort(from->engine, from->assoc, "no more", 7, p->now_us), HWS_OK);
    pair_pull(p);
    struct hws_tlv chunk = pair_chunk(pair_first(from), 0);
    struct hws_tlv_iter it = hws_tlv_begin(hws_chunk_value(&chunk), hws_chunk_value_len(&chunk));
    struct hws_tlv cause = {0};
    assert_true(hws_tlv_next(&it, &cause));
    assert_int_equal(cause.type, HWS_CAUSE_USER_ABORT);
    assert_int_equal(cause.len, 4 + 7);
    assert_memory_equal(cause.bytes + 4, "no more", 7);
    pair_arrives(from, "ABORT");
    assert_true(pair_saw(to, HWS_EVENT_DOWN));
    assert_int_equal(to->reason, HWS_E_RESET);
    assert_int_equal(to->cause, HWS_CAUSE_USER_ABORT);
    pair_wait(p, 1000ull * SECOND);
    pair_silent(p);
    pair_free(p);
}

static void abort_from_the_connector(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    abort_with_a_reason(p, &p->a);
}

static void abort_from_the_listener(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    abort_with_a_reason(p, &p->b);
}

static void release_aborts(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    assert_int_equal(hws_assoc_release(p->a.engine, p->a.assoc, p->now_us), HWS_OK);
    pair_arrives(&p->a, "ABORT");
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    assert_int_equal(hws_engine_assoc_count(p->a.engine), 0);
    pair_free(p);
}

/* What arrived before the end can be read after it. */
static void data_outlives_the_association(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send(&p->a, 0, 0, "last words", 10);
    pair_settle(p);
    assert_int_equal(hws_assoc_abort(p->a.engine, p->a.assoc, NULL, 0, p->now_us), HWS_OK);
    pair_settle(p);
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    pair_recv(&p->b, 0, "last words", 10);
    uint8_t byte;
    size_t len;
    struct hws_rcvinfo info;
    assert_int_equal(hws_assoc_recv(p->b.engine, p->b.assoc, &byte, 1, &len, &info, p->now_us),
                     HWS_E_RESET);
    pair_free(p);
}

static void only_a_asks(struct hws_params *a, struct hws_params *b)
{
    (void)a;
    b->hb_interval_us = 0;
}

/* 8.3: an idle path is asked every HB.interval plus RTO, with jitter of half an RTO. */
static void heartbeat_when_idle(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = only_a_asks});
    pair_connect(p);
    uint64_t start_us = p->now_us;
    while (p->a.wire_head == NULL)
        pair_next_timer(&p->a);
    assert_in_range(p->now_us - start_us, 30ull * SECOND, 32ull * SECOND);
    pair_arrives(&p->a, "HEARTBEAT");
    pair_arrives(&p->b, "HEARTBEAT-ACK");
    assert_int_equal(pair_path(&p->a).errors, 0);
    pair_free(p);
}

/* 8.2, 8.1: a path that does not answer goes down, then the association does. */
static void heartbeats_unanswered(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    uint64_t limit_us = p->now_us + 3600ull * SECOND;
    while (!pair_saw(&p->a, HWS_EVENT_PATH_DOWN) && p->now_us < limit_us)
        pair_next_timer(&p->a);
    assert_false(pair_path(&p->a).active);
    assert_int_equal(pair_path(&p->a).errors, 6);
    while (!pair_saw(&p->a, HWS_EVENT_DOWN) && p->now_us < limit_us)
        pair_next_timer(&p->a);
    assert_int_equal(p->a.reason, HWS_E_TIMEDOUT);
    pair_free(p);
}

/* An answer clears the counters. */
static void path_comes_back(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    while (!pair_saw(&p->a, HWS_EVENT_PATH_DOWN))
        pair_next_timer(&p->a);
    pair_settle(p);
    pair_run(p, 120ull * SECOND);
    assert_true(pair_saw(&p->a, HWS_EVENT_PATH_UP));
    assert_true(pair_path(&p->a).active);
    assert_int_equal(pair_path(&p->a).errors, 0);
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_free(p);
}

/* 8.1: data that is never acknowledged ends the association after Association.Max.Retrans. */
static void data_never_acknowledged(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send(&p->a, 0, 0, "hello?", 6);
    pair_wait(p, 3600ull * SECOND);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(p->a.reason, HWS_E_TIMEDOUT);
    /* HEARTBEATs to the path that went down count as well. */
    assert_int_equal(pair_stats(&p->a)->timeouts_t3 + pair_stats(&p->a)->timeouts_heartbeat, 11);
    pair_free(p);
}

/* Section 10, ICMP3: a host that does not speak SCTP ends the try. */
static void protocol_unreachable(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    struct pair_packet *init = pair_take(&p->a);
    struct hws_net_event event = {.kind = HWS_NET_UNREACHABLE,
                                  .local = p->a.addr,
                                  .remote = p->b.addr,
                                  .protocol_unreachable = true,
                                  .quoted = init->data,
                                  .quoted_len = init->len};
    hws_engine_net_event(p->a.engine, &event, p->now_us);
    pair_pull(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    free(init);
    pair_free(p);
}

static void tell_unreachable(struct pair *p, uint32_t address)
{
    struct pair_packet *data = pair_take(&p->a);
    struct hws_net_event event = {.kind = HWS_NET_UNREACHABLE,
                                  .local = p->a.addrs[address],
                                  .remote = p->b.addrs[address],
                                  .protocol_unreachable = true,
                                  .quoted = data->data,
                                  .quoted_len = data->len};
    hws_engine_net_event(p->a.engine, &event, p->now_us);
    pair_pull(p);
    free(data);
}

/* An association that is up believes it only when nothing is heard until the next timeout: the
 * peer's host says so, too, when a raw socket over there is full. */
static void protocol_unreachable_later(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send(&p->a, 0, 0, "lost", 4);
    tell_unreachable(p, 0);
    pair_send(&p->b, 0, 0, "here", 4);
    pair_settle(p);
    pair_run(p, 5ull * SECOND);
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_recv(&p->b, 0, "lost", 4);
    pair_send(&p->a, 0, 0, "gone", 4);
    tell_unreachable(p, 0);
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_wait(p, 5ull * SECOND);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(p->a.reason, HWS_E_RESET);
    pair_free(p);
}

/* Of an address that the peer listed and nobody has confirmed it says nothing about the peer. */
static void protocol_unreachable_elsewhere(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.addrs = 2});
    p->cut[1] = true;
    pair_connect(p);
    assert_false(pair_path_to(&p->a, &p->b.addrs[1]).confirmed);
    pair_send(&p->a, 0, 0, "lost", 4);
    tell_unreachable(p, 1);
    pair_wait(p, 1500000);
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_settle(p);
    pair_run(p, 5ull * SECOND);
    pair_recv(&p->b, 0, "lost", 4);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shutdown_from_the_connector),
        cmocka_unit_test(shutdown_from_the_listener),
        cmocka_unit_test(shutdown_from_both_at_once),
        cmocka_unit_test(shutdown_waits_for_data),
        cmocka_unit_test(data_after_shutdown_sent),
        cmocka_unit_test(shutdown_lost),
        cmocka_unit_test(shutdown_ack_lost),
        cmocka_unit_test(shutdown_complete_lost),
        cmocka_unit_test(shutdown_never_answered),
        cmocka_unit_test(release_while_shutting_down),
        cmocka_unit_test(abort_from_the_connector),
        cmocka_unit_test(abort_from_the_listener),
        cmocka_unit_test(release_aborts),
        cmocka_unit_test(data_outlives_the_association),
        cmocka_unit_test(heartbeat_when_idle),
        cmocka_unit_test(heartbeats_unanswered),
        cmocka_unit_test(path_comes_back),
        cmocka_unit_test(data_never_acknowledged),
        cmocka_unit_test(protocol_unreachable),
        cmocka_unit_test(protocol_unreachable_later),
        cmocka_unit_test(protocol_unreachable_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
