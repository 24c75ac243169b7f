/* usrsctp answers from its receive callback, which spares two context switches a message beside
 * blocking calls; NODELAY, no debug output. It has nothing to wait with but its own threads. */
#include <arpa/inet.h>
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <usrsctp.h>

#include "bench/latency.h"

const char bench_latency_name[] = "usrsctp";

static struct socket *sock;
static sem_t over;
/* What the callback does with a message; false: it is enough. */
static bool (*on_message)(const void *data, size_t len);

bool bench_latency_send(const void *message, size_t len)
{
    struct sctp_sndinfo info = {.snd_sid = 0};
    return usrsctp_sendv(sock, message, len, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0) ==
           (ssize_t)len;
}

static int on_receive(struct socket *from, union sctp_sockstore addr, void *data, size_t len,
                      struct sctp_rcvinfo info, int flags, void *arg)
{
    (void)addr;
    (void)info;
    (void)arg;
    sock = from;
    bool notification = (flags & MSG_NOTIFICATION) != 0;
    if (data == NULL || (!notification && !on_message(data, len)))
        sem_post(&over);
    free(data);
    return 1;
}

static bool send_back(const void *data, size_t len)
{
    return bench_latency_send(data, len);
}

static bool send_next(const void *data, size_t len)
{
    return bench_latency_went_round() && bench_latency_send(data, len);
}

bool bench_latency_start(bool listening, bool spin)
{
    int on = 1;
    if (spin) {
        errno = EOPNOTSUPP;
        return false;
    }
    on_message = listening ? send_back : send_next;
    sem_init(&over, 0, 0);
    usrsctp_init(0, NULL, NULL);
    usrsctp_sysctl_set_sctp_blackhole(2);
    usrsctp_sysctl_set_sctp_no_csum_on_loopback(0);
    usrsctp_sysctl_set_sctp_ecn_enable(0);
    sock = usrsctp_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP, on_receive, NULL, 0, NULL);
    return sock != NULL &&
           usrsctp_setsockopt(sock, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on) == 0;
}

bool bench_latency_accept(const struct sockaddr_in *local)
{
    struct sockaddr_in address = *local;
    struct socket *listener = sock;
    if (usrsctp_bind(sock, (struct sockaddr *)&address, sizeof address) != 0 ||
        usrsctp_listen(sock, 1) != 0)
        return false;
    bench_latency_ready();
    struct socket *accepted = usrsctp_accept(listener, NULL, NULL);
    if (accepted == NULL)
        return false;
    sock = accepted;
    usrsctp_close(listener);
    return true;
}

bool bench_latency_connect(const struct sockaddr_in *remote)
{
    struct sockaddr_in address = *remote;
    return usrsctp_connect(sock, (struct sockaddr *)&address, sizeof address) == 0;
}

static void wait_over(void)
{
    while (sem_wait(&over) != 0)
        ;
}

bool bench_latency_echo(void)
{
    wait_over();
    return true;
}

bool bench_latency_ping(const void *message, size_t len)
{
    if (!bench_latency_send(message, len))
        return false;
    wait_over();
    return true;
}

bool bench_latency_take(void)
{
    errno = EOPNOTSUPP;
    return false;
}

/* The stack lives in this process: leaving at once would lose the last SHUTDOWN COMPLETE. */
void bench_latency_end(void)
{
    usrsctp_close(sock);
    for (int i = 0; i < 100 && usrsctp_finish() != 0; i++)
        usleep(10000);
}
