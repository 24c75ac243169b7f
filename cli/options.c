#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/link/link_kind.h"
#include "cli/plot_draw.h"

#define MSG_SIZE_MAX (64u << 20)
#define DEFAULT_MSG_SIZE 65536u
#define INTERVAL_MAX_S 86400u
#define WAIT_MAX_S 3600
#define SEEDS_MAX 10000
#define DEFAULT_SEED 1u
#define DEFAULT_INTERVAL_MS 1000u
#define DEFAULT_TIMEOUT_MS 2000u

/* An option: its argument's name is NULL when it takes none, and in brackets when that is optional.
 * `set` gets the argument (NULL: none) and answers what is wrong with it, or NULL. */
struct row {
    const char *name;
    char letter; /* 0: none */
    unsigned commands;
    const char *argument;
    const char *help;
    const char *defaults; /* NULL: nothing to say */
    const char *(*set)(struct hws_cli_options *options, const char *argument);
};

#define BOTH (HWS_CLI_CAT | HWS_CLI_ECHO)
#define ALL (BOTH | HWS_CLI_PING)

static bool read_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    char *end;
    errno = 0;
    uintmax_t number = strtoumax(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || number < min || number > max)
        return false;
    *out = number;
    return true;
}

static const char *set_help(struct hws_cli_options *options, const char *argument)
{
    (void)argument;
    options->help = true;
    return NULL;
}

static const char *set_listen(struct hws_cli_options *options, const char *argument)
{
    (void)argument;
    options->listening = true;
    return NULL;
}

/* Options whose value is kept as it is. */
#define KEEPS(set, member)                                                                         \
    static const char *set(struct hws_cli_options *options, const char *argument)                  \
    {                                                                                              \
        options->member = argument;                                                                \
        return NULL;                                                                               \
    }

KEEPS(set_interface, interface)
KEEPS(set_cc, cc)
KEEPS(set_sched, sched)
KEEPS(set_pathsel, pathsel)
KEEPS(set_trace, trace)
KEEPS(set_pcap, pcap)
KEEPS(set_qlog, qlog)
KEEPS(set_read, read_file)
KEEPS(set_write, write_file)
KEEPS(set_only_host, only_host)
KEEPS(set_csv, csv)
KEEPS(set_samples, samples)
KEEPS(set_json, json)

static const char *set_proto(struct hws_cli_options *options, const char *argument)
{
    uint64_t number;
    if (!read_number(argument, 0, 255, &number) ||
        (number != HWS_PROTO_SCTP && number != HWS_PROTO_EXPERIMENT_1 &&
         number != HWS_PROTO_EXPERIMENT_2))
        return "must be 132 (SCTP), 253 or 254 (experiments)";
    options->protocol = (uint8_t)number;
    options->proto_given = true;
    return NULL;
}

static const char *set_udp(struct hws_cli_options *options, const char *argument)
{
    uint64_t number = HWS_UDP_PORT;
    if (argument != NULL && !read_number(argument, 1, 65535, &number))
        return "must be a UDP port, 1 to 65535";
    options->udp = true;
    options->udp_port = (uint16_t)number;
    return NULL;
}

static const char *set_local(struct hws_cli_options *options, const char *argument)
{
    if (options->local_count == HWS_CLI_LOCALS_MAX)
        return "can be given 8 times at most";
    options->locals[options->local_count++] = argument;
    return NULL;
}

static const char *set_ipv4(struct hws_cli_options *options, const char *argument)
{
    (void)argument;
    options->ipv4_only = true;
    return NULL;
}

static const char *set_ipv6(struct hws_cli_options *options, const char *argument)
{
    (void)argument;
    options->ipv6_only = true;
    return NULL;
}

static const char *set_own_host(struct hws_cli_options *options, const char *argument)
{
    (void)argument;
    options->own_host = true;
    return NULL;
}

static const char *set_link(struct hws_cli_options *options, const char *argument)
{
    options->link_given = true;
    return hws_link_kind_read(argument, &options->link) ? NULL : "must be " HWS_LINK_KIND_NAMES;
}

static const char *set_extension(struct hws_cli_options *options, const char *argument)
{
    if (options->extension_count == HWS_CLI_EXTENSIONS_MAX)
        return "can be given 8 times at most";
    options->extensions[options->extension_count++] = argument;
    return NULL;
}

static const char *set_streams(struct hws_cli_options *options, const char *argument)
{
    uint64_t number;
    if (!read_number(argument, 1, 65535, &number))
        return "must be a number of streams, 1 to 65535";
    options->streams = (uint16_t)number;
    return NULL;
}

static const char *set_msg_size(struct hws_cli_options *options, const char *argument)
{
    uint64_t number;
    if (!read_number(argument, 1, MSG_SIZE_MAX, &number))
        return "must be a number of bytes, 1 to 67108864";
    options->msg_size_bytes = (uint32_t)number;
    return NULL;
}

static const char *set_unordered(struct hws_cli_options *options, const char *argument)
{
    (void)argument;
    options->unordered = true;
    return NULL;
}

static const char *set_expect(struct hws_cli_options *options, const char *argument)
{
    if (!read_number(argument, 0, UINT64_MAX, &options->expect_bytes))
        return "must be a number of bytes";
    return NULL;
}

static const char *set_stats(struct hws_cli_options *options, const char *argument)
{
    uint64_t number = 0;
    if (argument != NULL && !read_number(argument, 1, INTERVAL_MAX_S, &number))
        return "must be a number of seconds, 1 to 86400";
    options->stats = true;
    options->stats_interval_s = (uint32_t)number;
    return NULL;
}

static const char *set_verbose(struct hws_cli_options *options, const char *argument)
{
    (void)argument;
    options->verbose = true;
    return NULL;
}

static const char *set_count(struct hws_cli_options *options, const char *argument)
{
    if (!read_number(argument, 1, UINT64_MAX, &options->count))
        return "must be a number, 1 or more";
    return NULL;
}

/* Seconds, with a fraction if one likes. */
static const char *read_ms(const char *argument, uint32_t *ms)
{
    char *end;
    double seconds = strtod(argument, &end);
    if (end == argument || *end != '\0' || !(seconds >= 0.001 && seconds <= WAIT_MAX_S))
        return "must be a number of seconds, 0.001 to 3600";
    *ms = (uint32_t)(seconds * 1000 + 0.5);
    return NULL;
}

static const char *set_interval(struct hws_cli_options *options, const char *argument)
{
    return read_ms(argument, &options->interval_ms);
}

static const char *set_timeout(struct hws_cli_options *options, const char *argument)
{
    return read_ms(argument, &options->timeout_ms);
}

static const char *set_assoc(struct hws_cli_options *options, const char *argument)
{
    (void)argument;
    options->assoc = true;
    return NULL;
}

static const char *set_udp_port(struct hws_cli_options *options, const char *argument)
{
    uint64_t number;
    if (!read_number(argument, 1, 65535, &number))
        return "must be a UDP port, 1 to 65535";
    if (options->udp_port_count == HWS_CLI_UDP_PORTS_MAX)
        return "can be given 16 times at most";
    options->udp_ports[options->udp_port_count++] = (uint16_t)number;
    return NULL;
}

static const char *set_only_port(struct hws_cli_options *options, const char *argument)
{
    uint64_t number;
    if (!read_number(argument, 1, 65535, &number))
        return "must be an SCTP port, 1 to 65535";
    options->only_port = (uint16_t)number;
    return NULL;
}

static const char *set_line_buffered(struct hws_cli_options *options, const char *argument)
{
    (void)argument;
    options->line_buffered = true;
    return NULL;
}

static const char *set_seed(struct hws_cli_options *options, const char *argument)
{
    return read_number(argument, 0, UINT32_MAX, &options->seed) ? NULL
                                                                : "must be a number, 0 to 2^32-1";
}

static const char *set_seeds(struct hws_cli_options *options, const char *argument)
{
    return read_number(argument, 1, SEEDS_MAX, &options->seeds) ? NULL
                                                                : "must be a number, 1 to 10000";
}

static const char *set_set(struct hws_cli_options *options, const char *argument)
{
    if (options->set_count == HWS_CLI_SETS_MAX)
        return "can be given 64 times at most";
    options->sets[options->set_count++] = argument;
    return NULL;
}

static const char *set_what(struct hws_cli_options *options, const char *argument)
{
    static const struct {
        const char *name;
        unsigned panels;
    } known[] = {{"sequence", HWS_CLI_PLOT_SEQUENCE},
                 {"cwnd", HWS_CLI_PLOT_CWND},
                 {"rtt", HWS_CLI_PLOT_RTT},
                 {"queue", HWS_CLI_PLOT_QUEUE},
                 {"all", HWS_CLI_PLOT_ALL}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(argument, known[i].name) != 0)
            continue;
        options->panels |= known[i].panels;
        return NULL;
    }
    return "must be sequence, cwnd, rtt, queue or all";
}

static const struct row rows[] = {
    {"listen", 'l', BOTH, NULL, "wait for peers at PORT instead of connecting", NULL, set_listen},
    {"proto", 0, ALL, "132|253|254",
     "IP protocol number of the raw sockets; 253 and 254 are profiles, see above", "132",
     set_proto},
    {"udp", 0, ALL, "[PORT]",
     "encapsulate in UDP (RFC 6951); PORT is the listener's UDP port, connectors take a free one",
     "off; 9899", set_udp},
    {"link", 0, ALL, "KIND",
     "what carries the packets: raw sockets, AF_PACKET, AF_XDP, or AF_PACKET where it can be had",
     "raw", set_link},
    {"interface", 0, ALL, "NAME", "use this network interface alone", "all", set_interface},
    {"local", 0, ALL, "ADDR", "use this local address; may be given up to 8 times", "all",
     set_local},
    {"ipv4", '4', ALL, NULL, "IPv4 only", "both families", set_ipv4},
    {"ipv6", '6', ALL, NULL, "IPv6 only", "both families", set_ipv6},
    {"own-host", 0, ALL, NULL,
     "answer packets to ports that nobody owns with ABORT, as the only SCTP of this host",
     "stay silent, the port may be another process's", set_own_host},
    {"extension", 0, ALL | HWS_CLI_SIM, "FILE",
     "load an extension (docs/EXTENDING.md) from a shared object; may be given up to 8 times",
     "those of protocol 253 or 254, of the scenario's hosts none", set_extension},
    {"extension", 0, HWS_CLI_DUMP, "FILE",
     "name the chunks of this extension, too; may be given up to 8 times",
     "those of protocols 253 and 254", set_extension},
    {"cc", 0, BOTH, "NAME", "congestion controller, rfc9260 or one that an extension brings",
     "rfc9260", set_cc},
    {"sched", 0, BOTH, "NAME", "stream scheduler, fcfs, rr or one that an extension brings", "fcfs",
     set_sched},
    {"pathsel", 0, BOTH, "NAME", "path selection, primary or one that an extension brings",
     "primary", set_pathsel},
    {"streams", 0, BOTH, "N",
     "outbound streams to ask for; cat, when this is given, sends over all of them in turn, and "
     "then only the messages of one stream keep their order",
     "cat 10, sending on one; echo 2048", set_streams},
    {"msg-size", 0, HWS_CLI_CAT, "N", "bytes of a message at most", "65536 bytes", set_msg_size},
    {"unordered", 0, HWS_CLI_CAT, NULL, "send messages unordered", "ordered", set_unordered},
    {"expect", 0, HWS_CLI_CAT, "N",
     "connector: start the SHUTDOWN only when N bytes have come from the peer, too", "0 bytes",
     set_expect},
    {"stats", 0, ALL, "[SECONDS]",
     "counters and paths as JSON on stderr at the end and, with an argument, every so many "
     "seconds; SIGUSR1 prints them at any time",
     "off", set_stats},
    {"verbose", 'v', ALL, NULL,
     "tell on stderr when a path is confirmed, potentially failed, down, or up again, and what "
     "extensions tell",
     "off", set_verbose},
    {"trace", 0, ALL, "FILE", "every packet as a line of text", "off", set_trace},
    {"pcap", 0, ALL, "FILE", "every packet as pcapng, for Wireshark", "off", set_pcap},
    {"qlog", 0, ALL, "FILE",
     "every packet and what the engine does with it as qlog, for \"hawser plot\"", "off", set_qlog},
    {"interface", 'i', HWS_CLI_DUMP, "NAME", "capture on this network interface", "all",
     set_interface},
    {"write", 'w', HWS_CLI_DUMP, "FILE",
     "write the packets as pcapng, too; \"-\" is stdout, and then no lines are printed", "off",
     set_write},
    {"read", 'r', HWS_CLI_DUMP, "FILE", "read packets from a pcapng file; \"-\" is stdin",
     "capture", set_read},
    {"udp-port", 0, HWS_CLI_DUMP, "PORT",
     "UDP port that SCTP is encapsulated at; may be given up to 16 times", "9899", set_udp_port},
    {"host", 0, HWS_CLI_DUMP, "ADDR", "only packets from or to this address", "all", set_only_host},
    {"port", 0, HWS_CLI_DUMP, "PORT", "only packets from or to this SCTP port", "all",
     set_only_port},
    {"line-buffered", 'l', HWS_CLI_DUMP, NULL, "write each line at once", "only to a terminal",
     set_line_buffered},
    {"count", 'c', HWS_CLI_PING | HWS_CLI_DUMP, "N", "stop after N of them", "without end",
     set_count},
    {"interval", 'i', HWS_CLI_PING, "SECONDS", "time from one to the next", "1", set_interval},
    {"timeout", 'W', HWS_CLI_PING, "SECONDS", "how long to wait for an answer", "2", set_timeout},
    {"assoc", 0, HWS_CLI_PING, NULL,
     "set up an association and measure each of its paths with HEARTBEATs",
     "INITs that leave no association", set_assoc},
    {"csv", 0, HWS_CLI_SIM, "FILE", "every result as a line of CSV", "off", set_csv},
    {"json", 0, HWS_CLI_SIM, "FILE", "every result of every seed as JSON", "off", set_json},
    {"samples", 0, HWS_CLI_SIM, "FILE", "what was sampled of each path, over time, as CSV", "off",
     set_samples},
    {"qlog", 0, HWS_CLI_SIM, "DIR",
     "every packet of each host and what its engine does, as qlog, a file HOST-pP-sS.sqlog for "
     "point P of a sweep and seed S",
     "off", set_qlog},
    {"pcap", 0, HWS_CLI_SIM, "DIR",
     "every packet of each host as pcapng, a file HOST-pP-sS.pcapng for point P of a sweep and "
     "seed S",
     "off", set_pcap},
    {"seed", 0, HWS_CLI_SIM, "N", "what everything random is drawn from", "1", set_seed},
    {"seeds", 0, HWS_CLI_SIM, "N",
     "run with so many seeds, from --seed up: means with 95 % confidence intervals", "1",
     set_seeds},
    {"set", 0, HWS_CLI_SIM, "KEY=VALUE",
     "another value than the scenario has: KIND.NAME.KEY of KEY in [KIND NAME]; may be given up to "
     "64 times",
     "as the scenario says", set_set},
    {"output", 'o', HWS_CLI_PLOT, "FILE", "the SVG picture", "stdout", set_write},
    {"what", 0, HWS_CLI_PLOT, "PANEL",
     "sequence, cwnd, rtt, queue or all; may be given several times", "all", set_what},
    {"help", 'h', ALL | HWS_CLI_DUMP | HWS_CLI_SIM | HWS_CLI_PLOT, NULL, "this text", NULL,
     set_help},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int wrong(const char *format, const char *a, const char *b)
{
    fprintf(stderr, "hawser: ");
    fprintf(stderr, format, a, b);
    fprintf(stderr, "; see --help\n");
    return HWS_CLI_USAGE;
}

/* ---- Parsing ---- */

/* getopt's tables, made of ours. Values from LONG_BASE up name rows. */
#define LONG_BASE 256

static void make_tables(unsigned command, struct option *longs, char *letters)
{
    *letters++ = ':';
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *row = &rows[i];
        if ((row->commands & command) == 0)
            continue;
        int has_arg = row->argument == NULL     ? no_argument
                      : row->argument[0] == '[' ? optional_argument
                                                : required_argument;
        *longs++ = (struct option){row->name, has_arg, NULL, LONG_BASE + (int)i};
        if (row->letter != 0)
            *letters++ = row->letter;
        if (row->letter != 0 && has_arg == required_argument)
            *letters++ = ':';
    }
    *longs = (struct option){0};
    *letters = '\0';
}

static const struct row *row_of(unsigned command, int value)
{
    for (size_t i = 0; i < ROWS; i++) {
        if ((rows[i].commands & command) != 0 &&
            (value == LONG_BASE + (int)i || (value == rows[i].letter && value != 0)))
            return &rows[i];
    }
    return NULL;
}

static int unknown(char **argv)
{
    char letter[] = {'-', (char)optopt, '\0'};
    if (optopt >= LONG_BASE)
        return wrong("option %s takes no argument%s", argv[optind - 1], "");
    return wrong("unknown option %s of %s", optopt != 0 ? letter : argv[optind - 1], argv[0]);
}

static int parse_rows(unsigned command, int argc, char **argv, struct hws_cli_options *out)
{
    struct option longs[ROWS + 1];
    char letters[2 * ROWS + 2];
    make_tables(command, longs, letters);
    opterr = 0;
    optind = 0; /* start anew, whatever was parsed before */
    for (;;) {
        int value = getopt_long(argc, argv, letters, longs, NULL);
        if (value == -1)
            return HWS_CLI_OK;
        const struct row *row = row_of(command, value);
        if (value == ':')
            return wrong("option --%s needs an argument%s", row_of(command, optopt)->name, "");
        if (row == NULL)
            return unknown(argv);
        const char *problem = row->set(out, optarg);
        if (problem != NULL)
            return wrong("--%s %s", row->name, problem);
    }
}

static int read_port(const char *text, struct hws_cli_options *out)
{
    uint64_t number;
    if (!read_number(text, 1, 65535, &number))
        return wrong("'%s' is no SCTP port%s: a number from 1 to 65535", text, "");
    out->port = (uint16_t)number;
    return HWS_CLI_OK;
}

static int read_operands(int count, char **operands, struct hws_cli_options *out)
{
    if (out->command == HWS_CLI_DUMP) {
        if (count != 0)
            return wrong("dump takes no operand, and there is '%s'%s", operands[0], "");
        return HWS_CLI_OK;
    }
    if (out->command == HWS_CLI_SIM && count != 1)
        return wrong("sim takes one operand, the scenario's file%s%s", "", "");
    if (out->command == HWS_CLI_SIM) {
        out->scenario = operands[0];
        return HWS_CLI_OK;
    }
    if (out->command == HWS_CLI_PLOT && count == 0)
        return wrong("plot takes one or more files, which --qlog writes%s%s", "", "");
    if (out->command == HWS_CLI_PLOT) {
        out->files = operands;
        out->file_count = (uint32_t)count;
        out->panels = out->panels != 0 ? out->panels : HWS_CLI_PLOT_ALL;
        return HWS_CLI_OK;
    }
    if (out->command == HWS_CLI_ECHO && !out->listening)
        return wrong("echo only listens: hawser echo -l PORT%s%s", "", "");
    if (out->listening && count != 1)
        return wrong("listening takes one operand, the port%s%s", "", "");
    if (!out->listening && count != 2)
        return wrong("connecting takes two operands, host and port%s%s",
                     out->command == HWS_CLI_CAT ? " (or -l and a port)" : "", "");
    if (!out->listening)
        out->host = operands[0];
    return read_port(operands[count - 1], out);
}

static int check_contradictions(const struct hws_cli_options *options)
{
    if (options->read_file != NULL && options->interface != NULL)
        return wrong("-r and -i exclude each other: packets come from a file or from an interface"
                     "%s%s",
                     "", "");
    if (options->ipv4_only && options->ipv6_only)
        return wrong("-4 and -6 exclude each other%s%s", "", "");
    if (options->udp && options->proto_given && options->protocol != HWS_PROTO_SCTP)
        return wrong(
            "--udp and --proto %s exclude each other: only SCTP (132) has an encapsulation "
            "in UDP%s",
            options->protocol == HWS_PROTO_EXPERIMENT_1 ? "253" : "254", "");
    if (options->udp && (options->link_given || options->interface != NULL))
        return wrong("--udp and --%s exclude each other: UDP has a link of its own%s",
                     options->link_given ? "link" : "interface", "");
    if (options->listening && options->expect_bytes > 0)
        return wrong("--expect is for connectors, and -l listens%s%s", "", "");
    return HWS_CLI_OK;
}

int hws_cli_options_parse(unsigned command, int argc, char **argv, struct hws_cli_options *out)
{
    *out = (struct hws_cli_options){.command = command,
                                    .name = argv[0],
                                    .protocol = HWS_PROTO_SCTP,
                                    .udp_port = HWS_UDP_PORT,
                                    .msg_size_bytes = DEFAULT_MSG_SIZE,
                                    .interval_ms = DEFAULT_INTERVAL_MS,
                                    .timeout_ms = DEFAULT_TIMEOUT_MS,
                                    .seed = DEFAULT_SEED,
                                    .seeds = 1};
    int rc = parse_rows(command, argc, argv, out);
    if (rc != HWS_CLI_OK || out->help)
        return rc;
    rc = read_operands(argc - optind, argv + optind, out);
    return rc != HWS_CLI_OK ? rc : check_contradictions(out);
}

int hws_cli_options_family(const struct hws_cli_options *options)
{
    return options->ipv4_only ? AF_INET : options->ipv6_only ? AF_INET6 : AF_UNSPEC;
}

const char *hws_cli_options_family_name(const struct hws_cli_options *options)
{
    return options->ipv4_only ? "IPv4" : options->ipv6_only ? "IPv6" : "IPv4 or IPv6";
}

/* ---- Help ---- */

#define HELP_COLUMN 28
#define HELP_WIDTH 100

/* Continues a line at HELP_COLUMN, and goes on there on the next lines. */
static void print_wrapped(const char *text)
{
    size_t column = HELP_COLUMN;
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (column + 1 + word > HELP_WIDTH) {
            printf("\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        printf(" %.*s", (int)word, text);
        column += 1 + word;
        text += word + strspn(text + word, " ");
    }
    putchar('\n');
}

static void print_row(const struct row *row)
{
    char name[64], text[512];
    const char *argument = row->argument;
    int len = row->letter != 0 ? snprintf(name, sizeof(name), "-%c, ", row->letter)
                               : snprintf(name, sizeof(name), "    ");
    size_t used = (size_t)len;
    if (argument == NULL)
        snprintf(name + used, sizeof(name) - used, "--%s", row->name);
    else if (argument[0] == '[')
        snprintf(name + used, sizeof(name) - used, "--%s[=%s", row->name, argument + 1);
    else
        snprintf(name + used, sizeof(name) - used, "--%s %s", row->name, argument);
    snprintf(text, sizeof(text), row->defaults != NULL ? "%s (default: %s)" : "%s", row->help,
             row->defaults);
    printf("  %-*s", HELP_COLUMN - 2, name);
    print_wrapped(text);
}

void hws_cli_options_help(unsigned command)
{
    for (size_t i = 0; i < ROWS; i++) {
        if ((rows[i].commands & command) != 0)
            print_row(&rows[i]);
    }
}
