/* A text file with one line for each packet:
 *   2026-01-31T12:00:00.000123Z out 192.0.2.1 > 192.0.2.2 proto=132 1000>2000 vtag=0x...: DATA ...
 * "-" stands for a way that is not known.
 * A protocol that is a profile has its name behind it: proto=253/fec.
 */
#ifndef HWS_API_TRACE_H
#define HWS_API_TRACE_H

#include <stdio.h>

#include "api/trace/capture.h"

struct hws_trace;

/** Makes the file, or empties it. 0 or a negative errno. */
int hws_trace_open(const char *path, struct hws_trace **out);

/** Writes to a file that stays the caller's, as do its buffering and its flushing until
 * hws_trace_close. 0 or a negative errno. */
int hws_trace_borrow(FILE *file, struct hws_trace **out);

/** Writes one line, which is in the file when this returns, unless the file is borrowed. 0 or a
 * negative errno. */
int hws_trace_write(struct hws_trace *trace, const struct hws_capture_packet *packet);

/** The same, with `note` at the end of the line. */
int hws_trace_write_noted(struct hws_trace *trace, const struct hws_capture_packet *packet,
                          const char *note);

/** A line with `note` in the chunks' place. */
int hws_trace_write_note(struct hws_trace *trace, const struct hws_capture_packet *packet,
                         const char *note);

/** Closes the file, if it is not borrowed. 0, or a negative errno when something could not be
 * written. */
int hws_trace_close(struct hws_trace *trace);

#endif
