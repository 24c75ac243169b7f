#include "tests/sim/draw.h"

#include <string.h>

#include "tests/sim/erratic.h"

#define SECOND_US 1000000u
#define LISTEN_PORT 5000u
#define CONNECT_PORT 20000u
/* User data of one direction of one flow, but for the rare case of a huge message. */
#define WORKLOAD_BYTES_MAX 2000000u
#define HUGE_MESSAGE_BYTES (16u << 20)
/* An association of 4 retransmissions outlives 1 + 2 + 4 + 5 + 5 s, or as many HEARTBEATs. */
#define LONG_OUTAGE_US (60u * SECOND_US)
#define LONG_OUTAGE_RTO_MAX_US (5u * SECOND_US)
/* So much later the last association that trouble has broken is found to be. */
#define TROUBLE_LASTS_US (1000ull * SECOND_US)

#if defined(__SANITIZE_ADDRESS__)
#define DIRECT_ALLOC true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DIRECT_ALLOC true
#endif
#endif
#ifndef DIRECT_ALLOC
#define DIRECT_ALLOC false
#endif

/* What sets the tone of a world; the rest is drawn to fit. */
struct mood {
    struct sim_rng rng;
    struct sim_rng more, still_more, latest, shards,
        observers; /* for what came later, so that seeds keep theirs */
    struct sim_rng extensions, chunks, near;
    bool other_observers;
    bool ipv6;
    bool lossy; /* beyond 5 % in some direction: counters of retransmissions have to be higher */
    bool outages;
    bool flaps;    /* paths go down and come back */
    bool all_down; /* once all of them at the same time */
    bool huge;     /* one message of 16 MiB; then the network is quick */
    bool too_big;  /* some paths' MTUs are below the interface's */
    bool mtu_changes;
    bool black_holes;   /* some paths lose what is too big without a word */
    bool both_families; /* IPv4 and IPv6 */
    bool parallel;      /* address i reaches address i only */
    bool false_addrs;   /* hosts name addresses that are not theirs */
    bool restarts;      /* of hosts */
    bool long_outage;   /* of all paths, for longer than associations live */
    bool is_near;       /* round trips below a millisecond, and messages over time, not at once */
    bool near_is_clean; /* and loses nothing */
    uint32_t near_len_max; /* of its messages */
    uint64_t trouble_from_us, trouble_until_us;
    uint32_t lent_ppm, overrides_ppm; /* of messages */
    uint32_t streams;
    uint32_t interface_mtu;
    uint32_t addr_counts[2]; /* of each host */
};

static uint32_t pick(struct sim_rng *rng, const uint32_t *values, uint32_t count)
{
    return values[sim_rng_below(rng, count)];
}

#define PICK(rng, ...)                                                                             \
    pick(rng, (const uint32_t[]){__VA_ARGS__},                                                     \
         sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* Half of all worlds have one path. */
static void draw_addr_counts(struct mood *m)
{
    struct sim_rng *rng = &m->rng;
    uint32_t kind = sim_rng_below(rng, 8);
    m->addr_counts[0] = m->addr_counts[1] = 1;
    if (kind == 7)
        m->addr_counts[0] = m->addr_counts[1] = HWS_LIMIT_PATHS;
    else if (kind >= 5)
        m->addr_counts[0] = m->addr_counts[1] = sim_rng_between(rng, 2, 4);
    else if (kind == 4)
        for (uint32_t i = 0; i < 2; i++)
            m->addr_counts[i] = sim_rng_between(rng, 1, HWS_LIMIT_PATHS);
}

static void draw_paths_mood(struct mood *m)
{
    struct sim_rng *rng = &m->rng;
    draw_addr_counts(m);
    bool several = m->addr_counts[0] > 1 || m->addr_counts[1] > 1;
    m->both_families = several && sim_rng_below(rng, 3) == 0;
    m->parallel = several && sim_rng_below(rng, 3) == 0;
    m->false_addrs = several && sim_rng_below(rng, 4) == 0;
    m->flaps = !m->huge && sim_rng_below(rng, several ? 2 : 6) == 0;
    m->all_down = m->flaps && sim_rng_below(rng, 3) == 0;
    m->restarts = !m->huge && sim_rng_below(rng, 6) == 0;
    m->long_outage = !m->huge && !m->restarts && sim_rng_below(rng, 10) == 0;
}

static void draw_mood(struct mood *m)
{
    struct sim_rng *rng = &m->rng;
    m->ipv6 = sim_rng_below(rng, 5) == 0;
    m->huge = sim_rng_below(rng, 25) == 0;
    m->lossy = !m->huge && sim_rng_below(rng, 3) == 0;
    m->outages = !m->huge && sim_rng_below(rng, 4) == 0;
    m->too_big = sim_rng_below(rng, 6) == 0;
    m->mtu_changes = sim_rng_below(rng, 6) == 0;
    m->black_holes = sim_rng_below(rng, 6) == 0;
    m->streams = sim_rng_scale(rng, 1, 300);
    m->interface_mtu = PICK(rng, 576, 800, 1280, 1400, 1500, 1500, 1500, 4352, 9000, 65535);
    draw_paths_mood(m);
    /* Data that trouble is to find under way comes slowly. */
    m->is_near = sim_rng_below(&m->near, 8) == 0 && !m->huge && !m->restarts && !m->long_outage;
    m->near_is_clean = sim_rng_below(&m->near, 2) == 0;
    m->near_len_max = PICK(&m->near, 20000, 60000);
    if ((m->ipv6 || m->both_families) && m->interface_mtu < 1280)
        m->interface_mtu = 1280;
}

static void draw_outages(struct mood *m, struct sim_link_config *link)
{
    link->outage_count = sim_rng_between(&m->rng, 1, 3);
    for (uint32_t i = 0; i < link->outage_count; i++) {
        uint64_t from_us = sim_rng_scale(&m->rng, SECOND_US, 60 * SECOND_US);
        link->outages[i] = (struct sim_outage){
            .from_us = from_us,
            .until_us = from_us + sim_rng_scale(&m->rng, SECOND_US / 10, 15 * SECOND_US)};
    }
}

static void draw_mtu(struct mood *m, bool ipv6, struct sim_link_config *link)
{
    struct sim_rng *rng = &m->rng;
    link->mtu = m->interface_mtu;
    link->silent_too_big = m->black_holes && sim_rng_below(rng, 2) == 0;
    uint32_t mtu_min = ipv6 ? 1280 : 576;
    if (m->interface_mtu <= mtu_min)
        return;
    if ((m->too_big || m->black_holes) && sim_rng_below(rng, 3) != 0)
        link->mtu = sim_rng_between(rng, mtu_min, m->interface_mtu);
    link->mtu_change_count = m->mtu_changes ? sim_rng_below(rng, SIM_MTU_CHANGES_MAX + 1) : 0;
    uint64_t at_us = 0;
    for (uint32_t i = 0; i < link->mtu_change_count; i++) {
        at_us += SECOND_US + sim_rng_scale(rng, 1000, 30 * SECOND_US);
        link->mtu_changes[i] =
            (struct sim_mtu_change){at_us, sim_rng_between(rng, mtu_min, m->interface_mtu)};
    }
}

/* Both hosts are in one room: a train's worth may be in flight, and the next messages are made
 * meanwhile. Half of these worlds lose and alter nothing, or cwnd would seldom grow so far. */
static void bring_near(struct mood *m, struct sim_link_config *link)
{
    struct sim_rng *rng = &m->near;
    link->delay_us = sim_rng_between(rng, 50, 450);
    link->jitter_us = PICK(rng, 0, 0, link->delay_us / 10);
    link->reorder_us = PICK(rng, 10, 300, link->reorder_us);
    if (m->near_is_clean)
        link->loss_ppm = link->corrupt_ppm = link->truncate_ppm = link->reorder_ppm = 0;
    link->rate_bytes_per_s = PICK(rng, 0, 0, 1000000000, 125000000);
}

static void draw_link(struct mood *m, bool ipv6, struct sim_link_config *link)
{
    struct sim_rng *rng = &m->rng;
    uint32_t delay_max_us = m->huge ? 30000 : PICK(rng, 100, 1000, 20000, 100000, 500000);
    link->delay_us = sim_rng_between(rng, 0, delay_max_us);
    link->jitter_us = PICK(rng, 0, 0, link->delay_us / 10, link->delay_us / 2);
    link->loss_ppm = m->huge    ? PICK(rng, 0, 100, 1000)
                     : m->lossy ? PICK(rng, 1000, sim_rng_between(rng, 50000, 200000))
                                : PICK(rng, 0, 0, 1000, 10000, 30000);
    link->duplicate_ppm = PICK(rng, 0, 0, 5000, 30000);
    link->corrupt_ppm = m->huge ? 0 : PICK(rng, 0, 0, 5000, 20000);
    link->truncate_ppm = m->huge ? 0 : PICK(rng, 0, 0, 5000);
    link->reorder_ppm = PICK(rng, 0, 0, 10000, 100000);
    link->reorder_us = m->huge ? 2000 : sim_rng_scale(rng, 100, 300000);
    link->rate_bytes_per_s =
        m->huge ? PICK(rng, 0, 100000000) : PICK(rng, 0, 0, 30000, 1000000, 12500000, 125000000);
    link->queue_bytes = sim_rng_scale(rng, 70000, 1000000);
    draw_mtu(m, ipv6, link);
    if (m->outages)
        draw_outages(m, link);
    if (m->is_near)
        bring_near(m, link);
}

/* So that neither window nor buffer ends at a train. */
static void draw_near_params(struct mood *m, struct hws_params *p)
{
    struct sim_rng *rng = &m->near;
    p->nodelay = sim_rng_below(rng, 8) == 0;
    p->rcvbuf_bytes = PICK(rng, 4u << 20, 1u << 20, p->rcvbuf_bytes);
    p->sndbuf_bytes = PICK(rng, 4u << 20, 1u << 20, p->sndbuf_bytes);
}

static void draw_params(struct mood *m, struct hws_params *p)
{
    struct sim_rng *rng = &m->rng;
    hws_params_default(p);
    p->rto_min_us = PICK(rng, 1000000, 1000000, 300000, 50000);
    p->rto_initial_us = PICK(rng, 1000000, 1000000, 3000000, p->rto_min_us);
    p->rto_max_us = PICK(rng, 60000000, 10000000);
    p->hb_interval_us = PICK(rng, 30000000, 5000000);
    p->sack_delay_us = PICK(rng, 200000, 200000, 40000, 500000);
    p->sack_packets = PICK(rng, 2, 2, 1, 4);
    p->max_burst_bytes = PICK(rng, 65536, 65536, 6000, 1000000);
    p->slow_start_l = PICK(rng, 32, 32, 1, 2);
    p->ostreams = (uint16_t)sim_rng_between(rng, m->streams, m->streams + 10);
    p->max_instreams = (uint16_t)PICK(rng, 65535, m->streams + 20, m->streams);
    p->rcvbuf_bytes = m->huge ? PICK(rng, 4u << 20, 256u << 10)
                              : PICK(rng, 4u << 20, 1u << 20, 100000, 20000, 6000);
    /* A window has to take a packet, or silly window avoidance (6.1) would hold it for ever. */
    if (p->rcvbuf_bytes < 4 * m->interface_mtu)
        p->rcvbuf_bytes = 4 * m->interface_mtu;
    p->sndbuf_bytes = PICK(rng, 4u << 20, 65536, 3000);
    p->nodelay = sim_rng_below(rng, 2) == 0;
    p->sched = sim_rng_below(rng, 2) == 0 ? "fcfs" : "rr";
    /* Loss that only tries an association must not end it. */
    p->max_init_retrans = 30; /* a slow link's full queue outlasts the first few */
    if (m->lossy || m->outages || m->flaps)
        p->assoc_max_retrans = p->path_max_retrans = p->max_init_retrans = 100;
    else /* each path without an answer counts for all (8.1) */
        p->assoc_max_retrans =
            (uint16_t)(10 * (m->addr_counts[0] > m->addr_counts[1] ? m->addr_counts[0]
                                                                   : m->addr_counts[1]));
    /* A COOKIE ECHO to a host that has restarted is never answered (5.1.5): to give up takes
     * Max.Init.Retransmits * RTO.Max. */
    if (m->restarts) {
        p->max_init_retrans = 30;
        p->rto_max_us = 20 * SECOND_US;
    }
    if (m->long_outage) {
        p->assoc_max_retrans = 4;
        p->rto_max_us = p->hb_interval_us = LONG_OUTAGE_RTO_MAX_US;
    }
    if (m->flaps)
        p->path_max_retrans = (uint16_t)PICK(rng, 0, 1, 5, 100);
}

/* What options of the sending side may be. */
static void draw_send_params(struct mood *m, struct hws_params *p)
{
    struct sim_rng *rng = &m->more;
    p->keep_failed = sim_rng_below(rng, 2) == 0;
    p->tos = (uint8_t)PICK(rng, 0, 0, 0x10, 0xb8);
    p->ttl = (uint8_t)PICK(rng, 0, 0, 1, 255);
    p->max_burst_packets = PICK(rng, 0, 0, 0, 4, 10);
    p->max_fragment_bytes = m->huge ? PICK(rng, 0, 3000) : PICK(rng, 0, 0, 0, 201, 333, 1000);
}

/* And those of the receiving side. */
static void draw_recv_params(struct mood *m, struct hws_params *p)
{
    struct sim_rng *rng = &m->still_more;
    p->pd_point_bytes = PICK(rng, 0, 0, 1, 500, 3000, p->rcvbuf_bytes / 2);
    p->adaptation = sim_rng_below(rng, 2) == 0;
    p->adaptation_indication = (uint32_t)sim_rng_next(rng);
    p->pmtud_interval_us = PICK(rng, 600 * SECOND_US, 600 * SECOND_US, 5 * SECOND_US, SECOND_US);
    p->rx_times = p->adaptation_indication % 2 == 0;
    if (!m->restarts && !m->long_outage)
        p->init_rto_max_us = PICK(rng, 0, 0, 5 * SECOND_US, 20 * SECOND_US);
    p->rcvbuf_max_bytes = PICK(rng, 0, 16u << 20, 16u << 20, 4 * p->rcvbuf_bytes);
    p->sndbuf_max_bytes = PICK(rng, 0, 16u << 20, 2 * p->sndbuf_bytes);
}

/* And what an extension brings. */
static void draw_algorithms(struct mood *m, struct hws_params *p)
{
    struct sim_rng *rng = &m->extensions;
    if (m->huge)
        return;
    if (sim_rng_below(rng, 8) == 0)
        p->cc = SIM_ERRATIC;
    if (sim_rng_below(rng, 8) == 0)
        p->sched = SIM_ERRATIC;
    /* One that sends to where nobody is has not the time for so many messages. */
    if (sim_rng_below(rng, 6) == 0 && !m->long_outage && !m->is_near)
        p->pathsel = SIM_ERRATIC;
}

static void draw_message(struct mood *m, struct sim_message *message, uint32_t len_max,
                         uint32_t unordered_ppm)
{
    message->len = sim_rng_scale(&m->rng, 1, len_max);
    message->pattern = sim_rng_below(&m->rng, 65536);
    message->sid = (uint16_t)sim_rng_below(&m->rng, m->streams);
    message->flags = sim_rng_chance(&m->rng, unordered_ppm) ? HWS_SEND_UNORDERED : 0;
    if (sim_rng_chance(&m->rng, 20000))
        message->flags |= HWS_SEND_SACK_IMMEDIATELY;
    message->context = (uint32_t)sim_rng_next(&m->more);
    message->lent = sim_rng_chance(&m->more, m->lent_ppm);
    message->overrides = sim_rng_chance(&m->more, m->overrides_ppm);
}

static void draw_workload(struct mood *m, struct sim_end *end)
{
    struct sim_rng *rng = &m->rng;
    uint32_t len_max = PICK(rng, 1, 100, 1400, 10000, 100000, 400000);
    uint32_t count = sim_rng_below(rng, 8) == 0 ? 0 : sim_rng_scale(rng, 1, 5000);
    if ((uint64_t)count * len_max / 3 > WORKLOAD_BYTES_MAX)
        count = 1 + 3 * WORKLOAD_BYTES_MAX / len_max;
    if (m->is_near) {
        len_max = m->near_len_max;
        count = sim_rng_between(&m->near, 100, 500);
    }
    uint32_t unordered_ppm = PICK(rng, 0, 100000, 1000000);
    m->lent_ppm = PICK(&m->more, 0, 300000, 1000000);
    m->overrides_ppm = PICK(&m->more, 0, 0, 100000, 1000000);
    sim_ledger_init(&end->ledger, count, m->streams);
    for (uint32_t i = 0; i < count; i++)
        draw_message(m, &end->ledger.messages[i], len_max, unordered_ppm);
    if (m->huge && count != 0)
        end->ledger.messages[sim_rng_below(rng, count)].len = HUGE_MESSAGE_BYTES;
}

static uint16_t port_of(uint32_t flow_index, bool connects)
{
    return (uint16_t)((connects ? CONNECT_PORT : LISTEN_PORT) + flow_index);
}

static void draw_end(struct mood *m, struct sim_end *end, uint32_t flow_index, bool connects)
{
    struct sim_rng *rng = &m->rng;
    struct sim_end_config *c = &end->config;
    c->connects = connects;
    c->connect_at_us = sim_rng_scale(rng, 0, SECOND_US);
    c->port = port_of(flow_index, connects);
    c->read_bytes = PICK(rng, 65536, 65536, 2000, 100);
    if (!m->huge && sim_rng_below(rng, 4) == 0) {
        c->read_period_us = sim_rng_scale(rng, 1000, 3 * SECOND_US);
        c->read_quota = sim_rng_scale(rng, 10000, 200000);
    }
    if (sim_rng_below(rng, 4) == 0 || m->restarts || m->long_outage)
        c->send_gap_us = sim_rng_scale(rng, 100, 100000);
    draw_params(m, &c->params);
    if (m->is_near) {
        draw_near_params(m, &c->params);
        c->send_gap_us = sim_rng_between(&m->near, m->near_len_max / 8000, m->near_len_max / 2000);
    }
    draw_send_params(m, &c->params);
    draw_recv_params(m, &c->params);
    draw_algorithms(m, &c->params);
    c->reading =
        (enum sim_reading)PICK(&m->still_more, SIM_READ_COPY, SIM_READ_PEEK, SIM_READ_VIEW);
    c->shared = !connects && sim_rng_below(&m->still_more, 8) == 0;
}

/* Both families, or that which every host has. */
static void draw_families(struct sim_case *c, struct mood *m, struct sim_flow *flow)
{
    unsigned family = m->ipv6 ? HWS_ENDPOINT_IPV6 : HWS_ENDPOINT_IPV4;
    for (uint32_t i = 0; i < 2; i++) {
        flow->ends[i].config.families = PICK(&m->latest, 0, 0, family);
        c->features[SIM_HAS_ONE_FAMILY] |= flow->ends[i].config.families != 0 && m->both_families;
    }
}

/* How many addresses its endpoint begins with. Where both ends connect they would not see that they
 * mean the same association if one had fewer. */
static void draw_locals(struct sim_case *c, struct mood *m, struct sim_end *end, bool collision)
{
    struct sim_rng *rng = &m->latest;
    const struct sim_host *host = end->host;
    bool two_families = m->both_families && end->config.families == 0; /* each has to be there */
    if (collision || end->config.shared || host->config.any_local || two_families ||
        host->node.addr_count < 2 || sim_rng_below(rng, 3) != 0)
        return;
    end->config.few_locals = sim_rng_between(rng, 1, host->node.addr_count - 1);
    end->config.all_locals_us = c->world.now_us + sim_rng_scale(rng, 1000, 30 * SECOND_US);
    c->features[SIM_HAS_MORE_LOCALS] = true;
}

static void draw_encapsulation(struct sim_case *c, struct mood *m, struct sim_end *end)
{
    end->config.encapsulated = sim_rng_below(&m->latest, 4) == 0;
    end->config.switch_ppm = PICK(&m->latest, 0, 0, 0, 5000, 100000);
    for (uint32_t i = 0; i < end->config.remote_count && end->config.encapsulated; i++)
        end->config.remotes[i].udp_port = SIM_UDP_PORT;
    c->features[SIM_HAS_UDP] |= end->config.encapsulated && end->config.connects;
    c->features[SIM_HAS_UDP_SWITCHED] |= end->config.switch_ppm > 0;
}

static struct hws_addr node_addr(bool ipv6, uint8_t node, uint8_t subnet)
{
    struct hws_addr a = {.family = ipv6 ? HWS_FAMILY_IPV6 : HWS_FAMILY_IPV4};
    if (ipv6) {
        memcpy(a.ip, (const uint8_t[]){0x20, 0x01, 0x0d, 0xb8}, 4);
        a.ip[7] = subnet;
        a.ip[15] = (uint8_t)(node + 1);
    } else {
        memcpy(a.ip, (const uint8_t[]){10, 0, subnet, (uint8_t)(node + 1)}, 4);
    }
    return a;
}

/* In a subnet that no node is in. */
static struct hws_addr nobodys_addr(bool ipv6, uint8_t subnet)
{
    return node_addr(ipv6, 9, (uint8_t)(100 + subnet));
}

static bool has_family(const struct sim_node *node, enum hws_family family)
{
    for (uint32_t i = 0; i < node->addr_count; i++)
        if (node->addrs[i].family == family)
            return true;
    return false;
}

/* Which addresses of its peer an end knows: some, in any order, perhaps one that is nobody's. The
 * peer's first address, which can always be reached, is among them. */
static void draw_remotes(struct sim_case *c, struct mood *m, struct sim_end *end,
                         const struct sim_node *peer, unsigned families)
{
    struct sim_rng *rng = &m->rng;
    struct sim_end_config *e = &end->config;
    uint32_t count = sim_rng_between(rng, 1, peer->addr_count);
    c->features[SIM_HAS_FEW_REMOTES] |= count < peer->addr_count;
    for (uint32_t i = 0; i < count; i++)
        if (sim_uses_family(families, &peer->addrs[i]))
            e->remotes[e->remote_count++] = peer->addrs[i];
    if (m->false_addrs && count < HWS_LIMIT_PATHS && sim_rng_below(rng, 2) == 0)
        e->remotes[e->remote_count++] = nobodys_addr(peer->addrs[0].family == HWS_FAMILY_IPV6, 77);
    uint32_t first = sim_rng_below(rng, e->remote_count);
    struct hws_addr swapped = e->remotes[first];
    if (!has_family(&end->host->node, swapped.family))
        return;
    e->remotes[first] = e->remotes[0];
    e->remotes[0] = swapped;
}

/* Longer than anything keeps data waiting: so it is the end only when all is done. */
static void draw_autoclose(struct mood *m, struct sim_end *end)
{
    end->config.shuts_down = false;
    end->config.params.rto_max_us = 10 * SECOND_US;
    end->config.params.autoclose_us =
        PICK(&m->still_more, 150 * SECOND_US, 200 * SECOND_US, 300 * SECOND_US);
}

/* Where an end of the flow lives: in the shard that its ports lead to. */
static struct sim_host *host_of_end(struct sim_case *c, uint32_t host, const struct sim_flow *flow)
{
    const struct hws_shard first = {.count = c->has_shards[host] ? SIM_SHARDS_MAX : 1};
    bool is_first =
        hws_shard_has_ports(&first, flow->ends[0].config.port, flow->ends[1].config.port);
    return &c->hosts[is_first ? host : 2 + host];
}

static void draw_flow(struct sim_case *c, struct mood *m, uint32_t index)
{
    struct sim_rng *rng = &m->rng;
    struct sim_flow *flow = &c->flows[index];
    bool collision = sim_rng_below(rng, 5) == 0;
    uint32_t first = sim_rng_below(rng, 2);
    /* Both endings of a flow are tried: one end asks, or both do at once. */
    uint32_t closer = sim_rng_below(rng, 3);
    flow->ending = sim_rng_below(rng, 12) == 0  ? SIM_END_ABORT
                   : sim_rng_below(rng, 2) == 0 ? SIM_END_EARLY
                                                : SIM_END_LATE;
    if (!m->restarts && !m->long_outage && sim_rng_below(&m->still_more, 10) == 0)
        flow->ending = SIM_END_IDLE;
    flow->abort_at_us = sim_rng_scale(rng, SECOND_US, 20 * SECOND_US);
    flow->abort_end = sim_rng_below(rng, 2);
    draw_families(c, m, flow);
    flow->trouble_from_us = m->trouble_from_us;
    flow->trouble_until_us = m->trouble_until_us;
    for (uint32_t i = 0; i < 2; i++) {
        struct sim_end *end = &flow->ends[i];
        end->flow = flow;
        draw_end(m, end, index, i == 0 || collision);
        flow->ends[1 - i].config.port = port_of(index, i == 1 || collision);
        end->config.listens = i == 1 || collision;
        end->config.shuts_down = closer == 2 || closer == i;
        /* T5-shutdown-guard is five times that (9.2). */
        if (flow->ending == SIM_END_EARLY && !m->long_outage && !m->restarts)
            end->config.params.rto_max_us = 60 * SECOND_US;
        /* Nor has it the time for a selector that sends, once in RTO.Max, to where nobody is. */
        if (flow->ending == SIM_END_EARLY && end->config.params.pathsel != NULL)
            end->config.params.path_max_retrans = 5;
        if (flow->ending == SIM_END_IDLE)
            draw_autoclose(m, end);
        draw_workload(m, end);
        end->host = host_of_end(c, first ^ i, flow);
        draw_locals(c, m, end, collision);
        sim_app_add(end->host, end);
        draw_remotes(c, m, end, &c->hosts[1 ^ first ^ i].node,
                     flow->ends[0].config.families | flow->ends[1].config.families);
        draw_encapsulation(c, m, end);
    }
    sim_flow_start(flow);
}

static void draw_addrs(struct sim_case *c, struct mood *m, uint8_t host)
{
    for (uint8_t subnet = 0; subnet < m->addr_counts[host]; subnet++) {
        bool ipv6 = m->ipv6;
        if (m->both_families && subnet > 0)
            ipv6 = sim_rng_below(&m->rng, 2) == 0;
        struct hws_addr addr = node_addr(ipv6, host, subnet);
        sim_host_add_addr(&c->hosts[host], &addr);
    }
}

/* Of the family of its first address, so that it is never the only one of a family. */
static void name_falsely(struct sim_case *c, uint32_t host, struct hws_addr addr)
{
    struct sim_node *node = &c->hosts[host].node;
    if (node->addr_count + node->false_addr_count < HWS_LIMIT_PATHS)
        node->false_addrs[node->false_addr_count++] = addr;
}

/* A third host, with an address that one of the two names as its own, and an address of nobody. */
static void draw_bystander(struct sim_case *c, struct mood *m)
{
    struct sim_rng *rng = &m->rng;
    struct sim_host_config config = {.seed = sim_rng_next(rng),
                                     .interface_mtu = m->interface_mtu,
                                     .max_packets = 1,
                                     .direct_alloc = DIRECT_ALLOC};
    sim_host_init(&c->bystander, &c->net, &config);
    c->has_bystander = true;
    struct hws_addr addr = node_addr(m->ipv6, 2, 0);
    sim_host_add_addr(&c->bystander, &addr);
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t a = 0; a < c->hosts[i].node.addr_count; a++) {
            sim_net_link(&c->net, i, a, 2, 0)->config.mtu = m->interface_mtu;
            sim_net_link(&c->net, 2, 0, i, a)->config.mtu = m->interface_mtu;
        }
    uint32_t liar = sim_rng_below(rng, 2);
    if (sim_rng_below(rng, 2) == 0)
        name_falsely(c, liar, addr);
    for (uint8_t i = 0; i < 2; i++)
        if (sim_rng_below(rng, 2) == 0)
            name_falsely(c, i, nobodys_addr(m->ipv6, i));
}

/* When packets are looked at, and what is known of when they came. */
static void draw_reception(const struct mood *m, struct sim_node *node, uint64_t seed)
{
    struct sim_rng rng = sim_rng_seeded(seed ^ UINT64_C(0x5353535353535353));
    node->stamps = (enum sim_stamps)sim_rng_below(&rng, 3);
    if (sim_rng_below(&rng, 2) == 0)
        node->late_us = sim_rng_scale(&rng, 1, m->is_near ? 100 : 20000);
}

static void draw_hosts(struct sim_case *c, struct mood *m)
{
    for (uint8_t i = 0; i < 2; i++) {
        struct sim_host_config config = {
            .seed = sim_rng_next(&m->rng),
            .interface_mtu = m->interface_mtu,
            .max_packets = PICK(&m->rng, 1, 4, 16, 64),
            .copied_input = sim_rng_below(&m->rng, 2) == 0,
            .direct_alloc = sim_rng_below(&m->rng, 4) == 0 || DIRECT_ALLOC,
            /* Of both families a peer is told only those of its scope, so two that connect to each
             * other at once need not see that they mean the same association. */
            .any_local = sim_rng_below(&m->still_more, 5) == 0 && !m->both_families,
            .receive_budget = PICK(&m->latest, 0, 0, 16u << 20, 200000, 20000),
            .unruly = sim_rng_below(&m->chunks, 2) == 0,
            .fec = sim_rng_below(&m->chunks, 2) == 0,
            .observed = (sim_rng_below(&m->observers, 2) == 0) != m->other_observers,
        };
        c->features[SIM_HAS_OBSERVER] |= config.observed;
        c->has_shards[i] = sim_rng_below(&m->shards, 6) == 0;
        config.shard.count = c->has_shards[i] ? SIM_SHARDS_MAX : 1;
        sim_host_init(&c->hosts[i], &c->net, &config);
        draw_addrs(c, m, i);
        draw_reception(m, &c->hosts[i].node, config.seed);
        sim_app_attach(&c->apps[i], &c->hosts[i]);
    }
    if (m->false_addrs)
        draw_bystander(c, m);
}

struct sim_host *sim_draw_host(struct sim_case *c, uint32_t index)
{
    return index < 2 || c->has_shards[index - 2] ? &c->hosts[index] : NULL;
}

static void draw_shards(struct sim_case *c, struct mood *m)
{
    for (uint32_t i = 0; i < 2; i++) {
        if (!c->has_shards[i])
            continue;
        sim_host_add_shard(&c->hosts[i], &c->hosts[2 + i]);
        sim_app_attach(&c->apps[2 + i], &c->hosts[2 + i]);
        c->hosts[i].node.unfiltered = sim_rng_below(&m->shards, 3) == 0;
        c->features[SIM_HAS_SHARDS] = true;
        c->features[SIM_HAS_UNFILTERED] |= c->hosts[i].node.unfiltered;
    }
}

/* Whether there is a link: in a mesh everywhere, of parallel links each has one address of each
 * host. */
static bool linked(const struct mood *m, const struct hws_addr *from, uint32_t a,
                   const struct hws_addr *to, uint32_t b)
{
    return from->family == to->family && (!m->parallel || a == b);
}

static void draw_links(struct sim_case *c, struct mood *m)
{
    for (uint32_t from = 0; from < 2; from++)
        for (uint32_t a = 0; a < m->addr_counts[from]; a++)
            for (uint32_t b = 0; b < m->addr_counts[1 - from]; b++) {
                const struct hws_addr *src = &c->hosts[from].node.addrs[a];
                struct sim_link_config *link = &sim_net_link(&c->net, from, a, 1 - from, b)->config;
                draw_link(m, src->family == HWS_FAMILY_IPV6, link);
                link->absent = !linked(m, src, a, &c->hosts[1 - from].node.addrs[b], b);
            }
}

/* Cuts every link between the two addresses; SIM_NODE_ADDRS_MAX stands for any address. */
static void cut(struct sim_case *c, uint32_t from, uint32_t from_addr, uint32_t to_addr,
                struct sim_outage outage)
{
    for (uint32_t a = 0; a < c->hosts[from].node.addr_count; a++)
        for (uint32_t b = 0; b < c->hosts[1 - from].node.addr_count; b++)
            if ((from_addr == SIM_NODE_ADDRS_MAX || from_addr == a) &&
                (to_addr == SIM_NODE_ADDRS_MAX || to_addr == b))
                (void)sim_net_cut(&c->net, from, a, 1 - from, b, outage);
}

/* A path, an interface with all its paths, or everything goes down, perhaps several times. */
static void draw_flap(struct sim_case *c, struct mood *m, bool all)
{
    struct sim_rng *rng = &m->rng;
    uint32_t from = sim_rng_below(rng, 2);
    uint32_t a = sim_rng_below(rng, m->addr_counts[from]);
    uint32_t b = sim_rng_below(rng, m->addr_counts[1 - from]);
    if (all)
        a = b = SIM_NODE_ADDRS_MAX;
    else if (sim_rng_below(rng, 2) == 0)
        b = SIM_NODE_ADDRS_MAX;
    struct sim_outage outage = {.from_us = SECOND_US + sim_rng_scale(rng, 1000, 60 * SECOND_US),
                                .kind = sim_rng_below(rng, SIM_OUTAGE_KINDS)};
    uint32_t down_us = sim_rng_scale(rng, SECOND_US / 10, 10 * SECOND_US);
    uint32_t up_us = sim_rng_scale(rng, SECOND_US / 100, 20 * SECOND_US);
    for (uint32_t times = PICK(rng, 1, 1, 2, 4); times > 0; times--) {
        outage.until_us = outage.from_us + down_us;
        cut(c, from, a, b, outage);
        outage.from_us = outage.until_us + up_us;
    }
}

static void draw_flaps(struct sim_case *c, struct mood *m)
{
    if (!m->flaps)
        return;
    for (uint32_t count = sim_rng_between(&m->rng, 1, 4); count > 0; count--)
        draw_flap(c, m, false);
    if (m->all_down)
        draw_flap(c, m, true);
}

static void draw_foreign(struct sim_case *c, struct mood *m)
{
    c->foreign = (struct sim_foreign){.net = &c->net,
                                      .rng = sim_rng_seeded(sim_rng_next(&m->rng)),
                                      .hosts = {&c->hosts[0], &c->hosts[1]},
                                      .period_us = sim_rng_scale(&m->rng, 3000, SECOND_US),
                                      .until_us = c->heal_at_us};
    if (sim_rng_below(&m->rng, 2) == 0)
        sim_foreign_start(&c->foreign);
}

static void extend_trouble(struct mood *m, uint64_t from_us, uint64_t until_us)
{
    if (m->trouble_until_us == 0 || from_us < m->trouble_from_us)
        m->trouble_from_us = from_us;
    if (until_us + TROUBLE_LASTS_US > m->trouble_until_us)
        m->trouble_until_us = until_us + TROUBLE_LASTS_US;
}

static void restart_hosts(struct sim_world *world, void *ctx, uint32_t arg)
{
    (void)world;
    struct sim_case *c = ctx;
    const struct sim_restart *r = &c->restarts[arg];
    for (uint32_t i = 0; i < SIM_HOSTS; i++) {
        struct sim_host *host = sim_draw_host(c, i);
        if (host != NULL && r->hosts[i % 2]) {
            sim_app_restart(host, r->down_us[i % 2], r->connect_us[i % 2]);
            host->node.wants_run = true;
        }
    }
}

static void draw_restarts(struct sim_case *c, struct mood *m)
{
    struct sim_rng *rng = &m->rng;
    uint32_t count = m->restarts ? sim_rng_between(rng, 1, SIM_RESTARTS_MAX) : 0;
    for (uint32_t k = 0; k < count; k++) {
        struct sim_restart *r = &c->restarts[k];
        uint32_t who = sim_rng_between(rng, 1, 3);
        uint64_t after_us = sim_rng_scale(rng, 1000, 20 * SECOND_US);
        for (uint32_t i = 0; i < 2; i++) {
            r->hosts[i] = who & 1u << i;
            r->down_us[i] = sim_rng_scale(rng, 0, 20 * SECOND_US);
            r->connect_us[i] = sim_rng_scale(rng, 0, 20 * SECOND_US);
        }
        c->features[SIM_HAS_RESTART_OF_BOTH] |= who == 3;
        sim_world_call(&c->world, after_us, NULL, restart_hosts, c, k);
        extend_trouble(m, c->world.now_us + after_us, c->world.now_us + after_us);
    }
}

/* Longer than associations live; it ends when the world heals, or before. */
static void draw_long_outage(struct sim_case *c, struct mood *m)
{
    if (!m->long_outage)
        return;
    struct sim_outage outage = {.from_us =
                                    c->world.now_us + sim_rng_scale(&m->rng, 1000, 30 * SECOND_US),
                                .kind = sim_rng_below(&m->rng, SIM_OUTAGE_KINDS)};
    outage.until_us =
        outage.from_us + LONG_OUTAGE_US + sim_rng_scale(&m->rng, 1000, 300 * SECOND_US);
    cut(c, sim_rng_below(&m->rng, 2), SIM_NODE_ADDRS_MAX, SIM_NODE_ADDRS_MAX, outage);
    if (c->heal_at_us < outage.until_us)
        c->heal_at_us = outage.until_us;
    /* So short a life may end before. */
    extend_trouble(m, 0, outage.until_us);
}

static void note_restarts(struct sim_case *c)
{
    for (uint32_t i = 0; i < c->flow_count; i++)
        for (uint32_t k = 0; k < 2; k++) {
            const struct sim_end *end = &c->flows[i].ends[k];
            for (uint32_t n = 0; n < SIM_RESTARTS_MAX; n++)
                if (c->restarts[n].hosts[(end->host - c->hosts) % 2])
                    c->features[end->config.connects ? SIM_HAS_RESTART_OF_CONNECTOR
                                                     : SIM_HAS_RESTART_OF_LISTENER] = true;
        }
}

static void note_features(struct sim_case *c, const struct mood *m)
{
    const uint32_t *n = m->addr_counts;
    bool *has = c->features;
    has[SIM_HAS_ONE_PATH] = n[0] == 1 && n[1] == 1;
    has[SIM_HAS_PATHS] = n[0] > 1 || n[1] > 1;
    has[SIM_HAS_8_ADDRS] = n[0] == HWS_LIMIT_PATHS && n[1] == HWS_LIMIT_PATHS;
    has[SIM_HAS_UNEQUAL_COUNTS] = n[0] != n[1];
    has[SIM_HAS_BOTH_FAMILIES] =
        has_family(&c->hosts[0].node, m->ipv6 ? HWS_FAMILY_IPV4 : HWS_FAMILY_IPV6);
    has[SIM_HAS_PARALLEL_LINKS] = m->parallel;
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t k = 0; k < c->hosts[i].node.false_addr_count; k++) {
            uint32_t index;
            bool anothers = sim_net_owner(&c->net, &c->hosts[i].node.false_addrs[k], &index);
            has[anothers ? SIM_HAS_ANOTHERS_ADDR : SIM_HAS_NOBODYS_ADDR] = true;
        }
    for (uint32_t i = 0; i < 2; i++) {
        has[SIM_HAS_LATE_READER] |= c->hosts[i].node.late_us > 0;
        has[SIM_HAS_WRONG_STAMPS] |= c->hosts[i].node.stamps == SIM_STAMPS_WRONG;
    }
    has[SIM_HAS_NEAR] = m->is_near;
    has[SIM_HAS_FLAPS] = m->flaps;
    has[SIM_HAS_ALL_PATHS_DOWN] = m->all_down;
    has[SIM_HAS_MTU_CHANGES] = m->mtu_changes;
    has[SIM_HAS_LONG_OUTAGE] = m->long_outage;
}

static bool erratic(const char *name)
{
    return name != NULL && strcmp(name, SIM_ERRATIC) == 0;
}

static void conclude_end(struct sim_case *c, const struct sim_end *end)
{
    const struct sim_ledger *l = &end->ledger;
    bool *has = c->features;
    has[SIM_SAW_FAILED] |= l->failures > 0;
    has[SIM_SAW_MESSAGE_CUT] |= l->cuts_seen > 0;
    has[SIM_HAS_PEEKS] |= end->config.reading == SIM_READ_PEEK;
    has[SIM_HAS_VIEWS] |= end->config.reading == SIM_READ_VIEW;
    has[SIM_HAS_HOST_ADDRS] |= end->host->config.any_local;
    has[SIM_HAS_RECEIVE_BUDGET] |= end->host->config.receive_budget != 0;
    has[SIM_HAS_SHARED_PORTS] |= end->config.shared;
    has[SIM_HAS_ADAPTATION] |= end->config.params.adaptation;
    has[SIM_HAS_AUTOCLOSE] |= end->config.params.autoclose_us > 0;
    has[SIM_HAS_FRAGMENT_LIMIT] |= end->config.params.max_fragment_bytes > 0;
    has[SIM_HAS_ERRATIC_CC] |= erratic(end->config.params.cc);
    has[SIM_HAS_ERRATIC_SCHED] |= erratic(end->config.params.sched);
    has[SIM_HAS_ERRATIC_PATHSEL] |= erratic(end->config.params.pathsel);
    has[SIM_HAS_BURST_LIMIT] |= end->config.params.max_burst_packets > 0;
    for (uint32_t i = 0; i < l->sent; i++) {
        has[SIM_HAS_LENT] |= l->messages[i].lent;
        has[SIM_SAW_OVERRIDES] |= l->messages[i].overrides && has[SIM_HAS_PATHS];
    }
}

static void conclude_host(struct sim_case *c, const struct sim_host *host)
{
    const struct hws_stats *stats = hws_engine_stats(host->engine);
    bool *has = c->features;
    has[SIM_SAW_CC_REFUSED] |= stats->cc_refused > 0;
    has[SIM_SAW_SCHED_REFUSED] |= stats->sched_refused > 0;
    has[SIM_SAW_PATHSEL_REFUSED] |= stats->pathsel_refused > 0;
    has[SIM_SAW_EXT_CHUNKS] |= stats->ext_chunks_in > 0;
    has[SIM_SAW_EXT_REPAIRED] |= stats->ext_repaired > 0;
    has[SIM_SAW_EXT_FAULTS] |= stats->ext_faults > 0;
    has[SIM_SAW_COPIES] |= stats->copies_out > 0;
    has[SIM_SAW_COPIES_WITHHELD] |= stats->copies_withheld > 0;
    has[SIM_SAW_TRAIN_WAITS] |= stats->train_waits > 0;
}

void sim_draw_conclude(struct sim_case *c)
{
    bool *has = c->features;
    for (uint32_t i = 0; i < c->flow_count; i++)
        for (uint32_t k = 0; k < 2; k++)
            conclude_end(c, &c->flows[i].ends[k]);
    has[SIM_SAW_CUT_SILENTLY] = c->net.packets_cut[SIM_OUTAGE_SILENT] > 0;
    has[SIM_SAW_SEND_FAILED] = c->net.packets_cut[SIM_OUTAGE_SEND_FAILED] > 0;
    has[SIM_SAW_HOST_UNREACHABLE] = c->net.packets_cut[SIM_OUTAGE_ICMP] > 0;
    has[SIM_SAW_TOO_BIG] = c->net.too_big_told > 0;
    has[SIM_SAW_BLACK_HOLE] = c->net.too_big_silent > 0;
    has[SIM_SAW_UDP] = c->net.packets_in_udp > 0;
    has[SIM_SAW_BOTH_SHARDS] = c->net.packets_steered[0] > 0 && c->net.packets_steered[1] > 0;
    for (uint32_t i = 0; i < SIM_HOSTS; i++) {
        if (sim_draw_host(c, i) != NULL)
            conclude_host(c, sim_draw_host(c, i));
        has[SIM_SAW_PATH_DOWN] |= c->apps[i].events[HWS_EVENT_PATH_DOWN] > 0;
        has[SIM_SAW_RESTART] |= c->apps[i].events[HWS_EVENT_RESTART] > 0;
        has[SIM_SAW_LOST_BY_ABORT] |= c->apps[i].lost_by_abort > 0;
        has[SIM_SAW_LOST_BY_SILENCE] |= c->apps[i].lost_by_silence > 0;
        has[SIM_SAW_PATH_UP] |= c->apps[i].events[HWS_EVENT_PATH_UP] > 0;
    }
}

const char *sim_feature_name(enum sim_feature feature)
{
    static const char *const names[SIM_FEATURES] = {
        [SIM_HAS_ONE_PATH] = "one path",
        [SIM_HAS_PATHS] = "several paths",
        [SIM_HAS_8_ADDRS] = "8 addresses on both sides",
        [SIM_HAS_UNEQUAL_COUNTS] = "different numbers of addresses",
        [SIM_HAS_BOTH_FAMILIES] = "IPv4 and IPv6",
        [SIM_HAS_PARALLEL_LINKS] = "parallel links",
        [SIM_HAS_FEW_REMOTES] = "connect names some addresses",
        [SIM_HAS_NOBODYS_ADDR] = "a listed address of nobody",
        [SIM_HAS_ANOTHERS_ADDR] = "a listed address of another host",
        [SIM_HAS_FLAPS] = "flaps",
        [SIM_HAS_ALL_PATHS_DOWN] = "all paths down",
        [SIM_HAS_MTU_CHANGES] = "MTU changes",
        [SIM_HAS_RESTART_OF_CONNECTOR] = "the connecting side restarts",
        [SIM_HAS_RESTART_OF_LISTENER] = "the listening side restarts",
        [SIM_HAS_RESTART_OF_BOTH] = "both hosts restart at once",
        [SIM_HAS_LENT] = "messages that are lent",
        [SIM_HAS_FRAGMENT_LIMIT] = "a limit of fragments",
        [SIM_HAS_BURST_LIMIT] = "a limit of bursts in packets",
        [SIM_SAW_OVERRIDES] = "messages that name a path",
        [SIM_SAW_FAILED] = "failed messages that were told",
        [SIM_HAS_LONG_OUTAGE] = "an outage longer than life",
        [SIM_HAS_PEEKS] = "reading by peeking first",
        [SIM_HAS_VIEWS] = "reading by views",
        [SIM_HAS_HOST_ADDRS] = "addresses of the host",
        [SIM_HAS_SHARED_PORTS] = "ports of several endpoints",
        [SIM_HAS_ADAPTATION] = "adaptation layer indications",
        [SIM_HAS_AUTOCLOSE] = "associations that close when idle",
        [SIM_HAS_ONE_FAMILY] = "endpoints of one of two families",
        [SIM_HAS_MORE_LOCALS] = "endpoints that get more addresses",
        [SIM_HAS_UDP] = "connections over UDP",
        [SIM_HAS_UDP_SWITCHED] = "paths that switch to UDP and back",
        [SIM_HAS_SHARDS] = "hosts of two shards",
        [SIM_HAS_UNFILTERED] = "shards that are given all packets",
        [SIM_SAW_BOTH_SHARDS] = "packets for both shards of a host",
        [SIM_HAS_LATE_READER] = "packets looked at late",
        [SIM_HAS_WRONG_STAMPS] = "wrong times of reception",
        [SIM_HAS_OBSERVER] = "engines that are observed",
        [SIM_HAS_RECEIVE_BUDGET] = "a receive buffer that is shared",
        [SIM_SAW_UDP] = "packets in UDP",
        [SIM_SAW_MESSAGE_CUT] = "a message cut off in parts",
        [SIM_SAW_CUT_SILENTLY] = "packets cut off silently",
        [SIM_SAW_SEND_FAILED] = "sends that failed",
        [SIM_SAW_HOST_UNREACHABLE] = "ICMP host unreachable",
        [SIM_SAW_TOO_BIG] = "ICMP too big",
        [SIM_SAW_BLACK_HOLE] = "packets too big, silently lost",
        [SIM_SAW_PATH_DOWN] = "a path became inactive",
        [SIM_SAW_RESTART] = "RESTART was told",
        [SIM_SAW_LOST_BY_ABORT] = "a restart ended an association",
        [SIM_SAW_LOST_BY_SILENCE] = "an outage ended an association",
        [SIM_SAW_PATH_UP] = "a path became active",
        [SIM_HAS_NEAR] = "near paths, messages over time",
        [SIM_HAS_ERRATIC_CC] = "an erratic congestion controller",
        [SIM_HAS_ERRATIC_SCHED] = "an erratic stream scheduler",
        [SIM_HAS_ERRATIC_PATHSEL] = "an erratic path selector",
        [SIM_SAW_EXT_CHUNKS] = "chunks of extensions came",
        [SIM_SAW_EXT_REPAIRED] = "fec repaired DATA chunks",
        [SIM_SAW_EXT_FAULTS] = "an extension asked for what it must not",
        [SIM_SAW_CC_REFUSED] = "nonsense of a controller",
        [SIM_SAW_SCHED_REFUSED] = "nonsense of a scheduler",
        [SIM_SAW_PATHSEL_REFUSED] = "nonsense of a selector",
        [SIM_SAW_COPIES] = "copies on several paths",
        [SIM_SAW_COPIES_WITHHELD] = "copies that were withheld",
        [SIM_SAW_TRAIN_WAITS] = "messages that waited for a train",
    };
    return names[feature];
}

void sim_draw(struct sim_case *c, uint64_t seed, FILE *trace, bool other_observers)
{
    memset(c, 0, sizeof *c);
    c->seed = seed;
    struct mood m = {.rng = sim_rng_seeded(seed),
                     .more = sim_rng_seeded(~seed),
                     .still_more = sim_rng_seeded(seed + (UINT64_C(1) << 63)),
                     .latest = sim_rng_seeded(~seed + (UINT64_C(1) << 63)),
                     .shards = sim_rng_seeded(seed + (UINT64_C(1) << 62)),
                     .observers = sim_rng_seeded(~seed + (UINT64_C(1) << 62)),
                     .extensions = sim_rng_seeded(seed + (UINT64_C(1) << 61)),
                     .chunks = sim_rng_seeded(~seed + (UINT64_C(1) << 60)),
                     .near = sim_rng_seeded(seed + (UINT64_C(1) << 59)),
                     .other_observers = other_observers};
    sim_world_init(&c->world, sim_rng_next(&m.rng));
    sim_net_init(&c->net, &c->world, sim_rng_next(&m.rng));
    c->net.trace = trace;
    draw_mood(&m);
    draw_hosts(c, &m);
    draw_shards(c, &m);
    draw_links(c, &m);
    draw_flaps(c, &m);
    c->heal_at_us = c->world.now_us + sim_rng_scale(&m.rng, 5 * SECOND_US, 200 * SECOND_US);
    draw_long_outage(c, &m);
    draw_restarts(c, &m);
    draw_foreign(c, &m);
    c->end_by_us = c->heal_at_us + 3000ull * SECOND_US;
    c->flow_count = m.huge ? 1 : sim_rng_between(&m.rng, 1, SIM_FLOWS_MAX);
    for (uint32_t i = 0; i < c->flow_count; i++)
        draw_flow(c, &m, i);
    note_features(c, &m);
    note_restarts(c);
}

void sim_discard(struct sim_case *c)
{
    for (uint32_t i = 0; i < SIM_HOSTS; i++)
        if (sim_draw_host(c, i) != NULL)
            sim_host_fini(&c->hosts[i]);
    if (c->has_bystander)
        sim_host_fini(&c->bystander);
    for (uint32_t i = 0; i < c->flow_count; i++)
        for (uint32_t k = 0; k < 2; k++)
            sim_ledger_fini(&c->flows[i].ends[k].ledger);
    sim_world_fini(&c->world);
    sim_net_fini(&c->net);
    SIM_CHECK(&c->world, c->world.live_packets == 0, "%zu packet buffers are still referred to",
              c->world.live_packets);
}
