/* --stats: every counter of a runtime, and its associations with their paths, as one line of JSON
 * on stderr. */
#ifndef HWS_CLI_STATS_H
#define HWS_CLI_STATS_H

#include "api/hawser/hawser.h"

/** A line that is being written. */
struct hws_cli_stats {
    size_t associations; /* written so far */
};

/** Adds the association of a socket; a socket that has none adds nothing. */
void hws_cli_stats_add(struct hws_cli_stats *stats, struct hws_sock *sock);

/** Writes {"engine":{...},"link":{...},"associations":[...]}, and has `add` add the associations.
 */
void hws_cli_stats_print(const struct hws_runtime *runtime,
                         void (*add)(void *arg, struct hws_cli_stats *stats), void *arg);

/** Writes {"associations":[...]} with the association of one socket. */
void hws_cli_stats_print_one(struct hws_sock *sock);

#endif
