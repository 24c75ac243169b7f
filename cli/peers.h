/* The peer's addresses, as the operand HOST[,HOST...] tells them. One HOST is a name or an address,
 * and of a name's addresses one after another is tried; several HOSTs are one peer with all of
 * their addresses. */
#ifndef HWS_CLI_PEERS_H
#define HWS_CLI_PEERS_H

#include <netinet/in.h>

#include "api/hawser/uv.h"
#include "cli/options.h"

/** An association has so many paths at most. */
#define HWS_CLI_PEERS_MAX 8u

struct hws_cli_peers {
    uint8_t
        packed[HWS_CLI_PEERS_MAX * sizeof(struct sockaddr_in6)]; /* as hws_uv_connectx takes them */
    uint32_t count;
    bool together;        /* addresses of one peer; false: one after another is tried */
    uint32_t next;        /* the first one that was not tried yet */
    uint32_t next_offset; /* where it is packed */
};

/** Looks up the options' hosts with the options' port and families. HWS_CLI_OK, or an exit code
 * after a message. */
int hws_cli_peers_find(const struct hws_cli_options *options, struct hws_cli_peers *out);

/** The address packed at `*offset`, which moves on to the next one. */
const struct sockaddr *hws_cli_peers_at(const struct hws_cli_peers *peers, uint32_t *offset);

/** Whether there are addresses that were not tried yet. */
bool hws_cli_peers_left(const struct hws_cli_peers *peers);

/** Starts to connect to what is to be tried next; there has to be something. As hws_uv_connectx. */
int hws_cli_peers_connect(struct hws_cli_peers *peers, hws_uv_connect_t *request, hws_uv_t *handle,
                          hws_uv_connect_cb cb);

#endif
