/* What the files of the sockets layer share and nobody else calls. */
#ifndef HWS_API_SOCKET_INTERNAL_H
#define HWS_API_SOCKET_INTERNAL_H

#include "api/sock/socket.h"

#define HWS_SOCK_CONTAINER(ptr, type, member)                                                      \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* ---- socket.c ---- */

/** Lets everything of the socket go. Associations that are not over are aborted. */
void hws_sock_destroy(struct hws_sock *sock, uint64_t now_us);

/** Has the callback called. */
void hws_sock_changed(struct hws_sock *sock);

/** The same, and counts an arrival. */
void hws_sock_arrived(struct hws_sock *sock);

/* ---- port.c: a port of ours, shared by the sockets that use it ---- */

struct hws_sock_port {
    struct hws_hashtab_node node;
    uint32_t refs;
    uint32_t listeners; /* one-to-one and one-to-many sockets that listen there */
    uint16_t port;
};

int hws_sock_port_get(struct hws_sockets *sockets, uint16_t number, struct hws_sock_port **out);
void hws_sock_port_put(struct hws_sockets *sockets, struct hws_sock_port *port);

/* ---- bind.c ---- */

/** Binds to any address and a free port if the socket is not bound. */
int hws_sock_bind_if_new(struct hws_sock *sock);

/** Binds a new socket as hws_sock_bind to no address and port 0, to connect to a peer at
 * `remote_port`. A port that was drawn earlier gives way to another one if it has to. 0 or a
 * negative errno. */
int hws_sock_bind_to_connect(struct hws_sock *sock, uint16_t remote_port);

bool hws_sock_any_wildcard(const struct hws_addr *addrs, uint32_t count);

/** Whether the socket may use addresses of these families. */
bool hws_sock_families_ok(const struct hws_sock *sock, const struct hws_addr *addrs,
                          uint32_t count);

/** Whether the process may use the port the socket is bound to. */
int hws_sock_check_port(const struct hws_sock *sock);

/** Lets the endpoint go; the port stays. */
void hws_sock_drop_endpoint(struct hws_sock *sock);

struct hws_sock *hws_sock_by_endpoint(const struct hws_sockets *sockets, hws_endpoint_id id);

/* ---- listen.c ---- */

/** An association that a peer began is up. */
void hws_sock_passive_up(struct hws_sockets *sockets, const struct hws_event *event,
                         uint64_t now_us);

/** Takes a socket out of its listener's queue. */
void hws_sock_leave_queue(struct hws_sock *child);

/** Stops listening. */
void hws_sock_unlisten(struct hws_sock *sock);

/* ---- connect.c ---- */

/** Begins an association with that peer, whatever the socket's style and state. */
int hws_sock_begin(struct hws_sock *sock, const struct hws_sock_send *to, uint64_t now_us,
                   struct hws_member **out);

/* ---- member.c ---- */

/** Makes the engine's association a member of the socket; NULL: no memory, and it is still the
 * caller's to release. */
struct hws_member *hws_member_new(struct hws_sock *sock, hws_assoc_id assoc);

/** Releases the association and frees the member. One that is not over is aborted. */
void hws_member_free(struct hws_member *member, uint64_t now_us);

/** Gives the member the names of paths that are new. */
void hws_member_add_peers(struct hws_member *member);

/** It is over: it has no name any more but its id. */
void hws_member_over(struct hws_member *member, int reason);

/** Frees a member of a one-to-many socket that is over when nothing is left of it to receive. */
void hws_member_reap(struct hws_member *member, uint64_t now_us);

/** Moves the member with all it has to another socket. */
void hws_member_move(struct hws_member *member, struct hws_sock *to);

struct hws_member_peer *hws_member_peer(struct hws_member *member, const struct hws_addr *remote);

/** Sets whether there is room to send. */
void hws_member_set_blocked(struct hws_member *member, bool blocked);

/* ---- recv.c ---- */

/** Looks whether the member has something to receive, and gives it its place among the ready. */
void hws_member_refresh(struct hws_member *member, uint64_t now_us);

/** No more comes of message `ssn` of stream `sid`, of which parts came. */
void hws_member_cut_off(struct hws_member *member, uint16_t sid, uint16_t ssn);

/** Has what comes from now on thrown away. */
void hws_member_end_reception(struct hws_member *member, uint64_t now_us);

/** Throws away what has come. */
void hws_member_drain(struct hws_member *member, uint64_t now_us);

/** Whether data has come that was not received, parts of a message included. */
bool hws_member_has_unread(struct hws_member *member, uint64_t now_us);

/* ---- note.c: notifications that wait ---- */

/** Where among the messages of its association a notification is received. */
enum hws_note_place {
    HWS_NOTE_FIRST, /* before all */
    HWS_NOTE_LAST,  /* after those that have come */
};

/** Adds one of `len` bytes, zeroed but for type and length. NULL: not wanted, or no memory (which
 * is counted). */
void *hws_note_add(struct hws_member *member, uint16_t type, uint32_t len,
                   enum hws_note_place place);

/** Stands in the queue for what hws_assoc_failed will answer. */
void hws_note_add_failed(struct hws_member *member);

/** One that is in no queue. NULL: no memory (counted). */
struct hws_note *hws_note_new(struct hws_member *member, uint16_t type, uint32_t len);

/** The first one if it is its turn, NULL when not: none is within a message. */
struct hws_note *hws_note_due(struct hws_member *member);

/** What is left of message `ssn` of stream `sid` has been received, which was cut off: where that
 * is told, it is told now. Whether it is. */
bool hws_note_cut_off(struct hws_member *member, uint16_t sid, uint16_t ssn);

/** Takes the first one out of the queue, which is the caller's then. */
struct hws_note *hws_note_take(struct hws_member *member);

/** Whether the peer may cause such ones without end; those that tell of the association's beginning
 * and end come once each. */
bool hws_note_recurs(const struct hws_note *note);

void hws_note_free(struct hws_sockets *sockets, struct hws_note *note);
void hws_note_free_all(struct hws_member *member);

/* ---- notify.c: what they say ---- */

void hws_notify_up(struct hws_member *member, const struct hws_event *event);
void hws_notify_down(struct hws_member *member, const struct hws_event *event);
void hws_notify_restart(struct hws_member *member, const struct hws_event *event);
void hws_notify_path(struct hws_member *member, const struct hws_event *event);
void hws_notify_remote_error(struct hws_member *member, const struct hws_event *event);
void hws_notify_shutdown(struct hws_member *member);
void hws_notify_adaptation(struct hws_member *member, const struct hws_event *event);
void hws_notify_extension(struct hws_member *member, const struct hws_event *event);
void hws_notify_partial_aborted(struct hws_member *member, const struct hws_event *event);
void hws_notify_dry(struct hws_member *member);

/** The notification of `type` (SCTP_SEND_FAILED_EVENT, SCTP_SEND_FAILED) about that message, in no
 * queue. NULL: not wanted, or no memory. */
struct hws_note *hws_notify_failed(struct hws_member *member, uint16_t type,
                                   const struct hws_failed *failed);

/* ---- subscribe.c ---- */

/** Whether messages that will not arrive are told of. */
bool hws_wants_failed(const struct hws_assoc_options *options);

/** Has the engine keep failed messages of the association, or not. */
void hws_member_keep_failed(struct hws_member *member, uint64_t now_us);

/* ---- lent.c ---- */

struct hws_lent {
    struct hws_sock_release release;
    uint32_t refs; /* sends it was given to */
    TAILQ_ENTRY(hws_lent) in_list;
};

struct hws_lent *hws_lent_new(struct hws_sockets *sockets, const struct hws_sock_send *msg);

/** No send refers to it (any more): it is given back. */
void hws_lent_done(struct hws_sockets *sockets, struct hws_lent *lent);

/** Forgets one that no send took; it is the caller's again. */
void hws_lent_forget(struct hws_sockets *sockets, struct hws_lent *lent);

/** Releases all. */
void hws_lent_fini(struct hws_sockets *sockets);

#endif
