/* Sending that is refused, limited or takes another way than it seems. */
#include "cases.h"
#include "ends.h"
#include "hear.h"
#include "say.h"

#include <signal.h>
#include <sys/uio.h>

static volatile sig_atomic_t pipes;

static void count_pipe(int signal)
{
    (void)signal;
    pipes++;
}

static ssize_t send_info(int fd, const char *text, struct sctp_sndinfo info, int flags)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(info))] = {0};
    struct iovec iov = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof(control)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = IPPROTO_SCTP;
    c->cmsg_type = SCTP_SNDINFO;
    c->cmsg_len = CMSG_LEN(sizeof(info));
    memcpy(CMSG_DATA(c), &info, sizeof(info));
    return sendmsg(fd, &msg, flags);
}

static void unconnected(void)
{
    struct address a = address_of(HERE, PORT);
    int fd = one_to_one(), server = listener(PORT);
    answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
    answer("sendto", sendto(fd, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&a.storage, a.size));
    answer("SNDINFO", send_info(fd, "x", (struct sctp_sndinfo){0}, MSG_NOSIGNAL));
    answer("EOF", send_info(fd, "", (struct sctp_sndinfo){.snd_flags = SCTP_EOF}, MSG_NOSIGNAL));
    answer("on a listener", send(server, "x", 1, MSG_NOSIGNAL));
    answer("sendto on a listener",
           sendto(server, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&a.storage, a.size));
    answer("one-to-many", send(one_to_many(), "x", 1, MSG_NOSIGNAL));
}

static void pipe_signal(void)
{
    struct ends e = connected();
    signal(SIGPIPE, count_pipe);
    answer("unconnected", send(one_to_one(), "x", 1, 0));
    say("SIGPIPE", "%d", pipes);
    ready("shutdown", shutdown(e.client, SHUT_WR));
    ended(e.client);
    answer("after shutdown", send(e.client, "x", 1, 0));
    say("SIGPIPE", "%d", pipes);
    answer("after shutdown, MSG_NOSIGNAL", send(e.client, "x", 1, MSG_NOSIGNAL));
    say("SIGPIPE", "%d", pipes);
    answer("one-to-many", send(one_to_many(), "x", 1, 0));
    say("SIGPIPE", "%d", pipes);
}

static void pipe_signal_lost(void)
{
    struct ends e = connected();
    struct linger abortive = {.l_onoff = 1};
    signal(SIGPIPE, count_pipe);
    ready("SO_LINGER", setsockopt(e.server, SOL_SOCKET, SO_LINGER, &abortive, sizeof(abortive)));
    ready("close", close(e.server));
    await(e.client, POLLERR);
    answer("first", send(e.client, "x", 1, 0));
    say("SIGPIPE", "%d", pipes);
    answer("second", send(e.client, "x", 1, 0));
    say("SIGPIPE", "%d", pipes);
}

static void addresses(void)
{
    struct ends e = connected();
    struct address peer = address_of(HERE, PORT), other = address_of("127.0.0.2", PORT);
    struct address port = address_of(HERE, OTHER_PORT);
    answer("to the peer", sendto(e.client, "a", 1, 0, (struct sockaddr *)&peer.storage, peer.size));
    answer("to another address",
           sendto(e.client, "b", 1, 0, (struct sockaddr *)&other.storage, other.size));
    answer("to another port",
           sendto(e.client, "c", 1, 0, (struct sockaddr *)&port.storage, port.size));
    answer("size 4", sendto(e.client, "d", 1, 0, (struct sockaddr *)&peer.storage, 4));
    peer.storage.ss_family = 77;
    answer("family 77", sendto(e.client, "e", 1, 0, (struct sockaddr *)&peer.storage, peer.size));
    hear_all("got", e.server, 1);
}

/* RFC 6458, 5.3.4: an address overrides the primary path; another association's is none. */
static void address_override(void)
{
    struct ends e = {.listener = one_to_one(), .client = one_to_one()};
    struct address second = address_of("127.0.0.2", PORT), third = address_of("127.0.0.3", PORT);
    ready("bindx", bindx_to(e.listener, SCTP_BINDX_ADD_ADDR, PORT,
                            (const char *const[]){HERE, "127.0.0.2", NULL}));
    ready("listen", listen(e.listener, 1));
    ready("connect", connect_to(e.client, HERE, PORT));
    e.server = (int)ready("accept", accept(e.listener, NULL, NULL));
    answer("ADDR_OVER", sctp_sendmsg(e.client, "a", 1, (struct sockaddr *)&second.storage,
                                     second.size, 0, SCTP_ADDR_OVER, 0, 0, 0));
    answer("without it", sctp_sendmsg(e.client, "b", 1, (struct sockaddr *)&second.storage,
                                      second.size, 0, 0, 0, 0, 0));
    answer("of nobody", sctp_sendmsg(e.client, "c", 1, (struct sockaddr *)&third.storage,
                                     third.size, 0, SCTP_ADDR_OVER, 0, 0, 0));
    hear_all("got", e.server, 2);
}

static void sizes(void)
{
    static char big[65536];
    struct ends e = connected();
    memset(big, 'b', sizeof(big));
    option_int(e.client, SOL_SOCKET, SO_SNDBUF, 16384);
    answer("nothing", send(e.client, "", 0, MSG_NOSIGNAL));
    answer("an empty message", sctp_sendmsg(e.client, "", 0, NULL, 0, 0, 0, 0, 0, 0));
    answer("more than the buffer", send(e.client, big, sizeof(big), MSG_DONTWAIT));
    answer("2 GiB", send(e.client, big, (size_t)1 << 31, MSG_DONTWAIT));
    answer("16384", send(e.client, big, 16384, MSG_DONTWAIT));
    hear_all("got", e.server, 1);
}

static void unfragmented(void)
{
    static char big[70000];
    struct ends e = connected();
    memset(big, 'b', sizeof(big));
    answer("SCTP_DISABLE_FRAGMENTS",
           setsockopt(e.client, IPPROTO_SCTP, SCTP_DISABLE_FRAGMENTS, &(int){1}, sizeof(int)));
    answer("70000", send(e.client, big, sizeof(big), MSG_DONTWAIT));
    answer("1000", send(e.client, big, 1000, MSG_DONTWAIT));
    answer("SCTP_MAXSEG", setsockopt(e.client, IPPROTO_SCTP, SCTP_MAXSEG,
                                     &(struct sctp_assoc_value){.assoc_value = 800},
                                     sizeof(struct sctp_assoc_value)));
    answer("800", send(e.client, big, 800, MSG_DONTWAIT));
    answer("801", send(e.client, big, 801, MSG_DONTWAIT));
    hear_all("got", e.server, 2);
}

static void full(void)
{
    static char block[8192];
    struct ends e = connected_narrow();
    struct timeval limit = {.tv_usec = 50000};
    option_int(e.client, SOL_SOCKET, SO_SNDBUF, 16384);
    fill(e.client, sizeof(block));
    answer("MSG_DONTWAIT", send(e.client, block, sizeof(block), MSG_DONTWAIT));
    polled("poll", e.client, 0);
    ready("SO_SNDTIMEO", setsockopt(e.client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)));
    answer("SO_SNDTIMEO", send(e.client, block, sizeof(block), 0));
    drain(e.server);
    polled("poll when read", e.client, POLLOUT);
    answer("send", send(e.client, block, sizeof(block), MSG_DONTWAIT));
}

static void information(void)
{
    struct ends e = connected();
    struct sctp_status status;
    socklen_t size = sizeof(status);
    option_int(e.server, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
    ready("status", getsockopt(e.client, IPPROTO_SCTP, SCTP_STATUS, &status, &size));
    say("streams", "%u out, %u in", status.sstat_outstrms, status.sstat_instrms);
    answer("stream 1, ppid 7",
           send_info(e.client, "a",
                     (struct sctp_sndinfo){.snd_sid = 1, .snd_ppid = htonl(7), .snd_context = 9},
                     0));
    answer("unordered",
           send_info(e.client, "b", (struct sctp_sndinfo){.snd_flags = SCTP_UNORDERED}, 0));
    answer("stream 9", send_info(e.client, "c", (struct sctp_sndinfo){.snd_sid = 9}, 0));
    answer("stream 10", send_info(e.client, "d", (struct sctp_sndinfo){.snd_sid = 10}, 0));
    answer("association 77777",
           send_info(e.client, "e", (struct sctp_sndinfo){.snd_assoc_id = 77777}, 0));
    answer("unknown flags",
           send_info(e.client, "f", (struct sctp_sndinfo){.snd_flags = 0x4000}, 0));
    answer("EOF with data",
           send_info(e.client, "g", (struct sctp_sndinfo){.snd_flags = SCTP_EOF}, 0));
    hear_all("got", e.server, 4);
}

static void message_flags(void)
{
    struct ends e = connected();
    answer("MSG_OOB", send(e.client, "x", 1, MSG_OOB));
    answer("MSG_DONTROUTE", send(e.client, "x", 1, MSG_DONTROUTE));
    answer("MSG_EOR", send(e.client, "x", 1, MSG_EOR));
    answer("MSG_MORE", send(e.client, "x", 1, MSG_MORE));
    answer("MSG_CONFIRM", send(e.client, "x", 1, MSG_CONFIRM));
    answer("MSG_FIN", send(e.client, "", 0, MSG_FIN));
    answer("0x40000000", send(e.client, "x", 1, 0x40000000));
}

/* The calls of the library beside sendmsg. */
static void library_calls(void)
{
    struct ends e = connected();
    struct sctp_sndrcvinfo old = {.sinfo_stream = 2, .sinfo_ppid = htonl(3)};
    struct sctp_sndinfo info = {.snd_sid = 4, .snd_ppid = htonl(5)};
    struct sctp_sendv_spa all = {.sendv_flags = SCTP_SEND_SNDINFO_VALID,
                                 .sendv_sndinfo = {.snd_sid = 6, .snd_ppid = htonl(6)}};
    struct iovec iov[2] = {{.iov_base = "one", .iov_len = 3}, {.iov_base = "two", .iov_len = 3}};
    option_int(e.server, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
    answer("sctp_sendmsg",
           sctp_sendmsg(e.client, "sendmsg", 7, NULL, 0, htonl(1), SCTP_UNORDERED, 1, 0, 8));
    answer("sctp_send", sctp_send(e.client, "send", 4, &old, 0));
    answer("sctp_sendv",
           sctp_sendv(e.client, iov, 2, NULL, 0, &info, sizeof(info), SCTP_SENDV_SNDINFO, 0));
    answer("sctp_sendv, all",
           sctp_sendv(e.client, iov, 2, NULL, 0, &all, sizeof(all), SCTP_SENDV_SPA, 0));
    answer("sctp_sendv, no information",
           sctp_sendv(e.client, iov, 1, NULL, 0, NULL, 0, SCTP_SENDV_NOINFO, 0));
    answer("sctp_sendv, wrong size",
           sctp_sendv(e.client, iov, 1, NULL, 0, &info, 3, SCTP_SENDV_SNDINFO, 0));
    answer("sctp_sendv, type 99",
           sctp_sendv(e.client, iov, 1, NULL, 0, &info, sizeof(info), 99, 0));
    hear_all("got", e.server, 7);
}

static void receive_library_calls(void)
{
    struct ends e = connected();
    struct sctp_recvv_rn both = {.recvv_rcvinfo = {.rcv_sid = 0}};
    struct sctp_sndrcvinfo old = {.sinfo_stream = 99};
    struct sockaddr_storage from;
    struct iovec iov;
    socklen_t from_size = sizeof(from), size = sizeof(both);
    unsigned type = 99;
    long n;
    int flags = 0;
    char text[16];
    iov = (struct iovec){.iov_base = text, .iov_len = sizeof(text)};
    option_int(e.server, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
    option_int(e.server, IPPROTO_SCTP, SCTP_RECVNXTINFO, 1);
    ready("send", sctp_sendmsg(e.client, "first", 5, NULL, 0, htonl(1), 0, 1, 0, 0));
    ready("send", sctp_sendmsg(e.client, "second", 6, NULL, 0, htonl(2), 0, 2, 0, 0));
    delivered(e.client);
    n = sctp_recvv(e.server, &iov, 1, (struct sockaddr *)&from, &from_size, &both, &size, &type,
                   &flags);
    answer("sctp_recvv", n);
    say("type", "%u, %u bytes, flags%s, stream %u ppid %u, next stream %u length %u from %s", type,
        size, say_flags(flags), both.recvv_rcvinfo.rcv_sid, ntohl(both.recvv_rcvinfo.rcv_ppid),
        both.recvv_nxtinfo.nxt_sid, both.recvv_nxtinfo.nxt_length,
        from_size ? say_address(&from) : "nobody");
    from_size = sizeof(from);
    flags = 0;
    n = sctp_recvmsg(e.server, text, 3, (struct sockaddr *)&from, &from_size, &old, &flags);
    answer("sctp_recvmsg", n);
    say("information", "stream %u, flags%s", old.sinfo_stream, say_flags(flags));
}

const struct semantic_case cases_send[] = {
    {"send unconnected", unconnected},
    {"send SIGPIPE", pipe_signal},
    {"send SIGPIPE, aborted", pipe_signal_lost},
    {"send addresses", addresses},
    {"send SCTP_ADDR_OVER", address_override},
    {"send sizes", sizes},
    {"send unfragmented", unfragmented},
    {"send full", full},
    {"send information", information},
    {"send message flags", message_flags},
    {"send library calls", library_calls},
    {"receive library calls", receive_library_calls},
    {0},
};
