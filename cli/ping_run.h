/* What both kinds of ping share: when to send, how long to wait, and when it is over. */
#ifndef HWS_CLI_PING_RUN_H
#define HWS_CLI_PING_RUN_H

#include "cli/peers.h"
#include "cli/ping_count.h"
#include "cli/session.h"

struct hws_cli_ping;

/** A kind of ping. */
struct hws_cli_ping_kind {
    const char *what; /* that is sent, for the first line */
    void (*start)(struct hws_cli_ping *ping);
    void (*send)(struct hws_cli_ping *ping); /* it is time for the next one */
    /** Nothing is sent any more: call hws_cli_ping_end when nothing is waited for. */
    void (*stop)(struct hws_cli_ping *ping);
    void (*print)(const struct hws_cli_ping *ping, double elapsed_ms); /* the statistics */
    void (*add_stats)(void *ping, struct hws_cli_stats *stats);
};

struct hws_cli_ping {
    struct hws_cli_session session;
    struct hws_cli_options options;
    struct hws_cli_peers peers;
    const struct hws_cli_ping_kind *kind;
    void *state;      /* of the kind */
    uv_timer_t timer; /* the next one to send */
    uint64_t started_ns, sent_rounds;
    bool interrupted; /* Ctrl-C */
    bool stopped, over;
    int exit_code;
};

extern const struct hws_cli_ping_kind hws_cli_ping_probe, hws_cli_ping_association;

/** Begins to send, now and then in every interval. */
void hws_cli_ping_begin(struct hws_cli_ping *ping);

/** Leaves the loop. */
void hws_cli_ping_end(struct hws_cli_ping *ping, int exit_code);

#endif
