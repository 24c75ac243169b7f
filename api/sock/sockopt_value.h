/* What the options of a socket are made of: a row of the table in sockopt.c calls these. */
#ifndef HWS_API_SOCKOPT_VALUE_H
#define HWS_API_SOCKOPT_VALUE_H

#include <linux/sctp.h>

#include "api/sock/socket.h"

#define HWS_US_PER_MS 1000u

/** The largest time in milliseconds that the engine's microseconds can hold. */
#define HWS_SOCKOPT_MS_MAX (UINT32_MAX / HWS_US_PER_MS)

/** What an option's structure can be, aligned for any of them. */
union hws_sockopt_value {
    int number;
    struct sctp_initmsg initmsg;
    struct sctp_rtoinfo rtoinfo;
    struct sctp_assocparams assocparams;
    struct sctp_sack_info sack_info;
    struct sctp_event event;
    struct sctp_status status;
    struct sctp_paddrinfo paddrinfo;
    struct sctp_paddrparams paddrparams;
    struct sctp_paddrthlds paddrthlds;
    struct sctp_prim prim;
};

/** enum sctp_spinfo_state of a path. */
int hws_sockopt_path_state(const struct hws_path_status *path);

/** What RFC 6458 tells of a path whose peer has this port. */
void hws_sockopt_write_paddrinfo(const struct hws_path_status *path, uint16_t port,
                                 struct sctp_paddrinfo *out);

/* Options about one path, named by an address in the value (RFC 6458, 8.1.12, 8.1.11, 8.2.2;
 * RFC 7829, 7.2). `get` finds the address in the value that it fills. 0 or a negative errno. */
int hws_sockopt_set_paddrparams(struct hws_sock *sock, const union hws_sockopt_value *value,
                                uint64_t now_us);
int hws_sockopt_get_paddrparams(struct hws_sock *sock, union hws_sockopt_value *value);
int hws_sockopt_set_paddrthlds(struct hws_sock *sock, const union hws_sockopt_value *value,
                               uint64_t now_us);
int hws_sockopt_get_paddrthlds(struct hws_sock *sock, union hws_sockopt_value *value);
int hws_sockopt_set_primary(struct hws_sock *sock, const union hws_sockopt_value *value,
                            uint64_t now_us);
int hws_sockopt_get_primary(struct hws_sock *sock, union hws_sockopt_value *value);
int hws_sockopt_get_paddrinfo(struct hws_sock *sock, union hws_sockopt_value *value);

#endif
