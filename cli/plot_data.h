/* What `hawser plot` knows of qlog files: series of points, per association, path and stream. */
#ifndef HWS_CLI_PLOT_DATA_H
#define HWS_CLI_PLOT_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HWS_CLI_PLOT_PATHS 8u
#define HWS_CLI_PLOT_GROUP_BYTES 9u

struct hws_cli_plot_point {
    double x, y; /* x: seconds */
};

struct hws_cli_plot_series {
    struct hws_cli_plot_point *points;
    size_t count, capacity;
};

/* Bytes and milliseconds over time. */
struct hws_cli_plot_path {
    struct hws_cli_plot_series cwnd, ssthresh, flight, srtt, rto;
};

struct hws_cli_plot_stream {
    uint16_t sid;
    struct hws_cli_plot_series queued;
};

/* TSNs are counted from the first one sent. */
struct hws_cli_plot_assoc {
    char group[HWS_CLI_PLOT_GROUP_BYTES]; /* its verification tag */
    bool sent_any;
    uint32_t first_tsn, sent_count;
    struct hws_cli_plot_series sent, acked, lost, retransmitted;
    struct hws_cli_plot_path paths[HWS_CLI_PLOT_PATHS];
    struct hws_cli_plot_stream *streams; /* by stream identifier */
    size_t stream_count;
};

struct hws_cli_plot_file {
    const char *path;
    struct hws_cli_plot_assoc *assocs; /* in the order in which they appear */
    size_t assoc_count;
    bool began;
    double begin_ms; /* time 0 */
};

void hws_cli_plot_push(struct hws_cli_plot_series *series, double x, double y);

/** The association of that name; NULL: there is none. */
struct hws_cli_plot_assoc *hws_cli_plot_find(const struct hws_cli_plot_file *file,
                                             const char *group);
/** The same, made when there is none. Others may move. */
struct hws_cli_plot_assoc *hws_cli_plot_need(struct hws_cli_plot_file *file, const char *group);

/** The stream, made when there is none. Others may move. */
struct hws_cli_plot_stream *hws_cli_plot_stream(struct hws_cli_plot_assoc *assoc, uint16_t sid);

void hws_cli_plot_file_free(struct hws_cli_plot_file *file);

/** Memory of `count` elements, or the end of the program with a message. */
void *hws_cli_plot_resize(void *memory, size_t count, size_t size);

#endif
