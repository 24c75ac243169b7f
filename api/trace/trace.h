/* A text file with one line for each packet:
 *   2026-01-31T12:00:00.000123Z out 192.0.2.1 > 192.0.2.2 proto=132 1000>2000 vtag=0x...: DATA ...
 */
#ifndef HWS_API_TRACE_H
#define HWS_API_TRACE_H

#include "api/trace/capture.h"

struct hws_trace;

/** Makes the file, or empties it. 0 or a negative errno. */
int hws_trace_open(const char *path, struct hws_trace **out);

/** Writes one line, which is in the file when this returns. 0 or a negative errno. */
int hws_trace_write(struct hws_trace *trace, const struct hws_capture_packet *packet);

/** Closes the file. 0, or a negative errno when something could not be written. */
int hws_trace_close(struct hws_trace *trace);

#endif
