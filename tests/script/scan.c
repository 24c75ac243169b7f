#include "tests/script/scan.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

char scan_peek(struct scan *c)
{
    while (*c->at == ' ' || *c->at == '\t')
        c->at++;
    return *c->at;
}

bool scan_at_end(struct scan *c)
{
    return scan_peek(c) == '\0';
}

void scan_expect_end(struct scan *c)
{
    if (!scan_at_end(c))
        script_fail(c->s, "not understood: \"%s\"", c->at);
}

bool scan_accept(struct scan *c, const char *text)
{
    scan_peek(c);
    size_t len = strlen(text);
    if (strncmp(c->at, text, len) != 0)
        return false;
    c->at += len;
    return true;
}

static bool word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

bool scan_accept_word(struct scan *c, const char *word)
{
    const char *start = c->at;
    if (scan_accept(c, word) && !word_char(*c->at))
        return true;
    c->at = start;
    return false;
}

void scan_expect(struct scan *c, const char *text)
{
    if (!scan_accept(c, text))
        script_fail(c->s, "\"%s\" expected before \"%s\"", text, c->at);
}

static size_t word_len(const char *at)
{
    size_t len = 0;
    while (word_char(at[len]))
        len++;
    return len;
}

const char *scan_word(struct scan *c, const char *what)
{
    scan_peek(c);
    size_t len = word_len(c->at);
    if (len == 0)
        script_fail(c->s, "%s expected before \"%s\"", what, c->at);
    const char *word = script_copy_text(c->s, c->at, len);
    c->at += len;
    return word;
}

const char *scan_key(struct scan *c, bool *negated)
{
    scan_peek(c);
    size_t len = word_len(c->at);
    *negated = strncmp(c->at + len, "!=", 2) == 0;
    if (len == 0 || (c->at[len] != '=' && !*negated))
        return NULL;
    const char *key = script_copy_text(c->s, c->at, len);
    c->at += len + (*negated ? 2 : 1);
    return key;
}

uint64_t scan_number(struct scan *c)
{
    if (!isdigit((unsigned char)scan_peek(c)))
        script_fail(c->s, "a number expected before \"%s\"", c->at);
    char *end;
    errno = 0;
    bool hex = c->at[0] == '0' && (c->at[1] == 'x' || c->at[1] == 'X');
    uint64_t number = strtoull(c->at, &end, hex ? 16 : 10);
    if (errno != 0 || isalpha((unsigned char)*end) || *end == '_')
        script_fail(c->s, "not a number: \"%s\"", c->at);
    c->at = end;
    return number;
}

uint64_t scan_number_upto(struct scan *c, uint64_t max)
{
    uint64_t number = scan_number(c);
    if (number > max)
        script_fail(c->s, "%llu is more than %llu", (unsigned long long)number,
                    (unsigned long long)max);
    return number;
}

/* The digits after a decimal point as a part of `unit_us`. */
static uint64_t fraction_us(struct scan *c, uint64_t unit_us)
{
    uint64_t us = 0;
    while (isdigit((unsigned char)*c->at)) {
        unit_us /= 10;
        us += (uint64_t)(*c->at++ - '0') * unit_us;
    }
    return us;
}

static uint64_t unit_us(struct scan *c, const char *at)
{
    static const struct {
        const char *name;
        uint64_t us;
    } units[] = {{"ms", 1000}, {"us", 1}, {"s", 1000000}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strncmp(at, units[i].name, strlen(units[i].name)) == 0)
            return units[i].us;
    script_fail(c->s, "a time such as 1.5s, 200ms or 10us expected before \"%s\"", c->at);
}

uint64_t scan_time_us(struct scan *c)
{
    scan_peek(c);
    size_t digits = strspn(c->at, "0123456789");
    size_t number = digits + (c->at[digits] == '.' && c->at[digits + 1] != '.'
                                  ? 1 + strspn(c->at + digits + 1, "0123456789")
                                  : 0);
    if (digits == 0 || digits > 6)
        script_fail(c->s, "a time expected before \"%s\"", c->at);
    uint64_t unit = unit_us(c, c->at + number);
    uint64_t us = strtoull(c->at, NULL, 10) * unit;
    c->at += digits;
    if (*c->at == '.' && number > digits) {
        c->at++;
        us += fraction_us(c, unit);
    }
    c->at += unit == 1000000 ? 1 : 2;
    return us;
}

static bool numbered(struct scan *c, const char *name, const struct hws_addr *addrs, uint32_t count,
                     struct hws_addr *out)
{
    if (!scan_accept(c, name))
        return false;
    uint64_t number = scan_number(c);
    if (number == 0 || number > count)
        script_fail(c->s, "there is no %s%llu", name, (unsigned long long)number);
    *out = addrs[number - 1];
    return true;
}

static struct hws_addr literal_addr(struct scan *c)
{
    struct hws_addr addr = {0};
    char text[INET6_ADDRSTRLEN] = {0};
    size_t len = strspn(c->at, "0123456789abcdefABCDEF.:");
    if (len > 0 && len < sizeof text)
        memcpy(text, c->at, len);
    if (inet_pton(AF_INET, text, addr.ip) == 1)
        addr.family = HWS_FAMILY_IPV4;
    else if (inet_pton(AF_INET6, text, addr.ip) == 1)
        addr.family = HWS_FAMILY_IPV6;
    else
        script_fail(c->s, "an address expected before \"%s\"", c->at);
    c->at += len;
    return addr;
}

struct hws_addr scan_addr(struct scan *c)
{
    struct hws_addr addr;
    const struct world *w = &c->s->world;
    scan_peek(c);
    if (numbered(c, "local", w->locals, w->local_count, &addr) ||
        numbered(c, "peer", w->peers, w->peer_count, &addr))
        return addr;
    return literal_addr(c);
}
