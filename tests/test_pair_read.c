/* Stories of the application's reading: peeking, views, messages in parts (RFC 9260, 6.9; RFC 6458,
 * 8.1.21). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/cause.h"
#include "tests/pair.h"

#define SECOND 1000000u
#define WHOLE (HWS_DATA_B | HWS_DATA_E)

/* ---- What is forged ---- */

static uint32_t first_tsn; /* what the peer's first DATA has, forged below */

static struct pair *connect_to_forge(void (*params)(struct hws_params *a, struct hws_params *b))
{
    struct pair *p = pair_new(&(struct pair_options){.params = params});
    pair_begin(&p->a);
    struct hws_init init;
    struct hws_tlv chunk = pair_chunk(pair_first(&p->a), 0);
    assert_true(hws_init_decode(&chunk, &init));
    first_tsn = init.tsn;
    pair_settle(p);
    assert_true(pair_saw(&p->b, HWS_EVENT_UP));
    return p;
}

/* DATA number `index` from a to b, `len` bytes that all have the value of `index`. */
static void give(struct pair *p, uint32_t index, uint16_t sid, uint16_t ssn, uint8_t flags,
                 uint32_t len)
{
    uint8_t buf[2000];
    struct hws_builder b;
    struct hws_data data = {.tsn = first_tsn + index,
                            .sid = sid,
                            .ssn = ssn,
                            .flags = flags,
                            .ppid = 1000 + index,
                            .payload_len = len};
    pair_forge(&p->b, &b, buf, sizeof buf);
    uint8_t *payload = hws_data_encode(&b, &data);
    assert_non_null(payload);
    memset(payload, (uint8_t)index, len);
    pair_inject(&p->b, buf, hws_builder_finish(&b));
}

static uint32_t cum_of_last_sack(struct pair *p)
{
    uint32_t cum = 0;
    while (p->b.wire_head != NULL) {
        struct pair_packet *packet = pair_take(&p->b);
        struct hws_tlv chunk = pair_chunk(packet, 0);
        struct hws_sack sack;
        if (hws_chunk_type(&chunk) == HWS_CHUNK_SACK) {
            assert_true(hws_sack_decode(&chunk, &sack));
            cum = sack.cum_tsn;
        }
        free(packet);
    }
    return cum;
}

/* ---- What is read ---- */

static struct hws_rcvinfo info;

static void assert_peek(struct pair_end *end, size_t capacity, const char *text, bool eor)
{
    char buf[200];
    size_t len = 0;
    assert_int_equal(
        hws_assoc_peek(end->engine, end->assoc, buf, capacity, &len, &info, end->pair->now_us),
        HWS_OK);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(buf, text, len);
    assert_int_equal((info.flags & HWS_RECV_EOR) != 0, eor);
}

static void assert_recv(struct pair_end *end, size_t capacity, const char *text, bool eor)
{
    char buf[200];
    size_t len = 0;
    assert_int_equal(
        hws_assoc_recv(end->engine, end->assoc, buf, capacity, &len, &info, end->pair->now_us),
        HWS_OK);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(buf, text, len);
    assert_int_equal((info.flags & HWS_RECV_EOR) != 0, eor);
    pair_pull(end->pair);
}

static struct hws_next next_of(struct pair_end *end)
{
    struct hws_next next;
    assert_int_equal(hws_assoc_next(end->engine, end->assoc, &next), HWS_OK);
    return next;
}

static void assert_no_next(struct pair_end *end)
{
    struct hws_next next;
    assert_int_equal(hws_assoc_next(end->engine, end->assoc, &next), HWS_E_AGAIN);
}

static struct hws_recv_view view_of(struct pair_end *end)
{
    struct hws_recv_view view;
    assert_int_equal(hws_assoc_recv_view(end->engine, end->assoc, &view), HWS_OK);
    return view;
}

static void assert_counts(struct pair_end *end, uint64_t ready, uint64_t taken)
{
    struct hws_assoc_status status = pair_status(end);
    assert_int_equal(status.messages_ready, ready);
    assert_int_equal(status.messages_taken, taken);
}

/* ---- Peeking ---- */

static void peeking_takes_nothing(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    char byte;
    size_t len;
    pair_connect(p);
    assert_int_equal(hws_assoc_peek(p->b.engine, p->b.assoc, &byte, 1, &len, &info, p->now_us),
                     HWS_E_AGAIN);
    pair_send(&p->a, 3, 0, "first", 5);
    pair_send(&p->a, 3, HWS_SEND_UNORDERED, "second", 6);
    pair_settle(p);
    assert_peek(&p->b, 3, "fir", false);
    assert_peek(&p->b, 5, "first", true);
    assert_int_equal(info.sid, 3);
    assert_peek(&p->b, 100, "first", true);
    assert_recv(&p->b, 2, "fi", false);
    assert_peek(&p->b, 100, "rst", true);
    assert_recv(&p->b, 100, "rst", true);
    assert_peek(&p->b, 6, "second", true);
    assert_int_equal(info.flags, HWS_RECV_EOR | HWS_RECV_UNORDERED);
    assert_recv(&p->b, 6, "second", true);
    assert_int_equal(hws_assoc_peek(p->b.engine, p->b.assoc, &byte, 0, &len, &info, p->now_us),
                     HWS_E_INVAL);
    assert_int_equal(hws_assoc_peek(p->b.engine, 99, &byte, 1, &len, &info, p->now_us),
                     HWS_E_NOENT);
    pair_free(p);
}

/* Once the association is over, peeking answers what receiving does. */
static void peeking_at_the_end(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    char byte;
    size_t len;
    pair_connect(p);
    pair_send(&p->a, 0, 0, "x", 1);
    pair_settle(p);
    pair_shutdown(&p->a);
    pair_settle(p);
    assert_peek(&p->b, 10, "x", true);
    assert_recv(&p->b, 10, "x", true);
    assert_int_equal(hws_assoc_peek(p->b.engine, p->b.assoc, &byte, 1, &len, &info, p->now_us),
                     HWS_E_EOF);
    pair_free(p);
}

/* SCTP_NXTINFO: the message after the one that is being read. */
static void the_next_message(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    assert_no_next(&p->b);
    pair_send(&p->a, 3, 0, "first", 5);
    pair_send(&p->a, 4, HWS_SEND_UNORDERED, "second", 6);
    pair_settle(p);
    assert_int_equal(next_of(&p->b).info.sid, 3);
    assert_int_equal(next_of(&p->b).len, 5);
    assert_recv(&p->b, 2, "fi", false);
    struct hws_next next = next_of(&p->b);
    assert_int_equal(next.info.sid, 4);
    assert_int_equal(next.info.flags, HWS_RECV_UNORDERED);
    assert_int_equal(next.len, 6);
    assert_true(next.whole);
    assert_recv(&p->b, 9, "rst", true);
    assert_int_equal(next_of(&p->b).info.sid, 4);
    assert_recv(&p->b, 1, "s", false);
    assert_no_next(&p->b);
    assert_counts(&p->b, 2, 1);
    assert_recv(&p->b, 9, "econd", true);
    assert_counts(&p->b, 2, 2);
    struct hws_next none;
    assert_int_equal(hws_assoc_next(p->b.engine, 99, &none), HWS_E_NOENT);
    pair_free(p);
}

/* ---- Views ---- */

static void a_view_lends_the_bytes(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send(&p->a, 3, 0, "first", 5);
    pair_send(&p->a, 3, 0, "second", 6);
    pair_settle(p);
    assert_recv(&p->b, 1, "f", false);
    uint32_t held = pair_status(&p->b).charged_bytes;
    struct hws_recv_view view = view_of(&p->b);
    assert_int_equal(view.iov_count, 1);
    assert_int_equal(view.len, 4);
    assert_memory_equal(view.iov[0].base, "irst", 4);
    assert_int_equal(view.info.sid, 3);
    assert_true(view.info.flags & HWS_RECV_EOR);
    assert_int_equal(pair_stats(&p->b)->messages_in, 1);
    assert_int_equal(pair_status(&p->b).charged_bytes, held);
    assert_counts(&p->b, 2, 1);
    assert_recv(&p->b, 10, "second", true);
    assert_memory_equal(view.iov[0].base, "irst", 4);
    hws_recv_view_release(p->b.engine, &view);
    assert_int_equal(pair_status(&p->b).charged_bytes, 0);
    hws_recv_view_release(p->b.engine, &view); /* what was given back is empty */
    assert_int_equal(hws_assoc_recv_view(p->b.engine, p->b.assoc, &view), HWS_E_AGAIN);
    assert_int_equal(hws_assoc_recv_view(p->b.engine, 99, &view), HWS_E_NOENT);
    pair_free(p);
}

/* As many fragments as a view has parts; the rest comes in the next one. */
static void a_long_message_needs_several_views(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send_pattern(&p->a, 0, 0, 5, 40000);
    pair_settle(p);
    struct hws_recv_view views[8];
    uint32_t count = 0, len = 0;
    do {
        assert_in_range(count, 0, 7);
        views[count] = view_of(&p->b);
        assert_in_range(views[count].iov_count, 1, HWS_RECV_VIEW_PARTS);
        for (size_t i = 0; i < views[count].iov_count; i++) {
            const uint8_t *bytes = views[count].iov[i].base;
            for (size_t k = 0; k < views[count].iov[i].len; k++, len++)
                assert_int_equal(bytes[k], (uint8_t)(5 + len + (len >> 8)));
        }
    } while (!(views[count++].info.flags & HWS_RECV_EOR));
    assert_int_equal(len, 40000);
    assert_true(count > 1);
    assert_true(pair_status(&p->b).charged_bytes >= 40000);
    while (count > 0)
        hws_recv_view_release(p->b.engine, &views[--count]);
    assert_int_equal(pair_status(&p->b).charged_bytes, 0);
    pair_free(p);
}

/* Lent bytes outlive their association; what is not given back goes with the engine. */
static void views_outlive_their_association(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send(&p->a, 0, 0, "first", 5);
    pair_send(&p->a, 0, 0, "second", 6);
    pair_settle(p);
    struct hws_recv_view first = view_of(&p->b), second = view_of(&p->b);
    assert_int_equal(hws_assoc_release(p->b.engine, p->b.assoc, p->now_us), HWS_OK);
    pair_pull(p);
    assert_int_equal(hws_engine_assoc_count(p->b.engine), 0);
    assert_memory_equal(first.iov[0].base, "first", 5);
    assert_memory_equal(second.iov[0].base, "second", 6);
    hws_recv_view_release(p->b.engine, &first);
    pair_free(p);
}

static void small_rcvbuf(struct hws_params *a, struct hws_params *b)
{
    (void)a;
    b->rcvbuf_bytes = 8000;
}

/* What is lent keeps the window closed; giving it back opens it. */
static void a_view_keeps_the_window_closed(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = small_rcvbuf});
    pair_connect(p);
    pair_send_pattern(&p->a, 0, 0, 1, 7000);
    pair_settle(p);
    struct hws_recv_view view = view_of(&p->b);
    assert_int_equal(view.len, 7000);
    pair_send_pattern(&p->a, 0, 0, 2, 7000);
    pair_run(p, 5ull * SECOND);
    assert_true(pair_status(&p->a).unsent_bytes > 0);
    hws_recv_view_release(p->b.engine, &view);
    pair_run(p, 5ull * SECOND);
    pair_recv_pattern(&p->b, 0, 2, 7000);
    pair_free(p);
}

/* All memory is lent: what comes is dropped, and no fault of the peer. */
static void memory_full_of_views_is_no_fault(void **state)
{
    (void)state;
    struct pair *p = connect_to_forge(small_rcvbuf);
    static struct hws_recv_view views[200];
    uint32_t n = 0;
    while (pair_status(&p->b).charged_bytes < 15700) { /* the window is open all the while */
        assert_in_range(n, 0, 198);
        give(p, n, 0, (uint16_t)n, WHOLE, 40);
        views[n] = view_of(&p->b);
        n++;
    }
    give(p, n + 2, 1, 0, HWS_DATA_B, 40);
    give(p, n, 0, (uint16_t)n, WHOLE, 1000);
    views[n] = view_of(&p->b);
    assert_in_range(pair_status(&p->b).charged_bytes, 16000, 17000);
    give(p, n + 1, 0, (uint16_t)(n + 1), WHOLE, 40);
    assert_no_next(&p->b);
    assert_false(pair_saw(&p->b, HWS_EVENT_DOWN));
    for (uint32_t i = 0; i <= n; i++)
        hws_recv_view_release(p->b.engine, &views[i]);
    give(p, n + 1, 0, (uint16_t)(n + 1), WHOLE, 40);
    assert_int_equal(pair_drain(&p->b), 40);
    pair_free(p);
}

/* Without memory nothing is taken, and nothing is lost. */
static void a_view_without_memory(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    pair_send(&p->a, 0, 0, "first", 5);
    pair_settle(p);
    struct hws_recv_view view;
    p->b.env.fail_from = p->b.env.allocs;
    p->b.env.fail_until = UINT64_MAX;
    assert_int_equal(hws_assoc_recv_view(p->b.engine, p->b.assoc, &view), HWS_E_NOMEM);
    p->b.env.fail_until = 0;
    assert_int_equal(next_of(&p->b).len, 5);
    assert_recv(&p->b, 10, "first", true);
    pair_free(p);
}

/* ---- Partial delivery ---- */

static void point_of_2000(struct hws_params *a, struct hws_params *b)
{
    (void)a;
    b->pd_point_bytes = 2000;
}

/* SCTP_PARTIAL_DELIVERY_POINT: from there on a message is delivered as it comes. */
static void the_point_where_parts_are_delivered(void **state)
{
    (void)state;
    struct pair *p = connect_to_forge(point_of_2000);
    pair_saw(&p->b, HWS_EVENT_READABLE);
    give(p, 0, 0, 0, HWS_DATA_B, 1000);
    give(p, 1, 0, 0, 0, 999);
    assert_false(pair_saw(&p->b, HWS_EVENT_READABLE));
    assert_no_next(&p->b);
    give(p, 2, 0, 0, 0, 1);
    assert_true(pair_saw(&p->b, HWS_EVENT_READABLE));
    assert_int_equal(next_of(&p->b).len, 2000);
    assert_false(next_of(&p->b).whole);
    assert_counts(&p->b, 1, 0);
    struct hws_recv_view view = view_of(&p->b);
    assert_int_equal(view.iov_count, 3);
    assert_int_equal(view.len, 2000);
    assert_false(view.info.flags & HWS_RECV_EOR);
    assert_no_next(&p->b);
    give(p, 4, 1, 0, WHOLE, 10); /* waits for the end of the first */
    assert_no_next(&p->b);
    give(p, 3, 0, 0, HWS_DATA_E, 5);
    assert_counts(&p->b, 2, 0);
    hws_recv_view_release(p->b.engine, &view);
    view = view_of(&p->b);
    assert_int_equal(view.len, 5);
    assert_true(view.info.flags & HWS_RECV_EOR);
    assert_int_equal(view.info.ppid, 1000);
    assert_int_equal(view.info.tsn, first_tsn);
    hws_recv_view_release(p->b.engine, &view);
    assert_int_equal(next_of(&p->b).info.sid, 1);
    assert_int_equal(pair_drain(&p->b), 10);
    assert_int_equal(pair_status(&p->b).charged_bytes, 0);
    pair_free(p);
}

/* Messages that were ready before are read first; a part in the middle of the queue is read in its
 * turn. */
static void parts_behind_other_messages(void **state)
{
    (void)state;
    struct pair *p = connect_to_forge(point_of_2000);
    give(p, 0, 1, 0, WHOLE, 10);
    give(p, 1, 0, 0, HWS_DATA_B, 1000);
    give(p, 2, 0, 0, 0, 1000);
    give(p, 4, 2, 0, WHOLE, 30);
    assert_counts(&p->b, 2, 0);
    assert_int_equal(next_of(&p->b).len, 10);
    char byte;
    size_t len;
    assert_int_equal(hws_assoc_recv(p->b.engine, p->b.assoc, &byte, 1, &len, &info, p->now_us),
                     HWS_OK);
    assert_int_equal(next_of(&p->b).len, 2000);
    give(p, 3, 0, 0, HWS_DATA_E, 500);
    assert_int_equal(next_of(&p->b).len, 2500);
    assert_true(next_of(&p->b).whole);
    assert_counts(&p->b, 3, 0);
    assert_int_equal(pair_drain(&p->b), 9 + 2500 + 30);
    assert_counts(&p->b, 3, 3);
    pair_free(p);
}

/* Without memory for what takes its place, the end of a message in parts is not lent. */
static void a_view_of_parts_without_memory(void **state)
{
    (void)state;
    struct pair *p = connect_to_forge(point_of_2000);
    struct hws_recv_view view;
    give(p, 0, 0, 0, HWS_DATA_B, 1000);
    give(p, 1, 0, 0, 0, 1000);
    p->b.env.fail_from = p->b.env.allocs + 1;
    p->b.env.fail_until = UINT64_MAX;
    view = view_of(&p->b);
    assert_int_equal(view.len, 1000);
    struct hws_recv_view none;
    p->b.env.fail_from = p->b.env.allocs + 1;
    assert_int_equal(hws_assoc_recv_view(p->b.engine, p->b.assoc, &none), HWS_E_NOMEM);
    p->b.env.fail_until = 0;
    hws_recv_view_release(p->b.engine, &view);
    assert_int_equal(pair_drain(&p->b), 1000);
    pair_free(p);
}

/* The peer restarts in the middle of a message: the application is told, and reads on. */
static void a_restart_aborts_partial_delivery(void **state)
{
    (void)state;
    struct pair *p = connect_to_forge(point_of_2000);
    give(p, 0, 7, 0, HWS_DATA_B, 1000);
    give(p, 1, 7, 0, 0, 1500);
    assert_counts(&p->b, 1, 0);
    pair_reboot(&p->a, false);
    pair_begin(&p->a);
    pair_settle(p);
    assert_true(pair_saw(&p->b, HWS_EVENT_RESTART));
    assert_true(pair_saw(&p->b, HWS_EVENT_PARTIAL_ABORTED));
    assert_int_equal(p->b.told[HWS_EVENT_PARTIAL_ABORTED].sid, 7);
    assert_int_equal(p->b.told[HWS_EVENT_PARTIAL_ABORTED].ssn, 0);
    struct hws_recv_view view = view_of(&p->b);
    assert_int_equal(view.len, 2500);
    assert_false(view.info.flags & HWS_RECV_EOR);
    assert_counts(&p->b, 1, 1);
    hws_recv_view_release(p->b.engine, &view);
    pair_send(&p->a, 7, 0, "new", 3);
    pair_settle(p);
    pair_recv(&p->b, 7, "new", 3);
    pair_free(p);
}

/* So does the end of the association; what waited behind the message can be read. */
static void the_end_aborts_partial_delivery(void **state)
{
    (void)state;
    struct pair *p = connect_to_forge(point_of_2000);
    give(p, 0, 7, 0, HWS_DATA_B, 1000);
    give(p, 1, 7, 0, 0, 1000);
    give(p, 3, 8, 0, WHOLE, 30);
    assert_int_equal(pair_drain(&p->b), 2000);
    assert_counts(&p->b, 1, 0);
    pair_saw(&p->b, HWS_EVENT_READABLE);
    assert_int_equal(hws_assoc_abort(p->a.engine, p->a.assoc, NULL, 0, p->now_us), HWS_OK);
    pair_settle(p);
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    assert_true(pair_saw(&p->b, HWS_EVENT_PARTIAL_ABORTED));
    assert_true(pair_saw(&p->b, HWS_EVENT_READABLE));
    assert_int_equal(p->b.told[HWS_EVENT_PARTIAL_ABORTED].sid, 7);
    assert_counts(&p->b, 2, 1);
    assert_int_equal(pair_drain(&p->b), 30);
    assert_counts(&p->b, 2, 2);
    pair_free(p);
}

/* No partial delivery, no word of one. */
static void an_end_between_messages_aborts_none(void **state)
{
    (void)state;
    struct pair *p = connect_to_forge(point_of_2000);
    give(p, 0, 7, 0, HWS_DATA_B, 1000);
    give(p, 1, 7, 0, 0, 1000);
    give(p, 2, 7, 0, HWS_DATA_E, 1000);
    give(p, 3, 7, 1, HWS_DATA_B, 1000); /* begun, but nothing of it delivered */
    assert_int_equal(hws_assoc_abort(p->a.engine, p->a.assoc, NULL, 0, p->now_us), HWS_OK);
    pair_settle(p);
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    assert_false(pair_saw(&p->b, HWS_EVENT_PARTIAL_ABORTED));
    pair_free(p);
}

/* Memory is full of messages that wait behind one in partial delivery: the chunk that ends it is
 * taken all the same, since it lets the application make room. */
static void memory_full_behind_a_message_in_parts(void **state)
{
    (void)state;
    struct pair *p = connect_to_forge(small_rcvbuf);
    uint32_t index = 0;
    while (!pair_saw(&p->b, HWS_EVENT_READABLE) || index == 0) {
        give(p, index, 0, 0, index == 0 ? HWS_DATA_B : 0, 500);
        index++;
        assert_true(index < 40);
    }
    uint32_t missing = index++;
    assert_int_equal(pair_drain(&p->b), missing * 500);
    uint16_t ssn = 0;
    while (pair_status(&p->b).charged_bytes < 16000)
        give(p, index++, 1, ssn++, WHOLE, 20);
    give(p, missing, 0, 0, 0, 500);
    assert_false(pair_saw(&p->b, HWS_EVENT_DOWN));
    assert_int_equal(cum_of_last_sack(p), first_tsn + index - 1);
    assert_int_equal(pair_drain(&p->b), 500);
    pair_free(p);
}

/* ---- What the peer said of its faults ---- */

static void inject_causes(struct pair *p, uint8_t type, const uint8_t *causes, uint32_t len)
{
    uint8_t buf[2000];
    struct hws_builder b;
    pair_forge(&p->b, &b, buf, sizeof buf);
    assert_true(hws_chunk_put(&b, type, 0, causes, len));
    pair_inject(&p->b, buf, hws_builder_finish(&b));
}

/* SCTP_REMOTE_ERROR: each cause with its bytes (RFC 6458, 6.1.3). */
static void causes_are_told_one_by_one(void **state)
{
    (void)state;
    static const uint8_t causes[] = {0, 1, 0, 8, 0, 9, 0, 0, 0, 13, 0, 7, 'w', 'h', 'y', 0};
    struct pair *p = connect_to_forge(NULL);
    inject_causes(p, HWS_CHUNK_ERROR, causes, sizeof causes - 1);
    assert_int_equal(p->b.told_count[HWS_EVENT_REMOTE_ERROR], 2);
    assert_int_equal(p->b.cause, HWS_CAUSE_PROTOCOL_VIOLATION);
    assert_int_equal(p->b.told_data_len, 7);
    assert_memory_equal(p->b.told_data, causes + 8, 7);
    inject_causes(p, HWS_CHUNK_ERROR, causes, 8);
    assert_int_equal(p->b.told_count[HWS_EVENT_REMOTE_ERROR], 3);
    assert_int_equal(p->b.cause, HWS_CAUSE_INVALID_STREAM);
    assert_memory_equal(p->b.told_data, causes, 8);
    pair_free(p);
}

/* More than is kept: the code alone. */
static void long_causes_are_told_without_their_bytes(void **state)
{
    (void)state;
    uint8_t cause[HWS_LIMIT_REMOTE_ERROR_BYTES + 4] = {0, 13, (sizeof cause) >> 8,
                                                       (uint8_t)sizeof cause};
    struct pair *p = connect_to_forge(NULL);
    inject_causes(p, HWS_CHUNK_ERROR, cause, sizeof cause);
    assert_int_equal(p->b.told_count[HWS_EVENT_REMOTE_ERROR], 1);
    assert_int_equal(p->b.cause, HWS_CAUSE_PROTOCOL_VIOLATION);
    assert_null(p->b.told[HWS_EVENT_REMOTE_ERROR].data);
    pair_free(p);
}

/* sac_info of SCTP_COMM_LOST: the ABORT chunk (RFC 6458, 6.1.1). */
static void the_abort_is_told_with_its_bytes(void **state)
{
    (void)state;
    static const uint8_t chunk[] = {6, 0, 0, 12, 0, 12, 0, 8, 'd', 'o', 'n', 'e'};
    struct pair *p = connect_to_forge(NULL);
    inject_causes(p, HWS_CHUNK_ABORT, chunk + 4, 8);
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    assert_int_equal(p->b.told_data_len, sizeof chunk);
    assert_memory_equal(p->b.told_data, chunk, sizeof chunk);
    pair_free(p);
}

static void a_long_abort_is_cut(void **state)
{
    (void)state;
    uint8_t cause[1000] = {0, 13, (sizeof cause) >> 8, (uint8_t)sizeof cause};
    struct pair *p = connect_to_forge(NULL);
    inject_causes(p, HWS_CHUNK_ABORT, cause, sizeof cause);
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    assert_int_equal(p->b.told_data_len, HWS_LIMIT_REMOTE_ERROR_BYTES);
    assert_int_equal(hws_get16(p->b.told_data + 2), 4 + sizeof cause);
    pair_free(p);
}

/* Our own ABORT has no chunk of the peer's. */
static void an_end_of_ours_tells_no_chunk(void **state)
{
    (void)state;
    static const uint8_t cause[] = {0, 1, 0, 8, 0, 9, 0, 0};
    struct pair *p = connect_to_forge(NULL);
    inject_causes(p, HWS_CHUNK_ERROR, cause, sizeof cause);
    assert_int_equal(hws_assoc_abort(p->b.engine, p->b.assoc, NULL, 0, p->now_us), HWS_OK);
    pair_pull(p);
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    assert_null(p->b.told[HWS_EVENT_DOWN].data);
    pair_free(p);
}

/* COMM_UP tells the streams (RFC 6458, 6.1.1). */
static void some_streams(struct hws_params *a, struct hws_params *b)
{
    a->ostreams = 20;
    a->max_instreams = 5;
    b->ostreams = 7;
    b->max_instreams = 3;
}

static void up_tells_the_streams(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = some_streams});
    pair_connect(p);
    assert_int_equal(p->a.told[HWS_EVENT_UP].ostreams, 3);
    assert_int_equal(p->a.told[HWS_EVENT_UP].instreams, 5);
    assert_int_equal(p->b.told[HWS_EVENT_UP].ostreams, 5);
    assert_int_equal(p->b.told[HWS_EVENT_UP].instreams, 3);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peeking_takes_nothing),
        cmocka_unit_test(peeking_at_the_end),
        cmocka_unit_test(the_next_message),
        cmocka_unit_test(a_view_lends_the_bytes),
        cmocka_unit_test(a_long_message_needs_several_views),
        cmocka_unit_test(views_outlive_their_association),
        cmocka_unit_test(a_view_keeps_the_window_closed),
        cmocka_unit_test(memory_full_of_views_is_no_fault),
        cmocka_unit_test(a_view_without_memory),
        cmocka_unit_test(the_point_where_parts_are_delivered),
        cmocka_unit_test(parts_behind_other_messages),
        cmocka_unit_test(a_view_of_parts_without_memory),
        cmocka_unit_test(a_restart_aborts_partial_delivery),
        cmocka_unit_test(the_end_aborts_partial_delivery),
        cmocka_unit_test(an_end_between_messages_aborts_none),
        cmocka_unit_test(memory_full_behind_a_message_in_parts),
        cmocka_unit_test(causes_are_told_one_by_one),
        cmocka_unit_test(long_causes_are_told_without_their_bytes),
        cmocka_unit_test(the_abort_is_told_with_its_bytes),
        cmocka_unit_test(a_long_abort_is_cut),
        cmocka_unit_test(an_end_of_ours_tells_no_chunk),
        cmocka_unit_test(up_tells_the_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
