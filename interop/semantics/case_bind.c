/* bind, bindx and their conflicts. */
#include "cases.h"
#include "ends.h"
#include "say.h"
#include "world.h"

#define HOSTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void named(const char *step, int fd)
{
    struct sockaddr_storage a;
    socklen_t size = sizeof(a);
    if (getsockname(fd, (struct sockaddr *)&a, &size) < 0)
        answer(step, -1);
    else
        say(step, "%s, %u bytes", say_address(&a), size);
}

static void twice(void)
{
    int fd = one_to_one();
    named("name before", fd);
    answer("bind", bind_to(fd, HERE, PORT));
    named("name", fd);
    answer("bind again", bind_to(fd, HERE, PORT));
    answer("bind to another port", bind_to(fd, HERE, OTHER_PORT));
    answer("bind to another address", bind_to(fd, "127.0.0.2", PORT));
    answer("bind to port 0", bind_to(fd, HERE, 0));
    named("name after", fd);
}

static void conflict(void)
{
    int first = one_to_one(), many = one_to_many();
    answer("first", bind_to(first, HERE, PORT));
    answer("the same", bind_to(one_to_one(), HERE, PORT));
    answer("the same, one-to-many", bind_to(many, HERE, PORT));
    answer("wildcard", bind_to(one_to_one(), "0.0.0.0", PORT));
    answer("another address", bind_to(one_to_one(), "127.0.0.2", PORT));
    answer("another port", bind_to(one_to_one(), HERE, OTHER_PORT));
    answer("close", close(first));
    answer("the same after close", bind_to(many, HERE, PORT));
}

static void conflict_wildcard(void)
{
    int first = one_to_one();
    answer("wildcard", bind_to(first, "0.0.0.0", PORT));
    answer("wildcard again", bind_to(one_to_one(), "0.0.0.0", PORT));
    answer("an address", bind_to(one_to_one(), HERE, PORT));
    answer("IPv6 wildcard", bind_to(socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP), "::", PORT));
    answer("IPv6 address", bind_to(socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP), "::1", PORT));
}

static void conflict_ipv6(void)
{
    int only = socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP);
    answer("IPv6 wildcard", bind_to(socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP), "::", PORT));
    answer("IPv4 wildcard", bind_to(one_to_one(), "0.0.0.0", PORT));
    answer("IPv4 address", bind_to(one_to_one(), HERE, PORT));
    option_int(only, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    answer("IPv6 only", bind_to(only, "::", OTHER_PORT));
    answer("IPv4 beside it", bind_to(one_to_one(), "0.0.0.0", OTHER_PORT));
}

static int reusing(int level, int name)
{
    int fd = one_to_one();
    answer("option", setsockopt(fd, level, name, &(int){1}, sizeof(int)));
    return fd;
}

static void reuse_address(void)
{
    int first = reusing(SOL_SOCKET, SO_REUSEADDR), second = reusing(SOL_SOCKET, SO_REUSEADDR);
    int third = reusing(SOL_SOCKET, SO_REUSEADDR);
    answer("first", bind_to(first, HERE, PORT));
    answer("without the option", bind_to(one_to_one(), HERE, PORT));
    answer("second", bind_to(second, HERE, PORT));
    answer("first listens", listen(first, 1));
    answer("second listens", listen(second, 1));
    answer("third", bind_to(third, HERE, PORT));
}

static void reuse_port(int level, int name)
{
    int first = reusing(level, name), second = reusing(level, name), late = one_to_one();
    int client = one_to_one(), third = reusing(level, name);
    answer("first", bind_to(first, HERE, PORT));
    answer("without the option", bind_to(late, HERE, PORT));
    answer("second", bind_to(second, HERE, PORT));
    answer("first listens", listen(first, 1));
    answer("second listens", listen(second, 1));
    answer("third", bind_to(third, HERE, PORT));
    answer("connect", connect_to(client, HERE, PORT));
}

static void reuse_port_sctp(void)
{
    reuse_port(IPPROTO_SCTP, SCTP_REUSE_PORT);
}

static void reuse_port_socket(void)
{
    reuse_port(SOL_SOCKET, SO_REUSEPORT);
}

static void reuse_port_rules(void)
{
    int bound = one_to_one();
    ready("bind", bind_to(bound, HERE, PORT));
    answer("after bind", setsockopt(bound, IPPROTO_SCTP, SCTP_REUSE_PORT, &(int){1}, sizeof(int)));
    answer("one-to-many",
           setsockopt(one_to_many(), IPPROTO_SCTP, SCTP_REUSE_PORT, &(int){1}, sizeof(int)));
}

static void refused(void)
{
    int fd = one_to_one(), six = socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP);
    struct address a = address_of(HERE, PORT);
    answer("not ours", bind_to(fd, "10.9.9.9", PORT));
    answer("multicast", bind_to(fd, "224.0.0.1", PORT));
    answer("broadcast", bind_to(fd, "255.255.255.255", PORT));
    answer("IPv6 on IPv4", bind_to(fd, "::1", PORT));
    answer("IPv4 on IPv6", bind_to(six, HERE, PORT));
    answer("IPv6 not ours", bind_to(six, "fd99::1", PORT));
    answer("size 0", bind(fd, (struct sockaddr *)&a.storage, 0));
    answer("size 8", bind(fd, (struct sockaddr *)&a.storage, 8));
    answer("size 15", bind(fd, (struct sockaddr *)&a.storage, 15));
    answer("size 128", bind(fd, (struct sockaddr *)&a.storage, 128));
    answer("size 129", bind(one_to_one(), (struct sockaddr *)&a.storage, 129));
    a.storage.ss_family = AF_UNSPEC;
    answer("family unspecified", bind(one_to_one(), (struct sockaddr *)&a.storage, a.size));
    a.storage.ss_family = 77;
    answer("family 77", bind(one_to_one(), (struct sockaddr *)&a.storage, a.size));
}

static void privileged(void)
{
    int fd = one_to_one();
    world_drop_privilege();
    answer("port 1023", bind_to(fd, HERE, 1023));
    answer("bindx port 1", bindx_to(fd, SCTP_BINDX_ADD_ADDR, 1, HOSTS(HERE)));
    answer("port 1024", bind_to(fd, HERE, 1024));
}

static void chosen(void)
{
    int a = one_to_one(), b = one_to_one();
    answer("port 0", bind_to(a, HERE, 0));
    answer("port 0 again", bind_to(b, "0.0.0.0", 0));
    named("first", a);
    named("second", b);
}

static void bindx_adds(void)
{
    int fd = one_to_one(), other = one_to_one();
    world_addresses();
    answer("two", bindx_to(fd, SCTP_BINDX_ADD_ADDR, PORT, HOSTS(WORLD_FIRST, WORLD_SECOND)));
    named("name", fd);
    answer("a third", bindx_to(fd, SCTP_BINDX_ADD_ADDR, PORT, HOSTS(HERE)));
    answer("the third again", bindx_to(fd, SCTP_BINDX_ADD_ADDR, PORT, HOSTS(HERE)));
    answer("another port", bindx_to(fd, SCTP_BINDX_ADD_ADDR, OTHER_PORT, HOSTS("127.0.0.2")));
    answer("port 0", bindx_to(fd, SCTP_BINDX_ADD_ADDR, 0, HOSTS("127.0.0.2")));
    answer("wildcard", bindx_to(fd, SCTP_BINDX_ADD_ADDR, PORT, HOSTS("0.0.0.0")));
    answer("not ours", bindx_to(fd, SCTP_BINDX_ADD_ADDR, PORT, HOSTS("10.9.9.9")));
    answer("listen", listen(fd, 1));
    answer("another while listening", bindx_to(fd, SCTP_BINDX_ADD_ADDR, PORT, HOSTS("127.0.0.3")));
    answer("one of them elsewhere", bind_to(other, WORLD_SECOND, PORT));
    answer("good and bad",
           bindx_to(other, SCTP_BINDX_ADD_ADDR, OTHER_PORT, HOSTS(WORLD_FIRST, "10.9.9.9")));
    named("name after good and bad", other);
    answer("only good", bindx_to(other, SCTP_BINDX_ADD_ADDR, OTHER_PORT, HOSTS(WORLD_FIRST)));
}

static void bindx_adds_ports(void)
{
    int fd = one_to_one();
    struct sockaddr_in two[2];
    struct address a = address_of(HERE, PORT), b = address_of("127.0.0.2", OTHER_PORT);
    memcpy(&two[0], &a.storage, sizeof(two[0]));
    memcpy(&two[1], &b.storage, sizeof(two[1]));
    answer("different ports", sctp_bindx(fd, (struct sockaddr *)two, 2, SCTP_BINDX_ADD_ADDR));
    named("name", fd);
    answer("port 0 first",
           bindx_to(one_to_one(), SCTP_BINDX_ADD_ADDR, 0, HOSTS(HERE, "127.0.0.2")));
    answer("flags 0", sctp_bindx(fd, (struct sockaddr *)two, 1, 0));
    answer("flags 99", sctp_bindx(fd, (struct sockaddr *)two, 1, 99));
    answer("count 0", sctp_bindx(fd, (struct sockaddr *)two, 0, SCTP_BINDX_ADD_ADDR));
    answer("count -1", sctp_bindx(fd, (struct sockaddr *)two, -1, SCTP_BINDX_ADD_ADDR));
    two[0].sin_family = 77;
    answer("family 77", sctp_bindx(fd, (struct sockaddr *)two, 1, SCTP_BINDX_ADD_ADDR));
}

static void bindx_removes(void)
{
    int fd = one_to_one();
    world_addresses();
    answer("unbound", bindx_to(fd, SCTP_BINDX_REM_ADDR, PORT, HOSTS(HERE)));
    answer("three",
           bindx_to(fd, SCTP_BINDX_ADD_ADDR, PORT, HOSTS(WORLD_FIRST, WORLD_SECOND, HERE)));
    answer("remove one", bindx_to(fd, SCTP_BINDX_REM_ADDR, PORT, HOSTS(WORLD_FIRST)));
    named("name", fd);
    answer("remove it again", bindx_to(fd, SCTP_BINDX_REM_ADDR, PORT, HOSTS(WORLD_FIRST)));
    answer("another port", bindx_to(fd, SCTP_BINDX_REM_ADDR, OTHER_PORT, HOSTS(HERE)));
    answer("port 0", bindx_to(fd, SCTP_BINDX_REM_ADDR, 0, HOSTS(HERE)));
    answer("all that are left", bindx_to(fd, SCTP_BINDX_REM_ADDR, PORT, HOSTS(WORLD_SECOND, HERE)));
    answer("the last", bindx_to(fd, SCTP_BINDX_REM_ADDR, PORT, HOSTS(WORLD_SECOND)));
    named("name at last", fd);
}

static void bindx_connected(void)
{
    struct ends e = connected();
    answer("add to client", bindx_to(e.client, SCTP_BINDX_ADD_ADDR, 0, HOSTS("127.0.0.2")));
    answer("add to server", bindx_to(e.server, SCTP_BINDX_ADD_ADDR, PORT, HOSTS("127.0.0.2")));
    answer("remove at server", bindx_to(e.server, SCTP_BINDX_REM_ADDR, PORT, HOSTS(HERE)));
    answer("bind the client", bind_to(e.client, HERE, OTHER_PORT));
    answer("bind the server", bind_to(e.server, HERE, OTHER_PORT));
}

static void after_close(void)
{
    struct ends e = connected();
    int fd = one_to_one();
    answer("listener closed", close(e.listener));
    answer("bind beside its association", bind_to(fd, HERE, PORT));
    answer("both ends closed", close(e.client) + close(e.server));
    poll(NULL, 0, 300);
    answer("bind when all are gone", bind_to(fd, HERE, PORT));
}

const struct semantic_case cases_bind[] = {
    {"bind twice", twice},
    {"bind conflict", conflict},
    {"bind conflict, wildcard", conflict_wildcard},
    {"bind conflict, IPv6", conflict_ipv6},
    {"bind SO_REUSEADDR", reuse_address},
    {"bind SCTP_REUSE_PORT", reuse_port_sctp},
    {"bind SO_REUSEPORT", reuse_port_socket},
    {"bind REUSE_PORT rules", reuse_port_rules},
    {"bind refused", refused},
    {"bind privileged", privileged},
    {"bind chosen", chosen},
    {"bindx adds", bindx_adds},
    {"bindx ports", bindx_adds_ports},
    {"bindx removes", bindx_removes},
    {"bindx connected", bindx_connected},
    {"bind after close", after_close},
    {0},
};
