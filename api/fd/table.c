#include "api/fd/table.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "api/fd/handle.h"

/* As many numbers as Linux hands out at most unless told otherwise (fs.nr_open). */
#define CHUNK 1024
#define CHUNKS 1024
#define STRIPES 64

struct chunk {
    struct hws_handle *slots[CHUNK];
};

static struct chunk *chunks[CHUNKS]; /* grows only; each guarded by the stripes of its numbers */
static pthread_mutex_t stripes[STRIPES];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A fork finds the table in order: no other thread is in it then. */
static void before_fork(void)
{
    for (int i = 0; i < STRIPES; i++)
        pthread_mutex_lock(&stripes[i]);
}

static void after_fork(void)
{
    for (int i = STRIPES - 1; i >= 0; i--)
        pthread_mutex_unlock(&stripes[i]);
}

static void init(void)
{
    for (int i = 0; i < STRIPES; i++)
        pthread_mutex_init(&stripes[i], NULL);
    pthread_atfork(before_fork, after_fork, after_fork);
}

static pthread_mutex_t *lock(int fd)
{
    pthread_once(&once, init);
    pthread_mutex_t *stripe = &stripes[fd % STRIPES];
    pthread_mutex_lock(stripe);
    return stripe;
}

static struct hws_handle **slot_of(int fd)
{
    struct chunk *chunk = __atomic_load_n(&chunks[fd / CHUNK], __ATOMIC_ACQUIRE);
    return chunk != NULL ? &chunk->slots[fd % CHUNK] : NULL;
}

static struct hws_handle **make_slot(int fd)
{
    struct chunk *chunk = calloc(1, sizeof(*chunk)), *expected = NULL;
    if (chunk != NULL && !__atomic_compare_exchange_n(&chunks[fd / CHUNK], &expected, chunk, false,
                                                      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        free(chunk); /* another thread was faster */
    return slot_of(fd);
}

static struct hws_handle *find(int fd, bool take)
{
    if (fd < 0 || fd >= CHUNK * CHUNKS)
        return NULL;
    pthread_mutex_t *stripe = lock(fd);
    struct hws_handle **slot = slot_of(fd);
    struct hws_handle *handle = slot != NULL ? *slot : NULL;
    if (handle != NULL && take)
        *slot = NULL; /* its reference is the caller's */
    else if (handle != NULL)
        hws_handle_ref(handle);
    pthread_mutex_unlock(stripe);
    return handle;
}

struct hws_handle *hws_table_get(int fd)
{
    return find(fd, false);
}

int hws_table_put(struct hws_handle *handle, struct hws_handle **stale)
{
    *stale = NULL;
    if (handle->level.fd >= CHUNK * CHUNKS)
        return -EMFILE;
    pthread_mutex_t *stripe = lock(handle->level.fd);
    struct hws_handle **slot = slot_of(handle->level.fd);
    if (slot == NULL)
        slot = make_slot(handle->level.fd);
    if (slot != NULL) {
        *stale = *slot;
        *slot = handle;
        hws_handle_ref(handle);
    }
    pthread_mutex_unlock(stripe);
    return slot != NULL ? 0 : -ENOMEM;
}

struct hws_handle *hws_table_take(int fd)
{
    return find(fd, true);
}
