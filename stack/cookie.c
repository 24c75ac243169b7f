#include "stack/cookie.h"

#include <string.h>

static void draw_key(struct hws_engine *e, unsigned index)
{
    e->config.env.random(e->config.env.ctx, e->cookie_keys.key[index], HWS_MAC_KEY_LEN);
}

void hws_cookie_init(struct hws_engine *e)
{
    draw_key(e, 0);
    e->cookie_keys.current = 0;
    e->cookie_keys.previous_valid = false;
    e->cookie_keys.made_us = 0;
}

static void rotate(struct hws_engine *e)
{
    struct hws_cookie_keys *keys = &e->cookie_keys;
    uint64_t age_us = e->now_us - keys->made_us;
    if (age_us < HWS_COOKIE_KEY_LIFE_US)
        return;
    /* A key unused for two lifetimes can have signed nothing that is still fresh. */
    keys->previous_valid = age_us < 2 * (uint64_t)HWS_COOKIE_KEY_LIFE_US;
    keys->current ^= 1;
    draw_key(e, keys->current);
    keys->made_us = e->now_us;
}

/* ---- Bytes ---- */

struct cursor {
    uint8_t *pos;
};

static void put_addr(struct cursor *c, const struct hws_addr *a)
{
    c->pos[0] = a->family;
    memcpy(c->pos + 1, a->ip, 16);
    hws_put32(c->pos + 17, a->scope_id);
    hws_put16(c->pos + 21, a->udp_port);
    c->pos += HWS_COOKIE_ADDR_LEN;
}

static const uint8_t *get_addr(const uint8_t *pos, struct hws_addr *a)
{
    memset(a, 0, sizeof *a);
    a->family = pos[0];
    memcpy(a->ip, pos + 1, 16);
    a->scope_id = hws_get32(pos + 17);
    a->udp_port = hws_get16(pos + 21);
    return pos + HWS_COOKIE_ADDR_LEN;
}

/* For each extension a length and that many bytes. */
static void put_offers(struct cursor *c, const struct hws_ext_offers *offers)
{
    for (unsigned i = 0; i < HWS_EXT_MAX; i++) {
        if (!(offers->mask & 1u << i))
            continue;
        *c->pos++ = offers->len[i];
        memcpy(c->pos, offers->value[i], offers->len[i]);
        c->pos += offers->len[i];
    }
}

/* False: they do not end where they have to. */
static bool get_offers(const uint8_t *pos, const uint8_t *end, uint8_t mask,
                       struct hws_ext_offers *offers)
{
    *offers = (struct hws_ext_offers){.mask = mask};
    for (unsigned i = 0; i < HWS_EXT_MAX; i++) {
        if (!(mask & 1u << i))
            continue;
        if (pos == end || *pos > HWS_EXT_PARAM_MAX || *pos > end - pos - 1)
            return false;
        offers->len[i] = *pos++;
        memcpy(offers->value[i], pos, offers->len[i]);
        pos += offers->len[i];
    }
    return pos == end;
}

static void put_fixed(uint8_t *p, const struct hws_cookie *c, uint8_t key_index)
{
    memset(p, 0, HWS_COOKIE_FIXED_LEN);
    p[0] = key_index;
    p[1] = c->addr_count;
    hws_put64(p + 4, c->made_us);
    hws_put32(p + 12, c->life_us);
    hws_put32(p + 16, c->local_vtag);
    hws_put32(p + 20, c->remote_vtag);
    hws_put32(p + 24, c->local_tsn);
    hws_put32(p + 28, c->remote_tsn);
    hws_put32(p + 32, c->remote_rwnd);
    hws_put16(p + 36, c->remote_ostreams);
    hws_put16(p + 38, c->remote_max_instreams);
    hws_put32(p + 40, c->tie_local);
    hws_put32(p + 44, c->tie_remote);
    hws_put16(p + 48, c->local_port);
    hws_put16(p + 50, c->remote_port);
    p[2] = c->has_adaptation;
    p[3] = c->offers.mask;
    hws_put32(p + 52, c->adaptation_indication);
}

static void get_fixed(const uint8_t *p, struct hws_cookie *c)
{
    c->addr_count = p[1];
    c->made_us = hws_get64(p + 4);
    c->life_us = hws_get32(p + 12);
    c->local_vtag = hws_get32(p + 16);
    c->remote_vtag = hws_get32(p + 20);
    c->local_tsn = hws_get32(p + 24);
    c->remote_tsn = hws_get32(p + 28);
    c->remote_rwnd = hws_get32(p + 32);
    c->remote_ostreams = hws_get16(p + 36);
    c->remote_max_instreams = hws_get16(p + 38);
    c->tie_local = hws_get32(p + 40);
    c->tie_remote = hws_get32(p + 44);
    c->local_port = hws_get16(p + 48);
    c->remote_port = hws_get16(p + 50);
    c->has_adaptation = p[2] != 0;
    c->adaptation_indication = hws_get32(p + 52);
}

uint32_t hws_cookie_seal(struct hws_engine *e, const struct hws_cookie *cookie,
                         uint8_t out[HWS_COOKIE_MAX_LEN])
{
    rotate(e);
    const struct hws_cookie_keys *keys = &e->cookie_keys;
    put_fixed(out, cookie, keys->current);
    struct cursor c = {out + HWS_COOKIE_FIXED_LEN};
    put_addr(&c, &cookie->local);
    put_addr(&c, &cookie->remote);
    for (unsigned i = 0; i < cookie->addr_count; i++)
        put_addr(&c, &cookie->addrs[i]);
    put_offers(&c, &cookie->offers);
    size_t len = (size_t)(c.pos - out);
    e->config.env.hmac_sha256(e->config.env.ctx, keys->key[keys->current], out, len, c.pos);
    return (uint32_t)len + HWS_MAC_LEN;
}

static bool mac_equal(const uint8_t *a, const uint8_t *b)
{
    uint8_t diff = 0;
    for (unsigned i = 0; i < HWS_MAC_LEN; i++)
        diff |= (uint8_t)(a[i] ^ b[i]);
    return diff == 0;
}

static bool mac_ok(const struct hws_engine *e, const uint8_t *bytes, uint32_t len)
{
    const struct hws_cookie_keys *keys = &e->cookie_keys;
    uint8_t index = bytes[0];
    if (index > 1 || (index != keys->current && !keys->previous_valid))
        return false;
    uint8_t mac[HWS_MAC_LEN];
    e->config.env.hmac_sha256(e->config.env.ctx, keys->key[index], bytes, len - HWS_MAC_LEN, mac);
    return mac_equal(mac, bytes + len - HWS_MAC_LEN);
}

bool hws_cookie_open(const struct hws_engine *e, const uint8_t *bytes, uint32_t len,
                     struct hws_cookie *out)
{
    if (len < HWS_COOKIE_FIXED_LEN + 2 * HWS_COOKIE_ADDR_LEN + HWS_MAC_LEN ||
        len > HWS_COOKIE_MAX_LEN)
        return false;
    if (bytes[1] > HWS_LIMIT_PATHS ||
        len < HWS_COOKIE_FIXED_LEN + HWS_COOKIE_ADDR_LEN * (2u + bytes[1]) + HWS_MAC_LEN)
        return false;
    if (!mac_ok(e, bytes, len))
        return false;
    get_fixed(bytes, out);
    const uint8_t *pos = get_addr(bytes + HWS_COOKIE_FIXED_LEN, &out->local);
    pos = get_addr(pos, &out->remote);
    for (unsigned i = 0; i < out->addr_count; i++)
        pos = get_addr(pos, &out->addrs[i]);
    return get_offers(pos, bytes + len - HWS_MAC_LEN, bytes[3], &out->offers);
}
