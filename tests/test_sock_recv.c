/* What sockets receive and in which order: messages, their parts, notifications (RFC 6458, 6 and
 * 8.1.20), above real engines. */
#include "tests/sockworld.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "api/sock/sockopt.h"

static int setup(void **state)
{
    *state = sockworld_new(2, 2, false);
    return 0;
}

static int teardown(void **state)
{
    sockworld_free(*state);
    return 0;
}

static struct hws_sock *server_of(struct sockworld *w)
{
    return sockhost_listen(&w->hosts[1], HWS_SOCK_ONE_TO_MANY, 5000, 5);
}

static struct hws_sock *client_of(struct sockworld *w)
{
    return sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_MANY, 0);
}

/* ---- Notifications ---- */

static void a_life_in_notifications(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *server = server_of(w), *client = client_of(w);
    sock_want_all(server);
    sock_want_all(client);
    client->params.ostreams = 4;
    server->params.ostreams = 3;
    assert_int_equal(hws_sock_set_future_params(server, &server->params), 0);
    sock_send_to(client, &w->hosts[1], 5000, "one");
    sockworld_settle(w);
    const struct sctp_assoc_change *up = sock_expect_change(server, SCTP_COMM_UP);
    assert_int_equal(up->sac_inbound_streams, 4);
    assert_int_equal(up->sac_outbound_streams, 3);
    assert_int_equal(up->sac_error, 0);
    assert_int_equal(up->sac_flags, 0);
    sctp_assoc_t id = up->sac_assoc_id;
    sock_expect_change(client, SCTP_COMM_UP);
    sock_expect_note(client, SCTP_SENDER_DRY_EVENT);
    sock_send_to(client, &w->hosts[1], 5000, "two");
    sockworld_settle(w);
    sctp_assoc_t theirs = hws_sock_first_member(client)->id;
    sock_send_id(client, theirs, SCTP_EOF, "");
    sockworld_settle(w);
    /* What is said stands where it happened, though it was read later. */
    assert_int_equal(sock_expect(server, "one"), id);
    sock_expect(server, "two");
    assert_int_equal(sock_expect_note(server, SCTP_SHUTDOWN_EVENT)->sn_shutdown_event.sse_assoc_id,
                     id);
    assert_int_equal(sock_expect_change(server, SCTP_SHUTDOWN_COMP)->sac_assoc_id, id);
    sock_expect_nothing(server);
    assert_int_equal(server->member_count, 0);
    sock_expect_note(client, SCTP_SENDER_DRY_EVENT);
    sock_expect_change(client, SCTP_SHUTDOWN_COMP);
    sock_expect_nothing(client);
}

static void dry_is_told_at_once_when_subscribed(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *server = server_of(w), *client = client_of(w);
    sock_send_to(client, &w->hosts[1], 5000, "x");
    sockworld_settle(w);
    uint64_t arrivals = client->arrivals;
    sock_want(client, hws_sock_first_member(client), SOCK_EVENT(SCTP_SENDER_DRY_EVENT));
    assert_true(client->arrivals > arrivals);
    sock_expect_note(client, SCTP_SENDER_DRY_EVENT);
    sock_expect_nothing(client);
    sock_expect(server, "x");
    sock_expect_nothing(server);
}

static const struct sctp_paddr_change *expect_path(struct hws_sock *sock, int state)
{
    const struct sctp_paddr_change *change =
        &sock_expect_note(sock, SCTP_PEER_ADDR_CHANGE)->sn_paddr_change;
    assert_int_equal(change->spc_state, state);
    return change;
}

static void paths_are_told(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *server = sockhost_open(&w->hosts[1], HWS_SOCK_ONE_TO_MANY, 0);
    struct hws_sock *client = client_of(w);
    assert_int_equal(hws_sock_bind(server, sockhost_addr(&w->hosts[1], 0), 2, 5000), 0);
    assert_int_equal(hws_sock_listen(server, 5), 0);
    client->options.future.events = SOCK_EVENT(SCTP_PEER_ADDR_CHANGE);
    client->params.hb_interval_us = 1000000;
    client->params.path_max_retrans = 1;
    sock_send_to(client, &w->hosts[1], 5000, "x");
    sockworld_settle(w);
    const struct sctp_paddr_change *change = expect_path(client, SCTP_ADDR_CONFIRMED);
    assert_int_equal(change->spc_error, SCTP_HEARTBEAT_SUCCESS);
    assert_int_equal(change->spc_length, sizeof(*change));
    assert_int_equal(change->spc_aaddr.ss_family, AF_INET6); /* mapped */
    sock_expect_nothing(client);
    sockworld_cut_path(w, 1, true);
    sockworld_run(w, 30000000);
    expect_path(client, SCTP_ADDR_UNREACHABLE);
    sockworld_cut_path(w, 1, false);
    sockworld_run(w, 120000000);
    expect_path(client, SCTP_ADDR_AVAILABLE);
    sock_expect_nothing(client);
    hws_sock_first_member(client)->options.expose_pf = HWS_EXPOSE_PF_YES;
    sockworld_cut_path(w, 1, true);
    sockworld_run(w, 30000000);
    expect_path(client, SCTP_ADDR_POTENTIALLY_FAILED);
    expect_path(client, SCTP_ADDR_UNREACHABLE);
    sock_expect(server, "x");
}

static const struct sctp_send_failed_event *expect_failed(struct hws_sock *sock, const char *text)
{
    const struct sctp_send_failed_event *event =
        &sock_expect_note(sock, SCTP_SEND_FAILED_EVENT)->sn_send_failed_event;
    assert_int_equal(event->ssf_length, sizeof(*event) + strlen(text));
    assert_memory_equal(event->ssf_data, text, strlen(text));
    return event;
}

static void messages_that_did_not_arrive_come_back(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client = client_of(w);
    sock_want_all(client);
    client->params.max_init_retrans = 1;
    sockworld_cut(w, true);
    const struct hws_iovec iov = {"one", 3};
    const struct hws_sock_send msg = {.remotes = sockhost_addr(&w->hosts[1], 0),
                                      .remote_count = 1,
                                      .remote_port = 5000,
                                      .has_info = true,
                                      .sid = 2,
                                      .flags = SCTP_UNORDERED,
                                      .ppid = htonl(7),
                                      .context = 99,
                                      .iov = &iov,
                                      .iov_count = 1};
    assert_int_equal(hws_sock_sendmsg(client, &msg, sockworld_now(w)), 0);
    assert_int_equal(sock_send_to(client, &w->hosts[1], 5000, "two"), 0);
    sctp_assoc_t id = hws_sock_first_member(client)->id;
    sockworld_run(w, 60000000);
    assert_int_equal(client->live_count, 0);
    assert_int_equal(sock_expect_change(client, SCTP_CANT_STR_ASSOC)->sac_assoc_id, id);
    sock_expect_note(client, SCTP_SEND_FAILED); /* who wants both gets both */
    const struct sctp_send_failed_event *event = expect_failed(client, "one");
    assert_int_equal(event->ssf_flags, SCTP_DATA_UNSENT);
    assert_int_equal(event->ssfe_info.snd_sid, 2);
    assert_int_equal(event->ssfe_info.snd_flags, SCTP_UNORDERED);
    assert_int_equal(event->ssfe_info.snd_ppid, htonl(7));
    assert_int_equal(event->ssfe_info.snd_context, 99);
    sock_expect_note(client, SCTP_SEND_FAILED);
    expect_failed(client, "two");
    sock_expect_nothing(client);
    assert_int_equal(client->member_count, 0);
}

static void what_was_sent_in_vain_is_told(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    sockworld_connect(w, &client, &server);
    sock_want(client, hws_sock_only_member(client), SOCK_EVENT(SCTP_SEND_FAILED_EVENT));
    sockworld_cut(w, true);
    sock_send_id(client, 0, 0, "lost");
    sockworld_run(w, 100000);
    assert_int_equal(hws_sock_abort(client, NULL, 0, sockworld_now(w)), 0);
    sockworld_settle(w);
    const struct sctp_send_failed_event *event = expect_failed(client, "lost");
    assert_int_equal(event->ssf_flags, SCTP_DATA_SENT);
    assert_int_equal(event->ssf_error, htons(12));
}

static void adaptation_is_told_after_up(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *server = server_of(w), *client = client_of(w);
    server->options.future.events =
        SOCK_EVENT(SCTP_ASSOC_CHANGE) | SOCK_EVENT(SCTP_ADAPTATION_INDICATION);
    client->params.adaptation = true;
    client->params.adaptation_indication = 0x01020304;
    sock_send_to(client, &w->hosts[1], 5000, "x");
    sockworld_settle(w);
    sock_expect_change(server, SCTP_COMM_UP);
    const struct sctp_adaptation_event *event =
        &sock_expect_note(server, SCTP_ADAPTATION_INDICATION)->sn_adaptation_event;
    assert_int_equal(event->sai_adaptation_ind, 0x01020304);
    sock_expect(server, "x");
}

static void remote_errors_are_told_as_on_the_wire(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    static const uint8_t cause[] = {0, 1, 0, 7, 9, 8, 7};
    sockworld_connect(w, &client, &server);
    struct hws_member *member = hws_sock_only_member(client);
    sock_want(client, member, SOCK_EVENT(SCTP_REMOTE_ERROR));
    const struct hws_event event = {.type = HWS_EVENT_REMOTE_ERROR,
                                    .assoc = member->assoc,
                                    .cause = 1,
                                    .data = cause,
                                    .data_len = sizeof(cause)};
    hws_sockets_event(&w->hosts[0].sockets, &event, sockworld_now(w));
    const struct sctp_remote_error *error =
        &sock_expect_note(client, SCTP_REMOTE_ERROR)->sn_remote_error;
    assert_int_equal(error->sre_error, htons(1));
    assert_int_equal(error->sre_length, sizeof(*error) + 4);
    assert_memory_equal(error->sre_data, "\x09\x08\x07\x00", 4);
    sock_expect_nothing(server);
}

static void notifications_nobody_reads_are_bounded(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    sockworld_connect(w, &client, &server);
    struct hws_member *member = hws_sock_only_member(client);
    sock_want(client, member, UINT32_MAX);
    struct hws_event event = {.type = HWS_EVENT_PATH_CONFIRMED,
                              .assoc = member->assoc,
                              .remote = *sockhost_addr(&w->hosts[1], 0)};
    for (int i = 0; i < 1000; i++)
        hws_sockets_event(&w->hosts[0].sockets, &event, sockworld_now(w));
    assert_int_equal(member->note_count, HWS_SOCK_NOTES_MAX);
    assert_int_equal(client->notes_lost, 1000 + 1 - HWS_SOCK_NOTES_MAX);
    sock_send_id(server, 0, 0, "bye");
    hws_sock_close(server, sockworld_now(w));
    sockworld_settle(w);
    struct sock_got got;
    int ends = 0;
    while (sock_recv(client, &got) == 0 && got.msg.len > 0) {
        const union sctp_notification *note = (const void *)got.text;
        ends += (got.msg.flags & MSG_NOTIFICATION) != 0 &&
                (note->sn_header.sn_type == SCTP_SHUTDOWN_EVENT ||
                 note->sn_header.sn_type == SCTP_ASSOC_CHANGE);
    }
    assert_int_equal(ends, 2); /* those that say what became of it are kept */
}

static void a_notification_comes_in_parts(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    uint8_t head[8], rest[64];
    sockworld_connect(w, &client, &server);
    sock_want(client, hws_sock_only_member(client), SOCK_EVENT(SCTP_SENDER_DRY_EVENT));
    struct hws_sock_iovec iov = {head, sizeof(head)};
    struct hws_sock_recv msg = {.iov = &iov, .iov_count = 1, .peek = true};
    assert_int_equal(hws_sock_recvmsg(client, &msg, sockworld_now(w)), 0);
    assert_int_equal(msg.flags, MSG_NOTIFICATION);
    msg.peek = false;
    assert_int_equal(hws_sock_recvmsg(client, &msg, sockworld_now(w)), 0);
    assert_int_equal(msg.len, 8);
    assert_int_equal(msg.flags, MSG_NOTIFICATION);
    iov = (struct hws_sock_iovec){rest, sizeof(rest)};
    assert_int_equal(hws_sock_recvmsg(client, &msg, sockworld_now(w)), 0);
    assert_int_equal(msg.len, sizeof(struct sctp_sender_dry_event) - 8);
    assert_int_equal(msg.flags, MSG_NOTIFICATION | MSG_EOR);
    sock_expect_nothing(client);
    sock_expect_nothing(server);
}

/* ---- Messages and their parts ---- */

static void peeking_takes_nothing(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    char a[3], b[64];
    sockworld_connect(w, &client, &server);
    sock_send_id(client, 0, 0, "0123456789");
    sockworld_settle(w);
    const struct hws_sock_iovec iov[2] = {{a, sizeof(a)}, {b, sizeof(b)}};
    struct hws_sock_recv msg = {.iov = iov, .iov_count = 2, .peek = true};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hws_sock_recvmsg(server, &msg, sockworld_now(w)), 0);
        assert_int_equal(msg.len, 10);
        assert_int_equal(msg.flags, MSG_EOR);
        assert_memory_equal(a, "012", 3);
        assert_memory_equal(b, "3456789", 7);
    }
    msg.iov_count = 1;
    assert_int_equal(hws_sock_recvmsg(server, &msg, sockworld_now(w)), 0);
    assert_int_equal(msg.len, 3);
    assert_int_equal(msg.flags, 0);
    sock_expect(server, "0123456789");
}

static void what_comes_next_is_told(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    struct sock_got got;
    sockworld_connect(w, &client, &server);
    server->options.receive_nxtinfo = true;
    sock_want(server, hws_sock_only_member(server), SOCK_EVENT(SCTP_SHUTDOWN_EVENT));
    sock_send_id(client, 0, 0, "first");
    sock_send_id(client, 0, SCTP_UNORDERED, "second one");
    hws_sock_close(client, sockworld_now(w));
    sockworld_settle(w);
    assert_int_equal(sock_recv(server, &got), 0);
    assert_true(got.msg.has_next);
    assert_int_equal(got.msg.next.nxt_length, 10);
    assert_int_equal(got.msg.next.nxt_flags, SCTP_UNORDERED);
    assert_int_equal(sock_recv(server, &got), 0);
    assert_int_equal(got.msg.next.nxt_flags, SCTP_NOTIFICATION);
    assert_int_equal(got.msg.next.nxt_length, sizeof(struct sctp_shutdown_event));
    sock_expect_note(server, SCTP_SHUTDOWN_EVENT);
}

#define LARGE 20000u

static void send_large(struct sockworld *w, struct hws_sock *sock, uint8_t fill)
{
    static uint8_t bytes[LARGE];
    memset(bytes, fill, sizeof(bytes));
    const struct hws_iovec iov = {bytes, sizeof(bytes)};
    const struct hws_sock_send msg = {.remotes = sockhost_addr(&w->hosts[1], 0),
                                      .remote_count = 1,
                                      .remote_port = 5000,
                                      .iov = &iov,
                                      .iov_count = 1};
    assert_int_equal(hws_sock_sendmsg(sock, &msg, sockworld_now(w)), 0);
}

/* Two clients; the large message of the first is cut off in its middle. */
static void begin_in_parts(struct sockworld *w, struct hws_sock **server,
                           struct hws_sock *clients[2])
{
    *server = server_of(w);
    (*server)->params.pd_point_bytes = 2000;
    assert_int_equal(hws_sock_set_future_params(*server, &(*server)->params), 0);
    for (int i = 0; i < 2; i++) {
        clients[i] = client_of(w);
        sock_send_to(clients[i], &w->hosts[1], 5000, "up");
        sockworld_settle(w);
        sock_expect(*server, "up");
    }
    send_large(w, clients[0], 'L');
    sockworld_run(w, 3 * SOCKWORLD_DELAY_US / 2); /* the first window only */
    struct sock_got got;
    assert_int_equal(sock_recv(*server, &got), 0);
    assert_int_equal(got.msg.flags, 0);
    while (sock_recv(*server, &got) == 0)
        assert_int_equal(got.text[0], 'L');
}

static void at_level_0_nothing_comes_between_parts(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *server, *clients[2];
    struct sock_got got;
    begin_in_parts(w, &server, clients);
    sockworld_cut(w, true); /* the other's message is there, the rest of the large one is not */
    sock_send_id(server, hws_sock_first_member(server)->id, 0, "keeps the cut busy");
    sockworld_run(w, 10000);
    sockworld_cut(w, false);
    sock_send_to(clients[1], &w->hosts[1], 5000, "small");
    size_t large = 0;
    sockworld_settle(w);
    do {
        assert_int_equal(sock_recv(server, &got), 0);
        assert_int_equal(got.text[0], 'L');
        large += got.msg.len;
    } while ((got.msg.flags & MSG_EOR) == 0);
    assert_true(large > 1000);
    sock_expect(server, "small");
}

static void note_ready(struct hws_sock *sock, unsigned ready, void *arg)
{
    (void)sock;
    *(unsigned *)arg = ready;
}

/* Who waits to be told that there is something to receive is told. */
static void level_1_frees_what_was_held_back(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *server, *clients[2];
    struct sock_got got;
    const int on = 1;
    unsigned ready = 0;
    begin_in_parts(w, &server, clients);
    sockworld_cut(w, true);
    sock_send_id(server, hws_sock_first_member(server)->id, 0, "keeps the cut busy");
    sockworld_run(w, 10000);
    sockworld_cut(w, false);
    sock_send_to(clients[1], &w->hosts[1], 5000, "small");
    sockworld_run(w, SOCKWORLD_DELAY_US + 1);
    while (sock_recv(server, &got) == 0)
        assert_int_equal(got.text[0], 'L');
    hws_sock_set_callback(server, note_ready, &ready);
    hws_sockets_dispatch(server->sockets);
    assert_int_equal(ready & HWS_SOCK_READABLE, 0);
    assert_int_equal(hws_sockopt_set(server, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, &on,
                                     sizeof(on), sockworld_now(w)),
                     0);
    hws_sockets_dispatch(server->sockets);
    assert_int_equal(ready & HWS_SOCK_READABLE, HWS_SOCK_READABLE);
    sock_expect(server, "small");
}

static void at_level_1_associations_interleave(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *server, *clients[2];
    struct sock_got got;
    begin_in_parts(w, &server, clients);
    server->options.fragment_interleave = true;
    sim_net_link(&w->net, 0, 0, 1, 0)->config.loss_ppm = 0;
    sock_send_to(clients[1], &w->hosts[1], 5000, "small");
    sockworld_run(w, SOCKWORLD_DELAY_US + 1);
    bool between = false, ended = false;
    sockworld_settle(w);
    while (sock_recv(server, &got) == 0) {
        between = between || (got.text[0] == 's' && !ended);
        ended = ended || (got.text[0] == 'L' && (got.msg.flags & MSG_EOR) != 0);
    }
    assert_true(between);
    assert_true(ended);
}

static void an_abort_in_the_middle_of_parts_is_told(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *server, *clients[2];
    struct sock_got got;
    begin_in_parts(w, &server, clients);
    struct hws_member *member = hws_sock_first_member(server);
    sock_want(server, member,
              SOCK_EVENT(SCTP_PARTIAL_DELIVERY_EVENT) | SOCK_EVENT(SCTP_ASSOC_CHANGE));
    sock_send_to(clients[1], &w->hosts[1], 5000, "small");
    assert_int_equal(
        sock_send_id(clients[0], hws_sock_first_member(clients[0])->id, SCTP_ABORT, ""), 0);
    sockworld_settle(w);
    do {
        assert_int_equal(sock_recv(server, &got), 0);
    } while ((got.msg.flags & MSG_NOTIFICATION) == 0);
    const union sctp_notification *note = (const void *)got.text;
    assert_int_equal(note->sn_header.sn_type, SCTP_PARTIAL_DELIVERY_EVENT);
    assert_int_equal(note->sn_pdapi_event.pdapi_indication, SCTP_PARTIAL_DELIVERY_ABORTED);
    /* The lock on the socket's order went with the message. */
    bool small = false, lost = false;
    while (sock_recv(server, &got) == 0) {
        small = small || got.text[0] == 's';
        lost = lost || (got.msg.flags & MSG_NOTIFICATION) != 0;
    }
    assert_true(small && lost);
    assert_int_equal(server->member_count, 1);
}

/* The client goes without a word and comes back with its port: a new one. */
static struct hws_sock *restart(struct sockworld *w, struct hws_sock *client)
{
    sockworld_cut(w, true);
    assert_int_equal(sock_send_id(client, hws_sock_first_member(client)->id, SCTP_ABORT, ""), 0);
    hws_sock_close(client, sockworld_now(w));
    sockworld_run(w, 1000);
    sockworld_cut(w, false);
    client = sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_MANY, 6000);
    sctp_assoc_t id;
    (void)hws_sock_connect(client, sockhost_addr(&w->hosts[1], 0), 1, 5000, false, &id,
                           sockworld_now(w));
    sockworld_settle(w);
    return client;
}

static void messages_cut_off_one_after_the_other_end_each(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *server = server_of(w);
    struct sock_got got;
    server->params.pd_point_bytes = 2000;
    assert_int_equal(hws_sock_set_future_params(server, &server->params), 0);
    sock_want_all(server);
    struct hws_sock *client = sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_MANY, 6000);
    sock_send_to(client, &w->hosts[1], 5000, "up");
    for (int i = 0; i < 2; i++) {
        sockworld_settle(w);
        send_large(w, client, 'L');
        sockworld_run(w, 3 * SOCKWORLD_DELAY_US / 2); /* the first window only */
        client = restart(w, client);
    }
    unsigned restarts = 0;
    while ((hws_sock_poll(server) & POLLIN) != 0) {
        assert_int_equal(sock_recv(server, &got), 0);
        const union sctp_notification *note = (const void *)got.text;
        restarts += (got.msg.flags & MSG_NOTIFICATION) != 0 &&
                    note->sn_header.sn_type == SCTP_ASSOC_CHANGE &&
                    note->sn_assoc_change.sac_state == SCTP_RESTART;
    }
    assert_int_equal(restarts, 2);
    hws_sock_close(client, sockworld_now(w));
}

static void views_show_what_would_be_copied(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    struct hws_sock_view view;
    struct hws_sock_recv msg = {0};
    sockworld_connect(w, &client, &server);
    sock_want(server, hws_sock_only_member(server), SOCK_EVENT(SCTP_SHUTDOWN_EVENT));
    sock_send_id(client, 0, 0, "look");
    hws_sock_close(client, sockworld_now(w));
    sockworld_settle(w);
    assert_int_equal(hws_sock_recv_view(server, &msg, &view, sockworld_now(w)), 0);
    assert_int_equal(msg.flags, MSG_EOR);
    assert_int_equal(view.data.len, 4);
    assert_memory_equal(view.data.iov[0].base, "look", 4);
    struct hws_sock_view note;
    assert_int_equal(hws_sock_recv_view(server, &msg, &note, sockworld_now(w)), 0);
    assert_int_equal(msg.flags, MSG_EOR | MSG_NOTIFICATION);
    assert_int_equal(note.data.iov[0].len, sizeof(struct sctp_shutdown_event));
    hws_sock_close(server, sockworld_now(w)); /* views outlive their socket */
    hws_sock_view_release(&w->hosts[1].sockets, &note);
    assert_memory_equal(view.data.iov[0].base, "look", 4);
    hws_sock_view_release(&w->hosts[1].sockets, &view);
}

/* ---- Sending ---- */

static void parts_are_gathered_until_the_last(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    sockworld_connect(w, &client, &server);
    client->options.explicit_eor = true;
    const struct hws_iovec iov[2] = {{"abc", 3}, {"def", 3}};
    struct hws_sock_send msg = {.iov = iov, .iov_count = 2, .has_info = true, .more = true};
    assert_int_equal(hws_sock_sendmsg(client, &msg, sockworld_now(w)), 0);
    msg.sid = 1;
    assert_int_equal(hws_sock_sendmsg(client, &msg, sockworld_now(w)), -EINVAL);
    sockworld_settle(w);
    sock_expect_nothing(server);
    msg.sid = 0;
    msg.more = false;
    msg.iov_count = 1;
    assert_int_equal(hws_sock_sendmsg(client, &msg, sockworld_now(w)), 0);
    sockworld_settle(w);
    sock_expect(server, "abcdefabc");
    assert_null(hws_sock_only_member(client)->parts);
}

static void count(void *arg)
{
    ++*(int *)arg;
}

static void lent_bytes_come_back_once_they_arrived(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *server = server_of(w), *clients[2];
    int released = 0;
    for (int i = 0; i < 2; i++) {
        clients[i] = client_of(w);
        sock_send_to(clients[i], &w->hosts[1], 5000, "up");
        sockworld_settle(w);
        sock_expect(server, "up");
    }
    const struct hws_iovec iov = {"lent", 4};
    const struct hws_sock_send msg = {.has_info = true,
                                      .flags = SCTP_SENDALL,
                                      .iov = &iov,
                                      .iov_count = 1,
                                      .release = count,
                                      .release_arg = &released};
    assert_int_equal(hws_sock_sendmsg(server, &msg, sockworld_now(w)), 0);
    assert_int_equal(released, 0);
    sockworld_settle(w);
    assert_int_equal(released, 1); /* once, though two associations had it */
    sock_expect(clients[0], "lent");
    sock_expect(clients[1], "lent");
    /* Refused, it is still the caller's. */
    struct hws_sock_send refused = msg;
    refused.flags = SCTP_EOF;
    assert_int_equal(hws_sock_sendmsg(server, &refused, sockworld_now(w)), -EINVAL);
    sockworld_settle(w);
    assert_int_equal(released, 1);
    sockworld_cut(w, true);
    assert_int_equal(hws_sock_sendmsg(server, &msg, sockworld_now(w)), 0);
    hws_sockets_fini(&w->hosts[1].sockets, sockworld_now(w));
    assert_int_equal(released, 2);
    const struct hws_sockets_host host = w->hosts[1].sockets.host;
    hws_sockets_init(&w->hosts[1].sockets, w->hosts[1].host.engine, &w->hosts[1].env, &host);
}

static void a_message_too_large_for_one_chunk_is_refused_on_wish(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    static char text[3000];
    memset(text, 'x', sizeof(text) - 1);
    sockworld_connect(w, &client, &server);
    client->options.no_fragments = true;
    assert_int_equal(sock_send_id(client, 0, 0, text), -EMSGSIZE);
    text[500] = '\0';
    assert_int_equal(sock_send_id(client, 0, 0, text), 0);
    sockworld_settle(w);
    sock_expect(server, text);
}

static void a_full_buffer_is_one_associations(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *server = server_of(w), *client = client_of(w);
    client->params.sndbuf_bytes = 20000;
    sock_send_to(client, &w->hosts[1], 5000, "x");
    sockworld_settle(w);
    sockworld_cut(w, true);
    static char text[1001];
    memset(text, 'x', 1000);
    int rc;
    while ((rc = sock_send_to(client, &w->hosts[1], 5000, text)) == 0)
        ;
    assert_int_equal(rc, -EAGAIN);
    assert_int_equal(hws_sock_poll(client) & POLLOUT, 0);
    /* What is for all goes to none. */
    struct hws_sock *other = sockhost_listen(&w->hosts[1], HWS_SOCK_ONE_TO_MANY, 5001, 5);
    sockworld_cut(w, false);
    sock_send_to(client, &w->hosts[1], 5001, "second");
    sockworld_run(w, 5 * SOCKWORLD_DELAY_US);
    sock_expect(other, "second");
    sockworld_cut(w, true);
    while (sock_send_to(client, &w->hosts[1], 5000, text) == 0)
        ;
    assert_int_equal(sock_send_id(client, 0, SCTP_SENDALL, "all"), -EAGAIN);
    sockworld_cut(w, false);
    sockworld_run(w, 60000000);
    assert_int_equal(hws_sock_poll(client) & POLLOUT, POLLOUT);
    assert_int_equal(hws_sock_poll(server) & POLLIN, POLLIN);
    sock_expect_nothing(other);
    assert_int_equal(sock_send_id(client, 0, SCTP_SENDALL, "all"), 0);
    sockworld_settle(w);
    sock_expect(other, "all");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_life_in_notifications),
        TEST(dry_is_told_at_once_when_subscribed),
        TEST(paths_are_told),
        TEST(messages_that_did_not_arrive_come_back),
        TEST(what_was_sent_in_vain_is_told),
        TEST(adaptation_is_told_after_up),
        TEST(remote_errors_are_told_as_on_the_wire),
        TEST(notifications_nobody_reads_are_bounded),
        TEST(a_notification_comes_in_parts),
        TEST(peeking_takes_nothing),
        TEST(what_comes_next_is_told),
        TEST(at_level_0_nothing_comes_between_parts),
        TEST(at_level_1_associations_interleave),
        TEST(level_1_frees_what_was_held_back),
        TEST(an_abort_in_the_middle_of_parts_is_told),
        TEST(messages_cut_off_one_after_the_other_end_each),
        TEST(views_show_what_would_be_copied),
        TEST(parts_are_gathered_until_the_last),
        TEST(lent_bytes_come_back_once_they_arrived),
        TEST(a_message_too_large_for_one_chunk_is_refused_on_wish),
        TEST(a_full_buffer_is_one_associations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
