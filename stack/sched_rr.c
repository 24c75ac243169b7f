/* Round robin: streams that have something to send take turns, a message each. */
#include "stack/list.h"
#include "stack/sched.h"

struct rr {
    struct hws_list ready; /* the stream whose turn it is stands first */
};

struct stream {
    struct hws_list link;
    uint16_t sid;
};

static void rr_init(void *state)
{
    struct rr *s = state;
    hws_list_init(&s->ready);
}

static void rr_ready(void *state, void *stream, const struct hws_sched_message *head)
{
    struct rr *s = state;
    struct stream *x = stream;
    x->sid = head->sid;
    hws_list_push(&s->ready, &x->link);
}

static uint32_t rr_next(void *state)
{
    struct rr *s = state;
    if (hws_list_empty(&s->ready))
        return HWS_SCHED_NONE;
    return HWS_CONTAINER(s->ready.next, struct stream, link)->sid;
}

static void rr_sent(void *state, void *stream, uint32_t bytes)
{
    (void)state;
    (void)bytes;
    hws_list_remove(&((struct stream *)stream)->link);
}

const struct hws_sched_ops hws_sched_rr = {
    .name = "rr",
    .state_size = sizeof(struct rr),
    .stream_size = sizeof(struct stream),
    .init = rr_init,
    .ready = rr_ready,
    .next = rr_next,
    .sent = rr_sent,
};
