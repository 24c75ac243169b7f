/* Receiving in parts, peeking, and with too little room. */
#include "cases.h"
#include "ends.h"
#include "hear.h"
#include "say.h"

#include <sys/time.h>

static void nothing(void)
{
    struct ends e = connected();
    struct timeval limit = {.tv_usec = 30000};
    char byte;
    answer("MSG_DONTWAIT", recv(e.client, &byte, 1, MSG_DONTWAIT));
    non_blocking(e.server);
    answer("O_NONBLOCK", recv(e.server, &byte, 1, 0));
    ready("SO_RCVTIMEO", setsockopt(e.client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
    answer("SO_RCVTIMEO", recv(e.client, &byte, 1, 0));
    answer("fresh", recv(one_to_one(), &byte, 1, MSG_DONTWAIT));
    answer("listener", recv(e.listener, &byte, 1, MSG_DONTWAIT));
    answer("fresh one-to-many", recv(one_to_many(), &byte, 1, MSG_DONTWAIT));
}

static void short_buffer(void)
{
    struct ends e = connected();
    option_int(e.server, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
    ready("send", send(e.client, "0123456789", 10, 0));
    ready("send", send(e.client, "next", 4, 0));
    delivered(e.client);
    await(e.server, POLLIN);
    hear_into("4 of 10", e.server, 4, 0);
    polled("poll", e.server, POLLIN);
    hear_into("3 of 6", e.server, 3, 0);
    hear_into("the rest", e.server, 64, 0);
    hear("the next", e.server);
}

static void room_for_nothing(void)
{
    struct ends e = connected();
    char byte;
    ready("send", send(e.client, "abc", 3, 0));
    await(e.server, POLLIN);
    answer("recv 0", recv(e.server, &byte, 0, 0));
    hear_into("0 bytes", e.server, 0, 0);
    hear_into("MSG_TRUNC", e.server, 2, MSG_TRUNC);
    hear_into("after", e.server, 64, MSG_DONTWAIT);
}

static void peek(void)
{
    struct ends e = connected();
    option_int(e.server, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
    ready("send", send(e.client, "0123456789", 10, 0));
    ready("send", send(e.client, "next", 4, 0));
    delivered(e.client);
    await(e.server, POLLIN);
    hear_into("peek 4", e.server, 4, MSG_PEEK);
    hear_into("peek 64", e.server, 64, MSG_PEEK);
    hear_into("take 4", e.server, 4, 0);
    hear_into("peek the rest", e.server, 64, MSG_PEEK);
    hear_into("take the rest", e.server, 64, 0);
    hear_into("peek the next", e.server, 64, MSG_PEEK);
    hear_into("take the next", e.server, 64, 0);
    hear_into("peek nothing", e.server, 64, MSG_PEEK | MSG_DONTWAIT);
}

static void peek_notification(void)
{
    int fd = one_to_one();
    subscribe(fd);
    ready("listener", listener(PORT));
    ready("connect", connect_to(fd, HERE, PORT));
    hear_into("peek", fd, 256, MSG_PEEK | MSG_DONTWAIT);
    hear_into("take 4", fd, 4, MSG_DONTWAIT);
    hear_into("take the rest", fd, 256, MSG_DONTWAIT);
}

static void message_flags(void)
{
    struct ends e = connected();
    ready("send", send(e.client, "0123456789", 10, 0));
    await(e.server, POLLIN);
    hear_into("MSG_OOB", e.server, 4, MSG_OOB | MSG_DONTWAIT);
    hear_into("MSG_ERRQUEUE", e.server, 4, MSG_ERRQUEUE | MSG_DONTWAIT);
    hear_into("MSG_WAITALL", e.server, 4, MSG_WAITALL | MSG_DONTWAIT);
    hear_into("MSG_NOTIFICATION", e.server, 4, MSG_NOTIFICATION | MSG_DONTWAIT);
    hear_into("MSG_EOR", e.server, 4, MSG_EOR | MSG_DONTWAIT);
}

static void control_room(void)
{
    struct ends e = connected();
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct sctp_rcvinfo)) - 8];
    char text[16];
    struct iovec iov = {.iov_base = text, .iov_len = sizeof(text)};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};
    option_int(e.server, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
    for (size_t room = 0; room <= sizeof(control); room += 8) {
        ready("send", send(e.client, "abc", 3, 0));
        await(e.server, POLLIN);
        msg.msg_controllen = room;
        msg.msg_flags = 0;
        answer("recvmsg", recvmsg(e.server, &msg, 0));
        say("control", "%zu of %zu bytes, flags%s", (size_t)msg.msg_controllen, room,
            say_flags(msg.msg_flags));
    }
}

static void names(void)
{
    struct ends e = connected();
    struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof(from);
    char text[16];
    ready("send", send(e.server, "abc", 3, 0));
    await(e.client, POLLIN);
    answer("recvfrom", recvfrom(e.client, text, sizeof(text), 0, (struct sockaddr *)&from, &size));
    say("from", "%s, %u bytes", size ? say_address(&from) : "nobody", size);
    ready("send", send(e.server, "abc", 3, 0));
    await(e.client, POLLIN);
    size = 4;
    memset(&from, 0, sizeof(from));
    answer("recvfrom, short",
           recvfrom(e.client, text, sizeof(text), 0, (struct sockaddr *)&from, &size));
    say("from", "port %u, %u bytes", ntohs(((struct sockaddr_in *)&from)->sin_port), size);
}

static void vectors(void)
{
    struct ends e = connected();
    char a[2], b[3], c[16];
    struct iovec iov[4] = {{.iov_base = a, .iov_len = 2},
                           {.iov_base = NULL, .iov_len = 0},
                           {.iov_base = b, .iov_len = 3},
                           {.iov_base = c, .iov_len = 16}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 4};
    ready("send", send(e.client, "0123456789", 10, 0));
    await(e.server, POLLIN);
    answer("recvmsg", recvmsg(e.server, &msg, 0));
    say("parts", "%s %s %s", say_bytes(a, 2), say_bytes(b, 3), say_bytes(c, 5));
    msg = (struct msghdr){.msg_iov = iov, .msg_iovlen = 3};
    answer("sendmsg", sendmsg(e.server, &msg, 0));
    hear("got", e.client);
    msg.msg_iovlen = 0;
    answer("no vector", sendmsg(e.server, &msg, MSG_NOSIGNAL));
    msg.msg_iovlen = 1025;
    answer("1025 vectors", sendmsg(e.server, &msg, MSG_NOSIGNAL));
}

static void large(void)
{
    static char big[100000];
    struct ends e = connected();
    long total = 0, n;
    memset(big, 'L', sizeof(big));
    option_int(e.client, SOL_SOCKET, SO_SNDBUF, 400000);
    answer("send", send(e.client, big, sizeof(big), 0));
    await(e.server, POLLIN);
    while (total < (long)sizeof(big) && (n = recv(e.server, big, sizeof(big), 0)) > 0)
        total += n;
    say("received", "%ld", total);
}

const struct semantic_case cases_receive[] = {
    {"receive nothing", nothing},
    {"receive short", short_buffer},
    {"receive 0 bytes", room_for_nothing},
    {"receive peek", peek},
    {"receive peek, notification", peek_notification},
    {"receive message flags", message_flags},
    {"receive control room", control_room},
    {"receive names", names},
    {"receive vectors", vectors},
    {"receive large", large},
    {0},
};
