#include "cli/plot_curve.h"

#include <stdarg.h>
#include <stdlib.h>

/* Of curves: so many stretches of time are told apart, each by its first, least, greatest and last
 * value. */
#define STRETCHES 1500u

/* Told apart also by who does not see red and green alike (Okabe and Ito). */
static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                      "#e69f00", "#56b4e9", "#000000", "#999900"};

#define COLOURS (sizeof colours / sizeof colours[0])

void hws_cli_plot_add(struct hws_cli_plot_curves *curves, const struct hws_cli_plot_series *series,
                      enum hws_cli_plot_style style, const char *format, ...)
{
    va_list args;
    if (series->count == 0)
        return;
    curves->list = hws_cli_plot_resize(curves->list, curves->count + 1, sizeof *curves->list);
    struct hws_cli_plot_curve *curve = &curves->list[curves->count++];
    *curve = (struct hws_cli_plot_curve){.series = series, .style = style};
    va_start(args, format);
    vsnprintf(curve->title, sizeof curve->title, format, args);
    va_end(args);
}

/* How many curves come before this one by their number of points. */
static size_t rank(const struct hws_cli_plot_curves *curves, size_t index)
{
    size_t before = 0;
    for (size_t i = 0; i < curves->count; i++) {
        size_t other = curves->list[i].series->count, own = curves->list[index].series->count;
        before += other > own || (other == own && i < index);
    }
    return before;
}

size_t hws_cli_plot_keep_largest(struct hws_cli_plot_curves *curves, size_t most)
{
    size_t count = curves->count, kept = 0;
    if (count <= most)
        return 0;
    bool *keep = hws_cli_plot_resize(NULL, count, sizeof *keep);
    for (size_t i = 0; i < count; i++)
        keep[i] = rank(curves, i) < most;
    for (size_t i = 0; i < count; i++)
        if (keep[i])
            curves->list[kept++] = curves->list[i];
    free(keep);
    curves->count = kept;
    return count - kept;
}

/* ---- Points ---- */

static void write_point(FILE *script, const struct hws_cli_plot_point *p)
{
    fprintf(script, "%.6f %.6g\n", p->x, p->y);
}

static void write_all(FILE *script, const struct hws_cli_plot_series *s)
{
    for (size_t i = 0; i < s->count; i++)
        write_point(script, &s->points[i]);
}

/* Points first .. last - 1, which lie in one stretch. */
static void write_stretch(FILE *script, const struct hws_cli_plot_series *s, size_t first,
                          size_t last)
{
    size_t least = first, greatest = first;
    for (size_t i = first; i < last; i++) {
        least = s->points[i].y < s->points[least].y ? i : least;
        greatest = s->points[i].y > s->points[greatest].y ? i : greatest;
    }
    for (size_t i = first; i < last; i++)
        if (i == first || i == least || i == greatest || i + 1 == last)
            write_point(script, &s->points[i]);
}

static void write_steps(FILE *script, const struct hws_cli_plot_series *s, double end)
{
    size_t first = 0;
    for (size_t i = 1; i <= s->count; i++) {
        size_t stretch = (size_t)(s->points[first].x * STRETCHES / end);
        if (i == s->count || (size_t)(s->points[i].x * STRETCHES / end) != stretch) {
            write_stretch(script, s, first, i);
            first = i;
        }
    }
    write_point(script, &(struct hws_cli_plot_point){end, s->points[s->count - 1].y});
}

/* ---- The script ---- */

/* Of a character of UTF-8; 0: it is none, as where a title was cut, or one that controls. */
static size_t character_bytes(const char *text)
{
    unsigned char first = (unsigned char)*text;
    if (first < 0x80)
        return first >= 0x20 && first != 0x7f ? 1 : 0;
    size_t bytes = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < bytes; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 0;
    return bytes;
}

/* In single quotes nothing but a quote has a meaning, and that one is doubled. */
static void write_quoted(FILE *script, const char *text)
{
    fputc('\'', script);
    while (*text != '\0') {
        size_t bytes = character_bytes(text);
        if (bytes == 0)
            fputc('?', script);
        else
            fprintf(script, "%s%.*s", *text == '\'' ? "'" : "", (int)bytes, text);
        text += bytes != 0 ? bytes : 1;
    }
    fputc('\'', script);
}

static void write_style(FILE *script, enum hws_cli_plot_style style, size_t index)
{
    switch (style) {
    case HWS_CLI_PLOT_STEPS:
        fprintf(script, "steps lw 1.5 lc rgb '%s'", colours[index % COLOURS]);
        break;
    case HWS_CLI_PLOT_CROSSES:
        fprintf(script, "points pt 2 lc rgb '%s'", colours[index % COLOURS]);
        break;
    case HWS_CLI_PLOT_CIRCLES:
        fprintf(script, "points pt 6 lc rgb '%s'", colours[index % COLOURS]);
        break;
    }
}

void hws_cli_plot_write(FILE *script, const struct hws_cli_plot_curves *curves, double end)
{
    for (size_t i = 0; i < curves->count; i++) {
        const struct hws_cli_plot_curve *curve = &curves->list[i];
        fprintf(script, "$curve%zu << END\n", i);
        if (curve->style == HWS_CLI_PLOT_STEPS && end > 0)
            write_steps(script, curve->series, end);
        else
            write_all(script, curve->series);
        fprintf(script, "END\n");
    }
    for (size_t i = 0; i < curves->count; i++) {
        fprintf(script, "%s$curve%zu with ", i == 0 ? "plot " : ", ", i);
        write_style(script, curves->list[i].style, i);
        fprintf(script, " title ");
        write_quoted(script, curves->list[i].title);
    }
    fprintf(script, "\n");
}
