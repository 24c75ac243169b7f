#include "stack/reply.h"
#include "stack/observe.h"

#include <string.h>

#include "proto/cause.h"

void hws_reply_open(struct hws_reply_builder *r, const struct hws_rx *rx, uint32_t vtag,
                    uint32_t limit)
{
    r->src = rx->packet->dst;
    r->dst = rx->packet->src;
    if (limit > sizeof r->bytes)
        limit = sizeof r->bytes;
    hws_builder_init(&r->b, r->bytes, limit, rx->header.dst_port, rx->header.src_port, vtag);
}

void hws_reply_open_path(struct hws_reply_builder *r, const struct hws_path *p, uint32_t vtag)
{
    const struct hws_assoc *a = p->assoc;
    r->src = p->local;
    r->dst = p->remote;
    uint32_t limit = p->max_packet < sizeof r->bytes ? p->max_packet : (uint32_t)sizeof r->bytes;
    hws_builder_init(&r->b, r->bytes, limit, a->local_port, a->remote_port, vtag);
}

void hws_reply_close(struct hws_reply_builder *r, uint8_t type)
{
    if (!hws_builder_close(&r->b))
        hws_chunk_put(&r->b, type, 0, NULL, 0);
}

void hws_reply_send(struct hws_engine *e, struct hws_reply_builder *r, bool stranger)
{
    uint32_t len = hws_builder_finish(&r->b);
    struct hws_reply *reply = NULL;
    if (!stranger || e->reply_count < HWS_LIMIT_REPLIES)
        reply = hws_pool_alloc(&e->pool, sizeof *reply + len);
    if (reply == NULL) {
        HWS_DROP(e, e->rx, drop_memory);
        return;
    }
    reply->src = r->src;
    reply->dst = r->dst;
    reply->len = len;
    memcpy(reply->packet, r->bytes, len);
    hws_list_init(&reply->link);
    hws_list_push(&e->replies, &reply->link);
    e->reply_count++;
}

bool hws_reply_ootb_allowed(struct hws_engine *e)
{
    uint64_t second = e->now_us / 1000000;
    if (second != e->ootb_second) {
        e->ootb_second = second;
        e->ootb_sent = 0;
    }
    if (e->ootb_sent >= HWS_LIMIT_OOTB_REPLIES_PER_S) {
        HWS_DROP(e, e->rx, ootb_suppressed);
        return false;
    }
    e->ootb_sent++;
    e->stats.ootb_replies++;
    return true;
}

void hws_reply_refuse(struct hws_engine *e, const struct hws_rx *rx, uint32_t tag, uint16_t cause,
                      const void *value, uint32_t value_len)
{
    if (!hws_reply_ootb_allowed(e))
        return;
    struct hws_reply_builder r;
    hws_reply_open(&r, rx, tag, rx->packet->len);
    if (hws_builder_open(&r.b, HWS_CHUNK_ABORT, 0)) {
        hws_cause_put(&r.b, cause, value, value_len);
        hws_reply_close(&r, HWS_CHUNK_ABORT);
    }
    hws_reply_send(e, &r, true);
}

static struct hws_reply *pop(struct hws_engine *e)
{
    struct hws_reply *reply = HWS_CONTAINER(e->replies.next, struct hws_reply, link);
    hws_list_remove(&reply->link);
    e->reply_count--;
    return reply;
}

bool hws_reply_output(struct hws_engine *e, struct hws_train *train)
{
    if (hws_list_empty(&e->replies))
        return false;
    struct hws_reply *reply = pop(e);
    memcpy(train->data, reply->packet, reply->len);
    train->len = reply->len;
    train->segment_len = reply->len;
    train->packets = 1;
    train->src = reply->src;
    train->dst = reply->dst;
    train->may_fragment = false;
    train->mtu = HWS_MTU_DEFAULT;
    train->tos = 0;
    train->ttl = 0;
    hws_pool_free(&e->pool, reply, sizeof *reply + reply->len);
    return true;
}

void hws_reply_free_all(struct hws_engine *e)
{
    while (!hws_list_empty(&e->replies)) {
        struct hws_reply *reply = pop(e);
        hws_pool_free(&e->pool, reply, sizeof *reply + reply->len);
    }
}
