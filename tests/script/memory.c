/* A script's memory: blocks in a list, freed together, since a script may end anywhere. */
#include <stdlib.h>
#include <string.h>

#include "tests/script/script.h"

struct script_block {
    struct script_block *next;
    max_align_t bytes[];
};

void *script_alloc(struct script *s, size_t size)
{
    struct script_block *block = calloc(1, sizeof *block + size);
    if (block == NULL)
        script_fail(s, "out of memory");
    block->next = s->blocks;
    s->blocks = block;
    return block->bytes;
}

char *script_copy_text(struct script *s, const char *text, size_t len)
{
    char *copy = script_alloc(s, len + 1);
    memcpy(copy, text, len);
    return copy;
}

void script_free_all(struct script *s)
{
    while (s->blocks != NULL) {
        struct script_block *block = s->blocks;
        s->blocks = block->next;
        free(block);
    }
}
