#include "stack/ootb.h"

#include "proto/cause.h"
#include "stack/endpoint.h"
#include "stack/reply.h"

static void answer(struct hws_engine *e, const struct hws_rx *rx, uint8_t type, uint8_t flags,
                   uint32_t vtag)
{
    if (!hws_reply_ootb_allowed(e))
        return;
    struct hws_reply_builder r;
    hws_reply_open(&r, rx, vtag, rx->packet->len);
    if (hws_chunk_put(&r.b, type, flags, NULL, 0))
        hws_reply_send(e, &r, true);
}

/* Whether the packet is ours to answer: another stack of this host may own the port. */
static bool ours(struct hws_engine *e, const struct hws_rx *rx)
{
    if (e->config.own_host || hws_endpoint_find(e, rx->header.dst_port, &rx->packet->dst) != NULL)
        return true;
    e->stats.drop_port++;
    return false;
}

static bool unicast(const struct hws_addr *a)
{
    if (a->family == HWS_FAMILY_IPV4)
        return a->ip[0] != 0 && a->ip[0] < 224;
    return a->ip[0] != 0xff;
}

void hws_ootb_init(struct hws_engine *e, const struct hws_rx *rx, uint32_t initiate_tag)
{
    if (!ours(e, rx))
        return;
    e->stats.ootb_in++;
    if (unicast(&rx->packet->src))
        answer(e, rx, HWS_CHUNK_ABORT, 0, initiate_tag);
}

void hws_ootb_shutdown_ack(struct hws_engine *e, const struct hws_rx *rx)
{
    answer(e, rx, HWS_CHUNK_SHUTDOWN_COMPLETE, HWS_FLAG_T, rx->header.vtag);
}

static bool is_stale_cookie_error(const struct hws_tlv *chunk)
{
    struct hws_tlv_iter it = hws_tlv_begin(hws_chunk_value(chunk), hws_chunk_value_len(chunk));
    struct hws_tlv cause;
    while (hws_tlv_next(&it, &cause))
        if (cause.type == HWS_CAUSE_STALE_COOKIE)
            return true;
    return false;
}

/* Whether any chunk forbids an answer: rules 2, 6 and 7. */
static bool silent(const struct hws_rx *rx)
{
    struct hws_tlv_iter it = hws_packet_chunks(rx->packet->data, rx->packet->len);
    struct hws_tlv chunk;
    while (hws_tlv_next(&it, &chunk)) {
        uint8_t type = hws_chunk_type(&chunk);
        if (type == HWS_CHUNK_ABORT || type == HWS_CHUNK_SHUTDOWN_COMPLETE ||
            type == HWS_CHUNK_COOKIE_ACK ||
            (type == HWS_CHUNK_ERROR && is_stale_cookie_error(&chunk)))
            return true;
    }
    return it.malformed;
}

void hws_ootb_packet(struct hws_engine *e, const struct hws_rx *rx, uint8_t first)
{
    if (!ours(e, rx))
        return;
    e->stats.ootb_in++;
    if (!unicast(&rx->packet->src) || silent(rx))
        return;
    if (first == HWS_CHUNK_SHUTDOWN_ACK)
        hws_ootb_shutdown_ack(e, rx);
    else
        answer(e, rx, HWS_CHUNK_ABORT, HWS_FLAG_T, rx->header.vtag);
}
