#include "api/sock/socket.h"

#include <errno.h>
#include <stddef.h>

/* The dynamic ports (RFC 6335, 6), and how many of them to try before giving up. */
#define EPHEMERAL_FIRST 49152u
#define EPHEMERAL_COUNT 16384u
#define EPHEMERAL_TRIES 64u

/* A port that sockets of this engine use: a listener and what it accepted share one. */
struct hws_sock_port {
    struct hws_hashtab_node node;
    uint32_t refs;
    uint16_t port;
};

#define CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

int hws_sock_errno(int error)
{
    static const int errnos[] = {
#define ROW(symbol, value) [HWS_E_##symbol - HWS_E_BASE - 1] = value
        ROW(AGAIN, EAGAIN),         ROW(NOMEM, ENOMEM),     ROW(NOENT, EBADF),
        ROW(INVAL, EINVAL),         ROW(MSGSIZE, EMSGSIZE), ROW(NOTCONN, ENOTCONN),
        ROW(SHUTDOWN, EPIPE),       ROW(INUSE, EADDRINUSE), ROW(REFUSED, ECONNREFUSED),
        ROW(TIMEDOUT, ETIMEDOUT),   ROW(RESET, ECONNRESET), ROW(ABORTED, ECONNABORTED),
        ROW(UNREACH, EHOSTUNREACH), ROW(PROTO, EPROTO),     ROW(EOF, 0),
#undef ROW
    };
    int index = error - HWS_E_BASE - 1;
    if (error == HWS_OK)
        return 0;
    return index >= 0 && (size_t)index < sizeof(errnos) / sizeof(errnos[0]) ? errnos[index]
                                                                            : EINVAL;
}

/* ---- Tables ---- */

static struct hws_sock *find_assoc(const struct hws_sockets *sockets, hws_assoc_id id)
{
    struct hws_hashtab_node *node = hws_hashtab_first(&sockets->by_assoc, id);
    return node != NULL ? CONTAINER(node, struct hws_sock, by_assoc) : NULL;
}

static struct hws_sock *find_endpoint(const struct hws_sockets *sockets, hws_endpoint_id id)
{
    struct hws_hashtab_node *node = hws_hashtab_first(&sockets->by_endpoint, id);
    return node != NULL ? CONTAINER(node, struct hws_sock, by_endpoint) : NULL;
}

static int port_new(struct hws_sockets *sockets, uint16_t number, struct hws_sock_port **out)
{
    struct hws_sock_port *port = hws_pool_zalloc(&sockets->pool, sizeof(*port));
    if (port == NULL)
        return -ENOMEM;
    port->port = number;
    port->refs = 1;
    int rc = sockets->host.add_port(sockets->host.arg, number);
    if (rc == 0 && !hws_hashtab_add(&sockets->ports, &port->node, number)) {
        sockets->host.remove_port(sockets->host.arg, number);
        rc = -ENOMEM;
    }
    if (rc < 0)
        hws_pool_free(&sockets->pool, port, sizeof(*port));
    else
        *out = port;
    return rc;
}

static int port_get(struct hws_sockets *sockets, uint16_t number, struct hws_sock_port **out)
{
    struct hws_hashtab_node *node = hws_hashtab_first(&sockets->ports, number);
    if (node == NULL)
        return port_new(sockets, number, out);
    *out = CONTAINER(node, struct hws_sock_port, node);
    (*out)->refs++;
    return 0;
}

static void port_put(struct hws_sockets *sockets, struct hws_sock_port *port)
{
    if (port == NULL || --port->refs > 0)
        return;
    sockets->host.remove_port(sockets->host.arg, port->port);
    hws_hashtab_remove(&sockets->ports, &port->node);
    hws_pool_free(&sockets->pool, port, sizeof(*port));
}

void hws_sockets_init(struct hws_sockets *sockets, struct hws_engine *engine, struct hws_env *env,
                      const struct hws_sockets_host *host)
{
    *sockets = (struct hws_sockets){.engine = engine, .env = env, .host = *host};
    hws_pool_init(&sockets->pool, env, true);
    hws_hashtab_init(&sockets->by_assoc, &sockets->pool);
    hws_hashtab_init(&sockets->by_endpoint, &sockets->pool);
    hws_hashtab_init(&sockets->ports, &sockets->pool);
    TAILQ_INIT(&sockets->all);
    TAILQ_INIT(&sockets->changed);
}

/* ---- Life of a socket ---- */

struct hws_sock *hws_sock_new(struct hws_sockets *sockets)
{
    struct hws_sock *sock = hws_pool_zalloc(&sockets->pool, sizeof(*sock));
    if (sock == NULL)
        return NULL;
    sock->sockets = sockets;
    hws_params_default(&sock->params);
    hws_sock_options_init(sock);
    TAILQ_INIT(&sock->queue);
    TAILQ_INIT(&sock->path_events);
    TAILQ_INSERT_TAIL(&sockets->all, sock, in_all);
    return sock;
}

static void mark_changed(struct hws_sock *sock)
{
    if (sock->changed || sock->callback == NULL)
        return;
    sock->changed = true;
    TAILQ_INSERT_TAIL(&sock->sockets->changed, sock, in_changed);
}

static void forget_changed(struct hws_sock *sock)
{
    if (!sock->changed)
        return;
    sock->changed = false;
    TAILQ_REMOVE(&sock->sockets->changed, sock, in_changed);
}

static void drop_path_event(struct hws_sock *sock)
{
    struct hws_sock_path_event *first = TAILQ_FIRST(&sock->path_events);
    TAILQ_REMOVE(&sock->path_events, first, in_queue);
    sock->path_event_count--;
    hws_pool_free(&sock->sockets->pool, first, sizeof(*first));
}

/* Lets the engine's objects and the memory go. An association that is not over is aborted. */
static void destroy(struct hws_sock *sock, uint64_t now_us)
{
    struct hws_sockets *sockets = sock->sockets;
    forget_changed(sock);
    hws_sock_want_path_events(sock, false);
    if (sock->assoc != 0) {
        hws_hashtab_remove(&sockets->by_assoc, &sock->by_assoc);
        hws_assoc_release(sockets->engine, sock->assoc, now_us);
    }
    if (sock->endpoint != 0) {
        hws_hashtab_remove(&sockets->by_endpoint, &sock->by_endpoint);
        hws_endpoint_release(sockets->engine, sock->endpoint);
    }
    port_put(sockets, sock->port);
    TAILQ_REMOVE(&sockets->all, sock, in_all);
    hws_pool_free(&sockets->pool, sock, sizeof(*sock));
}

void hws_sockets_fini(struct hws_sockets *sockets, uint64_t now_us)
{
    while (!TAILQ_EMPTY(&sockets->all))
        destroy(TAILQ_FIRST(&sockets->all), now_us);
    hws_hashtab_fini(&sockets->by_assoc);
    hws_hashtab_fini(&sockets->by_endpoint);
    hws_hashtab_fini(&sockets->ports);
    hws_pool_fini(&sockets->pool);
}

static int set_assoc(struct hws_sock *sock, hws_assoc_id id)
{
    if (!hws_hashtab_add(&sock->sockets->by_assoc, &sock->by_assoc, id))
        return -ENOMEM;
    sock->assoc = id;
    sock->assoc_options = sock->options.future;
    return 0;
}

/* ---- Binding ---- */

static int make_endpoint(struct hws_sock *sock, uint16_t port)
{
    struct hws_sockets *sockets = sock->sockets;
    struct hws_endpoint_config config = {.port = port,
                                         .locals = sock->locals,
                                         .local_count = sock->local_count,
                                         .params = &sock->params};
    int rc = hws_endpoint_new(sockets->engine, &config, &sock->endpoint);
    if (rc < 0) {
        sock->endpoint = 0;
        return -hws_sock_errno(rc);
    }
    if (hws_hashtab_add(&sockets->by_endpoint, &sock->by_endpoint, sock->endpoint))
        return 0;
    hws_endpoint_release(sockets->engine, sock->endpoint);
    sock->endpoint = 0;
    return -ENOMEM;
}

static void drop_endpoint(struct hws_sock *sock)
{
    hws_hashtab_remove(&sock->sockets->by_endpoint, &sock->by_endpoint);
    hws_endpoint_release(sock->sockets->engine, sock->endpoint);
    sock->endpoint = 0;
}

static int bind_port(struct hws_sock *sock, uint16_t port)
{
    int rc = make_endpoint(sock, port);
    if (rc < 0)
        return rc;
    rc = port_get(sock->sockets, port, &sock->port);
    if (rc < 0)
        drop_endpoint(sock);
    return rc;
}

/* Ports are drawn at random, so that they are hard to guess (RFC 6056). */
static int bind_ephemeral(struct hws_sock *sock)
{
    const struct hws_env *env = sock->sockets->env;
    int rc = -EADDRINUSE;
    for (uint32_t i = 0; i < EPHEMERAL_TRIES && rc == -EADDRINUSE; i++) {
        uint32_t draw;
        env->random(env->ctx, &draw, sizeof(draw));
        rc = bind_port(sock, (uint16_t)(EPHEMERAL_FIRST + draw % EPHEMERAL_COUNT));
    }
    return rc;
}

static bool any_wildcard(const struct hws_addr *locals, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (locals[i].family == HWS_FAMILY_NONE)
            return true;
    }
    return false;
}

static int set_locals(struct hws_sock *sock, const struct hws_addr *locals, uint32_t count)
{
    const struct hws_sockets_host *host = &sock->sockets->host;
    sock->local_count = any_wildcard(locals, count) ? 0 : count;
    for (uint32_t i = 0; i < sock->local_count; i++) {
        int rc = host->check_local(host->arg, &locals[i]);
        if (rc < 0)
            return rc;
        sock->locals[i] = locals[i];
    }
    return 0;
}

int hws_sock_bind(struct hws_sock *sock, const struct hws_addr *locals, uint32_t count,
                  uint16_t port)
{
    if (sock->state != HWS_SOCK_NEW || count > HWS_LIMIT_PATHS)
        return -EINVAL;
    int rc = set_locals(sock, locals, count);
    if (rc < 0)
        return rc;
    rc = port != 0 ? bind_port(sock, port) : bind_ephemeral(sock);
    if (rc == 0)
        sock->state = HWS_SOCK_BOUND;
    return rc;
}

static int bind_if_new(struct hws_sock *sock)
{
    return sock->state == HWS_SOCK_NEW ? hws_sock_bind(sock, NULL, 0, 0) : 0;
}

/* ---- Parameters ---- */

int hws_sock_params(const struct hws_sock *sock, struct hws_params *out)
{
    if (sock->state == HWS_SOCK_CONNECTING || sock->state == HWS_SOCK_CONNECTED)
        return -hws_sock_errno(hws_assoc_params(sock->sockets->engine, sock->assoc, out));
    *out = sock->params;
    return 0;
}

int hws_sock_set_params(struct hws_sock *sock, const struct hws_params *params, uint64_t now_us)
{
    struct hws_engine *engine = sock->sockets->engine;
    int rc = HWS_OK;
    if (sock->state == HWS_SOCK_OVER)
        return -ENOTCONN;
    if (sock->state >= HWS_SOCK_CONNECTING)
        return -hws_sock_errno(hws_assoc_set_params(engine, sock->assoc, params, now_us));
    if (sock->state != HWS_SOCK_NEW)
        rc = hws_endpoint_set_params(engine, sock->endpoint, params);
    if (rc == HWS_OK)
        sock->params = *params;
    return -hws_sock_errno(rc);
}

/* ---- Listening ---- */

int hws_sock_listen(struct hws_sock *sock, uint32_t backlog)
{
    if (sock->state > HWS_SOCK_LISTENING)
        return -EINVAL;
    int rc = bind_if_new(sock);
    if (rc == 0)
        rc = -hws_sock_errno(hws_endpoint_listen(sock->sockets->engine, sock->endpoint, true));
    if (rc < 0)
        return rc;
    sock->backlog = backlog > 0 ? backlog : 1;
    sock->state = HWS_SOCK_LISTENING;
    return 0;
}

static struct hws_sock *make_child(struct hws_sock *listener, hws_assoc_id id, uint64_t now_us)
{
    struct hws_sock *child = hws_sock_new(listener->sockets);
    if (child == NULL)
        return NULL;
    hws_sock_options_inherit(child, listener);
    if (set_assoc(child, id) < 0) {
        destroy(child, now_us);
        return NULL;
    }
    child->port = listener->port;
    child->port->refs++;
    child->wants_path_events = listener->wants_path_events;
    child->local_count = listener->local_count;
    for (uint32_t i = 0; i < child->local_count; i++)
        child->locals[i] = listener->locals[i];
    child->state = HWS_SOCK_CONNECTED;
    child->writable = true;
    return child;
}

static void refuse(struct hws_sockets *sockets, hws_assoc_id id, uint64_t now_us)
{
    static const char reason[] = "backlog full";
    hws_assoc_abort(sockets->engine, id, reason, sizeof(reason) - 1, now_us);
    hws_assoc_release(sockets->engine, id, now_us);
}

static void on_passive_up(struct hws_sockets *sockets, const struct hws_event *event,
                          uint64_t now_us)
{
    struct hws_sock *listener = find_endpoint(sockets, event->endpoint);
    struct hws_sock *child = NULL;
    if (listener != NULL && listener->state == HWS_SOCK_LISTENING &&
        listener->queued < listener->backlog)
        child = make_child(listener, event->assoc, now_us);
    if (child == NULL) {
        refuse(sockets, event->assoc, now_us);
        return;
    }
    child->listener = listener;
    TAILQ_INSERT_TAIL(&listener->queue, child, in_queue);
    listener->queued++;
    mark_changed(listener);
}

static void leave_queue(struct hws_sock *child)
{
    TAILQ_REMOVE(&child->listener->queue, child, in_queue);
    child->listener->queued--;
    child->listener = NULL;
}

int hws_sock_accept(struct hws_sock *sock, struct hws_sock **out)
{
    if (sock->state != HWS_SOCK_LISTENING)
        return -EINVAL;
    struct hws_sock *child = TAILQ_FIRST(&sock->queue);
    if (child == NULL)
        return -EAGAIN;
    leave_queue(child);
    *out = child;
    return 0;
}

/* ---- Connecting ---- */

static int may_connect(const struct hws_sock *sock)
{
    static const int answers[] = {
        [HWS_SOCK_NEW] = 0,
        [HWS_SOCK_BOUND] = 0,
        [HWS_SOCK_LISTENING] = -EOPNOTSUPP,
        [HWS_SOCK_CONNECTING] = -EALREADY,
        [HWS_SOCK_CONNECTED] = -EISCONN,
        [HWS_SOCK_OVER] = -EISCONN,
    };
    return answers[sock->state];
}

/* One address that can be reached is enough; otherwise the first one's error. */
static int check_routes(const struct hws_sockets *sockets, const struct hws_addr *remotes,
                        uint32_t count)
{
    int first = 0;
    for (uint32_t i = 0; i < count; i++) {
        int rc = sockets->host.check_route(sockets->host.arg, &remotes[i]);
        if (rc == 0)
            return 0;
        if (i == 0)
            first = rc;
    }
    return first;
}

int hws_sock_connect(struct hws_sock *sock, const struct hws_addr *remotes, uint32_t count,
                     uint16_t port, uint64_t now_us)
{
    struct hws_sockets *sockets = sock->sockets;
    int rc = may_connect(sock);
    if (rc == 0 && (count == 0 || any_wildcard(remotes, count) || port == 0))
        rc = -EINVAL;
    if (rc == 0)
        rc = check_routes(sockets, remotes, count);
    if (rc == 0)
        rc = bind_if_new(sock);
    if (rc < 0)
        return rc;
    hws_assoc_id id;
    rc = hws_assoc_connect(sockets->engine, sock->endpoint, remotes, count, port, now_us, &id);
    if (rc < 0)
        return -hws_sock_errno(rc);
    if (set_assoc(sock, id) < 0) {
        hws_assoc_release(sockets->engine, id, now_us);
        return -ENOMEM;
    }
    sock->state = HWS_SOCK_CONNECTING;
    return -EINPROGRESS;
}

int hws_sock_connect_result(struct hws_sock *sock)
{
    if (sock->state == HWS_SOCK_CONNECTED)
        return 0;
    if (sock->state == HWS_SOCK_CONNECTING)
        return -EINPROGRESS;
    int error = hws_sock_take_error(sock);
    if (sock->state != HWS_SOCK_OVER)
        return -ENOTCONN;
    return error != 0 ? -error : sock->params.probe ? 0 : -ENOTCONN;
}

/* ---- What the engine reports ---- */

static void on_over(struct hws_sock *sock, int reason)
{
    if (sock->state == HWS_SOCK_OVER)
        return;
    sock->error = hws_sock_errno(reason);
    if (sock->state == HWS_SOCK_CONNECTING && sock->error == 0 && !sock->params.probe)
        sock->error = ECONNREFUSED;
    sock->state = HWS_SOCK_OVER;
    sock->shut = true;
}

/* The peer goes on sending to a closed socket until its own end: what comes is thrown away, so
 * that the window stays open and the association can end (9.2). */
static void drain(struct hws_sock *sock, uint64_t now_us)
{
    uint8_t scrap[4096];
    size_t len;
    struct hws_rcvinfo info;
    while (hws_assoc_recv(sock->sockets->engine, sock->assoc, scrap, sizeof(scrap), &len, &info,
                          now_us) == HWS_OK)
        ;
}

static void on_orphan_event(struct hws_sock *sock, const struct hws_event *event, uint64_t now_us)
{
    if (event->type == HWS_EVENT_DOWN)
        destroy(sock, now_us);
    else if (event->type == HWS_EVENT_READABLE)
        drain(sock, now_us);
}

static void keep_path_event(struct hws_sock *sock, const struct hws_event *event)
{
    if (sock->path_event_count == HWS_SOCK_PATH_EVENTS_MAX)
        drop_path_event(sock);
    struct hws_sock_path_event *kept = hws_pool_zalloc(&sock->sockets->pool, sizeof(*kept));
    if (kept == NULL)
        return;
    kept->type = event->type;
    kept->remote = event->remote;
    TAILQ_INSERT_TAIL(&sock->path_events, kept, in_queue);
    sock->path_event_count++;
}

void hws_sock_want_path_events(struct hws_sock *sock, bool want)
{
    sock->wants_path_events = want;
    while (!want && sock->path_event_count > 0)
        drop_path_event(sock);
}

int hws_sock_path_event(struct hws_sock *sock, struct hws_sock_path_event *out)
{
    if (sock->path_event_count == 0)
        return -EAGAIN;
    *out = *TAILQ_FIRST(&sock->path_events);
    drop_path_event(sock);
    return 0;
}

static void on_event(struct hws_sock *sock, const struct hws_event *event)
{
    switch (event->type) {
    case HWS_EVENT_PATH_CONFIRMED:
    case HWS_EVENT_PATH_FAILING:
    case HWS_EVENT_PATH_DOWN:
    case HWS_EVENT_PATH_UP:
        if (!sock->wants_path_events)
            return;
        keep_path_event(sock, event);
        break;
    case HWS_EVENT_UP:
        sock->state = HWS_SOCK_CONNECTED;
        sock->writable = true;
        break;
    case HWS_EVENT_READABLE:
        sock->readable = true;
        break;
    case HWS_EVENT_WRITABLE:
        sock->writable = true;
        break;
    case HWS_EVENT_PEER_SHUTDOWN:
        sock->shut = true;
        break;
    case HWS_EVENT_DOWN:
        on_over(sock, event->reason);
        break;
    default:
        return;
    }
    mark_changed(sock);
}

void hws_sockets_event(struct hws_sockets *sockets, const struct hws_event *event, uint64_t now_us)
{
    struct hws_sock *sock = find_assoc(sockets, event->assoc);
    if (sock == NULL) {
        if (event->type == HWS_EVENT_UP && event->passive)
            on_passive_up(sockets, event, now_us);
    } else if (sock->orphaned) {
        on_orphan_event(sock, event, now_us);
    } else {
        on_event(sock, event);
    }
}

bool hws_sockets_dispatch(struct hws_sockets *sockets)
{
    bool called = false;
    struct hws_sock *sock;
    while ((sock = TAILQ_FIRST(&sockets->changed)) != NULL) {
        forget_changed(sock);
        unsigned ready = hws_sock_ready(sock);
        if (ready == 0 || sock->callback == NULL)
            continue;
        sock->callback(sock, ready, sock->callback_arg);
        called = true;
    }
    return called;
}

unsigned hws_sock_ready(const struct hws_sock *sock)
{
    unsigned events = sock->path_event_count > 0 ? HWS_SOCK_PATH_EVENT : 0;
    switch (sock->state) {
    case HWS_SOCK_LISTENING:
        return sock->queued > 0 ? HWS_SOCK_READABLE : 0;
    case HWS_SOCK_CONNECTED:
        return (sock->readable ? HWS_SOCK_READABLE : 0) |
               (sock->writable && !sock->shut ? HWS_SOCK_WRITABLE : 0) | events;
    case HWS_SOCK_OVER:
        return HWS_SOCK_READABLE | HWS_SOCK_CLOSED | events;
    default:
        return events;
    }
}

void hws_sock_set_callback(struct hws_sock *sock, hws_sock_callback callback, void *arg)
{
    forget_changed(sock);
    sock->callback = callback;
    sock->callback_arg = arg;
    if (hws_sock_ready(sock) != 0)
        mark_changed(sock);
}

/* ---- Data ---- */

int hws_sock_take_error(struct hws_sock *sock)
{
    int error = sock->error;
    sock->error = 0;
    return error;
}

static int may_send(struct hws_sock *sock)
{
    if (sock->state < HWS_SOCK_CONNECTING)
        return -ENOTCONN;
    if (sock->state != HWS_SOCK_OVER && !sock->shut)
        return 0;
    int error = hws_sock_take_error(sock);
    return error != 0 ? -error : -EPIPE;
}

int hws_sock_send(struct hws_sock *sock, const struct hws_sndinfo *info,
                  const struct hws_iovec *iov, size_t iov_count, uint64_t now_us)
{
    int rc = may_send(sock);
    if (rc < 0)
        return rc;
    rc = hws_assoc_send(sock->sockets->engine, sock->assoc, info, iov, iov_count, now_us);
    if (rc == HWS_E_AGAIN)
        sock->writable = false;
    return -hws_sock_errno(rc);
}

int hws_sock_recv(struct hws_sock *sock, void *buf, size_t capacity, size_t *len,
                  struct hws_rcvinfo *info, uint64_t now_us)
{
    *len = 0;
    if (sock->state < HWS_SOCK_CONNECTED)
        return -ENOTCONN;
    int rc = hws_assoc_recv(sock->sockets->engine, sock->assoc, buf, capacity, len, info, now_us);
    if (rc == HWS_OK)
        return 0;
    if (rc == HWS_E_AGAIN)
        sock->readable = false;
    if (rc == HWS_E_AGAIN || rc == HWS_E_INVAL)
        return -hws_sock_errno(rc);
    on_over(sock, rc);
    return -hws_sock_take_error(sock);
}

/* ---- The end ---- */

int hws_sock_shutdown(struct hws_sock *sock, uint64_t now_us)
{
    if (sock->state != HWS_SOCK_CONNECTED)
        return -ENOTCONN;
    sock->shut = true;
    return -hws_sock_errno(hws_assoc_shutdown(sock->sockets->engine, sock->assoc, now_us));
}

int hws_sock_abort(struct hws_sock *sock, const void *reason, size_t reason_len, uint64_t now_us)
{
    if (sock->state != HWS_SOCK_CONNECTING && sock->state != HWS_SOCK_CONNECTED)
        return -ENOTCONN;
    return -hws_sock_errno(
        hws_assoc_abort(sock->sockets->engine, sock->assoc, reason, reason_len, now_us));
}

static bool has_unread(struct hws_sock *sock, uint64_t now_us)
{
    uint8_t byte;
    size_t len;
    struct hws_rcvinfo info;
    return hws_assoc_recv(sock->sockets->engine, sock->assoc, &byte, sizeof(byte), &len, &info,
                          now_us) == HWS_OK;
}

static bool ends_in_background(struct hws_sock *sock, uint64_t now_us)
{
    return sock->state == HWS_SOCK_CONNECTED && !has_unread(sock, now_us) &&
           hws_assoc_shutdown(sock->sockets->engine, sock->assoc, now_us) == HWS_OK;
}

static void abort_queued(struct hws_sock *child, uint64_t now_us)
{
    leave_queue(child);
    hws_sock_abort(child, NULL, 0, now_us);
    destroy(child, now_us);
}

void hws_sock_close(struct hws_sock *sock, uint64_t now_us)
{
    if (sock->listener != NULL)
        leave_queue(sock);
    while (!TAILQ_EMPTY(&sock->queue))
        abort_queued(TAILQ_FIRST(&sock->queue), now_us);
    hws_sock_set_callback(sock, NULL, NULL);
    if (ends_in_background(sock, now_us)) {
        sock->orphaned = true;
        return;
    }
    if (sock->state == HWS_SOCK_CONNECTING || sock->state == HWS_SOCK_CONNECTED)
        hws_sock_abort(sock, NULL, 0, now_us);
    destroy(sock, now_us);
}

/* ---- Paths ---- */

int hws_sock_find_path(const struct hws_sock *sock, const struct hws_addr *remote, uint16_t port,
                       uint32_t *index)
{
    const struct hws_engine *engine = sock->sockets->engine;
    struct hws_assoc_status status;
    struct hws_path_status path;
    if (sock->assoc == 0 || hws_assoc_status(engine, sock->assoc, &status) < 0)
        return -ENOTCONN;
    for (uint32_t i = 0; i < status.path_count && port == status.remote_port; i++) {
        if (hws_assoc_path_status(engine, sock->assoc, i, &path) == 0 &&
            hws_addr_same(&path.remote, remote)) {
            *index = i;
            return 0;
        }
    }
    return -EINVAL;
}

void hws_sockets_visit_paths(struct hws_sockets *sockets,
                             void (*visit)(void *arg, hws_assoc_id assoc,
                                           const struct hws_addr *remote),
                             void *arg)
{
    const struct hws_sock *sock;
    struct hws_assoc_status status;
    struct hws_path_status path;
    TAILQ_FOREACH(sock, &sockets->all, in_all)
    {
        if (sock->assoc == 0 || sock->state == HWS_SOCK_OVER ||
            hws_assoc_status(sockets->engine, sock->assoc, &status) < 0)
            continue;
        for (uint32_t i = 0; i < status.path_count; i++) {
            if (hws_assoc_path_status(sockets->engine, sock->assoc, i, &path) == HWS_OK)
                visit(arg, sock->assoc, &path.remote);
        }
    }
}

uint16_t hws_sock_port(const struct hws_sock *sock)
{
    return sock->port != NULL ? sock->port->port : 0;
}
