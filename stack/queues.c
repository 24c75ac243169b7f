#include "stack/queues.h"

#include "stack/assoc.h"
#include "stack/extension.h"
#include "stack/failed.h"
#include "stack/pathsel.h"
#include "stack/read.h"

const struct hws_queues hws_queues_empty = {
    .sendq = {.sched = &hws_sched_fcfs},
    .outq = {.next_tsn = 1}, /* one beyond cum: nothing is in flight */
    .views = {(struct hws_list *)&hws_queues_empty.views,
              (struct hws_list *)&hws_queues_empty.views},
};

void hws_queues_init(struct hws_assoc *a)
{
    a->queues = (struct hws_queues *)&hws_queues_empty; /* asked with hws_assoc_has_queues */
}

bool hws_queues_make(struct hws_assoc *a)
{
    struct hws_pool *pool = &a->engine->pool;
    struct hws_queues *q = hws_pool_zalloc(pool, sizeof *q);
    if (q == NULL)
        return false;
    hws_sendq_init(&q->sendq, pool, hws_registry_sched(&a->engine->registry, a->params->sched),
                   &a->engine->stats.sched_refused);
    hws_outq_init(&q->outq, pool, a->local_initial_tsn);
    hws_tsnmap_init(&q->tsnmap, pool, a->peer_initial_tsn);
    hws_reassembly_init(&q->reassembly, pool, a->instreams);
    hws_list_init(&q->views);
    a->queues = q;
    hws_extensions_tune(a);
    if (hws_pathsel_start(a))
        return true;
    hws_queues_free(a);
    return false;
}

void hws_queues_trim(struct hws_assoc *a)
{
    if (!hws_assoc_has_queues(a))
        return;
    hws_outq_trim(&a->queues->outq);
    hws_tsnmap_trim(&a->queues->tsnmap);
    hws_reassembly_trim(&a->queues->reassembly);
}

void hws_queues_free(struct hws_assoc *a)
{
    if (!hws_assoc_has_queues(a))
        return;
    struct hws_queues *q = a->queues;
    hws_sendq_fini(&q->sendq);
    hws_outq_fini(&q->outq);
    hws_tsnmap_fini(&q->tsnmap);
    hws_failed_forget(a);
    hws_pathsel_free(a);
    hws_read_orphan_views(a);
    hws_reassembly_fini(&q->reassembly);
    hws_queues_init(a);
    hws_pool_free(&a->engine->pool, q, sizeof *q);
}
