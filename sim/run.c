#include "sim/run.h"

#include <stdarg.h>
#include <stdio.h>

#include "sim/memory.h"
#include "sim/stack.h"

void sim_run_fail(struct sim_run *run, const char *format, ...)
{
    if (run->error.text[0] != '\0')
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(run->error.text, sizeof run->error.text, format, args);
    va_end(args);
}

/* ---- Samples ---- */

static void gauge(struct sim_gauge *g, uint64_t value)
{
    g->min = g->count == 0 || value < g->min ? value : g->min;
    g->max = value > g->max ? value : g->max;
    g->sum += value;
    g->count++;
}

static void sample_end(struct sim_run *run, struct sim_end *end, uint64_t now_ns)
{
    struct sim_stack *stack = end->node->stack;
    struct sim_path_sample sample;
    for (uint32_t path = 0; end->up && path < HWS_LIMIT_PATHS; path++) {
        if (!stack->ops->sample(stack, end, path, &sample))
            continue;
        SIM_TELL(run, sample, end, path, &sample, now_ns);
        if (path != 0 || now_ns < run->scenario->warmup_ns || end->over)
            continue;
        gauge(&end->cwnd_bytes, sample.cwnd_bytes);
        if (sample.srtt_us != 0)
            gauge(&end->srtt_us, sample.srtt_us);
    }
}

static void sampler_fire(void *ctx, uint64_t now_ns)
{
    struct sim_run *run = ctx;
    for (uint32_t i = 0; i < SIM_SIDES * run->scenario->association_count; i++)
        sample_end(run, &run->ends[i], now_ns);
    SIM_TELL(run, sampled, run, now_ns);
    sim_clock_set(&run->clock, &run->sampler, now_ns + run->scenario->sample_ns);
}

/* ---- The beginning ---- */

/* The measurement begins. */
static void warmup_fire(void *ctx, uint64_t now_ns)
{
    struct sim_run *run = ctx;
    sim_clock_set(&run->clock, &run->warmup, SIM_NEVER);
    for (uint32_t i = 0; i < SIM_WAYS * run->scenario->link_count; i++)
        sim_link_count_anew(&run->links[i], now_ns);
    for (uint32_t i = 0; i < SIM_SIDES * run->scenario->association_count; i++) {
        struct sim_end *end = &run->ends[i];
        end->packets = end->bytes = 0;
        memset(end->lost, 0, sizeof end->lost);
        if (end->up)
            end->retransmits_before = end->node->stack->ops->retransmits(end->node->stack, end);
    }
}

static void association_stop(void *ctx, uint64_t now_ns)
{
    struct sim_end *end = ctx;
    (void)now_ns;
    sim_clock_set(&end->run->clock, &end->run->starts[end->index], SIM_NEVER);
    if (!end->over)
        end->node->stack->ops->shutdown(end->node->stack, end);
}

static void association_start(void *ctx, uint64_t now_ns)
{
    struct sim_end *end = ctx;
    struct sim_source *source = &end->run->starts[end->index];
    uint64_t stop_ns = end->association->stop_ns;
    (void)now_ns;
    end->node->stack->ops->connect(end->node->stack, end);
    source->fire = association_stop;
    sim_clock_set(&end->run->clock, source, stop_ns != 0 ? stop_ns : SIM_NEVER);
}

static void schedule_start(struct sim_run *run, struct sim_end *end)
{
    const struct sim_scenario_association *a = end->association;
    struct sim_rng rng = sim_rng_seeded(run->seed * UINT64_C(1000037) + end->index);
    uint64_t later_ns = sim_rng_next(&rng) % (a->start_jitter_ns + 1);
    uint32_t rank = SIM_WAYS * run->scenario->link_count + run->scenario->workload_count;
    struct sim_source *source = &run->starts[end->index];
    sim_clock_add(&run->clock, source, rank + end->index, association_start, end);
    sim_clock_set(&run->clock, source, a->start_ns + later_ns);
}

static const struct sim_stack_ops *find_stack(const struct sim_run *run, const char *name)
{
    if (name == NULL || strcmp(name, sim_stack_hawser.name) == 0)
        return &sim_stack_hawser;
    for (size_t i = 0; i < run->settings->stack_count; i++)
        if (strcmp(run->settings->stacks[i]->name, name) == 0)
            return run->settings->stacks[i];
    return NULL;
}

static bool open_stacks(struct sim_run *run)
{
    for (uint32_t i = 0; i < run->scenario->node_count; i++) {
        struct sim_node *node = &run->nodes[i];
        const struct sim_stack_ops *ops = find_stack(run, node->config->stack);
        if (node->config->router)
            continue;
        if (ops == NULL)
            sim_run_fail(run, "host %s: there is no stack '%s'", node->config->name,
                         node->config->stack);
        else
            node->stack = ops->open(node, run->seed * UINT64_C(1000033) + i);
        if (run->error.text[0] != '\0')
            return false;
    }
    return true;
}

static bool open_ends(struct sim_run *run)
{
    const struct sim_scenario *s = run->scenario;
    for (uint32_t i = 0; i < SIM_SIDES * s->association_count; i++) {
        struct sim_end *end = &run->ends[i];
        uint32_t index = i / SIM_SIDES;
        end->association = &s->associations[index];
        end->index = (uint16_t)index;
        end->side = (uint8_t)(i % SIM_SIDES);
        end->run = run;
        end->node = &run->nodes[end->association->nodes[end->side]];
        end->peer = &run->ends[i ^ 1u];
    }
    for (uint32_t i = 0; i < SIM_SIDES * s->association_count; i++) {
        struct sim_end *end = &run->ends[i];
        if (!sim_route_exists(end->node, end->peer->node)) {
            sim_run_fail(run, "association %s: there is no way from %s to %s",
                         end->association->name, end->node->config->name,
                         end->peer->node->config->name);
            return false;
        }
        if (!end->node->stack->ops->bind(end->node->stack, end))
            return false;
        if (end->side == 0)
            schedule_start(run, end);
    }
    return true;
}

/* After everything else of its instant. */
static void add_watchers(struct sim_run *run)
{
    const struct sim_scenario *s = run->scenario;
    uint32_t rank =
        SIM_WAYS * s->link_count + s->workload_count + s->association_count + s->node_count;
    sim_clock_add(&run->clock, &run->warmup, rank, warmup_fire, run);
    sim_clock_add(&run->clock, &run->sampler, rank + 1, sampler_fire, run);
    if (s->warmup_ns != 0)
        sim_clock_set(&run->clock, &run->warmup, s->warmup_ns);
    sim_clock_set(&run->clock, &run->sampler, s->sample_ns);
}

bool sim_run_init(struct sim_run *run, const struct sim_scenario *scenario,
                  const struct sim_settings *settings, uint64_t seed)
{
    *run = (struct sim_run){.scenario = scenario, .settings = settings, .seed = seed};
    SIM_TELL(run, begin, run);
    run->ends = sim_new(SIM_SIDES * scenario->association_count, sizeof(*run->ends));
    run->starts = sim_new(scenario->association_count, sizeof(*run->starts));
    sim_topology_init(run);
    if (!open_stacks(run) || !open_ends(run))
        return false;
    sim_app_init(run);
    add_watchers(run);
    return true;
}

bool sim_run_whole(struct sim_run *run)
{
    if (!sim_clock_run(&run->clock, run->scenario->duration_ns))
        sim_run_fail(run, "time stands still: something is done over and over again, as by a "
                          "workload without interval over links without rate and delay");
    for (uint32_t i = 0; i < SIM_WAYS * run->scenario->link_count; i++)
        sim_link_catch_up(&run->links[i], run->clock.now_ns);
    return run->error.text[0] == '\0';
}

void sim_run_fini(struct sim_run *run)
{
    for (uint32_t i = 0; i < run->scenario->node_count; i++)
        if (run->nodes[i].stack != NULL)
            run->nodes[i].stack->ops->close(run->nodes[i].stack);
    SIM_TELL(run, end, run);
    sim_app_fini(run);
    sim_topology_fini(run);
    sim_clock_fini(&run->clock);
    sim_arena_fini(&run->arena);
    free(run->ends);
    free(run->starts);
}
