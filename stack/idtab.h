/* Ids with generations: an id names an object until it is removed, and never anything else after.
 */
#ifndef HWS_STACK_IDTAB_H
#define HWS_STACK_IDTAB_H

#include <stdint.h>

#include "stack/pool.h"

struct hws_idtab_slot {
    void *object; /* NULL: free */
    uint32_t generation;
    uint32_t next_free; /* index + 1, 0: none */
};

struct hws_idtab {
    struct hws_pool *pool;
    struct hws_idtab_slot *slots;
    uint32_t capacity, used;
    uint32_t free_head; /* index + 1 of a free slot, 0: none */
};

void hws_idtab_init(struct hws_idtab *tab, struct hws_pool *pool);
void hws_idtab_fini(struct hws_idtab *tab);
/** A new id for `object` (not NULL); 0 when there is no memory. */
uint64_t hws_idtab_add(struct hws_idtab *tab, void *object);
/** The object of that id, NULL when it names nothing (any more). */
void *hws_idtab_get(const struct hws_idtab *tab, uint64_t id);
/** Ends the id, which must name an object. */
void hws_idtab_remove(struct hws_idtab *tab, uint64_t id);
/** For walking: the object in slot `index` (0 .. capacity-1), or NULL. */
static inline void *hws_idtab_at(const struct hws_idtab *tab, uint32_t index)
{
    return tab->slots[index].object;
}

#endif
