/* Writes a qlog file of all that a runtime does (HAWSER_QLOG of the default one). */
#ifndef HWS_API_QLOG_TAP_H
#define HWS_API_QLOG_TAP_H

#include "api/runtime/runtime.h"

struct hws_qlog_tap;

/** Begins: `path` is a file, which is made or emptied, or a directory, in which one gets a name of
 * this process: hawser-PID.sqlog. `protocol`: what the runtime's link speaks. Before the runtime is
 * used. 0 or a negative errno. */
int hws_qlog_tap_open(const char *path, struct hws_runtime *runtime, uint8_t protocol,
                      struct hws_qlog_tap **out);

/** Ends: takes the runtime's lock, writes what is left, closes the file. 0, or a negative errno
 * when something could not be written. */
int hws_qlog_tap_close(struct hws_qlog_tap *tap);

#endif
