#include "cli/taps.h"

#include <stdio.h>
#include <string.h>

#include "api/runtime/env.h"
#include "api/runtime/profile.h"
#include "api/runtime/runtime.h"
#include "api/trace/pcapng.h"
#include "api/trace/qlog.h"
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
        .profile = taps->profile,
        .names = &taps->names,
        .data = packet->data,
        .len = packet->len,
    };
    if (taps->trace != NULL)
        keep_error(taps, hws_trace_write(taps->trace, &capture));
    if (taps->pcapng != NULL)
        keep_error(taps, hws_pcapng_write(taps->pcapng, &capture));
    if (taps->qlog != NULL)
        hws_qlog_packet(taps->qlog, &capture);
}

static bool opened(const char *path, int rc)
{
    if (rc < 0)
        fprintf(stderr, "hawser: cannot write %s: %s\n", path, strerror(-rc));
    return rc >= 0;
}

/* qlog's words for who is who: the client connects. */
static int open_qlog(struct hws_cli_taps *taps, const struct hws_cli_options *options)
{
    char title[32];
    snprintf(title, sizeof(title), "hawser %s", options->name);
    const struct hws_qlog_config config = {
        .title = title,
        .name = "hawser",
        .vantage = options->host == NULL ? HWS_QLOG_SERVER : HWS_QLOG_CLIENT,
        .unix_offset_us = taps->unix_offset_us,
    };
    return hws_qlog_open(options->qlog, &config, &taps->qlog);
}

bool hws_cli_taps_open(struct hws_cli_taps *taps, const struct hws_cli_options *options,
                       struct hws_runtime *runtime)
{
    *taps = (struct hws_cli_taps){
        .protocol = options->protocol,
        .profile = options->udp ? NULL : hws_profile_name(options->protocol),
        .names = hws_engine_names(runtime->engine),
        .unix_offset_us = hws_env_unix_offset_us(),
    };
    if (options->trace != NULL &&
        !opened(options->trace, hws_trace_open(options->trace, &taps->trace)))
        return false;
    if (options->pcap != NULL &&
        !opened(options->pcap, hws_pcapng_open(options->pcap, &taps->pcapng)))
        return false;
    if (options->qlog != NULL && !opened(options->qlog, open_qlog(taps, options)))
        return false;
    if (taps->trace != NULL || taps->pcapng != NULL || taps->qlog != NULL)
        hws_runtime_set_trace(runtime, on_packet, taps);
    if (taps->qlog != NULL)
        hws_runtime_set_observer(runtime,
                                 &(struct hws_observer){.ctx = taps->qlog, .tell = hws_qlog_tell});
    return true;
}

bool hws_cli_taps_close(struct hws_cli_taps *taps)
{
    if (taps->trace != NULL)
        keep_error(taps, hws_trace_close(taps->trace));
    if (taps->pcapng != NULL)
        keep_error(taps, hws_pcapng_close(taps->pcapng));
    if (taps->qlog != NULL)
        keep_error(taps, hws_qlog_close(taps->qlog));
    if (taps->error < 0)
        fprintf(stderr, "hawser: the trace or capture is incomplete: %s\n", strerror(-taps->error));
    return taps->error == 0;
}
