/* Many small worlds, each drawn from a seed, each checked for every promise that can be seen from
 * outside: first under faults, then healed, when all must arrive.
 *
 * HWS_SIM_SEED=n      replays one seed and prints every packet
 * HWS_SIM_QLOG=DIR    and writes a qlog file for each host there
 * HWS_SIM_SEEDS=n     how many seeds to try
 * HWS_SIM_BASE=n      where they start */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/draw.h"
#include "tests/sim/record.h"

#define SEEDS_DEFAULT 1500u
/* So many seeds live twice, to see that nothing but the seed decides, and no observer. */
#define REPEAT_EVERY 8u
#define SILENCE_US 300000000u
/* Objects an engine may keep: its endpoints, and its tables, grown while associations lived. */
#define KEPT_OBJECTS_MAX 48u

struct totals {
    uint64_t packets, bytes, strangers, foreign, replays, virtual_us, retransmits;
    uint64_t features[SIM_FEATURES]; /* worlds that had it */
};

struct result {
    uint64_t hash;
    bool ok;
    char failure[512];
};

static bool all_done(const struct sim_case *c)
{
    for (uint32_t i = 0; i < c->flow_count; i++)
        if (!sim_flow_done(&c->flows[i]))
            return false;
    return true;
}

static void live(struct sim_case *c)
{
    while (!all_done(c) && sim_world_step(&c->world, c->heal_at_us))
        continue;
    if (c->world.failed)
        return;
    sim_net_heal(&c->net);
    while (!all_done(c) && sim_world_step(&c->world, c->end_by_us))
        continue;
}

static bool nothing_lent(const struct sim_ledger *l)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (l->lent[i] != NULL)
            return false;
    return true;
}

static void check_arrived(struct sim_case *c)
{
    for (uint32_t i = 0; i < c->flow_count; i++) {
        const struct sim_flow *flow = &c->flows[i];
        SIM_CHECK(&c->world, sim_flow_done(flow), "flow %u did not end", i);
        for (uint32_t k = 0; k < 2; k++) {
            const struct sim_ledger *l = &flow->ends[k].ledger;
            SIM_CHECK(&c->world, nothing_lent(l), "flow %u, end %u: lent bytes were kept", i, k);
            SIM_CHECK(&c->world, flow->aborted || flow->cut_short || sim_ledger_arrived(l),
                      "flow %u, end %u: %u of %u messages arrived, %u of them since message %u", i,
                      k, l->delivered, l->count, l->fresh, l->first);
        }
    }
}

/* Once it is over nobody speaks, nothing is remembered. A stranger's association, made by a cookie
 * that came again, may take until its peer is found to be gone. */
static void check_silence(struct sim_case *c)
{
    struct sim_world *world = &c->world;
    uint64_t until_us = world->now_us > c->heal_at_us ? world->now_us : c->heal_at_us;
    until_us += SILENCE_US; /* strangers may come until it heals */
    sim_world_run(world, until_us);
    uint64_t sent = c->net.packets_sent;
    sim_world_run(world, until_us + SILENCE_US);
    SIM_CHECK(world, c->net.packets_sent == sent, "%" PRIu64 " packets after the end",
              c->net.packets_sent - sent);
    for (uint32_t i = 0; i < SIM_HOSTS; i++) {
        const struct sim_host *h = sim_draw_host(c, i);
        if (h == NULL)
            continue;
        SIM_CHECK(world, hws_engine_assoc_count(h->engine) == 0, "%zu associations after the end",
                  hws_engine_assoc_count(h->engine));
        SIM_CHECK(world, !h->config.direct_alloc || h->env.live_objects <= KEPT_OBJECTS_MAX,
                  "%zu objects after the end", h->env.live_objects);
    }
    SIM_CHECK(world, world->live_packets == 0, "%zu packet buffers held after the end",
              world->live_packets);
}

/* Every packet that was altered on the way was found out. */
static void check_corruption(struct sim_case *c)
{
    uint64_t refused = 0;
    for (uint32_t i = 0; i < SIM_HOSTS; i++)
        if (sim_draw_host(c, i) != NULL)
            refused +=
                c->hosts[i].refused_before + sim_refused(hws_engine_stats(c->hosts[i].engine));
    SIM_CHECK(&c->world, refused >= c->net.packets_corrupted,
              "%" PRIu64 " packets corrupted, only %" PRIu64 " refused", c->net.packets_corrupted,
              refused);
}

static void add_totals(struct sim_case *c, struct totals *t)
{
    sim_draw_conclude(c);
    for (uint32_t i = 0; i < SIM_FEATURES; i++)
        t->features[i] += c->features[i];
    t->packets += c->net.packets_sent;
    t->virtual_us += c->world.now_us;
    t->foreign += c->foreign.attempts;
    t->replays += c->foreign.replays;
    for (uint32_t i = 0; i < SIM_HOSTS; i++) {
        if (sim_draw_host(c, i) == NULL)
            continue;
        t->strangers += c->apps[i].strangers;
        t->retransmits += hws_engine_stats(c->hosts[i].engine)->retransmits;
    }
    for (uint32_t i = 0; i < c->flow_count; i++)
        t->bytes +=
            c->flows[i].ends[0].ledger.bytes_delivered + c->flows[i].ends[1].ledger.bytes_delivered;
}

/* What else is wanted of a world. */
struct wishes {
    FILE *trace;          /* NULL: none */
    const char *qlog_dir; /* NULL: none */
    bool other_observers;
};

static void begin_records(struct sim_case *c, struct sim_record records[SIM_HOSTS], const char *dir)
{
    char name[16];
    for (uint32_t i = 0; i < SIM_HOSTS; i++) {
        struct sim_host *host = sim_draw_host(c, i);
        snprintf(name, sizeof name, "host-%u", i);
        if (host != NULL)
            SIM_CHECK(&c->world, sim_record_open(&records[i], host, dir, name),
                      "no file can be made in %s", dir);
    }
}

static void end_records(struct sim_case *c, struct sim_record records[SIM_HOSTS])
{
    for (uint32_t i = 0; i < SIM_HOSTS; i++)
        if (records[i].qlog != NULL)
            SIM_CHECK(&c->world, sim_record_close(&records[i]), "a file could not be written");
}

static struct result run_seed(uint64_t seed, const struct wishes *wishes, struct totals *totals)
{
    static struct sim_case c;
    struct sim_record records[SIM_HOSTS] = {0};
    sim_draw(&c, seed, wishes->trace, wishes->other_observers);
    if (wishes->qlog_dir != NULL)
        begin_records(&c, records, wishes->qlog_dir);
    live(&c);
    check_arrived(&c);
    if (!c.world.failed)
        check_silence(&c);
    check_corruption(&c);
    add_totals(&c, totals);
    struct result result = {.hash = c.net.hash};
    sim_discard(&c);
    end_records(&c, records);
    result.ok = !c.world.failed;
    snprintf(result.failure, sizeof result.failure, "%s", c.world.failure);
    return result;
}

static bool try_seed(uint64_t seed, struct totals *totals)
{
    struct result first = run_seed(seed, &(struct wishes){0}, totals);
    if (first.ok && seed % REPEAT_EVERY == 0) {
        struct result second = run_seed(seed, &(struct wishes){.other_observers = true}, totals);
        if (!second.ok) {
            first = second;
        } else if (second.hash != first.hash) {
            first.ok = false;
            snprintf(first.failure, sizeof first.failure, "two runs differ");
        }
    }
    if (!first.ok)
        printf("FAIL seed %" PRIu64 " %s\n  replay: HWS_SIM_SEED=%" PRIu64 " ./swarm\n", seed,
               first.failure, seed);
    fflush(stdout);
    return first.ok;
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static int replay(uint64_t seed)
{
    struct totals totals = {0};
    const struct wishes wishes = {.trace = stdout, .qlog_dir = getenv("HWS_SIM_QLOG")};
    struct result result = run_seed(seed, &wishes, &totals);
    printf("seed %" PRIu64 ": %s (%" PRIu64 " packets, hash %016" PRIx64 ")\n", seed,
           result.ok ? "ok" : result.failure, totals.packets, result.hash);
    return result.ok ? 0 : 1;
}

/* False: a full run that has not tried everything. */
static bool print_features(const struct totals *t, uint64_t count)
{
    bool complete = true;
    for (uint32_t i = 0; i < SIM_FEATURES; i++) {
        printf("  %-34s %6" PRIu64 " worlds\n", sim_feature_name(i), t->features[i]);
        complete = complete && t->features[i] > 0;
    }
    if (!complete && count >= SEEDS_DEFAULT)
        printf("FAIL some feature never occurred\n");
    return complete || count < SEEDS_DEFAULT;
}

int main(void)
{
    if (getenv("HWS_SIM_SEED") != NULL)
        return replay(number_from("HWS_SIM_SEED", 0));
    uint64_t base = number_from("HWS_SIM_BASE", 1);
    uint64_t count = number_from("HWS_SIM_SEEDS", SEEDS_DEFAULT), failed = 0;
    struct totals t = {0};
    for (uint64_t seed = base; seed < base + count; seed++)
        failed += !try_seed(seed, &t);
    printf("%" PRIu64 " seeds from %" PRIu64 ", %" PRIu64 " failed: %" PRIu64 " packets, %" PRIu64
           " bytes delivered, %" PRIu64 " chunks sent again, %" PRIu64 " forged and %" PRIu64
           " replayed packets, %" PRIu64 " strangers, %" PRIu64 " s of virtual time\n",
           count, base, failed, t.packets, t.bytes, t.retransmits, t.foreign, t.replays,
           t.strangers, t.virtual_us / 1000000);
    return print_features(&t, count) && failed == 0 ? 0 : 1;
}
