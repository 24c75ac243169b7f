#include "cli/icmp.h"

#include <stddef.h>

#include <linux/icmpv6.h>

/* Destination Unreachable by code (RFC 792, RFC 1812, RFC 4443). */
static const char *const codes4[] = {
    "ICMP network unreachable",
    "ICMP host unreachable",
    "ICMP protocol unreachable",
    "ICMP port unreachable",
    "ICMP fragmentation needed",
    "ICMP source route failed",
    "ICMP network unknown",
    "ICMP host unknown",
    "ICMP source host isolated",
    "ICMP network prohibited",
    "ICMP host prohibited",
    "ICMP network unreachable for this type of service",
    "ICMP host unreachable for this type of service",
    "ICMP administratively prohibited",
};

static const char *const codes6[] = {
    "ICMPv6 no route",         "ICMPv6 administratively prohibited",
    "ICMPv6 beyond scope",     "ICMPv6 address unreachable",
    "ICMPv6 port unreachable", "ICMPv6 source address failed policy",
    "ICMPv6 route rejected",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *find(const char *const *codes, size_t count, uint8_t code, const char *other)
{
    return code < count ? codes[code] : other;
}

const char *hws_cli_icmp(const struct hws_icmp *icmp, bool ipv6)
{
    if (!ipv6)
        return find(codes4, COUNT(codes4), icmp->code, "ICMP destination unreachable");
    if (icmp->type == ICMPV6_PARAMPROB)
        return "ICMPv6 protocol unreachable"; /* unrecognized next header */
    return find(codes6, COUNT(codes6), icmp->code, "ICMPv6 destination unreachable");
}
