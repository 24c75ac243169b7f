/* Loops over a link that is blocked: its IPv4 or its IPv6 socket takes no more, since the packets
 * wait for a neighbour whom nobody knows. Looks at the loop, not at a clock: whoever sleeps goes
 * round seldom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <uv.h>

#include "api/runtime/loop.h"
#include "api/runtime/runtime.h"
#include "tests/link_tool.h"
#include "tests/netns.h"

#define SKIPPED 77
#define TURNS_MAX 50u /* in a watch of WATCH_MS; a loop that spins makes thousands */
#define WATCH_MS 200
#define TRAINS 12u /* more than the socket takes, fewer than the link has buffers */
#define PACKET_BYTES 1000u

struct world {
    uv_loop_t uv;
    bool on_uv;
    struct hws_runtime *runtime;
};

static const char *const peers[] = {"10.99.0.2", "fd99::2"};

/* ---- Setting up ---- */

static void run(const char *command)
{
    if (system(command) != 0)
        fail_msg("%s", command);
}

/* One host at a veth whose other end nobody has; the kernel goes on asking for the neighbours. */
static bool make_network(void)
{
    return system("ip link add va type veth peer name vb && ip link set va up && "
                  "ip link set vb up && ip addr add 10.99.0.1/24 dev va && "
                  "ip addr add fd99::1/64 dev va nodad && "
                  "ip ntable change name arp_cache dev va mcast_probes 1000 && "
                  "ip ntable change name ndisc_cache dev va mcast_probes 1000") == 0;
}

static void open_runtime(struct world *w, enum hws_drive drive)
{
    struct hws_runtime_config config;
    char error[HWS_ERROR_MAX] = "";
    int fds[HWS_LINK_MAX_FDS], small = 1;
    hws_runtime_config_init(&config);
    config.udp = true; /* raw sockets answer ENOBUFS instead of blocking */
    config.loop = w->on_uv ? &w->uv : NULL;
    config.drive = drive;
    w->runtime = hws_runtime_new(&config, error);
    if (w->runtime == NULL)
        fail_msg("%s", error);
    struct hws_link *link = w->runtime->driver.link;
    for (size_t i = 0; i < link->ops->fds(link, fds); i++)
        assert_int_equal(setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
}

static int setup(void **state, bool on_uv, enum hws_drive drive)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->on_uv = on_uv;
    run("ip neigh flush dev va nud all");
    uv_loop_init(&w->uv);
    open_runtime(w, drive);
    *state = w;
    return 0;
}

static int setup_caller(void **state)
{
    return setup(state, false, HWS_DRIVE_CALLER);
}

static int setup_uv(void **state)
{
    return setup(state, true, HWS_DRIVE_CALLER);
}

static int setup_thread(void **state)
{
    return setup(state, false, HWS_DRIVE_THREAD);
}

static int teardown(void **state)
{
    struct world *w = *state;
    hws_runtime_free(w->runtime);
    uv_run(&w->uv, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->uv), 0);
    free(w);
    return 0;
}

/* ---- Loops ---- */

static void count_turn(uv_prepare_t *prepare)
{
    ++*(unsigned *)prepare->data;
}

static void time_is_over(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static unsigned turns_of_uv(struct world *w)
{
    uv_prepare_t prepare;
    uv_timer_t timer;
    unsigned turns = 0;
    bool over = false;
    uv_prepare_init(&w->uv, &prepare);
    uv_timer_init(&w->uv, &timer);
    prepare.data = &turns;
    timer.data = &over;
    uv_prepare_start(&prepare, count_turn);
    uv_timer_start(&timer, time_is_over, WATCH_MS, 0);
    while (!over)
        uv_run(&w->uv, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&prepare, NULL);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&w->uv, UV_RUN_NOWAIT);
    return turns;
}

static unsigned turns_of_caller(struct world *w)
{
    struct pollfd entry = {.fd = hws_runtime_fd(w->runtime), .events = POLLIN};
    uint64_t end_us = uv_hrtime() / 1000u + WATCH_MS * 1000u, now_us;
    unsigned turns = 0;
    while ((now_us = uv_hrtime() / 1000u) < end_us) {
        int left_ms = (int)((end_us - now_us) / 1000u) + 1;
        int timeout_ms = hws_runtime_timeout_ms(w->runtime);
        poll(&entry, 1, timeout_ms >= 0 && timeout_ms < left_ms ? timeout_ms : left_ms);
        assert_int_equal(hws_runtime_run(w->runtime), 0);
        turns++;
    }
    return turns;
}

static unsigned turns(struct world *w)
{
    return w->on_uv ? turns_of_uv(w) : turns_of_caller(w);
}

/* ---- The link ---- */

static void submit(struct world *w, const char *peer)
{
    const struct link_send send = {.dst = peer,
                                   .udp_port = 9899,
                                   .src_port = 1000,
                                   .dst_port = 2000,
                                   .count = 1,
                                   .len = PACKET_BYTES};
    for (unsigned i = 0; i < TRAINS; i++)
        link_submit(w->runtime->driver.link, &send);
}

static void submit_and_run(struct world *w, const char *peer)
{
    submit(w, peer);
    if (w->on_uv)
        hws_loop_kick(w->runtime->loop);
    else
        assert_int_equal(hws_runtime_run(w->runtime), 0);
}

static uint64_t sent(const struct world *w)
{
    struct hws_link *link = w->runtime->driver.link;
    return link->ops->stats(link)->tx_packets;
}

static void resolve(const char *peer)
{
    char command[128];
    snprintf(command, sizeof(command),
             "ip neigh replace %s lladdr 02:00:00:00:00:02 nud permanent dev va", peer);
    run(command);
}

/* ---- Stories ---- */

/* The socket of the other family is idle, and so it is writable all the time. */
static void a_blocked_family_is_waited_for_asleep(void **state)
{
    struct world *w = *state;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t before = sent(w);
        submit_and_run(w, peers[i]);
        turns(w); /* what the beginning left to do */
        assert_in_range(turns(w), 1, TURNS_MAX);
        assert_in_range(sent(w) - before, 1, TRAINS - 1);
        resolve(peers[i]);
        turns(w);
        assert_int_equal(sent(w) - before, TRAINS);
        assert_in_range(turns(w), 1, TURNS_MAX);
    }
}

/* From one turn to the next it is the other family's socket that takes no more. */
static void the_family_that_blocks_changes(void **state)
{
    struct world *w = *state;
    for (unsigned i = 0; i < 2; i++)
        submit_and_run(w, peers[i]);
    turns(w);
    assert_in_range(sent(w), 1, TRAINS - 1);
    resolve(peers[0]);
    turns(w);
    assert_in_range(sent(w), TRAINS + 1, 2 * TRAINS - 1);
    assert_in_range(turns(w), 1, TURNS_MAX);
    resolve(peers[1]);
    turns(w);
    assert_int_equal(sent(w), 2 * TRAINS);
}

static uint64_t sent_under_lock(struct world *w)
{
    hws_driving_lock(&w->runtime->driving);
    uint64_t count = sent(w);
    hws_driving_unlock(&w->runtime->driving);
    return count;
}

/* The thread sleeps while a call finds the link blocked. */
static void what_a_call_left_is_sent_by_the_thread(void **state)
{
    struct world *w = *state;
    hws_driving_lock(&w->runtime->driving);
    assert_int_equal(hws_runtime_start(w->runtime), 0);
    hws_runtime_leave(w->runtime);
    poll(NULL, 0, WATCH_MS);
    hws_driving_lock(&w->runtime->driving);
    submit(w, peers[0]);
    hws_runtime_work(w->runtime, false, false);
    assert_in_range(sent(w), 1, TRAINS - 1);
    hws_runtime_leave(w->runtime);
    resolve(peers[0]);
    for (unsigned i = 0; i < 100 && sent_under_lock(w) < TRAINS; i++)
        poll(NULL, 0, WATCH_MS / 2);
    assert_int_equal(sent_under_lock(w), TRAINS);
}

#define TEST(test, setup) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_blocked_family_is_waited_for_asleep, setup_caller),
        TEST(a_blocked_family_is_waited_for_asleep, setup_uv),
        TEST(the_family_that_blocks_changes, setup_caller),
        TEST(the_family_that_blocks_changes, setup_uv),
        TEST(what_a_call_left_is_sent_by_the_thread, setup_thread),
    };
    if (!netns_enter())
        return SKIPPED;
    if (!make_network()) {
        printf("SKIP: the test may not make a veth\n");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
