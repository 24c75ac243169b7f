/* --stats: every counter of a runtime, and its associations with their paths, as one line of JSON
 * on stderr. */
#ifndef HWS_CLI_STATS_H
#define HWS_CLI_STATS_H

#include "api/hawser/uv.h"

/** A line that is being written. */
struct hws_cli_stats {
    size_t associations; /* written so far */
};

/** Adds the association of a handle; one that has none adds nothing. */
void hws_cli_stats_add(struct hws_cli_stats *stats, hws_uv_t *handle);

/** Writes {"engine":{...},"link":{...},"associations":[...]}, and has `add` add the associations.
 */
void hws_cli_stats_print(const struct hws_runtime *runtime,
                         void (*add)(void *arg, struct hws_cli_stats *stats), void *arg);

/** Writes {"associations":[...]} with the association of one handle. */
void hws_cli_stats_print_one(hws_uv_t *handle);

#endif
