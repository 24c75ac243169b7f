#include "cli/echo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/queue.h>

#include "cli/events.h"
#include "cli/session.h"

#define BACKLOG 1024
/* Asked for unless --streams says otherwise: a message can go back only on a stream that exists in
 * that direction, too. */
#define DEFAULT_STREAMS 2048u
/* Room offered to a receive call, and the longest message that is echoed. */
#define CHUNK_BYTES (64u << 10)
#define MESSAGE_MAX (64u << 20)

struct peer {
    hws_uv_t *sock;
    hws_uv_write_t write; /* of the message that waits for the send buffer */
    hws_uv_shutdown_t shutdown;
    struct echo *echo;
    uint8_t *buf; /* one message, as far as it has come; NULL: none has begun */
    size_t len, capacity;
    struct sctp_rcvinfo info;
    LIST_ENTRY(peer) in_peers;
};

struct echo {
    struct hws_cli_session session;
    struct hws_cli_options options;
    LIST_HEAD(, peer) peers;
};

static void free_message(struct peer *peer)
{
    free(peer->buf);
    peer->buf = NULL;
    peer->len = peer->capacity = 0;
}

static void on_gone(void *data)
{
    struct peer *peer = data;
    free_message(peer);
    free(peer);
}

/* What waits to be sent belongs to its request until the handle is closed. */
static void forget(struct peer *peer)
{
    if (peer->echo->options.stats)
        hws_cli_stats_print_one(peer->sock);
    LIST_REMOVE(peer, in_peers);
    hws_cli_session_drop(peer->sock, on_gone);
}

static void give_up(struct peer *peer, const char *reason)
{
    fprintf(stderr, "hawser: an association was aborted: %s\n", reason);
    hws_uv_abort(peer->sock, reason, strlen(reason));
    forget(peer);
}

/* ---- Sending ---- */

static void receive(struct peer *peer);

/* Errors of the association are told by reading. */
static void on_written(hws_uv_write_t *request, int status)
{
    struct peer *peer = request->data;
    if (status == UV_ECANCELED)
        return;
    free_message(peer);
    receive(peer);
}

/* A message of any length is taken, so the send buffer has to hold it. */
static void make_send_buffer(struct peer *peer)
{
    const int wanted = (int)peer->len;
    hws_uv_setsockopt(peer->sock, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof(wanted));
}

/* The bytes sent; 0: the message waits as a request. */
static ssize_t write_message(struct peer *peer)
{
    uv_buf_t buf = uv_buf_init((char *)peer->buf, (unsigned)peer->len);
    const struct sctp_sndinfo info = {
        .snd_sid = peer->info.rcv_sid,
        .snd_flags = peer->info.rcv_flags & SCTP_UNORDERED,
        .snd_ppid = peer->info.rcv_ppid,
    };
    ssize_t rc = hws_uv_try_write(peer->sock, &buf, 1, &info);
    if (rc == UV_EMSGSIZE) {
        make_send_buffer(peer);
        rc = hws_uv_try_write(peer->sock, &buf, 1, &info);
    }
    return rc == UV_EAGAIN ? hws_uv_write(&peer->write, peer->sock, &buf, 1, &info, on_written)
                           : rc;
}

/* Nothing is received while a message waits to be sent: a peer that does not read its echoes soon
 * finds our window closed. */
static void send_message(struct peer *peer)
{
    ssize_t rc = write_message(peer);
    if (rc == 0)
        hws_uv_read_stop(peer->sock);
    else if (rc == UV_EINVAL)
        give_up(peer, "no outbound stream of that number to echo on; see --streams");
    else /* sent; or the peer is shutting down, and what it still sends is dropped */
        free_message(peer);
}

/* ---- Receiving ---- */

static bool make_room(struct peer *peer)
{
    if (peer->capacity - peer->len >= CHUNK_BYTES)
        return true;
    size_t capacity = peer->capacity == 0 ? CHUNK_BYTES : peer->capacity * 2;
    uint8_t *buf = capacity <= MESSAGE_MAX + CHUNK_BYTES ? realloc(peer->buf, capacity) : NULL;
    if (buf == NULL)
        return false;
    peer->buf = buf;
    peer->capacity = capacity;
    return true;
}

static void on_alloc(hws_uv_t *sock, size_t suggested, uv_buf_t *buf)
{
    struct peer *peer = sock->data;
    (void)suggested;
    if (make_room(peer))
        *buf = uv_buf_init((char *)peer->buf + peer->len, (unsigned)(peer->capacity - peer->len));
    else
        give_up(peer, "message too long to be echoed");
}

static void on_over(hws_uv_shutdown_t *request, int status)
{
    if (status != UV_ECANCELED)
        forget(request->data);
}

/* The peer sends nothing more; what was sent to it may still be under way. */
static void on_end(struct peer *peer)
{
    if (hws_uv_shutdown(&peer->shutdown, peer->sock, on_over) < 0)
        forget(peer);
}

static void on_read(hws_uv_t *sock, ssize_t nread, const uv_buf_t *buf,
                    const hws_uv_message_t *message)
{
    struct peer *peer = sock->data;
    if (nread == 0)
        return;
    if (nread < 0) {
        on_end(peer);
        return;
    }
    if (hws_cli_events_print(buf->base, (size_t)nread, message))
        return;
    peer->len += (size_t)nread;
    peer->info = message->info;
    if ((message->flags & MSG_EOR) != 0)
        send_message(peer);
}

static void receive(struct peer *peer)
{
    hws_uv_read_start(peer->sock, on_alloc, on_read);
}

/* ---- Peers ---- */

static void on_connection(hws_uv_t *listener, int status)
{
    struct echo *echo = listener->data;
    struct peer *peer = calloc(1, sizeof(*peer));
    hws_uv_t *sock = hws_cli_session_handle(&echo->session);
    (void)status;
    if (peer == NULL || sock == NULL || hws_uv_accept(listener, sock) < 0) {
        free(peer);
        hws_cli_session_drop(sock, NULL);
        return;
    }
    peer->sock = sock;
    peer->echo = echo;
    sock->data = peer->write.data = peer->shutdown.data = peer;
    LIST_INSERT_HEAD(&echo->peers, peer, in_peers);
    receive(peer);
}

static void add_stats(void *arg, struct hws_cli_stats *stats)
{
    const struct echo *echo = arg;
    const struct peer *peer;
    LIST_FOREACH(peer, &echo->peers, in_peers)
    hws_cli_stats_add(stats, peer->sock);
}

static void on_interrupt(void *arg)
{
    struct echo *echo = arg;
    uv_stop(&echo->session.loop);
}

static int serve(struct echo *echo)
{
    if (hws_cli_session_listen(&echo->session, BACKLOG, on_connection, echo) == NULL)
        return HWS_CLI_FAILED;
    uv_run(&echo->session.loop, UV_RUN_DEFAULT);
    while (!LIST_EMPTY(&echo->peers)) {
        struct peer *peer = LIST_FIRST(&echo->peers);
        hws_uv_abort(peer->sock, NULL, 0);
        forget(peer);
    }
    return HWS_CLI_OK;
}

static void help(void)
{
    puts("hawser echo -l PORT [OPTION...]\n\n"
         "Sends every message back on the stream it came on, with its payload protocol\n"
         "identifier, to any number of peers, until SIGINT, SIGTERM or SIGHUP. A peer that does "
         "not read\n"
         "is not read from either. Exit code 0: interrupted; 1: could not listen; 2: usage.\n");
    hws_cli_options_help(HWS_CLI_ECHO);
}

int hws_cli_echo(int argc, char **argv)
{
    struct echo echo = {.peers = LIST_HEAD_INITIALIZER(echo.peers)};
    const struct hws_cli_command command = {
        .arg = &echo, .interrupted = on_interrupt, .add_stats = add_stats};
    int rc = hws_cli_options_parse(HWS_CLI_ECHO, argc, argv, &echo.options);
    if (rc != HWS_CLI_OK)
        return rc;
    if (echo.options.help) {
        help();
        return HWS_CLI_OK;
    }
    if (echo.options.streams == 0)
        echo.options.streams = DEFAULT_STREAMS;
    rc = hws_cli_session_open(&echo.session, &echo.options, &command);
    if (rc != HWS_CLI_OK)
        return rc;
    return hws_cli_session_close(&echo.session, serve(&echo));
}
