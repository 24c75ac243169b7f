/* One-to-many sockets and those peeled off, above real engines: whom a send means, what begins and
 * ends associations, and what the kernel answers to each call. */
#include "api/sock/sockopt.h"
#include "tests/sockworld.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    *state = sockworld_new(1, 2, true);
    return 0;
}

static int teardown(void **state)
{
    sockworld_free(*state);
    return 0;
}

/* A server that listens and a client, each with every notification off. */
static void pair_of_many(struct sockworld *w, struct hws_sock **client, struct hws_sock **server)
{
    *server = sockhost_listen(&w->hosts[1], HWS_SOCK_ONE_TO_MANY, 5000, 5);
    *client = sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_MANY, 6000);
}

/* ---- Associations ---- */

static void sending_begins_an_association(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    pair_of_many(w, &client, &server);
    assert_int_equal(sock_send_to(client, &w->hosts[1], 5000, "hello"), 0);
    assert_int_equal(client->live_count, 1);
    sockworld_settle(w);
    struct sock_got got;
    assert_int_equal(sock_recv(server, &got), 0);
    assert_string_equal(got.text, "hello");
    assert_true(got.msg.id > SCTP_ALL_ASSOC);
    assert_int_equal(got.msg.rcv.rcv_assoc_id, got.msg.id);
    assert_int_equal(got.msg.from_port, 6000);
    assert_true(hws_addr_same(&got.msg.from, sockhost_addr(&w->hosts[0], 0)));
    assert_int_equal(sock_send_id(server, got.msg.id, 0, "answer"), 0);
    sockworld_settle(w);
    sctp_assoc_t id = sock_expect(client, "answer");
    assert_ptr_equal(hws_sock_member(client, id), hws_sock_first_member(client));
    assert_ptr_equal(hws_sock_member_at(client, sockhost_addr(&w->hosts[1], 0), 5000),
                     hws_sock_first_member(client));
    /* The second message takes the association that is there. */
    assert_int_equal(sock_send_to(client, &w->hosts[1], 5000, "again"), 0);
    assert_int_equal(client->live_count, 1);
    sockworld_settle(w);
    assert_int_equal(sock_expect(server, "again"), got.msg.id);
}

static void ids_are_not_used_again_soon(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    sctp_assoc_t last = SCTP_ALL_ASSOC;
    pair_of_many(w, &client, &server);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sock_send_to(client, &w->hosts[1], 5000, "x"), 0);
        sockworld_settle(w);
        struct hws_member *member = hws_sock_first_member(client);
        assert_true(member->id > last);
        last = member->id;
        assert_int_equal(sock_send_id(client, last, SCTP_EOF, ""), 0);
        sockworld_settle(w);
        assert_null(hws_sock_member(client, last));
        sock_expect(server, "x");
        sock_expect_nothing(server);
    }
}

static void unknown_associations_are_refused(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    pair_of_many(w, &client, &server);
    assert_int_equal(sock_send_id(client, 77, 0, "x"), -EPIPE);
    assert_int_equal(sock_send_id(client, SCTP_FUTURE_ASSOC, 0, "x"), -EPIPE);
    struct hws_sock *peeled;
    assert_int_equal(hws_sock_peeloff(client, 77, &peeled, sockworld_now(w)), -EINVAL);
}

static void connect_answers_by_association(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    const struct hws_addr *peer = sockhost_addr(&w->hosts[1], 0);
    server = sockhost_open(&w->hosts[1], HWS_SOCK_ONE_TO_MANY, 0);
    assert_int_equal(hws_sock_bind(server, peer, 2, 5000), 0);
    assert_int_equal(hws_sock_listen(server, 5), 0);
    client = sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_MANY, 0);
    sctp_assoc_t id;
    uint64_t now_us = sockworld_now(w);
    assert_int_equal(hws_sock_connect(client, peer, 1, 5000, true, &id, now_us), -EINPROGRESS);
    assert_int_equal(hws_sock_connect_result_of(client, id, now_us), -EINPROGRESS);
    assert_int_equal(hws_sock_connect(client, peer, 1, 5000, false, NULL, now_us), -EALREADY);
    sockworld_settle(w);
    now_us = sockworld_now(w);
    assert_int_equal(hws_sock_connect_result_of(client, id, now_us), 0);
    assert_int_equal(hws_sock_connect_result_of(client, id, now_us), -ENOTCONN);
    assert_int_equal(hws_sock_connect(client, peer, 1, 5000, false, NULL, now_us), -EISCONN);
    /* Another of its addresses is the same peer. */
    assert_int_equal(
        hws_sock_connect(client, sockhost_addr(&w->hosts[1], 1), 1, 5000, false, NULL, now_us),
        -EISCONN);
    /* Nobody listens there. */
    assert_int_equal(hws_sock_connect(client, peer, 1, 5001, true, &id, now_us), -EINPROGRESS);
    sockworld_settle(w);
    assert_int_equal(hws_sock_connect_result_of(client, id, sockworld_now(w)), -ECONNREFUSED);
    assert_int_equal(client->member_count, 1);
}

static void wrong_addresses_are_refused(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *sock = sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_MANY, 0);
    uint64_t now_us = sockworld_now(w);
    struct hws_addr any = {0}, nowhere = {.family = HWS_FAMILY_IPV4, .ip = {198, 18, 0, 1}};
    struct hws_addr multicast = {.family = HWS_FAMILY_IPV4, .ip = {224, 0, 0, 1}};
    assert_int_equal(hws_sock_connect(sock, &multicast, 1, 5000, false, NULL, now_us), -EINVAL);
    assert_int_equal(hws_sock_bind(sock, &multicast, 1, 5000), -EADDRNOTAVAIL);
    assert_int_equal(hws_sock_connect(sock, &any, 1, 5000, false, NULL, now_us), -EINVAL);
    assert_int_equal(
        hws_sock_connect(sock, sockhost_addr(&w->hosts[1], 0), 1, 0, false, NULL, now_us), -EINVAL);
    assert_int_equal(hws_sock_connect(sock, &nowhere, 1, 5000, false, NULL, now_us), -ENETUNREACH);
    assert_int_equal(sock->state, HWS_SOCK_NEW);
    struct hws_sock *v4 = hws_sock_open(&w->hosts[0].sockets, AF_INET, HWS_SOCK_ONE_TO_MANY);
    assert_int_equal(
        hws_sock_connect(v4, sockhost_addr(&w->hosts[1], 2), 1, 5000, false, NULL, now_us),
        -EINVAL);
    sock->options.v6only = true;
    assert_int_equal(
        hws_sock_connect(sock, sockhost_addr(&w->hosts[1], 0), 1, 5000, false, NULL, now_us),
        -EINVAL);
}

static void a_failed_send_leaves_no_association(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    pair_of_many(w, &client, &server);
    const struct hws_iovec iov = {"x", 1};
    const struct sctp_initmsg init = {.sinit_num_ostreams = 3};
    struct hws_sock_send msg = {.remotes = sockhost_addr(&w->hosts[1], 0),
                                .remote_count = 1,
                                .remote_port = 5000,
                                .has_info = true,
                                .sid = 3,
                                .init = &init,
                                .iov = &iov,
                                .iov_count = 1};
    assert_int_equal(hws_sock_sendmsg(client, &msg, sockworld_now(w)), -EINVAL);
    assert_int_equal(client->member_count, 0);
    msg.sid = 2;
    assert_int_equal(hws_sock_sendmsg(client, &msg, sockworld_now(w)), 0);
    sockworld_settle(w);
    struct hws_assoc_status status;
    assert_int_equal(
        hws_assoc_status(w->hosts[0].host.engine, hws_sock_first_member(client)->assoc, &status),
        0);
    assert_int_equal(status.ostreams, 3);
    assert_int_equal(client->params.ostreams, 10);
}

/* ---- Flags ---- */

static void flags_are_checked(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    pair_of_many(w, &client, &server);
    assert_int_equal(sock_send_to(client, &w->hosts[1], 5000, "x"), 0);
    sockworld_settle(w);
    sctp_assoc_t id = hws_sock_first_member(client)->id;
    assert_int_equal(sock_send_id(client, id, 0, ""), -EINVAL);
    assert_int_equal(sock_send_id(client, id, SCTP_EOF, "x"), -EINVAL);
    assert_int_equal(sock_send_id(client, id, SCTP_ADDR_OVER, "x"), -EINVAL);
    assert_int_equal(sock_send_id(client, id, 0x4000, "x"), -EINVAL);
    client->params.sndbuf_bytes = client->params.sndbuf_max_bytes = 3;
    assert_int_equal(sock_send_id(client, id, 0, "1234"), -EMSGSIZE);
    assert_int_equal(sock_send_id(client, id, 0, "123"), 0);
    struct hws_sock *a, *b;
    hws_sock_close(server, sockworld_now(w));
    sockworld_settle(w);
    sockworld_connect(w, &a, &b);
    assert_int_equal(sock_send_id(a, 0, SCTP_EOF, ""), -EINVAL);
    assert_int_equal(sock_send_id(a, 0, SCTP_ABORT, "why"), -EINVAL);
}

static void eof_ends_one_association(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    pair_of_many(w, &client, &server);
    sock_send_to(client, &w->hosts[1], 5000, "x");
    sockworld_settle(w);
    sctp_assoc_t id = hws_sock_first_member(client)->id;
    sctp_assoc_t other = sock_expect(server, "x");
    sock_send_id(client, id, 0, "last");
    assert_int_equal(sock_send_id(client, id, SCTP_EOF, ""), 0);
    assert_int_equal(sock_send_id(client, id, 0, "more"), -ESHUTDOWN);
    sockworld_settle(w);
    assert_int_equal(sock_send_id(client, id, 0, "more"), -EPIPE);
    assert_int_equal(client->member_count, 0);
    /* What was sent before can still be received; to send is too late. */
    assert_int_equal(sock_send_id(server, other, 0, "more"), -EPIPE);
    sock_expect(server, "last");
    assert_int_equal(server->member_count, 0);
}

static void abort_carries_the_message_as_reason(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    pair_of_many(w, &client, &server);
    sock_want_all(server);
    sock_send_to(client, &w->hosts[1], 5000, "x");
    sockworld_settle(w);
    sock_expect_change(server, SCTP_COMM_UP);
    sctp_assoc_t id = hws_sock_first_member(client)->id;
    assert_int_equal(sock_send_id(client, id, SCTP_ABORT, "because"), 0);
    sockworld_settle(w);
    assert_int_equal(client->member_count, 0);
    sock_expect(server, "x");
    const struct sctp_assoc_change *change = sock_expect_change(server, SCTP_COMM_LOST);
    assert_int_equal(change->sac_error, 0x0c00); /* User-Initiated Abort, as on the wire */
    assert_int_equal(change->sac_length, sizeof(*change) + 4 + 7);
    assert_memory_equal(change->sac_info + 4, "because", 7);
    sock_expect_nothing(server);
}

static void sendall_reaches_all(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *server = sockhost_listen(&w->hosts[1], HWS_SOCK_ONE_TO_MANY, 5000, 5);
    struct hws_sock *clients[3];
    for (int i = 0; i < 3; i++) {
        clients[i] = sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_MANY, (uint16_t)(6000 + i));
        assert_int_equal(sock_send_to(clients[i], &w->hosts[1], 5000, "x"), 0);
    }
    sockworld_settle(w);
    for (int i = 0; i < 3; i++)
        sock_expect(server, "x");
    assert_int_equal(sock_send_id(server, 0, SCTP_SENDALL, "all"), 0);
    sockworld_settle(w);
    for (int i = 0; i < 3; i++) {
        sock_expect(clients[i], "all");
        sock_expect_nothing(clients[i]);
    }
    assert_int_equal(sock_send_id(server, 0, SCTP_SENDALL | SCTP_EOF, ""), 0);
    sockworld_settle(w);
    assert_int_equal(server->member_count, 0);
}

static uint64_t passed_to(struct sockworld *w, uint32_t i)
{
    uint64_t passed = 0;
    for (uint32_t from = 0; from < SIM_NODE_ADDRS_MAX; from++)
        passed += sim_net_link(&w->net, 0, from, 1, i)->packets_passed;
    return passed;
}

/* As in the kernel: the address is right, the association is another socket's. */
static void an_option_for_an_address_checks_the_association(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    pair_of_many(w, &client, &server);
    sock_send_to(client, &w->hosts[1], 5000, "x");
    sockworld_settle(w);
    sctp_assoc_t id = hws_sock_first_member(client)->id;
    const sctp_assoc_t ids[] = {id, SCTP_FUTURE_ASSOC, id + 1000};
    struct sockaddr_storage peer;
    hws_sock_write_address(client, sockhost_addr(&w->hosts[1], 0), 5000, &peer);
    for (int i = 0; i < 3; i++) {
        struct sctp_paddrparams params = {.spp_assoc_id = ids[i]};
        socklen_t size = sizeof(params);
        memcpy(&params.spp_address, &peer, sizeof(peer));
        int wanted = i < 2 ? 0 : -EINVAL;
        assert_int_equal(hws_sockopt_set(client, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &params, size,
                                         sockworld_now(w)),
                         wanted);
        assert_int_equal(
            hws_sockopt_get(client, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &params, &size), wanted);
    }
    sock_expect(server, "x");
}

static void addr_over_takes_that_path(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *server = sockhost_open(&w->hosts[1], HWS_SOCK_ONE_TO_MANY, 0);
    struct hws_sock *client = sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_MANY, 0);
    assert_int_equal(hws_sock_bind(server, sockhost_addr(&w->hosts[1], 0), 2, 5000), 0);
    assert_int_equal(hws_sock_listen(server, 5), 0);
    assert_int_equal(hws_sock_connect(client, sockhost_addr(&w->hosts[1], 0), 1, 5000, false, NULL,
                                      sockworld_now(w)),
                     -EINPROGRESS);
    sockworld_settle(w);
    uint64_t before[2] = {passed_to(w, 0), passed_to(w, 1)};
    const struct hws_iovec iov = {"over", 4};
    struct hws_sock_send msg = {.remotes = sockhost_addr(&w->hosts[1], 1),
                                .remote_count = 1,
                                .remote_port = 5000,
                                .has_info = true,
                                .flags = SCTP_ADDR_OVER,
                                .iov = &iov,
                                .iov_count = 1};
    assert_int_equal(hws_sock_sendmsg(client, &msg, sockworld_now(w)), 0);
    sockworld_settle(w);
    sock_expect(server, "over");
    assert_true(passed_to(w, 1) > before[1]);
    assert_int_equal(passed_to(w, 0), before[0]);
    msg.flags = 0; /* now the address only says which association */
    assert_int_equal(hws_sock_sendmsg(client, &msg, sockworld_now(w)), 0);
    sockworld_settle(w);
    sock_expect(server, "over");
    assert_true(passed_to(w, 0) > before[0]);
}

/* ---- Several associations ---- */

static void associations_take_turns(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *server = sockhost_listen(&w->hosts[1], HWS_SOCK_ONE_TO_MANY, 5000, 5);
    for (int i = 0; i < 2; i++) {
        struct hws_sock *client = sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_MANY, 0);
        for (int k = 0; k < 10; k++)
            sock_send_to(client, &w->hosts[1], 5000, i == 0 ? "a" : "b");
        sockworld_settle(w);
    }
    sctp_assoc_t last = 0;
    for (int i = 0; i < 20; i++) {
        struct sock_got got;
        assert_int_equal(sock_recv(server, &got), 0);
        assert_int_not_equal(got.msg.id, last);
        last = got.msg.id;
    }
    sock_expect_nothing(server);
}

/* As from the kernel's one queue: COMM_UP of an association is followed by what it sent. */
static void notifications_keep_the_turn_for_the_data_after_them(void **state)
{
    struct sockworld *w = *state;
    static const char *const texts[] = {"one", "two", "three"};
    struct hws_sock *server = sockhost_listen(&w->hosts[1], HWS_SOCK_ONE_TO_MANY, 5000, 5);
    server->options.future.events = SOCK_EVENT(SCTP_ASSOC_CHANGE);
    struct hws_sock *clients[3];
    for (int i = 0; i < 3; i++) {
        clients[i] = sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_MANY, 0);
        sock_send_to(clients[i], &w->hosts[1], 5000, texts[i]);
        sockworld_settle(w);
    }
    for (int i = 0; i < 3; i++) {
        sctp_assoc_t id = sock_expect_change(server, SCTP_COMM_UP)->sac_assoc_id;
        assert_int_equal(sock_expect(server, texts[i]), id);
    }
    sock_expect_nothing(server);
}

/* Their peer can cause them without end: the others are not kept waiting for that. */
static void notifications_that_recur_pass_the_turn_on(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *server = sockhost_listen(&w->hosts[1], HWS_SOCK_ONE_TO_MANY, 5000, 5);
    server->options.future.events = SOCK_EVENT(SCTP_PEER_ADDR_CHANGE);
    struct hws_sock *clients[2];
    for (int i = 0; i < 2; i++) {
        clients[i] = sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_MANY, (uint16_t)(6000 + i));
        sock_send_to(clients[i], &w->hosts[1], 5000, "x");
        sockworld_settle(w);
        sock_expect(server, "x");
    }
    struct hws_member *first = hws_sock_first_member(server);
    struct hws_event event = {.type = HWS_EVENT_PATH_CONFIRMED,
                              .assoc = first->assoc,
                              .remote = *sockhost_addr(&w->hosts[0], 0)};
    for (int i = 0; i < 3; i++)
        hws_sockets_event(&w->hosts[1].sockets, &event, sockworld_now(w));
    sock_send_to(clients[1], &w->hosts[1], 5000, "y");
    sockworld_settle(w);
    sock_expect_note(server, SCTP_PEER_ADDR_CHANGE);
    sock_expect(server, "y");
    sock_expect_note(server, SCTP_PEER_ADDR_CHANGE);
    sock_expect_note(server, SCTP_PEER_ADDR_CHANGE);
    sock_expect_nothing(server);
}

static void one_to_many_sockets_do_not_accept(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server, *child;
    pair_of_many(w, &client, &server);
    assert_int_equal(hws_sock_accept(server, &child), -EOPNOTSUPP);
    assert_int_equal(sock_send_to(client, &w->hosts[1], 5000, "x"), 0);
    sockworld_settle(w);
    assert_int_equal(hws_sock_listen(server, 0), 0);
    assert_int_equal(hws_sock_listen(server, 0), -EINVAL);
    struct hws_sock *late = sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_MANY, 0);
    sock_want_all(late);
    assert_int_equal(sock_send_to(late, &w->hosts[1], 5000, "x"), 0);
    sockworld_settle(w);
    sock_expect_change(late, SCTP_CANT_STR_ASSOC);
    sock_expect(server, "x"); /* the association that was there lives on */
    assert_int_equal(server->live_count, 1);
}

static void both_sides_may_begin(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *a = sockhost_listen(&w->hosts[0], HWS_SOCK_ONE_TO_MANY, 5000, 5);
    struct hws_sock *b = sockhost_listen(&w->hosts[1], HWS_SOCK_ONE_TO_MANY, 5000, 5);
    assert_int_equal(sock_send_to(a, &w->hosts[1], 5000, "from a"), 0);
    assert_int_equal(sock_send_to(b, &w->hosts[0], 5000, "from b"), 0);
    sockworld_settle(w);
    sock_expect(a, "from b");
    sock_expect(b, "from a");
    assert_int_equal(a->live_count, 1);
    assert_int_equal(b->live_count, 1);
}

static void ended_associations_that_nobody_reads_are_bounded(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    pair_of_many(w, &client, &server);
    sock_want_all(server);
    for (int i = 0; i < 3; i++) {
        sock_send_to(client, &w->hosts[1], 5000, "x");
        sockworld_settle(w);
        sock_send_id(client, hws_sock_first_member(client)->id, SCTP_EOF, "");
        sockworld_settle(w);
    }
    assert_int_equal(server->member_count, 3);
    assert_int_equal(server->live_count, 0);
    for (int i = 0; i < 3; i++) {
        struct sock_got got;
        while (sock_recv(server, &got) == 0)
            assert_true(got.msg.id > 0);
    }
    assert_int_equal(server->member_count, 0);
}

/* ---- Peeling off ---- */

static void peeling_off_takes_what_waits_along(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server, *peeled;
    pair_of_many(w, &client, &server);
    sock_want_all(server);
    sock_send_to(client, &w->hosts[1], 5000, "one");
    sock_send_to(client, &w->hosts[1], 5000, "two");
    sockworld_settle(w);
    sctp_assoc_t id = sock_expect_change(server, SCTP_COMM_UP)->sac_assoc_id;
    assert_int_equal(hws_sock_peeloff(server, id, &peeled, sockworld_now(w)), 0);
    sock_expect_nothing(server);
    assert_int_equal(server->member_count, 0);
    assert_int_equal(sock_expect(peeled, "one"), id);
    sock_expect(peeled, "two");
    assert_int_equal(sock_send_id(peeled, 0, 0, "back"), 0);
    sockworld_settle(w);
    sock_expect(client, "back");
    /* It cannot be peeled again, listen, or begin another one. */
    struct hws_sock *again;
    uint64_t now_us = sockworld_now(w);
    assert_int_equal(hws_sock_peeloff(peeled, id, &again, now_us), -EINVAL);
    assert_int_equal(hws_sock_listen(peeled, 1), -EINVAL);
    assert_int_equal(
        hws_sock_connect(peeled, sockhost_addr(&w->hosts[0], 0), 1, 9, false, NULL, now_us),
        -EISCONN);
    /* The peer is not the old socket's any more, and not its to have again. */
    assert_int_equal(
        hws_sock_connect(server, sockhost_addr(&w->hosts[0], 0), 1, 6000, false, NULL, now_us),
        -EADDRNOTAVAIL);
    assert_int_equal(sock_send_id(peeled, 0, SCTP_EOF, ""), 0);
    sockworld_settle(w);
    sock_expect_note(peeled, SCTP_SENDER_DRY_EVENT);
    sock_expect_change(peeled, SCTP_SHUTDOWN_COMP);
    struct sock_got got;
    assert_int_equal(sock_recv(peeled, &got), 0);
    assert_int_equal(got.msg.len, 0);
}

static void a_peeled_socket_outlives_its_parent(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server, *peeled;
    pair_of_many(w, &client, &server);
    sock_send_to(client, &w->hosts[1], 5000, "x");
    sockworld_settle(w);
    sctp_assoc_t id = hws_sock_first_member(server)->id;
    assert_int_equal(hws_sock_peeloff(server, id, &peeled, sockworld_now(w)), 0);
    hws_sock_close(server, sockworld_now(w));
    sock_expect(peeled, "x");
    sock_send_id(peeled, 0, 0, "y");
    sockworld_settle(w);
    sock_expect(client, "y");
    assert_int_equal(w->hosts[1].ports, 1);
    hws_sock_close(peeled, sockworld_now(w));
    sockworld_settle(w);
    assert_int_equal(w->hosts[1].ports, 0);
    assert_int_equal(client->member_count, 0);
}

/* ---- Closing and shutting down ---- */

static void close_ends_all_in_the_background(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *server = sockhost_listen(&w->hosts[1], HWS_SOCK_ONE_TO_MANY, 5000, 5);
    struct hws_sock *clients[3];
    for (int i = 0; i < 3; i++) {
        clients[i] = sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_MANY, 0);
        sock_want_all(clients[i]);
        sock_send_to(clients[i], &w->hosts[1], 5000, "x");
    }
    sockworld_settle(w);
    for (int i = 0; i < 3; i++)
        sock_expect(server, "x");
    sock_send_id(server, 0, SCTP_SENDALL, "bye");
    hws_sock_close(server, sockworld_now(w));
    assert_int_equal(hws_sockets_orphans(&w->hosts[1].sockets), 1);
    assert_int_equal(w->hosts[1].ports, 1);
    sockworld_settle(w);
    assert_int_equal(hws_sockets_orphans(&w->hosts[1].sockets), 0);
    assert_int_equal(w->hosts[1].ports, 0);
    for (int i = 0; i < 3; i++) {
        sock_expect_change(clients[i], SCTP_COMM_UP);
        sock_expect_note(clients[i], SCTP_SENDER_DRY_EVENT);
        sock_expect(clients[i], "bye");
        sock_expect_note(clients[i], SCTP_SHUTDOWN_EVENT);
        sock_expect_change(clients[i], SCTP_SHUTDOWN_COMP);
    }
}

static void close_aborts_all_when_data_was_not_read(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *server = sockhost_listen(&w->hosts[1], HWS_SOCK_ONE_TO_MANY, 5000, 5);
    struct hws_sock *clients[2];
    for (int i = 0; i < 2; i++) {
        clients[i] = sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_MANY, 0);
        sock_send_to(clients[i], &w->hosts[1], 5000, "x");
        sockworld_settle(w);
    }
    sock_expect(server, "x");
    for (int i = 0; i < 2; i++)
        sock_want(clients[i], hws_sock_first_member(clients[i]), SOCK_EVENT(SCTP_ASSOC_CHANGE));
    hws_sock_close(server, sockworld_now(w));
    assert_int_equal(hws_sockets_orphans(&w->hosts[1].sockets), 0);
    sockworld_settle(w);
    for (int i = 0; i < 2; i++)
        sock_expect_change(clients[i], SCTP_COMM_LOST);
}

static void close_with_linger_0_aborts(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server;
    sockworld_connect(w, &client, &server);
    client->linger = (struct linger){.l_onoff = 1, .l_linger = 0};
    hws_sock_close(client, sockworld_now(w));
    sockworld_settle(w);
    struct sock_got got;
    assert_int_equal(hws_sock_poll(server) & (POLLERR | POLLHUP), POLLERR);
    assert_int_equal(sock_recv(server, &got), -ECONNRESET);
    assert_int_equal(sock_recv(server, &got), 0);
    assert_int_equal(got.msg.len, 0);
}

static void shutdown_as_in_the_kernel(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *client, *server, *one, *other;
    struct sock_got got;
    uint64_t now_us = sockworld_now(w);
    pair_of_many(w, &client, &server);
    assert_int_equal(hws_sock_shutdown_how(client, 7, now_us), -EINVAL);
    assert_int_equal(hws_sock_shutdown_how(client, SHUT_WR, now_us), -ENOTCONN);
    assert_int_equal(hws_sock_shutdown_how(server, SHUT_WR, now_us), 0);
    assert_int_equal(hws_sock_shutdown_how(server, SHUT_RD, now_us), -EOPNOTSUPP);
    hws_sock_close(server, now_us);
    sockworld_connect(w, &one, &other);
    now_us = sockworld_now(w);
    sock_send_id(one, 0, 0, "last");
    assert_int_equal(hws_sock_shutdown_how(one, SHUT_WR, now_us), 0);
    assert_int_equal(sock_send_id(one, 0, 0, "more"), -ESHUTDOWN);
    sock_send_id(other, 0, 0, "answer");
    sockworld_settle(w);
    sock_expect(one, "answer");
    assert_int_equal(sock_recv(one, &got), 0);
    assert_int_equal(got.msg.len, 0);
    assert_int_equal(hws_sock_poll(other) & POLLRDHUP, POLLRDHUP);
    sock_expect(other, "last");
    assert_int_equal(sock_recv(other, &got), 0);
    assert_int_equal(got.msg.len, 0);
    assert_int_equal(sock_send_id(other, 0, 0, "late"), -EPIPE);
    assert_int_equal(
        hws_sock_connect(one, sockhost_addr(&w->hosts[1], 0), 1, 5000, false, NULL, now_us),
        -EISCONN);
}

static void after_shutting_reception_data_is_dropped(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *one, *other;
    struct sock_got got;
    sockworld_connect(w, &one, &other);
    sock_send_id(other, 0, 0, "before");
    sockworld_settle(w);
    assert_int_equal(hws_sock_shutdown_how(one, SHUT_RD, sockworld_now(w)), 0);
    sock_send_id(other, 0, 0, "after");
    sockworld_settle(w);
    sock_expect(one, "before");
    assert_int_equal(sock_recv(one, &got), 0);
    assert_int_equal(got.msg.len, 0);
    assert_int_equal(sock_send_id(one, 0, 0, "still"), 0);
    sockworld_settle(w);
    sock_expect(other, "still");
}

/* ---- One-to-one ---- */

static void a_failed_connect_can_be_tried_again(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *sock = sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_ONE, 0);
    struct sock_got got;
    assert_int_equal(sock_send_id(sock, 0, 0, "x"), -EPIPE);
    assert_int_equal(sock_recv(sock, &got), -EAGAIN);
    assert_int_equal(hws_sock_may_wait(sock), -ENOTCONN);
    assert_int_equal(hws_sock_connect(sock, sockhost_addr(&w->hosts[1], 0), 1, 5000, false, NULL,
                                      sockworld_now(w)),
                     -EINPROGRESS);
    assert_int_equal(sock_send_id(sock, 0, 0, "x"), -EPIPE);
    sockworld_settle(w);
    assert_int_equal(hws_sock_poll(sock), POLLERR);
    assert_int_equal(hws_sock_take_error(sock), ECONNREFUSED);
    assert_int_equal(hws_sock_poll(sock), 0);
    struct hws_sock *listener = sockhost_listen(&w->hosts[1], HWS_SOCK_ONE_TO_ONE, 5000, 1);
    assert_int_equal(hws_sock_connect(sock, sockhost_addr(&w->hosts[1], 0), 1, 5000, false, NULL,
                                      sockworld_now(w)),
                     -EINPROGRESS);
    sockworld_settle(w);
    assert_int_equal(hws_sock_connect_result(sock), 0);
    assert_int_equal(hws_sock_poll(sock), POLLOUT | POLLWRNORM);
    assert_int_equal(hws_sock_poll(listener), POLLIN | POLLRDNORM);
}

static void sendto_connects_a_one_to_one_socket(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *listener = sockhost_listen(&w->hosts[1], HWS_SOCK_ONE_TO_ONE, 5000, 1);
    struct hws_sock *sock = sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_ONE, 0);
    struct hws_sock *child;
    assert_int_equal(sock_send_to(sock, &w->hosts[1], 5000, "first"), 0);
    sockworld_settle(w);
    assert_int_equal(hws_sock_accept(listener, &child), 0);
    sock_expect(child, "first");
    assert_int_equal(sock_send_to(sock, &w->hosts[1], 5001, "x"), -EADDRNOTAVAIL);
    assert_int_equal(sock_send_id(listener, 0, 0, "x"), -EPIPE);
    struct sock_got got;
    assert_int_equal(sock_recv(listener, &got), -ENOTCONN);
}

static void options_set_until_accept_are_inherited(void **state)
{
    struct sockworld *w = *state;
    struct hws_sock *listener = sockhost_listen(&w->hosts[1], HWS_SOCK_ONE_TO_ONE, 5000, 1);
    struct hws_sock *sock = sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_ONE, 0);
    struct hws_sock *child;
    sock_send_to(sock, &w->hosts[1], 5000, "x");
    sockworld_settle(w);
    listener->options.receive_rcvinfo = true;
    assert_int_equal(hws_sock_accept(listener, &child), 0);
    assert_true(child->options.receive_rcvinfo);
    assert_int_equal(hws_sock_shutdown_how(listener, SHUT_RD, sockworld_now(w)), 0);
    assert_int_equal(hws_sock_accept(listener, &child), -EINVAL);
}

/* ---- Memory ---- */

/* Every call and every event of a busy life, the n-th allocation failing. */
static void a_life(struct sockworld *w)
{
    struct hws_sock *server = hws_sock_open(&w->hosts[1].sockets, AF_INET6, HWS_SOCK_ONE_TO_MANY);
    struct hws_sock *client = hws_sock_open(&w->hosts[0].sockets, AF_INET6, HWS_SOCK_ONE_TO_MANY);
    struct hws_sock *peeled = NULL;
    struct sock_got got;
    if (server == NULL || client == NULL)
        return;
    sock_want_all(server);
    sock_want_all(client);
    client->options.explicit_eor = true;
    if (hws_sock_bind(server, NULL, 0, 5000) < 0 || hws_sock_listen(server, 1) < 0)
        return;
    sock_send_to(client, &w->hosts[1], 5000, "x");
    sockworld_settle(w);
    sock_send_to(client, &w->hosts[1], 5000, "y");
    sockworld_settle(w);
    struct hws_member *member = hws_sock_first_member(server);
    if (member != NULL)
        hws_sock_peeloff(server, member->id, &peeled, sockworld_now(w));
    for (int i = 0; i < 6; i++) {
        sock_recv(client, &got);
        sock_recv(peeled != NULL ? peeled : server, &got);
    }
    hws_sock_close(client, sockworld_now(w));
    sockworld_settle(w);
}

static void failing_allocations_leave_nothing(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth < 400; nth += 1 + nth / 100) {
        struct sockworld *w = sockworld_new(nth, 1, false);
        struct sim_env *env = &w->hosts[nth % 2].host.env;
        env->fail_from = env->allocs + nth / 2;
        env->fail_until = env->fail_from + 1;
        a_life(w);
        sockworld_free(w);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sending_begins_an_association),
        TEST(ids_are_not_used_again_soon),
        TEST(unknown_associations_are_refused),
        TEST(connect_answers_by_association),
        TEST(wrong_addresses_are_refused),
        TEST(a_failed_send_leaves_no_association),
        TEST(flags_are_checked),
        TEST(eof_ends_one_association),
        TEST(abort_carries_the_message_as_reason),
        TEST(sendall_reaches_all),
        TEST(an_option_for_an_address_checks_the_association),
        TEST(addr_over_takes_that_path),
        TEST(associations_take_turns),
        TEST(notifications_keep_the_turn_for_the_data_after_them),
        TEST(notifications_that_recur_pass_the_turn_on),
        TEST(one_to_many_sockets_do_not_accept),
        TEST(both_sides_may_begin),
        TEST(ended_associations_that_nobody_reads_are_bounded),
        TEST(peeling_off_takes_what_waits_along),
        TEST(a_peeled_socket_outlives_its_parent),
        TEST(close_ends_all_in_the_background),
        TEST(close_aborts_all_when_data_was_not_read),
        TEST(close_with_linger_0_aborts),
        TEST(shutdown_as_in_the_kernel),
        TEST(after_shutting_reception_data_is_dropped),
        TEST(a_failed_connect_can_be_tried_again),
        TEST(sendto_connects_a_one_to_one_socket),
        TEST(options_set_until_accept_are_inherited),
        cmocka_unit_test(failing_allocations_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
