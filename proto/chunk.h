/* The chunks of RFC 9260, section 3.3, and PAD of RFC 4820: their numbers and, for each, a plain
 * struct, a decoder from a checked view, and an encoder into a packet builder. Decoders check
 * everything a chunk's own bytes can tell (lengths, counts against the length); what depends on the
 * association is the stack's. */
#ifndef HWS_PROTO_CHUNK_H
#define HWS_PROTO_CHUNK_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/packet.h"

/* One row per chunk type: symbol, number, name in text, shortest length field (RFC 9260, 3.3).
 * DATA without user data has 16 and is answered (3.3.10.9), not dropped as malformed. */
#define HWS_CHUNK_TYPES(X)                                                                         \
    X(DATA, 0, "DATA", 16)                                                                         \
    X(INIT, 1, "INIT", 20)                                                                         \
    X(INIT_ACK, 2, "INIT-ACK", 20)                                                                 \
    X(SACK, 3, "SACK", 16)                                                                         \
    X(HEARTBEAT, 4, "HEARTBEAT", 4)                                                                \
    X(HEARTBEAT_ACK, 5, "HEARTBEAT-ACK", 4)                                                        \
    X(ABORT, 6, "ABORT", 4)                                                                        \
    X(SHUTDOWN, 7, "SHUTDOWN", 8)                                                                  \
    X(SHUTDOWN_ACK, 8, "SHUTDOWN-ACK", 4)                                                          \
    X(ERROR, 9, "ERROR", 4)                                                                        \
    X(COOKIE_ECHO, 10, "COOKIE-ECHO", 4)                                                           \
    X(COOKIE_ACK, 11, "COOKIE-ACK", 4)                                                             \
    X(SHUTDOWN_COMPLETE, 14, "SHUTDOWN-COMPLETE", 4)                                               \
    X(PAD, 132, "PAD", 4)

enum hws_chunk_type {
#define X(symbol, number, name, min_len) HWS_CHUNK_##symbol = number,
    HWS_CHUNK_TYPES(X)
#undef X
};

/** The name of a chunk type as in the RFC, or NULL for one we do not know. */
const char *hws_chunk_name(uint8_t type);

/** What the two highest bits of an unknown chunk type ask for (RFC 9260, 3.2). */
static inline bool hws_chunk_unknown_skip(uint8_t type)
{
    return (type & 0x80) != 0;
}
static inline bool hws_chunk_unknown_report(uint8_t type)
{
    return (type & 0x40) != 0;
}

static inline uint8_t hws_chunk_type(const struct hws_tlv *c)
{
    return c->bytes[0];
}
static inline uint8_t hws_chunk_flags(const struct hws_tlv *c)
{
    return c->bytes[1];
}
static inline const uint8_t *hws_chunk_value(const struct hws_tlv *c)
{
    return c->bytes + 4;
}
static inline uint32_t hws_chunk_value_len(const struct hws_tlv *c)
{
    return (uint32_t)c->len - 4;
}

/* DATA, 3.3.1 */
#define HWS_DATA_HEADER_LEN 16u
#define HWS_DATA_E 0x01u /* ending fragment */
#define HWS_DATA_B 0x02u /* beginning fragment */
#define HWS_DATA_U 0x04u /* unordered */
#define HWS_DATA_I 0x08u /* SACK immediately */

struct hws_data {
    uint32_t tsn;
    uint16_t sid, ssn;
    uint32_t ppid; /* opaque, as a big-endian number */
    uint8_t flags;
    const uint8_t *payload;
    uint32_t payload_len; /* 0 is the No User Data error (3.3.10.9), which the stack answers */
};

/** False when shorter than a DATA header. */
static inline bool hws_data_decode(const struct hws_tlv *c, struct hws_data *out)
{
    if (c->len < HWS_DATA_HEADER_LEN)
        return false;
    out->flags = c->bytes[1];
    out->tsn = hws_get32(c->bytes + 4);
    out->sid = hws_get16(c->bytes + 8);
    out->ssn = hws_get16(c->bytes + 10);
    out->ppid = hws_get32(c->bytes + 12);
    out->payload = c->bytes + HWS_DATA_HEADER_LEN;
    out->payload_len = (uint32_t)c->len - HWS_DATA_HEADER_LEN;
    return true;
}

/** Adds a DATA chunk header for `payload_len` bytes (`payload` is not read) and returns where the
 * payload goes; NULL when it does not fit. */
static inline uint8_t *hws_data_encode(struct hws_builder *b, const struct hws_data *d)
{
    uint8_t *v = hws_builder_chunk(b, HWS_CHUNK_DATA, d->flags, 12 + d->payload_len);
    if (v == NULL)
        return NULL;
    hws_put32(v, d->tsn);
    hws_put16(v + 4, d->sid);
    hws_put16(v + 6, d->ssn);
    hws_put32(v + 8, d->ppid);
    return v + 12;
}

/* INIT and INIT ACK, 3.3.2 and 3.3.3 */
struct hws_init {
    uint32_t tag;
    uint32_t a_rwnd;
    uint16_t ostreams;      /* OS: outbound streams the sender wants */
    uint16_t max_instreams; /* MIS: the most inbound streams it supports */
    uint32_t tsn;           /* initial TSN */
    const uint8_t *params;  /* parameter list, to iterate with hws_tlv_begin */
    uint32_t params_len;
};

/** False when shorter than the fixed part. Values are not judged (a tag or OS of 0 is the stack's
 * to answer). */
bool hws_init_decode(const struct hws_tlv *c, struct hws_init *out);

/** Opens an INIT or INIT ACK chunk (`type`) with its fixed part; parameters follow with
 * hws_builder_tlv and the hws_param_put functions, then hws_builder_close. False: no room. */
bool hws_init_open(struct hws_builder *b, uint8_t type, const struct hws_init *init);

/* SACK, 3.3.4 */
struct hws_gap {
    uint16_t start, end; /* offsets from the cumulative TSN ack, both inclusive */
};

struct hws_sack {
    uint32_t cum_tsn;
    uint32_t a_rwnd;
    uint16_t gap_count, dup_count;
    const uint8_t *gaps; /* wire bytes: hws_sack_gap reads one */
    const uint8_t *dups; /* wire bytes: hws_sack_dup reads one */
};

/** False when the counts do not fit the chunk's length. Blocks may still overlap, be out of order,
 * or end before they start: the reader must cope. */
bool hws_sack_decode(const struct hws_tlv *c, struct hws_sack *out);

static inline struct hws_gap hws_sack_gap(const struct hws_sack *s, uint32_t i)
{
    return (struct hws_gap){hws_get16(s->gaps + 4 * i), hws_get16(s->gaps + 4 * i + 2)};
}
static inline uint32_t hws_sack_dup(const struct hws_sack *s, uint32_t i)
{
    return hws_get32(s->dups + 4 * i);
}

/** Adds a SACK. Gap blocks beyond the room are left out from the end, then duplicates; false when
 * not even the fixed part fits. */
bool hws_sack_encode(struct hws_builder *b, uint32_t cum_tsn, uint32_t a_rwnd,
                     const struct hws_gap *gaps, uint32_t gap_count, const uint32_t *dups,
                     uint32_t dup_count);

/* SHUTDOWN, 3.3.8 */
/** False when its length is wrong. */
bool hws_shutdown_decode(const struct hws_tlv *c, uint32_t *cum_tsn);
bool hws_shutdown_encode(struct hws_builder *b, uint32_t cum_tsn);

/* HEARTBEAT and HEARTBEAT ACK, 3.3.5 and 3.3.6: one Heartbeat Info parameter (type 1). */
/** The value of the Heartbeat Info parameter; false when it is missing or malformed. */
bool hws_heartbeat_decode(const struct hws_tlv *c, const uint8_t **info, uint32_t *info_len);
bool hws_heartbeat_encode(struct hws_builder *b, uint8_t type, const void *info, uint32_t info_len);

/* ABORT, 3.3.7 and SHUTDOWN COMPLETE, 3.3.13: the T bit says the tag is the receiver's own
 * reflected (8.5.1). */
#define HWS_FLAG_T 0x01u

/* PAD, RFC 4820, 3: makes a packet larger; its contents mean nothing. */
/** Adds a PAD chunk that fills the packet up to the builder's limit, a multiple of 4; false when
 * less than a chunk header is left. */
bool hws_pad_encode(struct hws_builder *b);

/** Adds a chunk that is only a value (COOKIE ECHO, COOKIE ACK, SHUTDOWN ACK, SHUTDOWN COMPLETE, an
 * ABORT or ERROR with its causes already encoded). False: no room. */
bool hws_chunk_put(struct hws_builder *b, uint8_t type, uint8_t flags, const void *value,
                   uint32_t value_len);

#endif
