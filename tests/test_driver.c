/* The driver alone: two engines, each driven by hand over its end of a memory link, in a time that
 * the test makes up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/runtime/driver.h"
#include "api/runtime/env.h"
#include "stack/extend.h"

#define MTU 1500u
#define ROUNDS_MAX 1000

struct end {
    struct hws_env env;
    struct hws_driver driver;
    hws_assoc_id assoc;
    unsigned dispatches, told;
    unsigned inbound, outbound; /* packets traced */
    uint32_t longest;
    bool up;
};

struct world {
    struct end a, b;
    uint64_t now_us;
};

static void on_event(void *arg, const struct hws_event *event, uint64_t now_us)
{
    struct end *end = arg;
    (void)now_us;
    assert_int_not_equal(event->type, HWS_EVENT_PATH_NEW); /* the driver answers that */
    end->told += event->type == HWS_EVENT_EXTENSION;
    if (event->type == HWS_EVENT_UP) {
        end->assoc = event->assoc;
        end->up = true;
    }
}

static bool on_dispatch(void *arg)
{
    ((struct end *)arg)->dispatches++;
    return false;
}

static void on_packet(void *arg, const struct hws_driver_packet *packet)
{
    struct end *end = arg;
    if (packet->outbound)
        end->outbound++;
    else
        end->inbound++;
    if (packet->len > end->longest)
        end->longest = packet->len;
    assert_int_equal(packet->src->family, HWS_FAMILY_IPV4);
}

/* An extension that tells of every DATA chunk that is sent. */
static void tell_of_data(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data)
{
    (void)data;
    (void)hws_ext_tell(assoc, 1, NULL, 0); /* of a train not all find room */
}

static bool fill_nothing(const struct hws_ext_assoc *assoc, struct hws_ext_out *out)
{
    (void)assoc;
    (void)out;
    return false;
}

static const struct hws_ext_chunk no_chunk = {
    .type = 0x90, .name = "NONE", .states = HWS_EXT_IN_ANY, .fill = fill_nothing};
static const struct hws_extension teller = {.api = HWS_EXTEND_API,
                                            .name = "teller",
                                            .param = 0x9000,
                                            .chunks = &no_chunk,
                                            .chunk_count = 1,
                                            .data_sent = tell_of_data};
static const struct hws_extension *const extensions[] = {&teller};

static void open_end(struct end *end, struct hws_link *link)
{
    assert_int_equal(hws_env_init(&end->env), 0);
    const struct hws_engine_config config = {
        .env = end->env, .extensions = extensions, .extension_count = 1};
    end->driver = (struct hws_driver){
        .engine = hws_engine_new(&config),
        .link = link,
        .host = {.arg = end, .event = on_event, .dispatch = on_dispatch},
        .trace = on_packet,
        .trace_arg = end,
    };
    assert_non_null(end->driver.engine);
}

static void close_end(struct end *end)
{
    hws_engine_free(end->driver.engine);
    end->driver.link->ops->close(end->driver.link);
    hws_env_fini(&end->env);
}

static size_t turn(struct end *end, uint64_t now_us)
{
    size_t count = hws_driver_input(&end->driver, now_us);
    while (hws_driver_run(&end->driver, now_us))
        ;
    return count;
}

/* Until neither has anything for the other. */
static void settle(struct world *w)
{
    for (int i = 0, quiet = 0; quiet < 2; i++) {
        assert_true(i < ROUNDS_MAX);
        quiet = turn(&w->a, w->now_us) + turn(&w->b, w->now_us) == 0 ? quiet + 1 : 0;
    }
}

static void connect_b_to_a(struct world *w)
{
    struct hws_endpoint_config config = {.port = 5000, .listening = true};
    struct hws_addr a_addr, seen_by_a = {.family = HWS_FAMILY_IPV4};
    hws_endpoint_id endpoint;
    assert_int_equal(hws_endpoint_new(w->a.driver.engine, &config, &endpoint), HWS_OK);
    config = (struct hws_endpoint_config){.port = 6000};
    assert_int_equal(hws_endpoint_new(w->b.driver.engine, &config, &endpoint), HWS_OK);
    struct hws_link *link = w->a.driver.link;
    assert_int_equal(link->ops->route(link, &seen_by_a, &a_addr, NULL), 0);
    assert_int_equal(
        hws_assoc_connect(w->b.driver.engine, endpoint, &a_addr, 1, 5000, w->now_us, &w->b.assoc),
        HWS_OK);
    settle(w);
    assert_true(w->a.up && w->b.up);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct hws_link *a, *b;
    assert_non_null(w);
    assert_int_equal(hws_link_memory_pair(MTU, &a, &b), 0);
    open_end(&w->a, a);
    open_end(&w->b, b);
    w->now_us = 1;
    connect_b_to_a(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    close_end(&w->b);
    close_end(&w->a);
    free(w);
    return 0;
}

static void send_much(struct world *w, struct end *end)
{
    static char message[100000];
    const struct hws_iovec iov = {message, sizeof(message)};
    const struct hws_sndinfo info = {0};
    assert_int_equal(hws_assoc_send(end->driver.engine, end->assoc, &info, &iov, 1, w->now_us),
                     HWS_OK);
    settle(w);
}

/* What the route allows is what probes find, where the network carries it. */
static void paths_get_the_routes_mtu(void **state)
{
    struct world *w = *state;
    struct end *ends[] = {&w->a, &w->b};
    for (int i = 0; i < 2; i++) {
        struct hws_path_status path;
        send_much(w, ends[i]);
        assert_int_equal(hws_assoc_path_status(ends[i]->driver.engine, ends[i]->assoc, 0, &path),
                         HWS_OK);
        assert_int_equal(path.mtu, MTU);
    }
}

static void every_packet_of_a_train_is_traced(void **state)
{
    struct world *w = *state;
    send_much(w, &w->b); /* the path's MTU is known now */
    w->b.outbound = w->a.inbound = 0;
    send_much(w, &w->b);
    assert_in_range(w->b.outbound, 100000 / MTU + 1, 100000 / MTU + 20);
    assert_int_equal(w->b.outbound, w->a.inbound);
    assert_in_range(w->b.longest, MTU - 40, MTU - 20);
}

static void timers_run_when_they_are_due(void **state)
{
    struct world *w = *state;
    const struct hws_iovec iov = {"x", 1};
    const struct hws_sndinfo info = {0};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hws_assoc_send(w->b.driver.engine, w->b.assoc, &info, &iov, 1, w->now_us),
                         HWS_OK);
        settle(w);
    }
    /* The first DATA is acknowledged at once (5.1), one packet after it with a delay (6.2). */
    unsigned sent = w->a.outbound;
    uint64_t deadline_us = hws_engine_deadline(w->a.driver.engine);
    assert_true(deadline_us > w->now_us && deadline_us < UINT64_MAX);
    w->now_us = deadline_us;
    settle(w);
    assert_int_equal(w->a.outbound, sent + 1);
    assert_true(hws_engine_deadline(w->a.driver.engine) > w->now_us);
}

/* Nothing else may come for a long time. */
static void what_happens_while_sending_is_told_at_once(void **state)
{
    struct world *w = *state;
    const struct hws_iovec iov = {"x", 1};
    const struct hws_sndinfo info = {0};
    assert_int_equal(hws_assoc_send(w->b.driver.engine, w->b.assoc, &info, &iov, 1, w->now_us),
                     HWS_OK);
    hws_driver_run(&w->b.driver, w->now_us);
    assert_int_equal(w->b.told, 1);
}

static void callbacks_run_after_every_batch(void **state)
{
    struct world *w = *state;
    unsigned before = w->a.dispatches;
    turn(&w->a, w->now_us);
    assert_true(w->a.dispatches > before);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(paths_get_the_routes_mtu),        TEST(every_packet_of_a_train_is_traced),
        TEST(timers_run_when_they_are_due),    TEST(what_happens_while_sending_is_told_at_once),
        TEST(callbacks_run_after_every_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
