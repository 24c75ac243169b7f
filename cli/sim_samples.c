#include "cli/sim_samples.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static void on_sample(void *ctx, const struct sim_end *end, uint32_t path,
                      const struct sim_path_sample *sample, uint64_t now_ns)
{
    const struct hws_cli_sim_samples *samples = ctx;
    fprintf(samples->file, "%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",%s,%s,%" PRIu32,
            end->run->scenario->point, end->run->seed, now_ns / 1000, end->association->name,
            sim_way_name(end->side), path);
    fprintf(samples->file,
            ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%d\n",
            sample->cwnd_bytes, sample->ssthresh_bytes, sample->flight_bytes, sample->srtt_us,
            sample->rto_us, sample->mtu_bytes, sample->active);
}

static bool complain(const struct hws_cli_sim_samples *samples)
{
    fprintf(stderr, "hawser: %s: %s\n", samples->path, strerror(errno));
    return false;
}

bool hws_cli_sim_samples_open(struct hws_cli_sim_samples *samples, const char *path)
{
    *samples = (struct hws_cli_sim_samples){.path = path, .file = fopen(path, "w")};
    if (samples->file == NULL)
        return complain(samples);
    fputs("point,seed,time_us,association,way,path,cwnd_bytes,ssthresh_bytes,flight_bytes,srtt_us,"
          "rto_us,mtu_bytes,active\n",
          samples->file);
    samples->tap = (struct sim_tap){.ctx = samples, .sample = on_sample};
    return true;
}

bool hws_cli_sim_samples_close(struct hws_cli_sim_samples *samples)
{
    bool failed = ferror(samples->file) != 0;
    if (fclose(samples->file) != 0)
        failed = true;
    return !failed || complain(samples);
}
