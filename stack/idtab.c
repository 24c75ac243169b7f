#include "stack/idtab.h"

#include <string.h>

#define HWS_IDTAB_FIRST_CAPACITY 16u

void hws_idtab_init(struct hws_idtab *tab, struct hws_pool *pool)
{
    memset(tab, 0, sizeof *tab);
    tab->pool = pool;
}

void hws_idtab_fini(struct hws_idtab *tab)
{
    hws_pool_free(tab->pool, tab->slots, tab->capacity * sizeof *tab->slots);
    tab->slots = NULL;
    tab->capacity = 0;
}

static bool grow(struct hws_idtab *tab)
{
    uint32_t capacity = tab->capacity > 0 ? tab->capacity * 2 : HWS_IDTAB_FIRST_CAPACITY;
    struct hws_idtab_slot *slots = hws_pool_zalloc(tab->pool, capacity * sizeof *slots);
    if (slots == NULL)
        return false;
    if (tab->slots != NULL)
        memcpy(slots, tab->slots, tab->capacity * sizeof *slots);
    for (uint32_t i = capacity; i > tab->capacity; i--) {
        slots[i - 1].next_free = tab->free_head;
        tab->free_head = i;
    }
    hws_pool_free(tab->pool, tab->slots, tab->capacity * sizeof *slots);
    tab->slots = slots;
    tab->capacity = capacity;
    return true;
}

uint64_t hws_idtab_add(struct hws_idtab *tab, void *object)
{
    if (tab->free_head == 0 && !grow(tab))
        return 0;
    uint32_t number = tab->free_head;
    struct hws_idtab_slot *slot = &tab->slots[number - 1];
    tab->free_head = slot->next_free;
    slot->object = object;
    tab->used++;
    return (uint64_t)slot->generation << 32 | number;
}

void *hws_idtab_get(const struct hws_idtab *tab, uint64_t id)
{
    uint32_t number = (uint32_t)id;
    if (number == 0 || number > tab->capacity)
        return NULL;
    const struct hws_idtab_slot *slot = &tab->slots[number - 1];
    return slot->generation == (uint32_t)(id >> 32) ? slot->object : NULL;
}

void hws_idtab_remove(struct hws_idtab *tab, uint64_t id)
{
    uint32_t number = (uint32_t)id;
    struct hws_idtab_slot *slot = &tab->slots[number - 1];
    slot->object = NULL;
    slot->generation++;
    slot->next_free = tab->free_head;
    tab->free_head = number;
    tab->used--;
}
