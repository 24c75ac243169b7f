/* An echo server on one one-to-many socket: a single descriptor has every client's messages and
 * tells when clients come and go. It waits in poll, beside another descriptor (standard input).
 *
 * Usage: poll_server [PORT]     port 5000 by default; ends at the end of standard input */
#include <errno.h>
#include <hawser/socket.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    _Alignas(max_align_t) char bytes[65536];
    size_t len;
    struct sctp_sndinfo to;
    bool waits; /* for room in the send buffer; meanwhile nothing is received */
} answer;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int open_server(uint16_t port)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1;
    struct sctp_event event = {.se_type = SCTP_ASSOC_CHANGE, .se_on = 1};
    int fd = hws_socket(AF_INET, SOCK_SEQPACKET | SOCK_NONBLOCK, IPPROTO_SCTP);
    if (fd < 0)
        die("hws_socket");
    if (hws_bind(fd, (const struct sockaddr *)&local, sizeof local) != 0)
        die("hws_bind");
    if (hws_setsockopt(fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof on) != 0)
        die("SCTP_RECVRCVINFO"); /* which association and stream a message came on */
    if (hws_setsockopt(fd, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event) != 0)
        die("SCTP_EVENT");
    if (hws_listen(fd, 16) != 0)
        die("hws_listen");
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("listening at port %u\n", port);
    return fd;
}

static void show(const union sctp_notification *notification)
{
    const struct sctp_assoc_change *change = &notification->sn_assoc_change;
    if (notification->sn_header.sn_type == SCTP_ASSOC_CHANGE)
        printf("association %d: %s\n", change->sac_assoc_id,
               change->sac_state == SCTP_COMM_UP         ? "up"
               : change->sac_state == SCTP_SHUTDOWN_COMP ? "over"
               : change->sac_state == SCTP_RESTART       ? "restarted"
                                                         : "lost");
}

/* Sends the answer, or has it wait. An association that is gone needs none. */
static void send_answer(int fd)
{
    struct iovec iov = {answer.bytes, answer.len};
    ssize_t sent = hws_sendv(fd, &iov, 1, NULL, 0, &answer.to, sizeof answer.to, SCTP_SENDV_SNDINFO,
                             MSG_NOSIGNAL);
    answer.waits = sent < 0 && errno == EAGAIN;
}

/* Takes what is there. Parts of a large message go back as messages of their own. */
static void receive(int fd)
{
    while (!answer.waits) {
        struct sctp_rcvinfo info = {0};
        struct iovec room = {answer.bytes, sizeof answer.bytes};
        socklen_t len = sizeof info;
        unsigned type;
        int flags = 0;
        ssize_t got = hws_recvv(fd, &room, 1, NULL, NULL, &info, &len, &type, &flags);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got < 0)
            die("hws_recvv");
        if ((flags & MSG_NOTIFICATION) != 0) {
            show((const void *)answer.bytes);
            continue;
        }
        answer.len = (size_t)got;
        answer.to = (struct sctp_sndinfo){
            .snd_sid = info.rcv_sid, .snd_ppid = info.rcv_ppid, .snd_assoc_id = info.rcv_assoc_id};
        send_answer(fd);
    }
}

int main(int argc, char **argv)
{
    int fd = open_server((uint16_t)(argc > 1 ? atoi(argv[1]) : 5000));
    char ignored[256];
    for (;;) {
        struct pollfd ready[] = {{.fd = fd, .events = answer.waits ? POLLOUT : POLLIN},
                                 {.fd = STDIN_FILENO, .events = POLLIN}};
        if (poll(ready, 2, -1) < 0)
            die("poll");
        if (ready[1].revents != 0 && read(STDIN_FILENO, ignored, sizeof ignored) <= 0)
            break;
        if (answer.waits && (ready[0].revents & POLLOUT) != 0)
            send_answer(fd);
        if (ready[0].revents != 0)
            receive(fd);
    }
    hws_close(fd);
    return 0;
}
