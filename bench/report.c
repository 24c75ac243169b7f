/* Makes one table, and JSON, of the rounds that the benchmarks printed (round.h says how). Any
 * field a round has goes into the JSON; the table needs row, layer, unit, contender, value, bytes,
 * wall_s and cpu_s. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define ROUNDS_MAX 4096u
#define NAME_MAX_BYTES 64u
#define LINE_BYTES 1024u
#define OURS "hawser"
#define BASELINE "usrsctp"

struct line {
    char text[LINE_BYTES];
};

static struct {
    struct line *lines;
    size_t count;
} rounds;

/* What a contender did in a row: medians over its rounds. */
struct summary {
    size_t count;
    double value, low, high;
    double wall_s, cpu_s, cpu_s_per_gb;
};

/* ---- Reading ---- */

/* Copies the value of `key` into `out`; false when the round does not have it. */
static bool field(const struct line *line, const char *key, char out[NAME_MAX_BYTES])
{
    size_t key_len = strlen(key);
    for (const char *at = line->text; (at = strchr(at, ' ')) != NULL;) {
        at++;
        if (strncmp(at, key, key_len) == 0 && at[key_len] == '=') {
            at += key_len + 1;
            snprintf(out, NAME_MAX_BYTES, "%.*s", (int)strcspn(at, " "), at);
            return true;
        }
    }
    out[0] = '\0';
    return false;
}

static double number(const struct line *line, const char *key)
{
    char text[NAME_MAX_BYTES];
    return field(line, key, text) ? atof(text) : 0;
}

static bool has(const struct line *line, const char *key, const char *value)
{
    char text[NAME_MAX_BYTES];
    return field(line, key, text) && strcmp(text, value) == 0;
}

static bool read_rounds(FILE *in)
{
    struct line line;
    rounds.lines = calloc(ROUNDS_MAX, sizeof *rounds.lines);
    if (rounds.lines == NULL)
        return false;
    while (rounds.count < ROUNDS_MAX && fgets(line.text, sizeof line.text, in) != NULL) {
        line.text[strcspn(line.text, "\n")] = '\0';
        if (strncmp(line.text, "round ", 6) == 0)
            rounds.lines[rounds.count++] = line;
    }
    return rounds.count > 0;
}

/* Whether this round is the first of its row. */
static bool begins_row(size_t index, char row[NAME_MAX_BYTES])
{
    field(&rounds.lines[index], "row", row);
    for (size_t i = 0; i < index; i++) {
        if (has(&rounds.lines[i], "row", row))
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
    return count == 0 ? 0 : (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static double cpu_s_per_gb(const struct line *line)
{
    double bytes = number(line, "bytes");
    return bytes > 0 ? number(line, "cpu_s") / bytes * 1e9 : 0;
}

static struct summary summarize(const char *row, const char *contender)
{
    static double value[ROUNDS_MAX], wall[ROUNDS_MAX], cpu[ROUNDS_MAX], per_gb[ROUNDS_MAX];
    struct summary sum = {0};
    for (size_t i = 0; i < rounds.count; i++) {
        const struct line *line = &rounds.lines[i];
        if (!has(line, "row", row) || !has(line, "contender", contender))
            continue;
        value[sum.count] = number(line, "value");
        wall[sum.count] = number(line, "wall_s");
        cpu[sum.count] = number(line, "cpu_s");
        per_gb[sum.count++] = cpu_s_per_gb(line);
    }
    sum.value = median(value, sum.count);
    sum.wall_s = median(wall, sum.count);
    sum.cpu_s = median(cpu, sum.count);
    sum.cpu_s_per_gb = median(per_gb, sum.count);
    sum.low = sum.count > 0 ? value[0] : 0;
    sum.high = sum.count > 0 ? value[sum.count - 1] : 0;
    return sum;
}

/* ---- The table ---- */

static void print_contender(const struct line *line, const char *row, const char *contender)
{
    char unit[NAME_MAX_BYTES], layer[NAME_MAX_BYTES], spread[NAME_MAX_BYTES];
    struct summary sum = summarize(row, contender), base = summarize(row, BASELINE);
    if (sum.count == 0)
        return;
    field(line, "unit", unit);
    field(line, "layer", layer);
    snprintf(spread, sizeof spread, "%.2f-%.2f", sum.low, sum.high);
    printf("%-14s %-8s %-9s %6zu %8.2f %-7s %13s %7.2f %7.2f %9.3f", row, layer, contender,
           sum.count, sum.value, unit, spread, sum.wall_s, sum.cpu_s, sum.cpu_s_per_gb);
    if (base.count > 0 && sum.cpu_s_per_gb > 0)
        printf(" %7.1f %9.1f", sum.value / base.value, base.cpu_s_per_gb / sum.cpu_s_per_gb);
    printf("\n");
}

static void print_table(void)
{
    char row[NAME_MAX_BYTES];
    printf("%-14s %-8s %-9s %6s %8s %-7s %13s %7s %7s %9s %7s %9s\n", "row", "layer", "contender",
           "rounds", "median", "unit", "spread", "wall s", "CPU s", "CPU s/GB", "ratio",
           "CPU ratio");
    for (size_t i = 0; i < rounds.count; i++) {
        if (!begins_row(i, row))
            continue;
        print_contender(&rounds.lines[i], row, OURS);
        print_contender(&rounds.lines[i], row, BASELINE);
    }
    printf("ratio: to usrsctp; CPU ratio: work done in the same CPU time, to usrsctp\n");
}

/* ---- JSON ---- */

static void json_string(FILE *out, const char *text)
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

static void json_value(FILE *out, const char *text)
{
    char *end;
    strtod(text, &end);
    if (end != text && *end == '\0')
        fputs(text, out);
    else
        json_string(out, text);
}

static void json_round(FILE *out, const struct line *line)
{
    struct line copy = *line;
    char *rest = NULL;
    const char *comma = "";
    fputs("      {", out);
    strtok_r(copy.text, " ", &rest);
    for (char *pair; (pair = strtok_r(NULL, " ", &rest)) != NULL; comma = ", ") {
        char *value = strchr(pair, '=');
        if (value == NULL)
            continue;
        *value++ = '\0';
        fputs(comma, out);
        json_string(out, pair);
        fputs(": ", out);
        json_value(out, value);
    }
    fputc('}', out);
}

/* The median, or null for a contender that was not in the run. */
static void json_median(FILE *out, const char *name, const char *row, const char *contender)
{
    struct summary sum = summarize(row, contender);
    if (sum.count > 0)
        fprintf(out, "     \"%s\": %.4f,\n", name, sum.value);
    else
        fprintf(out, "     \"%s\": null,\n", name);
}

static void json_row(FILE *out, const struct line *first, const char *row)
{
    char unit[NAME_MAX_BYTES];
    const char *comma = "";
    field(first, "unit", unit);
    fprintf(out, "    {\"name\": \"%s\", \"unit\": \"%s\",\n", row, unit);
    json_median(out, "hawser", row, OURS);
    json_median(out, "usrsctp", row, BASELINE);
    json_median(out, "limit", row, "limit");
    json_median(out, "tcp", row, "tcp");
    fputs("     \"rounds\": [\n", out);
    for (size_t i = 0; i < rounds.count; i++) {
        if (!has(&rounds.lines[i], "row", row))
            continue;
        fputs(comma, out);
        json_round(out, &rounds.lines[i]);
        comma = ",\n";
    }
    fputs("]}", out);
}

static void cpu_model(char model[LINE_BYTES])
{
    char line[LINE_BYTES];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(model, LINE_BYTES, "unknown CPU");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strstr(line, ": ");
        if (colon == NULL || strncmp(line, "model name", 10) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(model, LINE_BYTES, "%s", colon + 2);
        break;
    }
    if (file != NULL)
        fclose(file);
}

static void machine(char text[2 * LINE_BYTES])
{
    char model[LINE_BYTES];
    struct utsname os;
    cpu_model(model);
    uname(&os);
    snprintf(text, 2 * LINE_BYTES, "%s, %ld cores, %s %s", model, sysconf(_SC_NPROCESSORS_ONLN),
             os.sysname, os.release);
}

static bool write_json(const char *path, const char *machine_text)
{
    char row[NAME_MAX_BYTES];
    const char *comma = "";
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        perror(path);
        return false;
    }
    fputs("{\"machine\": ", out);
    json_string(out, machine_text);
    fputs(",\n \"rows\": [\n", out);
    for (size_t i = 0; i < rounds.count; i++) {
        if (!begins_row(i, row))
            continue;
        fputs(comma, out);
        json_row(out, &rounds.lines[i], row);
        comma = ",\n";
    }
    fputs("]}\n", out);
    return fclose(out) == 0;
}

int main(int argc, char *argv[])
{
    char machine_text[2 * LINE_BYTES];
    if (argc > 2) {
        fprintf(stderr, "usage: %s [JSON-FILE] <ROUNDS\n", argv[0]);
        return 2;
    }
    if (!read_rounds(stdin)) {
        fprintf(stderr, "%s: no rounds to report\n", argv[0]);
        return 1;
    }
    machine(machine_text);
    printf("%s\n", machine_text);
    print_table();
    return argc < 2 || write_json(argv[1], machine_text) ? 0 : 1;
}
