/* Stories of failing paths and peers, of packets out of the blue and of tags: RFC 9260, section 8.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/param.h"
#include "tests/pair.h"

#define SECOND 1000000u
#define STRANGE_TAG 0x12345678u

static bool has_chunk(const struct pair_packet *packet, const char *chunk)
{
    return strstr(pair_chunks(packet), chunk) != NULL;
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

/* Everything `end` has on the wire is lost; how many packets had that chunk. */
static uint32_t lose(struct pair_end *end, const char *chunk)
{
    uint32_t count = 0;
    while (end->wire_head != NULL) {
        struct pair_packet *packet = pair_take(end);
        count += has_chunk(packet, chunk);
        free(packet);
    }
    return count;
}

/* How many packets with that chunk `end` has on the wire to that address of its peer. */
static uint32_t on_the_wire(const struct pair_end *end, const char *chunk, uint32_t index)
{
    uint32_t count = 0;
    for (const struct pair_packet *q = end->wire_head; q != NULL; q = q->next)
        count += has_chunk(q, chunk) && hws_addr_same(&q->dst, &end->other->addrs[index]);
    return count;
}

/* ---- Error counters (8.1, 8.2) ---- */

static void three_errors(struct hws_params *a, struct hws_params *b)
{
    a->assoc_max_retrans = 3;
    a->path_max_retrans = 100;
    a->hb_interval_us = SECOND;
    b->hb_interval_us = 0;
}

static void five_errors(struct hws_params *a, struct hws_params *b)
{
    a->assoc_max_retrans = 5;
    a->path_max_retrans = 100;
    a->hb_interval_us = b->hb_interval_us = 0;
}

/* 8.1: retransmissions are counted over all the addresses of the peer. */
static void one_count_over_all_addresses(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = five_errors, .addrs = 2});
    pair_connect(p);
    pair_run(p, 5ull * SECOND);
    p->cut[0] = p->cut[1] = true;
    pair_send(&p->a, 0, 0, "hello?", 6);
    pair_run(p, 600ull * SECOND);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(p->a.reason, HWS_E_TIMEDOUT);
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_CLOSED);
    assert_in_range(pair_stats(&p->a)->timeouts_t3, 2, 6);
    assert_true(pair_path_to(&p->a, &p->b.addrs[0]).errors > 0);
    assert_true(pair_path_to(&p->a, &p->b.addrs[1]).errors > 0);
    pair_free(p);
}

/* 8.1: the limit concerns consecutive errors: acknowledged DATA begins the count anew. */
static void acknowledged_data_clears_the_count(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = three_errors});
    pair_connect_and_talk(p);
    for (unsigned round = 0; round < 10; round++) {
        (void)lose(&p->a, "");
        pair_send(&p->a, 0, HWS_SEND_SACK_IMMEDIATELY, "on", 2);
        struct pair_packet *data = pair_take(&p->a);
        uint64_t before = pair_stats(&p->a)->timeouts_t3;
        while (pair_stats(&p->a)->timeouts_t3 < before + 2)
            pair_next_timer(&p->a);
        (void)lose(&p->a, "");
        assert_true(pair_path(&p->a).errors >= 2);
        pair_inject(&p->b, data->data, data->len);
        pair_arrives(&p->b, "SACK");
        assert_int_equal(pair_path(&p->a).errors, 0);
        free(data);
    }
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    (void)lose(&p->a, "");
    pair_send(&p->a, 0, 0, "off", 3);
    pair_wait(p, 600ull * SECOND);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_free(p);
}

/* Moves on until a has a HEARTBEAT on the wire. */
static void until_heartbeat(struct pair *p)
{
    while (p->a.wire_head == NULL)
        pair_next_timer(&p->a);
}

/* 8.1, 8.3: so does a HEARTBEAT ACK. */
static void heartbeat_ack_clears_the_count(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = three_errors});
    pair_connect(p);
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 2; i++) {
            until_heartbeat(p);
            pair_lost(&p->a, "HEARTBEAT");
        }
        until_heartbeat(p);
        assert_int_equal(pair_path(&p->a).errors, 2);
        pair_arrives(&p->a, "HEARTBEAT");
        pair_arrives(&p->b, "HEARTBEAT-ACK");
        assert_int_equal(pair_path(&p->a).errors, 0);
    }
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_wait(p, 600ull * SECOND);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_free(p);
}

/* 8.2, 8.3: each address has its own count; one that fails is marked and told, probed on, and
 * marked and told again when it answers. */
static void addresses_fail_apart(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.addrs = 2});
    pair_connect(p);
    pair_run(p, 5ull * SECOND);
    assert_true(pair_path_to(&p->a, &p->b.addrs[1]).confirmed);
    p->cut[1] = true;
    (void)pair_saw(&p->a, HWS_EVENT_PATH_DOWN);
    pair_run(p, 900ull * SECOND);
    assert_true(pair_saw(&p->a, HWS_EVENT_PATH_DOWN));
    assert_false(pair_path_to(&p->a, &p->b.addrs[1]).active);
    assert_true(pair_path(&p->a).active);
    assert_int_equal(pair_path(&p->a).errors, 0);
    uint64_t probes = pair_stats(&p->a)->timeouts_heartbeat;
    pair_run(p, 600ull * SECOND);
    assert_in_range(pair_stats(&p->a)->timeouts_heartbeat, probes + 5, probes + 8);
    assert_int_equal(pair_path_to(&p->a, &p->b.addrs[1]).errors, 6); /* counted no further */
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    p->cut[1] = false;
    (void)pair_saw(&p->a, HWS_EVENT_PATH_UP);
    pair_run(p, 120ull * SECOND);
    assert_true(pair_saw(&p->a, HWS_EVENT_PATH_UP));
    assert_true(pair_path_to(&p->a, &p->b.addrs[1]).active);
    assert_int_equal(pair_path_to(&p->a, &p->b.addrs[1]).errors, 0);
    pair_free(p);
}

static void backup_fails(struct hws_params *a, struct hws_params *b)
{
    a->assoc_max_retrans = 2;
    a->path_max_retrans = 100;
    a->hb_interval_us = SECOND;
    b->hb_interval_us = 0;
}

/* 8.1: HEARTBEATs unanswered on an address that carries no data do not end the association. */
static void an_idle_address_ends_nothing(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = backup_fails, .addrs = 2});
    pair_connect(p);
    pair_run(p, 5ull * SECOND);
    assert_true(pair_path_to(&p->a, &p->b.addrs[1]).confirmed);
    struct hws_path_params params;
    assert_int_equal(hws_path_params(p->a.engine, p->a.assoc, 0, &params), HWS_OK);
    params.hb_interval_us = 0; /* so that nothing clears the association's count */
    assert_int_equal(hws_path_set_params(p->a.engine, p->a.assoc, 0, &params, p->now_us), HWS_OK);
    p->cut[1] = true;
    pair_run(p, 600ull * SECOND);
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_true(pair_path_to(&p->a, &p->b.addrs[1]).errors > 5);
    pair_free(p);
}

static void fails_at_once(struct hws_params *a, struct hws_params *b)
{
    (void)b;
    a->path_max_retrans = 0;
    a->nodelay = true;
}

/* Lets what a sent arrive unless it goes to the first address, counting DATA by address, and the
 * answers as well. */
static void pass_all_but_first(struct pair *p, uint32_t data_to[PAIR_ADDRS_MAX])
{
    for (unsigned turn = 0; turn < 100 && !pair_wire_empty(p); turn++) {
        for (uint32_t i = 0; i < PAIR_ADDRS_MAX; i++)
            data_to[i] += i < p->b.addr_count ? on_the_wire(&p->a, "DATA", i) : 0;
        while (p->a.wire_head != NULL) {
            struct pair_packet *q = pair_take(&p->a);
            if (!hws_addr_same(&q->dst, &p->b.addrs[0]))
                pair_inject_between(&p->b, &q->src, &q->dst, q->data, q->len);
            free(q);
        }
        while (p->b.wire_head != NULL) {
            struct pair_packet *q = pair_take(&p->b);
            pair_inject_between(&p->a, &q->src, &q->dst, q->data, q->len);
            free(q);
        }
    }
}

/* 8.2: of several addresses that are left, one carries the data. */
static void one_alternate_carries_the_data(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = fails_at_once, .addrs = 4});
    pair_connect(p);
    pair_run(p, 5ull * SECOND);
    uint32_t data_to[PAIR_ADDRS_MAX] = {0};
    for (unsigned i = 0; i < 100; i++) {
        pair_send(&p->a, 0, 0, "message", 7);
        pass_all_but_first(p, data_to);
        pair_wait(p, 100000);
    }
    assert_true(pair_saw(&p->a, HWS_EVENT_PATH_DOWN));
    assert_false(pair_path(&p->a).active);
    uint32_t used = 0;
    for (uint32_t i = 1; i < PAIR_ADDRS_MAX; i++)
        used += data_to[i] > 0;
    assert_int_equal(used, 1);
    assert_true(data_to[0] < 20);
    pair_drain(&p->b);
    pair_free(p);
}

/* ---- HEARTBEAT (8.3) ---- */

static void often(struct hws_params *a, struct hws_params *b)
{
    a->hb_interval_us = 5 * SECOND;
    b->hb_interval_us = 0;
    a->nodelay = true;
}

/* An address that carries data is not idle, the others are. */
static void only_idle_addresses_are_probed(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = often, .addrs = 3});
    pair_connect(p);
    pair_run(p, 5ull * SECOND);
    uint32_t heartbeats[3] = {0};
    for (unsigned i = 0; i < 400; i++) {
        pair_send(&p->a, 0, HWS_SEND_SACK_IMMEDIATELY, "busy", 4);
        for (uint32_t n = 0; n < 3; n++)
            heartbeats[n] += on_the_wire(&p->a, "HEARTBEAT", n);
        pair_settle(p);
        pair_wait(p, 100000);
    }
    assert_int_equal(heartbeats[0], 0);
    assert_in_range(heartbeats[1], 5, 8);
    assert_in_range(heartbeats[2], 5, 8);
    pair_drain(&p->b);
    pair_free(p);
}

/* When the timer expires one HEARTBEAT goes out, whatever other addresses are idle. */
static void one_heartbeat_at_a_time(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = often, .addrs = 4});
    pair_connect(p);
    pair_run(p, 5ull * SECOND);
    uint32_t heartbeats = 0;
    uint64_t end_us = p->now_us + 100ull * SECOND;
    while (p->now_us < end_us) {
        pair_next_timer(&p->a);
        uint32_t now = 0;
        for (uint32_t n = 0; n < 4; n++)
            now += on_the_wire(&p->a, "HEARTBEAT", n);
        assert_in_range(now, 0, 1);
        heartbeats += now;
        pair_settle(p);
    }
    assert_true(heartbeats > 20);
    pair_free(p);
}

/* The round trip of an idle path is measured by HEARTBEATs. */
static void heartbeat_measures_the_round_trip(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = often});
    pair_connect(p);
    assert_int_equal(pair_path(&p->a).srtt_us, 0);
    until_heartbeat(p);
    pair_wait(p, 100000);
    pair_arrives(&p->a, "HEARTBEAT");
    pair_wait(p, 200000);
    pair_arrives(&p->b, "HEARTBEAT-ACK");
    assert_int_equal(pair_path(&p->a).srtt_us, 300000);
    pair_free(p);
}

static bool holds(const uint8_t *bytes, uint32_t len, const void *part, uint32_t part_len)
{
    for (uint32_t i = 0; i + part_len <= len; i++)
        if (memcmp(bytes + i, part, part_len) == 0)
            return true;
    return false;
}

/* It says when it was sent, and where to. */
static void heartbeat_tells_time_and_address(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = often, .addrs = 2});
    pair_connect(p);
    until_heartbeat(p);
    for (unsigned i = 0; i < 10; i++) {
        struct pair_packet *packet = pair_take(&p->a);
        struct hws_tlv chunk = pair_chunk(packet, 0);
        uint8_t time[8];
        hws_put64(time, p->now_us);
        assert_int_equal(hws_chunk_type(&chunk), HWS_CHUNK_HEARTBEAT);
        assert_true(holds(chunk.bytes, chunk.len, time, 8));
        assert_true(holds(chunk.bytes, chunk.len, packet->dst.ip, 4));
        free(packet);
        until_heartbeat(p);
    }
    pair_free(p);
}

/* One that is not answered within an RTO is an error, the next one goes out, and so on. */
static void unanswered_after_an_rto(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = often});
    pair_connect(p);
    until_heartbeat(p);
    pair_lost(&p->a, "HEARTBEAT");
    pair_wait(p, SECOND - 1);
    assert_int_equal(pair_path(&p->a).errors, 0);
    pair_wait(p, 1);
    assert_int_equal(pair_path(&p->a).errors, 1);
    assert_int_equal(pair_path(&p->a).rto_us, 2 * SECOND);
    pair_free(p);
}

/* `end` answers a HEARTBEAT at once, with what it carried. */
static void expect_heartbeat_ack(struct pair_end *end)
{
    static const uint8_t info[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    uint8_t buf[100];
    struct hws_builder b;
    pair_forge(end, &b, buf, sizeof buf);
    assert_true(hws_heartbeat_encode(&b, HWS_CHUNK_HEARTBEAT, info, sizeof info));
    enum hws_assoc_state before = pair_status(end).state;
    (void)lose(end, "");
    pair_inject(end, buf, hws_builder_finish(&b));
    assert_int_equal(pair_status(end).state, before);
    struct pair_packet *answer = pair_take(end);
    assert_string_equal(pair_chunks(answer), "HEARTBEAT-ACK");
    struct hws_tlv chunk = pair_chunk(answer, 0);
    assert_int_equal(chunk.len, 4 + 4 + sizeof info);
    assert_memory_equal(chunk.bytes + 8, info, sizeof info);
    free(answer);
}

/* However long it is and whatever stands behind the Heartbeat Info: all of it comes back. Of two
 * in one packet each is answered. */
static void heartbeats_come_back_whole(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    uint8_t info[1100], buf[1480];
    memset(info, 0x77, sizeof info);
    struct hws_builder b;
    pair_forge(&p->b, &b, buf, sizeof buf);
    for (uint8_t i = 0; i < 2; i++) {
        assert_true(hws_builder_open(&b, HWS_CHUNK_HEARTBEAT, 0));
        uint32_t info_len = i == 0 ? sizeof info : 20;
        memcpy(hws_builder_tlv(&b, HWS_PARAM_HEARTBEAT_INFO, info_len), info, info_len);
        memset(hws_builder_tlv(&b, 0x8123, 12), i, 12);
        assert_true(hws_builder_close(&b));
    }
    uint32_t len = hws_builder_finish(&b);
    pair_inject(&p->b, buf, len);
    struct pair_packet *answer = pair_take(&p->b);
    assert_string_equal(pair_chunks(answer), "HEARTBEAT-ACK+HEARTBEAT-ACK");
    assert_int_equal(answer->len, len);
    for (uint32_t i = 0; i < 2; i++) {
        struct hws_tlv_iter it = hws_packet_chunks(buf, len);
        struct hws_tlv asked = {0}, answered = pair_chunk(answer, i);
        for (uint32_t k = 0; k <= i; k++)
            assert_true(hws_tlv_next(&it, &asked));
        assert_int_equal(answered.len, asked.len);
        assert_memory_equal(answered.bytes + 4, asked.bytes + 4, asked.len - 4u);
    }
    free(answer);
    pair_free(p);
}

/* From COOKIE-ECHOED, or ESTABLISHED on the other side, until SHUTDOWN or SHUTDOWN ACK is sent. */
static void heartbeat_is_answered_in_these_states(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT-ACK");
    struct pair_packet *echo = pair_take(&p->a);
    expect_heartbeat_ack(&p->a);
    pair_inject(&p->b, echo->data, echo->len);
    free(echo);
    struct pair_packet *cookie_ack = pair_take(&p->b);
    expect_heartbeat_ack(&p->b);
    pair_inject(&p->a, cookie_ack->data, cookie_ack->len);
    free(cookie_ack);
    expect_heartbeat_ack(&p->a);
    pair_send(&p->a, 0, 0, "pending", 7);
    pair_shutdown(&p->a);
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_SHUTDOWN_PENDING);
    expect_heartbeat_ack(&p->a);
    pair_shutdown(&p->b);
    pair_arrives(&p->b, "SHUTDOWN");
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_SHUTDOWN_RECEIVED);
    expect_heartbeat_ack(&p->a);
    pair_free(p);
}

/* Once SHUTDOWN or SHUTDOWN ACK has been sent, no HEARTBEAT goes out any more. */
static void no_heartbeats_after_shutdown(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.addrs = 2});
    pair_connect(p);
    pair_run(p, 5ull * SECOND);
    pair_shutdown(&p->a);
    pair_arrives(&p->a, "SHUTDOWN");
    pair_lost(&p->b, "SHUTDOWN-ACK");
    pair_wait(p, 250ull * SECOND);
    assert_int_equal(lose(&p->a, "HEARTBEAT") + lose(&p->b, "HEARTBEAT"), 0);
    pair_free(p);
}

/* ---- Out of the blue (8.4) ---- */

static struct pair_packet *answer_of_b(struct pair *p, const struct hws_addr *src,
                                       struct hws_builder *b)
{
    uint8_t *packet = b->start;
    pair_inject_from(&p->b, src, packet, hws_builder_finish(b));
    struct pair_packet *answer = p->b.wire_head != NULL ? pair_take(&p->b) : NULL;
    assert_null(p->b.wire_head);
    return answer;
}

static const struct hws_addr groups[] = {
    {.family = HWS_FAMILY_IPV4, .ip = {224, 0, 0, 1}},
    {.family = HWS_FAMILY_IPV4, .ip = {255, 255, 255, 255}},
    {.family = HWS_FAMILY_IPV4, .ip = {0, 0, 0, 0}},
    {.family = HWS_FAMILY_IPV6, .ip = {0xff, 2, [15] = 1}},
    {.family = HWS_FAMILY_IPV6, .ip = {0}},
};

static bool put_plain_init(struct hws_builder *b)
{
    const struct hws_init init = {
        .tag = 77, .a_rwnd = 5000, .ostreams = 1, .max_instreams = 1, .tsn = 5};
    return hws_init_open(b, HWS_CHUNK_INIT, &init) && hws_builder_close(b);
}

/* Rule 1: from or to such an address nothing is answered, an INIT neither. */
static void ootb_of_a_group_is_silent(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.own_host = true});
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        for (unsigned init = 0; init < 2; init++) {
            uint8_t buf[100];
            struct hws_builder b;
            hws_builder_init(&b, buf, sizeof buf, 4444, PAIR_PORT_B, init ? 0 : STRANGE_TAG);
            assert_true(init ? put_plain_init(&b) : hws_chunk_put(&b, 0x3d, 0, NULL, 0));
            uint32_t len = hws_builder_finish(&b);
            pair_inject_from(&p->b, &groups[i], buf, len);
            pair_inject_between(&p->b, &p->a.addr, &groups[i], buf, len);
            pair_silent(p);
            pair_inject(&p->b, buf, len);
            pair_lost(&p->b, init ? "INIT-ACK" : "ABORT");
        }
    }
    pair_free(p);
}

/* Rule 2: wherever in the packet the ABORT is. */
static void ootb_with_an_abort_is_silent(void **state)
{
    (void)state;
    static const uint8_t before[] = {HWS_CHUNK_HEARTBEAT, HWS_CHUNK_SHUTDOWN_ACK, 0xfd};
    struct pair *p = pair_new(NULL);
    for (size_t i = 0; i < sizeof before; i++) {
        uint8_t buf[100];
        struct hws_builder b;
        hws_builder_init(&b, buf, sizeof buf, 4444, PAIR_PORT_B, STRANGE_TAG);
        assert_true(hws_chunk_put(&b, before[i], 0, NULL, 0));
        assert_true(hws_chunk_put(&b, HWS_CHUNK_ABORT, 0, NULL, 0));
        assert_null(answer_of_b(p, &p->a.addr, &b));
    }
    pair_free(p);
}

/* An INIT of a's has been answered: its COOKIE ECHO, with an ABORT behind it. */
static uint32_t cookie_echo_and_abort(struct pair *p, uint8_t *buf, uint32_t cap)
{
    pair_begin(&p->a);
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT-ACK");
    struct pair_packet *echo = pair_take(&p->a);
    struct hws_tlv chunk = pair_chunk(echo, 0);
    struct hws_builder b;
    hws_builder_init(&b, buf, cap, PAIR_PORT_A, PAIR_PORT_B, tag_of(echo));
    assert_true(hws_chunk_put(&b, HWS_CHUNK_COOKIE_ECHO, 0, hws_chunk_value(&chunk),
                              hws_chunk_value_len(&chunk)));
    assert_true(hws_chunk_put(&b, HWS_CHUNK_ABORT, 0, NULL, 0));
    free(echo);
    return hws_builder_finish(&b);
}

/* Rule 2 comes before rule 4, and before the Stale Cookie error of 5.2.6. */
static void cookie_echo_with_an_abort_is_silent(void **state)
{
    (void)state;
    for (unsigned stale = 0; stale < 2; stale++) {
        struct pair *p = pair_new(NULL);
        uint8_t buf[800];
        uint32_t len = cookie_echo_and_abort(p, buf, sizeof buf);
        p->now_us += stale ? 100ull * SECOND : 0;
        pair_inject(&p->b, buf, len);
        assert_null(p->b.wire_head);
        assert_int_equal(hws_engine_assoc_count(p->b.engine), 0);
        assert_false(pair_saw(&p->b, HWS_EVENT_UP));
        pair_free(p);
    }
}

/* Rule 5: wherever in the packet the SHUTDOWN ACK is, and before rules 6 and 7. */
static void ootb_shutdown_ack_anywhere(void **state)
{
    (void)state;
    static const uint8_t beside[] = {HWS_CHUNK_HEARTBEAT, HWS_CHUNK_COOKIE_ACK, 0xfd};
    struct pair *p = pair_new(NULL);
    for (size_t i = 0; i < 2 * sizeof beside; i++) {
        uint8_t buf[100];
        struct hws_builder b;
        hws_builder_init(&b, buf, sizeof buf, 4444, PAIR_PORT_B, STRANGE_TAG);
        uint8_t other = beside[i / 2];
        assert_true(hws_chunk_put(&b, i % 2 ? HWS_CHUNK_SHUTDOWN_ACK : other, 0, NULL, 0));
        assert_true(hws_chunk_put(&b, i % 2 ? other : HWS_CHUNK_SHUTDOWN_ACK, 0, NULL, 0));
        struct pair_packet *answer = answer_of_b(p, &p->a.addr, &b);
        assert_non_null(answer);
        assert_string_equal(pair_chunks(answer), "SHUTDOWN-COMPLETE");
        assert_int_equal(tag_of(answer), STRANGE_TAG);
        assert_int_equal(flags_of(answer), HWS_FLAG_T);
        free(answer);
    }
    pair_free(p);
}

/* Rule 3: an INIT nobody can take is answered to its Initiate Tag, not reflected. */
static void refused_init(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    assert_int_equal(hws_endpoint_listen(p->b.engine, p->b.endpoint, false), HWS_OK);
    pair_begin(&p->a);
    uint32_t tag = pair_status(&p->a).local_vtag;
    pair_arrives(&p->a, "INIT");
    assert_string_equal(pair_chunks(pair_first(&p->b)), "ABORT");
    assert_int_equal(tag_of(pair_first(&p->b)), tag);
    assert_int_equal(flags_of(pair_first(&p->b)), 0);
    pair_arrives(&p->b, "ABORT");
    pair_silent(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_free(p);
}

/* So is one that says what it must not. */
static void wrong_init(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    const struct hws_init init = {.tag = 77, .a_rwnd = 5000, .max_instreams = 1, .tsn = 5};
    uint8_t buf[100];
    struct hws_builder b;
    hws_builder_init(&b, buf, sizeof buf, 4444, PAIR_PORT_B, 0);
    assert_true(hws_init_open(&b, HWS_CHUNK_INIT, &init) && hws_builder_close(&b));
    struct pair_packet *answer = answer_of_b(p, &p->a.addr, &b);
    assert_string_equal(pair_chunks(answer), "ABORT");
    assert_int_equal(tag_of(answer), 77);
    assert_int_equal(flags_of(answer), 0);
    free(answer);
    pair_free(p);
}

/* Rule 8: the ABORT is all that happens. */
static void nothing_follows_an_ootb_abort(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    size_t objects = p->b.env.live_objects;
    uint8_t buf[200];
    struct hws_builder b;
    hws_builder_init(&b, buf, sizeof buf, 4444, PAIR_PORT_B, STRANGE_TAG);
    const struct hws_data data = {.tsn = 1, .flags = HWS_DATA_B | HWS_DATA_E, .payload_len = 4};
    for (unsigned i = 0; i < 5; i++)
        assert_non_null(hws_data_encode(&b, &data));
    struct pair_packet *answer = answer_of_b(p, &p->a.addr, &b);
    assert_string_equal(pair_chunks(answer), "ABORT");
    assert_int_equal(tag_of(answer), STRANGE_TAG);
    assert_int_equal(flags_of(answer), HWS_FLAG_T);
    assert_int_equal(answer->len, HWS_PACKET_HEADER_LEN + 4);
    free(answer);
    assert_int_equal(p->b.env.live_objects, objects);
    assert_int_equal(hws_engine_deadline(p->b.engine), UINT64_MAX);
    assert_int_equal(p->b.events, 0);
    pair_free(p);
}

/* ---- Tags (8.5) ---- */

/* Chunks of every type with a tag that is nobody's, or 0: the association does not notice, and
 * says nothing. */
static void wrong_tags_are_silent(void **state)
{
    (void)state;
    static const uint8_t value[16] = {0};
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    const uint32_t tags[] = {STRANGE_TAG, 0, pair_status(&p->b).local_vtag ^ 1,
                             pair_status(&p->b).remote_vtag};
    uint64_t drops = 0;
    p->b.events = 0;
    for (size_t t = 0; t < 4; t++) {
        for (uint32_t type = 0; type < 256; type++) {
            bool reflected_end = type == HWS_CHUNK_ABORT || type == HWS_CHUNK_SHUTDOWN_COMPLETE;
            bool init = type == HWS_CHUNK_INIT && tags[t] == 0;
            for (uint8_t flags = 0; flags < 2; flags++) {
                if (init || (reflected_end && flags == HWS_FLAG_T && t == 3))
                    continue; /* 8.5.1 */
                uint8_t buf[100];
                struct hws_builder b;
                hws_builder_init(&b, buf, sizeof buf, PAIR_PORT_A, PAIR_PORT_B, tags[t]);
                assert_true(hws_chunk_put(&b, (uint8_t)type, flags, value, sizeof value));
                pair_inject(&p->b, buf, hws_builder_finish(&b));
                pair_silent(p);
                drops++;
            }
        }
    }
    assert_int_equal(pair_stats(&p->b)->drop_vtag + pair_stats(&p->b)->drop_cookie_mac, drops);
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_ESTABLISHED);
    assert_int_equal(p->b.events, 0);
    pair_send(&p->a, 0, 0, "fine", 4);
    pair_settle(p);
    pair_recv(&p->b, 0, "fine", 4);
    pair_free(p);
}

/* 8.5.1 A: tag 0 is for a lone INIT; anything else with it is dropped in silence. */
static void tag_zero_is_silent(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.own_host = true});
    for (uint32_t type = 0; type < 256; type++) {
        uint8_t buf[100];
        static const uint8_t value[16] = {0};
        struct hws_builder b;
        hws_builder_init(&b, buf, sizeof buf, 4444, PAIR_PORT_B, 0);
        assert_true(type == HWS_CHUNK_INIT ||
                    hws_chunk_put(&b, (uint8_t)type, 0, value, sizeof value));
        assert_true(put_plain_init(&b));
        if (type == HWS_CHUNK_INIT)
            assert_true(hws_chunk_put(&b, HWS_CHUNK_COOKIE_ACK, 0, NULL, 0));
        assert_null(answer_of_b(p, &p->a.addr, &b));
        hws_builder_init(&b, buf, sizeof buf, 4444, PAIR_PORT_B, 0);
        assert_true(hws_chunk_put(&b, (uint8_t)type, 0, value, sizeof value));
        if (type != HWS_CHUNK_INIT)
            assert_null(answer_of_b(p, &p->a.addr, &b));
    }
    assert_int_equal(hws_engine_assoc_count(p->b.engine), 0);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_count_over_all_addresses),
        cmocka_unit_test(acknowledged_data_clears_the_count),
        cmocka_unit_test(heartbeat_ack_clears_the_count),
        cmocka_unit_test(addresses_fail_apart),
        cmocka_unit_test(an_idle_address_ends_nothing),
        cmocka_unit_test(one_alternate_carries_the_data),
        cmocka_unit_test(only_idle_addresses_are_probed),
        cmocka_unit_test(one_heartbeat_at_a_time),
        cmocka_unit_test(heartbeat_measures_the_round_trip),
        cmocka_unit_test(heartbeat_tells_time_and_address),
        cmocka_unit_test(unanswered_after_an_rto),
        cmocka_unit_test(heartbeats_come_back_whole),
        cmocka_unit_test(heartbeat_is_answered_in_these_states),
        cmocka_unit_test(no_heartbeats_after_shutdown),
        cmocka_unit_test(ootb_of_a_group_is_silent),
        cmocka_unit_test(ootb_with_an_abort_is_silent),
        cmocka_unit_test(cookie_echo_with_an_abort_is_silent),
        cmocka_unit_test(ootb_shutdown_ack_anywhere),
        cmocka_unit_test(refused_init),
        cmocka_unit_test(wrong_init),
        cmocka_unit_test(nothing_follows_an_ootb_abort),
        cmocka_unit_test(wrong_tags_are_silent),
        cmocka_unit_test(tag_zero_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
