/* connect and connectx, and how they fail. */
#include "cases.h"
#include "ends.h"
#include "hear.h"
#include "say.h"
#include "world.h"

#define HOSTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void so_error(const char *step, int fd)
{
    int error = -1;
    socklen_t size = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        answer(step, -1);
    else
        say(step, "%s", error ? say_errno(error) : "none");
}

static void refused(void)
{
    int fd = one_to_one();
    answer("connect", connect_to(fd, HERE, CLOSED_PORT));
    so_error("SO_ERROR", fd);
    polled("poll", fd, 0);
    ready("listener", listener(PORT));
    answer("connect elsewhere", connect_to(fd, HERE, PORT));
}

static void refused_non_blocking(void)
{
    int fd = one_to_one();
    non_blocking(fd);
    answer("connect", connect_to(fd, HERE, CLOSED_PORT));
    polled("poll", fd, POLLERR);
    so_error("SO_ERROR", fd);
    so_error("SO_ERROR again", fd);
    polled("poll after", fd, 0);
    answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
    answer("connect again", connect_to(fd, HERE, CLOSED_PORT));
}

static void refused_connect_again(void)
{
    int fd = one_to_one();
    non_blocking(fd);
    answer("connect", connect_to(fd, HERE, CLOSED_PORT));
    polled("poll", fd, POLLERR);
    answer("connect again", connect_to(fd, HERE, CLOSED_PORT));
    polled("poll", fd, POLLERR);
    so_error("SO_ERROR", fd);
}

static void nobody(void)
{
    int fd = one_to_one();
    world_nobody();
    impatient(fd);
    answer("connect", connect_to(fd, WORLD_NOBODY, PORT));
    so_error("SO_ERROR", fd);
    polled("poll", fd, 0);
}

static void nobody_non_blocking(void)
{
    int fd = one_to_one();
    world_nobody();
    impatient(fd);
    non_blocking(fd);
    answer("connect", connect_to(fd, WORLD_NOBODY, PORT));
    polled("poll at once", fd, 0);
    answer("connect again", connect_to(fd, WORLD_NOBODY, PORT));
    answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
    answer("recv", recv(fd, &(char){0}, 1, 0));
    answer("accept", accept(fd, NULL, NULL));
    answer("bind", bind_to(fd, WORLD_FIRST, PORT));
    polled("poll at last", fd, POLLERR);
    so_error("SO_ERROR", fd);
}

static void nobody_and_others(void)
{
    int fd = one_to_one(), other = one_to_one();
    world_nobody();
    non_blocking(fd);
    non_blocking(other);
    answer("connect", connect_to(fd, WORLD_NOBODY, PORT));
    answer("listen", listen(fd, 1));
    answer("connect", connect_to(other, WORLD_NOBODY, PORT));
    answer("shutdown", shutdown(other, SHUT_WR));
}

static void nobody_and_elsewhere(void)
{
    int fd = one_to_one(), server = listener(PORT);
    world_nobody();
    non_blocking(fd);
    answer("connect", connect_to(fd, WORLD_NOBODY, PORT));
    answer("connect elsewhere", connect_to(fd, HERE, PORT));
    close(server);
}

static void nobody_limited(void)
{
    int fd = one_to_one();
    struct timeval limit = {.tv_usec = 100000};
    world_nobody();
    ready("SO_SNDTIMEO", setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)));
    answer("connect", connect_to(fd, WORLD_NOBODY, PORT));
    answer("connect again", connect_to(fd, WORLD_NOBODY, PORT));
}

static void unreachable(void)
{
    answer("connect", connect_to(one_to_one(), WORLD_UNREACHABLE, PORT));
    answer("connect IPv6",
           connect_to(socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP), "fd99::1", PORT));
    answer("sendto", sendto(one_to_many(), "x", 1, 0,
                            (struct sockaddr *)&(struct sockaddr_in){
                                .sin_family = AF_INET,
                                .sin_port = htons(PORT),
                                .sin_addr.s_addr = inet_addr(WORLD_UNREACHABLE)},
                            sizeof(struct sockaddr_in)));
}

static void twice(void)
{
    struct ends e = connected();
    answer("again", connect_to(e.client, HERE, PORT));
    answer("elsewhere", connect_to(e.client, HERE, OTHER_PORT));
    answer("the accepted", connect_to(e.server, HERE, PORT));
    answer("the listener", connect_to(e.listener, HERE, OTHER_PORT));
    ready("shutdown", shutdown(e.client, SHUT_WR));
    answer("after shutdown", connect_to(e.client, HERE, PORT));
    hear("server", e.server);
    ended(e.client);
    polled("poll", e.client, 0);
    answer("after its end", connect_to(e.client, HERE, PORT));
}

static void addresses(void)
{
    int fd = one_to_one();
    struct address a = address_of(HERE, PORT);
    ready("listener", listener(PORT));
    answer("port 0", connect_to(fd, HERE, 0));
    answer("0.0.0.0", connect_to(fd, "0.0.0.0", PORT));
    answer("multicast", connect_to(fd, "224.0.0.1", PORT));
    answer("broadcast", connect_to(fd, "255.255.255.255", PORT));
    answer("IPv6", connect_to(fd, "::1", PORT));
    answer("IPv4 on IPv6",
           connect_to(socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP), HERE, CLOSED_PORT));
    answer("size 0", connect(fd, (struct sockaddr *)&a.storage, 0));
    answer("size 8", connect(fd, (struct sockaddr *)&a.storage, 8));
    a.storage.ss_family = 77;
    answer("family 77", connect(fd, (struct sockaddr *)&a.storage, a.size));
    a.storage.ss_family = AF_UNSPEC;
    answer("family unspecified", connect(fd, (struct sockaddr *)&a.storage, a.size));
    answer("at last", connect_to(fd, HERE, PORT));
}

static void itself(void)
{
    int fd = one_to_one();
    impatient(fd);
    ready("bind", bind_to(fd, HERE, PORT));
    answer("connect", connect_to(fd, HERE, PORT));
}

static void many(void)
{
    int server = many_listener(PORT), fd = one_to_many();
    answer("connect", connect_to(fd, HERE, PORT));
    answer("again", connect_to(fd, HERE, PORT));
    answer("refused", connect_to(fd, HERE, CLOSED_PORT));
    answer("send without address", send(fd, "x", 1, 0));
    ready("second server", many_listener(OTHER_PORT));
    answer("a second peer", connect_to(fd, HERE, OTHER_PORT));
    option_int(server, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
    polled("poll client", fd, 0);
    polled("poll server", server, 0);
}

static void many_non_blocking(void)
{
    int fd = one_to_many();
    world_nobody();
    subscribe(fd);
    impatient(fd);
    non_blocking(fd);
    answer("refused", connect_to(fd, HERE, CLOSED_PORT));
    hear("told", fd);
    answer("nobody", connect_to(fd, WORLD_NOBODY, PORT));
    answer("nobody again", connect_to(fd, WORLD_NOBODY, PORT));
    hear("told", fd);
    so_error("SO_ERROR", fd);
    polled("poll", fd, 0);
}

static void connectx_one(void)
{
    int fd = one_to_one(), second = one_to_one();
    sctp_assoc_t id = 0;
    ready("listener", listener(PORT));
    answer("two addresses", connectx_to(fd, PORT, HOSTS(HERE, "127.0.0.2"), &id));
    say("id", "%s", say_association(id));
    answer("again", connectx_to(fd, PORT, HOSTS(HERE), &id));
    answer("refused", connectx_to(second, CLOSED_PORT, HOSTS(HERE), &id));
    non_blocking(second);
    id = 0;
    answer("non-blocking", connectx_to(second, PORT, HOSTS(HERE), &id));
    say("id", "%s", say_association(id));
    polled("poll", second, POLLOUT);
    answer("no id", connectx_to(one_to_one(), PORT, HOSTS(HERE), NULL));
}

static void connectx_wrong(void)
{
    struct sockaddr_in two[2];
    struct address a = address_of(HERE, PORT), b = address_of("127.0.0.2", OTHER_PORT);
    int fd = one_to_one();
    memcpy(&two[0], &a.storage, sizeof(two[0]));
    memcpy(&two[1], &b.storage, sizeof(two[1]));
    answer("different ports", sctp_connectx(fd, (struct sockaddr *)two, 2, NULL));
    answer("no addresses", sctp_connectx(fd, (struct sockaddr *)two, 0, NULL));
    answer("-1 addresses", sctp_connectx(fd, (struct sockaddr *)two, -1, NULL));
    answer("port 0", connectx_to(fd, 0, HOSTS(HERE), NULL));
    answer("IPv6", connectx_to(fd, PORT, HOSTS("::1"), NULL));
    answer("a duplicate", connectx_to(fd, CLOSED_PORT, HOSTS(HERE, HERE), NULL));
    two[0].sin_family = 77;
    answer("family 77", sctp_connectx(fd, (struct sockaddr *)two, 1, NULL));
}

static void peer_closes_listener(void)
{
    int server = listener(PORT), fd = one_to_one();
    char byte;
    answer("connect", connect_to(fd, HERE, PORT));
    answer("listener closed", close(server));
    polled("poll", fd, POLLRDHUP);
    so_error("SO_ERROR", fd);
    answer("recv", recv(fd, &byte, 1, 0));
    answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
}

const struct semantic_case cases_connect[] = {
    {"connect refused", refused},
    {"connect refused, non-blocking", refused_non_blocking},
    {"connect refused, again", refused_connect_again},
    {"connect to nobody", nobody},
    {"connect while connecting", nobody_non_blocking},
    {"connect, then listen or shutdown", nobody_and_others},
    {"connect while connecting, elsewhere", nobody_and_elsewhere},
    {"connect to nobody, SO_SNDTIMEO", nobody_limited},
    {"connect unreachable", unreachable},
    {"connect twice", twice},
    {"connect addresses", addresses},
    {"connect to itself", itself},
    {"connect one-to-many", many},
    {"connect one-to-many, non-blocking", many_non_blocking},
    {"connectx", connectx_one},
    {"connectx wrong", connectx_wrong},
    {"connect, listener closes", peer_closes_listener},
    {0},
};
