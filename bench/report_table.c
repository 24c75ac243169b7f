/* The table: one line for each contender of a row. */
#include <math.h>
#include <stdio.h>

#include "bench/report.h"

#define CELL_BYTES 32u

/* Three figures or so, whatever the unit; a dash for what is not known. */
static const char *cell(char out[CELL_BYTES], double value)
{
    double size = fabs(value);
    if (isnan(value))
        snprintf(out, CELL_BYTES, "-");
    else
        snprintf(out, CELL_BYTES, "%.*f",
                 size >= 1000  ? 0
                 : size >= 100 ? 1
                 : size >= 1   ? 2
                               : 3,
                 value);
    return out;
}

static void print_heading(FILE *out)
{
    fprintf(out, "%-21s %-8s %-7s %-9s %-15s %6s %8s %-8s %17s  %8s %8s %8s  %9s %8s\n", "row",
            "layer", "place", "wait", "contender", "rounds", "median", "unit", "spread", "tx s/GB",
            "rx s/GB", "sum s/GB", "/usrsctp", "/limit");
}

static void print_names(FILE *out, const struct report_line *line)
{
    static const struct {
        const char *key;
        int width;
    } columns[] = {{"row", 21}, {"layer", 8}, {"place", 7}, {"wait", 9}, {"contender", 15}};
    char text[REPORT_NAME_BYTES];
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        fprintf(out, "%-*s ", columns[i].width,
                report_field(line, columns[i].key, text) ? text : "-");
}

static void print_contender(FILE *out, const struct report *report, const struct report_line *line)
{
    char row[REPORT_NAME_BYTES], contender[REPORT_NAME_BYTES], unit[REPORT_NAME_BYTES];
    char a[CELL_BYTES], b[CELL_BYTES], c[CELL_BYTES], spread[2 * CELL_BYTES];
    report_field(line, "row", row);
    report_field(line, "contender", contender);
    report_field(line, "unit", unit);
    struct report_summary sum = report_summarize(report, row, contender);
    print_names(out, line);
    snprintf(spread, sizeof spread, "%s-%s", cell(a, sum.low), cell(b, sum.high));
    fprintf(out, "%6zu %8s %-8s %17s ", sum.count, cell(a, sum.value), unit, spread);
    fprintf(out, " %8s %8s %8s ", cell(a, sum.tx_cpu_s_per_gb), cell(b, sum.rx_cpu_s_per_gb),
            cell(c, sum.cpu_s_per_gb));
    fprintf(out, " %9s %8s%s\n", cell(a, report_ratio(report, row, contender, REPORT_BASELINE)),
            cell(b, report_ratio(report, row, contender, REPORT_LIMIT)),
            report_has(line, "better", "low") ? "  (less is better)" : "");
}

static void print_row(FILE *out, const struct report *report, const char *row)
{
    for (size_t i = 0; i < report->count; i++) {
        if (report_has(&report->lines[i], "row", row) && report_begins_contender(report, i))
            print_contender(out, report, &report->lines[i]);
    }
}

void report_table(FILE *out, const struct report *report)
{
    char row[REPORT_NAME_BYTES];
    print_heading(out);
    for (size_t i = 0; i < report->count; i++) {
        if (report_begins_row(report, i, row))
            print_row(out, report, row);
    }
    fprintf(out, "spread: least and greatest round; s/GB: CPU seconds per 10^9 bytes of user data, "
                 "of the source, the sink, and both;\n"
                 "/usrsctp, /limit: the median as a multiple of usrsctp's, and of the bare part's "
                 "(limit), or of their variant of the same name\n");
}
