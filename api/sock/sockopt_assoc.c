/* What an association is, and which there are (RFC 6458, 8.2). */
#include <errno.h>
#include <string.h>

#include "api/sock/sockopt_value.h"

/* ---- SCTP_STATUS (8.2.1) ---- */

static uint16_t saturate(uint64_t count)
{
    return count < UINT16_MAX ? (uint16_t)count : UINT16_MAX;
}

HWS_SOCKOPT_GET(status)
{
    const struct hws_sock *sock = target->sock;
    struct hws_assoc_status status;
    int rc = hws_assoc_status(sock->sockets->engine, target->assoc, &status);
    if (rc < 0)
        return hws_sockopt_errno(rc);
    value->status = (struct sctp_status){
        .sstat_assoc_id = target->member->id,
        .sstat_state = (int)status.state - (int)HWS_STATE_CLOSED + (int)SCTP_CLOSED,
        .sstat_rwnd = status.peer_rwnd,
        .sstat_unackdata = saturate(status.unacked_chunks),
        .sstat_penddata = saturate(status.messages_ready - status.messages_taken),
        .sstat_instrms = status.instreams,
        .sstat_outstrms = status.ostreams,
        .sstat_fragmentation_point = status.fragmentation_point,
    };
    struct sctp_paddrinfo primary;
    rc = hws_sockopt_write_paddrinfo(target->member, status.primary, &primary);
    value->status.sstat_primary = primary;
    return rc;
}

/* ---- SCTP_GET_ASSOC_STATS (of the kernel) ---- */

/* Where no RTO was computed since it was last asked for: that of the primary path. */
static int complete(const struct hws_sockopt_target *target, struct hws_assoc_counts *counts)
{
    struct hws_assoc_status status;
    struct hws_path_status path;
    if (counts->rto_max_us != 0)
        return HWS_OK;
    int rc = hws_sock_primary_path(target->sock->sockets, target->assoc, &status, &path);
    if (rc == HWS_OK) {
        counts->rto_max_us = path.rto_us;
        counts->rto_max_remote = path.remote;
    }
    return rc;
}

HWS_SOCKOPT_GET(assoc_stats)
{
    const struct hws_sock *sock = target->sock;
    struct hws_assoc_counts counts;
    struct sockaddr_storage address;
    int rc = hws_assoc_counts(sock->sockets->engine, target->assoc, &counts);
    if (rc == HWS_OK)
        rc = complete(target, &counts);
    if (rc < 0)
        return hws_sockopt_errno(rc);
    hws_sock_write_address(sock, &counts.rto_max_remote, target->member->remote_port, &address);
    value->assoc_stats = (struct sctp_assoc_stats){
        .sas_assoc_id = value->assoc_stats.sas_assoc_id,
        .sas_obs_rto_ipaddr = address,
        .sas_maxrto = counts.rto_max_us / HWS_US_PER_MS,
        .sas_isacks = counts.sacks_in,
        .sas_osacks = counts.sacks_out,
        .sas_opackets = counts.packets_out,
        .sas_ipackets = counts.packets_in,
        .sas_rtxchunks = counts.retransmits,
        .sas_outofseqtsns = counts.out_of_sequence_in,
        .sas_idupchunks = counts.duplicates_in,
        .sas_gapcnt = counts.gap_blocks_in,
        .sas_ouodchunks = counts.data_out_unordered,
        .sas_iuodchunks = counts.data_in_unordered,
        .sas_oodchunks = counts.data_out_ordered,
        .sas_iodchunks = counts.data_in_ordered,
        .sas_octrlchunks = counts.control_out,
        .sas_ictrlchunks = counts.control_in,
    };
    return 0;
}

/* ---- SCTP_GET_ASSOC_NUMBER (8.2.5), SCTP_GET_ASSOC_ID_LIST (8.2.6) ---- */

HWS_SOCKOPT_GET(assoc_number)
{
    value->count = target->sock->live_count;
    return 0;
}

int hws_sockopt_get_assoc_ids(const struct hws_sock *sock, void *value, socklen_t *len)
{
    struct sctp_assoc_ids head = {.gaids_number_of_ids = sock->live_count};
    size_t needed = sizeof(head) + sock->live_count * sizeof(sctp_assoc_t);
    uint8_t *at = (uint8_t *)value + sizeof(head);
    if (*len < needed)
        return -EINVAL;
    memcpy(value, &head, sizeof(head));
    for (const struct hws_member *member = hws_sock_first_member(sock); member != NULL;
         member = hws_sock_next_member(member)) {
        memcpy(at, &member->id, sizeof(member->id));
        at += sizeof(member->id);
    }
    *len = (socklen_t)needed;
    return 0;
}
