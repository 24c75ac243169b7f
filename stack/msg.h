/* Outbound messages: copied, or lent by the application, whose bytes then stay where they are.
 * A message is shared by its stream's queue and the DATA chunks cut from it. */
#ifndef HWS_STACK_MSG_H
#define HWS_STACK_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "stack/engine.h"
#include "stack/pool.h"

/* It lives while it is queued or any of its fragments may have to be sent again. */
struct hws_msg {
    struct hws_msg *next; /* in the list it stands in */
    uint64_t order_us;    /* when it was queued, or later by what makes it differ from all others */
    uint32_t len;
    uint32_t cut; /* bytes already cut into fragments */
    uint32_t refs;
    uint32_t ppid;
    uint32_t context;
    uint16_t sid, ssn;
    uint16_t flags; /* HWS_SEND_* */
    int16_t reason; /* why it will not arrive, an hws_error; 0: it may yet */
    uint8_t path;   /* of struct hws_sndinfo */
    bool lent;
    _Alignas(max_align_t) uint8_t data[]; /* the bytes, or a struct hws_lending */
};

/* First in, first out. */
struct hws_msg_list {
    struct hws_msg *head, *tail;
};

static inline void hws_msg_list_push(struct hws_msg_list *list, struct hws_msg *msg)
{
    msg->next = NULL;
    if (list->head == NULL)
        list->head = msg;
    else
        list->tail->next = msg;
    list->tail = msg;
}

/** The first one; NULL when there is none. */
static inline struct hws_msg *hws_msg_list_pop(struct hws_msg_list *list)
{
    struct hws_msg *msg = list->head;
    if (msg != NULL)
        list->head = msg->next;
    return msg;
}

/* Whom lent bytes belong to. */
struct hws_lender {
    void *handle;              /* names them */
    struct hws_msg_list *done; /* where the message goes when nobody needs it any more */
};

/** A new message with one reference, of the iovecs' `len` bytes; `lender` NULL: copied. NULL: no
 * memory. */
struct hws_msg *hws_msg_new(struct hws_pool *pool, const struct hws_sndinfo *info,
                            const struct hws_iovec *iov, size_t iov_count, uint32_t len,
                            const struct hws_lender *lender);

/** Lets go of a reference. With the last one a copied message is freed, a lent one goes to its
 * lender's list. */
void hws_msg_unref(struct hws_pool *pool, struct hws_msg *msg);

/** Frees a message that came to its lender's list, and returns the handle of its bytes. */
void *hws_msg_give_back(struct hws_pool *pool, struct hws_msg *msg);

/** Where the bytes are; `copied` is filled in when they are the message's own. */
size_t hws_msg_iovecs(const struct hws_msg *msg, struct hws_iovec *copied,
                      const struct hws_iovec **out);

/** Copies bytes that are lent. */
void hws_msg_read_lent(struct hws_msg *msg, uint32_t offset, uint8_t *out, uint32_t len);

/** Copies `len` bytes from `offset` on; they are within the message. */
static inline void hws_msg_read(struct hws_msg *msg, uint32_t offset, uint8_t *out, uint32_t len)
{
    if (msg->lent)
        hws_msg_read_lent(msg, offset, out, len);
    else
        memcpy(out, msg->data + offset, len);
}

#endif
