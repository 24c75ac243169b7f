#include "stack/autoclose.h"

#include "stack/assoc.h"
#include "stack/shutdown.h"
#include "stack/timer.h"

void hws_autoclose_start(struct hws_assoc *a)
{
    if (a->params->autoclose_us > 0 && a->state == HWS_STATE_ESTABLISHED)
        hws_timer_start(a, HWS_TIMER_AUTOCLOSE, a->params->autoclose_us);
    else
        hws_timer_stop(a, HWS_TIMER_AUTOCLOSE);
}

static uint64_t last_data_us(const struct hws_assoc *a)
{
    uint64_t last_us = a->queues->last_data_in_us;
    for (unsigned i = 0; i < a->path_count; i++)
        if (a->paths[i]->last_data_us > last_us)
            last_us = a->paths[i]->last_data_us;
    return last_us;
}

/* DATA only leaves its time behind; the timer looks when it expires. */
void hws_autoclose_timer_expired(struct hws_assoc *a)
{
    if (a->state != HWS_STATE_ESTABLISHED)
        return;
    /* What waits to be acknowledged, perhaps for a path to come back, is not idle. */
    uint64_t idle_us = hws_assoc_unacked(a) > 0 ? 0 : a->engine->now_us - last_data_us(a);
    if (idle_us < a->params->autoclose_us) {
        hws_timer_start(a, HWS_TIMER_AUTOCLOSE, a->params->autoclose_us - idle_us);
        return;
    }
    a->shutdown_wanted = true;
    hws_shutdown_begin(a);
}
