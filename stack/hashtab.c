#include "stack/hashtab.h"

#define FIRST_BUCKETS 8u

void hws_hashtab_init(struct hws_hashtab *tab, struct hws_pool *pool)
{
    *tab = (struct hws_hashtab){.pool = pool};
}

static size_t buckets_bytes(uint32_t bucket_count)
{
    return bucket_count * sizeof(struct hws_hashtab_node *);
}

void hws_hashtab_fini(struct hws_hashtab *tab)
{
    hws_pool_free(tab->pool, tab->buckets, buckets_bytes(tab->bucket_count));
    hws_hashtab_init(tab, tab->pool);
}

static struct hws_hashtab_node **bucket_of(const struct hws_hashtab *tab, uint64_t hash)
{
    return &tab->buckets[hash & (tab->bucket_count - 1)];
}

static void link_node(struct hws_hashtab *tab, struct hws_hashtab_node *node)
{
    struct hws_hashtab_node **bucket = bucket_of(tab, node->hash);
    node->next = *bucket;
    *bucket = node;
}

static void link_chain(struct hws_hashtab *tab, struct hws_hashtab_node *chain)
{
    while (chain != NULL) {
        struct hws_hashtab_node *next = chain->next;
        link_node(tab, chain);
        chain = next;
    }
}

static bool resize(struct hws_hashtab *tab, uint32_t bucket_count)
{
    struct hws_hashtab_node **buckets = hws_pool_zalloc(tab->pool, buckets_bytes(bucket_count));
    if (buckets == NULL)
        return false;
    struct hws_hashtab old = *tab;
    tab->buckets = buckets;
    tab->bucket_count = bucket_count;
    for (uint32_t i = 0; i < old.bucket_count; i++)
        link_chain(tab, old.buckets[i]);
    hws_pool_free(tab->pool, old.buckets, buckets_bytes(old.bucket_count));
    return true;
}

bool hws_hashtab_reserve(struct hws_hashtab *tab)
{
    return tab->buckets != NULL || resize(tab, FIRST_BUCKETS);
}

bool hws_hashtab_add(struct hws_hashtab *tab, struct hws_hashtab_node *node, uint64_t hash)
{
    if (!hws_hashtab_reserve(tab))
        return false;
    if (tab->count >= tab->bucket_count && tab->bucket_count <= UINT32_MAX / 2)
        resize(tab, 2 * tab->bucket_count);
    node->hash = hash;
    link_node(tab, node);
    tab->count++;
    return true;
}

void hws_hashtab_remove(struct hws_hashtab *tab, struct hws_hashtab_node *node)
{
    struct hws_hashtab_node **link = bucket_of(tab, node->hash);
    while (*link != node)
        link = &(*link)->next;
    *link = node->next;
    tab->count--;
}

static struct hws_hashtab_node *skip_others(struct hws_hashtab_node *node, uint64_t hash)
{
    while (node != NULL && node->hash != hash)
        node = node->next;
    return node;
}

struct hws_hashtab_node *hws_hashtab_first(const struct hws_hashtab *tab, uint64_t hash)
{
    return tab->count == 0 ? NULL : skip_others(*bucket_of(tab, hash), hash);
}

struct hws_hashtab_node *hws_hashtab_next(const struct hws_hashtab_node *node)
{
    return skip_others(node->next, node->hash);
}

void hws_hashtab_drain(struct hws_hashtab *tab,
                       void (*each)(void *ctx, struct hws_hashtab_node *node), void *ctx)
{
    for (uint32_t i = 0; i < tab->bucket_count; i++) {
        while (tab->buckets[i] != NULL) {
            struct hws_hashtab_node *node = tab->buckets[i];
            tab->buckets[i] = node->next;
            each(ctx, node);
        }
    }
    tab->count = 0;
}
