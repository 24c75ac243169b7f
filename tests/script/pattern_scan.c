/* Patterns from a line of the script. */
#include <string.h>

#include "proto/chunk.h"
#include "proto/param.h"
#include "tests/script/pattern.h"

/* What a peer can nest is little: chunk, cause, parameter, parameter. */
#define NESTING_MAX 5u

struct reader {
    struct scan *c;
    bool expected;
    uint32_t depth;
};

static struct element *scan_list(struct reader *r, enum element_kind kind, const char *separator,
                                 const char *end);

static struct condition scan_condition(struct reader *r, bool negated)
{
    struct condition condition = value_scan_condition(r->c, negated, r->expected);
    if (negated && !r->expected)
        script_fail(r->c->s, "!= stands in expected packets only");
    return condition;
}

/* ---- Arrays ---- */

static uint32_t *array_slot(struct reader *r, uint32_t *array, uint32_t *count)
{
    if (*count == PATTERN_ARRAY_MAX)
        script_fail(r->c->s, "more than %u elements", PATTERN_ARRAY_MAX);
    return &array[(*count)++];
}

static void scan_gaps(struct reader *r, struct element *e)
{
    e->gaps_given = true;
    scan_expect(r->c, "[");
    while (!scan_accept(r->c, "]")) {
        *array_slot(r, e->array, &e->count) = (uint32_t)scan_number_upto(r->c, 65535);
        scan_expect(r->c, "-");
        e->ends[e->count - 1] = (uint32_t)scan_number_upto(r->c, 65535);
        if (scan_peek(r->c) != ']')
            scan_expect(r->c, ",");
    }
}

static void scan_dups(struct reader *r, struct element *e)
{
    e->dups_given = true;
    scan_expect(r->c, "[");
    while (!scan_accept(r->c, "]")) {
        *array_slot(r, e->dups, &e->dup_count) = (uint32_t)value_scan_number(r->c);
        if (scan_peek(r->c) != ']')
            scan_expect(r->c, ",");
    }
}

static void scan_types(struct reader *r, struct element *e)
{
    e->list_given = true;
    scan_expect(r->c, "[");
    while (!scan_accept(r->c, "]")) {
        const char *name = scan_word(r->c, "a parameter");
        *array_slot(r, e->array, &e->count) = layout_type(r->c->s, ELEMENT_PARAM, name);
        if (scan_peek(r->c) != ']')
            scan_expect(r->c, ",");
    }
}

/* ---- What follows an element's name ---- */

static enum element_kind list_kind(enum tail_kind tail)
{
    return tail == TAIL_PARAMS   ? ELEMENT_PARAM
           : tail == TAIL_CAUSES ? ELEMENT_CAUSE
                                 : ELEMENT_CHUNK;
}

static bool has_list(enum tail_kind tail)
{
    return tail == TAIL_PARAMS || tail == TAIL_CAUSES || tail == TAIL_CHUNKS;
}

static bool has_bytes(enum tail_kind tail)
{
    return tail == TAIL_BYTES || tail == TAIL_INFO;
}

static void scan_element_list(struct reader *r, struct element *e)
{
    scan_expect(r->c, "[");
    e->list_given = true;
    e->list = scan_list(r, list_kind(e->layout->tail), ",", "]");
    scan_expect(r->c, "]");
}

static struct condition *field_slot(struct element *e, const char *key)
{
    for (uint32_t i = 0; i < PATTERN_FIELDS_MAX && e->layout->fields[i].name != NULL; i++)
        if (strcmp(e->layout->fields[i].name, key) == 0)
            return &e->fields[i];
    if (strcmp(key, "flags") == 0 && e->kind == ELEMENT_CHUNK)
        return &e->flags;
    if (strcmp(key, "length") == 0)
        return &e->length;
    if (!has_bytes(e->layout->tail))
        return NULL;
    if (strcmp(key, e->layout->tail == TAIL_INFO ? "info-len" : "len") == 0)
        return &e->tail_len;
    if (e->layout->tail_name != NULL && strcmp(key, e->layout->tail_name) == 0)
        return &e->tail;
    return NULL;
}

/* A field has one condition. */
static void scan_slot(struct reader *r, struct condition *slot, const char *key, bool negated)
{
    if (slot->kind != CONDITION_NONE)
        script_fail(r->c->s, "%s= stands twice", key);
    *slot = scan_condition(r, negated);
}

static void scan_keyed(struct reader *r, struct element *e, const char *key, bool negated)
{
    struct condition *slot = field_slot(e, key);
    const char *tail_name = e->layout->tail_name;
    if (slot != NULL)
        scan_slot(r, slot, key, negated);
    else if (has_list(e->layout->tail) && tail_name != NULL && strcmp(key, tail_name) == 0)
        scan_element_list(r, e);
    else if (e->layout->tail == TAIL_SACK && strcmp(key, "gaps") == 0)
        scan_gaps(r, e);
    else if (e->layout->tail == TAIL_SACK && strcmp(key, "dups") == 0)
        scan_dups(r, e);
    else
        script_fail(r->c->s, "%s has no field called %s", e->name, key);
}

static bool scan_letters(struct reader *r, struct element *e)
{
    const char *letters = e->layout->letters;
    if (letters == NULL)
        return false;
    scan_peek(r->c);
    size_t len = strspn(r->c->at, letters);
    if (len == 0)
        return false;
    e->letters_given = true;
    for (; len > 0; len--)
        e->letters |= (uint8_t)(1u << (strchr(letters, *r->c->at++) - letters));
    return true;
}

/* A value that stands without a name: an address, a list, types, bytes. */
static void scan_unnamed(struct reader *r, struct element *e)
{
    enum tail_kind tail = e->layout->tail;
    if (tail == TAIL_ADDR) {
        e->addr = scan_addr(r->c);
        if ((e->addr.family == HWS_FAMILY_IPV4) != (e->type == HWS_PARAM_IPV4))
            script_fail(r->c->s, "not an address for %s", e->name);
    } else if (has_list(tail) && e->layout->tail_name == NULL) {
        scan_element_list(r, e);
    } else if (tail == TAIL_TYPES || tail == TAIL_COUNTED_TYPES) {
        scan_types(r, e);
    } else if (has_bytes(tail) && e->layout->tail_name == NULL) {
        e->tail = scan_condition(r, false);
    } else {
        script_fail(r->c->s, "not understood after %s: \"%s\"", e->name, r->c->at);
    }
}

static bool element_ends(struct scan *c)
{
    char next = scan_peek(c);
    return next == '\0' || next == ';' || next == ',' || next == ']';
}

static void scan_body(struct reader *r, struct element *e)
{
    while (!element_ends(r->c)) {
        bool negated;
        const char *key = scan_key(r->c, &negated);
        if (key != NULL)
            scan_keyed(r, e, key, negated);
        else if (!scan_letters(r, e))
            scan_unnamed(r, e);
    }
}

/* ---- Elements and lists of them ---- */

static struct element *new_element(struct reader *r, enum element_kind kind)
{
    struct element *e = script_alloc(r->c->s, sizeof *e);
    e->kind = kind;
    return e;
}

static struct element *addr_element(struct reader *r, const struct hws_addr *addr)
{
    struct element *e = new_element(r, ELEMENT_PARAM);
    e->type = addr->family == HWS_FAMILY_IPV4 ? HWS_PARAM_IPV4 : HWS_PARAM_IPV6;
    e->name = hws_param_name(e->type);
    e->layout = layout_find(ELEMENT_PARAM, e->type);
    e->addr = *addr;
    return e;
}

/* One parameter for each address; none when there is only one, which the packet itself tells. */
static struct element **append_addrs(struct reader *r, struct element **tail,
                                     const struct hws_addr *addrs, uint32_t count)
{
    for (uint32_t i = 0; count > 1 && i < count; i++) {
        *tail = addr_element(r, &addrs[i]);
        tail = &(*tail)->next;
    }
    return tail;
}

static struct element *scan_element(struct reader *r, enum element_kind kind)
{
    if (scan_accept(r->c, "...")) {
        if (!r->expected)
            script_fail(r->c->s, "... stands in expected packets only");
        return new_element(r, ELEMENT_REST);
    }
    if (strncmp(r->c->at, "hex(", 4) == 0 && !r->expected) {
        struct element *raw = new_element(r, ELEMENT_RAW);
        raw->tail.low = value_scan_bytes(r->c);
        return raw;
    }
    struct element *e = new_element(r, kind);
    e->name = scan_word(r->c, kind == ELEMENT_CHUNK ? "a chunk" : "an element");
    e->type = layout_type(r->c->s, kind, e->name);
    e->layout = layout_find(kind, e->type);
    scan_body(r, e);
    return e;
}

static struct element *scan_list(struct reader *r, enum element_kind kind, const char *separator,
                                 const char *end)
{
    const struct world *w = &r->c->s->world;
    struct element *first = NULL, **tail = &first;
    if (++r->depth > NESTING_MAX)
        script_fail(r->c->s, "lists within lists deeper than %u", NESTING_MAX);
    while (scan_peek(r->c) != *end) {
        if (kind == ELEMENT_PARAM && scan_accept_word(r->c, "peer-addresses")) {
            tail = append_addrs(r, tail, w->peers, w->peer_count);
        } else if (kind == ELEMENT_PARAM && scan_accept_word(r->c, "local-addresses")) {
            tail = append_addrs(r, tail, w->locals, w->local_count);
        } else {
            *tail = scan_element(r, kind);
            tail = &(*tail)->next;
        }
        if (scan_peek(r->c) == *end)
            break;
        scan_expect(r->c, separator);
    }
    r->depth--;
    return first;
}

/* ---- The packet ---- */

static struct condition *header_slot(struct pattern *p, const char *key, bool expected)
{
    const struct {
        const char *key;
        struct condition *slot;
        bool expected, injected;
    } slots[] = {
        {"vtag", &p->vtag, true, true},
        {"sport", &p->sport, true, true},
        {"dport", &p->dport, true, true},
        {"size", &p->size, true, false},
        {"may_fragment", &p->may_fragment, true, false},
        {"cut", &p->cut, false, true},
    };
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++)
        if (strcmp(slots[i].key, key) == 0 && (expected ? slots[i].expected : slots[i].injected))
            return slots[i].slot;
    return NULL;
}

static void scan_header_key(struct reader *r, struct pattern *p, const char *key, bool negated)
{
    struct condition *slot = header_slot(p, key, r->expected);
    if (slot != NULL) {
        scan_slot(r, slot, key, negated);
    } else if (strcmp(key, "from") == 0) {
        p->from = scan_addr(r->c);
        p->from_given = true;
    } else if (strcmp(key, "to") == 0) {
        p->to = scan_addr(r->c);
        p->to_given = true;
    } else if (strcmp(key, "checksum") == 0 && !r->expected) {
        scan_expect(r->c, "wrong");
        p->wrong_checksum = true;
    } else {
        script_fail(r->c->s, "%s packet has no %s=", r->expected ? "an expected" : "an injected",
                    key);
    }
}

void pattern_scan(struct scan *c, bool expected, struct pattern *out)
{
    struct reader r = {.c = c, .expected = expected};
    bool negated;
    *out = (struct pattern){0};
    for (const char *key; (key = scan_key(c, &negated)) != NULL;)
        scan_header_key(&r, out, key, negated);
    out->chunks = scan_list(&r, ELEMENT_CHUNK, ";", "");
    scan_expect_end(c);
}
