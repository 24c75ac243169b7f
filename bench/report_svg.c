/* The plot: for each row a bar for each contender, as a multiple of usrsctp's median (of the bare
 * part's where usrsctp has no such row), on a logarithmic scale. */
#include <math.h>
#include <string.h>

#include "bench/report.h"

/* In SVG's user units. */
#define NAMES_WIDTH 300
#define BARS_WIDTH 620
#define RIGHT_MARGIN 90
#define TOP_MARGIN 70
#define BAR_HEIGHT 13
#define ROW_GAP 12

#define RATIO_LOW 0.1
#define RATIO_HIGH 1000.0

static double x_of(double ratio)
{
    double clamped = fmin(fmax(ratio, RATIO_LOW), RATIO_HIGH);
    return NAMES_WIDTH + BARS_WIDTH * log10(clamped / RATIO_LOW) / log10(RATIO_HIGH / RATIO_LOW);
}

static void write_text(FILE *out, double x, double y, const char *anchor, const char *text)
{
    fprintf(out, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">", x, y, anchor);
    for (; *text != '\0'; text++) {
        if (*text == '&' || *text == '<' || *text == '>')
            fprintf(out, "&#%d;", *text);
        else
            fputc(*text, out);
    }
    fputs("</text>\n", out);
}

static const char *colour(const char *contender)
{
    static const struct {
        const char *prefix, *colour;
    } colours[] = {{REPORT_OURS, "#1f6fb4"},
                   {REPORT_BASELINE, "#b5482a"},
                   {REPORT_LIMIT, "#8a8a8a"},
                   {REPORT_TCP, "#3d8f4c"}};
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++) {
        if (strncmp(contender, colours[i].prefix, strlen(colours[i].prefix)) == 0)
            return colours[i].colour;
    }
    return "#777777";
}

static const char *reference_of(const struct report *report, const char *row)
{
    return report_summarize(report, row, REPORT_BASELINE).count > 0 ? REPORT_BASELINE
                                                                    : REPORT_LIMIT;
}

/* One contender's bar, from the reference's line to its own ratio. */
static void write_bar(FILE *out, const struct report *report, const struct report_line *line,
                      double y)
{
    char row[REPORT_NAME_BYTES], contender[REPORT_NAME_BYTES], unit[REPORT_NAME_BYTES];
    char label[3 * REPORT_NAME_BYTES];
    report_field(line, "row", row);
    report_field(line, "contender", contender);
    report_field(line, "unit", unit);
    double ratio = report_ratio(report, row, contender, reference_of(report, row));
    double from = fmin(x_of(1), x_of(ratio)), to = fmax(x_of(1), x_of(ratio));
    write_text(out, NAMES_WIDTH - 8, y + BAR_HEIGHT - 3, "end", contender);
    if (isnan(ratio))
        return;
    fprintf(out, "<rect x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n", from,
            y, fmax(to - from, 2), BAR_HEIGHT - 2, colour(contender));
    double value = report_summarize(report, row, contender).value;
    snprintf(label, sizeof label, value >= 1000 ? "%.0f %s, %.3gx" : "%.3g %s, %.3gx", value, unit,
             ratio);
    write_text(out, to + 5, y + BAR_HEIGHT - 3, "start", label);
}

/* Where the next row begins. */
static double write_row(FILE *out, const struct report *report, size_t first, const char *row,
                        double y)
{
    write_text(out, 8, y + BAR_HEIGHT - 3, "start", row);
    if (report_has(&report->lines[first], "better", "low"))
        write_text(out, 8, y + 2 * BAR_HEIGHT - 3, "start", "(less is better)");
    for (size_t i = first; i < report->count; i++) {
        if (!report_has(&report->lines[i], "row", row) || !report_begins_contender(report, i))
            continue;
        write_bar(out, report, &report->lines[i], y);
        y += BAR_HEIGHT;
    }
    return y + ROW_GAP;
}

static double height_of(const struct report *report)
{
    char row[REPORT_NAME_BYTES];
    double height = TOP_MARGIN + ROW_GAP;
    for (size_t i = 0; i < report->count; i++)
        height += (report_begins_row(report, i, row) ? ROW_GAP : 0) +
                  (report_begins_contender(report, i) ? BAR_HEIGHT : 0);
    return height;
}

static void write_scale(FILE *out, double height)
{
    char text[REPORT_NAME_BYTES];
    for (double ratio = RATIO_LOW; ratio <= RATIO_HIGH * 1.01; ratio *= 10) {
        double x = x_of(ratio);
        fprintf(out, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%.0f\" stroke=\"#cccccc\"/>\n",
                x, TOP_MARGIN - 10, x, height - ROW_GAP);
        snprintf(text, sizeof text, "%g", ratio);
        write_text(out, x, TOP_MARGIN - 15, "middle", text);
    }
}

void report_svg(FILE *out, const struct report *report, const char *machine)
{
    char row[REPORT_NAME_BYTES];
    double y = TOP_MARGIN, height = height_of(report);
    int width = NAMES_WIDTH + BARS_WIDTH + RIGHT_MARGIN;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" "
            "height=\"%.0f\" font-family=\"sans-serif\" font-size=\"11\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
            width, height, width, height);
    write_text(out, 8, 18, "start", machine);
    write_text(out, 8, 34, "start",
               "medians as multiples of usrsctp's (of the limit's where usrsctp has none)");
    write_scale(out, height);
    for (size_t i = 0; i < report->count; i++) {
        if (report_begins_row(report, i, row))
            y = write_row(out, report, i, row, y);
    }
    fputs("</svg>\n", out);
}
