/* A packet against a pattern. */
#include <string.h>

#include "proto/bytes.h"
#include "proto/chunk.h"
#include "proto/packet.h"
#include "proto/param.h"
#include "proto/text.h"
#include "tests/script/pattern.h"

static bool match_list(struct script *s, enum element_kind kind, const struct element *pattern,
                       struct hws_tlv_iter list);

/* ---- One element ---- */

static bool match_fields(struct script *s, const struct element *e, const uint8_t *value,
                         uint32_t len)
{
    if (len < e->layout->fixed_len)
        return script_reason(s, "%s is too short", e->name);
    for (uint32_t i = 0; i < PATTERN_FIELDS_MAX && e->layout->fields[i].name != NULL; i++) {
        const struct field *field = &e->layout->fields[i];
        const uint8_t *at = value + field->offset;
        uint64_t number = field->width == 2 ? hws_get16(at) : hws_get32(at);
        if (!value_meets(s, &e->fields[i], field->name, number, field->width))
            return false;
    }
    return true;
}

static bool match_bytes(struct script *s, const struct element *e, const uint8_t *bytes,
                        uint32_t len)
{
    const char *name = e->layout->tail_name != NULL ? e->layout->tail_name : e->name;
    return value_meets(s, &e->tail_len, "len", len, 4) &&
           value_meets_bytes(s, &e->tail, name, bytes, len);
}

static bool match_info(struct script *s, const struct element *e, const uint8_t *bytes,
                       uint32_t len)
{
    if (len < 4 || hws_get16(bytes) != HWS_PARAM_HEARTBEAT_INFO || hws_get16(bytes + 2) != len)
        return script_reason(s, "%s has no Heartbeat Info parameter", e->name);
    return match_bytes(s, e, bytes + 4, len - 4);
}

static bool match_sack(struct script *s, const struct element *e, const struct hws_tlv *tlv)
{
    struct hws_sack sack;
    if (!hws_sack_decode(tlv, &sack))
        return script_reason(s, "the SACK is malformed");
    if (e->gaps_given && sack.gap_count != e->count)
        return script_reason(s, "the SACK has %u gap blocks, not %u", sack.gap_count, e->count);
    for (uint32_t i = 0; e->gaps_given && i < e->count; i++) {
        struct hws_gap gap = hws_sack_gap(&sack, i);
        if (gap.start != e->array[i] || gap.end != e->ends[i])
            return script_reason(s, "gap block %u is %u-%u, not %u-%u", i + 1, gap.start, gap.end,
                                 e->array[i], e->ends[i]);
    }
    if (e->dups_given && sack.dup_count != e->dup_count)
        return script_reason(s, "the SACK has %u duplicates, not %u", sack.dup_count, e->dup_count);
    for (uint32_t i = 0; e->dups_given && i < e->dup_count; i++)
        if (hws_sack_dup(&sack, i) != e->dups[i])
            return script_reason(s, "duplicate %u is %u, not %u", i + 1,
                                 (unsigned)hws_sack_dup(&sack, i), (unsigned)e->dups[i]);
    return true;
}

static bool match_types(struct script *s, const struct element *e, const uint8_t *bytes,
                        uint32_t len)
{
    uint32_t head = e->layout->tail == TAIL_COUNTED_TYPES ? 4 : 0;
    if (!e->list_given)
        return true;
    if (len != head + 2 * e->count || (head != 0 && hws_get32(bytes) != e->count))
        return script_reason(s, "%s does not have %u types", e->name, e->count);
    for (uint32_t i = 0; i < e->count; i++)
        if (hws_get16(bytes + head + 2 * i) != e->array[i])
            return script_reason(s, "type %u of %s is %u, not %u", i + 1, e->name,
                                 hws_get16(bytes + head + 2 * i), (unsigned)e->array[i]);
    return true;
}

static bool match_addr(struct script *s, const struct element *e, const struct hws_tlv *tlv)
{
    struct hws_addr addr;
    char text[HWS_ADDR_TEXT_MAX];
    if (!hws_param_addr(tlv, &addr))
        return script_reason(s, "%s is malformed", e->name);
    if (e->addr.family == HWS_FAMILY_NONE || hws_addr_same(&addr, &e->addr))
        return true;
    return script_reason(s, "%s is %s", e->name, hws_addr_text(&addr, text));
}

static bool match_tail(struct script *s, const struct element *e, const struct hws_tlv *tlv,
                       const uint8_t *bytes, uint32_t len)
{
    struct hws_tlv_iter list = hws_tlv_begin(bytes, len);
    switch (e->layout->tail) {
    case TAIL_BYTES:
        return match_bytes(s, e, bytes, len);
    case TAIL_NONE:
        return len == 0 || script_reason(s, "%s is too long", e->name);
    case TAIL_PARAMS:
        return !e->list_given || match_list(s, ELEMENT_PARAM, e->list, list);
    case TAIL_CAUSES:
        return !e->list_given || match_list(s, ELEMENT_CAUSE, e->list, list);
    case TAIL_CHUNKS:
        return !e->list_given || match_list(s, ELEMENT_CHUNK, e->list, list);
    case TAIL_SACK:
        return match_sack(s, e, tlv);
    case TAIL_INFO:
        return match_info(s, e, bytes, len);
    case TAIL_ADDR:
        return match_addr(s, e, tlv);
    default:
        return match_types(s, e, bytes, len);
    }
}

static bool match_flags(struct script *s, const struct element *e, uint8_t flags)
{
    unsigned compared = e->layout->exact_letters;
    if (e->letters_given)
        compared |= (1u << strlen(e->layout->letters)) - 1;
    if (e->flags.kind == CONDITION_NONE && (flags & compared) != (e->letters & compared))
        return script_reason(s, "the flags of %s are 0x%02x, not 0x%02x", e->name, flags,
                             e->letters);
    return value_meets(s, &e->flags, "flags", flags, 1);
}

/* A chunk's first two bytes are type and flags, a parameter's and a cause's are its type. */
static uint16_t element_type(enum element_kind kind, const struct hws_tlv *tlv)
{
    return kind == ELEMENT_CHUNK ? hws_chunk_type(tlv) : tlv->type;
}

static bool match_element(struct script *s, enum element_kind kind, const struct element *e,
                          const struct hws_tlv *tlv)
{
    uint16_t type = element_type(kind, tlv);
    if (type != e->type)
        return script_reason(s, "%s expected, not %s", e->name, layout_name(s, kind, type));
    if (kind == ELEMENT_CHUNK && !match_flags(s, e, hws_chunk_flags(tlv)))
        return false;
    uint32_t fixed = e->layout->fixed_len;
    return value_meets(s, &e->length, "length", tlv->len, 2) &&
           match_fields(s, e, tlv->bytes + 4, tlv->len - 4u) &&
           match_tail(s, e, tlv, tlv->bytes + 4 + fixed, tlv->len - 4u - fixed);
}

/* ---- Lists ---- */

/* The first element from here on that matches what stands behind "...". */
static bool match_after_rest(struct script *s, enum element_kind kind, const struct element *e,
                             struct hws_tlv_iter *list)
{
    struct hws_tlv tlv;
    bool any = false;
    while (hws_tlv_next(list, &tlv)) {
        uint32_t vars = s->vars.count;
        if (match_element(s, kind, e, &tlv))
            return true;
        s->vars.count = vars; /* what a failed try captured */
        any = any || element_type(kind, &tlv) == e->type;
    }
    return any ? false : script_reason(s, "there is no %s", e->name);
}

static bool match_list(struct script *s, enum element_kind kind, const struct element *pattern,
                       struct hws_tlv_iter list)
{
    struct hws_tlv tlv;
    bool rest = false;
    for (const struct element *e = pattern; e != NULL; e = e->next) {
        if (e->kind == ELEMENT_REST) {
            rest = true;
            continue;
        }
        if (rest) {
            if (!match_after_rest(s, kind, e, &list))
                return false;
        } else if (!hws_tlv_next(&list, &tlv)) {
            return script_reason(s, "there is no %s", e->name);
        } else if (!match_element(s, kind, e, &tlv)) {
            return false;
        }
        rest = false;
    }
    if (!rest && hws_tlv_next(&list, &tlv))
        return script_reason(s, "there is more than expected: %s",
                             layout_name(s, kind, element_type(kind, &tlv)));
    return !list.malformed || script_reason(s, "the list is malformed");
}

/* ---- The packet ---- */

/* The tag is as section 8.5 has it, unless the script says otherwise: none on INIT, the peer's,
 * and hawser's own, reflected, with the T bit. */
static bool match_vtag(struct script *s, const struct pattern *p, const struct hws_header *header,
                       const struct world_packet *packet)
{
    if (p->vtag.kind != CONDITION_NONE)
        return value_meets(s, &p->vtag, "vtag", header->vtag, 4);
    struct hws_tlv_iter it = hws_packet_chunks(packet->data, packet->len);
    struct hws_tlv first;
    uint32_t expected = 0;
    if (!hws_tlv_next(&it, &first))
        return script_reason(s, "the packet has no chunk");
    uint8_t type = hws_chunk_type(&first);
    bool reflected = (type == HWS_CHUNK_ABORT || type == HWS_CHUNK_SHUTDOWN_COMPLETE) &&
                     hws_chunk_flags(&first) & HWS_FLAG_T;
    const struct value *tag = value_lookup(s, reflected ? "local_tag" : "peer_tag");
    if (tag == NULL)
        return script_reason(s, "the T bit reflects a tag that is not known here: say vtag=");
    if (type != HWS_CHUNK_INIT)
        expected = (uint32_t)tag->number;
    if (header->vtag == expected)
        return true;
    return script_reason(s, "the verification tag is 0x%08x, not 0x%08x", (unsigned)header->vtag,
                         (unsigned)expected);
}

static bool match_address(struct script *s, const char *what, bool given,
                          const struct hws_addr *expected, const struct hws_addr *found)
{
    char text[HWS_ADDR_TEXT_MAX];
    if (!given || hws_addr_same(expected, found))
        return true;
    return script_reason(s, "it goes %s %s", what, hws_addr_text(found, text));
}

static bool match_port(struct script *s, const struct condition *given, const char *name,
                       uint16_t otherwise, uint16_t found)
{
    if (given->kind != CONDITION_NONE)
        return value_meets(s, given, name, found, 2);
    return found == otherwise || script_reason(s, "%s is %u, not %u", name, found, otherwise);
}

bool pattern_match(struct script *s, const struct pattern *p, const struct world_packet *packet)
{
    struct hws_header header;
    if (!hws_header_read(packet->data, packet->len, &header))
        return script_reason(s, "the packet is shorter than a header");
    return match_list(s, ELEMENT_CHUNK, p->chunks, hws_packet_chunks(packet->data, packet->len)) &&
           match_address(s, "from", p->from_given, &p->from, &packet->src) &&
           match_address(s, "to", p->to_given, &p->to, &packet->dst) &&
           match_port(s, &p->sport, "sport", s->world.local_port, header.src_port) &&
           match_port(s, &p->dport, "dport", s->world.peer_port, header.dst_port) &&
           value_meets(s, &p->size, "size", packet->len, 4) &&
           value_meets(s, &p->may_fragment, "may_fragment", packet->may_fragment, 1) &&
           match_vtag(s, p, &header, packet);
}
