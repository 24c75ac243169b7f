/* What the options of a socket are made of: a row of the table in sockopt_table.c has these. */
#ifndef HWS_API_SOCKOPT_VALUE_H
#define HWS_API_SOCKOPT_VALUE_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <linux/sctp.h>

#include "api/hawser/options.h"
#include "api/sock/socket.h"

#define HWS_US_PER_MS 1000u
#define HWS_US_PER_S 1000000u

/** The largest time in milliseconds that the engine's microseconds can hold. */
#define HWS_SOCKOPT_MS_MAX (UINT32_MAX / HWS_US_PER_MS)

/** RFC 9260, 6.2. */
#define HWS_SOCKOPT_SACK_DELAY_MAX_MS 500u
#define HWS_SOCKOPT_SACK_PACKETS 2u

/** What an option's structure can be, aligned for any of them. */
union hws_sockopt_value {
    int number;
    uint32_t count;
    struct linger linger;
    struct timeval time;
    char name[HWS_OPTION_NAME_MAX];
    struct sctp_assoc_value assoc_value;
    struct sctp_initmsg initmsg;
    struct sctp_rtoinfo rtoinfo;
    struct sctp_assocparams assocparams;
    struct sctp_setadaptation adaptation;
    struct sctp_sack_info sack_info;
    struct sctp_event event;
    uint8_t events[sizeof(struct sctp_event_subscribe)];
    struct sctp_sndinfo sndinfo;
    struct sctp_sndrcvinfo sndrcvinfo;
    struct sctp_status status;
    struct sctp_paddrinfo paddrinfo;
    struct sctp_paddrparams paddrparams;
    struct sctp_paddrthlds paddrthlds;
    struct sctp_paddrthlds_v2 paddrthlds_v2;
    struct sctp_udpencaps udpencaps;
    struct sctp_probeinterval probeinterval;
    struct sctp_prim prim;
    struct sctp_assoc_stats assoc_stats;
};

/** Whom the value is for. */
struct hws_sockopt_target {
    struct hws_sock *sock;
    struct hws_member *member;         /* NULL: what associations to come begin with */
    hws_assoc_id assoc;                /* the engine's name of it, or 0 */
    struct hws_assoc_options *options; /* of that association, or of those to come */
    uint32_t path;   /* index; HWS_LIMIT_PATHS: no path was named, all are meant */
    socklen_t len;   /* of the value, as given */
    uint64_t now_us; /* 0 in get */
};

/** What an option is about, and so how its target is found. The kernel ignores the id in a value
 * on sockets of the one-to-one style: their association is meant if there is one. */
enum hws_sockopt_scope {
    HWS_SOCKOPT_SOCKET,   /* the socket */
    HWS_SOCKOPT_SHARED,   /* the socket and all its associations, present and to come */
    HWS_SOCKOPT_FUTURE,   /* an association or SCTP_FUTURE_ASSOC */
    HWS_SOCKOPT_MANY,     /* the same, and when set SCTP_CURRENT_ASSOC and SCTP_ALL_ASSOC */
    HWS_SOCKOPT_ASSOC,    /* an association */
    HWS_SOCKOPT_PATH,     /* the path that an address names, or with a wildcard as FUTURE */
    HWS_SOCKOPT_GET_PATH, /* get: the path that an address names */
    HWS_SOCKOPT_SET_PATH, /* set: the same; get: an association */
};

/** Which lengths are right. */
enum hws_sockopt_lengths {
    HWS_SOCKOPT_EXACT,   /* set: `size`; get: at least `size` */
    HWS_SOCKOPT_LEAST,   /* at least `size` */
    HWS_SOCKOPT_CUT,     /* set: at least `size`; get: any, the value is cut (SOL_SOCKET) */
    HWS_SOCKOPT_BYTE,    /* a byte will do as well (IPPROTO_IP) */
    HWS_SOCKOPT_UP_TO,   /* set: at most `size`; get: any but 0, the value is cut */
    HWS_SOCKOPT_FROM_ID, /* get: from the association id on, the value is cut */
    HWS_SOCKOPT_NAME,    /* text: set: its bytes, cut at `size` - 1; get: any, the text is cut */
};

/** What an option is not for. */
#define HWS_SOCKOPT_NOT_ONE_TO_ONE 0x1u      /* one-to-one sockets: EOPNOTSUPP */
#define HWS_SOCKOPT_SET_ONLY_ONE_TO_ONE 0x2u /* set, for others than those: EOPNOTSUPP */
#define HWS_SOCKOPT_ONLY_IPV6 0x4u           /* AF_INET sockets: ENOPROTOOPT */
#define HWS_SOCKOPT_SET_ONLY_UNBOUND 0x8u    /* set, once bound: EFAULT, as the kernel has it */

struct hws_sockopt_row {
    const char *name;
    int level, option;
    enum hws_sockopt_scope scope;
    enum hws_sockopt_lengths lengths;
    socklen_t size;
    socklen_t id_at, address_at; /* where in the value they are */
    socklen_t legacy_size;       /* of an older structure that is accepted as well; 0: none */
    /* From the older structure to the newer one, and back; NULL: it is a part of it. */
    void (*widen)(union hws_sockopt_value *value);
    void (*narrow)(union hws_sockopt_value *value);
    unsigned limits; /* HWS_SOCKOPT_NOT_..., _ONLY_... */
    int no_path;     /* errno when the address is not the peer's; 0: EINVAL */
    bool known_id;   /* beside an address, too, the id has to be one of the socket's, or 0 */
    /* NULL: cannot be set, or read. 0 or a negative errno. */
    int (*set)(const struct hws_sockopt_target *target, const union hws_sockopt_value *value);
    int (*get)(const struct hws_sockopt_target *target, union hws_sockopt_value *value);
    /* Instead of `get`, for a value of any length: writes up to *len bytes. */
    int (*get_list)(const struct hws_sock *sock, void *value, socklen_t *len);
};

/** Row number `index` of the table, NULL from the last one on. Those that can neither be set nor
 * read are of extensions to come. */
const struct hws_sockopt_row *hws_sockopt_row(size_t index);

/** Finds whom a value that is asked for is of; calls the row's `set` for whomever one to set is
 * for. `target` has everything but `assoc`, `options` and `path`. 0 or a negative errno. */
int hws_sockopt_aim(struct hws_sockopt_target *target, const struct hws_sockopt_row *row,
                    const union hws_sockopt_value *value);
int hws_sockopt_apply(struct hws_sockopt_target *target, const struct hws_sockopt_row *row,
                      const union hws_sockopt_value *value);

/* ---- For the functions of the rows ---- */

/** The engine's parameters of the target. 0 or a negative errno. */
int hws_sockopt_load(const struct hws_sockopt_target *target, struct hws_params *out);
int hws_sockopt_store(const struct hws_sockopt_target *target, const struct hws_params *params);

/** What the engine answered, as the errno of an option: what is gone is no association. */
int hws_sockopt_errno(int error);

/** Whether the socket is of the one-to-one style, one that was peeled off not included. */
bool hws_sockopt_is_one_to_one(const struct hws_sock *sock);

/** enum sctp_spinfo_state of a path. */
int hws_sockopt_path_state(const struct hws_path_status *path);

/** What RFC 6458 tells of path number `index` of an association (8.2.2). */
int hws_sockopt_write_paddrinfo(const struct hws_member *member, uint32_t index,
                                struct sctp_paddrinfo *out);

/** Whether `in` (0: the value stays as it is) milliseconds fit into microseconds. */
bool hws_sockopt_ms_ok(uint32_t ms);
void hws_sockopt_set_ms(uint32_t *us, uint32_t ms);

/* ---- The functions of the rows, by file ---- */

#define HWS_SOCKOPT_GET(name)                                                                      \
    int hws_sockopt_get_##name(const struct hws_sockopt_target *target,                            \
                               union hws_sockopt_value *value)
#define HWS_SOCKOPT_SET(name)                                                                      \
    int hws_sockopt_set_##name(const struct hws_sockopt_target *target,                            \
                               const union hws_sockopt_value *value)
/* Both, of a switch in struct hws_sock_options. */
#define HWS_SOCKOPT_SWITCH(name, field)                                                            \
    HWS_SOCKOPT_SET(name)                                                                          \
    {                                                                                              \
        target->sock->options.field = value->number != 0;                                          \
        return 0;                                                                                  \
    }                                                                                              \
    HWS_SOCKOPT_GET(name)                                                                          \
    {                                                                                              \
        value->number = target->sock->options.field;                                               \
        return 0;                                                                                  \
    }
#define HWS_SOCKOPT_BOTH(name)                                                                     \
    HWS_SOCKOPT_GET(name);                                                                         \
    HWS_SOCKOPT_SET(name)

/* sockopt_init.c: how associations begin */
HWS_SOCKOPT_BOTH(initmsg);
HWS_SOCKOPT_BOTH(rtoinfo);
HWS_SOCKOPT_BOTH(assocparams);
HWS_SOCKOPT_BOTH(adaptation);
HWS_SOCKOPT_BOTH(autoclose);
HWS_SOCKOPT_BOTH(probe);

/* sockopt_path.c */
HWS_SOCKOPT_BOTH(paddrparams);
HWS_SOCKOPT_BOTH(paddrthlds);
HWS_SOCKOPT_BOTH(paddrthlds_v2);
HWS_SOCKOPT_BOTH(probe_interval);
HWS_SOCKOPT_BOTH(encapsulation);
HWS_SOCKOPT_BOTH(primary);
HWS_SOCKOPT_GET(paddrinfo);
HWS_SOCKOPT_BOTH(expose_pf);

/* sockopt_assoc.c: what an association is */
HWS_SOCKOPT_GET(status);
HWS_SOCKOPT_GET(assoc_stats);
HWS_SOCKOPT_GET(assoc_number);
int hws_sockopt_get_assoc_ids(const struct hws_sock *sock, void *value, socklen_t *len);

/* sockopt_send.c */
HWS_SOCKOPT_BOTH(nodelay);
HWS_SOCKOPT_BOTH(maxseg);
HWS_SOCKOPT_BOTH(max_burst);
HWS_SOCKOPT_BOTH(default_sndinfo);
HWS_SOCKOPT_BOTH(default_sndrcvinfo);
HWS_SOCKOPT_BOTH(no_fragments);
HWS_SOCKOPT_BOTH(explicit_eor);
void hws_sockopt_widen_number(union hws_sockopt_value *value);
void hws_sockopt_narrow_number(union hws_sockopt_value *value);

/* sockopt_recv.c */
HWS_SOCKOPT_BOTH(delayed_sack);
HWS_SOCKOPT_BOTH(context);
HWS_SOCKOPT_BOTH(pd_point);
HWS_SOCKOPT_BOTH(fragment_interleave);
HWS_SOCKOPT_BOTH(rcvinfo);
HWS_SOCKOPT_BOTH(nxtinfo);
HWS_SOCKOPT_BOTH(mapped_v4);
void hws_sockopt_widen_sack(union hws_sockopt_value *value);

/* sockopt_events.c */
HWS_SOCKOPT_BOTH(event);
HWS_SOCKOPT_BOTH(events);

/* sockopt_socket.c: SOL_SOCKET */
HWS_SOCKOPT_BOTH(rcvbuf);
HWS_SOCKOPT_BOTH(timestampns);
HWS_SOCKOPT_BOTH(sndbuf);
HWS_SOCKOPT_BOTH(rcvtimeo);
HWS_SOCKOPT_BOTH(sndtimeo);
HWS_SOCKOPT_BOTH(linger);
HWS_SOCKOPT_BOTH(reuse_address);
HWS_SOCKOPT_BOTH(reuse_port);
HWS_SOCKOPT_BOTH(sctp_reuse_port);
HWS_SOCKOPT_SET(interface);
int hws_sockopt_get_interface(const struct hws_sock *sock, void *value, socklen_t *len);
int hws_sockopt_get_cc_names(const struct hws_sock *sock, void *value, socklen_t *len);
int hws_sockopt_get_sched_names(const struct hws_sock *sock, void *value, socklen_t *len);
int hws_sockopt_get_pathsel_names(const struct hws_sock *sock, void *value, socklen_t *len);
HWS_SOCKOPT_GET(error);
HWS_SOCKOPT_GET(type);
HWS_SOCKOPT_GET(protocol);
HWS_SOCKOPT_GET(domain);
HWS_SOCKOPT_GET(listening);

/* sockopt_ip.c */
HWS_SOCKOPT_BOTH(tos);
HWS_SOCKOPT_BOTH(ttl);
HWS_SOCKOPT_BOTH(v6only);
HWS_SOCKOPT_BOTH(tclass);
HWS_SOCKOPT_BOTH(hops);

/* sockopt_name.c: algorithms by name */
HWS_SOCKOPT_BOTH(cc);
HWS_SOCKOPT_BOTH(sched);
HWS_SOCKOPT_BOTH(pathsel);

#endif
