/* listen and accept. */
#include "cases.h"
#include "ends.h"
#include "hear.h"
#include "say.h"

static void named(const char *step, int fd)
{
    struct sockaddr_storage a;
    socklen_t size = sizeof(a);
    if (getsockname(fd, (struct sockaddr *)&a, &size) < 0)
        answer(step, -1);
    else
        say(step, "%s", say_address(&a));
}

static void unbound(void)
{
    int fd = one_to_one(), many = one_to_many();
    answer("listen", listen(fd, 1));
    named("name", fd);
    answer("listen again", listen(fd, 5));
    answer("bind", bind_to(fd, HERE, PORT));
    answer("one-to-many", listen(many, 1));
    answer("backlog -1", listen(one_to_one(), -1));
}

static void backlog_zero(void)
{
    int fd = listener(PORT), many = many_listener(OTHER_PORT), client = one_to_one();
    answer("listen 0", listen(fd, 0));
    answer("connect", connect_to(client, HERE, PORT));
    answer("one-to-many, listen 0", listen(many, 0));
    answer("one-to-many, connect", connect_to(one_to_one(), HERE, OTHER_PORT));
    answer("accept", accept4(fd, NULL, NULL, SOCK_NONBLOCK) >= 0 ? 0 : -1);
    answer("listen again", listen(fd, 1));
    answer("connect", connect_to(one_to_one(), HERE, PORT));
}

static void in_use(void)
{
    int first = one_to_one(), second = one_to_one();
    option_int(first, SOL_SOCKET, SO_REUSEADDR, 1);
    option_int(second, SOL_SOCKET, SO_REUSEADDR, 1);
    ready("bind", bind_to(first, HERE, PORT));
    ready("bind", bind_to(second, HERE, PORT));
    answer("first", listen(first, 1));
    answer("second", listen(second, 1));
}

static void wrong_sockets(void)
{
    struct ends e = connected();
    int fresh = one_to_one(), many = many_listener(OTHER_PORT);
    answer("listen on the client", listen(e.client, 1));
    answer("listen on the accepted", listen(e.server, 1));
    answer("accept on the client", accept(e.client, NULL, NULL));
    answer("accept on a fresh one", accept(fresh, NULL, NULL));
    answer("accept on one-to-many", accept(many, NULL, NULL));
    answer("accept4 with unknown flags", accept4(e.listener, NULL, NULL, 1));
    answer("accept4 would wait", accept4(fresh, NULL, NULL, SOCK_NONBLOCK));
    non_blocking(e.listener);
    answer("accept would wait", accept(e.listener, NULL, NULL));
    answer("getpeername",
           getpeername(e.listener, (struct sockaddr *)&(struct sockaddr_in){0}, &(socklen_t){16}));
}

static void accepts(void)
{
    int fd = listener(PORT), client = one_to_one(), accepted;
    struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
    socklen_t size = 4;
    ready("bind", bind_to(client, HERE, OTHER_PORT));
    ready("connect", connect_to(client, HERE, PORT));
    polled("poll", fd, POLLIN);
    accepted = accept4(fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    answer("accept", accepted >= 0 ? 0 : -1);
    say("size", "%u, family %u", size, from.ss_family);
    named("name", accepted);
    polled("poll after", fd, 0);
    answer("F_GETFL", fcntl(accepted, F_GETFL));
    answer("F_GETFD", fcntl(accepted, F_GETFD));
    client = one_to_one();
    ready("connect", connect_to(client, HERE, PORT));
    await(fd, POLLIN);
    size = sizeof(from);
    accepted = accept(fd, (struct sockaddr *)&from, &size);
    say("accepted", "%s, %u bytes", say_address(&from), size);
    answer("F_GETFL", fcntl(accepted, F_GETFL));
}

/* The accepted socket has what the listener had. */
static void inherits(void)
{
    int fd = listener(PORT), accepted, value = -1;
    socklen_t size = sizeof(value);
    struct sctp_event event = {.se_type = SCTP_SHUTDOWN_EVENT, .se_on = 1};
    option_int(fd, IPPROTO_SCTP, SCTP_NODELAY, 1);
    option_int(fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
    option_int(fd, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, 1);
    ready("event", setsockopt(fd, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event)));
    non_blocking(fd);
    ready("connect", connect_to(one_to_one(), HERE, PORT));
    await(fd, POLLIN);
    accepted = (int)ready("accept", accept(fd, NULL, NULL));
    ready("get", getsockopt(accepted, IPPROTO_SCTP, SCTP_NODELAY, &value, &size));
    say("NODELAY", "%d", value);
    ready("get", getsockopt(accepted, IPPROTO_SCTP, SCTP_RECVRCVINFO, &value, &size));
    say("RECVRCVINFO", "%d", value);
    ready("get", getsockopt(accepted, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, &value, &size));
    say("FRAGMENT_INTERLEAVE", "%d", value);
    answer("F_GETFL", fcntl(accepted, F_GETFL));
    size = sizeof(event);
    event.se_on = 9;
    ready("get", getsockopt(accepted, IPPROTO_SCTP, SCTP_EVENT, &event, &size));
    say("SHUTDOWN_EVENT", "%u", event.se_on);
}

static void backlog(void)
{
    int fd = one_to_one(), clients[5];
    ready("bind", bind_to(fd, HERE, PORT));
    answer("listen", listen(fd, 2));
    for (int i = 0; i < 5; i++) {
        clients[i] = one_to_one();
        answer("connect", connect_to(clients[i], HERE, PORT));
    }
    answer("accept", accept(fd, NULL, NULL) >= 0 ? 0 : -1);
    answer("connect after accept", connect_to(one_to_one(), HERE, PORT));
    polled("poll the first", clients[0], POLLOUT);
}

static void backlog_one(void)
{
    int fd = one_to_one();
    ready("bind", bind_to(fd, HERE, PORT));
    answer("listen", listen(fd, 1));
    for (int i = 0; i < 3; i++)
        answer("connect", connect_to(one_to_one(), HERE, PORT));
}

static void limited(void)
{
    int fd = listener(PORT);
    struct timeval limit = {.tv_usec = 30000};
    ready("SO_RCVTIMEO", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
    answer("accept", accept(fd, NULL, NULL));
}

/* What happened before accept is found there. */
static void waited(void)
{
    int fd = listener(PORT), client = one_to_one(), accepted;
    ready("connect", connect_to(client, HERE, PORT));
    ready("send", send(client, "early", 5, 0));
    ready("shutdown", shutdown(client, SHUT_WR));
    await(fd, POLLIN);
    accepted = (int)ready("accept", accept(fd, NULL, NULL));
    hear("first", accepted);
    hear("second", accepted);
}

static void gone_before(void)
{
    int fd = listener(PORT), client = one_to_one(), accepted;
    struct linger abortive = {.l_onoff = 1};
    ready("SO_LINGER", setsockopt(client, SOL_SOCKET, SO_LINGER, &abortive, sizeof(abortive)));
    ready("connect", connect_to(client, HERE, PORT));
    polled("poll", fd, POLLIN);
    answer("close", close(client));
    poll(NULL, 0, 100);
    polled("poll after", fd, 0);
    non_blocking(fd);
    accepted = accept(fd, NULL, NULL);
    answer("accept", accepted >= 0 ? 0 : -1);
    if (accepted >= 0)
        hear("accepted", accepted);
}

const struct semantic_case cases_listen[] = {
    {"listen unbound", unbound},
    {"listen 0", backlog_zero},
    {"listen in use", in_use},
    {"listen and accept, wrong sockets", wrong_sockets},
    {"accept", accepts},
    {"accept inherits", inherits},
    {"listen backlog", backlog},
    {"listen backlog of one", backlog_one},
    {"accept SO_RCVTIMEO", limited},
    {"accept late", waited},
    {"accept what is gone", gone_before},
    {0},
};
