/* Whom the value of an option is for: the socket, associations, a path. The kernel's rules, which
 * differ between the styles and between reading and setting. */
#include <errno.h>
#include <string.h>

#include "api/sock/sockaddr.h"
#include "api/sock/sockopt_value.h"

/* ---- Associations of a socket ---- */

bool hws_sockopt_is_one_to_one(const struct hws_sock *sock)
{
    return sock->style == HWS_SOCK_ONE_TO_ONE;
}

static bool is_many(const struct hws_sock *sock)
{
    return sock->style == HWS_SOCK_ONE_TO_MANY;
}

/* ---- Whom a value is for ---- */

static sctp_assoc_t id_in(const struct hws_sockopt_row *row, const union hws_sockopt_value *value)
{
    sctp_assoc_t id;
    memcpy(&id, (const uint8_t *)value + row->id_at, sizeof(id));
    return id;
}

/* NULL: at the associations to come. */
static void aim(struct hws_sockopt_target *target, struct hws_member *member)
{
    target->member = member;
    target->assoc = member != NULL ? member->assoc : 0;
    target->options = member != NULL ? &member->options : &target->sock->options.future;
    target->path = HWS_LIMIT_PATHS;
}

/* An association, or with SCTP_FUTURE_ASSOC those to come. */
static int aim_by_id(struct hws_sockopt_target *target, sctp_assoc_t id)
{
    aim(target, hws_sock_member(target->sock, id));
    bool unknown = target->assoc == 0 && id != SCTP_FUTURE_ASSOC && is_many(target->sock);
    return unknown ? -EINVAL : 0;
}

static int find_path(struct hws_sockopt_target *target, const struct hws_addr *remote,
                     uint16_t port)
{
    const struct hws_sockets *sockets = target->sock->sockets;
    struct hws_assoc_status status;
    if (hws_assoc_status(sockets->engine, target->assoc, &status) < 0 ||
        port != status.remote_port ||
        !hws_sock_find_path(sockets, target->assoc, remote, &target->path))
        return -EINVAL;
    return 0;
}

/* As in the kernel: the address finds the association, and an id must not contradict it. */
static int aim_at_path(struct hws_sockopt_target *target, const struct hws_addr *remote,
                       uint16_t port, sctp_assoc_t id)
{
    struct hws_member *member = hws_sock_member_at(target->sock, remote, port);
    const struct hws_member *named = hws_sock_member(target->sock, id);
    if (member == NULL || member->state == HWS_MEMBER_OVER || (named != NULL && named != member))
        return -EINVAL;
    aim(target, member);
    return find_path(target, remote, port);
}

enum naming { NAMES_NOTHING, NAMES_PATH, NAMES_NONSENSE };

static enum naming address_in(const struct hws_sockopt_row *row,
                              const union hws_sockopt_value *value, struct hws_addr *remote,
                              uint16_t *port)
{
    struct sockaddr_storage address;
    const struct sockaddr *sa = (const struct sockaddr *)(const void *)&address;
    memcpy(&address, (const uint8_t *)value + row->address_at, sizeof(address));
    if (address.ss_family == AF_UNSPEC)
        return NAMES_NOTHING;
    if (hws_sockaddr_read(sa, sizeof(address), remote, port) < 0)
        return NAMES_NONSENSE;
    return remote->family == HWS_FAMILY_NONE ? NAMES_NOTHING : NAMES_PATH;
}

static bool is_foreign(const struct hws_sock *sock, sctp_assoc_t id)
{
    return is_many(sock) && id != SCTP_FUTURE_ASSOC && hws_sock_member(sock, id) == NULL;
}

static int aim_by_address(struct hws_sockopt_target *target, const struct hws_sockopt_row *row,
                          const union hws_sockopt_value *value)
{
    struct hws_addr remote;
    uint16_t port;
    enum naming naming = address_in(row, value, &remote, &port);
    sctp_assoc_t id = id_in(row, value);
    if (naming == NAMES_NOTHING && row->scope == HWS_SOCKOPT_PATH)
        return aim_by_id(target, id);
    if (row->known_id && is_foreign(target->sock, id))
        return -EINVAL;
    if (naming == NAMES_PATH && aim_at_path(target, &remote, port, id) == 0)
        return 0;
    return row->no_path != 0 ? -row->no_path : -EINVAL;
}

static int aim_at_assoc(struct hws_sockopt_target *target, sctp_assoc_t id)
{
    aim(target, hws_sock_member(target->sock, id));
    return target->assoc != 0 ? 0 : -EINVAL;
}

int hws_sockopt_aim(struct hws_sockopt_target *target, const struct hws_sockopt_row *row,
                    const union hws_sockopt_value *value)
{
    switch (row->scope) {
    case HWS_SOCKOPT_FUTURE:
    case HWS_SOCKOPT_MANY:
        return aim_by_id(target, id_in(row, value));
    case HWS_SOCKOPT_ASSOC:
    case HWS_SOCKOPT_SET_PATH:
        return aim_at_assoc(target, id_in(row, value));
    case HWS_SOCKOPT_PATH:
    case HWS_SOCKOPT_GET_PATH:
        return aim_by_address(target, row, value);
    default:
        aim(target, NULL);
        return 0;
    }
}

/* ---- Setting: for one, or for many ---- */

static int set_all(struct hws_sockopt_target *target, const struct hws_sockopt_row *row,
                   const union hws_sockopt_value *value)
{
    int rc = 0;
    struct hws_member *member = hws_sock_first_member(target->sock);
    for (; member != NULL; member = hws_sock_next_member(member)) {
        aim(target, member);
        int one = row->set(target, value);
        rc = rc != 0 ? rc : one;
    }
    return rc;
}

static int set_future(struct hws_sockopt_target *target, const struct hws_sockopt_row *row,
                      const union hws_sockopt_value *value)
{
    aim(target, NULL);
    return row->set(target, value);
}

static int set_shared(struct hws_sockopt_target *target, const struct hws_sockopt_row *row,
                      const union hws_sockopt_value *value)
{
    int rc = set_future(target, row, value);
    return rc == 0 ? set_all(target, row, value) : rc;
}

/* What the kernel keeps for the next association, since this one is not up yet, is for this one as
 * well: there is no other to come before it is over. */
static int set_future_of(struct hws_sockopt_target *target, const struct hws_sockopt_row *row,
                         const union hws_sockopt_value *value)
{
    return is_many(target->sock) ? set_future(target, row, value) : set_shared(target, row, value);
}

static int set_many(struct hws_sockopt_target *target, const struct hws_sockopt_row *row,
                    const union hws_sockopt_value *value)
{
    sctp_assoc_t id = id_in(row, value);
    aim(target, hws_sock_member(target->sock, id));
    if (target->assoc != 0)
        return row->set(target, value);
    if (!is_many(target->sock) || id == SCTP_FUTURE_ASSOC)
        return set_future_of(target, row, value);
    if (id == SCTP_CURRENT_ASSOC)
        return set_all(target, row, value);
    return id == SCTP_ALL_ASSOC ? set_shared(target, row, value) : -EINVAL;
}

static int set_by_id(struct hws_sockopt_target *target, const struct hws_sockopt_row *row,
                     const union hws_sockopt_value *value)
{
    int rc = aim_by_id(target, id_in(row, value));
    if (rc < 0)
        return rc;
    return target->assoc != 0 ? row->set(target, value) : set_future_of(target, row, value);
}

static int set_by_address(struct hws_sockopt_target *target, const struct hws_sockopt_row *row,
                          const union hws_sockopt_value *value)
{
    int rc = aim_by_address(target, row, value);
    if (rc < 0)
        return rc;
    return target->assoc != 0 ? row->set(target, value) : set_future_of(target, row, value);
}

int hws_sockopt_apply(struct hws_sockopt_target *target, const struct hws_sockopt_row *row,
                      const union hws_sockopt_value *value)
{
    switch (row->scope) {
    case HWS_SOCKOPT_SHARED:
        return set_shared(target, row, value);
    case HWS_SOCKOPT_FUTURE:
        return set_by_id(target, row, value);
    case HWS_SOCKOPT_MANY:
        return set_many(target, row, value);
    case HWS_SOCKOPT_PATH:
    case HWS_SOCKOPT_SET_PATH:
        return set_by_address(target, row, value);
    default:
        return set_future(target, row, value);
    }
}

/* ---- For the functions of the rows ---- */

int hws_sockopt_errno(int error)
{
    return error == HWS_E_NOENT ? -EINVAL : -hws_sock_errno(error);
}

int hws_sockopt_load(const struct hws_sockopt_target *target, struct hws_params *out)
{
    const struct hws_sock *sock = target->sock;
    *out = sock->params;
    if (target->assoc == 0)
        return 0;
    return hws_sockopt_errno(hws_assoc_params(sock->sockets->engine, target->assoc, out));
}

int hws_sockopt_store(const struct hws_sockopt_target *target, const struct hws_params *params)
{
    struct hws_engine *engine = target->sock->sockets->engine;
    if (target->assoc == 0)
        return hws_sock_set_future_params(target->sock, params);
    int rc = hws_assoc_set_params(engine, target->assoc, params, target->now_us);
    return rc == HWS_E_NOENT ? 0 : hws_sockopt_errno(rc); /* over: nothing is left to change */
}

bool hws_sockopt_ms_ok(uint32_t ms)
{
    return ms <= HWS_SOCKOPT_MS_MAX;
}

void hws_sockopt_set_ms(uint32_t *us, uint32_t ms)
{
    if (ms != 0)
        *us = ms * HWS_US_PER_MS;
}
