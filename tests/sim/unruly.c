#include "tests/sim/unruly.h"

#include <string.h>

#define TYPE 0xe1u
#define TYPE_AFTER 0xe2u
#define CAUSE 0xe000u
/* A world has to fall silent. */
#define MISCHIEF_MAX 400u

struct state {
    uint64_t random;
    uint32_t done;
    uint8_t *memory;  /* of hws_ext_alloc, or NULL */
    uint8_t last[64]; /* the beginning of the DATA chunk that came last */
};

/* What is drawn follows from what an object has been told, so that runs repeat. */
static uint32_t draw(struct state *s, uint64_t told)
{
    s->random = (s->random ^ told) * 0x9e3779b97f4a7c15u + 1;
    s->random ^= s->random >> 29;
    return (uint32_t)(s->random >> 20);
}

/* No chunk that the peer may send: too short, of another type, of a stream there is not. */
static void hand_in_nonsense(const struct hws_ext_assoc *assoc, struct state *s, uint32_t r)
{
    uint8_t chunk[64];
    memcpy(chunk, s->last, sizeof chunk);
    chunk[0] = r % 4 == 0 ? 3 : 0;
    chunk[2] = 0;
    chunk[3] = r % 4 == 1 ? 63 : 64;
    if (r % 4 >= 2)
        chunk[8] = chunk[9] = 0xff;
    (void)hws_ext_repair(assoc, chunk, (uint16_t)(r % 8 == 7 ? r % 64 : 64));
}

/* Some, nothing, or far too much; what is got is used, and given back at some time or never. */
static void ask_for_memory(const struct hws_ext_assoc *assoc, struct state *s, uint32_t r)
{
    uint32_t bytes = r % 8 == 0 ? 0 : r % 8 == 1 ? r | HWS_EXT_STATE_MAX : r % 5000;
    if (s->memory != NULL && r % 16 > 2) {
        s->memory = hws_ext_free(assoc, s->memory);
        return;
    }
    s->memory = hws_ext_alloc(assoc, bytes);
    if (s->memory != NULL)
        memset(s->memory, (int)r, bytes);
}

static void misbehave(const struct hws_ext_assoc *assoc, uint64_t told)
{
    static const uint8_t bytes[HWS_EXT_EVENT_MAX + 1];
    struct state *s = assoc->state;
    struct hws_ext_path path;
    uint32_t r = draw(s, told + assoc->now_us);
    if (s->done++ >= MISCHIEF_MAX)
        return;
    switch (r / 16 % 9) {
    case 0:
        (void)hws_ext_want(assoc, (uint8_t)(TYPE + r % 3), (uint8_t)(r / 256));
        break;
    case 1:
        (void)hws_ext_want(assoc, TYPE + r % 2, HWS_EXT_DATA_PATH);
        break;
    case 2:
        (void)hws_ext_timer(assoc, r / 128 % 4 == 0 ? 0 : r % 100000);
        break;
    case 3:
        (void)hws_ext_tell(assoc, r, bytes, (uint16_t)(r / 128 % sizeof bytes + r % 2));
        break;
    case 4:
        (void)hws_ext_report(assoc, (uint16_t)(CAUSE + r % 2), bytes, (uint16_t)(r / 256 % 40));
        break;
    case 5:
        (void)hws_ext_path(assoc, (uint8_t)(r / 256), &path);
        break;
    case 6:
        (void)hws_ext_put(assoc, NULL, bytes, 1);
        break;
    case 7:
        ask_for_memory(assoc, s, r / 256);
        break;
    default:
        hand_in_nonsense(assoc, s, r);
    }
}

static void begin(const struct hws_ext_assoc *assoc, const uint8_t *value, uint16_t len)
{
    misbehave(assoc, len > 0 ? value[0] : 0);
}

static void end(const struct hws_ext_assoc *assoc)
{
    misbehave(assoc, 1);
}

static void timer(const struct hws_ext_assoc *assoc)
{
    misbehave(assoc, 2);
}

static void data_sent(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data)
{
    misbehave(assoc, data->tsn);
}

static void data_received(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data)
{
    struct state *s = assoc->state;
    memcpy(s->last, data->chunk, data->len < sizeof s->last ? data->len : sizeof s->last);
    misbehave(assoc, data->tsn);
}

static void input(const struct hws_ext_assoc *assoc, const struct hws_ext_in *in)
{
    misbehave(assoc, in->len);
}

/* Too much, nothing, or all there is room for; and the next one at once. */
static bool fill(const struct hws_ext_assoc *assoc, struct hws_ext_out *out)
{
    static const uint8_t bytes[2000];
    struct state *s = assoc->state;
    uint32_t r = draw(s, out->room);
    uint16_t room = out->room < sizeof bytes ? out->room : (uint16_t)sizeof bytes;
    out->flags = (uint8_t)r;
    (void)hws_ext_put(assoc, out, bytes, r % 4 == 0 ? (uint16_t)(r / 64 % 2000) : room);
    if (r % 16 == 1)
        (void)hws_ext_put(assoc, out, bytes, 1);
    misbehave(assoc, r);
    return r % 8 != 2;
}

static const struct hws_ext_chunk chunks[] = {
    {TYPE, "UNRULY", 0, HWS_EXT_IN_TRANSFER, HWS_EXT_BEFORE_DATA, input, fill, NULL},
    {TYPE_AFTER, "UNRULY-AFTER", 2, HWS_EXT_IN_ANY, HWS_EXT_AFTER_DATA, input, fill, NULL},
};
static const struct hws_ext_cause cause = {CAUSE, "Unruly"};

const struct hws_extension sim_unruly = {
    .api = HWS_EXTEND_API,
    .name = "unruly",
    .param = 0xb1e0,
    .offer = "u",
    .offer_len = 1,
    .chunks = chunks,
    .chunk_count = 2,
    .causes = &cause,
    .cause_count = 1,
    .state_size = sizeof(struct state),
    .reserve_bytes = 20,
    .missing_reports = 5,
    .begin = begin,
    .end = end,
    .data_sent = data_sent,
    .data_received = data_received,
    .timer = timer,
};
