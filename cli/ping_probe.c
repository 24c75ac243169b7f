/* ping without --assoc: INITs. Every probe is a socket and so a port of its own: an answer names
 * its probe. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>
#include <sys/queue.h>

#include "api/runtime/runtime.h"
#include "cli/address.h"
#include "cli/icmp.h"
#include "cli/ping_run.h"

struct probe {
    struct hws_cli_ping *ping;
    hws_uv_t *sock;
    hws_uv_connect_t connect;
    struct sockaddr_storage remote;
    uint16_t local_port;
    uint64_t seq, sent_ns;
    const char *icmp; /* what an ICMP message says about it; NULL: none came */
    uv_timer_t timer;
    LIST_ENTRY(probe) in_probes;
};

struct state {
    LIST_HEAD(, probe) probes; /* that wait for an answer */
    struct hws_cli_ping_count count;
};

/* ---- The end of one probe ---- */

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* Its request to connect has ended by then, too. */
static void on_sock_closed(void *data)
{
    struct probe *probe = data;
    uv_close((uv_handle_t *)&probe->timer, on_timer_closed);
}

static void end_if_done(struct hws_cli_ping *ping)
{
    const struct state *state = ping->state;
    if (ping->stopped && LIST_EMPTY(&state->probes))
        hws_cli_ping_end(ping, state->count.received > 0 ? HWS_CLI_PING_ANSWERED
                                                         : HWS_CLI_PING_NO_ANSWER);
}

static void forget(struct probe *probe)
{
    uv_timer_stop(&probe->timer);
    hws_cli_session_drop(probe->sock, on_sock_closed);
    LIST_REMOVE(probe, in_probes);
    end_if_done(probe->ping);
}

static void print(const struct probe *probe, const char *answer)
{
    char address[HWS_CLI_ADDRESS_MAX];
    printf("%s port %u: %s, seq=%llu", hws_cli_address(&probe->remote, address),
           hws_cli_port(&probe->remote), answer, (unsigned long long)probe->seq);
}

static void answered(struct probe *probe, const char *answer)
{
    struct state *state = probe->ping->state;
    double rtt_ms = (double)(uv_hrtime() - probe->sent_ns) / 1e6;
    hws_cli_ping_count_received(&state->count, rtt_ms);
    print(probe, answer);
    printf(" time=%.3f ms\n", rtt_ms);
    forget(probe);
}

static void failed(struct probe *probe, const char *why)
{
    struct state *state = probe->ping->state;
    state->count.errors++;
    print(probe, why);
    putchar('\n');
    forget(probe);
}

static void on_timer(uv_timer_t *timer)
{
    struct probe *probe = timer->data;
    if (probe->icmp != NULL) {
        failed(probe, probe->icmp);
        return;
    }
    print(probe, "no answer");
    putchar('\n');
    forget(probe);
}

static void on_connect(hws_uv_connect_t *request, int status)
{
    struct probe *probe = request->data;
    if (status == UV_ECANCELED) /* forgotten */
        return;
    if (probe->icmp != NULL)
        failed(probe, probe->icmp);
    else if (status == 0)
        answered(probe, "open");
    else if (status == UV_ECONNREFUSED || status == UV_ECONNRESET)
        answered(probe, "closed");
    else
        failed(probe, strerror(-status));
}

/* ---- ICMP ---- */

/* The message quotes our INIT, whose source port is the probe's. The library must not be called
 * from here: the timer does the rest at once. */
static void on_net_event(void *arg, const struct hws_net_event *event, const struct hws_icmp *icmp)
{
    const struct state *state = ((struct hws_cli_ping *)arg)->state;
    struct probe *probe;
    if (event->kind != HWS_NET_UNREACHABLE || event->quoted_len < 2)
        return;
    unsigned port = (unsigned)event->quoted[0] << 8 | event->quoted[1];
    LIST_FOREACH(probe, &state->probes, in_probes)
    {
        if (probe->local_port == port) {
            probe->icmp = hws_cli_icmp(icmp, event->remote.family == HWS_FAMILY_IPV6);
            uv_timer_start(&probe->timer, on_timer, 0, 0);
        }
    }
}

/* ---- Sending ---- */

/* One INIT: its retransmission, due after the timeout, is never sent. */
static void set_options(hws_uv_t *sock, uint32_t timeout_ms)
{
    const int on = 1;
    const uint32_t t1_ms = timeout_ms + 1000;
    const struct sctp_rtoinfo rto = {.srto_initial = t1_ms, .srto_min = t1_ms, .srto_max = t1_ms};
    hws_uv_setsockopt(sock, IPPROTO_SCTP, HWS_PROBE, &on, sizeof(on));
    hws_uv_setsockopt(sock, IPPROTO_SCTP, SCTP_RTOINFO, &rto, sizeof(rto));
}

static struct probe *new_probe(struct hws_cli_ping *ping, const struct sockaddr *remote,
                               socklen_t len)
{
    struct state *state = ping->state;
    struct probe *probe = calloc(1, sizeof(*probe));
    if (probe == NULL)
        return NULL;
    probe->sock = hws_cli_session_bound(&ping->session, 0);
    if (probe->sock == NULL) {
        free(probe);
        return NULL;
    }
    set_options(probe->sock, ping->options.timeout_ms);
    probe->ping = ping;
    probe->seq = ping->sent_rounds;
    memcpy(&probe->remote, remote, len);
    uv_timer_init(&ping->session.loop, &probe->timer);
    probe->timer.data = probe->sock->data = probe->connect.data = probe;
    LIST_INSERT_HEAD(&state->probes, probe, in_probes);
    return probe;
}

static uint16_t local_port(const hws_uv_t *sock)
{
    struct sockaddr_storage local;
    int len = sizeof(local);
    return hws_uv_getsockname(sock, (struct sockaddr *)&local, &len) == 0
               ? (uint16_t)hws_cli_port(&local)
               : 0;
}

static bool send_probe(struct hws_cli_ping *ping, const struct sockaddr *remote, socklen_t len)
{
    struct state *state = ping->state;
    struct probe *probe = new_probe(ping, remote, len);
    if (probe == NULL)
        return false;
    state->count.sent++;
    probe->local_port = local_port(probe->sock);
    probe->sent_ns = uv_hrtime();
    int rc = hws_uv_connect(&probe->connect, probe->sock, remote, on_connect);
    if (rc < 0) {
        failed(probe, strerror(-rc));
        return true;
    }
    uv_timer_start(&probe->timer, on_timer, ping->options.timeout_ms, 0);
    return true;
}

static void send_all(struct hws_cli_ping *ping)
{
    uint32_t count = ping->peers.together ? ping->peers.count : 1;
    uint32_t offset = 0;
    for (uint32_t i = 0; i < count && !ping->over; i++) {
        const struct sockaddr *remote = hws_cli_peers_at(&ping->peers, &offset);
        socklen_t len =
            remote->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        if (!send_probe(ping, remote, len))
            hws_cli_ping_end(ping, HWS_CLI_PING_ERROR);
    }
}

/* ---- The whole ---- */

static void start(struct hws_cli_ping *ping)
{
    static struct state state;
    LIST_INIT(&state.probes);
    ping->state = &state;
    hws_runtime_set_net_trace(ping->session.runtime, on_net_event, ping);
    hws_cli_ping_begin(ping);
}

static void forget_all(struct hws_cli_ping *ping)
{
    struct state *state = ping->state;
    while (!LIST_EMPTY(&state->probes))
        forget(LIST_FIRST(&state->probes));
}

static void stop(struct hws_cli_ping *ping)
{
    if (ping->interrupted)
        forget_all(ping);
    end_if_done(ping);
}

static void print_statistics(const struct hws_cli_ping *ping, double elapsed_ms)
{
    const struct state *state = ping->state;
    char what[HWS_CLI_ADDRESS_MAX];
    snprintf(what, sizeof(what), "%s port %u", ping->options.host, (unsigned)ping->options.port);
    hws_cli_ping_count_print(&state->count, what, elapsed_ms);
}

static void add_stats(void *arg, struct hws_cli_stats *stats)
{
    (void)arg; /* a probe has no association */
    (void)stats;
}

const struct hws_cli_ping_kind hws_cli_ping_probe = {
    .what = "SCTP INIT",
    .start = start,
    .send = send_all,
    .stop = stop,
    .print = print_statistics,
    .add_stats = add_stats,
};
