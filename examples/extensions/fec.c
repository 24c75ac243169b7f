/* Forward error correction: every few packets with new DATA chunks are followed by a PARITY chunk,
 * the XOR of what they carry. Who misses one of these packets computes it from the others, and no
 * retransmission is needed. docs/EXTENDING.md builds this file step by step. */
#include <hawser/extend.h>
#include <stdio.h>
#include <string.h>

#define GROUP 5u        /* packets that one PARITY chunk protects */
#define FLUSH_US 20000u /* a group that does not fill up is closed after so long */
#define BYTES_MAX 1500u /* DATA chunks of a packet; larger packets are not protected */
#define CHUNKS_MAX 32u  /* DATA chunks of a group */
#define KEPT 128u       /* DATA chunks that a receiver remembers */
#define PARITY 0x9fu    /* the chunk type */
#define HEADER_BYTES                                                                               \
    12u              /* of its value: the first TSN, and the number of chunks in each packet       \
                      */
#define FLAG_I 0x08u /* of DATA (RFC 7053): may differ when the chunk is sent again */
#define REPAIRED 1u  /* event: a DATA chunk was repaired; its TSN, big-endian */

/* Packets whose DATA chunks have consecutive TSNs, and the XOR of what they carry. */
struct group {
    uint32_t base, packets, tsns; /* the first TSN; how many so far */
    uint32_t len;                 /* of the longest packet's chunks */
    uint8_t chunks[8];            /* in each packet */
    uint8_t parity[BYTES_MAX + 3];
};

struct fec {
    struct group out, in; /* being filled; the last one that came */
    uint64_t packet;      /* the one sent last, */
    uint32_t packet_end;  /* and where its next DATA chunk stands in the XOR */
    struct {
        uint32_t tsn, len;
        uint8_t chunk[BYTES_MAX];
    } kept[KEPT];
};

static uint32_t get(const uint8_t *p, int bytes)
{
    return bytes > 0 ? get(p, bytes - 1) << 8 | p[bytes - 1] : 0;
}

/* Adds a DATA chunk that stands at `at`. False: it is more than we protect. */
static bool add(struct group *g, uint32_t at, const uint8_t *chunk, uint32_t len)
{
    if (at + len > BYTES_MAX)
        return false;
    for (uint32_t i = 0; i < len; i++)
        g->parity[at + i] ^= i == 1 ? (uint8_t)(chunk[i] & ~FLAG_I) : chunk[i];
    if (at + len > g->len)
        g->len = at + len;
    return true;
}

static uint32_t after(uint32_t at, uint32_t len)
{
    return at + ((len + 3u) & ~3u);
}

/* A packet begins: the PARITY chunk is filled in when the last one of the group is complete. */
static void begin_packet(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data)
{
    struct fec *fec = assoc->state;
    if (fec->out.packets == GROUP) /* no packet took it along */
        memset(&fec->out, 0, sizeof fec->out);
    if (fec->out.packets++ == 0) {
        fec->out.base = data->tsn;
        hws_ext_timer(assoc, FLUSH_US);
    }
    if (fec->out.packets == GROUP)
        hws_ext_want(assoc, PARITY, HWS_EXT_DATA_PATH);
    fec->packet = data->packet;
    fec->packet_end = 0;
}

static void data_sent(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data)
{
    struct fec *fec = assoc->state;
    struct group *g = &fec->out;
    if (data->again)
        return;
    if (g->packets == 0 || data->packet != fec->packet)
        begin_packet(assoc, data);
    if (g->tsns++ == CHUNKS_MAX || !add(g, fec->packet_end, data->chunk, data->len)) {
        memset(g, 0, sizeof *g);
        return;
    }
    g->chunks[g->packets - 1]++;
    fec->packet_end = after(fec->packet_end, data->len);
}

static void flush(const struct hws_ext_assoc *assoc)
{
    hws_ext_want(assoc, PARITY, HWS_EXT_DATA_PATH);
}

static bool parity_fill(const struct hws_ext_assoc *assoc, struct hws_ext_out *out)
{
    struct group *g = &((struct fec *)assoc->state)->out;
    const uint8_t base[4] = {(uint8_t)(g->base >> 24), (uint8_t)(g->base >> 16),
                             (uint8_t)(g->base >> 8), (uint8_t)g->base};
    if (g->packets == 0)
        return false;
    if (hws_ext_put(assoc, out, base, sizeof base) == HWS_EXT_OK &&
        hws_ext_put(assoc, out, g->chunks, sizeof g->chunks) == HWS_EXT_OK &&
        hws_ext_put(assoc, out, g->parity, (uint16_t)g->len) == HWS_EXT_OK)
        memset(g, 0, sizeof *g);
    return true;
}

static bool has(const struct fec *fec, uint32_t tsn)
{
    return fec->kept[tsn % KEPT].tsn == tsn && fec->kept[tsn % KEPT].len > 0;
}

/* Hands in the chunks of the missing packet, which are what the others left of the XOR. */
static void hand_in(const struct hws_ext_assoc *assoc, const struct group *g, uint32_t tsn,
                    uint32_t count)
{
    for (uint32_t at = 0, len; count-- > 0 && at + 16 < g->len; at = after(at, len), tsn++) {
        const uint8_t *chunk = g->parity + at;
        len = get(chunk + 2, 2);
        if (at + len > g->len || get(chunk + 4, 4) != tsn)
            return; /* not what the sender added */
        if (hws_ext_repair(assoc, chunk, (uint16_t)len) == HWS_EXT_OK)
            hws_ext_tell(assoc, REPAIRED, chunk + 4, 4);
    }
}

/* When one packet of the group is missing it is computed; when more are, we wait. */
static void repair(const struct hws_ext_assoc *assoc)
{
    struct fec *fec = assoc->state;
    struct group sum = fec->in;
    uint32_t missing = GROUP, missing_tsn = 0;
    for (uint32_t p = 0, tsn = sum.base; p < GROUP; tsn += sum.chunks[p++])
        for (uint32_t i = 0, at = 0; i < sum.chunks[p]; i++) {
            const uint32_t k = (tsn + i) % KEPT;
            if (has(fec, tsn + i) && add(&sum, at, fec->kept[k].chunk, fec->kept[k].len)) {
                at = after(at, fec->kept[k].len);
            } else if (missing == GROUP && i == 0) {
                missing = p;
                missing_tsn = tsn;
                break;
            } else {
                return;
            }
        }
    memset(&fec->in, 0, sizeof fec->in);
    if (missing != GROUP)
        hand_in(assoc, &sum, missing_tsn, sum.chunks[missing]);
}

static void parity_in(const struct hws_ext_assoc *assoc, const struct hws_ext_in *in)
{
    struct group *g = &((struct fec *)assoc->state)->in;
    if (in->len > HEADER_BYTES + BYTES_MAX)
        return;
    *g = (struct group){.base = get(in->value, 4), .len = in->len - HEADER_BYTES};
    memcpy(g->chunks, in->value + 4, sizeof g->chunks);
    memcpy(g->parity, in->value + HEADER_BYTES, g->len);
    repair(assoc);
}

static void data_received(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data)
{
    struct fec *fec = assoc->state;
    const uint32_t k = data->tsn % KEPT;
    if (data->len > BYTES_MAX)
        return;
    fec->kept[k].tsn = data->tsn;
    fec->kept[k].len = data->len;
    memcpy(fec->kept[k].chunk, data->chunk, data->len);
    if (fec->in.len > 0 && data->tsn - fec->in.base < CHUNKS_MAX)
        repair(assoc);
}

static int parity_text(const uint8_t *value, uint16_t len, char *out, size_t size)
{
    return snprintf(out, size, "base=%u chunks=%u,%u,%u,%u,%u len=%u", (unsigned)get(value, 4),
                    value[4], value[5], value[6], value[7], value[8], len - HEADER_BYTES);
}

static const struct hws_ext_chunk parity = {
    PARITY,    "PARITY",    HEADER_BYTES, HWS_EXT_IN_TRANSFER, HWS_EXT_BEFORE_DATA,
    parity_in, parity_fill, parity_text};

const struct hws_extension hws_extension_fec = {.api = HWS_EXTEND_API,
                                                .name = "fec",
                                                .param = 0x9fec,
                                                .chunks = &parity,
                                                .chunk_count = 1,
                                                .state_size = sizeof(struct fec),
                                                .reserve_bytes = 4 + HEADER_BYTES,
                                                .missing_reports = GROUP + 3,
                                                .data_sent = data_sent,
                                                .data_received = data_received,
                                                .timer = flush};
HWS_EXTENSION_EXPORT(hws_extension_fec);
