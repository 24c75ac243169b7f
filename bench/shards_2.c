/* How much more do two shards carry than one? 64 associations in all, 8 KB messages, in memory;
 * each shard is a thread pinned to a core of its own.
 *
 *     hawser             two shards in two threads
 *     limit              one shard in one thread with all associations, counted twice
 *     hawser-1           the same, counted once
 *     hawser-processes   two stacks that know nothing of each other, in two processes: what the
 *                        machine gives to whoever uses both cores */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/shard.h"

#define SHARDS 2u
#define ASSOCS 64u
/* Long enough for congestion windows to open and for memory to be touched once. */
#define WARMUP_S 0.3

/* What the workers of a round share. Each writes what it measured at the end, once. */
struct job {
    const struct bench_row *row;
    double seconds;
    uint32_t workers;
    bool apart; /* stacks of their own, not shards of one */
    pthread_barrier_t ready;
    double begin_s; /* set by the first worker when all are ready */
    struct bench_round measured[SHARDS];
    bool good[SHARDS];
};

struct worker {
    struct job *job;
    uint32_t index;
};

/* Worker number n runs on the n-th core that this process may use, or the last one. */
static void pin(uint32_t index)
{
    cpu_set_t may, one;
    CPU_ZERO(&may);
    CPU_ZERO(&one);
    sched_getaffinity(0, sizeof may, &may);
    size_t core = 0;
    for (size_t i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, &may))
            continue;
        core = i;
        if (index-- == 0)
            break;
    }
    CPU_SET(core, &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
}

static double thread_cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void look(const struct bench_shard *shard, struct bench_round *now)
{
    bench_shard_count(shard, now);
    now->wall_s = bench_wall_s();
    now->cpu_s = thread_cpu_s();
}

static struct bench_round difference(const struct bench_round *from, const struct bench_round *to)
{
    return (struct bench_round){
        .messages = to->messages - from->messages,
        .bytes = to->bytes - from->bytes,
        .wall_s = to->wall_s - from->wall_s,
        .cpu_s = to->cpu_s - from->cpu_s,
        .packets = to->packets - from->packets,
        .trains = to->trains - from->trains,
        .sacks = to->sacks - from->sacks,
        .retransmits = to->retransmits - from->retransmits,
        .timeouts = to->timeouts - from->timeouts,
    };
}

static bool measure_shard(const struct worker *worker, struct bench_shard *shard)
{
    struct job *job = worker->job;
    struct bench_round from, to;
    if (!bench_shard_run(shard, job->begin_s))
        return false;
    look(shard, &from);
    double end_s = job->begin_s + job->seconds;
    do { /* on a machine that is busy with something else a short round may be over in no time */
        if (!bench_shard_run(shard, end_s))
            return false;
        look(shard, &to);
        end_s = to.wall_s + job->seconds;
    } while (to.messages == from.messages);
    job->measured[worker->index] = difference(&from, &to);
    return true;
}

static void *work(void *arg)
{
    const struct worker *worker = arg;
    struct job *job = worker->job;
    struct hws_shard which = {.count = job->workers, .index = worker->index};
    pin(worker->index);
    struct bench_shard *shard = bench_shard_new(
        job->row, job->apart ? &(struct hws_shard){0} : &which, ASSOCS / job->workers);
    if (worker->index == 0)
        job->begin_s = bench_wall_s() + WARMUP_S;
    pthread_barrier_wait(&job->ready);
    job->good[worker->index] = shard != NULL && measure_shard(worker, shard);
    if (shard != NULL)
        bench_shard_free(shard);
    return NULL;
}

static void run_threads(struct worker workers[SHARDS], uint32_t count)
{
    pthread_t threads[SHARDS];
    for (uint32_t i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
            exit(1);
    for (uint32_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void run_processes(struct worker workers[SHARDS], uint32_t count)
{
    pid_t pids[SHARDS];
    for (uint32_t i = 0; i < count; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            work(&workers[i]);
            _exit(0);
        }
    }
    for (uint32_t i = 0; i < count; i++)
        waitpid(pids[i], NULL, 0);
}

static void add(struct bench_round *sum, const struct bench_round *one)
{
    sum->messages += one->messages;
    sum->bytes += one->bytes;
    sum->wall_s = one->wall_s > sum->wall_s ? one->wall_s : sum->wall_s;
    sum->cpu_s += one->cpu_s;
    sum->packets += one->packets;
    sum->trains += one->trains;
    sum->sacks += one->sacks;
    sum->retransmits += one->retransmits;
    sum->timeouts += one->timeouts;
}

static bool measure(const struct bench_row *row, double seconds, uint32_t count, bool apart,
                    struct bench_round *round)
{
    struct worker workers[SHARDS];
    pthread_barrierattr_t shared;
    struct job *job =
        mmap(NULL, sizeof *job, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (job == MAP_FAILED)
        return false;
    *job = (struct job){.row = row, .seconds = seconds, .workers = count, .apart = apart};
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&job->ready, &shared, count);
    for (uint32_t i = 0; i < count; i++)
        workers[i] = (struct worker){.job = job, .index = i};
    (apart ? run_processes : run_threads)(workers, count);
    bool good = true;
    for (uint32_t i = 0; i < count; i++) {
        good &= job->good[i];
        add(round, &job->measured[i]);
    }
    munmap(job, sizeof *job);
    return good;
}

static bool measure_shards(const struct bench_row *row, double seconds, struct bench_round *round)
{
    return measure(row, seconds, SHARDS, false, round);
}

static bool measure_one(const struct bench_row *row, double seconds, struct bench_round *round)
{
    return measure(row, seconds, 1, false, round);
}

static bool measure_one_twice(const struct bench_row *row, double seconds,
                              struct bench_round *round)
{
    bool good = measure_one(row, seconds, round);
    struct bench_round again = *round;
    add(round, &again);
    return good;
}

static bool measure_processes(const struct bench_row *row, double seconds,
                              struct bench_round *round)
{
    return measure(row, seconds, SHARDS, true, round);
}

int main(int argc, char *argv[])
{
    static const struct bench_row row = {
        .name = "shards-2", .unit = BENCH_GBIT_PER_S, .message_bytes = 8192};
    static const struct bench_contender contenders[] = {{"hawser", measure_shards},
                                                        {"limit", measure_one_twice},
                                                        {"hawser-1", measure_one},
                                                        {"hawser-processes", measure_processes}};
    return bench_rounds(&row, contenders, 4, argc, argv);
}
