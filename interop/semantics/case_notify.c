/* Notifications: which come, in which order, with which contents. */
#include "cases.h"
#include "ends.h"
#include "hear.h"
#include "say.h"
#include "world.h"

static struct ends told_ends(void)
{
    struct ends e = {.listener = listener(PORT), .client = one_to_one()};
    subscribe(e.listener);
    subscribe(e.client);
    ready("connect", connect_to(e.client, HERE, PORT));
    e.server = (int)ready("accept", accept(e.listener, NULL, NULL));
    return e;
}

/* Without asking there is none. */
static void silent(void)
{
    struct ends e = connected();
    ready("send", send(e.client, "x", 1, 0));
    hear("server", e.server);
    ready("shutdown", shutdown(e.client, SHUT_WR));
    hear("server", e.server);
    ended(e.client);
    hear_into("client", e.client, 64, MSG_DONTWAIT);
}

static void setup_and_shutdown(void)
{
    struct ends e = told_ends();
    hear_all("client", e.client, 1);
    hear_all("server", e.server, 1);
    ready("send", send(e.client, "x", 1, 0));
    hear_all("server", e.server, 1);
    hear_all("client", e.client, 1);
    answer("shutdown", shutdown(e.client, SHUT_WR));
    ended(e.client);
    hear_all("server", e.server, 3);
    hear_all("client", e.client, 1);
}

static void setup_by_init(void)
{
    struct sctp_initmsg few = {.sinit_num_ostreams = 3, .sinit_max_instreams = 4};
    int fd = one_to_one(), server = listener(PORT);
    subscribe(fd);
    ready("INITMSG", setsockopt(server, IPPROTO_SCTP, SCTP_INITMSG, &few, sizeof(few)));
    few = (struct sctp_initmsg){.sinit_num_ostreams = 20, .sinit_max_instreams = 2};
    ready("INITMSG", setsockopt(fd, IPPROTO_SCTP, SCTP_INITMSG, &few, sizeof(few)));
    ready("connect", connect_to(fd, HERE, PORT));
    hear("client", fd);
}

static void aborted(void)
{
    struct ends e = told_ends();
    struct linger now = {.l_onoff = 1};
    hear_all("client", e.client, 1);
    hear_all("server", e.server, 1);
    ready("SO_LINGER", setsockopt(e.client, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
    ready("close", close(e.client));
    hear_all("server", e.server, 3);
}

static void refused(void)
{
    int fd = one_to_one();
    subscribe(fd);
    answer("connect", connect_to(fd, HERE, CLOSED_PORT));
    hear("told", fd);
    polled("poll", fd, 0);
}

static void refused_non_blocking(void)
{
    int fd = one_to_one();
    subscribe(fd);
    non_blocking(fd);
    answer("connect", connect_to(fd, HERE, CLOSED_PORT));
    polled("poll", fd, POLLIN);
    hear_all("told", fd, 2);
    polled("poll after", fd, 0);
}

static void nobody(void)
{
    int fd = one_to_one();
    world_nobody();
    subscribe(fd);
    impatient(fd);
    answer("connect", connect_to(fd, WORLD_NOBODY, PORT));
    hear_all("told", fd, 1);
}

static void old_events(void)
{
    struct sctp_event_subscribe all = {.sctp_data_io_event = 1,
                                       .sctp_association_event = 1,
                                       .sctp_address_event = 1,
                                       .sctp_send_failure_event = 1,
                                       .sctp_shutdown_event = 1,
                                       .sctp_adaptation_layer_event = 1,
                                       .sctp_sender_dry_event = 1};
    struct ends e = {.listener = listener(PORT), .client = one_to_one()};
    answer("EVENTS", setsockopt(e.client, IPPROTO_SCTP, SCTP_EVENTS, &all, sizeof(all)));
    ready("connect", connect_to(e.client, HERE, PORT));
    e.server = (int)ready("accept", accept(e.listener, NULL, NULL));
    ready("send", sctp_sendmsg(e.server, "x", 1, NULL, 0, htonl(3), 0, 2, 0, 7));
    hear_all("client", e.client, 2);
}

/* Messages to nobody: the association never comes up, and they are given back. */
static void failed(int old)
{
    int fd = one_to_many();
    struct address a = address_of(WORLD_NOBODY, PORT);
    struct sctp_event_subscribe events = {.sctp_association_event = 1,
                                          .sctp_send_failure_event = 1};
    world_nobody();
    impatient(fd);
    non_blocking(fd);
    if (old)
        ready("EVENTS", setsockopt(fd, IPPROTO_SCTP, SCTP_EVENTS, &events, sizeof(events)));
    else
        subscribe(fd);
    answer("send", sctp_sendmsg(fd, "first", 5, (struct sockaddr *)&a.storage, a.size, htonl(11),
                                SCTP_UNORDERED, 2, 0, 42));
    answer("send", sctp_sendmsg(fd, "second", 6, (struct sockaddr *)&a.storage, a.size, htonl(12),
                                0, 3, 0, 43));
    hear_all("told", fd, 3);
}

static void failed_new(void)
{
    failed(0);
}

static void failed_old(void)
{
    failed(1);
}

/* What was sent and not acknowledged when the peer aborts; its window is closed by then. */
static void failed_in_window(void)
{
    struct ends e = connected_narrow();
    struct linger now = {.l_onoff = 1};
    fill(e.client, 20000);
    subscribe(e.client);
    poll(NULL, 0, 100);
    ready("SO_LINGER", setsockopt(e.server, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
    ready("close", close(e.server));
    hear("client", e.client);
}

/* Takes data until something else comes; how much that is depends on time. Whether any was the end
 * of a message. */
static bool data_until_notification(int fd)
{
    static char data[65536];
    struct iovec iov = {.iov_base = data, .iov_len = sizeof(data)};
    struct msghdr msg;
    bool whole = false;
    for (;;) {
        await(fd, POLLIN);
        msg = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1};
        if (recvmsg(fd, &msg, MSG_PEEK | MSG_DONTWAIT) <= 0 || (msg.msg_flags & MSG_NOTIFICATION))
            return whole;
        msg = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1};
        recvmsg(fd, &msg, MSG_DONTWAIT);
        whole |= (msg.msg_flags & MSG_EOR) != 0;
    }
}

/* The peer aborts in the middle of a message that is larger than the window. */
static void partial_delivery(void)
{
    static char big[300000];
    struct ends e = connected_narrow();
    struct linger now = {.l_onoff = 1};
    char byte;
    option_int(e.client, SOL_SOCKET, SO_SNDBUF, 400000);
    subscribe(e.server);
    hear("dry", e.server);
    answer("send", send(e.client, big, sizeof(big), MSG_DONTWAIT));
    await(e.server, POLLIN);
    answer("a part", recv(e.server, &byte, 1, MSG_DONTWAIT));
    ready("SO_LINGER", setsockopt(e.client, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
    ready("close", close(e.client));
    await(e.server, POLLERR);
    say("the end of the message", "%s",
        data_until_notification(e.server) ? "came" : "did not come");
    hear_all("told", e.server, 3);
}

static void dry(void)
{
    struct ends e = connected();
    struct sctp_event event = {.se_type = SCTP_SENDER_DRY_EVENT, .se_on = 1};
    answer("subscribe, nothing to send",
           setsockopt(e.client, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event)));
    hear_all("at once", e.client, 1);
    ready("send", send(e.client, "x", 1, 0));
    hear_all("acknowledged", e.client, 1);
    ready("send", send(e.client, "y", 1, 0));
    hear_all("acknowledged again", e.client, 1);
    answer("subscribe again",
           setsockopt(e.client, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event)));
    hear_all("at once", e.client, 0);
}

static void adaptation(void)
{
    struct ends e = {.listener = listener(PORT), .client = one_to_one()};
    struct sctp_setadaptation to_server = {.ssb_adaptation_ind = 123456};
    struct sctp_setadaptation to_client = {.ssb_adaptation_ind = 654321};
    subscribe(e.listener);
    subscribe(e.client);
    answer("client", setsockopt(e.client, IPPROTO_SCTP, SCTP_ADAPTATION_LAYER, &to_server,
                                sizeof(to_server)));
    answer("server", setsockopt(e.listener, IPPROTO_SCTP, SCTP_ADAPTATION_LAYER, &to_client,
                                sizeof(to_client)));
    ready("connect", connect_to(e.client, HERE, PORT));
    e.server = (int)ready("accept", accept(e.listener, NULL, NULL));
    hear_all("client", e.client, 2);
    hear_all("server", e.server, 2);
}

static void short_buffer(void)
{
    struct ends e = told_ends();
    hear_into("4 bytes", e.client, 4, 0);
    hear_into("the rest", e.client, 8, 0);
    hear_into("the rest", e.client, 256, MSG_DONTWAIT);
}

static void switched(void)
{
    struct sctp_event event = {.se_type = SCTP_ASSOC_CHANGE, .se_on = 1};
    struct ends e = connected();
    socklen_t size = sizeof(event);
    answer("on", setsockopt(e.client, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event)));
    event.se_on = 0;
    answer("get", getsockopt(e.client, IPPROTO_SCTP, SCTP_EVENT, &event, &size));
    say("is", "%u", event.se_on);
    event.se_type = 99;
    answer("type 99", setsockopt(e.client, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event)));
    event.se_type = SCTP_SN_TYPE_BASE;
    answer("type base", setsockopt(e.client, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event)));
    event.se_type = SCTP_ASSOC_CHANGE;
    event.se_on = 7;
    answer("on 7", setsockopt(e.client, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event)));
    event.se_assoc_id = 77777;
    answer("association 77777",
           setsockopt(e.client, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event)));
    ready("shutdown", shutdown(e.server, SHUT_WR));
    ended(e.client);
    hear_all("client", e.client, 2);
}

static void several_addresses(void)
{
    struct ends e = {.listener = one_to_one(), .client = one_to_one()};
    world_addresses();
    impatient(e.client);
    subscribe(e.client);
    subscribe(e.listener);
    ready("bindx", bindx_to(e.listener, SCTP_BINDX_ADD_ADDR, PORT,
                            (const char *const[]){WORLD_FIRST, WORLD_SECOND, NULL}));
    ready("listen", listen(e.listener, 1));
    ready("bind", bind_to(e.client, WORLD_FIRST, OTHER_PORT));
    ready("connect", connect_to(e.client, WORLD_FIRST, PORT));
    e.server = (int)ready("accept", accept(e.listener, NULL, NULL));
    hear_all("client", e.client, 2);
    hear_all("server", e.server, 1);
}

const struct semantic_case cases_notify[] = {
    {"notify without subscription", silent},
    {"notify setup and shutdown", setup_and_shutdown},
    {"notify streams", setup_by_init},
    {"notify abort", aborted},
    {"notify refused", refused},
    {"notify refused, non-blocking", refused_non_blocking},
    {"notify nobody", nobody},
    {"notify SCTP_EVENTS", old_events},
    {"notify SEND_FAILED_EVENT", failed_new},
    {"notify SEND_FAILED", failed_old},
    {"notify SEND_FAILED, window closed", failed_in_window},
    {"notify PARTIAL_DELIVERY", partial_delivery},
    {"notify SENDER_DRY", dry},
    {"notify ADAPTATION", adaptation},
    {"notify short buffer", short_buffer},
    {"notify SCTP_EVENT", switched},
    {"notify several addresses", several_addresses},
    {0},
};
