#include "api/link/shard_group_linux.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

struct group {
    LIST_ENTRY(group) link;
    uint8_t protocol;
    uint16_t port;
    uint32_t count;
    uint64_t members; /* a bit for each shard that joined */
    int fds[HWS_SHARD_GROUP_FDS];
};

static LIST_HEAD(, group) groups = LIST_HEAD_INITIALIZER(groups);
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void close_group(struct group *group)
{
    for (uint32_t i = 0; i < HWS_SHARD_GROUP_FDS; i++)
        if (group->fds[i] >= 0)
            close(group->fds[i]);
    free(group);
}

/* ---- fork: runtimes that a child inherits are dead, and so are their groups ---- */

static void before_fork(void)
{
    pthread_mutex_lock(&mutex);
}

static void in_parent(void)
{
    pthread_mutex_unlock(&mutex);
}

static void in_child(void)
{
    while (!LIST_EMPTY(&groups)) {
        struct group *group = LIST_FIRST(&groups);
        LIST_REMOVE(group, link);
        close_group(group);
    }
    pthread_mutex_unlock(&mutex);
}

static void init(void)
{
    pthread_atfork(before_fork, in_parent, in_child);
}

/* ---- Joining and leaving ---- */

static struct group *find(uint8_t protocol, uint16_t port)
{
    struct group *group = LIST_FIRST(&groups);
    while (group != NULL && (group->protocol != protocol || group->port != port))
        group = LIST_NEXT(group, link);
    return group;
}

static int make(uint8_t protocol, uint16_t port, uint32_t count, hws_shard_group_open open,
                void *arg, struct group **out)
{
    struct group *group = calloc(1, sizeof(*group));
    if (group == NULL)
        return -ENOMEM;
    group->protocol = protocol;
    group->port = port;
    group->count = count;
    for (uint32_t i = 0; i < HWS_SHARD_GROUP_FDS; i++)
        group->fds[i] = -1;
    int rc = open(arg, group->fds);
    if (rc < 0) {
        close_group(group);
        return rc;
    }
    LIST_INSERT_HEAD(&groups, group, link);
    *out = group;
    return 0;
}

int hws_shard_group_join(uint8_t protocol, uint16_t port, const struct hws_shard *shard,
                         hws_shard_group_open open, void *arg, const int **fds)
{
    uint64_t member = UINT64_C(1) << shard->index;
    pthread_once(&once, init);
    pthread_mutex_lock(&mutex);
    struct group *group = find(protocol, port);
    int rc = group == NULL ? make(protocol, port, shard->count, open, arg, &group)
             : group->count != shard->count || (group->members & member) != 0 ? -EADDRINUSE
                                                                              : 0;
    if (rc == 0) {
        group->members |= member;
        *fds = group->fds;
    }
    pthread_mutex_unlock(&mutex);
    return rc;
}

void hws_shard_group_leave(uint8_t protocol, uint16_t port, const struct hws_shard *shard)
{
    pthread_mutex_lock(&mutex);
    struct group *group = find(protocol, port);
    if (group != NULL) {
        group->members &= ~(UINT64_C(1) << shard->index);
        if (group->members == 0) {
            LIST_REMOVE(group, link);
            close_group(group);
        }
    }
    pthread_mutex_unlock(&mutex);
}
