#include "cli/taps.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/runtime/env.h"
#include "api/runtime/runtime.h"
#include "api/trace/pcapng.h"
#include "api/trace/trace.h"

static void keep_error(struct hws_cli_taps *taps, int rc)
{
    if (rc < 0 && taps->error == 0)
        taps->error = rc;
}

static void on_packet(void *arg, const struct hws_driver_packet *packet)
{
    struct hws_cli_taps *taps = arg;
    const struct hws_capture_packet capture = {
        .way = packet->outbound ? HWS_CAPTURE_OUT : HWS_CAPTURE_IN,
        .unix_us = packet->now_us + taps->unix_offset_us,
        .src = packet->src,
        .dst = packet->dst,
        .protocol = taps->protocol,
        .data = packet->data,
        .len = packet->len,
    };
    if (taps->trace != NULL)
        keep_error(taps, hws_trace_write(taps->trace, &capture));
    if (taps->pcapng != NULL)
        keep_error(taps, hws_pcapng_write(taps->pcapng, &capture));
}

static uint64_t unix_offset_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u - hws_env_now_us();
}

static bool opened(const char *path, int rc)
{
    if (rc < 0)
        fprintf(stderr, "hawser: cannot write %s: %s\n", path, strerror(-rc));
    return rc >= 0;
}

bool hws_cli_taps_open(struct hws_cli_taps *taps, const struct hws_cli_options *options,
                       struct hws_runtime *runtime)
{
    *taps =
        (struct hws_cli_taps){.protocol = options->protocol, .unix_offset_us = unix_offset_us()};
    if (options->trace != NULL &&
        !opened(options->trace, hws_trace_open(options->trace, &taps->trace)))
        return false;
    if (options->pcap != NULL &&
        !opened(options->pcap, hws_pcapng_open(options->pcap, &taps->pcapng)))
        return false;
    if (taps->trace != NULL || taps->pcapng != NULL)
        hws_runtime_set_trace(runtime, on_packet, taps);
    return true;
}

bool hws_cli_taps_close(struct hws_cli_taps *taps)
{
    if (taps->trace != NULL)
        keep_error(taps, hws_trace_close(taps->trace));
    if (taps->pcapng != NULL)
        keep_error(taps, hws_pcapng_close(taps->pcapng));
    if (taps->error < 0)
        fprintf(stderr, "hawser: the trace or capture is incomplete: %s\n", strerror(-taps->error));
    return taps->error == 0;
}
