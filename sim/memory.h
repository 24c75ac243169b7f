/* Memory that is always there: a simulation without memory cannot say anything true. */
#ifndef HWS_SIM_MEMORY_H
#define HWS_SIM_MEMORY_H

#include <stdlib.h>
#include <string.h>

/** `count` zeroed objects. */
static inline void *sim_new(size_t count, size_t size)
{
    void *p = calloc(count != 0 ? count : 1, size);
    if (p == NULL)
        abort();
    return p;
}

/** The same objects, room for `count`; what is new is not initialised. */
static inline void *sim_grow(void *p, size_t count, size_t size)
{
    p = realloc(p, count * size);
    if (p == NULL)
        abort();
    return p;
}

static inline char *sim_string(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(sim_new(1, size), text, size);
}

#endif
