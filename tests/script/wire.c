/* Packets in both directions. */
#include <stdio.h>
#include <string.h>

#include "proto/chunk.h"
#include "proto/packet.h"
#include "proto/text.h"
#include "tests/script/pattern.h"
#include "tests/script/statement.h"

/* ---- Injected ---- */

void wire_inject(struct scan *c)
{
    static uint8_t bytes[HWS_PACKET_MAX_LEN];
    struct script *s = c->s;
    struct pattern p;
    pattern_scan(c, false, &p);
    uint32_t len = pattern_build(s, &p, bytes);
    world_input(s, p.from_given ? &p.from : &s->world.peers[0],
                p.to_given ? &p.to : &s->world.locals[0], bytes, len);
}

/* ---- Expected ---- */

static const char *packet_text(const struct world_packet *packet)
{
    static char text[HWS_TEXT_MAX + 2 * HWS_ADDR_TEXT_MAX + 8];
    char from[HWS_ADDR_TEXT_MAX], to[HWS_ADDR_TEXT_MAX], chunks[HWS_TEXT_MAX];
    hws_text_packet(chunks, sizeof chunks, packet->data, packet->len);
    snprintf(text, sizeof text, "%s > %s %s", hws_addr_text(&packet->src, from),
             hws_addr_text(&packet->dst, to), chunks);
    return text;
}

void wire_check_silent(struct script *s)
{
    const struct world_packet *packet = world_first(&s->world);
    if (packet != NULL)
        script_fail(s, "nothing expected, but hawser sent at %.6f\n  %s",
                    world_seconds(&s->world, packet->at_us), packet_text(packet));
}

static void expect_nothing(struct scan *c, uint64_t to_us)
{
    scan_expect_end(c);
    world_wait(c->s, to_us);
    wire_check_silent(c->s);
    c->s->checks++;
}

static void expect_in_time(struct script *s, const struct world_packet *packet, uint64_t from_us,
                           uint64_t to_us)
{
    const struct world *w = &s->world;
    if (packet == NULL)
        script_fail(s, "hawser sent nothing until %.6f", world_seconds(w, w->now_us));
    if (packet->at_us < from_us || packet->at_us > to_us)
        script_fail(s, "hawser sent at %.6f, not in %.6f..%.6f\n  %s",
                    world_seconds(w, packet->at_us), world_seconds(w, from_us),
                    world_seconds(w, to_us), packet_text(packet));
}

void wire_expect(struct scan *c, uint64_t from_us, uint64_t to_us)
{
    struct script *s = c->s;
    bool any_time = to_us == UINT64_MAX;
    uint64_t until_us = any_time ? s->world.now_us + WORLD_WAIT_MAX_US : to_us;
    if (scan_accept_word(c, "nothing")) {
        if (any_time)
            script_fail(s, "> nothing needs an end: +TIME");
        expect_nothing(c, to_us);
        return;
    }
    struct pattern p;
    pattern_scan(c, true, &p);
    if (p.chunks == NULL)
        script_fail(s, "a chunk expected after >");
    world_wait(s, until_us);
    const struct world_packet *packet = world_first(&s->world);
    expect_in_time(s, packet, from_us, to_us);
    if (!pattern_match(s, &p, packet))
        script_fail(s, "%s. hawser sent\n  %s", s->reason, packet_text(packet));
    world_drop_first(s);
    s->checks++;
}

/* ---- HEARTBEATs that verify paths (5.4) ---- */

static bool all_confirmed(const struct world *w)
{
    struct hws_path_status path;
    for (uint32_t i = 0; hws_assoc_path_status(w->engine, w->assoc, i, &path) == HWS_OK; i++)
        if (!path.confirmed)
            return false;
    return true;
}

/* The same packet with HEARTBEAT ACK in place of HEARTBEAT goes back. */
static void answer_heartbeat(struct script *s)
{
    static uint8_t bytes[HWS_PACKET_MAX_LEN];
    const struct world_packet *packet = world_first(&s->world);
    struct hws_addr src = packet->dst, dst = packet->src;
    struct hws_tlv_iter it = hws_packet_chunks(packet->data, packet->len);
    struct hws_tlv chunk;
    const uint8_t *info;
    uint32_t info_len;
    if (!hws_tlv_next(&it, &chunk) || hws_chunk_type(&chunk) != HWS_CHUNK_HEARTBEAT ||
        !hws_heartbeat_decode(&chunk, &info, &info_len))
        script_fail(s, "a HEARTBEAT expected. hawser sent\n  %s", packet_text(packet));
    const struct value *tag = value_lookup(s, "local_tag");
    struct hws_builder b;
    hws_builder_init(&b, bytes, sizeof bytes, s->world.peer_port, s->world.local_port,
                     tag != NULL ? (uint32_t)tag->number : 0);
    hws_heartbeat_encode(&b, HWS_CHUNK_HEARTBEAT_ACK, info, info_len);
    uint32_t len = hws_builder_finish(&b);
    world_drop_first(s);
    world_input(s, &src, &dst, bytes, len);
}

void wire_answer_heartbeats(struct scan *c)
{
    struct script *s = c->s;
    uint64_t until_us = s->world.now_us + WORLD_WAIT_MAX_US;
    scan_expect_end(c);
    while (!all_confirmed(&s->world)) {
        world_wait(s, until_us);
        if (world_first(&s->world) == NULL)
            script_fail(s, "hawser does not verify its paths");
        answer_heartbeat(s);
    }
    while (world_first(&s->world) != NULL)
        answer_heartbeat(s);
}
