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

#include "api/hawser/hawser.h"
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

static struct hws_runtime *runtime_at(uint16_t udp_port)
{
    struct hws_runtime_config config;
    char error[HWS_ERROR_MAX] = "";
    hws_runtime_config_init(&config);
    config.udp = true;
    config.udp_port = udp_port;
    config.peer_udp_port = UDP_PORT;
    config.ipv6 = false;
    struct hws_runtime *runtime = hws_runtime_new(&config, error);
    if (runtime == NULL)
        fail_msg("%s", error);
    return runtime;
}

static uint32_t mtu_of(const struct hws_sock *sock)
{
    struct hws_one_path_info info;
    assert_int_equal(hws_one_path_info(sock, 0, &info), 0);
    return info.mtu_bytes;
}

/* Waits until it is so; what never becomes so ends with the test's timeout. */
static void wait_for_mtu(struct hws_runtime *runtime, const struct hws_sock *sock, uint32_t mtu)
{
    while (mtu_of(sock) != mtu)
        hws_runtime_poll(runtime, 100);
}

/* The peer never runs, and there is no discovery: only the interface can tell. */
static void a_path_follows_the_mtu_of_its_interface(void **state)
{
    const struct sctp_paddrparams quiet = {.spp_flags = SPP_HB_DISABLE | SPP_PMTUD_DISABLE};
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    (void)state;
    if (!have_namespace)
        skip();
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &peer.sin_addr), 1);
    netns_set_lo_mtu(9000);
    struct hws_runtime *peer_runtime = runtime_at(UDP_PORT), *runtime = runtime_at(0);
    struct hws_sock *sock = hws_one_socket(runtime);
    hws_one_setsockopt(sock, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &quiet, sizeof(quiet));
    hws_one_set_nonblocking(sock, true);
    assert_int_equal(hws_one_connect(sock, (struct sockaddr *)&peer, sizeof(peer)), -1);
    wait_for_mtu(runtime, sock, 9000);
    netns_set_lo_mtu(1400);
    wait_for_mtu(runtime, sock, 1400);
    netns_set_lo_mtu(4000);
    wait_for_mtu(runtime, sock, 4000);
    hws_runtime_free(runtime);
    hws_runtime_free(peer_runtime);
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
