/* First come, first served: messages leave in the order the application gave them. */
#include "stack/sched.h"

struct fcfs {
    struct hws_heap ready; /* streams by the order of their head message */
};

static void fcfs_init(void *state, struct hws_pool *pool)
{
    struct fcfs *s = state;
    hws_heap_init(&s->ready, pool);
}

static void fcfs_fini(void *state)
{
    struct fcfs *s = state;
    hws_heap_fini(&s->ready);
}

static bool fcfs_reserve(void *state, uint32_t stream_count)
{
    struct fcfs *s = state;
    return hws_heap_reserve(&s->ready, stream_count);
}

static void fcfs_ready(void *state, struct hws_sched_stream *stream, uint64_t order)
{
    struct fcfs *s = state;
    (void)hws_heap_push(&s->ready, &stream->heap, order);
}

static struct hws_sched_stream *fcfs_next(void *state)
{
    struct fcfs *s = state;
    struct hws_heap_node *top = hws_heap_top(&s->ready);
    return top != NULL ? HWS_CONTAINER(top, struct hws_sched_stream, heap) : NULL;
}

static void fcfs_sent(void *state, struct hws_sched_stream *stream, uint32_t bytes)
{
    struct fcfs *s = state;
    (void)bytes;
    hws_heap_remove(&s->ready, &stream->heap);
}

const struct hws_sched_ops hws_sched_fcfs = {
    .name = "fcfs",
    .state_size = sizeof(struct fcfs),
    .init = fcfs_init,
    .fini = fcfs_fini,
    .reserve = fcfs_reserve,
    .ready = fcfs_ready,
    .next = fcfs_next,
    .sent = fcfs_sent,
};

_Static_assert(sizeof(struct fcfs) <= HWS_LIMIT_SCHED_STATE_BYTES, "scheduler state too large");
