#include "stack/timer.h"

#include "stack/assoc.h"
#include "stack/autoclose.h"
#include "stack/extension.h"
#include "stack/handshake.h"
#include "stack/heartbeat.h"
#include "stack/observe.h"
#include "stack/pacing.h"
#include "stack/pmtud.h"
#include "stack/retransmit.h"
#include "stack/sack.h"
#include "stack/shutdown.h"

void hws_timer_start_at(struct hws_assoc *a, uint64_t *deadline, uint64_t delay_us)
{
    *deadline = a->engine->now_us + delay_us;
    if (*deadline < a->timer_node.deadline_us)
        hws_heap_move(&a->engine->timers, &a->timer_node, *deadline);
}

void hws_timer_start(struct hws_assoc *a, enum hws_timer timer, uint64_t delay_us)
{
    hws_timer_start_at(a, &a->deadline_us[timer], delay_us);
}

void hws_timer_stop(struct hws_assoc *a, enum hws_timer timer)
{
    a->deadline_us[timer] = HWS_NEVER;
}

bool hws_timer_running(const struct hws_assoc *a, enum hws_timer timer)
{
    return a->deadline_us[timer] != HWS_NEVER;
}

void hws_path_timer_start(struct hws_path *p, enum hws_path_timer timer, uint64_t delay_us)
{
    hws_timer_start_at(p->assoc, &p->deadline_us[timer], delay_us);
}

void hws_path_timer_stop(struct hws_path *p, enum hws_path_timer timer)
{
    p->deadline_us[timer] = HWS_NEVER;
}

bool hws_path_timer_running(const struct hws_path *p, enum hws_path_timer timer)
{
    return p->deadline_us[timer] != HWS_NEVER;
}

static void stop_path(struct hws_path *p)
{
    for (int t = 0; t < HWS_PATH_TIMER_COUNT; t++)
        p->deadline_us[t] = HWS_NEVER;
    hws_pacing_stop(p);
}

void hws_timer_stop_all(struct hws_assoc *a)
{
    for (int t = 0; t < HWS_TIMER_COUNT; t++)
        a->deadline_us[t] = HWS_NEVER;
    for (unsigned i = 0; i < a->path_count; i++)
        stop_path(a->paths[i]);
}

static void (*const expiries[HWS_TIMER_COUNT])(struct hws_assoc *) = {
    [HWS_TIMER_T1] = hws_handshake_t1_expired,
    [HWS_TIMER_T2] = hws_shutdown_t2_expired,
    [HWS_TIMER_T5] = hws_shutdown_t5_expired,
    [HWS_TIMER_SACK] = hws_sack_timer_expired,
    [HWS_TIMER_AUTOCLOSE] = hws_autoclose_timer_expired,
};

static void (*const path_expiries[HWS_PATH_TIMER_COUNT])(struct hws_path *) = {
    [HWS_PATH_TIMER_T3] = hws_retransmit_t3_expired,
    [HWS_PATH_TIMER_PROBE] = hws_retransmit_probe_expired,
    [HWS_PATH_TIMER_HEARTBEAT] = hws_heartbeat_timer_expired,
    [HWS_PATH_TIMER_PMTU] = hws_pmtud_timer_expired,
};

/* Whether the deadline has come; it is taken off before its handler runs, which may set it anew. */
static bool take_due(uint64_t *deadline, uint64_t now_us)
{
    if (*deadline > now_us)
        return false;
    *deadline = HWS_NEVER;
    return true;
}

static void run_paths(struct hws_assoc *a)
{
    for (unsigned i = 0; i < a->path_count && !a->over; i++) {
        hws_pacing_expire(a->paths[i]);
        for (int t = 0; t < HWS_PATH_TIMER_COUNT && !a->over; t++)
            if (take_due(&a->paths[i]->deadline_us[t], a->engine->now_us))
                path_expiries[t](a->paths[i]);
    }
}

static uint64_t earliest_of_path(const struct hws_path *p)
{
    uint64_t min = hws_pacing_deadline_us(p);
    for (int t = 0; t < HWS_PATH_TIMER_COUNT; t++)
        min = p->deadline_us[t] < min ? p->deadline_us[t] : min;
    return min;
}

static uint64_t earliest(const struct hws_assoc *a)
{
    uint64_t min = hws_extensions_any(a) ? hws_extensions_deadline(a) : HWS_NEVER;
    for (int t = 0; t < HWS_TIMER_COUNT; t++)
        min = a->deadline_us[t] < min ? a->deadline_us[t] : min;
    for (unsigned i = 0; i < a->path_count; i++) {
        uint64_t of_path = earliest_of_path(a->paths[i]);
        min = of_path < min ? of_path : min;
    }
    return min;
}

void hws_timer_run(struct hws_assoc *a)
{
    for (int t = 0; t < HWS_TIMER_COUNT && !a->over; t++)
        if (take_due(&a->deadline_us[t], a->engine->now_us))
            expiries[t](a);
    run_paths(a);
    if (hws_extensions_any(a))
        hws_extensions_expire(a);
    if (hws_observed(a->engine) && !a->over)
        hws_observe_all_metrics(a);
    if (a->timer_node.index != HWS_HEAP_NONE)
        hws_heap_move(&a->engine->timers, &a->timer_node, earliest(a));
}
