/* Command lines: one table of options drives parsing, --help and its check against the manual. */
#ifndef HWS_CLI_OPTIONS_H
#define HWS_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "api/hawser/hawser.h"
#include "stack/extend.h"

/** Exit codes of every command. */
#define HWS_CLI_OK 0
#define HWS_CLI_FAILED 1
#define HWS_CLI_USAGE 2

/** Commands that take these options; values are bits of a mask. */
#define HWS_CLI_CAT 0x1u
#define HWS_CLI_ECHO 0x2u
#define HWS_CLI_PING 0x4u
#define HWS_CLI_DUMP 0x8u
#define HWS_CLI_SIM 0x10u
#define HWS_CLI_PLOT 0x20u

#define HWS_CLI_LOCALS_MAX 8u
#define HWS_CLI_UDP_PORTS_MAX 16u
/* --set, in all. */
#define HWS_CLI_SETS_MAX 64u
#define HWS_CLI_EXTENSIONS_MAX HWS_EXT_MAX

struct hws_cli_options {
    unsigned command;
    const char *name; /* of the command */
    bool help;
    bool listening;
    const char *host; /* NULL: listening */
    uint16_t port;    /* SCTP port */
    bool proto_given;
    uint8_t protocol;
    bool udp;
    uint16_t udp_port;
    bool link_given;
    enum hws_link_kind link;
    const char *interface; /* NULL: all */
    const char *extensions[HWS_CLI_EXTENSIONS_MAX];
    uint32_t extension_count;
    const char *cc, *sched, *pathsel; /* names, NULL: the default */
    const char *locals[HWS_CLI_LOCALS_MAX];
    uint32_t local_count;
    bool ipv4_only, ipv6_only;
    bool own_host;
    uint16_t streams; /* 0: not given */
    uint32_t msg_size_bytes;
    bool unordered;
    uint64_t expect_bytes;
    bool stats, verbose;
    uint32_t stats_interval_s;       /* 0: only at the end */
    const char *trace, *pcap, *qlog; /* files, or NULL */
    bool assoc;
    uint64_t count; /* 0: without end */
    uint32_t interval_ms, timeout_ms;
    const char *read_file, *write_file; /* captures, or NULL */
    uint16_t udp_ports[HWS_CLI_UDP_PORTS_MAX];
    uint32_t udp_port_count;
    const char *only_host; /* NULL: all */
    uint16_t only_port;    /* 0: all */
    bool line_buffered;
    /* sim: */
    const char *scenario, *csv, *json, *samples; /* files, or NULL */
    char **files;                                /* operands of plot */
    uint32_t file_count;
    unsigned panels; /* HWS_CLI_PLOT_*, what is drawn */
    uint64_t seed, seeds;
    const char *sets[HWS_CLI_SETS_MAX];
    uint32_t set_count;
};

/** Reads the arguments after the command's name (argv[0] is that name). HWS_CLI_OK, or
 * HWS_CLI_USAGE after a message on stderr that says what is wrong. With `help` set the rest may be
 * incomplete. Strings point into argv. */
int hws_cli_options_parse(unsigned command, int argc, char **argv, struct hws_cli_options *out);

/** AF_INET, AF_INET6 or AF_UNSPEC, as -4 and -6 say. */
int hws_cli_options_family(const struct hws_cli_options *options);

/** The same in words, for messages: "IPv4", "IPv6", "IPv4 or IPv6". */
const char *hws_cli_options_family_name(const struct hws_cli_options *options);

/** Prints the options of a command to stdout, one per line: name, argument, meaning, default. */
void hws_cli_options_help(unsigned command);

#endif
