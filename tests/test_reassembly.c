#include <stdbool.h>
#include <string.h>

#include "memory_env.h"
#include "proto/serial.h"
#include "stack/reassembly.h"

#define B HWS_DATA_B
#define E HWS_DATA_E
#define U HWS_DATA_U
#define WHOLE (HWS_DATA_B | HWS_DATA_E)
#define STREAMS 70u

static struct memory_env m;
static struct hws_reassembly r;
static uint32_t buffers_alive;

static int begin(void **state)
{
    (void)state;
    memory_env_init(&m, 3, true);
    hws_reassembly_init(&r, &m.pool, STREAMS);
    return 0;
}

static int end(void **state)
{
    (void)state;
    hws_reassembly_fini(&r);
    assert_int_equal(r.charged_bytes, 0);
    assert_int_equal(r.payload_bytes, 0);
    assert_int_equal(buffers_alive, 0);
    memory_env_fini(&m);
    return 0;
}

static void buffer_release(struct hws_buf *buf)
{
    buffers_alive--;
    free(buf->data);
    free(buf);
}

/** A buffer of exactly these bytes, so that a memory checker sees every step beyond them. */
static struct hws_buf *buffer_new(const void *bytes, uint32_t len)
{
    struct hws_buf *buf = malloc(sizeof *buf);
    assert_non_null(buf);
    *buf = (struct hws_buf){.refs = 1, .size = len, .release = buffer_release};
    buf->data = malloc(len);
    assert_non_null(buf->data);
    memcpy(buf->data, bytes, len);
    buffers_alive++;
    return buf;
}

/* ---- Stories ---- */

static enum hws_reassembly_result add_on(uint16_t sid, uint16_t ssn, uint32_t tsn, uint8_t flags,
                                         const char *text)
{
    struct hws_data data = {
        .tsn = tsn,
        .sid = sid,
        .ssn = ssn,
        .ppid = 1000 + tsn,
        .flags = flags,
        .payload = (const uint8_t *)text,
        .payload_len = (uint32_t)strlen(text),
    };
    return hws_reassembly_add(&r, &data, &(struct hws_data_source){.truesize = 2048});
}

/** On stream 0. */
static enum hws_reassembly_result add(uint16_t ssn, uint32_t tsn, uint8_t flags, const char *text)
{
    return add_on(0, ssn, tsn, flags, text);
}

#define assert_held(result) assert_int_equal(result, HWS_REASSEMBLY_HELD)
#define assert_ready(result) assert_int_equal(result, HWS_REASSEMBLY_READY)
#define assert_invalid(result) assert_int_equal(result, HWS_REASSEMBLY_INVALID)

static struct hws_rcvinfo taken_info;

/** The bytes that can be taken of the first ready message. */
static size_t peek_len(void)
{
    static char bytes[200000];
    struct hws_rcvinfo info;
    return hws_reassembly_peek(&r, bytes, sizeof bytes, &info);
}

/** Takes at most `capacity` bytes, which must be `text`. */
static void assert_take(size_t capacity, const char *text, bool eor)
{
    char buf[256];
    size_t len = hws_reassembly_take(&r, buf, capacity, &taken_info);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(buf, text, len);
    assert_int_equal((taken_info.flags & HWS_RECV_EOR) != 0, eor);
}

static void assert_message(const char *text)
{
    assert_int_equal(peek_len(), strlen(text));
    assert_take(256, text, true);
}

static void assert_nothing(void)
{
    char byte;
    assert_false(hws_reassembly_readable(&r));
    assert_int_equal(peek_len(), 0);
    assert_int_equal(hws_reassembly_take(&r, &byte, 1, &taken_info), 0);
}

static void whole_messages_in_order(void **state)
{
    (void)state;
    assert_nothing();
    assert_ready(add_on(3, 0, 7, WHOLE, "one"));
    assert_ready(add_on(3, 1, 8, WHOLE, "two"));
    assert_message("one");
    assert_int_equal(taken_info.sid, 3);
    assert_int_equal(taken_info.ssn, 0);
    assert_int_equal(taken_info.tsn, 7);
    assert_int_equal(taken_info.ppid, 1007);
    assert_int_equal(taken_info.flags, HWS_RECV_EOR);
    assert_message("two");
    assert_nothing();
    assert_int_equal(r.charged_bytes, 0);
    assert_int_equal(r.messages_taken, 2);
}

static void message_taken_in_parts(void **state)
{
    (void)state;
    assert_held(add(0, 1, B, "abc"));
    assert_held(add(0, 2, 0, "defg"));
    assert_ready(add(0, 3, E, "hi"));
    assert_take(2, "ab", false);
    assert_int_equal(peek_len(), 7);
    assert_int_equal(r.payload_bytes, 7);
    assert_take(0, "", false);
    assert_take(4, "cdef", false);
    assert_int_equal(peek_len(), 3);
    assert_take(3, "ghi", true);
    assert_int_equal(taken_info.tsn, 1);
    assert_int_equal(taken_info.ppid, 1001);
    assert_nothing();
}

static void fragments_in_every_order(void **state)
{
    (void)state;
    static const char *const text[] = {"a", "bb", "ccc", "dddd", "eeeee"};
    uint16_t ssn = 0;
    for (uint32_t code = 0; code < 5 * 4 * 3 * 2; code++, ssn++) {
        uint32_t left[] = {0, 1, 2, 3, 4};
        uint32_t rest = code;
        for (uint32_t n = 5; n > 0; n--) {
            uint32_t pick = rest % n;
            uint32_t i = left[pick];
            rest /= n;
            left[pick] = left[n - 1];
            uint8_t flags = (uint8_t)((i == 0 ? B : 0) | (i == 4 ? E : 0));
            assert_int_equal(add(ssn, 5u * ssn + i, flags, text[i]),
                             n > 1 ? HWS_REASSEMBLY_HELD : HWS_REASSEMBLY_READY);
        }
        assert_message("abbcccddddeeeee");
    }
    assert_int_equal(r.charged_bytes, 0);
}

static void ordered_messages_wait_unordered_do_not(void **state)
{
    (void)state;
    assert_held(add(2, 12, WHOLE, "third"));
    assert_held(add(1, 11, WHOLE, "second"));
    assert_ready(add(9, 13, WHOLE | U, "unordered"));
    assert_ready(add_on(1, 0, 14, WHOLE, "other stream"));
    assert_message("unordered");
    assert_int_equal(taken_info.flags, HWS_RECV_UNORDERED | HWS_RECV_EOR);
    assert_message("other stream");
    assert_nothing();
    assert_ready(add(0, 10, WHOLE, "first"));
    assert_message("first");
    assert_message("second");
    assert_message("third");
    assert_nothing();
}

static void unordered_fragments_above_a_gap(void **state)
{
    (void)state;
    assert_held(add(0, 22, E | U, "b"));
    assert_ready(add(5, 21, B | U, "a")); /* the SSN of an unordered fragment means nothing */
    assert_message("ab");
}

static void ssn_wraps(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 140000; i += 2) {
        assert_held(add((uint16_t)(i + 1), i + 1, WHOLE, "later"));
        assert_ready(add((uint16_t)i, i, WHOLE, "earlier"));
        assert_message("earlier");
        assert_message("later");
    }
}

static void far_apart_ssns_within_the_window(void **state)
{
    (void)state;
    for (uint32_t i = 50000; i > 0; i--)
        assert_held(add((uint16_t)i, i, WHOLE, "x"));
    assert_ready(add(0, 0, WHOLE, "x"));
    for (uint32_t i = 0; i <= 50000; i++) {
        assert_message("x");
        assert_int_equal(taken_info.tsn, i);
    }
    assert_nothing();
}

static void streams_far_apart(void **state)
{
    (void)state;
    r.stream_count = 65535;
    const uint16_t sids[] = {0, 31, 32, 33, 1000, 65534, 5};
    for (uint16_t i = 0; i < sizeof sids / sizeof sids[0]; i++) {
        assert_ready(add_on(sids[i], 0, 2u * i, WHOLE, "0"));
        assert_ready(add_on(sids[i], 1, 2u * i + 1, WHOLE, "1"));
        assert_message("0");
        assert_message("1");
        assert_int_equal(taken_info.sid, sids[i]);
    }
}

static void contradictions(void **state)
{
    (void)state;
    assert_invalid(add(0, 1, WHOLE, ""));
    assert_held(add(0, 10, B, "a"));
    uint32_t charged_bytes = r.charged_bytes;
    assert_invalid(add(1, 11, B, "begins again"));
    assert_invalid(add(1, 11, WHOLE, "begins again"));
    assert_invalid(add(1, 11, E, "other SSN"));
    assert_invalid(add_on(1, 0, 11, E, "other stream"));
    assert_invalid(add(0, 11, E | U, "not ordered"));
    assert_invalid(add(0, 9, B, "does not end"));
    assert_held(add(2, 20, E, "c"));
    assert_invalid(add(2, 19, E, "ends before the end"));
    assert_invalid(add(2, 19, WHOLE, "ends before the end"));
    assert_invalid(add(1, 19, 0, "other SSN"));
    assert_held(add(3, 30, WHOLE, "waits"));
    assert_invalid(add(3, 31, WHOLE, "the SSN waits already"));
    assert_invalid(add(3, 33, B, "the SSN waits already"));
    assert_ready(add(0, 11, E, "b"));
    assert_message("ab");
    assert_invalid(add(1, 12, 0, "no beginning"));
    assert_true(r.charged_bytes > 0 && charged_bytes > 0);
}

/** A fragment that lost its neighbours unseen holds its place in the ring until a TSN that can
 * only come after all around it have arrived. */
static void fragment_that_can_never_be_completed(void **state)
{
    (void)state;
    for (uint32_t tsn = 4; tsn <= 10; tsn += 2)
        assert_ready(add(0, tsn, WHOLE | U, "x"));
    assert_held(add(0, 5, U, "lost"));
    assert_held(add(0, 7, U, "lost"));
    assert_invalid(add(0, 7 + HWS_LIMIT_TSN_WINDOW, B | U, "y"));
    assert_true(r.ring_size == HWS_LIMIT_TSN_WINDOW);
}

/** Longer than the window, and in the ring, since another run stands open. */
static void message_longer_than_the_window(void **state)
{
    (void)state;
    const uint32_t count = 2 * HWS_LIMIT_TSN_WINDOW + 77;
    assert_ready(add(0, 4, WHOLE | U, "x"));
    assert_ready(add(0, 6, WHOLE | U, "x"));
    assert_held(add(0, 5, U, "lost"));
    assert_message("x");
    assert_message("x");
    for (uint32_t i = 0; i + 1 < count; i++)
        assert_held(add(0, 7 + i, i == 0 ? B : 0, i % 2 == 0 ? "ab" : "c"));
    assert_int_equal(r.ring_size, HWS_LIMIT_TSN_WINDOW);
    assert_ready(add(0, 6 + count, E, "!"));
    for (uint32_t i = 0; i + 1 < count; i += 2)
        assert_take(3, "abc", false);
    assert_take(3, "!", true);
    assert_nothing();
}

static struct hws_data data_of(const uint8_t *payload, uint32_t len, uint32_t tsn)
{
    return (struct hws_data){
        .tsn = tsn, .flags = WHOLE | U, .payload = payload, .payload_len = len};
}

static void small_is_copied_large_is_kept(void **state)
{
    (void)state;
    uint8_t bytes[512];
    memset(bytes, 'x', sizeof bytes);
    struct hws_buf *buf = buffer_new(bytes, sizeof bytes);
    struct hws_data small = data_of(buf->data, 511, 1);
    struct hws_data large = data_of(buf->data, 512, 2);
    struct hws_data_source source = {.buf = buf, .truesize = 2048};
    assert_ready(hws_reassembly_add(&r, &small, &source));
    assert_int_equal(buf->refs, 1);
    assert_in_range(r.charged_bytes, 511 + 32, 511 + 64);
    assert_ready(hws_reassembly_add(&r, &large, &source));
    assert_int_equal(buf->refs, 2);
    assert_in_range(r.charged_bytes, 511 + 2048 + 64, 511 + 2048 + 128);
    hws_buf_unref(buf);
    assert_int_equal(hws_reassembly_take(&r, bytes, 512, &taken_info), 511);
    assert_int_equal(buffers_alive, 1);
    assert_int_equal(hws_reassembly_take(&r, bytes, 512, &taken_info), 512);
    assert_int_equal(buffers_alive, 0);
}

/* Seven messages of 8 KB in a packet of 64 KB: the buffer is charged once, and no message is held
 * at less than its size. One that waits for its turn keeps it for who knows how long: a copy. */
static void messages_share_a_large_packet(void **state)
{
    (void)state;
    enum { MESSAGE = 8192, COUNT = 7, PACKET = 65792 };
    static uint8_t bytes[MESSAGE * COUNT];
    struct hws_buf *buf = buffer_new(bytes, sizeof bytes);
    struct hws_data_source source = {.buf = buf, .truesize = PACKET};
    for (uint32_t i = 0; i < COUNT - 1; i++) {
        struct hws_data data = data_of(buf->data + (size_t)i * MESSAGE, MESSAGE, i + 1);
        assert_ready(hws_reassembly_add(&r, &data, &source));
        assert_int_equal(buf->refs, 2 + i);
        assert_in_range(r.charged_bytes, PACKET + i * MESSAGE, PACKET + i * MESSAGE + 1024);
    }
    struct hws_data waiting = data_of(buf->data + 6 * (size_t)MESSAGE, MESSAGE, COUNT);
    waiting.flags = WHOLE;
    waiting.ssn = 1;
    assert_held(hws_reassembly_add(&r, &waiting, &source));
    assert_int_equal(buf->refs, COUNT);
    hws_buf_unref(buf);
    for (uint32_t i = 1; i < COUNT; i++) {
        assert_int_equal(hws_reassembly_take(&r, bytes, MESSAGE, &taken_info), MESSAGE);
        assert_true(r.charged_bytes >= (COUNT - i) * MESSAGE);
    }
    assert_int_equal(buffers_alive, 0);
    assert_in_range(r.charged_bytes, MESSAGE, MESSAGE + 256);
}

static void add_at(uint32_t tsn, uint8_t flags, uint64_t time_us)
{
    const struct hws_data data = {
        .tsn = tsn, .flags = flags, .payload = (const uint8_t *)"x", .payload_len = 1};
    (void)hws_reassembly_add(&r, &data,
                             &(struct hws_data_source){.truesize = 2048, .time_us = time_us});
}

static uint64_t time_of_next(size_t bytes)
{
    char taken[8];
    assert_int_equal(hws_reassembly_take(&r, taken, bytes, &taken_info), bytes);
    return taken_info.rx_time_us;
}

/* Whichever fragment came last. */
static void a_message_s_time_is_its_last_packet_s(void **state)
{
    (void)state;
    add_at(1, WHOLE | U, 0);
    add_at(2, WHOLE | U, 70);
    add_at(5, E | U, 100);
    add_at(3, B | U, 300);
    add_at(4, U, 400);
    assert_int_equal(time_of_next(1), 0);
    assert_int_equal(time_of_next(1), 70);
    assert_int_equal(time_of_next(1), 400);
    assert_int_equal(time_of_next(2), 400);
    assert_int_equal(r.charged_bytes, 0);
}

/* In partial delivery the last one so far; a part that was lent left it. */
static void a_part_s_time_is_that_of_what_has_come(void **state)
{
    (void)state;
    struct hws_recv_view view;
    add_at(1, B | U, 100);
    assert_true(hws_reassembly_deliver_partial(&r, 1));
    assert_int_equal(time_of_next(1), 100);
    add_at(2, U, 200);
    struct hws_frag *lent = hws_reassembly_lend(&r, &view);
    assert_int_equal(view.info.rx_time_us, 200);
    hws_reassembly_give_back(&r, lent);
    add_at(3, U, 300);
    add_at(4, E | U, 400);
    assert_int_equal(time_of_next(2), 400);
    assert_int_equal(r.charged_bytes, 0);
}

static void one_byte_is_charged_at_its_cost(void **state)
{
    (void)state;
    assert_held(add(0, 1, B, "a"));
    assert_in_range(r.charged_bytes, 32, 128);
    assert_int_equal(r.payload_bytes, 1);
}

/* ---- Partial delivery ---- */

static void partial_delivery(void **state)
{
    (void)state;
    assert_held(add(0, 1, B, "ab"));
    assert_held(add(0, 2, 0, "cd"));
    assert_held(add(0, 4, 0, "gh"));
    assert_true(hws_reassembly_deliver_partial(&r, 2));
    assert_false(hws_reassembly_deliver_partial(&r, 2));
    assert_int_equal(peek_len(), 4);
    assert_take(3, "abc", false);
    assert_take(3, "d", false);
    assert_nothing();
    assert_held(add_on(1, 0, 6, WHOLE, "other stream"));
    assert_held(add(1, 7, WHOLE, "next"));
    assert_held(add(0, 8, WHOLE | U, "unordered"));
    assert_nothing();
    assert_ready(add(0, 3, 0, "ef"));
    assert_int_equal(peek_len(), 4);
    assert_take(1, "e", false);
    assert_ready(add(0, 5, E, "i"));
    assert_int_equal(peek_len(), 4);
    assert_take(10, "fghi", true);
    assert_int_equal(taken_info.tsn, 1);
    assert_int_equal(taken_info.ppid, 1001);
    assert_message("other stream");
    assert_message("next");
    assert_message("unordered");
    assert_nothing();
    assert_int_equal(r.charged_bytes, 0);
}

static void partial_delivery_releases_what_waited(void **state)
{
    (void)state;
    assert_held(add(1, 4, WHOLE, "next"));
    assert_held(add(0, 1, B, "ab"));
    assert_true(hws_reassembly_deliver_partial(&r, 1));
    assert_take(10, "ab", false);
    assert_nothing();
    assert_held(add(0, 3, E, "ef"));
    assert_ready(add(0, 2, 0, "cd"));
    assert_take(10, "cdef", true);
    assert_message("next");
}

static void partial_delivery_out_of_the_ring(void **state)
{
    (void)state;
    assert_held(add(1, 9, 0, "open"));
    assert_held(add(0, 2, U, "b"));
    assert_held(add(0, 1, B | U, "a"));
    assert_true(hws_reassembly_deliver_partial(&r, 2));
    assert_take(10, "ab", false);
    assert_int_equal(taken_info.flags, HWS_RECV_UNORDERED);
    assert_ready(add(0, 3, E | U, "c"));
    assert_take(10, "c", true);
    assert_int_equal(taken_info.flags, HWS_RECV_UNORDERED | HWS_RECV_EOR);
}

static void partial_delivery_has_to_be_its_turn(void **state)
{
    (void)state;
    assert_false(hws_reassembly_deliver_partial(&r, 0));
    assert_held(add(1, 1, B, "second"));
    assert_false(hws_reassembly_deliver_partial(&r, 1)); /* SSN 0 comes first */
    assert_held(add_on(1, 0, 5, B, "beyond cum"));
    assert_false(hws_reassembly_deliver_partial(&r, 4));
    assert_held(add_on(2, 0, 8, 0, "no beginning"));
    assert_false(hws_reassembly_deliver_partial(&r, 8));
    assert_ready(add_on(3, 0, 10, WHOLE, "ready"));
    assert_false(hws_reassembly_deliver_partial(&r, 5)); /* something is ready */
    assert_message("ready");
    assert_true(hws_reassembly_deliver_partial(&r, 5));
}

static void contradictions_in_partial_delivery(void **state)
{
    (void)state;
    for (int drained = 0; drained <= 1; drained++) {
        hws_reassembly_reset(&r, false);
        assert_held(add(0, 1, B, "ab"));
        assert_true(hws_reassembly_deliver_partial(&r, 1));
        if (drained != 0)
            assert_take(10, "ab", false);
        assert_invalid(add(0, 2, B, "begins again"));
        assert_invalid(add(1, 2, E, "other SSN"));
        assert_invalid(add_on(1, 0, 2, E, "other stream"));
        assert_invalid(add(0, 2, E | U, "not ordered"));
        assert_ready(add(0, 2, E, "cd"));
    }
}

/* ---- Reset ---- */

static void hold_one_of_each(void)
{
    assert_ready(add_on(4, 0, 1, WHOLE, "ready"));
    assert_held(add(3, 9, WHOLE, "waits"));
    assert_held(add(0, 11, B, "open"));
    assert_held(add(4, 15, 0, "in the ring"));
    assert_held(add(4, 16, E, "in the ring"));
    assert_held(add(5, 19, E, "in the ring"));
}

static void reset_keeps_what_is_ready(void **state)
{
    (void)state;
    hold_one_of_each();
    assert_take(2, "re", false);
    hws_reassembly_reset(&r, true);
    assert_take(10, "ady", true);
    assert_int_equal(taken_info.tsn, 1);
    assert_nothing();
    assert_int_equal(r.charged_bytes, 0);
    assert_ready(add_on(4, 0, 500, WHOLE, "from SSN 0"));
}

static void reset_drops_everything(void **state)
{
    (void)state;
    hold_one_of_each();
    assert_take(2, "re", false);
    hws_reassembly_reset(&r, false);
    assert_nothing();
    assert_int_equal(r.charged_bytes, 0);
    hold_one_of_each();
    assert_message("ready");
}

static void reset_forgets_the_last_end(void **state)
{
    (void)state;
    assert_ready(add(0, 1, WHOLE, "x"));
    hws_reassembly_reset(&r, false);
    assert_held(add(0, 2, E, "of the peer's new TSNs"));
}

static void reset_ends_partial_delivery(void **state)
{
    (void)state;
    for (int drained = 0; drained <= 1; drained++) {
        assert_held(add(0, 1, B, "ab"));
        assert_true(hws_reassembly_deliver_partial(&r, 1));
        assert_held(add_on(1, 0, 9, WHOLE, "behind"));
        assert_take(drained != 0 ? 2 : 1, drained != 0 ? "ab" : "a", false);
        hws_reassembly_reset(&r, true);
        if (drained == 0)
            assert_take(10, "b", false);
        assert_message("behind");
        assert_int_equal(taken_info.tsn, 9);
        assert_nothing();
        assert_int_equal(r.charged_bytes, 0);
    }
}

static void fini_frees_everything(void **state)
{
    (void)state;
    hold_one_of_each();
    assert_message("ready");
    assert_held(add_on(7, 0, 30, B, "ab"));
    assert_true(hws_reassembly_deliver_partial(&r, 30));
    assert_held(add_on(8, 0, 40, WHOLE, "behind"));
}

/* ---- Against a model that keeps everything in plain arrays ---- */

#define MESSAGES 400u
#define CHUNKS (MESSAGES * 12u)
#define MODEL_STREAMS 5u

struct model_message {
    uint16_t sid, ssn;
    bool unordered, delivered;
    uint32_t first, count; /* its chunks */
    uint32_t len;
};

struct model_chunk {
    uint32_t message, offset, len;
    bool arrived;
};

static struct {
    uint64_t seed;
    uint32_t initial_tsn;
    struct model_message messages[MESSAGES];
    struct model_chunk chunks[CHUNKS];
    uint32_t chunk_count;
    uint32_t cum_count; /* chunks that arrived without a gap */
    uint16_t next_ssn[MODEL_STREAMS];
    uint32_t queue[MESSAGES]; /* messages in delivery order */
    uint32_t queue_head, queue_len;
    uint32_t taken; /* bytes of the first one */
    uint32_t held_bytes;
} model;

static uint8_t byte_of(uint32_t message, uint32_t offset)
{
    return (uint8_t)(message * 31 + offset * 7 + offset / 256);
}

static void model_cut(uint32_t index)
{
    struct model_message *message = &model.messages[index];
    uint32_t most = random_below(&model.seed, 4) == 0 ? 12 : 2;
    message->first = model.chunk_count;
    message->count = 1 + random_below(&model.seed, most);
    for (uint32_t i = 0; i < message->count; i++) {
        uint32_t len = 1 + random_below(&model.seed, random_below(&model.seed, 2) == 0 ? 9 : 900);
        model.chunks[model.chunk_count++] = (struct model_chunk){index, message->len, len, false};
        message->len += len;
    }
}

static void model_begin(uint64_t seed)
{
    uint16_t ssns[MODEL_STREAMS];
    memset(&model, 0, sizeof model);
    memset(ssns, 0, sizeof ssns);
    model.seed = seed;
    model.initial_tsn = seed % 2 == 0 ? 1 : UINT32_MAX - random_below(&model.seed, 500);
    for (uint32_t i = 0; i < MESSAGES; i++) {
        struct model_message *message = &model.messages[i];
        message->sid = (uint16_t)random_below(&model.seed, MODEL_STREAMS);
        message->unordered = random_below(&model.seed, 3) == 0;
        message->ssn = message->unordered ? (uint16_t)random64(&model.seed) : ssns[message->sid]++;
        model_cut(i);
    }
}

static uint32_t arrived_len(const struct model_message *message)
{
    uint32_t len = 0;
    for (uint32_t i = 0; i < message->count && model.chunks[message->first + i].arrived; i++)
        len += model.chunks[message->first + i].len;
    return len;
}

static bool is_complete(const struct model_message *message)
{
    return arrived_len(message) == message->len;
}

static void model_enqueue(uint32_t index)
{
    struct model_message *message = &model.messages[index];
    message->delivered = true;
    model.queue[model.queue_len++] = index;
    if (!message->unordered)
        model.next_ssn[message->sid]++;
}

static bool is_deliverable(const struct model_message *message)
{
    return !message->delivered && is_complete(message) &&
           (message->unordered || message->ssn == model.next_ssn[message->sid]);
}

/** Queues `index` and what it lets go of its stream. */
static void model_deliver(uint32_t index)
{
    uint16_t sid = model.messages[index].sid;
    bool unordered = model.messages[index].unordered;
    model_enqueue(index);
    for (uint32_t i = index + 1; i < MESSAGES && !unordered; i++) {
        const struct model_message *later = &model.messages[i];
        if (later->sid == sid && !later->unordered && is_deliverable(later))
            model_enqueue(i);
    }
}

/** Bytes that can be taken now. */
static uint32_t model_available(void)
{
    if (model.queue_head == model.queue_len)
        return 0;
    return arrived_len(&model.messages[model.queue[model.queue_head]]) - model.taken;
}

/** Whether the first message is in partial delivery: what is behind it cannot be taken yet. */
static bool model_is_growing(void)
{
    return model.queue_head < model.queue_len &&
           !is_complete(&model.messages[model.queue[model.queue_head]]);
}

static void model_arrive(uint32_t index)
{
    struct model_chunk *chunk = &model.chunks[index];
    chunk->arrived = true;
    model.held_bytes += chunk->len;
    while (model.cum_count < model.chunk_count && model.chunks[model.cum_count].arrived)
        model.cum_count++;
    if (is_deliverable(&model.messages[chunk->message]))
        model_deliver(chunk->message);
}

static uint8_t chunk_flags(const struct model_chunk *chunk)
{
    const struct model_message *message = &model.messages[chunk->message];
    uint32_t end_offset = chunk->offset + chunk->len;
    return (uint8_t)((chunk->offset == 0 ? B : 0) | (end_offset == message->len ? E : 0) |
                     (message->unordered ? U : 0));
}

static enum hws_reassembly_result give(uint32_t index)
{
    const struct model_chunk *chunk = &model.chunks[index];
    const struct model_message *message = &model.messages[chunk->message];
    uint8_t bytes[1024];
    for (uint32_t i = 0; i < chunk->len; i++)
        bytes[i] = byte_of(chunk->message, chunk->offset + i);
    struct hws_buf *buf = buffer_new(bytes, chunk->len);
    struct hws_data data = {
        .tsn = model.initial_tsn + index,
        .sid = message->sid,
        .ssn = message->ssn,
        .ppid = chunk->message,
        .flags = chunk_flags(chunk),
        .payload = buf->data,
        .payload_len = chunk->len,
    };
    bool lend = random_below(&model.seed, 3) != 0;
    struct hws_data_source source = {
        .buf = lend ? buf : NULL, .truesize = 2048, .time_us = index % 3};
    enum hws_reassembly_result result = hws_reassembly_add(&r, &data, &source);
    hws_buf_unref(buf);
    return result;
}

/** A chunk among the `spread` first ones that have not arrived. */
static uint32_t pick_chunk(uint32_t spread)
{
    uint32_t skip = random_below(&model.seed, spread);
    uint32_t found = model.cum_count;
    for (uint32_t i = model.cum_count; i < model.chunk_count; i++) {
        if (model.chunks[i].arrived)
            continue;
        found = i;
        if (skip-- == 0)
            break;
    }
    return found;
}

static void step_add(uint32_t spread, bool fail)
{
    uint32_t index = pick_chunk(spread);
    uint32_t charged_bytes = r.charged_bytes;
    m.fail_in = fail ? 1 + random_below(&model.seed, 4) : 0;
    enum hws_reassembly_result result = give(index);
    m.fail_in = 0;
    if (result == HWS_REASSEMBLY_NOMEM) {
        assert_true(fail);
        assert_int_equal(r.charged_bytes, charged_bytes);
        return;
    }
    uint32_t before = model.queue_len;
    uint32_t available = model_available();
    model_arrive(index);
    bool more = model_available() > available || (model.queue_len > before && !model_is_growing());
    assert_int_equal(result, more ? HWS_REASSEMBLY_READY : HWS_REASSEMBLY_HELD);
}

static void check_info(uint32_t index, const struct hws_rcvinfo *info)
{
    const struct model_message *message = &model.messages[index];
    assert_int_equal(info->sid, message->sid);
    assert_int_equal(info->ssn, message->ssn);
    assert_int_equal(info->ppid, index);
    assert_int_equal(info->tsn, model.initial_tsn + message->first);
    assert_int_equal((info->flags & HWS_RECV_UNORDERED) != 0, message->unordered);
}

static void model_taken(uint32_t bytes, const struct hws_rcvinfo *info)
{
    uint32_t index = model.queue[model.queue_head];
    model.taken += bytes;
    bool over = model.taken == model.messages[index].len;
    assert_int_equal((info->flags & HWS_RECV_EOR) != 0, over);
    if (over) {
        model.taken = 0;
        model.queue_head++;
    }
}

static void step_take(void)
{
    uint8_t out[5000];
    struct hws_rcvinfo info;
    uint32_t capacity = 1 + random_below(&model.seed, random_below(&model.seed, 2) ? 5000 : 50);
    uint32_t available = model_available();
    uint32_t expected = available < capacity ? available : capacity;
    assert_int_equal(hws_reassembly_readable(&r), available > 0);
    if (random_below(&model.seed, 2) == 0)
        assert_int_equal(peek_len(), available);
    assert_int_equal(hws_reassembly_take(&r, out, capacity, &info), expected);
    if (expected == 0)
        return;
    uint32_t index = model.queue[model.queue_head];
    check_info(index, &info);
    for (uint32_t i = 0; i < expected; i++)
        assert_int_equal(out[i], byte_of(index, model.taken + i));
    model_taken(expected, &info);
    model.held_bytes -= expected;
}

/* ---- The same by views, some of which are kept for a while ---- */

#define VIEWS 5u

static struct {
    struct hws_recv_view view;
    struct hws_frag *frags;
    uint32_t index, offset; /* where its bytes are in the message */
} lent[VIEWS];

static void check_lent(uint32_t slot)
{
    uint32_t at = lent[slot].offset;
    for (size_t i = 0; i < lent[slot].view.iov_count; i++) {
        const uint8_t *bytes = lent[slot].view.iov[i].base;
        for (size_t k = 0; k < lent[slot].view.iov[i].len; k++)
            assert_int_equal(bytes[k], byte_of(lent[slot].index, at++));
    }
    assert_int_equal(at - lent[slot].offset, lent[slot].view.len);
}

/** Its bytes are what they were, and no longer charged. */
static void step_give_back(uint32_t slot)
{
    if (lent[slot].frags == NULL)
        return;
    check_lent(slot);
    uint32_t charged_bytes = r.charged_bytes;
    hws_reassembly_give_back(&r, lent[slot].frags);
    assert_true(r.charged_bytes + lent[slot].view.len <= charged_bytes);
    model.held_bytes -= (uint32_t)lent[slot].view.len;
    lent[slot].frags = NULL;
}

/* As many fragments as there are pieces, of one message; less only when no memory was there for the
 * copy of one. */
static void step_lend(bool fail)
{
    uint32_t slot = random_below(&model.seed, VIEWS);
    uint32_t available = model_available();
    step_give_back(slot);
    uint32_t charged_bytes = r.charged_bytes;
    m.fail_in = fail ? 1 + random_below(&model.seed, 4) : 0;
    lent[slot].frags = hws_reassembly_lend(&r, &lent[slot].view);
    m.fail_in = 0;
    if (lent[slot].frags == NULL) {
        assert_true(available == 0 || fail);
        return;
    }
    const struct hws_recv_view *view = &lent[slot].view;
    assert_true(view->len > 0 && view->len <= available);
    assert_true(fail || view->len == available || view->iov_count == HWS_RECV_VIEW_PARTS);
    assert_true(r.charged_bytes >= charged_bytes);
    lent[slot].index = model.queue[model.queue_head];
    lent[slot].offset = model.taken;
    check_info(lent[slot].index, &view->info);
    check_lent(slot);
    model_taken((uint32_t)view->len, &view->info);
}

static bool model_may_deliver_partial(void)
{
    if (model.queue_head != model.queue_len || model.cum_count == 0)
        return false;
    const struct model_message *message =
        &model.messages[model.chunks[model.cum_count - 1].message];
    return !is_complete(message) &&
           (message->unordered || message->ssn == model.next_ssn[message->sid]);
}

static void step_deliver_partial(void)
{
    bool expected = model_may_deliver_partial();
    uint32_t cum = model.initial_tsn + model.cum_count - 1;
    assert_int_equal(hws_reassembly_deliver_partial(&r, cum), expected);
    if (expected)
        model_deliver(model.chunks[model.cum_count - 1].message);
}

static void step_read(bool fail)
{
    if (random_below(&model.seed, 2) == 0)
        step_lend(fail);
    else
        step_take();
}

static void run_model(uint64_t seed, uint32_t spread, uint32_t eagerness, bool partial, bool fail)
{
    begin(NULL);
    m.seed = seed;
    model_begin(seed);
    while (model.cum_count < model.chunk_count) {
        step_add(spread, fail && random_below(&model.seed, 3) == 0);
        while (random_below(&model.seed, eagerness) == 0)
            step_read(fail);
        if (partial && random_below(&model.seed, 3) == 0)
            step_deliver_partial();
        assert_int_equal(r.payload_bytes, model.held_bytes);
        assert_true(r.charged_bytes >= r.payload_bytes);
    }
    while (model.queue_head < model.queue_len)
        step_read(fail);
    for (uint32_t slot = 0; slot < VIEWS; slot++)
        step_give_back(slot);
    assert_int_equal(model.queue_len, MESSAGES);
    assert_int_equal(r.messages_taken, MESSAGES);
    assert_int_equal(r.charged_bytes, 0);
    end(NULL);
}

static void run_models(bool partial, bool fail)
{
    const uint32_t spreads[] = {1, 2, 5, 40, 1000, CHUNKS};
    for (uint64_t seed = 0; seed < 4; seed++)
        for (size_t i = 0; i < sizeof spreads / sizeof spreads[0]; i++)
            for (uint32_t eagerness = 2; eagerness <= 8; eagerness += 3)
                run_model(seed * 100 + i, spreads[i], eagerness, partial, fail);
}

static void random_messages_agree_with_model(void **state)
{
    (void)state;
    run_models(false, false);
}

static void random_messages_with_partial_delivery(void **state)
{
    (void)state;
    run_models(true, false);
}

static void random_messages_while_memory_fails(void **state)
{
    (void)state;
    run_models(true, true);
}

/** The n-th allocation fails, for every n: nothing is lost, what was refused may come again. */
static void every_allocation_fails_once(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 400; n++) {
        begin(NULL);
        model_begin(9);
        m.fail_in = n;
        uint32_t refused = 0;
        for (uint32_t i = 0; i < 200; i++) {
            uint32_t index = i ^ 3u; /* blocks of four in reverse */
            if (give(index) == HWS_REASSEMBLY_NOMEM) {
                refused++;
                assert_int_not_equal(give(index), HWS_REASSEMBLY_NOMEM);
            }
            model_arrive(index);
        }
        assert_int_equal(refused, m.fail_in == 0 ? 1 : 0);
        assert_int_equal(r.payload_bytes, model.held_bytes);
        while (model_available() > 0)
            step_take();
        end(NULL);
    }
}

/** Any flags, streams and SSNs, TSNs new or (`repeat`) held already: memory stays in order. */
static void run_hostile(uint64_t seed, bool repeat)
{
    static bool arrived[3000];
    uint8_t out[64];
    struct hws_rcvinfo info;
    uint32_t cum = 0;
    memset(arrived, 0, sizeof arrived);
    for (uint32_t i = 0; i < 2000; i++) {
        uint32_t tsn = cum + 1 + random_below(&seed, 40);
        uint8_t flags = (uint8_t)(random64(&seed) & random64(&seed) & (B | E | U));
        bool is_new = !arrived[tsn];
        if (is_new || repeat)
            add_on((uint16_t)random_below(&seed, 2), (uint16_t)random_below(&seed, 3), tsn, flags,
                   "some bytes");
        arrived[tsn] = true;
        while (arrived[cum + 1] && cum < 2900)
            cum++;
        if (random_below(&seed, 8) == 0)
            hws_reassembly_deliver_partial(&r, cum);
        if (random_below(&seed, 4) == 0)
            hws_reassembly_take(&r, out, 1 + random_below(&seed, 64), &info);
        if (random_below(&seed, 500) == 0)
            hws_reassembly_reset(&r, random_below(&seed, 2) == 0);
    }
}

static void hostile_chunks(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        begin(NULL);
        run_hostile(seed, seed % 2 == 0);
        end(NULL);
    }
}

#define story(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        story(whole_messages_in_order),
        story(message_taken_in_parts),
        story(a_message_s_time_is_its_last_packet_s),
        story(a_part_s_time_is_that_of_what_has_come),
        story(fragments_in_every_order),
        story(ordered_messages_wait_unordered_do_not),
        story(unordered_fragments_above_a_gap),
        story(ssn_wraps),
        story(far_apart_ssns_within_the_window),
        story(streams_far_apart),
        story(contradictions),
        story(fragment_that_can_never_be_completed),
        story(message_longer_than_the_window),
        story(small_is_copied_large_is_kept),
        story(messages_share_a_large_packet),
        story(one_byte_is_charged_at_its_cost),
        story(partial_delivery),
        story(partial_delivery_releases_what_waited),
        story(partial_delivery_out_of_the_ring),
        story(partial_delivery_has_to_be_its_turn),
        story(contradictions_in_partial_delivery),
        story(reset_keeps_what_is_ready),
        story(reset_drops_everything),
        story(reset_forgets_the_last_end),
        story(reset_ends_partial_delivery),
        story(fini_frees_everything),
        cmocka_unit_test(random_messages_agree_with_model),
        cmocka_unit_test(random_messages_with_partial_delivery),
        cmocka_unit_test(random_messages_while_memory_fails),
        cmocka_unit_test(every_allocation_fails_once),
        cmocka_unit_test(hostile_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
