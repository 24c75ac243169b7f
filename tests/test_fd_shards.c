/* Sockets in shards: two runtimes in two threads at one port, over raw sockets and over UDP, with a
 * peer that knows nothing of it. */
#include "tests/fd_tool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/netns.h"

#define SHARDS 2u
#define CLIENTS 40u
#define MESSAGES 30u
#define MESSAGE_BYTES 8000u
#define SHARD_UDP_PORT 29911u
#define PEER_UDP_PORT 29912u

static bool have_namespace;

struct shard {
    unsigned index;
    struct hws_runtime *runtime;
    int fd; /* one-to-many, listening at PORT */
    pthread_t thread;
};

struct world {
    bool udp;
    struct shard shards[SHARDS];
    struct hws_runtime *peer;
};

static struct hws_runtime *make_runtime(bool udp, unsigned count, unsigned index)
{
    struct hws_runtime_config config;
    char error[HWS_ERROR_MAX];
    hws_runtime_config_init(&config);
    config.udp = udp;
    config.udp_port = count > 1 ? SHARD_UDP_PORT : PEER_UDP_PORT;
    config.peer_udp_port = count > 1 ? PEER_UDP_PORT : SHARD_UDP_PORT;
    config.shard_count = count;
    config.shard = index;
    config.drive = count > 1 ? HWS_DRIVE_CALLER : HWS_DRIVE_THREAD;
    struct hws_runtime *runtime = hws_runtime_new(&config, error);
    if (runtime == NULL)
        fail_msg("%s", error);
    return runtime;
}

static uint64_t counter(const struct hws_runtime *runtime, const char *name)
{
    struct hws_counter c;
    for (size_t i = 0; hws_runtime_counter(runtime, i, &c) == 0; i++)
        if (strcmp(c.name, name) == 0)
            return c.value;
    fail_msg("no counter %s", name);
    return 0;
}

/* ---- The shards' threads: every message goes back with the shard's number in its PPID. ---- */

static ssize_t receive(int fd, char *message, struct sctp_rcvinfo *info)
{
    struct iovec iov = {message, MESSAGE_BYTES};
    socklen_t info_len = sizeof(*info);
    unsigned type;
    int flags = 0;
    return hws_recvv(fd, &iov, 1, NULL, NULL, info, &info_len, &type, &flags);
}

static void *serve(void *arg)
{
    const struct shard *shard = arg;
    static _Thread_local char message[MESSAGE_BYTES];
    struct sctp_rcvinfo from;
    ssize_t len;
    while ((len = receive(shard->fd, message, &from)) > 0 && strcmp(message, "stop") != 0) {
        struct iovec iov = {message, (size_t)len};
        struct sctp_sndinfo to = {.snd_assoc_id = from.rcv_assoc_id,
                                  .snd_ppid = htonl(shard->index)};
        if (hws_sendv(shard->fd, &iov, 1, NULL, 0, &to, sizeof(to), SCTP_SENDV_SNDINFO, 0) != len)
            perror("hws_sendv");
    }
    return NULL;
}

static void start(struct world *w, unsigned index)
{
    struct shard *shard = &w->shards[index];
    int on = 1;
    shard->index = index;
    shard->runtime = make_runtime(w->udp, SHARDS, index);
    shard->fd = fd_listen(shard->runtime, SOCK_SEQPACKET, PORT);
    assert_int_equal(hws_setsockopt(shard->fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof(on)), 0);
}

static int setup(void **state, bool udp)
{
    static struct world w;
    w = (struct world){.udp = udp};
    if (!have_namespace)
        return 0;
    for (unsigned i = SHARDS; i-- > 0;)
        start(&w, i);
    w.peer = make_runtime(udp, 0, 0);
    for (unsigned i = 0; i < SHARDS; i++)
        assert_int_equal(pthread_create(&w.shards[i].thread, NULL, serve, &w.shards[i]), 0);
    *state = &w;
    return 0;
}

static int setup_raw(void **state)
{
    return setup(state, false);
}

static int setup_udp(void **state)
{
    return setup(state, true);
}

static struct world *world_of(void **state)
{
    if (*state == NULL)
        skip();
    return *state;
}

/* A one-to-one socket of the peer, connected from a port that leads to the shard, or from any. */
static int peer_connect(struct world *w, uint16_t port)
{
    const struct sockaddr_in server = fd_address(PORT), local = fd_address(port);
    int on = 1;
    int fd = hws_runtime_socket(w->peer, AF_INET, SOCK_STREAM, 0);
    if (port != 0)
        assert_int_equal(hws_bind(fd, (const struct sockaddr *)&local, sizeof(local)), 0);
    assert_int_equal(hws_connect(fd, (const struct sockaddr *)&server, sizeof(server)), 0);
    assert_int_equal(hws_setsockopt(fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof(on)), 0);
    return fd;
}

static uint16_t port_leading_to(unsigned shard)
{
    uint16_t port = 40000;
    while (hws_shard_of(SHARDS, port, PORT) != shard)
        port++;
    return port;
}

static int teardown(void **state)
{
    struct world *w = *state;
    if (w == NULL)
        return 0;
    for (unsigned i = 0; i < SHARDS; i++) {
        int fd = peer_connect(w, port_leading_to(i));
        assert_int_equal(hws_send(fd, "stop", 5, 0), 5);
        pthread_join(w->shards[i].thread, NULL);
        hws_close(fd);
        hws_close(w->shards[i].fd);
    }
    for (unsigned i = 0; i < SHARDS; i++)
        hws_runtime_free(w->shards[i].runtime);
    hws_runtime_free(w->peer);
    return 0;
}

/* ---- Tests ---- */

static uint16_t local_port(int fd)
{
    struct sockaddr_in local;
    socklen_t len = sizeof(local);
    assert_int_equal(hws_getsockname(fd, (struct sockaddr *)&local, &len), 0);
    return ntohs(local.sin_port);
}

static void fill(char *message, unsigned client, unsigned number)
{
    memset(message, (int)('a' + number % 26), MESSAGE_BYTES);
    memcpy(message, (unsigned[]){client, number}, 2 * sizeof(unsigned));
}

/* A message comes back, from the shard that the ports lead to. */
static void expect_echo(int fd, unsigned client, unsigned number)
{
    char message[MESSAGE_BYTES], sent[MESSAGE_BYTES];
    struct sctp_rcvinfo info;
    size_t len = 0;
    fill(sent, client, number);
    while (len < MESSAGE_BYTES) {
        char part[MESSAGE_BYTES];
        ssize_t part_len = receive(fd, part, &info);
        assert_in_range(part_len, 1, MESSAGE_BYTES - len);
        memcpy(message + len, part, (size_t)part_len);
        len += (size_t)part_len;
    }
    assert_memory_equal(message, sent, MESSAGE_BYTES);
    assert_int_equal(ntohl(info.rcv_ppid), hws_shard_of(SHARDS, PORT, local_port(fd)));
}

static void send_all(const int fds[CLIENTS], unsigned number)
{
    char message[MESSAGE_BYTES];
    for (unsigned i = 0; i < CLIENTS; i++) {
        fill(message, i, number);
        assert_int_equal(hws_send(fds[i], message, MESSAGE_BYTES, 0), MESSAGE_BYTES);
    }
}

static void wait_until_over(const struct world *w, uint64_t count)
{
    uint64_t until_ms = fd_now_ms() + 20000, over = 0;
    while (over < count && fd_now_ms() < until_ms) {
        over = 0;
        for (unsigned i = 0; i < SHARDS; i++)
            over += counter(w->shards[i].runtime, "assocs_shutdown");
    }
    assert_int_equal(over, count);
}

static void every_association_has_its_shard(void **state)
{
    struct world *w = world_of(state);
    int fds[CLIENTS];
    for (unsigned i = 0; i < CLIENTS; i++)
        fds[i] = peer_connect(w, i < SHARDS ? port_leading_to(i) : 0);
    for (unsigned number = 0; number < MESSAGES; number++) {
        send_all(fds, number);
        for (unsigned i = 0; i < CLIENTS; i++)
            expect_echo(fds[i], i, number);
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        assert_int_equal(hws_close(fds[i]), 0);
    wait_until_over(w, CLIENTS);
    uint64_t passive = 0;
    for (unsigned i = 0; i < SHARDS; i++) {
        const struct hws_runtime *runtime = w->shards[i].runtime;
        assert_true(counter(runtime, "assocs_passive") > 0);
        passive += counter(runtime, "assocs_passive");
        assert_int_equal(counter(runtime, "ootb_in"), 0);
        assert_int_equal(counter(runtime, "drop_shard"), 0);
        assert_int_equal(counter(runtime, "assocs_aborted"), 0);
    }
    assert_int_equal(passive, CLIENTS);
    assert_int_equal(counter(w->peer, "assocs_aborted"), 0);
}

static int connect_to(int fd, uint16_t remote_port)
{
    const struct sockaddr_in remote = fd_address(remote_port);
    return hws_connect(fd, (const struct sockaddr *)&remote, sizeof(remote));
}

static void shards_connect(void **state)
{
    struct world *w = world_of(state);
    int listener = fd_listen(w->peer, SOCK_STREAM, PORT + 1);
    for (unsigned i = 0; i < 12; i++) {
        const struct shard *shard = &w->shards[i % SHARDS];
        int fd = hws_runtime_socket(shard->runtime, AF_INET, SOCK_STREAM, 0);
        const struct sockaddr_in any = fd_address(0);
        if (i % 3 == 0)
            assert_int_equal(hws_bind(fd, (const struct sockaddr *)&any, sizeof(any)), 0);
        assert_int_equal(connect_to(fd, PORT + 1), 0);
        assert_int_equal(hws_shard_of(SHARDS, local_port(fd), PORT + 1), shard->index);
        int there = hws_accept(listener, NULL, NULL);
        assert_int_equal(hws_send(there, "x", 1, 0), 1);
        char byte;
        assert_int_equal(hws_recv(fd, &byte, 1, 0), 1);
        hws_close(fd);
        hws_close(there);
    }
    hws_close(listener);
}

/* From a port that is named, in the shard that it leads to. */
static void shards_connect_from_a_port(void **state)
{
    struct world *w = world_of(state);
    int listener = fd_listen(w->peer, SOCK_STREAM, PORT + 1);
    const struct sockaddr_in local = fd_address(PORT + 2);
    unsigned right = hws_shard_of(SHARDS, PORT + 2, PORT + 1);
    for (unsigned i = 0; i < SHARDS; i++) {
        int fd = hws_runtime_socket(w->shards[i].runtime, AF_INET, SOCK_STREAM, 0);
        assert_int_equal(hws_bind(fd, (const struct sockaddr *)&local, sizeof(local)), 0);
        if (i == right)
            assert_int_equal(connect_to(fd, PORT + 1), 0);
        else
            assert_fails(connect_to(fd, PORT + 1), EADDRNOTAVAIL);
        hws_close(fd);
    }
    hws_close(hws_accept(listener, NULL, NULL));
    hws_close(listener);
}

/* ---- Configuration ---- */

static void wrong_configurations(void **state)
{
    const struct {
        unsigned count, index;
    } wrong[] = {{0, 1}, {1, 1}, {2, 2}, {HWS_SHARDS_MAX + 1, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct hws_runtime_config config;
        char error[HWS_ERROR_MAX] = "";
        hws_runtime_config_init(&config);
        config.udp = true;
        config.shard_count = wrong[i].count;
        config.shard = wrong[i].index;
        errno = 0;
        assert_null(hws_runtime_new(&config, error));
        assert_int_equal(errno, EINVAL);
        assert_non_null(strstr(error, "shard"));
    }
}

/* Ports of their own: nothing is shared, and nothing is steered. */
static void ephemeral_udp_ports(void **state)
{
    struct hws_runtime *runtimes[SHARDS];
    (void)state;
    for (unsigned i = 0; i < SHARDS; i++) {
        struct hws_runtime_config config;
        hws_runtime_config_init(&config);
        config.udp = true;
        config.shard_count = SHARDS;
        config.shard = 1; /* twice: they are not shards of anything */
        runtimes[i] = hws_runtime_new(&config, NULL);
        assert_non_null(runtimes[i]);
    }
    for (unsigned i = 0; i < SHARDS; i++)
        hws_runtime_free(runtimes[i]);
}

static void which_shard(void **state)
{
    (void)state;
    assert_int_equal(hws_shard_of(0, 1, 2), 0);
    assert_int_equal(hws_shard_of(1, 1, 2), 0);
    for (uint16_t port = 1; port < 100; port++) {
        assert_in_range(hws_shard_of(3, port, PORT), 0, 2);
        assert_int_equal(hws_shard_of(3, port, PORT), hws_shard_of(3, PORT, port));
    }
}

#define RAW(name) cmocka_unit_test_setup_teardown(name, setup_raw, teardown)
#define UDP(name) cmocka_unit_test_setup_teardown(name, setup_udp, teardown)

int main(void)
{
    have_namespace = netns_enter();
    const struct CMUnitTest tests[] = {
        RAW(every_association_has_its_shard),
        UDP(every_association_has_its_shard),
        RAW(shards_connect),
        UDP(shards_connect),
        RAW(shards_connect_from_a_port),
        UDP(shards_connect_from_a_port),
        cmocka_unit_test(wrong_configurations),
        cmocka_unit_test(ephemeral_udp_ports),
        cmocka_unit_test(which_shard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
