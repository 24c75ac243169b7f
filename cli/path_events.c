#include "cli/path_events.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <netinet/in.h>

#include "cli/address.h"

/* Value of SCTP_EXPOSE_POTENTIALLY_FAILED_STATE; <linux/sctp.h> has no name for it. */
#define EXPOSE_ENABLE 2u

void hws_cli_path_events_want(hws_uv_t *handle)
{
    const struct sctp_event event = {
        .se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_PEER_ADDR_CHANGE, .se_on = 1};
    const struct sctp_assoc_value expose = {.assoc_value = EXPOSE_ENABLE};
    hws_uv_setsockopt(handle, IPPROTO_SCTP, SCTP_EXPOSE_POTENTIALLY_FAILED_STATE, &expose,
                      sizeof(expose));
    hws_uv_setsockopt(handle, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event));
}

static const char *what(int change)
{
    switch (change) {
    case SCTP_ADDR_CONFIRMED:
        return "confirmed";
    case SCTP_ADDR_PF:
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

static void print_now(const struct sctp_paddr_change *change)
{
    struct timespec now;
    struct tm utc;
    char text[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    print(change, text, now.tv_nsec / 1000);
}

bool hws_cli_path_events_print(const void *bytes, size_t len, const hws_uv_message_t *message)
{
    struct sctp_paddr_change change;
    if ((message->flags & MSG_NOTIFICATION) == 0)
        return false;
    if (len >= sizeof(change)) {
        memcpy(&change, bytes, sizeof(change));
        print_now(&change);
    }
    return true;
}
