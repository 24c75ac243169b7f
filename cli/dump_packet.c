#include "cli/dump_packet.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/runtime/profile.h"
#include "api/trace/pcapng.h"
#include "api/trace/trace.h"
#include "proto/crc32c.h"
#include "proto/ip.h"
#include "proto/packet.h"

#define PROTOCOL_UDP 17u
#define NOTE_MAX 160

/* ---- Names ---- */

static size_t names_index(uint8_t protocol)
{
    return protocol == HWS_PROTO_EXPERIMENT_1 ? 0 : protocol == HWS_PROTO_EXPERIMENT_2 ? 1 : 2;
}

static bool learn(struct hws_cli_dump_names *names, const struct hws_profile *profile,
                  const struct hws_extension *const *extensions, size_t count)
{
    struct hws_profile_extensions all;
    char error[HWS_EXTENSION_ERROR_MAX];
    if (hws_profile_extend(profile, extensions, count, &all, error) != HWS_OK) {
        fprintf(stderr, "hawser: %s\n", error);
        return false;
    }
    hws_registry_init(&names->registry, all.list, all.count);
    names->names = hws_registry_names(&names->registry);
    return true;
}

bool hws_cli_dump_learn(struct hws_cli_dump_state *dump,
                        const struct hws_extension *const *extensions, size_t count)
{
    static const uint8_t protocols[] = {HWS_PROTO_EXPERIMENT_1, HWS_PROTO_EXPERIMENT_2,
                                        HWS_PROTO_SCTP};
    for (size_t i = 0; i < sizeof(protocols); i++) {
        if (!learn(&dump->names[names_index(protocols[i])], hws_profile_of(protocols[i]),
                   extensions, count))
            return false;
    }
    return true;
}

bool hws_cli_dump_is_done(const struct hws_cli_dump_state *dump)
{
    return (dump->options->count != 0 && dump->packets >= dump->options->count) ||
           dump->trace_error != 0 || dump->pcapng_error != 0;
}

/* ---- What is wanted ---- */

static bool is_host_wanted(const struct hws_cli_dump_state *dump, const struct hws_ip_view *view)
{
    return dump->host.family == HWS_FAMILY_NONE || hws_addr_same(&dump->host, &view->src) ||
           hws_addr_same(&dump->host, &view->dst);
}

/* Later fragments have no ports, and are wanted with any. */
static bool is_port_wanted(const struct hws_cli_dump_state *dump,
                           const struct hws_capture_packet *packet, const struct hws_ip_view *view)
{
    struct hws_header header;
    uint16_t port = dump->options->only_port;
    if (port == 0 || view->fragment_offset != 0)
        return true;
    return hws_header_read(packet->data, packet->len, &header) &&
           (header.src_port == port || header.dst_port == port);
}

static bool is_udp_port(const struct hws_cli_options *options, uint16_t port)
{
    for (uint32_t i = 0; i < options->udp_port_count; i++) {
        if (options->udp_ports[i] == port)
            return true;
    }
    return false;
}

/* Takes the UDP header off, if there is one. False when what is carried is not SCTP. */
static bool find_sctp(const struct hws_cli_options *options, struct hws_ip_view *view)
{
    if (view->protocol == HWS_PROTO_SCTP || view->protocol == HWS_PROTO_EXPERIMENT_1 ||
        view->protocol == HWS_PROTO_EXPERIMENT_2)
        return true;
    if (view->protocol != PROTOCOL_UDP || view->fragment_offset != 0 ||
        view->payload_len < HWS_UDP_HEADER_LEN)
        return false;
    view->src.udp_port = hws_get16(view->payload);
    view->dst.udp_port = hws_get16(view->payload + 2);
    view->payload += HWS_UDP_HEADER_LEN;
    view->payload_len -= HWS_UDP_HEADER_LEN;
    return is_udp_port(options, view->src.udp_port) || is_udp_port(options, view->dst.udp_port);
}

/* ---- What is said ---- */

static int print_fragment(struct hws_trace *trace, const struct hws_capture_packet *packet,
                          const struct hws_ip_view *view)
{
    char note[NOTE_MAX], ports[64] = "";
    struct hws_header header;
    if (view->fragment_offset == 0 && hws_header_read(packet->data, packet->len, &header))
        snprintf(ports, sizeof(ports), "%u>%u vtag=0x%08" PRIx32 ": ", header.src_port,
                 header.dst_port, header.vtag);
    snprintf(note, sizeof(note), "%sfragment id=0x%" PRIx32 " offset=%" PRIu32 " len=%" PRIu32 "%s",
             ports, view->id, view->fragment_offset, view->payload_len + view->missing_bytes,
             view->more_fragments ? " more" : "");
    return hws_trace_write_note(trace, packet, note);
}

/* Damage in words behind the chunks, nothing when there is none. What has not been captured whole
 * cannot be checked, nor a sum that the interface has still to compute. True: the sum is wrong. */
static bool judge(const struct hws_capture_packet *packet, const struct hws_ip_view *view,
                  bool unfinished_checksum, char note[NOTE_MAX])
{
    struct hws_header header;
    const char *ip = view->bad_checksum && !unfinished_checksum ? " [bad IP checksum]" : "";
    if (view->missing_bytes != 0) {
        snprintf(note, NOTE_MAX, " [%" PRIu32 " bytes not captured]%s", view->missing_bytes, ip);
        return false;
    }
    snprintf(note, NOTE_MAX, "%s", ip);
    if (unfinished_checksum || !hws_header_read(packet->data, packet->len, &header) ||
        hws_crc32c_ok(packet->data, packet->len))
        return ip[0] != '\0';
    uint8_t right[HWS_PACKET_HEADER_LEN];
    hws_put32(right, hws_crc32c_packet(packet->data, packet->len));
    snprintf(note, NOTE_MAX, " [bad checksum 0x%08" PRIx32 ", should be 0x%08" PRIx32 "]%s",
             header.checksum, hws_get32(right), ip);
    return true;
}

static int print_whole(struct hws_cli_dump_state *dump, const struct hws_capture_packet *packet,
                       const struct hws_ip_view *view, bool unfinished_checksum)
{
    char note[NOTE_MAX];
    if (judge(packet, view, unfinished_checksum, note))
        dump->bad_checksums++;
    return dump->trace != NULL ? hws_trace_write_noted(dump->trace, packet, note) : 0;
}

/* ---- One packet, or one of several that the kernel has still to cut ---- */

static void print(struct hws_cli_dump_state *dump, const struct hws_capture_packet *packet,
                  const struct hws_ip_view *view, bool unfinished_checksum)
{
    int rc = 0;
    if (!hws_ip_view_is_fragment(view))
        rc = print_whole(dump, packet, view, unfinished_checksum);
    else if (dump->trace != NULL)
        rc = print_fragment(dump->trace, packet, view);
    dump->trace_error = rc;
    dump->packets++;
}

static void dump_whole(struct hws_cli_dump_state *dump, const struct hws_capture_packet *packet,
                       const struct hws_capture_ip *ip, const struct hws_ip_view *view)
{
    if (!is_port_wanted(dump, packet, view))
        return;
    bool udp = view->protocol == PROTOCOL_UDP;
    print(dump, packet, view, ip->unfinished_checksum && !udp);
    if (dump->pcapng != NULL)
        dump->pcapng_error = hws_pcapng_write_ip(dump->pcapng, ip);
}

static void dump_segments(struct hws_cli_dump_state *dump, struct hws_capture_packet *packet,
                          uint32_t segment_len, const struct hws_ip_view *view)
{
    uint32_t left = packet->len;
    for (; left > 0 && !hws_cli_dump_is_done(dump); packet->data += packet->len) {
        packet->len = left < segment_len ? left : segment_len;
        left -= packet->len;
        if (!is_port_wanted(dump, packet, view))
            continue;
        print(dump, packet, view, false);
        if (dump->pcapng != NULL)
            dump->pcapng_error = hws_pcapng_write(dump->pcapng, packet);
    }
}

void hws_cli_dump_packet(struct hws_cli_dump_state *dump, const struct hws_capture_ip *ip)
{
    struct hws_ip_view view;
    if (!hws_ip_view_read(ip->data, ip->len, &view) || !is_host_wanted(dump, &view) ||
        !find_sctp(dump->options, &view))
        return;
    struct hws_capture_packet packet = {.way = ip->way,
                                        .unix_us = ip->unix_us,
                                        .src = &view.src,
                                        .dst = &view.dst,
                                        .protocol = view.protocol,
                                        .profile = hws_profile_name(view.protocol),
                                        .names = &dump->names[names_index(view.protocol)].names,
                                        .data = view.payload,
                                        .len = view.payload_len};
    if (ip->segment_len != 0 && view.protocol == PROTOCOL_UDP)
        dump_segments(dump, &packet, ip->segment_len, &view);
    else
        dump_whole(dump, &packet, ip, &view);
}
