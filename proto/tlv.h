/* The one bounded iterator over type-length-value lists: chunks in a packet, parameters in a chunk,
 * causes in an ERROR or ABORT chunk. */
#ifndef HWS_PROTO_TLV_H
#define HWS_PROTO_TLV_H

#include <stdbool.h>
#include <stdint.h>

/** One element, checked: `len` >= 4 and `bytes[0..len)` lies within the list. */
struct hws_tlv {
    const uint8_t *bytes; /* its first header byte */
    uint16_t len;         /* header and value, without padding */
    uint16_t type;        /* first two header bytes; of a chunk: type << 8 | flags */
};

struct hws_tlv_iter {
    const uint8_t *pos;
    uint32_t left;  /* bytes from pos to the end of the list */
    bool malformed; /* set when the list does not end where an element ends */
};

static inline struct hws_tlv_iter hws_tlv_begin(const uint8_t *bytes, uint32_t len)
{
    return (struct hws_tlv_iter){.pos = bytes, .left = len, .malformed = false};
}

/** Takes the next element. False at the end or at the first malformed one (`malformed` tells).
 * The padding of the last element may be missing (RFC 9260, 3.2: the length field of the
 * enclosing chunk need not count it). Every step consumes at least 4 bytes. */
static inline bool hws_tlv_next(struct hws_tlv_iter *it, struct hws_tlv *out)
{
    if (it->left < 4) {
        it->malformed = it->left != 0;
        return false;
    }
    uint32_t len = (uint32_t)it->pos[2] << 8 | it->pos[3];
    if (len < 4 || len > it->left) {
        it->malformed = true;
        return false;
    }
    out->bytes = it->pos;
    out->len = (uint16_t)len;
    out->type = (uint16_t)((unsigned)it->pos[0] << 8 | it->pos[1]);
    uint32_t step = (len + 3u) & ~3u;
    if (step > it->left)
        step = it->left;
    it->pos += step;
    it->left -= step;
    return true;
}

#endif
