/* Options, and the addresses of associations. */
#include "api/hawser/socket.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "api/fd/posix.h"
#include "api/link/local.h"
#include "api/runtime/env.h"
#include "api/sock/sockopt.h"

int hws_setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    struct hws_handle *handle;
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return (int)hws_posix(rc);
    rc = (int)len < 0 ? -EINVAL
                      : hws_sockopt_set(handle->sock, level, option, value, len, hws_env_now_us());
    hws_handle_leave(handle, rc == 0);
    return (int)hws_posix(rc);
}

int hws_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
    struct hws_handle *handle;
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return (int)hws_posix(rc);
    if (value == NULL || len == NULL)
        rc = -EFAULT;
    else
        rc = (int)*len < 0 ? -EINVAL : hws_sockopt_get(handle->sock, level, option, value, len);
    hws_handle_leave(handle, false);
    return (int)hws_posix(rc);
}

int hws_opt_info(int fd, sctp_assoc_t id, int option, void *arg, socklen_t *size)
{
    size_t offset;
    if (arg == NULL || size == NULL)
        return (int)hws_posix(-EFAULT);
    if (hws_sockopt_has_id(option, &offset) && *size >= offset + sizeof(id))
        memcpy((uint8_t *)arg + offset, &id, sizeof(id));
    return hws_getsockopt(fd, IPPROTO_SCTP, option, arg, size);
}

/* ---- Addresses ---- */

/* The list that the application gets: packed, and freed by it. */
struct list {
    uint8_t *bytes;
    size_t len;
    int count;
};

static int append(struct list *list, const struct hws_handle *handle, const struct hws_addr *addr,
                  uint16_t port)
{
    struct sockaddr_storage storage;
    socklen_t len = hws_sock_write_address(handle->sock, addr, port, &storage);
    uint8_t *bytes = realloc(list->bytes, list->len + len);
    if (bytes == NULL)
        return -ENOMEM;
    memcpy(bytes + list->len, &storage, len);
    list->bytes = bytes;
    list->len += len;
    list->count++;
    return 0;
}

static int list_peers(const struct hws_handle *handle, sctp_assoc_t id, struct list *list)
{
    struct hws_addr peers[HWS_LIMIT_PATHS];
    uint16_t port;
    int count = hws_sock_peers(handle->sock, id, peers, &port);
    int rc = count < 0 ? count : 0;
    for (int i = 0; i < count && rc == 0; i++)
        rc = append(list, handle, &peers[i], port);
    return rc;
}

static bool speaks(const struct hws_handle *handle, const struct hws_addr *addr)
{
    if (addr->family == HWS_FAMILY_IPV6)
        return handle->domain == AF_INET6;
    return handle->domain == AF_INET || !handle->sock->options.v6only;
}

/* A socket bound to the wildcard has the host's addresses of its families. */
static int list_host(const struct hws_handle *handle, uint16_t port, struct list *list)
{
    struct hws_addr host[HWS_LIMIT_HOST_ADDRESSES];
    int count = hws_local_list(host, HWS_LIMIT_HOST_ADDRESSES);
    int rc = count < 0 ? count : 0;
    for (int i = 0; i < count && rc == 0; i++) {
        if (speaks(handle, &host[i]))
            rc = append(list, handle, &host[i], port);
    }
    return rc;
}

static int list_locals(const struct hws_handle *handle, sctp_assoc_t id, struct list *list)
{
    struct hws_addr locals[HWS_LIMIT_PATHS];
    uint16_t port;
    int count = hws_sock_locals(handle->sock, id, locals, &port);
    int rc = count < 0 ? count : 0;
    if (count == 0 && port != 0)
        return list_host(handle, port, list);
    for (int i = 0; i < count && rc == 0; i++)
        rc = append(list, handle, &locals[i], port);
    return rc;
}

static int get_list(int fd, sctp_assoc_t id, struct sockaddr **addrs,
                    int (*fill)(const struct hws_handle *, sctp_assoc_t, struct list *))
{
    struct hws_handle *handle;
    struct list list = {0};
    if (addrs == NULL)
        return (int)hws_posix(-EFAULT);
    int rc = hws_handle_enter(fd, &handle);
    if (rc < 0)
        return (int)hws_posix(rc);
    rc = fill(handle, id, &list);
    hws_handle_leave(handle, false);
    if (rc < 0) {
        free(list.bytes);
        return (int)hws_posix(rc);
    }
    *addrs = (struct sockaddr *)(void *)list.bytes;
    return list.count;
}

int hws_getpaddrs(int fd, sctp_assoc_t id, struct sockaddr **addrs)
{
    return get_list(fd, id, addrs, list_peers);
}

int hws_getladdrs(int fd, sctp_assoc_t id, struct sockaddr **addrs)
{
    return get_list(fd, id, addrs, list_locals);
}

int hws_freepaddrs(struct sockaddr *addrs)
{
    free(addrs);
    return 0;
}

int hws_freeladdrs(struct sockaddr *addrs)
{
    free(addrs);
    return 0;
}
