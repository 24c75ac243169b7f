/* Socket options (RFC 6458, 8): one table row per option, in sockopt_table.c. */
#ifndef HWS_API_SOCKOPT_H
#define HWS_API_SOCKOPT_H

#include <sys/socket.h>

#include "api/sock/socket.h"

/** 0 or a negative errno, as setsockopt of the Linux kernel: -ENOPROTOOPT, -EFAULT (no value),
 * -EINVAL (length or value, no such association or path), -EOPNOTSUPP (not for this style), and
 * what docs/OPTIONS.md tells of the option. */
int hws_sockopt_set(struct hws_sock *sock, int level, int option, const void *value, socklen_t len,
                    uint64_t now_us);

/** `len` is value-result; so is `value` where it names an association or a path. 0 or a negative
 * errno as above. */
int hws_sockopt_get(struct hws_sock *sock, int level, int option, void *value, socklen_t *len);

/** Whether the value of an option of level IPPROTO_SCTP has an association id, and where. */
bool hws_sockopt_has_id(int option, size_t *offset);

#endif
