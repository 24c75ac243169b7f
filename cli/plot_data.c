#include "cli/plot_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

void *hws_cli_plot_resize(void *memory, size_t count, size_t size)
{
    void *larger = reallocarray(memory, count, size);
    if (larger == NULL) {
        fprintf(stderr, "hawser: there is not enough memory for these files\n");
        exit(HWS_CLI_FAILED);
    }
    return larger;
}

void hws_cli_plot_push(struct hws_cli_plot_series *series, double x, double y)
{
    if (series->count == series->capacity) {
        series->capacity = series->capacity > 0 ? 2 * series->capacity : 64;
        series->points =
            hws_cli_plot_resize(series->points, series->capacity, sizeof *series->points);
    }
    series->points[series->count++] = (struct hws_cli_plot_point){x, y};
}

/* ---- Associations and streams ---- */

/* Mostly it is one of the last. */
struct hws_cli_plot_assoc *hws_cli_plot_find(const struct hws_cli_plot_file *file,
                                             const char *group)
{
    for (size_t i = file->assoc_count; i > 0; i--)
        if (strcmp(file->assocs[i - 1].group, group) == 0)
            return &file->assocs[i - 1];
    return NULL;
}

struct hws_cli_plot_assoc *hws_cli_plot_need(struct hws_cli_plot_file *file, const char *group)
{
    struct hws_cli_plot_assoc *assoc = hws_cli_plot_find(file, group);
    if (assoc != NULL)
        return assoc;
    file->assocs = hws_cli_plot_resize(file->assocs, file->assoc_count + 1, sizeof *file->assocs);
    assoc = &file->assocs[file->assoc_count++];
    *assoc = (struct hws_cli_plot_assoc){0};
    snprintf(assoc->group, sizeof assoc->group, "%s", group);
    return assoc;
}

struct hws_cli_plot_stream *hws_cli_plot_stream(struct hws_cli_plot_assoc *assoc, uint16_t sid)
{
    size_t i = 0;
    while (i < assoc->stream_count && assoc->streams[i].sid < sid)
        i++;
    if (i < assoc->stream_count && assoc->streams[i].sid == sid)
        return &assoc->streams[i];
    assoc->streams =
        hws_cli_plot_resize(assoc->streams, assoc->stream_count + 1, sizeof *assoc->streams);
    memmove(&assoc->streams[i + 1], &assoc->streams[i],
            (assoc->stream_count - i) * sizeof *assoc->streams);
    assoc->stream_count++;
    assoc->streams[i] = (struct hws_cli_plot_stream){.sid = sid};
    return &assoc->streams[i];
}

/* ---- The end ---- */

static void free_path(struct hws_cli_plot_path *path)
{
    free(path->cwnd.points);
    free(path->ssthresh.points);
    free(path->flight.points);
    free(path->srtt.points);
    free(path->rto.points);
}

static void free_assoc(struct hws_cli_plot_assoc *assoc)
{
    free(assoc->sent.points);
    free(assoc->acked.points);
    free(assoc->lost.points);
    free(assoc->retransmitted.points);
    for (unsigned i = 0; i < HWS_CLI_PLOT_PATHS; i++)
        free_path(&assoc->paths[i]);
    for (size_t i = 0; i < assoc->stream_count; i++)
        free(assoc->streams[i].queued.points);
    free(assoc->streams);
}

void hws_cli_plot_file_free(struct hws_cli_plot_file *file)
{
    for (size_t i = 0; i < file->assoc_count; i++)
        free_assoc(&file->assocs[i]);
    free(file->assocs);
}
