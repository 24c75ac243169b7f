/* Runtimes of sockets with descriptors: who drives them, several of them, their end, fork, the
 * default one. */
#include "tests/fd_tool.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/netns.h"

#define SKIPPED 77

static void a_program_drives(void **state)
{
    const struct sockaddr_in sin = fd_address(PORT + 2);
    char buf[8];
    (void)state;
    struct hws_runtime *runtime = fd_runtime(29811, 29811, HWS_DRIVE_CALLER);
    int server = fd_listen(runtime, SOCK_STREAM, PORT + 2);
    int fd = hws_runtime_socket(runtime, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct pollfd entry = {.fd = hws_runtime_fd(runtime), .events = POLLIN};
    assert_fails(hws_connect(fd, (const struct sockaddr *)&sin, sizeof(sin)), EINPROGRESS);
    while (fd_poll(fd, POLLOUT, 0) != POLLOUT) {
        int timeout_ms = hws_runtime_timeout_ms(runtime);
        assert_true(timeout_ms >= 0);
        assert_true(poll(&entry, 1, timeout_ms) >= 0);
        assert_int_equal(hws_runtime_run(runtime), 0);
    }
    /* Blocking calls drive by themselves. */
    int there = hws_accept(server, NULL, NULL);
    assert_int_equal(hws_send(fd, "x", 1, 0), 1);
    assert_int_equal(hws_recv(there, buf, sizeof(buf), 0), 1);
    hws_close(fd);
    assert_int_equal(hws_recv(there, buf, sizeof(buf), 0), 0);
    hws_close(there);
    hws_close(server);
    hws_runtime_free(runtime);
}

static void drain(int fd)
{
    static uint8_t buf[65536];
    ssize_t len;
    do
        len = hws_recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
    while (len > 0);
    assert_int_equal(errno, EAGAIN);
}

static const uint8_t message[8192];

/* Sends `count` messages of 8 KB from `fd` to `there`, which `runtime` drives; how often there was
 * no room. */
static int send_to(struct hws_runtime *runtime, int fd, int there, int count)
{
    int refused = 0;
    for (int i = 0; i < count; i++) {
        refused += hws_send(fd, message, sizeof(message), MSG_DONTWAIT) < 0;
        assert_int_equal(hws_runtime_run(runtime), 0);
        drain(there);
    }
    return refused;
}

/* Who only sends hears of what arrived all the same, so that its buffer does not fill up. */
static void sending_looks_for_sacks(void **state)
{
    const struct sockaddr_in sin = fd_address(PORT + 2);
    const struct sctp_sack_info each = {.sack_freq = 1};
    int on = 1, sndbuf_bytes = 512 << 10;
    (void)state;
    struct hws_runtime *a = fd_runtime(29811, 29812, HWS_DRIVE_CALLER);
    struct hws_runtime *b = fd_runtime(29812, 29811, HWS_DRIVE_CALLER);
    int server = fd_listen(a, SOCK_STREAM, PORT + 2);
    assert_int_equal(hws_setsockopt(server, IPPROTO_SCTP, SCTP_DELAYED_SACK, &each, sizeof(each)),
                     0);
    int fd = hws_runtime_socket(b, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(hws_setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof(on)), 0);
    assert_int_equal(hws_setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf_bytes, sizeof(sndbuf_bytes)),
                     0);
    assert_fails(hws_connect(fd, (const struct sockaddr *)&sin, sizeof(sin)), EINPROGRESS);
    while (fd_poll(fd, POLLOUT, 1) != POLLOUT) {
        assert_int_equal(hws_runtime_run(a), 0);
        assert_int_equal(hws_runtime_run(b), 0);
    }
    int there = hws_accept(server, NULL, NULL);
    for (int i = 0; i < 200; i++) { /* cwnd grows: b has more to send than it allows */
        while (hws_send(fd, message, sizeof(message), MSG_DONTWAIT) > 0)
            ;
        assert_int_equal(hws_runtime_run(b), 0);
        send_to(a, fd, there, 1);
    }
    for (int i = 0; i < 200; i++) { /* and everything arrives */
        assert_int_equal(hws_runtime_run(b), 0);
        assert_int_equal(hws_runtime_run(a), 0);
        drain(there);
    }
    assert_in_range(send_to(a, fd, there, 500), 0, 50); /* without SACKs: 430 and more */
    hws_close(fd);
    hws_close(there);
    hws_close(server);
    hws_runtime_free(b);
    hws_runtime_free(a);
}

static void turn(struct hws_runtime *runtime)
{
    assert_true(hws_runtime_timeout_ms(runtime) >= -1);
    assert_int_equal(hws_runtime_run(runtime), 0);
}

static int begin_to(struct hws_runtime *runtime, uint16_t port)
{
    const struct sockaddr_in sin = fd_address(port);
    int fd = hws_runtime_socket(runtime, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_fails(hws_connect(fd, (const struct sockaddr *)&sin, sizeof(sin)), EINPROGRESS);
    return fd;
}

/* Datagrams that have come since it was asked last. */
static unsigned came(int udp)
{
    uint8_t packet[2048];
    unsigned count = 0;
    while (recv(udp, packet, sizeof(packet), MSG_DONTWAIT) > 0)
        count++;
    return count;
}

static void a_turn_sends_at_its_end(void **state)
{
    struct sockaddr_in silent = fd_address(29812);
    int fds[5], udp = socket(AF_INET, SOCK_DGRAM, 0);
    (void)state;
    assert_int_equal(bind(udp, (const struct sockaddr *)&silent, sizeof(silent)), 0);
    struct hws_runtime *runtime = fd_runtime(29813, 29812, HWS_DRIVE_CALLER);
    fds[0] = begin_to(runtime, PORT);
    assert_int_equal(came(udp), 1); /* nobody said that there is a loop */
    assert_int_equal(hws_runtime_run(runtime), 0);
    fds[1] = begin_to(runtime, PORT);
    assert_int_equal(came(udp), 1); /* it ran, but has not asked yet */
    turn(runtime);
    fds[2] = begin_to(runtime, PORT);
    fds[3] = begin_to(runtime, PORT);
    assert_int_equal(came(udp), 0);
    hws_runtime_timeout_ms(runtime);
    assert_int_equal(came(udp), 2);
    fds[4] = begin_to(runtime, PORT); /* the loop is about to sleep */
    assert_int_equal(came(udp), 1);
    for (size_t i = 0; i < 5; i++)
        hws_close(fds[i]);
    hws_runtime_free(runtime);
    close(udp);
}

/* A call that waits does not leave anything behind. */
static void a_call_that_waits_ends_the_turn(void **state)
{
    struct sockaddr_in silent = fd_address(29812);
    const struct timeval soon = {.tv_usec = 1000};
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    (void)state;
    assert_int_equal(bind(udp, (const struct sockaddr *)&silent, sizeof(silent)), 0);
    struct hws_runtime *runtime = fd_runtime(29813, 29812, HWS_DRIVE_CALLER);
    int waits = fd_listen(runtime, SOCK_STREAM, PORT + 2);
    assert_int_equal(hws_setsockopt(waits, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)), 0);
    turn(runtime);
    int fd = begin_to(runtime, PORT);
    assert_int_equal(came(udp), 0);
    assert_fails(hws_accept(waits, NULL, NULL), EAGAIN);
    assert_int_equal(came(udp), 1);
    hws_close(waits);
    hws_close(fd);
    hws_runtime_free(runtime);
    close(udp);
}

static void what_is_not_the_callers(void **state)
{
    struct fd_world *w = *state;
    assert_fails(hws_runtime_fd(w->a), EINVAL);
    assert_fails(hws_runtime_timeout_ms(w->a), EINVAL);
    assert_int_equal(hws_runtime_run(w->a), 0);
    assert_fails(hws_runtime_run(NULL), EFAULT);
}

/* Two threads that wait in one runtime without a thread: one leads, and hands over. */
static void *echo(void *arg)
{
    char buf[8];
    int fd = *(int *)arg;
    ssize_t len;
    while ((len = hws_recv(fd, buf, sizeof(buf), 0)) > 0)
        assert_int_equal(hws_send(fd, buf, (size_t)len, 0), len);
    assert_int_equal(len, 0);
    hws_close(fd);
    return NULL;
}

static void followers_take_over(void **state)
{
    const struct sockaddr_in sin = fd_address(PORT + 2);
    enum { PAIRS = 3, ROUNDS = 300 };
    pthread_t threads[PAIRS];
    int here[PAIRS], there[PAIRS];
    char buf[8];
    (void)state;
    struct hws_runtime *runtime = fd_runtime(29811, 29811, HWS_DRIVE_CALLER);
    int server = fd_listen(runtime, SOCK_STREAM, PORT + 2);
    for (int i = 0; i < PAIRS; i++) {
        here[i] = hws_runtime_socket(runtime, AF_INET, SOCK_STREAM, 0);
        assert_int_equal(hws_connect(here[i], (const struct sockaddr *)&sin, sizeof(sin)), 0);
        there[i] = hws_accept(server, NULL, NULL);
        pthread_create(&threads[i], NULL, echo, &there[i]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < PAIRS; i++)
            assert_int_equal(hws_send(here[i], "ping", 4, 0), 4);
        for (int i = 0; i < PAIRS; i++)
            assert_int_equal(hws_recv(here[i], buf, sizeof(buf), 0), 4);
    }
    for (int i = 0; i < PAIRS; i++)
        hws_close(here[i]);
    for (int i = 0; i < PAIRS; i++)
        pthread_join(threads[i], NULL);
    hws_close(server);
    hws_runtime_free(runtime);
}

static void *block_in_accept(void *arg)
{
    assert_fails(hws_accept(*(int *)arg, NULL, NULL), EBADF);
    return NULL;
}

/* A leader sleeps for as long as it likes, and nobody answers: the one that follows is due first.
 */
static void connect_beside_a_leader(enum hws_drive drive)
{
    const struct sockaddr_in silent = fd_address(29812), nobody = fd_address(PORT);
    const struct sctp_initmsg once = {.sinit_max_attempts = 1, .sinit_max_init_timeo = 20};
    const struct sctp_rtoinfo rto = {.srto_initial = 20, .srto_max = 20, .srto_min = 20};
    pthread_t thread;
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(udp, (const struct sockaddr *)&silent, sizeof(silent)), 0);
    struct hws_runtime *runtime = fd_runtime(29813, 29812, drive);
    int listener = fd_listen(runtime, SOCK_STREAM, PORT + 2);
    int fd = hws_runtime_socket(runtime, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(hws_setsockopt(fd, IPPROTO_SCTP, SCTP_INITMSG, &once, sizeof(once)), 0);
    assert_int_equal(hws_setsockopt(fd, IPPROTO_SCTP, SCTP_RTOINFO, &rto, sizeof(rto)), 0);
    pthread_create(&thread, NULL, block_in_accept, &listener);
    fd_await_waiters(listener, HWS_IN, 1);
    assert_fails(hws_connect(fd, (const struct sockaddr *)&nobody, sizeof(nobody)), ETIMEDOUT);
    hws_close(listener);
    pthread_join(thread, NULL);
    hws_close(fd);
    hws_runtime_free(runtime);
    close(udp);
}

static void deadlines_of_followers(void **state)
{
    (void)state;
    connect_beside_a_leader(HWS_DRIVE_THREAD);
    connect_beside_a_leader(HWS_DRIVE_CALLER);
}

static void *block_in_recv(void *arg)
{
    char buf[8];
    assert_fails(hws_recv(*(int *)arg, buf, sizeof(buf), 0), ESTALE);
    return NULL;
}

static void the_end_of_a_runtime(void **state)
{
    struct fd_world *w = *state;
    pthread_t threads[2];
    char buf[8];
    int there, here = fd_connect(w, &there);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, block_in_recv, &here);
    fd_await_waiters(here, HWS_IN, 2);
    hws_runtime_free(w->b);
    w->b = NULL;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_fails(hws_recv(there, buf, sizeof(buf), 0), ECONNRESET);
    assert_fails(hws_send(here, "x", 1, 0), ESTALE);
    assert_true((fd_poll(here, POLLIN, 0) & POLLHUP) != 0);
    assert_int_equal(hws_close(here), 0);
    assert_fails(hws_close(here), EBADF);
    hws_close(there);
}

/* ---- Numbers ---- */

static void numbers_come_again(void **state)
{
    struct fd_world *w = *state;
    int first = hws_runtime_socket(w->a, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(hws_close(first), 0);
    int again = hws_runtime_socket(w->b, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(again, first);
    hws_close(again);
}

static void a_number_closed_behind_our_back(void **state)
{
    struct fd_world *w = *state;
    char buf[8];
    int there, here = fd_connect(w, &there);
    assert_int_equal(hws_send(there, "x", 1, 0), 1);
    fd_expect(here, POLLIN | POLLOUT);
    close(here);
    int pipes[2];
    assert_int_equal(pipe(pipes), 0); /* one end has that number now */
    assert_int_equal(pipes[0], here);
    assert_int_equal(write(pipes[1], "mine", 4), 4);
    assert_int_equal(hws_recv(here, buf, sizeof(buf), 0), 1); /* takes nothing out of the pipe */
    assert_int_equal(read(pipes[0], buf, sizeof(buf)), 4);
    assert_fails(hws_close(here), EBADF);
    assert_int_equal(fcntl(pipes[0], F_GETFD), 0);
    assert_int_equal(hws_recv(there, buf, sizeof(buf), 0), 0); /* but the association has ended */
    close(pipes[0]);
    close(pipes[1]);
    hws_close(there);
    /* The library meets the number again: the old socket ends, the new one works. */
    here = fd_connect(w, &there);
    close(here);
    int again = hws_runtime_socket(w->a, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(again, here);
    assert_int_equal(hws_recv(there, buf, sizeof(buf), 0), 0);
    fd_expect(again, 0);
    assert_int_equal(hws_close(again), 0);
    hws_close(there);
}

/* ---- fork ---- */

static int in_child(const struct fd_world *w, int fd)
{
    char buf[8];
    errno = 0;
    if (hws_send(fd, "x", 1, 0) != -1 || errno != ESTALE)
        return 1;
    errno = 0;
    if (hws_recv(fd, buf, sizeof(buf), 0) != -1 || errno != ESTALE)
        return 2;
    errno = 0;
    if (hws_runtime_socket(w->a, AF_INET, SOCK_STREAM, 0) != -1 || errno != ESTALE)
        return 3;
    errno = 0;
    if (hws_close(fd) != -1 || errno != ESTALE || fcntl(fd, F_GETFD) != -1)
        return 4;
    hws_runtime_free(w->a);
    struct hws_runtime *own = fd_runtime(29812, 29812, HWS_DRIVE_THREAD);
    int made = hws_runtime_socket(own, AF_INET, SOCK_STREAM, 0);
    return made >= 0 && hws_close(made) == 0 ? 0 : 5;
}

static void a_child_has_nothing_of_it(void **state)
{
    struct fd_world *w = *state;
    char buf[8];
    int status, there, here = fd_connect(w, &there);
    pid_t child = fork();
    if (child == 0)
        _exit(in_child(w, here));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(hws_send(here, "y", 1, 0), 1); /* the parent goes on */
    assert_int_equal(hws_recv(there, buf, sizeof(buf), 0), 1);
    hws_close(here);
    hws_close(there);
}

/* ---- The default runtime ---- */

static int default_fails(const char *name, const char *value)
{
    setenv(name, value, 1);
    close(STDERR_FILENO);
    errno = 0;
    return hws_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP) == -1 && errno == EINVAL &&
                   strstr(hws_runtime_default_error(), name) != NULL
               ? 0
               : 1;
}

static int default_works(const char *name, const char *value)
{
    const struct sockaddr_in sin = fd_address(PORT + 3);
    char buf[8];
    setenv("HAWSER_LINK", "udp", 1);
    setenv("HAWSER_UDP_PORT", "29813", 1);
    setenv("HAWSER_PEER_UDP_PORT", "29813", 1);
    setenv(name, value, 1);
    int server = hws_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    int fd = hws_socket(AF_INET, SOCK_STREAM, 0);
    if (hws_bind(server, (const struct sockaddr *)&sin, sizeof(sin)) < 0 ||
        hws_listen(server, 1) < 0 ||
        hws_connect(fd, (const struct sockaddr *)&sin, sizeof(sin)) < 0)
        return 1;
    int there = hws_accept(server, NULL, NULL);
    return hws_send(fd, "x", 1, 0) == 1 && hws_recv(there, buf, sizeof(buf), 0) == 1 ? 0 : 2;
}

/* The shortest program: raw sockets, protocol 132, in a network namespace of its own. */
static int raw_works(const char *name, const char *value)
{
    const struct sockaddr_in sin = fd_address(PORT);
    struct sockaddr_in nobody = fd_address(PORT + 1);
    char buf[8];
    (void)name;
    (void)value;
    if (!netns_enter())
        return SKIPPED;
    int server = hws_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    int fd = hws_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    if (hws_bind(server, (const struct sockaddr *)&sin, sizeof(sin)) < 0 ||
        hws_listen(server, 1) < 0 ||
        hws_connect(fd, (const struct sockaddr *)&sin, sizeof(sin)) < 0)
        return 1;
    int there = hws_accept(server, NULL, NULL);
    if (hws_send(fd, "x", 1, 0) != 1 || hws_recv(there, buf, sizeof(buf), 0) != 1)
        return 2;
    int other = hws_socket(AF_INET, SOCK_STREAM, 0);
    setenv("HAWSER_LINK", "udp", 1); /* read once, before */
    errno = 0;
    const struct sctp_initmsg quick = {.sinit_max_attempts = 1, .sinit_max_init_timeo = 100};
    hws_setsockopt(other, IPPROTO_SCTP, SCTP_INITMSG, &quick, sizeof(quick));
    return hws_connect(other, (struct sockaddr *)&nobody, sizeof(nobody)) == -1 &&
                   errno == ETIMEDOUT
               ? 0
               : 3;
}

static int raw_needs_privilege(const char *name, const char *value)
{
    (void)name;
    (void)value;
    if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
        return SKIPPED;
    close(STDERR_FILENO);
    errno = 0;
    return hws_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP) == -1 && errno == EPERM &&
                   strstr(hws_runtime_default_error(), "CAP_NET_RAW") != NULL
               ? 0
               : 1;
}

static void check_child(int (*child)(const char *, const char *), const char *name,
                        const char *value)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(child(name, value));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == SKIPPED)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void raw_sockets_are_the_default(void **state)
{
    (void)state;
    check_child(raw_works, NULL, NULL);
    check_child(raw_needs_privilege, NULL, NULL);
}

static void environment_of_the_default_runtime(void **state)
{
    (void)state;
    check_child(default_works, "HAWSER_OWN_HOST", "1");
    check_child(default_fails, "HAWSER_LINK", "tcp");
    check_child(default_fails, "HAWSER_PROTOCOL", "0");
    check_child(default_fails, "HAWSER_PROTOCOL", "256");
    check_child(default_fails, "HAWSER_UDP_PORT", "x");
    check_child(default_fails, "HAWSER_PEER_UDP_PORT", "0");
    check_child(default_fails, "HAWSER_OWN_HOST", "yes");
    check_child(default_works, "HAWSER_SPIN_US", "100");
    check_child(default_fails, "HAWSER_SPIN_US", "1000001");
}

static void nothing_to_do_costs_nothing(void **state)
{
    struct fd_world *w = *state;
    struct timespec used;
    int there, here = fd_connect(w, &there);
    usleep(300000); /* delayed SACKs and the like */
    clock_t before = clock();
    usleep(500000);
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used), 0);
    assert_true(clock() - before < CLOCKS_PER_SEC / 100);
    hws_close(here);
    hws_close(there);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fd_setup, fd_teardown)

/* What the other end says while a runtime ends finds nobody. */
static void both_runtimes_end(void **state)
{
    for (unsigned round = 0; round < 50; round++) {
        int there;
        fd_setup(state);
        struct fd_world *w = *state;
        int here = fd_connect(w, &there);
        hws_runtime_free(w->b);
        hws_runtime_free(w->a);
        hws_close(here);
        hws_close(there);
        hws_close(w->server);
        free(w);
    }
}

/* Whose runtime has no IPv4 tells its peers of no IPv4 addresses. */
static void only_families_that_are_open_are_told(void **state)
{
    struct hws_runtime_config config;
    char error[HWS_ERROR_MAX];
    struct sockaddr_in6 server = {
        .sin6_family = AF_INET6, .sin6_port = htons(PORT), .sin6_addr = in6addr_loopback};
    struct sockaddr *addrs;
    (void)state;
    hws_runtime_config_init(&config);
    config.udp = true;
    config.udp_port = 29841;
    config.ipv4 = false;
    struct hws_runtime *there = hws_runtime_new(&config, error);
    config.udp_port = 0;
    config.peer_udp_port = 29841;
    config.ipv4 = true;
    struct hws_runtime *here = hws_runtime_new(&config, error);
    int listener = hws_runtime_socket(there, AF_INET6, SOCK_STREAM, IPPROTO_SCTP);
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    assert_int_equal(hws_bind(listener, (struct sockaddr *)&any, sizeof any), 0);
    assert_int_equal(hws_listen(listener, 1), 0);
    int fd = hws_runtime_socket(here, AF_INET6, SOCK_STREAM, IPPROTO_SCTP);
    assert_int_equal(hws_connect(fd, (struct sockaddr *)&server, sizeof server), 0);
    int count = hws_getpaddrs(fd, 0, &addrs);
    assert_true(count > 0);
    const char *at = (const char *)addrs;
    for (int i = 0; i < count; i++) {
        const struct sockaddr_in6 *name = (const void *)at;
        assert_int_equal(name->sin6_family, AF_INET6);
        assert_false(IN6_IS_ADDR_V4MAPPED(&name->sin6_addr));
        at += sizeof *name;
    }
    hws_freepaddrs(addrs);
    hws_runtime_free(here);
    hws_runtime_free(there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_drives),
        cmocka_unit_test(sending_looks_for_sacks),
        cmocka_unit_test(a_turn_sends_at_its_end),
        cmocka_unit_test(a_call_that_waits_ends_the_turn),
        TEST(what_is_not_the_callers),
        cmocka_unit_test(followers_take_over),
        cmocka_unit_test(deadlines_of_followers),
        TEST(the_end_of_a_runtime),
        TEST(numbers_come_again),
        TEST(a_number_closed_behind_our_back),
        TEST(a_child_has_nothing_of_it),
        cmocka_unit_test(raw_sockets_are_the_default),
        cmocka_unit_test(environment_of_the_default_runtime),
        TEST(nothing_to_do_costs_nothing),
        cmocka_unit_test(both_runtimes_end),
        cmocka_unit_test(only_families_that_are_open_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
