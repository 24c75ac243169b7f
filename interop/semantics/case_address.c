/* Addresses of sockets and associations; IPv6 and addresses mapped into it. */
#include "cases.h"
#include "ends.h"
#include "hear.h"
#include "say.h"
#include "world.h"

#define HOSTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of their text: which comes first is nobody's promise. */
static void say_list(const char *step, int count, const struct sockaddr *list)
{
    const char *texts[8] = {"", "", "", "", "", "", "", ""}, *at = (const char *)list;
    if (count < 0 || count > 8) {
        answer(step, count);
        return;
    }
    for (int i = 0; i < count; i++) {
        const struct sockaddr *one = (const struct sockaddr *)at;
        texts[i] = say_address(one);
        at += one->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    }
    qsort(texts, (size_t)count, sizeof(*texts), by_text);
    say(step, "%d: %s; %s; %s; %s", count, texts[0], texts[1], texts[2], texts[3]);
}

static void locals(const char *step, int fd)
{
    struct sockaddr *list = NULL;
    int count = sctp_getladdrs(fd, 0, &list);
    say_list(step, count, list);
    if (count > 0)
        sctp_freeladdrs(list);
}

static void peers(const char *step, int fd)
{
    struct sockaddr *list = NULL;
    int count = sctp_getpaddrs(fd, 0, &list);
    say_list(step, count, list);
    if (count > 0)
        sctp_freepaddrs(list);
}

static void names(const char *step, int fd)
{
    struct sockaddr_storage a;
    socklen_t size = sizeof(a);
    if (getsockname(fd, (struct sockaddr *)&a, &size) < 0)
        answer(step, -1);
    else
        say(step, "here %s, %u bytes", say_address(&a), size);
    size = sizeof(a);
    if (getpeername(fd, (struct sockaddr *)&a, &size) < 0)
        answer(step, -1);
    else
        say(step, "there %s, %u bytes", say_address(&a), size);
}

static void lists(void)
{
    int fd = one_to_one();
    struct ends e;
    locals("fresh, local", fd);
    peers("fresh, peer", fd);
    names("fresh", fd);
    e = connected();
    locals("listener, local", e.listener);
    peers("listener, peer", e.listener);
    names("listener", e.listener);
    locals("client, local", e.client);
    peers("client, peer", e.client);
    names("client", e.client);
    locals("server, local", e.server);
    peers("server, peer", e.server);
    names("server", e.server);
}

static void lists_several(void)
{
    struct ends e = {.listener = one_to_one(), .client = one_to_one()};
    world_addresses();
    ready("bindx",
          bindx_to(e.listener, SCTP_BINDX_ADD_ADDR, PORT, HOSTS(WORLD_FIRST, WORLD_SECOND)));
    locals("bound, local", e.listener);
    ready("listen", listen(e.listener, 1));
    ready("connect", connect_to(e.client, WORLD_SECOND, PORT));
    e.server = (int)ready("accept", accept(e.listener, NULL, NULL));
    locals("server, local", e.server);
    peers("client, peer", e.client);
    names("client", e.client);
    names("server", e.server);
}

static void lists_wildcard(void)
{
    struct ends e = {.listener = one_to_one(), .client = one_to_one()};
    world_addresses();
    ready("bind", bind_to(e.listener, "0.0.0.0", PORT));
    locals("wildcard, local", e.listener);
    names("wildcard", e.listener);
    ready("listen", listen(e.listener, 1));
    ready("connect", connect_to(e.client, WORLD_FIRST, PORT));
    e.server = (int)ready("accept", accept(e.listener, NULL, NULL));
    locals("client, local", e.client);
    locals("server, local", e.server);
    peers("client, peer", e.client);
    peers("server, peer", e.server);
    names("client", e.client);
    names("server", e.server);
}

static int six(int type)
{
    return (int)ready("socket", socket(AF_INET6, type, IPPROTO_SCTP));
}

static void ipv6(void)
{
    struct ends e = {.listener = six(SOCK_STREAM), .client = six(SOCK_STREAM)};
    names("fresh", e.client);
    answer("bind", bind_to(e.listener, "::1", PORT));
    answer("listen", listen(e.listener, 1));
    answer("connect", connect_to(e.client, "::1", PORT));
    e.server = (int)ready("accept", accept(e.listener, NULL, NULL));
    names("client", e.client);
    names("server", e.server);
    locals("client, local", e.client);
    peers("client, peer", e.client);
    ready("send", send(e.client, "x", 1, 0));
    hear("server", e.server);
}

static void dual(void)
{
    struct ends e = {.listener = six(SOCK_STREAM), .client = one_to_one()};
    struct sockaddr_storage from;
    socklen_t size = sizeof(from);
    ready("bind", bind_to(e.listener, "::", PORT));
    ready("listen", listen(e.listener, 2));
    names("listener", e.listener);
    locals("listener, local", e.listener);
    answer("connect by IPv4", connect_to(e.client, HERE, PORT));
    e.server = (int)ready("accept", accept(e.listener, (struct sockaddr *)&from, &size));
    say("from", "%s, %u bytes", say_address(&from), size);
    names("server", e.server);
    ready("send", send(e.client, "x", 1, 0));
    hear("server", e.server);
    answer("connect by IPv6", connect_to(six(SOCK_STREAM), "::1", PORT));
}

static void mapped(void)
{
    struct ends e = {.listener = listener(PORT), .client = six(SOCK_STREAM)};
    int bound = six(SOCK_STREAM), many = six(SOCK_SEQPACKET);
    answer("bind", bind_to(bound, "::ffff:127.0.0.1", OTHER_PORT));
    names("bound", bound);
    answer("connect", connect_to(e.client, "::ffff:127.0.0.1", PORT));
    e.server = (int)ready("accept", accept(e.listener, NULL, NULL));
    names("client", e.client);
    locals("client, local", e.client);
    peers("client, peer", e.client);
    names("server", e.server);
    ready("send", send(e.server, "x", 1, 0));
    hear("client", e.client);
    answer("I_WANT_MAPPED_V4_ADDR off",
           setsockopt(e.client, IPPROTO_SCTP, SCTP_I_WANT_MAPPED_V4_ADDR, &(int){0}, sizeof(int)));
    names("client, not mapped", e.client);
    peers("client, peer, not mapped", e.client);
    ready("send", send(e.server, "y", 1, 0));
    hear("client, not mapped", e.client);
    answer("send to a mapped address",
           sendto(many, "z", 1, 0,
                  (struct sockaddr *)&(struct sockaddr_in6){
                      .sin6_family = AF_INET6,
                      .sin6_port = htons(PORT),
                      .sin6_addr.s6_addr = {[10] = 0xff, 0xff, 127, 0, 0, 1}},
                  sizeof(struct sockaddr_in6)));
}

static void only_ipv6(void)
{
    int fd = six(SOCK_STREAM), bound = six(SOCK_STREAM);
    answer("IPV6_V6ONLY", setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int)));
    answer("bind to a mapped address", bind_to(fd, "::ffff:127.0.0.1", PORT));
    answer("bind to IPv4", bind_to(fd, HERE, PORT));
    answer("connect to a mapped address", connect_to(fd, "::ffff:127.0.0.1", PORT));
    answer("connect to IPv4", connect_to(fd, HERE, PORT));
    answer("bind", bind_to(fd, "::", PORT));
    answer("listen", listen(fd, 1));
    answer("connect by IPv4", connect_to(one_to_one(), HERE, PORT));
    answer("connect by IPv6", connect_to(six(SOCK_STREAM), "::1", PORT));
    ready("bind", bind_to(bound, "::", OTHER_PORT));
    answer("IPV6_V6ONLY when bound",
           setsockopt(bound, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int)));
    answer("IPV6_V6ONLY on IPv4",
           setsockopt(one_to_one(), IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int)));
}

static void lists_wrong(void)
{
    struct ends e = connected();
    struct sockaddr *list;
    answer("getpaddrs, unknown id is not looked at", sctp_getpaddrs(e.client, 77777, &list));
    answer("getladdrs, unknown id is not looked at", sctp_getladdrs(e.client, 77777, &list));
    answer("getsockname, size 4",
           getsockname(e.client, (struct sockaddr *)&(struct sockaddr_in){0}, &(socklen_t){4}));
    answer("getsockname, size -1",
           getsockname(e.client, (struct sockaddr *)&(struct sockaddr_in){0},
                       &(socklen_t){(socklen_t)-1}));
}

const struct semantic_case cases_address[] = {
    {"address lists", lists},
    {"address lists, several", lists_several},
    {"address lists, wildcard", lists_wildcard},
    {"address IPv6", ipv6},
    {"address both families", dual},
    {"address mapped", mapped},
    {"address IPv6 only", only_ipv6},
    {"address lists, wrong", lists_wrong},
    {0},
};
