#include "api/trace/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/text.h"

/* A packet of the smallest chunks has more text than this; its line is cut. */
#define LINE_MAX_BYTES 16384u
#define TIME_MAX_BYTES 32u

struct hws_trace {
    FILE *file;
    bool borrowed;
    int error; /* the first, as a negative errno */
    char line[LINE_MAX_BYTES];
};

int hws_trace_open(const char *path, struct hws_trace **out)
{
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return -errno;
    int rc = hws_trace_borrow(file, out);
    if (rc < 0) {
        fclose(file);
        return rc;
    }
    setvbuf(file, NULL, _IOLBF, 0);
    (*out)->borrowed = false;
    return 0;
}

int hws_trace_borrow(FILE *file, struct hws_trace **out)
{
    struct hws_trace *trace = malloc(sizeof(*trace));
    if (trace == NULL)
        return -ENOMEM;
    trace->file = file;
    trace->borrowed = true;
    trace->error = 0;
    *out = trace;
    return 0;
}

static const char *time_text(uint64_t unix_us, char out[TIME_MAX_BYTES])
{
    time_t seconds = (time_t)(unix_us / 1000000u);
    struct tm tm;
    size_t len = 0;
    if (gmtime_r(&seconds, &tm) != NULL)
        len = strftime(out, TIME_MAX_BYTES, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + len, TIME_MAX_BYTES - len, ".%06uZ", (unsigned)(unix_us % 1000000u));
    return out;
}

static const char *way_text(enum hws_capture_way way)
{
    return way == HWS_CAPTURE_OUT ? "out" : way == HWS_CAPTURE_IN ? "in " : "-  ";
}

#define PROTOCOL_MAX_BYTES 48u

static const char *protocol_text(const struct hws_capture_packet *packet,
                                 char out[PROTOCOL_MAX_BYTES])
{
    bool udp = packet->src->udp_port != 0 || packet->dst->udp_port != 0;
    int len = snprintf(out, PROTOCOL_MAX_BYTES, udp ? "udp" : "proto=%u", packet->protocol);
    if (!udp && packet->profile != NULL)
        snprintf(out + len, PROTOCOL_MAX_BYTES - (size_t)len, "/%s", packet->profile);
    return out;
}

/* What is said of the packet in two pieces. */
static int write_line(struct hws_trace *trace, const struct hws_capture_packet *packet,
                      const char *text, const char *note)
{
    char when[TIME_MAX_BYTES], src[HWS_ADDR_TEXT_MAX], dst[HWS_ADDR_TEXT_MAX];
    char protocol[PROTOCOL_MAX_BYTES];
    int written =
        fprintf(trace->file, "%s %s %s > %s %s %s%s\n", time_text(packet->unix_us, when),
                way_text(packet->way), hws_addr_text(packet->src, src),
                hws_addr_text(packet->dst, dst), protocol_text(packet, protocol), text, note);
    if (written < 0 && trace->error == 0)
        trace->error = -errno;
    return trace->error;
}

int hws_trace_write(struct hws_trace *trace, const struct hws_capture_packet *packet)
{
    return hws_trace_write_noted(trace, packet, "");
}

int hws_trace_write_noted(struct hws_trace *trace, const struct hws_capture_packet *packet,
                          const char *note)
{
    hws_text_packet_named(trace->line, sizeof(trace->line), packet->data, packet->len,
                          packet->names);
    return write_line(trace, packet, trace->line, note);
}

int hws_trace_write_note(struct hws_trace *trace, const struct hws_capture_packet *packet,
                         const char *note)
{
    return write_line(trace, packet, "", note);
}

int hws_trace_close(struct hws_trace *trace)
{
    int error = trace->error;
    int result = (trace->borrowed ? fflush(trace->file) : fclose(trace->file)) != 0 ? -errno : 0;
    free(trace);
    return error != 0 ? error : result;
}
