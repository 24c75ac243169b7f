#include "cli/sim_files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "api/hawser/runtime.h"

bool hws_cli_sim_files_open(struct hws_cli_sim_files *files, const char *dir)
{
    *files = (struct hws_cli_sim_files){.dir = dir};
    hws_cli_sim_files_check(files, dir, mkdir(dir, 0777) != 0 && errno != EEXIST ? -errno : 0);
    return !files->failed;
}

void hws_cli_sim_files_check(struct hws_cli_sim_files *files, const char *path, int rc)
{
    if (rc < 0 && !files->failed)
        fprintf(stderr, "hawser: cannot write %s: %s\n", path, strerror(-rc));
    files->failed |= rc < 0;
}

int hws_cli_sim_files_path(const struct hws_cli_sim_files *files, const struct sim_node *host,
                           const char *suffix, char path[PATH_MAX])
{
    int len = snprintf(path, PATH_MAX, "%s/%s-p%" PRIu32 "-s%" PRIu64 ".%s", files->dir,
                       host->config->name, host->run->scenario->point, host->run->seed, suffix);
    return len > 0 && len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

struct hws_capture_packet hws_cli_sim_files_capture(const struct sim_packet *packet, bool outbound,
                                                    uint64_t now_ns)
{
    return (struct hws_capture_packet){
        .way = outbound ? HWS_CAPTURE_OUT : HWS_CAPTURE_IN,
        .unix_us = now_ns / 1000,
        .src = &packet->route->src,
        .dst = &packet->route->dst,
        .protocol = HWS_PROTO_SCTP,
        .data = packet->data,
        .len = packet->len,
    };
}
