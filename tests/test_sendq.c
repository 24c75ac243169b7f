#include <stdbool.h>
#include <string.h>

#include "memory_env.h"
#include "proto/chunk.h"
#include "stack/registry.h"
#include "stack/sendq.h"

#define FULL 1000u /* payload of an otherwise empty packet, as most tests have it */

static struct memory_env m;
static struct hws_sendq q;
static uint64_t refused;

static void begin(const char *sched)
{
    memory_env_init(&m, 1, true);
    struct hws_registry registry;
    hws_registry_init(&registry, NULL, 0);
    hws_sendq_init(&q, &m.pool, hws_registry_sched(&registry, sched), &refused);
}

static void end(void)
{
    hws_sendq_fini(&q);
    memory_env_fini(&m);
}

/* Byte number `at` of the message that is told by `first`. */
static uint8_t pattern(uint32_t first, uint32_t at)
{
    return (uint8_t)(first * 31 + at + (at >> 8));
}

static int try_push_info(const struct hws_sndinfo *info, uint32_t first, uint32_t len)
{
    static uint8_t bytes[70000];
    for (uint32_t i = 0; i < len; i++)
        bytes[i] = pattern(first, i);
    struct hws_iovec iov[] = {
        {bytes, len / 3}, {NULL, 0}, {bytes + len / 3, 0}, {bytes + len / 3, len - len / 3}};
    if (!hws_sendq_reserve(&q, info->sid))
        return HWS_E_NOMEM;
    struct hws_msg *msg = hws_msg_new(&m.pool, info, iov, 4, len, NULL);
    if (msg == NULL)
        return HWS_E_NOMEM;
    hws_sendq_push(&q, msg, 0);
    return HWS_OK;
}

static int try_push(uint16_t sid, uint16_t flags, uint32_t first, uint32_t len)
{
    struct hws_sndinfo info = {.sid = sid, .flags = flags, .ppid = first};
    return try_push_info(&info, first, len);
}

static void push(uint16_t sid, uint16_t flags, uint32_t first, uint32_t len)
{
    assert_int_equal(try_push(sid, flags, first, len), HWS_OK);
}

static void drop(const struct hws_fragment *f)
{
    hws_msg_unref(&m.pool, f->msg);
}

static void check_bytes(const struct hws_fragment *f)
{
    assert_true(f->offset + f->len <= f->msg->len);
    for (uint32_t i = 0; i < f->len; i++)
        assert_int_equal(f->msg->data[f->offset + i], pattern(f->msg->ppid, f->offset + i));
}

/* The next fragment is that one: offset and length, and with these flags. */
static void cuts(uint32_t room, uint32_t offset, uint32_t len, uint8_t flags)
{
    struct hws_fragment f;
    assert_true(hws_sendq_cut(&q, room, FULL, &f));
    assert_int_equal(f.offset, offset);
    assert_int_equal(f.len, len);
    assert_int_equal(f.flags, flags);
    check_bytes(&f);
    drop(&f);
}

/* The next fragment is a whole message of that stream with that SSN. */
static void cuts_message(uint16_t sid, uint32_t first, uint16_t ssn)
{
    struct hws_fragment f;
    assert_true(hws_sendq_cut(&q, FULL, FULL, &f));
    assert_int_equal(f.msg->sid, sid);
    assert_int_equal(f.msg->ppid, first);
    assert_int_equal(f.msg->ssn, ssn);
    assert_int_equal(f.len, f.msg->len);
    check_bytes(&f);
    drop(&f);
}

static void cuts_nothing(uint32_t room)
{
    struct hws_fragment f;
    uint32_t bytes = q.unsent_bytes, messages = q.unsent_messages;
    assert_false(hws_sendq_cut(&q, room, FULL, &f));
    assert_int_equal(q.unsent_bytes, bytes);
    assert_int_equal(q.unsent_messages, messages);
}

static void nothing_queued_nothing_cut(void **state)
{
    (void)state;
    begin(NULL);
    cuts_nothing(FULL);
    assert_int_equal(m.live_objects, 0);
    end();
}

static void a_message_is_gathered_and_sent_whole(void **state)
{
    (void)state;
    begin(NULL);
    push(7, 0, 1, 500);
    assert_int_equal(q.unsent_bytes, 500);
    assert_int_equal(q.unsent_messages, 1);
    cuts(500, 0, 500, HWS_DATA_B | HWS_DATA_E);
    assert_int_equal(q.unsent_bytes, 0);
    assert_int_equal(q.unsent_messages, 0);
    cuts_nothing(FULL);
    end();
}

/* What a packet of its own could carry is not cut only to fill this one. */
static void what_fits_one_packet_is_not_cut(void **state)
{
    (void)state;
    begin(NULL);
    push(0, 0, 1, FULL);
    cuts_nothing(FULL - 1);
    cuts_nothing(4);
    cuts(FULL, 0, FULL, HWS_DATA_B | HWS_DATA_E);
    push(0, 0, 2, FULL + 1);
    cuts(102, 0, 100, HWS_DATA_B);
    cuts(FULL, 100, FULL - 99, HWS_DATA_E); /* the rest of a message begun is taken */
    end();
}

/* Padding would leave a hole in a full packet: all but the last fragment are whole words. */
static void fragments_are_whole_words(void **state)
{
    (void)state;
    begin(NULL);
    push(0, 0, 1, 3005);
    cuts(1003, 0, 1000, HWS_DATA_B);
    cuts(1002, 1000, 1000, 0);
    cuts(1001, 2000, 1000, 0);
    cuts_nothing(3); /* not even a word */
    cuts(7, 3000, 5, HWS_DATA_E);
    end();
}

static void flags_of_fragments(void **state)
{
    (void)state;
    const uint8_t u = HWS_DATA_U;
    begin(NULL);
    push(0, HWS_SEND_UNORDERED | HWS_SEND_SACK_IMMEDIATELY, 1, 2004);
    cuts(FULL, 0, 1000, HWS_DATA_B | u);
    cuts(FULL, 1000, 1000, u);
    cuts(FULL, 2000, 4, HWS_DATA_E | u | HWS_DATA_I); /* RFC 9260, 6.9: the last one has the I */
    push(0, HWS_SEND_SACK_IMMEDIATELY, 2, 9);
    cuts(FULL, 0, 9, HWS_DATA_B | HWS_DATA_E | HWS_DATA_I);
    push(0, HWS_SEND_UNORDERED, 3, 9);
    cuts(FULL, 0, 9, HWS_DATA_B | HWS_DATA_E | u);
    end();
}

/* RFC 9260, 6.5 and 6.6: a stream's ordered messages are numbered, unordered ones are not. */
static void ssn_per_stream(void **state)
{
    (void)state;
    begin(NULL);
    push(3, 0, 1, 10);
    push(9, 0, 2, 10);
    push(3, HWS_SEND_UNORDERED, 3, 10);
    push(3, 0, 4, 10);
    push(9, 0, 5, 10);
    cuts_message(3, 1, 0);
    cuts_message(9, 2, 0);
    cuts_message(3, 3, 0);
    cuts_message(3, 4, 1);
    cuts_message(9, 5, 1);
    end();
}

static void ssn_wraps(void **state)
{
    (void)state;
    begin(NULL);
    for (uint32_t i = 0; i < 65538; i++) {
        push(1, 0, i, 1);
        cuts_message(1, i, (uint16_t)i);
    }
    end();
}

/* All fragments of a message have its SSN; waiting for room does not use one up. */
static void one_ssn_for_all_fragments(void **state)
{
    (void)state;
    begin(NULL);
    push(1, 0, 1, 5);
    cuts_message(1, 1, 0);
    push(1, 0, 2, 3 * FULL);
    cuts_nothing(3);
    for (int i = 0; i < 3; i++) {
        struct hws_fragment f;
        assert_true(hws_sendq_cut(&q, FULL, FULL, &f));
        assert_int_equal(f.msg->ssn, 1);
        drop(&f);
    }
    push(1, 0, 3, 5);
    cuts_message(1, 3, 2);
    end();
}

/* A scheduler that lets the stream that became ready last go first. */
struct lifo {
    uint16_t stack[8];
    uint32_t count;
};

static void lifo_ready(void *sched_state, void *stream, const struct hws_sched_message *head)
{
    (void)stream;
    struct lifo *s = sched_state;
    s->stack[s->count++] = head->sid;
}

static uint32_t lifo_next(void *sched_state)
{
    const struct lifo *s = sched_state;
    return s->count > 0 ? s->stack[s->count - 1] : HWS_SCHED_NONE;
}

/* It is told who left: it may be one below the top that had begun before. */
static void lifo_sent(void *sched_state, void *stream, uint32_t bytes)
{
    (void)stream;
    (void)bytes;
    struct lifo *s = sched_state;
    if (s->count > 1 && s->stack[0] == 0)
        memmove(s->stack, s->stack + 1, sizeof s->stack - sizeof s->stack[0]);
    s->count--;
}

static const struct hws_sched_ops lifo = {.name = "lifo",
                                          .state_size = sizeof(struct lifo),
                                          .ready = lifo_ready,
                                          .next = lifo_next,
                                          .sent = lifo_sent};

/* RFC 9260, 6.9: fragments get consecutive TSNs, whosever turn it would be. */
static void a_message_begun_is_finished_first(void **state)
{
    (void)state;
    memory_env_init(&m, 1, true);
    hws_sendq_init(&q, &m.pool, &lifo, &refused);
    push(0, 0, 1, 2 * FULL);
    cuts(FULL, 0, FULL, HWS_DATA_B);
    push(1, 0, 2, 10);
    push(2, HWS_SEND_UNORDERED, 3, 10);
    cuts_nothing(3); /* there is no room for it: nobody else's message either */
    cuts(FULL, FULL, FULL, HWS_DATA_E);
    cuts_message(2, 3, 0);
    cuts_message(1, 2, 0);
    end();
}

/* ---- Schedulers that answer nonsense ---- */

static uint32_t answer;

static void bad_ready(void *sched_state, void *stream, const struct hws_sched_message *head)
{
    (void)sched_state;
    (void)head;
    memset(stream, 0xff, HWS_EXT_SCHED_STREAM_MAX);
}

static uint32_t bad_next(void *sched_state)
{
    (void)sched_state;
    return answer;
}

static void bad_sent(void *sched_state, void *stream, uint32_t bytes)
{
    (void)stream;
    (void)bytes;
    memset(sched_state, 0xff, HWS_EXT_SCHED_STATE_MAX);
}

static const struct hws_sched_ops bad = {.name = "bad",
                                         .state_size = HWS_EXT_SCHED_STATE_MAX,
                                         .stream_size = HWS_EXT_SCHED_STREAM_MAX,
                                         .ready = bad_ready,
                                         .next = bad_next,
                                         .sent = bad_sent};

/* No stream, one that was never used, one that is empty: some ready stream goes, and it counts. */
static void nonsense_is_refused(void **state)
{
    (void)state;
    const uint32_t answers[] = {HWS_SCHED_NONE, 65536, 7, 2, 0};
    memory_env_init(&m, 1, true);
    hws_sendq_init(&q, &m.pool, &bad, &refused);
    refused = 0;
    for (uint32_t i = 0; i < 5; i++) {
        push(2, 0, 1, 10);
        push(0, 0, 2, 10);
        push(5, 0, 3, 10);
        for (int left = 3; left > 0; left--) {
            struct hws_fragment f;
            answer = answers[i];
            assert_true(hws_sendq_cut(&q, FULL, FULL, &f));
            drop(&f);
        }
        assert_null(hws_sendq_next(&q));
    }
    assert_in_range(refused, 9, 14);
    end();
}

static void the_scheduler_chooses(void **state)
{
    (void)state;
    begin("rr");
    push(4, 0, 1, 10);
    push(4, 0, 2, 10);
    push(8, 0, 3, 10);
    push(65535, 0, 4, 10);
    cuts_message(4, 1, 0);
    cuts_message(8, 3, 0);
    cuts_message(65535, 4, 0);
    cuts_message(4, 2, 1);
    cuts_nothing(FULL);
    end();
}

/* A message lives as long as it is queued or any fragment of it may have to be sent again. */
static void fragments_keep_their_message(void **state)
{
    (void)state;
    struct hws_fragment f[3];
    begin(NULL);
    push(0, 0, 1, 3 * FULL);
    size_t queued = m.live_objects;
    for (int i = 0; i < 3; i++)
        assert_true(hws_sendq_cut(&q, FULL, FULL, &f[i]));
    assert_int_equal(m.live_objects, queued);
    drop(&f[1]);
    drop(&f[0]);
    assert_int_equal(m.live_objects, queued);
    check_bytes(&f[2]);
    drop(&f[2]);
    assert_int_equal(m.live_objects, queued - 1);
    end();
}

static void fragments_outlive_the_queue(void **state)
{
    (void)state;
    struct hws_fragment part, whole;
    begin(NULL);
    push(0, 0, 1, 100);
    push(1, 0, 2, 3 * FULL);
    push(1, 0, 3, 100);
    push(2, 0, 4, 100);
    assert_true(hws_sendq_cut(&q, FULL, FULL, &whole));
    assert_true(hws_sendq_cut(&q, FULL, FULL, &part));
    hws_sendq_fini(&q);
    assert_int_equal(q.unsent_bytes, 0);
    assert_int_equal(q.unsent_messages, 0);
    assert_int_equal(m.live_objects, 2);
    check_bytes(&whole);
    check_bytes(&part);
    drop(&whole);
    drop(&part);
    memory_env_fini(&m);
}

/* The allocation number `fail_in` fails: the message is refused and leaves no trace, but is taken
 * when it comes again. Whether there was such an allocation. */
static bool refused_once(const char *sched, uint32_t fail_in)
{
    begin(sched);
    m.fail_in = fail_in;
    int error = try_push(300, 0, 1, 50);
    bool refused = m.fail_in == 0;
    m.fail_in = 0;
    assert_int_equal(error, refused ? HWS_E_NOMEM : HWS_OK);
    if (refused) {
        assert_int_equal(q.unsent_bytes, 0);
        assert_int_equal(q.unsent_messages, 0);
        cuts_nothing(FULL);
        push(300, 0, 1, 50);
    }
    assert_int_equal(q.unsent_bytes, 50);
    cuts_message(300, 1, 0);
    end();
    return refused;
}

static void no_memory_queues_nothing(void **state)
{
    (void)state;
    uint32_t fcfs = 0, rr = 0;
    while (refused_once("fcfs", fcfs + 1))
        fcfs++;
    while (refused_once("rr", rr + 1))
        rr++;
    assert_int_equal(fcfs, 3); /* the streams' array, the stream, the message */
    assert_int_equal(rr, 3);
}

/* Messages that name a path are counted until they are cut whole. */
static void messages_with_a_path_of_their_own(void **state)
{
    (void)state;
    begin(NULL);
    const struct hws_sndinfo info = {.path = 2, .ppid = 2};
    push(0, 0, 1, 10);
    assert_int_equal(try_push_info(&info, 2, FULL + 100), HWS_OK);
    assert_int_equal(q.overrides, 1);
    assert_int_equal(hws_sendq_next(&q)->path, 0);
    cuts(FULL, 0, 10, HWS_DATA_B | HWS_DATA_E);
    assert_int_equal(hws_sendq_next(&q)->path, 2);
    cuts(FULL, 0, FULL, HWS_DATA_B);
    assert_int_equal(q.overrides, 1);
    cuts(FULL, FULL, 100, HWS_DATA_E);
    assert_int_equal(q.overrides, 0);
    assert_null(hws_sendq_next(&q));
    end();
}

static void takes(uint32_t first, uint32_t cut)
{
    struct hws_msg *msg = hws_sendq_take(&q);
    assert_non_null(msg);
    assert_int_equal(msg->ppid, first);
    assert_int_equal(msg->cut, cut);
    hws_msg_unref(&m.pool, msg);
}

static void messages_are_taken_out_in_the_order_they_would_be_sent(void **state)
{
    (void)state;
    begin(NULL);
    push(4, 0, 1, 3000);
    push(2, 0, 2, 10);
    push(4, 0, 3, 10);
    cuts(FULL, 0, FULL, HWS_DATA_B);
    takes(1, FULL);
    assert_int_equal(q.unsent_bytes, 20);
    takes(2, 0);
    takes(3, 0);
    assert_int_equal(q.unsent_bytes, 0);
    assert_int_equal(q.unsent_messages, 0);
    assert_null(hws_sendq_take(&q));
    push(4, 0, 4, 10); /* the queue is as good as new */
    cuts_message(4, 4, 1);
    end();
}

static void limits_streams(const char *sched)
{
    begin(sched);
    struct hws_msg_list dropped = {0};
    push(5, 0, 1, 10);
    push(1, 0, 2, 10);
    push(9, 0, 3, 10);
    push(1, 0, 4, 10);
    push(5, 0, 5, 10);
    assert_int_equal(hws_sendq_limit_streams(&q, 10, &dropped), 0);
    assert_int_equal(hws_sendq_limit_streams(&q, 5, &dropped), 3);
    static const uint32_t expected[] = {1, 3, 5};
    for (int i = 0; i < 3; i++) {
        struct hws_msg *msg = hws_msg_list_pop(&dropped);
        assert_int_equal(msg->ppid, expected[i]);
        hws_msg_unref(&m.pool, msg);
    }
    assert_null(hws_msg_list_pop(&dropped));
    assert_int_equal(q.unsent_bytes, 20);
    assert_int_equal(q.unsent_messages, 2);
    cuts_message(1, 2, 0);
    push(0, 0, 6, 10);
    cuts_message(1, 4, 1);
    cuts_message(0, 6, 0);
    end();
}

static void messages_to_streams_that_do_not_exist_are_taken_out(void **state)
{
    (void)state;
    limits_streams("fcfs");
    limits_streams("rr");
}

/* ---- Against a model: the application's calls in order, and how far each message has come ---- */

#define MODEL_MESSAGES 3000u

static struct {
    struct {
        uint16_t sid, flags, ssn;
        uint32_t len;
    } sent[MODEL_MESSAGES];
    uint32_t pushed, head; /* `head`: the first message not wholly cut */
    uint32_t cut;          /* bytes of it that are */
    uint16_t next_ssn[64];
    uint32_t unsent_bytes;
} model;

static void model_push(uint64_t *seed)
{
    uint16_t sid = (uint16_t)random_below(seed, 64);
    uint16_t flags = (uint16_t)random_below(seed, 4);
    uint32_t len = 1 + random_below(seed, random_below(seed, 4) == 0 ? 5000 : 200);
    model.sent[model.pushed].sid = sid;
    model.sent[model.pushed].flags = flags;
    model.sent[model.pushed].len = len;
    push(sid, flags, model.pushed++, len);
    model.unsent_bytes += len;
}

static uint32_t model_fragment_len(uint32_t room, uint32_t full)
{
    uint32_t left = model.sent[model.head].len - model.cut;
    if (left <= room)
        return left;
    return model.cut == 0 && left <= full ? 0 : room / 4 * 4;
}

static uint8_t model_flags(uint32_t len)
{
    uint16_t flags = model.sent[model.head].flags;
    bool last = model.cut + len == model.sent[model.head].len;
    unsigned expected = last ? HWS_DATA_E : 0;
    expected |= model.cut == 0 ? HWS_DATA_B : 0;
    expected |= flags & HWS_SEND_UNORDERED ? HWS_DATA_U : 0;
    expected |= last && (flags & HWS_SEND_SACK_IMMEDIATELY) ? HWS_DATA_I : 0;
    return (uint8_t)expected;
}

static void model_number(void)
{
    uint16_t sid = model.sent[model.head].sid;
    bool ordered = !(model.sent[model.head].flags & HWS_SEND_UNORDERED);
    if (ordered && model.cut == 0)
        model.sent[model.head].ssn = model.next_ssn[sid]++;
}

static void check_fragment(const struct hws_fragment *f, uint32_t len)
{
    assert_int_equal(f->msg->ppid, model.head);
    assert_int_equal(f->msg->sid, model.sent[model.head].sid);
    assert_int_equal(f->msg->ssn, model.sent[model.head].ssn);
    assert_int_equal(f->msg->len, model.sent[model.head].len);
    assert_int_equal(f->offset, model.cut);
    assert_int_equal(f->len, len);
    assert_int_equal(f->flags, model_flags(len));
    check_bytes(f);
}

static void model_cut(uint64_t *seed)
{
    uint32_t full = 1 + random_below(seed, 1500);
    uint32_t room = random_below(seed, full + 1);
    uint32_t len = model.head < model.pushed ? model_fragment_len(room, full) : 0;
    struct hws_fragment f;
    assert_int_equal(hws_sendq_cut(&q, room, full, &f), len > 0);
    if (len == 0)
        return;
    model_number();
    check_fragment(&f, len);
    drop(&f);
    model.unsent_bytes -= len;
    model.cut += len;
    if (model.cut == model.sent[model.head].len) {
        model.head++;
        model.cut = 0;
    }
}

static void run_model(uint64_t seed)
{
    begin("fcfs");
    memset(&model, 0, sizeof model);
    while (model.pushed < MODEL_MESSAGES) {
        if (random_below(&seed, 4) == 0)
            model_push(&seed);
        else
            model_cut(&seed);
        assert_int_equal(q.unsent_bytes, model.unsent_bytes);
        assert_int_equal(q.unsent_messages, model.pushed - model.head);
    }
    end(); /* with what is still queued */
}

static void random_use_agrees_with_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++)
        run_model(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_queued_nothing_cut),
        cmocka_unit_test(a_message_is_gathered_and_sent_whole),
        cmocka_unit_test(what_fits_one_packet_is_not_cut),
        cmocka_unit_test(fragments_are_whole_words),
        cmocka_unit_test(flags_of_fragments),
        cmocka_unit_test(ssn_per_stream),
        cmocka_unit_test(ssn_wraps),
        cmocka_unit_test(messages_with_a_path_of_their_own),
        cmocka_unit_test(messages_are_taken_out_in_the_order_they_would_be_sent),
        cmocka_unit_test(messages_to_streams_that_do_not_exist_are_taken_out),
        cmocka_unit_test(one_ssn_for_all_fragments),
        cmocka_unit_test(a_message_begun_is_finished_first),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(the_scheduler_chooses),
        cmocka_unit_test(fragments_keep_their_message),
        cmocka_unit_test(fragments_outlive_the_queue),
        cmocka_unit_test(no_memory_queues_nothing),
        cmocka_unit_test(random_use_agrees_with_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
