#include "proto/chunk.h"

#include <stddef.h>

#define INIT_FIXED_LEN 16u

bool hws_init_decode(const struct hws_tlv *c, struct hws_init *out)
{
    if (hws_chunk_value_len(c) < INIT_FIXED_LEN)
        return false;
    const uint8_t *v = hws_chunk_value(c);
    out->tag = hws_get32(v);
    out->a_rwnd = hws_get32(v + 4);
    out->ostreams = hws_get16(v + 8);
    out->max_instreams = hws_get16(v + 10);
    out->tsn = hws_get32(v + 12);
    out->params = v + INIT_FIXED_LEN;
    out->params_len = hws_chunk_value_len(c) - INIT_FIXED_LEN;
    return true;
}

bool hws_init_open(struct hws_builder *b, uint8_t type, const struct hws_init *init)
{
    if (!hws_builder_open(b, type, 0))
        return false;
    uint8_t *v = hws_builder_bytes(b, INIT_FIXED_LEN);
    if (v == NULL)
        return hws_builder_close(b);
    hws_put32(v, init->tag);
    hws_put32(v + 4, init->a_rwnd);
    hws_put16(v + 8, init->ostreams);
    hws_put16(v + 10, init->max_instreams);
    hws_put32(v + 12, init->tsn);
    return true;
}
