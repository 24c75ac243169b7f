#include "stack/sched.h"

#include <string.h>

#include "stack/engine.h"

static const struct hws_sched_ops *const schedulers[] = {&hws_sched_fcfs, &hws_sched_rr};

#define BUILT_IN (sizeof schedulers / sizeof schedulers[0])

const char *hws_sched_name(size_t index)
{
    return index < BUILT_IN ? schedulers[index]->name : NULL;
}

const struct hws_sched_ops *hws_sched_find(const char *name)
{
    if (name == NULL)
        return schedulers[0];
    for (size_t i = 0; i < BUILT_IN; i++)
        if (strcmp(schedulers[i]->name, name) == 0)
            return schedulers[i];
    return NULL;
}
