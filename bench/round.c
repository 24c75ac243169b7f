#include "bench/round.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_ROUNDS 5
#define DEFAULT_SECONDS 1.0
/* A round that takes this much longer than asked for hangs. */
#define HANG_SECONDS 30

struct options {
    int rounds;
    double seconds;
    const char *only; /* one contender's name; NULL: all in turn */
};

static const char usage_text[] =
    "usage: %s [-r ROUNDS] [-s SECONDS] [-o CONTENDER]\n"
    "  -r ROUNDS     rounds of each contender, in turn (default %d)\n"
    "  -s SECONDS    length of a round (default %.0f)\n"
    "  -o CONTENDER  only this one; in this process when ROUNDS is 1, for a profiler\n";

double bench_wall_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

double bench_cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

static double value_of(const struct bench_row *row, const struct bench_round *round)
{
    switch (row->unit) {
    case BENCH_MMSG_PER_S:
        return (double)round->messages / round->wall_s / 1e6;
    case BENCH_K_PER_S:
        return (double)round->messages / round->wall_s / 1e3;
    case BENCH_RESIDENT_BYTES:
        return (double)round->resident_bytes / (double)round->messages;
    case BENCH_GBIT_PER_S:
        break;
    }
    return (double)round->bytes * 8 / round->wall_s / 1e9;
}

/* The cores this process may run on, as "0" or "0,1". */
static void print_place(void)
{
    cpu_set_t cores;
    const char *comma = "";
    CPU_ZERO(&cores);
    sched_getaffinity(0, sizeof cores, &cores);
    printf(" place=");
    for (size_t i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, &cores))
            continue;
        printf("%s%zu", comma, i);
        comma = ",";
    }
}

static const char *const units[] = {
    [BENCH_GBIT_PER_S] = "Gbit/s",
    [BENCH_MMSG_PER_S] = "Mmsg/s",
    [BENCH_K_PER_S] = "k/s",
    [BENCH_RESIDENT_BYTES] = "bytes",
};

static void print_round(const struct bench_row *row, const char *contender,
                        const struct bench_round *r)
{
    printf("round row=%s layer=engine", row->name);
    print_place();
    printf(" wait=none unit=%s contender=%s value=%.4f%s", units[row->unit], contender,
           value_of(row, r), row->unit == BENCH_RESIDENT_BYTES ? " better=low" : "");
    printf(" messages=%" PRIu64 " bytes=%" PRIu64 " wall_s=%.4f cpu_s=%.4f packets=%" PRIu64,
           r->messages, r->bytes, r->wall_s, r->cpu_s, r->packets);
    printf(" trains=%" PRIu64 " sacks=%" PRIu64 " retransmits=%" PRIu64 " timeouts=%" PRIu64 "\n",
           r->trains, r->sacks, r->retransmits, r->timeouts);
    fflush(stdout);
}

enum result { MEASURED, FAILED, NOTHING };

static enum result measure(const struct bench_row *row, const struct bench_contender *contender,
                           double seconds)
{
    struct bench_round round = {0};
    alarm((unsigned)seconds + HANG_SECONDS);
    bool good = contender->measure(row, seconds, &round);
    if (good && round.messages > 0) {
        print_round(row, contender->name, &round);
        return MEASURED;
    }
    fprintf(stderr, "%s: %s %s\n", row->name, contender->name,
            good ? "delivered nothing" : "failed");
    return good ? NOTHING : FAILED;
}

static bool measure_here(const struct bench_row *row, const struct bench_contender *contender,
                         double seconds)
{
    return measure(row, contender, seconds) == MEASURED;
}

/* A process that got no core for all of a short round has to have another, longer one. */
static bool measure_apart(const struct bench_row *row, const struct bench_contender *contender,
                          double seconds)
{
    int status;
    do {
        pid_t pid = fork();
        if (pid == 0)
            _exit((int)measure(row, contender, seconds));
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            return false;
        seconds *= 2;
    } while (WIFEXITED(status) && WEXITSTATUS(status) == NOTHING && seconds < HANG_SECONDS);
    return status == 0;
}

static bool read_options(struct options *options, int argc, char *argv[])
{
    int option;
    while ((option = getopt(argc, argv, "r:s:o:")) != -1) {
        if (option == 'r')
            options->rounds = atoi(optarg);
        else if (option == 's')
            options->seconds = atof(optarg);
        else if (option == 'o')
            options->only = optarg;
        else
            return false;
    }
    return optind == argc && options->rounds > 0 && options->seconds > 0;
}

int bench_rounds(const struct bench_row *row, const struct bench_contender *contenders,
                 size_t contender_count, int argc, char *argv[])
{
    struct options options = {.rounds = DEFAULT_ROUNDS, .seconds = DEFAULT_SECONDS};
    if (!read_options(&options, argc, argv)) {
        fprintf(stderr, usage_text, argv[0], DEFAULT_ROUNDS, DEFAULT_SECONDS);
        return 2;
    }
    bool here = options.only != NULL && options.rounds == 1;
    bool good = true;
    for (int i = 0; i < options.rounds; i++) {
        for (size_t c = 0; c < contender_count; c++) {
            if (options.only != NULL && strcmp(options.only, contenders[c].name) != 0)
                continue;
            good &= (here ? measure_here : measure_apart)(row, &contenders[c], options.seconds);
        }
    }
    return good ? 0 : 1;
}
