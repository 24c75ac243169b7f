/* Control messages of sendmsg and recvmsg (RFC 6458, 5.3). */
#include "cases.h"
#include "ends.h"
#include "hear.h"
#include "say.h"

struct control {
    _Alignas(struct cmsghdr) char bytes[512];
    size_t used;
};

/* `size` is what the message claims; `data` has that much or more. */
static void add(struct control *c, int level, int type, const void *data, size_t size)
{
    struct cmsghdr *m = (struct cmsghdr *)(c->bytes + c->used);
    m->cmsg_level = level;
    m->cmsg_type = type;
    m->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(m), data, size);
    c->used += CMSG_SPACE(size);
}

static ssize_t send_with(int fd, const char *text, struct control *c, const struct address *to)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = c->bytes,
                         .msg_controllen = c->used,
                         .msg_name = to ? (void *)(uintptr_t)&to->storage : NULL,
                         .msg_namelen = to ? to->size : 0};
    return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

static ssize_t send_one(int fd, const char *text, int type, const void *data, size_t size)
{
    struct control c = {.used = 0};
    add(&c, IPPROTO_SCTP, type, data, size);
    return send_with(fd, text, &c, NULL);
}

static void received(void)
{
    struct ends e = connected();
    struct sctp_event_subscribe io = {.sctp_data_io_event = 1};
    ready("send", sctp_sendmsg(e.client, "plain", 5, NULL, 0, htonl(1), 0, 1, 0, 1));
    hear("none", e.server);
    option_int(e.server, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
    ready("send", sctp_sendmsg(e.client, "a", 1, NULL, 0, htonl(2), 0, 1, 0, 2));
    hear("RCVINFO", e.server);
    option_int(e.server, IPPROTO_SCTP, SCTP_RECVNXTINFO, 1);
    ready("send", sctp_sendmsg(e.client, "bb", 2, NULL, 0, htonl(3), 0, 1, 0, 3));
    ready("send", sctp_sendmsg(e.client, "ccc", 3, NULL, 0, htonl(4), SCTP_UNORDERED, 2, 0, 4));
    delivered(e.client);
    hear("both", e.server);
    hear("both, no next", e.server);
    ready("EVENTS", setsockopt(e.server, IPPROTO_SCTP, SCTP_EVENTS, &io, sizeof(io)));
    ready("send", sctp_sendmsg(e.client, "d", 1, NULL, 0, htonl(5), 0, 1, 0, 5));
    hear("all three", e.server);
    option_int(e.server, IPPROTO_SCTP, SCTP_RECVRCVINFO, 0);
    option_int(e.server, IPPROTO_SCTP, SCTP_RECVNXTINFO, 0);
    ready("send", sctp_sendmsg(e.client, "e", 1, NULL, 0, htonl(6), SCTP_UNORDERED, 1, 0, 6));
    hear("SNDRCV", e.server);
}

static void context(void)
{
    struct ends e = connected();
    struct sctp_assoc_value value = {.assoc_value = 4711};
    option_int(e.server, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
    answer("SCTP_CONTEXT", setsockopt(e.server, IPPROTO_SCTP, SCTP_CONTEXT, &value, sizeof(value)));
    ready("send", send(e.client, "a", 1, 0));
    hear("got", e.server);
}

static void sent(void)
{
    struct ends e = connected();
    struct sctp_sndinfo info = {.snd_sid = 3, .snd_ppid = htonl(33)};
    struct sctp_sndrcvinfo old = {.sinfo_stream = 4, .sinfo_ppid = htonl(44)};
    struct control both = {.used = 0}, foreign = {.used = 0}, broken = {.used = 0};
    option_int(e.server, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
    answer("SNDINFO", send_one(e.client, "a", SCTP_SNDINFO, &info, sizeof(info)));
    answer("SNDRCV", send_one(e.client, "b", SCTP_SNDRCV, &old, sizeof(old)));
    add(&both, IPPROTO_SCTP, SCTP_SNDINFO, &info, sizeof(info));
    add(&both, IPPROTO_SCTP, SCTP_SNDRCV, &old, sizeof(old));
    answer("both", send_with(e.client, "c", &both, NULL));
    add(&foreign, SOL_SOCKET, 77, &old, 4);
    add(&foreign, IPPROTO_SCTP, SCTP_SNDINFO, &info, sizeof(info));
    answer("another level first", send_with(e.client, "d", &foreign, NULL));
    answer("SNDINFO, 4 bytes", send_one(e.client, "e", SCTP_SNDINFO, &info, 4));
    answer("SNDRCV, 4 bytes", send_one(e.client, "f", SCTP_SNDRCV, &old, 4));
    answer("type 99", send_one(e.client, "g", 99, &info, sizeof(info)));
    answer("RCVINFO", send_one(e.client, "h", SCTP_RCVINFO, &old, sizeof(struct sctp_rcvinfo)));
    add(&broken, IPPROTO_SCTP, SCTP_SNDINFO, &info, sizeof(info));
    ((struct cmsghdr *)broken.bytes)->cmsg_len = 400;
    answer("length beyond the end", send_with(e.client, "i", &broken, NULL));
    ((struct cmsghdr *)broken.bytes)->cmsg_len = 3;
    answer("length 3", send_with(e.client, "j", &broken, NULL));
    hear_all("got", e.server, 4);
}

static void sent_partial_reliability(void)
{
    struct ends e = connected();
    struct sctp_prinfo ttl = {.pr_policy = SCTP_PR_SCTP_TTL, .pr_value = 1000};
    answer("none", send_one(e.client, "a", SCTP_PRINFO,
                            &(struct sctp_prinfo){.pr_policy = SCTP_PR_SCTP_NONE}, sizeof(ttl)));
    answer("ttl", send_one(e.client, "b", SCTP_PRINFO, &ttl, sizeof(ttl)));
    answer("2 bytes", send_one(e.client, "c", SCTP_PRINFO, &ttl, 2));
    ttl.pr_policy = 0x70;
    answer("unknown policy", send_one(e.client, "d", SCTP_PRINFO, &ttl, sizeof(ttl)));
    hear_all("got", e.server, 2);
}

static void init(void)
{
    int server = many_listener(PORT), client = one_to_many();
    struct address a = address_of(HERE, PORT);
    struct sctp_initmsg few = {.sinit_num_ostreams = 3, .sinit_max_instreams = 2};
    struct control c = {.used = 0}, small = {.used = 0};
    subscribe(client);
    add(&small, IPPROTO_SCTP, SCTP_INIT, &few, 4);
    answer("4 bytes", send_with(client, "hello", &small, &a));
    add(&c, IPPROTO_SCTP, SCTP_INIT, &few, sizeof(few));
    answer("INIT", send_with(client, "hello", &c, &a));
    hear("server", server);
    hear("client", client);
    answer("INIT again", send_with(client, "more", &c, &a));
    hear("server", server);
}

static void init_one_to_one(void)
{
    struct ends e = connected();
    struct sctp_initmsg few = {.sinit_num_ostreams = 3, .sinit_max_instreams = 2};
    answer("INIT", send_one(e.client, "hello", SCTP_INIT, &few, sizeof(few)));
    hear("server", e.server);
}

static void more_addresses(void)
{
    int server = many_listener(PORT), client = one_to_many();
    struct address a = address_of(HERE, PORT);
    struct in_addr second = {.s_addr = inet_addr("127.0.0.2")};
    struct sockaddr *list = NULL;
    struct control c = {.used = 0}, small = {.used = 0};
    add(&c, IPPROTO_SCTP, SCTP_DSTADDRV4, &second, sizeof(second));
    answer("DSTADDRV4", send_with(client, "hello", &c, &a));
    hear("server", server);
    answer("addresses", sctp_getpaddrs(client, SCTP_FUTURE_ASSOC, &list));
    add(&small, IPPROTO_SCTP, SCTP_DSTADDRV4, &second, 2);
    answer("2 bytes", send_with(client, "more", &small, &a));
    answer("again", send_with(client, "more", &c, &a));
    hear("server", server);
}

static void more_addresses_ipv6(void)
{
    int server = socket(AF_INET6, SOCK_SEQPACKET, IPPROTO_SCTP);
    int client = socket(AF_INET6, SOCK_SEQPACKET, IPPROTO_SCTP);
    struct address a = address_of("::1", PORT);
    struct in6_addr same = IN6ADDR_LOOPBACK_INIT;
    struct control c = {.used = 0};
    ready("bind", bind_to(server, "::1", PORT));
    ready("listen", listen(server, 1));
    add(&c, IPPROTO_SCTP, SCTP_DSTADDRV6, &same, sizeof(same));
    answer("DSTADDRV6", send_with(client, "hello", &c, &a));
    hear("server", server);
}

static void authentication(void)
{
    struct ends e = connected();
    struct sctp_authinfo key = {.auth_keynumber = 0};
    answer("AUTHINFO, key 0", send_one(e.client, "a", SCTP_AUTHINFO, &key, sizeof(key)));
    answer("1 byte", send_one(e.client, "b", SCTP_AUTHINFO, &key, 1));
    hear_all("got", e.server, 1);
}

static void defaults(void)
{
    struct ends e = connected();
    struct sctp_sndrcvinfo old = {.sinfo_stream = 2, .sinfo_ppid = htonl(22)};
    struct sctp_sndinfo info = {.snd_sid = 5, .snd_ppid = htonl(55), .snd_flags = SCTP_UNORDERED};
    option_int(e.server, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
    answer("DEFAULT_SEND_PARAM",
           setsockopt(e.client, IPPROTO_SCTP, SCTP_DEFAULT_SEND_PARAM, &old, sizeof(old)));
    ready("send", send(e.client, "a", 1, 0));
    hear("got", e.server);
    answer("DEFAULT_SNDINFO",
           setsockopt(e.client, IPPROTO_SCTP, SCTP_DEFAULT_SNDINFO, &info, sizeof(info)));
    ready("send", send(e.client, "b", 1, 0));
    hear("got", e.server);
    ready("send", sctp_sendmsg(e.client, "c", 1, NULL, 0, 0, 0, 0, 0, 0));
    hear("with information of its own", e.server);
}

/* What was set as default is judged when it is used. */
static void wrong_defaults(void)
{
    struct ends e = connected();
    struct sctp_sndinfo info = {.snd_sid = 60000};
    answer("DEFAULT_SNDINFO, stream 60000",
           setsockopt(e.client, IPPROTO_SCTP, SCTP_DEFAULT_SNDINFO, &info, sizeof(info)));
    answer("send", send(e.client, "a", 1, MSG_NOSIGNAL));
    info = (struct sctp_sndinfo){.snd_sid = 1};
    answer("send with a stream", send_one(e.client, "b", SCTP_SNDINFO, &info, sizeof(info)));
    hear("got", e.server);
}

const struct semantic_case cases_control[] = {
    {"control received", received},
    {"control context", context},
    {"control sent", sent},
    {"control sent, PRINFO", sent_partial_reliability},
    {"control INIT", init},
    {"control INIT, one-to-one", init_one_to_one},
    {"control DSTADDRV4", more_addresses},
    {"control DSTADDRV6", more_addresses_ipv6},
    {"control AUTHINFO", authentication},
    {"control defaults", defaults},
    {"control defaults, wrong", wrong_defaults},
    {0},
};
