#include "cli/session.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "api/hawser/options.h"
#include "cli/events.h"
#include "cli/extensions.h"

/* For the names of what can be chosen; a list that is longer is not told. */
#define NAMES_BYTES 1024u

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

/* As nohup(1) has it. */
static bool is_ignored(int signum)
{
    struct sigaction action;
    return sigaction(signum, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* Peers are told of the end, also of one that comes with the terminal's. */
static void watch_signals(struct hws_cli_session *session)
{
    static const int numbers[HWS_CLI_SIGNALS] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
    signal(SIGPIPE, SIG_IGN); /* a write that fails says so */
    for (size_t i = 0; i < HWS_CLI_SIGNALS; i++) {
        uv_signal_init(&session->loop, &session->signals[i]);
        session->signals[i].data = session;
        if (numbers[i] != SIGHUP || !is_ignored(SIGHUP))
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
    const struct hws_extension *extensions[HWS_CLI_EXTENSIONS_MAX];
    hws_runtime_config_init(&config);
    config.extensions = extensions;
    config.extension_count = options->extension_count;
    config.loop = &session->loop;
    config.protocol = options->protocol;
    config.udp = options->udp;
    config.udp_port = options->listening ? options->udp_port : 0;
    config.peer_udp_port = options->udp_port;
    config.link = options->link;
    config.interface = options->interface;
    config.ipv4 = !options->ipv6_only;
    config.ipv6 = !options->ipv4_only;
    config.own_host = options->own_host;
    if (!hws_cli_extensions_load(options, extensions))
        return NULL;
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

struct hws_cli_handle {
    hws_uv_t uv; /* the first member */
    void (*closed)(void *data);
    LIST_ENTRY(hws_cli_handle) in_session;
};

static void on_closed(hws_uv_t *uv)
{
    struct hws_cli_handle *handle = (struct hws_cli_handle *)uv;
    if (handle->closed != NULL)
        handle->closed(uv->data);
    free(handle);
}

void hws_cli_session_drop(hws_uv_t *uv, void (*closed)(void *data))
{
    struct hws_cli_handle *handle = (struct hws_cli_handle *)uv;
    if (handle == NULL)
        return;
    handle->closed = closed;
    LIST_REMOVE(handle, in_session);
    hws_uv_close(uv, on_closed);
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
    while (!LIST_EMPTY(&session->handles))
        hws_cli_session_drop(&LIST_FIRST(&session->handles)->uv, NULL);
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

static bool bind_locals(struct hws_cli_session *session, hws_uv_t *handle, uint16_t port)
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
    int rc = hws_uv_bindx(handle, (const struct sockaddr *)(const void *)packed,
                          (int)options->local_count, SCTP_BINDX_ADD_ADDR);
    if (rc < 0)
        hws_cli_complain("cannot bind to the --local addresses", -rc);
    return rc == 0;
}

static bool bind_any(hws_uv_t *handle, uint16_t port)
{
    const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int rc = hws_uv_bind(handle, (const struct sockaddr *)&any);
    if (rc == 0)
        return true;
    char what[64];
    snprintf(what, sizeof(what), "cannot bind to SCTP port %u", (unsigned)port);
    hws_cli_complain(what, -rc);
    return false;
}

/* A message has to fit into the send buffer. */
static void make_room(hws_uv_t *handle, uint32_t message_bytes)
{
    int len = sizeof(int), twice = 0;
    const int wanted = (int)message_bytes;
    if (hws_uv_getsockopt(handle, SOL_SOCKET, SO_SNDBUF, &twice, &len) == 0 && twice / 2 < wanted)
        hws_uv_setsockopt(handle, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof(wanted));
}

/* What is chosen by name, and the option that lists the names. */
static bool choose(hws_uv_t *handle, int option, int names_option, const char *what,
                   const char *name)
{
    char names[NAMES_BYTES] = "";
    int len = sizeof(names);
    int rc =
        name == NULL ? 0 : hws_uv_setsockopt(handle, IPPROTO_SCTP, option, name, (int)strlen(name));
    if (rc == 0)
        return true;
    hws_uv_getsockopt(handle, IPPROTO_SCTP, names_option, names, &len);
    fprintf(stderr, "hawser: there is no %s '%s', but %s; --extension FILE loads others\n", what,
            name, names);
    return false;
}

/* No holding back of small packets (Nagle's rule): whole messages are at hand, so there is nothing
 * to wait for. */
static bool set_options(hws_uv_t *handle, const struct hws_cli_options *options)
{
    const struct sctp_initmsg init = {.sinit_num_ostreams = options->streams};
    const int nodelay = 1;
    hws_uv_setsockopt(handle, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof(init));
    hws_uv_setsockopt(handle, IPPROTO_SCTP, SCTP_NODELAY, &nodelay, sizeof(nodelay));
    make_room(handle, options->msg_size_bytes);
    if (options->verbose)
        hws_cli_events_want(handle);
    return choose(handle, HWS_CC, HWS_CC_NAMES, "congestion controller", options->cc) &&
           choose(handle, HWS_SCHED, HWS_SCHED_NAMES, "stream scheduler", options->sched) &&
           choose(handle, HWS_PATHSEL, HWS_PATHSEL_NAMES, "path selector", options->pathsel);
}

hws_uv_t *hws_cli_session_handle(struct hws_cli_session *session)
{
    struct hws_cli_handle *handle = calloc(1, sizeof(*handle));
    int rc = handle != NULL ? hws_uv_init(session->runtime, &handle->uv) : UV_ENOMEM;
    if (rc < 0) {
        hws_cli_complain("cannot make a socket", -rc);
        free(handle);
        return NULL;
    }
    LIST_INSERT_HEAD(&session->handles, handle, in_session);
    return &handle->uv;
}

hws_uv_t *hws_cli_session_bound(struct hws_cli_session *session, uint16_t port)
{
    hws_uv_t *handle = hws_cli_session_handle(session);
    if (handle == NULL)
        return NULL;
    bool bound = set_options(handle, session->options) &&
                 (session->options->local_count > 0 ? bind_locals(session, handle, port)
                                                    : bind_any(handle, port));
    if (bound)
        return handle;
    hws_cli_session_drop(handle, NULL);
    return NULL;
}

hws_uv_t *hws_cli_session_listen(struct hws_cli_session *session, int backlog,
                                 hws_uv_connection_cb cb, void *arg)
{
    hws_uv_t *handle = hws_cli_session_bound(session, session->options->port);
    if (handle == NULL)
        return NULL;
    handle->data = arg;
    int rc = hws_uv_listen(handle, backlog, cb);
    if (rc == 0)
        return handle;
    hws_cli_complain("cannot listen", -rc);
    hws_cli_session_drop(handle, NULL);
    return NULL;
}
