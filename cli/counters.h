/* --stats: every counter of a runtime as one JSON object. */
#ifndef HWS_CLI_COUNTERS_H
#define HWS_CLI_COUNTERS_H

struct hws_runtime;

/** Prints {"engine":{...},"link":{...}} and a newline to stderr. */
void hws_cli_counters_print(const struct hws_runtime *runtime);

#endif
