/* The emulated link as it is used: bench_emu between two network namespaces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/netns.h"

#define PACKETS 2000u
#define PORT 5001
/* So many wait in the receiver's socket at most. */
#define AHEAD 256
/* The kernel says a word of its own on a new interface (MLD): perhaps the link has it at its end.
 */
#define STRAY 4
/* Nothing comes for so long: it is over. */
#define SILENCE_MS 500
#define START_MS 20000

static const char *program;

/* Two namespaces, the link's process, and a UDP socket at each end of it. */
struct link {
    int spaces[2];
    int sockets[2];
    pid_t pid;
    FILE *words; /* what the process says */
};

struct counts {
    uint64_t in, out, lost, overflow, held;
};

static struct sockaddr_in address(int end)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    a.sin_addr.s_addr = htonl(0x0a4f0001u + (uint32_t)end);
    return a;
}

static void enter(const struct link *link, int end)
{
    assert_int_equal(setns(link->spaces[end], CLONE_NEWNET), 0);
}

static void make_spaces(struct link *link)
{
    for (int end = 0; end < 2; end++) {
        assert_int_equal(unshare(CLONE_NEWNET), 0);
        link->spaces[end] = open("/proc/self/ns/net", O_RDONLY);
        assert_true(link->spaces[end] >= 0);
    }
}

/* Not returning: the link's process, whose words go to `out`. */
static void become_link(const struct link *link, int out, const char *const options[])
{
    char paths[2][32];
    const char *argv[16] = {program};
    size_t count = 1;
    for (; *options != NULL; options++)
        argv[count++] = *options;
    for (int end = 0; end < 2; end++) {
        snprintf(paths[end], sizeof paths[end], "/proc/self/fd/%d", link->spaces[end]);
        argv[count++] = paths[end];
    }
    argv[count] = NULL;
    dup2(out, STDOUT_FILENO);
    execv(program, (char **)argv);
    _exit(127);
}

static void start_link(struct link *link, const char *const options[])
{
    char line[64];
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    link->pid = fork();
    assert_true(link->pid >= 0);
    if (link->pid == 0)
        become_link(link, fds[1], options);
    close(fds[1]);
    link->words = fdopen(fds[0], "r");
    struct pollfd news = {.fd = fds[0], .events = POLLIN};
    assert_int_equal(poll(&news, 1, START_MS), 1);
    assert_non_null(fgets(line, sizeof line, link->words));
    assert_string_equal(line, "ready\n");
}

/* The device gets its address, and a socket is bound to that. */
static void open_end(struct link *link, int end)
{
    struct sockaddr_in mask = {.sin_family = AF_INET}, local = address(end);
    struct ifreq ifr = {.ifr_name = "emu0"};
    enter(link, end);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_true(fd >= 0);
    memcpy(&ifr.ifr_addr, &local, sizeof local);
    assert_int_equal(ioctl(fd, SIOCSIFADDR, &ifr), 0);
    mask.sin_addr.s_addr = htonl(0xffffff00u);
    memcpy(&ifr.ifr_netmask, &mask, sizeof mask);
    assert_int_equal(ioctl(fd, SIOCSIFNETMASK, &ifr), 0);
    ifr.ifr_flags = IFF_UP | IFF_RUNNING | IFF_POINTOPOINT | IFF_NOARP;
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &ifr), 0);
    int size = 8 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    assert_int_equal(bind(fd, (struct sockaddr *)&local, sizeof local), 0);
    link->sockets[end] = fd;
}

static void link_up(struct link *link, const char *const options[])
{
    make_spaces(link);
    start_link(link, options);
    open_end(link, 0);
    open_end(link, 1);
}

/* Ends the link and reads what it counted in the direction from end 0. */
static struct counts link_down(struct link *link)
{
    struct counts c;
    char line[512];
    int status = -1;
    kill(link->pid, SIGTERM);
    assert_non_null(fgets(line, sizeof line, link->words));
    assert_int_equal(sscanf(line,
                            "emu direction=a-b in=%" SCNu64 " out=%" SCNu64
                            " bytes=%*u lost=%" SCNu64 " overflow=%" SCNu64 " held=%" SCNu64,
                            &c.in, &c.out, &c.lost, &c.overflow, &c.held),
                     5);
    assert_int_equal(waitpid(link->pid, &status, 0), link->pid);
    assert_int_equal(status, 0);
    fclose(link->words);
    for (int end = 0; end < 2; end++) {
        close(link->sockets[end]);
        close(link->spaces[end]);
    }
    return c;
}

static void send_numbered(const struct link *link, uint32_t number, size_t len)
{
    uint8_t packet[1400] = {0};
    struct sockaddr_in to = address(1);
    memcpy(packet, &number, sizeof number);
    assert_int_equal(sendto(link->sockets[0], packet, len, 0, (struct sockaddr *)&to, sizeof to),
                     len);
}

/* The number of the next packet, -1 when there is silence. */
static int64_t receive_numbered(const struct link *link, int wait_ms)
{
    struct pollfd news = {.fd = link->sockets[1], .events = POLLIN};
    uint32_t number;
    if (poll(&news, 1, wait_ms) != 1)
        return -1;
    assert_true(recv(link->sockets[1], &number, sizeof number, MSG_TRUNC) >= 4);
    return number;
}

struct arrivals {
    uint64_t count, overtaken;
    int64_t last;
};

static void note(struct arrivals *a, int64_t number)
{
    a->count++;
    a->overtaken += number < a->last;
    a->last = number > a->last ? number : a->last;
}

static struct arrivals send_all(const struct link *link, size_t len)
{
    struct arrivals a = {.last = -1};
    int64_t number;
    for (uint32_t i = 0; i < PACKETS; i++) {
        send_numbered(link, i, len);
        while ((number = receive_numbered(link, i - a.last > AHEAD ? SILENCE_MS : 0)) >= 0)
            note(&a, number);
    }
    while ((number = receive_numbered(link, SILENCE_MS)) >= 0)
        note(&a, number);
    return a;
}

/* How many of the first packets the seed of that direction loses. */
static uint64_t expected_lost(uint64_t seed, uint64_t count, uint32_t ppm)
{
    uint64_t lost = 0, state = seed;
    for (uint64_t i = 0; i < count; i++) {
        state += 0x9e3779b97f4a7c15u;
        uint64_t z = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        z ^= z >> 31;
        lost += (z & UINT32_MAX) * 1000000 >> 32 < ppm;
    }
    return lost;
}

static void all_packets_arrive_in_order(void **state)
{
    (void)state;
    struct link link;
    link_up(&link, (const char *const[]){"-d", "2000", NULL});
    struct arrivals a = send_all(&link, 100);
    struct counts c = link_down(&link);
    assert_int_equal(a.count, PACKETS);
    assert_int_equal(a.overtaken, 0);
    assert_in_range(c.in, c.out, c.out + STRAY);
    assert_true(c.out >= PACKETS && c.lost + c.overflow + c.held == 0);
}

static void losses_follow_the_seed(void **state)
{
    (void)state;
    struct link link;
    link_up(&link, (const char *const[]){"-d", "1000", "-l", "20000", "-x", "7", NULL});
    struct arrivals a = send_all(&link, 100);
    struct counts c = link_down(&link);
    assert_int_equal(c.lost, expected_lost(14, c.in, 20000));
    assert_in_range(c.in, c.out + c.lost, c.out + c.lost + STRAY);
    assert_true(c.lost > 0 && a.overtaken == 0);
    assert_in_range(a.count, PACKETS - c.lost, PACKETS);
}

/* 8 Mbit/s and room for ten packets of 1,028 bytes: most of a burst finds the queue full. */
static void a_full_queue_is_counted(void **state)
{
    (void)state;
    struct link link;
    link_up(&link, (const char *const[]){"-r", "8", "-q", "10280", NULL});
    struct arrivals a = send_all(&link, 1000);
    struct counts c = link_down(&link);
    assert_true(c.overflow > 0 && a.overtaken == 0);
    assert_in_range(c.in, c.out + c.overflow, c.out + c.overflow + STRAY);
    assert_in_range(a.count, PACKETS - c.overflow, PACKETS);
}

static void some_are_overtaken(void **state)
{
    (void)state;
    struct link link;
    link_up(&link, (const char *const[]){"-d", "1000", "-o", "50000", "-O", "20000", NULL});
    struct arrivals a = send_all(&link, 100);
    struct counts c = link_down(&link);
    assert_int_equal(a.count, PACKETS);
    assert_true(c.held > 0 && a.overtaken > 0 && a.overtaken <= c.held);
}

int main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_packets_arrive_in_order),
        cmocka_unit_test(losses_follow_the_seed),
        cmocka_unit_test(a_full_queue_is_counted),
        cmocka_unit_test(some_are_overtaken),
    };
    if (argc != 2)
        return 2;
    program = argv[1];
    if (!netns_enter())
        return 77;
    if (access("/dev/net/tun", R_OK | W_OK) != 0) {
        printf("SKIP: /dev/net/tun: %s\n", strerror(errno));
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
