/* Socket options (RFC 6458, 8): one table row per option. */
#ifndef HWS_API_SOCKOPT_H
#define HWS_API_SOCKOPT_H

#include <sys/socket.h>

#include "api/socket.h"

/** -ENOPROTOOPT, -EINVAL, -EISCONN, or 0. */
int hws_sockopt_set(struct hws_sock *sock, int level, int option, const void *value, socklen_t len);

/** `len` is value-result. -ENOPROTOOPT, -EINVAL, or 0. */
int hws_sockopt_get(struct hws_sock *sock, int level, int option, void *value, socklen_t *len);

#endif
