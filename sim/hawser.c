/* hawser's engine as the stack of a host. */
#include <stdio.h>

#include "proto/packet.h"
#include "sim/env.h"
#include "sim/memory.h"
#include "sim/stack.h"
#include "stack/extend.h"

/* A train is as long as a link with segmentation offload would take it. */
#define TRAIN_PACKETS_MAX 64u
#define TRAIN_BYTES (2u * HWS_PACKET_MAX_LEN)
#define IOV_MAX_COUNT (HWS_LIMIT_MESSAGE_BYTES / sizeof sim_app_filler + 2)
/* What a packet costs the receiver beside its bytes, as on a real host. */
#define TRUESIZE_OVERHEAD_BYTES 256u

struct hawser {
    struct sim_stack base;
    struct sim_env env;
    struct hws_engine *engine;
    struct hws_iovec *iov;
};

static struct hawser *of(struct sim_stack *stack)
{
    return (struct hawser *)stack;
}

/* Whether `name` is a word of `list`, which is separated by blanks. */
static bool has_word(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; *at != '\0'; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == len && strncmp(at, name, len) == 0)
            return true;
    return false;
}

/* Those that the scenario names for the host, or all that there are. */
static size_t choose_extensions(struct sim_node *node, const struct hws_extension **out)
{
    const struct sim_settings *settings = node->run->settings;
    const char *names = node->config->extensions;
    size_t count = 0;
    for (size_t i = 0; i < settings->extension_count && count < HWS_EXT_MAX; i++)
        if (names == NULL || has_word(names, settings->extensions[i]->name))
            out[count++] = settings->extensions[i];
    return count;
}

/* Every extension that the scenario names has to be there. */
static void check_extensions(struct sim_node *node)
{
    const struct sim_settings *settings = node->run->settings;
    const char *names = node->config->extensions;
    if (names == NULL || strcmp(names, "none") == 0)
        return;
    for (const char *at = names; *at != '\0'; at += strcspn(at, " "), at += strspn(at, " ")) {
        size_t i = 0, len = strcspn(at, " ");
        while (i < settings->extension_count &&
               (strncmp(settings->extensions[i]->name, at, len) != 0 ||
                settings->extensions[i]->name[len] != '\0'))
            i++;
        if (i == settings->extension_count)
            sim_run_fail(node->run,
                         "host %s: there is no extension '%.*s'; --extension FILE loads one",
                         node->config->name, (int)len, at);
    }
}

static struct sim_stack *hawser_open(struct sim_node *node, uint64_t seed)
{
    struct hawser *h = sim_new(1, sizeof *h);
    sim_stack_init(&h->base, &sim_stack_hawser, node);
    sim_env_init(&h->env, seed);
    check_extensions(node);
    char why[HWS_EXTENSION_ERROR_MAX] = "no memory for the engine";
    const struct hws_extension *extensions[HWS_EXT_MAX];
    const struct hws_engine_config config = {
        .env = sim_env_make(&h->env),
        .ignore_checksum = true, /* nothing corrupts packets here */
        .extensions = extensions,
        .extension_count = choose_extensions(node, extensions),
    };
    if (node->run->error.text[0] == '\0' &&
        hws_extensions_check(extensions, config.extension_count, why) == HWS_OK)
        h->engine = hws_engine_new(&config);
    h->iov = sim_new(IOV_MAX_COUNT, sizeof *h->iov);
    if (h->engine == NULL)
        sim_run_fail(node->run, "host %s: %s", node->config->name, why);
    else
        SIM_TELL(node->run, engine, node, h->engine);
    return &h->base;
}

static void hawser_close(struct sim_stack *stack)
{
    struct hawser *h = of(stack);
    hws_engine_free(h->engine);
    sim_stack_fini(stack);
    free(h->iov);
    free(h);
}

/* The addresses of `of` that a host can reach, as many as an association can have. */
static size_t reachable(const struct sim_node *from, const struct sim_node *of,
                        struct hws_addr out[HWS_LIMIT_PATHS])
{
    size_t count = 0;
    for (uint32_t i = 0; i < of->interface_count && count < HWS_LIMIT_PATHS; i++)
        if (sim_route_find(from, &of->interfaces[i].addr) != NULL)
            out[count++] = of->interfaces[i].addr;
    return count;
}

/* ---- Why an endpoint is refused ---- */

typedef const char *name_at_fn(const struct hws_engine *e, size_t index);

/* Whether the engine has what the association names, NULL being the default; else what it has is
 * told. */
static bool name_known(const struct sim_stack *stack, const struct sim_end *end, const char *key,
                       const char *name, name_at_fn *at)
{
    const struct hws_engine *e = of((struct sim_stack *)stack)->engine;
    char names[256];
    size_t len = 0;
    names[0] = '\0';
    for (size_t i = 0; at(e, i) != NULL; i++) {
        if (name == NULL || strcmp(at(e, i), name) == 0)
            return true;
        if (len < sizeof names)
            len += (size_t)snprintf(names + len, sizeof names - len, " %s", at(e, i));
    }
    sim_run_fail(stack->node->run,
                 "association %s: host %s has no %s '%s', but%s; --extension FILE loads others",
                 end->association->name, stack->node->config->name, key, name, names);
    return false;
}

static void tell_refused(const struct sim_stack *stack, const struct sim_end *end, int rc)
{
    const struct hws_params *p = &end->association->params[end->side];
    if (name_known(stack, end, "cc", p->cc, hws_cc_name) &&
        name_known(stack, end, "sched", p->sched, hws_sched_name) &&
        name_known(stack, end, "pathsel", p->pathsel, hws_pathsel_name))
        sim_run_fail(stack->node->run,
                     "association %s: the parameters of its %s side are not allowed together (%s)",
                     end->association->name, end->side == 0 ? "from" : "to", hws_error_name(rc));
}

static bool hawser_bind(struct sim_stack *stack, struct sim_end *end)
{
    struct hawser *h = of(stack);
    struct hws_addr locals[HWS_LIMIT_PATHS];
    const struct hws_endpoint_config config = {
        .port = sim_end_port(end),
        .locals = locals,
        .local_count = reachable(end->peer->node, stack->node, locals),
        .listening = end->side == 1,
        .params = &end->association->params[end->side],
    };
    hws_endpoint_id id;
    int rc = hws_endpoint_new(h->engine, &config, &id);
    end->id = id;
    if (rc != HWS_OK)
        tell_refused(stack, end, rc);
    return rc == HWS_OK;
}

static bool hawser_connect(struct sim_stack *stack, struct sim_end *end)
{
    struct hws_addr remotes[HWS_LIMIT_PATHS];
    size_t count = reachable(stack->node, end->peer->node, remotes);
    hws_assoc_id id = 0;
    int rc = hws_assoc_connect(of(stack)->engine, end->id, remotes, count, sim_end_port(end->peer),
                               sim_stack_now_us(stack), &id);
    if (rc != HWS_OK)
        sim_run_fail(stack->node->run, "association %s cannot connect: %s", end->association->name,
                     hws_error_name(rc));
    end->id = id;
    sim_stack_wake(stack);
    return rc == HWS_OK;
}

static void hawser_shutdown(struct sim_stack *stack, struct sim_end *end)
{
    hws_assoc_shutdown(of(stack)->engine, end->id, sim_stack_now_us(stack));
    sim_stack_wake(stack);
}

static void take_lent(struct hawser *h)
{
    void *lent;
    while (hws_engine_lent_done(h->engine, &lent))
        sim_app_sent(lent, h->base.node->run);
}

static void hawser_input(struct sim_stack *stack, const struct sim_packet *packets, uint32_t count)
{
    struct hws_packet_in in[SIM_BATCH_MAX];
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_packet *p = &packets[i];
        in[i] = (struct hws_packet_in){.data = p->data,
                                       .len = p->len,
                                       .truesize = p->len + TRUESIZE_OVERHEAD_BYTES,
                                       .buf = p->buf,
                                       .src = p->route->src,
                                       .dst = p->route->dst,
                                       .rx_time_us = SIM_EPOCH_US + p->at_ns / 1000};
    }
    hws_engine_input(of(stack)->engine, in, count, sim_stack_now_us(stack));
    take_lent(of(stack));
}

/* ---- Events ---- */

static struct sim_end *end_of(struct hawser *h, const struct hws_event *event)
{
    struct hws_assoc_status status;
    if (hws_assoc_status(h->engine, event->assoc, &status) != HWS_OK)
        return NULL;
    return sim_end_of_port(h->base.node->run, status.local_port);
}

/* As a link does: with the MTU and the source address of the route to the new path. */
static void tell_route(struct hawser *h, const struct hws_event *event)
{
    const struct sim_route *route = sim_route_find(h->base.node, &event->remote);
    if (route == NULL)
        return;
    struct hws_net_event mtu = {.kind = HWS_NET_MTU,
                                .assoc = event->assoc,
                                .local = route->src,
                                .remote = event->remote,
                                .mtu = route->mtu};
    hws_engine_net_event(h->engine, &mtu, sim_stack_now_us(&h->base));
}

static void read_all(struct hawser *h, struct sim_end *end)
{
    struct hws_recv_view view;
    while (hws_assoc_recv_view(h->engine, end->id, &view) == HWS_OK) {
        bool ends = (view.info.flags & HWS_RECV_EOR) != 0;
        for (size_t i = 0; i < view.iov_count; i++)
            sim_app_received(end, view.info.sid, view.iov[i].base, view.iov[i].len,
                             ends && i + 1 == view.iov_count);
        hws_recv_view_release(h->engine, &view);
    }
}

static void take_event(struct hawser *h, const struct hws_event *event)
{
    if (event->type == HWS_EVENT_PATH_NEW) {
        tell_route(h, event);
        return;
    }
    struct sim_end *end = end_of(h, event);
    if (end == NULL)
        return;
    end->id = event->assoc;
    switch (event->type) {
    case HWS_EVENT_UP:
        sim_app_up(end);
        break;
    case HWS_EVENT_READABLE:
        read_all(h, end);
        break;
    case HWS_EVENT_WRITABLE:
        sim_app_writable(end);
        break;
    case HWS_EVENT_DOWN:
        read_all(h, end);
        sim_app_down(end);
        break;
    default:
        break;
    }
}

static void send_train(struct hawser *h, const struct hws_train *train, struct hws_buf *buf)
{
    struct sim_stack *stack = &h->base;
    const struct sim_route *route = sim_route_find(stack->node, &train->dst);
    for (uint32_t at = 0; at < train->len && route != NULL; at += train->segment_len) {
        uint32_t left = train->len - at;
        sim_stack_send(stack, route, hws_buf_ref(buf), train->data + at,
                       left < train->segment_len ? left : train->segment_len, train->tos);
    }
}

static void output(struct hawser *h)
{
    struct sim_arena *arena = &h->base.node->run->arena;
    struct hws_buf *buf;
    struct hws_train train;
    for (;;) {
        train = (struct hws_train){.data = sim_arena_room(arena, TRAIN_BYTES, &buf),
                                   .capacity = TRAIN_BYTES,
                                   .max_packets = TRAIN_PACKETS_MAX};
        if (!hws_engine_output(h->engine, &train, sim_stack_now_us(&h->base)))
            return;
        sim_arena_used(arena, train.len);
        send_train(h, &train, buf);
    }
}

static void hawser_run(struct sim_stack *stack)
{
    struct hawser *h = of(stack);
    uint64_t now_us = sim_stack_now_us(stack);
    if (hws_engine_deadline(h->engine) <= now_us) {
        hws_engine_expire(h->engine, now_us);
        take_lent(h);
    }
    struct hws_event event;
    while (hws_engine_event(h->engine, &event))
        take_event(h, &event);
    output(h);
}

static uint64_t hawser_deadline_ns(struct sim_stack *stack)
{
    uint64_t deadline_us = hws_engine_deadline(of(stack)->engine);
    if (deadline_us == UINT64_MAX)
        return SIM_NEVER;
    return deadline_us <= SIM_EPOCH_US ? 0 : (deadline_us - SIM_EPOCH_US) * 1000;
}

/* ---- The application's side ---- */

static size_t message_iov(struct hawser *h, struct sim_message *m)
{
    size_t count = 0;
    h->iov[count++] = (struct hws_iovec){&m->id, sizeof m->id};
    for (uint32_t left = m->size_bytes - (uint32_t)sizeof m->id; left > 0;) {
        uint32_t part = left < sizeof sim_app_filler ? left : (uint32_t)sizeof sim_app_filler;
        h->iov[count++] = (struct hws_iovec){sim_app_filler, part};
        left -= part;
    }
    return count;
}

static enum sim_send hawser_send(struct sim_stack *stack, struct sim_end *end,
                                 struct sim_message *m)
{
    struct hawser *h = of(stack);
    const struct sim_scenario_workload *config = m->workload->config;
    const struct hws_sndinfo info = {.sid = m->stream,
                                     .flags = config->unordered ? HWS_SEND_UNORDERED : 0,
                                     .ppid = (uint32_t)config->ppid,
                                     .path = (uint8_t)config->path};
    int rc = hws_assoc_send_lent(h->engine, end->id, &info, h->iov, message_iov(h, m), m,
                                 sim_stack_now_us(stack));
    if (rc == HWS_OK)
        return SIM_SEND_TAKEN;
    if (rc != HWS_E_AGAIN && rc != HWS_E_SHUTDOWN && rc != HWS_E_NOENT)
        sim_run_fail(stack->node->run, "association %s: send says %s", end->association->name,
                     hws_error_name(rc));
    return rc == HWS_E_AGAIN ? SIM_SEND_LATER : SIM_SEND_NEVER;
}

static bool hawser_sample(struct sim_stack *stack, struct sim_end *end, uint32_t path,
                          struct sim_path_sample *out)
{
    struct hws_path_status s;
    if (hws_assoc_path_status(of(stack)->engine, end->id, path, &s) != HWS_OK)
        return false;
    *out = (struct sim_path_sample){.cwnd_bytes = s.cwnd,
                                    .ssthresh_bytes = s.ssthresh,
                                    .flight_bytes = s.flight_bytes,
                                    .srtt_us = s.srtt_us,
                                    .rto_us = s.rto_us,
                                    .mtu_bytes = s.mtu,
                                    .active = s.active};
    return true;
}

static uint64_t hawser_retransmits(struct sim_stack *stack, struct sim_end *end)
{
    struct hws_assoc_counts counts = {0};
    hws_assoc_counts(of(stack)->engine, end->id, &counts);
    return counts.retransmits;
}

const struct sim_stack_ops sim_stack_hawser = {
    .name = "hawser",
    .open = hawser_open,
    .close = hawser_close,
    .bind = hawser_bind,
    .connect = hawser_connect,
    .shutdown = hawser_shutdown,
    .input = hawser_input,
    .run = hawser_run,
    .deadline_ns = hawser_deadline_ns,
    .send = hawser_send,
    .sample = hawser_sample,
    .retransmits = hawser_retransmits,
};
