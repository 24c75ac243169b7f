#include "stack/pathsel.h"

#include <string.h>

#include "proto/serial.h"
#include "stack/assoc.h"

/* ---- Life ---- */

bool hws_pathsel_start(struct hws_assoc *a)
{
    const struct hws_pathsel_ops *ops =
        hws_registry_pathsel(&a->engine->registry, a->params->pathsel);
    struct hws_pathsel *s = a->queues->pathsel;
    if (ops == &hws_pathsel_primary)
        return true;
    if (s == NULL)
        s = hws_pool_alloc(&a->engine->pool, sizeof *s + ops->state_size);
    if (s == NULL)
        return false;
    memset(s, 0, sizeof *s + ops->state_size);
    s->ops = ops;
    if (ops->init != NULL)
        ops->init(s->state);
    a->queues->pathsel = s;
    a->queues->outq.split = true;
    return true;
}

void hws_pathsel_free(struct hws_assoc *a)
{
    struct hws_pathsel *s = a->queues->pathsel;
    if (s != NULL)
        hws_pool_free(&a->engine->pool, s, sizeof *s + s->ops->state_size);
    a->queues->pathsel = NULL;
}

/* ---- What is told ---- */

/* An address that the peer does not have counts as one that nobody has confirmed. */
void hws_pathsel_tell_path(const struct hws_path *p, struct hws_ext_path *out)
{
    *out = (struct hws_ext_path){
        .state = p->owned ? hws_path_state(p) : HWS_PATH_UNCONFIRMED,
        .errors = p->errors,
        .mtu = p->mtu,
        .max_chunk = hws_path_pmdcs(p),
        .cwnd_bytes = hws_path_cwnd(p),
        .flight_bytes = hws_path_flight(p),
        .srtt_us = p->rto.srtt_us,
        .rttvar_us = p->rto.rttvar_us,
        .rto_us = p->rto.rto_us,
    };
}

/* The question, and the paths that it refers to. */
struct question {
    struct hws_pathsel_args args;
    struct hws_ext_path paths[HWS_LIMIT_PATHS];
};

static void begin_question(const struct hws_assoc *a, struct question *q)
{
    for (unsigned i = 0; i < a->path_count; i++)
        hws_pathsel_tell_path(a->paths[i], &q->paths[i]);
    q->args = (struct hws_pathsel_args){
        .now_us = a->engine->now_us,
        .paths = q->paths,
        .path_count = a->path_count,
        .primary = a->primary,
    };
}

static void ask_about(const struct hws_assoc *a, const struct hws_msg *msg, uint32_t sent_bytes,
                      struct question *q)
{
    uint64_t now_us = a->engine->now_us;
    q->args.chunk.sid = msg->sid;
    q->args.chunk.unordered = msg->flags & HWS_SEND_UNORDERED;
    q->args.chunk.ppid = msg->ppid;
    q->args.chunk.len = msg->len;
    q->args.chunk.sent_bytes = sent_bytes;
    q->args.chunk.age_us = now_us > msg->order_us ? now_us - msg->order_us : 0;
}

/* ---- What is answered ---- */

static bool may_carry(const struct question *q, uint32_t path)
{
    if (path >= q->args.path_count || q->paths[path].state == HWS_PATH_UNCONFIRMED)
        return false;
    if (q->paths[path].state != HWS_PATH_INACTIVE)
        return true;
    for (uint32_t i = 0; i < q->args.path_count; i++)
        if (q->paths[i].state == HWS_PATH_ACTIVE)
            return false;
    return true;
}

static struct hws_pathsel_choice pick_default(const struct question *q)
{
    struct hws_pathsel_choice choice = {0};
    (void)hws_pathsel_primary.pick(NULL, &q->args, &choice);
    return choice;
}

/* Of the copies those that can be sent remain. */
static struct hws_pathsel_choice check(struct hws_assoc *a, const struct question *q,
                                       struct hws_pathsel_choice choice)
{
    struct hws_pathsel_choice good = choice;
    if (!may_carry(q, choice.path))
        good = pick_default(q);
    for (uint32_t i = 0; i < HWS_LIMIT_PATHS; i++)
        if ((good.copies & 1u << i) && (i == good.path || !may_carry(q, i)))
            good.copies &= (uint8_t) ~(1u << i);
    if (good.path != choice.path || good.copies != choice.copies)
        a->engine->stats.pathsel_refused++;
    return good;
}

static struct hws_path *pick(struct hws_assoc *a, const struct question *q)
{
    struct hws_pathsel *s = a->queues->pathsel;
    struct hws_pathsel_choice choice = {0};
    bool chosen = s->ops->pick(s->state, &q->args, &choice);
    s->choice = chosen ? check(a, q, choice) : pick_default(q);
    s->picked = true;
    return a->paths[s->choice.path];
}

void hws_pathsel_visit(struct hws_assoc *a)
{
    if (a->queues->pathsel != NULL)
        a->queues->pathsel->picked = false;
}

struct hws_path *hws_pathsel_new_path(struct hws_assoc *a)
{
    struct hws_pathsel *s = a->queues->pathsel;
    if (s->picked)
        return a->paths[s->choice.path];
    const struct hws_msg *msg = hws_sendq_next(&a->queues->sendq);
    if (msg == NULL)
        return hws_assoc_data_path(a);
    struct question q;
    begin_question(a, &q);
    ask_about(a, msg, msg->cut, &q);
    return pick(a, &q);
}

struct hws_path *hws_pathsel_again_path(struct hws_assoc *a, const struct hws_tx *tx)
{
    struct hws_pathsel *s = a->queues->pathsel;
    if (s->picked)
        return a->paths[s->choice.path];
    struct question q;
    begin_question(a, &q);
    ask_about(a, tx->msg, tx->offset, &q);
    q.args.chunk.again = true;
    q.args.chunk.last_path = tx->path;
    return pick(a, &q);
}

/* ---- What becomes of it ---- */

void hws_pathsel_sent(struct hws_path *p, uint32_t tsn)
{
    struct hws_pathsel *s = p->assoc->queues->pathsel;
    uint32_t bytes = hws_tx_size(hws_outq_at(&p->assoc->queues->outq, tsn));
    if (s->picked && s->choice.copies != 0)
        hws_copies_note(&s->copies, tsn, s->choice.copies);
    s->picked = false;
    if (s->ops->sent != NULL)
        s->ops->sent(s->state, p->index, bytes, false);
}

void hws_pathsel_path_changed(struct hws_path *p)
{
    struct hws_pathsel *s = p->assoc->queues->pathsel;
    if (s == NULL || s->ops->path_changed == NULL)
        return;
    struct hws_ext_path facts;
    hws_pathsel_tell_path(p, &facts);
    s->ops->path_changed(s->state, p->index, &facts);
}

/* ---- The default ---- */

struct hws_path *hws_pathsel_default_new(const struct hws_assoc *a)
{
    struct question q;
    begin_question(a, &q);
    return a->paths[pick_default(&q).path];
}

struct hws_path *hws_pathsel_default_again(const struct hws_assoc *a, uint8_t last)
{
    struct question q;
    begin_question(a, &q);
    q.args.chunk.again = true;
    q.args.chunk.last_path = last;
    return a->paths[pick_default(&q).path];
}
