#include "stack/ootb.h"

#include "proto/cause.h"
#include "stack/endpoint.h"
#include "stack/observe.h"
#include "stack/reply.h"
#include "stack/timewait.h"

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
    if (e->config.own_host || hws_endpoint_find(e, rx->header.dst_port, &rx->packet->dst) != NULL ||
        hws_timewait_has(e, rx->header.vtag, rx->header.dst_port, rx->header.src_port))
        return true;
    HWS_DROP(e, rx, drop_port);
    return false;
}

void hws_ootb_init(struct hws_engine *e, const struct hws_rx *rx, uint32_t initiate_tag)
{
    if (!ours(e, rx))
        return;
    HWS_DROP(e, rx, ootb_in);
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

/* What decides about the answer: bits of the chunks a packet has. */
#define HAS_ABORT 0x1u
#define HAS_SHUTDOWN_ACK 0x2u
#define HAS_SILENT 0x4u    /* rules 6 and 7 */
#define HAS_MALFORMED 0x8u /* the list of chunks breaks off: answered as little as an ABORT */
#define HAS_UNANSWERABLE (HAS_ABORT | HAS_MALFORMED)

static unsigned what_chunk(const struct hws_tlv *chunk)
{
    switch (hws_chunk_type(chunk)) {
    case HWS_CHUNK_ABORT:
        return HAS_ABORT;
    case HWS_CHUNK_SHUTDOWN_ACK:
        return HAS_SHUTDOWN_ACK;
    case HWS_CHUNK_SHUTDOWN_COMPLETE:
    case HWS_CHUNK_COOKIE_ACK:
        return HAS_SILENT;
    case HWS_CHUNK_ERROR:
        return is_stale_cookie_error(chunk) ? HAS_SILENT : 0;
    default:
        return 0;
    }
}

static unsigned what(const struct hws_rx *rx)
{
    struct hws_tlv_iter it = hws_packet_chunks(rx->packet->data, rx->packet->len);
    struct hws_tlv chunk;
    unsigned has = 0;
    while (hws_tlv_next(&it, &chunk))
        has |= what_chunk(&chunk);
    return it.malformed ? has | HAS_MALFORMED : has;
}

bool hws_ootb_has_abort(const struct hws_rx *rx)
{
    return what(rx) & HAS_ABORT;
}

bool hws_ootb_has_shutdown_ack(const struct hws_rx *rx)
{
    return (what(rx) & (HAS_UNANSWERABLE | HAS_SHUTDOWN_ACK)) == HAS_SHUTDOWN_ACK;
}

void hws_ootb_packet(struct hws_engine *e, const struct hws_rx *rx)
{
    if (!ours(e, rx))
        return;
    HWS_DROP(e, rx, ootb_in);
    unsigned has = what(rx);
    if (has & HAS_UNANSWERABLE)
        return;
    if (has & HAS_SHUTDOWN_ACK)
        hws_ootb_shutdown_ack(e, rx);
    else if (!(has & HAS_SILENT))
        answer(e, rx, HWS_CHUNK_ABORT, HWS_FLAG_T, rx->header.vtag);
}
