/* Received bytes with a reference count. A link fills one, the engine keeps references to it while
 * parts of it wait for the application, and the last one to let go gives it back to the link.
 * Counts are not atomic: a buffer belongs to one engine and its links, all in one thread. */
#ifndef HWS_STACK_BUF_H
#define HWS_STACK_BUF_H

#include <stdint.h>

struct hws_buf {
    uint32_t refs;
    uint32_t size; /* bytes of memory that a reference keeps from being reused */
    void (*release)(struct hws_buf *buf); /* called when refs reaches 0 */
    void *owner;                          /* the link's own */
    uint8_t *data;
};

static inline struct hws_buf *hws_buf_ref(struct hws_buf *buf)
{
    buf->refs++;
    return buf;
}

static inline void hws_buf_unref(struct hws_buf *buf)
{
    if (--buf->refs == 0)
        buf->release(buf);
}

#endif
