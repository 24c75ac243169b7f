/* The roles of a bare part: the source sends for a time, the sink takes until nothing comes any
 * more. The lines printed are those of stream.c, so that the same script runs both. */
#include "bench/bare.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/round.h"

/* As stream.c leaves out. */
#define WARMUP_S 0.2
/* The source has ended when nothing came for so long. */
#define SILENCE_MS 300
/* The first packet has to come in this time. */
#define FIRST_MS 10000
/* No process of a benchmark outlives it by more than this. */
#define HANG_SECONDS 30
/* Looked at the clock once in so many batches. */
#define CLOCK_BATCHES 8u

struct figures {
    uint64_t bytes;
    double wall_s, cpu_s;
};

static const char usage_text[] =
    "usage: %s [-p BYTES] [-H] [-i INTERFACE] sink ADDRESS               take what comes\n"
    "       %s [-p BYTES] [-H] [-i INTERFACE] [-s SECONDS] source ADDRESS   send for SECONDS\n"
    "  -p  size of IP packets (default 1500)\n"
    "  -H  raw: the source writes the IP header\n"
    "  -i  the interface, which links below IP have to be told\n"
    "  -m  accepted and ignored: there are no messages\n";

static struct figures figures_now(uint64_t bytes)
{
    return (struct figures){.bytes = bytes, .wall_s = bench_wall_s(), .cpu_s = bench_cpu_s()};
}

static void print_figures(const char *role, struct figures from, struct figures to)
{
    printf("stream contender=limit role=%s bytes=%" PRIu64 " wall_s=%.4f cpu_s=%.4f"
           " retransmits=0\n",
           role, to.bytes - from.bytes, to.wall_s - from.wall_s, to.cpu_s - from.cpu_s);
    fflush(stdout);
}

void bare_set_buffers(int fd)
{
    int rcvbuf = BARE_RCVBUF_BYTES, sndbuf = BARE_SNDBUF_BYTES;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof rcvbuf) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &sndbuf, sizeof sndbuf) != 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof sndbuf);
}

static bool run_source(const struct bare_options *options)
{
    int fd = bare_open_source(options);
    struct figures from = {0}, to = figures_now(0);
    double begin_s = to.wall_s;
    uint64_t bytes = 0;
    for (unsigned i = 0; fd >= 0 && to.wall_s < begin_s + options->seconds + WARMUP_S; i++) {
        ssize_t sent = bare_send();
        if (sent < 0)
            return false;
        bytes += (uint64_t)sent;
        if (sent == 0)
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, SILENCE_MS);
        if (i % CLOCK_BATCHES == 0)
            to = figures_now(bytes);
        if (from.bytes == 0 && to.wall_s > begin_s + WARMUP_S)
            from = to;
    }
    print_figures("source", from, to);
    return fd >= 0;
}

/* Until nothing comes any more; false on an error. */
static bool take_all(int epoll, struct figures *from, struct figures *to)
{
    struct epoll_event event;
    double begin_s = 0;
    for (;;) {
        ssize_t len = bare_receive();
        if (len < 0)
            return false;
        if (len == 0 && epoll_wait(epoll, &event, 1, begin_s == 0 ? FIRST_MS : SILENCE_MS) <= 0)
            return begin_s > 0;
        if (len == 0)
            continue;
        *to = figures_now(to->bytes + (uint64_t)len);
        begin_s = begin_s == 0 ? to->wall_s : begin_s;
        if (from->bytes == 0 && to->wall_s > begin_s + WARMUP_S)
            *from = *to;
    }
}

static bool run_sink(const struct bare_options *options)
{
    int fd = bare_open_sink(options), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (fd < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        return false;
    printf("listening\n");
    fflush(stdout);
    struct figures from = {0}, to = {0};
    bool good = take_all(epoll, &from, &to);
    print_figures("sink", from, to);
    return good && from.bytes > 0;
}

static bool read_options(struct bare_options *options, int argc, char *argv[])
{
    int option;
    while ((option = getopt(argc, argv, "p:s:m:Hi:")) != -1) {
        if (option == 'p')
            options->packet_bytes = strtoul(optarg, NULL, 10);
        else if (option == 'H')
            options->own_header = true;
        else if (option == 'i')
            options->interface = optarg;
        else if (option == 's')
            options->seconds = atof(optarg);
        else if (option != 'm')
            return false;
    }
    return argc == optind + 2 && options->packet_bytes > 2 * BARE_IPV4_HEADER &&
           options->packet_bytes <= BARE_PACKET_MAX && options->seconds > 0;
}

int main(int argc, char *argv[])
{
    struct bare_options options = {
        .packet_bytes = 1500,
        .seconds = 1,
        .sink = {.sin_family = AF_INET, .sin_port = htons(BARE_PORT)},
    };
    if (!read_options(&options, argc, argv) ||
        inet_pton(AF_INET, argv[optind + 1], &options.sink.sin_addr) != 1) {
        fprintf(stderr, usage_text, argv[0], argv[0]);
        return 2;
    }
    alarm((unsigned)options.seconds + HANG_SECONDS);
    errno = 0;
    bool sink = strcmp(argv[optind], "sink") == 0;
    if ((sink ? run_sink : run_source)(&options))
        return 0;
    fprintf(stderr, "bare %s: failed: %s\n", argv[optind], strerror(errno));
    return 1;
}
