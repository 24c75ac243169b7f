/* qlog files of a world's hosts, in virtual time. */
#ifndef HWS_TESTS_SIM_RECORD_H
#define HWS_TESTS_SIM_RECORD_H

#include "tests/sim/host.h"

struct hws_qlog;

struct sim_record {
    struct sim_host *host;
    struct hws_qlog *qlog;
};

/** Writes DIR/NAME.sqlog of everything that the host does from now on: it has no association yet.
 * False: the file cannot be made. */
bool sim_record_open(struct sim_record *record, struct sim_host *host, const char *dir,
                     const char *name);

/** False: something could not be written. After sim_host_fini. */
bool sim_record_close(struct sim_record *record);

#endif
