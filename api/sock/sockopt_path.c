/* The options about paths. The value's address names a path; a wildcard (or nothing) stands for the
 * association and all its paths or, while there is none, for the associations to come. */
#include <errno.h>

#include "api/sock/sockaddr.h"
#include "api/sock/sockopt_value.h"

/* What is set: a path, or with `index` HWS_LIMIT_PATHS the association or the endpoint. */
struct scope {
    struct hws_sock *sock;
    uint32_t index;
    struct hws_path_params path;
};

static struct hws_engine *engine_of(const struct scope *scope)
{
    return scope->sock->sockets->engine;
}

static bool is_path(const struct scope *scope)
{
    return scope->index < HWS_LIMIT_PATHS;
}

static int find_path(const struct hws_sock *sock, const struct sockaddr_storage *address,
                     uint32_t *index)
{
    struct hws_addr remote;
    uint16_t port;
    const struct sockaddr *sa = (const struct sockaddr *)(const void *)address;
    int rc = hws_sockaddr_read(sa, sizeof(*address), &remote, &port);
    return rc < 0 ? rc : hws_sock_find_path(sock, &remote, port, index);
}

static bool names_path(const struct sockaddr_storage *address)
{
    struct hws_addr remote;
    uint16_t port;
    const struct sockaddr *sa = (const struct sockaddr *)(const void *)address;
    return address->ss_family != AF_UNSPEC &&
           (hws_sockaddr_read(sa, sizeof(*address), &remote, &port) < 0 ||
            remote.family != HWS_FAMILY_NONE);
}

static int load_common(struct scope *scope)
{
    struct hws_params params;
    int rc = hws_sock_params(scope->sock, &params);
    if (rc == 0)
        scope->path = (struct hws_path_params){.hb_interval_us = params.hb_interval_us,
                                               .path_max_retrans = params.path_max_retrans,
                                               .pf_max_retrans = params.pf_max_retrans,
                                               .pmtud = params.pmtud};
    return rc;
}

static int load(struct hws_sock *sock, const struct sockaddr_storage *address, struct scope *scope)
{
    *scope = (struct scope){.sock = sock, .index = HWS_LIMIT_PATHS};
    if (!names_path(address))
        return load_common(scope);
    int rc = find_path(sock, address, &scope->index);
    if (rc == 0)
        rc = -hws_sock_errno(
            hws_path_params(engine_of(scope), sock->assoc, scope->index, &scope->path));
    return rc;
}

static int store_path(const struct scope *scope, uint64_t now_us)
{
    return -hws_sock_errno(hws_path_set_params(engine_of(scope), scope->sock->assoc, scope->index,
                                               &scope->path, now_us));
}

/* An MTU is a path's only: the association has none to hand down. */
static int store_mtu(const struct scope *scope, uint64_t now_us)
{
    const struct hws_sock *sock = scope->sock;
    struct hws_assoc_status status;
    if (sock->assoc == 0 || hws_assoc_status(engine_of(scope), sock->assoc, &status) < 0)
        return -EINVAL;
    int rc = 0;
    for (uint32_t i = 0; i < status.path_count && rc == 0; i++) {
        struct scope one = {.sock = scope->sock, .index = i};
        rc = -hws_sock_errno(hws_path_params(engine_of(&one), sock->assoc, i, &one.path));
        one.path.mtu = scope->path.mtu;
        if (rc == 0)
            rc = store_path(&one, now_us);
    }
    return rc;
}

static int store(const struct scope *scope, uint64_t now_us)
{
    struct hws_params params;
    if (is_path(scope))
        return store_path(scope, now_us);
    int rc = hws_sock_params(scope->sock, &params);
    if (rc < 0)
        return rc;
    params.hb_interval_us = scope->path.hb_interval_us;
    params.path_max_retrans = scope->path.path_max_retrans;
    params.pf_max_retrans = scope->path.pf_max_retrans;
    params.pmtud = scope->path.pmtud;
    rc = hws_sock_set_params(scope->sock, &params, now_us);
    return rc == 0 && scope->path.mtu != 0 ? store_mtu(scope, now_us) : rc;
}

/* ---- SCTP_PEER_ADDR_PARAMS (RFC 6458, 8.1.12) ---- */

static bool both(uint32_t flags, uint32_t pair)
{
    return (flags & pair) == pair;
}

static int check_paddrparams(const struct sctp_paddrparams *in)
{
    const uint32_t known = SPP_HB | SPP_HB_DEMAND | SPP_PMTUD | SPP_HB_TIME_IS_ZERO;
    if (both(in->spp_flags, SPP_HB) || both(in->spp_flags, SPP_PMTUD) ||
        in->spp_hbinterval > HWS_SOCKOPT_MS_MAX ||
        (in->spp_pathmtu != 0 &&
         (in->spp_pathmtu < HWS_LIMIT_MTU_MIN || in->spp_pathmtu > HWS_LIMIT_MTU_MAX)))
        return -EINVAL;
    return (in->spp_flags & ~known) == 0 ? 0 : -EOPNOTSUPP;
}

/* No interval of its own, so a HEARTBEAT every RTO (8.3): the engine's 0 means none at all. */
#define HB_TIME_ZERO_US 1u

static void change_heartbeat(const struct sctp_paddrparams *in, struct hws_path_params *path)
{
    struct hws_params defaults;
    hws_params_default(&defaults);
    if ((in->spp_flags & SPP_HB_DISABLE) != 0)
        path->hb_interval_us = 0;
    if ((in->spp_flags & SPP_HB_ENABLE) == 0)
        return;
    if ((in->spp_flags & SPP_HB_TIME_IS_ZERO) != 0)
        path->hb_interval_us = HB_TIME_ZERO_US;
    else if (in->spp_hbinterval != 0)
        path->hb_interval_us = in->spp_hbinterval * HWS_US_PER_MS;
    else if (path->hb_interval_us == 0)
        path->hb_interval_us = defaults.hb_interval_us;
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

static int demand_heartbeat(const struct scope *scope, uint64_t now_us)
{
    if (!is_path(scope))
        return -EINVAL;
    return -hws_sock_errno(
        hws_assoc_heartbeat(engine_of(scope), scope->sock->assoc, scope->index, now_us));
}

int hws_sockopt_set_paddrparams(struct hws_sock *sock, const union hws_sockopt_value *value,
                                uint64_t now_us)
{
    const struct sctp_paddrparams *in = &value->paddrparams;
    struct sockaddr_storage address = in->spp_address;
    struct scope scope;
    int rc = check_paddrparams(in);
    if (rc == 0)
        rc = load(sock, &address, &scope);
    if (rc < 0)
        return rc;
    change_heartbeat(in, &scope.path);
    change_mtu(in, &scope.path);
    if (in->spp_pathmaxrxt != 0)
        scope.path.path_max_retrans = in->spp_pathmaxrxt;
    rc = store(&scope, now_us);
    return rc == 0 && (in->spp_flags & SPP_HB_DEMAND) != 0 ? demand_heartbeat(&scope, now_us) : rc;
}

static uint32_t path_mtu(const struct scope *scope)
{
    struct hws_path_status status;
    bool found = is_path(scope) && hws_assoc_path_status(engine_of(scope), scope->sock->assoc,
                                                         scope->index, &status) == HWS_OK;
    return found ? status.mtu : 0;
}

int hws_sockopt_get_paddrparams(struct hws_sock *sock, union hws_sockopt_value *value)
{
    struct sctp_paddrparams *out = &value->paddrparams;
    struct sockaddr_storage address = out->spp_address;
    struct scope scope;
    int rc = load(sock, &address, &scope);
    if (rc < 0)
        return rc;
    *out = (struct sctp_paddrparams){
        .spp_address = address,
        .spp_hbinterval = scope.path.hb_interval_us / HWS_US_PER_MS,
        .spp_pathmaxrxt = scope.path.path_max_retrans,
        .spp_pathmtu = path_mtu(&scope),
        .spp_flags = (scope.path.hb_interval_us != 0 ? SPP_HB_ENABLE : SPP_HB_DISABLE) |
                     (scope.path.hb_interval_us == HB_TIME_ZERO_US ? SPP_HB_TIME_IS_ZERO : 0u) |
                     (scope.path.pmtud ? SPP_PMTUD_ENABLE : SPP_PMTUD_DISABLE),
    };
    return 0;
}

/* ---- SCTP_PEER_ADDR_THLDS (RFC 7829, 7.2) ---- */

int hws_sockopt_set_paddrthlds(struct hws_sock *sock, const union hws_sockopt_value *value,
                               uint64_t now_us)
{
    const struct sctp_paddrthlds *in = &value->paddrthlds;
    struct sockaddr_storage address = in->spt_address;
    struct scope scope;
    int rc = load(sock, &address, &scope);
    if (rc < 0)
        return rc;
    if (in->spt_pathmaxrxt != 0)
        scope.path.path_max_retrans = in->spt_pathmaxrxt;
    scope.path.pf_max_retrans = in->spt_pathpfthld;
    return store(&scope, now_us);
}

int hws_sockopt_get_paddrthlds(struct hws_sock *sock, union hws_sockopt_value *value)
{
    struct sctp_paddrthlds *out = &value->paddrthlds;
    struct sockaddr_storage address = out->spt_address;
    struct scope scope;
    int rc = load(sock, &address, &scope);
    if (rc < 0)
        return rc;
    *out = (struct sctp_paddrthlds){.spt_address = address,
                                    .spt_pathmaxrxt = scope.path.path_max_retrans,
                                    .spt_pathpfthld = scope.path.pf_max_retrans};
    return 0;
}

/* ---- SCTP_PRIMARY_ADDR (RFC 6458, 8.1.11) ---- */

int hws_sockopt_set_primary(struct hws_sock *sock, const union hws_sockopt_value *value,
                            uint64_t now_us)
{
    struct sockaddr_storage address = value->prim.ssp_addr;
    uint32_t index;
    int rc = find_path(sock, &address, &index);
    if (rc < 0)
        return rc;
    return -hws_sock_errno(
        hws_assoc_set_primary(sock->sockets->engine, sock->assoc, index, now_us));
}

int hws_sockopt_get_primary(struct hws_sock *sock, union hws_sockopt_value *value)
{
    const struct hws_engine *engine = sock->sockets->engine;
    struct hws_assoc_status status;
    struct hws_path_status path;
    struct sockaddr_storage address;
    if (sock->assoc == 0 || hws_assoc_status(engine, sock->assoc, &status) < 0 ||
        hws_assoc_path_status(engine, sock->assoc, status.primary, &path) < 0)
        return -ENOTCONN;
    hws_sockaddr_write(&path.remote, status.remote_port, &address);
    value->prim = (struct sctp_prim){.ssp_addr = address};
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

void hws_sockopt_write_paddrinfo(const struct hws_path_status *path, uint16_t port,
                                 struct sctp_paddrinfo *out)
{
    struct sockaddr_storage address;
    hws_sockaddr_write(&path->remote, port, &address);
    *out = (struct sctp_paddrinfo){
        .spinfo_address = address,
        .spinfo_state = hws_sockopt_path_state(path),
        .spinfo_cwnd = path->cwnd,
        .spinfo_srtt = path->srtt_us / HWS_US_PER_MS,
        .spinfo_rto = path->rto_us / HWS_US_PER_MS,
        .spinfo_mtu = path->mtu,
    };
}

int hws_sockopt_get_paddrinfo(struct hws_sock *sock, union hws_sockopt_value *value)
{
    struct sockaddr_storage address = value->paddrinfo.spinfo_address;
    struct hws_assoc_status status;
    struct hws_path_status path;
    const struct hws_engine *engine = sock->sockets->engine;
    uint32_t index;
    int rc = find_path(sock, &address, &index);
    if (rc < 0)
        return rc;
    if (hws_assoc_status(engine, sock->assoc, &status) < 0 ||
        hws_assoc_path_status(engine, sock->assoc, index, &path) < 0)
        return -EINVAL;
    hws_sockopt_write_paddrinfo(&path, status.remote_port, &value->paddrinfo);
    return 0;
}
