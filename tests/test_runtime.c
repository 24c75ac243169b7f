/* Runtimes and the public calls: pairs of them in one process, over UDP on the loopback interface
 * and over the memory link, blocking and with callbacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>

#include "api/hawser/hawser.h"
#include "api/runtime/runtime.h"

#define PORT 5000
/* Not those of RFC 6951, so that a running program is not in the way. */
#define UDP_PORT 29899
#define ADDRESS_UDP "127.0.0.1"
#define ADDRESS_MEMORY_A "192.0.2.1"

/* Two runtimes on one loop: a listens, b connects. */
struct world {
    uv_loop_t loop;
    struct hws_runtime *a, *b;
    const char *address; /* of a */
    struct hws_sock *listener;
};

static struct hws_runtime *udp_runtime(uv_loop_t *loop, uint16_t port)
{
    struct hws_runtime_config config;
    char error[HWS_ERROR_MAX] = "";
    hws_runtime_config_init(&config);
    config.udp = true;
    config.udp_port = port;
    config.peer_udp_port = UDP_PORT;
    config.ipv6 = false;
    config.loop = loop;
    struct hws_runtime *runtime = hws_runtime_new(&config, error);
    if (runtime == NULL)
        fail_msg("%s", error);
    return runtime;
}

static struct sockaddr_in address(const char *text, uint16_t port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
    assert_int_equal(inet_pton(AF_INET, text, &sin.sin_addr), 1);
    return sin;
}

static struct hws_sock *listen_at(struct hws_runtime *runtime, uint16_t port)
{
    struct sockaddr_in any = address("0.0.0.0", port);
    struct hws_sock *sock = hws_one_socket(runtime);
    assert_int_equal(hws_one_bind(sock, (struct sockaddr *)&any, sizeof(any)), 0);
    assert_int_equal(hws_one_listen(sock, 5), 0);
    return sock;
}

static struct world *new_world(void)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    uv_loop_init(&w->loop);
    return w;
}

static int setup_udp(void **state)
{
    struct world *w = new_world();
    w->a = udp_runtime(&w->loop, UDP_PORT);
    w->b = udp_runtime(&w->loop, 0);
    w->address = ADDRESS_UDP;
    w->listener = listen_at(w->a, PORT);
    *state = w;
    return 0;
}

static int setup_memory(void **state)
{
    struct world *w = new_world();
    struct hws_link *a, *b;
    assert_int_equal(hws_link_memory_pair(9000, &a, &b), 0);
    assert_int_equal(hws_runtime_open(&w->loop, a, true, &w->a), 0);
    assert_int_equal(hws_runtime_open(&w->loop, b, true, &w->b), 0);
    w->address = ADDRESS_MEMORY_A;
    w->listener = listen_at(w->a, PORT);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    hws_runtime_free(w->b);
    hws_runtime_free(w->a);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    free(w);
    return 0;
}

static uint64_t counter(const struct hws_runtime *runtime, const char *name)
{
    struct hws_counter c;
    for (size_t i = 0; hws_runtime_counter(runtime, i, &c) == 0; i++) {
        if (strcmp(c.name, name) == 0)
            return c.value;
    }
    fail_msg("no counter %s", name);
    return 0;
}

static struct hws_sock *connect_to(struct world *w, uint16_t port)
{
    struct sockaddr_in peer = address(w->address, port);
    struct hws_sock *sock = hws_one_socket(w->b);
    if (hws_one_connect(sock, (struct sockaddr *)&peer, sizeof(peer)) < 0) {
        int error = errno;
        hws_one_close(sock);
        errno = error;
        return NULL;
    }
    return sock;
}

static struct hws_sock *connect_pair(struct world *w, struct hws_sock **accepted)
{
    struct hws_sock *sock = connect_to(w, PORT);
    assert_non_null(sock);
    *accepted = hws_one_accept(w->listener, NULL, NULL);
    assert_non_null(*accepted);
    return sock;
}

/* ---- Blocking calls ---- */

static void messages_cross_with_their_numbers(void **state)
{
    struct world *w = *state;
    struct hws_sock *there, *here = connect_pair(w, &there);
    char first[] = "hello, ", second[] = "world", one[4], rest[32];
    const struct iovec out[] = {{first, 7}, {second, 5}};
    const struct iovec in[] = {{one, sizeof(one)}, {rest, sizeof(rest)}};
    const struct sctp_sndinfo sndinfo = {
        .snd_sid = 3, .snd_ppid = htonl(77), .snd_flags = SCTP_UNORDERED};
    struct sctp_rcvinfo rcvinfo;
    int flags = 0;
    assert_int_equal(hws_one_sendv(here, out, 2, &sndinfo, 0), 12);
    assert_int_equal(hws_one_recvv(there, in, 2, &rcvinfo, &flags), 12);
    assert_memory_equal(one, "hell", 4);
    assert_memory_equal(rest, "o, world", 8);
    assert_int_equal(flags, MSG_EOR);
    assert_int_equal(rcvinfo.rcv_sid, 3);
    assert_int_equal(rcvinfo.rcv_ppid, htonl(77));
    assert_int_equal(rcvinfo.rcv_flags, SCTP_UNORDERED);
    hws_one_close(here);
    hws_one_close(there);
}

static void a_short_buffer_gets_a_message_in_parts(void **state)
{
    struct world *w = *state;
    struct hws_sock *there, *here = connect_pair(w, &there);
    char buf[4];
    const struct iovec in = {buf, sizeof(buf)};
    int flags = 0;
    assert_int_equal(hws_one_send(here, "abcdef", 6, 0), 6);
    assert_int_equal(hws_one_recvv(there, &in, 1, NULL, &flags), 4);
    assert_int_equal(flags, 0);
    assert_int_equal(hws_one_recvv(there, &in, 1, NULL, &flags), 2);
    assert_int_equal(flags, MSG_EOR);
    assert_memory_equal(buf, "ef", 2);
}

static void names_of_both_ends(void **state)
{
    struct world *w = *state;
    struct hws_sock *there, *here = connect_pair(w, &there);
    struct sockaddr_in sin = {0};
    socklen_t len = sizeof(sin);
    assert_int_equal(hws_one_getpeername(here, (struct sockaddr *)&sin, &len), 0);
    assert_int_equal(len, sizeof(sin));
    assert_int_equal(ntohs(sin.sin_port), PORT);
    assert_int_equal(sin.sin_addr.s_addr, address(w->address, 0).sin_addr.s_addr);
    assert_int_equal(hws_one_getsockname(here, (struct sockaddr *)&sin, &len), 0);
    uint16_t port = ntohs(sin.sin_port);
    assert_int_equal(hws_one_getpeername(there, (struct sockaddr *)&sin, &len), 0);
    assert_int_equal(ntohs(sin.sin_port), port);
}

static void a_probe_leaves_no_association(void **state)
{
    struct world *w = *state;
    const int on = 1;
    for (uint16_t port = PORT; port <= PORT + 1; port++) {
        struct sockaddr_in peer = address(w->address, port);
        struct hws_sock *sock = hws_one_socket(w->b);
        char buf[16];
        assert_int_equal(hws_one_setsockopt(sock, IPPROTO_SCTP, HWS_PROBE, &on, sizeof(on)), 0);
        int rc = hws_one_connect(sock, (struct sockaddr *)&peer, sizeof(peer));
        if (port == PORT) {
            assert_int_equal(rc, 0);
            assert_int_equal(hws_one_recv(sock, buf, sizeof(buf), 0), 0);
        } else {
            assert_int_equal(rc, -1);
            assert_int_equal(errno, ECONNREFUSED);
        }
        hws_one_close(sock);
    }
    assert_int_equal(counter(w->a, "assocs_passive"), 0);
    assert_int_equal(counter(w->b, "packets_out"), 2); /* the INITs */
}

/* ---- Paths ---- */

/* Two addresses on either side. */
static struct hws_sock *connect_to_two(struct world *w)
{
    struct sockaddr_in locals[] = {address("127.0.0.1", 0), address("127.0.0.2", 0)};
    struct sockaddr_in peers[] = {address("127.0.0.1", PORT), address("127.0.0.2", PORT)};
    struct hws_sock *sock = hws_one_socket(w->b);
    assert_int_equal(hws_one_bindx(sock, (struct sockaddr *)locals, 2, SCTP_BINDX_ADD_ADDR), 0);
    assert_int_equal(hws_one_connectx(sock, (struct sockaddr *)peers, 2), 0);
    return sock;
}

static void addresses_of_both_ends(void **state)
{
    struct world *w = *state;
    struct hws_sock *sock = connect_to_two(w);
    struct sockaddr *addrs;
    assert_int_equal(hws_one_getpaddrs(sock, 0, &addrs), 2);
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)addrs;
    assert_int_equal(in[0].sin_addr.s_addr, address("127.0.0.1", 0).sin_addr.s_addr);
    assert_int_equal(in[1].sin_addr.s_addr, address("127.0.0.2", 0).sin_addr.s_addr);
    assert_int_equal(ntohs(in[1].sin_port), PORT);
    hws_one_freepaddrs(addrs);
    assert_int_equal(hws_one_getladdrs(sock, 0, &addrs), 2);
    hws_one_freeladdrs(addrs);
    assert_int_equal(hws_one_getladdrs(w->listener, 0, &addrs), 1);
    in = (const struct sockaddr_in *)(const void *)addrs;
    assert_int_equal(in->sin_addr.s_addr, INADDR_ANY);
    assert_int_equal(ntohs(in->sin_port), PORT);
    hws_one_freeladdrs(addrs);
    struct hws_sock *unbound = hws_one_socket(w->b);
    assert_int_equal(hws_one_getladdrs(unbound, 0, &addrs), 0);
    assert_null(addrs);
    assert_int_equal(hws_one_getpaddrs(unbound, 0, &addrs), 0);
    assert_null(addrs);
}

static void a_heartbeat_measures_its_path(void **state)
{
    struct world *w = *state;
    struct hws_sock *there, *here = connect_pair(w, &there);
    struct hws_one_path_info info;
    struct sctp_paddrparams params = {.spp_flags = SPP_HB_DEMAND};
    assert_int_equal(hws_one_path_info(w->listener, 0, &info), -1);
    assert_int_equal(errno, ENOTCONN);
    assert_int_equal(hws_one_path_info(here, 1, &info), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(hws_one_path_info(here, 0, &info), 0);
    assert_int_equal(info.state, SCTP_ACTIVE);
    assert_true(info.primary && info.cwnd_bytes > 0 && info.mtu_bytes > 0);
    uint64_t before = info.heartbeats_acked;
    params.spp_address = info.remote;
    assert_int_equal(
        hws_one_setsockopt(here, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &params, sizeof(params)), 0);
    do {
        assert_int_equal(hws_runtime_poll(w->b, 10), 0);
        assert_int_equal(hws_one_path_info(here, 0, &info), 0);
    } while (info.heartbeats_acked == before);
    assert_true(info.heartbeat_rtt_us > 0);
}

/* The second address of the peer is known from its INIT alone: a HEARTBEAT confirms it. */
static void paths_tell_what_happens_to_them(void **state)
{
    struct world *w = *state;
    const struct sctp_event wanted = {.se_type = SCTP_PEER_ADDR_CHANGE, .se_on = 1};
    struct sctp_paddr_change change;
    struct hws_one_path_info info;
    assert_int_equal(
        hws_one_setsockopt(w->listener, IPPROTO_SCTP, SCTP_EVENT, &wanted, sizeof(wanted)), 0);
    connect_to_two(w);
    struct hws_sock *there = hws_one_accept(w->listener, NULL, NULL);
    while (hws_one_path_event(there, &change) < 0) {
        assert_int_equal(errno, EAGAIN);
        hws_runtime_poll(w->a, 10);
    }
    struct sockaddr_storage remote = change.spc_aaddr;
    assert_int_equal(change.spc_type, SCTP_PEER_ADDR_CHANGE);
    assert_int_equal(change.spc_length, sizeof(change));
    assert_int_equal(change.spc_state, SCTP_ADDR_CONFIRMED);
    assert_int_equal(hws_one_path_info(there, 1, &info), 0);
    assert_memory_equal(&info.remote, &remote, sizeof(struct sockaddr_in));
    assert_int_equal(info.state, SCTP_ACTIVE);
}

static void a_graceful_end_reads_as_zero(void **state)
{
    struct world *w = *state;
    struct hws_sock *there, *here = connect_pair(w, &there);
    char buf[16];
    assert_int_equal(hws_one_send(here, "last", 4, 0), 4);
    assert_int_equal(hws_one_shutdown(here, SHUT_WR), 0);
    assert_int_equal(hws_one_send(here, "more", 4, 0), -1);
    assert_int_equal(errno, EPIPE);
    assert_int_equal(hws_one_recv(there, buf, sizeof(buf), 0), 4);
    assert_int_equal(hws_one_recv(there, buf, sizeof(buf), 0), 0);
    assert_int_equal(hws_one_recv(here, buf, sizeof(buf), 0), 0);
}

static void an_abort_reads_as_reset(void **state)
{
    struct world *w = *state;
    struct hws_sock *there, *here = connect_pair(w, &there);
    char buf[16];
    assert_int_equal(hws_one_abort(here, "because", 7), 0);
    assert_int_equal(hws_one_recv(there, buf, sizeof(buf), 0), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_int_equal(hws_one_recv(here, buf, sizeof(buf), 0), -1);
    assert_int_equal(errno, ECONNABORTED);
}

static void closing_a_runtime_tells_the_peers(void **state)
{
    struct world *w = *state;
    struct hws_sock *there, *here = connect_pair(w, &there);
    char buf[16];
    (void)here;
    hws_runtime_free(w->b);
    w->b = NULL;
    assert_int_equal(hws_one_recv(there, buf, sizeof(buf), 0), -1);
    assert_int_equal(errno, ECONNRESET);
}

static void a_closed_socket_ends_in_the_background(void **state)
{
    struct world *w = *state;
    struct hws_sock *there, *here = connect_pair(w, &there);
    char buf[16];
    assert_int_equal(hws_one_send(here, "bye", 3, 0), 3);
    hws_one_close(here);
    assert_int_equal(hws_one_recv(there, buf, sizeof(buf), 0), 3);
    assert_int_equal(hws_one_recv(there, buf, sizeof(buf), 0), 0);
    assert_int_equal(counter(w->a, "assocs_aborted"), 0);
}

static void nonblocking_calls_do_not_wait(void **state)
{
    struct world *w = *state;
    struct hws_sock *there, *here = connect_pair(w, &there);
    char buf[16];
    assert_int_equal(hws_one_recv(there, buf, sizeof(buf), MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    hws_one_set_nonblocking(there, true);
    assert_int_equal(hws_one_recv(there, buf, sizeof(buf), 0), -1);
    assert_int_equal(errno, EAGAIN);
    hws_one_set_nonblocking(w->listener, true);
    assert_null(hws_one_accept(w->listener, NULL, NULL));
    assert_int_equal(errno, EAGAIN);
    hws_one_close(here);
}

static void a_full_send_buffer_makes_send_wait(void **state)
{
    struct world *w = *state;
    struct hws_sock *there, *here = connect_pair(w, &there);
    size_t size = 1 << 20, sent = 0, received = 0;
    char *buf = calloc(1, size);
    assert_non_null(buf);
    while (hws_one_send(here, buf, size, MSG_DONTWAIT) > 0)
        sent += size;
    assert_int_equal(errno, EAGAIN);
    assert_true(sent > 0);
    while (received < sent) {
        ssize_t len = hws_one_recv(there, buf, size, 0);
        assert_true(len > 0);
        received += (size_t)len;
    }
    assert_int_equal(hws_one_send(here, buf, size, 0), size);
    free(buf);
}

static void nobody_listens(void **state)
{
    struct world *w = *state;
    assert_null(connect_to(w, PORT + 1));
    assert_true(errno == ECONNREFUSED);
}

/* ---- Callbacks ---- */

struct echo {
    struct world *w;
    size_t want, got, sent;
    struct hws_sock *server;
    bool over;
};

static void serve(struct hws_sock *sock, unsigned ready, void *arg)
{
    char buf[2048];
    ssize_t len;
    (void)arg;
    (void)ready;
    while ((len = hws_one_recv(sock, buf, sizeof(buf), 0)) > 0)
        assert_int_equal(hws_one_send(sock, buf, (size_t)len, 0), len);
    if (len == 0)
        hws_one_close(sock);
}

static void accept_all(struct hws_sock *listener, unsigned ready, void *arg)
{
    struct hws_sock *sock;
    (void)arg;
    assert_int_equal(ready, HWS_READABLE);
    while ((sock = hws_one_accept(listener, NULL, NULL)) != NULL) {
        hws_one_set_nonblocking(sock, true);
        hws_one_set_callback(sock, serve, NULL);
    }
}

static void drive_client(struct hws_sock *sock, unsigned ready, void *arg)
{
    struct echo *echo = arg;
    char buf[2048] = {0};
    ssize_t len;
    (void)ready;
    while (echo->sent < echo->want && hws_one_send(sock, buf, 1000, 0) == 1000)
        echo->sent += 1000;
    while ((len = hws_one_recv(sock, buf, sizeof(buf), 0)) > 0)
        echo->got += (size_t)len;
    if (echo->got == echo->want)
        hws_one_shutdown(sock, SHUT_WR);
    if (len == 0)
        echo->over = true;
}

static void everything_by_callbacks(void **state)
{
    struct world *w = *state;
    struct echo echo = {.want = 1000 * 1000};
    struct sockaddr_in peer = address(w->address, PORT);
    struct hws_sock *sock = hws_one_socket(w->b);
    hws_one_set_nonblocking(w->listener, true);
    hws_one_set_callback(w->listener, accept_all, NULL);
    hws_one_set_nonblocking(sock, true);
    hws_one_set_callback(sock, drive_client, &echo);
    assert_int_equal(hws_one_connect(sock, (struct sockaddr *)&peer, sizeof(peer)), -1);
    assert_int_equal(errno, EINPROGRESS);
    while (!echo.over)
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(echo.got, echo.want);
    /* What one callback sends leaves together: far fewer packets than messages. */
    assert_true(counter(w->b, "tx_packets") < 1000);
    hws_one_close(sock);
}

static void block_inside(struct hws_sock *sock, unsigned ready, void *arg)
{
    char buf[16];
    (void)ready;
    assert_int_equal(hws_one_recv(sock, buf, sizeof(buf), 0), -1);
    assert_int_equal(errno, EDEADLK);
    *(bool *)arg = true;
}

static void a_callback_cannot_block(void **state)
{
    struct world *w = *state;
    struct hws_sock *there, *here = connect_pair(w, &there);
    bool called = false;
    hws_one_set_callback(here, block_inside, &called); /* writable already */
    while (!called)
        assert_int_equal(hws_runtime_poll(w->b, 1000), 0);
    hws_one_set_callback(here, NULL, NULL);
}

/* ---- Runtimes ---- */

static void an_idle_runtime_sleeps(void **state)
{
    struct world *w = *state;
    struct hws_sock *there, *here = connect_pair(w, &there);
    (void)here;
    for (int i = 0; i < 5; i++) /* what the handshake left to do */
        hws_runtime_poll(w->a, 50);
    clock_t before = clock();
    for (int i = 0; i < 5; i++)
        hws_runtime_poll(w->a, 100);
    assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 0.05);
}

static void runtimes_with_their_own_loops(void **state)
{
    (void)state;
    struct hws_runtime *runtime = udp_runtime(NULL, 0);
    struct hws_sock *sock = hws_one_socket(runtime);
    struct sockaddr_in peer = address(ADDRESS_UDP, PORT);
    hws_one_set_nonblocking(sock, true);
    assert_int_equal(hws_one_connect(sock, (struct sockaddr *)&peer, sizeof(peer)), -1);
    assert_int_equal(errno, EINPROGRESS);
    assert_int_equal(counter(runtime, "packets_out"), 1); /* sent before the call returned */
    assert_int_equal(hws_runtime_poll(runtime, 0), 0);
    assert_int_equal(hws_runtime_poll(runtime, 10), 0);
    hws_runtime_free(runtime);
    hws_runtime_free(NULL);
}

static void bad_configurations_say_what_is_wrong(void **state)
{
    struct hws_runtime_config config;
    char error[HWS_ERROR_MAX] = "";
    (void)state;
    hws_runtime_config_init(&config);
    config.ipv4 = config.ipv6 = false;
    assert_null(hws_runtime_new(&config, error));
    assert_int_equal(errno, EINVAL);
    assert_true(strlen(error) > 10);
    hws_runtime_config_init(&config);
    config.udp = true;
    config.udp_port = UDP_PORT;
    struct hws_runtime *first = hws_runtime_new(&config, error);
    assert_non_null(first);
    assert_null(hws_runtime_new(&config, error));
    assert_int_equal(errno, EADDRINUSE);
    hws_runtime_free(first);
}

#define UDP(f)                                                                                     \
    {                                                                                              \
#f " over UDP", f, setup_udp, teardown, NULL                                               \
    }
#define MEMORY(f)                                                                                  \
    {                                                                                              \
#f " over memory", f, setup_memory, teardown, NULL                                         \
    }
#define BOTH(f) UDP(f), MEMORY(f)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(messages_cross_with_their_numbers),
        BOTH(a_short_buffer_gets_a_message_in_parts),
        BOTH(names_of_both_ends),
        MEMORY(a_probe_leaves_no_association),
        UDP(addresses_of_both_ends),
        BOTH(a_heartbeat_measures_its_path),
        UDP(paths_tell_what_happens_to_them),
        BOTH(a_graceful_end_reads_as_zero),
        BOTH(an_abort_reads_as_reset),
        UDP(closing_a_runtime_tells_the_peers),
        BOTH(a_closed_socket_ends_in_the_background),
        BOTH(nonblocking_calls_do_not_wait),
        BOTH(a_full_send_buffer_makes_send_wait),
        MEMORY(nobody_listens),
        BOTH(everything_by_callbacks),
        BOTH(a_callback_cannot_block),
        BOTH(an_idle_runtime_sleeps),
        cmocka_unit_test(runtimes_with_their_own_loops),
        cmocka_unit_test(bad_configurations_say_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
