/* Makes one table, and if asked JSON and a plot, of the rounds that the benchmarks printed. The
 * table needs row, layer, place, wait, unit, contender, value, bytes and cpu_s; any field a round
 * has goes into the JSON. */
#include "bench/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define ROUNDS_MAX 8192u

/* ---- Reading ---- */

bool report_field(const struct report_line *line, const char *key, char out[REPORT_NAME_BYTES])
{
    size_t key_len = strlen(key);
    for (const char *at = line->text; (at = strchr(at, ' ')) != NULL;) {
        at++;
        if (strncmp(at, key, key_len) == 0 && at[key_len] == '=') {
            at += key_len + 1;
            snprintf(out, REPORT_NAME_BYTES, "%.*s", (int)strcspn(at, " "), at);
            return true;
        }
    }
    out[0] = '\0';
    return false;
}

bool report_has(const struct report_line *line, const char *key, const char *value)
{
    char text[REPORT_NAME_BYTES];
    return report_field(line, key, text) && strcmp(text, value) == 0;
}

static bool read_rounds(struct report *report, FILE *in)
{
    struct report_line line;
    report->lines = calloc(ROUNDS_MAX, sizeof *report->lines);
    if (report->lines == NULL)
        return false;
    while (report->count < ROUNDS_MAX && fgets(line.text, sizeof line.text, in) != NULL) {
        line.text[strcspn(line.text, "\n")] = '\0';
        if (strncmp(line.text, "round ", 6) == 0)
            report->lines[report->count++] = line;
    }
    return report->count > 0;
}

bool report_begins_row(const struct report *report, size_t index, char row[REPORT_NAME_BYTES])
{
    report_field(&report->lines[index], "row", row);
    for (size_t i = 0; i < index; i++) {
        if (report_has(&report->lines[i], "row", row))
            return false;
    }
    return true;
}

bool report_begins_contender(const struct report *report, size_t index)
{
    char row[REPORT_NAME_BYTES], contender[REPORT_NAME_BYTES];
    report_field(&report->lines[index], "row", row);
    report_field(&report->lines[index], "contender", contender);
    for (size_t i = 0; i < index; i++) {
        if (report_has(&report->lines[i], "row", row) &&
            report_has(&report->lines[i], "contender", contender))
            return false;
    }
    return true;
}

/* ---- Medians ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts; the mean of the middle two where there is no middle. */
static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return count == 0 ? NAN : (values[(count - 1) / 2] + values[count / 2]) / 2;
}

/* The values of `key` in a contender's rounds, each divided by 10^-9 of the round's bytes if asked;
 * how many. */
static size_t collect(const struct report *report, const char *row, const char *contender,
                      const char *key, bool per_gb, double values[ROUNDS_MAX])
{
    char text[REPORT_NAME_BYTES], bytes[REPORT_NAME_BYTES];
    size_t count = 0;
    for (size_t i = 0; i < report->count; i++) {
        const struct report_line *line = &report->lines[i];
        if (!report_has(line, "row", row) || !report_has(line, "contender", contender) ||
            !report_field(line, key, text))
            continue;
        report_field(line, "bytes", bytes);
        if (!per_gb)
            values[count++] = atof(text);
        else if (atof(bytes) > 0)
            values[count++] = atof(text) / atof(bytes) * 1e9;
    }
    return count;
}

static double median_per_gb(const struct report *report, const char *row, const char *contender,
                            const char *key)
{
    static double values[ROUNDS_MAX];
    return median(values, collect(report, row, contender, key, true, values));
}

struct report_summary report_summarize(const struct report *report, const char *row,
                                       const char *contender)
{
    static double values[ROUNDS_MAX];
    struct report_summary sum = {.count = collect(report, row, contender, "value", false, values)};
    sum.value = median(values, sum.count);
    sum.low = sum.count > 0 ? values[0] : NAN;
    sum.high = sum.count > 0 ? values[sum.count - 1] : NAN;
    sum.cpu_s_per_gb = median_per_gb(report, row, contender, "cpu_s");
    sum.tx_cpu_s_per_gb = median_per_gb(report, row, contender, "tx_cpu_s");
    sum.rx_cpu_s_per_gb = median_per_gb(report, row, contender, "rx_cpu_s");
    return sum;
}

/* The median of the reference's variant of the contender's kind (limit-spin for hawser-spin), or of
 * the reference where there is none. */
static double reference_value(const struct report *report, const char *row, const char *contender,
                              const char *reference)
{
    char variant[2 * REPORT_NAME_BYTES];
    const char *kind = strchr(contender, '-');
    snprintf(variant, sizeof variant, "%s%s", reference, kind != NULL ? kind : "");
    struct report_summary sum = report_summarize(report, row, variant);
    return sum.count > 0 ? sum.value : report_summarize(report, row, reference).value;
}

double report_ratio(const struct report *report, const char *row, const char *contender,
                    const char *reference)
{
    double base = reference_value(report, row, contender, reference);
    return base != 0 ? report_summarize(report, row, contender).value / base : NAN;
}

/* ---- The machine ---- */

static void cpu_model(char model[REPORT_LINE_BYTES])
{
    char line[REPORT_LINE_BYTES];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(model, REPORT_LINE_BYTES, "unknown CPU");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strstr(line, ": ");
        if (colon == NULL || strncmp(line, "model name", 10) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(model, REPORT_LINE_BYTES, "%s", colon + 2);
        break;
    }
    if (file != NULL)
        fclose(file);
}

static void machine_text(char text[2 * REPORT_LINE_BYTES])
{
    char model[REPORT_LINE_BYTES];
    struct utsname os;
    cpu_model(model);
    uname(&os);
    snprintf(text, 2 * REPORT_LINE_BYTES, "%s, %ld cores, %s %s", model,
             sysconf(_SC_NPROCESSORS_ONLN), os.sysname, os.release);
}

/* ---- */

struct options {
    const char *json, *svg; /* files to write, or NULL */
};

static bool read_options(struct options *options, int argc, char *argv[])
{
    int option;
    while ((option = getopt(argc, argv, "j:s:")) != -1) {
        if (option == 'j')
            options->json = optarg;
        else if (option == 's')
            options->svg = optarg;
        else
            return false;
    }
    return optind == argc;
}

/* Nothing is written where no file was asked for. */
static bool write_file(const char *path, const struct report *report, const char *machine,
                       void (*write)(FILE *, const struct report *, const char *))
{
    if (path == NULL)
        return true;
    FILE *out = fopen(path, "w");
    if (out != NULL) {
        write(out, report, machine);
        bool good = ferror(out) == 0;
        if (fclose(out) == 0 && good)
            return true;
    }
    perror(path);
    return false;
}

int main(int argc, char *argv[])
{
    struct options options = {0};
    struct report report = {0};
    char machine[2 * REPORT_LINE_BYTES];
    if (!read_options(&options, argc, argv)) {
        fprintf(stderr, "usage: %s [-j JSON-FILE] [-s SVG-FILE] <ROUNDS\n", argv[0]);
        return 2;
    }
    if (!read_rounds(&report, stdin)) {
        fprintf(stderr, "%s: no rounds to report\n", argv[0]);
        free(report.lines);
        return 1;
    }
    machine_text(machine);
    printf("%s\n", machine);
    report_table(stdout, &report);
    bool good = write_file(options.json, &report, machine, report_json);
    good &= write_file(options.svg, &report, machine, report_svg);
    free(report.lines);
    return good ? 0 : 1;
}
