#include "cli/plot_read.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/trace/qlog.h"

#define RECORD_SEPARATOR 0x1e
#define TIME_MAX_MS 1e15 /* some thirty thousand years */

/* A file that is being read. */
struct reading {
    struct hws_cli_plot_file *file;
    size_t record; /* number of the record, 0 is the head */
    bool virtual_time;
    char why[160]; /* what is wrong with the record */
};

/* An event. */
struct event {
    struct reading *reading;
    const char *group; /* NULL: none */
    double x;
    const json_t *data;
};

/* ---- Members ---- */

static bool wrong(struct reading *reading, const char *what, const char *key)
{
    snprintf(reading->why, sizeof reading->why, "%s '%s'", what, key);
    return false;
}

static bool has_number(const json_t *object, const char *key, double *out)
{
    const json_t *value = json_object_get(object, key);
    *out = json_number_value(value);
    return json_is_number(value);
}

/* Of an event's data: an integer of 0 .. max. */
static bool read_uint(const struct event *e, const json_t *object, const char *key, uint32_t max,
                      uint32_t *out)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > max)
        return wrong(e->reading, "no number, or one out of its range, as", key);
    *out = (uint32_t)json_integer_value(value);
    return true;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static bool read_path(const struct event *e, struct hws_cli_plot_path **out)
{
    uint32_t path;
    if (!read_uint(e, e->data, "path", HWS_CLI_PLOT_PATHS - 1, &path))
        return false;
    *out = &hws_cli_plot_need(e->reading->file, e->group)->paths[path];
    return true;
}

/* ---- Packets ---- */

static bool sent_data(const struct event *e, const json_t *chunk)
{
    uint32_t tsn;
    struct hws_cli_plot_assoc *assoc = hws_cli_plot_need(e->reading->file, e->group);
    if (!read_uint(e, chunk, "tsn", UINT32_MAX, &tsn))
        return false;
    if (!assoc->sent_any)
        assoc->first_tsn = tsn;
    assoc->sent_any = true;
    if (tsn - assoc->first_tsn != assoc->sent_count)
        return true; /* sent again */
    hws_cli_plot_push(&assoc->sent, e->x, assoc->sent_count++);
    return true;
}

static bool received_sack(const struct event *e, const json_t *chunk)
{
    uint32_t tsn;
    struct hws_cli_plot_assoc *assoc = hws_cli_plot_find(e->reading->file, e->group);
    if (!read_uint(e, chunk, "cumulative_tsn", UINT32_MAX, &tsn))
        return false;
    if (assoc == NULL || tsn - assoc->first_tsn >= assoc->sent_count)
        return true;
    const struct hws_cli_plot_series *acked = &assoc->acked;
    bool is_old = acked->count > 0 && tsn - assoc->first_tsn < acked->points[acked->count - 1].y;
    if (!is_old) /* nor overtaken on the way */
        hws_cli_plot_push(&assoc->acked, e->x, tsn - assoc->first_tsn);
    return true;
}

static bool each_chunk(const struct event *e, const char *type,
                       bool (*read)(const struct event *e, const json_t *chunk))
{
    size_t i;
    const json_t *chunk;
    if (e->group == NULL)
        return true;
    json_array_foreach(json_object_get(e->data, "chunks"), i, chunk)
    {
        bool wanted = strcmp(text_of(chunk, "chunk_type"), type) == 0 &&
                      !json_is_true(json_object_get(chunk, "malformed"));
        if (wanted && !read(e, chunk))
            return false;
    }
    return true;
}

static bool packet_sent(const struct event *e)
{
    return each_chunk(e, "DATA", sent_data);
}

static bool packet_received(const struct event *e)
{
    return each_chunk(e, "SACK", received_sack);
}

/* ---- What the engine does ---- */

static bool mark(const struct event *e, struct hws_cli_plot_series *series,
                 const struct hws_cli_plot_assoc *assoc)
{
    uint32_t tsn;
    if (!read_uint(e, e->data, "tsn", UINT32_MAX, &tsn))
        return false;
    hws_cli_plot_push(series, e->x, (int32_t)(tsn - assoc->first_tsn));
    return true;
}

static bool packet_lost(const struct event *e)
{
    struct hws_cli_plot_assoc *assoc = hws_cli_plot_need(e->reading->file, e->group);
    return mark(e, &assoc->lost, assoc);
}

static bool packet_retransmitted(const struct event *e)
{
    struct hws_cli_plot_assoc *assoc = hws_cli_plot_need(e->reading->file, e->group);
    return mark(e, &assoc->retransmitted, assoc);
}

static bool metrics_updated(const struct event *e)
{
    struct hws_cli_plot_path *path;
    if (!read_path(e, &path))
        return false;
    const struct {
        const char *key;
        struct hws_cli_plot_series *series;
    } members[] = {
        {"congestion_window", &path->cwnd},
        {"ssthresh", &path->ssthresh},
        {"bytes_in_flight", &path->flight},
        {"smoothed_rtt", &path->srtt},
        {"rto", &path->rto},
    };
    double value;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (has_number(e->data, members[i].key, &value))
            hws_cli_plot_push(members[i].series, e->x, value);
    return true;
}

static bool stream_queue_updated(const struct event *e)
{
    uint32_t sid;
    double bytes;
    if (!read_uint(e, e->data, "stream_id", UINT16_MAX, &sid))
        return false;
    if (!has_number(e->data, "queued_bytes", &bytes))
        return wrong(e->reading, "no number as", "queued_bytes");
    struct hws_cli_plot_assoc *assoc = hws_cli_plot_need(e->reading->file, e->group);
    hws_cli_plot_push(&hws_cli_plot_stream(assoc, (uint16_t)sid)->queued, e->x, bytes);
    return true;
}

/* ---- Records ---- */

/* Events that are drawn; others are passed over. */
static const struct {
    const char *name;
    bool needs_group;
    bool (*read)(const struct event *e);
} kinds[] = {
    {"sctp:packet_sent", false, packet_sent},
    {"sctp:packet_received", false, packet_received},
    {"sctp:packet_lost", true, packet_lost},
    {"sctp:packet_retransmitted", true, packet_retransmitted},
    {"sctp:metrics_updated", true, metrics_updated},
    {"sctp:stream_queue_updated", true, stream_queue_updated},
};

static bool read_event(struct reading *reading, const json_t *record)
{
    struct event e = {.reading = reading,
                      .group = json_string_value(json_object_get(record, "group_id")),
                      .data = json_object_get(record, "data")};
    const char *name = text_of(record, "name");
    struct hws_cli_plot_file *file = reading->file;
    double ms;
    if (!has_number(record, "time", &ms) || ms < 0 || ms > TIME_MAX_MS)
        return wrong(reading, "no number, or one out of its range, as", "time");
    if (e.group != NULL && strlen(e.group) >= HWS_CLI_PLOT_GROUP_BYTES)
        return wrong(reading, "no verification tag as", "group_id");
    if (!file->began && !reading->virtual_time)
        file->begin_ms = ms;
    file->began = true;
    e.x = ms > file->begin_ms ? (ms - file->begin_ms) / 1000 : 0; /* the clock may be set back */
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(name, kinds[i].name) != 0)
            continue;
        if (e.group == NULL && kinds[i].needs_group)
            return wrong(reading, "no text as", "group_id");
        return kinds[i].read(&e);
    }
    return true;
}

static bool has_schema(const json_t *trace)
{
    size_t i;
    const json_t *schema;
    json_array_foreach(json_object_get(trace, "event_schemas"), i, schema)
    {
        const char *name = json_string_value(schema);
        if (name != NULL && strcmp(name, HWS_QLOG_EVENT_SCHEMA) == 0)
            return true;
    }
    return false;
}

static bool read_head(struct reading *reading, const json_t *record)
{
    const json_t *trace = json_object_get(record, "trace");
    const json_t *fields = json_object_get(trace, "common_fields");
    const json_t *reference = json_object_get(fields, "reference_time");
    if (!has_schema(trace))
        return wrong(reading, "its events are not those of", HWS_QLOG_EVENT_SCHEMA);
    reading->virtual_time = strcmp(text_of(reference, "clock_type"), "monotonic") == 0;
    return true;
}

static bool read_record(struct reading *reading, const char *text, size_t len)
{
    json_error_t error;
    json_t *record = json_loadb(text, len, 0, &error);
    if (record == NULL) {
        snprintf(reading->why, sizeof reading->why, "%s", error.text);
        return false;
    }
    bool good = reading->record == 0 ? read_head(reading, record) : read_event(reading, record);
    json_decref(record);
    return good;
}

/* ---- Files ---- */

/* Each record ends with a newline; the last one may have been cut. */
static bool is_cut(const char *text, size_t len)
{
    return len == 0 || text[len - 1] != '\n';
}

static bool read_records(struct reading *reading, FILE *in)
{
    char *text = NULL;
    size_t capacity = 0;
    ssize_t len;
    bool good = true;
    while (good && (len = getdelim(&text, &capacity, RECORD_SEPARATOR, in)) > 0) {
        bool separated = text[len - 1] == RECORD_SEPARATOR;
        size_t bytes = (size_t)len - separated;
        if (!separated && is_cut(text, bytes) && reading->record > 0) {
            fprintf(stderr, "hawser: %s: the last record was cut off and is left out\n",
                    reading->file->path);
            break;
        }
        good = read_record(reading, text, bytes);
        reading->record += good;
    }
    free(text);
    return good;
}

static bool complain(const struct reading *reading)
{
    if (reading->record == 0)
        fprintf(stderr, "hawser: %s is no qlog file of hawser's (those that --qlog writes): %s\n",
                reading->file->path, reading->why);
    else
        fprintf(stderr, "hawser: %s: record %zu: %s\n", reading->file->path, reading->record,
                reading->why);
    return false;
}

bool hws_cli_plot_read(const char *path, struct hws_cli_plot_file *out)
{
    struct reading reading = {.file = out};
    *out = (struct hws_cli_plot_file){.path = path};
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        fprintf(stderr, "hawser: cannot read %s: %s\n", path, strerror(errno));
        return false;
    }
    bool good = fgetc(in) == RECORD_SEPARATOR;
    if (!good)
        wrong(&reading, "it does not begin with a", "record separator");
    good = good && read_records(&reading, in);
    bool failed = ferror(in) != 0;
    fclose(in);
    if (failed)
        wrong(&reading, "it cannot be", "read");
    return (good && !failed) || complain(&reading);
}
