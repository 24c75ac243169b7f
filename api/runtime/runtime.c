#include "api/runtime/runtime.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/link/local.h"
#include "api/link/netwatch_linux.h"
#include "api/link/port_claim_linux.h"
#include "api/runtime/env.h"
#include "api/runtime/loop.h"

/* Receive batches before other handles of the loop get their turn. */
#define BATCHES_PER_WAKE 8u
/* Who has sent so much looks whether there are SACKs, even when it could go on: else the window
 * fills up and both sides wait for each other, in turn. */
#define HEAR_BYTES (256u << 10)
/* How often hws_runtime_finish looks whether another thread has finished. */
#define FINISH_STEP_US 10000u

/* ---- Changes of the network ---- */

/* An interface that comes or goes is told in many messages: after so long all have come. */
#define NETWATCH_DELAY_MS 50u
/* Who binds many sockets in a row asks this seldom. */
#define LOOK_AGAIN_US 1000u

static void on_path(void *arg, hws_assoc_id assoc, const struct hws_addr *remote)
{
    struct hws_runtime *runtime = arg;
    hws_driver_tell_route(&runtime->driver, assoc, remote, hws_env_now_us());
}

/* Sockets bound to the wildcard tell their peers of them (RFC 9260, 5.1.2): of those whose family
 * the link has, since at others nobody would answer. */
static void tell_host_addresses(struct hws_runtime *runtime)
{
    struct hws_link *link = runtime->driver.link;
    struct hws_addr host[HWS_LIMIT_HOST_ADDRESSES];
    int listed = hws_local_list(host, HWS_LIMIT_HOST_ADDRESSES);
    size_t count = 0;
    for (int i = 0; i < listed; i++) {
        if (host[i].family == HWS_FAMILY_IPV6 ? link->ipv6 : link->ipv4)
            host[count++] = host[i];
    }
    if (listed >= 0)
        hws_engine_set_host_addresses(runtime->engine, host, count);
}

static void look_at_network(struct hws_runtime *runtime)
{
    hws_netwatch_drain(runtime->netwatch);
    tell_host_addresses(runtime);
    hws_sockets_visit_paths(&runtime->sockets, on_path, runtime);
}

/* ---- Running ---- */

/* A link without descriptors (memory) cannot wake its other end: as long as it sends something, the
 * loop goes round once more without sleeping. */
static bool sent_without_descriptor(struct hws_runtime *runtime)
{
    struct hws_link *link = runtime->driver.link;
    if (runtime->fd_count > 0)
        return false;
    uint64_t sent_packets = link->ops->stats(link)->tx_packets;
    bool more = sent_packets != runtime->sent_packets;
    runtime->sent_packets = sent_packets;
    return more;
}

/* What is left after the last batch may lie in the link already (one UDP_GRO message holds many
 * packets), where no descriptor shows it: `unread` brings us back at once. */
static void receive_some(struct hws_runtime *runtime, uint64_t now_us)
{
    size_t count = HWS_DRIVER_BATCH;
    runtime->heard_bytes = hws_engine_stats(runtime->engine)->bytes_out;
    for (unsigned i = 0; i < BATCHES_PER_WAKE && count == HWS_DRIVER_BATCH; i++) {
        if (i > 0)
            now_us = hws_env_now_us();
        count = hws_driver_input(&runtime->driver, now_us);
        runtime->more = hws_driver_run(&runtime->driver, now_us);
    }
    runtime->unread = count == HWS_DRIVER_BATCH || sent_without_descriptor(runtime);
}

static bool should_receive(const struct hws_runtime *runtime)
{
    uint64_t sent_bytes = hws_engine_stats(runtime->engine)->bytes_out - runtime->heard_bytes;
    return runtime->unread || runtime->fd_count == 0 || sent_bytes >= HEAR_BYTES;
}

void hws_runtime_work(struct hws_runtime *runtime, bool input, bool netwatch)
{
    uint64_t now_us = hws_env_now_us();
    if (netwatch && runtime->netwatch_due_us == UINT64_MAX)
        runtime->netwatch_due_us = now_us + NETWATCH_DELAY_MS * 1000u;
    if (runtime->netwatch_due_us <= now_us) {
        runtime->netwatch_due_us = UINT64_MAX;
        look_at_network(runtime);
    }
    if (input || should_receive(runtime))
        receive_some(runtime, now_us);
    else
        runtime->more = hws_driver_run(&runtime->driver, now_us);
    if (runtime->settle != NULL)
        runtime->settle(runtime);
}

void hws_runtime_work_in_turn(struct hws_runtime *runtime)
{
    if (hws_driving_caller_will_ask(&runtime->driving))
        runtime->more = true;
    else
        hws_runtime_work(runtime, false, false);
}

uint64_t hws_runtime_deadline(const struct hws_runtime *runtime)
{
    uint64_t deadline_us = hws_engine_deadline(runtime->engine);
    if (runtime->more || runtime->unread)
        return 0;
    return deadline_us < runtime->netwatch_due_us ? deadline_us : runtime->netwatch_due_us;
}

bool hws_runtime_give_back(struct hws_runtime *runtime)
{
    struct hws_sock_release lent;
    bool any = false;
    while (!runtime->over && hws_sockets_released(&runtime->sockets, &lent)) {
        hws_driving_unlock(&runtime->driving);
        lent.release(lent.arg);
        hws_driving_lock(&runtime->driving);
        any = true;
    }
    return any;
}

void hws_runtime_leave(struct hws_runtime *runtime)
{
    hws_runtime_give_back(runtime);
    hws_driving_rearm(&runtime->driving);
    hws_driving_unlock(&runtime->driving);
}

int hws_runtime_start(struct hws_runtime *runtime)
{
    return runtime->loop == NULL ? hws_driving_start(&runtime->driving, !runtime->caller_drives)
                                 : -EINVAL;
}

/* ---- What the sockets and the driver call ---- */

/* An address may have come a moment ago: who binds now is to have it. */
static void look_before_binding(struct hws_runtime *runtime)
{
    struct pollfd netwatch = {.fd = runtime->netwatch, .events = POLLIN};
    uint64_t now_us = hws_env_now_us();
    if (now_us < runtime->looked_us + LOOK_AGAIN_US)
        return;
    runtime->looked_us = now_us;
    if (poll(&netwatch, 1, 0) > 0)
        tell_host_addresses(runtime);
}

static int host_add_port(void *arg, uint16_t port)
{
    look_before_binding(arg);
    struct hws_link *link = ((struct hws_runtime *)arg)->driver.link;
    return link->ops->add_port(link, port);
}

static void host_remove_port(void *arg, uint16_t port)
{
    struct hws_link *link = ((struct hws_runtime *)arg)->driver.link;
    link->ops->remove_port(link, port);
}

static int host_check_local(void *arg, const struct hws_addr *local)
{
    /* A link without descriptors has addresses of its own. */
    return ((struct hws_runtime *)arg)->fd_count > 0 ? hws_local_check(local) : 0;
}

static int host_check_port(void *arg, uint16_t port)
{
    return ((struct hws_runtime *)arg)->fd_count > 0 ? hws_port_check(port) : 0;
}

static int host_check_route(void *arg, const struct hws_addr *remote)
{
    struct hws_link *link = ((struct hws_runtime *)arg)->driver.link;
    return link->ops->route(link, remote, NULL, NULL);
}

static void host_event(void *arg, const struct hws_event *event, uint64_t now_us)
{
    hws_sockets_event(&((struct hws_runtime *)arg)->sockets, event, now_us);
}

static bool host_dispatch(void *arg)
{
    return hws_sockets_dispatch(&((struct hws_runtime *)arg)->sockets);
}

/* ---- Making one ---- */

static int init_engine(struct hws_runtime *runtime, const struct hws_runtime_part *part)
{
    int rc = hws_env_init(&runtime->env);
    if (rc < 0)
        return rc;
    struct hws_engine_config config = {
        .env = runtime->env,
        .own_host = part->own_host,
        .shard = part->shard,
        .extensions = part->extensions,
        .extension_count = part->extension_count,
    };
    runtime->engine = hws_engine_new(&config);
    if (runtime->engine == NULL) {
        hws_env_fini(&runtime->env);
        return -ENOMEM;
    }
    runtime->driver.engine = runtime->engine;
    runtime->driver.host =
        (struct hws_driver_host){.arg = runtime, .event = host_event, .dispatch = host_dispatch};
    const struct hws_sockets_host host = {.arg = runtime,
                                          .add_port = host_add_port,
                                          .remove_port = host_remove_port,
                                          .check_local = host_check_local,
                                          .check_route = host_check_route,
                                          .check_port = host_check_port,
                                          .shard = part->shard};
    hws_sockets_init(&runtime->sockets, runtime->engine, &runtime->env, &host);
    return 0;
}

/* A link without descriptors has a network of its own. */
static void init_link(struct hws_runtime *runtime, struct hws_link *link)
{
    int fds[HWS_LINK_MAX_FDS];
    runtime->driver.link = link;
    runtime->fd_count = link->ops->fds(link, fds);
    hws_engine_set_receive_budget(runtime->engine, link->ops->stats(link)->rx_buffer_bytes);
    runtime->netwatch = runtime->fd_count > 0 ? hws_netwatch_open() : -1;
    if (runtime->fd_count > 0)
        tell_host_addresses(runtime);
}

int hws_runtime_open(struct uv_loop_s *loop, struct hws_link *link,
                     const struct hws_runtime_part *part, struct hws_runtime **out)
{
    struct hws_runtime *runtime = calloc(1, sizeof(*runtime));
    int rc = runtime != NULL ? init_engine(runtime, part) : -ENOMEM;
    if (rc < 0) {
        link->ops->close(link);
        free(runtime);
        return rc;
    }
    runtime->netwatch_due_us = UINT64_MAX;
    runtime->refs = 1;
    runtime->process = hws_process_id();
    TAILQ_INIT(&runtime->handles);
    TAILQ_INIT(&runtime->changed);
    init_link(runtime, link);
    hws_driving_init(&runtime->driving, runtime);
    if (loop != NULL)
        rc = hws_loop_start(runtime, loop);
    if (rc < 0)
        hws_runtime_free(runtime);
    else
        *out = runtime;
    return rc;
}

/* ---- Its end ---- */

void hws_runtime_ref(struct hws_runtime *runtime)
{
    __atomic_add_fetch(&runtime->refs, 1, __ATOMIC_RELAXED);
}

void hws_runtime_unref(struct hws_runtime *runtime)
{
    if (__atomic_sub_fetch(&runtime->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    hws_driving_fini(&runtime->driving);
    free(runtime);
}

/* Calls that are in it find their sockets gone. */
static void send_calls_away(struct hws_runtime *runtime)
{
    hws_driving_lock(&runtime->driving);
    runtime->over = true;
    if (runtime->detach != NULL)
        runtime->detach(runtime);
    hws_driving_unlock(&runtime->driving);
    hws_driving_stop(&runtime->driving);
}

static void free_engine(struct hws_runtime *runtime)
{
    uint64_t now_us = hws_env_now_us();
    hws_sockets_fini(&runtime->sockets, now_us);
    hws_engine_abort_all(runtime->engine, now_us);
    hws_driver_run(&runtime->driver, now_us);
    hws_engine_free(runtime->engine);
    hws_env_fini(&runtime->env);
}

void hws_runtime_free(struct hws_runtime *runtime)
{
    if (runtime == NULL || runtime->process != hws_process_id())
        return;
    struct hws_link *link = runtime->driver.link;
    send_calls_away(runtime);
    free_engine(runtime);
    struct hws_loop *loop = runtime->loop;
    if (loop != NULL)
        hws_loop_stop(loop); /* and lets go later */
    link->ops->close(link);
    if (runtime->netwatch >= 0)
        close(runtime->netwatch);
    if (loop == NULL)
        hws_runtime_unref(runtime);
}

void hws_runtime_finish(struct hws_runtime *runtime, uint64_t until_us)
{
    struct hws_waiter waiter = {0};
    struct hws_sock *sock, *next;
    hws_driving_lock(&runtime->driving);
    if (runtime->detach != NULL)
        runtime->detach(runtime);
    for (sock = TAILQ_FIRST(&runtime->sockets.all); sock != NULL; sock = next) {
        next = TAILQ_NEXT(sock, in_all);
        if (!sock->orphaned)
            hws_sock_close(sock, hws_env_now_us());
    }
    hws_runtime_work(runtime, false, false);
    while (hws_sockets_orphans(&runtime->sockets) > 0 && hws_env_now_us() < until_us)
        hws_driving_wait(&runtime->driving, &waiter, hws_env_now_us() + FINISH_STEP_US);
    hws_runtime_leave(runtime);
}

void hws_runtime_set_trace(struct hws_runtime *runtime, hws_driver_trace trace, void *arg)
{
    runtime->driver.trace = trace;
    runtime->driver.trace_arg = arg;
}

void hws_runtime_set_net_trace(struct hws_runtime *runtime, hws_driver_net_trace trace, void *arg)
{
    runtime->driver.net_trace = trace;
    runtime->driver.net_trace_arg = arg;
}

void hws_runtime_set_observer(struct hws_runtime *runtime, const struct hws_observer *observer)
{
    hws_engine_set_observer(runtime->engine, observer);
}
