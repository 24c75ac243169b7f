/* The inside of a libuv handle: what its calls share. One function, hws_uv_step, does what can be
 * done and calls what is to be called; it runs when the socket says that something changed, and in
 * a later turn of the loop when a call left something to tell. */
#ifndef HWS_API_UV_HANDLE_H
#define HWS_API_UV_HANDLE_H

#include "api/hawser/uv.h"
#include "api/sock/socket.h"

/* Flags of a handle. */
#define HWS_UV_CLOSING 0x1u
#define HWS_UV_LISTENING 0x2u
#define HWS_UV_SCHEDULED 0x4u /* hws_uv_step is to come in a later turn */
#define HWS_UV_AWAKE 0x8u     /* the timer keeps the loop alive */
#define HWS_UV_OVER 0x10u     /* the association ended, and `error` says how */
#define HWS_UV_SHUT 0x20u     /* the shutdown has begun */

static inline bool hws_uv_is(const hws_uv_t *handle, unsigned flag)
{
    return (handle->flags & flag) != 0;
}

/** Has hws_uv_step called in a later turn of the loop. */
void hws_uv_schedule(hws_uv_t *handle);

/** The handle may have become active or idle: lets it keep the loop alive, or not. */
void hws_uv_settle(hws_uv_t *handle);

/** Makes the socket when there is none yet. UV_EBADF: the handle is closing. */
int hws_uv_open(hws_uv_t *handle);

/** Gives an unused handle its socket. */
void hws_uv_take(hws_uv_t *handle, struct hws_sock *sock);

/** Whether `client` can get a socket from `server`: 0, UV_EBADF, UV_EINVAL, UV_EBUSY. */
int hws_uv_check_client(const hws_uv_t *server, const hws_uv_t *client);

/** Reads `count` packed addresses of a peer, with the UDP port that the handle's peers have. 0 or a
 * negative errno. The handle has a socket. */
int hws_uv_read_peer(const hws_uv_t *handle, const struct sockaddr *addrs, int count,
                     struct hws_addr *remotes, uint16_t *port);

/** Whether the handle has many associations. */
static inline bool hws_uv_is_many(const hws_uv_t *handle)
{
    return handle->sock != NULL ? handle->sock->style == HWS_SOCK_ONE_TO_MANY
                                : handle->type == SOCK_SEQPACKET;
}

/** Whether a handle of one association has it, has had it, or is getting it. */
static inline bool hws_uv_has_association(const hws_uv_t *handle)
{
    return handle->sock != NULL && handle->sock->state >= HWS_SOCK_CONNECTING;
}

/** Whether the association of a handle that has one only is over: `error` then says how, for all
 * who ask. The handle has a socket. */
bool hws_uv_over(hws_uv_t *handle);

/** What is needed no more after the close callback may go: begins to close the timer. */
void hws_uv_finish_closing(hws_uv_t *handle);

/** What was changed in the engine has to be sent. */
void hws_uv_changed(hws_uv_t *handle);

/* The parts of a step. Each does what can be done now and calls back; false: the handle was closed
 * by a callback. */
bool hws_uv_step_connect(hws_uv_t *handle);
bool hws_uv_step_accept(hws_uv_t *handle);
bool hws_uv_step_write(hws_uv_t *handle);
bool hws_uv_step_shutdown(hws_uv_t *handle);
bool hws_uv_step_read(hws_uv_t *handle);

/** Calls back all that still waits, with UV_ECANCELED where nothing else is known. */
void hws_uv_cancel_writes(hws_uv_t *handle);

#endif
