#include "cli/cat.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>

#include "cli/events.h"
#include "cli/peers.h"
#include "cli/session.h"
#include "cli/sink.h"
#include "cli/source.h"

/* Read from stdin and written to stdout in one go, at least. */
#define BUFFER_BYTES (256u << 10)
#define PROGRESS_MS 500u
/* How often to look whether only the SHUTDOWN COMPLETE is missing, and how many times that may be
 * so: time for two retransmissions of the SHUTDOWN ACK (RTO.Min is 1 s). */
#define LINGER_MS 250u
#define LINGER_ROUNDS 14u

struct cat {
    struct hws_cli_session session;
    struct hws_cli_options options;
    struct hws_cli_source source;
    struct hws_cli_sink sink;
    uv_timer_t progress, linger;
    unsigned linger_rounds; /* above 0: only the SHUTDOWN COMPLETE is missing */
    uint64_t started_ns;
    struct hws_cli_peers peers;
    hws_uv_t *listener, *sock;
    hws_uv_connect_t connect;
    hws_uv_shutdown_t shutdown;
    hws_uv_write_t write;       /* of the message that waits for the send buffer */
    size_t writing_bytes;       /* its length; 0: none waits */
    uint16_t streams, next_sid; /* how many to send on; the next one */
    uint64_t sent_bytes, received_bytes;
    int over_status;
    bool connected;
    bool shut;     /* this side started the end */
    bool eof;      /* the peer sends nothing more, and everything was read */
    bool over;     /* the association is over, as `over_status` says */
    bool ended;    /* both */
    bool finished; /* so is everything else */
    int exit_code;
};

static bool is_connector(const struct cat *cat)
{
    return cat->options.host != NULL;
}

/* ---- The end ---- */

static void finish(struct cat *cat, int exit_code)
{
    if (cat->finished)
        return;
    cat->finished = true;
    cat->exit_code = exit_code;
    hws_cli_source_close(&cat->source);
    hws_cli_sink_close(&cat->sink);
    uv_close((uv_handle_t *)&cat->progress, NULL);
    uv_close((uv_handle_t *)&cat->linger, NULL);
    uv_stop(&cat->session.loop);
}

static void fail(struct cat *cat, const char *what, int error)
{
    if (!cat->finished)
        hws_cli_complain(what, error);
    if (cat->sock != NULL)
        hws_uv_abort(cat->sock, NULL, 0);
    finish(cat, HWS_CLI_FAILED);
}

static void add_stats(void *arg, struct hws_cli_stats *stats)
{
    const struct cat *cat = arg;
    if (cat->sock != NULL)
        hws_cli_stats_add(stats, cat->sock);
}

static void on_interrupt(void *arg)
{
    struct cat *cat = arg;
    if (cat->sock != NULL)
        hws_uv_abort(cat->sock, NULL, 0);
    fprintf(stderr, "hawser: interrupted\n");
    finish(cat, HWS_CLI_FAILED);
}

/* Graceful is not yet complete: this side may have had more to say. */
static int graceful_exit_code(const struct cat *cat)
{
    if (cat->source.len > 0) {
        fprintf(stderr,
                "hawser: the peer ended the association; %zu bytes of input were not sent\n",
                cat->source.len);
        return HWS_CLI_FAILED;
    }
    if (is_connector(cat) && !cat->shut) {
        fprintf(stderr, "hawser: the peer ended the association before the input's end\n");
        return HWS_CLI_FAILED;
    }
    return HWS_CLI_OK;
}

static void check_finished(struct cat *cat)
{
    if (cat->finished)
        return;
    if (cat->sink.error != 0)
        fail(cat, "cannot write the output", -cat->sink.error);
    else if (cat->ended && hws_cli_sink_idle(&cat->sink))
        finish(cat, graceful_exit_code(cat));
}

static bool get_status(const struct cat *cat, struct sctp_status *status)
{
    int len = sizeof(*status);
    return cat->sock != NULL &&
           hws_uv_getsockopt(cat->sock, IPPROTO_SCTP, SCTP_STATUS, status, &len) == 0;
}

/* ---- From stdin to the peer ---- */

static void pump(void *arg);

static void advance(struct cat *cat, size_t len)
{
    hws_cli_source_consume(&cat->source, len);
    cat->sent_bytes += len;
    cat->next_sid = (uint16_t)((cat->next_sid + 1) % cat->streams);
}

/* Errors of the association are told by reading, after what came before them. */
static bool is_own_error(ssize_t error)
{
    return error == UV_EINVAL || error == UV_EMSGSIZE || error == UV_ENOMEM;
}

static void on_written(hws_uv_write_t *request, int status)
{
    struct cat *cat = request->data;
    size_t len = cat->writing_bytes;
    cat->writing_bytes = 0;
    if (cat->finished)
        return;
    if (status == 0)
        advance(cat, len);
    else if (is_own_error(status))
        fail(cat, "cannot send", -status);
    if (status == 0)
        pump(cat);
}

static ssize_t send_next(struct cat *cat)
{
    const struct hws_cli_options *options = &cat->options;
    const struct hws_cli_source *source = &cat->source;
    size_t len = source->len < options->msg_size_bytes ? source->len : options->msg_size_bytes;
    uv_buf_t buf = uv_buf_init((char *)source->buf + source->start, (unsigned)len);
    /* What may be the input's end is acknowledged at once, so that a SHUTDOWN need not wait for a
     * delayed SACK (RFC 7053). */
    unsigned flags = (options->unordered ? SCTP_UNORDERED : 0u) |
                     (len == source->len ? SCTP_SACK_IMMEDIATELY : 0u);
    const struct sctp_sndinfo info = {.snd_sid = cat->next_sid, .snd_flags = (uint16_t)flags};
    ssize_t sent = hws_uv_try_write(cat->sock, &buf, 1, &info);
    if (sent != UV_EAGAIN)
        return sent;
    cat->write.data = cat;
    cat->writing_bytes = len;
    int rc = hws_uv_write(&cat->write, cat->sock, &buf, 1, &info, on_written);
    if (rc < 0)
        cat->writing_bytes = 0;
    return rc < 0 ? rc : UV_EAGAIN;
}

static void settle_end(struct cat *cat)
{
    if (!cat->eof || !cat->over || cat->ended)
        return;
    if (cat->over_status == 0 || cat->linger_rounds > 0)
        cat->ended = true;
    else
        fail(cat, "the association failed", -cat->over_status);
}

static void on_over(hws_uv_shutdown_t *request, int status)
{
    struct cat *cat = request->data;
    if (cat->finished)
        return;
    cat->over = true;
    cat->over_status = status;
    settle_end(cat);
    check_finished(cat);
}

static void end_of_input(struct cat *cat)
{
    if (!is_connector(cat) || cat->shut || cat->received_bytes < cat->options.expect_bytes)
        return;
    cat->shut = true;
    hws_uv_shutdown(&cat->shutdown, cat->sock, on_over);
}

static void pump_out(struct cat *cat)
{
    if (!cat->connected || cat->ended || cat->finished || cat->writing_bytes > 0)
        return;
    while (cat->source.len > 0) {
        ssize_t len = send_next(cat);
        if (len < 0) {
            if (is_own_error(len))
                fail(cat, "cannot send", (int)-len);
            return;
        }
        advance(cat, (size_t)len);
    }
    if (cat->source.error != 0)
        fail(cat, "cannot read the input", -cat->source.error);
    else if (cat->source.eof)
        end_of_input(cat);
    else
        hws_cli_source_read(&cat->source);
}

/* ---- From the peer to stdout ---- */

static void on_alloc(hws_uv_t *sock, size_t suggested, uv_buf_t *buf)
{
    struct cat *cat = sock->data;
    size_t space;
    uint8_t *to = hws_cli_sink_space(&cat->sink, &space);
    (void)suggested;
    if (to == NULL)
        hws_uv_read_stop(sock); /* pump starts it again */
    else
        *buf = uv_buf_init((char *)to, (unsigned)space);
}

/* The end of what the peer sends is not yet that of the association. */
static void on_eof(struct cat *cat)
{
    cat->eof = true;
    int rc = cat->shut ? 0 : hws_uv_shutdown(&cat->shutdown, cat->sock, on_over);
    if (rc < 0)
        cat->over = true;
    settle_end(cat);
}

static void on_end(struct cat *cat, int error)
{
    if (error == UV_EOF)
        on_eof(cat);
    else if (cat->linger_rounds > 0)
        cat->ended = true;
    else
        fail(cat, "the association failed", -error);
}

/* The output is written while more is read: what comes meanwhile goes out at once. */
static void on_read(hws_uv_t *sock, ssize_t nread, const uv_buf_t *buf,
                    const hws_uv_message_t *message)
{
    struct cat *cat = sock->data;
    if (cat->finished || nread == 0)
        return;
    if (nread < 0) {
        on_end(cat, (int)nread);
    } else if (!hws_cli_events_print(buf->base, (size_t)nread, message)) {
        hws_cli_sink_commit(&cat->sink, (size_t)nread);
        cat->received_bytes += (uint64_t)nread;
    }
    pump(cat);
}

static void pump_in(struct cat *cat)
{
    size_t space;
    if (!cat->connected || cat->finished)
        return;
    hws_cli_sink_flush(&cat->sink);
    if (!cat->eof && hws_cli_sink_space(&cat->sink, &space) != NULL)
        hws_uv_read_start(cat->sock, on_alloc, on_read);
    check_finished(cat);
}

/* Both directions: what came may allow the end that --expect holds back. */
static void pump(void *arg)
{
    struct cat *cat = arg;
    pump_in(cat);
    pump_out(cat);
}

/* ---- The association ---- */

static void connect_next(struct cat *cat);

static void on_connect_failed(struct cat *cat, int error)
{
    hws_cli_session_drop(cat->sock, NULL);
    cat->sock = NULL;
    if (hws_cli_peers_left(&cat->peers)) {
        connect_next(cat);
        return;
    }
    char what[128];
    snprintf(what, sizeof(what), "cannot connect to %s, SCTP port %u", cat->options.host,
             (unsigned)cat->options.port);
    fail(cat, what, error);
}

/* The peer may allow fewer streams than were asked for. */
static void connected(struct cat *cat)
{
    struct sctp_status status;
    uint16_t wanted = cat->options.streams > 0 ? cat->options.streams : 1;
    cat->connected = true;
    cat->streams = wanted;
    if (get_status(cat, &status) && status.sstat_outstrms < wanted)
        cat->streams = status.sstat_outstrms;
    cat->shutdown.data = cat;
    cat->started_ns = uv_hrtime();
    pump(cat);
}

static void on_connect(hws_uv_connect_t *request, int status)
{
    struct cat *cat = request->data;
    if (cat->finished)
        return;
    if (status < 0)
        on_connect_failed(cat, -status);
    else
        connected(cat);
}

static void connect_next(struct cat *cat)
{
    cat->sock = hws_cli_session_bound(&cat->session, 0);
    if (cat->sock == NULL) {
        finish(cat, HWS_CLI_FAILED);
        return;
    }
    cat->sock->data = cat->connect.data = cat;
    int rc = hws_cli_peers_connect(&cat->peers, &cat->connect, cat->sock, on_connect);
    if (rc < 0)
        on_connect_failed(cat, -rc);
}

static void on_connection(hws_uv_t *listener, int status)
{
    struct cat *cat = listener->data;
    (void)status;
    cat->sock = hws_cli_session_handle(&cat->session);
    if (cat->sock == NULL || hws_uv_accept(listener, cat->sock) < 0) {
        finish(cat, HWS_CLI_FAILED);
        return;
    }
    cat->sock->data = cat;
    hws_cli_session_drop(listener, NULL);
    cat->listener = NULL;
    connected(cat);
}

static void listen_for_one(struct cat *cat)
{
    cat->listener = hws_cli_session_listen(&cat->session, 1, on_connection, cat);
    if (cat->listener == NULL)
        finish(cat, HWS_CLI_FAILED);
}

/* ---- A SHUTDOWN COMPLETE that never comes ---- */

/* In SHUTDOWN-ACK-SENT everything has been acknowledged in both directions (RFC 9260, 9.2): however
 * the association ends from here, nothing is lost. A peer that sent its SHUTDOWN COMPLETE once and
 * left will not do it again when that one was lost. */
static void on_linger(uv_timer_t *timer)
{
    struct cat *cat = timer->data;
    struct sctp_status status;
    if (!get_status(cat, &status) || status.sstat_state != SCTP_SHUTDOWN_ACK_SENT)
        return;
    cat->linger_rounds++;
    if (cat->linger_rounds < LINGER_ROUNDS || status.sstat_penddata > 0)
        return;
    cat->ended = true;
    check_finished(cat);
}

/* ---- Progress ---- */

static void on_progress(uv_timer_t *timer)
{
    const struct cat *cat = timer->data;
    if (!cat->connected)
        return;
    double seconds = (double)(uv_hrtime() - cat->started_ns) / 1e9;
    double megabits = (double)(cat->sent_bytes + cat->received_bytes) * 8 / 1e6;
    fprintf(stderr, "\rsent %.1f MB, received %.1f MB, %.0f Mbit/s \033[K",
            (double)cat->sent_bytes / 1e6, (double)cat->received_bytes / 1e6, megabits / seconds);
}

static void start_timers(struct cat *cat)
{
    uv_timer_init(&cat->session.loop, &cat->progress);
    uv_timer_init(&cat->session.loop, &cat->linger);
    cat->progress.data = cat->linger.data = cat;
    if (isatty(STDERR_FILENO))
        uv_timer_start(&cat->progress, on_progress, PROGRESS_MS, PROGRESS_MS);
    uv_timer_start(&cat->linger, on_linger, LINGER_MS, LINGER_MS);
}

static void end_progress(struct cat *cat)
{
    if (!isatty(STDERR_FILENO))
        return;
    on_progress(&cat->progress);
    fputc('\n', stderr);
}

/* ---- The command ---- */

static bool open_ends(struct cat *cat)
{
    size_t msg_size = cat->options.msg_size_bytes;
    /* A whole number of messages, so that only the last one is shorter. */
    size_t capacity = msg_size >= BUFFER_BYTES ? msg_size : BUFFER_BYTES / msg_size * msg_size;
    int in =
        hws_cli_source_open(&cat->source, &cat->session.loop, STDIN_FILENO, capacity, pump, cat);
    int out =
        hws_cli_sink_open(&cat->sink, &cat->session.loop, STDOUT_FILENO, BUFFER_BYTES, pump, cat);
    if (in < 0)
        hws_cli_complain("cannot use the standard input", -in);
    if (out < 0)
        hws_cli_complain("cannot use the standard output", -out);
    return in >= 0 && out >= 0;
}

static void run(struct cat *cat)
{
    start_timers(cat);
    if (!open_ends(cat))
        finish(cat, HWS_CLI_FAILED);
    else if (is_connector(cat))
        connect_next(cat);
    else
        listen_for_one(cat);
    if (!cat->finished)
        uv_run(&cat->session.loop, UV_RUN_DEFAULT);
    end_progress(cat);
}

static void help(void)
{
    puts("hawser cat -l PORT [OPTION...]                wait for a peer\n"
         "hawser cat HOST[,HOST...] PORT [OPTION...]    connect to one; several HOSTs are "
         "addresses\n"
         "                                              of the same peer\n\n"
         "Sends the standard input to the peer and writes what the peer sends to the standard\n"
         "output. SCTP has no half-closed state: the connector's end of input starts the graceful\n"
         "shutdown once all is sent; the listener's only ends its own sending, and it leaves when\n"
         "the association ends. Exit code 0: everything was acknowledged; 1: not; 2: usage.\n");
    hws_cli_options_help(HWS_CLI_CAT);
}

int hws_cli_cat(int argc, char **argv)
{
    struct cat cat = {0};
    const struct hws_cli_command command = {
        .arg = &cat, .interrupted = on_interrupt, .add_stats = add_stats};
    int rc = hws_cli_options_parse(HWS_CLI_CAT, argc, argv, &cat.options);
    if (rc != HWS_CLI_OK)
        return rc;
    if (cat.options.help) {
        help();
        return HWS_CLI_OK;
    }
    if (is_connector(&cat))
        rc = hws_cli_peers_find(&cat.options, &cat.peers);
    if (rc == HWS_CLI_OK)
        rc = hws_cli_session_open(&cat.session, &cat.options, &command);
    if (rc != HWS_CLI_OK)
        return rc;
    run(&cat);
    return hws_cli_session_close(&cat.session, cat.exit_code);
}
