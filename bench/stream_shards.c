/* Many associations between two processes, each with so many shards: a runtime and a thread for
 * each, pinned to a core of its own.
 *
 *     bench_stream_shards [-u] [-n SHARDS] [-s SECONDS] sink ADDRESS
 *     bench_stream_shards [-u] [-n SHARDS] [-s SECONDS] source ADDRESS
 *
 * Both print a line as stream.c does, about the same seconds, but for the time that a first message
 * takes. The sink ends by itself, and the source a moment later. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/hawser_runtime.h"
#include "bench/round.h"
#include "bench/stream.h"

#define SHARDS_MAX 8u
#define ASSOCS 64u
#define MESSAGE_BYTES 8192u
#define WARMUP_S 0.5
#define LINGER_S 0.5
#define HANG_SECONDS 30

struct shard {
    _Alignas(64) _Atomic uint64_t bytes; /* on a cache line of its own */
    unsigned index;
    struct hws_runtime *runtime;
};

static struct shard shards[SHARDS_MAX];
static struct sockaddr_in address = {.sin_family = AF_INET};
static unsigned shard_count = 1;
static bool udp, is_sink;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* One shard of the source is on the first core and one of the sink on the last, as in other rows.
 */
static void pin(unsigned index)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(shard_count == 1 && is_sink ? (size_t)cores - 1 : index % (size_t)cores, &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
}

static struct hws_runtime *make_runtime(unsigned index)
{
    struct hws_runtime_config config;
    hws_runtime_config_init(&config);
    config.drive = HWS_DRIVE_CALLER;
    config.udp = udp;
    config.udp_port = BENCH_STREAM_UDP_PORT;
    config.ipv6 = false;
    config.shard_count = shard_count;
    config.shard = index;
    struct hws_runtime *runtime = bench_hawser_runtime(&config);
    if (runtime == NULL)
        exit(1);
    return runtime;
}

static void count(struct shard *shard, uint64_t bytes)
{
    uint64_t sum = atomic_load_explicit(&shard->bytes, memory_order_relaxed) + bytes;
    atomic_store_explicit(&shard->bytes, sum, memory_order_relaxed);
}

static int listen_at(struct hws_runtime *runtime)
{
    int fd = hws_runtime_socket(runtime, AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP);
    if (fd < 0 || hws_bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        hws_listen(fd, ASSOCS) != 0)
        die("listen");
    return fd;
}

static void *receive(void *arg)
{
    struct shard *shard = arg;
    static _Thread_local uint8_t buffer[256u << 10];
    ssize_t len;
    pin(shard->index);
    int fd = listen_at(shard->runtime);
    while ((len = hws_recv(fd, buffer, sizeof buffer, 0)) >= 0)
        count(shard, (uint64_t)len);
    return NULL;
}

/* Associations in turn, each as soon as it takes a message. */
static void *send_all(void *arg)
{
    struct shard *shard = arg;
    static const uint8_t message[MESSAGE_BYTES];
    int fds[ASSOCS];
    unsigned assocs = ASSOCS / shard_count;
    pin(shard->index);
    for (unsigned i = 0; i < assocs; i++) {
        fds[i] = hws_runtime_socket(shard->runtime, AF_INET, SOCK_STREAM, IPPROTO_SCTP);
        if (fds[i] < 0 ||
            hws_connect(fds[i], (const struct sockaddr *)&address, sizeof address) != 0)
            die("connect");
    }
    for (unsigned i = 0; hws_send(fds[i], message, sizeof message, 0) == sizeof message;
         i = (i + 1) % assocs)
        count(shard, sizeof message);
    return NULL;
}

static uint64_t total_bytes(void)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < shard_count; i++)
        sum += atomic_load_explicit(&shards[i].bytes, memory_order_relaxed);
    return sum;
}

static uint64_t retransmits(void)
{
    struct hws_counter counter;
    uint64_t sum = 0;
    for (unsigned k = 0; k < shard_count; k++)
        for (size_t i = 0; hws_runtime_counter(shards[k].runtime, i, &counter) == 0; i++)
            if (strcmp(counter.name, "retransmits") == 0)
                sum += counter.value;
    return sum;
}

static void sleep_s(double seconds)
{
    usleep((useconds_t)(seconds * 1e6));
}

static void measure(double seconds)
{
    while (total_bytes() == 0)
        sleep_s(0.001);
    sleep_s(WARMUP_S);
    uint64_t bytes = total_bytes();
    double wall_s = bench_wall_s(), cpu_s = bench_cpu_s();
    sleep_s(seconds);
    printf("stream contender=hawser role=%s bytes=%" PRIu64
           " wall_s=%.4f cpu_s=%.4f retransmits=%" PRIu64 "\n",
           is_sink ? "sink" : "source", total_bytes() - bytes, bench_wall_s() - wall_s,
           bench_cpu_s() - cpu_s, retransmits());
    fflush(stdout);
    sleep_s(is_sink ? 0 : LINGER_S);
}

static void start(void)
{
    pthread_t thread;
    for (unsigned i = 0; i < shard_count; i++) {
        shards[i].index = i;
        shards[i].runtime = make_runtime(i);
    }
    for (unsigned i = 0; i < shard_count; i++)
        if (pthread_create(&thread, NULL, is_sink ? receive : send_all, &shards[i]) != 0)
            die("pthread_create");
}

int main(int argc, char *argv[])
{
    double seconds = 1;
    int option;
    while ((option = getopt(argc, argv, "un:s:")) != -1) {
        if (option == 'u')
            udp = true;
        else if (option == 'n')
            shard_count = (unsigned)atoi(optarg);
        else if (option == 's')
            seconds = atof(optarg);
    }
    if (argc != optind + 2 || shard_count == 0 || shard_count > SHARDS_MAX ||
        inet_pton(AF_INET, argv[optind + 1], &address.sin_addr) != 1) {
        fprintf(stderr, "usage: %s [-u] [-n SHARDS] [-s SECONDS] sink|source ADDRESS\n", argv[0]);
        return 2;
    }
    is_sink = strcmp(argv[optind], "sink") == 0;
    address.sin_port = htons(BENCH_STREAM_PORT);
    alarm((unsigned)seconds + HANG_SECONDS);
    start();
    if (is_sink)
        printf("listening\n");
    fflush(stdout);
    measure(seconds);
    _exit(0); /* threads that wait are not waited for */
}
