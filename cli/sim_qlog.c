#include "cli/sim_qlog.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/trace/qlog.h"

#define PROTOCOL_SCTP 132u

static void complain(struct hws_cli_sim_qlog *qlog, const char *path, int error)
{
    if (!qlog->failed)
        fprintf(stderr, "hawser: cannot write %s: %s\n", path, strerror(error));
    qlog->failed = true;
}

static void open_file(struct hws_cli_sim_qlog *qlog, const struct sim_node *host)
{
    char path[PATH_MAX], title[64];
    const struct sim_run *run = host->run;
    const struct hws_qlog_config config = {
        .title = title,
        .name = host->config->name,
        .virtual_time = true,
        .unix_offset_us = 0u - (uint64_t)SIM_EPOCH_US,
    };
    snprintf(title, sizeof title, "hawser sim, point %" PRIu32 ", seed %" PRIu64,
             run->scenario->point, run->seed);
    int len = snprintf(path, sizeof path, "%s/%s-p%" PRIu32 "-s%" PRIu64 ".sqlog", qlog->dir,
                       host->config->name, run->scenario->point, run->seed);
    int rc = len > 0 && (size_t)len < sizeof path
                 ? hws_qlog_open(path, &config, &qlog->hosts[host->index].file)
                 : -ENAMETOOLONG;
    if (rc < 0)
        complain(qlog, path, -rc);
}

/* The host's file, made when it is first needed: routers have none. NULL after a failure. */
static struct hws_qlog *file_of(struct hws_cli_sim_qlog *qlog, const struct sim_node *host)
{
    if (qlog->hosts[host->index].file == NULL && !qlog->failed)
        open_file(qlog, host);
    return qlog->hosts[host->index].file;
}

static void on_begin(void *ctx, const struct sim_run *run)
{
    struct hws_cli_sim_qlog *qlog = ctx;
    qlog->hosts = calloc(run->scenario->node_count, sizeof(*qlog->hosts));
    if (qlog->hosts == NULL)
        abort(); /* as the simulator does */
}

static void on_end(void *ctx, const struct sim_run *run)
{
    struct hws_cli_sim_qlog *qlog = ctx;
    for (uint32_t i = 0; i < run->scenario->node_count; i++) {
        int rc = qlog->hosts[i].file != NULL ? hws_qlog_close(qlog->hosts[i].file) : 0;
        if (rc < 0)
            complain(qlog, qlog->dir, -rc);
    }
    free(qlog->hosts);
    qlog->hosts = NULL;
}

static void on_engine(void *ctx, const struct sim_node *host, struct hws_engine *engine)
{
    struct hws_cli_sim_qlog *qlog = ctx;
    struct hws_qlog *file = file_of(qlog, host);
    qlog->hosts[host->index].names = hws_engine_names(engine);
    qlog->hosts[host->index].has_names = true;
    if (file != NULL)
        hws_engine_set_observer(engine, &(struct hws_observer){.ctx = file, .tell = hws_qlog_tell});
}

static void on_packet(void *ctx, const struct sim_node *host, bool outbound,
                      const struct sim_packet *packet, uint64_t now_ns)
{
    struct hws_cli_sim_qlog *qlog = ctx;
    struct hws_qlog *file = file_of(qlog, host);
    const struct hws_cli_sim_qlog_host *known = &qlog->hosts[host->index];
    const struct hws_capture_packet capture = {
        .way = outbound ? HWS_CAPTURE_OUT : HWS_CAPTURE_IN,
        .unix_us = now_ns / 1000,
        .src = &packet->route->src,
        .dst = &packet->route->dst,
        .protocol = PROTOCOL_SCTP,
        .names = known->has_names ? &known->names : NULL,
        .data = packet->data,
        .len = packet->len,
    };
    if (file != NULL)
        hws_qlog_packet(file, &capture);
}

bool hws_cli_sim_qlog_open(struct hws_cli_sim_qlog *qlog, const char *dir)
{
    *qlog = (struct hws_cli_sim_qlog){.dir = dir};
    qlog->tap = (struct sim_tap){
        .ctx = qlog, .begin = on_begin, .end = on_end, .engine = on_engine, .packet = on_packet};
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        complain(qlog, dir, errno);
    return !qlog->failed;
}

bool hws_cli_sim_qlog_close(const struct hws_cli_sim_qlog *qlog)
{
    return !qlog->failed;
}
