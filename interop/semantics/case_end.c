/* The end of one-to-one associations: shutdown, close, abort, linger. */
#include "cases.h"
#include "ends.h"
#include "hear.h"
#include "say.h"

#include <time.h>

static void so_error(const char *step, int fd)
{
    int error = -1;
    socklen_t size = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        answer(step, -1);
    else
        say(step, "%s", error ? say_errno(error) : "none");
}

static void abortive(int fd)
{
    struct linger now = {.l_onoff = 1};
    ready("SO_LINGER", setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
}

static void after_shutdown(void)
{
    struct ends e = connected();
    ready("send", send(e.client, "last", 4, 0));
    answer("shutdown", shutdown(e.client, SHUT_WR));
    ended(e.client);
    answer("send", send(e.client, "x", 1, MSG_NOSIGNAL));
    answer("shutdown again", shutdown(e.client, SHUT_WR));
    hear("server", e.server);
    hear("server", e.server);
    answer("server sends", send(e.server, "x", 1, MSG_NOSIGNAL));
    answer("server shuts down", shutdown(e.server, SHUT_WR));
    hear_into("client", e.client, 64, MSG_DONTWAIT);
    so_error("client SO_ERROR", e.client);
    so_error("server SO_ERROR", e.server);
    answer("client sends at last", send(e.client, "x", 1, MSG_NOSIGNAL));
    answer("shutdown at last", shutdown(e.client, SHUT_WR));
}

static void shutdown_how(void)
{
    struct ends e = connected();
    answer("fresh", shutdown(one_to_one(), SHUT_WR));
    answer("listener", shutdown(e.listener, SHUT_WR));
    answer("listener, both", shutdown(e.listener, SHUT_RDWR));
    answer("connect to it", connect_to(one_to_one(), HERE, PORT));
    answer("one-to-many", shutdown(one_to_many(), SHUT_WR));
    answer("how 3", shutdown(e.client, 3));
    answer("how -1", shutdown(e.client, -1));
    answer("SHUT_RD", shutdown(e.client, SHUT_RD));
    ready("send", send(e.server, "to the deaf", 11, 0));
    hear("after SHUT_RD", e.client);
    answer("SHUT_RDWR", shutdown(e.client, SHUT_RDWR));
    hear("server", e.server);
    answer("SHUT_RDWR at the end", shutdown(e.server, SHUT_RDWR));
}

/* What the peer sent before it saw the SHUTDOWN still comes. */
static void shutdown_with_data(void)
{
    struct ends e = connected();
    ready("send", send(e.server, "to come", 7, 0));
    await(e.client, POLLIN);
    answer("shutdown", shutdown(e.client, SHUT_WR));
    hear("server", e.server);
    hear("client", e.client);
    ended(e.client);
    hear_into("client", e.client, 64, MSG_DONTWAIT);
    polled("client poll", e.client, 0);
}

static void after_abort(void)
{
    struct ends e = connected();
    ready("send", send(e.server, "unread", 6, 0));
    await(e.client, POLLIN);
    abortive(e.server);
    answer("close", close(e.server));
    polled("poll", e.client, POLLERR);
    hear("client", e.client);
    hear("client", e.client);
    hear("client", e.client);
    so_error("SO_ERROR", e.client);
    answer("send", send(e.client, "x", 1, MSG_NOSIGNAL));
    answer("send again", send(e.client, "x", 1, MSG_NOSIGNAL));
    answer("shutdown", shutdown(e.client, SHUT_WR));
    answer("getpeername",
           getpeername(e.client, (struct sockaddr *)&(struct sockaddr_in){0}, &(socklen_t){16}));
}

static void abort_then_send(void)
{
    struct ends e = connected();
    abortive(e.server);
    ready("close", close(e.server));
    await(e.client, POLLERR);
    answer("send", send(e.client, "x", 1, MSG_NOSIGNAL));
    answer("send again", send(e.client, "x", 1, MSG_NOSIGNAL));
    so_error("SO_ERROR", e.client);
    hear("recv", e.client);
}

static void abort_then_error(void)
{
    struct ends e = connected();
    abortive(e.server);
    ready("close", close(e.server));
    await(e.client, POLLERR);
    so_error("SO_ERROR", e.client);
    so_error("SO_ERROR again", e.client);
    hear("recv", e.client);
    answer("send", send(e.client, "x", 1, MSG_NOSIGNAL));
}

static void abort_by_flag(void)
{
    struct ends e = connected();
    answer("abort", sctp_sendmsg(e.client, "why", 3, NULL, 0, 0, SCTP_ABORT, 0, 0, 0));
    so_error("server SO_ERROR", e.server);
    polled("client poll", e.client, 0);
    so_error("client SO_ERROR", e.client);
    answer("client sends", send(e.client, "x", 1, MSG_NOSIGNAL));
    hear_into("client receives", e.client, 64, MSG_DONTWAIT);
}

static void eof_by_flag(void)
{
    struct ends e = connected();
    answer("EOF", sctp_sendmsg(e.client, NULL, 0, NULL, 0, 0, SCTP_EOF, 0, 0, 0));
    answer("client sends", send(e.client, "x", 1, MSG_NOSIGNAL));
    hear_into("client", e.client, 64, MSG_DONTWAIT);
}

static void close_unread(void)
{
    struct ends e = connected();
    subscribe(e.client);
    ready("send", send(e.client, "unread", 6, 0));
    delivered(e.client);
    answer("close", close(e.server));
    hear("client", e.client);
    hear("client", e.client);
    hear("client", e.client);
}

static void close_read(void)
{
    struct ends e = connected();
    ready("send", send(e.server, "last", 4, 0));
    answer("close", close(e.server));
    hear("client", e.client);
    hear("client", e.client);
    polled("poll", e.client, POLLRDHUP);
    so_error("SO_ERROR", e.client);
}

static bool took_long(const struct timespec *begin)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (end.tv_sec - begin->tv_sec) * 1000 + (end.tv_nsec - begin->tv_nsec) / 1000000 > 700;
}

/* The peer reads nothing, so that what was sent cannot be delivered. */
static void linger_seconds(void)
{
    struct ends e = connected_narrow();
    struct linger one = {.l_onoff = 1, .l_linger = 1};
    struct timespec begin;
    ready("SO_LINGER", setsockopt(e.client, SOL_SOCKET, SO_LINGER, &one, sizeof(one)));
    option_int(e.client, SOL_SOCKET, SO_SNDBUF, 1000000);
    fill(e.client, 65536);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    answer("close", close(e.client));
    say("waited", "%s", took_long(&begin) ? "about a second" : "no");
    e = (struct ends){.listener = e.listener, .client = one_to_one()};
    ready("SO_LINGER", setsockopt(e.client, SOL_SOCKET, SO_LINGER, &one, sizeof(one)));
    ready("connect", connect_to(e.client, HERE, PORT));
    clock_gettime(CLOCK_MONOTONIC, &begin);
    answer("close with nothing sent", close(e.client));
    say("waited", "%s", took_long(&begin) ? "about a second" : "no");
}

static void linger_zero(void)
{
    struct ends e = connected();
    subscribe(e.server);
    abortive(e.client);
    ready("send", send(e.client, "lost or not", 11, 0));
    delivered(e.client);
    answer("close", close(e.client));
    hear("server", e.server);
    hear("server", e.server);
    hear("server", e.server);
}

static void close_listener(void)
{
    struct ends e = connected();
    answer("close", close(e.listener));
    answer("send", send(e.client, "still", 5, 0));
    hear("server", e.server);
    answer("connect", connect_to(one_to_one(), HERE, PORT));
}

static void names_after(void)
{
    struct ends e = connected();
    struct sockaddr_storage a;
    socklen_t size = sizeof(a);
    ready("shutdown", shutdown(e.client, SHUT_WR));
    hear("server", e.server);
    ended(e.client);
    answer("client getpeername", getpeername(e.client, (struct sockaddr *)&a, &size));
    answer("client getsockname", getsockname(e.client, (struct sockaddr *)&a, &size));
    say("client name", "%s", say_address(&a));
    answer("server getpeername", getpeername(e.server, (struct sockaddr *)&a, &size));
    answer("server getsockname", getsockname(e.server, (struct sockaddr *)&a, &size));
    say("server name", "%s", say_address(&a));
    answer("listen", listen(e.client, 1));
}

const struct semantic_case cases_end[] = {
    {"end after shutdown", after_shutdown},
    {"end shutdown how", shutdown_how},
    {"end shutdown with data", shutdown_with_data},
    {"end after abort", after_abort},
    {"end abort, send first", abort_then_send},
    {"end abort, SO_ERROR first", abort_then_error},
    {"end SCTP_ABORT", abort_by_flag},
    {"end SCTP_EOF", eof_by_flag},
    {"end close, unread data", close_unread},
    {"end close", close_read},
    {"end linger", linger_seconds},
    {"end linger 0", linger_zero},
    {"end close of the listener", close_listener},
    {"end names", names_after},
    {0},
};
