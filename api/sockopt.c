#include "api/sockopt.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/sctp.h>

#include "api/sockaddr.h"

#define US_PER_MS 1000u
#define RTO_MAX_MS (UINT32_MAX / US_PER_MS)

/* What an option's structure can be, aligned for any of them. */
union value {
    int number;
    struct sctp_initmsg initmsg;
    struct sctp_rtoinfo rtoinfo;
    struct sctp_status status;
};

/* Either function may be NULL; both answer 0 or a negative errno. `set` changes a copy of the
 * parameters. */
struct row {
    int level, option;
    socklen_t size;
    int (*set)(struct hws_params *params, const union value *value);
    int (*get)(struct hws_sock *sock, union value *value);
};

/* ---- SCTP_INITMSG (8.1.3): 0 leaves a field as it is ---- */

static int set_initmsg(struct hws_params *params, const union value *value)
{
    const struct sctp_initmsg *in = &value->initmsg;
    if (in->sinit_num_ostreams != 0)
        params->ostreams = in->sinit_num_ostreams;
    if (in->sinit_max_instreams != 0)
        params->max_instreams = in->sinit_max_instreams;
    if (in->sinit_max_attempts != 0)
        params->max_init_retrans = in->sinit_max_attempts;
    return in->sinit_max_init_timeo == 0 ? 0 : -EINVAL;
}

static int get_initmsg(struct hws_sock *sock, union value *value)
{
    value->initmsg = (struct sctp_initmsg){.sinit_num_ostreams = sock->params.ostreams,
                                           .sinit_max_instreams = sock->params.max_instreams,
                                           .sinit_max_attempts = sock->params.max_init_retrans};
    return 0;
}

/* ---- SCTP_RTOINFO (8.1.1): milliseconds, 0 leaves a field as it is ---- */

static void set_ms(uint32_t *us, uint32_t ms)
{
    if (ms != 0)
        *us = ms * US_PER_MS;
}

static int set_rtoinfo(struct hws_params *params, const union value *value)
{
    const struct sctp_rtoinfo *in = &value->rtoinfo;
    if (in->srto_initial > RTO_MAX_MS || in->srto_min > RTO_MAX_MS || in->srto_max > RTO_MAX_MS)
        return -EINVAL;
    set_ms(&params->rto_initial_us, in->srto_initial);
    set_ms(&params->rto_min_us, in->srto_min);
    set_ms(&params->rto_max_us, in->srto_max);
    return params->rto_min_us <= params->rto_initial_us &&
                   params->rto_initial_us <= params->rto_max_us
               ? 0
               : -EINVAL;
}

static int get_rtoinfo(struct hws_sock *sock, union value *value)
{
    value->rtoinfo = (struct sctp_rtoinfo){.srto_initial = sock->params.rto_initial_us / US_PER_MS,
                                           .srto_min = sock->params.rto_min_us / US_PER_MS,
                                           .srto_max = sock->params.rto_max_us / US_PER_MS};
    return 0;
}

/* ---- Numbers ---- */

static int set_nodelay(struct hws_params *params, const union value *value)
{
    params->nodelay = value->number != 0;
    return 0;
}

static int get_nodelay(struct hws_sock *sock, union value *value)
{
    value->number = sock->params.nodelay;
    return 0;
}

static int set_bytes(uint32_t *bytes, int number)
{
    if (number <= 0)
        return -EINVAL;
    *bytes = (uint32_t)number;
    return 0;
}

static int set_rcvbuf(struct hws_params *params, const union value *value)
{
    return set_bytes(&params->rcvbuf_bytes, value->number);
}

static int get_rcvbuf(struct hws_sock *sock, union value *value)
{
    value->number = (int)sock->params.rcvbuf_bytes;
    return 0;
}

static int set_sndbuf(struct hws_params *params, const union value *value)
{
    return set_bytes(&params->sndbuf_bytes, value->number);
}

static int get_sndbuf(struct hws_sock *sock, union value *value)
{
    value->number = (int)sock->params.sndbuf_bytes;
    return 0;
}

static int get_error(struct hws_sock *sock, union value *value)
{
    value->number = hws_sock_take_error(sock);
    return 0;
}

/* ---- SCTP_STATUS (8.2.1): the engine counts bytes where this structure wants chunks, so the two
 * counts only tell whether there are any ---- */

static void get_primary(const struct hws_engine *engine, hws_assoc_id id,
                        const struct hws_assoc_status *status, struct sctp_paddrinfo *out)
{
    struct hws_path_status path;
    if (hws_assoc_path_status(engine, id, status->primary, &path) < 0)
        return;
    struct sockaddr_storage address;
    hws_sockaddr_write(&path.remote, status->remote_port, &address);
    out->spinfo_address = address;
    out->spinfo_state = !path.confirmed ? SCTP_UNCONFIRMED
                        : path.active   ? SCTP_ACTIVE
                                        : SCTP_INACTIVE;
    out->spinfo_cwnd = path.cwnd;
    out->spinfo_srtt = path.srtt_us / US_PER_MS;
    out->spinfo_rto = path.rto_us / US_PER_MS;
    out->spinfo_mtu = path.mtu;
}

static int get_status(struct hws_sock *sock, union value *value)
{
    struct hws_assoc_status status;
    const struct hws_engine *engine = sock->sockets->engine;
    if (sock->assoc == 0 || hws_assoc_status(engine, sock->assoc, &status) < 0)
        return -EINVAL;
    value->status = (struct sctp_status){
        .sstat_state = (int)status.state - (int)HWS_STATE_CLOSED + (int)SCTP_CLOSED,
        .sstat_rwnd = status.peer_rwnd,
        .sstat_unackdata = status.unacked_bytes > 0,
        .sstat_penddata = sock->readable,
        .sstat_instrms = status.instreams,
        .sstat_outstrms = status.ostreams,
    };
    get_primary(engine, sock->assoc, &status, &value->status.sstat_primary);
    return 0;
}

static const struct row rows[] = {
    {IPPROTO_SCTP, SCTP_INITMSG, sizeof(struct sctp_initmsg), set_initmsg, get_initmsg},
    {IPPROTO_SCTP, SCTP_RTOINFO, sizeof(struct sctp_rtoinfo), set_rtoinfo, get_rtoinfo},
    {IPPROTO_SCTP, SCTP_STATUS, sizeof(struct sctp_status), NULL, get_status},
    {IPPROTO_SCTP, SCTP_NODELAY, sizeof(int), set_nodelay, get_nodelay},
    {SOL_SOCKET, SO_RCVBUF, sizeof(int), set_rcvbuf, get_rcvbuf},
    {SOL_SOCKET, SO_SNDBUF, sizeof(int), set_sndbuf, get_sndbuf},
    {SOL_SOCKET, SO_ERROR, sizeof(int), NULL, get_error},
};

static const struct row *find(int level, int option)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].level == level && rows[i].option == option)
            return &rows[i];
    }
    return NULL;
}

int hws_sockopt_set(struct hws_sock *sock, int level, int option, const void *value, socklen_t len)
{
    const struct row *row = find(level, option);
    if (row == NULL || row->set == NULL)
        return -ENOPROTOOPT;
    if (value == NULL || len < row->size)
        return -EINVAL;
    union value copy;
    memcpy(&copy, value, row->size);
    struct hws_params params = sock->params;
    int rc = row->set(&params, &copy);
    return rc < 0 ? rc : hws_sock_set_params(sock, &params);
}

int hws_sockopt_get(struct hws_sock *sock, int level, int option, void *value, socklen_t *len)
{
    const struct row *row = find(level, option);
    if (row == NULL)
        return -ENOPROTOOPT;
    if (value == NULL || len == NULL || *len < row->size)
        return -EINVAL;
    union value out;
    int rc = row->get(sock, &out);
    if (rc < 0)
        return rc;
    memcpy(value, &out, row->size);
    *len = row->size;
    return 0;
}
