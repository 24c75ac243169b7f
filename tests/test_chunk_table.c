/* The chunk table, row by row: against the RFC's rules, and in a live engine in every state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/cause.h"
#include "proto/param.h"
#include "stack/chunk_table.h"
#include "tests/pair.h"

#define STATES 8u

static const uint8_t types[] = {
#define X(symbol, number, name, min_len) number,
    HWS_CHUNK_TYPES(X)
#undef X
};

#define TYPES (sizeof types / sizeof types[0])

/* ---- The table itself ---- */

static void every_type_has_one_row(void **state)
{
    (void)state;
    assert_int_equal(hws_chunk_row_count, TYPES);
    for (size_t t = 0; t < TYPES; t++) {
        unsigned found = 0;
        for (unsigned i = 0; i < hws_chunk_row_count; i++)
            found += hws_chunk_rows[i].type == types[t];
        assert_int_equal(found, 1);
        assert_int_equal(hws_chunk_row(types[t])->type, types[t]);
    }
}

static void unknown_types_have_none(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++)
        if (memchr(types, (int)type, TYPES) == NULL)
            assert_null(hws_chunk_row((uint8_t)type));
}

static void shortest_lengths(void **state)
{
    (void)state;
#define X(symbol, number, name, min_len) assert_int_equal(hws_chunk_min_len(number), min_len);
    HWS_CHUNK_TYPES(X)
#undef X
}

static int place(uint8_t type)
{
    return (int)(hws_chunk_row(type) - hws_chunk_rows);
}

/* RFC 9260, 6.10: INIT, INIT ACK and SHUTDOWN COMPLETE are never bundled; control chunks stand
 * before DATA. 5.1 C and D: COOKIE ECHO and COOKIE ACK come first in their packets. */
static void rows_are_in_bundling_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < hws_chunk_row_count; i++) {
        uint8_t type = hws_chunk_rows[i].type;
        bool alone = type == HWS_CHUNK_INIT || type == HWS_CHUNK_INIT_ACK ||
                     type == HWS_CHUNK_SHUTDOWN_COMPLETE;
        assert_int_equal(hws_chunk_rows[i].alone, alone);
        if (type != HWS_CHUNK_DATA)
            assert_true(place(type) < place(HWS_CHUNK_DATA));
        if (!alone && type != HWS_CHUNK_COOKIE_ECHO)
            assert_true(place(HWS_CHUNK_COOKIE_ECHO) < place(type));
        if (!alone && type != HWS_CHUNK_COOKIE_ECHO && type != HWS_CHUNK_COOKIE_ACK)
            assert_true(place(HWS_CHUNK_COOKIE_ACK) < place(type));
    }
}

static void each_want_has_one_filler(void **state)
{
    (void)state;
    unsigned wants = 0;
    for (unsigned i = 0; i < hws_chunk_row_count; i++) {
        const struct hws_chunk_row *row = &hws_chunk_rows[i];
        assert_int_equal(row->want != 0, row->fill != NULL);
        assert_int_equal(row->want & (row->want - 1u), 0);
        assert_int_equal(wants & row->want, 0);
        wants |= row->want;
    }
    assert_int_equal(wants, HWS_WANT_INIT | HWS_WANT_COOKIE_ECHO | HWS_WANT_COOKIE_ACK |
                                HWS_WANT_SACK | HWS_WANT_HEARTBEAT_ACK | HWS_WANT_HEARTBEAT |
                                HWS_WANT_SHUTDOWN | HWS_WANT_SHUTDOWN_ACK | HWS_WANT_ERROR);
}

/* What RFC 9260 says of a chunk in a state. */
enum rule {
    FREE,    /* nothing, or a MAY */
    TAKE,    /* it is processed */
    DISCARD, /* it is not */
};

/* In the order of enum hws_assoc_state: COOKIE-WAIT, COOKIE-ECHOED, ESTABLISHED, SHUTDOWN-PENDING,
 * SHUTDOWN-SENT, SHUTDOWN-RECEIVED, SHUTDOWN-ACK-SENT. */
static const struct {
    uint8_t type;
    enum rule rules[STATES - 1];
} rfc[] = {
    /* 6: DATA and SACK */
    {HWS_CHUNK_DATA, {DISCARD, DISCARD, TAKE, TAKE, TAKE, DISCARD, DISCARD}},
    {HWS_CHUNK_SACK, {DISCARD, FREE, TAKE, TAKE, DISCARD, TAKE, DISCARD}},
    /* 5.2.3 */
    {HWS_CHUNK_INIT_ACK, {TAKE, DISCARD, DISCARD, DISCARD, DISCARD, DISCARD, DISCARD}},
    /* 8.3: answered until SHUTDOWN or SHUTDOWN ACK is sent */
    {HWS_CHUNK_HEARTBEAT, {DISCARD, TAKE, TAKE, TAKE, FREE, TAKE, FREE}},
    {HWS_CHUNK_HEARTBEAT_ACK, {DISCARD, FREE, TAKE, TAKE, FREE, TAKE, FREE}},
    /* 3.3.7, 8.5.1 B */
    {HWS_CHUNK_ABORT, {TAKE, TAKE, TAKE, TAKE, TAKE, TAKE, TAKE}},
    /* 9.2 */
    {HWS_CHUNK_SHUTDOWN, {DISCARD, DISCARD, TAKE, TAKE, TAKE, TAKE, TAKE}},
    /* 9.2, and 8.5.1 E: answered as out of the blue */
    {HWS_CHUNK_SHUTDOWN_ACK, {TAKE, TAKE, DISCARD, DISCARD, TAKE, DISCARD, TAKE}},
    /* 8.5.1 C */
    {HWS_CHUNK_SHUTDOWN_COMPLETE, {DISCARD, DISCARD, DISCARD, DISCARD, DISCARD, DISCARD, TAKE}},
    /* 5.2.6: Stale Cookie counts in COOKIE-ECHOED only, other causes are told whenever up */
    {HWS_CHUNK_ERROR, {FREE, TAKE, TAKE, TAKE, TAKE, TAKE, TAKE}},
    /* 5.2.5 */
    /* RFC 4820: skipped wherever it comes */
    {HWS_CHUNK_PAD, {TAKE, TAKE, TAKE, TAKE, TAKE, TAKE, TAKE}},
    {HWS_CHUNK_COOKIE_ACK, {DISCARD, TAKE, DISCARD, DISCARD, DISCARD, DISCARD, DISCARD}},
};

static void states_are_the_rfcs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rfc / sizeof rfc[0]; i++)
        for (unsigned s = 1; s < STATES; s++) {
            enum rule rule = rfc[i].rules[s - 1];
            bool taken = (hws_chunk_row(rfc[i].type)->states & 1u << s) != 0;
            if (rule != FREE && taken != (rule == TAKE))
                fail_msg("%s in %s", hws_chunk_name(rfc[i].type),
                         hws_assoc_state_name((enum hws_assoc_state)s));
        }
}

/* ---- A live engine in a state ---- */

static void hold_everything(struct pair *p)
{
    while (p->a.wire_head != NULL)
        free(pair_take(&p->a));
    while (p->b.wire_head != NULL)
        free(pair_take(&p->b));
}

/* a has data that is not acknowledged when one of both asks for SHUTDOWN. */
static void shut_down_with_data(struct pair *p, bool by_a)
{
    pair_connect(p);
    pair_send(&p->a, 0, 0, "data", 4);
    pair_lost(&p->a, "DATA");
    pair_shutdown(by_a ? &p->a : &p->b);
    if (!by_a)
        pair_arrives(&p->b, "SHUTDOWN");
}

static void enter(struct pair *p, enum hws_assoc_state s)
{
    switch (s) {
    case HWS_STATE_CLOSED:
        return;
    case HWS_STATE_COOKIE_WAIT:
        pair_begin(&p->a);
        return;
    case HWS_STATE_COOKIE_ECHOED:
        pair_begin(&p->a);
        pair_arrives(&p->a, "INIT");
        pair_arrives(&p->b, "INIT-ACK");
        return;
    case HWS_STATE_ESTABLISHED:
        pair_connect(p);
        return;
    case HWS_STATE_SHUTDOWN_PENDING:
    case HWS_STATE_SHUTDOWN_RECEIVED:
        shut_down_with_data(p, s == HWS_STATE_SHUTDOWN_PENDING);
        return;
    case HWS_STATE_SHUTDOWN_SENT:
        pair_connect(p);
        pair_shutdown(&p->a);
        return;
    case HWS_STATE_SHUTDOWN_ACK_SENT:
        pair_connect(p);
        pair_shutdown(&p->b);
        pair_arrives(&p->b, "SHUTDOWN");
        return;
    }
}

static enum hws_assoc_state state_of(const struct pair *p)
{
    return p->a.assoc != 0 ? pair_status(&p->a).state : HWS_STATE_CLOSED;
}

/* a is in that state, and what it sent until then is gone. */
static struct pair *new_in_state(unsigned s)
{
    struct pair *p = pair_new(NULL);
    enter(p, (enum hws_assoc_state)s);
    assert_int_equal(state_of(p), s);
    hold_everything(p);
    return p;
}

/* The same, with the pair of the last call when that is still in this state. */
static struct pair *again_in_state(struct pair *p, unsigned s)
{
    if (p != NULL && state_of(p) == s) {
        hold_everything(p);
        return p;
    }
    if (p != NULL)
        pair_free(p);
    return new_in_state(s);
}

/* ---- Chunks ---- */

static bool put_init(struct hws_builder *b, uint8_t type)
{
    struct hws_init init = {
        .tag = 77, .a_rwnd = 5000, .ostreams = 3, .max_instreams = 3, .tsn = 1000};
    bool ok = hws_init_open(b, type, &init);
    uint8_t *cookie = hws_builder_tlv(b, HWS_PARAM_COOKIE, 8);
    assert_non_null(cookie);
    memset(cookie, 9, 8);
    return ok && hws_builder_close(b);
}

static bool put_data(struct hws_builder *b)
{
    struct hws_data d = {
        .tsn = 12345, .flags = HWS_DATA_B | HWS_DATA_E, .ppid = 7, .payload_len = 5};
    uint8_t *payload = hws_data_encode(b, &d);
    assert_non_null(payload);
    memset(payload, 1, 5);
    return true;
}

static bool put_sack(struct hws_builder *b)
{
    const struct hws_gap gap = {2, 3};
    const uint32_t dup = 5;
    return hws_sack_encode(b, 100, 5000, &gap, 1, &dup, 1);
}

static bool put_causes(struct hws_builder *b, uint8_t type)
{
    return hws_builder_open(b, type, 0) && hws_cause_put(b, HWS_CAUSE_USER_ABORT, "bye!", 4) &&
           hws_builder_close(b);
}

/* A chunk as a peer might send it. */
static void put_valid(struct hws_builder *b, uint8_t type)
{
    static const uint8_t zeros[100] = {0};
    bool ok;
    if (type == HWS_CHUNK_DATA)
        ok = put_data(b);
    else if (type == HWS_CHUNK_INIT || type == HWS_CHUNK_INIT_ACK)
        ok = put_init(b, type);
    else if (type == HWS_CHUNK_SACK)
        ok = put_sack(b);
    else if (type == HWS_CHUNK_HEARTBEAT || type == HWS_CHUNK_HEARTBEAT_ACK)
        ok = hws_heartbeat_encode(b, type, zeros, 12);
    else if (type == HWS_CHUNK_ABORT || type == HWS_CHUNK_ERROR)
        ok = put_causes(b, type);
    else if (type == HWS_CHUNK_SHUTDOWN)
        ok = hws_shutdown_encode(b, 100);
    else
        ok = hws_chunk_put(b, type, 0, zeros, type == HWS_CHUNK_COOKIE_ECHO ? 100 : 0);
    assert_true(ok);
}

struct forged {
    uint8_t bytes[400];
    struct hws_builder b;
};

static void forge(struct forged *f, const struct pair *p, bool init)
{
    uint32_t tag = p->a.assoc != 0 ? pair_status(&p->a).local_vtag : 0x1234;
    hws_builder_init(&f->b, f->bytes, sizeof f->bytes, p->b.port, p->a.port, init ? 0 : tag);
}

/* A packet to a with one valid chunk of that type; the chunk's length field. */
static uint32_t forge_valid(struct forged *f, const struct pair *p, uint8_t type)
{
    memset(f->bytes, 0, sizeof f->bytes);
    forge(f, p, type == HWS_CHUNK_INIT);
    put_valid(&f->b, type);
    return hws_get16(f->bytes + HWS_PACKET_HEADER_LEN + 2);
}

/* ---- Wrong states ---- */

static void state_decides(unsigned s, const struct hws_chunk_row *row)
{
    struct pair *p = new_in_state(s);
    struct forged f;
    forge_valid(&f, p, row->type);
    pair_inject(&p->a, f.bytes, f.b.len);
    bool allowed = (row->states & 1u << s) != 0;
    assert_int_equal(pair_stats(&p->a)->drop_chunk_state, allowed ? 0 : 1);
    if (!allowed) {
        assert_int_equal(state_of(p), s);
        pair_silent(p);
    }
    pair_free(p);
}

static void wrong_states_are_counted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < hws_chunk_row_count; i++)
        for (unsigned s = 1; s < STATES; s++)
            if (hws_chunk_rows[i].input != NULL)
                state_decides(s, &hws_chunk_rows[i]);
}

/* Behind a chunk that is passed over. INIT, INIT ACK and SHUTDOWN COMPLETE must stand alone; COOKIE
 * ECHO means something in first place only (5.1 C). */
static void second_in_its_packet(unsigned s, const struct hws_chunk_row *row)
{
    struct pair *p = new_in_state(s);
    struct forged f;
    forge(&f, p, false);
    assert_true(hws_chunk_put(&f.b, 0x81, 0, NULL, 0));
    put_valid(&f.b, row->type);
    pair_inject(&p->a, f.bytes, f.b.len);
    const struct hws_stats *stats = pair_stats(&p->a);
    assert_int_equal(stats->drop_chunk_unknown, 1);
    assert_int_equal(stats->drop_bundle, row->alone);
    assert_int_equal(stats->drop_chunk_state, !row->alone && !(row->states & 1u << s));
    pair_free(p);
}

static void chunks_in_second_place(void **state)
{
    (void)state;
    for (unsigned i = 0; i < hws_chunk_row_count; i++)
        for (unsigned s = 1; s < STATES; s++)
            second_in_its_packet(s, &hws_chunk_rows[i]);
}

/* And in first place with another chunk behind. */
static void lone_chunks_in_first_place(void **state)
{
    (void)state;
    for (unsigned i = 0; i < hws_chunk_row_count; i++)
        for (unsigned s = 1; s < STATES && hws_chunk_rows[i].alone; s++) {
            struct pair *p = new_in_state(s);
            struct forged f;
            forge_valid(&f, p, hws_chunk_rows[i].type);
            assert_true(hws_chunk_put(&f.b, 0x81, 0, NULL, 0));
            pair_inject(&p->a, f.bytes, f.b.len);
            assert_int_equal(pair_stats(&p->a)->drop_bundle, 1);
            assert_int_equal(state_of(p), s);
            pair_silent(p);
            pair_free(p);
        }
}

/* ---- Truncations ---- */

/* Everything that the engine counts about a packet beyond its having come: an answer, too. */
static uint64_t noticed(const struct pair *p)
{
    const struct hws_stats *s = pair_stats(&p->a);
    uint64_t sum = 0;
#define X(name, what) sum += s->name;
    HWS_STATS(X)
#undef X
    return sum - s->packets_in - s->bytes_in;
}

/* The packet ends before its chunk does. */
static void cut_off(unsigned s, uint8_t type)
{
    struct pair *p = new_in_state(s);
    struct forged f;
    uint32_t full = forge_valid(&f, p, type);
    for (uint32_t len = 0; len < full; len++) {
        uint64_t before = pair_stats(&p->a)->drop_short;
        forge_valid(&f, p, type);
        uint8_t *copy = malloc(HWS_PACKET_HEADER_LEN + len);
        assert_non_null(copy);
        memcpy(copy, f.bytes, HWS_PACKET_HEADER_LEN + len);
        pair_inject(&p->a, copy, HWS_PACKET_HEADER_LEN + len);
        free(copy);
        assert_int_equal(pair_stats(&p->a)->drop_short, before + 1);
        assert_int_equal(state_of(p), s);
        pair_silent(p);
    }
    pair_free(p);
}

static void packets_cut_off_are_dropped(void **state)
{
    (void)state;
    for (unsigned s = 0; s < STATES; s++)
        for (size_t t = 0; t < TYPES; t++)
            cut_off(s, types[t]);
}

/* Injects the chunk with that length field, in a packet that ends with it. */
static void inject_shortened(struct pair *p, uint8_t type, uint32_t len)
{
    struct forged f;
    forge_valid(&f, p, type);
    hws_put16(f.bytes + HWS_PACKET_HEADER_LEN + 2, (uint16_t)len);
    uint32_t packet_len = HWS_PACKET_HEADER_LEN + hws_pad4(len);
    uint8_t *copy = malloc(packet_len);
    assert_non_null(copy);
    memcpy(copy, f.bytes, packet_len);
    pair_inject(&p->a, copy, packet_len);
    free(copy);
}

/* The packet is whole, the chunk is too short for its type. */
static void too_short(struct pair *p, unsigned s, uint8_t type, uint32_t len)
{
    const struct hws_stats *stats = pair_stats(&p->a);
    uint64_t malformed = stats->drop_chunk_malformed, short_packets = stats->drop_short;
    uint64_t strangers = stats->ootb_in;
    inject_shortened(p, type, len);
    bool belongs = s != HWS_STATE_CLOSED || type == HWS_CHUNK_INIT;
    assert_int_equal(stats->drop_short, short_packets + (len < 4));
    assert_int_equal(stats->drop_chunk_malformed, malformed + (len >= 4 && belongs));
    assert_int_equal(stats->ootb_in, strangers + (len >= 4 && !belongs));
    assert_int_equal(state_of(p), s);
    if (belongs)
        pair_silent(p);
}

/* It has its fixed part and not all of the rest: it may mean something, but never goes unnoticed;
 * but an ERROR without causes has nothing to say. */
static void shorter(struct pair *p, unsigned s, uint8_t type, uint32_t len)
{
    uint64_t before = noticed(p);
    inject_shortened(p, type, len);
    bool nothing = type == HWS_CHUNK_ERROR && len == 4 && hws_chunk_row(type)->states & 1u << s;
    if (!nothing && noticed(p) == before)
        fail_msg("%s of %u bytes, state %u", hws_chunk_name(type), len, s);
}

static void shortened(unsigned s, uint8_t type)
{
    struct forged f;
    struct pair *p = new_in_state(s);
    uint32_t full = forge_valid(&f, p, type);
    for (uint32_t len = 0; len < full; len++) {
        p = again_in_state(p, s);
        if (len < hws_chunk_min_len(type))
            too_short(p, s, type, len);
        else
            shorter(p, s, type, len);
    }
    pair_free(p);
}

static void shortened_chunks_are_counted(void **state)
{
    (void)state;
    for (unsigned s = 0; s < STATES; s++)
        for (size_t t = 0; t < TYPES; t++)
            shortened(s, types[t]);
}

/* ---- Fillers ---- */

/* An association of a for which every filler has what it needs. */
static struct hws_path *path_with_everything(struct pair *p)
{
    struct forged f;
    forge(&f, p, false);
    put_valid(&f.b, HWS_CHUNK_HEARTBEAT);
    assert_true(hws_chunk_put(&f.b, 0xc1, 0, NULL, 0)); /* is to be reported */
    f.b.len = hws_builder_finish(&f.b);
    struct hws_packet_in in = {
        .data = f.bytes, .len = f.b.len, .src = p->b.addr, .dst = p->a.addr, .truesize = 1};
    hws_engine_input(p->a.engine, &in, 1, p->now_us);
    struct hws_assoc *a = hws_idtab_get(&p->a.engine->assocs, p->a.assoc);
    return a->paths[0];
}

/* Without room nothing is written; with room there is one chunk of the row's type. */
static void fill(const struct hws_chunk_row *row, struct hws_path *path)
{
    struct forged f = {0};
    hws_builder_init(&f.b, f.bytes, HWS_PACKET_HEADER_LEN, 1, 2, 3);
    assert_false(row->fill(path, &f.b));
    assert_int_equal(f.b.len, HWS_PACKET_HEADER_LEN);
    assert_int_equal(f.b.chunks, 0);
    hws_builder_init(&f.b, f.bytes, sizeof f.bytes, 1, 2, 3);
    assert_true(row->fill(path, &f.b));
    struct hws_tlv_iter it = hws_packet_chunks(f.bytes, f.b.len);
    struct hws_tlv chunk;
    assert_true(hws_tlv_next(&it, &chunk));
    assert_int_equal(hws_chunk_type(&chunk), row->type);
    assert_true(chunk.len >= hws_chunk_min_len(row->type));
    assert_false(hws_tlv_next(&it, &chunk));
    assert_false(it.malformed);
}

static void fillers_write_their_type(void **state)
{
    (void)state;
    struct pair *p = new_in_state(HWS_STATE_COOKIE_ECHOED);
    struct hws_path *path = path_with_everything(p);
    for (unsigned i = 0; i < hws_chunk_row_count; i++)
        if (hws_chunk_rows[i].fill != NULL)
            fill(&hws_chunk_rows[i], path);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_one_row),
        cmocka_unit_test(unknown_types_have_none),
        cmocka_unit_test(shortest_lengths),
        cmocka_unit_test(rows_are_in_bundling_order),
        cmocka_unit_test(each_want_has_one_filler),
        cmocka_unit_test(states_are_the_rfcs),
        cmocka_unit_test(wrong_states_are_counted),
        cmocka_unit_test(chunks_in_second_place),
        cmocka_unit_test(lone_chunks_in_first_place),
        cmocka_unit_test(packets_cut_off_are_dropped),
        cmocka_unit_test(shortened_chunks_are_counted),
        cmocka_unit_test(fillers_write_their_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
