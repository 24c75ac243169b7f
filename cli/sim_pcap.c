#include "cli/sim_pcap.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/trace/pcapng.h"

#define PROTOCOL_SCTP 132u

/* The first failure is told. */
static void check(struct hws_cli_sim_pcap *pcap, const char *path, int rc)
{
    if (rc < 0 && !pcap->failed)
        fprintf(stderr, "hawser: cannot write %s: %s\n", path, strerror(-rc));
    pcap->failed |= rc < 0;
}

static void on_begin(void *ctx, const struct sim_run *run)
{
    struct hws_cli_sim_pcap *pcap = ctx;
    pcap->files = calloc(run->scenario->node_count, sizeof(*pcap->files));
    if (pcap->files == NULL)
        abort(); /* as the simulator does */
}

static void open_file(struct hws_cli_sim_pcap *pcap, const struct sim_node *host)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/%s-p%" PRIu32 "-s%" PRIu64 ".pcapng", pcap->dir,
                       host->config->name, host->run->scenario->point, host->run->seed);
    check(pcap, path,
          len > 0 && (size_t)len < sizeof path ? hws_pcapng_open(path, &pcap->files[host->index])
                                               : -ENAMETOOLONG);
}

static void on_packet(void *ctx, const struct sim_node *host, bool outbound,
                      const struct sim_packet *packet, uint64_t now_ns)
{
    struct hws_cli_sim_pcap *pcap = ctx;
    const struct hws_capture_packet capture = {
        .way = outbound ? HWS_CAPTURE_OUT : HWS_CAPTURE_IN,
        .unix_us = now_ns / 1000,
        .src = &packet->route->src,
        .dst = &packet->route->dst,
        .protocol = PROTOCOL_SCTP,
        .data = packet->data,
        .len = packet->len,
    };
    if (pcap->files[host->index] == NULL && !pcap->failed)
        open_file(pcap, host);
    if (pcap->files[host->index] != NULL)
        check(pcap, pcap->dir, hws_pcapng_write(pcap->files[host->index], &capture));
}

static void on_end(void *ctx, const struct sim_run *run)
{
    struct hws_cli_sim_pcap *pcap = ctx;
    for (uint32_t i = 0; i < run->scenario->node_count; i++)
        if (pcap->files[i] != NULL)
            check(pcap, pcap->dir, hws_pcapng_close(pcap->files[i]));
    free(pcap->files);
    pcap->files = NULL;
}

bool hws_cli_sim_pcap_open(struct hws_cli_sim_pcap *pcap, const char *dir)
{
    *pcap = (struct hws_cli_sim_pcap){.dir = dir};
    pcap->tap =
        (struct sim_tap){.ctx = pcap, .begin = on_begin, .end = on_end, .packet = on_packet};
    check(pcap, dir, mkdir(dir, 0777) != 0 && errno != EEXIST ? -errno : 0);
    return !pcap->failed;
}

bool hws_cli_sim_pcap_close(const struct hws_cli_sim_pcap *pcap)
{
    return !pcap->failed;
}
