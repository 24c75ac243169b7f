/* Making sockets, and what is no socket. */
#include "cases.h"
#include "ends.h"
#include "say.h"

static void types(void)
{
    answer("stream", socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP) >= 0 ? 0 : -1);
    answer("seqpacket", socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP) >= 0 ? 0 : -1);
    answer("stream IPv6", socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP) >= 0 ? 0 : -1);
    answer("seqpacket, protocol 0", socket(AF_INET, SOCK_SEQPACKET, 0) >= 0 ? 0 : -1);
    answer("datagram", socket(AF_INET, SOCK_DGRAM, IPPROTO_SCTP) >= 0 ? 0 : -1);
    answer("rdm", socket(AF_INET, SOCK_RDM, IPPROTO_SCTP) >= 0 ? 0 : -1);
    answer("type 0", socket(AF_INET, 0, IPPROTO_SCTP) >= 0 ? 0 : -1);
    answer("type 99", socket(AF_INET, 99, IPPROTO_SCTP) >= 0 ? 0 : -1);
    answer("unknown flag", socket(AF_INET, SOCK_STREAM | 0x100000, IPPROTO_SCTP) >= 0 ? 0 : -1);
    answer("AF_UNIX", socket(AF_UNIX, SOCK_STREAM, IPPROTO_SCTP) >= 0 ? 0 : -1);
    answer("AF_UNSPEC", socket(AF_UNSPEC, SOCK_STREAM, IPPROTO_SCTP) >= 0 ? 0 : -1);
    answer("family 999", socket(999, SOCK_STREAM, IPPROTO_SCTP) >= 0 ? 0 : -1);
    answer("protocol 133", socket(AF_INET, SOCK_SEQPACKET, 133) >= 0 ? 0 : -1);
}

static void descriptor_flags(void)
{
    int plain = one_to_one();
    int all = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_SCTP);
    answer("plain F_GETFD", fcntl(plain, F_GETFD));
    answer("plain F_GETFL", fcntl(plain, F_GETFL));
    answer("all F_GETFD", fcntl(all, F_GETFD));
    answer("all F_GETFL", fcntl(all, F_GETFL));
    answer("F_SETFL", fcntl(plain, F_SETFL, O_NONBLOCK));
    answer("F_GETFL", fcntl(plain, F_GETFL));
    answer("F_SETFL 0", fcntl(plain, F_SETFL, 0));
    answer("F_GETFL", fcntl(plain, F_GETFL));
    answer("F_SETFD", fcntl(plain, F_SETFD, FD_CLOEXEC));
    answer("F_GETFD", fcntl(plain, F_GETFD));
}

/* Every call with a descriptor that is not one of a socket. */
static void calls_on(int fd)
{
    struct address a = address_of(HERE, PORT);
    struct sockaddr *sa = (struct sockaddr *)&a.storage, *list;
    struct sctp_status status = {.sstat_assoc_id = 0};
    struct iovec iov = {.iov_base = "x", .iov_len = 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    socklen_t size = sizeof(a.storage);
    char byte;
    int on = 1;
    answer("bind", bind(fd, sa, a.size));
    answer("bindx", sctp_bindx(fd, sa, 1, SCTP_BINDX_ADD_ADDR));
    answer("listen", listen(fd, 1));
    answer("accept", accept(fd, NULL, NULL));
    answer("connect", connect(fd, sa, a.size));
    answer("connectx", sctp_connectx(fd, sa, 1, NULL));
    answer("send", send(fd, "x", 1, 0));
    answer("sendto", sendto(fd, "x", 1, 0, sa, a.size));
    answer("recv", recv(fd, &byte, 1, MSG_DONTWAIT));
    answer("sendmsg", sendmsg(fd, &msg, 0));
    answer("recvmsg", recvmsg(fd, &msg, MSG_DONTWAIT));
    answer("shutdown", shutdown(fd, SHUT_WR));
    answer("getsockname", getsockname(fd, sa, &size));
    answer("getpeername", getpeername(fd, sa, &size));
    answer("setsockopt", setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof(on)));
    size = sizeof(status);
    answer("getsockopt", getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, &status, &size));
    answer("peeloff", sctp_peeloff(fd, 3));
    answer("getpaddrs", sctp_getpaddrs(fd, 0, &list));
    answer("getladdrs", sctp_getladdrs(fd, 0, &list));
}

static void bad_descriptor(void)
{
    calls_on(-1);
    answer("fcntl", fcntl(-1, F_GETFL));
    answer("close", close(-1));
}

static void closed_descriptor(void)
{
    int fd = one_to_one();
    answer("close", close(fd));
    calls_on(fd);
    answer("close again", close(fd));
}

static void not_a_socket(void)
{
    int ends[2];
    ready("pipe", pipe(ends));
    calls_on(ends[0]);
}

static void null_pointers(void)
{
    int fd = one_to_one(), many = one_to_many();
    struct address a = address_of(HERE, PORT);
    struct sockaddr_storage storage;
    socklen_t size = sizeof(storage);
    int value;
    answer("bind", bind(fd, NULL, sizeof(struct sockaddr_in)));
    answer("bind, no size", bind(fd, NULL, 0));
    answer("connect", connect(fd, NULL, sizeof(struct sockaddr_in)));
    answer("getsockname, address", getsockname(fd, NULL, &size));
    answer("getsockname, size", getsockname(fd, (struct sockaddr *)&storage, NULL));
    answer("setsockopt", setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, NULL, sizeof(int)));
    answer("setsockopt, socket level", setsockopt(fd, SOL_SOCKET, SO_SNDBUF, NULL, sizeof(int)));
    size = sizeof(value);
    answer("getsockopt, value", getsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, NULL, &size));
    answer("getsockopt, size", getsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &value, NULL));
    answer("sendto, data", sendto(many, NULL, 5, 0, (struct sockaddr *)&a.storage, a.size));
    answer("sendto, address", sendto(many, "x", 1, 0, NULL, sizeof(struct sockaddr_in)));
}

static void null_pointers_connected(void)
{
    struct ends e = connected();
    struct sockaddr_storage storage;
    struct msghdr msg = {.msg_iovlen = 1};
    answer("send", send(e.client, NULL, 5, MSG_NOSIGNAL));
    answer("sendmsg, header", sendmsg(e.client, NULL, MSG_NOSIGNAL));
    answer("recvmsg, header", recvmsg(e.client, NULL, MSG_DONTWAIT));
    answer("sendmsg, iovec", sendmsg(e.client, &msg, MSG_NOSIGNAL));
    answer("recvmsg, iovec", recvmsg(e.client, &msg, MSG_DONTWAIT));
    answer("getpeername, address", getpeername(e.client, NULL, &(socklen_t){16}));
    answer("getpeername, size", getpeername(e.client, (struct sockaddr *)&storage, NULL));
    ready("send", send(e.server, "hello", 5, 0));
    await(e.client, POLLIN);
    answer("recv", recv(e.client, NULL, 5, MSG_DONTWAIT));
    ready("connect", connect_to(one_to_one(), HERE, PORT));
    await(e.listener, POLLIN);
    answer("accept, size", accept(e.listener, (struct sockaddr *)&storage, NULL) >= 0 ? 0 : -1);
}

static void kind_int(const char *step, int fd, int name)
{
    int value = -1;
    socklen_t size = sizeof(value);
    if (getsockopt(fd, SOL_SOCKET, name, &value, &size) < 0)
        answer(step, -1);
    else
        say(step, "%d, %u bytes", value, size);
}

static void kinds(void)
{
    int fds[] = {one_to_one(), one_to_many(), listener(PORT),
                 socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP)};
    for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
        kind_int("SO_TYPE", fds[i], SO_TYPE);
        kind_int("SO_PROTOCOL", fds[i], SO_PROTOCOL);
        kind_int("SO_DOMAIN", fds[i], SO_DOMAIN);
        kind_int("SO_ACCEPTCONN", fds[i], SO_ACCEPTCONN);
        kind_int("SO_ERROR", fds[i], SO_ERROR);
    }
    answer("set SO_TYPE", setsockopt(fds[0], SOL_SOCKET, SO_TYPE, &(int){1}, sizeof(int)));
    answer("set SO_ERROR", setsockopt(fds[0], SOL_SOCKET, SO_ERROR, &(int){1}, sizeof(int)));
}

const struct semantic_case cases_socket[] = {
    {"socket types", types},
    {"descriptor flags", descriptor_flags},
    {"bad descriptor", bad_descriptor},
    {"closed descriptor", closed_descriptor},
    {"not a socket", not_a_socket},
    {"null pointers", null_pointers},
    {"null pointers, connected", null_pointers_connected},
    {"kinds", kinds},
    {0},
};
