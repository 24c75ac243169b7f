/* The modes of a peer, the same for every stack. See usage() below. */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_CLEAN = 0, EXIT_LOST = 1, EXIT_USAGE = 2 };

#define RECEIVE_SIZE (256 * 1024)

struct settings {
    struct hws_peer_options stack;
    size_t message_size;
    unsigned streams;
    bool unordered;
    bool once;
    const char *echo_file; /* source: where what comes back is stored */
};

struct figures {
    uint64_t bytes;
    uint64_t messages;
    double start;
    bool clean;
};

static const char usage_text[] =
    "usage: %s [options] sink -l PORT FILE     store one association's bytes in FILE\n"
    "       %s [options] source HOST PORT FILE send FILE, then shut down gracefully\n"
    "       %s [options] echo -l PORT          echo each message, many peers at once\n"
    "  -a ADDR   listen on ADDR (default ::, which takes IPv4 as well)\n"
    "  -m BYTES  message size of source (default 65536)\n"
    "  -s N      spread the messages over N streams, in turn (default 1)\n"
    "  -u        send unordered\n"
    "  -1        echo: leave after the first association\n"
    "  -r FILE   source: expect every byte back, store it in FILE, then shut down\n"
    "  -t SECS   give up after SECS (default 120, 0: never)\n"
    "  -E PORT   UDP encapsulation (RFC 6951): own UDP port\n"
    "  -U PORT   UDP encapsulation: the peer's UDP port (default 9899)\n"
    "Exit code: 0 everything arrived and the shutdown was graceful, 1 not, 2 usage.\n";

static _Noreturn void usage(const char *name)
{
    fprintf(stderr, usage_text, name, name, name);
    exit(EXIT_USAGE);
}

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(EXIT_LOST);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The one line scripts read: key=value pairs, the same for all stacks and modes. */
static int report(const char *mode, const struct figures *f)
{
    double seconds = now() - f->start;
    double mbit = seconds > 0 ? (double)f->bytes * 8 / seconds / 1e6 : 0;
    printf("peer stack=%s mode=%s bytes=%llu messages=%llu seconds=%.3f mbit=%.1f verdict=%s\n",
           hws_peer_stack, mode, (unsigned long long)f->bytes, (unsigned long long)f->messages,
           seconds, mbit, f->clean ? "clean" : "lost");
    fflush(stdout);
    return f->clean ? EXIT_CLEAN : EXIT_LOST;
}

static struct hws_peer_address resolve(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    struct hws_peer_address address = {.length = 0};
    int error = getaddrinfo(host, port, &hints, &found);
    if (error) {
        fprintf(stderr, "%s %s: %s\n", host, port, gai_strerror(error));
        exit(EXIT_USAGE);
    }
    memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    address.length = found->ai_addrlen;
    freeaddrinfo(found);
    return address;
}

static struct hws_peer_socket *listen_or_die(const char *host, const char *port)
{
    struct hws_peer_address address = resolve(host, port);
    struct hws_peer_socket *listener = hws_peer_listen(&address);
    if (!listener)
        die("listen");
    /* Scripts wait for this line instead of guessing how long a start takes. */
    printf("listening %s %s\n", host, port);
    fflush(stdout);
    return listener;
}

static void write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0)
            die("write");
        data += n;
        size -= (size_t)n;
    }
}

static int create(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        die(path);
    return fd;
}

/* Stores what arrives until the association ends or `expected` bytes are there. */
static void store(struct hws_peer_socket *s, int fd, uint64_t expected, struct figures *f)
{
    char *buffer = malloc(RECEIVE_SIZE);
    int64_t n = HWS_PEER_LOST;
    struct hws_peer_info info;

    if (!buffer)
        die("malloc");
    while (f->bytes < expected && (n = hws_peer_receive(s, buffer, RECEIVE_SIZE, &info)) > 0) {
        if (f->messages == 0 && f->bytes == 0 && f->start == 0)
            f->start = now();
        f->bytes += (uint64_t)n;
        f->messages += info.end_of_message;
        if (fd >= 0)
            write_all(fd, buffer, (size_t)n);
    }
    f->clean = n == HWS_PEER_END || f->bytes == expected;
    free(buffer);
}

static int run_sink(const struct settings *set, const char *host, const char *port,
                    const char *path)
{
    struct figures f = {.bytes = 0};
    int fd = create(path);
    struct hws_peer_socket *listener = listen_or_die(host, port);
    struct hws_peer_socket *s = hws_peer_accept(listener);
    (void)set;
    if (!s)
        die("accept");
    store(s, fd, UINT64_MAX, &f);
    if (close(fd) != 0)
        die(path);
    int code = report("sink", &f);
    hws_peer_close(s);
    hws_peer_close(listener);
    return code;
}

/* --- source ----------------------------------------------------------------------------------- */

struct returns {
    struct hws_peer_socket *socket;
    int fd; /* -1: nothing is expected back, only the end of the association */
    uint64_t expected;
    struct figures figures;
};

static void *receive_returns(void *argument)
{
    struct returns *r = argument;
    if (r->fd >= 0) {
        store(r->socket, r->fd, r->expected, &r->figures);
        if (!r->figures.clean)
            return NULL;
        /* Only now may the association end: a peer that shuts down drops what it has not echoed. */
        hws_peer_shutdown(r->socket);
    }
    struct figures rest = {.bytes = 0};
    store(r->socket, -1, UINT64_MAX, &rest);
    r->figures.clean = rest.clean && rest.bytes == 0;
    return NULL;
}

static bool send_file(const struct settings *set, struct hws_peer_socket *s, const char *data,
                      size_t size, struct figures *f)
{
    while (f->bytes < size) {
        size_t rest = size - (size_t)f->bytes;
        size_t part = rest < set->message_size ? rest : set->message_size;
        struct hws_peer_info info = {.stream = (uint16_t)(f->messages % set->streams),
                                     .unordered = set->unordered};
        if (hws_peer_send(s, data + f->bytes, part, &info) != 0) {
            perror("send");
            return false;
        }
        f->bytes += part;
        f->messages++;
    }
    return true;
}

static const char *map_file(const char *path, size_t *size)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        die(path);
    *size = (size_t)st.st_size;
    if (*size == 0)
        return "";
    const char *data = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        die(path);
    close(fd);
    return data;
}

static int run_source(const struct settings *set, const char *host, const char *port,
                      const char *path)
{
    size_t size;
    const char *data = map_file(path, &size);
    struct hws_peer_address address = resolve(host, port);
    struct hws_peer_socket *s = hws_peer_connect(&address);
    if (!s)
        die("connect");
    struct figures f = {.start = now()};
    struct returns back = {.socket = s, .fd = -1, .expected = size};
    pthread_t thread;
    if (set->echo_file)
        back.fd = create(set->echo_file);
    if (pthread_create(&thread, NULL, receive_returns, &back) != 0)
        die("pthread_create");
    bool sent = send_file(set, s, data, size, &f);
    if (sent && !set->echo_file)
        sent = hws_peer_shutdown(s) == 0;
    pthread_join(thread, NULL);
    f.clean = sent && back.figures.clean;
    int code = report("source", &f);
    hws_peer_close(s);
    return code;
}

/* --- echo ------------------------------------------------------------------------------------- */

static bool echo_messages(struct hws_peer_socket *s, struct figures *f)
{
    size_t capacity = 2 * RECEIVE_SIZE;
    size_t used = 0;
    char *message = malloc(capacity);
    struct hws_peer_info info;
    int64_t n = HWS_PEER_LOST;

    while (message && (n = hws_peer_receive(s, message + used, capacity - used, &info)) > 0) {
        used += (size_t)n;
        if (info.end_of_message) {
            if (hws_peer_send(s, message, used, &info) != 0)
                break;
            f->bytes += used;
            f->messages++;
            used = 0;
        } else if (capacity - used < RECEIVE_SIZE) {
            char *larger = realloc(message, capacity *= 2);
            if (!larger)
                break;
            message = larger;
        }
    }
    free(message);
    return n == HWS_PEER_END;
}

static void *echo_association(void *argument)
{
    struct hws_peer_socket *s = argument;
    struct figures f = {.start = now()};
    f.clean = echo_messages(s, &f);
    hws_peer_close(s);
    /* The result travels as the thread's value: only `-1` asks for it. */
    return report("echo", &f) == EXIT_CLEAN ? NULL : (void *)&usage_text;
}

static int run_echo(const struct settings *set, const char *host, const char *port)
{
    struct hws_peer_socket *listener = listen_or_die(host, port);
    for (;;) {
        struct hws_peer_socket *s = hws_peer_accept(listener);
        pthread_t thread;
        if (!s)
            die("accept");
        if (set->once) {
            void *failed = echo_association(s);
            hws_peer_close(listener);
            return failed ? EXIT_LOST : EXIT_CLEAN;
        }
        if (pthread_create(&thread, NULL, echo_association, s) != 0)
            die("pthread_create");
        pthread_detach(thread);
    }
}

/* --- command line ----------------------------------------------------------------------------- */

static unsigned long number(const char *text, unsigned long low, unsigned long high)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || *text == '\0' || *end != '\0' || value < low || value > high) {
        fprintf(stderr, "%s: not a number between %lu and %lu\n", text, low, high);
        exit(EXIT_USAGE);
    }
    return value;
}

int main(int argc, char *argv[])
{
    struct settings set = {
        .stack = {.udp_remote = 9899}, .message_size = 65536, .streams = 1, .unordered = false};
    const char *listen_host = "::";
    const char *listen_port = NULL;
    unsigned long seconds = 120;
    int option;

    while ((option = getopt(argc, argv, "a:l:m:s:u1r:t:E:U:")) != -1) {
        switch (option) {
        case 'a':
            listen_host = optarg;
            break;
        case 'l':
            listen_port = optarg;
            break;
        case 'm':
            set.message_size = number(optarg, 1, 1UL << 26);
            break;
        case 's':
            set.streams = (unsigned)number(optarg, 1, 65535);
            break;
        case 'u':
            set.unordered = true;
            break;
        case '1':
            set.once = true;
            break;
        case 'r':
            set.echo_file = optarg;
            break;
        case 't':
            seconds = number(optarg, 0, 86400);
            break;
        case 'E':
            set.stack.udp_local = (uint16_t)number(optarg, 1, 65535);
            break;
        case 'U':
            set.stack.udp_remote = (uint16_t)number(optarg, 1, 65535);
            break;
        default:
            usage(argv[0]);
        }
    }
    char **arguments = argv + optind;
    int count = argc - optind;
    const char *mode = count > 0 ? arguments[0] : "";

    /* SIGALRM ends the process: no peer of a test may outlive it. */
    alarm((unsigned)seconds);
    int code;
    if (hws_peer_start(&set.stack) != 0)
        die("start");
    if (!strcmp(mode, "sink") && listen_port && count == 2)
        code = run_sink(&set, listen_host, listen_port, arguments[1]);
    else if (!strcmp(mode, "source") && count == 4)
        code = run_source(&set, arguments[1], arguments[2], arguments[3]);
    else if (!strcmp(mode, "echo") && listen_port && count == 1)
        code = run_echo(&set, listen_host, listen_port);
    else
        usage(argv[0]);
    hws_peer_finish();
    return code;
}
