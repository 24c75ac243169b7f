#include "stack/cc.h"

#include <stddef.h>
#include <string.h>

#include "stack/engine.h"

static const struct hws_cc_ops *const built_in[] = {&hws_cc_rfc9260};

#define BUILT_IN (sizeof built_in / sizeof built_in[0])

const char *hws_cc_name(size_t index)
{
    return index < BUILT_IN ? built_in[index]->name : NULL;
}

const struct hws_cc_ops *hws_cc_find(const char *name)
{
    if (name == NULL)
        return built_in[0];
    for (size_t i = 0; i < BUILT_IN; i++)
        if (strcmp(built_in[i]->name, name) == 0)
            return built_in[i];
    return NULL;
}
