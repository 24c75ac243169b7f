#include "sim/quantity.h"

#include <stddef.h>
#include <string.h>

#define DECIMALS_MAX 9u

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit no_units[] = {{"", 1}, {NULL, 0}};
static const struct unit times[] = {{"ns", 1},
                                    {"us", 1000},
                                    {"ms", 1000000},
                                    {"s", 1000000000},
                                    {"min", UINT64_C(60000000000)},
                                    {"h", UINT64_C(3600000000000)},
                                    {NULL, 0}};
static const struct unit rates[] = {
    {"bit/s", 1}, {"kbit/s", 1000}, {"Mbit/s", 1000000}, {"Gbit/s", 1000000000}, {NULL, 0}};
static const struct unit sizes[] = {{"", 1},           {"B", 1},           {"KB", 1000},
                                    {"MB", 1000000},   {"GB", 1000000000}, {"KiB", 1u << 10},
                                    {"MiB", 1u << 20}, {"GiB", 1u << 30},  {NULL, 0}};
static const struct unit portions[] = {{"%", 10000}, {"ppm", 1}, {NULL, 0}};

static const struct {
    const struct unit *units;
    const char *help;
} kinds[] = {
    [SIM_COUNT] = {no_units, "a whole number"},
    [SIM_TIME] = {times, "a time, such as 10ms (ns, us, ms, s, min, h)"},
    [SIM_RATE] = {rates, "a rate, such as 100Mbit/s (bit/s, kbit/s, Mbit/s, Gbit/s)"},
    [SIM_BYTES] = {sizes, "bytes, such as 64KB (B, KB, MB, GB; KiB, MiB, GiB)"},
    [SIM_PORTION] = {portions, "a portion, such as 0.5% (%, ppm), in steps of 1ppm"},
};

const char *sim_quantity_help(enum sim_quantity kind)
{
    return kinds[kind].help;
}

static uint64_t factor_of(enum sim_quantity kind, const char *unit, bool zero)
{
    for (const struct unit *u = kinds[kind].units; u->name != NULL; u++)
        if (strcmp(u->name, unit) == 0)
            return u->factor;
    return zero && *unit == '\0' ? 1 : 0; /* 0 is 0 in every unit */
}

/* Digits, with `*decimals` of them behind the point. False: too many, or none. */
static bool read_digits(const char **at, uint64_t *digits, unsigned *decimals)
{
    bool point = false, any = false;
    for (*digits = 0, *decimals = 0; (**at >= '0' && **at <= '9') || (**at == '.' && !point);
         (*at)++) {
        if (**at == '.') {
            point = true;
            continue;
        }
        uint64_t digit = (uint64_t)(**at - '0');
        if (*digits > (UINT64_MAX - digit) / 10 || (point && *decimals == DECIMALS_MAX))
            return false;
        *digits = *digits * 10 + digit;
        *decimals += point;
        any = true;
    }
    return any;
}

bool sim_quantity_read(enum sim_quantity kind, const char *text, uint64_t *out)
{
    uint64_t digits;
    unsigned decimals;
    if (!read_digits(&text, &digits, &decimals) || (kind == SIM_COUNT && decimals != 0))
        return false;
    while (*text == ' ')
        text++;
    uint64_t factor = factor_of(kind, text, digits == 0);
    if (factor == 0)
        return false;
    uint64_t scale = 1;
    for (unsigned i = 0; i < decimals; i++)
        scale *= 10;
    uint64_t whole = digits / scale, rest = digits % scale;
    if (whole > UINT64_MAX / factor || (rest != 0 && factor > UINT64_MAX / rest))
        return false;
    *out = whole * factor + rest * factor / scale;
    return *out != 0 || digits == 0;
}
