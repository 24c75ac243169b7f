/* Stories of packets nobody should have sent: RFC 9260, sections 3.2, 8.4, 8.5 and 6.5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/cause.h"
#include "proto/crc32c.h"
#include "tests/pair.h"

#define SECOND 1000000u
#define STRANGE_TAG 0x12345678u

/* A packet out of the blue to b with one chunk; what b answers, NULL: nothing. */
static struct pair_packet *out_of_the_blue(struct pair *p, uint16_t dst_port, uint8_t type,
                                           const void *value, uint32_t value_len)
{
    uint8_t buf[200];
    struct hws_builder b;
    hws_builder_init(&b, buf, sizeof buf, 4444, dst_port, STRANGE_TAG);
    assert_true(hws_chunk_put(&b, type, 0, value, value_len));
    pair_inject(&p->b, buf, hws_builder_finish(&b));
    return p->b.wire_head != NULL ? pair_take(&p->b) : NULL;
}

static void expect_reflected(struct pair_packet *answer, const char *chunks)
{
    assert_non_null(answer);
    assert_string_equal(pair_chunks(answer), chunks);
    struct hws_tlv chunk = pair_chunk(answer, 0);
    assert_int_equal(hws_chunk_flags(&chunk) & HWS_FLAG_T, HWS_FLAG_T);
    assert_int_equal(hws_get32(answer->data + 4), STRANGE_TAG);
    free(answer);
}

static const uint8_t data_value[13] = {0, 0, 0, 1};

/* 8.4, 8: what is not excepted is answered with ABORT, the tag reflected. */
static void ootb_data_is_aborted(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    expect_reflected(out_of_the_blue(p, PAIR_PORT_B, HWS_CHUNK_DATA, data_value, sizeof data_value),
                     "ABORT");
    assert_int_equal(pair_stats(&p->b)->ootb_in, 1);
    assert_int_equal(pair_stats(&p->b)->ootb_replies, 1);
    pair_free(p);
}

/* 8.4, 2: never answer an ABORT. */
static void ootb_abort_is_silent(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    assert_null(out_of_the_blue(p, PAIR_PORT_B, HWS_CHUNK_ABORT, NULL, 0));
    assert_int_equal(pair_stats(&p->b)->ootb_in, 1);
    pair_free(p);
}

/* 8.4, 5 */
static void ootb_shutdown_ack_is_completed(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    expect_reflected(out_of_the_blue(p, PAIR_PORT_B, HWS_CHUNK_SHUTDOWN_ACK, NULL, 0),
                     "SHUTDOWN-COMPLETE");
    pair_free(p);
}

/* 8.4, 6 and 7 */
static void ootb_ends_are_silent(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    const uint8_t stale[8] = {0, HWS_CAUSE_STALE_COOKIE, 0, 8, 0, 0, 0, 1};
    assert_null(out_of_the_blue(p, PAIR_PORT_B, HWS_CHUNK_SHUTDOWN_COMPLETE, NULL, 0));
    assert_null(out_of_the_blue(p, PAIR_PORT_B, HWS_CHUNK_COOKIE_ACK, NULL, 0));
    assert_null(out_of_the_blue(p, PAIR_PORT_B, HWS_CHUNK_ERROR, stale, sizeof stale));
    assert_int_equal(pair_stats(&p->b)->ootb_in, 3);
    pair_free(p);
}

/* Another stack of this host may own a port that is not ours. */
static void a_port_that_is_not_ours(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    assert_null(out_of_the_blue(p, 9, HWS_CHUNK_DATA, data_value, sizeof data_value));
    assert_int_equal(pair_stats(&p->b)->drop_port, 1);
    pair_free(p);
    p = pair_new(&(struct pair_options){.own_host = true});
    expect_reflected(out_of_the_blue(p, 9, HWS_CHUNK_DATA, data_value, sizeof data_value), "ABORT");
    pair_free(p);
}

/* Answers out of the blue have a limit per second, and no more. */
static void ootb_is_rate_limited(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    uint32_t answers = 0;
    for (uint32_t i = 0; i < 5000; i++) {
        struct pair_packet *answer =
            out_of_the_blue(p, PAIR_PORT_B, HWS_CHUNK_DATA, data_value, sizeof data_value);
        answers += answer != NULL;
        free(answer);
    }
    assert_in_range(answers, 500, 1500);
    assert_int_equal(pair_stats(&p->b)->ootb_suppressed, 5000 - answers);
    pair_wait(p, 2ull * SECOND);
    expect_reflected(out_of_the_blue(p, PAIR_PORT_B, HWS_CHUNK_DATA, data_value, sizeof data_value),
                     "ABORT");
    pair_free(p);
}

/* One chunk of every type with a wrong tag to an association: nothing happens to it (8.5). */
static void wrong_tag(void **state)
{
    (void)state;
    static const uint8_t value[16] = {0};
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    for (uint32_t type = 0; type < 256; type++) {
        for (uint8_t flags = 0; flags < 2; flags++) {
            uint8_t buf[100];
            struct hws_builder b;
            hws_builder_init(&b, buf, sizeof buf, PAIR_PORT_A, PAIR_PORT_B, STRANGE_TAG);
            assert_true(hws_chunk_put(&b, (uint8_t)type, flags, value, sizeof value));
            pair_inject(&p->b, buf, hws_builder_finish(&b));
            assert_int_equal(pair_status(&p->b).state, HWS_STATE_ESTABLISHED);
            while (p->b.wire_head != NULL)
                free(pair_take(&p->b));
        }
    }
    pair_send(&p->a, 0, 0, "fine", 4);
    pair_settle(p);
    pair_recv(&p->b, 0, "fine", 4);
    pair_free(p);
}

/* 8.5.1, B and C: with the T bit, ABORT and SHUTDOWN COMPLETE carry the sender's own view of the
 * tag; without it they must not pass with the peer's. */
static void abort_and_the_t_bit(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    uint32_t ours = pair_status(&p->b).local_vtag, peers = pair_status(&p->b).remote_vtag;
    const struct {
        uint32_t tag;
        uint8_t flags;
    } wrong[] = {{peers, 0}, {ours, HWS_FLAG_T}};
    uint8_t buf[100];
    struct hws_builder b;
    for (size_t i = 0; i < 2; i++) {
        hws_builder_init(&b, buf, sizeof buf, PAIR_PORT_A, PAIR_PORT_B, wrong[i].tag);
        assert_true(hws_chunk_put(&b, HWS_CHUNK_ABORT, wrong[i].flags, NULL, 0));
        pair_inject(&p->b, buf, hws_builder_finish(&b));
        assert_int_equal(pair_status(&p->b).state, HWS_STATE_ESTABLISHED);
    }
    hws_builder_init(&b, buf, sizeof buf, PAIR_PORT_A, PAIR_PORT_B, peers);
    assert_true(hws_chunk_put(&b, HWS_CHUNK_ABORT, HWS_FLAG_T, NULL, 0));
    pair_inject(&p->b, buf, hws_builder_finish(&b));
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    pair_free(p);
}

/* 3.2: the two highest bits of an unknown type say whether to go on and whether to report. */
static void unknown_chunk(uint8_t type, bool goes_on, bool reports)
{
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    pair_send(&p->a, 0, 0, "after", 5);
    struct pair_packet *data = pair_take(&p->a);
    uint8_t buf[200];
    struct hws_builder b;
    pair_forge(&p->b, &b, buf, sizeof buf);
    assert_true(hws_chunk_put(&b, type, 0, "what?", 5));
    memcpy(buf + b.len, data->data + HWS_PACKET_HEADER_LEN, data->len - HWS_PACKET_HEADER_LEN);
    b.len += data->len - HWS_PACKET_HEADER_LEN;
    pair_inject(&p->b, buf, hws_builder_finish(&b));
    if (goes_on)
        pair_recv(&p->b, 0, "after", 5);
    else
        pair_recv_nothing(&p->b);
    if (reports) {
        struct pair_packet *answer = pair_take(&p->b);
        assert_non_null(strstr(pair_chunks(answer), "ERROR"));
        assert_non_null(strstr(pair_text(answer), "Unrecognized-Chunk-Type"));
        free(answer);
    } else {
        pair_silent(p);
    }
    assert_int_equal(pair_stats(&p->b)->drop_chunk_unknown, 1);
    free(data);
    pair_free(p);
}

static void unknown_chunks(void **state)
{
    (void)state;
    unknown_chunk(0x3d, false, false);
    unknown_chunk(0x7d, false, true);
    unknown_chunk(0xbd, true, false);
    unknown_chunk(0xfd, true, true);
}

/* 6.5: a stream that was not agreed on is reported, the TSN counts as received. */
static void invalid_stream(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send(&p->a, 0, 0, "x", 1);
    struct pair_packet *packet = pair_take(&p->a);
    hws_put16(packet->data + HWS_PACKET_HEADER_LEN + 8, 60000);
    pair_inject(&p->b, packet->data, packet->len);
    pair_recv_nothing(&p->b);
    assert_int_equal(pair_stats(&p->b)->drop_data_invalid, 1);
    assert_non_null(strstr(pair_text(pair_first(&p->b)), "Invalid-Stream-Identifier"));
    pair_run(p, SECOND);
    assert_true(pair_saw(&p->a, HWS_EVENT_REMOTE_ERROR));
    assert_int_equal(p->a.cause, HWS_CAUSE_INVALID_STREAM);
    assert_int_equal(pair_status(&p->a).unacked_bytes, 0);
    free(packet);
    pair_free(p);
}

/* 6.2, 3.3.10.9: DATA without user data ends the association. */
static void no_user_data(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    uint8_t buf[100];
    struct hws_builder b;
    pair_forge(&p->b, &b, buf, sizeof buf);
    struct hws_data data = {.tsn = 1, .flags = HWS_DATA_B | HWS_DATA_E};
    assert_non_null(hws_data_encode(&b, &data));
    pair_inject(&p->b, buf, hws_builder_finish(&b));
    assert_string_equal(pair_chunks(pair_first(&p->b)), "ABORT");
    assert_non_null(strstr(pair_text(pair_first(&p->b)), "No-User-Data"));
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    pair_free(p);
}

/* Every bit of a packet turned over, one at a time: the checksum sees it. */
static void corrupted(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send(&p->a, 0, 0, "precious", 8);
    struct pair_packet *packet = pair_take(&p->a);
    uint64_t refused = 0;
    for (uint32_t bit = 0; bit < 8 * packet->len; bit++) {
        packet->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct hws_packet_in in = {.data = packet->data,
                                   .len = packet->len,
                                   .truesize = packet->len,
                                   .src = p->a.addr,
                                   .dst = p->b.addr};
        hws_engine_input(p->b.engine, &in, 1, p->now_us);
        packet->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        refused++;
        pair_silent(p);
        pair_recv_nothing(&p->b);
    }
    assert_int_equal(pair_stats(&p->b)->drop_checksum + pair_stats(&p->b)->drop_port, refused);
    pair_inject(&p->b, packet->data, packet->len);
    pair_recv(&p->b, 0, "precious", 8);
    free(packet);
    pair_free(p);
}

/* A packet cut anywhere, its checksum made right: an unfinished chunk is never taken. */
static void truncated(void **state)
{
    (void)state;
    for (uint32_t len = 0; len < 12 + 16 + 8; len++) {
        struct pair *p = pair_new(NULL);
        pair_connect(p);
        pair_send(&p->a, 0, 0, "precious", 8);
        struct pair_packet *packet = pair_take(&p->a);
        pair_inject(&p->b, packet->data, len);
        pair_recv_nothing(&p->b);
        free(packet);
        pair_free(p);
    }
}

/* Every packet of a whole life sent again, to either side, while it lasts and after. */
static void replayed(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct pair_packet *kept[64];
    uint32_t count = 0;
    pair_begin(&p->a);
    pair_send_pattern(&p->a, 0, 0, 3, 5000);
    for (int turn = 0; turn < 30; turn++) {
        struct pair_end *end = turn % 2 == 0 ? &p->a : &p->b;
        while (end->wire_head != NULL && count < 64) {
            kept[count] = pair_take(end);
            pair_inject(end->other, kept[count]->data, kept[count]->len);
            count++;
        }
        pair_wait(p, 100000);
    }
    pair_recv_pattern(&p->b, 0, 3, 5000);
    for (uint32_t i = 0; i < count; i++) {
        struct pair_end *to = kept[i]->dst.ip[3] == p->b.addr.ip[3] ? &p->b : &p->a;
        pair_inject(to, kept[i]->data, kept[i]->len);
        pair_settle(p);
    }
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_ESTABLISHED);
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_ESTABLISHED);
    assert_int_equal(hws_engine_assoc_count(p->a.engine), 1);
    assert_int_equal(hws_engine_assoc_count(p->b.engine), 1);
    pair_recv_nothing(&p->b);
    pair_send(&p->a, 0, 0, "next", 4);
    pair_settle(p);
    pair_recv(&p->b, 0, "next", 4);
    for (uint32_t i = 0; i < count; i++)
        free(kept[i]);
    pair_free(p);
}

/* A DATA chunk far beyond the window (16-bit gap offsets) is not taken (6.2). */
static void tsn_far_away(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send(&p->a, 0, 0, "x", 1);
    struct pair_packet *packet = pair_take(&p->a);
    uint8_t *tsn = packet->data + HWS_PACKET_HEADER_LEN + 4;
    uint32_t first = hws_get32(tsn);
    static const uint32_t away[] = {65536, 70000, 1u << 20, 0x7fffffff, 0x80000000, 0xffff0000};
    for (size_t i = 0; i < sizeof away / sizeof away[0]; i++) {
        hws_put32(tsn, first + away[i]);
        pair_inject(&p->b, packet->data, packet->len);
    }
    pair_recv_nothing(&p->b);
    hws_put32(tsn, first);
    pair_inject(&p->b, packet->data, packet->len);
    pair_recv(&p->b, 0, "x", 1);
    pair_recv_nothing(&p->b);
    free(packet);
    pair_free(p);
}

/* 3.3.5: a HEARTBEAT comes back as it was; one longer than we keep room for does not. */
static void heartbeat_is_echoed(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    uint8_t buf[200], info[64];
    memset(info, 0x77, sizeof info);
    struct hws_builder b;
    pair_forge(&p->b, &b, buf, sizeof buf);
    assert_true(hws_heartbeat_encode(&b, HWS_CHUNK_HEARTBEAT, info, sizeof info));
    uint32_t len = hws_builder_finish(&b);
    pair_inject(&p->b, buf, len);
    struct pair_packet *answer = pair_take(&p->b);
    assert_string_equal(pair_chunks(answer), "HEARTBEAT-ACK");
    assert_int_equal(answer->len, len);
    assert_memory_equal(answer->data + HWS_PACKET_HEADER_LEN + 4, buf + HWS_PACKET_HEADER_LEN + 4,
                        len - HWS_PACKET_HEADER_LEN - 4);
    free(answer);
    pair_free(p);
}

static void tiny_receive_buffer(struct hws_params *a, struct hws_params *b)
{
    (void)a;
    b->rcvbuf_bytes = 20000;
}

/* A peer that knows the tag, sends one chunk far ahead and then fills up to it, each time the TSN
 * that is due, cannot make us hold more than we said. */
static void window_is_flooded(uint16_t first_ssn, uint8_t flags)
{
    struct pair *p = pair_new(&(struct pair_options){.params = tiny_receive_buffer});
    pair_connect(p);
    pair_send(&p->a, 0, 0, "x", 1);
    struct hws_tlv chunk = pair_chunk(pair_first(&p->a), 0);
    uint32_t tsn = hws_get32(chunk.bytes + 4);
    uint32_t charged_max = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        uint8_t buf[1500];
        struct hws_builder b;
        pair_forge(&p->b, &b, buf, 1480);
        struct hws_data data = {.tsn = i == 0 ? tsn + 5000 : tsn + i - 1,
                                .ssn = (uint16_t)(first_ssn + i - 1),
                                .flags = i == 1 ? flags | HWS_DATA_B : flags,
                                .payload_len = i == 0 ? 1 : 1400};
        uint8_t *payload = hws_data_encode(&b, &data);
        assert_non_null(payload);
        memset(payload, 0x66, data.payload_len);
        pair_inject(&p->b, buf, hws_builder_finish(&b));
        struct hws_assoc_status status;
        if (hws_assoc_status(p->b.engine, p->b.assoc, &status) != HWS_OK ||
            status.state != HWS_STATE_ESTABLISHED)
            break;
        charged_max = status.charged_bytes > charged_max ? status.charged_bytes : charged_max;
        while (p->b.wire_head != NULL)
            free(pair_take(&p->b));
    }
    assert_in_range(charged_max, 0, 2 * 20000 + 3000);
    pair_free(p);
}

static void window_is_flooded_with_messages(void **state)
{
    (void)state;
    window_is_flooded(0, HWS_DATA_B | HWS_DATA_E);
}

/* The message whose turn it is never comes. */
static void window_is_flooded_in_vain(void **state)
{
    (void)state;
    window_is_flooded(7, HWS_DATA_B | HWS_DATA_E);
}

static void window_is_flooded_unordered(void **state)
{
    (void)state;
    window_is_flooded(0, HWS_DATA_B | HWS_DATA_E | HWS_DATA_U);
}

static void window_is_flooded_with_fragments(void **state)
{
    (void)state;
    window_is_flooded(0, HWS_DATA_U);
}

/* 6.9: fragments that contradict each other are the peer's fault: ABORT, no crash. */
static void contradicting_fragments(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send_pattern(&p->a, 0, 0, 1, 4000);
    struct pair_packet *first = pair_take(&p->a), *second = pair_take(&p->a);
    pair_inject(&p->b, first->data, first->len);
    second->data[HWS_PACKET_HEADER_LEN + 1] |= HWS_DATA_B; /* begins again in the middle */
    pair_inject(&p->b, second->data, second->len);
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    assert_int_equal(p->b.reason, HWS_E_PROTO);
    free(first);
    free(second);
    pair_free(p);
}

/* A SHUTDOWN ACK nobody waits for, and other chunks out of their state, change nothing (8.5.1). */
static void chunks_out_of_state(void **state)
{
    (void)state;
    static const uint8_t types[] = {HWS_CHUNK_SHUTDOWN_ACK, HWS_CHUNK_SHUTDOWN_COMPLETE,
                                    HWS_CHUNK_COOKIE_ACK};
    for (size_t i = 0; i < sizeof types; i++) {
        struct pair *p = pair_new(NULL);
        pair_connect(p);
        uint8_t buf[100];
        struct hws_builder b;
        pair_forge(&p->b, &b, buf, sizeof buf);
        assert_true(hws_chunk_put(&b, types[i], 0, NULL, 0));
        pair_inject(&p->b, buf, hws_builder_finish(&b));
        assert_int_equal(pair_status(&p->b).state, HWS_STATE_ESTABLISHED);
        assert_int_equal(pair_stats(&p->b)->drop_chunk_state, 1);
        pair_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ootb_data_is_aborted),
        cmocka_unit_test(ootb_abort_is_silent),
        cmocka_unit_test(ootb_shutdown_ack_is_completed),
        cmocka_unit_test(ootb_ends_are_silent),
        cmocka_unit_test(a_port_that_is_not_ours),
        cmocka_unit_test(ootb_is_rate_limited),
        cmocka_unit_test(wrong_tag),
        cmocka_unit_test(abort_and_the_t_bit),
        cmocka_unit_test(unknown_chunks),
        cmocka_unit_test(invalid_stream),
        cmocka_unit_test(no_user_data),
        cmocka_unit_test(corrupted),
        cmocka_unit_test(truncated),
        cmocka_unit_test(replayed),
        cmocka_unit_test(tsn_far_away),
        cmocka_unit_test(heartbeat_is_echoed),
        cmocka_unit_test(window_is_flooded_with_messages),
        cmocka_unit_test(window_is_flooded_in_vain),
        cmocka_unit_test(window_is_flooded_unordered),
        cmocka_unit_test(window_is_flooded_with_fragments),
        cmocka_unit_test(contradicting_fragments),
        cmocka_unit_test(chunks_out_of_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
