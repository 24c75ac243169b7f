/* Sends a file as messages at a steady rate, and tells how late each one came: from the moment it
 * was due to be given to the socket to the moment the peer's socket gave it. Both ends are on one
 * host, in network namespaces, and so have one clock.
 *
 * Usage: latency recv PROTOCOL PORT OUT
 *        latency send PROTOCOL PORT FILE HOST MESSAGE_BYTES MESSAGES_PER_S
 *
 * RTO.Min is 100 ms at the sender, whatever the protocol. */
#include <arpa/inet.h>
#include <errno.h>
#include <hawser/runtime.h>
#include <hawser/socket.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MESSAGE_MAX 65536u
#define RTO_MIN_MS 100u

static uint8_t buf[MESSAGE_MAX];

static void die(const char *what)
{
    fprintf(stderr, "latency: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static void sleep_until(uint64_t due_us)
{
    const struct timespec t = {(time_t)(due_us / 1000000u), (long)(due_us % 1000000u) * 1000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0)
        continue;
}

static struct hws_runtime *runtime_of(const char *protocol)
{
    char error[HWS_ERROR_MAX];
    struct hws_runtime_config config;
    hws_runtime_config_init(&config);
    config.protocol = (uint8_t)atoi(protocol);
    struct hws_runtime *runtime = hws_runtime_new(&config, error);
    if (runtime == NULL) {
        fprintf(stderr, "latency: %s\n", error);
        exit(1);
    }
    return runtime;
}

static void print_counters(const struct hws_runtime *runtime)
{
    static const char *const names[] = {"retransmits", "ext_repaired", "bytes_out"};
    struct hws_counter counter;
    for (size_t i = 0; hws_runtime_counter(runtime, i, &counter) == 0; i++)
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            if (strcmp(counter.group, "engine") == 0 && strcmp(counter.name, names[k]) == 0)
                printf("%s %" PRIu64 "\n", counter.name, counter.value);
}

/* ---- Receiving ---- */

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print_latency(uint32_t *late_us, size_t count)
{
    qsort(late_us, count, sizeof *late_us, by_value);
    printf("messages %zu\np50_us %u\np99_us %u\nmax_us %u\n", count, late_us[count / 2],
           late_us[count - 1 - count / 100], late_us[count - 1]);
}

static void receive_all(int fd, FILE *out)
{
    size_t count = 0, room = 0;
    uint32_t *late_us = NULL;
    uint64_t begin_us = now_us();
    for (ssize_t len; (len = hws_recv(fd, buf, sizeof buf, 0)) != 0; count++) {
        uint64_t due_us;
        if (len < (ssize_t)sizeof due_us)
            die("recv");
        memcpy(&due_us, buf, sizeof due_us);
        if (count == room && (late_us = realloc(late_us, (room = 2 * room + 1024) * 4)) == NULL)
            die("realloc");
        late_us[count] = (uint32_t)(now_us() - due_us);
        if (fwrite(buf + sizeof due_us, 1, (size_t)len - sizeof due_us, out) == 0)
            die("write");
    }
    printf("seconds %.3f\n", (double)(now_us() - begin_us) / 1e6);
    if (count > 0)
        print_latency(late_us, count);
    free(late_us);
}

static int run_recv(char **argv)
{
    struct hws_runtime *runtime = runtime_of(argv[2]);
    const struct sockaddr_in any = {.sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)atoi(argv[3]))};
    FILE *out = fopen(argv[4], "w");
    int listener = hws_runtime_socket(runtime, AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    if (out == NULL || hws_bind(listener, (const struct sockaddr *)&any, sizeof any) != 0 ||
        hws_listen(listener, 1) != 0)
        die("cannot listen");
    int fd = hws_accept(listener, NULL, NULL);
    if (fd < 0)
        die("accept");
    receive_all(fd, out);
    print_counters(runtime);
    hws_close(fd);
    hws_close(listener);
    hws_runtime_free(runtime);
    return fclose(out) == 0 ? 0 : 1;
}

/* ---- Sending ---- */

static void send_all(int fd, FILE *in, size_t message_bytes, uint64_t per_s)
{
    uint64_t begin_us = now_us(), number = 0;
    size_t len;
    while ((len = fread(buf + 8, 1, message_bytes - 8, in)) > 0) {
        uint64_t due_us = begin_us + number++ * 1000000u / per_s;
        sleep_until(due_us);
        memcpy(buf, &due_us, 8);
        if (hws_send(fd, buf, len + 8, 0) < 0)
            die("send");
    }
}

static int run_send(char **argv)
{
    struct hws_runtime *runtime = runtime_of(argv[2]);
    const struct sctp_rtoinfo rto = {.srto_min = RTO_MIN_MS};
    const int on = 1;
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3]))};
    FILE *in = fopen(argv[4], "r");
    size_t message_bytes = (size_t)atoi(argv[6]);
    if (in == NULL || inet_pton(AF_INET, argv[5], &peer.sin_addr) != 1 || message_bytes <= 8 ||
        message_bytes > MESSAGE_MAX)
        die(argv[4]);
    int fd = hws_runtime_socket(runtime, AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    if (hws_setsockopt(fd, IPPROTO_SCTP, SCTP_RTOINFO, &rto, sizeof rto) != 0 ||
        hws_setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on) != 0)
        die("options");
    if (hws_connect(fd, (const struct sockaddr *)&peer, sizeof peer) != 0)
        die("connect");
    send_all(fd, in, message_bytes, (uint64_t)atoi(argv[7]));
    hws_shutdown(fd, SHUT_WR);
    while (hws_recv(fd, buf, sizeof buf, 0) > 0)
        continue;
    print_counters(runtime);
    hws_close(fd);
    hws_runtime_free(runtime);
    fclose(in);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "recv") == 0)
        return run_recv(argv);
    if (argc == 8 && strcmp(argv[1], "send") == 0)
        return run_send(argv);
    fprintf(stderr, "Usage: latency recv PROTOCOL PORT OUT\n"
                    "       latency send PROTOCOL PORT FILE HOST MESSAGE_BYTES MESSAGES_PER_S\n");
    return 2;
}
