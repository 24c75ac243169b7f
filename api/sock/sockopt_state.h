/* What options of a socket have set and the engine does not keep. The calls read it; the options
 * write it. */
#ifndef HWS_API_SOCKOPT_STATE_H
#define HWS_API_SOCKOPT_STATE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <linux/sctp.h>

#include "proto/addr.h"

/** Whether applications are told of Potentially Failed paths (RFC 7829, 7.3). The values are the
 * kernel's. */
enum hws_expose_pf {
    HWS_EXPOSE_PF_UNSET, /* in SCTP_GET_PEER_ADDR_INFO, not by notifications */
    HWS_EXPOSE_PF_NO,
    HWS_EXPOSE_PF_YES,
};

/** Of one association. It begins with a copy of its socket's. */
struct hws_assoc_options {
    uint32_t events;          /* SCTP_EVENT: bit n is notification SCTP_SN_TYPE_BASE + n */
    uint32_t receive_context; /* SCTP_CONTEXT: in rcv_context of what is received */
    /* What a send without SCTP_SNDINFO or SCTP_SNDRCV uses (SCTP_DEFAULT_SNDINFO): */
    uint16_t send_sid, send_flags; /* SCTP_UNORDERED, ... as the kernel's header has them */
    uint32_t send_ppid;            /* as it stands on the wire */
    uint32_t send_context;
    uint32_t send_timetolive_ms; /* kept, not used: PR-SCTP is an extension */
    uint8_t expose_pf;           /* enum hws_expose_pf */
};

/** Of one socket. What it accepts or peels off begins with a copy. */
struct hws_sock_options {
    struct hws_assoc_options future;       /* what associations to come begin with */
    bool receive_rcvinfo, receive_nxtinfo; /* SCTP_RECVRCVINFO, SCTP_RECVNXTINFO */
    bool plain_v4;            /* SCTP_I_WANT_MAPPED_V4_ADDR is off: IPv4 stays AF_INET */
    bool fragment_interleave; /* SCTP_FRAGMENT_INTERLEAVE, level 1 */
    bool no_fragments;        /* SCTP_DISABLE_FRAGMENTS: what needs them fails with EMSGSIZE */
    bool explicit_eor;        /* SCTP_EXPLICIT_EOR */
    bool sctp_reuse_port;     /* SCTP_REUSE_PORT */
    bool reuse_address;       /* SO_REUSEADDR */
    bool reuse_port;          /* SO_REUSEPORT */
    bool v6only;              /* IPV6_V6ONLY */
    uint16_t peer_udp_port;   /* SCTP_REMOTE_UDP_ENCAPS_PORT, 0: the link's */
};

/** What options of all sockets of a runtime depend on; set by who owns its link. */
struct hws_sockets_link {
    bool encapsulates;        /* in UDP (RFC 6951) */
    uint16_t peer_udp_port;   /* then: of peers to connect to */
    char interface[IFNAMSIZ]; /* the only one it uses; "": all */
};

struct hws_sock;

/** What a new socket has. */
void hws_sock_options_init(struct hws_sock *sock);

/** Gives a socket that was accepted or peeled off what its parent has, all options included that
 * are plain fields of the socket. */
void hws_sock_options_inherit(struct hws_sock *sock, const struct hws_sock *parent);

/** Writes an address as applications of this socket want it: IPv4 is mapped on AF_INET6 sockets,
 * unless SCTP_I_WANT_MAPPED_V4_ADDR is off; the wildcard is that of the socket's family. Returns
 * the bytes used. (RFC 6458, 8.1.15) */
socklen_t hws_sock_write_address(const struct hws_sock *sock, const struct hws_addr *addr,
                                 uint16_t port, struct sockaddr_storage *out);

/** The UDP port of peers this socket connects to (RFC 6951); 0: without UDP. */
uint16_t hws_sock_peer_udp_port(const struct hws_sock *sock);

/** Whether notifications of that type (SCTP_ASSOC_CHANGE, ...) are wanted. */
static inline bool hws_assoc_options_want(const struct hws_assoc_options *options, uint16_t type)
{
    unsigned bit = (unsigned)type - SCTP_SN_TYPE_BASE;
    return bit < 32 && (options->events >> bit & 1u) != 0;
}

#endif
