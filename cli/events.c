#include "cli/events.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <netinet/in.h>

#include "api/hawser/options.h"
#include "cli/address.h"

/* Value of SCTP_EXPOSE_POTENTIALLY_FAILED_STATE; <linux/sctp.h> has no name for it. */
#define EXPOSE_ENABLE 2u

static void want(hws_uv_t *handle, uint16_t type)
{
    const struct sctp_event event = {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = type, .se_on = 1};
    hws_uv_setsockopt(handle, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event));
}

void hws_cli_events_want(hws_uv_t *handle)
{
    const struct sctp_assoc_value expose = {.assoc_value = EXPOSE_ENABLE};
    hws_uv_setsockopt(handle, IPPROTO_SCTP, SCTP_EXPOSE_POTENTIALLY_FAILED_STATE, &expose,
                      sizeof(expose));
    want(handle, SCTP_PEER_ADDR_CHANGE);
    want(handle, HWS_EXTENSION_EVENT);
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

static void print_now(void)
{
    struct timespec now;
    struct tm utc;
    char text[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    fprintf(stderr, "hawser: %s.%06ldZ ", text, now.tv_nsec / 1000);
}

static void print_path(const void *bytes)
{
    struct sctp_paddr_change change;
    char address[HWS_CLI_ADDRESS_MAX];
    memcpy(&change, bytes, sizeof(change));
    struct sockaddr_storage remote = change.spc_aaddr;
    hws_cli_address(&remote, address);
    print_now();
    fprintf(stderr, "path to %s, port %u: %s\n", address, hws_cli_port(&remote),
            what(change.spc_state));
}

/* What it says is text or anything else: a byte that is no printable character, and a backslash, is
 * written as \xNN. */
static void print_extension(const uint8_t *bytes, size_t len)
{
    struct hws_extension_event event;
    memcpy(&event, bytes, sizeof(event));
    print_now();
    fprintf(stderr, "extension %s, event %u: ", event.hee_name, (unsigned)event.hee_code);
    for (size_t i = sizeof(event); i < len; i++)
        fprintf(stderr, bytes[i] >= ' ' && bytes[i] <= '~' && bytes[i] != '\\' ? "%c" : "\\x%02x",
                bytes[i]);
    fputc('\n', stderr);
}

bool hws_cli_events_print(const void *bytes, size_t len, const hws_uv_message_t *message)
{
    uint16_t type = 0;
    if ((message->flags & MSG_NOTIFICATION) == 0)
        return false;
    if (len >= sizeof(type))
        memcpy(&type, bytes, sizeof(type));
    if (type == SCTP_PEER_ADDR_CHANGE && len >= sizeof(struct sctp_paddr_change))
        print_path(bytes);
    else if (type == HWS_EXTENSION_EVENT && len >= sizeof(struct hws_extension_event))
        print_extension(bytes, len);
    return true;
}
