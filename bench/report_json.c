/* The JSON: for each row the medians of the contenders that have a meaning of their own, and every
 * round as it was printed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report.h"

static void write_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        if ((unsigned char)*text >= ' ')
            fputc(*text, out);
    }
    fputc('"', out);
}

/* A decimal number goes as it is, anything else (what strtod takes for more, too) as a string. */
static void write_value(FILE *out, const char *text)
{
    char *end;
    bool number = text[0] != '\0' && strspn(text, "-0123456789.e+") == strlen(text);
    double value = strtod(text, &end);
    if (number && *end == '\0' && isfinite(value))
        fprintf(out, "%.12g", value);
    else
        write_string(out, text);
}

static void write_round(FILE *out, const struct report_line *line)
{
    struct report_line copy = *line;
    char *rest = NULL;
    const char *comma = "";
    fputs("      {", out);
    strtok_r(copy.text, " ", &rest);
    for (char *pair; (pair = strtok_r(NULL, " ", &rest)) != NULL;) {
        char *value = strchr(pair, '=');
        if (value == NULL)
            continue;
        *value++ = '\0';
        fputs(comma, out);
        write_string(out, pair);
        fputs(": ", out);
        write_value(out, value);
        comma = ", ";
    }
    fputc('}', out);
}

static void write_rounds(FILE *out, const struct report *report, const char *row)
{
    const char *comma = "";
    for (size_t i = 0; i < report->count; i++) {
        if (!report_has(&report->lines[i], "row", row))
            continue;
        fputs(comma, out);
        write_round(out, &report->lines[i]);
        comma = ",\n";
    }
}

/* The median, or null for a contender that was not in the run. */
static void write_median(FILE *out, const struct report *report, const char *row,
                         const char *contender)
{
    struct report_summary sum = report_summarize(report, row, contender);
    fprintf(out, "     \"%s\": ", contender);
    if (sum.count > 0)
        fprintf(out, "%.12g,\n", sum.value);
    else
        fputs("null,\n", out);
}

static void write_row(FILE *out, const struct report *report, const struct report_line *first)
{
    char row[REPORT_NAME_BYTES], unit[REPORT_NAME_BYTES];
    report_field(first, "row", row);
    report_field(first, "unit", unit);
    fputs("    {\"name\": ", out);
    write_string(out, row);
    fputs(", \"unit\": ", out);
    write_string(out, unit);
    fputs(",\n", out);
    write_median(out, report, row, REPORT_OURS);
    write_median(out, report, row, REPORT_BASELINE);
    write_median(out, report, row, REPORT_LIMIT);
    write_median(out, report, row, REPORT_TCP);
    fputs("     \"rounds\": [\n", out);
    write_rounds(out, report, row);
    fputs("]}", out);
}

void report_json(FILE *out, const struct report *report, const char *machine)
{
    char row[REPORT_NAME_BYTES];
    const char *comma = "";
    fputs("{\"machine\": ", out);
    write_string(out, machine);
    fputs(",\n \"rows\": [\n", out);
    for (size_t i = 0; i < report->count; i++) {
        if (!report_begins_row(report, i, row))
            continue;
        fputs(comma, out);
        write_row(out, report, &report->lines[i]);
        comma = ",\n";
    }
    fputs("]}\n", out);
}
