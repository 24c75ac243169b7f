/* Stories of associations that begin in unusual ways: RFC 9260, section 5, addresses, collisions,
 * cookies that come late or twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/cause.h"
#include "proto/param.h"
#include "stack/cookie.h"
#include "tests/pair.h"

#define SECOND 1000000u
#define TAG 77u

static const struct hws_init some_init = {
    .tag = TAG, .a_rwnd = 100000, .ostreams = 5, .max_instreams = 5, .tsn = 5};

static struct hws_addr address(uint8_t d)
{
    return (struct hws_addr){.family = HWS_FAMILY_IPV4, .ip = {198, 51, 100, d}};
}

static struct hws_init decode_init(const struct pair_packet *packet)
{
    struct hws_tlv chunk = pair_chunk(packet, 0);
    struct hws_init init;
    assert_true(hws_init_decode(&chunk, &init));
    return init;
}

/* ---- A peer made by hand, at the port of the other end ---- */

static void peer_inits_with(struct pair_end *end, const struct hws_addr *from,
                            const struct hws_init *init, const struct hws_addr *listed,
                            uint32_t count)
{
    uint8_t buf[400];
    struct hws_builder b;
    hws_builder_init(&b, buf, sizeof buf, end->other->port, end->port, 0);
    assert_true(hws_init_open(&b, HWS_CHUNK_INIT, init));
    for (uint32_t i = 0; i < count; i++)
        assert_true(hws_param_put_addr(&b, &listed[i]));
    assert_true(hws_builder_close(&b));
    pair_inject_from(end, from, buf, hws_builder_finish(&b));
}

static void peer_inits(struct pair_end *end, const struct hws_addr *from,
                       const struct hws_addr *listed, uint32_t count)
{
    peer_inits_with(end, from, &some_init, listed, count);
}

static struct hws_tlv find_cookie(const struct hws_init *ack)
{
    struct hws_tlv_iter it = hws_tlv_begin(ack->params, ack->params_len);
    struct hws_tlv param = {0};
    do
        assert_true(hws_tlv_next(&it, &param));
    while (param.type != HWS_PARAM_COOKIE);
    return param;
}

/* A COOKIE ECHO that answers the INIT ACK, in a packet of its own. */
static struct pair_packet *echo_of(const struct pair_packet *ack)
{
    struct hws_init init = decode_init(ack);
    struct hws_tlv cookie = find_cookie(&init);
    struct pair_packet *echo = calloc(1, sizeof *echo + 1000);
    assert_non_null(echo);
    struct hws_builder b;
    hws_builder_init(&b, echo->data, 1000, hws_get16(ack->data + 2), hws_get16(ack->data),
                     init.tag);
    assert_true(hws_chunk_put(&b, HWS_CHUNK_COOKIE_ECHO, 0, hws_param_value(&cookie),
                              hws_param_value_len(&cookie)));
    echo->len = hws_builder_finish(&b);
    return echo;
}

/* Takes the INIT ACK that `end` has sent; the COOKIE ECHO that answers it. */
static struct pair_packet *take_echo(struct pair_end *end)
{
    struct pair_packet *ack = pair_take(end);
    assert_string_equal(pair_chunks(ack), "INIT-ACK");
    struct pair_packet *echo = echo_of(ack);
    free(ack);
    return echo;
}

static struct hws_cookie open_cookie(const struct pair_end *end, const struct pair_packet *ack)
{
    struct hws_init init = decode_init(ack);
    struct hws_tlv cookie = find_cookie(&init);
    struct hws_cookie out;
    assert_true(
        hws_cookie_open(end->engine, hws_param_value(&cookie), hws_param_value_len(&cookie), &out));
    return out;
}

static void peer_connects(struct pair_end *end, const struct hws_addr *from,
                          const struct hws_addr *listed, uint32_t count)
{
    peer_inits(end, from, listed, count);
    struct pair_packet *echo = take_echo(end);
    pair_inject_from(end, from, echo->data, echo->len);
    assert_true(pair_saw(end, HWS_EVENT_UP));
    free(echo);
}

/* An INIT ACK for `end`, which is in COOKIE-WAIT. */
static void peer_acks_from(struct pair_end *end, const struct hws_addr *from,
                           const struct hws_addr *listed, uint32_t count)
{
    uint8_t buf[400];
    struct hws_builder b;
    pair_forge(end, &b, buf, sizeof buf);
    assert_true(hws_init_open(&b, HWS_CHUNK_INIT_ACK, &some_init));
    memset(hws_builder_tlv(&b, HWS_PARAM_COOKIE, 60), 0xc0, 60);
    for (uint32_t i = 0; i < count; i++)
        assert_true(hws_param_put_addr(&b, &listed[i]));
    assert_true(hws_builder_close(&b));
    pair_inject_from(end, from, buf, hws_builder_finish(&b));
}

static void peer_acks(struct pair_end *end, const struct hws_addr *listed, uint32_t count)
{
    peer_acks_from(end, &end->other->addr, listed, count);
}

static void expect_unchanged(const struct pair_end *end, const struct hws_assoc_status *before)
{
    struct hws_assoc_status after = pair_status(end);
    assert_int_equal(after.state, before->state);
    assert_int_equal(after.local_vtag, before->local_vtag);
    assert_int_equal(after.remote_vtag, before->remote_vtag);
    assert_int_equal(after.instreams, before->instreams);
    assert_int_equal(after.ostreams, before->ostreams);
    assert_int_equal(after.path_count, before->path_count);
    assert_int_equal(after.primary, before->primary);
    assert_int_equal(after.peer_rwnd, before->peer_rwnd);
    assert_int_equal(after.timer_armed, before->timer_armed);
}

static void expect_transfer(struct pair *p)
{
    pair_send(&p->a, 0, 0, "from a", 6);
    pair_send(&p->b, 0, 0, "from b", 6);
    pair_settle(p);
    pair_recv(&p->b, 0, "from a", 6);
    pair_recv(&p->a, 0, "from b", 6);
}

/* ---- 5.1: the handshake ---- */

static void init_ack_goes_to_the_source(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    const struct hws_addr from = address(1), listed = address(2);
    peer_inits(&p->b, &from, &listed, 1);
    struct pair_packet *ack = pair_take(&p->b);
    assert_string_equal(pair_chunks(ack), "INIT-ACK");
    assert_true(hws_addr_same(&ack->dst, &from));
    assert_int_equal(hws_get32(ack->data + 4), TAG);
    pair_silent(p);
    free(ack);
    pair_free(p);
}

/* Between COOKIE ECHO and COOKIE ACK nothing else leaves, however long that takes; and it does not
 * take for ever. */
static void nothing_but_cookie_echo(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    pair_send_pattern(&p->a, 0, 0, 1, 10000);
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT-ACK");
    for (uint32_t tries = 0; tries < 9; tries++) {
        assert_int_equal(pair_status(&p->a).state, HWS_STATE_COOKIE_ECHOED);
        uint64_t started_us = p->now_us;
        pair_lost(&p->a, "COOKIE-ECHO");
        pair_silent(p);
        pair_next_timer(&p->a);
        assert_true(p->now_us - started_us >= SECOND);
    }
    pair_silent(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(p->a.reason, HWS_E_TIMEDOUT);
    pair_free(p);
}

/* Sends to b's three addresses, of which none answers; where each of `count` packets goes. */
static void expect_rotation(struct pair *p, const char *chunks, uint32_t count)
{
    uint32_t seen[3] = {0};
    for (uint32_t i = 0; i < count; i++) {
        const struct pair_packet *packet = pair_first(&p->a);
        for (uint32_t k = 0; k < 3; k++)
            seen[k] += hws_addr_same(&packet->dst, &p->b.addrs[k]);
        pair_lost(&p->a, chunks);
        pair_next_timer(&p->a);
    }
    for (uint32_t k = 0; k < 3; k++)
        assert_int_equal(seen[k], count / 3);
}

/* 5.1: tries go to all addresses that the application named. */
static void tries_use_all_addresses(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.addrs = 3});
    assert_int_equal(hws_assoc_connect(p->a.engine, p->a.endpoint, p->b.addrs, 3, PAIR_PORT_B,
                                       p->now_us, &p->a.assoc),
                     HWS_OK);
    pair_pull(p);
    expect_rotation(p, "INIT", 6);
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT-ACK");
    expect_rotation(p, "COOKIE-ECHO", 6);
    pair_arrives(&p->a, "COOKIE-ECHO");
    pair_settle(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_UP));
    pair_free(p);
}

static void few_streams(struct hws_params *a, struct hws_params *b)
{
    a->ostreams = 100;
    b->max_instreams = 20;
}

static int send_on(struct pair_end *end, uint16_t sid)
{
    const struct hws_sndinfo info = {.sid = sid};
    const struct hws_iovec iov = {"x", 1};
    return hws_assoc_send(end->engine, end->assoc, &info, &iov, 1, end->pair->now_us);
}

/* 5.1.1: streams 0 to the smaller number less one, no others. */
static void valid_streams(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = few_streams});
    pair_connect(p);
    for (uint16_t sid = 0; sid < 20; sid++)
        assert_int_equal(send_on(&p->a, sid), HWS_OK);
    assert_int_equal(send_on(&p->a, 20), HWS_E_INVAL);
    assert_int_equal(send_on(&p->a, 65535), HWS_E_INVAL);
    pair_run(p, SECOND);
    assert_int_equal(pair_stats(&p->b)->drop_data_invalid, 0);
    assert_int_equal(pair_status(&p->a).unacked_bytes, 0);
    pair_free(p);
}

/* DATA that comes along with the COOKIE ECHO is acknowledged at once, behind the COOKIE ACK. */
static void data_beside_cookie_echo(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    const struct hws_addr from = address(1);
    peer_inits(&p->b, &from, NULL, 0);
    struct pair_packet *echo = take_echo(&p->b);
    struct hws_builder b = {.start = echo->data, .len = echo->len, .limit = 1000};
    struct hws_data data = {
        .tsn = some_init.tsn, .ppid = 7, .flags = HWS_DATA_B | HWS_DATA_E, .payload_len = 4};
    memcpy(hws_data_encode(&b, &data), "with", 4);
    pair_inject_from(&p->b, &from, echo->data, hws_builder_finish(&b));
    pair_lost(&p->b, "COOKIE-ACK+SACK");
    pair_recv(&p->b, 0, "with", 4);
    free(echo);
    pair_free(p);
}

/* ---- 5.1.2: addresses ---- */

static void expect_paths(const struct pair_end *end, const struct hws_addr *remotes, uint32_t count)
{
    assert_int_equal(pair_status(end).path_count, count);
    for (uint32_t i = 0; i < count; i++)
        (void)pair_path_to(end, &remotes[i]);
}

static void without_a_list_the_source(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    const struct hws_addr from = address(1);
    peer_connects(&p->b, &from, NULL, 0);
    expect_paths(&p->b, &from, 1);
    pair_free(p);

    p = pair_new(NULL);
    pair_begin(&p->a);
    pair_lost(&p->a, "INIT");
    peer_acks(&p->a, NULL, 0);
    expect_paths(&p->a, &p->b.addr, 1);
    pair_free(p);
}

static void the_list_and_the_source(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    const struct hws_addr all[] = {address(1), address(2), address(3)};
    peer_connects(&p->b, &all[0], &all[1], 2);
    expect_paths(&p->b, all, 3);
    pair_free(p);

    p = pair_new(NULL);
    const struct hws_addr with_source[] = {p->b.addr, address(2), address(3)};
    pair_begin(&p->a);
    pair_lost(&p->a, "INIT");
    peer_acks(&p->a, &with_source[1], 2);
    expect_paths(&p->a, with_source, 3);
    pair_free(p);

    p = pair_new(NULL);
    pair_begin(&p->a);
    pair_lost(&p->a, "INIT");
    peer_acks_from(&p->a, &with_source[2], with_source, 2);
    expect_paths(&p->a, with_source, 3);
    pair_free(p);
}

/* Addresses of a family we are not bound to are passed over without a word. */
static void the_other_family_is_passed_over(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    const struct hws_addr mine[] = {address(1), address(2)};
    const struct hws_addr listed[] = {
        {.family = HWS_FAMILY_IPV6, .ip = {0x20, 1, 0x0d, 0xb8, [15] = 9}}, address(2)};
    peer_inits(&p->b, &mine[0], listed, 2);
    struct pair_packet *echo = take_echo(&p->b);
    pair_silent(p);
    pair_inject_from(&p->b, &mine[0], echo->data, echo->len);
    expect_paths(&p->b, mine, 2);
    while (!pair_wire_empty(p)) {
        struct pair_packet *packet = pair_take(&p->b);
        assert_null(strstr(pair_chunks(packet), "ERROR"));
        free(packet);
    }
    free(echo);
    pair_free(p);
}

/* 5.4: to an address not confirmed COOKIE ACK goes with a HEARTBEAT, COOKIE ECHO does not go. */
static void cookies_and_unconfirmed_addresses(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    const struct hws_addr from = address(1), others[] = {address(2), address(3)};
    peer_inits(&p->b, &from, others, 2);
    struct pair_packet *echo = take_echo(&p->b);
    pair_inject_from(&p->b, &others[1], echo->data, echo->len);
    uint32_t acks = 0;
    while (!pair_wire_empty(p)) {
        struct pair_packet *packet = pair_take(&p->b);
        const char *chunks = pair_chunks(packet);
        if (strstr(chunks, "COOKIE-ACK") != NULL) {
            assert_true(hws_addr_same(&packet->dst, &others[1]));
            assert_string_equal(chunks, "COOKIE-ACK+HEARTBEAT");
            acks++;
        }
        free(packet);
    }
    assert_int_equal(acks, 1);
    free(echo);
    pair_free(p);

    p = pair_new(NULL);
    pair_begin(&p->a);
    pair_lost(&p->a, "INIT");
    peer_acks(&p->a, others, 2);
    for (uint32_t tries = 0; tries < 6; tries++) {
        assert_true(hws_addr_same(&pair_first(&p->a)->dst, &p->b.addr));
        pair_lost(&p->a, "COOKIE-ECHO");
        pair_silent(p);
        pair_next_timer(&p->a);
    }
    pair_free(p);
}

static void two_at_a_time(struct hws_params *a, struct hws_params *b)
{
    (void)b;
    a->hb_max_burst = 2;
}

/* Takes what a has sent; the HEARTBEATs to b's unconfirmed addresses among it, which are noted. */
static uint32_t verifications(struct pair *p, uint32_t *addrs)
{
    uint32_t count = 0;
    while (!pair_wire_empty(p)) {
        struct pair_packet *packet = pair_take(p->a.wire_head != NULL ? &p->a : &p->b);
        for (uint32_t i = 1; i < 4; i++)
            if (hws_addr_same(&packet->dst, &p->b.addrs[i])) {
                assert_string_equal(pair_chunks(packet), "HEARTBEAT");
                *addrs |= 1u << i;
                count++;
            }
        free(packet);
    }
    return count;
}

/* 5.4: of three addresses to verify no more than HB.Max.Burst per RTO, and all of them in turn. */
static void hb_max_burst(void **state)
{
    (void)state;
    for (uint32_t most = 1; most <= 2; most++) {
        struct pair *p = pair_new(
            &(struct pair_options){.addrs = 4, .params = most == 2 ? two_at_a_time : NULL});
        pair_begin(&p->a);
        pair_arrives(&p->a, "INIT");
        pair_arrives(&p->b, "INIT-ACK");
        pair_arrives(&p->a, "COOKIE-ECHO");
        pair_arrives(&p->b, "COOKIE-ACK");
        uint32_t addrs = 0, rounds = 0;
        for (; addrs != 0xe && rounds < 10; rounds++) {
            assert_int_equal(pair_status(&p->a).state, HWS_STATE_ESTABLISHED);
            assert_in_range(verifications(p, &addrs), 0, most);
            pair_wait(p, SECOND);
        }
        assert_int_equal(addrs, 0xe);
        pair_free(p);
    }
}

/* ---- 5.1.3, 5.1.5: the State Cookie ---- */

/* Wrong ports or a wrong tag: not a word. */
static void cookie_of_other_ports(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.own_host = true});
    peer_inits(&p->b, &p->a.addr, NULL, 0);
    struct pair_packet *echo = take_echo(&p->b);
    static const uint32_t wrong_bytes[] = {1, 3, 7};
    for (size_t i = 0; i < 3; i++) {
        echo->data[wrong_bytes[i]] ^= 1;
        pair_inject(&p->b, echo->data, echo->len);
        echo->data[wrong_bytes[i]] ^= 1;
        pair_silent(p);
        assert_int_equal(hws_engine_assoc_count(p->b.engine), 0);
    }
    pair_inject(&p->b, echo->data, echo->len);
    assert_true(pair_saw(&p->b, HWS_EVENT_UP));
    free(echo);
    pair_free(p);
}

/* ---- 5.2.1: INIT while setting up ---- */

static void expect_same_offer(const struct hws_init *init, const struct hws_init *ack)
{
    assert_int_equal(ack->tag, init->tag);
    assert_int_equal(ack->tsn, init->tsn);
    assert_int_equal(ack->a_rwnd, init->a_rwnd);
    assert_int_equal(ack->ostreams, 5); /* no more than the peer takes (3.3.3) */
    assert_int_equal(ack->max_instreams, init->max_instreams);
}

static void init_in_cookie_wait(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    struct hws_init init = decode_init(pair_first(&p->a));
    pair_lost(&p->a, "INIT");
    pair_wait(p, SECOND / 2);
    peer_inits(&p->a, &p->b.addr, NULL, 0);
    struct pair_packet *answer = pair_take(&p->a);
    struct hws_init ack = decode_init(answer);
    assert_string_equal(pair_chunks(answer), "INIT-ACK");
    assert_true(hws_addr_same(&answer->dst, &p->b.addr));
    assert_int_equal(hws_get32(answer->data + 4), TAG);
    expect_same_offer(&init, &ack);
    free(answer);
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_COOKIE_WAIT);
    pair_wait(p, SECOND / 2); /* T1 goes on */
    pair_arrives(&p->a, "INIT");
    pair_settle(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_UP));
    pair_free(p);
}

/* a in COOKIE-ECHOED, its COOKIE ECHO lost; `init` is what it offered. */
static struct pair *in_cookie_echoed(struct hws_init *init)
{
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    *init = decode_init(pair_first(&p->a));
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT-ACK");
    pair_lost(&p->a, "COOKIE-ECHO");
    pair_wait(p, SECOND / 2);
    return p;
}

static void expect_cookie_echo_goes_on(struct pair *p)
{
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_COOKIE_ECHOED);
    pair_wait(p, SECOND / 2);
    pair_arrives(&p->a, "COOKIE-ECHO");
    pair_arrives(&p->b, "COOKIE-ACK");
    assert_true(pair_saw(&p->a, HWS_EVENT_UP));
    expect_transfer(p);
}

static void init_in_cookie_echoed(void **state)
{
    (void)state;
    struct hws_init init;
    struct pair *p = in_cookie_echoed(&init);
    peer_inits(&p->a, &p->b.addr, NULL, 0);
    struct pair_packet *answer = pair_take(&p->a);
    assert_string_equal(pair_chunks(answer), "INIT-ACK");
    struct hws_init ack = decode_init(answer);
    expect_same_offer(&init, &ack);
    struct hws_cookie cookie = open_cookie(&p->a, answer);
    assert_int_not_equal(cookie.tie_local, 0);
    assert_int_not_equal(cookie.tie_remote, 0);
    free(answer);
    expect_cookie_echo_goes_on(p);
    pair_free(p);
}

/* The ABORT carries the INIT's tag and names what is new. */
static void expect_new_address(struct pair_end *end, const struct hws_addr *added)
{
    struct pair_packet *answer = pair_take(end);
    assert_string_equal(pair_chunks(answer), "ABORT");
    assert_int_equal(hws_get32(answer->data + 4), TAG);
    struct hws_tlv abort = pair_chunk(answer, 0), cause = {0}, param = {0};
    struct hws_tlv_iter it = hws_tlv_begin(hws_chunk_value(&abort), hws_chunk_value_len(&abort));
    struct hws_addr named;
    assert_true(hws_tlv_next(&it, &cause));
    assert_int_equal(cause.type, HWS_CAUSE_RESTART_NEW_ADDRESSES);
    it = hws_tlv_begin(cause.bytes + 4, cause.len - 4u);
    assert_true(hws_tlv_next(&it, &param));
    assert_true(hws_param_addr(&param, &named));
    assert_true(hws_addr_same(&named, added));
    assert_false(hws_tlv_next(&it, &param));
    free(answer);
    pair_silent(end->pair);
}

static void new_address_in_cookie_echoed(void **state)
{
    (void)state;
    struct hws_init init;
    struct pair *p = in_cookie_echoed(&init);
    const struct hws_addr added = address(9);
    peer_inits(&p->a, &p->b.addr, &added, 1);
    expect_new_address(&p->a, &added);
    expect_cookie_echo_goes_on(p);
    pair_free(p);
}

/* ---- 5.2.2: INIT in other states ---- */

/* A new tag, the association's offers, nonces as Tie-Tags (so that the cookie, which anyone on the
 * way can read, gives no tag of the association away); and the association as before. */
static void init_ack_while_established(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    struct hws_assoc_status before = pair_status(&p->b);
    peer_inits(&p->b, &p->a.addr, NULL, 0);
    struct pair_packet *answer = pair_take(&p->b);
    assert_string_equal(pair_chunks(answer), "INIT-ACK");
    struct hws_init ack = decode_init(answer);
    assert_int_not_equal(ack.tag, before.local_vtag);
    assert_int_equal(ack.ostreams, 5);
    struct hws_cookie cookie = open_cookie(&p->b, answer);
    assert_int_equal(cookie.local_vtag, ack.tag);
    assert_int_equal(cookie.remote_vtag, TAG);
    assert_int_not_equal(cookie.tie_local, 0);
    assert_int_not_equal(cookie.tie_remote, 0);
    uint8_t tags[8];
    hws_put32(tags, before.local_vtag);
    hws_put32(tags + 4, before.remote_vtag);
    for (uint32_t at = 0; at + 4 <= answer->len; at++) {
        assert_memory_not_equal(answer->data + at, tags, 4);
        assert_memory_not_equal(answer->data + at, tags + 4, 4);
    }
    expect_unchanged(&p->b, &before);
    free(answer);
    expect_transfer(p);
    pair_free(p);
}

static void tie_tags_are_zero_without_association(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    peer_inits(&p->b, &p->a.addr, NULL, 0);
    struct pair_packet *answer = pair_take(&p->b);
    struct hws_cookie cookie = open_cookie(&p->b, answer);
    assert_int_equal(cookie.tie_local, 0);
    assert_int_equal(cookie.tie_remote, 0);
    free(answer);
    pair_free(p);
}

/* A new address, listed or the source itself, is named in the ABORT. */
static void new_addresses_are_named(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    struct hws_assoc_status before = pair_status(&p->b);
    const struct hws_addr added = address(9);
    const struct hws_addr list[] = {p->a.addr, added};
    peer_inits(&p->b, &p->a.addr, list, 2);
    expect_new_address(&p->b, &added);
    peer_inits(&p->b, &added, &p->a.addr, 1);
    expect_new_address(&p->b, &added);
    expect_unchanged(&p->b, &before);
    expect_transfer(p);
    pair_free(p);
}

/* ---- 5.2.4: COOKIE ECHO that meets an association ---- */

static void expect_discarded(struct pair *p, struct pair_packet *echo)
{
    struct hws_assoc_status before = pair_status(&p->b);
    uint64_t mismatches = pair_stats(&p->b)->drop_cookie_mismatch;
    pair_inject(&p->b, echo->data, echo->len);
    pair_silent(p);
    expect_unchanged(&p->b, &before);
    assert_int_equal(pair_stats(&p->b)->drop_cookie_mismatch, mismatches + 1);
    free(echo);
}

/* Action C: the same INIT came twice and was answered twice; the first cookie comes after the
 * second has made the association. */
static void late_cookie_of_the_same_init(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    struct pair_packet *init = pair_take(&p->a);
    pair_inject(&p->b, init->data, init->len);
    struct pair_packet *late = take_echo(&p->b);
    pair_inject(&p->b, init->data, init->len);
    pair_settle(p);
    assert_true(pair_saw(&p->b, HWS_EVENT_UP));
    expect_discarded(p, late);
    expect_transfer(p);
    free(init);
    pair_free(p);
}

/* No row of table 12: a cookie from before the association, of another INIT, without Tie-Tags. */
static void cookie_from_before(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    peer_inits(&p->b, &p->a.addr, NULL, 0);
    struct pair_packet *early = take_echo(&p->b);
    pair_connect(p);
    expect_discarded(p, early);
    expect_transfer(p);
    pair_free(p);
}

/* A stale cookie of a restart is answered as any other; the association stays. */
static void stale_restart(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    peer_inits(&p->b, &p->a.addr, NULL, 0);
    struct pair_packet *echo = take_echo(&p->b);
    pair_run(p, 61ull * SECOND);
    struct hws_assoc_status before = pair_status(&p->b);
    pair_inject(&p->b, echo->data, echo->len);
    assert_int_equal(hws_get32(pair_first(&p->b)->data + 4), TAG);
    assert_non_null(strstr(pair_text(pair_first(&p->b)), "Stale-Cookie"));
    pair_lost(&p->b, "ERROR");
    expect_unchanged(&p->b, &before);
    assert_false(pair_saw(&p->b, HWS_EVENT_RESTART));
    expect_transfer(p);
    free(echo);
    pair_free(p);
}

/* Action D is not asked for its age: the tags say that it is this association's. */
static void old_cookie_of_this_association(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT-ACK");
    struct pair_packet *echo = pair_take(&p->a);
    pair_inject(&p->b, echo->data, echo->len);
    pair_settle(p);
    pair_run(p, 61ull * SECOND);
    pair_inject(&p->b, echo->data, echo->len);
    pair_lost(&p->b, "COOKIE-ACK");
    expect_transfer(p);
    free(echo);
    pair_free(p);
}

/* Action D in COOKIE-ECHOED: the other side's cookie says as much as a COOKIE ACK. */
static void cookie_echo_in_cookie_echoed(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.both_listen = true});
    pair_begin(&p->a);
    pair_begin(&p->b);
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT");
    pair_arrives(&p->a, "INIT-ACK");
    pair_arrives(&p->b, "INIT-ACK");
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_COOKIE_ECHOED);
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_COOKIE_ECHOED);
    pair_lost(&p->a, "COOKIE-ECHO");
    pair_arrives(&p->b, "COOKIE-ECHO");
    assert_true(pair_saw(&p->a, HWS_EVENT_UP));
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_ESTABLISHED);
    pair_arrives(&p->a, "COOKIE-ACK");
    assert_true(pair_saw(&p->b, HWS_EVENT_UP));
    pair_wait(p, 3ull * SECOND); /* T1 has ended on both sides */
    pair_silent(p);
    expect_transfer(p);
    pair_free(p);
}

/* Action B: our INIT was answered while the peer's own was under way; its tag is the later one. */
static void cookie_of_the_peers_own_init(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT-ACK");
    pair_lost(&p->a, "COOKIE-ECHO");
    peer_inits(&p->a, &p->b.addr, NULL, 0);
    struct pair_packet *echo = take_echo(&p->a);
    uint32_t local = pair_status(&p->a).local_vtag;
    pair_inject(&p->a, echo->data, echo->len);
    assert_true(pair_saw(&p->a, HWS_EVENT_UP));
    assert_false(pair_saw(&p->a, HWS_EVENT_RESTART));
    assert_int_equal(pair_status(&p->a).local_vtag, local);
    assert_int_equal(pair_status(&p->a).remote_vtag, TAG);
    assert_int_equal(hws_get32(pair_first(&p->a)->data + 4), TAG);
    pair_lost(&p->a, "COOKIE-ACK");
    pair_wait(p, 3ull * SECOND);
    pair_silent(p);
    free(echo);
    pair_free(p);
}

/* Action A: what was learned of the peer's network is forgotten. */
static void restart_forgets_the_window(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.both_listen = true});
    pair_connect(p);
    uint32_t cwnd = pair_path(&p->b).cwnd, ssthresh = pair_path(&p->b).ssthresh;
    pair_send_pattern(&p->b, 0, 0, 1, 100000);
    pair_settle(p);
    pair_run(p, SECOND);
    (void)pair_drain(&p->a);
    pair_send(&p->b, 0, 0, "lost", 4);
    pair_lost(&p->b, "DATA");
    pair_next_timer(&p->b);
    assert_int_not_equal(pair_path(&p->b).ssthresh, ssthresh);
    while (!pair_wire_empty(p))
        free(pair_take(p->a.wire_head != NULL ? &p->a : &p->b));
    pair_reboot(&p->a, false);
    pair_begin(&p->a);
    pair_settle(p);
    assert_true(pair_saw(&p->b, HWS_EVENT_RESTART));
    assert_int_equal(pair_path(&p->b).cwnd, cwnd);
    assert_int_equal(pair_path(&p->b).ssthresh, ssthresh);
    assert_int_equal(pair_path(&p->b).rto_us, SECOND);
    pair_free(p);
}

/* Action A in SHUTDOWN-ACK-SENT: no new association. */
static void restart_in_shutdown_ack_sent(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    peer_inits(&p->b, &p->a.addr, NULL, 0);
    struct pair_packet *echo = take_echo(&p->b);
    pair_shutdown(&p->a);
    pair_arrives(&p->a, "SHUTDOWN");
    pair_lost(&p->b, "SHUTDOWN-ACK");
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_SHUTDOWN_ACK_SENT);
    pair_inject(&p->b, echo->data, echo->len);
    bool acked = false, told = false;
    while (!pair_wire_empty(p)) {
        struct pair_packet *packet = pair_take(&p->b);
        acked |= strstr(pair_chunks(packet), "SHUTDOWN-ACK") != NULL;
        told |= strstr(pair_text(packet), "Cookie-Received-While-Shutting-Down") != NULL;
        free(packet);
    }
    assert_true(acked);
    assert_true(told);
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_SHUTDOWN_ACK_SENT);
    assert_false(pair_saw(&p->b, HWS_EVENT_RESTART));
    assert_int_equal(hws_engine_assoc_count(p->b.engine), 1);
    free(echo);
    pair_free(p);
}

/* ---- 5.2.6 ---- */

/* Only who waits for its COOKIE ACK cares that its cookie was stale. */
static void stale_cookie_error_too_late(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    uint8_t buf[100];
    struct hws_builder b;
    pair_forge(&p->a, &b, buf, sizeof buf);
    assert_true(hws_builder_open(&b, HWS_CHUNK_ERROR, 0));
    assert_true(hws_cause_put_stale_cookie(&b, 1000));
    assert_true(hws_builder_close(&b));
    pair_inject(&p->a, buf, hws_builder_finish(&b));
    pair_silent(p);
    assert_false(pair_saw(&p->a, HWS_EVENT_REMOTE_ERROR));
    expect_transfer(p);
    pair_free(p);
}

/* 5.1: the time to the next try is that of the address tried, and doubles for it alone. */
static void each_address_backs_off(void **state)
{
    (void)state;
    static const uint32_t seconds[] = {1, 1, 2, 2, 4, 4};
    struct pair *p = pair_new(NULL);
    const struct hws_addr remotes[] = {p->b.addr, address(9)};
    assert_int_equal(hws_assoc_connect(p->a.engine, p->a.endpoint, remotes, 2, PAIR_PORT_B,
                                       p->now_us, &p->a.assoc),
                     HWS_OK);
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        pair_lost(&p->a, "INIT");
        pair_wait(p, (uint64_t)seconds[i] * SECOND - 1);
        pair_silent(p);
        pair_wait(p, 1);
    }
    pair_free(p);
}

/* 3.3.3: an INIT ACK asks for no more streams than the INIT allows. */
static void init_ack_asks_for_no_more_streams(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    peer_inits(&p->b, &p->a.addr, NULL, 0);
    struct pair_packet *ack = pair_take(&p->b);
    assert_int_equal(decode_init(ack).ostreams, some_init.max_instreams);
    free(ack);
    pair_free(p);
}

/* 5.1 C: not even a complaint. */
static void no_error_before_cookie_ack(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT-ACK");
    pair_lost(&p->a, "COOKIE-ECHO");
    uint8_t buf[100];
    struct hws_builder b;
    pair_forge(&p->a, &b, buf, sizeof buf);
    assert_true(hws_chunk_put(&b, 0xfd, 0, "what", 4));
    pair_inject(&p->a, buf, hws_builder_finish(&b));
    pair_silent(p);
    pair_wait(p, SECOND);
    struct pair_packet *echo = pair_take(&p->a);
    struct hws_tlv first = pair_chunk(echo, 0);
    assert_int_equal(hws_chunk_type(&first), HWS_CHUNK_COOKIE_ECHO);
    pair_silent(p);
    free(echo);
    pair_free(p);
}

/* 5.1: who has no memory for an association says so. */
static void no_memory_for_a_cookie(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.tolerant = true});
    peer_inits(&p->b, &p->a.addr, NULL, 0);
    struct pair_packet *echo = take_echo(&p->b);
    p->b.env.fail_from = p->b.env.allocs;
    p->b.env.fail_until = p->b.env.allocs + 1;
    pair_inject(&p->b, echo->data, echo->len);
    assert_int_equal(hws_get32(pair_first(&p->b)->data + 4), TAG);
    assert_non_null(strstr(pair_text(pair_first(&p->b)), "Out-of-Resource"));
    pair_lost(&p->b, "ABORT");
    assert_int_equal(hws_engine_assoc_count(p->b.engine), 0);
    free(echo);
    pair_free(p);
}

/* What the application named and the peer does not own up to gets nothing any more. */
static void addresses_not_listed_are_dropped(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    const struct hws_addr remotes[] = {p->b.addr, address(9)};
    assert_int_equal(hws_assoc_connect(p->a.engine, p->a.endpoint, remotes, 2, PAIR_PORT_B,
                                       p->now_us, &p->a.assoc),
                     HWS_OK);
    pair_settle(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_UP));
    struct hws_path_status path;
    assert_int_equal(hws_assoc_path_status(p->a.engine, p->a.assoc, 0, &path), HWS_OK);
    assert_int_equal(hws_assoc_path_status(p->a.engine, p->a.assoc, 1, &path), HWS_E_NOENT);
    pair_send(&p->a, 0, 0, "unheard", 7);
    for (uint32_t s = 0; s < 100; s++) {
        pair_wait(p, SECOND);
        while (!pair_wire_empty(p)) {
            struct pair_packet *packet = pair_take(p->a.wire_head != NULL ? &p->a : &p->b);
            assert_false(hws_addr_same(&packet->dst, &remotes[1]));
            free(packet);
        }
    }
    pair_free(p);
}

/* The ABORT that answers an INIT ACK goes where that came from, not where we would send. */
static void abort_goes_to_the_source(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    const struct hws_addr remotes[] = {p->b.addr, address(9)};
    assert_int_equal(hws_assoc_connect(p->a.engine, p->a.endpoint, remotes, 2, PAIR_PORT_B,
                                       p->now_us, &p->a.assoc),
                     HWS_OK);
    pair_lost(&p->a, "INIT");
    pair_next_timer(&p->a);
    pair_lost(&p->a, "INIT");
    struct hws_init init = some_init;
    init.ostreams = 0;
    uint8_t buf[100];
    struct hws_builder b;
    pair_forge(&p->a, &b, buf, sizeof buf);
    assert_true(hws_init_open(&b, HWS_CHUNK_INIT_ACK, &init));
    assert_true(hws_builder_close(&b));
    pair_inject(&p->a, buf, hws_builder_finish(&b));
    assert_true(hws_addr_same(&pair_first(&p->a)->dst, &p->b.addr));
    pair_lost(&p->a, "ABORT");
    pair_free(p);
}

/* 5.4: what comes from an unconfirmed address is answered to a confirmed one. */
static void only_verification_goes_to_unconfirmed(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    const struct hws_addr from = address(1), listed = address(2);
    peer_connects(&p->b, &from, &listed, 1);
    uint8_t buf[300];
    struct hws_builder b;
    pair_forge(&p->b, &b, buf, sizeof buf);
    assert_true(hws_chunk_put(&b, 0xfd, 0, "what", 4));
    struct hws_data data = {
        .tsn = some_init.tsn, .flags = HWS_DATA_B | HWS_DATA_E, .payload_len = 4};
    memcpy(hws_data_encode(&b, &data), "data", 4);
    assert_true(hws_shutdown_encode(&b, 0));
    pair_inject_from(&p->b, &listed, buf, hws_builder_finish(&b));
    bool answered = false;
    for (uint32_t s = 0; s < 20; s++) {
        while (!pair_wire_empty(p)) {
            struct pair_packet *packet = pair_take(&p->b);
            if (hws_addr_same(&packet->dst, &listed))
                assert_string_equal(pair_chunks(packet), "HEARTBEAT");
            else
                answered |= strstr(pair_chunks(packet), "SACK") != NULL;
            free(packet);
        }
        pair_wait(p, SECOND);
    }
    assert_true(answered);
    pair_free(p);
}

/* 5.2.1: an address the application did not name gets no INIT ACK, and no ABORT either, since the
 * INIT belongs to the association it lists an address of. */
static void init_in_cookie_wait_from_elsewhere(void **state)
{
    (void)state;
    for (int listening = 0; listening < 2; listening++) {
        struct pair *p = pair_new(&(struct pair_options){.both_listen = listening});
        const struct hws_addr from = address(9);
        pair_begin(&p->a);
        pair_lost(&p->a, "INIT");
        peer_inits(&p->a, &from, &p->b.addr, 1);
        pair_silent(p);
        assert_int_equal(pair_status(&p->a).state, HWS_STATE_COOKIE_WAIT);
        pair_free(p);
    }
}

/* 5.2.1: the same as the INIT offered, whatever the endpoint would offer by now. */
static void init_ack_offers_what_init_did(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    struct hws_init init = decode_init(pair_first(&p->a));
    pair_lost(&p->a, "INIT");
    struct hws_params params;
    hws_params_default(&params);
    params.ostreams = 3;
    params.max_instreams = 4;
    params.rcvbuf_bytes = 50000;
    assert_int_equal(hws_endpoint_set_params(p->a.engine, p->a.endpoint, &params), HWS_OK);
    peer_inits(&p->a, &p->b.addr, NULL, 0);
    struct pair_packet *answer = pair_take(&p->a);
    struct hws_init ack = decode_init(answer);
    expect_same_offer(&init, &ack);
    free(answer);
    pair_free(p);
}

/* The Cookie Preservative of an INIT in milliseconds, 0: it has none. */
static uint32_t preservative_of(const struct pair_packet *packet)
{
    struct hws_init init = decode_init(packet);
    struct hws_tlv_iter it = hws_tlv_begin(init.params, init.params_len);
    struct hws_tlv param;
    uint32_t ms = 0;
    while (hws_tlv_next(&it, &param))
        (void)hws_param_cookie_preservative(&param, &ms);
    return ms;
}

/* 5.2.6, option 3: the next INIT asks for the round trip that the cookie took, and for one second
 * more at the most, however stale it is said to be. */
static void stale_cookie_asks_for_more_time(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    assert_int_equal(preservative_of(pair_first(&p->a)), 0);
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT-ACK");
    pair_lost(&p->a, "COOKIE-ECHO");
    pair_wait(p, 300000);
    uint8_t buf[100];
    struct hws_builder b;
    pair_forge(&p->a, &b, buf, sizeof buf);
    assert_true(hws_builder_open(&b, HWS_CHUNK_ERROR, 0));
    assert_true(hws_cause_put_stale_cookie(&b, 30 * SECOND));
    assert_true(hws_builder_close(&b));
    pair_inject(&p->a, buf, hws_builder_finish(&b));
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_COOKIE_WAIT);
    assert_in_range(preservative_of(pair_first(&p->a)), 300, 1300);
    pair_arrives(&p->a, "INIT");
    pair_settle(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_UP));
    pair_free(p);
}

/* ---- 5.3.1: tags ---- */

static struct {
    uint32_t tag;
    uint32_t throws;
    void (*fair)(void *, void *, size_t);
} dice;

/* Says the same word a few times, then what it said before it was loaded. */
static void loaded_dice(void *ctx, void *out, size_t len)
{
    dice.fair(ctx, out, len);
    if (len == sizeof dice.tag && dice.throws > 0) {
        dice.throws--;
        memcpy(out, &dice.tag, sizeof dice.tag);
    }
}

/* Whatever the dice say, the tag of an association that has just ended is not drawn again. */
static void tags_wait_before_they_come_again(void **state)
{
    (void)state;
    for (int graceful = 0; graceful < 2; graceful++) {
        struct pair *p = pair_new(NULL);
        pair_connect(p);
        uint32_t tag = pair_status(&p->a).local_vtag;
        if (graceful)
            pair_shutdown(&p->a);
        else
            assert_int_equal(hws_assoc_abort(p->a.engine, p->a.assoc, NULL, 0, p->now_us), HWS_OK);
        pair_settle(p);
        assert_int_equal(hws_assoc_release(p->a.engine, p->a.assoc, p->now_us), HWS_OK);
        assert_int_equal(hws_assoc_release(p->b.engine, p->b.assoc, p->now_us), HWS_OK);
        struct hws_env *env = &p->a.engine->config.env;
        dice.tag = tag;
        dice.throws = 3;
        dice.fair = env->random;
        env->random = loaded_dice;
        pair_connect(p);
        assert_int_equal(dice.throws, 0);
        assert_int_not_equal(pair_status(&p->a).local_vtag, tag);
        pair_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_ack_goes_to_the_source),
        cmocka_unit_test(nothing_but_cookie_echo),
        cmocka_unit_test(tries_use_all_addresses),
        cmocka_unit_test(valid_streams),
        cmocka_unit_test(data_beside_cookie_echo),
        cmocka_unit_test(without_a_list_the_source),
        cmocka_unit_test(the_list_and_the_source),
        cmocka_unit_test(the_other_family_is_passed_over),
        cmocka_unit_test(cookies_and_unconfirmed_addresses),
        cmocka_unit_test(hb_max_burst),
        cmocka_unit_test(cookie_of_other_ports),
        cmocka_unit_test(init_in_cookie_wait),
        cmocka_unit_test(init_in_cookie_echoed),
        cmocka_unit_test(new_address_in_cookie_echoed),
        cmocka_unit_test(init_ack_while_established),
        cmocka_unit_test(tie_tags_are_zero_without_association),
        cmocka_unit_test(new_addresses_are_named),
        cmocka_unit_test(late_cookie_of_the_same_init),
        cmocka_unit_test(cookie_from_before),
        cmocka_unit_test(stale_restart),
        cmocka_unit_test(old_cookie_of_this_association),
        cmocka_unit_test(cookie_echo_in_cookie_echoed),
        cmocka_unit_test(cookie_of_the_peers_own_init),
        cmocka_unit_test(restart_forgets_the_window),
        cmocka_unit_test(restart_in_shutdown_ack_sent),
        cmocka_unit_test(stale_cookie_error_too_late),
        cmocka_unit_test(each_address_backs_off),
        cmocka_unit_test(init_ack_asks_for_no_more_streams),
        cmocka_unit_test(no_error_before_cookie_ack),
        cmocka_unit_test(no_memory_for_a_cookie),
        cmocka_unit_test(addresses_not_listed_are_dropped),
        cmocka_unit_test(abort_goes_to_the_source),
        cmocka_unit_test(only_verification_goes_to_unconfirmed),
        cmocka_unit_test(init_in_cookie_wait_from_elsewhere),
        cmocka_unit_test(init_ack_offers_what_init_did),
        cmocka_unit_test(stale_cookie_asks_for_more_time),
        cmocka_unit_test(tags_wait_before_they_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
