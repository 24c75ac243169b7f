#include "tests/sim/host.h"

#include "tests/sim/erratic.h"
#include "tests/sim/unruly.h"

#include <stdlib.h>
#include <string.h>

#include "proto/chunk.h"

#define TRAIN_BYTES (4u * HWS_PACKET_MAX_LEN)
/* More trains than any window here can fill: output that does not end is found by this. */
#define TRAINS_MAX 100000u
#define TURNS_MAX 1000u
/* How often the deadline is put to the test, in a million inputs. */
#define PROBE_PPM 100000u

/* An association as it was before a train was built. */
struct before {
    bool exists;
    struct hws_assoc_status assoc;
    struct hws_path_status paths[HWS_LIMIT_PATHS];
};

static struct sim_host *host_of(struct sim_node *node)
{
    return (struct sim_host *)node;
}

static void take_before(const struct sim_host *host, hws_assoc_id id, struct before *out)
{
    memset(out, 0, sizeof *out); /* a path that was no address of the peer's stays so */
    out->exists = hws_assoc_status(host->engine, id, &out->assoc) == HWS_OK;
    if (!out->exists)
        return;
    for (uint32_t i = 0; i < out->assoc.path_count && i < HWS_LIMIT_PATHS; i++)
        hws_assoc_path_status(host->engine, id, i, &out->paths[i]);
}

/* 6.1 A: no new data beyond the peer's window, but for one chunk when nothing is in flight. */
static void check_window(struct sim_host *host, const struct before *was,
                         const struct hws_assoc_status *now)
{
    if (now->unsent_bytes >= was->assoc.unsent_bytes)
        return;
    uint32_t fresh = was->assoc.unsent_bytes - now->unsent_bytes;
    uint32_t allowed = was->assoc.peer_rwnd;
    if (was->assoc.flight_bytes == 0 && allowed < host->config.interface_mtu)
        allowed = host->config.interface_mtu;
    SIM_CHECK(host->node.world, fresh <= allowed,
              "%u bytes of new data sent into a window of %u with %u in flight (6.1 A)", fresh,
              was->assoc.peer_rwnd, was->assoc.flight_bytes);
}

/* 6.1 B: cwnd may be exceeded by less than one packet, which is larger than the MTU when it was cut
 * for an earlier one; 7.2.4, 3 lets the first packet of a fast retransmission go whatever cwnd is.
 */
static void check_cwnd(struct sim_host *host, const struct hws_path_status *was,
                       const struct hws_path_status *now, bool retransmitted, uint32_t packet_bytes)
{
    if (now->flight_bytes <= was->flight_bytes)
        return;
    uint32_t over = now->mtu > packet_bytes ? now->mtu : packet_bytes;
    uint32_t limit = (now->cwnd > was->cwnd ? now->cwnd : was->cwnd) + over;
    if (retransmitted && limit < was->flight_bytes + over)
        limit = was->flight_bytes + over;
    SIM_CHECK(host->node.world, now->flight_bytes <= limit,
              "flight grew from %u to %u bytes with cwnd %u, MTU %u (6.1 B)", was->flight_bytes,
              now->flight_bytes, now->cwnd, now->mtu);
}

static void check_output(struct sim_host *host, hws_assoc_id id, const struct before *was,
                         uint32_t packet_bytes)
{
    struct before now;
    take_before(host, id, &now);
    if (!was->exists || !now.exists)
        return;
    check_window(host, was, &now.assoc);
    bool retransmitted = now.assoc.retransmits != was->assoc.retransmits;
    for (uint32_t i = 0; i < was->assoc.path_count && i < HWS_LIMIT_PATHS; i++)
        check_cwnd(host, &was->paths[i], &now.paths[i], retransmitted, packet_bytes);
}

/* 6.3.2, R1: whenever DATA is outstanding T3-rtx runs. */
static void check_timers(struct sim_host *host)
{
    for (uint32_t i = 0; i < host->assoc_count; i++) {
        struct hws_assoc_status s;
        if (hws_assoc_status(host->engine, host->assocs[i], &s) != HWS_OK)
            continue;
        if (s.state == HWS_STATE_CLOSED || s.unacked_bytes == s.unsent_bytes)
            continue;
        SIM_CHECK(host->node.world, s.timer_armed,
                  "%u bytes outstanding in %s without a timer (6.3.2)",
                  s.unacked_bytes - s.unsent_bytes, hws_assoc_state_name(s.state));
        SIM_CHECK(host->node.world, hws_engine_deadline(host->engine) != UINT64_MAX,
                  "data outstanding but no deadline");
    }
}

static const struct hws_path_status *path_to(const struct before *was, const struct hws_addr *dst)
{
    for (uint32_t i = 0; i < was->assoc.path_count && i < HWS_LIMIT_PATHS; i++)
        if (hws_addr_same(&was->paths[i].remote, dst))
            return &was->paths[i];
    return NULL;
}

static bool has_data(const uint8_t *packet, uint32_t len)
{
    struct hws_tlv_iter it = hws_packet_chunks(packet, len);
    struct hws_tlv chunk;
    while (hws_tlv_next(&it, &chunk))
        if (hws_chunk_type(&chunk) == HWS_CHUNK_DATA)
            return true;
    return false;
}

/* A path MTU probe is a HEARTBEAT with a PAD behind it, and nothing else (RFC 8899, 6.2.1). */
static bool is_probe(const uint8_t *packet, uint32_t len)
{
    struct hws_tlv_iter it = hws_packet_chunks(packet, len);
    struct hws_tlv chunk;
    return hws_tlv_next(&it, &chunk) && hws_chunk_type(&chunk) == HWS_CHUNK_HEARTBEAT &&
           hws_tlv_next(&it, &chunk) && hws_chunk_type(&chunk) == HWS_CHUNK_PAD &&
           !hws_tlv_next(&it, &chunk);
}

/* 5.4: no DATA to an address nobody has confirmed. */
static void check_path_packet(struct sim_host *host, const struct hws_path_status *path,
                              const struct hws_train *train, const uint8_t *packet, uint32_t len)
{
    uint32_t ip_len = len + sim_net_overhead(&train->dst);
    SIM_CHECK(host->node.world, train->may_fragment || ip_len <= path->mtu || is_probe(packet, len),
              "an IP packet of %u bytes on a path with MTU %u", ip_len, path->mtu);
    SIM_CHECK(host->node.world, path->confirmed || !has_data(packet, len),
              "DATA to an unconfirmed address (5.4)");
}

static void check_ip_options(struct sim_host *host, hws_assoc_id id, uint32_t index,
                             const struct hws_train *train)
{
    struct hws_path_params params;
    if (hws_path_params(host->engine, id, index, &params) == HWS_OK)
        SIM_CHECK(host->node.world, train->tos == params.tos && train->ttl == params.ttl,
                  "a packet with another TOS or TTL than its path's");
}

static void check_packet(struct sim_host *host, const struct hws_train *train,
                         const uint8_t *packet, uint32_t len, const struct before *was)
{
    struct sim_world *world = host->node.world;
    struct hws_header header = {0};
    bool whole = hws_header_read(packet, len, &header) && len % 4 == 0;
    SIM_CHECK(world, whole, "a packet of %u bytes", len);
    uint32_t ip_len = len + sim_net_overhead(&train->dst);
    SIM_CHECK(world, train->may_fragment || ip_len <= host->config.interface_mtu,
              "an IP packet of %u bytes on an interface with MTU %u", ip_len,
              host->config.interface_mtu);
    for (uint32_t i = 0; i < host->assoc_count; i++) {
        if (!was[i].exists || header.vtag != was[i].assoc.remote_vtag)
            continue;
        const struct hws_path_status *path = path_to(&was[i], &train->dst);
        if (path != NULL && has_data(packet, len))
            check_ip_options(host, host->assocs[i], (uint32_t)(path - was[i].paths), train);
        if (path != NULL)
            check_path_packet(host, path, train, packet, len);
    }
}

static void check_train(struct sim_host *host, const struct hws_train *train,
                        const struct before *was)
{
    struct sim_world *world = host->node.world;
    SIM_CHECK(world, train->len != 0 && train->len <= train->capacity, "a train of %u bytes",
              train->len);
    SIM_CHECK(world, train->segment_len != 0, "a train without segment length");
    if (world->failed)
        return;
    uint32_t packets = (train->len + train->segment_len - 1) / train->segment_len;
    SIM_CHECK(world, packets == train->packets && packets <= train->max_packets,
              "a train of %u bytes in segments of %u says it has %u packets", train->len,
              train->segment_len, train->packets);
    for (uint32_t at = 0; at < train->len; at += train->segment_len) {
        uint32_t left = train->len - at;
        check_packet(host, train, train->data + at,
                     left < train->segment_len ? left : train->segment_len, was);
    }
}

static void show_train(struct sim_host *host, const struct hws_train *train)
{
    for (uint32_t at = 0; at < train->len && host->on_packet != NULL; at += train->segment_len) {
        uint32_t left = train->len - at;
        host->on_packet(host->on_packet_ctx, true, &train->src, &train->dst, train->data + at,
                        left < train->segment_len ? left : train->segment_len);
    }
}

static bool send_one_train(struct sim_host *host)
{
    struct before was[SIM_HOST_ASSOCS_MAX];
    for (uint32_t i = 0; i < host->assoc_count; i++)
        take_before(host, host->assocs[i], &was[i]);
    struct hws_train train = {.data = host->train_buffer,
                              .capacity = TRAIN_BYTES,
                              .max_packets = host->config.max_packets};
    if (!hws_engine_output(host->engine, &train, host->node.world->now_us))
        return false;
    show_train(host, &train);
    check_train(host, &train, was);
    if (host->node.world->failed)
        return false;
    for (uint32_t i = 0; i < host->assoc_count; i++)
        check_output(host, host->assocs[i], &was[i], train.segment_len);
    sim_net_send(host->net, &host->node, &train);
    return true;
}

static void send_all(struct sim_host *host)
{
    uint32_t trains = 0;
    while (send_one_train(host) && trains < TRAINS_MAX)
        trains++;
    SIM_CHECK(host->node.world, trains < TRAINS_MAX, "output does not end");
}

/* As a link does: with the MTU and the source address of the route to the new path. */
static void tell_route(struct sim_host *host, const struct hws_event *event)
{
    struct hws_net_event mtu = {.kind = HWS_NET_MTU,
                                .assoc = event->assoc,
                                .local = *sim_net_source(host->net, &host->node, &event->remote),
                                .remote = event->remote,
                                .mtu = host->config.interface_mtu};
    hws_engine_net_event(host->engine, &mtu, host->node.world->now_us);
}

static void take_events(struct sim_host *host)
{
    struct hws_event event;
    uint32_t turns = 0;
    do {
        host->changed = false;
        while (hws_engine_event(host->engine, &event) && turns++ < TURNS_MAX) {
            if (event.type == HWS_EVENT_PATH_NEW)
                tell_route(host, &event);
            if (host->on_event != NULL)
                host->on_event(host, &event);
        }
        if (host->on_turn != NULL)
            host->on_turn(host);
    } while (host->changed && turns++ < TURNS_MAX);
    SIM_CHECK(host->node.world, turns < TURNS_MAX, "events do not end");
}

static void host_run(struct sim_node *node)
{
    struct sim_host *host = host_of(node);
    if (hws_engine_deadline(host->engine) <= node->world->now_us)
        hws_engine_expire(host->engine, node->world->now_us);
    take_events(host);
    send_all(host);
    check_timers(host);
}

/* The deadline may not be late: before it nothing is due, so expire and output find nothing. */
static void probe_deadline(struct sim_host *host)
{
    struct sim_world *world = host->node.world;
    if (host->changed || hws_engine_deadline(host->engine) <= world->now_us ||
        !sim_rng_chance(&host->rng, PROBE_PPM))
        return;
    hws_engine_expire(host->engine, world->now_us);
    SIM_CHECK(world, !send_one_train(host), "something was due before the deadline");
}

static void host_input(struct sim_node *node, const struct hws_packet_in *packets, size_t count)
{
    struct sim_host *host = host_of(node);
    probe_deadline(host);
    struct hws_packet_in copies[SIM_BATCH_MAX];
    memcpy(copies, packets, count * sizeof *packets);
    for (size_t i = 0; i < count && host->config.copied_input; i++)
        copies[i].buf = NULL;
    host->changed = true;
    for (size_t i = 0; i < count && host->on_packet != NULL; i++)
        host->on_packet(host->on_packet_ctx, false, &copies[i].src, &copies[i].dst, copies[i].data,
                        copies[i].len);
    hws_engine_input(host->engine, copies, count, node->world->now_us);
}

static void host_net_event(struct sim_node *node, const struct hws_net_event *event)
{
    struct sim_host *host = host_of(node);
    host->changed = true;
    hws_engine_net_event(host->engine, event, node->world->now_us);
}

static uint64_t host_deadline(struct sim_node *node)
{
    return hws_engine_deadline(host_of(node)->engine);
}

static const struct sim_node_ops host_ops = {
    .input = host_input, .net_event = host_net_event, .run = host_run, .deadline = host_deadline};

uint64_t sim_refused(const struct hws_stats *s)
{
    return s->drop_short + s->drop_checksum + s->drop_port + s->drop_shard + s->drop_vtag +
           s->drop_address + s->drop_chunk_malformed + s->drop_chunk_state + s->drop_chunk_unknown +
           s->drop_bundle + s->drop_cookie_mac + s->drop_cookie_stale + s->drop_cookie_mismatch +
           s->ootb_in;
}

static void make_engine(struct sim_host *host)
{
    const struct hws_extension *extensions[3] = {&sim_erratic};
    size_t count = 1;
    if (host->config.unruly)
        extensions[count++] = &sim_unruly;
    if (host->config.fec)
        extensions[count++] = &hws_extension_fec;
    struct hws_engine_config engine = {.env = sim_env_make(&host->env),
                                       .direct_alloc = host->config.direct_alloc,
                                       .own_host = host->config.own_host,
                                       .shard = host->config.shard,
                                       .extensions = extensions,
                                       .extension_count = count};
    host->engine = hws_engine_new(&engine);
    if (host->engine == NULL)
        abort();
    hws_engine_set_receive_budget(host->engine, host->config.receive_budget);
    if (host->config.observed)
        sim_watch_engine(&host->watch, host->engine);
}

static void free_engine(struct sim_host *host)
{
    struct sim_world *world = host->node.world;
    if (host->config.observed)
        sim_watch_over(&host->watch, host->engine);
    hws_engine_free(host->engine);
    SIM_CHECK(world, host->env.live_objects == 0 && host->env.live_bytes == 0,
              "%zu objects, %zu bytes left after the engine was freed", host->env.live_objects,
              host->env.live_bytes);
    SIM_CHECK(world, host->env.wrong_frees == 0, "%llu frees with a wrong size",
              (unsigned long long)host->env.wrong_frees);
}

void sim_host_init(struct sim_host *host, struct sim_net *net, const struct sim_host_config *config)
{
    memset(host, 0, sizeof *host);
    host->node.ops = &host_ops;
    host->net = net;
    host->config = *config;
    host->rng = sim_rng_seeded(~config->seed);
    sim_env_init(&host->env, config->seed);
    host->train_buffer = malloc(TRAIN_BYTES);
    if (host->train_buffer == NULL)
        abort();
    sim_watch_init(&host->watch, net->world);
    make_engine(host);
    sim_world_add(net->world, &host->node);
}

void sim_host_add_shard(struct sim_host *host, struct sim_host *shard)
{
    struct sim_node *first = &host->node;
    struct sim_host_config config = host->config;
    config.shard.index = first->shard_count != 0 ? first->shard_count : 1;
    config.seed = ~host->config.seed + config.shard.index;
    sim_host_init(shard, host->net, &config);
    shard->node.first_shard = first;
    shard->node.addr_count = first->addr_count;
    shard->node.false_addr_count = first->false_addr_count;
    memcpy(shard->node.addrs, first->addrs, sizeof first->addrs);
    memcpy(shard->node.false_addrs, first->false_addrs, sizeof first->false_addrs);
    first->shards[0] = first;
    first->shards[config.shard.index] = &shard->node;
    first->shard_count = config.shard.index + 1;
}

void sim_host_fini(struct sim_host *host)
{
    free_engine(host);
    sim_watch_fini(&host->watch);
    free(host->train_buffer);
}

void sim_host_restart(struct sim_host *host)
{
    host->refused_before += sim_refused(hws_engine_stats(host->engine));
    free_engine(host);
    make_engine(host);
    host->assoc_count = 0;
    host->restarts++;
}

void sim_host_add_addr(struct sim_host *host, const struct hws_addr *addr)
{
    host->node.addrs[host->node.addr_count++] = *addr;
}

void sim_host_watch(struct sim_host *host, hws_assoc_id id)
{
    if (host->assoc_count < SIM_HOST_ASSOCS_MAX)
        host->assocs[host->assoc_count++] = id;
}

void sim_host_unwatch(struct sim_host *host, hws_assoc_id id)
{
    for (uint32_t i = 0; i < host->assoc_count; i++)
        if (host->assocs[i] == id)
            host->assocs[i] = host->assocs[--host->assoc_count];
}
