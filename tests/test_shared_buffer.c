/* Many associations into one raw socket whose reader is slow: with the engine told how large the
 * socket's receive buffer is, their windows fit into it and the kernel drops next to nothing;
 * without that it drops many packets. Counted, by the kernel; one thread drives both ends in turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "api/runtime/driver.h"
#include "api/runtime/env.h"
#include "tests/netns.h"

#define PORT 5000u
#define ASSOCS 20u
#define MESSAGE_BYTES 8192u
#define RCVBUF_BYTES (256 << 10)
/* The sink reads a few packets each time the source has had so many turns. */
#define SOURCE_TURNS 40u
#define ROUNDS 300u
#define LO_MTU 1500

static bool have_namespace;

struct end {
    struct hws_env env;
    struct hws_driver driver;
    hws_assoc_id assocs[ASSOCS];
    uint32_t up;
    uint64_t received;
};

static void on_event(void *arg, const struct hws_event *event, uint64_t now_us)
{
    struct end *end = arg;
    (void)now_us;
    if (event->type == HWS_EVENT_UP && end->up < ASSOCS)
        end->assocs[end->up++] = event->assoc;
}

static bool on_dispatch(void *arg)
{
    (void)arg;
    return false;
}

static void open_end(struct end *end)
{
    struct hws_link_raw_config config = {.protocol = 132, .ipv4 = true};
    char error[HWS_LINK_ERROR_MAX];
    struct hws_link *link;
    if (hws_link_raw_open(&config, &link, error) != 0)
        fail_msg("%s", error);
    *end = (struct end){.driver = {.link = link}};
    assert_int_equal(hws_env_init(&end->env), 0);
    const struct hws_engine_config engine = {.env = end->env};
    end->driver.engine = hws_engine_new(&engine);
    assert_non_null(end->driver.engine);
    end->driver.host =
        (struct hws_driver_host){.arg = end, .event = on_event, .dispatch = on_dispatch};
}

static void close_end(struct end *end)
{
    hws_engine_free(end->driver.engine);
    end->driver.link->ops->close(end->driver.link);
    hws_env_fini(&end->env);
}

static uint64_t buffer_bytes(struct end *sink)
{
    int fds[HWS_LINK_MAX_FDS], bytes = RCVBUF_BYTES;
    struct hws_link *link = sink->driver.link;
    assert_int_equal(link->ops->fds(link, fds), 1);
    assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), 0);
    return link->ops->stats(link)->rx_buffer_bytes;
}

static void turn(struct end *end)
{
    uint64_t now_us = hws_env_now_us();
    hws_driver_input(&end->driver, now_us);
    hws_driver_run(&end->driver, now_us);
}

static void read_all(struct end *sink)
{
    static uint8_t buf[MESSAGE_BYTES];
    struct hws_rcvinfo info;
    size_t len;
    for (uint32_t i = 0; i < sink->up; i++)
        while (hws_assoc_recv(sink->driver.engine, sink->assocs[i], buf, sizeof(buf), &len, &info,
                              hws_env_now_us()) == HWS_OK)
            sink->received += len;
}

static void send_all(struct end *source)
{
    static uint8_t data[MESSAGE_BYTES];
    const struct hws_sndinfo info = {0};
    const struct hws_iovec iov = {data, sizeof(data)};
    for (uint32_t i = 0; i < ASSOCS; i++)
        while (hws_assoc_send(source->driver.engine, source->assocs[i], &info, &iov, 1,
                              hws_env_now_us()) == HWS_OK)
            continue;
}

static void connect_all(struct end *source, struct end *sink)
{
    struct hws_addr lo = {.family = HWS_FAMILY_IPV4, .ip = {127, 0, 0, 1}};
    struct hws_endpoint_config config = {.port = PORT, .listening = true};
    hws_endpoint_id endpoint;
    hws_assoc_id assoc;
    assert_int_equal(sink->driver.link->ops->add_port(sink->driver.link, PORT), 0);
    assert_int_equal(hws_endpoint_new(sink->driver.engine, &config, &endpoint), HWS_OK);
    for (uint16_t i = 1; i <= ASSOCS; i++) {
        config = (struct hws_endpoint_config){.port = (uint16_t)(PORT + i)};
        assert_int_equal(source->driver.link->ops->add_port(source->driver.link, config.port), 0);
        assert_int_equal(hws_endpoint_new(source->driver.engine, &config, &endpoint), HWS_OK);
        assert_int_equal(hws_assoc_connect(source->driver.engine, endpoint, &lo, 1, PORT,
                                           hws_env_now_us(), &assoc),
                         HWS_OK);
    }
    for (uint32_t i = 0; i < ROUNDS && (source->up < ASSOCS || sink->up < ASSOCS); i++) {
        turn(source);
        turn(sink);
    }
    assert_int_equal(source->up, ASSOCS);
    assert_int_equal(sink->up, ASSOCS);
}

/* What the kernel drops while all send as much as they may. */
static uint64_t drops_of(bool told)
{
    struct end source, sink;
    open_end(&source);
    open_end(&sink);
    uint64_t bytes = buffer_bytes(&sink);
    assert_true(bytes > 0);
    if (told)
        hws_engine_set_receive_budget(sink.driver.engine, bytes);
    connect_all(&source, &sink);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < SOURCE_TURNS; i++) {
            send_all(&source);
            turn(&source);
        }
        turn(&sink);
        read_all(&sink);
    }
    uint64_t drops = sink.driver.link->ops->stats(sink.driver.link)->rx_socket_drops;
    printf("%s: %llu packets dropped, %llu bytes received\n", told ? "told" : "not told",
           (unsigned long long)drops, (unsigned long long)sink.received);
    assert_true(sink.received > 0);
    close_end(&source);
    close_end(&sink);
    return drops;
}

static void windows_fit_into_the_socket(void **state)
{
    (void)state;
    if (!have_namespace)
        skip();
    uint64_t without = drops_of(false), with = drops_of(true);
    assert_true(without > 200);
    assert_true(with * 50 < without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(windows_fit_into_the_socket)};
    have_namespace = netns_enter();
    if (have_namespace)
        netns_set_lo_mtu(LO_MTU);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
