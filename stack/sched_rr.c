/* Round robin: streams that have something to send take turns, a message each. */
#include "stack/sched.h"

struct rr {
    struct hws_list ready; /* the stream whose turn it is stands first */
};

static void rr_init(void *state, struct hws_pool *pool)
{
    struct rr *s = state;
    (void)pool;
    hws_list_init(&s->ready);
}

static void rr_fini(void *state)
{
    (void)state;
}

static bool rr_reserve(void *state, uint32_t stream_count)
{
    (void)state;
    (void)stream_count;
    return true;
}

static void rr_ready(void *state, struct hws_sched_stream *stream, uint64_t order)
{
    struct rr *s = state;
    (void)order;
    hws_list_push(&s->ready, &stream->list);
}

static struct hws_sched_stream *rr_next(void *state)
{
    struct rr *s = state;
    if (hws_list_empty(&s->ready))
        return NULL;
    return HWS_CONTAINER(s->ready.next, struct hws_sched_stream, list);
}

static void rr_sent(void *state, struct hws_sched_stream *stream, uint32_t bytes)
{
    (void)state;
    (void)bytes;
    hws_list_remove(&stream->list);
}

const struct hws_sched_ops hws_sched_rr = {
    .name = "rr",
    .state_size = sizeof(struct rr),
    .init = rr_init,
    .fini = rr_fini,
    .reserve = rr_reserve,
    .ready = rr_ready,
    .next = rr_next,
    .sent = rr_sent,
};

_Static_assert(sizeof(struct rr) <= HWS_LIMIT_SCHED_STATE_BYTES, "scheduler state too large");
