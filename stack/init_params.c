#include "stack/init_params.h"

#include <string.h>

#include "proto/cause.h"

bool hws_init_values_ok(const struct hws_init *init)
{
    return init->ostreams > 0 && init->max_instreams > 0 && init->a_rwnd >= HWS_INIT_MIN_RWND;
}

bool hws_init_refused(const struct hws_init *init, enum hws_init_params_result result,
                      const struct hws_init_params *params, struct hws_init_refusal *why)
{
    *why = (struct hws_init_refusal){0};
    if (!hws_init_values_ok(init))
        why->cause = HWS_CAUSE_INVALID_PARAM;
    else if (result == HWS_INIT_PARAMS_MALFORMED)
        why->cause = HWS_CAUSE_PROTOCOL_VIOLATION;
    else if (result == HWS_INIT_PARAMS_HOST_NAME)
        *why = (struct hws_init_refusal){HWS_CAUSE_UNRESOLVABLE_ADDRESS, params->offending.bytes,
                                         params->offending.len};
    return why->cause != 0;
}

static bool loopback(const struct hws_addr *a)
{
    static const uint8_t one[16] = {[15] = 1};
    return a->family == HWS_FAMILY_IPV4 ? a->ip[0] == 127 : memcmp(a->ip, one, 16) == 0;
}

static bool link_local(const struct hws_addr *a)
{
    return a->family == HWS_FAMILY_IPV6 && a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

/* IPv4-mapped, and the unspecified address. */
static bool reserved_ipv6(const struct hws_addr *a)
{
    static const uint8_t zero[10];
    return memcmp(a->ip, zero, 10) == 0 && !loopback(a);
}

/* Whether a peer at `source` can be at this address, too: neither unspecified nor multicast nor
 * broadcast, and loopback or link-local only when its source is. */
static bool usable(const struct hws_addr *a, const struct hws_addr *source)
{
    if (loopback(a) && !loopback(source))
        return false;
    if (!hws_addr_unicast(a) || a->family == HWS_FAMILY_IPV4)
        return hws_addr_unicast(a);
    return !reserved_ipv6(a) && (!link_local(a) || source->scope_id != 0);
}

static void add_address(const struct hws_tlv *p, const struct hws_addr *source,
                        struct hws_init_params *out)
{
    struct hws_addr addr;
    if (!hws_param_addr(p, &addr) || !usable(&addr, source) || out->addr_count == HWS_LIMIT_PATHS)
        return;
    addr.udp_port = source->udp_port;
    if (link_local(&addr))
        addr.scope_id = source->scope_id;
    out->addrs[out->addr_count++] = addr;
}

/* A parameter that is not the core's. False: the rest of the list is not to be looked at (3.2.1).
 */
static bool unknown(const struct hws_registry *r, const struct hws_tlv *p,
                    struct hws_init_params *out)
{
    if (hws_registry_take_offer(r, p, &out->offers))
        return true;
    if (hws_param_unknown_report(p->type) && out->unknown_count < HWS_LIMIT_UNKNOWN_PARAMS)
        out->unknown[out->unknown_count++] = *p;
    return hws_param_unknown_skip(p->type);
}

static bool take(const struct hws_registry *r, const struct hws_tlv *p,
                 const struct hws_addr *source, struct hws_init_params *out)
{
    switch (p->type) {
    case HWS_PARAM_IPV4:
    case HWS_PARAM_IPV6:
        add_address(p, source, out);
        return true;
    case HWS_PARAM_COOKIE:
        out->cookie = hws_param_value(p);
        out->cookie_len = hws_param_value_len(p);
        return true;
    case HWS_PARAM_COOKIE_PRESERVATIVE:
        return hws_param_cookie_preservative(p, &out->life_extension_ms);
    case HWS_PARAM_SUPPORTED_ADDRESSES:
        return hws_param_supported_addresses(p, &out->supported);
    case HWS_PARAM_ADAPTATION:
        out->has_adaptation = hws_param_adaptation(p, &out->adaptation_indication);
        return true;
    case HWS_PARAM_UNRECOGNIZED:
        return true; /* our own parameter, echoed; nothing we sent is worth a second try */
    default:
        return unknown(r, p, out);
    }
}

static unsigned family_bit(const struct hws_addr *a)
{
    return a->family == HWS_FAMILY_IPV4 ? HWS_SUPPORTS_IPV4 : HWS_SUPPORTS_IPV6;
}

static enum hws_init_params_result read_list(const struct hws_registry *r,
                                             const struct hws_init *init,
                                             const struct hws_addr *source,
                                             struct hws_init_params *out)
{
    struct hws_tlv_iter it = hws_tlv_begin(init->params, init->params_len);
    struct hws_tlv p;
    while (hws_tlv_next(&it, &p)) {
        out->offending = p;
        if (!hws_param_len_ok(&p))
            return HWS_INIT_PARAMS_MALFORMED;
        if (p.type == HWS_PARAM_HOST_NAME)
            return HWS_INIT_PARAMS_HOST_NAME;
        if (!take(r, &p, source, out))
            return HWS_INIT_PARAMS_OK;
    }
    return it.malformed ? HWS_INIT_PARAMS_MALFORMED : HWS_INIT_PARAMS_OK;
}

enum hws_init_params_result hws_init_params_read(const struct hws_registry *r,
                                                 const struct hws_init *init,
                                                 const struct hws_addr *source,
                                                 struct hws_init_params *out)
{
    memset(out, 0, sizeof *out);
    out->supported = HWS_SUPPORTS_IPV4 | HWS_SUPPORTS_IPV6;
    enum hws_init_params_result result = read_list(r, init, source, out);
    /* A family that the peer uses it supports, whatever it says (5.1.2). */
    out->supported |= family_bit(source);
    for (uint32_t i = 0; i < out->addr_count; i++)
        out->supported |= family_bit(&out->addrs[i]);
    return result;
}

static unsigned supported(const struct hws_locals *locals)
{
    unsigned bits = 0;
    if (locals->any) {
        bits |= locals->families & HWS_ENDPOINT_IPV4 ? HWS_SUPPORTS_IPV4 : 0;
        bits |= locals->families & HWS_ENDPOINT_IPV6 ? HWS_SUPPORTS_IPV6 : 0;
    }
    for (uint32_t i = 0; i < locals->count; i++)
        bits |= family_bit(&locals->addrs[i]);
    return bits;
}

void hws_init_params_put_local(struct hws_builder *b, const struct hws_locals *locals,
                               const struct hws_params *params, unsigned supported_by_peer)
{
    hws_param_put_supported_addresses(b, supported(locals));
    for (uint32_t i = 0; locals->count > 1 && i < locals->count; i++)
        if (family_bit(&locals->addrs[i]) & supported_by_peer)
            hws_param_put_addr(b, &locals->addrs[i]);
    if (params->adaptation)
        hws_param_put_adaptation(b, params->adaptation_indication);
}
