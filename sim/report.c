#include "sim/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DECIMALS_MAX 12u
#define NUMBER_MAX 48u
/* Decimals of an estimate beyond the value's. */
#define ESTIMATE_DECIMALS 3u

/* `value` with its last `decimals` digits behind the point, as few of them as say the same. */
static const char *number(char out[NUMBER_MAX], uint64_t value, uint32_t decimals)
{
    uint64_t scale = 1;
    for (; decimals > 0 && value % 10 == 0; decimals--)
        value /= 10;
    for (uint32_t i = 0; i < decimals; i++)
        scale *= 10;
    if (decimals == 0)
        snprintf(out, NUMBER_MAX, "%" PRIu64, value);
    else
        snprintf(out, NUMBER_MAX, "%" PRIu64 ".%0*" PRIu64, value / scale, (int)decimals,
                 value % scale);
    return out;
}

static struct sim_estimate estimate_row(const struct sim_experiment *x,
                                        const struct sim_point *point, size_t row)
{
    return sim_estimate(point->by_seed + row * x->seeds, x->seeds);
}

/* ---- CSV ---- */

/* Fields with commas, quotes or line ends stand in quotes (RFC 4180). */
static void csv_field(FILE *out, const char *text)
{
    if (text[strcspn(text, ",\"\n")] == '\0') {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++)
        fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, out);
    fputc('"', out);
}

static void csv_row(FILE *out, const struct sim_experiment *x, const struct sim_point *point,
                    size_t i)
{
    const struct sim_row *row = &point->result.rows[i];
    struct sim_estimate e = estimate_row(x, point, i);
    char mean[NUMBER_MAX], half[NUMBER_MAX] = "", stream[16] = "";
    for (size_t k = 0; k < x->key_count; k++) {
        csv_field(out, point->values[k]);
        fputc(',', out);
    }
    if (row->stream >= 0)
        snprintf(stream, sizeof stream, "%d", row->stream);
    if (x->seeds > 1)
        number(half, e.half, row->decimals + ESTIMATE_DECIMALS);
    fprintf(out, "%s,%s,%s,%s,%s,%s,%s,%s\n", row->item, row->name, row->way, stream, row->metric,
            row->unit, number(mean, e.mean, row->decimals + ESTIMATE_DECIMALS), half);
}

void sim_report_csv(FILE *out, const struct sim_experiment *x)
{
    for (size_t k = 0; k < x->key_count; k++) {
        csv_field(out, x->keys[k]);
        fputc(',', out);
    }
    fputs("item,name,way,stream,metric,unit,mean,ci95\n", out);
    for (size_t i = 0; i < x->point_count; i++)
        for (size_t row = 0; row < x->points[i].result.count; row++)
            csv_row(out, x, &x->points[i], row);
}

/* ---- JSON ---- */

static void json_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < ' ')
            fprintf(out, "\\u%04x", (unsigned)*text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

static void json_row(FILE *out, const struct sim_experiment *x, const struct sim_point *point,
                     size_t i)
{
    const struct sim_row *row = &point->result.rows[i];
    struct sim_estimate e = estimate_row(x, point, i);
    char text[NUMBER_MAX];
    fprintf(out, "{\"item\":\"%s\",\"name\":\"%s\",\"way\":\"%s\",", row->item, row->name,
            row->way);
    if (row->stream >= 0)
        fprintf(out, "\"stream\":%d,", row->stream);
    fprintf(out, "\"metric\":\"%s\",\"unit\":\"%s\",\"mean\":%s,", row->metric, row->unit,
            number(text, e.mean, row->decimals + ESTIMATE_DECIMALS));
    if (x->seeds > 1)
        fprintf(out, "\"ci95\":%s,", number(text, e.half, row->decimals + ESTIMATE_DECIMALS));
    fputs("\"values\":[", out);
    for (uint64_t s = 0; s < x->seeds; s++)
        fprintf(out, "%s%s", s != 0 ? "," : "",
                number(text, point->by_seed[i * x->seeds + s], row->decimals));
    fputs("]}", out);
}

static void json_point(FILE *out, const struct sim_experiment *x, const struct sim_point *point)
{
    fputs("{\"set\":{", out);
    for (size_t k = 0; k < x->key_count; k++) {
        fputs(k != 0 ? "," : "", out);
        json_string(out, x->keys[k]);
        fputc(':', out);
        json_string(out, point->values[k]);
    }
    fputs("},\"results\":[", out);
    for (size_t row = 0; row < point->result.count; row++) {
        fputs(row != 0 ? ",\n" : "\n", out);
        json_row(out, x, point, row);
    }
    fputs("]}", out);
}

void sim_report_json(FILE *out, const struct sim_experiment *x)
{
    fprintf(out, "{\"seed\":%" PRIu64 ",\"seeds\":%" PRIu64 ",\"points\":[", x->seed, x->seeds);
    for (size_t i = 0; i < x->point_count; i++) {
        fputs(i != 0 ? ",\n" : "\n", out);
        json_point(out, x, &x->points[i]);
    }
    fputs("]}\n", out);
}

/* ---- The table ---- */

/* A column: a metric in a larger unit. */
struct column {
    const char *title;
    int width;
    const char *metric;
    uint64_t divisor; /* from thousandths of the row's unit to thousandths of the column's */
};

static const struct column association_columns[] = {
    {"Mbit/s", 16, "goodput", 1000000},  {"messages", 12, "messages", 1},
    {"p50 ms", 16, "latency_p50", 1000}, {"p99 ms", 16, "latency_p99", 1000},
    {"max ms", 16, "latency_max", 1000}, {"retrans", 12, "retransmissions", 1},
    {"lost", 12, "lost_packets", 1},     {"cwnd KB", 14, "cwnd_mean", 1000},
    {"srtt ms", 14, "srtt_mean", 1000},  {NULL, 0, NULL, 0},
};

static const struct column stream_columns[] = {
    {"Mbit/s", 16, "goodput", 1000000},  {"messages", 12, "messages", 1},
    {"p50 ms", 16, "latency_p50", 1000}, {"p99 ms", 16, "latency_p99", 1000},
    {"max ms", 16, "latency_max", 1000}, {NULL, 0, NULL, 0},
};

static const struct column link_columns[] = {
    {"Mbit/s", 16, "throughput", 1000000},
    {"busy %", 14, "utilisation", 1000},
    {"queue ms", 14, "queue_mean", 1000},
    {"p99 ms", 14, "queue_p99", 1000},
    {"full", 12, "drops_queue", 1},
    {"aqm", 12, "drops_aqm", 1},
    {"loss", 12, "drops_loss", 1},
    {"outage", 12, "drops_outage", 1},
    {"marks", 12, "marks", 1},
    {NULL, 0, NULL, 0},
};

static const struct column fairness_columns[] = {
    {"Jain", 16, "jain", 1000000},
    {NULL, 0, NULL, 0},
};

static const struct table {
    const char *item, *title;
    const struct column *columns;
} tables[] = {
    {"association", "association", association_columns},
    {"stream", "stream", stream_columns},
    {"link", "link", link_columns},
    {"fairness", "fairness", fairness_columns},
};

#define TABLES (sizeof tables / sizeof tables[0])

/* With three decimals, but whole numbers as such. */
static void print_cell(FILE *out, const struct sim_experiment *x, const struct column *column,
                       struct sim_estimate e)
{
    char text[2 * NUMBER_MAX];
    uint64_t mean = e.mean / column->divisor, half = e.half / column->divisor;
    int len =
        column->divisor == 1 && mean % 1000 == 0
            ? snprintf(text, sizeof text, "%" PRIu64, mean / 1000)
            : snprintf(text, sizeof text, "%" PRIu64 ".%03u", mean / 1000, (unsigned)(mean % 1000));
    if (x->seeds > 1)
        snprintf(text + len, sizeof text - (size_t)len, "±%" PRIu64 ".%03u", half / 1000,
                 (unsigned)(half % 1000));
    /* The sign has two bytes. */
    fprintf(out, " %*s", column->width + (x->seeds > 1 ? 5 : -3), text);
}

static bool same_thing(const struct sim_row *a, const struct sim_row *b)
{
    return strcmp(a->item, b->item) == 0 && strcmp(a->name, b->name) == 0 &&
           strcmp(a->way, b->way) == 0 && a->stream == b->stream;
}

/* The line of the thing whose rows begin at `row`; the row behind them. */
static size_t print_line(FILE *out, const struct sim_experiment *x, const struct sim_point *point,
                         const struct table *table, size_t row)
{
    const struct sim_row *rows = point->result.rows;
    char name[2 * SIM_NAME_MAX];
    size_t end = row;
    while (end < point->result.count && same_thing(&rows[row], &rows[end]))
        end++;
    if (rows[row].stream >= 0)
        snprintf(name, sizeof name, "%s %s %d", rows[row].name, rows[row].way, rows[row].stream);
    else
        snprintf(name, sizeof name, "%s%s%s", rows[row].name, *rows[row].name != '\0' ? " " : "",
                 rows[row].way);
    fprintf(out, "%-24s", name);
    for (const struct column *c = table->columns; c->title != NULL; c++)
        for (size_t i = row; i < end; i++)
            if (strcmp(rows[i].metric, c->metric) == 0)
                print_cell(out, x, c, estimate_row(x, point, i));
    fputc('\n', out);
    return end;
}

static void print_table(FILE *out, const struct sim_experiment *x, const struct sim_point *point,
                        const struct table *table)
{
    bool titled = false;
    for (size_t row = 0; row < point->result.count;) {
        if (strcmp(point->result.rows[row].item, table->item) != 0) {
            row++;
            continue;
        }
        if (!titled) {
            fprintf(out, "%-24s", table->title);
            for (const struct column *c = table->columns; c->title != NULL; c++)
                fprintf(out, " %*s", c->width + (x->seeds > 1 ? 4 : -3), c->title);
            fputc('\n', out);
            titled = true;
        }
        row = print_line(out, x, point, table, row);
    }
}

void sim_report_table(FILE *out, const struct sim_experiment *x)
{
    for (size_t i = 0; i < x->point_count; i++) {
        for (size_t k = 0; k < x->key_count; k++)
            fprintf(out, "%s%s = %s", k != 0 ? ", " : "", x->keys[k], x->points[i].values[k]);
        if (x->key_count != 0)
            fputc('\n', out);
        for (size_t t = 0; t < TABLES; t++)
            print_table(out, x, &x->points[i], &tables[t]);
        if (i + 1 < x->point_count)
            fputc('\n', out);
    }
}
