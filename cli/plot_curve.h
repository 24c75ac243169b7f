/* The curves of a panel as gnuplot draws them. */
#ifndef HWS_CLI_PLOT_CURVE_H
#define HWS_CLI_PLOT_CURVE_H

#include <stdio.h>

#include "cli/plot_data.h"

#define HWS_CLI_PLOT_TITLE_BYTES 128u

enum hws_cli_plot_style {
    HWS_CLI_PLOT_STEPS,   /* a value holds until the next one; of many points only as many are drawn
                             as can be told apart */
    HWS_CLI_PLOT_CROSSES, /* every point is drawn */
    HWS_CLI_PLOT_CIRCLES,
};

struct hws_cli_plot_curve {
    const struct hws_cli_plot_series *series;
    enum hws_cli_plot_style style;
    char title[HWS_CLI_PLOT_TITLE_BYTES];
};

struct hws_cli_plot_curves {
    struct hws_cli_plot_curve *list; /* freed by the caller */
    size_t count;
};

/** Adds a curve unless it has no points; the title as in printf. */
void hws_cli_plot_add(struct hws_cli_plot_curves *curves, const struct hws_cli_plot_series *series,
                      enum hws_cli_plot_style style, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** Keeps those with the most points, `most` at most, in their order. Returns how many went. */
size_t hws_cli_plot_keep_largest(struct hws_cli_plot_curves *curves, size_t most);

/** Writes data and plot command; curves of steps go on to x = `end`. */
void hws_cli_plot_write(FILE *script, const struct hws_cli_plot_curves *curves, double end);

#endif
