#include "proto/cause.h"

#include <stddef.h>

#include "proto/param.h"

const char *hws_cause_name(uint16_t code)
{
    switch (code) {
#define X(symbol, number, name, min_len)                                                           \
    case number:                                                                                   \
        return name;
        HWS_CAUSE_CODES(X)
#undef X
    default:
        return NULL;
    }
}

bool hws_cause_put(struct hws_builder *b, uint16_t code, const void *value, uint32_t value_len)
{
    uint8_t *v = hws_builder_tlv(b, code, value_len);
    if (v == NULL)
        return false;
    if (value_len != 0)
        memcpy(v, value, value_len);
    return true;
}

bool hws_cause_put_invalid_stream(struct hws_builder *b, uint16_t sid)
{
    uint8_t *v = hws_builder_tlv(b, HWS_CAUSE_INVALID_STREAM, 4);
    if (v == NULL)
        return false;
    hws_put16(v, sid);
    hws_put16(v + 2, 0);
    return true;
}

bool hws_cause_put_missing_param(struct hws_builder *b, const uint16_t *types, uint32_t count)
{
    /* Checked before it is multiplied: no list this long fits any packet. */
    if (count > HWS_PACKET_MAX_LEN)
        count = HWS_PACKET_MAX_LEN;
    uint8_t *v = hws_builder_tlv(b, HWS_CAUSE_MISSING_PARAM, 4 + 2 * count);
    if (v == NULL)
        return false;
    hws_put32(v, count);
    for (uint32_t i = 0; i < count; i++)
        hws_put16(v + 4 + 2 * i, types[i]);
    return true;
}

static bool put_word(struct hws_builder *b, uint16_t code, uint32_t word)
{
    uint8_t *v = hws_builder_tlv(b, code, 4);
    if (v == NULL)
        return false;
    hws_put32(v, word);
    return true;
}

bool hws_cause_put_stale_cookie(struct hws_builder *b, uint32_t staleness_us)
{
    return put_word(b, HWS_CAUSE_STALE_COOKIE, staleness_us);
}

bool hws_cause_put_no_user_data(struct hws_builder *b, uint32_t tsn)
{
    return put_word(b, HWS_CAUSE_NO_USER_DATA, tsn);
}

static uint32_t addr_params_len(const struct hws_addr *addrs, uint32_t count)
{
    uint32_t len = 0;
    for (uint32_t i = 0; i < count; i++)
        len += 4 + hws_addr_len(&addrs[i]);
    return len;
}

static uint8_t *put_addr_param(uint8_t *v, const struct hws_addr *addr)
{
    uint32_t ip_len = hws_addr_len(addr);
    hws_put16(v, addr->family == HWS_FAMILY_IPV4 ? HWS_PARAM_IPV4 : HWS_PARAM_IPV6);
    hws_put16(v + 2, (uint16_t)(4 + ip_len));
    memcpy(v + 4, addr->ip, ip_len);
    return v + 4 + ip_len;
}

bool hws_cause_put_new_addresses(struct hws_builder *b, const struct hws_addr *addrs,
                                 uint32_t count)
{
    uint8_t *v = hws_builder_tlv(b, HWS_CAUSE_RESTART_NEW_ADDRESSES, addr_params_len(addrs, count));
    if (v == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        v = put_addr_param(v, &addrs[i]);
    return true;
}

static bool has_value(const struct hws_tlv *c, uint16_t code, uint32_t value_len)
{
    return c->type == code && (uint32_t)c->len - 4 >= value_len;
}

bool hws_cause_invalid_stream(const struct hws_tlv *c, uint16_t *sid)
{
    if (!has_value(c, HWS_CAUSE_INVALID_STREAM, 4))
        return false;
    *sid = hws_get16(c->bytes + 4);
    return true;
}

bool hws_cause_stale_cookie(const struct hws_tlv *c, uint32_t *staleness_us)
{
    if (!has_value(c, HWS_CAUSE_STALE_COOKIE, 4))
        return false;
    *staleness_us = hws_get32(c->bytes + 4);
    return true;
}

bool hws_cause_no_user_data(const struct hws_tlv *c, uint32_t *tsn)
{
    if (!has_value(c, HWS_CAUSE_NO_USER_DATA, 4))
        return false;
    *tsn = hws_get32(c->bytes + 4);
    return true;
}

int hws_cause_missing_param(const struct hws_tlv *c, uint16_t *types, uint32_t max)
{
    if (!has_value(c, HWS_CAUSE_MISSING_PARAM, 4))
        return -1;
    uint32_t count = hws_get32(c->bytes + 4);
    if (count > ((uint32_t)c->len - 8) / 2)
        return -1;
    for (uint32_t i = 0; i < count && i < max; i++)
        types[i] = hws_get16(c->bytes + 8 + 2 * i);
    return (int)count;
}
