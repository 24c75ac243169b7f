/* hawser's libuv handles, which need no descriptor each: one loop, one thread, defaults. */
#include "bench/knock.h"

#include <stdlib.h>

#include "api/hawser/uv.h"
#include "bench/hawser_runtime.h"

#define BACKLOG 1024

const char knock_name[] = "hawser-uv";

struct knocker {
    hws_uv_t handle;
    hws_uv_connect_t connect;
    hws_uv_shutdown_t shutdown;
};

static struct {
    uv_loop_t *loop;
    uv_timer_t timer;
    struct hws_runtime *runtime;
    hws_uv_t listener;
    struct sockaddr_in remote;
    bool client, broken;
    uint64_t ended, failed;
} knock;

static bool connect_one(struct knocker *k);

static void on_closed(hws_uv_t *handle)
{
    struct knocker *k = handle->data;
    if (!knock.client)
        free(k);
    else if (!connect_one(k))
        knock.broken = true;
}

static void finish(struct knocker *k, bool good)
{
    knock.ended += good;
    knock.failed += !good;
    hws_uv_close(&k->handle, on_closed);
}

static void on_shutdown(hws_uv_shutdown_t *request, int status)
{
    if (status != UV_ECANCELED)
        finish(request->data, status == 0);
}

static void on_connect(hws_uv_connect_t *request, int status)
{
    struct knocker *k = request->data;
    if (status != 0 || hws_uv_shutdown(&k->shutdown, &k->handle, on_shutdown) != 0)
        finish(k, false);
}

static bool init(struct knocker *k)
{
    bool good = hws_uv_init_ex(knock.runtime, &k->handle, AF_INET, SOCK_STREAM) == 0;
    k->handle.data = k->connect.data = k->shutdown.data = k;
    return good;
}

static bool connect_one(struct knocker *k)
{
    return init(k) && hws_uv_connect(&k->connect, &k->handle,
                                     (const struct sockaddr *)&knock.remote, on_connect) == 0;
}

static void on_alloc(hws_uv_t *handle, size_t suggested_bytes, uv_buf_t *buf)
{
    static char byte;
    (void)handle;
    (void)suggested_bytes;
    *buf = uv_buf_init(&byte, 1);
}

static void on_read(hws_uv_t *handle, ssize_t nread, const uv_buf_t *buf,
                    const hws_uv_message_t *message)
{
    (void)buf;
    (void)message;
    if (nread != 0)
        finish(handle->data, nread == UV_EOF);
}

static void on_connection(hws_uv_t *server, int status)
{
    struct knocker *k = calloc(1, sizeof *k);
    if (status != 0 || k == NULL || !init(k) || hws_uv_accept(server, &k->handle) != 0 ||
        hws_uv_read_start(&k->handle, on_alloc, on_read) != 0)
        knock.broken = true;
}

static bool listen_at(const struct sockaddr_in *local)
{
    return hws_uv_init_ex(knock.runtime, &knock.listener, AF_INET, SOCK_STREAM) == 0 &&
           hws_uv_bind(&knock.listener, (const struct sockaddr *)local) == 0 &&
           hws_uv_listen(&knock.listener, BACKLOG, on_connection) == 0;
}

bool knock_start(const struct sockaddr_in *local, const struct sockaddr_in *remote)
{
    static struct knocker clients[KNOCK_IN_FLIGHT];
    struct hws_runtime_config config;
    hws_runtime_config_init(&config);
    config.loop = knock.loop = uv_default_loop();
    config.ipv6 = false;
    uv_timer_init(knock.loop, &knock.timer);
    knock.runtime = bench_hawser_runtime(&config);
    if (knock.runtime == NULL)
        return false;
    if (local != NULL)
        return listen_at(local);
    knock.client = true;
    knock.remote = *remote;
    for (unsigned i = 0; i < KNOCK_IN_FLIGHT; i++)
        if (!connect_one(&clients[i]))
            return false;
    return true;
}

/* It ends the wait; there is nothing to do. */
static void on_timer(uv_timer_t *timer)
{
    (void)timer;
}

bool knock_turn(int wait_ms)
{
    uv_timer_start(&knock.timer, on_timer, (uint64_t)wait_ms, 0);
    uv_run(knock.loop, UV_RUN_ONCE);
    return !knock.broken;
}

uint64_t knock_ended(void)
{
    return knock.ended;
}

uint64_t knock_failed(void)
{
    return knock.failed;
}
