#include "cli/dump.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/trace/live.h"
#include "api/trace/pcapng.h"
#include "api/trace/pcapng_read.h"
#include "api/trace/trace.h"
#include "cli/dump_packet.h"
#include "cli/extensions.h"
#include "cli/output.h"

#define OUTPUT_BUFFER_BYTES 65536u

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* Signals come only while the capture waits, so that none is missed; `waiting` is the mask for
 * that. */
static void watch_signals(sigset_t *waiting)
{
    const struct sigaction action = {.sa_handler = on_signal};
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigprocmask(SIG_BLOCK, &held, waiting);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* a write that fails says so */
}

static void keep(int *error, int rc)
{
    if (*error == 0)
        *error = rc;
}

/* Lines come before what is said of all of them. */
static void flush_lines(struct hws_cli_dump_state *dump)
{
    keep(&dump->trace_error, fflush(stdout) != 0 ? -errno : 0);
}

/* ---- Packets from an interface ---- */

static int capture_waiting(struct hws_cli_dump_state *dump, struct hws_live *live)
{
    struct hws_capture_ip ip;
    while (!hws_cli_dump_is_done(dump)) {
        int rc = hws_live_next(live, &ip);
        if (rc <= 0)
            return rc;
        hws_cli_dump_packet(dump, &ip);
    }
    return 0;
}

static void flush_file(struct hws_cli_dump_state *dump)
{
    if (dump->pcapng != NULL && dump->pcapng_error == 0)
        dump->pcapng_error = hws_pcapng_flush(dump->pcapng);
}

/* An interface that is down is waited for. */
static int capture_packets(struct hws_cli_dump_state *dump, struct hws_live *live)
{
    sigset_t waiting;
    watch_signals(&waiting);
    while (!interrupted) {
        int rc = capture_waiting(dump, live);
        if (rc == -ENETDOWN)
            fprintf(stderr, "hawser: the interface %s is down\n", dump->options->interface);
        else if (rc < 0)
            return rc;
        flush_file(dump);
        if (hws_cli_dump_is_done(dump))
            return 0;
        rc = hws_live_wait(live, &waiting);
        if (rc < 0 && rc != -EINTR)
            return rc;
    }
    return 0;
}

static void summarize(struct hws_cli_dump_state *dump, uint64_t dropped)
{
    flush_lines(dump);
    fprintf(stderr, "hawser: %" PRIu64 " packets", dump->packets);
    if (dump->bad_checksums != 0)
        fprintf(stderr, ", %" PRIu64 " with a bad checksum", dump->bad_checksums);
    fprintf(stderr, ", %" PRIu64 " dropped by the kernel%s\n", dropped,
            dropped != 0 ? ": they came faster than they were printed; print less (-w FILE "
                           ">/dev/null), or raise net.core.rmem_max"
                         : "");
}

static int capture(struct hws_cli_dump_state *dump)
{
    const struct hws_cli_options *options = dump->options;
    const struct hws_live_config config = {.interface = options->interface,
                                           .udp_ports = options->udp_ports,
                                           .udp_port_count = options->udp_port_count};
    struct hws_live *live;
    char error[HWS_LIVE_ERROR_MAX];
    if (hws_live_open(&config, &live, error) != 0) {
        fprintf(stderr, "hawser: %s\n", error);
        return HWS_CLI_FAILED;
    }
    fprintf(stderr, "hawser: capturing on %s%s\n",
            options->interface != NULL ? "the interface " : "all interfaces",
            options->interface != NULL ? options->interface : "");
    int rc = capture_packets(dump, live);
    summarize(dump, hws_live_dropped(live));
    hws_live_close(live);
    if (rc < 0)
        fprintf(stderr, "hawser: cannot capture any more: %s\n", strerror(-rc));
    return rc < 0 ? HWS_CLI_FAILED : HWS_CLI_OK;
}

/* ---- Packets from a file ---- */

static bool is_standard(const char *path)
{
    return strcmp(path, "-") == 0;
}

static int read_packets(struct hws_cli_dump_state *dump)
{
    const char *path = dump->options->read_file;
    struct hws_pcapng_reader *reader;
    struct hws_capture_ip ip;
    char error[HWS_PCAPNG_ERROR_MAX] = "out of memory";
    int rc = hws_pcapng_reader_open(is_standard(path) ? "/dev/stdin" : path, &reader, error);
    if (rc == 0) {
        while (!hws_cli_dump_is_done(dump) && (rc = hws_pcapng_reader_next(reader, &ip, error)) > 0)
            hws_cli_dump_packet(dump, &ip);
        flush_lines(dump);
        if (hws_pcapng_reader_unknown(reader) != 0)
            fprintf(stderr,
                    "hawser: %s: %" PRIu64 " packets of links whose headers are not known were "
                    "left out\n",
                    path, hws_pcapng_reader_unknown(reader));
        hws_pcapng_reader_close(reader);
    }
    if (rc < 0)
        fprintf(stderr, "hawser: %s: %s\n", path, error);
    return rc < 0 ? HWS_CLI_FAILED : HWS_CLI_OK;
}

/* ---- The command ---- */

static bool read_host(const char *text, struct hws_addr *host)
{
    *host = (struct hws_addr){.family = HWS_FAMILY_NONE};
    if (text == NULL)
        return true;
    if (inet_pton(AF_INET, text, host->ip) == 1)
        host->family = HWS_FAMILY_IPV4;
    else if (inet_pton(AF_INET6, text, host->ip) == 1)
        host->family = HWS_FAMILY_IPV6;
    else
        fprintf(stderr, "hawser: --host '%s' is no address of IPv4 or IPv6; see --help\n", text);
    return host->family != HWS_FAMILY_NONE;
}

static int open_outputs(struct hws_cli_dump_state *dump)
{
    static char buffer[OUTPUT_BUFFER_BYTES];
    const struct hws_cli_options *options = dump->options;
    const char *file = options->write_file;
    bool to_stdout = file != NULL && is_standard(file);
    int rc = 0;
    setvbuf(stdout, buffer, options->line_buffered || isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF,
            sizeof(buffer));
    if (file != NULL)
        rc = hws_pcapng_open(to_stdout ? "/dev/stdout" : file, &dump->pcapng);
    if (rc < 0)
        fprintf(stderr, "hawser: cannot write %s: %s\n", file, strerror(-rc));
    else if (!to_stdout)
        rc = hws_trace_borrow(stdout, &dump->trace);
    return rc;
}

static int close_outputs(struct hws_cli_dump_state *dump, int code)
{
    if (dump->trace != NULL)
        keep(&dump->trace_error, hws_trace_close(dump->trace));
    if (dump->pcapng != NULL)
        keep(&dump->pcapng_error, hws_pcapng_close(dump->pcapng));
    if (dump->trace_error != 0)
        fprintf(stderr, "hawser: cannot write the output: %s\n", strerror(-dump->trace_error));
    if (dump->pcapng_error != 0)
        fprintf(stderr, "hawser: cannot write %s: %s\n", dump->options->write_file,
                strerror(-dump->pcapng_error));
    return dump->trace_error != 0 || dump->pcapng_error != 0 ? HWS_CLI_FAILED : code;
}

static void help(void)
{
    puts("hawser dump [-i NAME] [OPTION...]\n"
         "hawser dump -r FILE [OPTION...]\n\n"
         "Prints a line for each SCTP packet that an interface carries, or a capture file has: of\n"
         "the IP protocols 132, 253 and 254, and of the UDP ports of RFC 6951. Capturing takes\n"
         "CAP_NET_RAW and ends by SIGINT, SIGTERM or -c. Exit code 0: done; 1: could not capture,\n"
         "read or write; 2: usage.\n");
    hws_cli_options_help(HWS_CLI_DUMP);
}

int hws_cli_dump(int argc, char **argv)
{
    struct hws_cli_options options;
    struct hws_cli_dump_state dump = {.options = &options};
    int rc = hws_cli_options_parse(HWS_CLI_DUMP, argc, argv, &options);
    if (rc != HWS_CLI_OK)
        return rc;
    if (options.help) {
        help();
        return HWS_CLI_OK;
    }
    if (!read_host(options.only_host, &dump.host) ||
        (options.read_file != NULL && hws_cli_is_input(options.write_file, options.read_file)))
        return HWS_CLI_USAGE;
    if (options.udp_port_count == 0)
        options.udp_ports[options.udp_port_count++] = HWS_UDP_PORT;
    const struct hws_extension *extensions[HWS_CLI_EXTENSIONS_MAX];
    if (!hws_cli_extensions_load(&options, extensions) ||
        !hws_cli_dump_learn(&dump, extensions, options.extension_count))
        return HWS_CLI_FAILED;
    if (open_outputs(&dump) < 0)
        return close_outputs(&dump, HWS_CLI_FAILED);
    return close_outputs(&dump, options.read_file != NULL ? read_packets(&dump) : capture(&dump));
}
