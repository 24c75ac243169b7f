#include "stack/copies.h"

#include "proto/serial.h"
#include "stack/assoc.h"
#include "stack/pathsel.h"
#include "stack/timer.h"
#include "stack/transmit.h"

static struct hws_copies *copies_of(const struct hws_assoc *a)
{
    return a->queues->pathsel != NULL ? &a->queues->pathsel->copies : NULL;
}

void hws_copies_note(struct hws_copies *c, uint32_t tsn, uint8_t paths)
{
    c->due[c->count].tsn = tsn;
    c->due[c->count++].paths = paths;
}

bool hws_copies_full(const struct hws_assoc *a)
{
    const struct hws_copies *c = copies_of(a);
    return c != NULL && c->count == HWS_LIMIT_COPIES_DUE;
}

uint32_t hws_copies_first_single(const struct hws_assoc *a, uint32_t tsn)
{
    const struct hws_copies *c = copies_of(a);
    for (uint32_t i = 0; c != NULL && i < c->count; i++)
        tsn += c->due[i].tsn == tsn;
    return tsn;
}

/* ---- Which can be sent ---- */

/* The chunk is in flight, but not here. */
static bool wanted(const struct hws_path *p, uint32_t tsn)
{
    const struct hws_outq *q = &p->assoc->queues->outq;
    return hws_tsn_lt(q->cum, tsn) && hws_outq_at(q, tsn)->flying &&
           !hws_tx_flies(hws_outq_at(q, tsn), p->index);
}

static bool possible(const struct hws_path *p, uint32_t tsn)
{
    const struct hws_assoc *a = p->assoc;
    const struct hws_path *primary = a->paths[a->primary];
    uint32_t size = hws_tx_size(hws_outq_at(&a->queues->outq, tsn));
    return hws_assoc_may_send(a) && hws_path_fit(p) && hws_transmit_open(p) &&
           size <= hws_path_pmdcs(p) && size <= hws_path_pmdcs(primary);
}

/* Entries without paths go, the others close up. */
static void drop_done(struct hws_copies *c)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < c->count; i++)
        if (c->due[i].paths != 0)
            c->due[left++] = c->due[i];
    c->count = left;
}

/* The path of the first copy that is due and can be sent; those before it are taken off. */
static struct hws_path *first_path(struct hws_assoc *a, struct hws_copies *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        for (; c->due[i].paths != 0; c->due[i].paths &= (uint8_t)(c->due[i].paths - 1)) {
            struct hws_path *p = a->paths[__builtin_ctz(c->due[i].paths)];
            bool useful = wanted(p, c->due[i].tsn);
            if (useful && possible(p, c->due[i].tsn))
                return p;
            a->engine->stats.copies_withheld += useful;
        }
    }
    return NULL;
}

struct hws_path *hws_copies_path(struct hws_assoc *a)
{
    struct hws_copies *c = copies_of(a);
    if (c == NULL || c->count == 0)
        return NULL;
    struct hws_path *p = first_path(a, c);
    drop_done(c);
    return p;
}

bool hws_copies_due(const struct hws_path *p)
{
    const struct hws_copies *c = copies_of(p->assoc);
    for (uint32_t i = 0; c != NULL && i < c->count; i++)
        if (c->due[i].paths >> p->index & 1)
            return true;
    return false;
}

/* ---- Sending ---- */

static void copy_sent(struct hws_path *p, uint32_t tsn)
{
    struct hws_assoc *a = p->assoc;
    const struct hws_pathsel *s = a->queues->pathsel;
    uint32_t bytes = hws_tx_size(hws_outq_at(&a->queues->outq, tsn));
    if (hws_path_flight(p) == 0 || hws_tsn_le(tsn, p->lowest_tsn)) {
        p->lowest_tsn = tsn;
        hws_path_timer_stop(p, HWS_PATH_TIMER_T3);
    }
    hws_outq_copied(&a->queues->outq, tsn, p->index);
    a->engine->stats.copies_out++;
    hws_transmit_sent(p, bytes);
    if (s->ops->sent != NULL)
        s->ops->sent(a->queues->pathsel->state, p->index, bytes, true);
}

void hws_copies_fill(struct hws_path *p, struct hws_builder *b)
{
    struct hws_copies *c = copies_of(p->assoc);
    uint8_t bit = (uint8_t)(1u << p->index);
    for (uint32_t i = 0; i < c->count; i++) {
        uint32_t tsn = c->due[i].tsn;
        if (!(c->due[i].paths & bit) || !wanted(p, tsn) || !possible(p, tsn))
            continue;
        if (!hws_transmit_chunk(p, b, tsn, true))
            break;
        copy_sent(p, tsn);
        c->due[i].paths &= (uint8_t)~bit;
    }
    drop_done(c);
}
