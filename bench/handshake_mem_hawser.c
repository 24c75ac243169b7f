#include "bench/handshake_mem.h"

#include <stdio.h>
#include <unistd.h>

#include "api/runtime/env.h"
#include "bench/crowd.h"

#define WARMUP_S 0.2
/* 100,000 associations without a hundred thousand ports. */
#define IDLE_CLIENTS 1000u
#define IDLE_SERVERS 100u
/* The first ones fill what is made once. */
#define IDLE_FIRST 100u

uint64_t bench_resident_bytes(void)
{
    unsigned long long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%llu %llu", &total, &resident) != 2)
        resident = 0;
    if (file != NULL)
        fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool churn_until(struct crowd *crowd, double end_s)
{
    while (bench_wall_s() < end_s) {
        crowd->now_us = hws_env_now_us();
        if (!crowd_churn(crowd))
            return false;
    }
    return true;
}

static struct bench_round counted(const struct crowd *crowd)
{
    return (struct bench_round){
        .messages = crowd->server.down,
        .packets = hws_engine_stats(crowd->client.driver.engine)->packets_out,
        .wall_s = bench_wall_s(),
        .cpu_s = bench_cpu_s(),
    };
}

static bool churn(struct crowd *crowd, double seconds, struct bench_round *round)
{
    if (!churn_until(crowd, bench_wall_s() + WARMUP_S))
        return false;
    struct bench_round from = counted(crowd);
    bool good = churn_until(crowd, from.wall_s + seconds);
    struct bench_round to = counted(crowd);
    *round = (struct bench_round){
        .messages = to.messages - from.messages,
        .packets = to.packets - from.packets,
        .wall_s = to.wall_s - from.wall_s,
        .cpu_s = to.cpu_s - from.cpu_s,
    };
    return good;
}

bool bench_handshake_hawser(const struct bench_row *row, double seconds, struct bench_round *round)
{
    struct crowd crowd;
    struct hws_env env;
    (void)row;
    if (hws_env_init(&env) != 0)
        return false;
    bool good = crowd_open(&crowd, &env, NULL, NULL, HANDSHAKE_IN_FLIGHT, 1) &&
                churn(&crowd, seconds, round);
    crowd_close(&crowd);
    hws_env_fini(&env);
    return good;
}

static bool fill(struct crowd *crowd, struct bench_round *round)
{
    crowd->now_us = hws_env_now_us();
    if (!crowd_connect(crowd, 0, IDLE_FIRST))
        return false;
    uint64_t resident = bench_resident_bytes();
    double wall_s = bench_wall_s(), cpu_s = bench_cpu_s();
    if (!crowd_connect(crowd, IDLE_FIRST, IDLE_CLIENTS * IDLE_SERVERS))
        return false;
    *round = (struct bench_round){
        .messages = crowd_count(crowd) - 2 * IDLE_FIRST,
        .wall_s = bench_wall_s() - wall_s,
        .cpu_s = bench_cpu_s() - cpu_s,
        .resident_bytes = bench_resident_bytes() - resident,
    };
    return true;
}

bool bench_idle_hawser(const struct bench_row *row, double seconds, struct bench_round *round)
{
    struct crowd crowd;
    struct hws_env env;
    (void)row;
    (void)seconds;
    if (hws_env_init(&env) != 0)
        return false;
    bool good =
        crowd_open(&crowd, &env, NULL, NULL, IDLE_CLIENTS, IDLE_SERVERS) && fill(&crowd, round);
    crowd_close(&crowd);
    hws_env_fini(&env);
    return good;
}
