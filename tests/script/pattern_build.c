/* Bytes from a pattern. Unlike the engine's own builder it writes what a script says, however
 * wrong. */
#include <string.h>

#include "proto/bytes.h"
#include "proto/chunk.h"
#include "proto/crc32c.h"
#include "proto/packet.h"
#include "proto/param.h"
#include "tests/script/pattern.h"

struct output {
    struct script *s;
    uint8_t *bytes;
    uint32_t len;
};

static void build_list(struct output *o, const struct element *first);

/* ---- Bytes ---- */

static uint8_t *put(struct output *o, const void *bytes, uint32_t len)
{
    if (len > HWS_PACKET_MAX_LEN - o->len)
        script_fail(o->s, "the packet is longer than %u bytes", HWS_PACKET_MAX_LEN);
    uint8_t *at = o->bytes + o->len;
    if (bytes != NULL)
        memcpy(at, bytes, len);
    else
        memset(at, 0, len);
    o->len += len;
    return at;
}

static void put_number(uint8_t *at, uint64_t number, uint32_t width)
{
    if (width == 2)
        hws_put16(at, (uint16_t)number);
    else
        hws_put32(at, (uint32_t)number);
}

static void put_word(struct output *o, uint64_t number, uint32_t width)
{
    put_number(put(o, NULL, width), number, width);
}

static uint64_t number_of(struct output *o, const struct condition *condition, const char *name)
{
    if (condition->low.bytes != NULL)
        script_fail(o->s, "%s is a number, not bytes", name);
    return condition->low.number;
}

/* ---- Elements ---- */

static uint64_t initial(struct output *o, const struct element *e, const struct field *field)
{
    if (field->initial == NULL)
        script_fail(o->s, "%s needs %s=", e->name, field->name);
    struct scan c = {o->s, field->initial};
    return value_scan_number(&c);
}

static void build_fields(struct output *o, const struct element *e)
{
    uint8_t *value = put(o, NULL, e->layout->fixed_len);
    for (uint32_t i = 0; i < PATTERN_FIELDS_MAX && e->layout->fields[i].name != NULL; i++) {
        const struct field *field = &e->layout->fields[i];
        uint64_t number = e->fields[i].kind == CONDITION_NONE
                              ? initial(o, e, field)
                              : number_of(o, &e->fields[i], field->name);
        put_number(value + field->offset, number, field->width);
    }
}

static void build_bytes(struct output *o, const struct element *e)
{
    if (e->tail.kind != CONDITION_NONE) {
        if (e->tail.low.bytes == NULL)
            script_fail(o->s, "%s needs bytes here", e->name);
        put(o, e->tail.low.bytes, e->tail.low.len);
        return;
    }
    uint64_t len = 0;
    if (e->tail_len.kind != CONDITION_NONE)
        len = number_of(o, &e->tail_len, "len");
    else if (e->kind == ELEMENT_CHUNK && e->type == HWS_CHUNK_DATA)
        len = 4;
    if (len > SCRIPT_BYTES_MAX)
        script_fail(o->s, "more than %u bytes", SCRIPT_BYTES_MAX);
    uint8_t *at = put(o, NULL, (uint32_t)len);
    for (uint32_t i = 0; i < len; i++)
        at[i] = (uint8_t)i;
}

static void build_sack(struct output *o, const struct element *e)
{
    put_word(o, e->count, 2);
    put_word(o, e->dup_count, 2);
    for (uint32_t i = 0; i < e->count; i++) {
        put_word(o, e->array[i], 2);
        put_word(o, e->ends[i], 2);
    }
    for (uint32_t i = 0; i < e->dup_count; i++)
        put_word(o, e->dups[i], 4);
}

static void build_info(struct output *o, const struct element *e)
{
    uint32_t start = o->len;
    put_word(o, HWS_PARAM_HEARTBEAT_INFO, 2);
    put_word(o, 0, 2);
    build_bytes(o, e);
    hws_put16(o->bytes + start + 2, (uint16_t)(o->len - start));
}

static void build_types(struct output *o, const struct element *e)
{
    if (e->layout->tail == TAIL_COUNTED_TYPES)
        put_word(o, e->count, 4);
    for (uint32_t i = 0; i < e->count; i++)
        put_word(o, e->array[i], 2);
}

static void build_tail(struct output *o, const struct element *e)
{
    switch (e->layout->tail) {
    case TAIL_BYTES:
        build_bytes(o, e);
        break;
    case TAIL_NONE:
        break;
    case TAIL_PARAMS:
    case TAIL_CAUSES:
    case TAIL_CHUNKS:
        build_list(o, e->list);
        break;
    case TAIL_SACK:
        build_sack(o, e);
        break;
    case TAIL_INFO:
        build_info(o, e);
        break;
    case TAIL_ADDR:
        put(o, e->addr.ip, hws_addr_len(&e->addr));
        break;
    case TAIL_TYPES:
    case TAIL_COUNTED_TYPES:
        build_types(o, e);
        break;
    }
}

/* A DATA chunk whose flags are not written is a whole message. */
static uint8_t flags_of(struct output *o, const struct element *e)
{
    if (e->flags.kind != CONDITION_NONE)
        return (uint8_t)number_of(o, &e->flags, "flags");
    if (!e->letters_given && e->type == HWS_CHUNK_DATA)
        return HWS_DATA_B | HWS_DATA_E;
    return e->letters;
}

static void build_element(struct output *o, const struct element *e)
{
    if (e->kind == ELEMENT_RAW) {
        put(o, e->tail.low.bytes, e->tail.low.len);
        return;
    }
    uint32_t start = o->len;
    if (e->kind == ELEMENT_CHUNK)
        put_word(o, (uint64_t)e->type << 8 | flags_of(o, e), 2);
    else
        put_word(o, e->type, 2);
    put_word(o, 0, 2);
    build_fields(o, e);
    build_tail(o, e);
    uint64_t length =
        e->length.kind != CONDITION_NONE ? number_of(o, &e->length, "length") : o->len - start;
    hws_put16(o->bytes + start + 2, (uint16_t)length);
}

static void pad(struct output *o)
{
    put(o, NULL, hws_pad4(o->len) - o->len);
}

/* Each element starts on a 4-byte boundary; the padding of the last one is its owner's to add, so
 * that the owner's length does not count it (3.2). */
static void build_list(struct output *o, const struct element *first)
{
    for (const struct element *e = first; e != NULL; e = e->next) {
        pad(o);
        build_element(o, e);
    }
}

/* ---- The packet ---- */

static bool is_init(const struct element *e)
{
    return e != NULL && e->kind == ELEMENT_CHUNK && e->type == HWS_CHUNK_INIT;
}

/* Which tag the packet carries when the script does not say: none for INIT, hawser's own, and with
 * the T bit the peer's, reflected (8.5). */
static uint32_t default_vtag(struct output *o, const struct element *first)
{
    if (is_init(first))
        return 0;
    bool reflected = first != NULL && first->layout != NULL && first->layout->letters != NULL &&
                     first->layout->exact_letters & first->letters;
    const struct value *tag = value_lookup(o->s, reflected ? "peer_tag" : "local_tag");
    if (tag == NULL)
        script_fail(o->s, "the packet needs vtag=: $local_tag has no value here");
    return (uint32_t)tag->number;
}

static uint16_t port_of(struct output *o, const struct condition *given, const char *name,
                        uint16_t otherwise)
{
    return given->kind == CONDITION_NONE ? otherwise : (uint16_t)number_of(o, given, name);
}

uint32_t pattern_build(struct script *s, const struct pattern *p, uint8_t *out)
{
    struct output o = {.s = s, .bytes = out};
    put_word(&o, port_of(&o, &p->sport, "sport", s->world.peer_port), 2);
    put_word(&o, port_of(&o, &p->dport, "dport", s->world.local_port), 2);
    put_word(&o,
             p->vtag.kind != CONDITION_NONE ? number_of(&o, &p->vtag, "vtag")
                                            : default_vtag(&o, p->chunks),
             4);
    put_word(&o, 0, 4);
    build_list(&o, p->chunks);
    bool ends_raw = false;
    for (const struct element *e = p->chunks; e != NULL; e = e->next)
        ends_raw = e->kind == ELEMENT_RAW;
    if (!ends_raw)
        pad(&o);
    if (p->cut.kind != CONDITION_NONE) {
        uint64_t len = number_of(&o, &p->cut, "cut");
        o.len = len < o.len ? (uint32_t)len : o.len;
    }
    if (o.len >= HWS_PACKET_HEADER_LEN)
        hws_crc32c_set(out, o.len);
    if (p->wrong_checksum)
        out[8] ^= 0x01;
    return o.len;
}
