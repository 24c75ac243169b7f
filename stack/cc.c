#include "stack/cc.h"

#include <stddef.h>
#include <string.h>

static const struct hws_cc_ops *const built_in[] = {&hws_cc_rfc9260};

const struct hws_cc_ops *hws_cc_find(const char *name)
{
    if (name == NULL)
        return &hws_cc_rfc9260;
    for (size_t i = 0; i < sizeof built_in / sizeof built_in[0]; i++)
        if (strcmp(built_in[i]->name, name) == 0)
            return built_in[i];
    return NULL;
}
