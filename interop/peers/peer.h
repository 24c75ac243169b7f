/*
 * Peers for interoperability runs: one program (peer.c: modes, files, figures) over one small set
 * of socket calls, implemented once per SCTP stack (kernel_peer.c, usrsctp_peer.c). Because both
 * programs read the same options and print the same line, a test treats every stack alike.
 */
#ifndef HWS_PEER_H
#define HWS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Large enough that the window never limits a transfer between two namespaces. */
#define HWS_PEER_SOCKET_BUFFER (4 * 1024 * 1024)

/* The peer's own name for "the association is over"; negative values are errors. */
enum { HWS_PEER_END = 0, HWS_PEER_LOST = -1 };

/* Addresses of one endpoint, all of one family and with one port, as sctp_bindx() takes them. */
#define HWS_PEER_ADDRESSES 8

struct hws_peer_addresses {
    struct sockaddr_storage storage[HWS_PEER_ADDRESSES]; /* packed, one after the other */
    int family;
    int count; /* 0: any */
};

struct hws_peer_options {
    uint16_t udp_local;  /* 0: no UDP encapsulation, IP protocol 132 */
    uint16_t udp_remote; /* the peer's encapsulation port, used when udp_local is set */
};

/* What a received piece of a message says about itself. */
struct hws_peer_info {
    uint16_t stream;
    uint32_t ppid; /* network byte order, as the peer wrote it */
    bool unordered;
    bool end_of_message;
};

/* An opaque socket of the stack: a listener or an association. */
struct hws_peer_socket;

extern const char hws_peer_stack[];

int hws_peer_start(const struct hws_peer_options *options);
struct hws_peer_socket *hws_peer_listen(struct hws_peer_addresses *local);
struct hws_peer_socket *hws_peer_accept(struct hws_peer_socket *listener);
struct hws_peer_socket *hws_peer_connect(struct hws_peer_addresses *local,
                                         struct hws_peer_addresses *remote);
/* Says, for scripts, that the peer restarted its association (RFC 9260, 5.2.4 A). */
void hws_peer_restarted(void);
/* Sends one whole message, blocking until the stack took it. */
int hws_peer_send(struct hws_peer_socket *s, const void *data, size_t size,
                  const struct hws_peer_info *info);
/*
 * Receives a piece of a message: its size, HWS_PEER_END after a graceful shutdown (ours or the
 * peer's, everything acknowledged) or HWS_PEER_LOST.
 */
int64_t hws_peer_receive(struct hws_peer_socket *s, void *data, size_t size,
                         struct hws_peer_info *info);
/* Starts the graceful shutdown; the receiving thread sees how it ends. */
int hws_peer_shutdown(struct hws_peer_socket *s);
void hws_peer_close(struct hws_peer_socket *s);
/* Lets a stack that lives in this process finish its last handshakes. */
void hws_peer_finish(void);

#endif
