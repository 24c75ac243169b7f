/* The options about paths. The value's address names a path; a wildcard (or nothing) stands for the
 * association and all its paths or, while there is none, for the associations to come. */
#include <arpa/inet.h>
#include <errno.h>

#include "api/sock/sockaddr.h"
#include "api/sock/sockopt_value.h"

/* ---- Parameters of a path, or of all ---- */

static bool is_path(const struct hws_sockopt_target *target)
{
    return target->path < HWS_LIMIT_PATHS;
}

static struct hws_engine *engine_of(const struct hws_sockopt_target *target)
{
    return target->sock->sockets->engine;
}

static int load_path(const struct hws_sockopt_target *target, uint32_t index,
                     struct hws_path_params *out)
{
    return hws_sockopt_errno(hws_path_params(engine_of(target), target->assoc, index, out));
}

static int load(const struct hws_sockopt_target *target, struct hws_path_params *out)
{
    struct hws_params params;
    if (is_path(target))
        return load_path(target, target->path, out);
    int rc = hws_sockopt_load(target, &params);
    if (rc == 0)
        *out = (struct hws_path_params){.hb_interval_us = params.hb_interval_us,
                                        .no_heartbeats = params.no_heartbeats,
                                        .path_max_retrans = params.path_max_retrans,
                                        .pf_max_retrans = params.pf_max_retrans,
                                        .mtu = params.mtu,
                                        .pmtud = params.pmtud,
                                        .pmtud_interval_us = params.pmtud_interval_us,
                                        .tos = params.tos};
    return rc;
}

static int store(const struct hws_sockopt_target *target, const struct hws_path_params *path)
{
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    if (rc < 0)
        return rc;
    params.hb_interval_us = path->hb_interval_us;
    params.no_heartbeats = path->no_heartbeats;
    params.path_max_retrans = path->path_max_retrans;
    params.pf_max_retrans = path->pf_max_retrans;
    params.mtu = path->mtu;
    params.pmtud = path->pmtud;
    params.pmtud_interval_us = path->pmtud_interval_us;
    params.tos = path->tos;
    return hws_sockopt_store(target, &params);
}

typedef void change_function(const union hws_sockopt_value *value, struct hws_path_params *path);

static int change_path(const struct hws_sockopt_target *target, uint32_t index,
                       change_function *change, const union hws_sockopt_value *value)
{
    struct hws_path_params path;
    int rc = load_path(target, index, &path);
    if (rc < 0)
        return rc;
    change(value, &path);
    return hws_sockopt_errno(
        hws_path_set_params(engine_of(target), target->assoc, index, &path, target->now_us));
}

/* What is said of an association holds for each of its paths, whatever it had of its own. */
static int change_all_paths(const struct hws_sockopt_target *target, change_function *change,
                            const union hws_sockopt_value *value)
{
    struct hws_assoc_status status = {.path_count = 0};
    int rc = 0;
    if (target->assoc != 0)
        rc = hws_sockopt_errno(hws_assoc_status(engine_of(target), target->assoc, &status));
    for (uint32_t i = 0; rc == 0 && i < status.path_count; i++)
        rc = change_path(target, i, change, value);
    return rc;
}

static int change_paths(const struct hws_sockopt_target *target, change_function *change,
                        const union hws_sockopt_value *value)
{
    struct hws_path_params path;
    if (is_path(target))
        return change_path(target, target->path, change, value);
    int rc = load(target, &path);
    if (rc < 0)
        return rc;
    change(value, &path);
    rc = store(target, &path);
    return rc == 0 ? change_all_paths(target, change, value) : rc;
}

/* ---- SCTP_PEER_ADDR_PARAMS (RFC 6458, 8.1.12) ---- */

#define DSCP_BITS 0xfcu

static bool both(uint32_t flags, uint32_t pair)
{
    return (flags & pair) == pair;
}

static int check_paddrparams(const struct hws_sockopt_target *target,
                             const struct sctp_paddrparams *in)
{
    bool needs_association = (in->spp_flags & SPP_HB_DEMAND) != 0;
    bool not_in_legacy = (in->spp_flags & (SPP_DSCP | SPP_IPV6_FLOWLABEL)) != 0;
    if (both(in->spp_flags, SPP_HB) || both(in->spp_flags, SPP_PMTUD) ||
        both(in->spp_flags, SPP_SACKDELAY) || !hws_sockopt_ms_ok(in->spp_hbinterval) ||
        in->spp_sackdelay > HWS_SOCKOPT_SACK_DELAY_MAX_MS ||
        (in->spp_pathmtu != 0 &&
         (in->spp_pathmtu < HWS_LIMIT_MTU_MIN || in->spp_pathmtu > HWS_LIMIT_MTU_MAX)) ||
        (needs_association && target->assoc == 0) || (not_in_legacy && target->len < sizeof(*in)))
        return -EINVAL;
    return (in->spp_flags & SPP_IPV6_FLOWLABEL) == 0 ? 0 : -EOPNOTSUPP;
}

/* No interval of its own, so a HEARTBEAT every RTO (8.3): the engine's 0 means none at all. */
#define HB_TIME_ZERO_US 1u

static void change_heartbeat(const struct sctp_paddrparams *in, struct hws_path_params *path)
{
    if ((in->spp_flags & SPP_HB_DISABLE) != 0)
        path->no_heartbeats = true;
    if ((in->spp_flags & SPP_HB_ENABLE) == 0)
        return;
    path->no_heartbeats = false;
    if ((in->spp_flags & SPP_HB_TIME_IS_ZERO) != 0)
        path->hb_interval_us = HB_TIME_ZERO_US;
    else if (in->spp_hbinterval != 0)
        path->hb_interval_us = in->spp_hbinterval * HWS_US_PER_MS;
}

static void change_mtu(const struct sctp_paddrparams *in, struct hws_path_params *path)
{
    if ((in->spp_flags & SPP_PMTUD_ENABLE) != 0) {
        path->pmtud = true;
        path->mtu = 0;
    }
    if ((in->spp_flags & SPP_PMTUD_DISABLE) != 0) {
        path->pmtud = false;
        if (in->spp_pathmtu != 0)
            path->mtu = in->spp_pathmtu;
    }
}

/* SACKs are the association's: a path has no delay of its own. */
static int change_sack_delay(const struct hws_sockopt_target *target,
                             const struct sctp_paddrparams *in)
{
    union hws_sockopt_value sack;
    if ((in->spp_flags & SPP_SACKDELAY) == 0)
        return 0;
    int rc = hws_sockopt_get_delayed_sack(target, &sack);
    if ((in->spp_flags & SPP_SACKDELAY_DISABLE) != 0)
        sack.sack_info = (struct sctp_sack_info){.sack_freq = 1};
    else if (sack.sack_info.sack_freq == 1)
        sack.sack_info = (struct sctp_sack_info){.sack_freq = HWS_SOCKOPT_SACK_PACKETS};
    if ((in->spp_flags & SPP_SACKDELAY_ENABLE) != 0)
        sack.sack_info.sack_delay = in->spp_sackdelay;
    return rc == 0 ? hws_sockopt_set_delayed_sack(target, &sack) : rc;
}

static int demand_heartbeats(const struct hws_sockopt_target *target)
{
    struct hws_assoc_status status;
    if (is_path(target))
        return hws_sockopt_errno(
            hws_assoc_heartbeat(engine_of(target), target->assoc, target->path, target->now_us));
    int rc = hws_sockopt_errno(hws_assoc_status(engine_of(target), target->assoc, &status));
    for (uint32_t i = 0; rc == 0 && i < status.path_count; i++)
        rc = hws_sockopt_errno(
            hws_assoc_heartbeat(engine_of(target), target->assoc, i, target->now_us));
    return rc;
}

static void change_paddrparams(const union hws_sockopt_value *value, struct hws_path_params *path)
{
    const struct sctp_paddrparams *in = &value->paddrparams;
    change_heartbeat(in, path);
    change_mtu(in, path);
    if (in->spp_pathmaxrxt != 0)
        path->path_max_retrans = in->spp_pathmaxrxt;
    if ((in->spp_flags & SPP_DSCP) != 0)
        path->tos = in->spp_dscp & DSCP_BITS;
}

HWS_SOCKOPT_SET(paddrparams)
{
    const struct sctp_paddrparams *in = &value->paddrparams;
    int rc = check_paddrparams(target, in);
    if (rc == 0)
        rc = change_paths(target, change_paddrparams, value);
    if (rc == 0)
        rc = change_sack_delay(target, in);
    return rc == 0 && (in->spp_flags & SPP_HB_DEMAND) != 0 ? demand_heartbeats(target) : rc;
}

/* Of an association: that of the path with the smallest. Of those to come: what was set. */
static uint32_t path_mtu(const struct hws_sockopt_target *target)
{
    struct hws_path_status path;
    struct hws_assoc_status status = {.path_count = 0};
    uint32_t mtu = 0;
    if (target->assoc == 0)
        return target->sock->params.mtu;
    hws_assoc_status(engine_of(target), target->assoc, &status);
    for (uint32_t i = 0; i < status.path_count; i++) {
        if ((!is_path(target) || i == target->path) &&
            hws_assoc_path_status(engine_of(target), target->assoc, i, &path) == HWS_OK)
            mtu = mtu == 0 || path.mtu < mtu ? path.mtu : mtu;
    }
    return mtu;
}

HWS_SOCKOPT_GET(paddrparams)
{
    struct sctp_paddrparams *out = &value->paddrparams;
    struct hws_path_params path;
    struct hws_params params;
    int rc = load(target, &path);
    if (rc == 0)
        rc = hws_sockopt_load(target, &params);
    if (rc < 0)
        return rc;
    out->spp_hbinterval = path.hb_interval_us / HWS_US_PER_MS;
    out->spp_pathmaxrxt = path.path_max_retrans;
    out->spp_pathmtu = path_mtu(target);
    out->spp_sackdelay = params.sack_delay_us / HWS_US_PER_MS;
    out->spp_dscp = path.tos & DSCP_BITS;
    out->spp_flags = (path.no_heartbeats ? SPP_HB_DISABLE : SPP_HB_ENABLE) |
                     (path.pmtud ? SPP_PMTUD_ENABLE : SPP_PMTUD_DISABLE) |
                     (params.sack_packets > 1 ? SPP_SACKDELAY_ENABLE : SPP_SACKDELAY_DISABLE) |
                     ((path.tos & DSCP_BITS) != 0 && target->len >= sizeof(*out) ? SPP_DSCP : 0u);
    return 0;
}

/* ---- SCTP_PEER_ADDR_THLDS (RFC 7829, 7.2) ---- */

static void change_paddrthlds(const union hws_sockopt_value *value, struct hws_path_params *path)
{
    const struct sctp_paddrthlds *in = &value->paddrthlds;
    if (in->spt_pathmaxrxt != 0)
        path->path_max_retrans = in->spt_pathmaxrxt;
    path->pf_max_retrans = in->spt_pathpfthld;
}

HWS_SOCKOPT_SET(paddrthlds)
{
    return change_paths(target, change_paddrthlds, value);
}

HWS_SOCKOPT_GET(paddrthlds)
{
    struct hws_path_params path;
    int rc = load(target, &path);
    value->paddrthlds.spt_pathmaxrxt = path.path_max_retrans;
    value->paddrthlds.spt_pathpfthld = path.pf_max_retrans;
    return rc;
}

/* ---- SCTP_PEER_ADDR_THLDS_V2: with the threshold of Primary Path Switchover (RFC 7829, 5.2),
 * which is optional and which the engine does not have: as in the kernel, UINT16_MAX says so ----
 */

#define NO_SWITCHOVER UINT16_MAX

HWS_SOCKOPT_SET(paddrthlds_v2)
{
    const struct sctp_paddrthlds_v2 *in = &value->paddrthlds_v2;
    if (in->spt_pathpfthld > in->spt_pathcpthld)
        return -EINVAL;
    if (in->spt_pathcpthld != NO_SWITCHOVER)
        return -EOPNOTSUPP;
    return change_paths(target, change_paddrthlds, value); /* begins as the older structure */
}

HWS_SOCKOPT_GET(paddrthlds_v2)
{
    int rc = hws_sockopt_get_paddrthlds(target, value);
    value->paddrthlds_v2.spt_pathcpthld = NO_SWITCHOVER;
    return rc;
}

/* ---- SCTP_PLPMTUD_PROBE_INTERVAL (of the kernel): milliseconds, 0: no probing ---- */

#define PROBE_INTERVAL_MIN_MS 5000u

static void change_probe_interval(const union hws_sockopt_value *value,
                                  struct hws_path_params *path)
{
    path->pmtud = value->probeinterval.spi_interval != 0;
    hws_sockopt_set_ms(&path->pmtud_interval_us, value->probeinterval.spi_interval);
}

HWS_SOCKOPT_SET(probe_interval)
{
    uint32_t ms = value->probeinterval.spi_interval;
    if ((ms != 0 && ms < PROBE_INTERVAL_MIN_MS) || !hws_sockopt_ms_ok(ms))
        return -EINVAL;
    return change_paths(target, change_probe_interval, value);
}

HWS_SOCKOPT_GET(probe_interval)
{
    struct hws_path_params path;
    int rc = load(target, &path);
    value->probeinterval.spi_interval = path.pmtud ? path.pmtud_interval_us / HWS_US_PER_MS : 0;
    return rc;
}

/* ---- SCTP_REMOTE_UDP_ENCAPS_PORT (RFC 6951, 6.1): in network order ---- */

static int set_encapsulation(const struct hws_sockopt_target *target, uint16_t udp_port)
{
    struct hws_assoc_status status;
    if (is_path(target))
        return hws_sockopt_errno(
            hws_path_set_encapsulation(engine_of(target), target->assoc, target->path, udp_port));
    int rc = hws_sockopt_errno(hws_assoc_status(engine_of(target), target->assoc, &status));
    for (uint32_t i = 0; rc == 0 && i < status.path_count; i++)
        rc = hws_sockopt_errno(
            hws_path_set_encapsulation(engine_of(target), target->assoc, i, udp_port));
    return rc;
}

/* Whether there is a UDP header is the link's, for all of its packets. */
HWS_SOCKOPT_SET(encapsulation)
{
    uint16_t udp_port = ntohs(value->udpencaps.sue_port);
    if ((udp_port != 0) != target->sock->sockets->link.encapsulates)
        return -EOPNOTSUPP;
    if (target->assoc != 0)
        return set_encapsulation(target, udp_port);
    target->sock->options.peer_udp_port = udp_port;
    return 0;
}

HWS_SOCKOPT_GET(encapsulation)
{
    uint16_t udp_port = hws_sock_peer_udp_port(target->sock);
    struct hws_path_status path;
    uint32_t index = is_path(target) ? target->path : 0;
    if (target->assoc != 0 &&
        hws_assoc_path_status(engine_of(target), target->assoc, index, &path) == HWS_OK)
        udp_port = path.remote.udp_port;
    value->udpencaps.sue_port = htons(udp_port);
    return 0;
}

/* ---- SCTP_PRIMARY_ADDR (RFC 6458, 8.1.9) ---- */

HWS_SOCKOPT_SET(primary)
{
    (void)value;
    return hws_sockopt_errno(
        hws_assoc_set_primary(engine_of(target), target->assoc, target->path, target->now_us));
}

HWS_SOCKOPT_GET(primary)
{
    struct hws_assoc_status status;
    struct hws_path_status path;
    struct sockaddr_storage address;
    int rc = hws_sock_primary_path(target->sock->sockets, target->assoc, &status, &path);
    if (rc < 0)
        return hws_sockopt_errno(rc);
    hws_sock_write_address(target->sock, &path.remote, status.remote_port, &address);
    value->prim.ssp_addr = address;
    return 0;
}

/* ---- SCTP_GET_PEER_ADDR_INFO (RFC 6458, 8.2.2) ---- */

int hws_sockopt_path_state(const struct hws_path_status *path)
{
    static const int states[] = {
        [HWS_PATH_UNCONFIRMED] = SCTP_UNCONFIRMED,
        [HWS_PATH_ACTIVE] = SCTP_ACTIVE,
        [HWS_PATH_POTENTIALLY_FAILED] = SCTP_PF,
        [HWS_PATH_INACTIVE] = SCTP_INACTIVE,
    };
    return states[path->state];
}

int hws_sockopt_write_paddrinfo(const struct hws_member *member, uint32_t index,
                                struct sctp_paddrinfo *out)
{
    struct hws_path_status path;
    struct sockaddr_storage address;
    int rc = hws_assoc_path_status(member->sock->sockets->engine, member->assoc, index, &path);
    if (rc < 0)
        return hws_sockopt_errno(rc);
    hws_sock_write_address(member->sock, &path.remote, member->remote_port, &address);
    *out = (struct sctp_paddrinfo){
        .spinfo_assoc_id = member->id,
        .spinfo_address = address,
        .spinfo_state = hws_sockopt_path_state(&path),
        .spinfo_cwnd = path.cwnd,
        .spinfo_srtt = path.srtt_us / HWS_US_PER_MS,
        .spinfo_rto = path.rto_us / HWS_US_PER_MS,
        .spinfo_mtu = path.mtu,
    };
    return 0;
}

HWS_SOCKOPT_GET(paddrinfo)
{
    struct sctp_paddrinfo info;
    int rc = hws_sockopt_write_paddrinfo(target->member, target->path, &info);
    if (rc < 0)
        return rc;
    if (info.spinfo_state == SCTP_PF && target->options->expose_pf == HWS_EXPOSE_PF_NO)
        return -EACCES;
    value->paddrinfo = info;
    return 0;
}

/* ---- SCTP_EXPOSE_POTENTIALLY_FAILED_STATE (RFC 7829, 7.3) ---- */

HWS_SOCKOPT_SET(expose_pf)
{
    uint32_t expose = value->assoc_value.assoc_value;
    if (expose > HWS_EXPOSE_PF_YES)
        return -EINVAL;
    target->options->expose_pf = (uint8_t)expose;
    return 0;
}

HWS_SOCKOPT_GET(expose_pf)
{
    value->assoc_value.assoc_value = target->options->expose_pf;
    return 0;
}
