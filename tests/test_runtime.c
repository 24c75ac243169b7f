/* Runtimes on a libuv loop: when it sleeps, when it ends, what freeing one does. */
#include "uv_world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/runtime/runtime.h"
#include "stack/extend.h"

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

static void a_probe_leaves_no_association(void **state)
{
    struct uv_world *w = *state;
    const int on = 1;
    for (uint16_t port = PORT; port <= PORT + 1; port++) {
        struct uv_peer peer;
        uv_peer_init(w->b, &peer);
        assert_int_equal(hws_uv_setsockopt(&peer.handle, IPPROTO_SCTP, HWS_PROBE, &on, sizeof(on)),
                         0);
        uv_peer_connect(w, &peer, port);
        uv_world_run_until(w, &peer.connects, 1);
        assert_int_equal(peer.status, port == PORT ? 0 : UV_ECONNREFUSED);
        uv_peer_close(w, &peer);
    }
    assert_int_equal(counter(w->a, "assocs_passive"), 0);
    assert_int_equal(counter(w->b, "packets_out"), 2); /* the INITs */
}

static void closing_a_runtime_tells_the_peers(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    uv_pair_open(w, &pair);
    hws_uv_close(&pair.client.handle, uv_peer_on_close);
    hws_runtime_free(w->b); /* it would have ended in the background */
    w->b = NULL;
    uv_world_run_until(w, &pair.server.ends, 1);
    assert_int_equal(pair.server.end, UV_ECONNRESET);
    uv_world_run_until(w, &pair.client.closes, 1);
    uv_peer_close(w, &pair.server);
}

static void a_closed_handle_ends_in_the_background(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    uv_pair_open(w, &pair);
    uv_peer_write(&pair.client, "last words", 10, NULL);
    hws_uv_close(&pair.client.handle, uv_peer_on_close);
    uv_world_run_until(w, &pair.server.ends, 1);
    assert_int_equal(pair.server.messages, 1);
    assert_int_equal(pair.server.end, UV_EOF);
    uv_peer_close(w, &pair.server);
}

/* The loop ends by itself, once what was closed has ended. */
static void the_loop_ends_with_the_last_handle(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    uv_pair_open(w, &pair);
    hws_uv_close(&w->listener, NULL);
    w->listener_closes = 1;
    hws_uv_close(&pair.client.handle, uv_peer_on_close);
    hws_uv_close(&pair.server.handle, uv_peer_on_close);
    while (uv_run(&w->loop, UV_RUN_DEFAULT) != 0)
        continue; /* callbacks stop it, see uv_world.c */
    assert_int_equal(pair.client.closes + pair.server.closes, 2);
    assert_int_equal(counter(w->a, "assocs_shutdown") + counter(w->b, "assocs_shutdown"), 2);
}

static void a_handle_that_nobody_references_keeps_no_loop(void **state)
{
    struct uv_world *w = *state;
    hws_uv_unref(&w->listener);
    assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
    hws_uv_ref(&w->listener);
    assert_true(uv_loop_alive(&w->loop));
}

static void count_turn(uv_prepare_t *prepare)
{
    ++*(unsigned *)prepare->data;
}

/* Looks at the loop, not at a clock: whoever sleeps goes round seldom. */
static void an_idle_runtime_sleeps(void **state)
{
    struct uv_world *w = *state;
    struct uv_pair pair;
    uv_prepare_t prepare;
    unsigned turns = 0;
    uv_pair_open(w, &pair);
    uv_world_run_for(w, 500); /* what the handshake left to do */
    uv_prepare_init(&w->loop, &prepare);
    prepare.data = &turns;
    uv_prepare_start(&prepare, count_turn);
    uv_world_run_for(w, 500);
    assert_in_range(turns, 1, 50);
    uv_close((uv_handle_t *)&prepare, NULL);
    uv_pair_close(w, &pair);
}

/* ---- Two loops ---- */

/* A runtime on a loop of its own, which one thread runs until its only association has ended. */
struct server {
    uv_loop_t loop;
    struct hws_runtime *runtime;
    hws_uv_t listener, sock;
    char bytes[65536];
    uint64_t received;
    ssize_t end;
};

static void server_alloc(hws_uv_t *sock, size_t suggested, uv_buf_t *buf)
{
    struct server *server = sock->data;
    (void)suggested;
    *buf = uv_buf_init(server->bytes, sizeof(server->bytes));
}

static void server_read(hws_uv_t *sock, ssize_t nread, const uv_buf_t *buf,
                        const hws_uv_message_t *message)
{
    struct server *server = sock->data;
    (void)buf;
    (void)message;
    if (nread >= 0) {
        server->received += (uint64_t)nread;
        return;
    }
    server->end = nread;
    hws_uv_close(&server->sock, NULL);
    hws_uv_close(&server->listener, NULL);
}

static void server_accept(hws_uv_t *listener, int status)
{
    struct server *server = listener->data;
    (void)status;
    hws_uv_init(server->runtime, &server->sock);
    server->sock.data = server;
    if (hws_uv_accept(listener, &server->sock) == 0)
        hws_uv_read_start(&server->sock, server_alloc, server_read);
}

static void server_open(struct server *server)
{
    struct sockaddr_in any = uv_world_address("0.0.0.0", PORT);
    uv_loop_init(&server->loop);
    server->runtime = uv_world_udp_runtime(&server->loop, 0);
    assert_int_equal(hws_uv_init(server->runtime, &server->listener), 0);
    server->listener.data = server;
    assert_int_equal(hws_uv_bind(&server->listener, (struct sockaddr *)&any), 0);
    assert_int_equal(hws_uv_listen(&server->listener, 5, server_accept), 0);
}

static void server_thread(void *arg)
{
    uv_run(&((struct server *)arg)->loop, UV_RUN_DEFAULT);
}

/* What both loops share is the network. */
static void two_loops_in_two_threads(void **state)
{
    enum { COUNT = 200, BYTES = 10000 };
    struct uv_world *w = *state;
    static struct server server;
    static struct uv_peer client;
    static char message[BYTES];
    uv_thread_t thread;
    server_open(&server);
    struct hws_runtime *runtime = uv_world_udp_runtime(&w->loop, uv_world_udp_port(server.runtime));
    assert_int_equal(uv_thread_create(&thread, server_thread, &server), 0);
    uv_peer_init(runtime, &client);
    uv_peer_connect(w, &client, PORT);
    uv_world_run_until(w, &client.connects, 1);
    assert_int_equal(client.status, 0);
    for (int i = 0; i < COUNT; i++)
        uv_peer_write(&client, message, BYTES, NULL);
    uv_peer_shutdown(&client);
    uv_world_run_until(w, &client.shutdowns, 1);
    assert_int_equal(client.status, 0);
    uv_peer_close(w, &client);
    assert_int_equal(uv_thread_join(&thread), 0);
    assert_int_equal(server.end, UV_EOF);
    assert_int_equal(server.received, COUNT * BYTES);
    hws_runtime_free(server.runtime);
    uv_run(&server.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&server.loop), 0);
    hws_runtime_free(runtime);
}

/* ---- Configurations ---- */

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
    const char *const names[] = {"", "sixteenletterslo"};
    for (size_t i = 0; i < 2; i++) {
        config.interface = names[i];
        assert_null(hws_runtime_new(&config, error));
        assert_int_equal(errno, EINVAL);
        assert_non_null(strstr(error, "1 to 15 characters"));
    }
    hws_runtime_config_init(&config);
    config.udp = true;
    struct hws_runtime *first = hws_runtime_new(&config, error);
    assert_non_null(first);
    config.udp_port = uv_world_udp_port(first);
    assert_null(hws_runtime_new(&config, error));
    assert_int_equal(errno, EADDRINUSE);
    hws_runtime_free(first);
    hws_runtime_free(NULL);
}

/* What the profile has on counts, too: it is never left out without a word. */
static void extensions_beside_a_profile(void **state)
{
    struct hws_runtime_config config;
    struct hws_extension tables[HWS_EXT_MAX];
    const struct hws_extension *list[HWS_EXT_MAX];
    char names[HWS_EXT_MAX][8], error[HWS_ERROR_MAX] = "";
    (void)state;
    for (unsigned i = 0; i < HWS_EXT_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "x%u", i);
        tables[i] = (struct hws_extension){.api = HWS_EXTEND_API, .name = names[i]};
        list[i] = &tables[i];
    }
    hws_runtime_config_init(&config);
    config.protocol = HWS_PROTO_EXPERIMENT_1;
    config.extensions = list;
    config.extension_count = HWS_EXT_MAX;
    assert_null(hws_runtime_new(&config, error));
    assert_int_equal(errno, EINVAL);
    assert_string_equal(error, "8 extensions, and those of the profile fec: there may be 8");
}

#define UDP(test)                                                                                  \
    {                                                                                              \
#test " (UDP)", test, uv_world_open_udp, uv_world_close, NULL                              \
    }
#define MEMORY(test)                                                                               \
    {                                                                                              \
#test " (memory)", test, uv_world_open_memory, uv_world_close, NULL                        \
    }
#define BOTH(test) UDP(test), MEMORY(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MEMORY(a_probe_leaves_no_association),
        UDP(closing_a_runtime_tells_the_peers),
        BOTH(a_closed_handle_ends_in_the_background),
        BOTH(the_loop_ends_with_the_last_handle),
        BOTH(a_handle_that_nobody_references_keeps_no_loop),
        BOTH(an_idle_runtime_sleeps),
        UDP(two_loops_in_two_threads),
        cmocka_unit_test(bad_configurations_say_what_is_wrong),
        cmocka_unit_test(extensions_beside_a_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
