/* The roles of an exchange of small messages, the same for every contender: one side asks and
 * measures round trips, or one side sends at a steady rate and the other measures how long its
 * messages lay between the kernel and the application. Both print the percentiles of what they
 * measured; warm-up is left out. */
#include "bench/latency.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "bench/round.h"

#define MESSAGE_MAX 1400u
#define SAMPLES_MAX (4u << 20)
#define WARMUP_S 0.2
/* No process of a benchmark outlives it by more than this. */
#define HANG_SECONDS 30
#define NS_PER_S 1000000000u

static struct {
    bool spin;
    size_t message_bytes;
    double seconds;
    unsigned rate; /* messages a second */
} options = {.message_bytes = 64, .seconds = 1, .rate = 20000};

static uint8_t message[MESSAGE_MAX];
static uint32_t *samples_ns;
static size_t sample_count;
static double begin_s, begin_cpu_s, end_s;
static uint64_t last_ns;

static const char usage_text[] =
    "usage: %s [-b] echo|take ADDRESS\n"
    "       %s [-b] [-m BYTES] [-s SECONDS] ping ADDRESS\n"
    "       %s [-b] [-m BYTES] [-s SECONDS] [-r MESSAGES_PER_S] pace ADDRESS\n"
    "  -b  busy: wait without sleeping\n"
    "  ping measures round trips with echo; take measures what pace sends\n";

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* ---- Figures ---- */

static void add_sample(uint64_t ns, uint64_t now_ns)
{
    double now_s = (double)now_ns / NS_PER_S;
    if (begin_s == 0)
        begin_s = now_s + WARMUP_S;
    if (now_s < begin_s || sample_count == SAMPLES_MAX)
        return;
    if (sample_count == 0)
        begin_cpu_s = bench_cpu_s();
    samples_ns[sample_count++] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
    end_s = now_s;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double percentile_us(double share)
{
    size_t at = (size_t)((double)sample_count * share);
    return sample_count == 0 ? 0 : samples_ns[at < sample_count ? at : sample_count - 1] / 1e3;
}

/* The one line scripts read. */
static void print_figures(const char *role)
{
    double cpu_s = bench_cpu_s() - begin_cpu_s;
    qsort(samples_ns, sample_count, sizeof *samples_ns, compare);
    printf("latency contender=%s role=%s messages=%zu wall_s=%.4f cpu_s=%.4f", bench_latency_name,
           role, sample_count, end_s - begin_s, cpu_s);
    printf(" p50_us=%.2f p99_us=%.2f p999_us=%.2f\n", percentile_us(0.5), percentile_us(0.99),
           percentile_us(0.999));
    fflush(stdout);
}

void bench_latency_ready(void)
{
    printf("listening\n");
    fflush(stdout);
}

bool bench_latency_went_round(void)
{
    uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    add_sample(now_ns - last_ns, now_ns);
    last_ns = now_ns;
    return (double)now_ns / NS_PER_S < begin_s + options.seconds;
}

void bench_latency_arrived(uint64_t stamp_ns)
{
    uint64_t delay_ns = clock_ns(CLOCK_REALTIME) - stamp_ns;
    add_sample(delay_ns, clock_ns(CLOCK_MONOTONIC));
}

/* ---- Roles ---- */

static bool echo(const struct sockaddr_in *address)
{
    if (!bench_latency_accept(address) || !bench_latency_echo())
        return false;
    print_figures("echo");
    return true;
}

static bool take(const struct sockaddr_in *address)
{
    if (!bench_latency_accept(address) || !bench_latency_take())
        return false;
    print_figures("take");
    return sample_count > 0;
}

static bool ping(const struct sockaddr_in *address)
{
    if (!bench_latency_connect(address))
        return false;
    last_ns = clock_ns(CLOCK_MONOTONIC);
    bool good = bench_latency_ping(message, options.message_bytes);
    print_figures("ping");
    return good && sample_count > 0;
}

/* Asleep, so that a stack's own thread gets the core. */
static void wait_until(uint64_t due_ns)
{
    const struct timespec due = {.tv_sec = (time_t)(due_ns / NS_PER_S),
                                 .tv_nsec = (long)(due_ns % NS_PER_S)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
        ;
}

static bool pace(const struct sockaddr_in *address)
{
    if (!bench_latency_connect(address))
        return false;
    prctl(PR_SET_TIMERSLACK, 1);
    uint64_t step_ns = NS_PER_S / options.rate, due_ns = clock_ns(CLOCK_MONOTONIC);
    uint64_t count = (uint64_t)((options.seconds + WARMUP_S) * options.rate);
    for (uint64_t i = 0; i < count; i++, due_ns += step_ns) {
        wait_until(due_ns);
        if (!bench_latency_send(message, options.message_bytes))
            return false;
    }
    print_figures("pace");
    return true;
}

static const struct {
    const char *name;
    bool (*run)(const struct sockaddr_in *address);
    bool listens;
} roles[] = {
    {"echo", echo, true}, {"take", take, true}, {"ping", ping, false}, {"pace", pace, false}};

#define ROLES (sizeof roles / sizeof roles[0])

static size_t role_of(const char *name)
{
    size_t i = 0;
    while (i < ROLES && strcmp(roles[i].name, name) != 0)
        i++;
    return i;
}

static bool read_options(int argc, char *argv[])
{
    int option;
    while ((option = getopt(argc, argv, "bm:s:r:")) != -1) {
        if (option == 'b')
            options.spin = true;
        else if (option == 'm')
            options.message_bytes = strtoul(optarg, NULL, 10);
        else if (option == 's')
            options.seconds = atof(optarg);
        else if (option == 'r')
            options.rate = (unsigned)strtoul(optarg, NULL, 10);
        else
            return false;
    }
    return argc == optind + 2 && options.message_bytes > 0 && options.rate > 0 &&
           options.message_bytes <= MESSAGE_MAX && options.seconds > 0;
}

static bool run(size_t role, const struct sockaddr_in *address)
{
    if (!bench_latency_start(roles[role].listens, options.spin))
        return false;
    bool good = roles[role].run(address);
    bench_latency_end();
    return good;
}

int main(int argc, char *argv[])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(BENCH_LATENCY_PORT)};
    if (!read_options(argc, argv) || role_of(argv[optind]) == ROLES ||
        inet_pton(AF_INET, argv[optind + 1], &address.sin_addr) != 1) {
        fprintf(stderr, usage_text, argv[0], argv[0], argv[0]);
        return 2;
    }
    alarm((unsigned)options.seconds + HANG_SECONDS);
    /* Touched before anything is measured. */
    samples_ns = malloc(SAMPLES_MAX * sizeof *samples_ns);
    if (samples_ns != NULL)
        memset(samples_ns, 0xff, SAMPLES_MAX * sizeof *samples_ns);
    errno = 0;
    if (samples_ns != NULL && run(role_of(argv[optind]), &address))
        return 0;
    fprintf(stderr, "%s %s: failed: %s\n", bench_latency_name, argv[optind], strerror(errno));
    return 1;
}
