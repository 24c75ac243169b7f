/* An intrusive, circular, doubly linked list. A node that is in no list points to itself. */
#ifndef HWS_STACK_LIST_H
#define HWS_STACK_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct hws_list {
    struct hws_list *next, *prev;
};

/** The object that embeds `node` as its member `member`. */
#define HWS_CONTAINER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void hws_list_init(struct hws_list *l)
{
    l->next = l;
    l->prev = l;
}

static inline bool hws_list_empty(const struct hws_list *l)
{
    return l->next == l;
}

static inline void hws_list_remove(struct hws_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    hws_list_init(node);
}

/** Puts `node`, which is in no list, at the tail of `head`. */
static inline void hws_list_push(struct hws_list *head, struct hws_list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

#endif
