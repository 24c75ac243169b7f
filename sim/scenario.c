#include "sim/scenario.h"

#include <stddef.h>
#include <stdio.h>

#include "sim/memory.h"
#include "sim/params.h"
#include "sim/quantity.h"

#define DURATION_MAX_NS UINT64_C(864000000000000) /* ten days */
#define DEFAULT_DURATION_NS UINT64_C(10000000000)
#define DEFAULT_SAMPLE_NS UINT64_C(100000000)
#define DEFAULT_QUEUE_BYTES 150000u
#define DEFAULT_MTU 1500u
#define DEFAULT_SIZE_BYTES 65536u
#define PPM_ALL 1000000u

/* A key of a section: a quantity, or one of several words, whose place is the value. */
struct key {
    const char *name;
    enum sim_quantity quantity;
    const char *const *words; /* NULL: a quantity */
    size_t offset;
    uint64_t min, max;
};

static const char *const yes_no[] = {"no", "yes", NULL};
static const char *const aqms[] = {"droptail", "codel", NULL};
static const char *const kinds[] = {"bulk", "request", "periodic", "onoff", NULL};
static const char *const ways[] = {"forward", "reverse", NULL};

const char *sim_way_name(uint32_t way)
{
    return ways[way];
}

#define AT(type, member) offsetof(struct type, member)

static const struct key simulation_keys[] = {
    {"duration", SIM_TIME, NULL, AT(sim_scenario, duration_ns), 1, DURATION_MAX_NS},
    {"warmup", SIM_TIME, NULL, AT(sim_scenario, warmup_ns), 0, DURATION_MAX_NS},
    {"sample", SIM_TIME, NULL, AT(sim_scenario, sample_ns), 1000, DURATION_MAX_NS},
    {0},
};

static const struct key node_keys[] = {
    {"coalesce", SIM_TIME, NULL, AT(sim_scenario_node, coalesce_ns), 0, 1000000000},
    {0},
};

#define LINK(member) AT(sim_link_config, member)
static const struct key link_keys[] = {
    {"rate", SIM_RATE, NULL, LINK(rate_bit_s), 1000, UINT64_C(1000000000000)},
    {"delay", SIM_TIME, NULL, LINK(delay_ns), 0, UINT64_C(3600000000000)},
    {"jitter", SIM_TIME, NULL, LINK(jitter_ns), 0, UINT64_C(60000000000)},
    {"queue", SIM_BYTES, NULL, LINK(queue_bytes), 1, UINT64_C(1) << 40},
    {"mtu", SIM_BYTES, NULL, LINK(mtu), HWS_LIMIT_MTU_MIN, HWS_LIMIT_MTU_MAX},
    {"overhead", SIM_BYTES, NULL, LINK(overhead_bytes), 0, 1000},
    {"aqm", SIM_COUNT, aqms, LINK(aqm), 0, 0},
    {"codel_target", SIM_TIME, NULL, LINK(codel_target_ns), 1, UINT64_C(60000000000)},
    {"codel_interval", SIM_TIME, NULL, LINK(codel_interval_ns), 1000, UINT64_C(4000000000)},
    {"ecn", SIM_COUNT, yes_no, LINK(ecn), 0, 0},
    {"ecn_threshold", SIM_BYTES, NULL, LINK(ecn_bytes), 0, UINT64_C(1) << 40},
    {"loss", SIM_PORTION, NULL, LINK(loss_ppm), 0, PPM_ALL},
    {"burst_loss", SIM_PORTION, NULL, LINK(burst_loss_ppm), 0, PPM_ALL},
    {"burst_begin", SIM_PORTION, NULL, LINK(burst_begin_ppm), 0, PPM_ALL},
    {"burst_end", SIM_PORTION, NULL, LINK(burst_end_ppm), 1, PPM_ALL},
    {"reorder", SIM_PORTION, NULL, LINK(reorder_ppm), 0, PPM_ALL},
    {"reorder_delay", SIM_TIME, NULL, LINK(reorder_ns), 0, UINT64_C(60000000000)},
    {0},
};

#define ASSOC(member) AT(sim_scenario_association, member)
static const struct key association_keys[] = {
    {"start", SIM_TIME, NULL, ASSOC(start_ns), 0, DURATION_MAX_NS},
    {"count", SIM_COUNT, NULL, ASSOC(count), 1, SIM_ASSOCIATIONS_MAX},
    {"start_jitter", SIM_TIME, NULL, ASSOC(start_jitter_ns), 0, DURATION_MAX_NS},
    {"stop", SIM_TIME, NULL, ASSOC(stop_ns), 0, DURATION_MAX_NS},
    {0},
};

#define WORK(member) AT(sim_scenario_workload, member)
static const struct key workload_keys[] = {
    {"kind", SIM_COUNT, kinds, WORK(kind), 0, 0},
    {"way", SIM_COUNT, ways, WORK(way), 0, 0},
    {"size", SIM_BYTES, NULL, WORK(size_bytes), SIM_MESSAGE_MIN_BYTES, HWS_LIMIT_MESSAGE_BYTES},
    {"response", SIM_BYTES, NULL, WORK(response_bytes), SIM_MESSAGE_MIN_BYTES,
     HWS_LIMIT_MESSAGE_BYTES},
    {"stream", SIM_COUNT, NULL, WORK(stream), 0, HWS_LIMIT_STREAMS - 1},
    {"streams", SIM_COUNT, NULL, WORK(streams), 1, HWS_LIMIT_STREAMS},
    {"unordered", SIM_COUNT, yes_no, WORK(unordered), 0, 0},
    {"start", SIM_TIME, NULL, WORK(start_ns), 0, DURATION_MAX_NS},
    {"stop", SIM_TIME, NULL, WORK(stop_ns), 0, DURATION_MAX_NS},
    {"messages", SIM_COUNT, NULL, WORK(messages), 1, UINT64_C(1) << 40},
    {"interval", SIM_TIME, NULL, WORK(interval_ns), 0, DURATION_MAX_NS},
    {"on", SIM_TIME, NULL, WORK(on_ns), 1000, DURATION_MAX_NS},
    {"off", SIM_TIME, NULL, WORK(off_ns), 1000, DURATION_MAX_NS},
    {"outstanding", SIM_COUNT, NULL, WORK(outstanding), 1, 1000000},
    {"random", SIM_COUNT, yes_no, WORK(random), 0, 0},
    {"ppid", SIM_COUNT, NULL, WORK(ppid), 0, UINT32_MAX},
    {"path", SIM_COUNT, NULL, WORK(path), 0, HWS_LIMIT_PATHS},
    {0},
};

struct reader {
    struct sim_scenario *out;
    struct sim_document *document;
    struct sim_error *error;
};

#define WRONG(reader, line, ...)                                                                   \
    sim_document_wrong((reader)->document, line, (reader)->error, __VA_ARGS__)

/* "a, b or c" */
static const char *list_words(const char *const *words, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; words[i] != NULL && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s",
                                 i == 0                 ? ""
                                 : words[i + 1] == NULL ? " or "
                                                        : ", ",
                                 words[i]);
    return out;
}

static const char *list_keys(const struct key *keys, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (; keys->name != NULL && used < size; keys++)
        used +=
            (size_t)snprintf(out + used, size - used, "%s%s", used == 0 ? "" : ", ", keys->name);
    return out;
}

static bool read_word(const struct reader *r, const struct key *key, const struct sim_entry *e,
                      uint64_t *out)
{
    char text[256];
    for (uint64_t i = 0; key->words[i] != NULL; i++) {
        if (strcmp(key->words[i], e->value) == 0) {
            *out = i;
            return true;
        }
    }
    return WRONG(r, e->line, "%s = %s: has to be %s", e->key, e->value,
                 list_words(key->words, text, sizeof text));
}

static bool read_number(const struct reader *r, const struct key *key, const struct sim_entry *e,
                        uint64_t *out)
{
    if (!sim_quantity_read(key->quantity, e->value, out))
        return WRONG(r, e->line, "%s = %s: has to be %s", e->key, e->value,
                     sim_quantity_help(key->quantity));
    if (*out < key->min || *out > key->max)
        return WRONG(r, e->line, "%s = %s: is %s, has to be %llu to %llu%s", e->key, e->value,
                     *out < key->min ? "too little" : "too much", (unsigned long long)key->min,
                     (unsigned long long)key->max,
                     key->quantity == SIM_TIME      ? " ns"
                     : key->quantity == SIM_PORTION ? " ppm"
                     : key->quantity == SIM_RATE    ? " bit/s"
                                                    : "");
    return true;
}

static const struct key *find_key(const struct key *keys, const char *name)
{
    for (; keys->name != NULL; keys++)
        if (strcmp(keys->name, name) == 0)
            return keys;
    return NULL;
}

/* Sets a member of `object`. */
static bool read_key(const struct reader *r, const struct key *key, const struct sim_entry *e,
                     void *object)
{
    uint64_t *member = (uint64_t *)((uint8_t *)object + key->offset);
    return key->words != NULL ? read_word(r, key, e, member) : read_number(r, key, e, member);
}

static bool unknown_key(const struct reader *r, const struct sim_section *s,
                        const struct sim_entry *e, const struct key *keys, const char *others)
{
    char text[400];
    return WRONG(r, e->line, "[%s] has no key '%s': it has %s%s", s->kind, e->key, others,
                 list_keys(keys, text, sizeof text));
}

static bool find_node(const struct reader *r, const struct sim_entry *e, const char *name,
                      uint32_t *out)
{
    for (*out = 0; *out < r->out->node_count; (*out)++)
        if (strcmp(r->out->nodes[*out].name, name) == 0)
            return true;
    return WRONG(r, e->line, "%s: there is no [host %s] and no [router %s]", e->key, name, name);
}

/* ---- Sections ---- */

static bool read_simulation(const struct reader *r, const struct sim_section *s)
{
    for (const struct sim_entry *e = s->entries; e != NULL; e = e->next) {
        const struct key *key = find_key(simulation_keys, e->key);
        if (key == NULL)
            return unknown_key(r, s, e, simulation_keys, "");
        if (!read_key(r, key, e, r->out))
            return false;
    }
    if (r->out->warmup_ns >= r->out->duration_ns)
        return WRONG(r, s->line, "warmup has to be shorter than duration");
    return true;
}

static bool read_node(const struct reader *r, const struct sim_section *s)
{
    struct sim_scenario_node *node = &r->out->nodes[r->out->node_count];
    *node = (struct sim_scenario_node){.name = s->name, .router = strcmp(s->kind, "router") == 0};
    for (const struct sim_entry *e = s->entries; e != NULL; e = e->next) {
        const struct key *key = find_key(node_keys, e->key);
        if (node->router)
            return WRONG(r, e->line, "[router] has no keys");
        if (strcmp(e->key, "stack") == 0)
            node->stack = e->value;
        else if (strcmp(e->key, "extensions") == 0)
            node->extensions = e->value;
        else if (key == NULL)
            return unknown_key(r, s, e, node_keys, "stack, extensions, ");
        else if (!read_key(r, key, e, node))
            return false;
    }
    for (uint32_t i = 0; i < r->out->node_count; i++)
        if (strcmp(r->out->nodes[i].name, s->name) == 0)
            return WRONG(r, s->line, "'%s' is there twice", s->name);
    r->out->node_count++;
    return true;
}

static bool read_outage(const struct reader *r, const struct sim_entry *e, char *text,
                        struct sim_link_config *link)
{
    char *plus = strchr(text, '+');
    uint64_t from_ns, length_ns;
    if (plus != NULL)
        *plus = '\0';
    if (plus == NULL || !sim_quantity_read(SIM_TIME, text, &from_ns) ||
        !sim_quantity_read(SIM_TIME, plus + 1, &length_ns))
        return WRONG(r, e->line, "%s = %s: has to be times and lengths, such as 10s+500ms 20s+1s",
                     e->key, e->value);
    if (from_ns > DURATION_MAX_NS || length_ns > DURATION_MAX_NS)
        return WRONG(r, e->line, "%s = %s: ten days are the most", e->key, e->value);
    if (link->outage_count == SIM_OUTAGES_MAX)
        return WRONG(r, e->line, "%s: at most %u", e->key, SIM_OUTAGES_MAX);
    if (link->outage_count > 0 && from_ns < link->outages[link->outage_count - 1].until_ns)
        return WRONG(r, e->line, "%s: they have to be one after another", e->key);
    link->outages[link->outage_count++] = (struct sim_outage){from_ns, from_ns + length_ns};
    return true;
}

static bool read_outages(const struct reader *r, const struct sim_entry *e,
                         struct sim_link_config *link)
{
    char *copy = sim_string(e->value);
    bool good = true;
    link->outage_count = 0;
    for (char *word = strtok(copy, " \t"); word != NULL && good; word = strtok(NULL, " \t"))
        good = read_outage(r, e, word, link);
    free(copy);
    return good;
}

/* "a b" */
static bool read_ends(const struct reader *r, const struct sim_entry *e,
                      struct sim_scenario_link *link)
{
    char first[SIM_NAME_MAX], second[SIM_NAME_MAX], more[2];
    if (sscanf(e->value, "%63s %63s %1s", first, second, more) != 2)
        return WRONG(r, e->line, "ends = %s: has to be two hosts or routers", e->value);
    if (!find_node(r, e, first, &link->nodes[0]) || !find_node(r, e, second, &link->nodes[1]))
        return false;
    return link->nodes[0] != link->nodes[1] ||
           WRONG(r, e->line, "ends = %s: has to be two different ones", e->value);
}

/* A key for one way. */
static bool read_way(const struct reader *r, const struct sim_section *s, const struct sim_entry *e,
                     const char *name, struct sim_link_config *way)
{
    if (strcmp(name, "outages") == 0)
        return read_outages(r, e, way);
    const struct key *key = find_key(link_keys, name);
    if (key == NULL)
        return unknown_key(r, s, e, link_keys,
                           "ends, outages, and, also with forward. or reverse. before them, ");
    return read_key(r, key, e, way);
}

static bool read_link_entry(const struct reader *r, const struct sim_section *s,
                            const struct sim_entry *e, struct sim_scenario_link *link)
{
    if (strcmp(e->key, "ends") == 0)
        return read_ends(r, e, link);
    for (uint32_t way = 0; way < SIM_WAYS; way++) {
        size_t len = strlen(ways[way]);
        if (strncmp(e->key, ways[way], len) == 0 && e->key[len] == '.')
            return read_way(r, s, e, e->key + len + 1, &link->ways[way]);
    }
    return read_way(r, s, e, e->key, &link->ways[0]) && read_way(r, s, e, e->key, &link->ways[1]);
}

static bool is_one_way(const struct sim_entry *e)
{
    return strncmp(e->key, "forward.", 8) == 0 || strncmp(e->key, "reverse.", 8) == 0;
}

static bool read_link(const struct reader *r, const struct sim_section *s)
{
    struct sim_scenario_link *link = &r->out->links[r->out->link_count++];
    static const struct sim_link_config config = {.queue_bytes = DEFAULT_QUEUE_BYTES,
                                                  .mtu = DEFAULT_MTU,
                                                  .codel_target_ns = 5000000,
                                                  .codel_interval_ns = 100000000,
                                                  .burst_loss_ppm = PPM_ALL,
                                                  .burst_end_ppm = PPM_ALL};
    *link = (struct sim_scenario_link){.name = s->name, .ways = {config, config}};
    /* What is said of one way goes before what is said of both. */
    for (int pass = 0; pass < 2; pass++)
        for (const struct sim_entry *e = s->entries; e != NULL; e = e->next)
            if (is_one_way(e) == (pass == 1) && !read_link_entry(r, s, e, link))
                return false;
    return link->nodes[0] != link->nodes[1] || WRONG(r, s->line, "[link %s] needs ends", s->name);
}

/* A parameter of one end. */
static bool read_param(const struct reader *r, const struct sim_section *s,
                       const struct sim_entry *e, const char *name, struct hws_params *params)
{
    const char *allowed;
    switch (sim_params_set(params, name, e->value, &allowed)) {
    case SIM_PARAMS_SET:
        return true;
    case SIM_PARAMS_WRONG:
        return WRONG(r, e->line, "%s = %s: has to be %s", e->key, e->value, allowed);
    default:
        return unknown_key(r, s, e, association_keys,
                           "from, to, the parameters of struct hws_params, which may be given to "
                           "one end with from. or to. before them, and ");
    }
}

static bool read_association_entry(const struct reader *r, const struct sim_section *s,
                                   const struct sim_entry *e, struct sim_scenario_association *a)
{
    const struct key *key = find_key(association_keys, e->key);
    if (strcmp(e->key, "from") == 0)
        return find_node(r, e, e->value, &a->nodes[0]);
    if (strcmp(e->key, "to") == 0)
        return find_node(r, e, e->value, &a->nodes[1]);
    if (key != NULL)
        return read_key(r, key, e, a);
    if (strncmp(e->key, "from.", 5) == 0)
        return read_param(r, s, e, e->key + 5, &a->params[0]);
    if (strncmp(e->key, "to.", 3) == 0)
        return read_param(r, s, e, e->key + 3, &a->params[1]);
    return read_param(r, s, e, e->key, &a->params[0]) && read_param(r, s, e, e->key, &a->params[1]);
}

static bool is_one_side(const struct sim_entry *e)
{
    return strncmp(e->key, "from.", 5) == 0 || strncmp(e->key, "to.", 3) == 0;
}

/* As many as the section makes, which differ in name alone. */
static void add_associations(struct sim_scenario *out, const struct sim_scenario_association *a)
{
    size_t room = out->association_count + a->count;
    out->associations = sim_grow(out->associations, room, sizeof *a);
    for (uint64_t i = 1; i <= a->count; i++) {
        struct sim_scenario_association *at = &out->associations[out->association_count++];
        *at = *a;
        if (a->count == 1)
            snprintf(at->name, sizeof at->name, "%s", a->section);
        else
            snprintf(at->name, sizeof at->name, "%s.%llu", a->section, (unsigned long long)i);
    }
}

static bool read_association(const struct reader *r, const struct sim_section *s)
{
    struct sim_scenario_association a = {
        .section = s->name, .count = 1, .nodes = {UINT32_MAX, UINT32_MAX}};
    for (uint32_t i = 0; i < SIM_SIDES; i++)
        hws_params_default(&a.params[i]);
    for (int pass = 0; pass < 2; pass++)
        for (const struct sim_entry *e = s->entries; e != NULL; e = e->next)
            if (is_one_side(e) == (pass == 1) && !read_association_entry(r, s, e, &a))
                return false;
    for (uint32_t i = 0; i < SIM_SIDES; i++)
        if (a.nodes[i] == UINT32_MAX || r->out->nodes[a.nodes[i]].router)
            return WRONG(r, s->line, "[association %s] needs from and to, which are hosts",
                         s->name);
    if (a.nodes[0] == a.nodes[1])
        return WRONG(r, s->line, "[association %s] needs two different hosts", s->name);
    if (a.stop_ns != 0 && a.stop_ns <= a.start_ns + a.start_jitter_ns)
        return WRONG(r, s->line,
                     "[association %s] has to stop after it starts, start_jitter included",
                     s->name);
    add_associations(r->out, &a);
    return true;
}

static bool find_association(const struct reader *r, const struct sim_entry *e, uint32_t *out)
{
    for (*out = 0; *out < r->out->association_count; (*out)++)
        if (strcmp(r->out->associations[*out].section, e->value) == 0)
            return true;
    return WRONG(r, e->line, "there is no [association %s]", e->value);
}

static bool check_workload(const struct reader *r, const struct sim_section *s,
                           const struct sim_scenario_workload *w)
{
    if (w->association == UINT32_MAX)
        return WRONG(r, s->line, "[workload %s] needs association", s->name);
    if (w->kind == SIM_PERIODIC && w->interval_ns == 0)
        return WRONG(r, s->line, "[workload %s] is periodic and needs interval", s->name);
    if (w->kind == SIM_ONOFF && (w->on_ns == 0 || w->off_ns == 0))
        return WRONG(r, s->line, "[workload %s] needs on and off", s->name);
    if (w->stop_ns != 0 && w->stop_ns <= w->start_ns)
        return WRONG(r, s->line, "[workload %s] has to stop after it starts", s->name);
    const struct hws_params *params = r->out->associations[w->association].params;
    uint32_t streams = params[w->way].ostreams;
    if (w->kind == SIM_REQUEST && params[1 - w->way].ostreams < streams)
        streams = params[1 - w->way].ostreams;
    if (w->stream + w->streams > streams)
        return WRONG(r, s->line,
                     "[workload %s] uses stream %llu; its association has %u: see ostreams",
                     s->name, (unsigned long long)(w->stream + w->streams - 1), streams);
    return true;
}

/* The same for every association of its section. */
static void add_workloads(struct sim_scenario *out, const struct sim_scenario_workload *w)
{
    uint64_t count = out->associations[w->association].count;
    out->workloads = sim_grow(out->workloads, out->workload_count + count, sizeof *w);
    for (uint32_t i = 0; i < count; i++) {
        out->workloads[out->workload_count] = *w;
        out->workloads[out->workload_count++].association += i;
    }
}

static bool read_workload(const struct reader *r, const struct sim_section *s)
{
    struct sim_scenario_workload w = {.name = s->name,
                                      .association = UINT32_MAX,
                                      .size_bytes = DEFAULT_SIZE_BYTES,
                                      .response_bytes = DEFAULT_SIZE_BYTES,
                                      .streams = 1,
                                      .outstanding = 1};
    for (const struct sim_entry *e = s->entries; e != NULL; e = e->next) {
        const struct key *key = find_key(workload_keys, e->key);
        bool good = key != NULL ? read_key(r, key, e, &w)
                    : strcmp(e->key, "association") == 0
                        ? find_association(r, e, &w.association)
                        : unknown_key(r, s, e, workload_keys, "association, ");
        if (!good)
            return false;
    }
    if (!check_workload(r, s, &w))
        return false;
    add_workloads(r->out, &w);
    return true;
}

/* ---- The file ---- */

/* In the order in which they are read: what is named comes before what names it. */
static const struct kind {
    const char *name;
    bool (*read)(const struct reader *r, const struct sim_section *s);
    bool named;
} section_kinds[] = {
    {"simulation", read_simulation, false},
    {"host", read_node, true},
    {"router", read_node, true},
    {"link", read_link, true},
    {"association", read_association, true},
    {"workload", read_workload, true},
    {"sweep", NULL, false},
};

#define SECTION_KINDS (sizeof section_kinds / sizeof section_kinds[0])

static bool check_section(const struct reader *r, const struct sim_section *s)
{
    for (size_t i = 0; i < SECTION_KINDS; i++) {
        if (strcmp(section_kinds[i].name, s->kind) != 0)
            continue;
        if (section_kinds[i].named != (*s->name != '\0'))
            return WRONG(r, s->line, "[%s] takes %s name", s->kind,
                         section_kinds[i].named ? "a" : "no");
        return true;
    }
    return WRONG(r, s->line,
                 "there is no section [%s]: it has to be simulation, host, router, link, "
                 "association, workload or sweep",
                 s->kind);
}

static bool read_sections(const struct reader *r)
{
    for (const struct sim_section *s = r->document->sections; s != NULL; s = s->next)
        if (!check_section(r, s))
            return false;
    for (size_t i = 0; i < SECTION_KINDS; i++)
        for (const struct sim_section *s = r->document->sections; s != NULL; s = s->next)
            if (section_kinds[i].read != NULL && strcmp(section_kinds[i].name, s->kind) == 0 &&
                !section_kinds[i].read(r, s))
                return false;
    if (r->out->association_count == 0 || r->out->association_count > SIM_ASSOCIATIONS_MAX)
        return WRONG(r, 0, "there have to be 1 to %u associations", SIM_ASSOCIATIONS_MAX);
    return true;
}

bool sim_scenario_read(struct sim_scenario *scenario, struct sim_document *document,
                       struct sim_error *error)
{
    const struct reader reader = {scenario, document, error};
    size_t sections = 0;
    for (const struct sim_section *s = document->sections; s != NULL; s = s->next)
        sections++;
    *scenario = (struct sim_scenario){.document = document,
                                      .duration_ns = DEFAULT_DURATION_NS,
                                      .sample_ns = DEFAULT_SAMPLE_NS,
                                      .nodes = sim_new(sections, sizeof *scenario->nodes),
                                      .links = sim_new(sections, sizeof *scenario->links)};
    bool good = read_sections(&reader);
    if (!good)
        sim_scenario_free(scenario);
    return good;
}

void sim_scenario_free(struct sim_scenario *scenario)
{
    free(scenario->nodes);
    free(scenario->links);
    free(scenario->associations);
    free(scenario->workloads);
    *scenario = (struct sim_scenario){0};
}
