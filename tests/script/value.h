/* Values of a script: numbers and bytes, variables that hold them, and conditions on them. */
#ifndef HWS_TESTS_SCRIPT_VALUE_H
#define HWS_TESTS_SCRIPT_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#define SCRIPT_VARS_MAX 64u
/* The longest byte string a script may write down. */
#define SCRIPT_BYTES_MAX 65536u

struct script;
struct scan;

struct value {
    const uint8_t *bytes; /* NULL: a number */
    uint32_t len;
    uint64_t number;
};

struct script_var {
    const char *name;
    struct value value;
    uint32_t line; /* where it was captured */
    bool used;
};

struct script_vars {
    struct script_var all[SCRIPT_VARS_MAX];
    uint32_t count;
};

/** Gives a new variable its value; fails when the name is taken. */
void value_define(struct script *s, const char *name, struct value value);
/** NULL when there is no such variable. */
const struct value *value_lookup(struct script *s, const char *name);
/** Fails when a variable was captured and never used: its name may be misspelt. */
void value_check_used(struct script *s);

/** Takes a value from the line: a number with + and -, "text", hex(..), fill(N), corrupt(BYTES),
 * cut(BYTES, N), or a variable. */
struct value value_scan(struct scan *c);
uint64_t value_scan_number(struct scan *c);
struct value value_scan_bytes(struct scan *c);

enum condition_kind {
    CONDITION_NONE,    /* anything */
    CONDITION_EQUAL,   /* field=VALUE */
    CONDITION_UNEQUAL, /* field!=VALUE */
    CONDITION_RANGE,   /* field=LOW..HIGH */
    CONDITION_CAPTURE, /* field=$name for a name that is new */
};

struct condition {
    enum condition_kind kind;
    struct value low, high;
    const char *name;
};

/** Takes what follows "field=" or "field!=". `capturing`: a new variable may stand there. */
struct condition value_scan_condition(struct scan *c, bool negated, bool capturing);

/** Whether the number of `width` bytes meets the condition; when not, the reason names `field`. */
bool value_meets(struct script *s, const struct condition *condition, const char *field,
                 uint64_t number, uint32_t width);
bool value_meets_bytes(struct script *s, const struct condition *condition, const char *field,
                       const uint8_t *bytes, uint32_t len);

#endif
