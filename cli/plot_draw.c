#include "cli/plot_draw.h"

#include <stdlib.h>
#include <string.h>

#include "cli/plot_curve.h"

#define WIDTH 1100u
#define PANEL_HEIGHT 330u
/* More than this nobody tells apart: those with the most points are drawn. */
#define CURVES_MAX 24u

struct panel {
    unsigned bit;
    const char *title, *unit;
    const char *axis; /* of gnuplot: how y is drawn */
    void (*collect)(struct hws_cli_plot_curves *curves, const struct hws_cli_plot_assoc *assoc,
                    const char *prefix);
};

/* ---- Panels ---- */

static void collect_sequence(struct hws_cli_plot_curves *curves,
                             const struct hws_cli_plot_assoc *assoc, const char *prefix)
{
    hws_cli_plot_add(curves, &assoc->sent, HWS_CLI_PLOT_STEPS, "%ssent", prefix);
    hws_cli_plot_add(curves, &assoc->acked, HWS_CLI_PLOT_STEPS, "%scumulative TSN ack", prefix);
    hws_cli_plot_add(curves, &assoc->lost, HWS_CLI_PLOT_CROSSES, "%slost", prefix);
    hws_cli_plot_add(curves, &assoc->retransmitted, HWS_CLI_PLOT_CIRCLES, "%ssent again", prefix);
}

static bool was_used(const struct hws_cli_plot_path *path)
{
    for (size_t i = 0; i < path->flight.count; i++)
        if (path->flight.points[i].y > 0)
            return true;
    return false;
}

static void collect_cwnd(struct hws_cli_plot_curves *curves, const struct hws_cli_plot_assoc *assoc,
                         const char *prefix)
{
    for (unsigned i = 0; i < HWS_CLI_PLOT_PATHS; i++) {
        const struct hws_cli_plot_path *path = &assoc->paths[i];
        if (!was_used(path))
            continue;
        hws_cli_plot_add(curves, &path->cwnd, HWS_CLI_PLOT_STEPS, "%spath %u cwnd", prefix, i);
        hws_cli_plot_add(curves, &path->flight, HWS_CLI_PLOT_STEPS, "%spath %u flight", prefix, i);
        hws_cli_plot_add(curves, &path->ssthresh, HWS_CLI_PLOT_STEPS, "%spath %u ssthresh", prefix,
                         i);
    }
}

/* The RTO of a path without a measurement is only what it began with. */
static void collect_rtt(struct hws_cli_plot_curves *curves, const struct hws_cli_plot_assoc *assoc,
                        const char *prefix)
{
    for (unsigned i = 0; i < HWS_CLI_PLOT_PATHS; i++) {
        const struct hws_cli_plot_path *path = &assoc->paths[i];
        if (path->srtt.count == 0)
            continue;
        hws_cli_plot_add(curves, &path->srtt, HWS_CLI_PLOT_STEPS, "%spath %u SRTT", prefix, i);
        hws_cli_plot_add(curves, &path->rto, HWS_CLI_PLOT_STEPS, "%spath %u RTO", prefix, i);
    }
}

static void collect_queue(struct hws_cli_plot_curves *curves,
                          const struct hws_cli_plot_assoc *assoc, const char *prefix)
{
    for (size_t i = 0; i < assoc->stream_count; i++)
        hws_cli_plot_add(curves, &assoc->streams[i].queued, HWS_CLI_PLOT_STEPS, "%sstream %u",
                         prefix, (unsigned)assoc->streams[i].sid);
}

#define LINEAR "unset logscale y\nset yrange [0:*]\nset format y '%.1s %c'\n"
/* A round trip may be a thousandth of the timeout. */
#define LOGARITHMIC "set logscale y\nset yrange [*:*]\nset format y '%g'\n"

static const struct panel panels_known[] = {
    {HWS_CLI_PLOT_SEQUENCE, "DATA chunks", "TSN - first TSN", LINEAR, collect_sequence},
    {HWS_CLI_PLOT_CWND, "Congestion window and flight", "bytes", LINEAR, collect_cwnd},
    {HWS_CLI_PLOT_RTT, "Round-trip time and retransmission timeout", "ms", LOGARITHMIC,
     collect_rtt},
    {HWS_CLI_PLOT_QUEUE, "Queues of streams", "bytes", LINEAR, collect_queue},
};

#define PANELS (sizeof panels_known / sizeof panels_known[0])

/* ---- Names ---- */

/* The file's name without its folder and ending. */
static void write_label(char *out, size_t capacity, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    int len = dot != NULL && dot != name ? (int)(dot - name) : (int)strlen(name);
    snprintf(out, capacity, "%.*s", len, name);
}

/* What distinguishes the association from others in the picture. */
static void write_prefix(char *out, size_t capacity, const struct hws_cli_plot_file *file,
                         const struct hws_cli_plot_assoc *assoc, bool one_file)
{
    char label[64] = "";
    if (!one_file)
        write_label(label, sizeof label, file->path);
    snprintf(out, capacity, "%s%s%s%s", label, one_file ? "" : " ",
             file->assoc_count > 1 ? assoc->group : "", file->assoc_count > 1 ? " " : "");
}

static void collect(struct hws_cli_plot_curves *curves, const struct panel *panel,
                    const struct hws_cli_plot_file *files, size_t file_count)
{
    char prefix[96];
    *curves = (struct hws_cli_plot_curves){0};
    for (size_t i = 0; i < file_count; i++)
        for (size_t k = 0; k < files[i].assoc_count; k++) {
            write_prefix(prefix, sizeof prefix, &files[i], &files[i].assocs[k], file_count == 1);
            panel->collect(curves, &files[i].assocs[k], prefix);
        }
    size_t left_out = hws_cli_plot_keep_largest(curves, CURVES_MAX);
    if (left_out > 0)
        fprintf(stderr, "hawser: %s: %zu curves with fewer points are left out\n", panel->title,
                left_out);
}

/* ---- The script ---- */

static void write_head(FILE *script, size_t panel_count, double end)
{
    fprintf(script,
            "set encoding utf8\n"
            "set terminal svg size %u,%zu dynamic noenhanced font 'sans-serif,12' "
            "background 'white'\n",
            WIDTH, PANEL_HEIGHT * panel_count);
    fprintf(script,
            "set grid\n"
            "set key outside right top vertical\n"
            "set lmargin 12\n"
            "set rmargin 36\n"
            "set xlabel 'seconds'\n"
            "set xrange [0:%.6f]\n"
            "set pointsize 0.8\n"
            "set multiplot layout %zu,1\n",
            end > 0 ? end : 1, panel_count);
}

static double end_of(const struct hws_cli_plot_curves *curves)
{
    double end = 0;
    for (size_t i = 0; i < curves->count; i++) {
        const struct hws_cli_plot_series *s = curves->list[i].series;
        if (s->points[s->count - 1].x > end)
            end = s->points[s->count - 1].x;
    }
    return end;
}

bool hws_cli_plot_draw(FILE *script, const struct hws_cli_plot_file *files, size_t file_count,
                       unsigned panels)
{
    struct hws_cli_plot_curves curves[PANELS];
    const struct panel *drawn[PANELS];
    size_t count = 0;
    double end = 0;
    for (size_t i = 0; i < PANELS; i++) {
        if (!(panels & panels_known[i].bit))
            continue;
        collect(&curves[count], &panels_known[i], files, file_count);
        end = end_of(&curves[count]) > end ? end_of(&curves[count]) : end;
        if (curves[count].count > 0)
            drawn[count++] = &panels_known[i];
    }
    if (count > 0)
        write_head(script, count, end);
    for (size_t i = 0; i < count; i++) {
        fprintf(script, "set title '%s'\nset ylabel '%s'\n%s", drawn[i]->title, drawn[i]->unit,
                drawn[i]->axis);
        hws_cli_plot_write(script, &curves[i], end);
        free(curves[i].list);
    }
    if (count > 0)
        fprintf(script, "unset multiplot\n");
    return count > 0;
}
