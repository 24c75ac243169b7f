#include "api/runtime/blocks.h"

#include <stdbool.h>
#include <stdlib.h>

#define FIRST_DOUBLING 11u /* 2^11: HWS_BLOCKS_MIN_BYTES */

struct class {
    unsigned index;
    size_t bytes;
};

static bool is_kept_size(size_t size)
{
    return size > HWS_BLOCKS_MIN_BYTES && size <= HWS_BLOCKS_MAX_BYTES;
}

/* The class whose blocks hold `size` bytes: 5, 6, 7 or 8 quarters of a power of two. */
static struct class class_of(size_t size)
{
    unsigned doubling = 31u - (unsigned)__builtin_clz((unsigned)size - 1);
    size_t quarter = (size_t)1 << (doubling - 2);
    size_t quarters = (size + quarter - 1) / quarter;
    return (struct class){.index = 4 * (doubling - FIRST_DOUBLING) + (unsigned)quarters - 5,
                          .bytes = quarters * quarter};
}

void *hws_blocks_alloc(struct hws_blocks *blocks, size_t size)
{
    if (!is_kept_size(size))
        return malloc(size);
    struct class class = class_of(size);
    void **block = blocks->free[class.index];
    if (block == NULL)
        return malloc(class.bytes);
    blocks->free[class.index] = *block;
    blocks->kept_bytes -= class.bytes;
    return block;
}

void hws_blocks_free(struct hws_blocks *blocks, void *ptr, size_t size)
{
    struct class class = is_kept_size(size) ? class_of(size) : (struct class){0};
    if (class.bytes == 0 || blocks->kept_bytes + class.bytes > HWS_BLOCKS_KEPT_BYTES) {
        free(ptr);
        return;
    }
    void **block = ptr;
    *block = blocks->free[class.index];
    blocks->free[class.index] = block;
    blocks->kept_bytes += class.bytes;
}

void hws_blocks_fini(struct hws_blocks *blocks)
{
    for (unsigned i = 0; i < HWS_BLOCKS_CLASSES; i++) {
        void *block;
        while ((block = blocks->free[i]) != NULL) {
            blocks->free[i] = *(void **)block;
            free(block);
        }
    }
    blocks->kept_bytes = 0;
}
