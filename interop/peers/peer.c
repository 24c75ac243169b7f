/* The modes of a peer, the same for every stack. See usage() below. */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_CLEAN = 0, EXIT_LOST = 1, EXIT_USAGE = 2 };

#define RECEIVE_SIZE (256 * 1024)

struct settings {
    struct hws_peer_options stack;
    struct hws_peer_addresses local;
    struct hws_peer_addresses remote; /* of a connector */
    const char *listen_port;          /* NULL: connect */
    size_t message_size;
    unsigned streams;
    bool unordered;
    bool once;
    uint64_t expected;     /* connecting sink: ends the association after so many bytes */
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
    "       %s [options] sink -n BYTES HOST PORT FILE   connect, store BYTES, then shut down\n"
    "       %s [options] source -l PORT FILE   send FILE to who connects, who then shuts down\n"
    "FILE - is the standard input of source; what one read of it gives is one message.\n"
    "  HOST      an address, or several of one host: ADDR,ADDR\n"
    "  -a ADDRS  own addresses: ADDR or ADDR,ADDR (default of -l ::, which takes IPv4 as well)\n"
    "  -p PORT   own port of who connects\n"
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
    fprintf(stderr, usage_text, name, name, name, name, name);
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

void hws_peer_restarted(void)
{
    puts("restarted");
    fflush(stdout);
}

/* Appends one address, behind the `used` bytes that are there; returns the bytes used then. */
static size_t resolve(const char *host, const char *port, struct hws_peer_addresses *addresses,
                      size_t used)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(host, port, &hints, &found);
    if (error) {
        fprintf(stderr, "%s %s: %s\n", host, port, gai_strerror(error));
        exit(EXIT_USAGE);
    }
    memcpy((char *)addresses->storage + used, found->ai_addr, found->ai_addrlen);
    addresses->family = found->ai_family;
    addresses->count++;
    used += found->ai_addrlen;
    freeaddrinfo(found);
    return used;
}

static struct hws_peer_addresses resolve_all(const char *hosts, const char *port)
{
    struct hws_peer_addresses addresses = {.count = 0};
    size_t used = 0;
    char *list = strdup(hosts);
    char *rest = list;
    if (!list)
        die("strdup");
    for (char *host; (host = strsep(&rest, ",")) && addresses.count < HWS_PEER_ADDRESSES;)
        used = resolve(host, port, &addresses, used);
    free(list);
    return addresses;
}

static struct hws_peer_socket *listen_or_die(struct settings *set)
{
    struct hws_peer_socket *listener = hws_peer_listen(&set->local);
    if (!listener)
        die("listen");
    /* Scripts wait for this line instead of guessing how long a start takes. */
    printf("listening %s\n", set->listen_port);
    fflush(stdout);
    return listener;
}

/* The one association of a sink or source. A listener stays open: an accepted socket of some stacks
 * lives off it. */
static struct hws_peer_socket *associate(struct settings *set, struct hws_peer_socket **listener)
{
    struct hws_peer_socket *s;
    *listener = set->listen_port ? listen_or_die(set) : NULL;
    s = *listener ? hws_peer_accept(*listener) : hws_peer_connect(&set->local, &set->remote);
    if (!s)
        die(*listener ? "accept" : "connect");
    return s;
}

static void dissociate(struct hws_peer_socket *s, struct hws_peer_socket *listener)
{
    hws_peer_close(s);
    if (listener)
        hws_peer_close(listener);
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

static int run_sink(struct settings *set, const char *path)
{
    struct figures f = {.bytes = 0};
    struct figures rest = {.bytes = 0};
    int fd = create(path);
    struct hws_peer_socket *listener;
    struct hws_peer_socket *s = associate(set, &listener);
    store(s, fd, set->expected, &f);
    if (f.clean && set->expected != UINT64_MAX) {
        hws_peer_shutdown(s);
        store(s, -1, UINT64_MAX, &rest);
        f.clean = rest.clean && rest.bytes == 0;
    }
    if (close(fd) != 0)
        die(path);
    int code = report("sink", &f);
    dissociate(s, listener);
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

static bool send_file(const struct settings *set, struct hws_peer_socket *s, int fd,
                      struct figures *f)
{
    char *message = malloc(set->message_size);
    ssize_t part = -1;
    while (message && (part = read(fd, message, set->message_size)) > 0) {
        struct hws_peer_info info = {.stream = (uint16_t)(f->messages % set->streams),
                                     .unordered = set->unordered};
        if (hws_peer_send(s, message, (size_t)part, &info) != 0) {
            perror("send");
            part = -1;
            break;
        }
        f->bytes += (uint64_t)part;
        f->messages++;
    }
    free(message);
    return part == 0;
}

static int open_file(const char *path, uint64_t *size)
{
    struct stat st;
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        die(path);
    *size = (uint64_t)st.st_size;
    return fd;
}

static int run_source(struct settings *set, const char *path)
{
    struct returns back = {.fd = -1};
    int fd = open_file(path, &back.expected);
    struct hws_peer_socket *listener;
    back.socket = associate(set, &listener);
    struct figures f = {.start = now()};
    pthread_t thread;
    if (set->echo_file)
        back.fd = create(set->echo_file);
    if (pthread_create(&thread, NULL, receive_returns, &back) != 0)
        die("pthread_create");
    bool sent = send_file(set, back.socket, fd, &f);
    if (sent && !set->echo_file && !listener)
        sent = hws_peer_shutdown(back.socket) == 0;
    pthread_join(thread, NULL);
    f.clean = sent && back.figures.clean;
    int code = report("source", &f);
    dissociate(back.socket, listener);
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

static int run_echo(struct settings *set)
{
    struct hws_peer_socket *listener = listen_or_die(set);
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

struct words {
    const char *locals;
    const char *local_port;
    unsigned long seconds;
};

/* False: there is no such option. */
static bool set_option(int option, struct settings *set, struct words *words)
{
    switch (option) {
    case 'a':
        words->locals = optarg;
        return true;
    case 'p':
        words->local_port = optarg;
        return true;
    case 'l':
        set->listen_port = optarg;
        return true;
    case 'm':
        set->message_size = number(optarg, 1, 1UL << 26);
        return true;
    case 'n':
        set->expected = number(optarg, 1, UINT64_MAX - 1);
        return true;
    case 's':
        set->streams = (unsigned)number(optarg, 1, 65535);
        return true;
    case 'u':
        set->unordered = true;
        return true;
    case '1':
        set->once = true;
        return true;
    case 'r':
        set->echo_file = optarg;
        return true;
    case 't':
        words->seconds = number(optarg, 0, 86400);
        return true;
    case 'E':
        set->stack.udp_local = (uint16_t)number(optarg, 1, 65535);
        return true;
    case 'U':
        set->stack.udp_remote = (uint16_t)number(optarg, 1, 65535);
        return true;
    default:
        return false;
    }
}

/* The addresses: of a listener its own, of a connector the peer's and, if given, its own. */
static void set_addresses(struct settings *set, const struct words *words, char **operands)
{
    const char *port = set->listen_port ? set->listen_port : words->local_port;
    const char *any = set->listen_port || strchr(operands[0], ':') ? "::" : "0.0.0.0";
    if (!set->listen_port)
        set->remote = resolve_all(operands[0], operands[1]);
    if (set->listen_port || words->locals || words->local_port)
        set->local = resolve_all(words->locals ? words->locals : any, port ? port : "0");
}

int main(int argc, char *argv[])
{
    struct settings set = {
        .stack = {.udp_remote = 9899}, .message_size = 65536, .streams = 1, .expected = UINT64_MAX};
    struct words words = {.seconds = 120};
    int option;

    while ((option = getopt(argc, argv, "a:l:p:m:n:s:u1r:t:E:U:")) != -1) {
        if (!set_option(option, &set, &words))
            usage(argv[0]);
    }
    char **operands = argv + optind + 1;
    int count = argc - optind - 1;
    const char *mode = count >= 0 ? operands[-1] : "";
    bool echo = !strcmp(mode, "echo") && set.listen_port;
    bool sink = !strcmp(mode, "sink");

    if ((!echo && !sink && strcmp(mode, "source") != 0) || count != (echo              ? 0
                                                                     : set.listen_port ? 1
                                                                                       : 3))
        usage(argv[0]);
    /* SIGALRM ends the process: no peer of a test may outlive it. */
    alarm((unsigned)words.seconds);
    if (hws_peer_start(&set.stack) != 0)
        die("start");
    set_addresses(&set, &words, operands);
    int code = echo   ? run_echo(&set)
               : sink ? run_sink(&set, operands[count - 1])
                      : run_source(&set, operands[count - 1]);
    hws_peer_finish();
    return code;
}
