/* ping --assoc: HEARTBEATs on every path of an association. A path has one on its way at a time. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>

#include "cli/address.h"
#include "cli/events.h"
#include "cli/ping_run.h"

struct path {
    struct sockaddr_storage remote;
    struct hws_cli_ping_count count;
    uint64_t acked;   /* HEARTBEATs answered when last looked at */
    uint64_t seq;     /* of the one on its way */
    uint64_t sent_ns; /* 0: none is on its way */
};

struct state {
    hws_uv_t *sock;
    hws_uv_connect_t connect;
    hws_uv_shutdown_t shutdown;
    char scrap[4096]; /* what the peer sends is not for ping, but has to be taken */
    struct path paths[HWS_CLI_PEERS_MAX];
    uint32_t path_count;
    bool connected, shut;
    uv_check_t check; /* looks after every turn of the loop whether answers came */
    uv_timer_t timer; /* looks for answers that did not */
    uint64_t shut_ns;
};

static uint64_t timeout_ns(const struct hws_cli_ping *ping)
{
    return (uint64_t)ping->options.timeout_ms * 1000000u;
}

/* ---- The end ---- */

static int exit_code(const struct state *state)
{
    for (uint32_t i = 0; i < state->path_count; i++) {
        if (state->paths[i].count.received > 0)
            return HWS_CLI_PING_ANSWERED;
    }
    return HWS_CLI_PING_NO_ANSWER;
}

static void end(struct hws_cli_ping *ping, int code)
{
    struct state *state = ping->state;
    if (ping->over)
        return;
    uv_close((uv_handle_t *)&state->check, NULL);
    uv_close((uv_handle_t *)&state->timer, NULL);
    if (state->sock != NULL)
        hws_uv_read_stop(state->sock);
    hws_cli_ping_end(ping, code);
}

static bool waiting(const struct state *state)
{
    for (uint32_t i = 0; i < state->path_count; i++) {
        if (state->paths[i].sent_ns != 0)
            return true;
    }
    return false;
}

static void shut_if_done(struct hws_cli_ping *ping)
{
    struct state *state = ping->state;
    if (!ping->stopped || state->shut || (waiting(state) && !ping->interrupted))
        return;
    state->shut = true;
    state->shut_ns = uv_hrtime();
    hws_uv_shutdown(&state->shutdown, state->sock, NULL);
}

/* ---- Answers ---- */

static void print(const struct path *path, const char *answer)
{
    char address[HWS_CLI_ADDRESS_MAX];
    printf("%s port %u: %s, seq=%llu", hws_cli_address(&path->remote, address),
           hws_cli_port(&path->remote), answer, (unsigned long long)path->seq);
}

static void look_at(struct hws_cli_ping *ping, uint32_t index, uint64_t now_ns)
{
    const struct state *state = ping->state;
    struct path *path = &((struct state *)ping->state)->paths[index];
    hws_uv_path_t info;
    if (hws_uv_get_path(state->sock, 0, index, &info) < 0)
        return;
    bool acked = info.heartbeats_acked != path->acked;
    path->acked = info.heartbeats_acked;
    if (path->sent_ns == 0)
        return;
    if (acked) {
        double rtt_ms = info.heartbeat_rtt_us / 1e3;
        hws_cli_ping_count_received(&path->count, rtt_ms);
        print(path, "HEARTBEAT ACK");
        printf(" time=%.3f ms\n", rtt_ms);
        path->sent_ns = 0;
    } else if (now_ns - path->sent_ns >= timeout_ns(ping)) {
        print(path, "no answer");
        putchar('\n');
        path->sent_ns = 0;
    }
}

static void look(struct hws_cli_ping *ping)
{
    struct state *state = ping->state;
    uint64_t now_ns = uv_hrtime();
    for (uint32_t i = 0; i < state->path_count; i++)
        look_at(ping, i, now_ns);
    shut_if_done(ping);
    if (state->shut && uv_hrtime() - state->shut_ns >= timeout_ns(ping)) {
        fprintf(stderr, "hawser: the SHUTDOWN was not answered: the association is aborted\n");
        hws_uv_abort(state->sock, NULL, 0);
        end(ping, exit_code(state));
    }
}

static void on_check(uv_check_t *check)
{
    look(check->data);
}

static void on_timer(uv_timer_t *timer)
{
    look(timer->data);
}

/* ---- Sending ---- */

static void ask(struct state *state, uint32_t index, uint64_t seq)
{
    struct path *path = &state->paths[index];
    const struct sctp_paddrparams demand = {.spp_address = path->remote,
                                            .spp_flags = SPP_HB_DEMAND};
    if (path->sent_ns != 0)
        return;
    path->seq = seq;
    path->count.sent++;
    path->sent_ns = uv_hrtime();
    int rc = hws_uv_setsockopt(state->sock, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &demand,
                               sizeof(demand));
    if (rc == 0)
        return;
    path->count.errors++;
    path->sent_ns = 0;
    print(path, rc == UV_EINVAL ? "not an address that the peer told of" : strerror(-rc));
    putchar('\n');
}

/* The peer may have told of more addresses than it was called by. */
static void find_paths(struct state *state)
{
    hws_uv_path_t info;
    while (state->path_count < HWS_CLI_PEERS_MAX &&
           hws_uv_get_path(state->sock, 0, state->path_count, &info) == 0) {
        struct path *path = &state->paths[state->path_count++];
        path->remote = info.remote;
        path->acked = info.heartbeats_acked;
    }
}

static void send_all(struct hws_cli_ping *ping)
{
    struct state *state = ping->state;
    find_paths(state);
    for (uint32_t i = 0; i < state->path_count; i++)
        ask(state, i, ping->sent_rounds);
}

/* ---- The association ---- */

static void on_connect(hws_uv_connect_t *request, int status);

/* Only the HEARTBEATs asked for: those of idle paths would be counted with them. */
static int connect_one(struct hws_cli_ping *ping)
{
    struct state *state = ping->state;
    const struct sctp_paddrparams quiet = {.spp_flags = SPP_HB_DISABLE};
    state->sock = hws_cli_session_bound(&ping->session, 0);
    if (state->sock == NULL)
        return UV_EINVAL;
    state->sock->data = state->connect.data = ping;
    hws_uv_setsockopt(state->sock, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &quiet, sizeof(quiet));
    return hws_cli_peers_connect(&ping->peers, &state->connect, state->sock, on_connect);
}

/* Tries the next addresses; with none left says what was wrong with the last one. */
static void connect_next(struct hws_cli_ping *ping, int error)
{
    struct state *state = ping->state;
    while (hws_cli_peers_left(&ping->peers)) {
        hws_cli_session_drop(state->sock, NULL);
        error = -connect_one(ping);
        if (error == 0)
            return;
    }
    hws_cli_complain("cannot set up an association", error);
    end(ping, error == ETIMEDOUT ? HWS_CLI_PING_NO_ANSWER : HWS_CLI_PING_ERROR);
}

static void on_over(struct hws_cli_ping *ping, int error)
{
    const struct state *state = ping->state;
    if (!state->shut)
        hws_cli_complain("the association ended", error);
    end(ping, state->shut ? exit_code(state) : HWS_CLI_PING_ERROR);
}

static void on_alloc(hws_uv_t *sock, size_t suggested, uv_buf_t *buf)
{
    struct hws_cli_ping *ping = sock->data;
    struct state *state = ping->state;
    (void)suggested;
    *buf = uv_buf_init(state->scrap, sizeof(state->scrap));
}

static void on_read(hws_uv_t *sock, ssize_t nread, const uv_buf_t *buf,
                    const hws_uv_message_t *message)
{
    if (nread > 0)
        hws_cli_events_print(buf->base, (size_t)nread, message);
    else if (nread < 0)
        on_over(sock->data, nread == UV_EOF ? 0 : (int)-nread);
}

static void on_connect(hws_uv_connect_t *request, int status)
{
    struct hws_cli_ping *ping = request->data;
    struct state *state = ping->state;
    if (ping->over)
        return;
    if (status < 0) {
        connect_next(ping, -status);
        return;
    }
    state->connected = true;
    hws_uv_read_start(state->sock, on_alloc, on_read);
    if (!ping->stopped)
        hws_cli_ping_begin(ping);
}

#define LOOK_MS 20u

static void start(struct hws_cli_ping *ping)
{
    static struct state state;
    ping->state = &state;
    uv_check_init(&ping->session.loop, &state.check);
    uv_timer_init(&ping->session.loop, &state.timer);
    state.check.data = state.timer.data = ping;
    uv_check_start(&state.check, on_check);
    uv_timer_start(&state.timer, on_timer, LOOK_MS, LOOK_MS);
    connect_next(ping, 0);
}

static void stop(struct hws_cli_ping *ping)
{
    struct state *state = ping->state;
    if (!state->connected || state->shut) { /* interrupted, perhaps again: it does not wait */
        hws_uv_abort(state->sock, NULL, 0);
        end(ping, exit_code(state));
        return;
    }
    shut_if_done(ping);
}

static void print_statistics(const struct hws_cli_ping *ping, double elapsed_ms)
{
    const struct state *state = ping->state;
    char address[HWS_CLI_ADDRESS_MAX], what[HWS_CLI_ADDRESS_MAX + 16];
    for (uint32_t i = 0; i < state->path_count; i++) {
        const struct path *path = &state->paths[i];
        snprintf(what, sizeof(what), "%s port %u", hws_cli_address(&path->remote, address),
                 hws_cli_port(&path->remote));
        hws_cli_ping_count_print(&path->count, what, elapsed_ms);
    }
}

static void add_stats(void *arg, struct hws_cli_stats *stats)
{
    const struct hws_cli_ping *ping = arg;
    const struct state *state = ping->state;
    if (state != NULL && state->sock != NULL)
        hws_cli_stats_add(stats, state->sock);
}

const struct hws_cli_ping_kind hws_cli_ping_association = {
    .what = "SCTP HEARTBEAT",
    .start = start,
    .send = send_all,
    .stop = stop,
    .print = print_statistics,
    .add_stats = add_stats,
};
