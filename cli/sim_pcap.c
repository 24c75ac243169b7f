#include "cli/sim_pcap.h"

#include <stdlib.h>

#include "api/trace/pcapng.h"

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
    int rc = hws_cli_sim_files_path(&pcap->out, host, "pcapng", path);
    if (rc == 0)
        rc = hws_pcapng_open(path, &pcap->files[host->index]);
    hws_cli_sim_files_check(&pcap->out, path, rc);
}

static void on_packet(void *ctx, const struct sim_node *host, bool outbound,
                      const struct sim_packet *packet, uint64_t now_ns)
{
    struct hws_cli_sim_pcap *pcap = ctx;
    const struct hws_capture_packet capture = hws_cli_sim_files_capture(packet, outbound, now_ns);
    if (pcap->files[host->index] == NULL && !pcap->out.failed)
        open_file(pcap, host);
    if (pcap->files[host->index] != NULL)
        hws_cli_sim_files_check(&pcap->out, pcap->out.dir,
                                hws_pcapng_write(pcap->files[host->index], &capture));
}

static void on_end(void *ctx, const struct sim_run *run)
{
    struct hws_cli_sim_pcap *pcap = ctx;
    for (uint32_t i = 0; i < run->scenario->node_count; i++)
        if (pcap->files[i] != NULL)
            hws_cli_sim_files_check(&pcap->out, pcap->out.dir, hws_pcapng_close(pcap->files[i]));
    free(pcap->files);
    pcap->files = NULL;
}

bool hws_cli_sim_pcap_open(struct hws_cli_sim_pcap *pcap, const char *dir)
{
    *pcap = (struct hws_cli_sim_pcap){
        .tap = {.ctx = pcap, .begin = on_begin, .end = on_end, .packet = on_packet}};
    return hws_cli_sim_files_open(&pcap->out, dir);
}

bool hws_cli_sim_pcap_close(const struct hws_cli_sim_pcap *pcap)
{
    return !pcap->out.failed;
}
