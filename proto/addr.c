#include "proto/addr.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/bytes.h"

#define IPV6_GROUPS 8u

/* Appends to NUL-terminated text in a buffer of HWS_ADDR_TEXT_MAX bytes. */
static void append(char *out, const char *format, ...)
{
    size_t len = strlen(out);
    va_list args;
    va_start(args, format);
    vsnprintf(out + len, HWS_ADDR_TEXT_MAX - len, format, args);
    va_end(args);
}

static void append_ipv4(char *out, const uint8_t *ip)
{
    append(out, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
}

static uint32_t zero_run(const uint8_t *ip, uint32_t at)
{
    uint32_t len = 0;
    while (at + len < IPV6_GROUPS && hws_get16(ip + 2 * (at + len)) == 0)
        len++;
    return len;
}

/* The first of the longest runs of zero groups, which "::" stands for; a single group is not
 * shortened (RFC 5952, 4.2). */
static uint32_t longest_zero_run(const uint8_t *ip, uint32_t *run_len)
{
    uint32_t start = IPV6_GROUPS;
    *run_len = 1;
    for (uint32_t i = 0; i < IPV6_GROUPS; i++) {
        uint32_t len = zero_run(ip, i);
        if (len > *run_len) {
            start = i;
            *run_len = len;
        }
    }
    return start;
}

static void append_groups(char *out, const uint8_t *ip, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        append(out, i == from ? "%x" : ":%x", hws_get16(ip + 2 * i));
}

static void append_ipv6(char *out, const uint8_t *ip)
{
    uint32_t run_len;
    uint32_t run = longest_zero_run(ip, &run_len);
    append_groups(out, ip, 0, run);
    if (run == IPV6_GROUPS)
        return;
    append(out, "::");
    append_groups(out, ip, run + run_len, IPV6_GROUPS);
}

const char *hws_addr_text(const struct hws_addr *a, char out[HWS_ADDR_TEXT_MAX])
{
    bool bracket = a->family == HWS_FAMILY_IPV6 && a->udp_port != 0;
    out[0] = '\0';
    if (bracket)
        append(out, "[");
    if (a->family == HWS_FAMILY_IPV4)
        append_ipv4(out, a->ip);
    else if (a->family == HWS_FAMILY_IPV6)
        append_ipv6(out, a->ip);
    else
        append(out, "any");
    if (a->scope_id != 0)
        append(out, "%%%u", (unsigned)a->scope_id);
    if (bracket)
        append(out, "]");
    if (a->udp_port != 0)
        append(out, ":%u", a->udp_port);
    return out;
}
