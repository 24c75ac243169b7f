#include "stack/pmtu.h"

#include <stddef.h>

#include "stack/limits.h"

/* MTUs that paths have: by tunnels, DSL and mobile networks below Ethernet's, by jumbo frames and
 * host-internal networks above. Tried from below, since what passes costs a round trip and what
 * does not costs a timer. */
static const uint16_t common_sizes[] = {576,  1006, 1280, 1400, 1420, 1450,  1472,
                                        1480, 1492, 1500, 4352, 9000, 16384, 32768};

#define COMMON_COUNT (sizeof common_sizes / sizeof common_sizes[0])
#define ETHERNET_MTU 1500u

static uint16_t least(uint16_t a, uint16_t b)
{
    return a < b ? a : b;
}

uint16_t hws_pmtu_base(const struct hws_pmtu *d)
{
    return least(d->ipv6 ? HWS_PMTU_BASE_IPV6 : HWS_PMTU_BASE_IPV4, d->max);
}

uint16_t hws_pmtu_min(const struct hws_pmtu *d)
{
    return least(d->ipv6 ? HWS_PMTU_BASE_IPV6 : HWS_LIMIT_MTU_MIN, d->max);
}

void hws_pmtu_init(struct hws_pmtu *d, bool ipv6)
{
    *d = (struct hws_pmtu){.ipv6 = ipv6, .max = HWS_MTU_DEFAULT};
    d->plpmtu = hws_pmtu_base(d);
    d->too_big = d->max + 1u;
}

/* ---- The search (5.3) ---- */

static uint16_t next_common(uint32_t low, uint32_t high)
{
    for (size_t i = 0; i < COMMON_COUNT; i++)
        if (common_sizes[i] > low && common_sizes[i] < high)
            return common_sizes[i];
    return 0;
}

/* Between two sizes: half way, in whole words, until less than 1/64 could be gained. */
static uint16_t next_between(uint32_t low, uint32_t high)
{
    return high - low > low / 64 ? (uint16_t)((low + (high - low) / 2) & ~3u) : 0;
}

/* The next size above PLPMTU to probe, 0: none. BASE, Ethernet's and the largest first, since one
 * of them it nearly always is; each size that fails bounds the rest. */
static uint16_t next_size(struct hws_pmtu *d)
{
    uint32_t low = d->plpmtu, high = d->too_big;
    uint16_t hint = d->hint;
    d->hint = 0;
    if (hint > low && hint < high)
        return hint;
    if (low < hws_pmtu_base(d) && hws_pmtu_base(d) < high)
        return hws_pmtu_base(d);
    if (low < ETHERNET_MTU && ETHERNET_MTU < high)
        return ETHERNET_MTU;
    if (high > d->max)
        return d->max;
    uint16_t common = next_common(low, high);
    return common != 0 ? common : next_between(low, high);
}

static void complete(struct hws_pmtu *d)
{
    d->state = HWS_PMTU_SEARCH_COMPLETE;
    d->probe = 0;
    d->used = false;
}

static void step(struct hws_pmtu *d)
{
    d->probe = d->plpmtu < d->max ? next_size(d) : 0;
    if (d->probe == 0)
        complete(d);
}

static void search(struct hws_pmtu *d)
{
    d->state = HWS_PMTU_SEARCHING;
    d->probe_count = 0;
    d->suspected = false;
    step(d);
}

static void search_anew(struct hws_pmtu *d)
{
    d->too_big = d->max + 1u;
    d->raise_due = false;
    search(d);
}

/* ---- BASE and ERROR ---- */

static void enter(struct hws_pmtu *d, enum hws_pmtu_state state, uint16_t plpmtu, uint16_t probe)
{
    d->state = state;
    d->plpmtu = least(d->plpmtu, plpmtu);
    d->probe = probe;
    d->probe_count = 0;
    d->suspected = false;
    d->too_big = d->max + 1u;
    d->raise_due = false;
    d->hint = 0;
}

static void enter_base(struct hws_pmtu *d)
{
    enter(d, HWS_PMTU_BASE, hws_pmtu_base(d), hws_pmtu_base(d));
}

static void enter_error(struct hws_pmtu *d)
{
    enter(d, HWS_PMTU_ERROR, hws_pmtu_min(d), hws_pmtu_min(d));
}

void hws_pmtu_disable(struct hws_pmtu *d)
{
    enter(d, HWS_PMTU_DISABLED, hws_pmtu_base(d), 0);
}

uint32_t hws_pmtu_fallback(const struct hws_pmtu *d)
{
    return d->plpmtu > hws_pmtu_base(d) ? hws_pmtu_base(d) : hws_pmtu_min(d);
}

/* Packets of the size they have now do not pass. */
static void fall_back(struct hws_pmtu *d)
{
    if (d->state == HWS_PMTU_DISABLED)
        d->plpmtu = hws_pmtu_min(d);
    else if (d->plpmtu > hws_pmtu_base(d))
        enter_base(d);
    else
        enter_error(d);
}

/* ---- Events ---- */

void hws_pmtu_set_max(struct hws_pmtu *d, uint32_t mtu)
{
    bool unbounded = d->too_big > d->max;
    bool raised = mtu > d->max;
    d->max = (uint16_t)mtu;
    if (unbounded || d->too_big > mtu)
        d->too_big = mtu + 1;
    if (d->state == HWS_PMTU_DISABLED)
        d->plpmtu = hws_pmtu_base(d);
    d->plpmtu = least(d->plpmtu < hws_pmtu_min(d) ? hws_pmtu_min(d) : d->plpmtu, d->max);
    d->raise_due |= raised;
    if (d->probe > mtu)
        search(d);
}

void hws_pmtu_wanted(struct hws_pmtu *d)
{
    d->used = true;
    if (d->state == HWS_PMTU_DISABLED && !d->given_up && d->max > hws_pmtu_min(d))
        enter_base(d);
    else if (d->state == HWS_PMTU_SEARCH_COMPLETE && d->raise_due && d->probe == 0)
        search_anew(d);
}

void hws_pmtu_raise(struct hws_pmtu *d)
{
    d->raise_due = true;
    d->given_up = false;
    if (d->used && d->state == HWS_PMTU_SEARCH_COMPLETE && d->probe == 0)
        search_anew(d);
}

void hws_pmtu_recovered(struct hws_pmtu *d)
{
    d->given_up = false;
}

bool hws_pmtu_confirmed(const struct hws_pmtu *d)
{
    return d->state == HWS_PMTU_SEARCHING || d->state == HWS_PMTU_SEARCH_COMPLETE;
}

void hws_pmtu_probe_acked(struct hws_pmtu *d)
{
    uint16_t size = d->probe;
    d->probe_count = 0;
    d->probe = 0;
    d->given_up = false;
    if (d->suspected) {
        d->suspected = false;
        if (d->state == HWS_PMTU_SEARCHING)
            step(d);
        return;
    }
    d->plpmtu = size;
    search(d);
}

/* Nothing passes, so size is not what is wrong. */
static void give_up(struct hws_pmtu *d)
{
    hws_pmtu_disable(d);
    d->plpmtu = hws_pmtu_base(d);
    d->given_up = true;
}

/* A second chance where the path is alive: the loss may have been chance. */
static bool suspicion_grows(struct hws_pmtu *d, bool alive)
{
    if (alive && ++d->probe_count < 2)
        return false;
    fall_back(d);
    return true;
}

bool hws_pmtu_probe_lost(struct hws_pmtu *d, bool alive)
{
    if (d->suspected)
        return suspicion_grows(d, alive);
    bool last = ++d->probe_count >= HWS_PMTU_MAX_PROBES;
    switch (d->state) {
    case HWS_PMTU_BASE:
        if (last)
            enter_error(d);
        return last;
    case HWS_PMTU_ERROR:
        d->probe = hws_pmtu_min(d);
        if (last)
            give_up(d);
        return false;
    default:
        /* Lost by chance it may have been: but then a size near it will pass, and the next search
         * begins anew. So no size is probed twice. */
        d->too_big = d->probe;
        if (last)
            complete(d);
        else
            step(d);
        return false;
    }
}

void hws_pmtu_suspect(struct hws_pmtu *d)
{
    if (d->plpmtu <= hws_pmtu_min(d) || d->suspected || d->state == HWS_PMTU_BASE)
        return;
    if (d->state == HWS_PMTU_DISABLED) {
        enter_base(d);
        return;
    }
    d->suspected = true;
    d->probe_count = 0;
    d->probe = d->plpmtu;
}

/* One probe of what passes in any case; when it is lost, it is as it was. */
void hws_pmtu_ask(struct hws_pmtu *d)
{
    if (d->state != HWS_PMTU_DISABLED || d->plpmtu <= hws_pmtu_min(d))
        return;
    enter_error(d);
    d->probe_count = HWS_PMTU_MAX_PROBES - 1;
}

/* PLPMTU <= PL_PTB_SIZE < PROBED_SIZE: the probe was too large, PLPMTU stays. */
static void search_below(struct hws_pmtu *d, uint16_t ptb_size)
{
    d->too_big = ptb_size + 1u;
    d->hint = ptb_size;
    d->state = HWS_PMTU_SEARCHING;
    step(d);
}

/* PL_PTB_SIZE < PLPMTU: it sets no size, it only says what to probe once the path is known to carry
 * something again. */
static void shrink(struct hws_pmtu *d, uint16_t ptb_size)
{
    bool below_base = ptb_size < hws_pmtu_base(d);
    if (!below_base)
        enter_base(d);
    else if (d->state == HWS_PMTU_DISABLED)
        d->plpmtu = hws_pmtu_min(d);
    else
        enter_error(d);
    d->too_big = ptb_size + 1u;
    d->hint = ptb_size;
    if (below_base && d->probe != 0)
        d->probe = ptb_size;
}

bool hws_pmtu_too_big(struct hws_pmtu *d, uint32_t ptb_size)
{
    if (ptb_size < hws_pmtu_min(d) || (ptb_size >= d->plpmtu && ptb_size >= d->probe))
        return false;
    if (ptb_size >= d->plpmtu) {
        search_below(d, (uint16_t)ptb_size);
        return false;
    }
    shrink(d, (uint16_t)ptb_size); /* less than PLPMTU */
    return true;
}

void hws_pmtu_probe_refused(struct hws_pmtu *d)
{
    d->too_big = d->probe;
    step(d);
}

bool hws_pmtu_refused(struct hws_pmtu *d)
{
    if (d->plpmtu <= hws_pmtu_min(d))
        return false;
    fall_back(d);
    return true;
}
