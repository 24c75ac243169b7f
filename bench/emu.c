/* A link between two network namespaces, emulated in user space: a TUN device in each, and between
 * them delay, rate, a drop-tail queue, loss and reordering (emu_line.h) with a thread per
 * direction.
 *
 * No offload is switched on: every packet crosses as it would cross a wire, one by one and at most
 * of the MTU's size. The kernel cuts TCP's segments before they reach the TUN device and computes
 * their checksums, and does not join them at the receiver: TCP is neither favoured nor hindered. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/emu_line.h"

#define NS_PER_S 1000000000u
/* Packets read, or written, before the other has its turn. */
#define BATCH_PACKETS 32
/* What waits in the device for a thread that is late. */
#define DEVICE_QUEUE_PACKETS 10000
/* Before everything else that wants a core: a late packet is a wrong delay. */
#define NICE (-20)

struct direction {
    const char *name;
    int from, to; /* TUN devices */
    struct emu_line *line;
    pthread_t thread;
    uint64_t refused;         /* packets that the device did not take */
    uint64_t late_ns, latest; /* beyond their due times: in all, and the most */
    double cpu_s;
};

struct options {
    struct emu_line_config line;
    const char *device;
    const char *namespaces[2];
};

static atomic_bool stopping;
static int stop_event;

static const char usage_text[] =
    "usage: %s [OPTION..] NAMESPACE NAMESPACE\n"
    "A link between two network namespaces (/run/netns/NAME); ends at SIGTERM and tells its "
    "counts.\n"
    "  -d US      one-way delay in microseconds (default 0)\n"
    "  -r MBIT    rate of each direction in Mbit/s of IP packets (default 0: no limit)\n"
    "  -q BYTES   that may wait for it (default 1000000)\n"
    "  -l PPM     packets lost of a million (default 0)\n"
    "  -o PPM     packets of a million that later ones overtake (default 0)\n"
    "  -O US      and how much longer these take (default 1000)\n"
    "  -x SEED    of loss and reordering (default 1)\n"
    "  -i NAME    of the devices (default emu0)\n";

/* ---- Devices ---- */

static int enter_namespace(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int result = fd < 0 ? -1 : setns(fd, CLONE_NEWNET);
    if (fd >= 0)
        close(fd);
    return result;
}

static int set_queue(struct ifreq *ifr)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    ifr->ifr_qlen = DEVICE_QUEUE_PACKETS;
    int result = ioctl(fd, SIOCSIFTXQLEN, ifr);
    close(fd);
    return result;
}

/* A TUN device belongs to the namespace that its file was opened in. */
static int open_device(const char *space, const char *name)
{
    struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
    if (enter_namespace(space) != 0)
        return -1;
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && ioctl(fd, TUNSETIFF, &ifr) == 0 && set_queue(&ifr) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* ---- Time ---- */

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* ---- One direction ---- */

/* Takes what the device has; true when there may be more. */
static bool take_in(struct direction *d)
{
    for (int i = 0; i < BATCH_PACKETS; i++) {
        void *room = emu_line_room(d->line);
        ssize_t len = room != NULL ? read(d->from, room, EMU_PACKET_MAX) : 0;
        if (len <= 0)
            return false;
        emu_line_put(d->line, (size_t)len, clock_ns(CLOCK_MONOTONIC));
    }
    return true;
}

/* Hands on what is due; true when there may be more. */
static bool hand_on(struct direction *d)
{
    for (int i = 0; i < BATCH_PACKETS; i++) {
        uint64_t now_ns = clock_ns(CLOCK_MONOTONIC), due_ns = emu_line_due_ns(d->line);
        size_t len;
        const void *packet = emu_line_take(d->line, &len, now_ns);
        if (packet == NULL)
            return false;
        d->late_ns += now_ns - due_ns;
        d->latest = now_ns - due_ns > d->latest ? now_ns - due_ns : d->latest;
        if (write(d->to, packet, len) != (ssize_t)len)
            d->refused++;
    }
    return true;
}

static void wait_for_news(const struct direction *d)
{
    struct pollfd fds[] = {{.fd = d->from, .events = POLLIN}, {.fd = stop_event, .events = POLLIN}};
    uint64_t now_ns = clock_ns(CLOCK_MONOTONIC), due_ns = emu_line_due_ns(d->line);
    uint64_t wait_ns = due_ns > now_ns ? due_ns - now_ns : 0;
    struct timespec wait = {.tv_sec = (time_t)(wait_ns / NS_PER_S),
                            .tv_nsec = (long)(wait_ns % NS_PER_S)};
    ppoll(fds, 2, due_ns == EMU_NEVER ? NULL : &wait, NULL);
}

static void *carry(void *argument)
{
    struct direction *d = argument;
    prctl(PR_SET_TIMERSLACK, 1);
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* without privilege: as it is */
    while (!atomic_load(&stopping)) {
        bool more = take_in(d);
        if (!hand_on(d) && !more)
            wait_for_news(d);
    }
    d->cpu_s = (double)clock_ns(CLOCK_THREAD_CPUTIME_ID) / NS_PER_S;
    return NULL;
}

static void print_counts(const struct direction *d)
{
    struct emu_line_counts c = emu_line_counts(d->line);
    printf("emu direction=%s in=%" PRIu64 " out=%" PRIu64 " bytes=%" PRIu64 " lost=%" PRIu64
           " overflow=%" PRIu64 " held=%" PRIu64 " refused=%" PRIu64 " late_us=%.1f"
           " latest_us=%.1f cpu_s=%.3f\n",
           d->name, c.in, c.out, c.bytes, c.lost, c.overflow, c.held, d->refused,
           c.out > 0 ? (double)d->late_ns / (double)c.out / 1e3 : 0, (double)d->latest / 1e3,
           d->cpu_s);
}

/* ---- The program ---- */

static bool read_options(struct options *options, int argc, char *argv[])
{
    int option;
    while ((option = getopt(argc, argv, "d:r:q:l:o:O:x:i:")) != -1) {
        if (option == '?')
            return false;
        uint64_t number = strtoull(optarg, NULL, 10);
        switch (option) {
        case 'd':
            options->line.delay_ns = number * 1000;
            break;
        case 'r':
            options->line.rate_bps = number * 1000000;
            break;
        case 'q':
            options->line.queue_bytes = (uint32_t)number;
            break;
        case 'l':
            options->line.loss_ppm = (uint32_t)number;
            break;
        case 'o':
            options->line.held_ppm = (uint32_t)number;
            break;
        case 'O':
            options->line.held_ns = number * 1000;
            break;
        case 'x':
            options->line.seed = number;
            break;
        default:
            options->device = optarg;
            break;
        }
    }
    if (argc != optind + 2)
        return false;
    options->namespaces[0] = argv[optind];
    options->namespaces[1] = argv[optind + 1];
    return true;
}

/* The seeds of the directions differ, so that they do not lose the same packets. */
static bool set_up(struct direction d[2], const struct options *options)
{
    struct emu_line_config config = options->line;
    int fds[2];
    for (int i = 0; i < 2; i++) {
        fds[i] = open_device(options->namespaces[i], options->device);
        if (fds[i] < 0)
            return false;
    }
    for (int i = 0; i < 2; i++) {
        config.seed = 2 * options->line.seed + (uint64_t)i;
        d[i] = (struct direction){
            .name = i == 0 ? "a-b" : "b-a",
            .from = fds[i],
            .to = fds[1 - i],
            .line = emu_line_new(&config),
        };
        if (d[i].line == NULL)
            return false;
    }
    stop_event = eventfd(0, EFD_CLOEXEC);
    return stop_event >= 0;
}

static void run(struct direction d[2])
{
    sigset_t signals;
    int signal_number;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&d[i].thread, NULL, carry, &d[i]) != 0)
            abort();
    printf("ready\n");
    fflush(stdout);
    sigwait(&signals, &signal_number);
    atomic_store(&stopping, true);
    if (eventfd_write(stop_event, 1) != 0)
        abort();
    for (int i = 0; i < 2; i++)
        pthread_join(d[i].thread, NULL);
}

int main(int argc, char *argv[])
{
    struct options options = {
        .line = {.queue_bytes = 1000000, .held_ns = 1000000, .seed = 1},
        .device = "emu0",
    };
    struct direction directions[2];
    if (!read_options(&options, argc, argv)) {
        fprintf(stderr, usage_text, argv[0]);
        return 2;
    }
    errno = 0;
    if (!set_up(directions, &options)) {
        fprintf(stderr, "emu: cannot make the link: %s\n", strerror(errno));
        return 1;
    }
    run(directions);
    for (int i = 0; i < 2; i++) {
        print_counts(&directions[i]);
        emu_line_free(directions[i].line);
    }
    return 0;
}
