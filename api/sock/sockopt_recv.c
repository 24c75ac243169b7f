/* Options about receiving. */
#include <errno.h>

#include "api/sock/socket_internal.h"
#include "api/sock/sockopt_value.h"

/* ---- SCTP_DELAYED_SACK (RFC 6458, 8.1.19): 0 leaves a field as it is. A frequency of 1 means that
 * nothing is delayed, and the delay is then told as 0. ---- */

/* struct sctp_assoc_value, of older programs: the delay, 0 for none. */
void hws_sockopt_widen_sack(union hws_sockopt_value *value)
{
    struct sctp_assoc_value old = value->assoc_value;
    value->sack_info = (struct sctp_sack_info){.sack_assoc_id = old.assoc_id,
                                               .sack_delay = old.assoc_value,
                                               .sack_freq = old.assoc_value != 0 ? 0 : 1};
}

HWS_SOCKOPT_SET(delayed_sack)
{
    const struct sctp_sack_info *in = &value->sack_info;
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    if (rc < 0)
        return rc;
    if (in->sack_delay > HWS_SOCKOPT_SACK_DELAY_MAX_MS)
        return -EINVAL;
    hws_sockopt_set_ms(&params.sack_delay_us, in->sack_delay);
    if (in->sack_freq != 0)
        params.sack_packets = in->sack_freq;
    else if (in->sack_delay != 0 && params.sack_packets == 1)
        params.sack_packets = HWS_SOCKOPT_SACK_PACKETS;
    return hws_sockopt_store(target, &params);
}

HWS_SOCKOPT_GET(delayed_sack)
{
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    bool delayed = params.sack_packets > 1;
    value->sack_info.sack_delay = delayed ? params.sack_delay_us / HWS_US_PER_MS : 0;
    value->sack_info.sack_freq = params.sack_packets;
    return rc;
}

/* ---- SCTP_CONTEXT (8.1.25) ---- */

HWS_SOCKOPT_SET(context)
{
    target->options->receive_context = value->assoc_value.assoc_value;
    return 0;
}

HWS_SOCKOPT_GET(context)
{
    value->assoc_value.assoc_value = target->options->receive_context;
    return 0;
}

/* ---- SCTP_PARTIAL_DELIVERY_POINT (8.1.21): bytes; not more than there is room for ---- */

HWS_SOCKOPT_SET(pd_point)
{
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    if (rc == 0 && value->count > params.rcvbuf_bytes)
        rc = -EINVAL;
    params.pd_point_bytes = value->count;
    return rc == 0 ? hws_sockopt_store(target, &params) : rc;
}

HWS_SOCKOPT_GET(pd_point)
{
    value->count = target->sock->params.pd_point_bytes;
    return 0;
}

/* ---- Switches of the socket (8.1.20, 8.1.29, 8.1.30, 8.1.15) ---- */

/* At level 1 what waits behind the message that was begun can be received at once. */
HWS_SOCKOPT_SET(fragment_interleave)
{
    target->sock->options.fragment_interleave = value->number != 0;
    hws_sock_changed(target->sock);
    return 0;
}

HWS_SOCKOPT_GET(fragment_interleave)
{
    value->number = target->sock->options.fragment_interleave;
    return 0;
}

HWS_SOCKOPT_SWITCH(rcvinfo, receive_rcvinfo)
HWS_SOCKOPT_SWITCH(nxtinfo, receive_nxtinfo)

HWS_SOCKOPT_SET(mapped_v4)
{
    target->sock->options.plain_v4 = value->number == 0;
    return 0;
}

HWS_SOCKOPT_GET(mapped_v4)
{
    value->number = !target->sock->options.plain_v4;
    return 0;
}
