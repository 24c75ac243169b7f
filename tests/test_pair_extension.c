/* Stories of extensions: what both sides have to offer, chunks that come and go, timers, events,
 * repaired DATA chunks, and extensions that do what they must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/chunk.h"
#include "stack/extend.h"
#include "stack/observer.h"
#include "tests/pair.h"

#define SECOND 1000000u
#define MS 1000u
#define TYPE_HELLO 0x90u
#define TYPE_LAST 0x91u
#define TYPE_SENT_ONLY 0x92u
#define CAUSE 0x8123u

/* ---- The extension: it does what a test says, and notes what it is called with ---- */

struct notes {
    unsigned begun, ended, inputs, fills, timers, sent, sent_again, received;
    uint32_t last_tsn;
    uint8_t peer[HWS_EXT_PARAM_MAX + 1];
    uint8_t value[64];
    uint16_t value_len;
    uint8_t path, flags;
    bool initiator;
};

struct state {
    uint64_t words[4];
};

static struct notes notes[2]; /* by `initiator` */
static int last_result;       /* of a service */
static void (*on_input)(const struct hws_ext_assoc *assoc, const struct hws_ext_in *in);
static bool (*on_fill)(const struct hws_ext_assoc *assoc, struct hws_ext_out *out);
static void (*on_begin)(const struct hws_ext_assoc *assoc);
static void (*on_timer)(const struct hws_ext_assoc *assoc);
static void (*on_sent)(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data);
static void (*on_received)(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data);

static void note_begin(const struct hws_ext_assoc *assoc, const uint8_t *value, uint16_t len)
{
    struct notes *n = &notes[assoc->initiator];
    const struct state *state = assoc->state;
    n->begun++;
    assert_in_range(len, 0, HWS_EXT_PARAM_MAX);
    memset(n->peer, 0, sizeof n->peer);
    memcpy(n->peer, value, len);
    for (unsigned i = 0; i < 4; i++)
        assert_true(state->words[i] == 0);
    memset(assoc->state, 0xab, sizeof *state);
    if (on_begin != NULL)
        on_begin(assoc);
}

static void note_end(const struct hws_ext_assoc *assoc)
{
    notes[assoc->initiator].ended++;
    assert_int_equal(hws_ext_want(assoc, TYPE_HELLO, 0), HWS_EXT_STATE);
    assert_null(hws_ext_alloc(assoc, 1));
}

static void note_input(const struct hws_ext_assoc *assoc, const struct hws_ext_in *in)
{
    struct notes *n = &notes[assoc->initiator];
    n->inputs++;
    n->value_len = in->len;
    n->path = in->path;
    n->flags = in->flags;
    memcpy(n->value, in->value, in->len < sizeof n->value ? in->len : sizeof n->value);
    if (on_input != NULL)
        on_input(assoc, in);
}

static bool hello(const struct hws_ext_assoc *assoc, struct hws_ext_out *out)
{
    out->flags = 5;
    return hws_ext_put(assoc, out, "hel", 3) == HWS_EXT_OK &&
           hws_ext_put(assoc, out, "lo", 2) == HWS_EXT_OK;
}

static bool note_fill(const struct hws_ext_assoc *assoc, struct hws_ext_out *out)
{
    notes[assoc->initiator].fills++;
    return on_fill != NULL ? on_fill(assoc, out) : hello(assoc, out);
}

static void note_timer(const struct hws_ext_assoc *assoc)
{
    notes[assoc->initiator].timers++;
    if (on_timer != NULL)
        on_timer(assoc);
}

static void note_sent(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data)
{
    struct notes *n = &notes[assoc->initiator];
    assert_int_equal(data->chunk[0], HWS_CHUNK_DATA);
    assert_int_equal(data->chunk[2] << 8 | data->chunk[3], data->len);
    n->last_tsn = data->tsn;
    n->sent++;
    n->sent_again += data->again;
    if (on_sent != NULL)
        on_sent(assoc, data);
}

static void note_received(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data)
{
    notes[assoc->initiator].received++;
    notes[assoc->initiator].last_tsn = data->tsn;
    assert_int_equal(data->chunk[2] << 8 | data->chunk[3], data->len);
    if (on_received != NULL)
        on_received(assoc, data);
}

static bool not_no(const uint8_t *value, uint16_t len)
{
    return len != 2 || memcmp(value, "no", 2) != 0;
}

static const struct hws_ext_chunk chunks[] = {
    {.type = TYPE_HELLO,
     .name = "HELLO",
     .min_len = 4,
     .states = HWS_EXT_IN_ESTABLISHED | HWS_EXT_IN_SHUTDOWN_PENDING,
     .place = HWS_EXT_BEFORE_DATA,
     .input = note_input,
     .fill = note_fill},
    {.type = TYPE_LAST,
     .name = "LAST",
     .states = HWS_EXT_IN_ANY,
     .place = HWS_EXT_AFTER_DATA,
     .input = note_input,
     .fill = note_fill},
    {.type = TYPE_SENT_ONLY, .name = "ONLY", .states = HWS_EXT_IN_ANY, .fill = note_fill},
};
static const struct hws_ext_cause cause = {.code = CAUSE, .name = "Not-Well"};

#define EXTENSION(value)                                                                           \
    {                                                                                              \
        .api = HWS_EXTEND_API, .name = "test", .param = 0x9abc, .offer = value,                    \
        .offer_len = sizeof value - 1, .accept = not_no, .chunks = chunks, .chunk_count = 3,       \
        .causes = &cause, .cause_count = 1, .state_size = sizeof(struct state),                    \
        .begin = note_begin, .end = note_end, .data_sent = note_sent,                              \
        .data_received = note_received, .timer = note_timer,                                       \
    }

static const struct hws_extension from_a = EXTENSION("from a"), from_b = EXTENSION("from b");
static const struct hws_extension says_no = EXTENSION("no");
static const struct hws_extension *const list_a[] = {&from_a, NULL};
static const struct hws_extension *const list_b[] = {&from_b, NULL};
static const struct hws_extension *const list_no[] = {&says_no, NULL};

static int begin(void **state)
{
    (void)state;
    memset(notes, 0, sizeof notes);
    on_input = NULL;
    on_fill = NULL;
    on_begin = on_timer = NULL;
    on_sent = on_received = NULL;
    last_result = 1;
    return 0;
}

static void at_once(struct hws_params *a, struct hws_params *b)
{
    a->nodelay = b->nodelay = true;
}

static struct pair *connected(void)
{
    struct pair *p = pair_new(
        &(struct pair_options){.a_extensions = list_a, .b_extensions = list_b, .params = at_once});
    pair_connect(p);
    return p;
}

static struct pair *both(void)
{
    struct pair *p = connected();
    pair_send(&p->a, 0, 0, "hi", 2);
    pair_send(&p->b, 0, 0, "hi", 2);
    pair_run(p, SECOND);
    pair_drain(&p->a);
    pair_drain(&p->b);
    return p;
}

static bool is_on(const struct pair_end *end)
{
    return hws_assoc_has_extension(end->engine, end->assoc, "test");
}

static uint64_t faults(const struct pair_end *end)
{
    return pair_stats(end)->ext_faults;
}

/* Has `end` ask for a chunk, as soon as it is called for its next DATA chunk. */
static uint8_t wanted_type;
static uint8_t wanted_path;

static void want_when_sent(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data)
{
    (void)data;
    last_result = hws_ext_want(assoc, wanted_type, wanted_path);
    on_sent = NULL;
}

/* A message goes from a to b and is acknowledged; `type` was asked for meanwhile. */
static void ask_for(struct pair *p, uint8_t type)
{
    wanted_type = type;
    wanted_path = HWS_EXT_DATA_PATH;
    on_sent = want_when_sent;
    pair_send(&p->a, 0, 0, "x", 1);
}

/* ---- Negotiation ---- */

static void on_when_both_offer(void **state)
{
    (void)state;
    struct pair *p = both();
    assert_true(is_on(&p->a) && is_on(&p->b));
    assert_int_equal(notes[0].begun, 1);
    assert_int_equal(notes[1].begun, 1);
    assert_string_equal((char *)notes[0].peer, "from a");
    assert_string_equal((char *)notes[1].peer, "from b");
    assert_false(hws_assoc_has_extension(p->a.engine, p->a.assoc, "built-in"));
    pair_shutdown(&p->a);
    pair_settle(p);
    assert_int_equal(notes[0].ended, 1);
    assert_int_equal(notes[1].ended, 1);
    assert_false(is_on(&p->a));
    pair_free(p);
    assert_int_equal(notes[0].ended + notes[1].ended, 2);
}

static void off_when_one_does_not(void **state)
{
    (void)state;
    const struct pair_options options[] = {
        {.a_extensions = list_a},
        {.b_extensions = list_b},
        {.a_extensions = list_no, .b_extensions = list_b},
        {.a_extensions = list_no, .b_extensions = list_no},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct pair *p = pair_new(&options[i]);
        pair_connect_and_talk(p);
        assert_false(is_on(&p->b));
        assert_int_equal(notes[1].begun, 0);
        assert_int_equal(notes[0].begun, 0);
        assert_int_equal(pair_stats(&p->a)->drop_chunk_unknown, 0);
        pair_free(p);
    }
}

/* An INIT without extensions is as it always was, and a peer without it echoes nothing. */
static void nothing_is_echoed(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.a_extensions = list_a});
    pair_begin(&p->a);
    assert_non_null(strstr(pair_text(pair_first(&p->a)), "0x9abc"));
    pair_arrives(&p->a, "INIT");
    assert_null(strstr(pair_text(pair_first(&p->b)), "Unrecognized"));
    pair_settle(p);
    pair_free(p);
}

/* 5.2.4 B: both begin. */
static void on_after_a_collision(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){
        .a_extensions = list_a, .b_extensions = list_b, .both_listen = true});
    pair_begin(&p->a);
    pair_begin(&p->b);
    pair_settle(p);
    assert_true(is_on(&p->a) && is_on(&p->b));
    assert_int_equal(notes[0].begun + notes[1].begun, 2);
    pair_free(p);
}

static void anew_after_a_restart(void **state)
{
    (void)state;
    struct pair *p = both();
    pair_reboot(&p->a, false);
    assert_int_equal(notes[1].ended, 1);
    pair_begin(&p->a);
    pair_settle(p);
    assert_true(pair_saw(&p->b, HWS_EVENT_RESTART));
    assert_int_equal(notes[0].ended, 1);
    assert_int_equal(notes[0].begun, 2);
    assert_true(is_on(&p->b));
    /* And off, when the peer comes back without it. */
    p->a.extension_count = 0;
    pair_reboot(&p->a, false);
    pair_begin(&p->a);
    pair_settle(p);
    assert_int_equal(notes[0].ended, 2);
    assert_int_equal(notes[0].begun, 2);
    assert_false(is_on(&p->b));
    pair_free(p);
}

/* ---- Chunks ---- */

static void chunk_before_data(void **state)
{
    (void)state;
    struct pair *p = both();
    ask_for(p, TYPE_HELLO);
    pair_pull(p);
    assert_int_equal(last_result, HWS_EXT_OK);
    pair_arrives(&p->a, "DATA");
    assert_int_equal(pair_chunk(pair_first(&p->a), 0).bytes[0], TYPE_HELLO);
    pair_settle(p);
    assert_int_equal(notes[0].inputs, 1);
    assert_int_equal(notes[0].value_len, 5);
    assert_memory_equal(notes[0].value, "hello", 5);
    assert_int_equal(notes[0].flags, 5);
    assert_int_equal(notes[1].fills, 1);
    assert_int_equal(pair_stats(&p->a)->ext_chunks_out, 1);
    assert_int_equal(pair_stats(&p->b)->ext_chunks_in, 1);
    assert_int_equal(faults(&p->a) + faults(&p->b), 0);
    pair_free(p);
}

static void chunk_after_data(void **state)
{
    (void)state;
    struct pair *p = both();
    ask_for(p, TYPE_LAST);
    pair_pull(p);
    struct pair_packet *packet = pair_first(&p->a);
    assert_string_equal(pair_chunks(packet), "DATA+?");
    assert_int_equal(pair_chunk(packet, 1).bytes[0], TYPE_LAST);
    pair_settle(p);
    assert_int_equal(notes[0].inputs, 1);
    pair_free(p);
}

static void in_states_allowed_only(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct hws_builder b;
    struct pair *p = both();
    pair_shutdown(&p->a);
    pair_arrives(&p->a, "SHUTDOWN");
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_SHUTDOWN_SENT);
    pair_forge(&p->a, &b, bytes, sizeof bytes);
    hws_chunk_put(&b, TYPE_HELLO, 0, "hello", 5);
    pair_inject(&p->a, bytes, b.len);
    assert_int_equal(notes[1].inputs, 0);
    assert_int_equal(pair_stats(&p->a)->drop_chunk_state, 1);
    pair_forge(&p->a, &b, bytes, sizeof bytes);
    hws_chunk_put(&b, TYPE_LAST, 0, "", 0);
    pair_inject(&p->a, bytes, b.len);
    assert_int_equal(notes[1].inputs, 1);
    pair_settle(p);
    pair_free(p);
}

static void short_chunks_are_malformed(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct hws_builder b;
    struct pair *p = both();
    pair_forge(&p->b, &b, bytes, sizeof bytes);
    hws_chunk_put(&b, TYPE_HELLO, 0, "hel", 3);
    hws_chunk_put(&b, TYPE_SENT_ONLY, 0, NULL, 0);
    hws_chunk_put(&b, TYPE_HELLO, 0, "hell", 4);
    pair_inject(&p->b, bytes, b.len);
    assert_int_equal(pair_stats(&p->b)->drop_chunk_malformed, 1);
    assert_int_equal(pair_stats(&p->b)->drop_chunk_state, 1);
    assert_int_equal(notes[0].inputs, 1);
    pair_free(p);
}

/* A peer for whom it is not on skips the chunk as one it does not know (3.2). */
static void unknown_when_off(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct hws_builder b;
    struct pair *p = pair_new(&(struct pair_options){.b_extensions = list_b});
    pair_connect_and_talk(p);
    pair_forge(&p->b, &b, bytes, sizeof bytes);
    hws_chunk_put(&b, TYPE_HELLO, 0, "hello", 5);
    pair_inject(&p->b, bytes, b.len);
    assert_int_equal(pair_stats(&p->b)->drop_chunk_unknown, 1);
    assert_int_equal(notes[0].inputs, 0);
    pair_silent(p);
    pair_free(p);
}

/* ---- Timers and events ---- */

static void tell_all(const struct hws_ext_assoc *assoc)
{
    for (unsigned i = 0; i <= HWS_EXT_EVENTS_MAX; i++)
        last_result = hws_ext_tell(assoc, 100 + i, "data", (uint16_t)(i % 5));
}

static void set_timer(const struct hws_ext_assoc *assoc)
{
    assert_int_equal(hws_ext_timer(assoc, 250 * MS), HWS_EXT_OK);
}

static void timers_expire_once(void **state)
{
    (void)state;
    on_begin = set_timer;
    struct pair *p = connected();
    pair_run(p, 240 * MS);
    assert_int_equal(notes[0].timers + notes[1].timers, 0);
    pair_run(p, 10 * MS);
    assert_int_equal(notes[0].timers, 1);
    assert_int_equal(notes[1].timers, 1);
    pair_run(p, 10ull * SECOND);
    assert_int_equal(notes[0].timers, 1);
    pair_free(p);
}

static void busy(const struct hws_ext_assoc *assoc)
{
    assert_int_equal(hws_ext_timer(assoc, 0), HWS_EXT_OK);
}

/* One that sets its timer anew each time does not stop the clock. */
static void busy_timer(void **state)
{
    (void)state;
    on_begin = on_timer = busy;
    struct pair *p = connected();
    pair_run(p, SECOND);
    assert_in_range(notes[0].timers, 9000, 10000);
    pair_free(p);
}

static void events_are_told_in_order(void **state)
{
    (void)state;
    on_begin = set_timer;
    on_timer = tell_all;
    struct pair *p = connected();
    pair_wait(p, 250 * MS);
    assert_int_equal(p->a.told_count[HWS_EVENT_EXTENSION], HWS_EXT_EVENTS_MAX);
    const struct hws_event *last = &p->a.told[HWS_EVENT_EXTENSION];
    assert_string_equal(last->extension, "test");
    assert_int_equal(last->code, 100 + HWS_EXT_EVENTS_MAX - 1);
    assert_int_equal(p->a.told_data_len, 0);
    assert_int_equal(last_result, HWS_EXT_FULL);
    assert_int_equal(pair_stats(&p->a)->ext_events_lost, 1);
    pair_settle(p);
    pair_free(p);
}

static void complain(const struct hws_ext_assoc *assoc, const struct hws_ext_in *in)
{
    (void)in;
    last_result = hws_ext_report(assoc, CAUSE, "why", 3);
}

static void causes_are_reported(void **state)
{
    (void)state;
    on_input = complain;
    struct pair *p = both();
    ask_for(p, TYPE_HELLO);
    pair_settle(p);
    assert_int_equal(last_result, HWS_EXT_OK);
    assert_true(pair_saw(&p->a, HWS_EVENT_REMOTE_ERROR));
    assert_int_equal(p->a.told[HWS_EVENT_REMOTE_ERROR].cause, CAUSE);
    assert_memory_equal(p->a.told_data, "\x81\x23\0\7why", 7);
    pair_free(p);
}

/* ---- DATA chunks ---- */

static void data_is_shown(void **state)
{
    (void)state;
    struct pair *p = both();
    unsigned sent = notes[1].sent, received = notes[0].received;
    pair_send_pattern(&p->a, 0, 0, 1, 5000);
    pair_lost(&p->a, "DATA");
    pair_run(p, 5ull * SECOND);
    assert_int_equal(notes[0].received - received, 4);
    assert_int_equal(notes[1].sent - sent, 5);
    assert_int_equal(notes[1].sent_again, 1);
    pair_recv_pattern(&p->b, 0, 1, 5000);
    pair_free(p);
}

/* The lost DATA chunk, kept on a shelf as if it were the outcome of a computation. */
static uint8_t shelf[1500];
static uint16_t shelf_len;

static void repair_from_shelf(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data)
{
    (void)data;
    if (assoc->initiator)
        return;
    last_result = hws_ext_repair(assoc, shelf, shelf_len);
    on_received = NULL;
}

static void lose_and_keep(struct pair *p)
{
    struct pair_packet *packet = pair_take(&p->a);
    struct hws_tlv chunk = pair_chunk(packet, 0);
    memcpy(shelf, chunk.bytes, chunk.len);
    shelf_len = chunk.len;
    free(packet);
}

static void repaired_chunks_are_as_received(void **state)
{
    (void)state;
    struct pair *p = both();
    pair_send_pattern(&p->a, 0, 0, 1, 1000);
    pair_pull(p);
    lose_and_keep(p);
    pair_send_pattern(&p->a, 0, 0, 2, 1000);
    on_received = repair_from_shelf;
    pair_settle(p);
    assert_int_equal(last_result, HWS_EXT_OK);
    pair_recv_pattern(&p->b, 0, 1, 1000);
    pair_recv_pattern(&p->b, 0, 2, 1000);
    assert_int_equal(pair_status(&p->a).unacked_chunks, 0);
    assert_int_equal(pair_stats(&p->a)->retransmits, 0);
    assert_int_equal(pair_stats(&p->b)->ext_repaired, 1);
    on_received = repair_from_shelf;
    pair_send(&p->a, 0, 0, "y", 1);
    pair_settle(p);
    assert_int_equal(last_result, HWS_EXT_KNOWN);
    assert_int_equal(pair_stats(&p->b)->duplicates_in, 0);
    assert_int_equal(faults(&p->b), 0);
    pair_free(p);
}

/* The tail of what was sent is lost: nothing else would tell before T3. */
static void repaired_tail(void **state)
{
    (void)state;
    struct pair *p = both();
    pair_send_pattern(&p->a, 0, 0, 1, 1000);
    ask_for(p, TYPE_LAST); /* in a packet behind it, with a message of its own */
    pair_pull(p);
    lose_and_keep(p);
    on_received = repair_from_shelf;
    pair_settle(p);
    pair_recv_pattern(&p->b, 0, 1, 1000);
    assert_int_equal(pair_status(&p->a).unacked_chunks, 0);
    pair_free(p);
}

static void spoil(struct pair *p, uint16_t at, uint8_t value)
{
    uint8_t was = shelf[at];
    shelf[at] = value;
    uint64_t before = faults(&p->b);
    on_received = repair_from_shelf;
    pair_send(&p->a, 0, 0, "z", 1);
    pair_settle(p);
    assert_int_equal(last_result, HWS_EXT_INVAL);
    assert_int_equal(faults(&p->b), before + 1);
    shelf[at] = was;
}

/* What could not have come from the peer is refused, and the association goes on. */
static void wrong_repairs(void **state)
{
    (void)state;
    struct pair *p = both();
    pair_send_pattern(&p->a, 0, 0, 1, 100);
    pair_pull(p);
    lose_and_keep(p);
    spoil(p, 0, HWS_CHUNK_SACK);             /* no DATA */
    spoil(p, 3, 100);                        /* a length that is not that of the bytes */
    spoil(p, 8, 0xff);                       /* a stream there is not */
    spoil(p, 4, (uint8_t)(shelf[4] + 0x80)); /* a TSN far away */
    shelf_len = 16;
    shelf[3] = 16;
    spoil(p, 3, 16); /* no user data */
    shelf_len = 3;
    spoil(p, 3, 3);
    on_received = NULL;
    pair_run(p, 60ull * SECOND);
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_ESTABLISHED);
    assert_int_equal(pair_status(&p->a).unacked_chunks, 0);
    pair_free(p);
}

/* There is no packet behind a repaired chunk: who watches is told of the drop, and of none. */
static void see_drop(void *dropped, const struct hws_observation *o)
{
    if (o->kind != HWS_OBSERVED_DROPPED)
        return;
    assert_string_equal(o->u.drop.reason, "drop_data_invalid");
    assert_null(o->u.drop.packet);
    ++*(unsigned *)dropped;
}

static void a_repair_that_is_dropped(void **state)
{
    (void)state;
    unsigned dropped = 0;
    struct pair *p = both();
    pair_send_pattern(&p->a, 0, 0, 1, 100);
    pair_pull(p);
    lose_and_keep(p);
    shelf[11]++; /* the SSN of the message behind it, which waits already */
    hws_engine_set_observer(p->b.engine, &(struct hws_observer){.ctx = &dropped, .tell = see_drop});
    on_received = repair_from_shelf;
    pair_send(&p->a, 0, 0, "z", 1);
    pair_settle(p);
    assert_int_equal(last_result, HWS_EXT_INVAL);
    assert_int_equal(dropped, 1);
    pair_free(p);
}

/* ---- What fillers must not ---- */

static bool too_much(const struct hws_ext_assoc *assoc, struct hws_ext_out *out)
{
    static const uint8_t zeros[60000];
    assert_int_equal(hws_ext_put(assoc, out, zeros, sizeof zeros), HWS_EXT_FULL);
    assert_int_equal(hws_ext_put(assoc, out, zeros, 1), HWS_EXT_FULL); /* all or nothing */
    return true;
}

static bool as_much_as_there_is(const struct hws_ext_assoc *assoc, struct hws_ext_out *out)
{
    static const uint8_t zeros[60000];
    assert_int_equal(hws_ext_put(assoc, out, zeros, out->room), HWS_EXT_OK);
    assert_int_equal(out->room, 0);
    return true;
}

static bool nothing_but_again(const struct hws_ext_assoc *assoc, struct hws_ext_out *out)
{
    (void)hws_ext_want(assoc, out->type, out->path);
    return false;
}

static bool again_and_again(const struct hws_ext_assoc *assoc, struct hws_ext_out *out)
{
    last_result = hws_ext_want(assoc, out->type, out->path);
    return hello(assoc, out);
}

static void a_chunk_that_never_fits(void **state)
{
    (void)state;
    struct pair *p = both();
    on_fill = too_much;
    ask_for(p, TYPE_HELLO);
    pair_run(p, SECOND);
    assert_in_range(notes[1].fills, 1, 3);
    assert_int_equal(faults(&p->a), 1);
    assert_int_equal(pair_stats(&p->a)->ext_chunks_out, 0);
    assert_int_equal(pair_status(&p->a).unacked_chunks, 0);
    pair_free(p);
}

static void a_chunk_that_fills_the_packet(void **state)
{
    (void)state;
    struct pair *p = both();
    on_fill = as_much_as_there_is;
    ask_for(p, TYPE_HELLO);
    pair_run(p, SECOND);
    assert_int_equal(notes[0].inputs, 1);
    assert_int_equal(notes[0].value_len, 1500 - 20 - 12 - 4);
    assert_int_equal(faults(&p->a), 0);
    pair_free(p);
}

static void want_hello(const struct hws_ext_assoc *assoc, const struct hws_ext_in *in)
{
    (void)in;
    last_result = hws_ext_want(assoc, TYPE_HELLO, HWS_EXT_DATA_PATH);
}

/* A packet that IP has to fragment is for the one chunk that needs it. */
static void not_with_an_oversized_chunk(void **state)
{
    (void)state;
    static uint8_t bytes[4000], info[3000];
    struct hws_builder b;
    struct pair *p = both();
    on_input = want_hello;
    pair_forge(&p->b, &b, bytes, sizeof bytes);
    hws_heartbeat_encode(&b, HWS_CHUNK_HEARTBEAT, info, sizeof info);
    hws_chunk_put(&b, TYPE_HELLO, 0, "hello", 5);
    pair_inject(&p->b, bytes, b.len);
    on_input = NULL;
    assert_int_equal(last_result, HWS_EXT_OK);
    pair_arrives(&p->b, "HEARTBEAT-ACK");
    pair_settle(p);
    assert_int_equal(notes[1].inputs, 1);
    pair_free(p);
}

static void fillers_without_end(void **state)
{
    (void)state;
    struct pair *p = both();
    on_fill = nothing_but_again;
    ask_for(p, TYPE_HELLO);
    pair_run(p, SECOND);
    assert_int_equal(notes[1].fills, 1);
    on_fill = again_and_again;
    ask_for(p, TYPE_HELLO);
    pair_run(p, SECOND);
    assert_int_equal(notes[1].fills, 1 + 64);
    assert_int_equal(last_result, HWS_EXT_FULL);
    assert_int_equal(faults(&p->a), 1);
    pair_send(&p->a, 0, 0, "x", 1);
    pair_run(p, SECOND);
    assert_int_equal(pair_status(&p->a).unacked_chunks, 0);
    pair_free(p);
}

/* ---- Memory ---- */

static uint8_t *memory[2]; /* by `initiator` */

static bool all_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static void take_memory(const struct hws_ext_assoc *assoc)
{
    memory[assoc->initiator] = hws_ext_alloc(assoc, 5000);
    assert_non_null(memory[assoc->initiator]);
    assert_int_equal((uintptr_t)memory[assoc->initiator] % _Alignof(max_align_t), 0);
    assert_true(all_zero(memory[assoc->initiator], 5000));
    memset(memory[assoc->initiator], 0xcd, 5000);
    assert_non_null(hws_ext_alloc(assoc, 1)); /* nobody gives it back */
}

static void return_memory(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data)
{
    (void)data;
    assert_int_equal(memory[assoc->initiator][4999], 0xcd);
    assert_null(hws_ext_free(assoc, memory[assoc->initiator]));
    assert_null(hws_ext_free(assoc, NULL));
    on_sent = NULL;
}

/* What a has after the peer has restarted. */
static size_t bytes_after_restart(struct pair *p)
{
    pair_reboot(&p->b, false);
    pair_begin(&p->b);
    pair_settle(p);
    return p->a.env.live_bytes;
}

/* It is counted as the engine's, until it is given back or the association is over. */
static void memory_goes_with_the_association(void **state)
{
    (void)state;
    on_begin = take_memory;
    struct pair *p = both();
    size_t before = p->a.env.live_bytes;
    on_sent = return_memory;
    pair_send(&p->a, 0, 0, "x", 1);
    pair_run(p, SECOND);
    pair_drain(&p->b);
    assert_in_range(before - p->a.env.live_bytes, 5000, 5100);
    assert_int_equal(faults(&p->a), 0);
    before = bytes_after_restart(p);
    assert_true(before > 5000);
    assert_int_equal(bytes_after_restart(p), before);
    assert_int_equal(faults(&p->a), 4); /* of note_end */
    pair_free(p);
}

static void ask_for_too_much(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data)
{
    (void)data;
    assert_null(hws_ext_alloc(assoc, 0));
    assert_null(hws_ext_alloc(assoc, HWS_EXT_STATE_MAX + 1));
    assert_null(hws_ext_alloc(assoc, SIZE_MAX));
    void *most = hws_ext_alloc(assoc, HWS_EXT_STATE_MAX - 200);
    assert_non_null(most);
    assert_null(hws_ext_alloc(assoc, 200));
    assert_non_null(hws_ext_alloc(assoc, 100));
    assert_null(hws_ext_free(assoc, most));
    assert_non_null(hws_ext_alloc(assoc, HWS_EXT_STATE_MAX - 200));
    on_sent = NULL;
}

static void ask_for_crumbs(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data)
{
    (void)data;
    while (hws_ext_alloc(assoc, 1) != NULL)
        continue;
    on_sent = NULL;
}

static void memory_has_a_limit(void **state)
{
    (void)state;
    struct pair *p = both();
    on_sent = ask_for_too_much;
    pair_send(&p->a, 0, 0, "x", 1);
    pair_settle(p);
    assert_int_equal(faults(&p->a), 4);
    pair_free(p);
    p = both();
    size_t before = p->a.env.live_bytes;
    on_sent = ask_for_crumbs; /* what each costs beside its byte counts */
    pair_send(&p->a, 0, 0, "x", 1);
    assert_in_range(p->a.env.live_bytes - before, HWS_EXT_STATE_MAX / 2, 2 * HWS_EXT_STATE_MAX);
    pair_free(p);
}

/* ---- Services at the wrong time or with the wrong arguments ---- */

static struct hws_ext_out *kept_out;
static unsigned refusals;

static void refused(int result, int expected)
{
    assert_int_equal(result, expected);
    refusals++;
}

static bool wrong_in_fill(const struct hws_ext_assoc *assoc, struct hws_ext_out *out)
{
    struct hws_ext_out copy = *out;
    refused(hws_ext_put(assoc, &copy, "x", 1), HWS_EXT_INVAL);
    refused(hws_ext_put(assoc, out, NULL, 1), HWS_EXT_INVAL);
    refused(hws_ext_repair(assoc, shelf, 17), HWS_EXT_STATE);
    kept_out = out;
    return hello(assoc, out);
}

static void wrong_in_input(const struct hws_ext_assoc *assoc, const struct hws_ext_in *in)
{
    struct hws_ext_path path;
    (void)in;
    refused(hws_ext_want(assoc, 0, 0), HWS_EXT_INVAL);
    refused(hws_ext_want(assoc, 0x93, 0), HWS_EXT_INVAL);
    refused(hws_ext_want(assoc, TYPE_HELLO, 1), HWS_EXT_INVAL);
    refused(hws_ext_put(assoc, kept_out, "x", 1), HWS_EXT_STATE);
    refused(hws_ext_repair(assoc, NULL, 0), HWS_EXT_INVAL);
    refused(hws_ext_tell(assoc, 1, shelf, HWS_EXT_EVENT_MAX + 1), HWS_EXT_INVAL);
    refused(hws_ext_tell(assoc, 1, NULL, 1), HWS_EXT_INVAL);
    refused(hws_ext_report(assoc, 1, NULL, 0), HWS_EXT_INVAL);
    refused(hws_ext_report(assoc, CAUSE, NULL, 1), HWS_EXT_INVAL);
    refused(hws_ext_path(assoc, 1, &path), HWS_EXT_INVAL);
    assert_int_equal(hws_ext_path(assoc, HWS_EXT_DATA_PATH, &path), HWS_EXT_OK);
    assert_int_equal(path.mtu, 1500);
    assert_int_equal(path.max_chunk, 1500 - 20 - 12);
    assert_int_equal(path.state, HWS_PATH_ACTIVE);
    memset((void *)(uintptr_t)assoc, 0, sizeof *assoc); /* it is ours no longer */
}

static void wrong_calls(void **state)
{
    (void)state;
    struct pair *p = both();
    on_fill = wrong_in_fill;
    on_input = wrong_in_input;
    refusals = 0;
    ask_for(p, TYPE_HELLO);
    pair_settle(p);
    assert_int_equal(refusals, 13);
    assert_int_equal(faults(&p->a) + faults(&p->b), refusals);
    pair_send(&p->a, 0, 0, "x", 1);
    pair_settle(p);
    pair_shutdown(&p->a);
    pair_settle(p);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(on_when_both_offer, begin),
        cmocka_unit_test_setup(off_when_one_does_not, begin),
        cmocka_unit_test_setup(nothing_is_echoed, begin),
        cmocka_unit_test_setup(on_after_a_collision, begin),
        cmocka_unit_test_setup(anew_after_a_restart, begin),
        cmocka_unit_test_setup(chunk_before_data, begin),
        cmocka_unit_test_setup(chunk_after_data, begin),
        cmocka_unit_test_setup(in_states_allowed_only, begin),
        cmocka_unit_test_setup(short_chunks_are_malformed, begin),
        cmocka_unit_test_setup(unknown_when_off, begin),
        cmocka_unit_test_setup(timers_expire_once, begin),
        cmocka_unit_test_setup(busy_timer, begin),
        cmocka_unit_test_setup(events_are_told_in_order, begin),
        cmocka_unit_test_setup(causes_are_reported, begin),
        cmocka_unit_test_setup(data_is_shown, begin),
        cmocka_unit_test_setup(repaired_chunks_are_as_received, begin),
        cmocka_unit_test_setup(repaired_tail, begin),
        cmocka_unit_test_setup(wrong_repairs, begin),
        cmocka_unit_test_setup(a_repair_that_is_dropped, begin),
        cmocka_unit_test_setup(a_chunk_that_never_fits, begin),
        cmocka_unit_test_setup(a_chunk_that_fills_the_packet, begin),
        cmocka_unit_test_setup(not_with_an_oversized_chunk, begin),
        cmocka_unit_test_setup(fillers_without_end, begin),
        cmocka_unit_test_setup(memory_goes_with_the_association, begin),
        cmocka_unit_test_setup(memory_has_a_limit, begin),
        cmocka_unit_test_setup(wrong_calls, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
