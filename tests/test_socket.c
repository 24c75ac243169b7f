/* One-to-one sockets, call by call, above an engine that answers what a test wants. */
#include "memory_env.h"

#include <errno.h>
#include <netinet/in.h>

#include <linux/sctp.h>

#include "api/sock/socket.h"
#include "api/sock/sockopt.h"
#include "fake_engine.h"

#define NOW 1000u

struct world {
    struct memory_env mem;
    struct hws_sockets sockets;
    int add_port_rc;
    unsigned add_port_failures; /* this many times add_port answers -EADDRINUSE first */
    int route_rc, local_rc;
    unsigned ports;
    uint16_t last_removed;
};

static int world_add_port(void *arg, uint16_t port)
{
    struct world *w = arg;
    (void)port;
    if (w->add_port_failures > 0) {
        w->add_port_failures--;
        return -EADDRINUSE;
    }
    if (w->add_port_rc == 0)
        w->ports++;
    return w->add_port_rc;
}

static void world_remove_port(void *arg, uint16_t port)
{
    struct world *w = arg;
    w->ports--;
    w->last_removed = port;
}

static int world_check_route(void *arg, const struct hws_addr *remote)
{
    (void)remote;
    return ((struct world *)arg)->route_rc;
}

static int world_check_local(void *arg, const struct hws_addr *local)
{
    (void)local;
    return ((struct world *)arg)->local_rc;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    fake_engine_reset();
    memory_env_init(&w->mem, 1, true);
    const struct hws_sockets_host host = {.arg = w,
                                          .add_port = world_add_port,
                                          .remove_port = world_remove_port,
                                          .check_local = world_check_local,
                                          .check_route = world_check_route};
    hws_sockets_init(&w->sockets, NULL, &w->mem.env, &host);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    hws_sockets_fini(&w->sockets, NOW);
    assert_int_equal(w->ports, 0);
    assert_int_equal(fake_engine.endpoints, 0);
    memory_env_fini(&w->mem);
    free(w);
    return 0;
}

static const struct hws_addr peer = {.family = HWS_FAMILY_IPV4, .ip = {192, 0, 2, 9}};

static void event(struct world *w, struct hws_event e)
{
    hws_sockets_event(&w->sockets, &e, NOW);
}

static struct hws_sock *connected(struct world *w)
{
    struct hws_sock *sock = hws_sock_open(&w->sockets, AF_INET6, HWS_SOCK_ONE_TO_ONE);
    assert_int_equal(hws_sock_connect(sock, &peer, 1, 7, false, NULL, NOW), -EINPROGRESS);
    event(w, (struct hws_event){.type = HWS_EVENT_UP, .assoc = sock->assoc});
    assert_int_equal(hws_sock_connect_result(sock), 0);
    return sock;
}

static struct hws_sock *listening(struct world *w, int backlog)
{
    struct hws_sock *sock = hws_sock_open(&w->sockets, AF_INET6, HWS_SOCK_ONE_TO_ONE);
    assert_int_equal(hws_sock_bind(sock, NULL, 0, 5000), 0);
    assert_int_equal(hws_sock_listen(sock, backlog), 0);
    return sock;
}

static hws_assoc_id comes_up(struct world *w, const struct hws_sock *listener)
{
    hws_assoc_id id = fake_engine.next_id++;
    event(w,
          (struct hws_event){
              .type = HWS_EVENT_UP, .assoc = id, .endpoint = listener->endpoint, .passive = true});
    return id;
}

/* ---- Sending and receiving ---- */

static int send_x(struct hws_sock *sock)
{
    const struct hws_iovec iov = {"x", 1};
    const struct hws_sock_send msg = {.iov = &iov, .iov_count = 1};
    return hws_sock_sendmsg(sock, &msg, NOW);
}

static int recv_some(struct hws_sock *sock, size_t *len)
{
    char buf[8];
    const struct hws_sock_iovec iov = {buf, sizeof(buf)};
    struct hws_sock_recv msg = {.iov = &iov, .iov_count = 1};
    int rc = hws_sock_recvmsg(sock, &msg, NOW);
    *len = msg.len;
    return rc;
}

/* ---- Binding ---- */

static void binds_once(void **state)
{
    struct world *w = *state;
    struct hws_sock *sock = hws_sock_open(&w->sockets, AF_INET6, HWS_SOCK_ONE_TO_ONE);
    assert_int_equal(hws_sock_bind(sock, NULL, 0, 5000), 0);
    assert_int_equal(hws_sock_port(sock), 5000);
    assert_int_equal(hws_sock_bind(sock, NULL, 0, 5001), -EINVAL);
}

static void a_failed_bind_leaves_nothing(void **state)
{
    struct world *w = *state;
    struct hws_sock *sock = hws_sock_open(&w->sockets, AF_INET6, HWS_SOCK_ONE_TO_ONE);
    fake_engine.endpoint_new_rc = HWS_E_INUSE;
    assert_int_equal(hws_sock_bind(sock, NULL, 0, 5000), -EADDRINUSE);
    fake_engine.endpoint_new_rc = HWS_OK;
    w->add_port_rc = -EADDRINUSE;
    assert_int_equal(hws_sock_bind(sock, NULL, 0, 5000), -EADDRINUSE);
    assert_int_equal(fake_engine.endpoints, 0);
    w->add_port_rc = 0;
    assert_int_equal(hws_sock_bind(sock, NULL, 0, 5000), 0);
}

static void binds_only_to_addresses_of_this_host(void **state)
{
    struct world *w = *state;
    struct hws_sock *sock = hws_sock_open(&w->sockets, AF_INET6, HWS_SOCK_ONE_TO_ONE);
    w->local_rc = -EADDRNOTAVAIL;
    assert_int_equal(hws_sock_bind(sock, &peer, 1, 5000), -EADDRNOTAVAIL);
    w->local_rc = 0;
    assert_int_equal(hws_sock_bind(sock, &peer, 1, 5000), 0);
    assert_int_equal(sock->local_count, 1);
}

static void ephemeral_ports_step_over_those_taken(void **state)
{
    struct world *w = *state;
    struct hws_sock *sock = hws_sock_open(&w->sockets, AF_INET6, HWS_SOCK_ONE_TO_ONE);
    w->add_port_failures = 3;
    assert_int_equal(hws_sock_bind(sock, NULL, 0, 0), 0);
    assert_in_range(hws_sock_port(sock), 49152, 65535);
    assert_int_equal(fake_engine.endpoints, 1);
}

static void a_port_lives_as_long_as_its_last_association(void **state)
{
    struct world *w = *state;
    struct hws_sock *listener = listening(w, 4);
    struct hws_sock *child;
    comes_up(w, listener);
    assert_int_equal(hws_sock_accept(listener, &child), 0);
    hws_sock_close(listener, NOW);
    assert_int_equal(w->ports, 1);
    hws_sock_close(child, NOW); /* lives on in the background until DOWN */
    assert_int_equal(w->ports, 1);
    event(w,
          (struct hws_event){.type = HWS_EVENT_DOWN, .assoc = child->assoc, .reason = HWS_E_EOF});
    assert_int_equal(w->ports, 0);
    assert_int_equal(w->last_removed, 5000);
}

static void running_out_of_memory_at_any_point_leaves_nothing(void **state)
{
    struct world *w = *state;
    for (uint64_t nth = 1; nth < 12; nth++) {
        w->mem.fail_in = nth;
        struct hws_sock *sock = hws_sock_open(&w->sockets, AF_INET6, HWS_SOCK_ONE_TO_ONE);
        if (sock == NULL)
            continue;
        int rc = hws_sock_connect(sock, &peer, 1, 7, false, NULL, NOW);
        assert_true(rc == -ENOMEM || rc == -EINPROGRESS);
        w->mem.fail_in = 0;
        hws_sock_close(sock, NOW);
        assert_int_equal(w->ports, 0);
    }
}

/* ---- Connecting ---- */

static void connect_answers_by_state(void **state)
{
    struct world *w = *state;
    struct hws_sock *sock = hws_sock_open(&w->sockets, AF_INET6, HWS_SOCK_ONE_TO_ONE);
    assert_int_equal(hws_sock_connect(sock, &peer, 1, 0, false, NULL, NOW), -EINVAL);
    assert_int_equal(hws_sock_connect(sock, NULL, 0, 7, false, NULL, NOW), -EINVAL);
    assert_int_equal(hws_sock_connect(sock, &peer, 1, 7, false, NULL, NOW), -EINPROGRESS);
    assert_int_equal(hws_sock_connect(sock, &peer, 1, 7, false, NULL, NOW), -EALREADY);
    assert_int_equal(hws_sock_connect_result(sock), -EINPROGRESS);
    event(w, (struct hws_event){.type = HWS_EVENT_UP, .assoc = sock->assoc});
    assert_int_equal(hws_sock_connect(sock, &peer, 1, 7, false, NULL, NOW), -EISCONN);
    assert_int_equal(hws_sock_listen(sock, 1), -EINVAL);
    struct hws_sock *listener = listening(w, 1);
    assert_int_equal(hws_sock_connect(listener, &peer, 1, 7, false, NULL, NOW), -EISCONN);
}

static void without_a_route_nothing_is_bound(void **state)
{
    struct world *w = *state;
    struct hws_sock *sock = hws_sock_open(&w->sockets, AF_INET6, HWS_SOCK_ONE_TO_ONE);
    w->route_rc = -ENETUNREACH;
    assert_int_equal(hws_sock_connect(sock, &peer, 1, 7, false, NULL, NOW), -ENETUNREACH);
    assert_int_equal(w->ports, 0);
    w->route_rc = 0;
    fake_engine.connect_rc = HWS_E_INUSE;
    assert_int_equal(hws_sock_connect(sock, &peer, 1, 7, false, NULL, NOW), -EADDRNOTAVAIL);
}

static void a_refused_connect_tells_why_once(void **state)
{
    struct world *w = *state;
    struct hws_sock *sock = hws_sock_open(&w->sockets, AF_INET6, HWS_SOCK_ONE_TO_ONE);
    hws_sock_connect(sock, &peer, 1, 7, false, NULL, NOW);
    event(w, (struct hws_event){
                 .type = HWS_EVENT_DOWN, .assoc = sock->assoc, .reason = HWS_E_REFUSED});
    assert_int_equal(hws_sock_ready(sock), HWS_SOCK_READABLE | HWS_SOCK_CLOSED | HWS_SOCK_ERROR);
    assert_int_equal(hws_sock_connect_result(sock), -ECONNREFUSED);
    assert_int_equal(hws_sock_connect_result(sock), -ENOTCONN);
}

/* ---- Listening ---- */

static void accept_gives_the_oldest_first(void **state)
{
    struct world *w = *state;
    struct hws_sock *listener = listening(w, 2);
    struct hws_sock *child;
    assert_int_equal(hws_sock_accept(listener, &child), -EAGAIN);
    hws_assoc_id first = comes_up(w, listener);
    hws_assoc_id second = comes_up(w, listener);
    assert_int_equal(hws_sock_ready(listener), HWS_SOCK_READABLE);
    assert_int_equal(hws_sock_accept(listener, &child), 0);
    assert_true(child->assoc == first);
    assert_int_equal(hws_sock_accept(listener, &child), 0);
    assert_true(child->assoc == second);
    assert_int_equal(hws_sock_ready(listener), 0);
    assert_int_equal(hws_sock_accept(child, &child), -EINVAL);
}

static void beyond_the_backlog_associations_are_aborted(void **state)
{
    struct world *w = *state;
    struct hws_sock *listener = listening(w, 1);
    comes_up(w, listener);
    comes_up(w, listener); /* as in the kernel one more may wait */
    assert_int_equal(fake_engine.aborts, 0);
    comes_up(w, listener);
    assert_int_equal(fake_engine.aborts, 1);
    assert_int_equal(fake_engine.releases, 1);
    hws_sock_close(listener, NOW);
    assert_int_equal(fake_engine.aborts, 1);
    assert_int_equal(fake_engine.shutdowns, 2); /* those that wait end gracefully */
    assert_int_equal(hws_sockets_orphans(&w->sockets), 2);
}

static void an_association_that_ends_in_the_queue_can_be_accepted(void **state)
{
    struct world *w = *state;
    struct hws_sock *listener = listening(w, 1);
    struct hws_sock *child;
    hws_assoc_id id = comes_up(w, listener);
    event(w, (struct hws_event){.type = HWS_EVENT_DOWN, .assoc = id, .reason = HWS_E_EOF});
    assert_int_equal(hws_sock_accept(listener, &child), 0);
    size_t len = 1;
    fake_engine.recv_rc = HWS_E_EOF;
    assert_int_equal(recv_some(child, &len), 0);
    assert_int_equal(len, 0);
}

/* ---- Data ---- */

static void data_needs_an_association(void **state)
{
    struct world *w = *state;
    struct hws_sock *sock = hws_sock_open(&w->sockets, AF_INET6, HWS_SOCK_ONE_TO_ONE);
    size_t len;
    assert_int_equal(send_x(sock), -EPIPE);
    assert_int_equal(recv_some(sock, &len), -EAGAIN);
    assert_int_equal(hws_sock_may_wait(sock), -ENOTCONN); /* nothing will come */
    assert_int_equal(hws_sock_shutdown(sock, NOW), -ENOTCONN);
    assert_int_equal(hws_sock_abort(sock, NULL, 0, NOW), -ENOTCONN);
}

static void readiness_follows_the_calls(void **state)
{
    struct world *w = *state;
    struct hws_sock *sock = connected(w);
    size_t len;
    assert_int_equal(hws_sock_ready(sock), HWS_SOCK_WRITABLE);
    fake_engine.send_rc = HWS_E_AGAIN;
    assert_int_equal(send_x(sock), -EAGAIN);
    assert_int_equal(hws_sock_ready(sock), 0);
    event(w, (struct hws_event){.type = HWS_EVENT_WRITABLE, .assoc = sock->assoc});
    assert_int_equal(hws_sock_ready(sock), HWS_SOCK_WRITABLE);
    fake_engine.message = "0123456789";
    event(w, (struct hws_event){.type = HWS_EVENT_READABLE, .assoc = sock->assoc});
    assert_int_equal(hws_sock_ready(sock), HWS_SOCK_READABLE | HWS_SOCK_WRITABLE);
    assert_int_equal(recv_some(sock, &len), 0);
    assert_int_equal(len, 8);
    assert_int_equal(recv_some(sock, &len), 0);
    assert_int_equal(len, 2);
    assert_int_equal(recv_some(sock, &len), -EAGAIN);
    assert_int_equal(hws_sock_ready(sock), HWS_SOCK_WRITABLE);
}

static void after_shutdown_nothing_can_be_sent(void **state)
{
    struct world *w = *state;
    struct hws_sock *sock = connected(w);
    assert_int_equal(hws_sock_shutdown(sock, NOW), 0);
    assert_int_equal(fake_engine.shutdowns, 1);
    fake_engine.send_rc = HWS_E_SHUTDOWN;
    assert_int_equal(send_x(sock), -ESHUTDOWN);
    assert_int_equal(hws_sock_ready(sock) & HWS_SOCK_WRITABLE, 0);
    struct hws_sock *other = connected(w);
    event(w, (struct hws_event){.type = HWS_EVENT_PEER_SHUTDOWN, .assoc = other->assoc});
    assert_int_equal(send_x(other), -ESHUTDOWN);
}

static void the_end_is_told_after_the_data(void **state)
{
    struct world *w = *state;
    struct hws_sock *sock = connected(w);
    size_t len;
    fake_engine.message = "abc";
    fake_engine.recv_rc = HWS_E_RESET;
    event(w,
          (struct hws_event){.type = HWS_EVENT_DOWN, .assoc = sock->assoc, .reason = HWS_E_RESET});
    assert_int_equal(recv_some(sock, &len), 0);
    assert_int_equal(len, 3);
    assert_int_equal(recv_some(sock, &len), -ECONNRESET);
    assert_int_equal(recv_some(sock, &len), 0); /* the error was taken, the end stays */
    assert_int_equal(len, 0);
    assert_int_equal(send_x(sock), -EPIPE);
}

/* ---- Closing ---- */

static void close_goes_on_in_the_background(void **state)
{
    struct world *w = *state;
    struct hws_sock *sock = connected(w);
    hws_assoc_id id = sock->assoc;
    hws_sock_close(sock, NOW);
    assert_int_equal(fake_engine.shutdowns, 1);
    assert_int_equal(fake_engine.releases, 0);
    fake_engine.message = "what the peer still sent";
    event(w, (struct hws_event){.type = HWS_EVENT_READABLE, .assoc = id});
    assert_null(fake_engine.message);
    event(w, (struct hws_event){.type = HWS_EVENT_DOWN, .assoc = id, .reason = HWS_E_EOF});
    assert_int_equal(fake_engine.releases, 1);
    assert_int_equal(fake_engine.aborts, 0);
}

static void close_with_unread_data_aborts(void **state)
{
    struct world *w = *state;
    struct hws_sock *sock = connected(w);
    fake_engine.message = "unread";
    hws_sock_close(sock, NOW);
    assert_int_equal(fake_engine.shutdowns, 0);
    assert_int_equal(fake_engine.aborts, 1);
    assert_int_equal(fake_engine.releases, 1);
}

/* ---- Callbacks ---- */

struct log {
    unsigned calls, last_ready;
    struct hws_sock *victim; /* closed by the callback */
};

static void note(struct hws_sock *sock, unsigned ready, void *arg)
{
    struct log *log = arg;
    (void)sock;
    log->calls++;
    log->last_ready = ready;
    if (log->victim != NULL)
        hws_sock_close(log->victim, NOW);
    log->victim = NULL;
}

static void callbacks_run_when_something_came_up(void **state)
{
    struct world *w = *state;
    struct hws_sock *sock = hws_sock_open(&w->sockets, AF_INET6, HWS_SOCK_ONE_TO_ONE);
    struct log log = {0};
    hws_sock_set_callback(sock, note, &log);
    assert_false(hws_sockets_dispatch(&w->sockets));
    hws_sock_connect(sock, &peer, 1, 7, false, NULL, NOW);
    event(w, (struct hws_event){.type = HWS_EVENT_UP, .assoc = sock->assoc});
    assert_true(hws_sockets_dispatch(&w->sockets));
    assert_int_equal(log.last_ready, HWS_SOCK_WRITABLE);
    assert_false(hws_sockets_dispatch(&w->sockets));
    hws_sock_set_callback(sock, note, &log); /* something holds already */
    assert_true(hws_sockets_dispatch(&w->sockets));
    assert_int_equal(log.calls, 2);
}

static void a_callback_may_close_any_socket(void **state)
{
    struct world *w = *state;
    struct hws_sock *a = connected(w), *b = connected(w);
    struct log log_a = {.victim = b}, log_b = {.victim = b};
    hws_sock_set_callback(a, note, &log_a);
    hws_sock_set_callback(b, note, &log_b);
    assert_true(hws_sockets_dispatch(&w->sockets));
    assert_int_equal(log_a.calls, 1);
    assert_int_equal(log_b.calls, 0);
    struct hws_sock *c = connected(w);
    struct log log_c = {.victim = c};
    hws_sock_set_callback(c, note, &log_c);
    assert_true(hws_sockets_dispatch(&w->sockets));
    assert_int_equal(log_c.calls, 1);
}

/* ---- Options ---- */

static void options_hold_until_the_association(void **state)
{
    struct world *w = *state;
    struct hws_sock *sock = hws_sock_open(&w->sockets, AF_INET6, HWS_SOCK_ONE_TO_ONE);
    const struct sctp_initmsg init = {.sinit_num_ostreams = 7};
    assert_int_equal(hws_sockopt_set(sock, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof(init), NOW),
                     0);
    assert_int_equal(hws_sock_bind(sock, NULL, 0, 5000), 0);
    assert_int_equal(fake_engine.last_params.ostreams, 7);
    int nodelay = 1;
    assert_int_equal(hws_sockopt_set(sock, IPPROTO_SCTP, SCTP_NODELAY, &nodelay, sizeof(int), NOW),
                     0);
    assert_true(fake_engine.last_params.nodelay);
    assert_int_equal(fake_engine.last_port, 5000);
    assert_int_equal(hws_sock_connect(sock, &peer, 1, 7, false, NULL, NOW), -EINPROGRESS);
    assert_int_equal(fake_engine.params_set, 0);
}

static void options_are_checked(void **state)
{
    struct world *w = *state;
    struct hws_sock *sock = hws_sock_open(&w->sockets, AF_INET6, HWS_SOCK_ONE_TO_ONE);
    int number = 0;
    socklen_t len = sizeof(number);
    assert_int_equal(hws_sockopt_set(sock, IPPROTO_SCTP, 9999, &number, len, NOW), -ENOPROTOOPT);
    assert_int_equal(hws_sockopt_set(sock, SOL_SOCKET, SO_RCVBUF, &number, 2, NOW), -EINVAL);
    assert_int_equal(hws_sockopt_set(sock, SOL_SOCKET, SO_ERROR, &number, len, NOW), -ENOPROTOOPT);
    const struct sctp_rtoinfo rto = {.srto_initial = 10, .srto_min = 40, .srto_max = 30};
    assert_int_equal(hws_sockopt_set(sock, IPPROTO_SCTP, SCTP_RTOINFO, &rto, sizeof(rto), NOW),
                     -EINVAL);
    struct sctp_status status;
    len = sizeof(status);
    assert_int_equal(hws_sockopt_get(sock, IPPROTO_SCTP, SCTP_STATUS, &status, &len), -EINVAL);
    struct hws_sock *up = connected(w);
    assert_int_equal(hws_sockopt_get(up, IPPROTO_SCTP, SCTP_STATUS, &status, &len), 0);
    assert_int_equal(status.sstat_state, SCTP_ESTABLISHED);
    assert_int_equal(status.sstat_outstrms, 7);
}

static void every_engine_error_has_an_errno(void **state)
{
    (void)state;
#define X(symbol, text)                                                                            \
    assert_in_range(hws_sock_errno(HWS_E_##symbol), HWS_E_##symbol != HWS_E_EOF, 200);
    HWS_ERRORS(X)
#undef X
    assert_int_equal(hws_sock_errno(HWS_OK), 0);
    assert_int_equal(hws_sock_errno(HWS_E_REFUSED), ECONNREFUSED);
    assert_int_equal(hws_sock_errno(HWS_E_EOF), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(binds_once),
        TEST(a_failed_bind_leaves_nothing),
        TEST(binds_only_to_addresses_of_this_host),
        TEST(ephemeral_ports_step_over_those_taken),
        TEST(a_port_lives_as_long_as_its_last_association),
        TEST(running_out_of_memory_at_any_point_leaves_nothing),
        TEST(connect_answers_by_state),
        TEST(without_a_route_nothing_is_bound),
        TEST(a_refused_connect_tells_why_once),
        TEST(accept_gives_the_oldest_first),
        TEST(beyond_the_backlog_associations_are_aborted),
        TEST(an_association_that_ends_in_the_queue_can_be_accepted),
        TEST(data_needs_an_association),
        TEST(readiness_follows_the_calls),
        TEST(after_shutdown_nothing_can_be_sent),
        TEST(the_end_is_told_after_the_data),
        TEST(close_goes_on_in_the_background),
        TEST(close_with_unread_data_aborts),
        TEST(callbacks_run_when_something_came_up),
        TEST(a_callback_may_close_any_socket),
        TEST(options_hold_until_the_association),
        TEST(options_are_checked),
        TEST(every_engine_error_has_an_errno),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
