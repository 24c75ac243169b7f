#include "stack/timewait.h"

#include "stack/cookie.h"

struct waiting {
    struct hws_hashtab_node by_tag;
    struct hws_list link; /* oldest first */
    uint64_t until_us;
    uint32_t vtag;
    uint16_t local_port, remote_port;
};

static struct waiting *oldest(const struct hws_engine *e)
{
    return hws_list_empty(&e->time_wait) ? NULL
                                         : HWS_CONTAINER(e->time_wait.next, struct waiting, link);
}

static void forget(struct hws_engine *e, struct waiting *w)
{
    hws_list_remove(&w->link);
    hws_hashtab_remove(&e->time_wait_by_tag, &w->by_tag);
    hws_pool_free(&e->pool, w, sizeof *w);
}

static void expire(struct hws_engine *e)
{
    for (struct waiting *w = oldest(e); w != NULL && w->until_us <= e->now_us; w = oldest(e))
        forget(e, w);
}

void hws_timewait_add(const struct hws_assoc *a)
{
    struct hws_engine *e = a->engine;
    expire(e);
    if (e->time_wait_by_tag.count >= HWS_LIMIT_TIME_WAIT)
        forget(e, oldest(e));
    struct waiting *w = hws_pool_alloc(&e->pool, sizeof *w);
    if (w == NULL)
        return;
    *w = (struct waiting){
        .until_us = e->now_us + HWS_COOKIE_KEY_LIFE_US, /* no cookie lives longer */
        .vtag = a->local_vtag,
        .local_port = a->local_port,
        .remote_port = a->remote_port,
    };
    hws_list_init(&w->link);
    if (!hws_hashtab_add(&e->time_wait_by_tag, &w->by_tag, w->vtag)) {
        hws_pool_free(&e->pool, w, sizeof *w);
        return;
    }
    hws_list_push(&e->time_wait, &w->link);
}

static const struct waiting *find(struct hws_engine *e, uint32_t vtag)
{
    expire(e);
    struct hws_hashtab_node *n = hws_hashtab_first(&e->time_wait_by_tag, vtag);
    return n != NULL ? HWS_CONTAINER(n, struct waiting, by_tag) : NULL;
}

bool hws_timewait_has_tag(struct hws_engine *e, uint32_t vtag)
{
    return find(e, vtag) != NULL;
}

bool hws_timewait_has(struct hws_engine *e, uint32_t vtag, uint16_t local_port,
                      uint16_t remote_port)
{
    const struct waiting *w = find(e, vtag);
    return w != NULL && w->local_port == local_port && w->remote_port == remote_port;
}

void hws_timewait_free_all(struct hws_engine *e)
{
    while (oldest(e) != NULL)
        forget(e, oldest(e));
    hws_hashtab_fini(&e->time_wait_by_tag);
}
