#include "cli/doctor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "api/link/link.h"
#include "cli/firewall.h"
#include "cli/host.h"
#include "cli/options.h"
#include "proto/crc32c.h"

#define INTERFACES_MAX 32u
#define IP_LEN_MAX 65535
/* A receive buffer that a few fast associations fill within a few milliseconds. */
#define SMALL_BUFFER_BYTES (4u << 20)

/* What stands in front of a line. */
#define OK "ok  "
#define NOTE "note"
#define BAD "BAD "

static void begin_line(const char *mark, const char *what)
{
    printf("%s  %-16s ", mark, what);
}

static void line(const char *mark, const char *what, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    begin_line(mark, what);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

/* ---- Raw sockets ---- */

static const char *raw_remedy(int error)
{
    if (error == -EPERM || error == -EACCES)
        return "CAP_NET_RAW is missing: run through sudo, or \"sudo setcap cap_net_raw+ep\" on the "
               "program, or use --udp";
    if (error == -EAFNOSUPPORT)
        return "the kernel lacks this address family: use the other one";
    return "use --udp";
}

static bool check_raw(bool ipv6, uint8_t protocol)
{
    char what[32];
    int error = hws_cli_host_raw_socket(ipv6, protocol);
    snprintf(what, sizeof(what), "raw IPv%d, %u", ipv6 ? 6 : 4, protocol);
    if (error == 0)
        line(OK, what, "sockets can be opened");
    else
        line(BAD, what, "%s; %s", strerror(-error), raw_remedy(error));
    return error == 0;
}

/* True when SCTP's own protocol number can be used with either family. */
static bool check_raw_sockets(void)
{
    static const uint8_t protocols[] = {132, 253, 254};
    bool sctp = false;
    for (size_t i = 0; i < sizeof(protocols); i++) {
        bool ipv4 = check_raw(false, protocols[i]);
        bool ipv6 = check_raw(true, protocols[i]);
        sctp |= protocols[i] == 132 && (ipv4 || ipv6);
    }
    return sctp;
}

/* ---- Other links directly over IP ---- */

static void check_packet_link(void)
{
    const struct hws_link_raw_config config = {.protocol = 132, .ipv4 = true, .ipv6 = true};
    struct hws_link *link;
    char error[HWS_LINK_ERROR_MAX];
    if (hws_link_packet_open(&config, &link, error) != 0) {
        line(NOTE, "link packet", "cannot be used: %s", error);
        return;
    }
    link->ops->close(link);
    line(OK, "link packet", "can be used (--link packet)");
}

static void check_xdp_link(void)
{
    char error[HWS_LINK_ERROR_MAX];
    if (hws_link_xdp_usable(error) == 0)
        line(OK, "link xdp", "can be used (--link xdp)");
    else
        line(NOTE, "link xdp", "cannot be used: %s", error);
}

/* ---- The host ---- */

static void check_kernel_sctp(void)
{
    if (hws_cli_host_kernel_sctp())
        line(BAD, "kernel's SCTP",
             "is loaded and answers our peers with ABORT: \"modprobe -r "
             "sctp\", or use --proto 253 or --udp on both sides");
    else
        line(OK, "kernel's SCTP", "is not loaded");
}

static void check_mtus(void)
{
    struct hws_cli_interface list[INTERFACES_MAX];
    size_t count = hws_cli_host_interfaces(list, INTERFACES_MAX);
    if (count == 0) {
        line(BAD, "MTU", "no interface is up: \"ip link set dev lo up\" for a start");
        return;
    }
    begin_line(OK, "MTU");
    for (size_t i = 0; i < count; i++)
        printf("%s%s %d", i == 0 ? "" : ", ", list[i].name,
               list[i].mtu < IP_LEN_MAX ? list[i].mtu : IP_LEN_MAX);
    putchar('\n');
}

static void report_rules(const struct hws_cli_firewall *firewall)
{
    if (firewall->rules != 0)
        line(NOTE, "firewall",
             "%u %s SCTP: \"%s\"; \"nft -a list ruleset\" shows where, \"nft "
             "delete rule\" removes",
             firewall->rules, firewall->rules == 1 ? "rule concerns" : "rules concern",
             firewall->first);
    else if (firewall->closed_chains != 0)
        line(BAD, "firewall",
             "drops what no rule allows, and none names SCTP: add \"ip protocol "
             "132 accept\", or \"udp dport 9899 accept\" for --udp");
    else
        line(OK, "firewall", "no rule of nftables concerns SCTP");
}

static void check_firewall(void)
{
    struct hws_cli_firewall firewall = {.rules = 0};
    enum hws_cli_ruleset result = HWS_CLI_RULESET_NO_TOOL;
    FILE *ruleset = hws_cli_host_ruleset();
    if (ruleset != NULL) {
        hws_cli_firewall_scan(ruleset, &firewall);
        result = hws_cli_host_ruleset_close(ruleset);
    }
    if (result == HWS_CLI_RULESET_READ)
        report_rules(&firewall);
    else if (result == HWS_CLI_RULESET_NO_TOOL)
        line(NOTE, "firewall", "not looked at, nft is missing: \"apt-get install nftables\"");
    else
        line(NOTE, "firewall", "not looked at, nft refuses: run \"sudo hawser doctor\"");
}

static void check_crc(void)
{
    const char *name = hws_crc32c_impl()->name;
    if (strcmp(name, "table") == 0)
        line(NOTE, "CRC32c",
             "table: this processor has no instruction for it, checksums cost most "
             "of the time of a transfer");
    else
        line(OK, "CRC32c", "%s", name);
}

/* A link asks for what it would use; the one over UDP needs no privilege. */
static void check_receive_buffer(void)
{
    struct hws_link_udp_config config = {.ipv4 = true};
    struct hws_link *link;
    char error[HWS_LINK_ERROR_MAX];
    if (hws_link_udp_open(&config, &link, error) != 0) {
        line(BAD, "receive buffer", "%s", error);
        return;
    }
    uint64_t bytes = link->ops->stats(link)->rx_buffer_bytes;
    link->ops->close(link);
    if (bytes < SMALL_BUFFER_BYTES)
        line(NOTE, "receive buffer",
             "%" PRIu64 " KiB granted, fast transfers may overflow it: "
             "\"sudo sysctl net.core.rmem_max=16777216\"",
             bytes / 1024);
    else
        line(OK, "receive buffer", "%" PRIu64 " KiB granted", bytes / 1024);
}

static int usage(const char *argument)
{
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
        printf(
            "hawser doctor\n\nLooks at what SCTP needs of this machine: a line each, with the "
            "remedy where one is\nneeded. Exit code 0 when raw sockets can be opened, else 1.\n");
        return HWS_CLI_OK;
    }
    fprintf(stderr, "hawser doctor: unknown argument '%s'; there are none\n", argument);
    return HWS_CLI_USAGE;
}

int hws_cli_doctor(int argc, char **argv)
{
    if (argc > 1)
        return usage(argv[1]);
    bool raw = check_raw_sockets();
    check_packet_link();
    check_xdp_link();
    check_kernel_sctp();
    check_mtus();
    check_firewall();
    check_crc();
    check_receive_buffer();
    return raw ? HWS_CLI_OK : HWS_CLI_FAILED;
}
