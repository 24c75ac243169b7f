#include "tests/sim/foreign.h"

#include <stdlib.h>
#include <string.h>

#include "proto/chunk.h"
#include "proto/crc32c.h"

#define FORGED_MAX 2048u

/* A packet an attacker made. */
struct forged {
    struct hws_addr src, dst;
    uint32_t len;
    uint8_t data[FORGED_MAX];
    bool counted; /* must appear among what was refused */
};

/* What must not change. */
struct witness {
    size_t assocs;
    struct hws_assoc_status status[SIM_HOST_ASSOCS_MAX];
    struct hws_path_status path[SIM_HOST_ASSOCS_MAX];
    int found[SIM_HOST_ASSOCS_MAX];
};

static void witness_take(const struct sim_host *host, struct witness *w)
{
    memset(w, 0, sizeof *w);
    w->assocs = hws_engine_assoc_count(host->engine);
    for (uint32_t i = 0; i < host->assoc_count; i++) {
        w->found[i] = hws_assoc_status(host->engine, host->assocs[i], &w->status[i]);
        if (w->found[i] == HWS_OK)
            hws_assoc_path_status(host->engine, host->assocs[i], 0, &w->path[i]);
    }
}

static bool same_status(const struct hws_assoc_status *a, const struct hws_assoc_status *b)
{
    return a->state == b->state && a->local_vtag == b->local_vtag &&
           a->remote_vtag == b->remote_vtag && a->path_count == b->path_count &&
           a->primary == b->primary && a->unsent_bytes == b->unsent_bytes &&
           a->flight_bytes == b->flight_bytes && a->unacked_bytes == b->unacked_bytes &&
           a->peer_rwnd == b->peer_rwnd && a->rwnd == b->rwnd &&
           a->charged_bytes == b->charged_bytes && a->retransmits == b->retransmits &&
           a->timer_armed == b->timer_armed;
}

static bool same_path(const struct hws_path_status *a, const struct hws_path_status *b)
{
    return a->confirmed == b->confirmed && a->active == b->active && a->mtu == b->mtu &&
           a->cwnd == b->cwnd && a->ssthresh == b->ssthresh && a->srtt_us == b->srtt_us &&
           a->rto_us == b->rto_us && a->errors == b->errors;
}

static void witness_compare(struct sim_host *host, const struct witness *was, const char *what)
{
    struct sim_world *world = host->node.world;
    struct witness now;
    witness_take(host, &now);
    SIM_CHECK(world, now.assocs == was->assocs, "%s: %zu associations became %zu", what,
              was->assocs, now.assocs);
    for (uint32_t i = 0; i < host->assoc_count; i++) {
        SIM_CHECK(world, now.found[i] == was->found[i], "%s ended an association", what);
        if (now.found[i] != HWS_OK || was->found[i] != HWS_OK)
            continue;
        SIM_CHECK(world, same_status(&now.status[i], &was->status[i]), "%s changed an association",
                  what);
        SIM_CHECK(world, same_path(&now.path[i], &was->path[i]), "%s changed a path", what);
    }
}

static const struct sim_recorded *pick_recorded(struct sim_foreign *f)
{
    if (f->net->recorded_count == 0)
        return NULL;
    uint64_t count = f->net->recorded_count;
    uint32_t held = count < SIM_RECORDED_MAX ? (uint32_t)count : SIM_RECORDED_MAX;
    return &f->net->recorded[sim_rng_below(&f->rng, held)];
}

/* A true packet to `host`, shortened to what a forged one holds. */
static bool forge_from_recorded(struct sim_foreign *f, struct sim_host *host, struct forged *out)
{
    const struct sim_recorded *r = pick_recorded(f);
    if (r == NULL || r->to != &host->node || r->len < HWS_PACKET_HEADER_LEN)
        return false;
    out->src = r->src;
    out->dst = r->dst;
    out->len = r->len < FORGED_MAX ? r->len : FORGED_MAX;
    memcpy(out->data, r->data, out->len);
    return true;
}

static bool tag_in_use(const struct sim_host *host, uint32_t tag)
{
    for (uint32_t i = 0; i < host->assoc_count; i++) {
        struct hws_assoc_status s;
        if (hws_assoc_status(host->engine, host->assocs[i], &s) == HWS_OK &&
            (s.local_vtag == tag || s.remote_vtag == tag))
            return true;
    }
    return tag == 0;
}

static bool forge_garbage(struct sim_foreign *f, struct sim_host *host, struct forged *out)
{
    out->src = f->hosts[host == f->hosts[0] ? 1 : 0]->node.addrs[0];
    out->dst = host->node.addrs[0];
    out->len = sim_rng_below(&f->rng, 200);
    sim_rng_fill(&f->rng, out->data, out->len);
    return out->len < HWS_PACKET_HEADER_LEN || !hws_crc32c_ok(out->data, out->len);
}

/* A true packet with another tag and a right checksum, whole or cut. */
static bool forge_tag(struct sim_foreign *f, struct sim_host *host, struct forged *out)
{
    if (!forge_from_recorded(f, host, out))
        return false;
    uint32_t tag = (uint32_t)sim_rng_next(&f->rng);
    if (tag_in_use(host, tag))
        return false;
    hws_put32(out->data + 4, tag);
    if (sim_rng_below(&f->rng, 4) == 0)
        out->len = sim_rng_between(&f->rng, HWS_PACKET_HEADER_LEN, out->len);
    hws_crc32c_set(out->data, out->len);
    return true;
}

static bool forge_port(struct sim_foreign *f, struct sim_host *host, struct forged *out)
{
    if (!forge_from_recorded(f, host, out))
        return false;
    /* Nobody here has a port below 1000. An INIT would be answered, statelessly. */
    hws_put16(out->data + 2 * sim_rng_below(&f->rng, 2),
              (uint16_t)sim_rng_between(&f->rng, 1, 999));
    if (hws_get32(out->data + 4) == 0)
        return false;
    hws_crc32c_set(out->data, out->len);
    return true;
}

/* Left out: a cookie is its own proof, wherever it comes from (5.1.5), and an INIT ACK may come
 * from another address of its sender (5.1.2). */
static bool forge_address(struct sim_foreign *f, struct sim_host *host, struct forged *out)
{
    if (!forge_from_recorded(f, host, out) || hws_get32(out->data + 4) == 0)
        return false;
    if (out->len <= HWS_PACKET_HEADER_LEN)
        return false;
    uint8_t first = out->data[HWS_PACKET_HEADER_LEN];
    if (first == HWS_CHUNK_COOKIE_ECHO || first == HWS_CHUNK_INIT_ACK)
        return false;
    out->src.ip[3] ^= 0x55;
    return true;
}

/* The only one that may be answered: an INIT from an address nobody has. */
static bool forge_init(struct sim_foreign *f, struct sim_host *host, struct forged *out)
{
    forge_garbage(f, host, out);
    out->src.ip[3] ^= 0x33;
    struct hws_builder b;
    hws_builder_init(&b, out->data, FORGED_MAX, (uint16_t)sim_rng_between(&f->rng, 1, 999),
                     (uint16_t)sim_rng_between(&f->rng, 5000, 5003), 0);
    struct hws_init init = {.tag = (uint32_t)sim_rng_next(&f->rng) | 1,
                            .a_rwnd = 65536,
                            .ostreams = 10,
                            .max_instreams = 10,
                            .tsn = (uint32_t)sim_rng_next(&f->rng)};
    hws_init_open(&b, HWS_CHUNK_INIT, &init);
    hws_builder_close(&b);
    out->len = hws_builder_finish(&b);
    out->counted = false;
    return true;
}

static void inject(struct sim_foreign *f, struct sim_host *host, const struct forged *forged,
                   const char *what)
{
    struct sim_world *world = f->net->world;
    struct witness was;
    witness_take(host, &was);
    uint64_t refused = sim_refused(hws_engine_stats(host->engine));
    struct hws_packet_in in = {.data = forged->data,
                               .len = forged->len,
                               .truesize = forged->len,
                               .src = forged->src,
                               .dst = forged->dst};
    sim_net_trace(f->net, what, &in.src, &in.dst, in.data, in.len);
    hws_engine_input(host->engine, &in, 1, world->now_us);
    host->changed = true;
    f->attempts++;
    witness_compare(host, &was, what);
    SIM_CHECK(world, !forged->counted || sim_refused(hws_engine_stats(host->engine)) > refused,
              "%s was not counted", what);
}

/* Section 10, ICMP7: what quotes a wrong tag is not about us. */
static void forge_icmp(struct sim_foreign *f, struct sim_host *host)
{
    const struct sim_recorded *r = pick_recorded(f);
    if (r == NULL || r->to == &host->node || r->len < HWS_PACKET_HEADER_LEN)
        return;
    uint8_t quoted[HWS_PACKET_HEADER_LEN];
    memcpy(quoted, r->data, sizeof quoted);
    uint32_t tag = (uint32_t)sim_rng_next(&f->rng);
    if (tag_in_use(host, tag))
        return;
    hws_put32(quoted + 4, tag);
    bool big = sim_rng_below(&f->rng, 2) == 0;
    struct hws_net_event event = {.kind = big ? HWS_NET_TOO_BIG : HWS_NET_UNREACHABLE,
                                  .local = r->src,
                                  .remote = r->dst,
                                  .mtu = 600,
                                  .protocol_unreachable = !big,
                                  .quoted = quoted,
                                  .quoted_len = sizeof quoted};
    struct witness was;
    witness_take(host, &was);
    hws_engine_net_event(host->engine, &event, f->net->world->now_us);
    host->changed = true;
    f->attempts++;
    witness_compare(host, &was, "forged ICMP");
}

static void replay(struct sim_foreign *f)
{
    const struct sim_recorded *r = pick_recorded(f);
    if (r == NULL)
        return;
    struct sim_packet *p = sim_packet_new(f->net->world, r->data, r->len);
    p->src = r->src;
    p->dst = r->dst;
    sim_net_trace(f->net, "replay", &p->src, &p->dst, p->data, p->len);
    sim_net_arrive(f->net, sim_rng_scale(&f->rng, 0, 5000000), r->to, p);
    f->replays++;
}

static void attempt(struct sim_foreign *f, struct sim_host *host)
{
    static const struct {
        const char *what;
        bool (*forge)(struct sim_foreign *, struct sim_host *, struct forged *);
    } forgers[] = {{"garbage", forge_garbage},
                   {"forged tag", forge_tag},
                   {"forged port", forge_port},
                   {"forged address", forge_address},
                   {"stranger's INIT", forge_init}};
    uint32_t kind = sim_rng_below(&f->rng, 7);
    if (kind == 5) {
        forge_icmp(f, host);
    } else if (kind == 6) {
        replay(f);
    } else {
        struct forged forged = {.counted = true};
        if (forgers[kind].forge(f, host, &forged))
            inject(f, host, &forged, forgers[kind].what);
    }
}

static void foreign_tick(struct sim_world *world, void *ctx, uint32_t arg)
{
    struct sim_foreign *f = ctx;
    struct sim_host *host = f->hosts[sim_rng_below(&f->rng, 2)];
    attempt(f, host);
    host->node.wants_run = true;
    if (world->now_us < f->until_us)
        sim_world_call(world, sim_rng_between(&f->rng, 1, 2 * f->period_us), NULL, foreign_tick, f,
                       arg);
}

void sim_foreign_start(struct sim_foreign *f)
{
    f->net->record = true;
    sim_world_call(f->net->world, f->period_us, NULL, foreign_tick, f, 0);
}
