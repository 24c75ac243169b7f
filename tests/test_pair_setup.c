/* Stories of how an association begins: RFC 9260, sections 5.1 and 5.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/cause.h"
#include "proto/crc32c.h"
#include "proto/param.h"
#include "tests/pair.h"

#define SECOND 1000000u

static struct hws_init decode_init(const struct pair_packet *packet)
{
    struct hws_tlv chunk = pair_chunk(packet, 0);
    struct hws_init init;
    assert_true(hws_init_decode(&chunk, &init));
    return init;
}

static void four_packets(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_COOKIE_WAIT);
    pair_arrives(&p->a, "INIT");
    assert_int_equal(hws_engine_assoc_count(p->b.engine), 0);
    pair_arrives(&p->b, "INIT-ACK");
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_COOKIE_ECHOED);
    pair_arrives(&p->a, "COOKIE-ECHO");
    assert_true(pair_saw(&p->b, HWS_EVENT_UP));
    assert_true(p->b.passive);
    assert_false(pair_saw(&p->a, HWS_EVENT_UP));
    pair_arrives(&p->b, "COOKIE-ACK");
    assert_true(pair_saw(&p->a, HWS_EVENT_UP));
    assert_false(p->a.passive);
    pair_silent(p);
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_ESTABLISHED);
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_ESTABLISHED);
    pair_free(p);
}

/* 8.5.1: the tag of INIT is 0, that of every other packet is the one its receiver chose. */
static void tags(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    struct hws_init a = decode_init(pair_first(&p->a));
    assert_int_equal(hws_get32(pair_first(&p->a)->data + 4), 0);
    assert_int_not_equal(a.tag, 0);
    pair_arrives(&p->a, "INIT");
    struct hws_init b = decode_init(pair_first(&p->b));
    assert_int_equal(hws_get32(pair_first(&p->b)->data + 4), a.tag);
    assert_int_not_equal(b.tag, 0);
    pair_arrives(&p->b, "INIT-ACK");
    assert_int_equal(hws_get32(pair_first(&p->a)->data + 4), b.tag);
    pair_settle(p);
    assert_int_equal(pair_status(&p->a).local_vtag, a.tag);
    assert_int_equal(pair_status(&p->a).remote_vtag, b.tag);
    assert_int_equal(pair_status(&p->b).local_vtag, b.tag);
    assert_int_equal(pair_status(&p->b).remote_vtag, a.tag);
    pair_free(p);
}

static void few_streams(struct hws_params *a, struct hws_params *b)
{
    a->ostreams = 100;
    a->max_instreams = 3;
    b->ostreams = 50;
    b->max_instreams = 20;
}

/* 5.1.1: each side sends on no more streams than the other takes. */
static void streams_are_agreed(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = few_streams});
    pair_connect(p);
    assert_int_equal(pair_status(&p->a).ostreams, 20);
    assert_int_equal(pair_status(&p->a).instreams, 3);
    assert_int_equal(pair_status(&p->b).ostreams, 3);
    assert_int_equal(pair_status(&p->b).instreams, 20);
    struct hws_sndinfo info = {.sid = 20};
    struct hws_iovec iov = {"x", 1};
    assert_int_equal(hws_assoc_send(p->a.engine, p->a.assoc, &info, &iov, 1, p->now_us),
                     HWS_E_INVAL);
    pair_free(p);
}

static void over_ipv6(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.ipv6 = true});
    pair_connect(p);
    pair_send(&p->a, 0, 0, "six", 3);
    pair_settle(p);
    pair_recv(&p->b, 0, "six", 3);
    pair_free(p);
}

/* 5.1, C and E: data may be queued at once; it goes with or after the COOKIE ECHO. */
static void data_before_established(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    pair_send(&p->a, 0, 0, "early", 5);
    pair_arrives(&p->a, "INIT");
    pair_settle(p);
    pair_recv(&p->b, 0, "early", 5);
    pair_free(p);
}

/* 4.2: T1-init doubles, and the number of tries is limited. */
static void init_lost_for_ever(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    pair_lost(&p->a, "INIT");
    pair_wait(p, SECOND - 1);
    pair_silent(p);
    pair_wait(p, 1);
    pair_lost(&p->a, "INIT");
    pair_wait(p, 2 * SECOND - 1);
    pair_silent(p);
    pair_wait(p, 1);
    pair_lost(&p->a, "INIT");
    pair_wait(p, 1000ull * SECOND);
    /* Max.Init.Retransmits is 8. */
    assert_int_equal(p->a.packets, 9);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(p->a.reason, HWS_E_TIMEDOUT);
    assert_int_equal(pair_stats(&p->a)->timeouts_t1, 9);
    pair_free(p);
}

static void init_ack_lost(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    pair_arrives(&p->a, "INIT");
    pair_lost(&p->b, "INIT-ACK");
    pair_next_timer(&p->a);
    pair_settle(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_UP));
    pair_free(p);
}

static void cookie_echo_lost(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT-ACK");
    pair_lost(&p->a, "COOKIE-ECHO");
    pair_silent(p);
    pair_next_timer(&p->a);
    pair_arrives(&p->a, "COOKIE-ECHO");
    pair_arrives(&p->b, "COOKIE-ACK");
    assert_true(pair_saw(&p->a, HWS_EVENT_UP));
    pair_free(p);
}

/* 5.2.4 D: the cookie comes again, the association stays what it is. */
static void cookie_ack_lost(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT-ACK");
    pair_arrives(&p->a, "COOKIE-ECHO");
    hws_assoc_id before = p->b.assoc;
    pair_lost(&p->b, "COOKIE-ACK");
    pair_next_timer(&p->a);
    pair_arrives(&p->a, "COOKIE-ECHO");
    pair_arrives(&p->b, "COOKIE-ACK");
    assert_true(pair_saw(&p->a, HWS_EVENT_UP));
    assert_int_equal(hws_engine_assoc_count(p->b.engine), 1);
    assert_int_equal(p->b.assoc, before);
    assert_false(pair_saw(&p->b, HWS_EVENT_RESTART));
    pair_free(p);
}

/* A listener keeps nothing about an INIT (5.1.3). */
static void ten_thousand_inits(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    uint8_t packet[200];
    size_t objects = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        struct hws_builder b;
        hws_builder_init(&b, packet, sizeof packet, (uint16_t)(1 + i % 60000), PAIR_PORT_B, 0);
        struct hws_init init = {.tag = i + 1, .a_rwnd = 1500, .ostreams = 1, .max_instreams = 1};
        assert_true(hws_init_open(&b, HWS_CHUNK_INIT, &init));
        assert_true(hws_builder_close(&b));
        pair_inject(&p->b, packet, hws_builder_finish(&b));
        pair_lost(&p->b, "INIT-ACK");
        if (i == 100)
            objects = p->b.env.live_objects;
    }
    assert_int_equal(p->b.env.live_objects, objects);
    assert_int_equal(hws_engine_assoc_count(p->b.engine), 0);
    pair_free(p);
}

/* Takes the COOKIE ECHO off the wire, ready to be sent. */
static struct pair_packet *cookie_echo(struct pair *p)
{
    pair_begin(&p->a);
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT-ACK");
    assert_string_equal(pair_chunks(pair_first(&p->a)), "COOKIE-ECHO");
    return pair_take(&p->a);
}

/* 5.1.5: every bit of a cookie is under the MAC. */
static void forged_cookie(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct pair_packet *echo = cookie_echo(p);
    uint32_t cookie_bytes = pair_chunk(echo, 0).len - 4u;
    for (uint32_t i = 0; i < cookie_bytes; i++) {
        echo->data[HWS_PACKET_HEADER_LEN + 4 + i] ^= (uint8_t)(1u << i % 8);
        pair_inject(&p->b, echo->data, echo->len);
        echo->data[HWS_PACKET_HEADER_LEN + 4 + i] ^= (uint8_t)(1u << i % 8);
        pair_silent(p);
        assert_int_equal(hws_engine_assoc_count(p->b.engine), 0);
    }
    assert_true(pair_stats(&p->b)->drop_cookie_mac > 0);
    pair_inject(&p->b, echo->data, echo->len);
    assert_true(pair_saw(&p->b, HWS_EVENT_UP));
    free(echo);
    pair_free(p);
}

/* 5.1.5, 3: a cookie belongs to its ports and its tag. */
static void cookie_from_elsewhere(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct pair_packet *echo = cookie_echo(p);
    hws_put16(echo->data, PAIR_PORT_A + 1);
    pair_inject(&p->b, echo->data, echo->len);
    hws_put16(echo->data, PAIR_PORT_A);
    hws_put32(echo->data + 4, hws_get32(echo->data + 4) + 1);
    pair_inject(&p->b, echo->data, echo->len);
    assert_int_equal(hws_engine_assoc_count(p->b.engine), 0);
    free(echo);
    pair_free(p);
}

/* 5.2.6: too late is answered with a Stale Cookie error, and nothing is made. */
static void stale_cookie(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct pair_packet *echo = cookie_echo(p);
    p->now_us += 61ull * SECOND;
    pair_inject(&p->b, echo->data, echo->len);
    assert_int_equal(hws_engine_assoc_count(p->b.engine), 0);
    struct hws_tlv error = pair_chunk(pair_first(&p->b), 0);
    assert_int_equal(hws_chunk_type(&error), HWS_CHUNK_ERROR);
    struct hws_tlv_iter it = hws_tlv_begin(hws_chunk_value(&error), hws_chunk_value_len(&error));
    struct hws_tlv cause = {0};
    uint32_t staleness_us = 0;
    assert_true(hws_tlv_next(&it, &cause));
    assert_true(hws_cause_stale_cookie(&cause, &staleness_us));
    assert_in_range(staleness_us, SECOND / 2, 2 * SECOND);
    assert_int_equal(pair_stats(&p->b)->drop_cookie_stale, 1);
    free(echo);
    pair_free(p);
}

/* Whatever the age of the listener's keys, a cookie lives for its time and not much longer. */
static void cookies_while_keys_change(void **state)
{
    (void)state;
    for (uint32_t age_s = 0; age_s < 400; age_s += 7) {
        struct pair *p = pair_new(NULL);
        pair_wait(p, (uint64_t)age_s * SECOND);
        struct pair_packet *echo = cookie_echo(p);
        uint64_t made_us = p->now_us;
        for (uint32_t s = 1; s < 59; s++) {
            p->now_us = made_us + (uint64_t)s * SECOND;
            hws_engine_expire(p->b.engine, p->now_us);
        }
        pair_inject(&p->b, echo->data, echo->len);
        assert_true(pair_saw(&p->b, HWS_EVENT_UP));
        free(echo);
        pair_free(p);
    }
}

/* 5.2.1, 5.2.2: both sides connect at once: one association, not two. */
static void collision(void **state)
{
    (void)state;
    for (int listening = 0; listening < 2; listening++) {
        struct pair *p = pair_new(&(struct pair_options){.both_listen = listening});
        pair_begin(&p->a);
        pair_begin(&p->b);
        pair_settle(p);
        pair_run(p, 10ull * SECOND);
        assert_int_equal(hws_engine_assoc_count(p->a.engine), 1);
        assert_int_equal(hws_engine_assoc_count(p->b.engine), 1);
        assert_true(pair_saw(&p->a, HWS_EVENT_UP));
        assert_true(pair_saw(&p->b, HWS_EVENT_UP));
        assert_int_equal(pair_status(&p->a).local_vtag, pair_status(&p->b).remote_vtag);
        assert_int_equal(pair_status(&p->b).local_vtag, pair_status(&p->a).remote_vtag);
        pair_send(&p->a, 0, 0, "from a", 6);
        pair_send(&p->b, 0, 0, "from b", 6);
        pair_settle(p);
        pair_recv(&p->b, 0, "from a", 6);
        pair_recv(&p->a, 0, "from b", 6);
        pair_free(p);
    }
}

/* The same with every order of arrival of the first packets. */
static void collision_in_any_order(void **state)
{
    (void)state;
    for (uint32_t order = 0; order < 256; order++) {
        struct pair *p = pair_new(&(struct pair_options){.both_listen = true});
        pair_begin(&p->a);
        pair_begin(&p->b);
        for (uint32_t step = 0; step < 8; step++) {
            struct pair_end *end = (order >> step & 1) != 0 ? &p->a : &p->b;
            if (end->wire_head != NULL)
                pair_arrives(end, pair_chunks(pair_first(end)));
        }
        pair_run(p, 10ull * SECOND);
        assert_int_equal(pair_status(&p->a).state, HWS_STATE_ESTABLISHED);
        assert_int_equal(pair_status(&p->a).local_vtag, pair_status(&p->b).remote_vtag);
        assert_int_equal(hws_engine_assoc_count(p->a.engine), 1);
        assert_int_equal(hws_engine_assoc_count(p->b.engine), 1);
        pair_free(p);
    }
}

/* 5.2.4 A: b forgets everything and connects again; a goes on with the same id. */
static void restart(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.both_listen = true});
    pair_connect(p);
    pair_send(&p->a, 3, 0, "old", 3);
    pair_settle(p);
    hws_assoc_id before = p->a.assoc;
    uint32_t old_tag = pair_status(&p->a).local_vtag;
    pair_reboot(&p->b, true);
    pair_begin(&p->b);
    pair_settle(p);
    assert_true(pair_saw(&p->b, HWS_EVENT_UP));
    assert_true(pair_saw(&p->a, HWS_EVENT_RESTART));
    assert_int_equal(p->a.assoc, before);
    assert_int_not_equal(pair_status(&p->a).local_vtag, old_tag);
    assert_int_equal(pair_stats(&p->a)->assocs_restarted, 1);
    pair_send(&p->a, 3, 0, "new", 3);
    pair_send(&p->b, 3, 0, "hi", 2);
    pair_settle(p);
    pair_recv(&p->b, 3, "new", 3);
    pair_recv(&p->a, 3, "hi", 2);
    pair_free(p);
}

/* The INIT alone must not touch the association: it may be forged (5.2.2). */
static void init_in_established(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    struct hws_assoc_status before = pair_status(&p->b);
    uint8_t packet[200];
    struct hws_builder b;
    hws_builder_init(&b, packet, sizeof packet, PAIR_PORT_A, PAIR_PORT_B, 0);
    struct hws_init init = {.tag = 77, .a_rwnd = 1500, .ostreams = 1, .max_instreams = 1, .tsn = 5};
    assert_true(hws_init_open(&b, HWS_CHUNK_INIT, &init));
    assert_true(hws_builder_close(&b));
    pair_inject(&p->b, packet, hws_builder_finish(&b));
    struct pair_packet *answer = pair_take(&p->b);
    assert_string_equal(pair_chunks(answer), "INIT-ACK");
    assert_int_equal(hws_get32(answer->data + 4), 77);
    free(answer);
    struct hws_assoc_status after = pair_status(&p->b);
    assert_int_equal(after.local_vtag, before.local_vtag);
    assert_int_equal(after.remote_vtag, before.remote_vtag);
    assert_int_equal(after.state, HWS_STATE_ESTABLISHED);
    pair_send(&p->a, 0, 0, "still", 5);
    pair_settle(p);
    pair_recv(&p->b, 0, "still", 5);
    pair_free(p);
}

static void second_connect_is_refused(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    hws_assoc_id id;
    assert_int_equal(
        hws_assoc_connect(p->a.engine, p->a.endpoint, &p->b.addr, 1, PAIR_PORT_B, p->now_us, &id),
        HWS_E_INUSE);
    pair_free(p);
}

/* 8.4, 3: a port of ours that accepts nothing answers an INIT with ABORT and the INIT's tag. */
static void nobody_listens(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    assert_int_equal(hws_endpoint_listen(p->b.engine, p->b.endpoint, false), HWS_OK);
    pair_begin(&p->a);
    uint32_t tag = pair_status(&p->a).local_vtag;
    pair_arrives(&p->a, "INIT");
    assert_int_equal(hws_get32(pair_first(&p->b)->data + 4), tag);
    pair_arrives(&p->b, "ABORT");
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(p->a.reason, HWS_E_REFUSED);
    pair_free(p);
}

/* An id of what is gone reaches nothing newer. */
static void ids_are_not_reused(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    hws_assoc_id seen[20];
    for (size_t i = 0; i < 20; i++) {
        pair_connect(p);
        seen[i] = p->a.assoc;
        assert_int_equal(hws_assoc_abort(p->a.engine, p->a.assoc, NULL, 0, p->now_us), HWS_OK);
        pair_settle(p);
        assert_int_equal(hws_assoc_release(p->a.engine, p->a.assoc, p->now_us), HWS_OK);
        assert_int_equal(hws_assoc_release(p->b.engine, p->b.assoc, p->now_us), HWS_OK);
        struct hws_assoc_status status;
        for (size_t k = 0; k <= i; k++) {
            assert_int_equal(hws_assoc_status(p->a.engine, seen[k], &status), HWS_E_NOENT);
            assert_true(k == i || seen[k] != seen[i]);
        }
    }
    assert_int_equal(hws_engine_assoc_count(p->a.engine), 0);
    assert_int_equal(hws_engine_assoc_count(p->b.engine), 0);
    pair_free(p);
}

/* Two associations of one endpoint, and the endpoint let go while they live. */
static void endpoint_released_early(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    assert_int_equal(hws_endpoint_release(p->b.engine, p->b.endpoint), HWS_OK);
    assert_int_equal(hws_endpoint_port(p->b.engine, p->b.endpoint), 0);
    pair_send(&p->a, 0, 0, "on", 2);
    pair_settle(p);
    pair_recv(&p->b, 0, "on", 2);
    struct hws_endpoint_config again = {
        .port = PAIR_PORT_B, .locals = &p->b.addr, .local_count = 1};
    hws_endpoint_id id;
    assert_int_equal(hws_endpoint_new(p->b.engine, &again, &id), HWS_E_INUSE);
    assert_int_equal(hws_assoc_abort(p->b.engine, p->b.assoc, NULL, 0, p->now_us), HWS_OK);
    pair_settle(p);
    assert_int_equal(hws_assoc_release(p->b.engine, p->b.assoc, p->now_us), HWS_OK);
    assert_int_equal(hws_endpoint_new(p->b.engine, &again, &id), HWS_OK);
    pair_free(p);
}

/* 8.4, 3 and 3.3.2: an INIT with a tag of 0 makes nothing. */
static void init_with_tag_zero(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    struct pair_packet *init = pair_take(&p->a);
    hws_put32(init->data + HWS_PACKET_HEADER_LEN + 4, 0);
    pair_inject(&p->b, init->data, init->len);
    if (p->b.wire_head != NULL)
        assert_string_equal(pair_chunks(p->b.wire_head), "ABORT");
    assert_int_equal(hws_engine_assoc_count(p->b.engine), 0);
    free(init);
    pair_free(p);
}

/* An INIT for b with whatever `add` puts into it; what b answers. */
static struct pair_packet *answer_to_init(struct pair *p, struct hws_init init,
                                          void (*add)(struct hws_builder *))
{
    uint8_t packet[300];
    struct hws_builder b;
    hws_builder_init(&b, packet, sizeof packet, 4444, PAIR_PORT_B, 0);
    assert_true(hws_init_open(&b, HWS_CHUNK_INIT, &init));
    if (add != NULL)
        add(&b);
    assert_true(hws_builder_close(&b));
    pair_inject(&p->b, packet, hws_builder_finish(&b));
    return pair_take(&p->b);
}

static const struct hws_init good_init = {
    .tag = 77, .a_rwnd = 1500, .ostreams = 1, .max_instreams = 1, .tsn = 5};

static void expect_abort(struct pair *p, struct pair_packet *answer, const char *cause)
{
    assert_string_equal(pair_chunks(answer), "ABORT");
    assert_int_equal(hws_get32(answer->data + 4), 77);
    if (strstr(pair_text(answer), cause) == NULL)
        fail_msg("no %s in %s", cause, pair_text(answer));
    assert_int_equal(hws_engine_assoc_count(p->b.engine), 0);
    free(answer);
}

/* 3.3.2: no streams, no association. */
static void init_without_streams(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct hws_init init = good_init;
    init.ostreams = 0;
    expect_abort(p, answer_to_init(p, init, NULL), "Invalid-Mandatory-Parameter");
    init = good_init;
    init.max_instreams = 0;
    expect_abort(p, answer_to_init(p, init, NULL), "Invalid-Mandatory-Parameter");
    pair_free(p);
}

static void put_host_name(struct hws_builder *b)
{
    memcpy(hws_builder_tlv(b, HWS_PARAM_HOST_NAME, 8), "example", 8);
}

/* 3.3.2.1.4 / 5.1.2: a Host Name Address is not resolved. */
static void init_with_host_name(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    expect_abort(p, answer_to_init(p, good_init, put_host_name), "Unresolvable-Address");
    pair_free(p);
}

static void put_unknown(struct hws_builder *b)
{
    memset(hws_builder_tlv(b, 0xfade, 4), 1, 4);
    memset(hws_builder_tlv(b, 0xbade, 4), 2, 4);
    memset(hws_builder_tlv(b, 0x7ade, 4), 3, 4);
    memset(hws_builder_tlv(b, 0xfadf, 4), 4, 4);
}

/* 3.2.1: reported are the first (skip and report) and the third (stop and report), not the second
 * (skip in silence) and not what comes after the stop. */
static void unrecognized_parameters(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct pair_packet *answer = answer_to_init(p, good_init, put_unknown);
    struct hws_init ack = decode_init(answer);
    struct hws_tlv_iter it = hws_tlv_begin(ack.params, ack.params_len);
    struct hws_tlv param;
    uint16_t reported[4] = {0};
    size_t count = 0;
    while (hws_tlv_next(&it, &param))
        if (param.type == HWS_PARAM_UNRECOGNIZED && count < 4)
            reported[count++] = hws_get16(param.bytes + 4);
    assert_int_equal(count, 2);
    assert_int_equal(reported[0], 0xfade);
    assert_int_equal(reported[1], 0x7ade);
    free(answer);
    pair_free(p);
}

/* An INIT ACK of b's, made anew without its cookie: 3.3.3 wants a Missing Mandatory Parameter. */
static void init_ack_without_cookie(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    pair_lost(&p->a, "INIT");
    uint8_t packet[100];
    struct hws_builder b;
    pair_forge(&p->a, &b, packet, sizeof packet);
    assert_true(hws_init_open(&b, HWS_CHUNK_INIT_ACK, &good_init));
    assert_true(hws_builder_close(&b));
    pair_inject(&p->a, packet, hws_builder_finish(&b));
    assert_int_equal(hws_get32(pair_first(&p->a)->data + 4), 77);
    assert_non_null(strstr(pair_text(pair_first(&p->a)), "Missing-Mandatory-Parameter"));
    pair_lost(&p->a, "ABORT");
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_free(p);
}

/* 5.2.2: a restart may not bring addresses the association does not have. */
static void restart_with_new_address(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    uint8_t packet[200];
    struct hws_builder b;
    struct hws_addr stranger = {.family = HWS_FAMILY_IPV4, .ip = {192, 0, 2, 66}};
    hws_builder_init(&b, packet, sizeof packet, PAIR_PORT_A, PAIR_PORT_B, 0);
    assert_true(hws_init_open(&b, HWS_CHUNK_INIT, &good_init));
    assert_true(hws_param_put_addr(&b, &stranger));
    assert_true(hws_builder_close(&b));
    pair_inject(&p->b, packet, hws_builder_finish(&b));
    assert_non_null(strstr(pair_text(pair_first(&p->b)), "Restart-with-New-Addresses"));
    assert_int_equal(hws_get32(pair_first(&p->b)->data + 4), 77);
    pair_arrives(&p->b, "ABORT");
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_ESTABLISHED);
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_ESTABLISHED);
    pair_free(p);
}

/* 5.2.4 A and 9.2: a peer that restarts while we wait for its SHUTDOWN COMPLETE gets a SHUTDOWN ACK
 * again, and after its COOKIE ECHO an error as well. */
static void restart_while_shutting_down(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.both_listen = true});
    pair_connect(p);
    pair_shutdown(&p->b);
    pair_arrives(&p->b, "SHUTDOWN");
    pair_lost(&p->a, "SHUTDOWN-ACK");
    pair_reboot(&p->b, true);
    pair_begin(&p->b);
    pair_arrives(&p->b, "INIT");
    pair_arrives(&p->a, "SHUTDOWN-ACK");
    /* 8.5.1 E: in COOKIE-WAIT that belongs to nothing: completed with the T bit. */
    pair_arrives(&p->b, "SHUTDOWN-COMPLETE");
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(p->a.reason, HWS_E_EOF);
    pair_run(p, 10ull * SECOND);
    assert_true(pair_saw(&p->b, HWS_EVENT_UP));
    pair_free(p);
}

/* 5.2.6: told that its cookie is stale, the connector gives up or begins anew; it never hangs. */
static void stale_cookie_error(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct pair_packet *echo = cookie_echo(p);
    uint8_t packet[100];
    struct hws_builder b;
    pair_forge(&p->a, &b, packet, sizeof packet);
    assert_true(hws_builder_open(&b, HWS_CHUNK_ERROR, 0));
    assert_true(hws_cause_put_stale_cookie(&b, 1000));
    assert_true(hws_builder_close(&b));
    pair_inject(&p->a, packet, hws_builder_finish(&b));
    pair_run(p, 60ull * SECOND);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN) ||
                pair_status(&p->a).state == HWS_STATE_ESTABLISHED);
    free(echo);
    pair_free(p);
}

/* 6.10: INIT, INIT ACK and SHUTDOWN COMPLETE come alone. */
static void bundled_init(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    uint8_t packet[200];
    struct hws_builder b;
    hws_builder_init(&b, packet, sizeof packet, 4444, PAIR_PORT_B, 0);
    assert_true(hws_init_open(&b, HWS_CHUNK_INIT, &good_init));
    assert_true(hws_builder_close(&b));
    assert_true(hws_chunk_put(&b, HWS_CHUNK_COOKIE_ACK, 0, NULL, 0));
    pair_inject(&p->b, packet, hws_builder_finish(&b));
    pair_silent(p);
    assert_int_equal(pair_stats(&p->b)->drop_bundle, 1);
    pair_free(p);
}

/* Port 0 asks for one that is free, and they differ. */
static void ephemeral_ports(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    uint16_t ports[50];
    for (size_t i = 0; i < 50; i++) {
        struct hws_endpoint_config config = {.locals = &p->a.addr, .local_count = 1};
        hws_endpoint_id id;
        assert_int_equal(hws_endpoint_new(p->a.engine, &config, &id), HWS_OK);
        ports[i] = hws_endpoint_port(p->a.engine, id);
        assert_true(ports[i] >= 49152);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(ports[i], ports[k]);
    }
    pair_free(p);
}

/* What names nothing is told so, everywhere. */
static void ids_that_name_nothing(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct hws_engine *e = p->a.engine;
    const hws_assoc_id wrong[] = {0, 1, UINT64_MAX, 1ull << 32};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        hws_assoc_id id = wrong[i];
        struct hws_assoc_status status;
        struct hws_path_status path;
        struct hws_sndinfo snd = {0};
        struct hws_rcvinfo rcv;
        struct hws_iovec iov = {"x", 1};
        uint8_t byte;
        size_t len;
        assert_int_equal(hws_assoc_status(e, id, &status), HWS_E_NOENT);
        assert_int_equal(hws_assoc_path_status(e, id, 0, &path), HWS_E_NOENT);
        assert_int_equal(hws_assoc_send(e, id, &snd, &iov, 1, p->now_us), HWS_E_NOENT);
        assert_int_equal(hws_assoc_recv(e, id, &byte, 1, &len, &rcv, p->now_us), HWS_E_NOENT);
        assert_int_equal(hws_assoc_shutdown(e, id, p->now_us), HWS_E_NOENT);
        assert_int_equal(hws_assoc_abort(e, id, NULL, 0, p->now_us), HWS_E_NOENT);
        assert_int_equal(hws_assoc_release(e, id, p->now_us), HWS_E_NOENT);
        assert_int_equal(hws_endpoint_release(e, id + 100), HWS_E_NOENT);
        assert_int_equal(hws_endpoint_listen(e, id + 100, true), HWS_E_NOENT);
        assert_int_equal(hws_assoc_connect(e, id + 100, &p->b.addr, 1, 9, p->now_us, &id),
                         HWS_E_NOENT);
    }
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_packets),
        cmocka_unit_test(tags),
        cmocka_unit_test(streams_are_agreed),
        cmocka_unit_test(over_ipv6),
        cmocka_unit_test(data_before_established),
        cmocka_unit_test(init_lost_for_ever),
        cmocka_unit_test(init_ack_lost),
        cmocka_unit_test(cookie_echo_lost),
        cmocka_unit_test(cookie_ack_lost),
        cmocka_unit_test(ten_thousand_inits),
        cmocka_unit_test(forged_cookie),
        cmocka_unit_test(cookie_from_elsewhere),
        cmocka_unit_test(stale_cookie),
        cmocka_unit_test(cookies_while_keys_change),
        cmocka_unit_test(collision),
        cmocka_unit_test(collision_in_any_order),
        cmocka_unit_test(restart),
        cmocka_unit_test(init_in_established),
        cmocka_unit_test(second_connect_is_refused),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(ids_are_not_reused),
        cmocka_unit_test(endpoint_released_early),
        cmocka_unit_test(init_with_tag_zero),
        cmocka_unit_test(init_without_streams),
        cmocka_unit_test(init_with_host_name),
        cmocka_unit_test(unrecognized_parameters),
        cmocka_unit_test(init_ack_without_cookie),
        cmocka_unit_test(restart_with_new_address),
        cmocka_unit_test(restart_while_shutting_down),
        cmocka_unit_test(stale_cookie_error),
        cmocka_unit_test(bundled_init),
        cmocka_unit_test(ephemeral_ports),
        cmocka_unit_test(ids_that_name_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
