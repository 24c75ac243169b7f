/* The common header (RFC 9260, 3.1), the walk over a packet's chunks, and the packet builder. */
#ifndef HWS_PROTO_PACKET_H
#define HWS_PROTO_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/bytes.h"
#include "proto/tlv.h"

#define HWS_PACKET_HEADER_LEN 12u
/* IP's length field minus the smallest IP header, cut to whole words. */
#define HWS_PACKET_MAX_LEN 65512u

struct hws_header {
    uint16_t src_port, dst_port; /* host order */
    uint32_t vtag;
    uint32_t checksum; /* as it lies in the packet, first byte most significant */
};

/** Reads the header of a packet of `len` bytes. False when it is shorter than a header. */
bool hws_header_read(const uint8_t *packet, uint32_t len, struct hws_header *out);

/** The packet's chunks as a list to iterate; `len` >= HWS_PACKET_HEADER_LEN. */
static inline struct hws_tlv_iter hws_packet_chunks(const uint8_t *packet, uint32_t len)
{
    return hws_tlv_begin(packet + HWS_PACKET_HEADER_LEN, len - HWS_PACKET_HEADER_LEN);
}

/** Builds one packet into memory the caller owns, never past `limit`. Lengths of finished chunks
 * and parameters are always padded, the padding is zero. */
struct hws_builder {
    uint8_t *start;
    uint32_t len;    /* bytes written so far, a multiple of 4 while no chunk is open */
    uint32_t limit;  /* the most the packet may have: MTU budget or buffer, whichever is less */
    uint32_t chunks; /* chunks finished or open */
    uint32_t open;   /* offset of the chunk opened last */
    bool overflow;   /* something did not fit into the open chunk */
};

/** Starts a packet. `limit` >= HWS_PACKET_HEADER_LEN; it is rounded down to whole words
 * and is at most HWS_PACKET_MAX_LEN. */
void hws_builder_init(struct hws_builder *b, uint8_t *buf, uint32_t limit, uint16_t src_port,
                      uint16_t dst_port, uint32_t vtag);

/** The longest chunk value that still fits, 0 when not even an empty chunk does. */
static inline uint32_t hws_builder_room(const struct hws_builder *b)
{
    return b->limit - b->len >= 4 ? b->limit - b->len - 4 : 0;
}

/** Adds a chunk with a value of `value_len` bytes, padded, and returns where the caller writes the
 * value (padding already zero). NULL, with nothing written, when it does not fit. */
uint8_t *hws_builder_chunk(struct hws_builder *b, uint8_t type, uint8_t flags, uint32_t value_len);

/** Opens a chunk whose length is not known yet. False when not even its header fits. */
bool hws_builder_open(struct hws_builder *b, uint8_t type, uint8_t flags);

/** Within an open chunk: room for `len` more bytes of value; NULL and `overflow` when too long. */
uint8_t *hws_builder_bytes(struct hws_builder *b, uint32_t len);

/** Within an open chunk: a parameter or cause with `value_len` bytes of value, padded. Where to
 * write the value, NULL and `overflow` when it does not fit. */
uint8_t *hws_builder_tlv(struct hws_builder *b, uint16_t type, uint32_t value_len);

/** Sets the open chunk's length and pads it. The padding of its last parameter is not counted
 * (RFC 9260, 3.2). When something had overflowed, the chunk is taken back and false returned. */
bool hws_builder_close(struct hws_builder *b);

/** Sets the checksum and returns the packet's length. */
uint32_t hws_builder_finish(struct hws_builder *b);

#endif
