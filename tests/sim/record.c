#include "tests/sim/record.h"

#include <limits.h>
#include <stdio.h>

#include "api/trace/qlog.h"

static void on_packet(void *ctx, bool outbound, const struct hws_addr *src,
                      const struct hws_addr *dst, const uint8_t *data, uint32_t len)
{
    const struct sim_record *record = ctx;
    hws_qlog_packet(record->qlog,
                    &(struct hws_capture_packet){.way = outbound ? HWS_CAPTURE_OUT : HWS_CAPTURE_IN,
                                                 .unix_us = record->host->node.world->now_us,
                                                 .src = src,
                                                 .dst = dst,
                                                 .protocol = 132,
                                                 .data = data,
                                                 .len = len});
}

bool sim_record_open(struct sim_record *record, struct sim_host *host, const char *dir,
                     const char *name)
{
    char path[PATH_MAX];
    const struct hws_qlog_config config = {.title = "swarm", .name = name, .virtual_time = true};
    record->host = host;
    int len = snprintf(path, sizeof path, "%s/%s.sqlog", dir, name);
    if (len < 0 || (size_t)len >= sizeof path || hws_qlog_open(path, &config, &record->qlog) != 0)
        return false;
    host->on_packet = on_packet;
    host->on_packet_ctx = record;
    host->watch.next = (struct hws_observer){.ctx = record->qlog, .tell = hws_qlog_tell};
    if (!host->config.observed)
        sim_watch_engine(&host->watch, host->engine);
    host->config.observed = true;
    return true;
}

bool sim_record_close(struct sim_record *record)
{
    return hws_qlog_close(record->qlog) == 0;
}
