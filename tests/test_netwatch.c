/* A runtime follows its network: interfaces change in a network namespace of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include "api/hawser/uv.h"
#include "api/link/netwatch_linux.h"
#include "netns.h"

#define PORT 5000
#define UDP_PORT 29899

static bool have_namespace;

static void a_change_can_be_read_until_all_is_told(void **state)
{
    (void)state;
    if (!have_namespace)
        skip();
    int fd = hws_netwatch_open();
    assert_true(fd >= 0);
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&watched, 1, 0), 0);
    netns_set_lo_mtu(9000);
    assert_int_equal(poll(&watched, 1, -1), 1);
    while (poll(&watched, 1, 100) == 1) /* the kernel may go on for a while */
        hws_netwatch_drain(fd);
    close(fd);
}

static struct hws_runtime *runtime_at(uv_loop_t *loop, uint16_t udp_port)
{
    struct hws_runtime_config config;
    char error[HWS_ERROR_MAX] = "";
    hws_runtime_config_init(&config);
    config.udp = true;
    config.udp_port = udp_port;
    config.peer_udp_port = UDP_PORT;
    config.ipv6 = false;
    config.loop = loop;
    struct hws_runtime *runtime = hws_runtime_new(&config, error);
    if (runtime == NULL)
        fail_msg("%s", error);
    return runtime;
}

static uint32_t mtu_of(const hws_uv_t *sock)
{
    hws_uv_path_t path;
    assert_int_equal(hws_uv_get_path(sock, 0, 0, &path), 0);
    return path.mtu_bytes;
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer; /* the loop has gone round */
}

/* Waits until it is so; what never becomes so ends with the test's timeout. */
static void wait_for_mtu(const hws_uv_t *sock, uint32_t mtu)
{
    uv_timer_t timer;
    uv_timer_init(sock->loop, &timer);
    uv_timer_start(&timer, on_timer, 0, 20);
    while (mtu_of(sock) != mtu)
        uv_run(sock->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(sock->loop, UV_RUN_NOWAIT);
}

/* The peer never runs, and there is no discovery: only the interface can tell. */
static void a_path_follows_the_mtu_of_its_interface(void **state)
{
    const struct sctp_paddrparams quiet = {.spp_flags = SPP_HB_DISABLE | SPP_PMTUD_DISABLE};
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    uv_loop_t loop, peer_loop;
    hws_uv_t sock;
    hws_uv_connect_t connect;
    (void)state;
    if (!have_namespace)
        skip();
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &peer.sin_addr), 1);
    netns_set_lo_mtu(9000);
    uv_loop_init(&loop);
    uv_loop_init(&peer_loop);
    struct hws_runtime *peer_runtime = runtime_at(&peer_loop, UDP_PORT);
    struct hws_runtime *runtime = runtime_at(&loop, 0);
    assert_int_equal(hws_uv_init(runtime, &sock), 0);
    hws_uv_setsockopt(&sock, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &quiet, sizeof(quiet));
    assert_int_equal(hws_uv_connect(&connect, &sock, (struct sockaddr *)&peer, NULL), 0);
    wait_for_mtu(&sock, 9000);
    netns_set_lo_mtu(1400);
    wait_for_mtu(&sock, 1400);
    netns_set_lo_mtu(4000);
    wait_for_mtu(&sock, 4000);
    hws_uv_close(&sock, NULL);
    hws_runtime_free(runtime);
    hws_runtime_free(peer_runtime);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_run(&peer_loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(uv_loop_close(&peer_loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_can_be_read_until_all_is_told),
        cmocka_unit_test(a_path_follows_the_mtu_of_its_interface),
    };
    have_namespace = netns_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
