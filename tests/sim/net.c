#include "tests/sim/net.h"

#include <stdlib.h>
#include <string.h>

#include "proto/packet.h"
#include "proto/text.h"

#define QUOTED_BYTES 64u

/* One packet's way over one link. */
struct transit {
    struct sim_node *from, *to;
    struct sim_link *link;
    struct sim_packet *packet;
};

void sim_net_init(struct sim_net *net, struct sim_world *world, uint64_t seed)
{
    memset(net, 0, sizeof *net);
    net->world = world;
    net->rng = sim_rng_seeded(seed);
    net->hash = 0xcbf29ce484222325u;
}

void sim_net_fini(struct sim_net *net)
{
    for (size_t i = 0; i < SIM_RECORDED_MAX; i++)
        free(net->recorded[i].data);
}

struct sim_link *sim_net_link(struct sim_net *net, uint32_t from, uint32_t from_addr, uint32_t to,
                              uint32_t to_addr)
{
    return &net->links[from][from_addr][to][to_addr];
}

static uint32_t link_mtu(const struct sim_link *link, uint64_t now_us)
{
    const struct sim_link_config *c = &link->config;
    uint32_t mtu = c->mtu;
    for (uint32_t i = 0; i < c->mtu_change_count && c->mtu_changes[i].at_us <= now_us; i++)
        mtu = c->mtu_changes[i].mtu;
    return mtu;
}

static void link_heal(struct sim_link *link, uint64_t now_us)
{
    link->config = (struct sim_link_config){
        .delay_us = link->config.delay_us < 20000 ? link->config.delay_us : 20000,
        .mtu = link_mtu(link, now_us),
        .silent_too_big = link->config.silent_too_big,
        .absent = link->config.absent,
    };
}

void sim_net_heal(struct sim_net *net)
{
    struct sim_link *links = &net->links[0][0][0][0];
    for (size_t i = 0; i < sizeof net->links / sizeof *links; i++)
        link_heal(&links[i], net->world->now_us);
}

static bool add_outage(struct sim_link *link, const struct sim_outage *outage)
{
    if (link->config.outage_count == SIM_OUTAGES_MAX)
        return false;
    link->config.outages[link->config.outage_count++] = *outage;
    return true;
}

bool sim_net_cut(struct sim_net *net, uint32_t from, uint32_t from_addr, uint32_t to,
                 uint32_t to_addr, struct sim_outage outage)
{
    if (!add_outage(sim_net_link(net, from, from_addr, to, to_addr), &outage))
        return false;
    if (outage.kind == SIM_OUTAGE_SEND_FAILED)
        outage.kind = SIM_OUTAGE_SILENT;
    return add_outage(sim_net_link(net, to, to_addr, from, from_addr), &outage);
}

uint32_t sim_net_overhead(const struct hws_addr *dst)
{
    uint32_t ip = dst->family == HWS_FAMILY_IPV6 ? 40 : 20;
    return dst->udp_port != 0 ? ip + 8 : ip;
}

/* The one of its shards that has the links. */
static const struct sim_node *linked_node(const struct sim_node *node)
{
    return node->first_shard != NULL ? node->first_shard : node;
}

struct sim_node *sim_net_owner(struct sim_net *net, const struct hws_addr *addr, uint32_t *index)
{
    for (uint32_t n = 0; n < net->world->node_count; n++) {
        struct sim_node *node = net->world->nodes[n];
        for (*index = 0; *index < node->addr_count; ++*index)
            if (hws_addr_same(&node->addrs[*index], addr))
                return node;
    }
    return NULL;
}

void sim_net_trace(struct sim_net *net, const char *what, const struct hws_addr *src,
                   const struct hws_addr *dst, const uint8_t *data, uint32_t len)
{
    if (net->trace == NULL)
        return;
    char a[HWS_ADDR_TEXT_MAX], b[HWS_ADDR_TEXT_MAX], line[HWS_TEXT_MAX];
    hws_text_packet(line, sizeof line, data, len);
    fprintf(net->trace, "%12.6f %-9s %s > %s %s\n", (double)net->world->now_us / 1e6, what,
            hws_addr_text(src, a), hws_addr_text(dst, b), line);
}

static void hash_bytes(struct sim_net *net, const void *data, size_t len)
{
    const uint8_t *p = data;
    for (; len >= 8; p += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        net->hash = (net->hash ^ word) * 0x9e3779b97f4a7c15u;
        net->hash ^= net->hash >> 29;
    }
    for (; len != 0; p++, len--)
        net->hash = (net->hash ^ *p) * 0x100000001b3u;
}

static void record(struct sim_net *net, struct sim_node *to, const struct sim_packet *packet)
{
    if (!net->record)
        return;
    struct sim_recorded *r = &net->recorded[net->recorded_count++ % SIM_RECORDED_MAX];
    free(r->data);
    *r = (struct sim_recorded){.src = packet->src, .dst = packet->dst, .to = to};
    r->data = malloc(packet->len);
    if (r->data == NULL)
        abort();
    memcpy(r->data, packet->data, packet->len);
    r->len = packet->len;
}

/* Up to three bits, or one burst of up to 32: CRC32c finds all of these, whatever the length. */
static void corrupt(struct sim_rng *rng, uint8_t *data, uint32_t len)
{
    if (len >= 4 && sim_rng_below(rng, 2) == 0) {
        uint8_t *p = data + sim_rng_below(rng, len - 3);
        p[0] = (uint8_t)(p[0] ^ sim_rng_between(rng, 1, 255));
        for (int i = 1; i < 4; i++)
            p[i] = (uint8_t)(p[i] ^ sim_rng_below(rng, 256));
        return;
    }
    uint32_t bit = sim_rng_below(rng, 8 * len);
    data[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static const struct sim_outage *outage_at(const struct sim_link *link, uint64_t now_us)
{
    for (uint32_t i = 0; i < link->config.outage_count; i++) {
        const struct sim_outage *o = &link->config.outages[i];
        if (now_us >= o->from_us && now_us < o->until_us)
            return o;
    }
    return NULL;
}

/* What the network says to a sender about one of its packets. */
struct notice {
    struct sim_node *node;
    struct hws_net_event event;
    uint8_t quoted[QUOTED_BYTES];
};

static void tell_notice(struct sim_world *world, void *ctx, uint32_t arg)
{
    (void)world, (void)arg;
    struct notice *n = ctx;
    n->node->ops->net_event(n->node, &n->event);
    free(n);
}

static void notify_node(struct sim_net *net, const struct transit *t, uint64_t delay_us,
                        struct hws_net_event event, struct sim_node *node)
{
    struct notice *n = calloc(1, sizeof *n);
    if (n == NULL)
        abort();
    n->node = node;
    event.local = t->packet->src;
    event.remote = t->packet->dst;
    if (t->packet->len >= HWS_PACKET_HEADER_LEN) {
        event.packet_len = t->packet->len;
        event.local_port = hws_get16(t->packet->data);
        event.remote_port = hws_get16(t->packet->data + 2);
    }
    event.quoted_len = t->packet->len < QUOTED_BYTES ? t->packet->len : QUOTED_BYTES;
    event.quoted = n->quoted;
    memcpy(n->quoted, t->packet->data, event.quoted_len);
    n->event = event;
    sim_world_call(net->world, delay_us, node, tell_notice, n, 0);
}

/* ICMP is told to all shards of a host, a send that failed to the one whose it was. */
static void notify(struct sim_net *net, const struct transit *t, uint64_t delay_us,
                   struct hws_net_event event)
{
    const struct sim_node *first = linked_node(t->from);
    if (first->shard_count == 0 || event.kind == HWS_NET_SEND_FAILED) {
        notify_node(net, t, delay_us, event, t->from);
        return;
    }
    for (uint32_t i = 0; i < first->shard_count; i++)
        notify_node(net, t, delay_us, event, first->shards[i]);
}

static bool fits_mtu(struct sim_net *net, const struct transit *t)
{
    uint32_t mtu = link_mtu(t->link, net->world->now_us);
    uint32_t ip_len = t->packet->len + sim_net_overhead(&t->packet->dst);
    if (ip_len <= mtu || t->packet->may_fragment)
        return true;
    sim_net_trace(net, "too-big", &t->packet->src, &t->packet->dst, t->packet->data,
                  t->packet->len);
    if (t->link->config.silent_too_big) {
        net->too_big_silent++;
        return false;
    }
    net->too_big_told++;
    notify(net, t, t->link->config.delay_us,
           (struct hws_net_event){.kind = HWS_NET_TOO_BIG, .mtu = mtu});
    return false;
}

/* Time until the last byte has left a link of limited rate; UINT64_MAX: its queue is full. */
static uint64_t queueing_us(struct sim_link *link, uint64_t now_us, uint32_t len)
{
    uint64_t rate = link->config.rate_bytes_per_s;
    if (rate == 0)
        return 0;
    uint64_t start_us = link->busy_until_us > now_us ? link->busy_until_us : now_us;
    if ((start_us - now_us) * rate / 1000000 > link->config.queue_bytes)
        return UINT64_MAX;
    link->busy_until_us = start_us + (uint64_t)len * 1000000 / rate;
    return link->busy_until_us - now_us;
}

static uint64_t travel_us(struct sim_net *net, struct sim_link *link, uint64_t queued_us)
{
    const struct sim_link_config *c = &link->config;
    uint64_t delay_us = queued_us + c->delay_us;
    if (c->jitter_us != 0)
        delay_us += sim_rng_between(&net->rng, 0, c->jitter_us);
    if (sim_rng_chance(&net->rng, c->reorder_ppm))
        return delay_us + sim_rng_between(&net->rng, 0, c->reorder_us);
    uint64_t arrival_us = net->world->now_us + delay_us;
    if (arrival_us < link->last_arrival_us)
        arrival_us = link->last_arrival_us;
    link->last_arrival_us = arrival_us;
    return arrival_us - net->world->now_us;
}

static struct sim_packet *packet_copy(struct sim_net *net, const struct sim_packet *p, uint32_t len)
{
    struct sim_packet *copy = sim_packet_new(net->world, p->data, len);
    copy->src = p->src;
    copy->dst = p->dst;
    copy->may_fragment = p->may_fragment;
    return copy;
}

void sim_net_arrive(struct sim_net *net, uint64_t delay_us, struct sim_node *to,
                    struct sim_packet *packet)
{
    if (to->shard_count == 0) {
        sim_world_arrive(net->world, delay_us, to, packet);
        return;
    }
    uint32_t shard = hws_shard_of_packet(to->shard_count, packet->data, packet->len);
    net->packets_steered[shard]++;
    for (uint32_t i = 0; i < to->shard_count; i++) {
        if (i != shard && to->unfiltered) {
            hws_buf_ref(&packet->buf);
            sim_world_arrive(net->world, delay_us, to->shards[i], packet);
        }
    }
    sim_world_arrive(net->world, delay_us, to->shards[shard], packet);
}

static void deliver(struct sim_net *net, const struct transit *t, uint64_t delay_us)
{
    const struct sim_link_config *c = &t->link->config;
    uint32_t len = t->packet->len;
    if (sim_rng_chance(&net->rng, c->truncate_ppm))
        len = sim_rng_below(&net->rng, len);
    struct sim_packet *p = packet_copy(net, t->packet, len);
    if (len > 0 && sim_rng_chance(&net->rng, c->corrupt_ppm))
        corrupt(&net->rng, p->data, len);
    if (len != t->packet->len || memcmp(p->data, t->packet->data, len) != 0) {
        net->packets_corrupted++;
        sim_net_trace(net, "corrupted", &p->src, &p->dst, p->data, p->len);
    }
    sim_net_arrive(net, delay_us, t->to, p);
}

static void lose(struct sim_net *net, const struct transit *t, const char *why)
{
    net->packets_lost++;
    sim_net_trace(net, why, &t->packet->src, &t->packet->dst, t->packet->data, t->packet->len);
}

/* Whether an outage took the packet. */
static bool cut_off(struct sim_net *net, const struct transit *t)
{
    static const char *const names[SIM_OUTAGE_KINDS] = {"cut", "unsent", "no-host"};
    const struct sim_outage *outage = outage_at(t->link, net->world->now_us);
    if (outage == NULL)
        return false;
    lose(net, t, names[outage->kind]);
    net->packets_cut[outage->kind]++;
    if (outage->kind == SIM_OUTAGE_SEND_FAILED)
        notify(net, t, 0,
               (struct hws_net_event){.kind = HWS_NET_SEND_FAILED, .reason = HWS_SEND_UNREACHABLE});
    else if (outage->kind == SIM_OUTAGE_ICMP)
        notify(net, t, t->link->config.delay_us,
               (struct hws_net_event){.kind = HWS_NET_UNREACHABLE});
    return true;
}

static void pass(struct sim_net *net, const struct transit *t)
{
    struct sim_link *link = t->link;
    if (link->config.absent) {
        net->packets_absent++;
        lose(net, t, "no-link");
        return;
    }
    if (cut_off(net, t) || !fits_mtu(net, t))
        return;
    uint64_t queued_us = queueing_us(link, net->world->now_us, t->packet->len);
    if (queued_us == UINT64_MAX) {
        lose(net, t, "overflow");
        return;
    }
    if (sim_rng_chance(&net->rng, link->config.loss_ppm)) {
        lose(net, t, "lost");
        return;
    }
    link->packets_passed++;
    sim_net_trace(net, "", &t->packet->src, &t->packet->dst, t->packet->data, t->packet->len);
    record(net, t->to, t->packet);
    deliver(net, t, travel_us(net, link, queued_us));
    if (sim_rng_chance(&net->rng, link->config.duplicate_ppm))
        deliver(net, t, travel_us(net, link, queued_us));
}

/* The address of `node` in the subnet of the destination, or its first of that family. */
static uint32_t choose_source(const struct sim_node *node, const struct hws_addr *dst,
                              uint32_t subnet)
{
    if (subnet < node->addr_count && node->addrs[subnet].family == dst->family)
        return subnet;
    for (uint32_t i = 0; i < node->addr_count; i++)
        if (node->addrs[i].family == dst->family)
            return i;
    return 0;
}

const struct hws_addr *sim_net_source(struct sim_net *net, const struct sim_node *node,
                                      const struct hws_addr *dst)
{
    uint32_t subnet = 0;
    if (sim_net_owner(net, dst, &subnet) == NULL)
        subnet = 0;
    return &node->addrs[choose_source(node, dst, subnet)];
}

static bool claims(const struct sim_node *node, const struct hws_addr *addr)
{
    for (uint32_t i = 0; i < node->false_addr_count; i++)
        if (hws_addr_same(&node->false_addrs[i], addr))
            return true;
    return false;
}

/* The index of the packet's source among the node's addresses. False: it cannot leave, since the
 * node does not have its source. */
static bool find_source(struct sim_net *net, const struct transit *t, uint32_t to_addr,
                        uint32_t *from_addr)
{
    *from_addr = choose_source(t->from, &t->packet->dst, to_addr);
    if (t->packet->src.family == HWS_FAMILY_NONE ||
        sim_net_owner(net, &t->packet->src, from_addr) == linked_node(t->from))
        return true;
    SIM_CHECK(net->world, claims(t->from, &t->packet->src),
              "a packet leaves with a source that is not the node's");
    lose(net, t, "unsent");
    notify(net, t, 0,
           (struct hws_net_event){.kind = HWS_NET_SEND_FAILED, .reason = HWS_SEND_UNREACHABLE});
    return false;
}

static void route(struct sim_net *net, struct sim_node *node, struct sim_packet *packet)
{
    struct transit t = {.from = node, .packet = packet};
    uint32_t to_addr, from_addr;
    t.to = sim_net_owner(net, &packet->dst, &to_addr);
    if (t.to == NULL) {
        net->packets_absent++;
        lose(net, &t, "no-host");
        return;
    }
    if (!find_source(net, &t, to_addr, &from_addr))
        return;
    packet->src = node->addrs[from_addr];
    packet->src.udp_port = packet->dst.udp_port != 0 ? SIM_UDP_PORT : 0;
    net->packets_in_udp += packet->dst.udp_port != 0;
    t.link = sim_net_link(net, linked_node(node)->index, from_addr, t.to->index, to_addr);
    pass(net, &t);
}

void sim_net_send_packet(struct sim_net *net, struct sim_node *node, const struct hws_addr *src,
                         const struct hws_addr *dst, const uint8_t *data, uint32_t len,
                         bool may_fragment)
{
    struct sim_packet *packet = sim_packet_new(net->world, data, len);
    packet->src = *src;
    packet->dst = *dst;
    packet->may_fragment = may_fragment;
    net->packets_sent++;
    net->last_sent_us = net->world->now_us;
    hash_bytes(net, &net->world->now_us, sizeof net->world->now_us);
    hash_bytes(net, data, len);
    route(net, node, packet);
    hws_buf_unref(&packet->buf);
}

void sim_net_send(struct sim_net *net, struct sim_node *node, const struct hws_train *train)
{
    for (uint32_t at = 0; at < train->len; at += train->segment_len) {
        uint32_t left = train->len - at;
        uint32_t len = left < train->segment_len ? left : train->segment_len;
        sim_net_send_packet(net, node, &train->src, &train->dst, train->data + at, len,
                            train->may_fragment);
    }
}
