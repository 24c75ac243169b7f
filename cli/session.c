#include "cli/session.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>

#include "cli/path_events.h"

/* What a person can do about an error, by errno. */
static const struct {
    int error;
    const char *remedy;
} remedies[] = {
    {ECONNREFUSED, "nobody listens there; start `hawser cat -l PORT` or another SCTP listener"},
    {ETIMEDOUT,
     "check address, --proto and --udp of both sides, and the firewall: `hawser doctor`"},
    {EADDRINUSE, "another socket or process has that port: take another one"},
    {EADDRNOTAVAIL, "this host does not have that address: see `ip address`"},
    {ENETUNREACH, "no route leads there: see `ip route`"},
    {EHOSTUNREACH, "no answer from the network: see `ip route` and `ip neigh`"},
};

void hws_cli_complain(const char *what, int error)
{
    const char *remedy = NULL;
    for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++) {
        if (remedies[i].error == error)
            remedy = remedies[i].remedy;
    }
    fprintf(stderr, "hawser: %s: %s%s%s\n", what, strerror(error), remedy != NULL ? "; " : "",
            remedy != NULL ? remedy : "");
}

/* ---- Opening ---- */

static void print_stats(struct hws_cli_session *session)
{
    hws_cli_stats_print(session->runtime, session->command.add_stats, session->command.arg);
}

static void on_signal(uv_signal_t *handle, int signum)
{
    struct hws_cli_session *session = handle->data;
    if (signum == SIGUSR1)
        print_stats(session);
    else
        session->command.interrupted(session->command.arg);
}

static void watch_signals(struct hws_cli_session *session)
{
    static const int numbers[HWS_CLI_SIGNALS] = {SIGINT, SIGTERM, SIGUSR1};
    signal(SIGPIPE, SIG_IGN); /* a write that fails says so */
    for (size_t i = 0; i < HWS_CLI_SIGNALS; i++) {
        uv_signal_init(&session->loop, &session->signals[i]);
        session->signals[i].data = session;
        uv_signal_start(&session->signals[i], on_signal, numbers[i]);
        uv_unref((uv_handle_t *)&session->signals[i]);
    }
}

static void on_stats_timer(uv_timer_t *timer)
{
    print_stats(timer->data);
}

static void start_stats_timer(struct hws_cli_session *session)
{
    uint64_t interval_ms = 1000u * (uint64_t)session->options->stats_interval_s;
    uv_timer_init(&session->loop, &session->stats_timer);
    session->stats_timer.data = session;
    if (interval_ms > 0)
        uv_timer_start(&session->stats_timer, on_stats_timer, interval_ms, interval_ms);
    uv_unref((uv_handle_t *)&session->stats_timer);
}

static struct hws_runtime *open_runtime(struct hws_cli_session *session)
{
    const struct hws_cli_options *options = session->options;
    struct hws_runtime_config config;
    char error[HWS_ERROR_MAX];
    hws_runtime_config_init(&config);
    config.loop = &session->loop;
    config.protocol = options->protocol;
    config.udp = options->udp;
    config.udp_port = options->listening ? options->udp_port : 0;
    config.peer_udp_port = options->udp_port;
    config.ipv4 = !options->ipv6_only;
    config.ipv6 = !options->ipv4_only;
    config.own_host = options->own_host;
    struct hws_runtime *runtime = hws_runtime_new(&config, error);
    if (runtime == NULL)
        fprintf(stderr, "hawser: %s\n", error);
    return runtime;
}

int hws_cli_session_open(struct hws_cli_session *session, const struct hws_cli_options *options,
                         const struct hws_cli_command *command)
{
    *session = (struct hws_cli_session){.options = options, .command = *command};
    uv_loop_init(&session->loop);
    start_stats_timer(session);
    session->runtime = open_runtime(session);
    watch_signals(session);
    if (session->runtime == NULL || !hws_cli_taps_open(&session->taps, options, session->runtime))
        return hws_cli_session_close(session, HWS_CLI_FAILED);
    return HWS_CLI_OK;
}

static void close_handles(struct hws_cli_session *session)
{
    for (size_t i = 0; i < HWS_CLI_SIGNALS; i++)
        uv_close((uv_handle_t *)&session->signals[i], NULL);
    uv_close((uv_handle_t *)&session->stats_timer, NULL);
}

int hws_cli_session_close(struct hws_cli_session *session, int exit_code)
{
    if (session->runtime != NULL && session->options->stats)
        print_stats(session);
    hws_runtime_free(session->runtime);
    close_handles(session);
    while (uv_loop_alive(&session->loop))
        uv_run(&session->loop, UV_RUN_DEFAULT);
    uv_loop_close(&session->loop);
    return hws_cli_taps_close(&session->taps) ? exit_code : HWS_CLI_FAILED;
}

/* ---- Sockets ---- */

/* Appends the numeric address `text` to `out` and returns its length; 0 after a message. */
static size_t read_local(const struct hws_cli_options *options, const char *text, uint16_t port,
                         uint8_t *out)
{
    char service[8];
    struct addrinfo *found;
    const struct addrinfo hints = {
        .ai_family = hws_cli_options_family(options),
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
    };
    snprintf(service, sizeof(service), "%u", (unsigned)port);
    int rc = getaddrinfo(text, service, &hints, &found);
    if (rc != 0) {
        fprintf(stderr, "hawser: --local %s is no address of %s: %s\n", text,
                hws_cli_options_family_name(options), gai_strerror(rc));
        return 0;
    }
    size_t len = found->ai_addrlen;
    memcpy(out, found->ai_addr, len);
    freeaddrinfo(found);
    return len;
}

static bool bind_locals(struct hws_cli_session *session, struct hws_sock *sock, uint16_t port)
{
    const struct hws_cli_options *options = session->options;
    uint8_t packed[HWS_CLI_LOCALS_MAX * sizeof(struct sockaddr_in6)];
    size_t len = 0;
    for (uint32_t i = 0; i < options->local_count; i++) {
        size_t one = read_local(options, options->locals[i], port, packed + len);
        if (one == 0)
            return false;
        len += one;
    }
    if (hws_one_bindx(sock, (const struct sockaddr *)(const void *)packed,
                      (int)options->local_count, SCTP_BINDX_ADD_ADDR) < 0) {
        hws_cli_complain("cannot bind to the --local addresses", errno);
        return false;
    }
    return true;
}

static bool bind_any(struct hws_sock *sock, uint16_t port)
{
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (hws_one_bind(sock, (const struct sockaddr *)&any, sizeof(any)) == 0)
        return true;
    char what[64];
    snprintf(what, sizeof(what), "cannot bind to SCTP port %u", (unsigned)port);
    hws_cli_complain(what, errno);
    return false;
}

/* No holding back of small packets (Nagle's rule): whole messages are at hand, so there is nothing
 * to wait for. */
static void set_options(struct hws_sock *sock, const struct hws_cli_options *options)
{
    const struct sctp_initmsg init = {.sinit_num_ostreams = options->streams};
    const int nodelay = 1;
    hws_one_setsockopt(sock, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof(init));
    hws_one_setsockopt(sock, IPPROTO_SCTP, SCTP_NODELAY, &nodelay, sizeof(nodelay));
    if (options->verbose)
        hws_cli_path_events_want(sock);
}

struct hws_sock *hws_cli_session_socket(struct hws_cli_session *session, uint16_t port)
{
    struct hws_sock *sock = hws_one_socket(session->runtime);
    if (sock == NULL) {
        hws_cli_complain("cannot make a socket", errno);
        return NULL;
    }
    hws_one_set_nonblocking(sock, true);
    set_options(sock, session->options);
    bool bound =
        session->options->local_count > 0 ? bind_locals(session, sock, port) : bind_any(sock, port);
    if (bound)
        return sock;
    hws_one_close(sock);
    return NULL;
}

struct hws_sock *hws_cli_session_listen(struct hws_cli_session *session, int backlog)
{
    struct hws_sock *sock = hws_cli_session_socket(session, session->options->port);
    if (sock == NULL || hws_one_listen(sock, backlog) == 0)
        return sock;
    hws_cli_complain("cannot listen", errno);
    hws_one_close(sock);
    return NULL;
}
