/* Stories of packets and chunks as RFC 9260, section 3, wants them: what we send, and what becomes
 * of what a peer sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/cause.h"
#include "proto/param.h"
#include "tests/pair.h"

#define SECOND 1000000u
#define TAG 77u

static const struct hws_init good_init = {
    .tag = TAG, .a_rwnd = 1500, .ostreams = 1, .max_instreams = 1, .tsn = 5};

static struct hws_init decode_init(const struct pair_packet *packet)
{
    struct hws_tlv chunk = pair_chunk(packet, 0);
    struct hws_init init;
    assert_true(hws_init_decode(&chunk, &init));
    return init;
}

/* An INIT or INIT ACK in `buf`; its length. */
static uint32_t make_init(uint8_t *buf, uint32_t cap, uint8_t type, uint16_t src_port,
                          uint16_t dst_port, uint32_t vtag, const struct hws_init *init,
                          void (*add)(struct hws_builder *))
{
    struct hws_builder b;
    hws_builder_init(&b, buf, cap, src_port, dst_port, vtag);
    assert_true(hws_init_open(&b, type, init));
    if (add != NULL)
        add(&b);
    assert_true(hws_builder_close(&b));
    return hws_builder_finish(&b);
}

static void inject_init(struct pair *p, const struct hws_init *init,
                        void (*add)(struct hws_builder *))
{
    uint8_t buf[300];
    uint32_t len =
        make_init(buf, sizeof buf, HWS_CHUNK_INIT, PAIR_PORT_A, PAIR_PORT_B, 0, init, add);
    pair_inject(&p->b, buf, len);
}

/* An INIT ACK for a, as if b had sent it. */
static void inject_init_ack(struct pair *p, const struct hws_init *init,
                            void (*add)(struct hws_builder *))
{
    static uint8_t buf[8000];
    uint32_t len = make_init(buf, sizeof buf, HWS_CHUNK_INIT_ACK, PAIR_PORT_B, PAIR_PORT_A,
                             pair_status(&p->a).local_vtag, init, add);
    pair_inject(&p->a, buf, len);
}

static void expect_abort(struct pair_end *end, const char *cause)
{
    struct pair_packet *abort = pair_take(end);
    assert_string_equal(pair_chunks(abort), "ABORT");
    assert_int_equal(hws_get32(abort->data + 4), TAG);
    if (strstr(pair_text(abort), cause) == NULL)
        fail_msg("no %s in %s", cause, pair_text(abort));
    free(abort);
    pair_silent(end->pair);
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
    pair_send(&p->a, 0, 0, "still", 5);
    pair_settle(p);
    pair_recv(&p->b, 0, "still", 5);
}

/* ---- 3.1: the common header ---- */

/* Port 0 is nobody's. */
static void port_zero(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    uint8_t buf[100];
    uint32_t len = make_init(buf, sizeof buf, HWS_CHUNK_INIT, 0, PAIR_PORT_B, 0, &good_init, NULL);
    pair_inject(&p->b, buf, len);
    len = make_init(buf, sizeof buf, HWS_CHUNK_INIT, PAIR_PORT_A, 0, 0, &good_init, NULL);
    pair_inject(&p->b, buf, len);
    pair_silent(p);
    assert_int_equal(pair_stats(&p->b)->drop_short, 2);
    hws_assoc_id id;
    assert_int_equal(
        hws_assoc_connect(p->a.engine, p->a.endpoint, &p->b.addr, 1, 0, p->now_us, &id),
        HWS_E_INVAL);
    pair_free(p);
}

/* ---- 3.2: chunks and parameters ---- */

/* A chunk's length counts its data; what fills the last word is zero and not counted. */
static void chunks_are_whole_words(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    for (uint32_t len = 1; len <= 9; len++) {
        pair_send_pattern(&p->a, 0, HWS_SEND_SACK_IMMEDIATELY, 0xf0, len);
        const struct pair_packet *packet = pair_first(&p->a);
        struct hws_tlv chunk = pair_chunk(packet, 0);
        assert_int_equal(chunk.len, HWS_DATA_HEADER_LEN + len);
        assert_int_equal(packet->len, HWS_PACKET_HEADER_LEN + hws_pad4(chunk.len));
        for (uint32_t at = chunk.len; at < hws_pad4(chunk.len); at++)
            assert_int_equal(chunk.bytes[at], 0);
        pair_settle(p);
        pair_recv_pattern(&p->b, 0, 0xf0, len);
    }
    pair_free(p);
}

static void put_unpadded(struct hws_builder *b)
{
    const struct hws_addr addr = {.family = HWS_FAMILY_IPV4, .ip = {198, 51, 100, 7}};
    uint8_t *value = hws_builder_tlv(b, 0xc777, 1);
    *value = 1;
    assert_true(hws_param_put_addr(b, &addr));
    memset(value + 1, 0xff, 3);
}

/* Whatever stands in the padding of a chunk or of a parameter. */
static void padding_is_ignored(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    pair_send(&p->a, 0, 0, "x", 1);
    struct pair_packet *packet = pair_take(&p->a);
    memset(packet->data + packet->len - 3, 0xff, 3);
    pair_inject(&p->b, packet->data, packet->len);
    pair_recv(&p->b, 0, "x", 1);
    free(packet);
    pair_free(p);

    p = pair_new(NULL);
    inject_init(p, &good_init, put_unpadded);
    packet = pair_take(&p->b);
    assert_string_equal(pair_chunks(packet), "INIT-ACK");
    assert_non_null(strstr(pair_text(packet), "Unrecognized"));
    free(packet);
    pair_free(p);
}

/* ---- 3.3.1: DATA ---- */

/* Whatever number an unordered message carries, it is delivered, and does not move the order. */
static void unordered_ssn_is_ignored(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send(&p->a, 0, HWS_SEND_UNORDERED, "unordered", 9);
    struct pair_packet *packet = pair_take(&p->a);
    hws_put16(packet->data + HWS_PACKET_HEADER_LEN + 10, 0x7777);
    pair_inject(&p->b, packet->data, packet->len);
    pair_recv(&p->b, 0, "unordered", 9);
    free(packet);
    pair_settle(p);
    pair_send(&p->a, 0, 0, "ordered", 7);
    pair_settle(p);
    pair_recv(&p->b, 0, "ordered", 7);
    pair_free(p);
}

static struct hws_data decode_data(const struct pair_packet *packet)
{
    struct hws_tlv chunk = pair_chunk(packet, 0);
    struct hws_data data;
    assert_true(hws_data_decode(&chunk, &data));
    return data;
}

/* The fragments of a message: consecutive TSNs, all with its stream, number, protocol and U bit; B
 * on the first alone and E on the last. */
static void fragments_of(uint16_t send_flags, uint8_t unordered)
{
    struct pair *p = pair_new(&(struct pair_options){.mtu = 600});
    pair_connect_and_talk(p);
    pair_send_pattern(&p->a, 3, send_flags, 1, 2000);
    struct hws_data first = decode_data(pair_first(&p->a));
    uint32_t count = 0;
    bool ended = false;
    while (!pair_wire_empty(p)) {
        struct pair_packet *packet = pair_take(&p->a);
        struct hws_data data = decode_data(packet);
        assert_false(ended);
        assert_int_equal(data.tsn, first.tsn + count);
        assert_int_equal(data.sid, 3);
        assert_int_equal(data.ssn, first.ssn);
        assert_int_equal(data.ppid, 7);
        assert_int_equal(data.flags & HWS_DATA_U, unordered);
        assert_int_equal(!!(data.flags & HWS_DATA_B), count == 0);
        ended = data.flags & HWS_DATA_E;
        count++;
        free(packet);
    }
    assert_true(ended);
    assert_int_equal(count, 4);
    pair_free(p);
}

static void fragments(void **state)
{
    (void)state;
    fragments_of(0, 0);
    fragments_of(HWS_SEND_UNORDERED, HWS_DATA_U);
}

/* One after another from the initial TSN on, whatever the stream and the order. */
static void tsns_are_consecutive(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    uint32_t tsn = decode_init(pair_first(&p->a)).tsn;
    pair_settle(p);
    for (uint16_t i = 0; i < 10; i++) {
        static const uint16_t flags[] = {0, HWS_SEND_UNORDERED};
        pair_send(&p->a, (uint16_t)(i % 3), flags[i % 2], "whole", 5);
        pair_run(p, SECOND / 10);
    }
    pair_run(p, SECOND);
    assert_int_equal(pair_status(&p->a).unacked_bytes, 0);
    pair_send(&p->a, 0, 0, "next", 4);
    struct hws_data next = decode_data(pair_first(&p->a));
    assert_int_equal(next.tsn, tsn + 10);
    assert_int_equal(next.flags & (HWS_DATA_B | HWS_DATA_E), HWS_DATA_B | HWS_DATA_E);
    pair_free(p);
}

/* No DATA chunk without user data leaves us. */
static void empty_messages_are_refused(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    const struct hws_sndinfo info = {0};
    const struct hws_iovec iov[2] = {{"x", 0}, {"y", 0}};
    assert_int_equal(hws_assoc_send(p->a.engine, p->a.assoc, &info, NULL, 0, p->now_us),
                     HWS_E_INVAL);
    assert_int_equal(hws_assoc_send(p->a.engine, p->a.assoc, &info, iov, 2, p->now_us),
                     HWS_E_INVAL);
    pair_silent(p);
    pair_free(p);
}

/* ---- 3.3.2, 3.3.3: INIT and INIT ACK, sent ---- */

static uint32_t bit_of(uint16_t type)
{
    return type < 32 ? 1u << type : 0;
}

static void check_supported_types(const struct hws_tlv *p)
{
    for (uint32_t at = 4; at < p->len; at += 2)
        assert_true(hws_get16(p->bytes + at) == HWS_PARAM_IPV4 ||
                    hws_get16(p->bytes + at) == HWS_PARAM_IPV6);
}

/* Each parameter but addresses once, no Host Name Address, nothing IPv4-mapped. */
static void check_params(const struct hws_init *init, uint32_t addrs)
{
    struct hws_tlv_iter it = hws_tlv_begin(init->params, init->params_len);
    struct hws_tlv p;
    uint32_t seen = 0, listed = 0;
    while (hws_tlv_next(&it, &p)) {
        assert_int_not_equal(p.type, HWS_PARAM_HOST_NAME);
        if (p.type == HWS_PARAM_IPV4 || p.type == HWS_PARAM_IPV6) {
            listed++;
            continue;
        }
        assert_int_equal(seen & bit_of(p.type), 0);
        seen |= bit_of(p.type);
        if (p.type == HWS_PARAM_SUPPORTED_ADDRESSES)
            check_supported_types(&p);
    }
    assert_false(it.malformed);
    assert_int_equal(listed, addrs);
}

static void check_init(const struct pair_packet *packet, uint8_t type, uint32_t addrs)
{
    struct hws_params defaults;
    hws_params_default(&defaults);
    struct hws_tlv chunk = pair_chunk(packet, 0);
    struct hws_init init = decode_init(packet);
    assert_int_equal(hws_chunk_type(&chunk), type);
    assert_int_equal(hws_chunk_flags(&chunk), 0);
    assert_int_equal(packet->len, HWS_PACKET_HEADER_LEN + hws_pad4(chunk.len));
    assert_int_not_equal(init.tag, 0);
    assert_int_equal(init.a_rwnd, defaults.rcvbuf_bytes);
    assert_int_equal(init.ostreams, defaults.ostreams);
    assert_int_equal(init.max_instreams, defaults.max_instreams);
    check_params(&init, addrs);
}

static void our_init_and_init_ack(void **state)
{
    (void)state;
    for (uint32_t addrs = 1; addrs <= 3; addrs += 2) {
        struct pair *p = pair_new(&(struct pair_options){.addrs = addrs});
        pair_begin(&p->a);
        check_init(pair_first(&p->a), HWS_CHUNK_INIT, addrs > 1 ? addrs : 0);
        pair_arrives(&p->a, "INIT");
        check_init(pair_first(&p->b), HWS_CHUNK_INIT_ACK, addrs > 1 ? addrs : 0);
        pair_free(p);
    }
}

/* Values that an INIT must not carry cannot be set. */
static void forbidden_parameters_are_refused(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct hws_params params;
    struct hws_endpoint_config config = {
        .port = 5000, .locals = &p->a.addr, .local_count = 1, .params = &params};
    hws_endpoint_id id;
    hws_params_default(&params);
    params.rcvbuf_bytes = 1499;
    assert_int_equal(hws_endpoint_new(p->a.engine, &config, &id), HWS_E_INVAL);
    hws_params_default(&params);
    params.ostreams = 0;
    assert_int_equal(hws_endpoint_new(p->a.engine, &config, &id), HWS_E_INVAL);
    hws_params_default(&params);
    params.max_instreams = 0;
    assert_int_equal(hws_endpoint_new(p->a.engine, &config, &id), HWS_E_INVAL);
    hws_params_default(&params);
    assert_int_equal(hws_endpoint_new(p->a.engine, &config, &id), HWS_OK);
    pair_free(p);
}

/* No two associations have a tag or an initial TSN in common. */
static void tags_and_tsns_are_drawn(void **state)
{
    (void)state;
    uint32_t drawn[4 * 20];
    uint32_t count = 0;
    struct pair *p = pair_new(NULL);
    for (uint32_t i = 0; i < 20; i++) {
        pair_begin(&p->a);
        struct hws_init init = decode_init(pair_first(&p->a));
        pair_arrives(&p->a, "INIT");
        struct hws_init ack = decode_init(pair_first(&p->b));
        pair_settle(p);
        const uint32_t these[4] = {init.tag, init.tsn, ack.tag, ack.tsn};
        for (uint32_t k = 0; k < 4; k++) {
            for (uint32_t j = 0; j < count; j++)
                assert_int_not_equal(drawn[j], these[k]);
            drawn[count++] = these[k];
        }
        assert_int_equal(hws_assoc_release(p->a.engine, p->a.assoc, p->now_us), HWS_OK);
        pair_settle(p);
        assert_int_equal(hws_assoc_release(p->b.engine, p->b.assoc, p->now_us), HWS_OK);
    }
    pair_free(p);
}

static void zeros(void *ctx, void *out, size_t len)
{
    (void)ctx;
    memset(out, 0, len);
}

/* Even when the dice say 0 and nothing else. */
static void no_tag_is_zero(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct sim_env env;
    sim_env_init(&env, 1);
    struct hws_engine_config config = {.env = sim_env_make(&env)};
    config.env.random = zeros;
    struct hws_engine *e = hws_engine_new(&config);
    const struct hws_endpoint_config here = {.port = 9, .locals = &p->a.addr, .local_count = 1};
    hws_endpoint_id endpoint;
    hws_assoc_id id;
    struct hws_assoc_status status;
    assert_int_equal(hws_endpoint_new(e, &here, &endpoint), HWS_OK);
    assert_int_equal(hws_assoc_connect(e, endpoint, &p->b.addr, 1, 9, p->now_us, &id), HWS_OK);
    assert_int_equal(hws_assoc_status(e, id, &status), HWS_OK);
    assert_int_not_equal(status.local_vtag, 0);
    hws_engine_free(e);
    pair_free(p);
}

/* ---- 3.3.2: INIT, received ---- */

static void set_flags(struct pair_packet *packet)
{
    packet->data[HWS_PACKET_HEADER_LEN + 1] = 0xff;
}

/* The reserved flags of INIT and INIT ACK say nothing. */
static void flags_are_ignored(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    struct pair_packet *init = pair_take(&p->a);
    set_flags(init);
    pair_inject(&p->b, init->data, init->len);
    struct pair_packet *ack = pair_take(&p->b);
    set_flags(ack);
    pair_inject(&p->a, ack->data, ack->len);
    pair_arrives(&p->a, "COOKIE-ECHO");
    assert_true(pair_saw(&p->b, HWS_EVENT_UP));
    free(init);
    free(ack);
    pair_free(p);
}

static void init_with_tag_zero_is_dropped(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct hws_init init = good_init;
    init.tag = 0;
    inject_init(p, &init, NULL);
    pair_silent(p);
    pair_connect(p);
    inject_init(p, &init, NULL);
    pair_silent(p);
    expect_transfer(p);
    pair_free(p);
}

/* What an INIT, or an INIT ACK, must not say. */
static struct hws_init bad_init(uint32_t which)
{
    struct hws_init init = good_init;
    if (which == 0)
        init.a_rwnd = 1499;
    else if (which == 1)
        init.ostreams = 0;
    else
        init.max_instreams = 0;
    return init;
}

/* Refused with its own tag; an association that it meets stays as it is. */
static void bad_inits_are_refused(void **state)
{
    (void)state;
    for (uint32_t which = 0; which < 3; which++) {
        struct hws_init init = bad_init(which);
        struct pair *p = pair_new(NULL);
        inject_init(p, &init, NULL);
        expect_abort(&p->b, "Invalid-Mandatory-Parameter");
        pair_connect(p);
        struct hws_assoc_status before = pair_status(&p->b);
        inject_init(p, &init, NULL);
        expect_abort(&p->b, "Invalid-Mandatory-Parameter");
        expect_unchanged(&p->b, &before);
        expect_transfer(p);
        pair_free(p);
    }
}

/* ---- 3.3.3: INIT ACK, received ---- */

static void put_cookie(struct hws_builder *b)
{
    memset(hws_builder_tlv(b, HWS_PARAM_COOKIE, 50), 0xc0, 50);
}

static void put_host_name(struct hws_builder *b)
{
    put_cookie(b);
    memcpy(hws_builder_tlv(b, HWS_PARAM_HOST_NAME, 8), "example", 8);
}

static void init_ack_with_host_name(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    pair_lost(&p->a, "INIT");
    inject_init_ack(p, &good_init, put_host_name);
    expect_abort(&p->a, "Unresolvable-Address");
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_free(p);
}

/* 3.3.3: without streams there is no association. */
static void init_ack_without_streams(void **state)
{
    (void)state;
    for (uint32_t which = 1; which < 3; which++) {
        struct hws_init init = bad_init(which);
        struct pair *p = pair_new(NULL);
        pair_begin(&p->a);
        pair_lost(&p->a, "INIT");
        inject_init_ack(p, &init, put_cookie);
        expect_abort(&p->a, "Invalid-Mandatory-Parameter");
        assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
        pair_free(p);
    }
}

/* Beyond COOKIE-WAIT even a wrong INIT ACK does nothing. */
static void late_init_acks_are_dropped(void **state)
{
    (void)state;
    for (uint32_t which = 0; which < 4; which++) {
        struct hws_init init = bad_init(which);
        if (which == 3)
            init.tag = 0;
        struct pair *p = pair_new(NULL);
        pair_begin(&p->a);
        pair_arrives(&p->a, "INIT");
        pair_arrives(&p->b, "INIT-ACK");
        struct pair_packet *echo = pair_take(&p->a);
        inject_init_ack(p, &init, put_cookie);
        pair_silent(p);
        assert_int_equal(pair_status(&p->a).state, HWS_STATE_COOKIE_ECHOED);
        pair_inject(&p->b, echo->data, echo->len);
        pair_settle(p);
        inject_init_ack(p, &init, put_cookie);
        pair_silent(p);
        expect_transfer(p);
        free(echo);
        pair_free(p);
    }
}

#define LONG_COOKIE_LEN 4001u

static void put_long_cookie(struct hws_builder *b)
{
    uint8_t *cookie = hws_builder_tlv(b, HWS_PARAM_COOKIE, LONG_COOKIE_LEN);
    for (uint32_t i = 0; i < LONG_COOKIE_LEN; i++)
        cookie[i] = (uint8_t)(i * 7 + i / 256);
}

/* A cookie larger than any packet we would send otherwise comes back byte for byte. */
static void a_long_cookie(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    pair_lost(&p->a, "INIT");
    inject_init_ack(p, &good_init, put_long_cookie);
    struct pair_packet *echo = pair_take(&p->a);
    assert_string_equal(pair_chunks(echo), "COOKIE-ECHO");
    struct hws_tlv chunk = pair_chunk(echo, 0);
    assert_int_equal(hws_chunk_value_len(&chunk), LONG_COOKIE_LEN);
    for (uint32_t i = 0; i < LONG_COOKIE_LEN; i++)
        assert_int_equal(hws_chunk_value(&chunk)[i], (uint8_t)(i * 7 + i / 256));
    free(echo);
    pair_free(p);
}

static void put_unknown(struct hws_builder *b)
{
    put_cookie(b);
    memset(hws_builder_tlv(b, 0xfade, 4), 1, 4);
}

/* 3.2.2: what we do not know of an INIT ACK is reported beside the COOKIE ECHO, behind it. */
static void unknown_in_init_ack(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    pair_lost(&p->a, "INIT");
    inject_init_ack(p, &good_init, put_unknown);
    assert_non_null(strstr(pair_text(pair_first(&p->a)), "Unrecognized-Parameters"));
    pair_lost(&p->a, "COOKIE-ECHO+ERROR");
    pair_free(p);
}

/* ---- 3.3.5, 3.3.8 ---- */

static uint64_t nonce_of(const struct pair_packet *heartbeat)
{
    struct hws_tlv chunk = pair_chunk(heartbeat, 0);
    const uint8_t *info;
    uint32_t len;
    assert_true(hws_heartbeat_decode(&chunk, &info, &len));
    assert_true(len >= 12);
    return hws_get64(info + 4);
}

/* The HEARTBEAT of a to b's second address. */
static struct pair_packet *second_heartbeat(struct pair *p)
{
    for (;;) {
        struct pair_packet *packet = pair_take(&p->a);
        if (hws_addr_same(&packet->dst, &p->b.addrs[1])) {
            assert_string_equal(pair_chunks(packet), "HEARTBEAT");
            return packet;
        }
        free(packet);
    }
}

/* An address is confirmed by 64 random bits that only who is there can have seen. */
static void heartbeats_carry_a_nonce(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.addrs = 2});
    p->cut[1] = true;
    pair_connect(p);
    pair_wait(p, SECOND);
    struct pair_packet *first = second_heartbeat(p);
    while (!pair_wire_empty(p))
        free(pair_take(p->a.wire_head != NULL ? &p->a : &p->b));
    pair_wait(p, 3ull * SECOND);
    struct pair_packet *heartbeat = second_heartbeat(p);
    assert_int_not_equal(nonce_of(first), nonce_of(heartbeat));
    uint8_t *ack = heartbeat->data;
    hws_put16(ack, PAIR_PORT_B);
    hws_put16(ack + 2, PAIR_PORT_A);
    hws_put32(ack + 4, pair_status(&p->a).local_vtag);
    ack[HWS_PACKET_HEADER_LEN] = HWS_CHUNK_HEARTBEAT_ACK;
    for (uint32_t bit = 0; bit < 64; bit++) {
        uint8_t *byte = ack + HWS_PACKET_HEADER_LEN + 4 + 4 + 4 + bit / 8;
        *byte ^= (uint8_t)(1u << bit % 8);
        pair_inject_from(&p->a, &p->b.addrs[1], ack, heartbeat->len);
        assert_false(pair_path_to(&p->a, &p->b.addrs[1]).confirmed);
        *byte ^= (uint8_t)(1u << bit % 8);
    }
    pair_inject_from(&p->a, &p->b.addrs[1], ack, heartbeat->len);
    assert_true(pair_path_to(&p->a, &p->b.addrs[1]).confirmed);
    free(first);
    free(heartbeat);
    pair_free(p);
}

static void no_nagle(struct hws_params *a, struct hws_params *b)
{
    a->nodelay = b->nodelay = true;
}

/* What a SACK said has come stays so when a SHUTDOWN, which has no gap blocks, says less. */
static void shutdown_is_no_renege(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = no_nagle});
    pair_connect_and_talk(p);
    pair_send(&p->a, 0, 0, "lost", 4);
    pair_lost(&p->a, "DATA");
    pair_send(&p->a, 1, 0, "comes", 5);
    pair_arrives(&p->a, "DATA");
    pair_arrives(&p->b, "SACK");
    assert_int_equal(pair_status(&p->a).flight_bytes, 4);
    pair_shutdown(&p->b);
    pair_arrives(&p->b, "SHUTDOWN");
    assert_int_equal(pair_status(&p->a).flight_bytes, 4);
    pair_wait(p, 2ull * SECOND);
    assert_int_equal(pair_status(&p->a).retransmits, 1);
    pair_settle(p);
    pair_run(p, SECOND);
    pair_recv(&p->b, 1, "comes", 5);
    pair_recv(&p->b, 0, "lost", 4);
    pair_free(p);
}

/* 3.3.3: an INIT ACK whose tag is 0 ends the attempt; the ABORT can only reflect our own tag. */
static void init_ack_with_tag_zero(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct hws_init init = good_init;
    init.tag = 0;
    pair_begin(&p->a);
    uint32_t tag = pair_status(&p->a).local_vtag;
    pair_lost(&p->a, "INIT");
    inject_init_ack(p, &init, put_cookie);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    struct hws_tlv abort = pair_chunk(pair_first(&p->a), 0);
    assert_int_equal(hws_chunk_flags(&abort), HWS_FLAG_T);
    assert_int_equal(hws_get32(pair_first(&p->a)->data + 4), tag);
    pair_lost(&p->a, "ABORT");
    pair_free(p);
}

/* 3.3.3: unlike one without streams, an INIT ACK whose window is too small changes nothing. */
static void init_ack_with_small_window(void **state)
{
    (void)state;
    struct hws_init init = bad_init(0);
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    struct pair_packet *ours = pair_take(&p->a);
    inject_init_ack(p, &init, put_cookie);
    expect_abort(&p->a, "Invalid-Mandatory-Parameter");
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_COOKIE_WAIT);
    pair_inject(&p->b, ours->data, ours->len);
    pair_settle(p);
    expect_transfer(p);
    free(ours);
    pair_free(p);
}

/* 3.3.7: an ABORT whose causes do not add up is none. */
static void malformed_abort(void **state)
{
    (void)state;
    static const uint8_t causes[][8] = {{0, 12, 0, 99, 1, 2, 3, 4}, {0, 12, 0, 3, 1, 2, 3, 4}};
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    for (size_t i = 0; i < 2; i++) {
        uint8_t buf[100];
        struct hws_builder b;
        pair_forge(&p->b, &b, buf, sizeof buf);
        assert_true(hws_chunk_put(&b, HWS_CHUNK_ABORT, 0, causes[i], sizeof causes[i]));
        pair_inject(&p->b, buf, hws_builder_finish(&b));
        pair_silent(p);
    }
    assert_int_equal(pair_stats(&p->b)->drop_chunk_malformed, 2);
    expect_transfer(p);
    pair_free(p);
}

/* 3.3.2, 3.3.3: what INIT and INIT ACK promised stays; more may be set. */
static void the_receive_buffer_never_shrinks(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct hws_params params;
    pair_connect(p);
    assert_int_equal(hws_assoc_params(p->b.engine, p->b.assoc, &params), HWS_OK);
    uint32_t promised = params.rcvbuf_bytes;
    params.rcvbuf_bytes = promised / 2;
    (void)hws_assoc_set_params(p->b.engine, p->b.assoc, &params, p->now_us);
    assert_int_equal(hws_assoc_params(p->b.engine, p->b.assoc, &params), HWS_OK);
    assert_int_equal(params.rcvbuf_bytes, promised);
    pair_send(&p->a, 0, HWS_SEND_SACK_IMMEDIATELY, "x", 1);
    pair_settle(p);
    assert_int_equal(pair_status(&p->a).peer_rwnd, promised - 1);
    params.rcvbuf_bytes = 2 * promised;
    assert_int_equal(hws_assoc_set_params(p->b.engine, p->b.assoc, &params, p->now_us), HWS_OK);
    assert_int_equal(hws_assoc_params(p->b.engine, p->b.assoc, &params), HWS_OK);
    assert_int_equal(params.rcvbuf_bytes, 2 * promised);
    pair_free(p);
}

/* The engine's contract: time does not go back, whatever its driver says. */
static void earlier_time_counts_as_the_latest(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    uint64_t now_us = p->now_us;
    pair_send(&p->a, 0, 0, "one", 3);
    p->now_us = now_us / 4;
    pair_settle(p); /* sent, received and answered "before" it was given */
    p->now_us = now_us;
    assert_true(hws_engine_deadline(p->b.engine) > now_us);
    assert_in_range(pair_path(&p->a).srtt_us, 0, 1000);
    pair_run(p, 300000);
    struct hws_assoc_status status;
    assert_int_equal(hws_assoc_status(p->a.engine, p->a.assoc, &status), HWS_OK);
    assert_int_equal(status.unacked_bytes, 0);
    assert_int_equal(status.retransmits, 0);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_zero),
        cmocka_unit_test(chunks_are_whole_words),
        cmocka_unit_test(padding_is_ignored),
        cmocka_unit_test(unordered_ssn_is_ignored),
        cmocka_unit_test(fragments),
        cmocka_unit_test(tsns_are_consecutive),
        cmocka_unit_test(empty_messages_are_refused),
        cmocka_unit_test(our_init_and_init_ack),
        cmocka_unit_test(forbidden_parameters_are_refused),
        cmocka_unit_test(tags_and_tsns_are_drawn),
        cmocka_unit_test(no_tag_is_zero),
        cmocka_unit_test(flags_are_ignored),
        cmocka_unit_test(init_with_tag_zero_is_dropped),
        cmocka_unit_test(bad_inits_are_refused),
        cmocka_unit_test(init_ack_with_host_name),
        cmocka_unit_test(init_ack_without_streams),
        cmocka_unit_test(late_init_acks_are_dropped),
        cmocka_unit_test(a_long_cookie),
        cmocka_unit_test(unknown_in_init_ack),
        cmocka_unit_test(heartbeats_carry_a_nonce),
        cmocka_unit_test(shutdown_is_no_renege),
        cmocka_unit_test(init_ack_with_tag_zero),
        cmocka_unit_test(init_ack_with_small_window),
        cmocka_unit_test(malformed_abort),
        cmocka_unit_test(the_receive_buffer_never_shrinks),
        cmocka_unit_test(earlier_time_counts_as_the_latest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
