#include "uv_world.h"

#include <stdlib.h>
#include <string.h>

#include "api/runtime/runtime.h"

struct sockaddr_in uv_world_address(const char *text, uint16_t port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
    assert_int_equal(inet_pton(AF_INET, text, &sin.sin_addr), 1);
    return sin;
}

/* ---- The world ---- */

void uv_world_on_connection(hws_uv_t *server, int status)
{
    struct uv_world *w = server->data;
    assert_int_equal(status, 0);
    w->connections++;
    uv_stop(&w->loop);
    if (w->next == NULL)
        return;
    uv_peer_init(server->runtime, w->next);
    assert_int_equal(hws_uv_accept(server, &w->next->handle), 0);
    uv_peer_read(w->next);
    w->next = NULL;
}

uint16_t uv_world_udp_port(const struct hws_runtime *runtime)
{
    struct hws_link *link = runtime->driver.link;
    return link->ops->encapsulation_port(link);
}

struct hws_runtime *uv_world_udp_runtime(uv_loop_t *loop, uint16_t peer_udp_port)
{
    struct hws_runtime_config config;
    char error[HWS_ERROR_MAX] = "";
    hws_runtime_config_init(&config);
    config.udp = true;
    config.peer_udp_port = peer_udp_port;
    config.ipv6 = false;
    config.own_host = true;
    config.loop = loop;
    struct hws_runtime *runtime = hws_runtime_new(&config, error);
    if (runtime == NULL)
        fail_msg("%s", error);
    return runtime;
}

static struct uv_world *open_world(void)
{
    struct uv_world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    uv_loop_init(&w->loop);
    return w;
}

static void listen_at(struct uv_world *w)
{
    struct sockaddr_in any = uv_world_address("0.0.0.0", PORT);
    assert_int_equal(hws_uv_init(w->a, &w->listener), 0);
    w->listener.data = w;
    assert_int_equal(hws_uv_bind(&w->listener, (struct sockaddr *)&any), 0);
    assert_int_equal(hws_uv_listen(&w->listener, 300, uv_world_on_connection), 0);
}

int uv_world_open_udp(void **state)
{
    struct uv_world *w = open_world();
    w->a = uv_world_udp_runtime(&w->loop, 0);
    w->b = uv_world_udp_runtime(&w->loop, uv_world_udp_port(w->a));
    w->address = "127.0.0.1";
    listen_at(w);
    *state = w;
    return 0;
}

int uv_world_open_memory(void **state)
{
    struct uv_world *w = open_world();
    struct hws_link *a, *b;
    const struct hws_runtime_part part = {.own_host = true};
    assert_int_equal(hws_link_memory_pair(9000, &a, &b), 0);
    assert_int_equal(hws_runtime_open(&w->loop, a, &part, &w->a), 0);
    assert_int_equal(hws_runtime_open(&w->loop, b, &part, &w->b), 0);
    w->address = "192.0.2.1";
    listen_at(w);
    *state = w;
    return 0;
}

static void on_listener_closed(hws_uv_t *handle)
{
    struct uv_world *w = handle->data;
    w->listener_closes++;
}

int uv_world_close(void **state)
{
    struct uv_world *w = *state;
    if (!hws_uv_is_closing(&w->listener))
        hws_uv_close(&w->listener, on_listener_closed);
    uv_world_run_until(w, &w->listener_closes, 1);
    hws_runtime_free(w->b);
    hws_runtime_free(w->a);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    free(w);
    return 0;
}

static void on_timeout(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

/* A callback may come in a turn before the loop sleeps: it then stops the loop, which looks again.
 */
static void run_until(struct uv_world *w, const unsigned *count, unsigned wanted)
{
    uv_timer_t timer;
    bool late = false;
    uv_timer_init(&w->loop, &timer);
    timer.data = &late;
    uv_timer_start(&timer, on_timeout, 10000, 0);
    while (*count < wanted && !late)
        uv_run(&w->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&w->loop, UV_RUN_NOWAIT);
    if (late)
        fail_msg("what should happen within 10 s does not (%u of %u)", *count, wanted);
}

void uv_world_run_until(struct uv_world *w, const unsigned *count, unsigned wanted)
{
    if (*count < wanted)
        run_until(w, count, wanted);
}

void uv_world_run_for(struct uv_world *w, unsigned ms)
{
    uv_timer_t timer;
    bool over = false;
    uv_timer_init(&w->loop, &timer);
    timer.data = &over;
    uv_timer_start(&timer, on_timeout, ms, 0);
    while (!over)
        uv_run(&w->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&w->loop, UV_RUN_NOWAIT);
}

void uv_world_turns(struct uv_world *w, unsigned turns)
{
    for (unsigned i = 0; i < turns; i++)
        uv_run(&w->loop, UV_RUN_NOWAIT);
}

/* ---- Peers ---- */

void uv_peer_init(struct hws_runtime *runtime, struct uv_peer *peer)
{
    memset(peer, 0, sizeof(*peer));
    assert_int_equal(hws_uv_init(runtime, &peer->handle), 0);
    peer->handle.data = peer;
}

void uv_peer_init_ex(struct hws_runtime *runtime, struct uv_peer *peer, int type)
{
    memset(peer, 0, sizeof(*peer));
    assert_int_equal(hws_uv_init_ex(runtime, &peer->handle, AF_INET6, type), 0);
    peer->handle.data = peer;
}

/* Counts a callback, which may have to close the handle. */
static void called(struct uv_peer *peer, enum uv_peer_callback which)
{
    assert_int_equal(peer->closes, 0);
    peer->callbacks++;
    uv_stop(peer->handle.loop); /* the loop does not sleep now, see run_until */
    if (peer->close_in == which && !hws_uv_is_closing(&peer->handle))
        hws_uv_close(&peer->handle, uv_peer_on_close);
}

static void note_status(struct uv_peer *peer, int status)
{
    peer->status = status;
    if (status == UV_ECANCELED)
        peer->canceled++;
}

void uv_peer_on_connect(hws_uv_connect_t *request, int status)
{
    struct uv_peer *peer = request->data;
    assert_ptr_equal(request->handle, &peer->handle);
    peer->connects++;
    peer->failures += status < 0;
    note_status(peer, status);
    called(peer, UV_PEER_CONNECT);
}

void uv_peer_connect(struct uv_world *w, struct uv_peer *peer, uint16_t port)
{
    struct sockaddr_in to = uv_world_address(w->address, port);
    peer->connect.data = peer;
    assert_int_equal(
        hws_uv_connect(&peer->connect, &peer->handle, (struct sockaddr *)&to, uv_peer_on_connect),
        0);
    assert_int_equal(peer->connects, 0);
}

void uv_peer_on_write(hws_uv_write_t *request, int status)
{
    struct uv_peer *peer = request->data;
    peer->writes++;
    note_status(peer, status);
    called(peer, UV_PEER_WRITE);
}

/* A request and its bytes, freed in its callback. */
struct owned_write {
    hws_uv_write_t request;
    char bytes[];
};

static void on_owned_write(hws_uv_write_t *request, int status)
{
    struct uv_peer *peer = request->data;
    free(request); /* its first member */
    peer->writes++;
    note_status(peer, status);
    called(peer, UV_PEER_WRITE);
}

static struct owned_write *own(struct uv_peer *peer, const char *bytes, size_t len, uv_buf_t *buf)
{
    struct owned_write *owned = malloc(sizeof(*owned) + len);
    memcpy(owned->bytes, bytes, len);
    owned->request.data = peer;
    *buf = uv_buf_init(owned->bytes, (unsigned)len);
    return owned;
}

void uv_peer_write(struct uv_peer *peer, const char *bytes, size_t len,
                   const struct sctp_sndinfo *info)
{
    uv_buf_t buf;
    struct owned_write *owned = own(peer, bytes, len, &buf);
    assert_int_equal(hws_uv_write(&owned->request, &peer->handle, &buf, 1, info, on_owned_write),
                     0);
}

void uv_peer_write_to(struct uv_world *w, struct uv_peer *peer, uint16_t port, const char *bytes,
                      size_t len, const struct sctp_sndinfo *info)
{
    struct sockaddr_in to = uv_world_address(w->address, port);
    uv_buf_t buf;
    struct owned_write *owned = own(peer, bytes, len, &buf);
    assert_int_equal(hws_uv_write_to(&owned->request, &peer->handle, &buf, 1,
                                     (struct sockaddr *)&to, 1, info, on_owned_write),
                     0);
}

ssize_t uv_peer_try_write(struct uv_peer *peer, const char *bytes, size_t len)
{
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)len);
    return hws_uv_try_write(&peer->handle, &buf, 1, NULL);
}

void uv_peer_alloc(hws_uv_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct uv_peer *peer = handle->data;
    assert_true(suggested > 0);
    called(peer, UV_PEER_ALLOC);
    if (peer->no_buffers > 0)
        peer->no_buffers--;
    else
        *buf = uv_buf_init(peer->bytes, sizeof(peer->bytes));
}

static void on_bytes(struct uv_peer *peer, size_t len, const hws_uv_message_t *message)
{
    peer->len = len;
    if ((message->flags & MSG_NOTIFICATION) != 0) {
        peer->notifications++;
        return;
    }
    peer->last = *message;
    if (peer->keep != NULL)
        memcpy(peer->keep + peer->total, peer->bytes, len);
    peer->total += len;
    if ((message->flags & MSG_EOR) != 0)
        peer->messages++;
    if (peer->stop_after != 0 && peer->messages >= peer->stop_after)
        hws_uv_read_stop(&peer->handle);
}

void uv_peer_on_read(hws_uv_t *handle, ssize_t nread, const uv_buf_t *buf,
                     const hws_uv_message_t *message)
{
    struct uv_peer *peer = handle->data;
    assert_true((nread > 0) == (message != NULL));
    if (nread == UV_ENOBUFS) {
        peer->enobufs++;
    } else if (nread < 0) {
        peer->ends++;
        peer->end = nread;
    } else {
        assert_ptr_equal(buf->base, peer->bytes);
    }
    if (nread > 0)
        on_bytes(peer, (size_t)nread, message);
    called(peer, UV_PEER_READ);
}

void uv_peer_read(struct uv_peer *peer)
{
    assert_int_equal(hws_uv_read_start(&peer->handle, uv_peer_alloc, uv_peer_on_read), 0);
}

static void on_shutdown(hws_uv_shutdown_t *request, int status)
{
    struct uv_peer *peer = request->data;
    peer->shutdowns++;
    note_status(peer, status);
    called(peer, UV_PEER_SHUTDOWN);
}

void uv_peer_shutdown(struct uv_peer *peer)
{
    peer->shutdown.data = peer;
    assert_int_equal(hws_uv_shutdown(&peer->shutdown, &peer->handle, on_shutdown), 0);
    assert_int_equal(hws_uv_shutdown(&peer->shutdown, &peer->handle, on_shutdown), UV_EALREADY);
}

void uv_peer_on_close(hws_uv_t *handle)
{
    struct uv_peer *peer = handle->data;
    assert_int_equal(peer->closes, 0);
    peer->callbacks++;
    peer->closes++;
}

void uv_peer_close(struct uv_world *w, struct uv_peer *peer)
{
    if (!hws_uv_is_closing(&peer->handle))
        hws_uv_close(&peer->handle, uv_peer_on_close);
    uv_world_run_until(w, &peer->closes, 1);
}

/* ---- Pairs ---- */

void uv_pair_start(struct uv_world *w, struct uv_pair *pair)
{
    w->next = &pair->server;
    uv_peer_connect(w, &pair->client, PORT);
}

void uv_pair_connect(struct uv_world *w, struct uv_pair *pair)
{
    unsigned wanted = w->connections + 1;
    uv_pair_start(w, pair);
    uv_world_run_until(w, &pair->client.connects, 1);
    uv_world_run_until(w, &w->connections, wanted);
    assert_int_equal(pair->client.status, 0);
    uv_peer_read(&pair->client);
}

void uv_pair_open(struct uv_world *w, struct uv_pair *pair)
{
    uv_peer_init(w->b, &pair->client);
    uv_pair_connect(w, pair);
}

void uv_pair_close(struct uv_world *w, struct uv_pair *pair)
{
    uv_peer_close(w, &pair->client);
    uv_peer_close(w, &pair->server);
}
