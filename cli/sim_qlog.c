#include "cli/sim_qlog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/trace/qlog.h"

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
    int rc = hws_cli_sim_files_path(&qlog->out, host, "sqlog", path);
    if (rc == 0)
        rc = hws_qlog_open(path, &config, &qlog->hosts[host->index].file);
    hws_cli_sim_files_check(&qlog->out, path, rc);
}

/* The host's file, made when it is first needed: routers have none. NULL after a failure. */
static struct hws_qlog *file_of(struct hws_cli_sim_qlog *qlog, const struct sim_node *host)
{
    if (qlog->hosts[host->index].file == NULL && !qlog->out.failed)
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
    for (uint32_t i = 0; i < run->scenario->node_count; i++)
        if (qlog->hosts[i].file != NULL)
            hws_cli_sim_files_check(&qlog->out, qlog->out.dir, hws_qlog_close(qlog->hosts[i].file));
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
    struct hws_capture_packet capture = hws_cli_sim_files_capture(packet, outbound, now_ns);
    capture.names = known->has_names ? &known->names : NULL;
    if (file != NULL)
        hws_qlog_packet(file, &capture);
}

bool hws_cli_sim_qlog_open(struct hws_cli_sim_qlog *qlog, const char *dir)
{
    *qlog = (struct hws_cli_sim_qlog){.tap = {.ctx = qlog,
                                              .begin = on_begin,
                                              .end = on_end,
                                              .engine = on_engine,
                                              .packet = on_packet}};
    return hws_cli_sim_files_open(&qlog->out, dir);
}

bool hws_cli_sim_qlog_close(const struct hws_cli_sim_qlog *qlog)
{
    return !qlog->out.failed;
}
