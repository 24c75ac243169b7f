/* What every command needs around its work: the loop, a runtime made from the options, signals,
 * traces and counters; and messages for what goes wrong. */
#ifndef HWS_CLI_SESSION_H
#define HWS_CLI_SESSION_H

#include <sys/queue.h>
#include <uv.h>

#include "api/hawser/uv.h"
#include "cli/options.h"
#include "cli/stats.h"
#include "cli/taps.h"

struct hws_cli_handle;

/** What a session asks of its command. */
struct hws_cli_command {
    void *arg;
    void (*interrupted)(void *arg); /* SIGINT, SIGTERM or SIGHUP came */
    /** Adds its associations to a line of --stats. */
    void (*add_stats)(void *arg, struct hws_cli_stats *stats);
};

#define HWS_CLI_SIGNALS 4u

struct hws_cli_session {
    uv_loop_t loop;
    const struct hws_cli_options *options;
    struct hws_runtime *runtime;
    uv_signal_t signals[HWS_CLI_SIGNALS];
    uv_timer_t stats_timer;
    struct hws_cli_command command;
    struct hws_cli_taps taps;
    LIST_HEAD(, hws_cli_handle) handles; /* that are open */
};

/** Opens loop and runtime. HWS_CLI_OK, or an exit code after a message on stderr. */
int hws_cli_session_open(struct hws_cli_session *session, const struct hws_cli_options *options,
                         const struct hws_cli_command *command);

/** A handle for hws_uv_accept. NULL after a message. */
hws_uv_t *hws_cli_session_handle(struct hws_cli_session *session);

/** A handle with the options' streams, bound to the options' local addresses and to `port` (0: a
 * free one). NULL after a message. */
hws_uv_t *hws_cli_session_bound(struct hws_cli_session *session, uint16_t port);

/** A handle that listens at the options' port; its data is `arg`. NULL after a message. */
hws_uv_t *hws_cli_session_listen(struct hws_cli_session *session, int backlog,
                                 hws_uv_connection_cb cb, void *arg);

/** Closes a handle of the session, which frees it when it is closed; before, `closed` (or NULL)
 * gets its data. A handle of NULL is allowed. */
void hws_cli_session_drop(hws_uv_t *handle, void (*closed)(void *data));

/** Writes the counters if wanted, closes every handle, frees everything and runs the loop until it
 * is empty. Answers the command's exit code: `exit_code`, unless a trace could not be written. */
int hws_cli_session_close(struct hws_cli_session *session, int exit_code);

/** Prints "hawser: WHAT: the error's text", and what can be done about it, if that is known. */
void hws_cli_complain(const char *what, int error);

#endif
