#include "stack/sched.h"

#include <string.h>

static const struct hws_sched_ops *const schedulers[] = {&hws_sched_fcfs, &hws_sched_rr};

const struct hws_sched_ops *hws_sched_find(const char *name)
{
    if (name == NULL)
        return schedulers[0];
    for (size_t i = 0; i < sizeof schedulers / sizeof schedulers[0]; i++)
        if (strcmp(schedulers[i]->name, name) == 0)
            return schedulers[i];
    return NULL;
}
