#include "stack/msg.h"

/* What a lent message holds instead of bytes. Messages are read from front to back, but for what
 * is sent again: the place of the last reading is kept. */
struct hws_lending {
    struct hws_lender lender;
    uint32_t iov_count;
    uint32_t at;       /* index of the iovec read last */
    uint32_t at_bytes; /* bytes of the message before it */
    struct hws_iovec iov[];
};

/* ---- Life ---- */

static struct hws_lending *lending(const struct hws_msg *msg)
{
    return (struct hws_lending *)(void *)msg->data;
}

static size_t lending_bytes(size_t iov_count)
{
    return sizeof(struct hws_lending) + iov_count * sizeof(struct hws_iovec);
}

static void gather(uint8_t *out, const struct hws_iovec *iov, size_t iov_count)
{
    for (size_t i = 0; i < iov_count; i++) {
        if (iov[i].len > 0)
            memcpy(out, iov[i].base, iov[i].len);
        out += iov[i].len;
    }
}

static void lend(struct hws_lending *l, const struct hws_iovec *iov, size_t iov_count,
                 const struct hws_lender *lender)
{
    l->lender = *lender;
    l->iov_count = (uint32_t)iov_count;
    l->at = 0;
    l->at_bytes = 0;
    memcpy(l->iov, iov, iov_count * sizeof *iov);
}

struct hws_msg *hws_msg_new(struct hws_pool *pool, const struct hws_sndinfo *info,
                            const struct hws_iovec *iov, size_t iov_count, uint32_t len,
                            const struct hws_lender *lender)
{
    size_t content = lender != NULL ? lending_bytes(iov_count) : len;
    struct hws_msg *msg = hws_pool_alloc(pool, sizeof *msg + content);
    if (msg == NULL)
        return NULL;
    *msg = (struct hws_msg){.len = len,
                            .refs = 1,
                            .ppid = info->ppid,
                            .context = info->context,
                            .sid = info->sid,
                            .flags = info->flags,
                            .path = info->path,
                            .lent = lender != NULL};
    if (lender != NULL)
        lend(lending(msg), iov, iov_count, lender);
    else
        gather(msg->data, iov, iov_count);
    return msg;
}

void hws_msg_unref(struct hws_pool *pool, struct hws_msg *msg)
{
    if (--msg->refs > 0)
        return;
    if (msg->lent)
        hws_msg_list_push(lending(msg)->lender.done, msg);
    else
        hws_pool_free(pool, msg, sizeof *msg + msg->len);
}

void *hws_msg_give_back(struct hws_pool *pool, struct hws_msg *msg)
{
    struct hws_lending *l = lending(msg);
    void *handle = l->lender.handle;
    hws_pool_free(pool, msg, sizeof *msg + lending_bytes(l->iov_count));
    return handle;
}

/* ---- Bytes ---- */

size_t hws_msg_iovecs(const struct hws_msg *msg, struct hws_iovec *copied,
                      const struct hws_iovec **out)
{
    if (msg->lent) {
        *out = lending(msg)->iov;
        return lending(msg)->iov_count;
    }
    *copied = (struct hws_iovec){.base = msg->data, .len = msg->len};
    *out = copied;
    return 1;
}

/* Goes to the iovec that has the message's byte number `offset`. */
static void seek(struct hws_lending *l, uint32_t offset)
{
    if (offset < l->at_bytes) {
        l->at = 0;
        l->at_bytes = 0;
    }
    while (offset - l->at_bytes >= l->iov[l->at].len)
        l->at_bytes += (uint32_t)l->iov[l->at++].len;
}

void hws_msg_read_lent(struct hws_msg *msg, uint32_t offset, uint8_t *out, uint32_t len)
{
    struct hws_lending *l = lending(msg);
    while (len > 0) {
        seek(l, offset);
        const struct hws_iovec *iov = &l->iov[l->at];
        uint32_t skip = offset - l->at_bytes;
        uint32_t most = (uint32_t)iov->len - skip;
        uint32_t part = len < most ? len : most;
        memcpy(out, (const uint8_t *)iov->base + skip, part);
        out += part;
        offset += part;
        len -= part;
    }
}
