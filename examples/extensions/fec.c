/* Forward error correction: every few packets with new DATA chunks are followed by a PARITY chunk,
 * the XOR of what they carry. Who misses one of these packets computes it from the others, and no
 * retransmission is needed. docs/EXTENDING.md builds this file step by step. */
#include <hawser/extend.h>
#include <stdio.h>
#include <string.h>

#define GROUP 5u         /* packets that one PARITY chunk protects */
#define FLUSH_US 20000u  /* a group that does not fill up is closed after so long */
#define BYTES_MAX 1500u  /* DATA chunks of a packet; larger packets are not protected */
#define CHUNKS_MAX 32u   /* DATA chunks of a group */
#define KEPT 128u        /* consecutive TSNs whose DATA chunks a receiver keeps at most */
#define PARITY 0x9fu     /* the chunk type */
#define HEADER_BYTES 12u /* of its value: the first TSN, how many chunks each packet has */
#define FLAG_I 0x08u     /* of DATA (RFC 7053): may differ when the chunk is sent again */
#define REPAIRED 1u      /* event: a DATA chunk was repaired; its TSN, big-endian */

/* Packets whose DATA chunks have consecutive TSNs, and the XOR of what they carry. */
struct group {
    uint64_t packet;             /* the one sent last, */
    uint32_t packet_end;         /* and where its next DATA chunk stands in the XOR */
    uint32_t packets, tsns, len; /* how many so far; of the longest packet's chunks */
    uint8_t value[HEADER_BYTES + BYTES_MAX + 3]; /* of PARITY: the XOR stands behind the header */
};

/* A DATA chunk that came. */
struct kept {
    struct kept *next;
    uint32_t tsn, len;
    uint8_t chunk[];
};

/* Nothing but NULL while the association is idle, as most are. */
struct fec {
    struct group *out, *in; /* being filled; the last one that came, while chunks are missing */
    struct kept *kept;      /* what a PARITY chunk still to come may need */
};

static uint32_t get(const uint8_t *p, int bytes)
{
    return bytes > 0 ? get(p, bytes - 1) << 8 | p[bytes - 1] : 0;
}

/* Adds a DATA chunk that stands at `at`, without its I bit: where the next one does. 0: it is more
 * than we protect. */
static uint32_t add(struct group *g, uint32_t at, const uint8_t *chunk, uint32_t len)
{
    if (at + len > BYTES_MAX)
        return 0;
    uint8_t *parity = g->value + HEADER_BYTES + at;
    for (uint32_t i = 0; i < len; i++)
        parity[i] ^= chunk[i];
    parity[1] ^= chunk[1] & FLAG_I;
    g->len = at + len > g->len ? at + len : g->len;
    return at + ((len + 3u) & ~3u);
}

/* The last packet of a group asks for the PARITY chunk, which leaves in the next one. */
static void data_sent(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data)
{
    struct fec *fec = assoc->state;
    if (fec->out == NULL && !data->again) {
        fec->out = hws_ext_alloc(assoc, sizeof *fec->out);
        hws_ext_timer(assoc, FLUSH_US);
    }
    struct group *g = fec->out;
    if (g == NULL || data->again)
        return;
    if (g->tsns++ == 0)
        memcpy(g->value, data->chunk + 4, 4);
    if (g->packets == 0 || data->packet != g->packet) {
        if (++g->packets == GROUP)
            hws_ext_want(assoc, PARITY, HWS_EXT_DATA_PATH);
        g->packet = data->packet;
        g->packet_end = 0;
    }
    g->value[3 + g->packets]++;
    g->packet_end = add(g, g->packet_end, data->chunk, data->len);
    if (g->packet_end == 0 || g->tsns > CHUNKS_MAX || g->packets > GROUP)
        fec->out = hws_ext_free(assoc, fec->out);
}

static void flush(const struct hws_ext_assoc *assoc)
{
    hws_ext_want(assoc, PARITY, HWS_EXT_DATA_PATH);
}

static bool parity_fill(const struct hws_ext_assoc *assoc, struct hws_ext_out *out)
{
    struct fec *fec = assoc->state;
    const struct group *g = fec->out;
    if (g != NULL &&
        hws_ext_put(assoc, out, g->value, (uint16_t)(HEADER_BYTES + g->len)) == HWS_EXT_OK)
        fec->out = hws_ext_free(assoc, fec->out);
    return g != NULL;
}

static const struct kept *find(const struct kept *k, uint32_t tsn)
{
    return k == NULL || k->tsn == tsn ? k : find(k->next, tsn);
}

/* Keeps what has one of the KEPT TSNs from `tsn` on. */
static void forget(const struct hws_ext_assoc *assoc, uint32_t tsn)
{
    for (struct kept **at = &((struct fec *)assoc->state)->kept, *k; (k = *at) != NULL;) {
        if (k->tsn - tsn < KEPT) {
            at = &k->next;
        } else {
            *at = k->next;
            hws_ext_free(assoc, k);
        }
    }
}

/* Hands in the chunks of the missing packet, which are what the others left of the XOR. */
static void hand_in(const struct hws_ext_assoc *assoc, const struct group *g, uint32_t tsn, int n)
{
    for (uint32_t at = 0, len; n-- > 0 && at + 16 < g->len; at += (len + 3u) & ~3u, tsn++) {
        const uint8_t *chunk = g->value + HEADER_BYTES + at;
        len = get(chunk + 2, 2);
        if (at + len > g->len || get(chunk + 4, 4) != tsn)
            return; /* not what the sender added */
        if (hws_ext_repair(assoc, chunk, (uint16_t)len) == HWS_EXT_OK)
            hws_ext_tell(assoc, REPAIRED, chunk + 4, 4);
    }
}

/* What the group lacks: one packet and its first TSN, or none (GROUP); and the TSN behind it. */
struct lack {
    uint32_t packet, tsn, end;
};

/* False: more than one packet. */
static bool find_lack(const struct fec *fec, struct lack *lack)
{
    const uint8_t *chunks = fec->in->value + 4;
    *lack = (struct lack){.packet = GROUP, .end = get(fec->in->value, 4)};
    for (uint32_t p = 0; p < GROUP; lack->end += chunks[p++])
        for (uint32_t i = 0; i < chunks[p] && lack->packet != p; i++) {
            if (find(fec->kept, lack->end + i) != NULL)
                continue;
            if (lack->packet != GROUP || i > 0)
                return false;
            lack->packet = p;
            lack->tsn = lack->end;
        }
    return true;
}

/* Leaves the missing packet of the XOR. False: the others are not what was added to it. */
static bool compute(const struct fec *fec, struct group *sum, uint32_t missing)
{
    const uint8_t *chunks = sum->value + 4;
    uint32_t tsn = get(sum->value, 4);
    for (uint32_t p = 0; p < GROUP; tsn += chunks[p++])
        for (uint32_t i = 0, at = 0; i < chunks[p] && p != missing; i++) {
            const struct kept *k = find(fec->kept, tsn + i);
            at = add(sum, at, k->chunk, k->len);
            if (at == 0)
                return false;
        }
    return true;
}

/* When one packet of the group is missing it is computed; when more are, we wait. */
static void repair(const struct hws_ext_assoc *assoc)
{
    struct fec *fec = assoc->state;
    struct lack lack;
    if (!find_lack(fec, &lack))
        return;
    struct group sum = *fec->in;
    bool computed = lack.packet != GROUP && compute(fec, &sum, lack.packet);
    fec->in = hws_ext_free(assoc, fec->in);
    forget(assoc, lack.end);
    if (computed)
        hand_in(assoc, &sum, lack.tsn, sum.value[4 + lack.packet]);
}

static void parity_in(const struct hws_ext_assoc *assoc, const struct hws_ext_in *in)
{
    struct fec *fec = assoc->state;
    fec->in = hws_ext_free(assoc, fec->in);
    if (in->len <= HEADER_BYTES + BYTES_MAX)
        fec->in = hws_ext_alloc(assoc, sizeof *fec->in);
    if (fec->in == NULL)
        return;
    fec->in->len = in->len - HEADER_BYTES;
    memcpy(fec->in->value, in->value, in->len);
    repair(assoc);
}

static void data_received(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data)
{
    struct fec *fec = assoc->state;
    struct kept *k = data->len <= BYTES_MAX ? hws_ext_alloc(assoc, sizeof *k + data->len) : NULL;
    if (k == NULL)
        return;
    *k = (struct kept){.next = fec->kept, .tsn = data->tsn, .len = data->len};
    memcpy(k->chunk, data->chunk, data->len);
    fec->kept = k;
    forget(assoc, data->tsn - KEPT / 2);
    if (fec->in != NULL && data->tsn - get(fec->in->value, 4) < CHUNKS_MAX)
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
