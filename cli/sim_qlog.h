/* `hawser sim --qlog`: a qlog file of each host in each run. */
#ifndef HWS_CLI_SIM_QLOG_H
#define HWS_CLI_SIM_QLOG_H

#include <stdbool.h>

#include "cli/sim_files.h"
#include "proto/text.h"
#include "sim/run.h"

struct hws_qlog;

struct hws_cli_sim_qlog_host {
    struct hws_qlog *file;       /* NULL: nothing was to be written yet */
    struct hws_text_names names; /* of its engine's extensions */
    bool has_names;
};

struct hws_cli_sim_qlog {
    struct hws_cli_sim_files out;
    struct sim_tap tap;
    struct hws_cli_sim_qlog_host *hosts; /* the run's nodes */
};

/** Makes the directory when it is not there; `qlog->tap` fills it with files HOST-pP-sS.sqlog, of
 * point P of the sweep and seed S. False after a message. */
bool hws_cli_sim_qlog_open(struct hws_cli_sim_qlog *qlog, const char *dir);

/** False: something could not be written, which was said. */
bool hws_cli_sim_qlog_close(const struct hws_cli_sim_qlog *qlog);

#endif
