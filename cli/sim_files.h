/* The files of a simulation's hosts: one a host and run, in a directory, and what is told when one
 * cannot be written. */
#ifndef HWS_CLI_SIM_FILES_H
#define HWS_CLI_SIM_FILES_H

#include <limits.h>
#include <stdbool.h>

#include "api/trace/capture.h"
#include "sim/run.h"

struct hws_cli_sim_files {
    const char *dir;
    bool failed; /* after a message */
};

/** Makes the directory when it is not there. False after a message. */
bool hws_cli_sim_files_open(struct hws_cli_sim_files *files, const char *dir);

/** Notes that `path` was written with `rc`; the first failure (below 0, an errno) is told. */
void hws_cli_sim_files_check(struct hws_cli_sim_files *files, const char *path, int rc);

/** Writes DIR/HOST-pP-sS.SUFFIX to `path`, of point P of the sweep and seed S. 0, or
 * -ENAMETOOLONG. */
int hws_cli_sim_files_path(const struct hws_cli_sim_files *files, const struct sim_node *host,
                           const char *suffix, char path[PATH_MAX]);

/** The packet as a capture at its host has it. It points into the packet. */
struct hws_capture_packet hws_cli_sim_files_capture(const struct sim_packet *packet, bool outbound,
                                                    uint64_t now_ns);

#endif
