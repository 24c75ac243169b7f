#include "sim/link.h"

#include "sim/memory.h"

void sim_link_init(struct sim_link *link, const struct sim_link_config *config, const char *name,
                   uint32_t way, uint64_t seed)
{
    *link = (struct sim_link){
        .config = config,
        .name = name,
        .way = way,
        .rng = sim_rng_seeded(seed),
        .codel = {.target_ns = config->codel_target_ns, .interval_ns = config->codel_interval_ns},
    };
}

void sim_link_fini(struct sim_link *link)
{
    sim_ring_fini(&link->queue);
    sim_ring_fini(&link->wire);
    sim_histogram_fini(&link->wait_us);
}

static void drop(struct sim_link *link, const struct sim_packet *packet, enum sim_drop why,
                 uint64_t now_ns)
{
    link->drops[why]++;
    if (link->dropped != NULL)
        link->dropped(link->ctx, link, packet, why, now_ns);
    hws_buf_unref(packet->buf);
}

/* ECN-capable packets are marked (RFC 3168, 5); others stay as they are. */
static bool mark(struct sim_link *link, struct sim_packet *packet)
{
    if (!link->config->ecn || (packet->tos & SIM_ECN_MASK) == 0)
        return false;
    packet->tos |= SIM_ECN_CE;
    link->marks++;
    return true;
}

/* Outages are in the order of their times, and so are the questions. */
static bool is_down(struct sim_link *link, uint64_t now_ns)
{
    const struct sim_link_config *c = link->config;
    while (link->next_outage < c->outage_count && c->outages[link->next_outage].until_ns <= now_ns)
        link->next_outage++;
    return link->next_outage < c->outage_count && c->outages[link->next_outage].from_ns <= now_ns;
}

static bool is_lost(struct sim_link *link)
{
    const struct sim_link_config *c = link->config;
    if (c->burst_begin_ppm == 0)
        return sim_rng_chance(&link->rng, (uint32_t)c->loss_ppm);
    if (sim_rng_chance(&link->rng, (uint32_t)(link->bad ? c->burst_end_ppm : c->burst_begin_ppm)))
        link->bad = !link->bad;
    return sim_rng_chance(&link->rng, (uint32_t)(link->bad ? c->burst_loss_ppm : c->loss_ppm));
}

/* A number of nanoseconds in 0..limit. */
static uint64_t draw_ns(struct sim_rng *rng, uint64_t limit)
{
    return sim_rng_next(rng) % (limit + 1);
}

/* Puts a packet on the wire, which is in the order of arrivals. */
static void travel(struct sim_link *link, struct sim_packet *packet, uint64_t sent_ns)
{
    const struct sim_link_config *c = link->config;
    packet->at_ns = sent_ns + c->delay_ns;
    if (c->jitter_ns != 0) {
        packet->at_ns += draw_ns(&link->rng, c->jitter_ns);
        if (packet->at_ns < link->last_arrival_ns)
            packet->at_ns = link->last_arrival_ns;
        link->last_arrival_ns = packet->at_ns;
    }
    if (c->reorder_ppm != 0 && sim_rng_chance(&link->rng, (uint32_t)c->reorder_ppm))
        packet->at_ns += c->reorder_ns;
    sim_ring_push(&link->wire, packet);
    uint32_t at = link->wire.count - 1;
    for (; at > 0 && sim_ring_at(&link->wire, at - 1)->at_ns > packet->at_ns; at--)
        *sim_ring_at(&link->wire, at) = *sim_ring_at(&link->wire, at - 1);
    *sim_ring_at(&link->wire, at) = *packet;
}

static uint64_t transmission_ns(const struct sim_link *link, const struct sim_packet *packet)
{
    uint64_t bytes = packet->ip_bytes + link->config->overhead_bytes;
    return link->config->rate_bit_s != 0 ? bytes * UINT64_C(8000000000) / link->config->rate_bit_s
                                         : 0;
}

static void transmit(struct sim_link *link, struct sim_packet *packet, uint64_t start_ns)
{
    uint64_t taken_ns = transmission_ns(link, packet);
    link->free_ns = start_ns + taken_ns;
    link->busy_ns += taken_ns;
    link->packets++;
    link->bytes += packet->ip_bytes;
    sim_histogram_add(&link->wait_us, (start_ns - packet->at_ns) / 1000);
    if (is_down(link, start_ns))
        drop(link, packet, SIM_DROP_OUTAGE, start_ns);
    else if (is_lost(link))
        drop(link, packet, SIM_DROP_LOSS, start_ns);
    else
        travel(link, packet, link->free_ns);
}

static struct sim_packet take_head(struct sim_link *link)
{
    struct sim_packet packet = sim_ring_pop(&link->queue);
    link->queue_bytes -= packet.ip_bytes;
    return packet;
}

/* The packet that the AQM lets go, if any. */
static bool next_to_send(struct sim_link *link, uint64_t now_ns, struct sim_packet *packet)
{
    const struct sim_link_config *c = link->config;
    *packet = take_head(link);
    if (c->aqm != SIM_AQM_CODEL)
        return true;
    bool again = false;
    while (sim_codel_drops(&link->codel, now_ns, now_ns - packet->at_ns, link->queue_bytes, c->mtu,
                           again)) {
        if (mark(link, packet)) {
            sim_codel_marked(&link->codel);
            return true;
        }
        drop(link, packet, SIM_DROP_AQM, now_ns);
        if (link->queue.count == 0) {
            link->codel.dropping = false;
            link->codel.first_above_ns = 0;
            return false;
        }
        *packet = take_head(link);
        again = true;
    }
    return true;
}

/* When the transmitter begins with the head of the queue. */
static uint64_t next_start(const struct sim_link *link)
{
    uint64_t came_ns = sim_ring_at(&link->queue, 0)->at_ns;
    return came_ns > link->free_ns ? came_ns : link->free_ns;
}

void sim_link_catch_up(struct sim_link *link, uint64_t now_ns)
{
    while (link->queue.count > 0 && next_start(link) <= now_ns) {
        struct sim_packet packet;
        uint64_t start_ns = next_start(link);
        if (next_to_send(link, start_ns, &packet))
            transmit(link, &packet, start_ns);
    }
}

void sim_link_send(struct sim_link *link, const struct sim_packet *packet, uint64_t now_ns)
{
    const struct sim_link_config *c = link->config;
    struct sim_packet mine = *packet;
    mine.at_ns = now_ns;
    sim_link_catch_up(link, now_ns);
    if (mine.ip_bytes > c->mtu) {
        drop(link, &mine, SIM_DROP_MTU, now_ns);
    } else if (is_down(link, now_ns)) {
        drop(link, &mine, SIM_DROP_OUTAGE, now_ns);
    } else if (link->free_ns > now_ns && link->queue_bytes + mine.ip_bytes > c->queue_bytes) {
        drop(link, &mine, SIM_DROP_QUEUE, now_ns);
    } else {
        if (c->ecn_bytes != 0 && link->queue_bytes > c->ecn_bytes)
            mark(link, &mine);
        sim_ring_push(&link->queue, &mine);
        link->queue_bytes += mine.ip_bytes;
        sim_link_catch_up(link, now_ns);
        if (link->queue_bytes > link->queue_max_bytes)
            link->queue_max_bytes = link->queue_bytes;
    }
}

uint64_t sim_link_next(const struct sim_link *link)
{
    uint64_t arrival_ns = link->wire.count > 0 ? sim_ring_at(&link->wire, 0)->at_ns : UINT64_MAX;
    /* What is still in the queue arrives after what is on the wire, unless packets are reordered:
     * the link need not be asked before. */
    if (link->queue.count == 0 || (arrival_ns != UINT64_MAX && link->config->reorder_ppm == 0))
        return arrival_ns;
    uint64_t start_ns = next_start(link);
    return start_ns < arrival_ns ? start_ns : arrival_ns;
}

bool sim_link_take(struct sim_link *link, struct sim_packet *packet, uint64_t now_ns)
{
    sim_link_catch_up(link, now_ns);
    if (link->wire.count == 0 || sim_ring_at(&link->wire, 0)->at_ns > now_ns)
        return false;
    *packet = sim_ring_pop(&link->wire);
    return true;
}

/* ---- Counts ---- */

static uint64_t still_busy_ns(const struct sim_link *link, uint64_t now_ns)
{
    return link->free_ns > now_ns ? link->free_ns - now_ns : 0;
}

void sim_link_count_anew(struct sim_link *link, uint64_t now_ns)
{
    sim_link_catch_up(link, now_ns);
    link->packets = link->bytes = link->marks = 0;
    link->busy_ns = still_busy_ns(link, now_ns);
    link->queue_max_bytes = link->queue_bytes;
    memset(link->drops, 0, sizeof link->drops);
    sim_histogram_fini(&link->wait_us);
}

uint64_t sim_link_busy_ns(const struct sim_link *link, uint64_t now_ns)
{
    return link->busy_ns - still_busy_ns(link, now_ns);
}
