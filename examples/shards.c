/* An echo server on several cores: a runtime for each, all listening at one port, each run by the
 * thread that receives from it. They share nothing; every association belongs to one of them.
 *
 * Usage: shards [PORT [SHARDS]]     port 5000, 2 shards by default; ends by a signal */
#include <arpa/inet.h>
#include <hawser/runtime.h>
#include <hawser/socket.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define MESSAGE_BYTES_MAX 65536

struct shard {
    unsigned index;
    int fd;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static struct hws_runtime *make_runtime(unsigned count, unsigned index)
{
    struct hws_runtime_config config;
    char error[HWS_ERROR_MAX];
    hws_runtime_config_init(&config);
    config.shard_count = count;
    config.shard = index;
    config.drive = HWS_DRIVE_CALLER; /* a call that waits does the work */
    struct hws_runtime *runtime = hws_runtime_new(&config, error);
    if (runtime != NULL)
        return runtime;
    fprintf(stderr, "shards: %s\n", error);
    exit(1);
}

/* A one-to-many socket: one descriptor for all associations of the shard. */
static int listen_at(struct hws_runtime *runtime, uint16_t port)
{
    const struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1; /* else hws_recvv would not tell the association */
    int fd = hws_runtime_socket(runtime, AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP);
    if (fd < 0 || hws_bind(fd, (const struct sockaddr *)&local, sizeof local) != 0 ||
        hws_setsockopt(fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof on) != 0 ||
        hws_listen(fd, 16) != 0)
        die("cannot listen");
    return fd;
}

static bool echo(const struct shard *shard, char *message)
{
    struct iovec iov = {message, MESSAGE_BYTES_MAX};
    struct sockaddr_in peer;
    socklen_t peer_len = sizeof peer;
    struct sctp_rcvinfo from;
    socklen_t from_len = sizeof from;
    unsigned type;
    int flags = 0;
    ssize_t len = hws_recvv(shard->fd, &iov, 1, (struct sockaddr *)&peer, &peer_len, &from,
                            &from_len, &type, &flags);
    if (len < 0)
        return false;
    printf("shard %u: %zd bytes from port %u\n", shard->index, len, ntohs(peer.sin_port));
    struct sctp_sndinfo to = {.snd_sid = from.rcv_sid, .snd_assoc_id = from.rcv_assoc_id};
    iov.iov_len = (size_t)len;
    if (hws_sendv(shard->fd, &iov, 1, NULL, 0, &to, sizeof to, SCTP_SENDV_SNDINFO, 0) < 0)
        perror("a peer is gone");
    return true;
}

static void *serve(void *arg)
{
    char *message = malloc(MESSAGE_BYTES_MAX);
    while (message != NULL && echo(arg, message))
        continue;
    perror("a shard ends");
    free(message);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct shard shards[HWS_SHARDS_MAX];
    uint16_t port = (uint16_t)(argc > 1 ? atoi(argv[1]) : 5000);
    unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : 2;
    pthread_t threads[HWS_SHARDS_MAX];
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (count == 0 || count > HWS_SHARDS_MAX)
        return fprintf(stderr, "shards: 1 to %u of them\n", HWS_SHARDS_MAX), 2;
    for (unsigned i = 0; i < count; i++) {
        shards[i] = (struct shard){.index = i, .fd = listen_at(make_runtime(count, i), port)};
        if (pthread_create(&threads[i], NULL, serve, &shards[i]) != 0)
            die("pthread_create");
    }
    printf("listening at port %u\n", port);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
