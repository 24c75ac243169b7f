#include "proto/packet.h"

#include "proto/crc32c.h"

#define CHUNK_HEADER_LEN 4u
#define TLV_HEADER_LEN 4u

bool hws_header_read(const uint8_t *packet, uint32_t len, struct hws_header *out)
{
    if (len < HWS_PACKET_HEADER_LEN)
        return false;
    out->src_port = hws_get16(packet);
    out->dst_port = hws_get16(packet + 2);
    out->vtag = hws_get32(packet + 4);
    out->checksum = hws_get32(packet + 8);
    return true;
}

void hws_builder_init(struct hws_builder *b, uint8_t *buf, uint32_t limit, uint16_t src_port,
                      uint16_t dst_port, uint32_t vtag)
{
    /* The cap keeps every length below 2^16, so that no length field can wrap. */
    if (limit > HWS_PACKET_MAX_LEN)
        limit = HWS_PACKET_MAX_LEN;
    *b = (struct hws_builder){.start = buf, .len = HWS_PACKET_HEADER_LEN, .limit = limit & ~3u};
    hws_put16(buf, src_port);
    hws_put16(buf + 2, dst_port);
    hws_put32(buf + 4, vtag);
    hws_put32(buf + 8, 0);
}

/* Since the limit is a whole number of words, padding fits wherever what it pads does. */
static bool fits(const struct hws_builder *b, uint32_t header_len, uint32_t value_len)
{
    uint32_t left = b->limit - b->len;
    return left >= header_len && value_len <= left - header_len;
}

static void pad(struct hws_builder *b)
{
    while (b->len % 4 != 0)
        b->start[b->len++] = 0;
}

static uint8_t *chunk_begin(struct hws_builder *b, uint8_t type, uint8_t flags, uint32_t value_len)
{
    uint8_t *header = b->start + b->len;
    header[0] = type;
    header[1] = flags;
    hws_put16(header + 2, (uint16_t)(CHUNK_HEADER_LEN + value_len));
    b->open = b->len;
    b->len += CHUNK_HEADER_LEN + value_len;
    b->chunks++;
    return header + CHUNK_HEADER_LEN;
}

uint8_t *hws_builder_chunk(struct hws_builder *b, uint8_t type, uint8_t flags, uint32_t value_len)
{
    if (!fits(b, CHUNK_HEADER_LEN, value_len))
        return NULL;
    uint8_t *value = chunk_begin(b, type, flags, value_len);
    pad(b);
    return value;
}

bool hws_builder_open(struct hws_builder *b, uint8_t type, uint8_t flags)
{
    if (!fits(b, CHUNK_HEADER_LEN, 0))
        return false;
    chunk_begin(b, type, flags, 0);
    b->overflow = false;
    return true;
}

uint8_t *hws_builder_bytes(struct hws_builder *b, uint32_t len)
{
    if (b->overflow || !fits(b, 0, len)) {
        b->overflow = true;
        return NULL;
    }
    uint8_t *bytes = b->start + b->len;
    b->len += len;
    return bytes;
}

uint8_t *hws_builder_tlv(struct hws_builder *b, uint16_t type, uint32_t value_len)
{
    /* A parameter is padded only when another follows: the chunk's length must not count the
     * padding of the last one. */
    pad(b);
    if (b->overflow || !fits(b, TLV_HEADER_LEN, value_len)) {
        b->overflow = true;
        return NULL;
    }
    uint8_t *header = b->start + b->len;
    hws_put16(header, type);
    hws_put16(header + 2, (uint16_t)(TLV_HEADER_LEN + value_len));
    b->len += TLV_HEADER_LEN + value_len;
    return header + TLV_HEADER_LEN;
}

bool hws_builder_close(struct hws_builder *b)
{
    if (b->overflow) {
        b->len = b->open;
        b->chunks--;
        b->overflow = false;
        return false;
    }
    hws_put16(b->start + b->open + 2, (uint16_t)(b->len - b->open));
    pad(b);
    return true;
}

uint32_t hws_builder_finish(struct hws_builder *b)
{
    hws_crc32c_set(b->start, b->len);
    return b->len;
}
