/* What applications do: workloads make messages, give them to their stack while it takes them, and
 * note how long each took. */
#include <stdio.h>

#include "sim/memory.h"
#include "sim/run.h"
#include "sim/stack.h"

#define NO_MESSAGE UINT32_MAX

const uint8_t sim_app_filler[65536];

/* ---- Messages ---- */

static struct sim_message *new_message(struct sim_run *run)
{
    if (run->free_count == 0) {
        uint32_t was = run->message_capacity;
        run->message_capacity = was != 0 ? 2 * was : 256;
        run->messages = sim_grow(run->messages, run->message_capacity, sizeof(*run->messages));
        run->free_ids = sim_grow(run->free_ids, run->message_capacity, sizeof(*run->free_ids));
        for (uint32_t id = run->message_capacity; id > was; id--) {
            run->messages[id - 1] = sim_new(1, sizeof(struct sim_message));
            run->free_ids[run->free_count++] = id - 1;
        }
    }
    uint32_t id = run->free_ids[--run->free_count];
    *run->messages[id] = (struct sim_message){.id = id};
    return run->messages[id];
}

static void unref(struct sim_run *run, struct sim_message *m)
{
    if (--m->refs == 0)
        run->free_ids[run->free_count++] = m->id;
}

void sim_app_sent(struct sim_message *message, struct sim_run *run)
{
    message->workload->held_bytes -= message->size_bytes;
    unref(run, message);
}

/* ---- Sending ---- */

static void queue_message(struct sim_workload *w, struct sim_message *m)
{
    uint32_t queue = m->response ? 1 : 0;
    if (w->first[queue] == NULL)
        w->first[queue] = m;
    else
        w->last[queue]->next = m;
    w->last[queue] = m;
}

static struct sim_end *sender_of(const struct sim_workload *w, bool response)
{
    return response ? w->end->peer : w->end;
}

static struct sim_message *create(struct sim_workload *w, bool response, uint64_t created_ns,
                                  uint16_t stream)
{
    struct sim_message *m = new_message(w->run);
    m->workload = w;
    m->response = response;
    m->from = sender_of(w, response);
    m->created_ns = created_ns;
    m->size_bytes = (uint32_t)(response ? w->config->response_bytes : w->config->size_bytes);
    m->stream = stream;
    m->refs = 1;
    if (m->from->first_ns == SIM_NEVER)
        m->from->first_ns = created_ns;
    queue_message(w, m);
    return m;
}

static void create_next(struct sim_workload *w)
{
    const struct sim_scenario_workload *c = w->config;
    uint16_t stream = (uint16_t)(c->stream + w->next_stream);
    w->next_stream = (w->next_stream + 1) % (uint32_t)c->streams;
    w->created++;
    create(w, false, w->run->clock.now_ns, stream);
}

static bool is_stopped(const struct sim_workload *w)
{
    return w->config->stop_ns != 0 && w->run->clock.now_ns >= w->config->stop_ns;
}

static bool may_create(const struct sim_workload *w)
{
    const struct sim_scenario_workload *c = w->config;
    return w->active && !is_stopped(w) && (c->messages == 0 || w->created < c->messages);
}

/* Bulk and, while it is on, on/off without an interval: always something to send. */
static bool is_greedy(const struct sim_workload *w)
{
    return w->config->kind == SIM_BULK ||
           (w->config->kind == SIM_ONOFF && w->config->interval_ns == 0);
}

/* Gives the first message of a workload to the stack. False: there is no room. */
static bool send_first(struct sim_end *end, struct sim_workload *w, uint32_t queue)
{
    struct sim_message *m = w->first[queue];
    struct sim_stack *stack = end->node->stack;
    m->refs = 2;
    w->held_bytes += m->size_bytes;
    switch (stack->ops->send(stack, end, m)) {
    case SIM_SEND_TAKEN:
        w->first[queue] = m->next;
        sim_stack_wake(stack);
        return true;
    case SIM_SEND_LATER:
        end->writable = false;
        break;
    default:
        end->over = true;
    }
    m->refs = 1;
    w->held_bytes -= m->size_bytes;
    return false;
}

/* Requests wait in the first queue of their workload, responses in the second. */
static uint32_t queue_of(const struct sim_end *end, const struct sim_workload *w)
{
    return end == w->end ? 0 : 1;
}

/* The workload with the oldest message that waits. */
static struct sim_workload *oldest(const struct sim_end *end)
{
    struct sim_workload *best = NULL;
    uint64_t best_ns = 0;
    for (uint32_t i = 0; i < end->workload_count; i++) {
        struct sim_workload *w = end->workloads[i];
        const struct sim_message *m = w->first[queue_of(end, w)];
        if (m == NULL || (best != NULL && m->created_ns >= best_ns))
            continue;
        best = w;
        best_ns = m->created_ns;
    }
    return best;
}

/* A message of one that always has something: of the one that has the least in the send buffer, so
 * that each keeps something there for the scheduler to choose from; in turn where that is equal. */
static struct sim_workload *next_greedy(struct sim_end *end)
{
    struct sim_workload *best = NULL;
    uint32_t next = end->next_workload;
    for (uint32_t i = 0; i < end->workload_count; i++) {
        uint32_t at = (end->next_workload + i) % end->workload_count;
        struct sim_workload *w = end->workloads[at];
        if (queue_of(end, w) != 0 || !is_greedy(w) || !may_create(w) ||
            (best != NULL && w->held_bytes >= best->held_bytes))
            continue;
        best = w;
        next = (at + 1) % end->workload_count;
    }
    end->next_workload = next;
    if (best != NULL)
        create_next(best);
    return best;
}

/* Messages go in the order in which they were made; what is always there comes behind them. */
static void pump(struct sim_end *end)
{
    if (end->pumping)
        return;
    end->pumping = true;
    while (end->up && !end->over && end->writable) {
        struct sim_workload *w = oldest(end);
        if (w == NULL)
            w = next_greedy(end);
        if (w == NULL || !send_first(end, w, queue_of(end, w)))
            break;
    }
    end->pumping = false;
}

void sim_app_writable(struct sim_end *end)
{
    end->writable = true;
    pump(end);
}

void sim_app_up(struct sim_end *end)
{
    end->up = true;
    end->up_ns = end->run->clock.now_ns;
    sim_app_writable(end);
}

void sim_app_down(struct sim_end *end)
{
    end->over = true;
}

/* ---- Time ---- */

static uint64_t drawn_ns(struct sim_workload *w, uint64_t mean_ns)
{
    return w->config->random ? sim_rng_exponential(&w->rng, mean_ns) : mean_ns;
}

static void wake_at(struct sim_workload *w, uint64_t at_ns)
{
    sim_clock_set(&w->run->clock, &w->source, at_ns);
}

/* The next request comes after a while. */
static void think(struct sim_workload *w)
{
    uint64_t at_ns = w->run->clock.now_ns + drawn_ns(w, w->config->interval_ns);
    if (w->due_count == w->due_capacity) {
        w->due_capacity = w->due_capacity != 0 ? 2 * w->due_capacity : 8;
        w->due_ns = sim_grow(w->due_ns, w->due_capacity, sizeof(*w->due_ns));
    }
    w->due_ns[w->due_count++] = at_ns;
    if (at_ns < w->source.at_ns)
        wake_at(w, at_ns);
}

/* ---- Receiving ---- */

static bool in_measurement(const struct sim_run *run)
{
    return run->clock.now_ns >= run->scenario->warmup_ns;
}

static void delivered(struct sim_end *end, struct sim_message *m)
{
    struct sim_run *run = end->run;
    struct sim_stream *stream = &m->from->streams[m->stream];
    if (in_measurement(run)) {
        stream->messages++;
        sim_histogram_add(&stream->latency_us, (run->clock.now_ns - m->created_ns) / 1000);
    }
    struct sim_workload *w = m->workload;
    w->delivered[m->response ? 1 : 0]++;
    if (w->config->kind == SIM_REQUEST && !m->response) {
        create(w, true, m->created_ns, m->stream);
        pump(end);
    } else if (m->response && w->config->interval_ns == 0 && may_create(w)) {
        create_next(w);
        pump(w->end);
    } else if (m->response && may_create(w)) {
        think(w);
    }
    unref(run, m);
}

static bool begin_message(struct sim_end *end, uint16_t stream, const uint8_t *data, size_t len)
{
    struct sim_run *run = end->run;
    uint32_t id = NO_MESSAGE;
    if (len >= sizeof id)
        memcpy(&id, data, sizeof id);
    bool good = id < run->message_capacity && run->messages[id]->refs != 0 &&
                run->messages[id]->from == end->peer && run->messages[id]->stream == stream;
    if (!good)
        sim_run_fail(run, "association %s delivered a message that nobody sent",
                     end->association->name);
    end->reading = id;
    end->reading_bytes = 0;
    return good;
}

void sim_app_received(struct sim_end *end, uint16_t stream, const uint8_t *data, size_t len,
                      bool ends)
{
    struct sim_run *run = end->run;
    if (run->error.text[0] != '\0' ||
        (end->reading == NO_MESSAGE && !begin_message(end, stream, data, len)))
        return;
    struct sim_message *m = run->messages[end->reading];
    end->reading_bytes += (uint32_t)len;
    end->peer->last_ns = run->clock.now_ns;
    if (in_measurement(run))
        m->from->streams[m->stream].bytes += len;
    if (!ends)
        return;
    end->reading = NO_MESSAGE;
    if (end->reading_bytes != m->size_bytes)
        sim_run_fail(run, "association %s delivered %u bytes of a message of %u",
                     end->association->name, end->reading_bytes, m->size_bytes);
    delivered(end, m);
}

/* ---- Turns of workloads ---- */

/* On/off: the phase that begins now. */
static void change_phase(struct sim_workload *w, uint64_t now_ns)
{
    w->active = !w->active;
    w->until_ns = now_ns + drawn_ns(w, w->active ? w->config->on_ns : w->config->off_ns);
}

static void turn_onoff(struct sim_workload *w, uint64_t now_ns)
{
    if (w->until_ns <= now_ns)
        change_phase(w, now_ns);
    if (!w->active || is_greedy(w)) {
        sim_clock_set(&w->run->clock, &w->source, w->until_ns);
        return;
    }
    if (may_create(w))
        create_next(w);
    uint64_t next_ns = now_ns + drawn_ns(w, w->config->interval_ns);
    sim_clock_set(&w->run->clock, &w->source, next_ns < w->until_ns ? next_ns : w->until_ns);
}

/* Takes out the times that have come; how many they were. Wakes the workload at the next one. */
static uint64_t take_due(struct sim_workload *w, uint64_t now_ns)
{
    uint32_t kept = 0, count = w->due_count;
    uint64_t next_ns = SIM_NEVER;
    for (uint32_t i = 0; i < count; i++) {
        if (w->due_ns[i] <= now_ns)
            continue;
        w->due_ns[kept++] = w->due_ns[i];
        next_ns = w->due_ns[i] < next_ns ? w->due_ns[i] : next_ns;
    }
    w->due_count = kept;
    wake_at(w, next_ns);
    return count - kept;
}

static void turn_request(struct sim_workload *w, uint64_t now_ns)
{
    uint64_t count = w->begun ? take_due(w, now_ns) : w->config->outstanding;
    w->begun = true;
    for (; count > 0 && may_create(w); count--)
        create_next(w);
}

static void workload_fire(void *ctx, uint64_t now_ns)
{
    struct sim_workload *w = ctx;
    sim_clock_set(&w->run->clock, &w->source, SIM_NEVER);
    if (is_stopped(w))
        return;
    switch (w->config->kind) {
    case SIM_ONOFF:
        turn_onoff(w, now_ns);
        break;
    case SIM_REQUEST:
        w->active = true;
        turn_request(w, now_ns);
        break;
    case SIM_PERIODIC:
        w->active = true;
        if (may_create(w))
            create_next(w);
        wake_at(w, now_ns + drawn_ns(w, w->config->interval_ns));
        break;
    default:
        w->active = true;
    }
    pump(w->end);
}

/* ---- The beginning and the end ---- */

static void add_to_end(struct sim_end *end, struct sim_workload *w)
{
    const struct sim_scenario_workload *c = w->config;
    end->workloads = sim_grow(end->workloads, end->workload_count + 1, sizeof(*end->workloads));
    end->workloads[end->workload_count++] = w;
    uint32_t streams = (uint32_t)(c->stream + c->streams), was = end->stream_count;
    if (streams > was) {
        end->streams = sim_grow(end->streams, streams, sizeof(*end->streams));
        memset(end->streams + was, 0, (streams - was) * sizeof(*end->streams));
        end->stream_count = streams;
    }
    for (uint32_t i = (uint32_t)c->stream; i < streams; i++)
        end->streams[i].used = true;
}

void sim_app_init(struct sim_run *run)
{
    const struct sim_scenario *s = run->scenario;
    run->workloads = sim_new(s->workload_count, sizeof(*run->workloads));
    for (uint32_t i = 0; i < SIM_SIDES * s->association_count; i++) {
        run->ends[i].reading = NO_MESSAGE;
        run->ends[i].first_ns = SIM_NEVER;
    }
    for (uint32_t i = 0; i < s->workload_count; i++) {
        struct sim_workload *w = &run->workloads[i];
        w->config = &s->workloads[i];
        w->run = run;
        w->end = &run->ends[SIM_SIDES * w->config->association + w->config->way];
        w->rng = sim_rng_seeded(~run->seed * UINT64_C(1000003) + i);
        add_to_end(w->end, w);
        if (w->config->kind == SIM_REQUEST)
            add_to_end(w->end->peer, w);
        sim_clock_add(&run->clock, &w->source, SIM_WAYS * s->link_count + i, workload_fire, w);
        sim_clock_set(&run->clock, &w->source, w->config->start_ns);
    }
}

void sim_app_fini(struct sim_run *run)
{
    for (uint32_t i = 0; i < SIM_SIDES * run->scenario->association_count; i++) {
        struct sim_end *end = &run->ends[i];
        for (uint32_t k = 0; k < end->stream_count; k++)
            sim_histogram_fini(&end->streams[k].latency_us);
        free(end->streams);
        free(end->workloads);
    }
    for (uint32_t i = 0; run->workloads != NULL && i < run->scenario->workload_count; i++)
        free(run->workloads[i].due_ns);
    for (uint32_t id = 0; id < run->message_capacity; id++)
        free(run->messages[id]);
    free(run->messages);
    free(run->free_ids);
    free(run->workloads);
}
