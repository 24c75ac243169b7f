#include "sim/experiment.h"

#include <stdio.h>

#include "sim/memory.h"
#include "sim/stack.h"

/* ---- The sweep ---- */

/* The values of a key, "a, b, c", as strings of their own. */
struct axis {
    char *text;
    const char **values;
    size_t count;
};

static void read_axis(struct axis *axis, const char *text)
{
    axis->text = sim_string(text);
    for (char *at = strtok(axis->text, ","); at != NULL; at = strtok(NULL, ",")) {
        at += strspn(at, " \t");
        for (size_t len = strlen(at); len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t');)
            at[--len] = '\0';
        axis->values = sim_grow(axis->values, axis->count + 1, sizeof(*axis->values));
        axis->values[axis->count++] = at;
    }
}

static const struct sim_section *sweep_section(const struct sim_document *document)
{
    const struct sim_section *s = document->sections;
    while (s != NULL && strcmp(s->kind, "sweep") != 0)
        s = s->next;
    return s;
}

static void make_point(struct sim_experiment *x, const struct axis *axes, size_t number)
{
    struct sim_point *point = &x->points[number];
    point->values = sim_new(x->key_count, sizeof(*point->values));
    /* The last key changes fastest. */
    for (size_t i = x->key_count; i > 0; i--) {
        point->values[i - 1] = sim_string(axes[i - 1].values[number % axes[i - 1].count]);
        number /= axes[i - 1].count;
    }
}

static bool make_points(struct sim_experiment *x, struct sim_error *error)
{
    const struct sim_section *sweep = sweep_section(&x->document);
    struct axis *axes = NULL;
    x->point_count = 1;
    for (struct sim_entry *e = sweep != NULL ? sweep->entries : NULL; e != NULL; e = e->next) {
        x->keys = sim_grow(x->keys, x->key_count + 1, sizeof(*x->keys));
        axes = sim_grow(axes, x->key_count + 1, sizeof(*axes));
        x->keys[x->key_count] = e->key;
        axes[x->key_count] = (struct axis){0};
        read_axis(&axes[x->key_count], e->value);
        if (x->point_count <= SIM_POINTS_MAX)
            x->point_count *= axes[x->key_count].count;
        x->key_count++;
    }
    bool good = (x->point_count > 0 && x->point_count <= SIM_POINTS_MAX) ||
                sim_document_wrong(&x->document, sweep->line, error,
                                   "[sweep] has to have 1 to %u points", SIM_POINTS_MAX);
    x->point_count = good ? x->point_count : 0;
    x->points = sim_new(x->point_count, sizeof(*x->points));
    x->documents = sim_new(x->point_count, sizeof(*x->documents));
    x->scenarios = sim_new(x->point_count, sizeof(*x->scenarios));
    for (size_t i = 0; i < x->point_count; i++)
        make_point(x, axes, i);
    for (size_t i = 0; i < x->key_count; i++) {
        free(axes[i].text);
        free(axes[i].values);
    }
    free(axes);
    return good;
}

/* ---- Runs ---- */

static bool read_point(struct sim_experiment *x, size_t number, struct sim_error *error)
{
    struct sim_document *document = &x->documents[number];
    const struct sim_section *sweep = sweep_section(&x->document);
    const char **value = x->points[number].values;
    sim_document_copy(document, &x->document);
    for (const struct sim_entry *e = sweep != NULL ? sweep->entries : NULL; e != NULL; e = e->next)
        if (!sim_document_set(document, e->key, *value++, e->line, error))
            return false;
    bool good = sim_scenario_read(&x->scenarios[number], document, error);
    x->scenarios[number].point = (uint32_t)number;
    return good;
}

bool sim_run_once(void *ctx, const struct sim_scenario *scenario,
                  const struct sim_settings *settings, uint64_t seed, struct sim_result *result,
                  struct sim_error *error)
{
    struct sim_run run;
    (void)ctx;
    bool good = sim_run_init(&run, scenario, settings, seed) && sim_run_whole(&run);
    if (good)
        sim_result_read(result, &run);
    else
        *error = run.error;
    sim_run_fini(&run);
    return good;
}

/* Keeps the values of a run with the `seed`-th seed. */
static void keep_values(struct sim_experiment *x, struct sim_point *point, uint64_t seed,
                        struct sim_result *result)
{
    if (seed == 0)
        point->by_seed = sim_new(result->count * x->seeds, sizeof(*point->by_seed));
    for (size_t row = 0; row < result->count; row++)
        point->by_seed[row * x->seeds + seed] = result->rows[row].value;
    if (seed == 0)
        point->result = *result;
    else
        sim_result_fini(result);
}

/* What is set is swept no longer: the sweep's key has that one value. */
static void set_swept(struct sim_document *document, const char *path, const char *value)
{
    const struct sim_section *sweep = sweep_section(document);
    for (struct sim_entry *e = sweep != NULL ? sweep->entries : NULL; e != NULL; e = e->next) {
        if (strcmp(e->key, path) != 0)
            continue;
        free(e->value);
        e->value = sim_string(value);
    }
}

static bool set_all(struct sim_experiment *x, const struct sim_experiment_config *config,
                    struct sim_error *error)
{
    for (size_t i = 0; i < config->set_count; i++) {
        char path[256];
        const char *equals = strchr(config->sets[i], '=');
        size_t len = equals != NULL ? (size_t)(equals - config->sets[i]) : sizeof path;
        if (len >= sizeof path)
            return sim_document_wrong(&x->document, 0, error, "'%s' is not KIND.NAME.KEY=VALUE",
                                      config->sets[i]);
        memcpy(path, config->sets[i], len);
        path[len] = '\0';
        if (!sim_document_set(&x->document, path, equals + 1, 0, error))
            return false;
        set_swept(&x->document, path, equals + 1);
    }
    return true;
}

bool sim_experiment_open(struct sim_experiment *x, const struct sim_experiment_config *config,
                         struct sim_error *error)
{
    *x = (struct sim_experiment){.seed = config->seed, .seeds = config->seeds};
    if (!sim_document_read(&x->document, config->file, error))
        return false;
    bool good = set_all(x, config, error) && make_points(x, error);
    for (size_t i = 0; i < x->point_count && good; i++)
        good = read_point(x, i, error);
    if (!good)
        sim_experiment_free(x);
    return good;
}

const char *sim_experiment_stack(const struct sim_experiment *x)
{
    for (size_t i = 0; i < x->point_count; i++) {
        for (uint32_t n = 0; n < x->scenarios[i].node_count; n++) {
            const char *stack = x->scenarios[i].nodes[n].stack;
            if (stack != NULL && strcmp(stack, sim_stack_hawser.name) != 0)
                return stack;
        }
    }
    return NULL;
}

bool sim_experiment_run(struct sim_experiment *x, const struct sim_settings *settings,
                        sim_run_once_fn *once, void *ctx, struct sim_error *error)
{
    for (size_t i = 0; i < x->point_count; i++) {
        for (uint64_t seed = 0; seed < x->seeds; seed++) {
            struct sim_result result = {0};
            struct sim_error why;
            if (!once(ctx, &x->scenarios[i], settings, x->seed + seed, &result, &why))
                return sim_document_wrong(&x->document, 0, error, "%s (seed %llu)", why.text,
                                          (unsigned long long)(x->seed + seed));
            keep_values(x, &x->points[i], seed, &result);
        }
    }
    return true;
}

void sim_experiment_free(struct sim_experiment *x)
{
    for (size_t i = 0; i < x->point_count; i++) {
        struct sim_point *point = &x->points[i];
        for (size_t k = 0; k < x->key_count; k++)
            free((void *)point->values[k]);
        free(point->values);
        free(point->by_seed);
        sim_result_fini(&point->result);
        sim_scenario_free(&x->scenarios[i]);
        sim_document_free(&x->documents[i]);
    }
    free(x->points);
    free(x->scenarios);
    free(x->documents);
    free(x->keys);
    sim_document_free(&x->document);
    *x = (struct sim_experiment){0};
}
