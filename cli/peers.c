#include "cli/peers.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

/* Longest name of the DNS (RFC 1035, 2.3.4). */
#define HOST_MAX 256

static const struct sockaddr *address_at(const struct hws_cli_peers *peers, uint32_t offset)
{
    return (const struct sockaddr *)(const void *)(peers->packed + offset);
}

static uint32_t length_of(const struct sockaddr *address)
{
    return address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* Goes through all, so that `end` is where the next one would be packed. */
static bool contains(const struct hws_cli_peers *peers, const struct addrinfo *found, uint32_t *end)
{
    bool same = false;
    *end = 0;
    for (uint32_t i = 0; i < peers->count; i++) {
        uint32_t len = length_of(address_at(peers, *end));
        same = same ||
               (len == found->ai_addrlen && memcmp(peers->packed + *end, found->ai_addr, len) == 0);
        *end += len;
    }
    return same;
}

/* Appends an address that is not there yet; false: there is no room. */
static bool add(struct hws_cli_peers *peers, const struct addrinfo *found)
{
    uint32_t end;
    if (contains(peers, found, &end))
        return true;
    if (peers->count == HWS_CLI_PEERS_MAX)
        return false;
    memcpy(peers->packed + end, found->ai_addr, found->ai_addrlen);
    peers->count++;
    return true;
}

static struct addrinfo *look_up(const struct hws_cli_options *options, const char *host)
{
    char service[8];
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {
        .ai_family = hws_cli_options_family(options),
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICSERV,
    };
    snprintf(service, sizeof(service), "%u", (unsigned)options->port);
    int rc = getaddrinfo(host, service, &hints, &found);
    if (rc == 0)
        return found;
    fprintf(stderr, "hawser: cannot find the host '%s' (%s): %s\n", host,
            hws_cli_options_family_name(options), gai_strerror(rc));
    return NULL;
}

static int add_host(const struct hws_cli_options *options, const char *host,
                    struct hws_cli_peers *out)
{
    struct addrinfo *found = look_up(options, host);
    bool fits = true;
    if (found == NULL)
        return HWS_CLI_FAILED;
    for (const struct addrinfo *at = found; at != NULL && fits; at = at->ai_next)
        fits = add(out, at);
    freeaddrinfo(found);
    /* Of one host's many addresses the first ones are enough to try. */
    if (fits || !out->together)
        return HWS_CLI_OK;
    fprintf(stderr, "hawser: %s are more than %u addresses, the most a peer can have\n",
            options->host, HWS_CLI_PEERS_MAX);
    return HWS_CLI_USAGE;
}

int hws_cli_peers_find(const struct hws_cli_options *options, struct hws_cli_peers *out)
{
    const char *at = options->host;
    *out = (struct hws_cli_peers){.together = strchr(at, ',') != NULL};
    for (;;) {
        char host[HOST_MAX];
        size_t len = strcspn(at, ",");
        snprintf(host, sizeof(host), "%.*s", (int)len, at);
        int rc = add_host(options, host, out);
        if (rc != HWS_CLI_OK || at[len] == '\0')
            return rc;
        at += len + 1;
    }
}

const struct sockaddr *hws_cli_peers_at(const struct hws_cli_peers *peers, uint32_t *offset)
{
    const struct sockaddr *address = address_at(peers, *offset);
    *offset += length_of(address);
    return address;
}

bool hws_cli_peers_left(const struct hws_cli_peers *peers)
{
    return peers->next < peers->count;
}

int hws_cli_peers_connect(struct hws_cli_peers *peers, hws_uv_connect_t *request, hws_uv_t *handle,
                          hws_uv_connect_cb cb)
{
    const struct sockaddr *first = hws_cli_peers_at(peers, &peers->next_offset);
    uint32_t count = peers->together ? peers->count - peers->next : 1;
    peers->next += count;
    return hws_uv_connectx(request, handle, first, (int)count, cb);
}
