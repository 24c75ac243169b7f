#include "proto/chunk.h"

#include <stddef.h>

const char *hws_chunk_name(uint8_t type)
{
    switch (type) {
#define X(symbol, number, name, min_len)                                                           \
    case number:                                                                                   \
        return name;
        HWS_CHUNK_TYPES(X)
#undef X
    default:
        return NULL;
    }
}
