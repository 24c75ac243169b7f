/* An intrusive chained hash table that grows. The caller computes hashes and compares keys; the
 * order of a chain depends on insertions only, never on addresses of memory. */
#ifndef HWS_STACK_HASHTAB_H
#define HWS_STACK_HASHTAB_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/pool.h"

struct hws_hashtab_node {
    struct hws_hashtab_node *next;
    uint64_t hash;
};

struct hws_hashtab {
    struct hws_pool *pool;
    struct hws_hashtab_node **buckets; /* NULL until the first insert */
    uint32_t bucket_count;             /* a power of two, or 0 */
    uint32_t count;
};

void hws_hashtab_init(struct hws_hashtab *tab, struct hws_pool *pool);
/** Frees the buckets; the nodes are the caller's. */
void hws_hashtab_fini(struct hws_hashtab *tab);
/** Adds a node with this hash. False: no memory for the first buckets (failing to grow later is no
 * error, chains only get longer). */
bool hws_hashtab_add(struct hws_hashtab *tab, struct hws_hashtab_node *node, uint64_t hash);
/** Makes room for the first buckets, so that a later add cannot fail. False: no memory. */
bool hws_hashtab_reserve(struct hws_hashtab *tab);
/** Removes a node that is in the table. */
void hws_hashtab_remove(struct hws_hashtab *tab, struct hws_hashtab_node *node);
/** The first node with this hash, NULL when there is none; go on with hws_hashtab_next. */
struct hws_hashtab_node *hws_hashtab_first(const struct hws_hashtab *tab, uint64_t hash);
struct hws_hashtab_node *hws_hashtab_next(const struct hws_hashtab_node *node);
/** Empties the table and hands each node to `each`, which may free it. */
void hws_hashtab_drain(struct hws_hashtab *tab,
                       void (*each)(void *ctx, struct hws_hashtab_node *node), void *ctx);

#endif
