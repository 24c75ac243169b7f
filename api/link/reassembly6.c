#include "api/link/reassembly6.h"

#include <stdlib.h>
#include <string.h>

#include "proto/bytes.h"

#define SLOTS 8u             /* packets at a time; a further one takes the place of the oldest */
#define TIMEOUT_US 60000000u /* RFC 8200, 4.5 */
#define UNIT 8u              /* bytes that offsets count in */
#define PACKET_MAX 65528u    /* of payload, in whole units */
#define UNITS (PACKET_MAX / UNIT)

struct slot {
    struct hws_buf *buf; /* NULL: free */
    struct hws_addr src, dst;
    uint32_t id;
    uint64_t begin_us;
    uint32_t len;      /* of the whole; 0: not known yet */
    uint32_t received; /* units */
    uint32_t highest;  /* one past the highest unit received */
    uint8_t have[UNITS / 8 + 1];
};

struct hws_reassembly6 {
    struct hws_rxpool *pool;
    struct slot slots[SLOTS];
};

struct fragment {
    const struct hws_ip_packet *ip;
    const uint8_t *data;
    uint32_t id, offset, len;
    bool more;
};

struct hws_reassembly6 *hws_reassembly6_new(struct hws_rxpool *pool)
{
    struct hws_reassembly6 *r = calloc(1, sizeof(*r));
    if (r != NULL)
        r->pool = pool;
    return r;
}

static void clear(struct slot *s)
{
    if (s->buf != NULL)
        hws_buf_unref(s->buf);
    memset(s, 0, sizeof(*s));
}

void hws_reassembly6_free(struct hws_reassembly6 *r)
{
    for (uint32_t i = 0; r != NULL && i < SLOTS; i++)
        clear(&r->slots[i]);
    free(r);
}

static uint32_t units(uint32_t len)
{
    return (len + UNIT - 1) / UNIT;
}

/* All but the last have whole units, and nothing lies beyond the largest packet. */
static bool read_fragment(const struct hws_ip_packet *ip, uint8_t protocol, struct fragment *f)
{
    if (ip->payload_len <= HWS_IPV6_FRAGMENT_LEN || ip->payload[0] != protocol)
        return false;
    uint16_t word = hws_get16(ip->payload + 2);
    *f = (struct fragment){.ip = ip,
                           .data = ip->payload + HWS_IPV6_FRAGMENT_LEN,
                           .id = hws_get32(ip->payload + 4),
                           .offset = word & 0xfff8u,
                           .len = ip->payload_len - HWS_IPV6_FRAGMENT_LEN,
                           .more = (word & 1) != 0};
    return f->offset + f->len <= PACKET_MAX && (!f->more || f->len % UNIT == 0);
}

static bool is_of(const struct slot *s, const struct fragment *f)
{
    return s->buf != NULL && s->id == f->id && hws_addr_same(&s->src, &f->ip->src) &&
           hws_addr_same(&s->dst, &f->ip->dst);
}

/* The fragment's packet: begun already, or in a slot that is free or the oldest. */
static struct slot *slot_for(struct hws_reassembly6 *r, const struct fragment *f, uint64_t now_us)
{
    struct slot *oldest = &r->slots[0];
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct slot *s = &r->slots[i];
        if (s->buf != NULL && now_us - s->begin_us >= TIMEOUT_US)
            clear(s);
        if (is_of(s, f))
            return s;
        if (s->buf == NULL || (oldest->buf != NULL && s->begin_us < oldest->begin_us))
            oldest = s;
    }
    clear(oldest);
    oldest->buf = hws_rxpool_get(r->pool, HWS_RX_LARGE);
    oldest->src = f->ip->src;
    oldest->dst = f->ip->dst;
    oldest->id = f->id;
    oldest->begin_us = now_us;
    return oldest->buf != NULL ? oldest : NULL;
}

static bool has(const struct slot *s, uint32_t unit)
{
    return (s->have[unit / 8] >> (unit % 8) & 1) != 0;
}

/* False when it overlaps what is there or contradicts it: the whole packet is given up then, since
 * nobody sends such things honestly (RFC 8200, 4.5). */
static bool put(struct slot *s, const struct fragment *f)
{
    uint32_t first = f->offset / UNIT, end = first + units(f->len);
    if ((!f->more && s->len != 0) || (s->len != 0 && end > units(s->len)))
        return false;
    for (uint32_t unit = first; unit < end; unit++) {
        if (has(s, unit))
            return false;
        s->have[unit / 8] |= (uint8_t)(1u << (unit % 8));
    }
    memcpy(s->buf->data + f->offset, f->data, f->len);
    s->received += end - first;
    s->highest = end > s->highest ? end : s->highest;
    if (!f->more)
        s->len = f->offset + f->len;
    return s->len == 0 || s->highest <= units(s->len);
}

/* A small packet shall not pin a large buffer. */
static struct hws_buf *take(struct hws_reassembly6 *r, struct slot *s, uint32_t *len)
{
    struct hws_buf *buf = hws_rxpool_get(r->pool, hws_rxpool_fit(s->len));
    *len = s->len;
    if (buf != NULL)
        memcpy(buf->data, s->buf->data, s->len);
    clear(s);
    return buf;
}

struct hws_buf *hws_reassembly6_add(struct hws_reassembly6 *r, const struct hws_ip_packet *fragment,
                                    uint8_t protocol, uint64_t now_us, uint32_t *len)
{
    struct fragment f;
    if (!read_fragment(fragment, protocol, &f))
        return NULL;
    struct slot *s = slot_for(r, &f, now_us);
    if (s == NULL)
        return NULL;
    if (!put(s, &f)) {
        clear(s);
        return NULL;
    }
    return s->len != 0 && s->received == units(s->len) ? take(r, s, len) : NULL;
}
