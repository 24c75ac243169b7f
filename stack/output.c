#include "stack/output.h"

#include <string.h>

#include "stack/assoc.h"
#include "stack/chunk_table.h"
#include "stack/copies.h"
#include "stack/extension.h"
#include "stack/fault.h"
#include "stack/heartbeat.h"
#include "stack/init_params.h"
#include "stack/observe.h"
#include "stack/pathsel.h"
#include "stack/pmtud.h"
#include "stack/sack.h"
#include "stack/transmit.h"

/* ---- Fill functions ---- */

bool hws_output_fill_init(struct hws_path *p, struct hws_builder *b)
{
    const struct hws_assoc *a = p->assoc;
    struct hws_init init = {
        .tag = a->local_vtag,
        .a_rwnd = hws_budget_first(a->engine, a->params->rcvbuf_bytes),
        .ostreams = a->params->ostreams,
        .max_instreams = a->params->max_instreams,
        .tsn = a->local_initial_tsn,
    };
    if (!hws_init_open(b, HWS_CHUNK_INIT, &init))
        return false;
    if (a->cold != NULL && a->cold->preservative_ms > 0)
        hws_param_put_cookie_preservative(b, a->cold->preservative_ms);
    hws_init_params_put_local(b, a->locals, a->params, HWS_SUPPORTS_IPV4 | HWS_SUPPORTS_IPV6);
    hws_extensions_put_offers(b, &a->engine->registry, NULL);
    return hws_builder_close(b);
}

bool hws_output_fill_cookie_echo(struct hws_path *p, struct hws_builder *b)
{
    const struct hws_assoc *a = p->assoc;
    return hws_chunk_put(b, HWS_CHUNK_COOKIE_ECHO, 0, a->cold->cookie, a->cold->cookie_len);
}

bool hws_output_fill_cookie_ack(struct hws_path *p, struct hws_builder *b)
{
    (void)p;
    return hws_chunk_put(b, HWS_CHUNK_COOKIE_ACK, 0, NULL, 0);
}

bool hws_output_fill_shutdown(struct hws_path *p, struct hws_builder *b)
{
    return hws_shutdown_encode(b, hws_assoc_arrived_tsn(p->assoc));
}

bool hws_output_fill_shutdown_ack(struct hws_path *p, struct hws_builder *b)
{
    (void)p;
    return hws_chunk_put(b, HWS_CHUNK_SHUTDOWN_ACK, 0, NULL, 0);
}

/* ---- Packets ---- */

static bool must_be_alone(const struct hws_path *p)
{
    return p->wants & HWS_WANT_INIT;
}

/* Adds the control chunks that the path wants, in the table's order, as far as they fit. */
static void fill_control(struct hws_path *p, struct hws_builder *b)
{
    for (unsigned i = 0; i < hws_chunk_row_count && p->wants != 0; i++) {
        const struct hws_chunk_row *row = &hws_chunk_rows[i];
        /* Before COOKIE ECHO the peer has no association that another chunk could reach (5.1 C). */
        if ((p->wants & HWS_WANT_COOKIE_ECHO) && row->want != HWS_WANT_COOKIE_ECHO)
            continue;
        if (!(p->wants & row->want) || (row->alone && b->chunks > 0))
            continue;
        if (row->fill(p, b))
            p->wants &= (uint16_t)~row->want;
        if (row->alone && b->chunks > 0)
            return;
    }
}

/* A control chunk that no packet of the path's MTU can carry (a long cookie) goes alone in its
 * train, with IP's help. */
static void fill_oversized(struct hws_path *p, struct hws_builder *b, struct hws_train *train)
{
    if (b->chunks > 0 || train->packets > 0)
        return;
    uint32_t limit = b->limit;
    b->limit = train->capacity < HWS_PACKET_MAX_LEN ? train->capacity & ~3u : HWS_PACKET_MAX_LEN;
    fill_control(p, b);
    train->may_fragment = b->chunks > 0;
    /* It gets the room for itself; without one a probe is wanted, or a chunk of an extension. */
    b->limit = b->len > limit ? b->len : limit;
}

/* A packet is answered by one packet (RFC 5062, 8 and 10): of what `wanted` to be told beside a
 * SACK, the part that did not fit is dropped. */
static void drop_further_answers(struct hws_path *p, uint16_t wanted)
{
    uint16_t answers = wanted & (HWS_WANT_ERROR | HWS_WANT_HEARTBEAT_ACK);
    uint16_t left = answers & p->wants;
    if (left == 0 || left == answers)
        return;
    HWS_DROP(p->assoc->engine, NULL, drop_bundle);
    if (left & HWS_WANT_ERROR)
        hws_fault_forget_reports(p->assoc);
    else
        hws_heartbeat_forget_echoes(p);
}

/* A SACK that is owed goes along with data (6.2). */
static void bundle_sack(struct hws_path *p, struct hws_builder *b)
{
    struct hws_assoc *a = p->assoc;
    if (a->unsacked_packets > 0 && hws_sack_fill(p, b))
        hws_unwant(a, HWS_WANT_SACK);
}

static void fill_data(struct hws_path *p, struct hws_builder *b, struct hws_train *train)
{
    bool copies = hws_copies_due(p), data = hws_transmit_possible(p);
    if (copies || data)
        bundle_sack(p, b);
    if (copies)
        hws_copies_fill(p, b);
    if (data)
        hws_transmit_fill(p, b, train);
}

static uint64_t data_out(const struct hws_assoc *a)
{
    return a->queues->counts.data_out_ordered + a->queues->counts.data_out_unordered;
}

/* Builds one packet of at most `limit` bytes; its length, 0 when there is nothing to send. */
static uint32_t build_packet(struct hws_path *p, uint8_t *buf, uint32_t limit,
                             struct hws_train *train)
{
    struct hws_assoc *a = p->assoc;
    struct hws_builder b;
    bool init = must_be_alone(p);
    uint64_t data_before = data_out(a);
    /* It begins a train, so that it has all the room that there is. */
    if ((p->wants & HWS_WANT_EXTENSION) && train->packets > 0)
        return 0;
    hws_builder_init(&b, buf, limit, a->local_port, a->remote_port, init ? 0 : a->remote_vtag);
    if (p->wants != 0) {
        uint16_t wanted = p->wants;
        fill_control(p, &b);
        fill_oversized(p, &b, train);
        drop_further_answers(p, wanted);
        if (a->state == HWS_STATE_COOKIE_ECHOED)
            hws_fault_forget_reports(a); /* there is no other packet for them (5.1) */
        if (p->wants & HWS_WANT_EXTENSION)
            hws_extensions_fill(p, &b, HWS_EXT_BEFORE_DATA, train->packets == 0);
    }
    if (!init)
        fill_data(p, &b, train);
    if (p->wants & HWS_WANT_EXTENSION)
        hws_extensions_fill(p, &b, HWS_EXT_AFTER_DATA, train->packets == 0);
    if (b.chunks == 0)
        return 0;
    a->engine->stats.packets_out++;
    a->counts.packets_out++;
    a->counts.control_out += b.chunks - (uint32_t)(data_out(a) - data_before);
    return hws_builder_finish(&b);
}

static void start_train(const struct hws_path *p, struct hws_train *train)
{
    train->len = 0;
    train->packets = 0;
    train->segment_len = 0;
    train->may_fragment = false;
    train->mtu = p->mtu;
    train->tos = p->params->tos;
    train->ttl = p->params->ttl;
    train->src = p->local;
    train->dst = p->remote;
}

/* No packet is larger than the primary path's MTU allows, so that failing over changes no sizes
 * (6.10). */
static uint32_t packet_limit(const struct hws_path *p)
{
    uint32_t primary = p->assoc->paths[p->assoc->primary]->max_packet;
    return p->max_packet < primary ? p->max_packet : primary;
}

/* Packets follow one another as long as they are of the first one's size. */
static bool build_train(struct hws_path *p, struct hws_train *train)
{
    uint32_t limit = packet_limit(p) < train->capacity ? packet_limit(p) : train->capacity;
    while (train->packets < train->max_packets && train->capacity - train->len >= limit) {
        uint32_t len = build_packet(p, train->data + train->len, limit, train);
        if (len == 0)
            break;
        if (train->packets++ == 0) {
            train->segment_len = len;
            limit = len;
        }
        train->len += len;
        if (len < train->segment_len || train->may_fragment)
            break;
    }
    return train->packets > 0;
}

/* The path whose turn it is: one that wants control chunks, else one that gets a copy of what
 * another carries, else the one that carries data. */
static struct hws_path *choose_path(struct hws_assoc *a)
{
    for (unsigned i = 0; i < a->path_count; i++)
        if (a->paths[i]->wants != 0)
            return a->paths[i];
    struct hws_path *p = hws_copies_path(a);
    if (p != NULL)
        return p;
    p = hws_transmit_path(a);
    if (!hws_transmit_possible(p))
        return NULL;
    if (!hws_transmit_waits(p))
        return p;
    a->engine->stats.train_waits++;
    return NULL;
}

/* A probe is a packet of its own, behind whatever else there is to say on its path. */
static bool build(struct hws_path *p, struct hws_train *train)
{
    start_train(p, train);
    if (p->wants == HWS_WANT_PROBE)
        return hws_pmtud_build_probe(p, train);
    if (!build_train(p, train))
        return false;
    if (train->packets > 1 || p->assoc->queues->sendq.unsent_bytes > 0)
        hws_pmtud_wanted(p->assoc);
    return true;
}

bool hws_output_assoc(struct hws_assoc *a, struct hws_train *train)
{
    bool built = false, perhaps = true;
    hws_pathsel_visit(a);
    while (!built && perhaps) {
        struct hws_path *p = choose_path(a);
        if (p == NULL)
            return false;
        /* A probe that cannot be sent holds nothing up, nor an extension that has nothing to say.
         */
        perhaps = p->wants == HWS_WANT_PROBE || (p->wants & HWS_WANT_EXTENSION);
        built = build(p, train);
    }
    if (built)
        a->engine->stats.bytes_out += train->len;
    return built;
}
