/* Many sockets and many associations in one process, over raw sockets on loopback:
 *
 *     scale sockets COUNT    COUNT sockets, half of which connect to the other half's listener, so
 *                            that each has an association; a message goes each way through all
 *     scale assocs COUNT     COUNT associations on one one-to-many socket, a message each way
 *     scale port             two processes contend for one port: one gets it, the other one
 *                            EADDRINUSE, and gets it when the first has closed
 *
 * Prints how long it took, which decides nothing. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api/hawser/socket.h"
#include "tests/netns.h"

#define PORT 5000
#define BACKLOG 4096
/* Connections begun before the first of them is accepted: fewer than the backlog. */
#define AT_ONCE 500
/* What scale.sh knows that the limit of descriptors cannot be raised by. */
#define EXIT_NO_PRIVILEGE 3

static void must(bool good, const char *what, long index)
{
    if (good)
        return;
    fprintf(stderr, "scale: %s, number %ld: %s\n", what, index, strerror(errno));
    exit(1);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static const struct sockaddr_in server = {.sin_family = AF_INET};

static struct sockaddr_in server_address(void)
{
    struct sockaddr_in address = server;
    address.sin_port = htons(PORT);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int open_server(int type)
{
    struct sockaddr_in address = server_address();
    const struct sctp_event_subscribe none = {0};
    int fd = hws_socket(AF_INET, type, IPPROTO_SCTP);
    must(fd >= 0, "socket", 0);
    must(hws_bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "bind", 0);
    must(hws_setsockopt(fd, IPPROTO_SCTP, SCTP_EVENTS, &none, sizeof(none)) == 0, "events", 0);
    must(hws_listen(fd, BACKLOG) == 0, "listen", 0);
    return fd;
}

/* The system's limit is raised as far as the test needs: a socket costs two descriptors, a client's
 * port one more. */
static void allow_descriptors(long sockets)
{
    rlim_t need = (rlim_t)sockets * 3 + 1000;
    struct rlimit limit;
    must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "asking for the limit of descriptors", sockets);
    if (limit.rlim_cur >= need)
        return;
    limit = (struct rlimit){.rlim_cur = need,
                            .rlim_max = need > limit.rlim_max ? need : limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return;
    fprintf(stderr, "scale: %ld sockets need a limit of %lu descriptors: %s\n", sockets,
            (unsigned long)need, strerror(errno));
    exit(EXIT_NO_PRIVILEGE);
}

static int connect_one(long index)
{
    struct sockaddr_in address = server_address();
    int fd = hws_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    must(fd >= 0, "socket", index);
    must(hws_connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect", index);
    return fd;
}

static int begin_connecting(long index)
{
    struct sockaddr_in address = server_address();
    int fd = hws_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_SCTP);
    must(fd >= 0, "socket", index);
    int rc = hws_connect(fd, (struct sockaddr *)&address, sizeof(address));
    must(rc == 0 || errno == EINPROGRESS, "connect", index);
    return fd;
}

static void set_blocking(int fd)
{
    must(hws_fcntl(fd, F_SETFL, 0) == 0, "fcntl", fd);
}

static void send_number(int fd, long number)
{
    must(hws_send(fd, &number, sizeof(number), 0) == sizeof(number), "send", number);
}

static void receive_number(int fd, long number)
{
    long got = -1;
    ssize_t len = hws_recv(fd, &got, sizeof(got), 0);
    must(len == sizeof(got), "recv", number);
    if (got != number) {
        fprintf(stderr, "scale: socket of %ld got %ld\n", number, got);
        exit(1);
    }
}

static long received_number(int fd)
{
    long got = -1;
    must(hws_recv(fd, &got, sizeof(got), 0) == sizeof(got), "recv", fd);
    return got;
}

/* ---- Processes, each with a runtime of its own: they are made before the first call ---- */

#define PROCESSES 4

struct process {
    pid_t pid;       /* 0: this is it */
    int answers, go; /* the parent's ends of two pipes */
    int tell, wait;  /* the child's */
};

/* The child goes on when it is let go. */
static void start(struct process *p)
{
    int tell[2], go[2];
    char byte;
    must(pipe(tell) == 0 && pipe(go) == 0, "pipe", 0);
    *p = (struct process){.answers = tell[0], .go = go[1], .tell = tell[1], .wait = go[0]};
    p->pid = fork();
    must(p->pid >= 0, "fork", 0);
    close(p->pid == 0 ? p->go : p->wait);
    close(p->pid == 0 ? p->answers : p->tell);
    if (p->pid == 0)
        must(read(p->wait, &byte, 1) == 1, "waiting to begin", 0);
}

static void let_go(const struct process *p)
{
    must(write(p->go, "g", 1) == 1, "letting a process go on", p->pid);
}

static void end(const struct process *p)
{
    int status;
    let_go(p);
    must(waitpid(p->pid, &status, 0) == p->pid && status == 0, "process", p->pid);
}

/* ---- Many sockets ---- */

static void accept_all(int listener, int *accepted, long count)
{
    for (long i = 0; i < count; i++) {
        accepted[i] = hws_accept(listener, NULL, NULL);
        must(accepted[i] >= 0, "accept", i);
    }
}

static void many_sockets(long count)
{
    long pairs = count / 2;
    int *clients = calloc((size_t)pairs, sizeof(int)),
        *accepted = calloc((size_t)pairs, sizeof(int));
    int listener = open_server(SOCK_STREAM);
    for (long i = 0; i < pairs; i += AT_ONCE) {
        long now = pairs - i < AT_ONCE ? pairs - i : AT_ONCE;
        for (long k = i; k < i + now; k++)
            clients[k] = begin_connecting(k);
        accept_all(listener, accepted + i, now);
    }
    for (long i = 0; i < pairs; i++) {
        set_blocking(clients[i]);
        send_number(clients[i], i);
    }
    for (long i = 0; i < pairs; i++)
        send_number(accepted[i], received_number(accepted[i]));
    for (long i = 0; i < pairs; i++)
        receive_number(clients[i], i);
    for (long i = 0; i < pairs; i++) {
        must(hws_close(clients[i]) == 0, "close", i);
        must(hws_close(accepted[i]) == 0, "close", i);
    }
    must(hws_close(listener) == 0, "close", 0);
    free(clients);
    free(accepted);
}

/* ---- Many associations ---- */

static void answer(int fd, long index)
{
    long number;
    struct sctp_sndrcvinfo info = {0};
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    int flags = 0;
    ssize_t len = hws_sctp_recvmsg(fd, &number, sizeof(number), (struct sockaddr *)&from, &from_len,
                                   &info, &flags);
    must(len == sizeof(number), "recvmsg", index);
    must(hws_sendto(fd, &number, sizeof(number), 0, (struct sockaddr *)&from, from_len) ==
             sizeof(number),
         "sendto", index);
}

static uint32_t assoc_count(int fd)
{
    uint32_t number = 0;
    socklen_t len = sizeof(number);
    must(hws_getsockopt(fd, IPPROTO_SCTP, SCTP_GET_ASSOC_NUMBER, &number, &len) == 0,
         "SCTP_GET_ASSOC_NUMBER", fd);
    return number;
}

/* A process whose sockets are `count` of the server's peers: three descriptors each, so that one
 * process would not be allowed enough of them. */
static void be_peers(long first, long count, int connected, int go)
{
    int *clients = calloc((size_t)count, sizeof(int));
    char byte = 'g';
    for (long i = 0; i < count; i++) {
        clients[i] = connect_one(i);
        send_number(clients[i], first + i);
    }
    for (long i = 0; i < count; i++)
        receive_number(clients[i], first + i);
    must(write(connected, &byte, 1) == 1 && read(go, &byte, 1) == 1, "waiting to close", first);
    for (long i = 0; i < count; i++)
        must(hws_close(clients[i]) == 0, "close", i);
    free(clients);
    exit(0);
}

static void many_assocs(long count)
{
    struct process processes[PROCESSES];
    char byte;
    long share = count / PROCESSES;
    for (long i = 0; i < PROCESSES; i++) {
        struct process *p = &processes[i];
        start(p);
        if (p->pid == 0)
            be_peers(i * share, share, p->tell, p->wait);
    }
    int server_fd = open_server(SOCK_SEQPACKET);
    for (long i = 0; i < PROCESSES; i++)
        let_go(&processes[i]);
    for (long i = 0; i < share * PROCESSES; i++)
        answer(server_fd, i);
    for (long i = 0; i < PROCESSES; i++)
        must(read(processes[i].answers, &byte, 1) == 1, "peers", i);
    must(assoc_count(server_fd) == (uint32_t)(share * PROCESSES), "associations", count);
    for (long i = 0; i < PROCESSES; i++)
        end(&processes[i]);
    must(hws_close(server_fd) == 0, "close", 0);
}

/* ---- Two processes, one port ---- */

static int try_bind(void)
{
    struct sockaddr_in address = server_address();
    int fd = hws_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    must(fd >= 0, "socket", 0);
    int error = hws_bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
    if (error != 0)
        hws_close(fd);
    return error != 0 ? -error : fd;
}

/* One of two processes, each with a runtime of its own (fork before the first call). It tells what
 * bind answered, and waits to be told to go on. */
static void contend(int tell, int wait)
{
    char go;
    int answer_fd = try_bind();
    must(write(tell, &answer_fd, sizeof(answer_fd)) == sizeof(answer_fd), "write", 0);
    must(read(wait, &go, 1) == 1, "read", 0);
    exit(0);
}

static void start_contender(struct process *p)
{
    start(p);
    if (p->pid == 0)
        contend(p->tell, p->wait);
    let_go(p);
}

static int answer_of(const struct process *p)
{
    int got;
    must(read(p->answers, &got, sizeof(got)) == sizeof(got), "read", p->pid);
    return got;
}

static void one_port(void)
{
    struct process a, b, c;
    start_contender(&a);
    start_contender(&b);
    int of_a = answer_of(&a), of_b = answer_of(&b);
    if ((of_a >= 0) == (of_b >= 0) || (of_a < 0 ? of_a : of_b) != -EADDRINUSE) {
        fprintf(stderr, "scale: two processes bound one port and got %d and %d\n", of_a, of_b);
        exit(1);
    }
    end(&a);
    end(&b);
    start_contender(&c);
    must(answer_of(&c) >= 0, "bind after the owner has gone", 0);
    end(&c);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    long count = argc > 2 ? atol(argv[2]) : 0;
    double started_s = now_s();
    bool sockets = strcmp(what, "sockets") == 0 && count > 1;
    if (sockets)
        allow_descriptors(count); /* before the privilege to do so may be gone */
    if (!netns_enter())
        return 77;
    if (strcmp(what, "port") == 0) {
        one_port();
    } else if (sockets) {
        many_sockets(count);
    } else if (strcmp(what, "assocs") == 0 && count > 0) {
        many_assocs(count);
    } else {
        fprintf(stderr, "usage: scale sockets COUNT | assocs COUNT | port\n");
        return 2;
    }
    printf("scale: %s %ld done in %.1f s\n", what, count, now_s() - started_s);
    return 0;
}
