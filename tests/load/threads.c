/* Eight threads that open, connect, accept, send, receive, ask, shut down, peel off and close
 * sockets of one runtime at random, without any order among themselves: a socket may be closed by
 * one thread while others are blocked in it. What is checked: every byte that arrives follows the
 * one before it, errors are among those that such a race can give, data does flow, and the process
 * ends. Meant for ThreadSanitizer and AddressSanitizer, which check the rest.
 *
 * Usage: threads [SECONDS [SEED]] */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <time.h>

#include "api/hawser/runtime.h"
#include "api/hawser/socket.h"
#include "tests/netns.h"

#define THREADS 8
#define SLOTS 64u
#define LISTENERS 2u /* slots 0..: one of each style */
#define FIRST_PORT 5000
#define MESSAGE_MAX 20000u
#define WAIT_US 20000

struct counts {
    atomic_ulong opened, accepted, peeled, sent, received, bytes, closed, ended;
};

static struct counts counts;
static atomic_int slots[SLOTS];
static atomic_bool stop;
static struct hws_runtime *runtime;

static uint32_t draw(uint64_t *rng, uint32_t below)
{
    *rng = *rng * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*rng >> 33) % below;
}

/* ---- What a call may answer while other threads do what they like ---- */

static const int allowed[] = {EAGAIN,       EBADF,         ENOTCONN,  EPIPE,      EISCONN,
                              EALREADY,     EINPROGRESS,   EINVAL,    ECONNRESET, ECONNABORTED,
                              ECONNREFUSED, EADDRINUSE,    ETIMEDOUT, EOPNOTSUPP, EMSGSIZE,
                              EMFILE,       EADDRNOTAVAIL, ESHUTDOWN, ENOTSOCK};

static void check(const char *call, long answer)
{
    if (answer >= 0)
        return;
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        if (errno == allowed[i])
            return;
    }
    fprintf(stderr, "threads: %s: unexpected %s\n", call, strerror(errno));
    abort();
}

/* ---- Slots ---- */

static void put(uint64_t *rng, int fd)
{
    int old = atomic_exchange(&slots[LISTENERS + draw(rng, SLOTS - LISTENERS)], fd);
    if (old >= 0) {
        check("close", hws_close(old));
        atomic_fetch_add(&counts.closed, 1);
    }
}

static int any_slot(uint64_t *rng)
{
    return atomic_load(&slots[LISTENERS + draw(rng, SLOTS - LISTENERS)]);
}

static int any_listener(uint64_t *rng)
{
    return atomic_load(&slots[draw(rng, LISTENERS)]);
}

static struct sockaddr_in address_of(uint32_t listener)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)(FIRST_PORT + listener)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* ---- What a thread does ---- */

static void set_waits(int fd)
{
    const struct timeval wait = {.tv_usec = WAIT_US};
    check("SO_RCVTIMEO", hws_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)));
    check("SO_SNDTIMEO", hws_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)));
}

static void open_one(uint64_t *rng)
{
    struct sockaddr_in peer = address_of(draw(rng, LISTENERS));
    bool nonblocking = draw(rng, 4) != 0;
    int type = draw(rng, 3) == 0 ? SOCK_SEQPACKET : SOCK_STREAM;
    int fd = hws_runtime_socket(runtime, AF_INET, type | (nonblocking ? SOCK_NONBLOCK : 0),
                                IPPROTO_SCTP);
    check("socket", fd);
    if (fd < 0)
        return;
    set_waits(fd);
    if (draw(rng, 8) == 0) {
        const struct linger linger = {.l_onoff = 1, .l_linger = (int)draw(rng, 2)};
        check("SO_LINGER", hws_setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
    }
    check("connect", hws_connect(fd, (const struct sockaddr *)&peer, sizeof(peer)));
    atomic_fetch_add(&counts.opened, 1);
    put(rng, fd);
}

static void accept_one(uint64_t *rng)
{
    int fd = hws_accept(any_listener(rng), NULL, NULL);
    check("accept", fd);
    if (fd < 0)
        return;
    atomic_fetch_add(&counts.accepted, 1);
    put(rng, fd);
}

static void fill(uint8_t *message, size_t len, uint8_t first)
{
    for (size_t i = 0; i < len; i++)
        message[i] = (uint8_t)(first + i);
}

static void send_one(uint64_t *rng)
{
    uint8_t message[MESSAGE_MAX];
    size_t len = 1 + draw(rng, draw(rng, 2) != 0 ? 100 : MESSAGE_MAX);
    fill(message, len, (uint8_t)draw(rng, 256));
    int flags = MSG_NOSIGNAL | (draw(rng, 2) != 0 ? MSG_DONTWAIT : 0);
    ssize_t sent = hws_send(any_slot(rng), message, len, flags);
    check("send", sent);
    if (sent >= 0)
        atomic_fetch_add(&counts.sent, 1);
}

static void look_at(const uint8_t *part, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        if (part[i] != (uint8_t)(part[i - 1] + 1)) {
            fprintf(stderr, "threads: byte %zu of %zu does not follow\n", i, len);
            abort();
        }
    }
}

static void receive_some(uint64_t *rng)
{
    uint8_t part[MESSAGE_MAX];
    int fd = draw(rng, 4) == 0 ? any_listener(rng) : any_slot(rng);
    for (int i = 0; i < 16; i++) {
        int flags = draw(rng, 8) != 0 ? MSG_DONTWAIT : 0;
        ssize_t len = hws_recv(fd, part, sizeof(part), flags);
        check("recv", len);
        if (len <= 0) {
            atomic_fetch_add(&counts.ended, len == 0);
            return;
        }
        look_at(part, (size_t)len);
        atomic_fetch_add(&counts.received, 1);
        atomic_fetch_add(&counts.bytes, (unsigned long)len);
    }
}

static void ask(uint64_t *rng)
{
    int fd = any_slot(rng);
    struct sctp_status status = {0};
    socklen_t len = sizeof(status);
    check("SCTP_STATUS", hws_getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, &status, &len));
    struct sockaddr *addrs = NULL;
    check("getpaddrs", hws_getpaddrs(fd, 0, &addrs));
    hws_freepaddrs(addrs);
    struct sockaddr_storage name;
    len = sizeof(name);
    check("getsockname", hws_getsockname(fd, (struct sockaddr *)&name, &len));
    int nodelay = (int)draw(rng, 2);
    check("SCTP_NODELAY",
          hws_setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &nodelay, sizeof(nodelay)));
}

static void wait_a_little(uint64_t *rng)
{
    struct pollfd fds[4];
    for (size_t i = 0; i < 4; i++)
        fds[i] = (struct pollfd){.fd = any_slot(rng), .events = POLLIN | POLLOUT};
    poll(fds, 4, 1);
}

static void close_one(uint64_t *rng)
{
    put(rng, -1);
}

static void shut_one(uint64_t *rng)
{
    check("shutdown", hws_shutdown(any_slot(rng), SHUT_WR));
}

static void peel_one(uint64_t *rng)
{
    sctp_assoc_t ids[64];
    uint8_t list[sizeof(struct sctp_assoc_ids) + sizeof(ids)];
    socklen_t len = sizeof(list);
    int many = atomic_load(&slots[1]);
    int rc = hws_getsockopt(many, IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, list, &len);
    if (rc < 0) /* more than fit: EINVAL */
        return;
    struct sctp_assoc_ids head;
    memcpy(&head, list, sizeof(head));
    if (head.gaids_number_of_ids == 0)
        return;
    memcpy(ids, list + sizeof(head), sizeof(ids));
    int fd = hws_peeloff(many, ids[draw(rng, head.gaids_number_of_ids)]);
    check("peeloff", fd);
    if (fd < 0)
        return;
    atomic_fetch_add(&counts.peeled, 1);
    put(rng, fd);
}

static void *run(void *arg)
{
    static void (*const acts[])(uint64_t *) = {open_one,     accept_one,   accept_one,   send_one,
                                               send_one,     send_one,     send_one,     send_one,
                                               receive_some, receive_some, ask,          close_one,
                                               shut_one,     peel_one,     wait_a_little};
    uint64_t rng = (uint64_t)(uintptr_t)arg;
    while (!atomic_load(&stop))
        acts[draw(&rng, sizeof(acts) / sizeof(acts[0]))](&rng);
    return NULL;
}

/* ---- The world ---- */

static void open_runtime(void)
{
    struct hws_runtime_config config;
    char error[HWS_ERROR_MAX];
    hws_runtime_config_init(&config);
    runtime = hws_runtime_new(&config, error);
    if (runtime == NULL) {
        fprintf(stderr, "threads: %s\n", error);
        exit(1);
    }
}

static void must(const char *call, int answer)
{
    if (answer >= 0)
        return;
    fprintf(stderr, "threads: %s: %s\n", call, strerror(errno));
    exit(1);
}

static void open_listener(uint32_t index, int type)
{
    struct sockaddr_in local = address_of(index);
    int fd = hws_runtime_socket(runtime, AF_INET, type | SOCK_NONBLOCK, IPPROTO_SCTP);
    must("socket", fd);
    must("bind", hws_bind(fd, (const struct sockaddr *)&local, sizeof(local)));
    set_waits(fd); /* what is accepted or peeled off inherits them */
    must("listen", hws_listen(fd, 16));
    atomic_store(&slots[index], fd);
}

static void close_all(void)
{
    for (size_t i = 0; i < SLOTS; i++) {
        int fd = atomic_exchange(&slots[i], -1);
        if (fd >= 0)
            must("close", hws_close(fd));
    }
}

int main(int argc, char **argv)
{
    unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 5;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
    pthread_t threads[THREADS];
    printf("threads: %u s, seed %llu\n", seconds, (unsigned long long)seed);
    for (size_t i = 0; i < SLOTS; i++)
        atomic_store(&slots[i], -1);
    if (!netns_enter())
        return 77;
    open_runtime();
    open_listener(0, SOCK_STREAM);
    open_listener(1, SOCK_SEQPACKET);
    for (uint64_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)(seed * THREADS + i));
    nanosleep(&(struct timespec){.tv_sec = seconds}, NULL);
    atomic_store(&stop, true);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    close_all();
    hws_runtime_free(runtime);
    printf("threads: opened %lu, accepted %lu, peeled off %lu, sent %lu, received %lu (%lu bytes), "
           "ends seen %lu, closed %lu\n",
           counts.opened, counts.accepted, counts.peeled, counts.sent, counts.received,
           counts.bytes, counts.ended, counts.closed);
    return counts.received > 0 && counts.accepted > 0 && counts.peeled > 0 ? 0 : 1;
}
