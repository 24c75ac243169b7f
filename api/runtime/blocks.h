/* Large blocks of memory (messages, copied fragments) that are allocated and freed all the time.
 * The system's allocator gives what lies at its end back to the kernel and asks for it again a
 * moment later, and each page that comes back is cleared by the kernel: so some blocks are kept.
 * Who has one may be used by one thread at a time. */
#ifndef HWS_API_BLOCKS_H
#define HWS_API_BLOCKS_H

#include <stddef.h>

/* Sizes that are kept: beyond the first, up to the second. Smaller ones come in slabs
 * (stack/pool.c). */
#define HWS_BLOCKS_MIN_BYTES 2048u
#define HWS_BLOCKS_MAX_BYTES 131072u
/* Memory that is kept at most. */
#define HWS_BLOCKS_KEPT_BYTES (16u << 20)
/* Four sizes to each doubling, so that a block is never more than a quarter too large. */
#define HWS_BLOCKS_CLASSES 24u

struct hws_blocks {
    void *free[HWS_BLOCKS_CLASSES]; /* the first word of a free block names the next */
    size_t kept_bytes;
};

/** Memory aligned for any type, NULL: there is none. */
void *hws_blocks_alloc(struct hws_blocks *blocks, size_t size);

/** `size` as given to alloc. */
void hws_blocks_free(struct hws_blocks *blocks, void *ptr, size_t size);

/** Gives what is kept back to the system. */
void hws_blocks_fini(struct hws_blocks *blocks);

#endif
