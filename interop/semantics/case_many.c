/* One-to-many sockets: implicit setup, associations by id, peeling off. */
#include "cases.h"
#include "ends.h"
#include "hear.h"
#include "say.h"

static long send_to(int fd, const char *text, int port, uint32_t flags)
{
    struct address a = address_of(HERE, port);
    return sctp_sendmsg(fd, text, strlen(text), (struct sockaddr *)&a.storage, a.size, 0, flags, 0,
                        0, 0);
}

static ssize_t send_by_id(int fd, const char *text, sctp_assoc_t id, uint32_t flags)
{
    struct sctp_sndrcvinfo info = {.sinfo_assoc_id = id, .sinfo_flags = (uint16_t)flags};
    return sctp_send(fd, text, strlen(text), &info, 0);
}

static int many_at(int port)
{
    int fd = many_listener(port);
    option_int(fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
    return fd;
}

/* The ids of a socket's associations, in order. */
static unsigned ids_of(int fd, sctp_assoc_t ids[8])
{
    uint32_t buffer[9] = {0};
    struct sctp_assoc_ids *list = (struct sctp_assoc_ids *)buffer;
    socklen_t size = sizeof(buffer);
    if (ready("GET_ASSOC_ID_LIST",
              getsockopt(fd, IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, list, &size)) < 0)
        return 0;
    for (uint32_t i = 0; i < list->gaids_number_of_ids && i < 8; i++)
        ids[i] = list->gaids_assoc_id[i];
    return list->gaids_number_of_ids;
}

static sctp_assoc_t only_id(int fd)
{
    sctp_assoc_t ids[8] = {0};
    ids_of(fd, ids);
    return ids[0];
}

/* Waits until all is acknowledged that the socket's only association sent. */
static void delivered_by(int fd)
{
    struct sctp_status s = {.sstat_assoc_id = only_id(fd)};
    socklen_t size = sizeof(s);
    for (int i = 0; i < 100; i++) {
        if (getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, &s, &size) < 0 ||
            s.sstat_unackdata + s.sstat_penddata == 0)
            return;
        poll(NULL, 0, 20);
    }
}

static void implicit(void)
{
    int server = many_at(PORT), client = one_to_many();
    option_int(client, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
    subscribe(client);
    subscribe(server);
    answer("send", send_to(client, "hello", PORT, 0));
    hear_all("server", server, 2);
    hear_all("client", client, 2);
    answer("send again", send_to(client, "more", PORT, 0));
    hear_all("server", server, 1);
    hear_all("client", client, 1);
    answer("by id", send_by_id(server, "back", only_id(server), 0));
    hear_all("client", client, 1);
}

static void implicit_refused(void)
{
    int fd = one_to_many();
    subscribe(fd);
    answer("send", send_to(fd, "hello", CLOSED_PORT, 0));
    hear_all("told", fd, 2);
    polled("poll", fd, 0);
    answer("send again", send_to(fd, "hello", CLOSED_PORT, 0));
    hear_all("told", fd, 2);
}

static void ends_by_eof(void)
{
    int server = many_at(PORT), client = one_to_many();
    subscribe(client);
    subscribe(server);
    ready("send", send_to(client, "hello", PORT, 0));
    hear_all("server", server, 2);
    hear_all("client", client, 2);
    answer("EOF with data", send_to(client, "data", PORT, SCTP_EOF));
    answer("EOF", send_to(client, "", PORT, SCTP_EOF));
    hear_all("server", server, 2);
    hear_all("client", client, 1);
    answer("EOF without association", send_to(client, "", PORT, SCTP_EOF));
    answer("abort without association", send_to(client, "", PORT, SCTP_ABORT));
    answer("again", send_to(client, "again", PORT, 0));
    hear_all("server", server, 2);
}

static void ends_by_abort(void)
{
    int server = many_at(PORT), client = one_to_many();
    subscribe(client);
    subscribe(server);
    ready("send", send_to(client, "hello", PORT, 0));
    hear_all("server", server, 2);
    hear_all("client", client, 2);
    answer("abort", send_by_id(server, "reason", only_id(server), SCTP_ABORT));
    hear_all("client", client, 1);
    hear_all("server", server, 1);
    say("associations", "%u", ids_of(server, (sctp_assoc_t[8]){0}));
}

static void ends_by_close(void)
{
    int server = many_at(PORT), client = one_to_many();
    ready("send", send_to(client, "hello", PORT, 0));
    hear_all("server", server, 1);
    subscribe(client);
    answer("close", close(server));
    hear_all("client", client, 2);
}

static void number_and_list(void)
{
    int server = many_at(PORT), clients[3];
    uint32_t number = 99, small[2] = {0};
    socklen_t size = sizeof(number);
    sctp_assoc_t ids[8] = {0};
    for (int i = 0; i < 3; i++) {
        clients[i] = one_to_one();
        ready("connect", connect_to(clients[i], HERE, PORT));
        ready("send", send(clients[i], "x", 1, 0));
        hear("server", server);
    }
    answer("number", getsockopt(server, IPPROTO_SCTP, SCTP_GET_ASSOC_NUMBER, &number, &size));
    say("associations", "%u in %u bytes", number, size);
    number = ids_of(server, ids);
    say("list", "%u: %s %s %s", number, say_association(ids[0]), say_association(ids[1]),
        say_association(ids[2]));
    size = sizeof(small);
    answer("too little room",
           getsockopt(server, IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, small, &size));
    size = sizeof(number);
    answer("number on one-to-one",
           getsockopt(clients[0], IPPROTO_SCTP, SCTP_GET_ASSOC_NUMBER, &number, &size));
    size = sizeof(small);
    answer("list on one-to-one",
           getsockopt(clients[0], IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, small, &size));
    size = 3;
    answer("3 bytes", getsockopt(server, IPPROTO_SCTP, SCTP_GET_ASSOC_NUMBER, &number, &size));
    answer("set", setsockopt(server, IPPROTO_SCTP, SCTP_GET_ASSOC_NUMBER, &number, 4));
}

static void unknown_ids(void)
{
    int server = many_at(PORT), client = one_to_many();
    struct sctp_status status = {.sstat_assoc_id = 77777};
    struct sockaddr *list;
    socklen_t size = sizeof(status);
    ready("connect", connect_to(client, HERE, PORT));
    answer("send to 77777", send_by_id(client, "x", 77777, 0));
    answer("send to 0", send_by_id(client, "x", SCTP_FUTURE_ASSOC, 0));
    answer("send to 1", send_by_id(client, "x", SCTP_CURRENT_ASSOC, 0));
    answer("send to 2", send_by_id(client, "x", SCTP_ALL_ASSOC, 0));
    answer("send to -1", send_by_id(client, "x", -1, 0));
    answer("abort 77777", send_by_id(client, "", 77777, SCTP_ABORT));
    answer("status 77777", getsockopt(client, IPPROTO_SCTP, SCTP_STATUS, &status, &size));
    answer("getpaddrs 77777", sctp_getpaddrs(client, 77777, &list));
    answer("getpaddrs 0", sctp_getpaddrs(client, 0, &list));
    answer("getladdrs 77777", sctp_getladdrs(client, 77777, &list));
    answer("peeloff 77777", sctp_peeloff(client, 77777));
    answer("peeloff 0", sctp_peeloff(client, 0));
    answer("another's", send_by_id(server, "x", only_id(client), 0));
}

static void to_all(void)
{
    int a = many_at(PORT), b = many_at(OTHER_PORT), client = one_to_many();
    answer("to none", send_by_id(client, "x", 0, SCTP_SENDALL));
    ready("send", send_to(client, "a", PORT, 0));
    ready("send", send_to(client, "b", OTHER_PORT, 0));
    hear("a", a);
    hear("b", b);
    answer("to all", send_by_id(client, "all", 0, SCTP_SENDALL));
    hear("a", a);
    hear("b", b);
    answer("EOF to all", send_by_id(client, "", 0, SCTP_SENDALL | SCTP_EOF));
    for (int i = 0; i < 100 && ids_of(client, (sctp_assoc_t[8]){0}) > 0; i++)
        poll(NULL, 0, 20);
    say("associations", "%u", ids_of(client, (sctp_assoc_t[8]){0}));
    answer("on one-to-one", send_by_id(one_to_one(), "x", 0, SCTP_SENDALL));
}

static void names_of_many(void)
{
    int server = many_at(PORT), client = one_to_many();
    struct sockaddr_storage a;
    socklen_t size = sizeof(a);
    answer("getpeername", getpeername(client, (struct sockaddr *)&a, &size));
    ready("connect", connect_to(client, HERE, PORT));
    answer("getpeername, connected", getpeername(client, (struct sockaddr *)&a, &size));
    answer("getsockname", getsockname(client, (struct sockaddr *)&a, &size));
    say("name", "%s", say_address(&a));
    answer("shutdown", shutdown(client, SHUT_WR));
    answer("accept", accept(server, NULL, NULL));
    answer("listen on the client", listen(client, 1));
    ready("connect", connect_to(one_to_one(), HERE, PORT));
    polled("poll server", server, 0);
}

static void peels(void)
{
    int server = many_at(PORT), client = one_to_many(), peeled;
    struct sockaddr_storage a;
    socklen_t size = sizeof(a);
    sctp_assoc_t id;
    ready("send", send_to(client, "first", PORT, 0));
    ready("send", send_to(client, "second", PORT, 0));
    hear("server", server);
    delivered_by(client);
    id = only_id(server);
    peeled = sctp_peeloff(server, id);
    answer("peeloff", peeled >= 0 ? 0 : -1);
    answer("peeloff again", sctp_peeloff(server, id));
    say("associations left", "%u", ids_of(server, (sctp_assoc_t[8]){0}));
    hear("peeled", peeled);
    hear_into("server", server, 64, MSG_DONTWAIT);
    answer("getpeername", getpeername(peeled, (struct sockaddr *)&a, &size) < 0 ? -1 : 0);
    size = sizeof(a);
    answer("getsockname", getsockname(peeled, (struct sockaddr *)&a, &size));
    say("name", "%s", say_address(&a));
    answer("send", send(peeled, "back", 4, 0));
    hear("client", client);
    ready("send", send_to(client, "third", PORT, 0));
    hear("peeled", peeled);
    polled("poll server", server, 0);
    polled("poll peeled", peeled, 0);
    answer("send on the server by id", send_by_id(server, "x", id, 0));
}

static void peeled_rules(void)
{
    int server = many_at(PORT), client = one_to_many(), peeled;
    int type = -1;
    socklen_t size = sizeof(type);
    ready("send", send_to(client, "first", PORT, 0));
    hear("server", server);
    peeled = sctp_peeloff_flags(server, only_id(server), SOCK_NONBLOCK);
    answer("peeloff_flags", peeled >= 0 ? 0 : -1);
    answer("F_GETFL", fcntl(peeled, F_GETFL));
    ready("SO_TYPE", getsockopt(peeled, SOL_SOCKET, SO_TYPE, &type, &size));
    say("SO_TYPE", "%d", type);
    answer("listen", listen(peeled, 1));
    answer("accept", accept(peeled, NULL, NULL));
    answer("connect", connect_to(peeled, HERE, OTHER_PORT));
    answer("bind", bind_to(peeled, HERE, OTHER_PORT));
    answer("peeloff", sctp_peeloff(peeled, only_id(peeled)));
    answer("sendto elsewhere", send_to(peeled, "x", OTHER_PORT, 0));
    answer("shutdown", shutdown(peeled, SHUT_WR));
    polled("poll", peeled, 0);
    hear_into("peeled", peeled, 64, 0);
    answer("send", send(peeled, "x", 1, MSG_NOSIGNAL));
    say("associations of the client", "%u", ids_of(client, (sctp_assoc_t[8]){0}));
}

static void peel_one_to_one(void)
{
    struct ends e = connected();
    struct sctp_status status;
    socklen_t size = sizeof(status);
    ready("status", getsockopt(e.client, IPPROTO_SCTP, SCTP_STATUS, &status, &size));
    answer("peeloff", sctp_peeloff(e.client, status.sstat_assoc_id));
    answer("peeloff 0", sctp_peeloff(e.client, 0));
}

static void peeled_end(void)
{
    int server = many_at(PORT), client = one_to_one(), peeled;
    subscribe(server);
    ready("connect", connect_to(client, HERE, PORT));
    ready("send", send(client, "first", 5, 0));
    hear_all("server", server, 2);
    peeled = sctp_peeloff(server, only_id(server));
    answer("close server", close(server));
    answer("send", send(peeled, "still", 5, 0));
    hear("client", client);
    answer("shutdown at the client", shutdown(client, SHUT_WR));
    hear_all("peeled", peeled, 3);
}

static void interleaved(void)
{
    int server = many_at(PORT), a = one_to_one(), b = one_to_one();
    ready("connect", connect_to(a, HERE, PORT));
    ready("connect", connect_to(b, HERE, PORT));
    ready("send", send(a, "0123456789", 10, 0));
    await(server, POLLIN);
    hear_into("part of a", server, 4, 0);
    ready("send", send(b, "other", 5, 0));
    delivered(b);
    hear_into("then", server, 64, 0);
    hear_into("last", server, 64, 0);
}

/* With fragment interleave level 1 another association's message may come between two parts. */
static void interleaved_one(void)
{
    int server = many_at(PORT), a = one_to_one(), b = one_to_one();
    option_int(server, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, 1);
    ready("connect", connect_to(a, HERE, PORT));
    ready("connect", connect_to(b, HERE, PORT));
    ready("send", send(a, "0123456789", 10, 0));
    await(server, POLLIN);
    hear_into("part of a", server, 4, 0);
    ready("send", send(b, "other", 5, 0));
    delivered(b);
    hear_into("then", server, 64, 0);
    hear_into("last", server, 64, 0);
}

static void implicit_non_blocking(void)
{
    int server = many_at(PORT), client = one_to_many();
    non_blocking(client);
    answer("first", send_to(client, "first", PORT, 0));
    answer("second", send_to(client, "second", PORT, 0));
    hear_all("server", server, 2);
}

static void autoclose(void)
{
    int server = many_at(PORT), client = one_to_many();
    subscribe(client);
    option_int(client, IPPROTO_SCTP, SCTP_AUTOCLOSE, 1);
    ready("send", send_to(client, "hello", PORT, 0));
    hear("server", server);
    hear_all("client", client, 3);
}

const struct semantic_case cases_many[] = {
    {"many implicit setup", implicit},
    {"many implicit setup, refused", implicit_refused},
    {"many SCTP_EOF", ends_by_eof},
    {"many SCTP_ABORT", ends_by_abort},
    {"many close", ends_by_close},
    {"many number and list", number_and_list},
    {"many unknown ids", unknown_ids},
    {"many SCTP_SENDALL", to_all},
    {"many names", names_of_many},
    {"many peeloff", peels},
    {"many peeled off, rules", peeled_rules},
    {"many peeloff of one-to-one", peel_one_to_one},
    {"many peeled off, end", peeled_end},
    {"many parts", interleaved},
    {"many parts, interleaved", interleaved_one},
    {"many implicit setup, non-blocking", implicit_non_blocking},
    {"many autoclose", autoclose},
    {0},
};
