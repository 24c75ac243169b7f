#include "tests/sim/watch.h"

#include <stdlib.h>
#include <string.h>

/* No window here is larger. */
#define FLIGHT_MAX_BYTES (1u << 30)
#define LOST_BYTES (HWS_LIMIT_TSN_WINDOW / 8)

/* ---- Associations ---- */

static struct sim_watched *find(struct sim_watch *w, const struct hws_observation *o)
{
    for (uint32_t i = w->assoc_count; i > 0; i--) {
        struct sim_watched *a = &w->assocs[i - 1];
        if (a->vtag == o->local_vtag || (o->assoc != 0 && a->id == o->assoc))
            return a;
    }
    return NULL;
}

/* An association is told of first by its first path. */
static struct sim_watched *begin(struct sim_watch *w, const struct hws_observation *o)
{
    bool first = o->kind == HWS_OBSERVED_PATH_STATE && o->u.path_state.is_new && o->path == 0;
    SIM_CHECK(w->world, first, "observation %d of an association that is not known", o->kind);
    SIM_CHECK(w->world, w->assoc_count < SIM_WATCHED_MAX, "too many associations to watch");
    if (w->world->failed)
        return NULL;
    struct sim_watched *a = &w->assocs[w->assoc_count++];
    *a = (struct sim_watched){.id = o->assoc, .vtag = o->local_vtag, .state = HWS_STATE_CLOSED};
    return a;
}

static void end(struct sim_watch *w, struct sim_watched *a)
{
    free(a->lost);
    *a = w->assocs[--w->assoc_count];
}

/* The peer restarted: there is another tag, and nothing of before is in flight (5.2.4 A). */
static void note_tag(struct sim_watched *a, const struct hws_observation *o)
{
    if (a->vtag != o->local_vtag && a->lost != NULL)
        memset(a->lost, 0, LOST_BYTES);
    a->vtag = o->local_vtag;
}

/* ---- What is told ---- */

static void assoc_state(struct sim_watch *w, struct sim_watched *a, const struct hws_observation *o)
{
    const struct hws_observed_assoc_state *s = &o->u.assoc_state;
    SIM_CHECK(w->world, s->before == a->state, "the state was %s, but %s was told last",
              hws_assoc_state_name(s->before), hws_assoc_state_name(a->state));
    SIM_CHECK(w->world, s->now == HWS_STATE_CLOSED || s->reason == 0, "a reason to end in state %s",
              hws_assoc_state_name(s->now));
    a->state = s->now;
    if (s->now == HWS_STATE_CLOSED)
        end(w, a);
}

static void path_state(struct sim_watch *w, struct sim_watched *a, const struct hws_observation *o)
{
    const struct hws_observed_path_state *s = &o->u.path_state;
    if (s->is_new) {
        SIM_CHECK(w->world, o->path == a->path_count && o->path < HWS_LIMIT_PATHS,
                  "new path %u after %u paths", o->path, a->path_count);
        a->path_count++;
    } else {
        SIM_CHECK(w->world, s->now != s->before && s->before == a->paths[o->path],
                  "path %u was %s, but %s was told last", o->path, hws_path_state_name(s->before),
                  hws_path_state_name(a->paths[o->path]));
    }
    a->paths[o->path] = s->now;
}

static void metrics(struct sim_watch *w, const struct hws_observation *o)
{
    const struct hws_observed_metrics *m = &o->u.metrics;
    SIM_CHECK(w->world, m->flight_bytes < FLIGHT_MAX_BYTES, "flight of %u bytes", m->flight_bytes);
    SIM_CHECK(w->world, m->cwnd_bytes > 0 && m->rto_us > 0, "cwnd %u, RTO %u", m->cwnd_bytes,
              m->rto_us);
    SIM_CHECK(w->world, m->mtu >= HWS_LIMIT_MTU_MIN, "an MTU of %u", m->mtu);
}

/* Lost a second time without having been sent again: it was acknowledged, and the peer reneged. */
static void lost(struct sim_watched *a, uint32_t tsn)
{
    uint32_t i = tsn % HWS_LIMIT_TSN_WINDOW;
    if (a->lost == NULL)
        a->lost = calloc(1, LOST_BYTES);
    if (a->lost == NULL)
        abort();
    a->lost[i / 8] |= (uint8_t)(1u << i % 8);
}

/* What is acknowledged late after all is not sent again, and its number not used for long. */
static void retransmitted(struct sim_watch *w, struct sim_watched *a, uint32_t tsn)
{
    uint32_t i = tsn % HWS_LIMIT_TSN_WINDOW;
    bool was_lost = a->lost != NULL && (a->lost[i / 8] & 1u << i % 8);
    SIM_CHECK(w->world, was_lost, "TSN %u sent again, but was not told to be lost", tsn);
    if (was_lost)
        a->lost[i / 8] &= (uint8_t) ~(1u << i % 8);
    w->retransmitted++;
}

static void dropped(struct sim_watch *w, const char *reason)
{
    bool known = false;
#define X(name, what)                                                                              \
    if (strcmp(reason, #name) == 0) {                                                              \
        w->dropped.name++;                                                                         \
        known = true;                                                                              \
    }
    HWS_STATS(X)
#undef X
    SIM_CHECK(w->world, known, "dropped for the reason \"%s\"", reason);
}

static void about_assoc(struct sim_watch *w, struct sim_watched *a, const struct hws_observation *o)
{
    note_tag(a, o);
    switch (o->kind) {
    case HWS_OBSERVED_ASSOC_STATE:
        assoc_state(w, a, o);
        break;
    case HWS_OBSERVED_PATH_STATE:
        path_state(w, a, o);
        break;
    case HWS_OBSERVED_METRICS:
        metrics(w, o);
        break;
    case HWS_OBSERVED_LOST:
        lost(a, o->u.chunk.tsn);
        break;
    case HWS_OBSERVED_RETRANSMITTED:
        retransmitted(w, a, o->u.chunk.tsn);
        break;
    case HWS_OBSERVED_STREAM_QUEUE:
        SIM_CHECK(w->world, o->u.stream_queue.queued_bytes < FLIGHT_MAX_BYTES,
                  "a queue that is less than empty");
        break;
    case HWS_OBSERVED_DROPPED:
        break;
    }
}

static void tell(void *ctx, const struct hws_observation *o)
{
    struct sim_watch *w = ctx;
    SIM_CHECK(w->world, o->now_us >= w->now_us && o->now_us <= w->world->now_us,
              "an observation at %llu, after one at %llu, now is %llu",
              (unsigned long long)o->now_us, (unsigned long long)w->now_us,
              (unsigned long long)w->world->now_us);
    w->now_us = o->now_us;
    w->told++;
    if (w->next.tell != NULL)
        w->next.tell(w->next.ctx, o);
    if (o->kind == HWS_OBSERVED_DROPPED) {
        dropped(w, o->u.drop.reason);
        return;
    }
    /* Queues are emptied when their association is over already. */
    struct sim_watched *a = find(w, o);
    if (a == NULL && o->kind == HWS_OBSERVED_STREAM_QUEUE && o->u.stream_queue.queued_bytes == 0)
        return;
    if (a == NULL)
        a = begin(w, o);
    if (a != NULL)
        about_assoc(w, a, o);
}

/* ---- Engines ---- */

void sim_watch_init(struct sim_watch *w, struct sim_world *world)
{
    *w = (struct sim_watch){.world = world};
    w->assocs = calloc(SIM_WATCHED_MAX, sizeof *w->assocs);
    if (w->assocs == NULL)
        abort();
}

void sim_watch_engine(struct sim_watch *w, struct hws_engine *engine)
{
    w->dropped = (struct hws_stats){0};
    w->retransmitted = 0;
    hws_engine_set_observer(engine, &(struct hws_observer){.ctx = w, .tell = tell});
}

static void forget_assocs(struct sim_watch *w)
{
    while (w->assoc_count > 0)
        end(w, &w->assocs[0]);
}

void sim_watch_over(struct sim_watch *w, const struct hws_engine *engine)
{
    const struct hws_stats *s = hws_engine_stats(engine);
    SIM_CHECK(w->world, w->retransmitted == s->retransmits, "%llu of %llu retransmissions told",
              (unsigned long long)w->retransmitted, (unsigned long long)s->retransmits);
#define X(name, what)                                                                              \
    SIM_CHECK(w->world, strncmp(#name, "drop_", 5) != 0 || w->dropped.name == s->name,             \
              "%llu of %llu told: " what, (unsigned long long)w->dropped.name,                     \
              (unsigned long long)s->name);
    HWS_STATS(X)
#undef X
    forget_assocs(w);
}

void sim_watch_fini(struct sim_watch *w)
{
    forget_assocs(w);
    free(w->assocs);
}
