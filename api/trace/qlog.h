/* qlog files (draft-ietf-quic-qlog-main-schema): a JSON text sequence (RFC 7464) of events named
 * after SCTP. docs/TRACES.md tells the events and their fields, qlog.schema.json what is valid.
 *
 * A file is filled from two sides: packets come from where they cross the link, everything else
 * from the engine's observer. Both in one thread, or under one lock. Records are in the file a
 * second later at most when others follow, and all of them once it is closed; a process that forks
 * leaves the file to the parent. */
#ifndef HWS_API_QLOG_H
#define HWS_API_QLOG_H

#include "api/trace/capture.h"
#include "stack/observer.h"

/** Names the events of docs/TRACES.md in a file's head. */
#define HWS_QLOG_EVENT_SCHEMA "urn:x-hawser:qlog:events:sctp"

struct hws_qlog;

/** Where the events come from: which side of its associations. */
enum hws_qlog_vantage {
    HWS_QLOG_UNKNOWN, /* both, or either */
    HWS_QLOG_CLIENT,  /* it connects */
    HWS_QLOG_SERVER,  /* it accepts */
};

struct hws_qlog_config {
    const char *title; /* of the trace, for example the command */
    const char *name;  /* of the vantage point: the host */
    enum hws_qlog_vantage vantage;
    bool virtual_time;       /* times are a simulation's, from 0 on; else since 1970 */
    uint64_t unix_offset_us; /* from the observer's now_us to the packets' unix_us */
};

/** Makes the file, or empties it, and writes what stands at its head. The config is not needed
 * later. 0 or a negative errno. */
int hws_qlog_open(const char *path, const struct hws_qlog_config *config, struct hws_qlog **out);

/** Writes sctp:packet_sent or sctp:packet_received; with virtual time, `unix_us` is that time. */
void hws_qlog_packet(struct hws_qlog *qlog, const struct hws_capture_packet *packet);

/** Writes what an observer was told: `qlog` is a struct hws_qlog, so that this is an observer's
 * function. */
void hws_qlog_tell(void *qlog, const struct hws_observation *observation);

/** Writes what is left and closes the file. 0, or a negative errno when something could not be
 * written. */
int hws_qlog_close(struct hws_qlog *qlog);

#endif
