#include "sim/params.h"

#include <stddef.h>
#include <string.h>

#include "sim/quantity.h"

enum kind {
    TIME_US,
    BYTES,
    COUNT,
    BOOLEAN,
    TEXT,
};

struct param {
    const char *name;
    enum kind kind;
    size_t offset, size;
};

#define P(kind, member)                                                                            \
    {                                                                                              \
#member, kind, offsetof(struct hws_params, member),                                        \
            sizeof(((struct hws_params *)0)->member)                                               \
    }

static const struct param params_table[] = {
    P(TIME_US, rto_initial_us),
    P(TIME_US, rto_min_us),
    P(TIME_US, rto_max_us),
    P(TIME_US, init_rto_max_us),
    P(COUNT, rto_alpha_shift),
    P(COUNT, rto_beta_shift),
    P(TIME_US, hb_interval_us),
    P(BOOLEAN, no_heartbeats),
    P(COUNT, hb_max_burst),
    P(TIME_US, cookie_life_us),
    P(TIME_US, sack_delay_us),
    P(COUNT, sack_packets),
    P(BYTES, max_burst_bytes),
    P(COUNT, max_burst_packets),
    P(BYTES, max_fragment_bytes),
    P(COUNT, slow_start_l),
    P(COUNT, max_init_retrans),
    P(COUNT, assoc_max_retrans),
    P(COUNT, path_max_retrans),
    P(COUNT, pf_max_retrans),
    P(COUNT, ostreams),
    P(COUNT, max_instreams),
    P(BYTES, rcvbuf_bytes),
    P(BYTES, rcvbuf_max_bytes),
    P(BYTES, sndbuf_bytes),
    P(BYTES, sndbuf_max_bytes),
    P(COUNT, tos),
    P(COUNT, ttl),
    P(BYTES, pd_point_bytes),
    P(TIME_US, autoclose_us),
    P(BOOLEAN, rx_times),
    P(BOOLEAN, tail_probe),
    P(BYTES, mtu),
    P(BOOLEAN, pmtud),
    P(TIME_US, pmtud_interval_us),
    P(BOOLEAN, nodelay),
    P(TEXT, cc),
    P(TEXT, sched),
    P(TEXT, pathsel),
};

#define PARAMS (sizeof params_table / sizeof params_table[0])

/* Whether `key` is `name`, with its unit or without. */
static bool named(const char *key, const char *name)
{
    size_t len = strlen(key);
    if (strncmp(key, name, len) != 0)
        return false;
    return name[len] == '\0' || strcmp(name + len, "_us") == 0 || strcmp(name + len, "_bytes") == 0;
}

static bool put(struct hws_params *params, const struct param *param, uint64_t number)
{
    uint8_t *at = (uint8_t *)params + param->offset;
    if (param->size < 8 && number >> 8 * param->size != 0)
        return false;
    switch (param->size) {
    case 1:
        *at = (uint8_t)number;
        break;
    case 2:
        memcpy(at, &(uint16_t){(uint16_t)number}, 2);
        break;
    case 4:
        memcpy(at, &(uint32_t){(uint32_t)number}, 4);
        break;
    default:
        memcpy(at, &number, 8);
    }
    return true;
}

/* What has a unit in its name takes plain numbers of it, too. */
static bool read_value(const struct param *param, const char *key, const char *value,
                       uint64_t *number)
{
    if (param->kind != TIME_US)
        return sim_quantity_read(param->kind == BYTES ? SIM_BYTES : SIM_COUNT, value, number);
    if (strcmp(key, param->name) == 0 && sim_quantity_read(SIM_COUNT, value, number))
        return true;
    if (!sim_quantity_read(SIM_TIME, value, number))
        return false;
    *number /= 1000;
    return true;
}

static bool set_boolean(struct hws_params *params, const struct param *param, const char *value)
{
    bool yes = strcmp(value, "yes") == 0;
    return (yes || strcmp(value, "no") == 0) && put(params, param, yes);
}

enum sim_params_answer sim_params_set(struct hws_params *params, const char *key, const char *value,
                                      const char **allowed)
{
    static const char *const help[] = {[TIME_US] = "a time, such as 10ms",
                                       [BYTES] = "bytes, such as 64KB",
                                       [COUNT] = "a whole number that its type can hold",
                                       [BOOLEAN] = "yes or no",
                                       [TEXT] = "a name"};
    const struct param *param = params_table;
    while (param < params_table + PARAMS && !named(key, param->name))
        param++;
    if (param == params_table + PARAMS)
        return SIM_PARAMS_UNKNOWN;
    uint64_t number;
    bool good = true;
    if (param->kind == TEXT)
        memcpy((uint8_t *)params + param->offset, &value, sizeof value);
    else if (param->kind == BOOLEAN)
        good = set_boolean(params, param, value);
    else
        good = read_value(param, key, value, &number) && put(params, param, number);
    *allowed = help[param->kind];
    return good ? SIM_PARAMS_SET : SIM_PARAMS_WRONG;
}
