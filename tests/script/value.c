#include "tests/script/value.h"

#include <ctype.h>
#include <string.h>

#include "tests/script/scan.h"

/* ---- Variables ---- */

static struct script_var *find(struct script *s, const char *name)
{
    for (uint32_t i = 0; i < s->vars.count; i++)
        if (strcmp(s->vars.all[i].name, name) == 0)
            return &s->vars.all[i];
    return NULL;
}

void value_define(struct script *s, const char *name, struct value value)
{
    if (find(s, name) != NULL)
        script_fail(s, "$%s has a value already", name);
    if (s->vars.count == SCRIPT_VARS_MAX)
        script_fail(s, "more than %u variables", SCRIPT_VARS_MAX);
    s->vars.all[s->vars.count++] = (struct script_var){
        .name = name,
        .value = value,
        .line = s->line,
        /* the interpreter uses these for what the script leaves out */
        .used = strncmp(name, "local_", 6) == 0 || strncmp(name, "peer_", 5) == 0};
}

const struct value *value_lookup(struct script *s, const char *name)
{
    struct script_var *var = find(s, name);
    if (var == NULL)
        return NULL;
    var->used = true;
    return &var->value;
}

void value_check_used(struct script *s)
{
    for (uint32_t i = 0; i < s->vars.count; i++)
        if (!s->vars.all[i].used) {
            s->line = s->vars.all[i].line;
            script_fail(s, "$%s is captured and never used", s->vars.all[i].name);
        }
}

static const char *scan_name(struct scan *c)
{
    size_t len = 0;
    while (isalnum((unsigned char)c->at[len]) || c->at[len] == '_')
        len++;
    if (len == 0)
        script_fail(c->s, "a name expected after $");
    const char *name = script_copy_text(c->s, c->at, len);
    c->at += len;
    return name;
}

static struct value scan_variable(struct scan *c)
{
    const char *name = scan_name(c);
    const struct value *value = value_lookup(c->s, name);
    if (value == NULL)
        script_fail(c->s, "$%s has no value here", name);
    return *value;
}

/* ---- Bytes ---- */

static struct value bytes_value(uint8_t *bytes, uint32_t len)
{
    return (struct value){.bytes = bytes, .len = len};
}

static struct value new_bytes(struct script *s, uint64_t len)
{
    if (len > SCRIPT_BYTES_MAX)
        script_fail(s, "more than %u bytes", SCRIPT_BYTES_MAX);
    return bytes_value(script_alloc(s, len + 1), (uint32_t)len);
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, tolower((unsigned char)c));
    return at == NULL ? -1 : (int)(at - digits);
}

static struct value scan_hex(struct scan *c)
{
    uint8_t *bytes = script_alloc(c->s, strlen(c->at) / 2 + 1);
    uint32_t len = 0;
    while (!scan_accept(c, ")")) {
        int high = hex_digit(scan_peek(c));
        int low = high < 0 ? -1 : hex_digit(c->at[1]);
        if (low < 0)
            script_fail(c->s, "two hex digits or \")\" expected before \"%s\"", c->at);
        bytes[len++] = (uint8_t)(high << 4 | low);
        c->at += 2;
    }
    return bytes_value(bytes, len);
}

static struct value scan_text(struct scan *c)
{
    const char *end = strchr(c->at, '"');
    if (end == NULL)
        script_fail(c->s, "the text has no end: \"%s", c->at);
    uint32_t len = (uint32_t)(end - c->at);
    uint8_t *bytes = (uint8_t *)script_copy_text(c->s, c->at, len);
    c->at = end + 1;
    return bytes_value(bytes, len);
}

/* Bytes 0, 1, 2 ... */
static struct value scan_fill(struct scan *c)
{
    struct value v = new_bytes(c->s, value_scan_number(c));
    for (uint32_t i = 0; i < v.len; i++)
        ((uint8_t *)v.bytes)[i] = (uint8_t)i;
    scan_expect(c, ")");
    return v;
}

/* The same bytes with one bit of the last one turned. */
static struct value scan_corrupt(struct scan *c)
{
    struct value from = value_scan_bytes(c);
    scan_expect(c, ")");
    if (from.len == 0)
        script_fail(c->s, "nothing to corrupt");
    struct value v = new_bytes(c->s, from.len);
    memcpy((uint8_t *)v.bytes, from.bytes, from.len);
    ((uint8_t *)v.bytes)[from.len - 1] ^= 1;
    return v;
}

static struct value scan_cut(struct scan *c)
{
    struct value v = value_scan_bytes(c);
    scan_expect(c, ",");
    v.len = (uint32_t)scan_number_upto(c, v.len);
    scan_expect(c, ")");
    return v;
}

/* ---- Any value ---- */

static struct value scan_term(struct scan *c)
{
    if (scan_accept(c, "$"))
        return scan_variable(c);
    if (scan_accept(c, "hex("))
        return scan_hex(c);
    if (scan_accept(c, "fill("))
        return scan_fill(c);
    if (scan_accept(c, "corrupt("))
        return scan_corrupt(c);
    if (scan_accept(c, "cut("))
        return scan_cut(c);
    if (scan_accept(c, "\""))
        return scan_text(c);
    return (struct value){.number = scan_number(c)};
}

static struct value scan_sum(struct scan *c, struct value sum)
{
    while (sum.bytes == NULL && (*c->at == '+' || *c->at == '-')) {
        bool minus = *c->at++ == '-';
        struct value term = scan_term(c);
        if (term.bytes != NULL)
            script_fail(c->s, "bytes cannot be added to a number");
        sum.number = minus ? sum.number - term.number : sum.number + term.number;
    }
    return sum;
}

struct value value_scan(struct scan *c)
{
    return scan_sum(c, scan_term(c));
}

uint64_t value_scan_number(struct scan *c)
{
    struct value v = value_scan(c);
    if (v.bytes != NULL)
        script_fail(c->s, "a number expected, not bytes");
    return v.number;
}

struct value value_scan_bytes(struct scan *c)
{
    struct value v = value_scan(c);
    if (v.bytes == NULL)
        script_fail(c->s, "bytes expected, not a number");
    return v;
}

/* ---- Conditions ---- */

struct condition value_scan_condition(struct scan *c, bool negated, bool capturing)
{
    struct condition out = {.kind = negated ? CONDITION_UNEQUAL : CONDITION_EQUAL};
    if (scan_peek(c) == '$') {
        const char *start = c->at++;
        out.name = scan_name(c);
        if (capturing && !negated && value_lookup(c->s, out.name) == NULL) {
            out.kind = CONDITION_CAPTURE;
            return out;
        }
        c->at = start;
    }
    out.low = value_scan(c);
    if (!negated && capturing && scan_accept(c, "..")) {
        out.kind = CONDITION_RANGE;
        out.high.number = value_scan_number(c);
        if (out.low.bytes != NULL)
            script_fail(c->s, "a range has numbers at both ends");
    }
    return out;
}

static uint64_t mask(uint64_t number, uint32_t width)
{
    return width >= 8 ? number : number & ((UINT64_C(1) << 8 * width) - 1);
}

static bool capture(struct script *s, const struct condition *condition, struct value value)
{
    value_define(s, condition->name, value);
    return true;
}

bool value_meets(struct script *s, const struct condition *condition, const char *field,
                 uint64_t number, uint32_t width)
{
    if (condition->kind == CONDITION_NONE)
        return true;
    if (condition->kind == CONDITION_CAPTURE)
        return capture(s, condition, (struct value){.number = number});
    if (condition->low.bytes != NULL)
        return script_reason(s, "%s is a number, compared with bytes", field);
    unsigned long long low = mask(condition->low.number, width);
    unsigned long long high = mask(condition->high.number, width);
    unsigned long long n = number;
    if (condition->kind == CONDITION_EQUAL && n != low)
        return script_reason(s, "%s is %llu (0x%llx), not %llu (0x%llx)", field, n, n, low, low);
    if (condition->kind == CONDITION_UNEQUAL && n == low)
        return script_reason(s, "%s is %llu (0x%llx)", field, n, n);
    if (condition->kind == CONDITION_RANGE && (n < low || n > high))
        return script_reason(s, "%s is %llu, not in %llu..%llu", field, n, low, high);
    return true;
}

bool value_meets_bytes(struct script *s, const struct condition *condition, const char *field,
                       const uint8_t *bytes, uint32_t len)
{
    if (condition->kind == CONDITION_NONE)
        return true;
    if (condition->kind == CONDITION_CAPTURE) {
        struct value copy = new_bytes(s, len);
        memcpy((uint8_t *)copy.bytes, bytes, len);
        return capture(s, condition, copy);
    }
    if (condition->low.bytes == NULL)
        return script_reason(s, "%s is bytes, compared with a number", field);
    bool same = condition->low.len == len && memcmp(condition->low.bytes, bytes, len) == 0;
    if (same == (condition->kind == CONDITION_EQUAL))
        return true;
    return script_reason(s, "%s of %u bytes %s the expected %u bytes", field, len,
                         same ? "equals" : "differs from", condition->low.len);
}
