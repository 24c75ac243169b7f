#include "cli/echo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/queue.h>

#include "cli/path_events.h"
#include "cli/session.h"

#define BACKLOG 1024
/* Asked for unless --streams says otherwise: a message can go back only on a stream that exists in
 * that direction, too. */
#define DEFAULT_STREAMS 2048u
/* Room offered to a receive call, and the longest message that is echoed. */
#define CHUNK_BYTES (64u << 10)
#define MESSAGE_MAX (64u << 20)

struct peer {
    struct hws_sock *sock;
    struct echo *echo;
    uint8_t *buf; /* one message, as far as it has come; NULL: none has begun */
    size_t len, capacity;
    struct sctp_rcvinfo info;
    bool whole; /* the message has come to its end and waits for the send buffer */
    LIST_ENTRY(peer) in_peers;
};

struct echo {
    struct hws_cli_session session;
    struct hws_cli_options options;
    struct hws_sock *listener;
    LIST_HEAD(, peer) peers;
};

static void free_message(struct peer *peer)
{
    free(peer->buf);
    peer->buf = NULL;
    peer->len = peer->capacity = 0;
    peer->whole = false;
}

static void forget(struct peer *peer)
{
    if (peer->echo->options.stats)
        hws_cli_stats_print_one(peer->sock);
    hws_one_close(peer->sock);
    LIST_REMOVE(peer, in_peers);
    free_message(peer);
    free(peer);
}

static void give_up(struct peer *peer, const char *reason)
{
    fprintf(stderr, "hawser: an association was aborted: %s\n", reason);
    hws_one_abort(peer->sock, reason, strlen(reason));
    forget(peer);
}

enum step {
    STEP_ON,   /* go on */
    STEP_WAIT, /* until the callback comes */
    STEP_GONE, /* the peer has been forgotten */
};

static enum step send_message(struct peer *peer)
{
    const struct iovec iov = {.iov_base = peer->buf, .iov_len = peer->len};
    const struct sctp_sndinfo info = {
        .snd_sid = peer->info.rcv_sid,
        .snd_flags = peer->info.rcv_flags & SCTP_UNORDERED,
        .snd_ppid = peer->info.rcv_ppid,
    };
    if (hws_one_sendv(peer->sock, &iov, 1, &info, 0) < 0) {
        if (errno == EAGAIN)
            return STEP_WAIT;
        if (errno == EINVAL) {
            give_up(peer, "no outbound stream of that number to echo on; see --streams");
            return STEP_GONE;
        }
        /* The peer is shutting down and takes nothing more: what it still sends is dropped. */
    }
    peer->len = 0;
    peer->whole = false;
    return STEP_ON;
}

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

static enum step receive_part(struct peer *peer)
{
    if (!make_room(peer)) {
        give_up(peer, "message too long to be echoed");
        return STEP_GONE;
    }
    const struct iovec iov = {.iov_base = peer->buf + peer->len,
                              .iov_len = peer->capacity - peer->len};
    int flags = 0;
    ssize_t len = hws_one_recvv(peer->sock, &iov, 1, &peer->info, &flags);
    if (len < 0 && errno == EAGAIN) {
        if (peer->len == 0)
            free_message(peer);
        return STEP_WAIT;
    }
    if (len <= 0) {
        forget(peer);
        return STEP_GONE;
    }
    peer->len += (size_t)len;
    peer->whole = (flags & MSG_EOR) != 0;
    return STEP_ON;
}

/* Nothing is received while a message waits to be sent: a peer that does not read its echoes soon
 * finds our window closed. */
static void on_peer(struct hws_sock *sock, unsigned ready, void *arg)
{
    struct peer *peer = arg;
    enum step step = STEP_ON;
    (void)ready;
    hws_cli_path_events_print(sock);
    while (step == STEP_ON)
        step = peer->whole ? send_message(peer) : receive_part(peer);
}

static void add_peer(struct echo *echo, struct hws_sock *sock)
{
    struct peer *peer = calloc(1, sizeof(*peer));
    if (peer == NULL) {
        hws_one_close(sock);
        return;
    }
    peer->sock = sock;
    peer->echo = echo;
    LIST_INSERT_HEAD(&echo->peers, peer, in_peers);
    hws_one_set_nonblocking(sock, true);
    hws_one_set_callback(sock, on_peer, peer);
}

static void on_accept(struct hws_sock *listener, unsigned ready, void *arg)
{
    struct hws_sock *sock;
    (void)ready;
    while ((sock = hws_one_accept(listener, NULL, NULL)) != NULL)
        add_peer(arg, sock);
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
    echo->listener = hws_cli_session_listen(&echo->session, BACKLOG);
    if (echo->listener == NULL)
        return HWS_CLI_FAILED;
    hws_one_set_callback(echo->listener, on_accept, echo);
    uv_run(&echo->session.loop, UV_RUN_DEFAULT);
    while (!LIST_EMPTY(&echo->peers)) {
        struct peer *peer = LIST_FIRST(&echo->peers);
        hws_one_abort(peer->sock, NULL, 0);
        forget(peer);
    }
    return HWS_CLI_OK;
}

static void help(void)
{
    puts("hawser echo -l PORT [OPTION...]\n\n"
         "Sends every message back on the stream it came on, with its payload protocol\n"
         "identifier, to any number of peers, until SIGINT or SIGTERM. A peer that does not read\n"
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
