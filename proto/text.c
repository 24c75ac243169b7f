#include "proto/text.h"

#include "proto/chunk.h"
#include "proto/text_line.h"

static void put_data_flags(struct hws_line *l, uint8_t flags)
{
    static const struct {
        uint8_t bit;
        char letter;
    } letters[] = {{HWS_DATA_B, 'B'}, {HWS_DATA_E, 'E'}, {HWS_DATA_U, 'U'}, {HWS_DATA_I, 'I'}};
    char text[HWS_COUNT(letters) + 1];
    size_t len = 0;
    for (size_t i = 0; i < HWS_COUNT(letters); i++)
        if (flags & letters[i].bit)
            text[len++] = letters[i].letter;
    text[len] = '\0';
    if (len > 0)
        hws_line_put(l, " %s", text);
}

static bool put_data(struct hws_line *l, const struct hws_tlv *c)
{
    struct hws_data d;
    if (!hws_data_decode(c, &d))
        return false;
    hws_line_put(l, " tsn=%u sid=%u ssn=%u ppid=%u len=%u", (unsigned)d.tsn, d.sid, d.ssn,
                 (unsigned)d.ppid, (unsigned)d.payload_len);
    put_data_flags(l, d.flags);
    return true;
}

static bool put_init(struct hws_line *l, const struct hws_tlv *c)
{
    struct hws_init init;
    if (!hws_init_decode(c, &init))
        return false;
    hws_line_put(l, " tag=0x%08x rwnd=%u os=%u mis=%u tsn=%u", (unsigned)init.tag,
                 (unsigned)init.a_rwnd, init.ostreams, init.max_instreams, (unsigned)init.tsn);
    if (init.params_len == 0)
        return true;
    hws_line_put(l, " params=");
    hws_line_list(l, init.params, init.params_len, hws_line_param);
    return true;
}

static void put_gaps(struct hws_line *l, const struct hws_sack *sack)
{
    for (uint32_t i = 0; i < sack->gap_count && !l->cut; i++) {
        struct hws_gap gap = hws_sack_gap(sack, i);
        hws_line_put(l, "%s%u-%u", i == 0 ? " gaps=[" : ",", gap.start, gap.end);
    }
    if (sack->gap_count > 0)
        hws_line_put(l, "]");
}

static void put_dups(struct hws_line *l, const struct hws_sack *sack)
{
    for (uint32_t i = 0; i < sack->dup_count && !l->cut; i++)
        hws_line_put(l, "%s%u", i == 0 ? " dups=[" : ",", (unsigned)hws_sack_dup(sack, i));
    if (sack->dup_count > 0)
        hws_line_put(l, "]");
}

static bool put_sack(struct hws_line *l, const struct hws_tlv *c)
{
    struct hws_sack sack;
    if (!hws_sack_decode(c, &sack))
        return false;
    hws_line_put(l, " cum=%u rwnd=%u", (unsigned)sack.cum_tsn, (unsigned)sack.a_rwnd);
    put_gaps(l, &sack);
    put_dups(l, &sack);
    return true;
}

static bool put_heartbeat(struct hws_line *l, const struct hws_tlv *c)
{
    const uint8_t *info;
    uint32_t info_len;
    if (!hws_heartbeat_decode(c, &info, &info_len))
        return false;
    hws_line_put(l, " info-len=%u", (unsigned)info_len);
    return true;
}

static void put_t_bit(struct hws_line *l, const struct hws_tlv *c)
{
    if (hws_chunk_flags(c) & HWS_FLAG_T)
        hws_line_put(l, " T");
}

static bool put_causes(struct hws_line *l, const struct hws_tlv *c)
{
    if (hws_chunk_value_len(c) == 0)
        return true;
    hws_line_put(l, " causes=");
    hws_line_list(l, hws_chunk_value(c), hws_chunk_value_len(c), hws_line_cause);
    return true;
}

static bool put_abort(struct hws_line *l, const struct hws_tlv *c)
{
    put_t_bit(l, c);
    return put_causes(l, c);
}

static bool put_shutdown(struct hws_line *l, const struct hws_tlv *c)
{
    uint32_t cum_tsn;
    if (!hws_shutdown_decode(c, &cum_tsn))
        return false;
    hws_line_put(l, " cum=%u", (unsigned)cum_tsn);
    return true;
}

static bool put_shutdown_complete(struct hws_line *l, const struct hws_tlv *c)
{
    put_t_bit(l, c);
    return hws_line_nothing(l, c);
}

/* The longest text of what an extension's chunk says. */
#define EXTRA_MAX 256u

static bool put_named_contents(struct hws_line *l, const struct hws_tlv *c)
{
    char text[EXTRA_MAX];
    int len = l->names != NULL ? l->names->contents(l->names->arg, c, text, sizeof text) : -1;
    if (len < 0)
        return false;
    hws_line_put(l, "%s%s", len > 0 ? " " : "", text);
    return true;
}

static bool put_unknown_chunk(struct hws_line *l, const struct hws_tlv *c)
{
    if (put_named_contents(l, c))
        return true;
    hws_line_put(l, " flags=0x%02x", hws_chunk_flags(c));
    return hws_line_opaque(l, c);
}

static hws_line_contents *const chunk_contents[] = {
    [HWS_CHUNK_DATA] = put_data,
    [HWS_CHUNK_INIT] = put_init,
    [HWS_CHUNK_INIT_ACK] = put_init,
    [HWS_CHUNK_SACK] = put_sack,
    [HWS_CHUNK_HEARTBEAT] = put_heartbeat,
    [HWS_CHUNK_HEARTBEAT_ACK] = put_heartbeat,
    [HWS_CHUNK_ABORT] = put_abort,
    [HWS_CHUNK_SHUTDOWN] = put_shutdown,
    [HWS_CHUNK_SHUTDOWN_ACK] = hws_line_nothing,
    [HWS_CHUNK_ERROR] = put_causes,
    [HWS_CHUNK_COOKIE_ECHO] = hws_line_opaque,
    [HWS_CHUNK_COOKIE_ACK] = hws_line_nothing,
    [HWS_CHUNK_SHUTDOWN_COMPLETE] = put_shutdown_complete,
    [HWS_CHUNK_PAD] = hws_line_opaque,
};

static void put_chunk(struct hws_line *l, const struct hws_tlv *c)
{
    hws_line_contents *contents = put_unknown_chunk;
    uint8_t type = hws_chunk_type(c);
    if (type < HWS_COUNT(chunk_contents) && chunk_contents[type] != NULL)
        contents = chunk_contents[type];
    hws_line_chunk_name(l, type);
    if (!contents(l, c))
        hws_line_malformed(l, c);
}

size_t hws_text_chunk(char *out, size_t cap, const struct hws_tlv *chunk)
{
    struct hws_line l = hws_line_begin(out, cap);
    put_chunk(&l, chunk);
    return l.len;
}

static void put_chunks(struct hws_line *l, const uint8_t *packet, uint32_t len)
{
    struct hws_tlv_iter it = hws_packet_chunks(packet, len);
    struct hws_tlv chunk;
    const char *separator = ": ";
    while (!l->cut && hws_tlv_next(&it, &chunk)) {
        hws_line_put(l, "%s", separator);
        put_chunk(l, &chunk);
        separator = "; ";
    }
    if (it.malformed)
        hws_line_put(l, "%smalformed", separator);
}

size_t hws_text_packet(char *out, size_t cap, const uint8_t *packet, uint32_t len)
{
    return hws_text_packet_named(out, cap, packet, len, NULL);
}

size_t hws_text_packet_named(char *out, size_t cap, const uint8_t *packet, uint32_t len,
                             const struct hws_text_names *names)
{
    struct hws_line l = hws_line_begin(out, cap);
    l.names = names;
    struct hws_header header;
    if (!hws_header_read(packet, len, &header)) {
        hws_line_put(&l, "malformed packet len=%u", (unsigned)len);
        return l.len;
    }
    hws_line_put(&l, "%u>%u vtag=0x%08x", header.src_port, header.dst_port, (unsigned)header.vtag);
    put_chunks(&l, packet, len);
    return l.len;
}
