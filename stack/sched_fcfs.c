/* First come, first served: messages leave in the order the application gave them. Streams stand in
 * a pairing heap, by the order of their first message: it needs no memory but theirs. */
#include <stddef.h>

#include "stack/sched.h"

struct stream {
    struct stream *child; /* the first of its children */
    struct stream *next;  /* sibling */
    struct stream *prev;  /* sibling; of the first child, the parent; NULL: the top */
    uint64_t order_us;
    uint16_t sid;
};

struct fcfs {
    struct stream *top;
};

/* Makes the later of two tops the first child of the other, which is returned. */
static struct stream *meld(struct stream *a, struct stream *b)
{
    if (a == NULL || b == NULL)
        return a != NULL ? a : b;
    if (b->order_us < a->order_us) {
        struct stream *later = a;
        a = b;
        b = later;
    }
    b->prev = a;
    b->next = a->child;
    if (a->child != NULL)
        a->child->prev = b;
    a->child = b;
    return a;
}

/* Takes the first two siblings of a list apart and melds them; `*rest` is what follows them. */
static struct stream *meld_first_two(struct stream *list, struct stream **rest)
{
    struct stream *second = list->next;
    *rest = second != NULL ? second->next : NULL;
    list->next = list->prev = NULL;
    if (second != NULL)
        second->next = second->prev = NULL;
    return meld(list, second);
}

/* The heap of a list of siblings: melded in pairs, and then the pairs from the last one on. */
static struct stream *meld_all(struct stream *list)
{
    struct stream *pairs = NULL, *top = NULL;
    while (list != NULL) {
        struct stream *pair = meld_first_two(list, &list);
        pair->next = pairs;
        pairs = pair;
    }
    while (pairs != NULL) {
        struct stream *pair = pairs;
        pairs = pairs->next;
        pair->next = NULL;
        top = meld(top, pair);
    }
    return top;
}

static void unlink_child(struct stream *x)
{
    if (x->prev->child == x)
        x->prev->child = x->next;
    else
        x->prev->next = x->next;
    if (x->next != NULL)
        x->next->prev = x->prev;
}

static void fcfs_ready(void *state, void *stream, const struct hws_sched_message *head)
{
    struct fcfs *s = state;
    struct stream *x = stream;
    *x = (struct stream){.order_us = head->order_us, .sid = head->sid};
    s->top = meld(s->top, x);
}

static uint32_t fcfs_next(void *state)
{
    const struct fcfs *s = state;
    return s->top != NULL ? s->top->sid : HWS_SCHED_NONE;
}

static void fcfs_sent(void *state, void *stream, uint32_t bytes)
{
    struct fcfs *s = state;
    struct stream *x = stream, *children = meld_all(x->child);
    (void)bytes;
    if (s->top == x) {
        s->top = children;
    } else {
        unlink_child(x);
        s->top = meld(s->top, children);
    }
}

const struct hws_sched_ops hws_sched_fcfs = {
    .name = "fcfs",
    .state_size = sizeof(struct fcfs),
    .stream_size = sizeof(struct stream),
    .ready = fcfs_ready,
    .next = fcfs_next,
    .sent = fcfs_sent,
};
