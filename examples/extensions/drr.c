/* Deficit round robin: streams take turns, and each turn allows a stream as many more bytes as its
 * weight says, so that they share an association by their weights, however long their messages are.
 * Stream 0 has the weight 1, stream 1 the weight 2, and so on. */
#include <hawser/extend.h>

#define QUANTUM_BYTES 1500u /* that a turn allows for each unit of weight */

struct stream {
    struct stream *before, *behind; /* that are ready; NULL: it is the first, the last */
    uint32_t credit_bytes;          /* what it may send in this turn */
    uint32_t len;                   /* of its first message, bytes */
    uint16_t sid;
};

struct drr {
    struct stream *first, *last; /* the one whose turn it is; who has just had its turn */
    struct stream *served;       /* it sent, and `ready` may follow */
};

static uint32_t quantum_bytes(const struct stream *s)
{
    return QUANTUM_BYTES * (s->sid + 1u);
}

static void link_between(struct drr *drr, struct stream *s, struct stream *before,
                         struct stream *behind)
{
    s->before = before;
    s->behind = behind;
    *(before != NULL ? &before->behind : &drr->first) = s;
    *(behind != NULL ? &behind->before : &drr->last) = s;
}

static void unlink_stream(struct drr *drr, struct stream *s)
{
    *(s->before != NULL ? &s->before->behind : &drr->first) = s->behind;
    *(s->behind != NULL ? &s->behind->before : &drr->last) = s->before;
}

/* The one that has just sent goes on with its turn; who had nothing begins with a new one. */
static void ready(void *state, void *stream, const struct hws_sched_message *head)
{
    struct drr *drr = state;
    struct stream *s = stream;
    s->sid = head->sid;
    s->len = head->len;
    if (s == drr->served) {
        link_between(drr, s, NULL, drr->first);
    } else {
        s->credit_bytes = quantum_bytes(s);
        link_between(drr, s, drr->last, NULL);
    }
}

/* Whose credit does not reach has had its turn. */
static uint32_t next(void *state)
{
    struct drr *drr = state;
    struct stream *s;
    drr->served = NULL;
    while ((s = drr->first) != NULL && s->credit_bytes < s->len) {
        unlink_stream(drr, s);
        s->credit_bytes += quantum_bytes(s);
        link_between(drr, s, drr->last, NULL);
    }
    return s != NULL ? s->sid : HWS_SCHED_NONE;
}

static void sent(void *state, void *stream, uint32_t bytes)
{
    struct drr *drr = state;
    struct stream *s = stream;
    unlink_stream(drr, s);
    s->credit_bytes -= bytes < s->credit_bytes ? bytes : s->credit_bytes;
    drr->served = s;
}

static const struct hws_sched_ops drr_ops = {.name = "drr",
                                             .state_size = sizeof(struct drr),
                                             .stream_size = sizeof(struct stream),
                                             .ready = ready,
                                             .next = next,
                                             .sent = sent};

static const struct hws_sched_ops *const scheds[] = {&drr_ops, NULL};

const struct hws_extension hws_extension_drr = {
    .api = HWS_EXTEND_API, .name = "drr", .scheds = scheds};
HWS_EXTENSION_EXPORT(hws_extension_drr);
