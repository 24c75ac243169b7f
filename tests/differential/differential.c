/* An engine of ours and usrsctp, each in both roles, over the same bad network in virtual time:
 * whatever one sends arrives at the other exactly once, in order per stream, byte for byte, and the
 * association ends gracefully. Each seed runs in a process of its own, since usrsctp has one
 * instance per process.
 *
 * HWS_SIM_SEED=n replays one seed and prints every packet, HWS_SIM_SEEDS=n tries so many. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/differential/usr.h"

#define SEEDS_DEFAULT 150u
#define SECOND_US 1000000u
#define MTU 1500u
#define FAULTS_US (60ull * SECOND_US)
#define PATIENCE_US (3000ull * SECOND_US)

struct duel {
    struct sim_rng rng;
    struct sim_world world;
    struct sim_net net;
    struct sim_host host;
    struct sim_app app;
    struct sim_usr usr;
    struct sim_flow flow; /* end 0 is ours, end 1 usrsctp's */
};

static uint32_t one_of(struct sim_rng *rng, uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t values[] = {a, b, c};
    return values[sim_rng_below(rng, 3)];
}

static void draw_link(struct duel *d, struct sim_link_config *link)
{
    struct sim_rng *rng = &d->rng;
    *link = (struct sim_link_config){
        .delay_us = sim_rng_scale(rng, 0, 200000),
        .jitter_us = sim_rng_scale(rng, 0, 20000),
        .loss_ppm = one_of(rng, 0, 10000, sim_rng_between(rng, 10000, 100000)),
        .duplicate_ppm = one_of(rng, 0, 0, 10000),
        .corrupt_ppm = one_of(rng, 0, 0, 10000),
        .reorder_ppm = one_of(rng, 0, 0, 50000),
        .reorder_us = sim_rng_scale(rng, 100, 100000),
        .rate_bytes_per_s = one_of(rng, 0, 1000000, 12500000),
        .queue_bytes = 200000,
        .mtu = MTU,
    };
}

static void draw_messages(struct duel *d, struct sim_ledger *ledger, uint32_t streams)
{
    struct sim_rng *rng = &d->rng;
    uint32_t len_max = one_of(rng, 100, 3000, 200000);
    uint32_t count = 1 + sim_rng_below(rng, len_max > 3000 ? 20 : 300);
    uint32_t unordered_ppm = one_of(rng, 0, 200000, 1000000);
    sim_ledger_init(ledger, count, streams);
    for (uint32_t i = 0; i < count; i++)
        ledger->messages[i] = (struct sim_message){
            .len = sim_rng_scale(rng, 1, len_max),
            .pattern = sim_rng_below(rng, 65536),
            .sid = (uint16_t)sim_rng_below(rng, streams),
            .flags = sim_rng_chance(rng, unordered_ppm) ? HWS_SEND_UNORDERED : 0,
        };
}

static void draw_ends(struct duel *d, uint32_t streams)
{
    struct sim_rng *rng = &d->rng;
    bool ours_connects = sim_rng_below(rng, 2) == 0;
    uint32_t closer = sim_rng_below(rng, 3);
    d->flow.ending = sim_rng_below(rng, 2) == 0 ? SIM_END_EARLY : SIM_END_LATE;
    for (uint32_t i = 0; i < 2; i++) {
        struct sim_end *end = &d->flow.ends[i];
        end->flow = &d->flow;
        end->config.connects = ours_connects == (i == 0);
        end->config.listens = !end->config.connects;
        end->config.shuts_down = closer == i || closer == 2;
        end->config.port = (uint16_t)(i == 0 ? 1000 : 2000);
        end->config.read_bytes = one_of(rng, 65536, 65536, 500);
        draw_messages(d, &end->ledger, streams);
    }
    struct hws_params *p = &d->flow.ends[0].config.params;
    hws_params_default(p);
    p->ostreams = p->max_instreams = (uint16_t)streams;
    p->rcvbuf_bytes = one_of(rng, 4u << 20, 65536, 16384);
    p->sndbuf_bytes = one_of(rng, 4u << 20, 65536, 3000);
    p->nodelay = sim_rng_below(rng, 2) == 0;
    p->sched = sim_rng_below(rng, 2) == 0 ? "rr" : "fcfs";
    p->max_init_retrans = p->assoc_max_retrans = p->path_max_retrans = 100;
}

static void begin(struct duel *d, uint64_t seed, FILE *trace)
{
    d->rng = sim_rng_seeded(seed);
    sim_world_init(&d->world, seed);
    sim_net_init(&d->net, &d->world, seed);
    d->net.trace = trace;
    uint32_t streams = sim_rng_scale(&d->rng, 1, 50);
    draw_ends(d, streams);
    sim_host_init(&d->host, &d->net,
                  &(struct sim_host_config){.seed = seed,
                                            .interface_mtu = MTU,
                                            .max_packets = 1 + sim_rng_below(&d->rng, 32),
                                            .copied_input = sim_rng_below(&d->rng, 2) == 0});
    sim_host_add_addr(&d->host, &(struct hws_addr){.family = HWS_FAMILY_IPV4, .ip = {10, 0, 0, 1}});
    sim_app_attach(&d->app, &d->host);
    sim_app_add(&d->host, &d->flow.ends[0]);
    sim_usr_init(&d->usr, &d->net, &d->flow.ends[1], streams);
    d->usr.node.addrs[0] = (struct hws_addr){.family = HWS_FAMILY_IPV4, .ip = {10, 0, 0, 2}};
    d->usr.node.addr_count = 1;
    draw_link(d, &sim_net_link(&d->net, 0, 0, 1, 0)->config);
    draw_link(d, &sim_net_link(&d->net, 1, 0, 0, 0)->config);
    sim_usr_start(&d->usr);
    sim_flow_start(&d->flow);
}

static void live(struct duel *d)
{
    uint64_t heal_at_us = d->world.now_us + FAULTS_US;
    while (!sim_flow_done(&d->flow) && sim_world_step(&d->world, heal_at_us))
        continue;
    if (d->world.failed)
        return;
    sim_net_heal(&d->net);
    while (!sim_flow_done(&d->flow) && sim_world_step(&d->world, heal_at_us + PATIENCE_US))
        continue;
}

static void check(struct duel *d)
{
    SIM_CHECK(&d->world, sim_flow_done(&d->flow),
              "the association did not end (ours %d, theirs %d)", d->flow.ends[0].released,
              d->flow.ends[1].released);
    for (uint32_t i = 0; i < 2; i++) {
        const struct sim_ledger *l = &d->flow.ends[i].ledger;
        SIM_CHECK(&d->world, l->delivered == l->count, "%u of %u messages of %s arrived",
                  l->delivered, l->count, i == 0 ? "ours" : "theirs");
    }
    SIM_CHECK(&d->world, hws_engine_assoc_count(d->host.engine) == 0, "an association is left");
}

static bool run_seed(uint64_t seed, FILE *trace)
{
    static struct duel d;
    begin(&d, seed, trace);
    live(&d);
    check(&d);
    sim_host_fini(&d.host);
    const struct sim_ledger *ours = &d.flow.ends[0].ledger, *theirs = &d.flow.ends[1].ledger;
    printf("seed %" PRIu64 ": %s, %s connects, %u + %u messages, %" PRIu64 " + %" PRIu64
           " bytes, %" PRIu64 " packets, %" PRIu64 " lost\n",
           seed, d.world.failed ? d.world.failure : "ok",
           d.flow.ends[0].config.connects ? "hawser" : "usrsctp", ours->count, theirs->count,
           ours->bytes_delivered, theirs->bytes_delivered, d.net.packets_sent, d.net.packets_lost);
    fflush(stdout);
    return !d.world.failed;
}

static bool run_in_process(uint64_t seed)
{
    pid_t child = fork();
    if (child == 0)
        _exit(run_seed(seed, NULL) ? 0 : 1);
    int status = 1;
    bool ok = child > 0 && waitpid(child, &status, 0) == child && status == 0;
    if (!ok)
        printf("FAIL seed %" PRIu64 ", replay: HWS_SIM_SEED=%" PRIu64 " ./differential\n", seed,
               seed);
    fflush(stdout);
    return ok;
}

int main(void)
{
    const char *one = getenv("HWS_SIM_SEED"), *many = getenv("HWS_SIM_SEEDS");
    if (one != NULL)
        return run_seed(strtoull(one, NULL, 10), stdout) ? 0 : 1;
    uint64_t count = many != NULL ? strtoull(many, NULL, 10) : SEEDS_DEFAULT, failed = 0;
    for (uint64_t seed = 1; seed <= count; seed++)
        failed += !run_in_process(seed);
    printf("%" PRIu64 " seeds, %" PRIu64 " failed\n", count, failed);
    return failed == 0 ? 0 : 1;
}
