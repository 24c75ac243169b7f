#include "stack/assoc.h"

#include <string.h>

#include "proto/cause.h"
#include "stack/autoclose.h"
#include "stack/endpoint.h"
#include "stack/extension.h"
#include "stack/failed.h"
#include "stack/fault.h"
#include "stack/heartbeat.h"
#include "stack/observe.h"
#include "stack/params.h"
#include "stack/pathsel.h"
#include "stack/read.h"
#include "stack/shutdown.h"
#include "stack/timer.h"
#include "stack/timewait.h"

/* ---- Tables ---- */

static uint64_t addr_hash(const struct hws_engine *e, const struct hws_addr *remote,
                          uint16_t local_port, uint16_t remote_port)
{
    uint8_t key[16 + 4 + 1 + 4];
    memcpy(key, remote->ip, 16);
    hws_put32(key + 16, remote->scope_id);
    key[20] = remote->family;
    hws_put16(key + 21, local_port);
    hws_put16(key + 23, remote_port);
    return hws_siphash(&e->hash_key, key, sizeof key);
}

struct hws_assoc *hws_assoc_by_vtag(const struct hws_engine *e, uint32_t vtag, uint16_t local_port,
                                    uint16_t remote_port)
{
    struct hws_hashtab_node *n = hws_hashtab_first(&e->by_vtag, vtag);
    for (; n != NULL; n = hws_hashtab_next(n)) {
        struct hws_assoc *a = HWS_CONTAINER(n, struct hws_assoc, by_vtag);
        if (a->local_vtag == vtag && a->local_port == local_port && a->remote_port == remote_port)
            return a;
    }
    return NULL;
}

struct hws_path *hws_assoc_by_addr(const struct hws_engine *e, const struct hws_addr *remote,
                                   const struct hws_addr *local, uint16_t local_port,
                                   uint16_t remote_port)
{
    uint64_t hash = addr_hash(e, remote, local_port, remote_port);
    struct hws_hashtab_node *n = hws_hashtab_first(&e->by_addr, hash);
    for (; n != NULL; n = hws_hashtab_next(n)) {
        struct hws_path *p = HWS_CONTAINER(n, struct hws_path, by_addr);
        const struct hws_assoc *a = p->assoc;
        if (a->local_port == local_port && a->remote_port == remote_port &&
            hws_addr_same(&p->remote, remote) && hws_locals_take(a->locals, local))
            return p;
    }
    return NULL;
}

struct hws_path *hws_assoc_path(const struct hws_assoc *a, const struct hws_addr *remote)
{
    for (unsigned i = 0; i < a->path_count; i++)
        if (a->paths[i]->owned && hws_addr_same(&a->paths[i]->remote, remote))
            return a->paths[i];
    return NULL;
}

uint32_t hws_assoc_draw_vtag(struct hws_engine *e)
{
    const struct hws_shard *shard = &e->config.shard;
    uint32_t tag = 0;
    for (unsigned i = 0; i < HWS_LIMIT_TAG_DRAWS; i++) {
        e->config.env.random(e->config.env.ctx, &tag, sizeof tag);
        tag = hws_shard_tag(shard, tag);
        if (tag != 0 && hws_hashtab_first(&e->by_vtag, tag) == NULL &&
            !hws_timewait_has_tag(e, tag))
            break;
    }
    return tag != 0 ? tag : hws_shard_tag(shard, shard->count > 1 ? shard->count : 1);
}

void hws_assoc_set_vtag(struct hws_assoc *a, uint32_t vtag)
{
    struct hws_hashtab *tab = &a->engine->by_vtag;
    hws_timewait_add(a);
    hws_hashtab_remove(tab, &a->by_vtag);
    a->local_vtag = vtag;
    (void)hws_hashtab_add(tab, &a->by_vtag, vtag); /* cannot fail: the table has its buckets */
}

/* ---- Paths of an association ---- */

/* The second path has them in an array of their own. */
static bool room_for_path(struct hws_assoc *a)
{
    if (a->path_count != 1 || a->paths != &a->one_path)
        return true;
    struct hws_path **paths = hws_pool_alloc(&a->engine->pool, HWS_LIMIT_PATHS * sizeof *paths);
    if (paths == NULL)
        return false;
    paths[0] = a->one_path;
    a->paths = paths;
    return true;
}

static void free_paths(struct hws_assoc *a)
{
    for (unsigned i = 0; i < a->path_count; i++)
        hws_path_free(a->paths[i]);
    if (a->paths != &a->one_path)
        hws_pool_free(&a->engine->pool, a->paths, HWS_LIMIT_PATHS * sizeof(struct hws_path *));
}

struct hws_path *hws_assoc_add_path(struct hws_assoc *a, const struct hws_addr *local,
                                    const struct hws_addr *remote)
{
    if (a->path_count == HWS_LIMIT_PATHS || hws_assoc_path(a, remote) != NULL)
        return NULL;
    struct hws_path *p = hws_path_new(a, local, remote);
    if (p == NULL)
        return NULL;
    uint64_t hash = addr_hash(a->engine, remote, a->local_port, a->remote_port);
    if (!room_for_path(a) || !hws_hashtab_add(&a->engine->by_addr, &p->by_addr, hash)) {
        hws_path_free(p);
        return NULL;
    }
    p->owned = true;
    p->index = a->path_count;
    a->paths[a->path_count++] = p;
    hws_path_tell(p, HWS_EVENT_BIT(PATH_NEW));
    hws_observe_new_path(p);
    return p;
}

static void leave_by_addr(struct hws_path *p)
{
    if (p->owned)
        hws_hashtab_remove(&p->assoc->engine->by_addr, &p->by_addr);
    p->owned = false;
}

/* The address of ours to reach `remote` from, one that the peer has been told: of those the
 * endpoint is bound to, or else the one the handshake came from. NULL: there is none of that
 * family, and the peer would not know packets from another (8.4). */
static const struct hws_addr *told_source(const struct hws_assoc *a, const struct hws_addr *remote)
{
    if (a->locals->count > 0)
        return hws_locals_source(a->locals, remote);
    const struct hws_path *first = a->paths[a->primary];
    return first->remote.family == remote->family ? &first->local : NULL;
}

void hws_assoc_add_listed(struct hws_assoc *a, const struct hws_addr *remote)
{
    const struct hws_addr *local = told_source(a, remote);
    if (local == NULL)
        return;
    if (hws_assoc_by_addr(a->engine, remote, local, a->local_port, a->remote_port) == NULL)
        (void)hws_assoc_add_path(a, local, remote);
}

bool hws_assoc_knows(const struct hws_assoc *a, const struct hws_addr *remote)
{
    if (a->path_count == HWS_LIMIT_PATHS || told_source(a, remote) == NULL)
        return true;
    for (unsigned i = 0; i < a->path_count; i++)
        if (hws_addr_same(&a->paths[i]->remote, remote))
            return true;
    return false;
}

void hws_assoc_disown(struct hws_path *p)
{
    enum hws_path_state before = hws_path_state(p);
    leave_by_addr(p);
    p->disowned = true;
    p->active = false;
    hws_observe_path(p, before);
    p->wants = 0;
    for (int t = 0; t < HWS_PATH_TIMER_COUNT; t++)
        p->deadline_us[t] = HWS_NEVER;
}

bool hws_path_fit(const struct hws_path *p)
{
    return p->owned && hws_path_state(p) == HWS_PATH_ACTIVE;
}

/* The default's first rule is looked at here, without the question: this is asked for every packet.
 */
struct hws_path *hws_assoc_data_path(const struct hws_assoc *a)
{
    struct hws_path *primary = a->paths[a->primary];
    return a->path_count == 1 || hws_path_fit(primary) ? primary : hws_pathsel_default_new(a);
}

struct hws_path *hws_assoc_next_path(const struct hws_assoc *a, uint8_t last)
{
    for (unsigned i = 1; i < a->path_count; i++) {
        struct hws_path *p = a->paths[(last + i) % a->path_count];
        if (p->confirmed && p->owned)
            return p;
    }
    return a->paths[last];
}

struct hws_path *hws_assoc_answer_path(struct hws_path *p)
{
    const struct hws_assoc *a = p->assoc;
    if (p->confirmed && p->owned)
        return p;
    return a->state == HWS_STATE_SHUTDOWN_SENT ? a->paths[a->shutdown_path]
                                               : hws_assoc_data_path(a);
}

bool hws_assoc_has_alternate(const struct hws_path *p)
{
    const struct hws_assoc *a = p->assoc;
    for (unsigned i = 0; i < a->path_count; i++)
        if (a->paths[i] != p && hws_path_fit(a->paths[i]))
            return true;
    return false;
}

struct hws_path *hws_assoc_retransmission_path(const struct hws_assoc *a, uint8_t last)
{
    return a->path_count == 1 ? a->paths[0] : hws_pathsel_default_again(a, last);
}

/* ---- Beginning ---- */

/* What the application names is tried from whatever address leads there. */
static void add_further(struct hws_assoc *a, const struct hws_addr *remote)
{
    if (a->passive)
        hws_assoc_add_listed(a, remote);
    else
        (void)hws_assoc_add_path(a, hws_locals_source(a->locals, remote), remote);
}

static bool enter_tables(struct hws_assoc *a, const struct hws_assoc_seed *seed)
{
    struct hws_engine *e = a->engine;
    if (a->locals == NULL || !hws_heap_push(&e->timers, &a->timer_node, HWS_NEVER))
        return false;
    if (!hws_hashtab_add(&e->by_vtag, &a->by_vtag, a->local_vtag))
        return false;
    a->in_tables = true;
    a->id = hws_idtab_add(&e->assocs, a);
    if (a->id == 0)
        return false;
    const struct hws_addr *first = seed->local;
    if (first == NULL)
        first = hws_locals_source(a->locals, &seed->remotes[0]);
    if (hws_assoc_add_path(a, first, &seed->remotes[0]) == NULL)
        return false;
    for (size_t i = 1; i < seed->remote_count; i++)
        add_further(a, &seed->remotes[i]);
    return true;
}

static void init_transfer(struct hws_assoc *a, uint32_t initial_tsn)
{
    struct hws_pool *pool = &a->engine->pool;
    a->local_initial_tsn = initial_tsn;
    if (hws_assoc_has_queues(a)) {
        hws_sendq_init(&a->queues->sendq, pool,
                       hws_registry_sched(&a->engine->registry, a->params->sched),
                       &a->engine->stats.sched_refused);
        hws_outq_init(&a->queues->outq, pool, initial_tsn);
        (void)hws_pathsel_start(a); /* cannot fail: it is there already, or not needed */
        hws_extensions_tune(a);
    }
    a->advertised_rwnd = hws_budget_first(a->engine, hws_assoc_rcvbuf(a));
    a->unsacked_packets = 0;
    a->sack_now = false;
    a->sacks_seen = false;
    a->in_recovery = false;
    a->fast_packet = false;
    a->burst_left = 0;
    a->last_data_path = 0;
    a->tie_local = 0;
    a->tie_remote = 0;
    a->errors = 0;
}

void hws_assoc_reset_transfer(struct hws_assoc *a, uint32_t initial_tsn)
{
    hws_observe_streams_gone(a);
    hws_failed_all(a, HWS_E_RESET);
    if (hws_assoc_has_queues(a)) {
        hws_outq_fini(&a->queues->outq);
        hws_sendq_fini(&a->queues->sendq);
    }
    hws_fault_forget_reports(a);
    init_transfer(a, initial_tsn);
}

static void init_assoc(struct hws_assoc *a, const struct hws_assoc_seed *seed)
{
    struct hws_endpoint *ep = seed->endpoint;
    a->engine = ep->engine;
    a->endpoint = ep;
    a->locals = hws_endpoint_share_locals(ep, &seed->remotes[0], seed->local);
    a->params = hws_params_ref(ep->params);
    a->passive = seed->passive;
    a->local_port = ep->port;
    a->remote_port = seed->remote_port;
    a->local_vtag = seed->local_vtag;
    a->ostreams = ep->params->ostreams;
    a->paths = &a->one_path;
    a->timer_node.index = HWS_HEAP_NONE;
    a->timer_node.deadline_us = HWS_NEVER;
    for (int t = 0; t < HWS_TIMER_COUNT; t++)
        a->deadline_us[t] = HWS_NEVER;
    hws_list_init(&a->touched_link);
    hws_list_init(&a->ready_link);
    hws_list_init(&a->event_link);
    hws_queues_init(a);
    hws_extensions_init(a);
    init_transfer(a, seed->local_initial_tsn);
}

struct hws_assoc *hws_assoc_new(const struct hws_assoc_seed *seed)
{
    struct hws_engine *e = seed->endpoint->engine;
    struct hws_assoc *a = hws_pool_zalloc(&e->pool, sizeof *a + hws_extensions_bytes(e));
    if (a == NULL)
        return NULL;
    init_assoc(a, seed);
    a->endpoint->assoc_count++;
    if (enter_tables(a, seed))
        return a;
    HWS_DROP(e, e->rx, drop_memory);
    hws_assoc_bury(a);
    return NULL;
}

void hws_assoc_set_peer(struct hws_assoc *a, uint32_t vtag, uint32_t initial_tsn, uint32_t rwnd,
                        uint16_t peer_ostreams, uint16_t peer_max_instreams)
{
    const struct hws_params *params = a->params;
    a->remote_vtag = vtag;
    a->peer_a_rwnd = rwnd;
    a->sack_now = true; /* the first DATA chunk is acknowledged at once (5.1) */
    a->ostreams = params->ostreams < peer_max_instreams ? params->ostreams : peer_max_instreams;
    hws_failed_streams(a);
    a->instreams = peer_ostreams < params->max_instreams ? peer_ostreams : params->max_instreams;
    a->peer_initial_tsn = initial_tsn;
    hws_read_abort_partial(a);
    if (hws_assoc_has_queues(a)) {
        hws_tsnmap_fini(&a->queues->tsnmap);
        hws_tsnmap_init(&a->queues->tsnmap, &a->engine->pool, initial_tsn);
        hws_reassembly_reset(&a->queues->reassembly, true);
        a->queues->reassembly.stream_count = a->instreams;
    }
}

void hws_assoc_set_adaptation(struct hws_assoc *a, bool present, uint32_t indication)
{
    a->has_adaptation = present;
    a->peer_adaptation = indication;
}

/* ---- The cold part ---- */

struct hws_assoc_cold *hws_assoc_need_cold(struct hws_assoc *a)
{
    if (a->cold == NULL)
        a->cold = hws_pool_zalloc(&a->engine->pool, sizeof *a->cold);
    return a->cold;
}

void hws_assoc_drop_cookie(struct hws_assoc *a)
{
    struct hws_assoc_cold *cold = a->cold;
    if (cold == NULL)
        return;
    hws_pool_free(&a->engine->pool, cold->cookie, cold->cookie_len + 1u);
    cold->cookie = NULL;
    cold->cookie_len = 0;
}

/* The handshake is over: most need it no more. */
static void free_idle_cold(struct hws_assoc *a)
{
    struct hws_assoc_cold *cold = a->cold;
    if (cold == NULL || cold->causes != NULL || cold->errors_out != NULL || cold->met_us != 0)
        return;
    hws_pool_free(&a->engine->pool, cold, sizeof *cold);
    a->cold = NULL;
}

static void free_cold(struct hws_assoc *a)
{
    struct hws_pool *pool = &a->engine->pool;
    struct hws_assoc_cold *cold = a->cold;
    if (cold == NULL)
        return;
    hws_pool_free(pool, cold->abort_reason, cold->abort_reason_len);
    hws_pool_free(pool, cold->abort_chunk, cold->abort_chunk_len);
    hws_pool_free(pool, cold->causes, cold->causes_len);
    hws_pool_free(pool, cold, sizeof *cold);
}

/* ---- States ---- */

void hws_assoc_enter(struct hws_assoc *a, enum hws_assoc_state state)
{
    enum hws_assoc_state before = a->state;
    a->state = state;
    if (before != state || state == HWS_STATE_ESTABLISHED) /* there already: it restarted */
        hws_observe_assoc(a, before);
}

/* ---- Up ---- */

void hws_assoc_establish(struct hws_assoc *a)
{
    hws_assoc_enter(a, HWS_STATE_ESTABLISHED);
    hws_timer_stop(a, HWS_TIMER_T1);
    if (a->has_adaptation)
        hws_assoc_tell(a, HWS_EVENT_BIT(ADAPTATION));
    hws_autoclose_start(a);
    a->init_tries = 0;
    hws_assoc_drop_cookie(a);
    free_idle_cold(a);
    if (!hws_extensions_begin(a)) { /* the peer has them on */
        hws_fault_abort(a, HWS_E_NOMEM, HWS_CAUSE_OUT_OF_RESOURCE, NULL, 0);
        return;
    }
    for (unsigned i = 0; i < a->path_count; i++)
        hws_heartbeat_start(a->paths[i]);
    hws_assoc_ready(a);
    if (a->shutdown_wanted)
        hws_shutdown_begin(a);
}

void hws_assoc_up(struct hws_assoc *a)
{
    if (a->passive)
        a->engine->stats.assocs_passive++;
    else
        a->engine->stats.assocs_active++;
    hws_assoc_tell(a, HWS_EVENT_BIT(UP));
    hws_assoc_establish(a);
}

/* ---- End ---- */

static void leave_tables(struct hws_assoc *a)
{
    struct hws_engine *e = a->engine;
    if (a->in_tables) {
        if (a->remote_vtag != 0) /* else no packet of the peer has ever carried our tag */
            hws_timewait_add(a);
        for (unsigned i = 0; i < a->path_count; i++)
            leave_by_addr(a->paths[i]);
        hws_hashtab_remove(&e->by_vtag, &a->by_vtag);
    }
    a->in_tables = false;
    hws_heap_remove(&e->timers, &a->timer_node);
    hws_list_remove(&a->ready_link);
    hws_list_remove(&a->touched_link);
}

static void forget_data(struct hws_assoc *a)
{
    if (hws_assoc_has_queues(a)) {
        hws_outq_fini(&a->queues->outq);
        hws_sendq_fini(&a->queues->sendq);
        hws_tsnmap_fini(&a->queues->tsnmap);
    }
    hws_assoc_drop_cookie(a);
    hws_fault_drop_reports(a);
}

void hws_assoc_down(struct hws_assoc *a, int reason, uint16_t cause)
{
    if (a->over)
        return;
    a->over = true;
    a->reason = (int16_t)reason;
    a->cause = cause;
    hws_assoc_enter(a, HWS_STATE_CLOSED);
    if (reason == HWS_E_EOF)
        a->engine->stats.assocs_shutdown++;
    else
        a->engine->stats.assocs_aborted++;
    hws_timer_stop_all(a);
    hws_extensions_end(a);
    hws_observe_streams_gone(a);
    if (a->released) {
        hws_assoc_bury(a);
        return;
    }
    leave_tables(a);
    hws_failed_all(a, reason);
    forget_data(a);
    hws_read_abort_partial(a);
    hws_assoc_tell(a, HWS_EVENT_BIT(DOWN));
}

void hws_assoc_bury(struct hws_assoc *a)
{
    struct hws_engine *e = a->engine;
    a->over = true;
    leave_tables(a);
    hws_list_remove(&a->event_link);
    if (a->id != 0)
        hws_idtab_remove(&e->assocs, a->id);
    a->id = 0;
    hws_list_push(&e->dead, &a->touched_link);
}

void hws_assoc_free(struct hws_assoc *a)
{
    struct hws_pool *pool = &a->engine->pool;
    struct hws_endpoint *ep = a->endpoint;
    hws_extensions_free(a);
    forget_data(a);
    hws_queues_free(a);
    free_cold(a);
    hws_locals_unref(pool, a->locals);
    free_paths(a);
    hws_params_unref(pool, a->params);
    hws_pool_free(pool, a, sizeof *a + hws_extensions_bytes(a->engine));
    ep->assoc_count--;
    hws_endpoint_reap(ep);
}

void hws_assoc_reap(struct hws_engine *e)
{
    while (!hws_list_empty(&e->dead)) {
        struct hws_assoc *a = HWS_CONTAINER(e->dead.next, struct hws_assoc, touched_link);
        hws_list_remove(&a->touched_link);
        hws_assoc_free(a);
    }
}

/* ---- Lists and wants ---- */

static void make_ready(struct hws_assoc *a, struct hws_list *list)
{
    if (!a->over && hws_list_empty(&a->ready_link))
        hws_list_push(list, &a->ready_link);
}

void hws_assoc_ready(struct hws_assoc *a)
{
    make_ready(a, &a->engine->ready_data);
}

void hws_assoc_touch(struct hws_assoc *a)
{
    if (!a->over && hws_list_empty(&a->touched_link))
        hws_list_push(&a->engine->touched, &a->touched_link);
}

/* Asked for per path; all other chunks are one per association. */
#define HWS_WANTS_PER_PATH                                                                         \
    (HWS_WANT_HEARTBEAT | HWS_WANT_HEARTBEAT_ACK | HWS_WANT_EXTENSION | HWS_WANT_PROBE)

void hws_want(struct hws_path *p, uint16_t want)
{
    struct hws_assoc *a = p->assoc;
    if (!(want & HWS_WANTS_PER_PATH))
        hws_unwant(a, want);
    p->wants |= want;
    /* Control goes first: handshake, SACK and HEARTBEAT never wait behind another's data. */
    hws_list_remove(&a->ready_link);
    make_ready(a, &a->engine->ready_control);
}

void hws_unwant(struct hws_assoc *a, uint16_t want)
{
    for (unsigned i = 0; i < a->path_count; i++)
        a->paths[i]->wants &= (uint16_t)~want;
}

void hws_assoc_tell(struct hws_assoc *a, uint32_t bit)
{
    if (a->released)
        return;
    a->events |= bit;
    if (hws_list_empty(&a->event_link))
        hws_list_push(&a->engine->events, &a->event_link);
}

/* Of what became of a path only the last is told. */
#define HWS_PATH_STATE_EVENTS                                                                      \
    (HWS_EVENT_BIT(PATH_UP) | HWS_EVENT_BIT(PATH_FAILING) | HWS_EVENT_BIT(PATH_DOWN))

void hws_path_tell(struct hws_path *p, uint32_t bit)
{
    if (bit & HWS_PATH_STATE_EVENTS)
        p->events &= (uint16_t)~HWS_PATH_STATE_EVENTS;
    p->events |= (uint16_t)bit;
    hws_assoc_tell(p->assoc, 0);
}

void hws_assoc_tell_writable(struct hws_assoc *a)
{
    if (!a->blocked || hws_tune_send_full(a))
        return;
    a->blocked = false;
    hws_assoc_tell(a, HWS_EVENT_BIT(WRITABLE));
}

bool hws_assoc_may_send(const struct hws_assoc *a)
{
    return a->state == HWS_STATE_ESTABLISHED || a->state == HWS_STATE_SHUTDOWN_PENDING ||
           a->state == HWS_STATE_SHUTDOWN_RECEIVED;
}
