#include "api/sock/sockopt.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>

#include "api/sock/sockopt_value.h"

static const struct hws_sockopt_row *find(int level, int option)
{
    const struct hws_sockopt_row *row;
    for (size_t i = 0; (row = hws_sockopt_row(i)) != NULL; i++) {
        if (row->level == level && row->option == option)
            return row;
    }
    return NULL;
}

/* ---- Lengths ---- */

/* The bytes of a value to set that count; -EINVAL. */
static int length_to_set(const struct hws_sockopt_row *row, socklen_t len)
{
    bool legacy = row->legacy_size != 0 && len == row->legacy_size;
    switch (row->lengths) {
    case HWS_SOCKOPT_EXACT:
    case HWS_SOCKOPT_FROM_ID:
        return legacy || len == row->size ? (int)len : -EINVAL;
    case HWS_SOCKOPT_LEAST:
    case HWS_SOCKOPT_CUT:
        return len >= row->size ? (int)row->size : -EINVAL;
    case HWS_SOCKOPT_BYTE:
        return len >= row->size ? (int)row->size : len > 0 ? 1 : 0;
    case HWS_SOCKOPT_UP_TO:
        return len <= row->size ? (int)len : -EINVAL;
    case HWS_SOCKOPT_NAME:
        return len < row->size ? (int)len : (int)row->size - 1;
    }
    return -EINVAL;
}

/* The bytes to fill in; -EINVAL. */
static int length_to_get(const struct hws_sockopt_row *row, socklen_t len)
{
    int cut = len < row->size ? (int)len : (int)row->size;
    switch (row->lengths) {
    case HWS_SOCKOPT_EXACT:
    case HWS_SOCKOPT_LEAST:
        if (len >= row->size)
            return cut;
        if (row->legacy_size == 0 || len < row->legacy_size)
            return -EINVAL;
        /* A part of the newer structure may have room to spare, another one has its own size. */
        return row->widen == NULL || len == row->legacy_size ? (int)row->legacy_size : -EINVAL;
    case HWS_SOCKOPT_UP_TO:
        return len > 0 ? cut : -EINVAL;
    case HWS_SOCKOPT_FROM_ID:
        return len >= sizeof(sctp_assoc_t) ? cut : -EINVAL;
    default:
        return cut;
    }
}

/* IPPROTO_IP takes and gives a byte where there is no room for an int (ip(7)). */
static void read_value(const struct hws_sockopt_row *row, const void *value, socklen_t len,
                       union hws_sockopt_value *copy)
{
    memset(copy, 0, sizeof(*copy));
    if (row->lengths == HWS_SOCKOPT_BYTE && len == 1)
        copy->number = *(const uint8_t *)value;
    else if (len > 0)
        memcpy(copy, value, len);
    if (row->widen != NULL && len == row->legacy_size)
        row->widen(copy);
}

static socklen_t write_value(const struct hws_sockopt_row *row, union hws_sockopt_value *copy,
                             socklen_t len, void *value)
{
    if (row->narrow != NULL && len == row->legacy_size)
        row->narrow(copy);
    if (row->lengths == HWS_SOCKOPT_BYTE && len > 0 && len < row->size) {
        *(uint8_t *)value = (uint8_t)copy->number;
        return 1;
    }
    memcpy(value, copy, len);
    return len;
}

/* ---- The calls ---- */

static bool is_for_family(const struct hws_sock *sock, const struct hws_sockopt_row *row)
{
    return (row->limits & HWS_SOCKOPT_ONLY_IPV6) == 0 || sock->family == AF_INET6;
}

/* SOL_SOCKET looks for an int before it looks for the option. */
static bool is_too_short(int level, int option, socklen_t len)
{
    return level == SOL_SOCKET && option != SO_BINDTODEVICE && len < sizeof(int);
}

static int may_set(const struct hws_sock *sock, const struct hws_sockopt_row *row)
{
    if (row == NULL || row->set == NULL || !is_for_family(sock, row))
        return -ENOPROTOOPT;
    unsigned forbidden = hws_sockopt_is_one_to_one(sock) ? HWS_SOCKOPT_NOT_ONE_TO_ONE
                                                         : HWS_SOCKOPT_SET_ONLY_ONE_TO_ONE;
    if ((row->limits & forbidden) != 0)
        return -EOPNOTSUPP;
    bool late = (row->limits & HWS_SOCKOPT_SET_ONLY_UNBOUND) != 0 && sock->port != NULL;
    return late ? -EFAULT : 0;
}

int hws_sockopt_set(struct hws_sock *sock, int level, int option, const void *value, socklen_t len,
                    uint64_t now_us)
{
    const struct hws_sockopt_row *row = find(level, option);
    struct hws_sockopt_target target = {.sock = sock, .len = len, .now_us = now_us};
    union hws_sockopt_value copy;
    bool wrong = len > INT_MAX || is_too_short(level, option, len);
    int rc = wrong ? -EINVAL : may_set(sock, row);
    if (rc == 0)
        rc = length_to_set(row, len);
    if (rc < 0)
        return rc;
    if (value == NULL && rc > 0)
        return -EFAULT;
    read_value(row, value, (socklen_t)rc, &copy);
    return hws_sockopt_apply(&target, row, &copy);
}

/* The kernel's answers, where an AF_INET socket knows no other levels than these. */
static int unknown(const struct hws_sock *sock, int level)
{
    bool known = level == SOL_SOCKET || level == IPPROTO_SCTP || level == IPPROTO_IP;
    return known || sock->family == AF_INET6 ? -ENOPROTOOPT : -EOPNOTSUPP;
}

static int may_get(const struct hws_sock *sock, const struct hws_sockopt_row *row, int level)
{
    if (row == NULL || (row->get == NULL && row->get_list == NULL) || !is_for_family(sock, row))
        return unknown(sock, level);
    bool forbidden =
        hws_sockopt_is_one_to_one(sock) && (row->limits & HWS_SOCKOPT_NOT_ONE_TO_ONE) != 0;
    return forbidden ? -EOPNOTSUPP : 0;
}

static int get_list(const struct hws_sock *sock, const struct hws_sockopt_row *row, void *value,
                    socklen_t *len)
{
    if (*len < row->size)
        return -EINVAL;
    return value != NULL ? row->get_list(sock, value, len) : -EFAULT;
}

static int get_value(struct hws_sock *sock, const struct hws_sockopt_row *row, void *value,
                     socklen_t *len)
{
    struct hws_sockopt_target target = {.sock = sock, .len = *len};
    union hws_sockopt_value copy;
    int used = length_to_get(row, *len);
    if (used < 0)
        return used;
    if (value == NULL && used > 0)
        return -EFAULT;
    read_value(row, value, (socklen_t)used, &copy);
    int rc = hws_sockopt_aim(&target, row, &copy);
    if (rc == 0)
        rc = row->get(&target, &copy);
    if (rc == 0)
        *len = write_value(row, &copy, (socklen_t)used, value);
    return rc;
}

int hws_sockopt_get(struct hws_sock *sock, int level, int option, void *value, socklen_t *len)
{
    const struct hws_sockopt_row *row = find(level, option);
    int rc = may_get(sock, row, level);
    if (rc < 0)
        return rc;
    if (len == NULL)
        return -EFAULT;
    if (*len > INT_MAX)
        return -EINVAL;
    return row->get_list != NULL ? get_list(sock, row, value, len)
                                 : get_value(sock, row, value, len);
}

bool hws_sockopt_has_id(int option, size_t *offset)
{
    const struct hws_sockopt_row *row = find(IPPROTO_SCTP, option);
    bool none = row == NULL || row->scope == HWS_SOCKOPT_SOCKET || row->scope == HWS_SOCKOPT_SHARED;
    if (!none)
        *offset = row->id_at;
    return !none;
}
