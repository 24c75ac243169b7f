/* usrsctp's one-to-one sockets without blocking. Its own thread receives and tells by upcalls which
 * sockets have something; this one does the calls. */
#include "bench/knock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/usrsctp_conn.h"

#define BACKLOG 1024

const char knock_name[] = "usrsctp";

struct knocker {
    struct socket *sock;
    struct knocker *next; /* of those told of */
    bool told;            /* stands in that list */
    bool up;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct knocker *told;
    struct knocker listener;
    struct sockaddr_in remote;
    bool client;
    uint64_t ended, failed;
} knock = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void tell(struct knocker *k)
{
    pthread_mutex_lock(&knock.lock);
    if (!k->told) {
        k->told = true;
        k->next = knock.told;
        knock.told = k;
        pthread_cond_signal(&knock.changed);
    }
    pthread_mutex_unlock(&knock.lock);
}

static void on_upcall(struct socket *sock, void *arg, int flags)
{
    (void)sock;
    (void)flags;
    tell(arg);
}

static bool prepare(struct knocker *k)
{
    return k->sock != NULL && usrsctp_set_non_blocking(k->sock, 1) == 0 &&
           usrsctp_set_upcall(k->sock, on_upcall, k) == 0;
}

static bool connect_one(struct knocker *k)
{
    *k = (struct knocker){
        .sock = usrsctp_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL)};
    if (!prepare(k))
        return false;
    return usrsctp_connect(k->sock, (struct sockaddr *)&knock.remote, sizeof knock.remote) == 0 ||
           errno == EINPROGRESS;
}

static void tune_stack(void)
{
    usrsctp_init(0, NULL, NULL);
    usrsctp_sysctl_set_sctp_blackhole(2);
    usrsctp_sysctl_set_sctp_no_csum_on_loopback(0);
    conn_trim_stack();
}

bool knock_start(const struct sockaddr_in *local, const struct sockaddr_in *remote)
{
    static struct knocker clients[KNOCK_IN_FLIGHT];
    tune_stack();
    if (local != NULL) {
        struct sockaddr_in address = *local;
        knock.listener.sock =
            usrsctp_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
        return prepare(&knock.listener) &&
               usrsctp_bind(knock.listener.sock, (struct sockaddr *)&address, sizeof address) ==
                   0 &&
               usrsctp_listen(knock.listener.sock, BACKLOG) == 0;
    }
    knock.client = true;
    knock.remote = *remote;
    for (unsigned i = 0; i < KNOCK_IN_FLIGHT; i++)
        if (!connect_one(&clients[i]))
            return false;
    return true;
}

static bool accept_all(void)
{
    struct socket *sock;
    while ((sock = usrsctp_accept(knock.listener.sock, NULL, NULL)) != NULL) {
        struct knocker *k = calloc(1, sizeof *k);
        if (k == NULL)
            return false;
        k->sock = sock;
        k->up = true;
        if (!prepare(k))
            return false;
        tell(k); /* its end may have come before the upcall was set */
    }
    return errno == EWOULDBLOCK || errno == ECONNABORTED;
}

/* It has ended, well or not. */
static bool finish(struct knocker *k, bool good)
{
    usrsctp_close(k->sock);
    knock.ended += good;
    knock.failed += !good;
    if (knock.client)
        return connect_one(k);
    free(k);
    return true;
}

static bool handle(struct knocker *k)
{
    if (k == &knock.listener)
        return accept_all();
    int events = usrsctp_get_events(k->sock);
    if (!k->up && (events & SCTP_EVENT_ERROR) != 0)
        return finish(k, false);
    if (!k->up && (events & SCTP_EVENT_WRITE) != 0) {
        k->up = true;
        if (usrsctp_shutdown(k->sock, SHUT_WR) != 0)
            return finish(k, false);
    }
    if (!k->up || (events & SCTP_EVENT_READ) == 0)
        return true;
    uint8_t byte;
    struct sctp_rcvinfo info;
    socklen_t info_len = sizeof info, from_len = 0;
    unsigned info_type = 0;
    int flags = 0;
    ssize_t len = usrsctp_recvv(k->sock, &byte, sizeof byte, NULL, &from_len, &info, &info_len,
                                &info_type, &flags);
    if (len < 0 && errno == EWOULDBLOCK)
        return true;
    return finish(k, len == 0);
}

static struct knocker *wait_told(int wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += wait_ms * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&knock.lock);
    if (knock.told == NULL)
        pthread_cond_timedwait(&knock.changed, &knock.lock, &until);
    struct knocker *told = knock.told;
    knock.told = NULL;
    pthread_mutex_unlock(&knock.lock);
    return told;
}

bool knock_turn(int wait_ms)
{
    struct knocker *next, *k = wait_told(wait_ms);
    for (; k != NULL; k = next) {
        pthread_mutex_lock(&knock.lock);
        next = k->next;
        k->told = false;
        pthread_mutex_unlock(&knock.lock);
        if (!handle(k))
            return false;
    }
    return true;
}

uint64_t knock_ended(void)
{
    return knock.ended;
}

uint64_t knock_failed(void)
{
    return knock.failed;
}
