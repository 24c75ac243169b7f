/* Algorithms chosen by name, as TCP_CONGESTION does (tcp(7)); the engine knows which there are.
 * They hold for an association's life, so a name is for associations to come. */
#include <errno.h>
#include <string.h>

#include "api/sock/sockopt_value.h"

/* The names of one kind. */
typedef const char *name_fn(const struct hws_engine *engine, size_t index);

static const struct hws_engine *engine_of(const struct hws_sockopt_target *target)
{
    return target->sock->sockets->engine;
}

/* All of them, as one text. */
static int list(const struct hws_sock *sock, name_fn *name_of, char *text, socklen_t *len)
{
    socklen_t used = 0;
    const char *name;
    for (size_t i = 0; (name = name_of(sock->sockets->engine, i)) != NULL; i++) {
        size_t name_len = strlen(name);
        if (name_len >= *len - used)
            return -EINVAL;
        memcpy(text + used, name, name_len);
        used += (socklen_t)name_len;
        text[used++] = ' ';
    }
    text[used - 1] = '\0';
    *len = used;
    return 0;
}

/* The engine's own copy of the name, NULL when there is none such. */
static const char *known(const struct hws_engine *engine, name_fn *name_of, const char *asked)
{
    const char *name;
    for (size_t i = 0; (name = name_of(engine, i)) != NULL; i++) {
        if (strcmp(name, asked) == 0)
            return name;
    }
    return NULL;
}

/* `name` is one of `params`, which are stored with the name that was asked for. */
static int choose(const struct hws_sockopt_target *target, struct hws_params *params,
                  const char **name, name_fn *name_of, const union hws_sockopt_value *value)
{
    if (target->len == 0)
        return -EINVAL;
    *name = known(engine_of(target), name_of, value->name);
    return *name != NULL ? hws_sockopt_store(target, params) : -ENOENT;
}

/* Where none was chosen it is the first. */
static int tell(const struct hws_sockopt_target *target, const char *name, name_fn *name_of,
                union hws_sockopt_value *value)
{
    if (name == NULL)
        name = name_of(engine_of(target), 0);
    memset(value->name, 0, sizeof(value->name));
    memcpy(value->name, name, strnlen(name, sizeof(value->name) - 1));
    return 0;
}

/* ---- HWS_CC ---- */

HWS_SOCKOPT_SET(cc)
{
    struct hws_params params = target->sock->params;
    return choose(target, &params, &params.cc, hws_cc_name, value);
}

HWS_SOCKOPT_GET(cc)
{
    return tell(target, target->sock->params.cc, hws_cc_name, value);
}

int hws_sockopt_get_cc_names(const struct hws_sock *sock, void *value, socklen_t *len)
{
    return list(sock, hws_cc_name, value, len);
}

/* ---- HWS_SCHED ---- */

HWS_SOCKOPT_SET(sched)
{
    struct hws_params params = target->sock->params;
    return choose(target, &params, &params.sched, hws_sched_name, value);
}

HWS_SOCKOPT_GET(sched)
{
    return tell(target, target->sock->params.sched, hws_sched_name, value);
}

int hws_sockopt_get_sched_names(const struct hws_sock *sock, void *value, socklen_t *len)
{
    return list(sock, hws_sched_name, value, len);
}

/* ---- HWS_PATHSEL ---- */

HWS_SOCKOPT_SET(pathsel)
{
    struct hws_params params = target->sock->params;
    return choose(target, &params, &params.pathsel, hws_pathsel_name, value);
}

HWS_SOCKOPT_GET(pathsel)
{
    return tell(target, target->sock->params.pathsel, hws_pathsel_name, value);
}

int hws_sockopt_get_pathsel_names(const struct hws_sock *sock, void *value, socklen_t *len)
{
    return list(sock, hws_pathsel_name, value, len);
}
