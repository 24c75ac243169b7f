#include "proto/param.h"

#include <stddef.h>

const char *hws_param_name(uint16_t type)
{
    switch (type) {
#define X(symbol, number, name, min_len, max_len)                                                  \
    case number:                                                                                   \
        return name;
        HWS_PARAM_TYPES(X)
#undef X
    default:
        return NULL;
    }
}

bool hws_param_len_ok(const struct hws_tlv *p)
{
    switch (p->type) {
#define X(symbol, number, name, min_len, max_len)                                                  \
    case number:                                                                                   \
        return p->len >= (min_len) && (uint32_t)p->len <= (max_len);
        HWS_PARAM_TYPES(X)
#undef X
    default:
        return true;
    }
}

bool hws_param_addr(const struct hws_tlv *p, struct hws_addr *out)
{
    if (p->type != HWS_PARAM_IPV4 && p->type != HWS_PARAM_IPV6)
        return false;
    if (!hws_param_len_ok(p))
        return false;
    *out =
        (struct hws_addr){.family = p->type == HWS_PARAM_IPV4 ? HWS_FAMILY_IPV4 : HWS_FAMILY_IPV6};
    memcpy(out->ip, hws_param_value(p), hws_addr_len(out));
    return true;
}

bool hws_param_put_addr(struct hws_builder *b, const struct hws_addr *addr)
{
    uint16_t type = addr->family == HWS_FAMILY_IPV4 ? HWS_PARAM_IPV4 : HWS_PARAM_IPV6;
    uint8_t *v = hws_builder_tlv(b, type, hws_addr_len(addr));
    if (v == NULL)
        return false;
    memcpy(v, addr->ip, hws_addr_len(addr));
    return true;
}

static bool read_number(const struct hws_tlv *p, uint16_t type, uint32_t *number)
{
    if (p->type != type || !hws_param_len_ok(p))
        return false;
    *number = hws_get32(hws_param_value(p));
    return true;
}

static bool put_number(struct hws_builder *b, uint16_t type, uint32_t number)
{
    uint8_t *v = hws_builder_tlv(b, type, 4);
    if (v == NULL)
        return false;
    hws_put32(v, number);
    return true;
}

bool hws_param_cookie_preservative(const struct hws_tlv *p, uint32_t *increment_ms)
{
    return read_number(p, HWS_PARAM_COOKIE_PRESERVATIVE, increment_ms);
}

bool hws_param_put_cookie_preservative(struct hws_builder *b, uint32_t increment_ms)
{
    return put_number(b, HWS_PARAM_COOKIE_PRESERVATIVE, increment_ms);
}

bool hws_param_adaptation(const struct hws_tlv *p, uint32_t *indication)
{
    return read_number(p, HWS_PARAM_ADAPTATION, indication);
}

bool hws_param_put_adaptation(struct hws_builder *b, uint32_t indication)
{
    return put_number(b, HWS_PARAM_ADAPTATION, indication);
}

static const struct {
    unsigned bit;
    uint16_t type;
} supported[] = {
    {HWS_SUPPORTS_IPV4, HWS_PARAM_IPV4},
    {HWS_SUPPORTS_IPV6, HWS_PARAM_IPV6},
};

#define SUPPORTED_COUNT (sizeof supported / sizeof supported[0])

static unsigned supported_bit(uint16_t type)
{
    for (size_t i = 0; i < SUPPORTED_COUNT; i++)
        if (supported[i].type == type)
            return supported[i].bit;
    return 0;
}

bool hws_param_supported_addresses(const struct hws_tlv *p, unsigned *bits)
{
    if (p->type != HWS_PARAM_SUPPORTED_ADDRESSES)
        return false;
    *bits = 0;
    for (uint32_t at = 4; at + 2 <= p->len; at += 2)
        *bits |= supported_bit(hws_get16(p->bytes + at));
    return true;
}

bool hws_param_put_supported_addresses(struct hws_builder *b, unsigned bits)
{
    uint8_t types[2 * SUPPORTED_COUNT];
    uint32_t len = 0;
    for (size_t i = 0; i < SUPPORTED_COUNT; i++) {
        if ((bits & supported[i].bit) == 0)
            continue;
        hws_put16(types + len, supported[i].type);
        len += 2;
    }
    uint8_t *v = hws_builder_tlv(b, HWS_PARAM_SUPPORTED_ADDRESSES, len);
    if (v == NULL)
        return false;
    memcpy(v, types, len);
    return true;
}
