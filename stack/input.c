#include "stack/input.h"

#include "proto/cause.h"
#include "proto/crc32c.h"
#include "stack/assoc.h"
#include "stack/chunk_table.h"
#include "stack/endpoint.h"
#include "stack/extension.h"
#include "stack/fault.h"
#include "stack/handshake.h"
#include "stack/listener.h"
#include "stack/observe.h"
#include "stack/ootb.h"
#include "stack/shutdown.h"

/* Bytes of an unrecognized chunk that an ERROR quotes. */
#define HWS_QUOTED_CHUNK_MAX 128u

uint64_t hws_input_round_trip_us(const struct hws_engine *e, uint64_t sent_us)
{
    uint64_t received_us = e->rx != NULL ? e->rx->packet->rx_time_us : 0;
    bool plausible = received_us > sent_us && received_us <= e->now_us;
    return (plausible ? received_us : e->now_us) - sent_us;
}

/* ---- Chunks ---- */

/* An unknown chunk type (3.2). False: the rest of the packet is not to be looked at. */
static bool unknown_chunk(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk)
{
    uint8_t type = hws_chunk_type(chunk);
    HWS_DROP(a->engine, rx, drop_chunk_unknown);
    if (hws_chunk_unknown_report(type)) {
        uint32_t len = chunk->len < HWS_QUOTED_CHUNK_MAX ? chunk->len : HWS_QUOTED_CHUNK_MAX;
        hws_fault_report(rx->path, HWS_CAUSE_UNRECOGNIZED_CHUNK, chunk->bytes, len);
    }
    return hws_chunk_unknown_skip(type);
}

static void known_chunk(struct hws_assoc *a, struct hws_rx *rx, const struct hws_chunk_row *row,
                        const struct hws_tlv *chunk)
{
    if (chunk->len < hws_chunk_min_len(row->type))
        HWS_DROP(a->engine, rx, drop_chunk_malformed);
    else if (row->input == NULL || !(row->states & 1u << a->state))
        HWS_DROP(a->engine, rx, drop_chunk_state);
    else
        row->input(a, rx, chunk);
}

static void process_list(struct hws_assoc *a, struct hws_rx *rx, struct hws_tlv_iter *it)
{
    struct hws_tlv chunk;
    while (!a->over && !(rx->reflected && rx->chunk_index > 0) && hws_tlv_next(it, &chunk)) {
        a->counts.control_in += hws_chunk_type(&chunk) != HWS_CHUNK_DATA;
        const struct hws_chunk_row *row = hws_chunk_row(hws_chunk_type(&chunk));
        if (row == NULL) {
            if (!hws_extensions_chunk_in(a, rx, &chunk) && !unknown_chunk(a, rx, &chunk))
                return;
        } else if (row->alone && (rx->chunk_index > 0 || it->left > 0)) {
            HWS_DROP(a->engine, rx, drop_bundle);
            return;
        } else {
            known_chunk(a, rx, row, &chunk);
        }
        rx->chunk_index++;
    }
    if (it->malformed)
        HWS_DROP(a->engine, rx, drop_short);
}

static void process_chunks(struct hws_assoc *a, struct hws_rx *rx, struct hws_tlv_iter *it)
{
    struct hws_engine *e = a->engine;
    a->counts.packets_in++;
    e->rx = rx;
    process_list(a, rx, it);
    e->rx = NULL;
}

/* ---- The association a packet belongs to ---- */

/* The T bit says that the tag is the receiver's own, reflected (8.5.1 B, C). */
static bool reflects_tag(const struct hws_tlv *first)
{
    uint8_t type = hws_chunk_type(first);
    return (type == HWS_CHUNK_ABORT || type == HWS_CHUNK_SHUTDOWN_COMPLETE) &&
           (hws_chunk_flags(first) & HWS_FLAG_T);
}

/* The packet carries our own tag. */
static void belongs(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *first)
{
    rx->path = hws_assoc_path(a, &rx->packet->src);
    if (rx->path == NULL && hws_chunk_type(first) == HWS_CHUNK_INIT_ACK)
        rx->path = hws_handshake_listed_path(a, &rx->packet->src, first);
    if (rx->path == NULL || !hws_locals_take(a->locals, &rx->packet->dst)) {
        HWS_DROP(a->engine, rx, drop_address);
        return;
    }
    a->unreachable = false;
    hws_shutdown_heard(rx->path);
    hws_path_set_udp_port(rx->path, rx->packet->src.udp_port);
    struct hws_tlv_iter it = hws_packet_chunks(rx->packet->data, rx->packet->len);
    process_chunks(a, rx, &it);
}

static void cookie_echo(struct hws_engine *e, struct hws_rx *rx, struct hws_tlv_iter *it,
                        const struct hws_tlv *first)
{
    struct hws_assoc *a = hws_listener_cookie_echo(e, rx, first);
    if (a == NULL)
        return;
    rx->path = hws_assoc_path(a, &rx->packet->src);
    if (rx->path == NULL)
        rx->path = a->paths[a->primary];
    else
        hws_path_set_udp_port(rx->path, rx->packet->src.udp_port);
    rx->chunk_index++;
    a->counts.control_in++; /* the COOKIE ECHO */
    process_chunks(a, rx, it);
}

/* The tag is not one of ours: the peer's reflected, or a wrong one, or out of the blue. */
static void foreign_tag(struct hws_engine *e, struct hws_rx *rx, const struct hws_tlv *first)
{
    rx->path = hws_assoc_by_addr(e, &rx->packet->src, &rx->packet->dst, rx->header.dst_port,
                                 rx->header.src_port);
    if (rx->path == NULL) {
        hws_ootb_packet(e, rx);
        return;
    }
    struct hws_assoc *a = rx->path->assoc;
    struct hws_tlv_iter it = hws_packet_chunks(rx->packet->data, rx->packet->len);
    rx->reflected = a->remote_vtag != 0 && rx->header.vtag == a->remote_vtag;
    if (rx->reflected && reflects_tag(first))
        process_chunks(a, rx, &it);
    else if (hws_assoc_setting_up(a) && hws_ootb_has_shutdown_ack(rx))
        hws_ootb_shutdown_ack(e, rx);
    else
        HWS_DROP(e, rx, drop_vtag);
}

static void dispatch(struct hws_engine *e, struct hws_rx *rx)
{
    struct hws_tlv_iter it = hws_packet_chunks(rx->packet->data, rx->packet->len);
    struct hws_tlv first;
    if (!hws_tlv_next(&it, &first)) {
        HWS_DROP(e, rx, drop_short);
        return;
    }
    uint8_t type = hws_chunk_type(&first);
    if (type == HWS_CHUNK_INIT) {
        if (rx->header.vtag != 0) /* 8.5.1 A */
            HWS_DROP(e, rx, drop_vtag);
        else if (it.left > 0)
            HWS_DROP(e, rx, drop_bundle);
        else
            hws_listener_init(e, rx, &first);
        return;
    }
    if (rx->header.vtag == 0) { /* INIT's alone (8.5.1 A) */
        HWS_DROP(e, rx, drop_vtag);
        return;
    }
    if (type == HWS_CHUNK_COOKIE_ECHO) {
        cookie_echo(e, rx, &it, &first);
        return;
    }
    struct hws_assoc *a =
        hws_assoc_by_vtag(e, rx->header.vtag, rx->header.dst_port, rx->header.src_port);
    if (a != NULL)
        belongs(a, rx, &first);
    else
        foreign_tag(e, rx, &first);
}

static bool is_unicast_or_unknown(const struct hws_addr *a)
{
    return a->family == HWS_FAMILY_NONE || hws_addr_unicast(a);
}

void hws_input_packet(struct hws_engine *e, const struct hws_packet_in *packet)
{
    struct hws_rx rx = {.packet = packet};
    e->stats.packets_in++;
    e->stats.bytes_in += packet->len;
    if (!hws_header_read(packet->data, packet->len, &rx.header) || rx.header.src_port == 0 ||
        rx.header.dst_port == 0) {
        HWS_DROP(e, &rx, drop_short);
        return;
    }
    if (!hws_shard_has_packet(&e->config.shard, packet->data, packet->len)) {
        HWS_DROP(e, &rx, drop_shard);
        return;
    }
    if (!e->config.ignore_checksum && !hws_crc32c_ok(packet->data, packet->len)) {
        HWS_DROP(e, &rx, drop_checksum);
        return;
    }
    if (!hws_addr_unicast(&packet->src) || !is_unicast_or_unknown(&packet->dst)) {
        HWS_DROP(e, &rx, drop_address); /* 8.4 rule 1 */
        return;
    }
    dispatch(e, &rx);
}
