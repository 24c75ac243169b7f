/* The chunk table: one row per chunk type. The input side looks a type up, the output side walks
 * the rows in bundling order (RFC 9260, 6.10). */
#ifndef HWS_STACK_CHUNK_TABLE_H
#define HWS_STACK_CHUNK_TABLE_H

#include "stack/core.h"

#define HWS_STATE_BIT(state) (1u << HWS_STATE_##state)

struct hws_chunk_row {
    uint8_t type;
    bool alone;      /* never bundled with another chunk (6.10) */
    uint16_t states; /* HWS_STATE_BIT: where the handler may run */
    uint16_t want;   /* HWS_WANT_*: what asks for it, 0: not sent by the output builder */
    void (*input)(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk);
    bool (*fill)(struct hws_path *p, struct hws_builder *b);
};

extern const struct hws_chunk_row hws_chunk_rows[];
extern const unsigned hws_chunk_row_count;

/** The row of a type; NULL for one we do not know. */
const struct hws_chunk_row *hws_chunk_row(uint8_t type);

/** The shortest length field of a type that has a row. */
uint16_t hws_chunk_min_len(uint8_t type);

#endif
