#include "stack/timewait.h"

#include "stack/cookie.h"

#define FIRST_SIZE 16u

/* Tags leave in the order they came, since all wait equally long: they stand in a ring. Those of
 * one hash bucket are chained, the latest first, by their places in the ring. */
struct hws_waiting {
    uint64_t until_us;
    uint32_t vtag;
    uint16_t local_port, remote_port;
    uint32_t next; /* place + 1 of the next one in the bucket, 0: none */
};

static size_t ring_bytes(uint32_t size)
{
    return size * sizeof(struct hws_waiting);
}

/* Two buckets for each place: most lookups are for new tags, and end in an empty bucket. */
static uint32_t bucket_count(uint32_t size)
{
    return 2 * size;
}

static size_t buckets_bytes(uint32_t size)
{
    return bucket_count(size) * sizeof(uint32_t);
}

/* The tags are our own draws, so nobody can choose buckets; but their lowest bits may name a shard.
 */
static uint32_t *bucket_of(const struct hws_timewait *w, uint32_t vtag)
{
    return &w->buckets[(vtag * 0x9e3779b1u >> 8) & (bucket_count(w->size) - 1)];
}

static uint32_t place_of(const struct hws_timewait *w, uint32_t number)
{
    return (w->first + number) & (w->size - 1);
}

static void forget_oldest(struct hws_timewait *w)
{
    uint32_t *link = bucket_of(w, w->ring[w->first].vtag);
    while (*link != w->first + 1)
        link = &w->ring[*link - 1].next;
    *link = 0; /* it is the last one in its bucket */
    w->first = place_of(w, 1);
    w->count--;
}

static void add(struct hws_timewait *w, const struct hws_waiting *waiting)
{
    uint32_t place = place_of(w, w->count++);
    uint32_t *bucket = bucket_of(w, waiting->vtag);
    w->ring[place] = *waiting;
    w->ring[place].next = *bucket;
    *bucket = place + 1;
}

static void free_arrays(struct hws_pool *pool, struct hws_timewait *w)
{
    hws_pool_free(pool, w->ring, ring_bytes(w->size));
    hws_pool_free(pool, w->buckets, buckets_bytes(w->size));
    *w = (struct hws_timewait){0};
}

static bool grow(struct hws_pool *pool, struct hws_timewait *w)
{
    struct hws_timewait old = *w, grown = {.size = old.size > 0 ? 2 * old.size : FIRST_SIZE};
    grown.ring = hws_pool_alloc(pool, ring_bytes(grown.size));
    grown.buckets = hws_pool_zalloc(pool, buckets_bytes(grown.size));
    if (grown.ring == NULL || grown.buckets == NULL) {
        free_arrays(pool, &grown);
        return false;
    }
    for (uint32_t i = 0; i < old.count; i++)
        add(&grown, &old.ring[place_of(&old, i)]);
    free_arrays(pool, &old);
    *w = grown;
    return true;
}

static void expire(struct hws_engine *e)
{
    struct hws_timewait *w = &e->time_wait;
    while (w->count > 0 && w->ring[w->first].until_us <= e->now_us)
        forget_oldest(w);
    if (w->count == 0 && w->size > FIRST_SIZE)
        free_arrays(&e->pool, w);
}

void hws_timewait_add(const struct hws_assoc *a)
{
    struct hws_engine *e = a->engine;
    struct hws_timewait *w = &e->time_wait;
    expire(e);
    if (w->count == w->size && (w->size == HWS_LIMIT_TIME_WAIT || !grow(&e->pool, w))) {
        if (w->count == 0)
            return;
        forget_oldest(w);
    }
    const struct hws_waiting waiting = {
        .until_us = e->now_us + HWS_COOKIE_KEY_LIFE_US, /* no cookie lives longer */
        .vtag = a->local_vtag,
        .local_port = a->local_port,
        .remote_port = a->remote_port,
    };
    add(w, &waiting);
}

static const struct hws_waiting *find(struct hws_engine *e, uint32_t vtag)
{
    const struct hws_timewait *w = &e->time_wait;
    expire(e);
    if (w->count == 0)
        return NULL;
    uint32_t at = *bucket_of(w, vtag);
    while (at != 0 && w->ring[at - 1].vtag != vtag)
        at = w->ring[at - 1].next;
    return at != 0 ? &w->ring[at - 1] : NULL;
}

bool hws_timewait_has_tag(struct hws_engine *e, uint32_t vtag)
{
    return find(e, vtag) != NULL;
}

bool hws_timewait_has(struct hws_engine *e, uint32_t vtag, uint16_t local_port,
                      uint16_t remote_port)
{
    const struct hws_waiting *w = find(e, vtag);
    return w != NULL && w->local_port == local_port && w->remote_port == remote_port;
}

void hws_timewait_free_all(struct hws_engine *e)
{
    free_arrays(&e->pool, &e->time_wait);
}
