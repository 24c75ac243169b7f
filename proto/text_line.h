/* What the files of module text share: a line that is written piece by piece and never runs over
 * its buffer. */
#ifndef HWS_PROTO_TEXT_LINE_H
#define HWS_PROTO_TEXT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/text.h"
#include "proto/tlv.h"

#define HWS_COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Text in the making: once something did not fit, it ends in "..." and takes nothing more. */
struct hws_line {
    char *out;
    size_t cap, len;
    bool cut;
    const struct hws_text_names *names; /* beside the RFCs', or NULL */
};

struct hws_line hws_line_begin(char *out, size_t cap);
__attribute__((format(printf, 2, 3))) void hws_line_put(struct hws_line *l, const char *format,
                                                        ...);
void hws_line_separator(struct hws_line *l, bool first);

typedef void hws_line_element(struct hws_line *l, const struct hws_tlv *t);

/** Elements of one kind in brackets. What an element may hold in turn is only named, so that
 * nesting made by a peer costs no stack. */
void hws_line_list(struct hws_line *l, const uint8_t *bytes, uint32_t len,
                   hws_line_element *element);

/** The length of an element's value. */
void hws_line_len(struct hws_line *l, const struct hws_tlv *t);
void hws_line_malformed(struct hws_line *l, const struct hws_tlv *t);

/** Writes what follows the name of a chunk or cause; false when that is malformed. */
typedef bool hws_line_contents(struct hws_line *l, const struct hws_tlv *t);

bool hws_line_opaque(struct hws_line *l, const struct hws_tlv *t);
bool hws_line_nothing(struct hws_line *l, const struct hws_tlv *t);

void hws_line_chunk_name(struct hws_line *l, uint8_t type);

/** A parameter with its contents. */
void hws_line_param(struct hws_line *l, const struct hws_tlv *p);

/** The names of `count` parameter types on the wire. */
void hws_line_param_types(struct hws_line *l, const uint8_t *types, uint32_t count);

/** An error cause with its contents. */
void hws_line_cause(struct hws_line *l, const struct hws_tlv *c);

#endif
