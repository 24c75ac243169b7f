/* Many idle associations in one process, both ends of them, over the memory link and in virtual
 * time:
 *
 *     idle COUNT [SECONDS]    COUNT associations, a multiple of 1,000; then so long in real time,
 * at rest, to see what that costs
 *
 * Checked: the bytes that one end takes from the environment, alone and with fec, which protocol
 * 253 has on; that HEARTBEATs do not come in bursts (8.3); that without HEARTBEATs nothing is ever
 * due; that all end gracefully and give back everything. How long it took is printed and decides
 * nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/crowd.h"
#include "sim/env.h"

#define CLIENTS 1000u
#define SECOND_US 1000000u
/* Programs look at the clock now and then, not for every microsecond. */
#define STEP_US 1000u
/* What sets up 100,000 a second in the million, and the same shape for fewer. */
#define SETUP_S 10u
#define IDLE_S 60u
/* The first ones fill what is made once. */
#define FIRST 100u
/* Of the environment's memory, for one end: the association with its path, its share of the slabs
 * and of the tables, which double when they are full. */
#define BYTES_MOST 704u
/* fec has a slot and a small state in it, and no buffers as long as there is no DATA. */
#define FEC_BYTES_MOST (BYTES_MOST + 400u)
#define BURST_MOST 4u /* times the mean of HEARTBEATs in a second */

extern const struct hws_extension hws_extension_fec; /* of protocol 253 */

static void must(bool good, const char *what, uint64_t number)
{
    if (good)
        return;
    fprintf(stderr, "idle: %s (%" PRIu64 ")\n", what, number);
    exit(1);
}

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

struct load {
    struct sim_env memory;
    struct crowd crowd;
    uint32_t count;
    uint32_t rest_s; /* of real time */
};

static uint64_t heartbeats(const struct load *load)
{
    return hws_engine_stats(load->crowd.client.driver.engine)->heartbeats_out +
           hws_engine_stats(load->crowd.server.driver.engine)->heartbeats_out;
}

static uint64_t deadline_us(const struct load *load)
{
    uint64_t client_us = hws_engine_deadline(load->crowd.client.driver.engine);
    uint64_t server_us = hws_engine_deadline(load->crowd.server.driver.engine);
    return client_us < server_us ? client_us : server_us;
}

static void run_until(struct load *load, uint64_t until_us)
{
    struct crowd *crowd = &load->crowd;
    while (deadline_us(load) < until_us) {
        crowd->now_us += STEP_US;
        if (deadline_us(load) > crowd->now_us)
            crowd->now_us = deadline_us(load);
        crowd_settle(crowd);
    }
    crowd->now_us = until_us;
}

/* ---- Steps ---- */

static void open_load(struct load *load, uint32_t count, uint32_t rest_s,
                      const struct hws_params *params, const struct hws_extension *extension)
{
    load->count = count;
    load->rest_s = rest_s;
    sim_env_init(&load->memory, 1);
    struct hws_env env = sim_env_make(&load->memory);
    must(crowd_open(&load->crowd, &env, params, extension, CLIENTS, count / CLIENTS),
         "cannot begin", count);
    load->crowd.now_us = SECOND_US;
}

static uint64_t real_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_US + (uint64_t)now.tv_nsec / 1000u;
}

/* Sleeps until something is due, as a loop does that counts milliseconds. */
static void rest(struct load *load)
{
    struct crowd *crowd = &load->crowd;
    uint64_t ahead_us = crowd->now_us - real_us(), sent = heartbeats(load), wakes = 0;
    uint64_t end_us = crowd->now_us + (uint64_t)load->rest_s * SECOND_US;
    double before_s = cpu_s();
    while (crowd->now_us < end_us) {
        crowd_settle(crowd);
        uint64_t until_us = deadline_us(load) < end_us ? deadline_us(load) : end_us;
        uint64_t now_us = real_us() + ahead_us;
        uint64_t sleep_us = until_us > now_us ? until_us - now_us + STEP_US - 1 : 0;
        sleep_us -= sleep_us % STEP_US;
        const struct timespec pause = {.tv_sec = (time_t)(sleep_us / SECOND_US),
                                       .tv_nsec = (long)(sleep_us % SECOND_US) * 1000};
        nanosleep(&pause, NULL);
        crowd->now_us = real_us() + ahead_us;
        wakes++;
    }
    printf("at rest, in a second of %u: %" PRIu64 " HEARTBEATs, %" PRIu64
           " wake-ups, CPU time %.3f s\n",
           load->rest_s, (heartbeats(load) - sent) / load->rest_s, wakes / load->rest_s,
           (cpu_s() - before_s) / load->rest_s);
}

/* At an even rate. */
static void set_up(struct load *load, uint64_t bytes_most)
{
    struct crowd *crowd = &load->crowd;
    must(crowd_connect(crowd, 0, FIRST), "setting up", FIRST);
    uint64_t begin_us = crowd->now_us;
    size_t before = load->memory.live_bytes;
    for (uint32_t i = FIRST; i < load->count; i += FIRST) {
        uint32_t to = i + FIRST < load->count ? i + FIRST : load->count;
        run_until(load, begin_us + (uint64_t)SETUP_S * SECOND_US * to / load->count);
        must(crowd_connect(crowd, i, to), "setting up", i);
    }
    must(crowd_count(crowd) == 2 * (uint64_t)load->count, "associations", crowd_count(crowd));
    uint64_t each = (load->memory.live_bytes - before) / (2 * (uint64_t)(load->count - FIRST));
    printf("%u associations, %" PRIu64 " bytes for each end, CPU time %.1f s\n", load->count, each,
           cpu_s());
    must(each <= bytes_most, "bytes for one end of an association", each);
}

static void watch_heartbeats(struct load *load)
{
    uint64_t begin = heartbeats(load), most = 0;
    for (uint32_t second = 0; second < IDLE_S; second++) {
        uint64_t before = heartbeats(load);
        run_until(load, load->crowd.now_us + SECOND_US);
        uint64_t sent = heartbeats(load) - before;
        most = sent > most ? sent : most;
    }
    uint64_t mean = (heartbeats(load) - begin) / IDLE_S;
    printf("HEARTBEATs in a second of %u: %" PRIu64 " in the mean, %" PRIu64
           " at most; CPU time %.1f s\n",
           IDLE_S, mean, most, cpu_s());
    must(mean > load->count / 40, "too few HEARTBEATs", mean);
    must(most <= BURST_MOST * mean, "a burst of HEARTBEATs", most);
}

static void end(struct load *load)
{
    must(crowd_count(&load->crowd) == 2 * (uint64_t)load->count, "some ended", load->count);
    must(crowd_shutdown(&load->crowd, load->count), "graceful end", crowd_count(&load->crowd));
    must(crowd_count(&load->crowd) == 0, "left over", crowd_count(&load->crowd));
    crowd_close(&load->crowd);
    must(load->memory.live_bytes == 0, "bytes not given back", load->memory.live_bytes);
    printf("ended, CPU time %.1f s\n", cpu_s());
}

static void with_heartbeats(uint32_t count, uint32_t rest_s)
{
    struct load load;
    open_load(&load, count, rest_s, NULL, NULL);
    set_up(&load, BYTES_MOST);
    watch_heartbeats(&load);
    if (rest_s > 0)
        rest(&load);
    end(&load);
}

/* The handshake's timers, which no longer run, leave the engine's heap when their time comes. */
static void without_heartbeats(uint32_t count, uint32_t rest_s)
{
    struct load load;
    struct hws_params params;
    hws_params_default(&params);
    params.no_heartbeats = true;
    open_load(&load, count, rest_s, &params, NULL);
    set_up(&load, BYTES_MOST);
    run_until(&load, load.crowd.now_us + (uint64_t)IDLE_S * SECOND_US);
    must(deadline_us(&load) == UINT64_MAX, "something is due", deadline_us(&load));
    must(heartbeats(&load) == 0, "HEARTBEATs", heartbeats(&load));
    if (rest_s > 0)
        rest(&load);
    end(&load);
}

static void with_fec(uint32_t count)
{
    struct load load;
    open_load(&load, count, 0, NULL, &hws_extension_fec);
    set_up(&load, FEC_BYTES_MOST);
    end(&load);
}

int main(int argc, char *argv[])
{
    uint32_t count = argc >= 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    uint32_t rest_s = argc == 3 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    if (argc > 3 || count == 0 || count % CLIENTS != 0 || count > CLIENTS * CLIENTS) {
        fprintf(stderr, "usage: %s COUNT [SECONDS]    COUNT a multiple of %u, at most %u\n",
                argv[0], CLIENTS, CLIENTS * CLIENTS);
        return 2;
    }
    with_heartbeats(count, rest_s);
    without_heartbeats(count, rest_s);
    with_fec(count);
    return 0;
}
