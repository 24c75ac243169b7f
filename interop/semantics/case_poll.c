/* What poll shows of sockets in every state. */
#include "cases.h"
#include "ends.h"
#include "hear.h"
#include "say.h"
#include "world.h"

static void fresh(void)
{
    int bound = one_to_one(), many = one_to_many();
    polled("fresh", one_to_one(), 0);
    ready("bind", bind_to(bound, HERE, PORT));
    polled("bound", bound, 0);
    polled("one-to-many", many, 0);
    ready("listen", listen(bound, 1));
    polled("listening", bound, 0);
    polled("one-to-many, listening", many_listener(OTHER_PORT), 0);
}

static void connecting(void)
{
    int fd = one_to_one(), many = one_to_many();
    world_nobody();
    impatient(fd);
    impatient(many);
    non_blocking(fd);
    non_blocking(many);
    answer("connect", connect_to(fd, WORLD_NOBODY, PORT));
    polled("connecting", fd, 0);
    answer("one-to-many", connect_to(many, WORLD_NOBODY, PORT));
    polled("one-to-many, connecting", many, 0);
    polled("failed", fd, POLLERR);
    polled("one-to-many, failed", many, POLLOUT);
    hear_into("recv", fd, 64, MSG_DONTWAIT);
    polled("failed and told", fd, 0);
}

static void comes_up(void)
{
    int fd = one_to_one(), server = listener(PORT);
    non_blocking(fd);
    answer("connect", connect_to(fd, HERE, PORT));
    polled("listener", server, POLLIN);
    polled("client", fd, POLLOUT);
    answer("connect again", connect_to(fd, HERE, PORT));
}

static void data(void)
{
    struct ends e = connected();
    polled("client", e.client, POLLOUT);
    polled("server", e.server, POLLOUT);
    polled("listener", e.listener, 0);
    ready("send", send(e.client, "x", 1, 0));
    polled("data", e.server, POLLIN);
    hear("server", e.server);
    polled("read", e.server, 0);
}

static void half_closed(void)
{
    struct ends e = connected();
    ready("send", send(e.client, "x", 1, 0));
    ready("shutdown", shutdown(e.client, SHUT_WR));
    polled("server", e.server, POLLIN | POLLRDHUP);
    ended(e.client);
    polled("client", e.client, 0);
    hear("server", e.server);
    polled("server, data read", e.server, POLLRDHUP);
    hear("server", e.server);
    polled("server, end read", e.server, POLLRDHUP);
    hear_into("client", e.client, 64, MSG_DONTWAIT);
    polled("client, end read", e.client, 0);
}

/* The receiver's window is closed, so the SHUTDOWN cannot be sent yet. */
static void shutting_down(void)
{
    static char block[8192];
    struct ends e = connected_narrow();
    for (int i = 0; i < 12; i++)
        ready("send", send(e.client, block, sizeof(block), MSG_DONTWAIT));
    answer("shutdown", shutdown(e.client, SHUT_WR));
    polled("client waits", e.client, 0);
    polled("server", e.server, POLLIN);
    answer("server sends", send(e.server, "back", 4, 0));
    hear("client", e.client);
    polled("client waits", e.client, 0);
    answer("client sends", send(e.client, "x", 1, MSG_NOSIGNAL));
    answer("client shuts down again", shutdown(e.client, SHUT_WR));
}

static void aborted(void)
{
    struct ends e = connected();
    struct linger now = {.l_onoff = 1};
    ready("SO_LINGER", setsockopt(e.client, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
    ready("close", close(e.client));
    polled("server", e.server, POLLERR);
    hear_into("server", e.server, 64, MSG_DONTWAIT);
    polled("server, told", e.server, 0);
    hear_into("server", e.server, 64, MSG_DONTWAIT);
    polled("server, end read", e.server, 0);
}

static void aborted_with_data(void)
{
    struct ends e = connected();
    struct linger now = {.l_onoff = 1};
    ready("SO_LINGER", setsockopt(e.client, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
    ready("send", send(e.client, "x", 1, 0));
    delivered(e.client);
    ready("close", close(e.client));
    polled("server", e.server, POLLIN | POLLERR);
    hear_into("server", e.server, 64, MSG_DONTWAIT);
    polled("server, data read", e.server, POLLERR);
}

static void one_to_many_states(void)
{
    int server = many_listener(PORT), client = one_to_many();
    struct address a = address_of(HERE, PORT);
    ready("send",
          sctp_sendmsg(client, "x", 1, (struct sockaddr *)&a.storage, a.size, 0, 0, 0, 0, 0));
    polled("server", server, POLLIN);
    polled("client", client, 0);
    hear("server", server);
    polled("server, read", server, 0);
    ready("EOF", sctp_sendmsg(client, NULL, 0, (struct sockaddr *)&a.storage, a.size, 0, SCTP_EOF,
                              0, 0, 0));
    poll(NULL, 0, 100);
    polled("server, ended", server, 0);
    polled("client, ended", client, 0);
}

static void both_directions_closed(void)
{
    struct ends e = connected();
    ready("SHUT_RD", shutdown(e.client, SHUT_RD));
    polled("after SHUT_RD", e.client, 0);
    ready("SHUT_RDWR", shutdown(e.client, SHUT_RDWR));
    polled("after SHUT_RDWR", e.client, POLLHUP);
    polled("server", e.server, POLLRDHUP);
}

const struct semantic_case cases_poll[] = {
    {"poll fresh", fresh},
    {"poll connecting", connecting},
    {"poll comes up", comes_up},
    {"poll data", data},
    {"poll shut down", half_closed},
    {"poll shutting down", shutting_down},
    {"poll aborted", aborted},
    {"poll aborted, data", aborted_with_data},
    {"poll one-to-many", one_to_many_states},
    {"poll SHUT_RDWR", both_directions_closed},
    {0},
};
