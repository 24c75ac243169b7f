/* Algorithms chosen by name, as TCP_CONGESTION does (tcp(7)); the engine knows which there are.
 * They hold for an association's life, so a name is for associations to come. */
#include <errno.h>
#include <string.h>

#include "api/sock/sockopt_value.h"

/* The engine's own copy of the name, NULL when there is none such. */
static const char *known(const char *(*name_of)(size_t index), const char *asked)
{
    const char *name;
    for (size_t i = 0; (name = name_of(i)) != NULL; i++) {
        if (strcmp(name, asked) == 0)
            return name;
    }
    return NULL;
}

static void tell(const char *name, union hws_sockopt_value *value)
{
    memset(value->name, 0, sizeof(value->name));
    memcpy(value->name, name, strnlen(name, sizeof(value->name) - 1));
}

/* ---- HWS_CC ---- */

HWS_SOCKOPT_SET(cc)
{
    struct hws_params params = target->sock->params;
    if (target->len == 0)
        return -EINVAL;
    params.cc = known(hws_cc_name, value->name);
    return params.cc != NULL ? hws_sockopt_store(target, &params) : -ENOENT;
}

HWS_SOCKOPT_GET(cc)
{
    const char *name = target->sock->params.cc;
    tell(name != NULL ? name : hws_cc_name(0), value);
    return 0;
}

/* ---- HWS_SCHED ---- */

HWS_SOCKOPT_SET(sched)
{
    struct hws_params params = target->sock->params;
    if (target->len == 0)
        return -EINVAL;
    params.sched = known(hws_sched_name, value->name);
    return params.sched != NULL ? hws_sockopt_store(target, &params) : -ENOENT;
}

HWS_SOCKOPT_GET(sched)
{
    const char *name = target->sock->params.sched;
    tell(name != NULL ? name : hws_sched_name(0), value);
    return 0;
}

/* ---- HWS_PATHSEL ---- */

HWS_SOCKOPT_SET(pathsel)
{
    struct hws_params params = target->sock->params;
    if (target->len == 0)
        return -EINVAL;
    params.pathsel = known(hws_pathsel_name, value->name);
    return params.pathsel != NULL ? hws_sockopt_store(target, &params) : -ENOENT;
}

HWS_SOCKOPT_GET(pathsel)
{
    const char *name = target->sock->params.pathsel;
    tell(name != NULL ? name : hws_pathsel_name(0), value);
    return 0;
}
