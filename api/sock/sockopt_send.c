/* Options about sending. */
#include <errno.h>
#include <string.h>

#include "api/sock/sockopt_value.h"
#include "proto/chunk.h"
#include "proto/ip.h"
#include "proto/packet.h"

/* ---- SCTP_NODELAY (RFC 6458, 8.1.5) ---- */

HWS_SOCKOPT_SET(nodelay)
{
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    params.nodelay = value->number != 0;
    return rc == 0 ? hws_sockopt_store(target, &params) : rc;
}

HWS_SOCKOPT_GET(nodelay)
{
    value->number = target->sock->params.nodelay;
    return 0;
}

/* ---- A number where a structure with an id was meant to be: older programs ---- */

void hws_sockopt_widen_number(union hws_sockopt_value *value)
{
    uint32_t number = value->count;
    value->assoc_value =
        (struct sctp_assoc_value){.assoc_id = SCTP_FUTURE_ASSOC, .assoc_value = number};
}

void hws_sockopt_narrow_number(union hws_sockopt_value *value)
{
    value->count = value->assoc_value.assoc_value;
}

/* ---- SCTP_MAXSEG (8.1.16): bytes of user data in a DATA chunk, 0: as many as fit ---- */

/* The least that the kernel takes fills an IP packet of 512 bytes (RFC 9260, 3.1), the most is what
 * the length field of a chunk can tell, in whole words. */
#define CHUNK_MAX_BYTES 65532u

#define MAXSEG_MIN                                                                                 \
    (HWS_LIMIT_MTU_MIN - HWS_IPV4_HEADER_LEN - HWS_PACKET_HEADER_LEN - HWS_DATA_HEADER_LEN)
#define MAXSEG_MAX (CHUNK_MAX_BYTES - HWS_DATA_HEADER_LEN)

HWS_SOCKOPT_SET(maxseg)
{
    uint32_t bytes = value->assoc_value.assoc_value;
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    if (bytes != 0 && (bytes < MAXSEG_MIN || bytes > MAXSEG_MAX))
        return -EINVAL;
    params.max_fragment_bytes = bytes;
    return rc == 0 ? hws_sockopt_store(target, &params) : rc;
}

/* Of an association the kernel tells what its chunks hold, not what was set. */
HWS_SOCKOPT_GET(maxseg)
{
    struct hws_assoc_status status;
    if (target->assoc == 0) {
        value->assoc_value.assoc_value = target->sock->params.max_fragment_bytes;
        return 0;
    }
    int rc = hws_assoc_status(target->sock->sockets->engine, target->assoc, &status);
    value->assoc_value.assoc_value = status.fragmentation_point;
    return hws_sockopt_errno(rc);
}

/* ---- SCTP_MAX_BURST (8.1.24): packets; 0: no limit ---- */

HWS_SOCKOPT_SET(max_burst)
{
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    params.max_burst_packets = value->assoc_value.assoc_value;
    return rc == 0 ? hws_sockopt_store(target, &params) : rc;
}

HWS_SOCKOPT_GET(max_burst)
{
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    value->assoc_value.assoc_value = params.max_burst_packets;
    return rc;
}

/* ---- SCTP_DEFAULT_SNDINFO (8.1.31), SCTP_DEFAULT_SEND_PARAM (8.1.14) ---- */

#define DEFAULT_FLAGS (SCTP_UNORDERED | SCTP_ADDR_OVER | SCTP_ABORT | SCTP_EOF)

HWS_SOCKOPT_SET(default_sndinfo)
{
    const struct sctp_sndinfo *in = &value->sndinfo;
    if ((in->snd_flags & ~DEFAULT_FLAGS) != 0)
        return -EINVAL;
    target->options->send_sid = in->snd_sid;
    target->options->send_flags = in->snd_flags;
    target->options->send_ppid = in->snd_ppid;
    target->options->send_context = in->snd_context;
    return 0;
}

HWS_SOCKOPT_GET(default_sndinfo)
{
    value->sndinfo.snd_sid = target->options->send_sid;
    value->sndinfo.snd_flags = target->options->send_flags;
    value->sndinfo.snd_ppid = target->options->send_ppid;
    value->sndinfo.snd_context = target->options->send_context;
    return 0;
}

HWS_SOCKOPT_SET(default_sndrcvinfo)
{
    const struct sctp_sndrcvinfo *in = &value->sndrcvinfo;
    if ((in->sinfo_flags & ~DEFAULT_FLAGS) != 0)
        return -EINVAL;
    target->options->send_sid = in->sinfo_stream;
    target->options->send_flags = in->sinfo_flags;
    target->options->send_ppid = in->sinfo_ppid;
    target->options->send_context = in->sinfo_context;
    target->options->send_timetolive_ms = in->sinfo_timetolive;
    return 0;
}

HWS_SOCKOPT_GET(default_sndrcvinfo)
{
    value->sndrcvinfo.sinfo_stream = target->options->send_sid;
    value->sndrcvinfo.sinfo_flags = target->options->send_flags;
    value->sndrcvinfo.sinfo_ppid = target->options->send_ppid;
    value->sndrcvinfo.sinfo_context = target->options->send_context;
    value->sndrcvinfo.sinfo_timetolive = target->options->send_timetolive_ms;
    return 0;
}

/* ---- SCTP_DISABLE_FRAGMENTS (8.1.11), SCTP_EXPLICIT_EOR (8.1.26) ---- */

HWS_SOCKOPT_SWITCH(no_fragments, no_fragments)
HWS_SOCKOPT_SWITCH(explicit_eor, explicit_eor)
