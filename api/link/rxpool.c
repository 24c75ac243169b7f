#include "api/link/rxpool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Large slots lie in regions of a huge page: who receives into many of them in turn would spend a
 * tenth of its time on finding their pages. */
#define REGION_BYTES (2u << 20)

struct region {
    struct region *next;
    unsigned in_use; /* of its slots */
};

struct slot {
    struct hws_buf buf; /* first: a buffer's address is its slot's */
    struct slot *next;
    enum hws_rxclass size;
    struct region *region; /* of a large slot */
    uint8_t data[];
};

/* Whole slots of 2 KB and 10 KB; the largest holds any IP packet (65,535 bytes) beside its header.
 */
static const uint32_t slot_bytes[HWS_RX_CLASSES] = {2048, 10240, 65536 + 256};

/* Free slots kept for reuse, a few megabytes of each class; more are given back to the system. */
static const uint32_t keep_max[HWS_RX_CLASSES] = {2048, 512, 128};

struct hws_rxpool {
    struct slot *free[HWS_RX_CLASSES]; /* last in, first out: what was used last is in the cache */
    uint32_t kept[HWS_RX_CLASSES];
    struct region *regions;
    uint64_t in_use;
    bool closed;
};

struct hws_rxpool *hws_rxpool_new(void)
{
    return calloc(1, sizeof(struct hws_rxpool));
}

/* A free slot. */
static void keep(struct hws_rxpool *pool, struct slot *slot)
{
    slot->next = pool->free[slot->size];
    pool->free[slot->size] = slot;
    pool->kept[slot->size]++;
}

/* ---- Regions ---- */

#define REGION_SLOTS ((unsigned)((REGION_BYTES - sizeof(struct region)) / slot_bytes[HWS_RX_LARGE]))

/* Its slots are free ones then. */
static bool add_region(struct hws_rxpool *pool)
{
    struct region *region = aligned_alloc(REGION_BYTES, REGION_BYTES);
    if (region == NULL)
        return false;
    (void)madvise(region, REGION_BYTES, MADV_HUGEPAGE); /* small pages do, too */
    *region = (struct region){.next = pool->regions};
    pool->regions = region;
    uint8_t *at = (uint8_t *)(region + 1);
    for (unsigned i = 0; i < REGION_SLOTS; i++, at += slot_bytes[HWS_RX_LARGE]) {
        struct slot *slot = (struct slot *)(void *)at;
        slot->size = HWS_RX_LARGE;
        slot->region = region;
        keep(pool, slot);
    }
    return true;
}

/* None of its slots is in use, so all are free ones. */
static void free_region(struct hws_rxpool *pool, struct region *region)
{
    struct region **link = &pool->regions;
    for (struct slot **at = &pool->free[HWS_RX_LARGE]; *at != NULL;) {
        if ((*at)->region == region)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
    pool->kept[HWS_RX_LARGE] -= REGION_SLOTS;
    while (*link != region)
        link = &(*link)->next;
    *link = region->next;
    free(region);
}

static void free_idle_regions(struct hws_rxpool *pool)
{
    for (struct region *region = pool->regions, *next; region != NULL; region = next) {
        next = region->next;
        if (region->in_use == 0)
            free_region(pool, region);
    }
}

/* ---- Slots ---- */

static void free_slots(struct hws_rxpool *pool)
{
    for (unsigned i = 0; i < HWS_RX_LARGE; i++) {
        while (pool->free[i] != NULL) {
            struct slot *slot = pool->free[i];
            pool->free[i] = slot->next;
            free(slot);
        }
        pool->kept[i] = 0;
    }
    free_idle_regions(pool);
}

void hws_rxpool_close(struct hws_rxpool *pool)
{
    free_slots(pool);
    pool->closed = true;
    if (pool->in_use == 0)
        free(pool);
}

uint32_t hws_rxpool_capacity(enum hws_rxclass size)
{
    return slot_bytes[size] - (uint32_t)sizeof(struct slot);
}

enum hws_rxclass hws_rxpool_fit(uint32_t len)
{
    enum hws_rxclass size = HWS_RX_SMALL;
    while (size < HWS_RX_CLASSES && len > hws_rxpool_capacity(size))
        size++;
    return size;
}

static void release_large(struct hws_rxpool *pool, struct slot *slot)
{
    struct region *region = slot->region;
    keep(pool, slot);
    if (--region->in_use == 0 &&
        (pool->closed || pool->kept[HWS_RX_LARGE] > keep_max[HWS_RX_LARGE]))
        free_region(pool, region);
}

static void release(struct hws_buf *buf)
{
    struct slot *slot = (struct slot *)buf;
    struct hws_rxpool *pool = buf->owner;
    pool->in_use--;
    if (slot->size == HWS_RX_LARGE)
        release_large(pool, slot);
    else if (pool->closed || pool->kept[slot->size] == keep_max[slot->size])
        free(slot);
    else
        keep(pool, slot);
    if (pool->closed && pool->in_use == 0)
        free(pool);
}

static struct slot *take_free(struct hws_rxpool *pool, enum hws_rxclass size)
{
    struct slot *slot = pool->free[size];
    pool->free[size] = slot->next;
    pool->kept[size]--;
    if (size == HWS_RX_LARGE)
        slot->region->in_use++;
    return slot;
}

static struct slot *take(struct hws_rxpool *pool, enum hws_rxclass size)
{
    if (pool->free[size] == NULL && size != HWS_RX_LARGE)
        return malloc(slot_bytes[size]);
    if (pool->free[size] == NULL && !add_region(pool))
        return NULL;
    return take_free(pool, size);
}

struct hws_buf *hws_rxpool_get(struct hws_rxpool *pool, enum hws_rxclass size)
{
    struct slot *slot = take(pool, size);
    if (slot == NULL)
        return NULL;
    slot->size = size;
    slot->buf = (struct hws_buf){
        .refs = 1, .size = slot_bytes[size], .release = release, .owner = pool, .data = slot->data};
    pool->in_use++;
    return &slot->buf;
}
