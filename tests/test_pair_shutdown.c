/* Stories of the shutdown sequence, step by step, and of aborts: RFC 9260, section 9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/cause.h"
#include "tests/pair.h"

#define SECOND 1000000u

/* Everything `end` has on the wire is lost; how many packets were exactly `chunks`. */
static uint32_t lose(struct pair_end *end, const char *chunks)
{
    uint32_t count = 0;
    while (end->wire_head != NULL) {
        struct pair_packet *packet = pair_take(end);
        count += strcmp(pair_chunks(packet), chunks) == 0;
        free(packet);
    }
    return count;
}

static uint32_t tag_of(const struct pair_packet *packet)
{
    return hws_get32(packet->data + 4);
}

static uint8_t flags_of(const struct pair_packet *packet)
{
    struct hws_tlv chunk = pair_chunk(packet, 0);
    return hws_chunk_flags(&chunk);
}

/* `end` gets one chunk from its peer. */
static void inject(struct pair_end *end, uint8_t type, uint8_t flags, uint32_t tag,
                   const void *value, uint32_t value_len)
{
    uint8_t buf[200];
    struct hws_builder b;
    hws_builder_init(&b, buf, sizeof buf, end->other->port, end->port, tag);
    assert_true(hws_chunk_put(&b, type, flags, value, value_len));
    pair_inject(end, buf, hws_builder_finish(&b));
}

static void inject_shutdown(struct pair_end *end, uint32_t cum_tsn)
{
    uint8_t value[4];
    hws_put32(value, cum_tsn);
    inject(end, HWS_CHUNK_SHUTDOWN, 0, pair_status(end).local_vtag, value, sizeof value);
}

static uint32_t first_tsn(const struct pair_packet *packet)
{
    struct hws_tlv chunk = pair_chunk(packet, 0);
    assert_int_equal(hws_chunk_type(&chunk), HWS_CHUNK_DATA);
    return hws_get32(chunk.bytes + 4);
}

static uint32_t shutdown_cum(const struct pair_packet *packet, uint32_t index)
{
    struct hws_tlv chunk = pair_chunk(packet, index);
    uint32_t cum_tsn;
    assert_int_equal(hws_chunk_type(&chunk), HWS_CHUNK_SHUTDOWN);
    assert_true(hws_shutdown_decode(&chunk, &cum_tsn));
    return cum_tsn;
}

static int try_to_send(struct pair_end *end)
{
    const struct hws_sndinfo info = {0};
    const struct hws_iovec iov = {"x", 1};
    return hws_assoc_send(end->engine, end->assoc, &info, &iov, 1, end->pair->now_us);
}

/* ---- States, by hand ---- */

/* a has sent SHUTDOWN; b still has data that a has not acknowledged: SHUTDOWN-RECEIVED. */
static struct pair *shutdown_received(uint32_t *tsn)
{
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    pair_send(&p->b, 0, 0, "late", 4);
    *tsn = first_tsn(pair_first(&p->b));
    pair_lost(&p->b, "DATA");
    pair_wait(p, 300000); /* so that T2 and T3 are apart */
    pair_shutdown(&p->a);
    pair_arrives(&p->a, "SHUTDOWN");
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_SHUTDOWN_RECEIVED);
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_SHUTDOWN_SENT);
    return p;
}

static void no_heartbeats(struct hws_params *a, struct hws_params *b)
{
    a->hb_interval_us = b->hb_interval_us = 0;
}

static void limited(struct hws_params *a, struct hws_params *b)
{
    a->assoc_max_retrans = b->assoc_max_retrans = 3;
    no_heartbeats(a, b);
}

static struct pair *shutdown_ack_sent(void (*params)(struct hws_params *, struct hws_params *))
{
    struct pair *p = pair_new(&(struct pair_options){.params = params});
    pair_connect(p);
    pair_shutdown(&p->a);
    pair_arrives(&p->a, "SHUTDOWN");
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_SHUTDOWN_ACK_SENT);
    return p;
}

/* ---- The sender of SHUTDOWN ---- */

/* 9.2: what is sent again tells what has come since. */
static void shutdown_again_tells_what_came(void **state)
{
    (void)state;
    uint32_t tsn;
    struct pair *p = shutdown_received(&tsn);
    pair_wait(p, 700000);
    pair_arrives(&p->b, "DATA");
    assert_string_equal(pair_chunks(pair_first(&p->a)), "SACK+SHUTDOWN");
    assert_int_equal(shutdown_cum(pair_first(&p->a), 1), tsn);
    pair_lost(&p->a, "SACK+SHUTDOWN");
    pair_wait(p, 900000);
    (void)lose(&p->b, "DATA");
    pair_wait(p, 200000);
    assert_int_equal(pair_stats(&p->a)->timeouts_t2, 1);
    assert_int_equal(shutdown_cum(pair_first(&p->a), 0), tsn);
    pair_settle(p);
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    pair_free(p);
}

/* 9.2, 6.3: T2 is the path's RTO, doubled with each expiry, up to RTO.Max. */
static void t2_doubles(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = no_heartbeats});
    pair_connect(p);
    pair_shutdown(&p->a);
    pair_lost(&p->a, "SHUTDOWN");
    static const uint32_t seconds[] = {1, 2, 4, 8, 16, 32, 60, 60};
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        pair_wait(p, (uint64_t)seconds[i] * SECOND - 1);
        pair_silent(p);
        pair_wait(p, 1);
        pair_lost(&p->a, "SHUTDOWN");
    }
    pair_free(p);
}

/* 9.2: Association.Max.Retrans bounds the tries; what follows is CLOSED, told, and silence. */
static void shutdown_has_a_limit(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = limited});
    pair_connect(p);
    pair_shutdown(&p->a);
    pair_wait(p, 15ull * SECOND - 1);
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(lose(&p->a, "SHUTDOWN"), 1 + 3);
    pair_wait(p, 1);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(p->a.reason, HWS_E_TIMEDOUT);
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_CLOSED);
    pair_wait(p, 1000ull * SECOND);
    pair_silent(p);
    pair_free(p);
}

/* 9.2: T5, five times RTO.Max after SHUTDOWN was sent, ends it with an ABORT. */
static void guard_timer(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_shutdown(&p->a);
    pair_wait(p, 300ull * SECOND - 1);
    assert_int_equal(lose(&p->a, "ABORT"), 0);
    pair_wait(p, 1);
    pair_arrives(&p->a, "ABORT");
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(p->a.reason, HWS_E_TIMEDOUT);
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    pair_free(p);
}

/* 9.2: in SHUTDOWN-SENT DATA is answered at once with SHUTDOWN, and T2 starts anew. */
static void data_in_shutdown_sent(void **state)
{
    (void)state;
    uint32_t tsn;
    struct pair *p = shutdown_received(&tsn);
    pair_wait(p, 600000);
    uint8_t buf[100];
    struct hws_builder b;
    pair_forge(&p->a, &b, buf, sizeof buf);
    struct hws_data data = {
        .tsn = tsn, .flags = HWS_DATA_B | HWS_DATA_E, .payload_len = 4, .ssn = 1};
    assert_non_null(hws_data_encode(&b, &data));
    pair_inject(&p->a, buf, hws_builder_finish(&b));
    assert_int_equal(shutdown_cum(pair_first(&p->a), 1), tsn);
    pair_lost(&p->a, "SACK+SHUTDOWN");
    pair_wait(p, SECOND - 1);
    assert_int_equal(pair_stats(&p->a)->timeouts_t2, 0);
    pair_wait(p, 1);
    assert_int_equal(pair_stats(&p->a)->timeouts_t2, 1);
    pair_free(p);
}

/* 9.2: whatever comes from the peer in SHUTDOWN-SENT clears the count and starts T2 anew. */
static void packets_restart_t2(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = limited});
    pair_connect_and_talk(p);
    pair_shutdown(&p->a);
    for (unsigned round = 0; round < 5; round++) {
        uint64_t rto_us = pair_path(&p->a).rto_us;
        pair_wait(p, rto_us - 1);
        assert_int_equal(pair_stats(&p->a)->timeouts_t2, round);
        inject(&p->a, HWS_CHUNK_HEARTBEAT_ACK, 0, pair_status(&p->a).local_vtag, "???", 3);
        pair_wait(p, rto_us - 1);
        assert_int_equal(pair_stats(&p->a)->timeouts_t2, round);
        pair_wait(p, 1);
        assert_int_equal(pair_stats(&p->a)->timeouts_t2, round + 1);
    }
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_free(p);
}

/* 9.2: what SHUTDOWN cannot say, a gap or a duplicate, a SACK says beside it. */
static void gap_in_shutdown_sent(void **state)
{
    (void)state;
    uint32_t tsn;
    struct pair *p = shutdown_received(&tsn);
    uint8_t buf[100];
    struct hws_builder b;
    for (unsigned i = 0; i < 2; i++) {
        pair_forge(&p->a, &b, buf, sizeof buf);
        struct hws_data data = {
            .tsn = tsn + 1, .flags = HWS_DATA_B | HWS_DATA_E, .payload_len = 4, .ssn = 2};
        assert_non_null(hws_data_encode(&b, &data));
        pair_inject(&p->a, buf, hws_builder_finish(&b));
        struct pair_packet *answer = pair_take(&p->a);
        assert_string_equal(pair_chunks(answer), "SACK+SHUTDOWN");
        struct hws_tlv chunk = pair_chunk(answer, 0);
        struct hws_sack sack;
        assert_true(hws_sack_decode(&chunk, &sack));
        assert_int_equal(sack.cum_tsn, tsn - 1);
        assert_int_equal(sack.gap_count, 1);
        assert_int_equal(sack.dup_count, i);
        assert_int_equal(shutdown_cum(answer, 1), tsn - 1);
        free(answer);
    }
    pair_free(p);
}

/* 9.2: SHUTDOWN meets SHUTDOWN: SHUTDOWN ACK at once, and T2 starts anew. */
static void shutdown_in_shutdown_sent(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_shutdown(&p->a);
    pair_shutdown(&p->b);
    pair_lost(&p->a, "SHUTDOWN");
    pair_wait(p, 600000);
    pair_arrives(&p->b, "SHUTDOWN");
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_SHUTDOWN_ACK_SENT);
    pair_lost(&p->a, "SHUTDOWN-ACK");
    pair_wait(p, 500000); /* b's T2 */
    pair_lost(&p->b, "SHUTDOWN");
    assert_int_equal(pair_stats(&p->a)->timeouts_t2, 0);
    pair_wait(p, 500000);
    assert_int_equal(pair_stats(&p->a)->timeouts_t2, 1);
    pair_lost(&p->a, "SHUTDOWN-ACK");
    pair_free(p);
}

/* 9.2: SHUTDOWN ACK meets SHUTDOWN ACK: that is the end, too. */
static void shutdown_ack_in_shutdown_ack_sent(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_shutdown(&p->a);
    pair_shutdown(&p->b);
    pair_arrives(&p->a, "SHUTDOWN");
    pair_arrives(&p->b, "SHUTDOWN");
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_SHUTDOWN_ACK_SENT);
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_SHUTDOWN_ACK_SENT);
    pair_arrives(&p->a, "SHUTDOWN-ACK");
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_CLOSED);
    pair_lost(&p->b, "SHUTDOWN-ACK");
    pair_arrives(&p->b, "SHUTDOWN-COMPLETE");
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(p->a.reason, HWS_E_EOF);
    pair_wait(p, 1000ull * SECOND);
    pair_silent(p);
    assert_int_equal(pair_stats(&p->a)->timeouts_t2 + pair_stats(&p->b)->timeouts_t2, 0);
    pair_free(p);
}

/* ---- The receiver of SHUTDOWN ---- */

/* 9.2: in SHUTDOWN-RECEIVED the user's SHUTDOWN changes nothing, and its data is not taken. */
static void user_in_shutdown_received(void **state)
{
    (void)state;
    uint32_t tsn;
    struct pair *p = shutdown_received(&tsn);
    assert_int_equal(try_to_send(&p->b), HWS_E_SHUTDOWN);
    pair_shutdown(&p->b);
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_SHUTDOWN_RECEIVED);
    pair_silent(p);
    pair_free(p);
}

/* 9.2: a further SHUTDOWN acknowledges data, and once all of it is, it is answered. */
static void shutdown_in_shutdown_received(void **state)
{
    (void)state;
    uint32_t tsn;
    struct pair *p = shutdown_received(&tsn);
    inject_shutdown(&p->b, tsn - 1);
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_SHUTDOWN_RECEIVED);
    inject_shutdown(&p->b, tsn);
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_SHUTDOWN_ACK_SENT);
    pair_lost(&p->b, "SHUTDOWN-ACK");
    inject_shutdown(&p->b, tsn);
    pair_lost(&p->b, "SHUTDOWN-ACK");
    pair_free(p);
}

/* 9.2: T2 of the side that sent SHUTDOWN ACK, and its limit. */
static void shutdown_ack_is_sent_again(void **state)
{
    (void)state;
    struct pair *p = shutdown_ack_sent(limited);
    static const uint32_t seconds[] = {1, 2, 4};
    pair_lost(&p->b, "SHUTDOWN-ACK");
    assert_int_equal(hws_assoc_abort(p->a.engine, p->a.assoc, NULL, 0, p->now_us), HWS_OK);
    pair_lost(&p->a, "ABORT"); /* a is gone: what follows is b's own doing */
    for (size_t i = 0; i < 3; i++) {
        pair_wait(p, (uint64_t)seconds[i] * SECOND);
        assert_int_equal(pair_stats(&p->b)->timeouts_t2, i + 1);
        pair_lost(&p->b, "SHUTDOWN-ACK");
    }
    pair_wait(p, 8ull * SECOND);
    pair_silent(p);
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    assert_int_equal(p->b.reason, HWS_E_TIMEDOUT);
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_CLOSED);
    pair_free(p);
}

/* 9.2: an INIT that meets SHUTDOWN-ACK-SENT is dropped and SHUTDOWN ACK sent again. */
static void init_in_shutdown_ack_sent(void **state)
{
    (void)state;
    struct pair *p = shutdown_ack_sent(NULL);
    pair_lost(&p->b, "SHUTDOWN-ACK");
    const struct hws_init init = {
        .tag = 77, .a_rwnd = 5000, .ostreams = 1, .max_instreams = 1, .tsn = 5};
    uint8_t buf[100];
    struct hws_builder b;
    hws_builder_init(&b, buf, sizeof buf, PAIR_PORT_A, PAIR_PORT_B, 0);
    assert_true(hws_init_open(&b, HWS_CHUNK_INIT, &init));
    assert_true(hws_builder_close(&b));
    pair_inject(&p->b, buf, hws_builder_finish(&b));
    assert_int_equal(tag_of(pair_first(&p->b)), pair_status(&p->b).remote_vtag);
    pair_lost(&p->b, "SHUTDOWN-ACK");
    pair_silent(p);
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_SHUTDOWN_ACK_SENT);
    pair_free(p);
}

/* 9.2: from SHUTDOWN on no message is taken any more. */
static void nothing_is_taken_any_more(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    pair_send(&p->a, 0, 0, "last", 4);
    pair_shutdown(&p->a);
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_SHUTDOWN_PENDING);
    assert_int_equal(try_to_send(&p->a), HWS_E_SHUTDOWN);
    pair_arrives(&p->a, "DATA");
    pair_run(p, 0);
    pair_wait(p, SECOND / 2);
    pair_arrives(&p->b, "SACK");
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_SHUTDOWN_SENT);
    assert_int_equal(try_to_send(&p->a), HWS_E_SHUTDOWN);
    pair_arrives(&p->a, "SHUTDOWN");
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_SHUTDOWN_ACK_SENT);
    assert_int_equal(try_to_send(&p->b), HWS_E_SHUTDOWN);
    pair_settle(p);
    assert_int_equal(try_to_send(&p->a), HWS_E_SHUTDOWN);
    pair_free(p);
}

/* ---- SHUTDOWN COMPLETE and tags ---- */

/* 8.5.1 C: with an association it carries the peer's tag and no T bit. */
static void shutdown_complete_is_sent_with_the_peers_tag(void **state)
{
    (void)state;
    struct pair *p = shutdown_ack_sent(NULL);
    uint32_t peers = pair_status(&p->a).remote_vtag;
    pair_arrives(&p->b, "SHUTDOWN-ACK");
    assert_int_equal(tag_of(pair_first(&p->a)), peers);
    assert_int_equal(flags_of(pair_first(&p->a)) & HWS_FLAG_T, 0);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_wait(p, SECOND / 2);
    assert_int_equal(hws_engine_deadline(p->a.engine), UINT64_MAX);
    pair_free(p);
}

/* 8.5.1 C: our tag without the T bit, or the peer's with it; any other is dropped in silence. */
static void shutdown_complete_and_the_t_bit(void **state)
{
    (void)state;
    for (unsigned reflected = 0; reflected < 2; reflected++) {
        struct pair *p = shutdown_ack_sent(NULL);
        pair_lost(&p->b, "SHUTDOWN-ACK");
        uint32_t ours = pair_status(&p->b).local_vtag, peers = pair_status(&p->b).remote_vtag;
        inject(&p->b, HWS_CHUNK_SHUTDOWN_COMPLETE, 0, peers, NULL, 0);
        inject(&p->b, HWS_CHUNK_SHUTDOWN_COMPLETE, HWS_FLAG_T, ours, NULL, 0);
        inject(&p->b, HWS_CHUNK_SHUTDOWN_COMPLETE, HWS_FLAG_T, ours ^ peers, NULL, 0);
        inject(&p->b, HWS_CHUNK_SHUTDOWN_COMPLETE, 0, 0, NULL, 0);
        pair_silent(p);
        assert_int_equal(pair_stats(&p->b)->drop_vtag, 4);
        assert_int_equal(pair_status(&p->b).state, HWS_STATE_SHUTDOWN_ACK_SENT);
        inject(&p->b, HWS_CHUNK_SHUTDOWN_COMPLETE, reflected ? HWS_FLAG_T : 0,
               reflected ? peers : ours, NULL, 0);
        assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
        assert_int_equal(p->b.reason, HWS_E_EOF);
        assert_int_equal(pair_status(&p->b).state, HWS_STATE_CLOSED);
        pair_wait(p, SECOND / 2);
        assert_int_equal(hws_engine_deadline(p->b.engine), UINT64_MAX);
        pair_free(p);
    }
}

static void complete_is_ignored(struct pair_end *end)
{
    enum hws_assoc_state before = pair_status(end).state;
    inject(end, HWS_CHUNK_SHUTDOWN_COMPLETE, 0, pair_status(end).local_vtag, NULL, 0);
    assert_int_equal(pair_status(end).state, before);
    assert_false(pair_saw(end, HWS_EVENT_DOWN));
}

/* 8.5.1 C, 9.2: nowhere but in SHUTDOWN-ACK-SENT does it mean anything. */
static void shutdown_complete_too_early(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    complete_is_ignored(&p->a);
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT-ACK");
    complete_is_ignored(&p->a);
    pair_settle(p);
    complete_is_ignored(&p->a);
    pair_send(&p->a, 0, 0, "last", 4);
    pair_shutdown(&p->a);
    complete_is_ignored(&p->a);
    pair_free(p);
    uint32_t tsn;
    p = shutdown_received(&tsn);
    complete_is_ignored(&p->a);
    complete_is_ignored(&p->b);
    pair_free(p);
}

/* 9.2: while the association is set up a SHUTDOWN means nothing. */
static void shutdown_while_setting_up(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    struct pair_packet *init = pair_take(&p->a);
    inject_shutdown(&p->a, 1);
    pair_silent(p);
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_COOKIE_WAIT);
    pair_inject(&p->b, init->data, init->len);
    pair_arrives(&p->b, "INIT-ACK");
    struct pair_packet *echo = pair_take(&p->a);
    inject_shutdown(&p->a, 1);
    pair_silent(p);
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_COOKIE_ECHOED);
    pair_inject(&p->b, echo->data, echo->len);
    pair_settle(p);
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_ESTABLISHED);
    free(init);
    free(echo);
    pair_free(p);
}

static void shutdown_ack_is_completed(struct pair_end *end)
{
    enum hws_assoc_state before = pair_status(end).state;
    inject(end, HWS_CHUNK_SHUTDOWN_ACK, 0, 0x5eed, NULL, 0);
    struct pair_packet *answer = pair_take(end);
    assert_string_equal(pair_chunks(answer), "SHUTDOWN-COMPLETE");
    assert_int_equal(flags_of(answer), HWS_FLAG_T);
    assert_int_equal(tag_of(answer), 0x5eed);
    free(answer);
    assert_int_equal(pair_status(end).state, before);
}

/* 8.5.1 E, 9.2: a SHUTDOWN ACK of an association long gone is completed, and T1 runs on. */
static void shutdown_ack_while_setting_up(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    pair_lost(&p->a, "INIT");
    shutdown_ack_is_completed(&p->a);
    pair_next_timer(&p->a);
    assert_int_equal(pair_stats(&p->a)->timeouts_t1, 1);
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT-ACK");
    pair_lost(&p->a, "COOKIE-ECHO");
    shutdown_ack_is_completed(&p->a);
    pair_next_timer(&p->a);
    assert_int_equal(pair_stats(&p->a)->timeouts_t1, 2);
    pair_settle(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_UP));
    pair_free(p);
}

/* ---- ABORT ---- */

/* 9.1: ABORT goes alone with the peer's tag, whatever data waits, and the data is not sent. */
static void abort_goes_without_data(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    pair_send_pattern(&p->a, 0, 0, 1, 100000);
    (void)lose(&p->a, "DATA");
    uint32_t peers = pair_status(&p->a).remote_vtag;
    assert_int_equal(hws_assoc_abort(p->a.engine, p->a.assoc, NULL, 0, p->now_us), HWS_OK);
    pair_pull(p);
    assert_int_equal(tag_of(pair_first(&p->a)), peers);
    assert_int_equal(flags_of(pair_first(&p->a)) & HWS_FLAG_T, 0);
    assert_non_null(strstr(pair_text(pair_first(&p->a)), "User-Initiated-Abort"));
    pair_lost(&p->a, "ABORT");
    pair_wait(p, 1000ull * SECOND);
    assert_null(p->a.wire_head);
    pair_free(p);
}

/* What asks for an answer, and an ABORT behind it. */
static void abort_behind(uint8_t type, const void *value, uint32_t value_len)
{
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    uint8_t buf[200];
    struct hws_builder b;
    pair_forge(&p->b, &b, buf, sizeof buf);
    assert_true(hws_chunk_put(&b, type, 0, value, value_len));
    assert_true(hws_chunk_put(&b, HWS_CHUNK_ABORT, 0, NULL, 0));
    pair_inject(&p->b, buf, hws_builder_finish(&b));
    pair_silent(p);
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    assert_int_equal(p->b.reason, HWS_E_RESET);
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_CLOSED);
    pair_wait(p, 20ull * SECOND);
    assert_null(p->b.wire_head);
    pair_free(p);
}

/* 9.1: a packet with an ABORT is never answered. */
static void abort_is_not_answered(void **state)
{
    (void)state;
    const uint8_t info[8] = {0, 1, 0, 8, 1, 2, 3, 4}, tsn[4] = {0};
    abort_behind(HWS_CHUNK_HEARTBEAT, info, sizeof info);
    abort_behind(HWS_CHUNK_SHUTDOWN, tsn, sizeof tsn);
    abort_behind(0xfd, NULL, 0);
    const uint8_t empty[12] = {0};
    abort_behind(HWS_CHUNK_DATA, empty, sizeof empty);
}

/* 9.1, 8.4: so it is while the association is set up, for the peer of one long gone. */
static void abort_behind_shutdown_ack(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    pair_lost(&p->a, "INIT");
    const uint32_t tags[] = {0x5eed, pair_status(&p->a).local_vtag ^ 1};
    for (size_t i = 0; i < 2; i++) {
        uint8_t buf[100];
        struct hws_builder b;
        hws_builder_init(&b, buf, sizeof buf, PAIR_PORT_B, PAIR_PORT_A, tags[i]);
        assert_true(hws_chunk_put(&b, HWS_CHUNK_SHUTDOWN_ACK, 0, NULL, 0));
        assert_true(hws_chunk_put(&b, HWS_CHUNK_ABORT, 0, NULL, 0));
        pair_inject(&p->a, buf, hws_builder_finish(&b));
        pair_silent(p);
    }
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_COOKIE_WAIT);
    pair_free(p);
}

/* 9.1: the reason that the peer's user gave can be read; without one there is none. */
static void abort_reason_is_told(void **state)
{
    (void)state;
    for (unsigned given = 0; given < 2; given++) {
        struct pair *p = pair_new(NULL);
        pair_connect(p);
        assert_int_equal(hws_assoc_abort(p->a.engine, p->a.assoc, given ? "tired" : NULL,
                                         given ? 5 : 0, p->now_us),
                         HWS_OK);
        pair_arrives(&p->a, "ABORT");
        assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
        assert_int_equal(p->b.cause, HWS_CAUSE_USER_ABORT);
        const void *reason = NULL;
        size_t len = 0;
        int error = hws_assoc_abort_reason(p->b.engine, p->b.assoc, &reason, &len);
        assert_int_equal(error, given ? HWS_OK : HWS_E_NOENT);
        assert_int_equal(len, given ? 5 : 0);
        if (given)
            assert_memory_equal(reason, "tired", 5);
        pair_free(p);
    }
}

/* 9: going out of service ends what is up and what still ends by itself. */
static void going_out_of_service(void **state)
{
    (void)state;
    for (unsigned released = 0; released < 2; released++) {
        struct pair *p = pair_new(NULL);
        pair_connect_and_talk(p);
        pair_send(&p->a, 0, 0, "never acknowledged", 18);
        if (released) {
            pair_shutdown(&p->a);
            assert_int_equal(hws_assoc_release(p->a.engine, p->a.assoc, p->now_us), HWS_OK);
        }
        pair_lost(&p->a, "DATA");
        pair_silent(p);
        hws_engine_abort_all(p->a.engine, p->now_us);
        pair_arrives(&p->a, "ABORT");
        assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
        assert_int_equal(p->b.reason, HWS_E_RESET);
        pair_free(p);
    }
}

/* ---- Several addresses ---- */

/* Takes what is on the wire, and answers where the last SHUTDOWN went: the number of the peer's
 * address; `none` when there was none. */
static uint32_t shutdown_went_to(struct pair *p, uint32_t none)
{
    uint32_t to = none;
    while (p->a.wire_head != NULL) {
        struct pair_packet *packet = pair_take(&p->a);
        for (uint32_t i = 0; strstr(pair_chunks(packet), "SHUTDOWN") != NULL && i < 4; i++)
            if (hws_addr_same(&packet->dst, &p->b.addrs[i]))
                to = i;
        free(packet);
    }
    return to;
}

/* a is up with b at four addresses, all confirmed, and in SHUTDOWN-SENT. */
static struct pair *four_addresses_in_shutdown_sent(void)
{
    struct pair *p = pair_new(&(struct pair_options){.addrs = 4, .params = no_heartbeats});
    pair_connect(p);
    pair_run(p, 10ull * SECOND);
    for (uint32_t i = 0; i < 4; i++)
        assert_true(pair_path_to(&p->a, &p->b.addrs[i]).confirmed);
    pair_shutdown(&p->a);
    assert_int_equal(shutdown_went_to(p, 9), 0);
    return p;
}

/* 9.2, 6.4.1: a SHUTDOWN without an answer goes to another address next, and round all of them. */
static void t2_goes_round(void **state)
{
    (void)state;
    struct pair *p = four_addresses_in_shutdown_sent();
    uint32_t seen = 1, last = 0;
    for (unsigned i = 0; i < 8; i++) {
        pair_next_timer(&p->a);
        uint32_t to = shutdown_went_to(p, last);
        assert_int_not_equal(to, last);
        seen = i == 3 ? 1u << to : seen | 1u << to; /* a second round */
        assert_true(i != 2 || seen == 15);
        last = to;
    }
    assert_int_equal(seen & 14, 14);
    pair_free(p);
}

/* 8.1: what T2 counts, it counts against the path that was asked. */
static void t2_counts_where_it_asked(void **state)
{
    (void)state;
    struct pair *p = four_addresses_in_shutdown_sent();
    pair_next_timer(&p->a);
    uint32_t second = shutdown_went_to(p, 9);
    assert_int_equal(pair_path_to(&p->a, &p->b.addrs[0]).errors, 1);
    pair_next_timer(&p->a);
    assert_int_equal(pair_path_to(&p->a, &p->b.addrs[0]).errors, 1);
    assert_int_equal(pair_path_to(&p->a, &p->b.addrs[second]).errors, 1);
    pair_free(p);
}

/* 9.2: a peer that is heard of restarts T2 for ever; SHUTDOWN finds the address that works. */
static void shutdown_finds_the_way_while_the_peer_is_heard(void **state)
{
    (void)state;
    struct pair *p = four_addresses_in_shutdown_sent();
    uint8_t buf[100];
    uint32_t seen = 0;
    for (unsigned i = 0; i < 20; i++) {
        struct hws_builder b;
        pair_wait(p, 600000);
        pair_forge(&p->a, &b, buf, sizeof buf);
        assert_true(hws_chunk_put(&b, HWS_CHUNK_HEARTBEAT, 0, "\0\1\0\10abcd", 8));
        pair_inject_between(&p->a, &p->b.addrs[2], &p->a.addrs[2], buf, hws_builder_finish(&b));
        uint32_t to = shutdown_went_to(p, 9);
        seen |= to < 4 ? 1u << to : 0;
        assert_true(i > 1 || seen == 0 || seen == 4); /* first where it was heard */
    }
    assert_int_equal(pair_stats(&p->a)->timeouts_t2, 0);
    assert_int_equal(seen, 15);
    pair_free(p);
}

/* 5.4, 9.2: DATA from an address that nobody has confirmed cannot be answered there. The answers go
 * round the others, since nothing tells which of them works. */
static void data_from_an_unconfirmed_address_in_shutdown_sent(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.addrs = 4, .params = no_heartbeats});
    pair_begin(&p->a);
    struct hws_init init;
    struct hws_tlv chunk;
    pair_arrives(&p->a, "INIT");
    chunk = pair_chunk(pair_first(&p->b), 0);
    assert_true(hws_init_decode(&chunk, &init));
    p->cut[3] = true;
    pair_settle(p);
    pair_run(p, 20ull * SECOND);
    assert_false(pair_path_to(&p->a, &p->b.addrs[3]).confirmed);
    assert_true(pair_path_to(&p->a, &p->b.addrs[1]).confirmed);
    pair_shutdown(&p->a);
    (void)shutdown_went_to(p, 9);
    uint32_t seen = 0;
    for (unsigned i = 0; i < 6; i++) {
        uint8_t buf[100];
        struct hws_builder b;
        struct hws_data data = {
            .tsn = init.tsn, .flags = HWS_DATA_B | HWS_DATA_E, .payload_len = 4};
        pair_forge(&p->a, &b, buf, sizeof buf);
        assert_non_null(hws_data_encode(&b, &data));
        pair_inject_between(&p->a, &p->b.addrs[3], &p->a.addrs[3], buf, hws_builder_finish(&b));
        assert_string_equal(pair_chunks(pair_first(&p->a)), "SACK+SHUTDOWN");
        seen |= 1u << shutdown_went_to(p, 9);
    }
    assert_int_equal(seen, 7);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shutdown_again_tells_what_came),
        cmocka_unit_test(t2_doubles),
        cmocka_unit_test(shutdown_has_a_limit),
        cmocka_unit_test(guard_timer),
        cmocka_unit_test(data_in_shutdown_sent),
        cmocka_unit_test(packets_restart_t2),
        cmocka_unit_test(gap_in_shutdown_sent),
        cmocka_unit_test(shutdown_in_shutdown_sent),
        cmocka_unit_test(shutdown_ack_in_shutdown_ack_sent),
        cmocka_unit_test(user_in_shutdown_received),
        cmocka_unit_test(shutdown_in_shutdown_received),
        cmocka_unit_test(shutdown_ack_is_sent_again),
        cmocka_unit_test(init_in_shutdown_ack_sent),
        cmocka_unit_test(nothing_is_taken_any_more),
        cmocka_unit_test(shutdown_complete_is_sent_with_the_peers_tag),
        cmocka_unit_test(shutdown_complete_and_the_t_bit),
        cmocka_unit_test(shutdown_complete_too_early),
        cmocka_unit_test(shutdown_while_setting_up),
        cmocka_unit_test(shutdown_ack_while_setting_up),
        cmocka_unit_test(abort_goes_without_data),
        cmocka_unit_test(abort_is_not_answered),
        cmocka_unit_test(abort_behind_shutdown_ack),
        cmocka_unit_test(abort_reason_is_told),
        cmocka_unit_test(going_out_of_service),
        cmocka_unit_test(t2_goes_round),
        cmocka_unit_test(t2_counts_where_it_asked),
        cmocka_unit_test(shutdown_finds_the_way_while_the_peer_is_heard),
        cmocka_unit_test(data_from_an_unconfirmed_address_in_shutdown_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
