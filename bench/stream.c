/* The roles of a bulk transfer, the same for every contender. The sink's clock counts: it runs from
 * the first byte received to the last, warm-up left out, and each side counts its own CPU time. */
#include "bench/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/round.h"

#define MESSAGE_MAX (1u << 20)
#define RECEIVE_BYTES (256u << 10)
/* Looked at the clock this often. */
#define CLOCK_MESSAGES 16u
/* Congestion windows open in this time. */
#define WARMUP_S 0.2
/* No process of a benchmark outlives it by more than this. */
#define HANG_SECONDS 30

static uint8_t message[MESSAGE_MAX], buffer[RECEIVE_BYTES];

struct options {
    struct bench_stream_config stack;
    size_t message_bytes;
    double seconds;
    bool cut;
};

struct figures {
    uint64_t bytes;
    double wall_s, cpu_s;
};

static const char usage_text[] =
    "usage: %s [OPTION..] sink ADDRESS               take one association's data\n"
    "       %s [OPTION..] [-m BYTES] [-s SECONDS] source ADDRESS   send for SECONDS\n"
    "  -u  in UDP, RFC 6951; otherwise IP protocol 132\n"
    "  -l  by this link: raw, packet or xdp (hawser)\n"
    "  -i  the interface, which xdp has to be told\n"
    "  -p  the path's MTU, which usrsctp has to be told\n"
    "  -c  for slow paths: the sink leaves after SECONDS, with whatever is still on its way; the\n"
    "      source prints its figures then, and sends until it is ended\n";

static struct figures figures_now(uint64_t bytes)
{
    return (struct figures){.bytes = bytes, .wall_s = bench_wall_s(), .cpu_s = bench_cpu_s()};
}

/* The one line scripts read. */
static void print_figures(const char *role, struct figures from, struct figures to)
{
    printf("stream contender=%s role=%s bytes=%" PRIu64
           " wall_s=%.4f cpu_s=%.4f retransmits=%" PRIu64 "\n",
           bench_stream_name, role, to.bytes - from.bytes, to.wall_s - from.wall_s,
           to.cpu_s - from.cpu_s, bench_stream_retransmits());
    fflush(stdout);
}

static bool run_source(const struct options *options, const struct sockaddr_in *remote)
{
    if (!bench_stream_start(&options->stack, false) || !bench_stream_connect(remote))
        return false;
    struct figures from = {0}, to = figures_now(0);
    double begin_s = to.wall_s;
    for (uint64_t sent = 0; to.wall_s < begin_s + options->seconds + WARMUP_S; sent++) {
        if (!bench_stream_send(message, options->message_bytes))
            return false;
        if (options->cut || sent % CLOCK_MESSAGES == 0)
            to = figures_now(sent * options->message_bytes);
        if (from.bytes == 0 && to.wall_s > begin_s + WARMUP_S)
            from = to;
    }
    bool good = options->cut || bench_stream_shutdown();
    print_figures("source", from, to);
    while (options->cut && bench_stream_send(message, options->message_bytes))
        continue;
    bench_stream_end();
    return good;
}

/* Until the association ends, or time is up; false when it broke. How long the end itself takes is
 * not counted. */
static bool take_all(const struct options *options, struct figures *from, struct figures *to)
{
    double begin_s = 0, most_s = options->cut ? options->seconds + WARMUP_S : HUGE_VAL;
    ssize_t len = 0;
    while (to->wall_s - begin_s < most_s &&
           (len = bench_stream_receive(buffer, sizeof buffer)) > 0) {
        to->bytes += (uint64_t)len;
        to->wall_s = bench_wall_s();
        begin_s = begin_s == 0 ? to->wall_s : begin_s;
        if (from->bytes == 0 && to->wall_s > begin_s + WARMUP_S)
            *from = figures_now(to->bytes);
    }
    to->cpu_s = bench_cpu_s();
    return len >= 0;
}

static bool run_sink(const struct options *options, const struct sockaddr_in *local)
{
    if (!bench_stream_start(&options->stack, true) || !bench_stream_listen(local))
        return false;
    printf("listening\n");
    fflush(stdout);
    if (!bench_stream_accept())
        return false;
    struct figures from = {0}, to = {0};
    bool good = take_all(options, &from, &to);
    print_figures("sink", from, to);
    if (!options->cut)
        bench_stream_end();
    return good && from.bytes > 0;
}

static bool read_options(struct options *options, int argc, char *argv[])
{
    int option;
    while ((option = getopt(argc, argv, "ul:i:p:m:s:c")) != -1) {
        if (option == 'u')
            options->stack.udp = true;
        else if (option == 'c')
            options->cut = true;
        else if (option == 'l')
            options->stack.link = optarg;
        else if (option == 'i')
            options->stack.interface = optarg;
        else if (option == 'p')
            options->stack.path_mtu = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'm')
            options->message_bytes = strtoul(optarg, NULL, 10);
        else if (option == 's')
            options->seconds = atof(optarg);
        else
            return false;
    }
    return argc == optind + 2 && options->message_bytes > 0 &&
           options->message_bytes <= MESSAGE_MAX && options->seconds > 0;
}

int main(int argc, char *argv[])
{
    struct options options = {.message_bytes = 65536, .seconds = 1};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(BENCH_STREAM_PORT)};
    if (!read_options(&options, argc, argv) ||
        inet_pton(AF_INET, argv[optind + 1], &address.sin_addr) != 1) {
        fprintf(stderr, usage_text, argv[0], argv[0]);
        return 2;
    }
    alarm((unsigned)options.seconds + HANG_SECONDS);
    errno = 0;
    bool sink = strcmp(argv[optind], "sink") == 0;
    if ((sink ? run_sink : run_source)(&options, &address))
        return 0;
    fprintf(stderr, "%s %s: failed: %s\n", bench_stream_name, argv[optind], strerror(errno));
    return 1;
}
