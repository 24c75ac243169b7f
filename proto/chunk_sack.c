#include "proto/chunk.h"

#include <stddef.h>

#define SACK_FIXED_LEN 12u
#define SACK_ENTRY_LEN 4u

bool hws_sack_decode(const struct hws_tlv *c, struct hws_sack *out)
{
    if (hws_chunk_value_len(c) < SACK_FIXED_LEN)
        return false;
    const uint8_t *v = hws_chunk_value(c);
    out->cum_tsn = hws_get32(v);
    out->a_rwnd = hws_get32(v + 4);
    out->gap_count = hws_get16(v + 8);
    out->dup_count = hws_get16(v + 10);
    out->gaps = v + SACK_FIXED_LEN;
    uint32_t entries_len = hws_chunk_value_len(c) - SACK_FIXED_LEN;
    uint32_t gaps_len = SACK_ENTRY_LEN * out->gap_count;
    uint32_t dups_len = SACK_ENTRY_LEN * out->dup_count;
    if (gaps_len + dups_len > entries_len)
        return false;
    out->dups = out->gaps + gaps_len;
    return true;
}

static uint8_t *put_gaps(uint8_t *v, const struct hws_gap *gaps, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++, v += SACK_ENTRY_LEN) {
        hws_put16(v, gaps[i].start);
        hws_put16(v + 2, gaps[i].end);
    }
    return v;
}

static void put_dups(uint8_t *v, const uint32_t *dups, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        hws_put32(v + SACK_ENTRY_LEN * i, dups[i]);
}

static uint32_t at_most(uint32_t count, uint32_t max)
{
    return count < max ? count : max;
}

bool hws_sack_encode(struct hws_builder *b, uint32_t cum_tsn, uint32_t a_rwnd,
                     const struct hws_gap *gaps, uint32_t gap_count, const uint32_t *dups,
                     uint32_t dup_count)
{
    uint32_t room = hws_builder_room(b);
    if (room < SACK_FIXED_LEN)
        return false;
    uint32_t entries = (room - SACK_FIXED_LEN) / SACK_ENTRY_LEN;
    gap_count = at_most(gap_count, entries);
    dup_count = at_most(dup_count, entries - gap_count);
    uint32_t value_len = SACK_FIXED_LEN + SACK_ENTRY_LEN * (gap_count + dup_count);
    uint8_t *v = hws_builder_chunk(b, HWS_CHUNK_SACK, 0, value_len);
    hws_put32(v, cum_tsn);
    hws_put32(v + 4, a_rwnd);
    hws_put16(v + 8, (uint16_t)gap_count);
    hws_put16(v + 10, (uint16_t)dup_count);
    put_dups(put_gaps(v + SACK_FIXED_LEN, gaps, gap_count), dups, dup_count);
    return true;
}
