#include "proto/text_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/chunk.h"

struct hws_line hws_line_begin(char *out, size_t cap)
{
    if (cap > 0)
        out[0] = '\0';
    return (struct hws_line){.out = out, .cap = cap, .len = 0, .cut = cap == 0};
}

static void line_cut(struct hws_line *l)
{
    static const char mark[] = "...";
    l->cut = true;
    l->len = l->cap - 1;
    if (l->cap >= sizeof mark)
        memcpy(l->out + l->cap - sizeof mark, mark, sizeof mark);
}

void hws_line_put(struct hws_line *l, const char *format, ...)
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

void hws_line_separator(struct hws_line *l, bool first)
{
    if (!first)
        hws_line_put(l, ", ");
}

void hws_line_list(struct hws_line *l, const uint8_t *bytes, uint32_t len,
                   hws_line_element *element)
{
    struct hws_tlv_iter it = hws_tlv_begin(bytes, len);
    struct hws_tlv t;
    bool first = true;
    hws_line_put(l, "[");
    while (!l->cut && hws_tlv_next(&it, &t)) {
        hws_line_separator(l, first);
        element(l, &t);
        first = false;
    }
    if (it.malformed) {
        hws_line_separator(l, first);
        hws_line_put(l, "malformed");
    }
    hws_line_put(l, "]");
}

void hws_line_len(struct hws_line *l, const struct hws_tlv *t)
{
    hws_line_put(l, " len=%u", t->len - 4u);
}

void hws_line_malformed(struct hws_line *l, const struct hws_tlv *t)
{
    hws_line_put(l, " malformed");
    hws_line_len(l, t);
}

bool hws_line_opaque(struct hws_line *l, const struct hws_tlv *t)
{
    hws_line_len(l, t);
    return true;
}

bool hws_line_nothing(struct hws_line *l, const struct hws_tlv *t)
{
    (void)l;
    return t->len == 4;
}

void hws_line_chunk_name(struct hws_line *l, uint8_t type)
{
    const char *name = hws_chunk_name(type);
    if (name == NULL && l->names != NULL)
        name = l->names->chunk(l->names->arg, type);
    if (name != NULL)
        hws_line_put(l, "%s", name);
    else
        hws_line_put(l, "CHUNK-%u", type);
}
