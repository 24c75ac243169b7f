/* The contract's functions that concern the engine as a whole. */
#include "stack/engine.h"

#include <string.h>

#include "proto/cause.h"
#include "proto/serial.h"
#include "stack/assoc.h"
#include "stack/cookie.h"
#include "stack/endpoint.h"
#include "stack/fault.h"
#include "stack/input.h"
#include "stack/observe.h"
#include "stack/output.h"
#include "stack/pmtud.h"
#include "stack/read.h"
#include "stack/receive.h"
#include "stack/reply.h"
#include "stack/timer.h"
#include "stack/timewait.h"

/* ---- Life ---- */

static void init_lists(struct hws_engine *e)
{
    hws_list_init(&e->touched);
    hws_list_init(&e->ready_control);
    hws_list_init(&e->ready_data);
    hws_list_init(&e->events);
    hws_list_init(&e->dead);
    hws_list_init(&e->views);
    hws_list_init(&e->replies);
}

struct hws_engine *hws_engine_new(const struct hws_engine_config *config)
{
    const struct hws_env *env = &config->env;
    char error[HWS_EXTENSION_ERROR_MAX];
    if (hws_extensions_check(config->extensions, config->extension_count, error) != HWS_OK)
        return NULL;
    struct hws_engine *e = env->alloc(env->ctx, sizeof *e);
    if (e == NULL)
        return NULL;
    memset(e, 0, sizeof *e);
    e->config = *config;
    e->config.extensions = NULL; /* the caller's array: the registry has its own */
    hws_registry_init(&e->registry, config->extensions, config->extension_count);
    hws_pool_init(&e->pool, &e->config.env, config->direct_alloc);
    env->random(env->ctx, &e->hash_key, sizeof e->hash_key);
    hws_cookie_init(e);
    hws_idtab_init(&e->assocs, &e->pool);
    hws_idtab_init(&e->endpoints, &e->pool);
    hws_hashtab_init(&e->by_vtag, &e->pool);
    hws_hashtab_init(&e->by_addr, &e->pool);
    hws_hashtab_init(&e->by_port, &e->pool);
    hws_heap_init(&e->timers, &e->pool);
    init_lists(e);
    return e;
}

/* Released associations are in no id table: those that still end by themselves are found by their
 * timers, since each stands in the heap. */
static void free_assocs(struct hws_engine *e)
{
    while (hws_heap_top(&e->timers) != NULL)
        hws_assoc_bury(HWS_CONTAINER(hws_heap_top(&e->timers), struct hws_assoc, timer_node));
    for (uint32_t i = 0; i < e->assocs.capacity; i++)
        if (hws_idtab_at(&e->assocs, i) != NULL)
            hws_assoc_bury(hws_idtab_at(&e->assocs, i));
    hws_assoc_reap(e);
}

void hws_engine_abort_all(struct hws_engine *e, uint64_t now_us)
{
    hws_engine_enter(e, now_us);
    while (hws_heap_top(&e->timers) != NULL)
        hws_fault_abort(HWS_CONTAINER(hws_heap_top(&e->timers), struct hws_assoc, timer_node),
                        HWS_E_ABORTED, HWS_CAUSE_USER_ABORT, NULL, 0);
    hws_assoc_reap(e);
}

bool hws_engine_lent_done(struct hws_engine *e, void **lent)
{
    struct hws_msg *msg = hws_msg_list_pop(&e->lent_done);
    if (msg == NULL)
        return false;
    *lent = hws_msg_give_back(&e->pool, msg);
    return true;
}

static void free_lent(struct hws_engine *e)
{
    void *lent;
    while (hws_engine_lent_done(e, &lent))
        continue;
}

static void free_endpoints(struct hws_engine *e)
{
    for (uint32_t i = 0; i < e->endpoints.capacity; i++)
        if (hws_idtab_at(&e->endpoints, i) != NULL)
            hws_endpoint_free(hws_idtab_at(&e->endpoints, i));
}

void hws_engine_free(struct hws_engine *e)
{
    if (e == NULL)
        return;
    free_assocs(e);
    free_lent(e);
    free_endpoints(e);
    hws_timewait_free_all(e);
    hws_reply_free_all(e);
    hws_read_free_views(e);
    hws_idtab_fini(&e->assocs);
    hws_idtab_fini(&e->endpoints);
    hws_hashtab_fini(&e->by_vtag);
    hws_hashtab_fini(&e->by_addr);
    hws_hashtab_fini(&e->by_port);
    hws_heap_fini(&e->timers);
    hws_pool_fini(&e->pool);
    struct hws_env env = e->config.env;
    env.free(env.ctx, e, sizeof *e);
}

void hws_engine_set_host_addresses(struct hws_engine *e, const struct hws_addr *addrs, size_t count)
{
    e->host_addr_count =
        count < HWS_LIMIT_HOST_ADDRESSES ? (uint32_t)count : HWS_LIMIT_HOST_ADDRESSES;
    for (uint32_t i = 0; i < e->host_addr_count; i++)
        e->host_addrs[i] = addrs[i];
}

void hws_engine_set_receive_budget(struct hws_engine *e, uint64_t bytes)
{
    e->budget.bytes = bytes;
}

/* ---- Input ---- */

static void settle_touched(struct hws_engine *e)
{
    while (!hws_list_empty(&e->touched)) {
        struct hws_assoc *a = HWS_CONTAINER(e->touched.next, struct hws_assoc, touched_link);
        hws_list_remove(&a->touched_link);
        hws_receive_settle(a);
    }
    hws_assoc_reap(e);
}

void hws_engine_input(struct hws_engine *e, const struct hws_packet_in *packets, size_t count,
                      uint64_t now_us)
{
    hws_engine_enter(e, now_us);
    for (size_t i = 0; i < count; i++)
        hws_input_packet(e, &packets[i]);
    settle_touched(e);
}

/* ---- What else the network says ---- */

/* The association that an ICMP message is about: the quoted packet must be one we may have sent
 * (RFC 9260, section 10, rules 5 and 6). */
static struct hws_path *quoted_path(struct hws_engine *e, const struct hws_net_event *ev)
{
    struct hws_header h;
    if (ev->quoted == NULL || ev->quoted_len < 8)
        return NULL;
    h.src_port = hws_get16(ev->quoted);
    h.dst_port = hws_get16(ev->quoted + 2);
    h.vtag = hws_get32(ev->quoted + 4);
    struct hws_path *p = hws_assoc_by_addr(e, &ev->remote, &ev->local, h.src_port, h.dst_port);
    if (p == NULL)
        return NULL;
    if (h.vtag != 0)
        return h.vtag == p->assoc->remote_vtag ? p : NULL;
    /* An INIT carries tag 0: its Initiate Tag has to be quoted as well; later it is old news. */
    bool init = p->assoc->state == HWS_STATE_COOKIE_WAIT && ev->quoted_len >= 20 &&
                ev->quoted[12] == HWS_CHUNK_INIT &&
                hws_get32(ev->quoted + 16) == p->assoc->local_vtag;
    return init ? p : NULL;
}

/* Packets leave from where the route leads, if the peer has been told of that address. */
static void set_source(struct hws_path *p, const struct hws_addr *local)
{
    if (local->family == p->remote.family && hws_locals_list(p->assoc->locals, local) &&
        !hws_addr_same(&p->local, local)) {
        p->local = *local;
        hws_path_new_route(p);
    }
}

static void set_mtu(struct hws_assoc *a, const struct hws_net_event *ev)
{
    struct hws_path *p = a != NULL && !a->over ? hws_assoc_path(a, &ev->remote) : NULL;
    if (p == NULL)
        return;
    hws_pmtud_told(p, ev->mtu);
    set_source(p, &ev->local);
}

static void mtu_known(struct hws_engine *e, const struct hws_net_event *ev)
{
    if (ev->assoc != 0) {
        set_mtu(hws_idtab_get(&e->assocs, ev->assoc), ev);
        return;
    }
    for (uint32_t i = 0; i < e->assocs.capacity; i++)
        set_mtu(hws_idtab_at(&e->assocs, i), ev);
}

/* A path that packets cannot leave on need not wait for T3, nor need packets that are too large for
 * this host; all else is sent again by it. */
static void send_failed(struct hws_engine *e, const struct hws_net_event *ev)
{
    if (ev->reason == HWS_SEND_BUSY)
        return;
    struct hws_path *p =
        hws_assoc_by_addr(e, &ev->remote, &ev->local, ev->local_port, ev->remote_port);
    if (p == NULL)
        return;
    if (ev->reason == HWS_SEND_TOO_BIG)
        hws_pmtud_refused(p, ev->packet_len);
    else
        hws_fault_unreachable(p);
}

void hws_engine_net_event(struct hws_engine *e, const struct hws_net_event *ev, uint64_t now_us)
{
    hws_engine_enter(e, now_us);
    struct hws_path *p;
    switch (ev->kind) {
    case HWS_NET_MTU:
        mtu_known(e, ev);
        break;
    case HWS_NET_SEND_FAILED:
        HWS_DROP(e, NULL, send_failed);
        send_failed(e, ev);
        break;
    case HWS_NET_UNREACHABLE:
        p = quoted_path(e, ev);
        if (p != NULL && ev->protocol_unreachable)
            hws_fault_protocol_unreachable(p);
        else if (p != NULL)
            hws_fault_unreachable(p);
        break;
    case HWS_NET_TOO_BIG:
        p = quoted_path(e, ev);
        if (p != NULL)
            hws_pmtud_too_big(p, ev);
        break;
    }
    hws_assoc_reap(e);
}

/* ---- Output ---- */

/* One train per visit, then to the tail: associations take turns. */
static bool output_from(struct hws_list *ready, struct hws_train *train)
{
    while (!hws_list_empty(ready)) {
        struct hws_assoc *a = HWS_CONTAINER(ready->next, struct hws_assoc, ready_link);
        hws_list_remove(&a->ready_link);
        if (hws_output_assoc(a, train)) {
            hws_assoc_ready(a);
            return true;
        }
    }
    return false;
}

bool hws_engine_output(struct hws_engine *e, struct hws_train *train, uint64_t now_us)
{
    hws_engine_enter(e, now_us);
    if (hws_reply_output(e, train)) {
        e->stats.packets_out++;
        e->stats.bytes_out += train->len;
        return true;
    }
    return output_from(&e->ready_control, train) || output_from(&e->ready_data, train);
}

/* ---- Time ---- */

void hws_engine_expire(struct hws_engine *e, uint64_t now_us)
{
    hws_engine_enter(e, now_us);
    for (;;) {
        struct hws_heap_node *top = hws_heap_top(&e->timers);
        if (top == NULL || top->deadline_us > now_us)
            break;
        hws_timer_run(HWS_CONTAINER(top, struct hws_assoc, timer_node));
    }
    settle_touched(e);
}

uint64_t hws_engine_deadline(const struct hws_engine *e)
{
    const struct hws_heap_node *top = hws_heap_top(&e->timers);
    return top != NULL ? top->deadline_us : HWS_NEVER;
}

const struct hws_stats *hws_engine_stats(const struct hws_engine *e)
{
    return &e->stats;
}

size_t hws_engine_assoc_count(const struct hws_engine *e)
{
    return e->assocs.used;
}
