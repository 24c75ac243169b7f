/* Buffers that the application lent to sends, and that go back when no association needs them. */
#include "api/sock/socket_internal.h"

struct hws_lent *hws_lent_new(struct hws_sockets *sockets, const struct hws_sock_send *msg)
{
    struct hws_lent *lent = hws_pool_zalloc(&sockets->pool, sizeof(*lent));
    if (lent == NULL)
        return NULL;
    lent->release = (struct hws_sock_release){msg->release, msg->release_arg};
    TAILQ_INSERT_TAIL(&sockets->lent, lent, in_list);
    return lent;
}

void hws_lent_forget(struct hws_sockets *sockets, struct hws_lent *lent)
{
    TAILQ_REMOVE(&sockets->lent, lent, in_list);
    hws_pool_free(&sockets->pool, lent, sizeof(*lent));
}

void hws_lent_done(struct hws_sockets *sockets, struct hws_lent *lent)
{
    TAILQ_REMOVE(&sockets->lent, lent, in_list);
    TAILQ_INSERT_TAIL(&sockets->released, lent, in_list);
}

static void collect(struct hws_sockets *sockets)
{
    void *handle;
    while (!TAILQ_EMPTY(&sockets->lent) && hws_engine_lent_done(sockets->engine, &handle)) {
        struct hws_lent *lent = handle;
        if (--lent->refs == 0)
            hws_lent_done(sockets, lent);
    }
}

bool hws_sockets_released(struct hws_sockets *sockets, struct hws_sock_release *out)
{
    collect(sockets);
    struct hws_lent *lent = TAILQ_FIRST(&sockets->released);
    if (lent == NULL)
        return false;
    *out = lent->release;
    TAILQ_REMOVE(&sockets->released, lent, in_list);
    hws_pool_free(&sockets->pool, lent, sizeof(*lent));
    return true;
}

void hws_lent_fini(struct hws_sockets *sockets)
{
    struct hws_sock_release one;
    TAILQ_CONCAT(&sockets->released, &sockets->lent, in_list);
    while (hws_sockets_released(sockets, &one))
        one.release(one.arg);
}
