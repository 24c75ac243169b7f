/* Socket options (RFC 6458, 8): one table row per option. */
#ifndef HWS_API_SOCKOPT_H
#define HWS_API_SOCKOPT_H

#include <sys/socket.h>

#include "api/sock/socket.h"

/** -ENOPROTOOPT, -EINVAL, -EISCONN, -ENOTCONN, -EOPNOTSUPP, or 0. */
int hws_sockopt_set(struct hws_sock *sock, int level, int option, const void *value, socklen_t len,
                    uint64_t now_us);

/** `len` is value-result; so is `value` where it names a path. -ENOPROTOOPT, -EINVAL, -ENOTCONN, or
 * 0. */
int hws_sockopt_get(struct hws_sock *sock, int level, int option, void *value, socklen_t *len);

#endif
