#include "api/sock/sockopt.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "api/hawser/hawser.h"
#include "api/sock/sockopt_value.h"

/* `change` works on a copy of the parameters, and `set` does everything else; one of them, or none
 * when the option can only be read. `get` finds in the value what the caller put there. All answer
 * 0 or a negative errno. */
struct row {
    int level, option;
    socklen_t size;
    bool before; /* only before there is an association: it cannot be changed on one */
    int (*change)(struct hws_params *params, const union hws_sockopt_value *value);
    int (*set)(struct hws_sock *sock, const union hws_sockopt_value *value, uint64_t now_us);
    int (*get)(struct hws_sock *sock, union hws_sockopt_value *value);
};

static struct hws_params params_of(const struct hws_sock *sock)
{
    struct hws_params params = sock->params;
    hws_sock_params(sock, &params);
    return params;
}

/* ---- SCTP_INITMSG (8.1.3): 0 leaves a field as it is ---- */

static int change_initmsg(struct hws_params *params, const union hws_sockopt_value *value)
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

static int get_initmsg(struct hws_sock *sock, union hws_sockopt_value *value)
{
    struct hws_params params = params_of(sock);
    value->initmsg = (struct sctp_initmsg){.sinit_num_ostreams = params.ostreams,
                                           .sinit_max_instreams = params.max_instreams,
                                           .sinit_max_attempts = params.max_init_retrans};
    return 0;
}

/* ---- SCTP_RTOINFO (8.1.1): milliseconds, 0 leaves a field as it is ---- */

static void set_ms(uint32_t *us, uint32_t ms)
{
    if (ms != 0)
        *us = ms * HWS_US_PER_MS;
}

static int change_rtoinfo(struct hws_params *params, const union hws_sockopt_value *value)
{
    const struct sctp_rtoinfo *in = &value->rtoinfo;
    if (in->srto_initial > HWS_SOCKOPT_MS_MAX || in->srto_min > HWS_SOCKOPT_MS_MAX ||
        in->srto_max > HWS_SOCKOPT_MS_MAX)
        return -EINVAL;
    set_ms(&params->rto_initial_us, in->srto_initial);
    set_ms(&params->rto_min_us, in->srto_min);
    set_ms(&params->rto_max_us, in->srto_max);
    return params->rto_min_us <= params->rto_initial_us &&
                   params->rto_initial_us <= params->rto_max_us
               ? 0
               : -EINVAL;
}

static int get_rtoinfo(struct hws_sock *sock, union hws_sockopt_value *value)
{
    struct hws_params params = params_of(sock);
    value->rtoinfo = (struct sctp_rtoinfo){.srto_initial = params.rto_initial_us / HWS_US_PER_MS,
                                           .srto_min = params.rto_min_us / HWS_US_PER_MS,
                                           .srto_max = params.rto_max_us / HWS_US_PER_MS};
    return 0;
}

/* ---- SCTP_ASSOCINFO (8.1.2): 0 leaves a field as it is ---- */

static int change_assocparams(struct hws_params *params, const union hws_sockopt_value *value)
{
    const struct sctp_assocparams *in = &value->assocparams;
    if (in->sasoc_cookie_life > HWS_SOCKOPT_MS_MAX)
        return -EINVAL;
    if (in->sasoc_asocmaxrxt != 0)
        params->assoc_max_retrans = in->sasoc_asocmaxrxt;
    set_ms(&params->cookie_life_us, in->sasoc_cookie_life);
    return 0;
}

static int get_assocparams(struct hws_sock *sock, union hws_sockopt_value *value)
{
    struct hws_params params = params_of(sock);
    struct hws_assoc_status status = {.rwnd = params.rcvbuf_bytes};
    if (sock->assoc != 0)
        hws_assoc_status(sock->sockets->engine, sock->assoc, &status);
    value->assocparams = (struct sctp_assocparams){
        .sasoc_asocmaxrxt = params.assoc_max_retrans,
        .sasoc_number_peer_destinations = (uint16_t)status.path_count,
        .sasoc_peer_rwnd = status.peer_rwnd,
        .sasoc_local_rwnd = status.rwnd,
        .sasoc_cookie_life = params.cookie_life_us / HWS_US_PER_MS,
    };
    return 0;
}

/* ---- SCTP_DELAYED_SACK (8.1.19): 0 leaves a field as it is ---- */

#define SACK_DELAY_MAX_MS 500u /* RFC 9260, 6.2 */

static int change_delayed_sack(struct hws_params *params, const union hws_sockopt_value *value)
{
    const struct sctp_sack_info *in = &value->sack_info;
    if (in->sack_delay > SACK_DELAY_MAX_MS)
        return -EINVAL;
    set_ms(&params->sack_delay_us, in->sack_delay);
    if (in->sack_freq != 0)
        params->sack_packets = in->sack_freq;
    return 0;
}

static int get_delayed_sack(struct hws_sock *sock, union hws_sockopt_value *value)
{
    struct hws_params params = params_of(sock);
    value->sack_info = (struct sctp_sack_info){.sack_delay = params.sack_delay_us / HWS_US_PER_MS,
                                               .sack_freq = params.sack_packets};
    return 0;
}

/* ---- SCTP_EVENT (6.2.2): of the notifications only those about paths ---- */

static int set_event(struct hws_sock *sock, const union hws_sockopt_value *value, uint64_t now_us)
{
    (void)now_us;
    if (value->event.se_type != SCTP_PEER_ADDR_CHANGE)
        return -EOPNOTSUPP;
    hws_sock_want_path_events(sock, value->event.se_on != 0);
    return 0;
}

static int get_event(struct hws_sock *sock, union hws_sockopt_value *value)
{
    value->event.se_on = value->event.se_type == SCTP_PEER_ADDR_CHANGE && sock->wants_path_events;
    return 0;
}

/* ---- Numbers ---- */

static int change_nodelay(struct hws_params *params, const union hws_sockopt_value *value)
{
    params->nodelay = value->number != 0;
    return 0;
}

static int get_nodelay(struct hws_sock *sock, union hws_sockopt_value *value)
{
    struct hws_params params = params_of(sock);
    value->number = params.nodelay;
    return 0;
}

static int change_probe(struct hws_params *params, const union hws_sockopt_value *value)
{
    params->probe = value->number != 0;
    return 0;
}

static int get_probe(struct hws_sock *sock, union hws_sockopt_value *value)
{
    struct hws_params params = params_of(sock);
    value->number = params.probe;
    return 0;
}

static int set_bytes(uint32_t *bytes, int number)
{
    if (number <= 0)
        return -EINVAL;
    *bytes = (uint32_t)number;
    return 0;
}

static int change_rcvbuf(struct hws_params *params, const union hws_sockopt_value *value)
{
    return set_bytes(&params->rcvbuf_bytes, value->number);
}

static int get_rcvbuf(struct hws_sock *sock, union hws_sockopt_value *value)
{
    struct hws_params params = params_of(sock);
    value->number = (int)params.rcvbuf_bytes;
    return 0;
}

static int change_sndbuf(struct hws_params *params, const union hws_sockopt_value *value)
{
    return set_bytes(&params->sndbuf_bytes, value->number);
}

static int get_sndbuf(struct hws_sock *sock, union hws_sockopt_value *value)
{
    struct hws_params params = params_of(sock);
    value->number = (int)params.sndbuf_bytes;
    return 0;
}

static int get_error(struct hws_sock *sock, union hws_sockopt_value *value)
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
    if (hws_assoc_path_status(engine, id, status->primary, &path) == HWS_OK)
        hws_sockopt_write_paddrinfo(&path, status->remote_port, out);
}

static int get_status(struct hws_sock *sock, union hws_sockopt_value *value)
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

/* A row's first columns. */
#define SCTP(option, type) IPPROTO_SCTP, option, sizeof(struct type)
#define NUMBER(level, option) level, option, sizeof(int)

static const struct row rows[] = {
    {SCTP(SCTP_INITMSG, sctp_initmsg), true, change_initmsg, NULL, get_initmsg},
    {SCTP(SCTP_RTOINFO, sctp_rtoinfo), false, change_rtoinfo, NULL, get_rtoinfo},
    {SCTP(SCTP_ASSOCINFO, sctp_assocparams), false, change_assocparams, NULL, get_assocparams},
    {SCTP(SCTP_DELAYED_SACK, sctp_sack_info), false, change_delayed_sack, NULL, get_delayed_sack},
    {SCTP(SCTP_EVENT, sctp_event), false, NULL, set_event, get_event},
    {SCTP(SCTP_STATUS, sctp_status), false, NULL, NULL, get_status},
    {SCTP(SCTP_GET_PEER_ADDR_INFO, sctp_paddrinfo), false, NULL, NULL, hws_sockopt_get_paddrinfo},
    {SCTP(SCTP_PEER_ADDR_PARAMS, sctp_paddrparams), false, NULL, hws_sockopt_set_paddrparams,
     hws_sockopt_get_paddrparams},
    {SCTP(SCTP_PEER_ADDR_THLDS, sctp_paddrthlds), false, NULL, hws_sockopt_set_paddrthlds,
     hws_sockopt_get_paddrthlds},
    {SCTP(SCTP_PRIMARY_ADDR, sctp_prim), false, NULL, hws_sockopt_set_primary,
     hws_sockopt_get_primary},
    {NUMBER(IPPROTO_SCTP, SCTP_NODELAY), false, change_nodelay, NULL, get_nodelay},
    {NUMBER(IPPROTO_SCTP, HWS_PROBE), true, change_probe, NULL, get_probe},
    {NUMBER(SOL_SOCKET, SO_RCVBUF), true, change_rcvbuf, NULL, get_rcvbuf},
    {NUMBER(SOL_SOCKET, SO_SNDBUF), true, change_sndbuf, NULL, get_sndbuf},
    {NUMBER(SOL_SOCKET, SO_ERROR), false, NULL, NULL, get_error},
};

static const struct row *find(int level, int option)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].level == level && rows[i].option == option)
            return &rows[i];
    }
    return NULL;
}

static int change(struct hws_sock *sock, const struct row *row,
                  const union hws_sockopt_value *value, uint64_t now_us)
{
    struct hws_params params;
    if (row->before && sock->state > HWS_SOCK_LISTENING)
        return -EISCONN;
    int rc = hws_sock_params(sock, &params);
    if (rc == 0)
        rc = row->change(&params, value);
    return rc < 0 ? rc : hws_sock_set_params(sock, &params, now_us);
}

int hws_sockopt_set(struct hws_sock *sock, int level, int option, const void *value, socklen_t len,
                    uint64_t now_us)
{
    const struct row *row = find(level, option);
    if (row == NULL || (row->change == NULL && row->set == NULL))
        return -ENOPROTOOPT;
    if (value == NULL || len < row->size)
        return -EINVAL;
    union hws_sockopt_value copy;
    memcpy(&copy, value, row->size);
    return row->change != NULL ? change(sock, row, &copy, now_us) : row->set(sock, &copy, now_us);
}

int hws_sockopt_get(struct hws_sock *sock, int level, int option, void *value, socklen_t *len)
{
    const struct row *row = find(level, option);
    if (row == NULL)
        return -ENOPROTOOPT;
    if (value == NULL || len == NULL || *len < row->size)
        return -EINVAL;
    union hws_sockopt_value copy;
    memcpy(&copy, value, row->size);
    int rc = row->get(sock, &copy);
    if (rc < 0)
        return rc;
    memcpy(value, &copy, row->size);
    *len = row->size;
    return 0;
}
