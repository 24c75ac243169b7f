#include "api/link/rxpool.h"

#include <stdbool.h>
#include <stdlib.h>

struct slot {
    struct hws_buf buf; /* first: a buffer's address is its slot's */
    struct slot *next;
    enum hws_rxclass size;
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
    uint64_t in_use;
    bool closed;
};

struct hws_rxpool *hws_rxpool_new(void)
{
    return calloc(1, sizeof(struct hws_rxpool));
}

static void free_slots(struct hws_rxpool *pool)
{
    for (unsigned i = 0; i < HWS_RX_CLASSES; i++) {
        while (pool->free[i] != NULL) {
            struct slot *slot = pool->free[i];
            pool->free[i] = slot->next;
            free(slot);
        }
        pool->kept[i] = 0;
    }
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

static void release(struct hws_buf *buf)
{
    struct slot *slot = (struct slot *)buf;
    struct hws_rxpool *pool = buf->owner;
    pool->in_use--;
    if (pool->closed || pool->kept[slot->size] == keep_max[slot->size]) {
        free(slot);
    } else {
        slot->next = pool->free[slot->size];
        pool->free[slot->size] = slot;
        pool->kept[slot->size]++;
    }
    if (pool->closed && pool->in_use == 0)
        free(pool);
}

static struct slot *take_free(struct hws_rxpool *pool, enum hws_rxclass size)
{
    struct slot *slot = pool->free[size];
    if (slot == NULL)
        return malloc(slot_bytes[size]);
    pool->free[size] = slot->next;
    pool->kept[size]--;
    return slot;
}

struct hws_buf *hws_rxpool_get(struct hws_rxpool *pool, enum hws_rxclass size)
{
    struct slot *slot = take_free(pool, size);
    if (slot == NULL)
        return NULL;
    slot->size = size;
    slot->buf = (struct hws_buf){
        .refs = 1, .size = slot_bytes[size], .release = release, .owner = pool, .data = slot->data};
    pool->in_use++;
    return &slot->buf;
}
