#include "stack/registry.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stack/core.h"

/* ---- What is built in ---- */

static const struct hws_cc_ops *const built_in_ccs[] = {&hws_cc_rfc9260, NULL};
static const struct hws_sched_ops *const built_in_scheds[] = {&hws_sched_fcfs, &hws_sched_rr, NULL};
static const struct hws_pathsel_ops *const built_in_pathsels[] = {&hws_pathsel_primary, NULL};

/* An extension like any other, and the one every engine has. */
static const struct hws_extension built_in = {
    .api = HWS_EXTEND_API,
    .name = "built-in",
    .ccs = built_in_ccs,
    .scheds = built_in_scheds,
    .pathsels = built_in_pathsels,
};

static const struct hws_registry only_built_in = {.list = {&built_in}, .count = 1};

void hws_registry_init(struct hws_registry *r, const struct hws_extension *const *extensions,
                       size_t count)
{
    *r = only_built_in;
    for (size_t i = 0; i < count && r->count <= HWS_EXT_MAX; i++)
        r->list[r->count++] = extensions[i];
    for (uint32_t i = 0; i < r->count; i++)
        r->data_hooks |= r->list[i]->data_sent != NULL || r->list[i]->data_received != NULL;
}

/* ---- What peers offer ---- */

static void note_offer(const struct hws_extension *x, uint32_t index, const struct hws_tlv *param,
                       struct hws_ext_offers *out)
{
    uint32_t len = param->len - 4u;
    if (len > HWS_EXT_PARAM_MAX ||
        (x->accept != NULL && !x->accept(param->bytes + 4, (uint16_t)len)))
        return;
    out->mask |= (uint8_t)(1u << index);
    out->len[index] = (uint8_t)len;
    memcpy(out->value[index], param->bytes + 4, len);
}

bool hws_registry_take_offer(const struct hws_registry *r, const struct hws_tlv *param,
                             struct hws_ext_offers *out)
{
    for (uint32_t i = 1; i < r->count; i++)
        if (r->list[i]->param != 0 && r->list[i]->param == param->type) {
            note_offer(r->list[i], i - 1, param, out);
            return true;
        }
    return false;
}

/* ---- Names ---- */

/* Each kind is a list of tables, with NULL at its end, whose name stands in `name`. */
#define FIND(kind)                                                                                 \
    static const struct hws_##kind##_ops *kind##_at(const struct hws_registry *r, size_t index)    \
    {                                                                                              \
        for (uint32_t i = 0; i < r->count; i++)                                                    \
            for (size_t k = 0; r->list[i]->kind##s != NULL && r->list[i]->kind##s[k] != NULL; k++) \
                if (index-- == 0)                                                                  \
                    return r->list[i]->kind##s[k];                                                 \
        return NULL;                                                                               \
    }                                                                                              \
                                                                                                   \
    const struct hws_##kind##_ops *hws_registry_##kind(const struct hws_registry *r,               \
                                                       const char *name)                           \
    {                                                                                              \
        const struct hws_##kind##_ops *ops;                                                        \
        for (size_t i = 0; (ops = kind##_at(r, i)) != NULL; i++)                                   \
            if (name == NULL || strcmp(ops->name, name) == 0)                                      \
                return ops;                                                                        \
        return NULL;                                                                               \
    }                                                                                              \
                                                                                                   \
    const char *hws_##kind##_name(const struct hws_engine *e, size_t index)                        \
    {                                                                                              \
        const struct hws_##kind##_ops *ops =                                                       \
            kind##_at(e != NULL ? &e->registry : &only_built_in, index);                           \
        return ops != NULL ? ops->name : NULL;                                                     \
    }

FIND(cc)
FIND(sched)
FIND(pathsel)

#undef FIND

/* ---- Names in traces ---- */

static const struct hws_ext_chunk *chunk_at(const struct hws_registry *r, uint8_t type)
{
    for (uint32_t i = 0; i < r->count; i++)
        for (uint32_t k = 0; k < r->list[i]->chunk_count; k++)
            if (r->list[i]->chunks[k].type == type)
                return &r->list[i]->chunks[k];
    return NULL;
}

static const char *chunk_name(const void *r, uint8_t type)
{
    const struct hws_ext_chunk *c = chunk_at(r, type);
    return c != NULL ? c->name : NULL;
}

static const char *param_name(const void *arg, uint16_t type)
{
    const struct hws_registry *r = arg;
    for (uint32_t i = 0; i < r->count; i++)
        if (r->list[i]->param != 0 && r->list[i]->param == type)
            return r->list[i]->param_name != NULL ? r->list[i]->param_name : r->list[i]->name;
    return NULL;
}

static const char *cause_name(const void *arg, uint16_t code)
{
    const struct hws_registry *r = arg;
    for (uint32_t i = 0; i < r->count; i++)
        for (uint32_t k = 0; k < r->list[i]->cause_count; k++)
            if (r->list[i]->causes[k].code == code)
                return r->list[i]->causes[k].name;
    return NULL;
}

/* A chunk too short for its type is shown as one of an unknown type is. */
static int chunk_contents(const void *r, const struct hws_tlv *chunk, char *out, size_t cap)
{
    const struct hws_ext_chunk *c = chunk_at(r, hws_chunk_type(chunk));
    uint32_t len = hws_chunk_value_len(chunk);
    if (c == NULL || c->text == NULL || len < c->min_len)
        return -1;
    out[0] = '\0';
    int written = c->text(hws_chunk_value(chunk), (uint16_t)len, out, cap);
    out[cap - 1] = '\0'; /* whatever it did */
    return written;
}

struct hws_text_names hws_registry_names(const struct hws_registry *r)
{
    return (struct hws_text_names){.arg = r,
                                   .chunk = chunk_name,
                                   .param = param_name,
                                   .cause = cause_name,
                                   .contents = chunk_contents};
}

struct hws_text_names hws_engine_names(const struct hws_engine *e)
{
    return hws_registry_names(&e->registry);
}

/* ---- Whether extensions are as they should be ---- */

#define NEEDS_NAME "needs a name of letters, digits, '-' and '_', %u at most"

static bool name_ok(const char *name)
{
    size_t len = 0;
    for (; name != NULL && name[len] != '\0'; len++) {
        char c = name[len];
        bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
        if (!allowed || len == HWS_EXT_NAME_MAX)
            return false;
    }
    return len > 0;
}

/* What is wrong, as a sentence; false, so that a check can end with it. */
static bool wrong(char *error, const struct hws_extension *x, const char *format, ...)
{
    va_list args;
    int len = snprintf(error, HWS_EXTENSION_ERROR_MAX,
                       "extension %s: ", name_ok(x->name) ? x->name : "?");
    va_start(args, format);
    vsnprintf(error + len, HWS_EXTENSION_ERROR_MAX - (size_t)len, format, args);
    va_end(args);
    return false;
}

/* Chunk types that a peer without them skips, and that others have (IANA, "Chunk Types"). */
static const char *chunk_owner(uint8_t type)
{
    switch (type) {
    case 0x80:
        return "ASCONF-ACK (RFC 5061)";
    case 0x82:
        return "RE-CONFIG (RFC 6525)";
    case 0x84:
        return "PAD (RFC 4820)";
    case 0xc0:
        return "FORWARD-TSN (RFC 3758)";
    case 0xc1:
        return "ASCONF (RFC 5061)";
    case 0xc2:
        return "I-FORWARD-TSN (RFC 8260)";
    case 0xbf:
    case 0xff:
        return "IETF-defined chunk extensions (RFC 9260, 15.1)";
    default:
        return NULL;
    }
}

/* Parameters of INIT that a peer without them skips without a word (IANA, "Chunk Parameter
 * Types"). */
static const char *param_owner(uint16_t type)
{
    switch (type) {
    case 0x8000:
        return "ECN Capable";
    case 0x8001:
        return "Zero Checksum Acceptable (RFC 9653)";
    case 0x8002:
        return "Random (RFC 4895)";
    case 0x8003:
        return "Chunk List (RFC 4895)";
    case 0x8004:
        return "Requested HMAC Algorithm (RFC 4895)";
    case 0x8005:
        return "Padding (RFC 4820)";
    case 0x8008:
        return "Supported Extensions (RFC 5061)";
    case 0xbfff:
        return "IETF-defined extensions (RFC 9260, 15.2)";
    default:
        return NULL;
    }
}

static bool chunk_ok(const struct hws_extension *x, const struct hws_ext_chunk *c, char *error)
{
    if (!name_ok(c->name))
        return wrong(error, x, "chunk type 0x%02x " NEEDS_NAME, c->type, HWS_EXT_NAME_MAX);
    if (c->type < 0x80)
        return wrong(error, x,
                     "chunk %s: type 0x%02x would end a packet at a peer without it: take "
                     "one of 0x80..0xfe (RFC 9260, 3.2)",
                     c->name, c->type);
    if (chunk_owner(c->type) != NULL)
        return wrong(error, x, "chunk %s: type 0x%02x belongs to %s: take another one", c->name,
                     c->type, chunk_owner(c->type));
    if (c->states == 0 || (c->states & ~HWS_EXT_IN_ANY) != 0)
        return wrong(error, x, "chunk %s: states 0x%02x: set HWS_EXT_IN_*, and nothing else",
                     c->name, c->states);
    if (c->place > HWS_EXT_AFTER_DATA)
        return wrong(error, x, "chunk %s: no such place in a packet: %u", c->name,
                     (unsigned)c->place);
    if (c->input == NULL && c->fill == NULL)
        return wrong(error, x, "chunk %s: neither input nor fill", c->name);
    return true;
}

static bool chunks_ok(const struct hws_extension *x, char *error)
{
    if (x->chunk_count > HWS_EXT_CHUNKS_MAX || (x->chunk_count > 0 && x->chunks == NULL))
        return wrong(error, x, "%u chunk types: there may be %u", (unsigned)x->chunk_count,
                     HWS_EXT_CHUNKS_MAX);
    for (uint32_t i = 0; i < x->chunk_count; i++)
        if (!chunk_ok(x, &x->chunks[i], error))
            return false;
    return true;
}

static bool causes_ok(const struct hws_extension *x, char *error)
{
    if (x->cause_count > HWS_EXT_CAUSES_MAX)
        return wrong(error, x, "%u causes: there may be %u", (unsigned)x->cause_count,
                     HWS_EXT_CAUSES_MAX);
    if (x->cause_count > 0 && x->causes == NULL)
        return wrong(error, x, "%u causes, and no list of them", (unsigned)x->cause_count);
    for (uint32_t i = 0; i < x->cause_count; i++) {
        if (!name_ok(x->causes[i].name))
            return wrong(error, x, "cause 0x%04x " NEEDS_NAME, x->causes[i].code, HWS_EXT_NAME_MAX);
        if (x->causes[i].code < 0x8000)
            return wrong(error, x, "cause %s: code 0x%04x: take 0x8000 or above", x->causes[i].name,
                         x->causes[i].code);
    }
    return true;
}

/* Whether it has something that the peer has to have, too. */
static bool needs_param(const struct hws_extension *x)
{
    return x->chunk_count > 0 || x->cause_count > 0 || x->state_size > 0 || x->reserve_bytes > 0 ||
           x->begin != NULL || x->end != NULL || x->data_sent != NULL || x->data_received != NULL ||
           x->timer != NULL;
}

static bool param_ok(const struct hws_extension *x, char *error)
{
    if (x->param == 0)
        return !needs_param(x) ||
               wrong(error, x,
                     "no INIT parameter: chunks, causes, state and hooks are only used "
                     "when both sides offered one");
    if ((x->param & 0xc000u) != 0x8000u)
        return wrong(error, x,
                     "parameter 0x%04x: a peer without it is to skip it silently: take "
                     "0x8000..0xbffe (RFC 9260, 3.2.1)",
                     x->param);
    if (param_owner(x->param) != NULL)
        return wrong(error, x, "parameter 0x%04x belongs to %s: take another one", x->param,
                     param_owner(x->param));
    if (x->param_name != NULL && !name_ok(x->param_name))
        return wrong(error, x, "parameter 0x%04x " NEEDS_NAME, x->param, HWS_EXT_NAME_MAX);
    if (x->offer_len > HWS_EXT_PARAM_MAX || (x->offer_len > 0 && x->offer == NULL))
        return wrong(error, x, "parameter 0x%04x: a value of %u bytes: there may be %u", x->param,
                     x->offer_len, HWS_EXT_PARAM_MAX);
    return true;
}

static bool sizes_ok(const struct hws_extension *x, char *error)
{
    if (x->state_size > HWS_EXT_STATE_MAX)
        return wrong(error, x, "a state of %u bytes: there may be %u", (unsigned)x->state_size,
                     HWS_EXT_STATE_MAX);
    if (x->reserve_bytes > HWS_EXT_RESERVE_MAX)
        return wrong(error, x, "%u bytes reserved: there may be %u", x->reserve_bytes,
                     HWS_EXT_RESERVE_MAX);
    if (x->missing_reports != 0 && x->missing_reports < HWS_OUTQ_MISSES_LOST)
        return wrong(error, x, "%u missing reports: loss takes %u or more", x->missing_reports,
                     HWS_OUTQ_MISSES_LOST);
    return true;
}

/* What every table of functions has: a name, and a state that is not too large. */
static bool table_ok(const struct hws_extension *x, const char *what, const char *name,
                     uint32_t state_size, uint32_t most, char *error)
{
    if (!name_ok(name))
        return wrong(error, x, "a %s " NEEDS_NAME, what, HWS_EXT_NAME_MAX);
    if (state_size > most)
        return wrong(error, x, "%s %s: a state of %u bytes: there may be %u", what, name,
                     (unsigned)state_size, (unsigned)most);
    return true;
}

static bool ccs_ok(const struct hws_extension *x, char *error)
{
    for (size_t i = 0; x->ccs != NULL && x->ccs[i] != NULL; i++) {
        const struct hws_cc_ops *o = x->ccs[i];
        if (!table_ok(x, "congestion controller", o->name, o->state_size, HWS_EXT_CC_STATE_MAX,
                      error))
            return false;
        if (o->init == NULL || o->ack == NULL || o->loss == NULL || o->timeout == NULL ||
            o->cwnd == NULL)
            return wrong(error, x,
                         "congestion controller %s needs init, ack, loss, timeout and cwnd",
                         o->name);
    }
    return true;
}

static bool scheds_ok(const struct hws_extension *x, char *error)
{
    for (size_t i = 0; x->scheds != NULL && x->scheds[i] != NULL; i++) {
        const struct hws_sched_ops *o = x->scheds[i];
        if (!table_ok(x, "stream scheduler", o->name, o->state_size, HWS_EXT_SCHED_STATE_MAX,
                      error))
            return false;
        if (o->stream_size > HWS_EXT_SCHED_STREAM_MAX)
            return wrong(error, x, "stream scheduler %s: %u bytes for a stream: there may be %u",
                         o->name, (unsigned)o->stream_size, HWS_EXT_SCHED_STREAM_MAX);
        if (o->ready == NULL || o->next == NULL || o->sent == NULL)
            return wrong(error, x, "stream scheduler %s needs ready, next and sent", o->name);
    }
    return true;
}

static bool pathsels_ok(const struct hws_extension *x, char *error)
{
    for (size_t i = 0; x->pathsels != NULL && x->pathsels[i] != NULL; i++) {
        const struct hws_pathsel_ops *o = x->pathsels[i];
        if (!table_ok(x, "path selector", o->name, o->state_size, HWS_EXT_PATHSEL_STATE_MAX, error))
            return false;
        if (o->pick == NULL)
            return wrong(error, x, "path selector %s needs pick", o->name);
    }
    return true;
}

static bool alone_ok(const struct hws_extension *x, char *error)
{
    if (x->api != HWS_EXTEND_API) {
        snprintf(error, HWS_EXTENSION_ERROR_MAX,
                 "an extension was built for version %u of <hawser/extend.h>, this is version %u: "
                 "build it again",
                 (unsigned)x->api, HWS_EXTEND_API);
        return false;
    }
    if (!name_ok(x->name))
        return wrong(error, x, "it " NEEDS_NAME, HWS_EXT_NAME_MAX);
    return ccs_ok(x, error) && scheds_ok(x, error) && pathsels_ok(x, error) && param_ok(x, error) &&
           chunks_ok(x, error) && causes_ok(x, error) && sizes_ok(x, error);
}

/* Whether `x` has none of what `other`, which stands before it, has. */
static bool apart(const struct hws_extension *x, const struct hws_extension *other, char *error)
{
    if (strcmp(x->name, other->name) == 0)
        return wrong(error, x, "there is another one of that name");
    if (x->param != 0 && x->param == other->param)
        return wrong(error, x, "parameter 0x%04x is that of extension %s", x->param, other->name);
    for (uint32_t i = 0; i < x->chunk_count; i++)
        for (uint32_t k = 0; k < other->chunk_count; k++)
            if (x->chunks[i].type == other->chunks[k].type)
                return wrong(error, x, "chunk %s: type 0x%02x is that of chunk %s of extension %s",
                             x->chunks[i].name, x->chunks[i].type, other->chunks[k].name,
                             other->name);
    for (uint32_t i = 0; i < x->cause_count; i++)
        for (uint32_t k = 0; k < other->cause_count; k++)
            if (x->causes[i].code == other->causes[k].code)
                return wrong(error, x, "cause %s: code 0x%04x is that of extension %s",
                             x->causes[i].name, x->causes[i].code, other->name);
    return true;
}

/* Congestion controllers and the like are asked for by name, each kind for itself: whether each of
 * the extension's has one that none before it has. */
#define NAMES_APART(kind, what)                                                                    \
    static bool kind##_names_apart(const struct hws_extension *x,                                  \
                                   const struct hws_extension *other, char *error)                 \
    {                                                                                              \
        for (size_t i = 0; x->kind##s != NULL && x->kind##s[i] != NULL; i++)                       \
            for (size_t k = 0; other->kind##s != NULL && other->kind##s[k] != NULL; k++) {         \
                if (x == other && k == i)                                                          \
                    break;                                                                         \
                if (strcmp(x->kind##s[i]->name, other->kind##s[k]->name) == 0)                     \
                    return wrong(error, x, what " %s: extension %s has one of that name",          \
                                 x->kind##s[i]->name, other->name);                                \
            }                                                                                      \
        return true;                                                                               \
    }

NAMES_APART(cc, "congestion controller")
NAMES_APART(sched, "stream scheduler")
NAMES_APART(pathsel, "path selector")

#undef NAMES_APART

static bool names_apart(const struct hws_extension *x, const struct hws_extension *other,
                        char *error)
{
    return cc_names_apart(x, other, error) && sched_names_apart(x, other, error) &&
           pathsel_names_apart(x, other, error);
}

/* Whether no chunk type or cause stands twice in the extension itself. */
static bool apart_inside(const struct hws_extension *x, char *error)
{
    for (uint32_t i = 0; i < x->chunk_count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (x->chunks[i].type == x->chunks[k].type)
                return wrong(error, x, "chunk type 0x%02x stands there twice", x->chunks[i].type);
    for (uint32_t i = 0; i < x->cause_count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (x->causes[i].code == x->causes[k].code)
                return wrong(error, x, "cause 0x%04x stands there twice", x->causes[i].code);
    return true;
}

static bool all_ok(const struct hws_extension *const *extensions, size_t count, char *error)
{
    if (count > HWS_EXT_MAX) {
        snprintf(error, HWS_EXTENSION_ERROR_MAX, "%zu extensions: there may be %u", count,
                 HWS_EXT_MAX);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!alone_ok(extensions[i], error) || !apart_inside(extensions[i], error) ||
            !names_apart(extensions[i], extensions[i], error) ||
            !apart(extensions[i], &built_in, error) ||
            !names_apart(extensions[i], &built_in, error))
            return false;
        for (size_t k = 0; k < i; k++)
            if (!apart(extensions[i], extensions[k], error) ||
                !names_apart(extensions[i], extensions[k], error))
                return false;
    }
    return true;
}

int hws_extensions_check(const struct hws_extension *const *extensions, size_t count, char *error)
{
    return all_ok(extensions, count, error) ? HWS_OK : HWS_E_INVAL;
}
