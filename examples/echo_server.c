/* An echo server with blocking calls and a thread for each client. Every message goes back on its
 * stream, with the payload protocol identifier it came with.
 *
 * Usage: echo_server [PORT]     port 5000 by default; ends at SIGINT */
#include <errno.h>
#include <hawser/socket.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_BYTES_MAX (1u << 20)

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* A large message may come in parts; MSG_EOR marks its last one. Answers its length, 0 at the end
 * of the association, -1 with errno. */
static ssize_t receive_message(int fd, char *message, struct sctp_rcvinfo *info)
{
    size_t len = 0;
    int flags = 0;
    while ((flags & MSG_EOR) == 0) {
        struct iovec room = {message + len, MESSAGE_BYTES_MAX - len};
        if (room.iov_len == 0)
            return errno = EMSGSIZE, -1;
        socklen_t info_len = sizeof *info;
        unsigned info_type;
        flags = 0;
        ssize_t part = hws_recvv(fd, &room, 1, NULL, NULL, info, &info_len, &info_type, &flags);
        if (part <= 0)
            return part;
        len += (size_t)part;
    }
    return (ssize_t)len;
}

static ssize_t send_message(int fd, char *message, size_t len, const struct sctp_rcvinfo *received)
{
    struct iovec iov = {message, len};
    struct sctp_sndinfo info = {.snd_sid = received->rcv_sid, .snd_ppid = received->rcv_ppid};
    return hws_sendv(fd, &iov, 1, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, MSG_NOSIGNAL);
}

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char *message = malloc(MESSAGE_BYTES_MAX);
    struct sctp_rcvinfo info;
    ssize_t len = -1;
    uint64_t messages = 0;
    if (message != NULL) {
        while ((len = receive_message(fd, message, &info)) > 0) {
            if (send_message(fd, message, (size_t)len, &info) < 0)
                break;
            messages++;
        }
    }
    if (len != 0)
        perror("a client is lost");
    printf("%llu messages echoed\n", (unsigned long long)messages);
    free(message);
    hws_close(fd);
    return NULL;
}

int main(int argc, char **argv)
{
    struct sockaddr_in local = {.sin_family = AF_INET};
    local.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 5000));
    int listener = hws_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    if (listener < 0)
        die("hws_socket");
    if (hws_bind(listener, (const struct sockaddr *)&local, sizeof local) != 0)
        die("hws_bind");
    int on = 1; /* else hws_recvv would not tell the stream */
    if (hws_setsockopt(listener, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof on) != 0)
        die("SCTP_RECVRCVINFO");
    if (hws_listen(listener, 16) != 0)
        die("hws_listen");
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("listening at port %u\n", ntohs(local.sin_port));
    for (;;) {
        pthread_t thread;
        int fd = hws_accept(listener, NULL, NULL);
        if (fd < 0)
            die("hws_accept");
        int error = pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd);
        if (error != 0) {
            fprintf(stderr, "no thread: %s\n", strerror(error));
            return 1;
        }
        pthread_detach(thread);
    }
}
