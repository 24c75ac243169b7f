#include "cli/path_events.h"

#include <stdio.h>
#include <time.h>

#include <netinet/in.h>

#include "cli/address.h"

void hws_cli_path_events_want(struct hws_sock *sock)
{
    const struct sctp_event event = {.se_type = SCTP_PEER_ADDR_CHANGE, .se_on = 1};
    hws_one_setsockopt(sock, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event));
}

static const char *what(int change)
{
    switch (change) {
    case SCTP_ADDR_CONFIRMED:
        return "confirmed";
    case SCTP_ADDR_POTENTIALLY_FAILED:
        return "potentially failed";
    case SCTP_ADDR_UNREACHABLE:
        return "down";
    default:
        return "up";
    }
}

static void print(const struct sctp_paddr_change *change, const char *time, long us)
{
    char address[HWS_CLI_ADDRESS_MAX];
    struct sockaddr_storage remote = change->spc_aaddr;
    hws_cli_address(&remote, address);
    fprintf(stderr, "hawser: %s.%06ldZ path to %s, port %u: %s\n", time, us, address,
            hws_cli_port(&remote), what(change->spc_state));
}

void hws_cli_path_events_print(struct hws_sock *sock)
{
    struct sctp_paddr_change change;
    struct timespec now;
    struct tm utc;
    char text[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    while (hws_one_path_event(sock, &change) == 0)
        print(&change, text, now.tv_nsec / 1000);
}
