/* Options about IP's header (ip(7), ipv6(7)). The engine has one value for both families: 0 leaves
 * the system's. */
#include <errno.h>

#include "api/sock/sockopt_value.h"

#define ECN_BITS 0x3u
#define TTL_SYSTEM 64

static int change_tos(const struct hws_sockopt_target *target, uint8_t tos)
{
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    /* The last two bits are the transport's (RFC 3168), of which this one makes no use. */
    params.tos = (uint8_t)(tos & ~ECN_BITS);
    return rc == 0 ? hws_sockopt_store(target, &params) : rc;
}

static int change_ttl(const struct hws_sockopt_target *target, int ttl)
{
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    params.ttl = ttl < 0 ? 0 : (uint8_t)ttl;
    return rc == 0 ? hws_sockopt_store(target, &params) : rc;
}

static int told_ttl(const struct hws_sockopt_target *target)
{
    uint8_t ttl = target->sock->params.ttl;
    return ttl != 0 ? ttl : TTL_SYSTEM;
}

/* ---- IP_TOS, IP_TTL ---- */

HWS_SOCKOPT_SET(tos)
{
    return change_tos(target, (uint8_t)value->number);
}

HWS_SOCKOPT_GET(tos)
{
    value->number = target->sock->params.tos;
    return 0;
}

HWS_SOCKOPT_SET(ttl)
{
    if (target->len == 0 || (value->number != -1 && (value->number < 1 || value->number > 255)))
        return -EINVAL;
    return change_ttl(target, value->number);
}

HWS_SOCKOPT_GET(ttl)
{
    value->number = told_ttl(target);
    return 0;
}

/* ---- IPV6_TCLASS, IPV6_UNICAST_HOPS: -1 is the system's ---- */

HWS_SOCKOPT_SET(tclass)
{
    if (value->number < -1 || value->number > 255)
        return -EINVAL;
    return change_tos(target, value->number < 0 ? 0 : (uint8_t)value->number);
}

HWS_SOCKOPT_GET(tclass)
{
    return hws_sockopt_get_tos(target, value);
}

/* The kernel takes 0, of which no packet would leave the host; here that is the system's, too. */
HWS_SOCKOPT_SET(hops)
{
    if (value->number < -1 || value->number > 255)
        return -EINVAL;
    return change_ttl(target, value->number);
}

HWS_SOCKOPT_GET(hops)
{
    value->number = told_ttl(target);
    return 0;
}

/* ---- IPV6_V6ONLY: not once the socket is bound ---- */

HWS_SOCKOPT_SET(v6only)
{
    if (target->sock->port != NULL)
        return -EINVAL;
    target->sock->options.v6only = value->number != 0;
    return 0;
}

HWS_SOCKOPT_GET(v6only)
{
    value->number = target->sock->options.v6only;
    return 0;
}
