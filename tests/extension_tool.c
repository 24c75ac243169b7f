/* Two ends for tests of extensions over real links, on the public headers alone: messages with a
 * number and the time they were made, and what became of them at the other end.
 *
 * Usage: extension_tool serve LOCAL,.. PORT
 *        extension_tool send FILE.so OPTION NAME LOCAL,.. PEER,.. PORT COUNT BYTES INTERVAL_US
 *   OPTION is cc, sched or pathsel: NAME is chosen of what FILE.so brings. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <hawser/extend.h>
#include <hawser/options.h>
#include <hawser/runtime.h>
#include <hawser/socket.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ADDRESSES_MAX 4
#define BYTES_MAX 65536

struct head {
    uint64_t made_us;
    uint32_t number;
};

static void die(const char *what)
{
    fprintf(stderr, "extension_tool: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Both ends are on one host: they have one clock. */
static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static int read_addresses(char *text, const char *port, struct sockaddr_in *addrs)
{
    int count = 0;
    for (char *word = strtok(text, ","); word != NULL && count < ADDRESSES_MAX;
         word = strtok(NULL, ",")) {
        addrs[count] =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
        if (inet_pton(AF_INET, word, &addrs[count++].sin_addr) != 1)
            die(word);
    }
    return count;
}

static struct hws_runtime *runtime_with(const struct hws_extension *extension)
{
    char error[HWS_ERROR_MAX];
    struct hws_runtime_config config;
    hws_runtime_config_init(&config);
    config.extensions = &extension;
    config.extension_count = extension != NULL;
    struct hws_runtime *runtime = hws_runtime_new(&config, error);
    if (runtime == NULL) {
        fprintf(stderr, "extension_tool: %s\n", error);
        exit(1);
    }
    return runtime;
}

static int bound_socket(struct hws_runtime *runtime, char *locals, const char *port)
{
    struct sockaddr_in addrs[ADDRESSES_MAX];
    int count = read_addresses(locals, port, addrs);
    int fd = hws_runtime_socket(runtime, AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    if (fd < 0 || hws_bindx(fd, (struct sockaddr *)addrs, count, SCTP_BINDX_ADD_ADDR) != 0)
        die("cannot bind");
    return fd;
}

/* ---- The end that receives ---- */

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int serve(char **argv)
{
    static uint8_t buf[BYTES_MAX];
    static uint32_t late_us[1u << 20];
    uint32_t count = 0;
    uint64_t bytes = 0, first_us = 0;
    struct hws_runtime *runtime = runtime_with(NULL);
    int listener = bound_socket(runtime, argv[2], argv[3]);
    if (hws_listen(listener, 1) != 0)
        die("cannot listen");
    printf("listening\n");
    fflush(stdout);
    int fd = hws_accept(listener, NULL, NULL);
    if (fd < 0)
        die("accept");
    for (ssize_t len; (len = hws_recv(fd, buf, sizeof buf, 0)) != 0; count++) {
        struct head head;
        if (len < (ssize_t)sizeof head)
            die("recv");
        memcpy(&head, buf, sizeof head);
        if (head.number != count || count == sizeof late_us / sizeof late_us[0])
            return printf("message %u where %u was due\n", head.number, count), 1;
        late_us[count] = (uint32_t)(now_us() - head.made_us);
        first_us = count == 0 ? now_us() : first_us;
        bytes += (uint64_t)len;
    }
    uint64_t took_us = now_us() - first_us;
    qsort(late_us, count, sizeof late_us[0], by_value);
    printf("%u messages, %" PRIu64 " bytes, %" PRIu64 " Mbit/s, latency p50 %u us, max %u us\n",
           count, bytes, bytes * 8 / (took_us + 1), late_us[count / 2],
           late_us[count > 0 ? count - 1 : 0]);
    hws_close(fd);
    hws_close(listener);
    hws_runtime_free(runtime);
    return 0;
}

/* ---- The end that sends ---- */

static const struct {
    const char *option;
    int number, names;
} kinds[] = {{"cc", HWS_CC, HWS_CC_NAMES},
             {"sched", HWS_SCHED, HWS_SCHED_NAMES},
             {"pathsel", HWS_PATHSEL, HWS_PATHSEL_NAMES}};

/* The number of the option, after a look whether the names that it takes are told. */
static int option_number(int fd, const char *option, const char *name)
{
    char names[256] = "";
    socklen_t len = sizeof names;
    size_t i = 0;
    while (i < 2 && strcmp(kinds[i].option, option) != 0)
        i++;
    if (hws_getsockopt(fd, IPPROTO_SCTP, kinds[i].names, names, &len) != 0 ||
        strstr(names, name) == NULL)
        die("the name is not listed");
    return kinds[i].number;
}

static void choose(int fd, const char *option, const char *name)
{
    int number = option_number(fd, option, name);
    char chosen[HWS_OPTION_NAME_MAX] = "";
    socklen_t len = sizeof chosen;
    int on = 1;
    if (hws_setsockopt(fd, IPPROTO_SCTP, number, "no-such", 7) == 0 || errno != ENOENT)
        die("a name that nobody has is taken");
    if (hws_setsockopt(fd, IPPROTO_SCTP, number, name, (socklen_t)strlen(name)) != 0)
        die(name);
    if (hws_getsockopt(fd, IPPROTO_SCTP, number, chosen, &len) != 0 || strcmp(chosen, name) != 0)
        die("another name is told");
    if (hws_setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on) != 0)
        die("SCTP_NODELAY");
}

static int send_all(int fd, uint32_t count, size_t bytes, useconds_t interval_us)
{
    static uint8_t buf[BYTES_MAX];
    for (uint32_t i = 0; i < count; i++) {
        struct head head = {.made_us = now_us(), .number = i};
        memcpy(buf, &head, sizeof head);
        if (hws_send(fd, buf, bytes, 0) != (ssize_t)bytes)
            die("send");
        if (interval_us > 0)
            usleep(interval_us);
    }
    return 0;
}

static int run_send(char **argv)
{
    struct sockaddr_in peers[ADDRESSES_MAX];
    void *object = dlopen(argv[2], RTLD_NOW);
    const struct hws_extension *const *symbol =
        object != NULL ? dlsym(object, HWS_EXTENSION_SYMBOL) : NULL;
    if (symbol == NULL)
        return fprintf(stderr, "extension_tool: %s\n", dlerror()), 1;
    struct hws_runtime *runtime = runtime_with(*symbol);
    int fd = bound_socket(runtime, argv[5], "0");
    int count = read_addresses(argv[6], argv[7], peers);
    choose(fd, argv[3], argv[4]);
    if (hws_connectx(fd, (struct sockaddr *)peers, count, NULL) != 0)
        die("connect");
    send_all(fd, (uint32_t)atoi(argv[8]), (size_t)atoi(argv[9]), (useconds_t)atoi(argv[10]));
    struct sctp_assoc_stats stats = {0};
    socklen_t len = sizeof stats;
    if (hws_getsockopt(fd, IPPROTO_SCTP, SCTP_GET_ASSOC_STATS, &stats, &len) != 0)
        die("SCTP_GET_ASSOC_STATS");
    printf("%" PRIu64 " DATA chunks sent, %" PRIu64 " of them again\n",
           (uint64_t)stats.sas_oodchunks, (uint64_t)stats.sas_rtxchunks);
    struct linger wait = {.l_onoff = 1, .l_linger = 30};
    if (hws_setsockopt(fd, SOL_SOCKET, SO_LINGER, &wait, sizeof wait) != 0 || hws_close(fd) != 0)
        die("close");
    hws_runtime_free(runtime);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "serve") == 0)
        return serve(argv);
    if (argc == 11 && strcmp(argv[1], "send") == 0)
        return run_send(argv);
    return fprintf(stderr, "extension_tool: see the head of its source\n"), 2;
}
