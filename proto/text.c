#include "proto/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/addr.h"
#include "proto/cause.h"
#include "proto/chunk.h"
#include "proto/param.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Text in the making: once something did not fit, it ends in "..." and takes nothing more. */
struct line {
    char *out;
    size_t cap, len;
    bool cut;
};

static struct line line_begin(char *out, size_t cap)
{
    if (cap > 0)
        out[0] = '\0';
    return (struct line){.out = out, .cap = cap, .len = 0, .cut = cap == 0};
}

static void line_cut(struct line *l)
{
    static const char mark[] = "...";
    l->cut = true;
    l->len = l->cap - 1;
    if (l->cap >= sizeof mark)
        memcpy(l->out + l->cap - sizeof mark, mark, sizeof mark);
}

__attribute__((format(printf, 2, 3))) static void put(struct line *l, const char *format, ...)
{
    if (l->cut)
        return;
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(l->out + l->len, l->cap - l->len, format, args);
    va_end(args);
    if (wanted < 0 || (size_t)wanted >= l->cap - l->len)
        line_cut(l);
    else
        l->len += (size_t)wanted;
}

static void put_separator(struct line *l, bool first)
{
    if (!first)
        put(l, ", ");
}

/* Elements of one kind in brackets. What one element may hold in turn is only named, so that
 * nesting made by a peer costs no stack. */
static void put_list(struct line *l, const uint8_t *bytes, uint32_t len,
                     void (*put_element)(struct line *, const struct hws_tlv *))
{
    struct hws_tlv_iter it = hws_tlv_begin(bytes, len);
    struct hws_tlv element;
    bool first = true;
    put(l, "[");
    while (!l->cut && hws_tlv_next(&it, &element)) {
        put_separator(l, first);
        put_element(l, &element);
        first = false;
    }
    if (it.malformed) {
        put_separator(l, first);
        put(l, "malformed");
    }
    put(l, "]");
}

static void put_len(struct line *l, const struct hws_tlv *t)
{
    put(l, " len=%u", t->len - 4u);
}

static void put_malformed(struct line *l, const struct hws_tlv *t)
{
    put(l, " malformed");
    put_len(l, t);
}

/* Parameters */

static void put_param_name(struct line *l, uint16_t type)
{
    const char *name = hws_param_name(type);
    if (name != NULL)
        put(l, "%s", name);
    else
        put(l, "Parameter-0x%04x", type);
}

static void put_param_brief(struct line *l, const struct hws_tlv *p)
{
    put_param_name(l, p->type);
    put_len(l, p);
}

static void put_addr(struct line *l, const struct hws_tlv *p)
{
    struct hws_addr addr;
    char text[HWS_ADDR_TEXT_MAX];
    if (hws_param_addr(p, &addr))
        put(l, " %s", hws_addr_text(&addr, text));
}

static void put_types(struct line *l, const uint8_t *types, uint32_t count)
{
    put(l, " [");
    for (uint32_t i = 0; i < count && !l->cut; i++) {
        put_separator(l, i == 0);
        put_param_name(l, hws_get16(types + 2 * i));
    }
    put(l, "]");
}

static void put_param_contents(struct line *l, const struct hws_tlv *p)
{
    uint32_t increment_ms;
    switch (p->type) {
    case HWS_PARAM_IPV4:
    case HWS_PARAM_IPV6:
        put_addr(l, p);
        break;
    case HWS_PARAM_UNRECOGNIZED:
        put(l, " ");
        put_list(l, hws_param_value(p), hws_param_value_len(p), put_param_brief);
        break;
    case HWS_PARAM_COOKIE_PRESERVATIVE:
        if (hws_param_cookie_preservative(p, &increment_ms))
            put(l, " increment-ms=%u", (unsigned)increment_ms);
        break;
    case HWS_PARAM_SUPPORTED_ADDRESSES:
        put_types(l, hws_param_value(p), hws_param_value_len(p) / 2);
        break;
    case HWS_PARAM_ECN:
    case HWS_PARAM_FORWARD_TSN:
        break;
    default:
        put_len(l, p);
    }
}

static void put_param(struct line *l, const struct hws_tlv *p)
{
    put_param_name(l, p->type);
    if (hws_param_len_ok(p))
        put_param_contents(l, p);
    else
        put_malformed(l, p);
}

/* Error causes */

static void put_chunk_name(struct line *l, uint8_t type)
{
    const char *name = hws_chunk_name(type);
    if (name != NULL)
        put(l, "%s", name);
    else
        put(l, "CHUNK-%u", type);
}

static void put_chunk_brief(struct line *l, const struct hws_tlv *c)
{
    put_chunk_name(l, hws_chunk_type(c));
    put_len(l, c);
}

static void put_cause_name(struct line *l, uint16_t code)
{
    const char *name = hws_cause_name(code);
    if (name != NULL)
        put(l, "%s", name);
    else
        put(l, "Cause-%u", code);
}

static bool put_invalid_stream(struct line *l, const struct hws_tlv *c)
{
    uint16_t sid;
    if (!hws_cause_invalid_stream(c, &sid))
        return false;
    put(l, " sid=%u", sid);
    return true;
}

static bool put_missing_param(struct line *l, const struct hws_tlv *c)
{
    int count = hws_cause_missing_param(c, NULL, 0);
    if (count < 0)
        return false;
    put_types(l, c->bytes + 8, (uint32_t)count);
    return true;
}

static bool put_stale_cookie(struct line *l, const struct hws_tlv *c)
{
    uint32_t staleness_us;
    if (!hws_cause_stale_cookie(c, &staleness_us))
        return false;
    put(l, " staleness-us=%u", (unsigned)staleness_us);
    return true;
}

static bool put_no_user_data(struct line *l, const struct hws_tlv *c)
{
    uint32_t tsn;
    if (!hws_cause_no_user_data(c, &tsn))
        return false;
    put(l, " tsn=%u", (unsigned)tsn);
    return true;
}

static bool put_params(struct line *l, const struct hws_tlv *c)
{
    put(l, " ");
    put_list(l, c->bytes + 4, c->len - 4u, put_param);
    return true;
}

static bool put_unrecognized_chunk(struct line *l, const struct hws_tlv *c)
{
    put(l, " ");
    put_list(l, c->bytes + 4, c->len - 4u, put_chunk_brief);
    return true;
}

static bool put_opaque(struct line *l, const struct hws_tlv *c)
{
    put_len(l, c);
    return true;
}

static bool put_nothing(struct line *l, const struct hws_tlv *c)
{
    (void)l;
    return c->len == 4;
}

/* Each writes what follows the name, and is false when that is malformed. */
static bool (*const cause_contents[])(struct line *, const struct hws_tlv *) = {
    [HWS_CAUSE_INVALID_STREAM] = put_invalid_stream,
    [HWS_CAUSE_MISSING_PARAM] = put_missing_param,
    [HWS_CAUSE_STALE_COOKIE] = put_stale_cookie,
    [HWS_CAUSE_OUT_OF_RESOURCE] = put_nothing,
    [HWS_CAUSE_UNRESOLVABLE_ADDRESS] = put_params,
    [HWS_CAUSE_UNRECOGNIZED_CHUNK] = put_unrecognized_chunk,
    [HWS_CAUSE_INVALID_PARAM] = put_nothing,
    [HWS_CAUSE_UNRECOGNIZED_PARAMS] = put_params,
    [HWS_CAUSE_NO_USER_DATA] = put_no_user_data,
    [HWS_CAUSE_COOKIE_IN_SHUTDOWN] = put_nothing,
    [HWS_CAUSE_RESTART_NEW_ADDRESSES] = put_params,
};

static void put_cause(struct line *l, const struct hws_tlv *c)
{
    bool (*contents)(struct line *, const struct hws_tlv *) = put_opaque;
    if (c->type < COUNT(cause_contents) && cause_contents[c->type] != NULL)
        contents = cause_contents[c->type];
    put_cause_name(l, c->type);
    if (!contents(l, c))
        put_malformed(l, c);
}

/* Chunks */

static void put_data_flags(struct line *l, uint8_t flags)
{
    static const struct {
        uint8_t bit;
        char letter;
    } letters[] = {{HWS_DATA_B, 'B'}, {HWS_DATA_E, 'E'}, {HWS_DATA_U, 'U'}, {HWS_DATA_I, 'I'}};
    char text[COUNT(letters) + 1];
    size_t len = 0;
    for (size_t i = 0; i < COUNT(letters); i++)
        if (flags & letters[i].bit)
            text[len++] = letters[i].letter;
    text[len] = '\0';
    if (len > 0)
        put(l, " %s", text);
}

static bool put_data(struct line *l, const struct hws_tlv *c)
{
    struct hws_data d;
    if (!hws_data_decode(c, &d))
        return false;
    put(l, " tsn=%u sid=%u ssn=%u ppid=%u len=%u", (unsigned)d.tsn, d.sid, d.ssn, (unsigned)d.ppid,
        (unsigned)d.payload_len);
    put_data_flags(l, d.flags);
    return true;
}

static bool put_init(struct line *l, const struct hws_tlv *c)
{
    struct hws_init init;
    if (!hws_init_decode(c, &init))
        return false;
    put(l, " tag=0x%08x rwnd=%u os=%u mis=%u tsn=%u", (unsigned)init.tag, (unsigned)init.a_rwnd,
        init.ostreams, init.max_instreams, (unsigned)init.tsn);
    if (init.params_len == 0)
        return true;
    put(l, " params=");
    put_list(l, init.params, init.params_len, put_param);
    return true;
}

static void put_gaps(struct line *l, const struct hws_sack *sack)
{
    for (uint32_t i = 0; i < sack->gap_count && !l->cut; i++) {
        struct hws_gap gap = hws_sack_gap(sack, i);
        put(l, "%s%u-%u", i == 0 ? " gaps=[" : ",", gap.start, gap.end);
    }
    if (sack->gap_count > 0)
        put(l, "]");
}

static void put_dups(struct line *l, const struct hws_sack *sack)
{
    for (uint32_t i = 0; i < sack->dup_count && !l->cut; i++)
        put(l, "%s%u", i == 0 ? " dups=[" : ",", (unsigned)hws_sack_dup(sack, i));
    if (sack->dup_count > 0)
        put(l, "]");
}

static bool put_sack(struct line *l, const struct hws_tlv *c)
{
    struct hws_sack sack;
    if (!hws_sack_decode(c, &sack))
        return false;
    put(l, " cum=%u rwnd=%u", (unsigned)sack.cum_tsn, (unsigned)sack.a_rwnd);
    put_gaps(l, &sack);
    put_dups(l, &sack);
    return true;
}

static bool put_heartbeat(struct line *l, const struct hws_tlv *c)
{
    const uint8_t *info;
    uint32_t info_len;
    if (!hws_heartbeat_decode(c, &info, &info_len))
        return false;
    put(l, " info-len=%u", (unsigned)info_len);
    return true;
}

static void put_t_bit(struct line *l, const struct hws_tlv *c)
{
    if (hws_chunk_flags(c) & HWS_FLAG_T)
        put(l, " T");
}

static bool put_causes(struct line *l, const struct hws_tlv *c)
{
    if (hws_chunk_value_len(c) == 0)
        return true;
    put(l, " causes=");
    put_list(l, hws_chunk_value(c), hws_chunk_value_len(c), put_cause);
    return true;
}

static bool put_abort(struct line *l, const struct hws_tlv *c)
{
    put_t_bit(l, c);
    return put_causes(l, c);
}

static bool put_shutdown(struct line *l, const struct hws_tlv *c)
{
    uint32_t cum_tsn;
    if (!hws_shutdown_decode(c, &cum_tsn))
        return false;
    put(l, " cum=%u", (unsigned)cum_tsn);
    return true;
}

static bool put_shutdown_complete(struct line *l, const struct hws_tlv *c)
{
    put_t_bit(l, c);
    return put_nothing(l, c);
}

static bool put_unknown_chunk(struct line *l, const struct hws_tlv *c)
{
    put(l, " flags=0x%02x", hws_chunk_flags(c));
    return put_opaque(l, c);
}

/* As for causes: each writes what follows the name, and is false when that is malformed. */
static bool (*const chunk_contents[])(struct line *, const struct hws_tlv *) = {
    [HWS_CHUNK_DATA] = put_data,
    [HWS_CHUNK_INIT] = put_init,
    [HWS_CHUNK_INIT_ACK] = put_init,
    [HWS_CHUNK_SACK] = put_sack,
    [HWS_CHUNK_HEARTBEAT] = put_heartbeat,
    [HWS_CHUNK_HEARTBEAT_ACK] = put_heartbeat,
    [HWS_CHUNK_ABORT] = put_abort,
    [HWS_CHUNK_SHUTDOWN] = put_shutdown,
    [HWS_CHUNK_SHUTDOWN_ACK] = put_nothing,
    [HWS_CHUNK_ERROR] = put_causes,
    [HWS_CHUNK_COOKIE_ECHO] = put_opaque,
    [HWS_CHUNK_COOKIE_ACK] = put_nothing,
    [HWS_CHUNK_SHUTDOWN_COMPLETE] = put_shutdown_complete,
};

static void put_chunk(struct line *l, const struct hws_tlv *c)
{
    bool (*contents)(struct line *, const struct hws_tlv *) = put_unknown_chunk;
    uint8_t type = hws_chunk_type(c);
    if (type < COUNT(chunk_contents) && chunk_contents[type] != NULL)
        contents = chunk_contents[type];
    put_chunk_name(l, type);
    if (!contents(l, c))
        put_malformed(l, c);
}

size_t hws_text_chunk(char *out, size_t cap, const struct hws_tlv *chunk)
{
    struct line l = line_begin(out, cap);
    put_chunk(&l, chunk);
    return l.len;
}

static void put_chunks(struct line *l, const uint8_t *packet, uint32_t len)
{
    struct hws_tlv_iter it = hws_packet_chunks(packet, len);
    struct hws_tlv chunk;
    const char *separator = ": ";
    while (!l->cut && hws_tlv_next(&it, &chunk)) {
        put(l, "%s", separator);
        put_chunk(l, &chunk);
        separator = "; ";
    }
    if (it.malformed)
        put(l, "%smalformed", separator);
}

size_t hws_text_packet(char *out, size_t cap, const uint8_t *packet, uint32_t len)
{
    struct line l = line_begin(out, cap);
    struct hws_header header;
    if (!hws_header_read(packet, len, &header)) {
        put(&l, "malformed packet len=%u", (unsigned)len);
        return l.len;
    }
    put(&l, "%u>%u vtag=0x%08x", header.src_port, header.dst_port, (unsigned)header.vtag);
    put_chunks(&l, packet, len);
    return l.len;
}
