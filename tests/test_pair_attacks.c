/* The attacks of RFC 5062, section by section, and what else a stranger may try: guessing,
 * amplifying, forging ICMP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/param.h"
#include "stack/limits.h"
#include "tests/stranger.h"

#define SECOND 1000000u

static uint32_t bytes_on_wire(const struct pair_end *end)
{
    uint32_t bytes = 0;
    for (const struct pair_packet *q = end->wire_head; q != NULL; q = q->next)
        bytes += q->len;
    return bytes;
}

static uint32_t packets_on_wire(const struct pair_end *end)
{
    uint32_t count = 0;
    for (const struct pair_packet *q = end->wire_head; q != NULL; q = q->next)
        count++;
    return count;
}

static void clear_wire(struct pair_end *end)
{
    while (end->wire_head != NULL)
        free(pair_take(end));
}

static bool is_for(const struct pair_packet *packet, const struct hws_addr *addr)
{
    return hws_addr_same(&packet->dst, addr);
}

/* The T bit lets an ABORT pass whose tag is the peer's own, reflected (8.5.1 B), and nothing that
 * stands behind it: DATA needs our tag. */
static void a_reflected_tag_is_for_its_chunk_alone(void **state)
{
    (void)state;
    uint8_t bytes[200];
    struct hws_builder b;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    pair_send(&p->a, 0, 0, "forged", 6);
    struct pair_packet *packet = pair_take(&p->a);
    struct hws_tlv data = pair_chunk(packet, 0);
    hws_builder_init(&b, bytes, sizeof bytes, p->a.port, p->b.port, pair_status(&p->b).remote_vtag);
    hws_chunk_put(&b, HWS_CHUNK_ABORT, HWS_FLAG_T, "bad", 3); /* no cause: malformed */
    hws_chunk_put(&b, HWS_CHUNK_DATA, hws_chunk_flags(&data), data.bytes + 4, data.len - 4u);
    pair_inject(&p->b, bytes, b.len);
    pair_recv_nothing(&p->b);
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_ESTABLISHED);
    free(packet);
    pair_free(p);
}

/* ---- 2: address camping ---- */

/* Who lists the victim's address first does not keep the victim out, whatever it lists itself. */
static void camping_on_an_address(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.addrs = 2});
    struct stranger camper = stranger_new(&p->b);
    camper.port = PAIR_PORT_A;
    stranger_connects(&camper, p->a.addrs, 1);
    hws_assoc_id campers = p->b.assoc;
    clear_wire(&p->b);
    pair_begin(&p->a);
    pair_settle(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_UP));
    assert_true(pair_saw(&p->b, HWS_EVENT_UP));
    assert_false(pair_saw(&p->b, HWS_EVENT_RESTART));
    assert_int_not_equal(p->b.assoc, campers);
    pair_send(&p->a, 0, 0, "mine", 4);
    pair_settle(p);
    pair_recv(&p->b, 0, "mine", 4);
    pair_free(p);
}

/* The HEARTBEAT for `victim` on the wire; the caller frees it. */
static struct pair_packet *heartbeat_for(struct pair_end *end, const struct hws_addr *victim)
{
    for (;;) {
        while (end->wire_head == NULL)
            pair_next_timer(end);
        struct pair_packet *packet = pair_take(end);
        if (is_for(packet, victim) && strstr(pair_chunks(packet), "HEARTBEAT") != NULL)
            return packet;
        free(packet);
    }
}

static struct hws_tlv heartbeat_of(const struct pair_packet *packet)
{
    struct hws_tlv chunk = pair_chunk(packet, 0);
    if (hws_chunk_type(&chunk) != HWS_CHUNK_HEARTBEAT)
        chunk = pair_chunk(packet, 1);
    assert_int_equal(hws_chunk_type(&chunk), HWS_CHUNK_HEARTBEAT);
    return chunk;
}

/* An answer to the HEARTBEAT with one bit of its value turned over, -1: none. */
static void answer_heartbeat(const struct stranger *s, const struct hws_addr *src,
                             const struct hws_tlv *heartbeat, int bit)
{
    uint8_t value[200], buf[300];
    uint32_t len = heartbeat->len - 4u;
    assert_in_range(len, 4 + 8, sizeof value);
    memcpy(value, heartbeat->bytes + 4, len);
    if (bit >= 0)
        value[bit / 8] ^= (uint8_t)(1u << bit % 8);
    struct hws_builder b;
    stranger_begins(s, &b, buf, sizeof buf);
    assert_true(hws_chunk_put(&b, HWS_CHUNK_HEARTBEAT_ACK, 0, value, len));
    stranger_sends(s, src, &b);
}

/* A listed address is asked every RTO, and only who saw the HEARTBEAT can answer it. */
static void false_answers_confirm_nothing(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    const struct hws_addr victim = stranger_addr(7);
    struct stranger s = stranger_new(&p->b);
    uint64_t start_us = p->now_us;
    stranger_connects(&s, &victim, 1);
    struct pair_packet *first = heartbeat_for(&p->b, &victim);
    struct pair_packet *second = heartbeat_for(&p->b, &victim);
    assert_in_range(p->now_us - start_us, 0, 2 * SECOND);
    struct hws_tlv old = heartbeat_of(first), heartbeat = heartbeat_of(second);
    answer_heartbeat(&s, &victim, &old, -1);
    for (int bit = 0; bit < 8 * (heartbeat.len - 4); bit++)
        answer_heartbeat(&s, &victim, &heartbeat, bit);
    assert_false(pair_path_to(&p->b, &victim).confirmed);
    answer_heartbeat(&s, &victim, &heartbeat, -1);
    assert_true(pair_path_to(&p->b, &victim).confirmed);
    free(first);
    free(second);
    pair_free(p);
}

/* The port to camp on cannot be guessed. */
static void ports_cannot_be_guessed(void **state)
{
    (void)state;
    bool seen[65536] = {false};
    unsigned different = 0, in_row = 0;
    uint16_t last = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct sim_env env;
        sim_env_init(&env, seed);
        struct hws_engine_config config = {.env = sim_env_make(&env)};
        struct hws_engine *engine = hws_engine_new(&config);
        struct hws_endpoint_config endpoint = {0};
        hws_endpoint_id id;
        assert_int_equal(hws_endpoint_new(engine, &endpoint, &id), HWS_OK);
        uint16_t port = hws_endpoint_port(engine, id);
        different += !seen[port];
        in_row += port == last + 1;
        seen[port] = true;
        last = port;
        hws_engine_free(engine);
    }
    assert_true(different >= 48);
    assert_true(in_row <= 1);
}

/* ---- 3 and 4: hijacking ---- */

static bool holds(const uint8_t *bytes, uint32_t len, uint32_t number)
{
    uint8_t big[4];
    hws_put32(big, number);
    const uint8_t little[4] = {big[3], big[2], big[1], big[0]};
    for (uint32_t i = 0; i + 4 <= len; i++)
        if (memcmp(bytes + i, big, 4) == 0 || memcmp(bytes + i, little, 4) == 0)
            return true;
    return false;
}

/* Who has got the peer's address since gets, for an INIT, a cookie that does not tell the tags. */
static void cookies_do_not_tell_the_tags(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    struct stranger heir = stranger_new(&p->b);
    heir.addr = p->a.addr;
    heir.port = PAIR_PORT_A;
    stranger_inits(&heir, NULL, 0);
    stranger_takes_init_ack(&heir);
    struct hws_assoc_status status = pair_status(&p->b);
    assert_false(holds(heir.cookie, heir.cookie_len, status.local_vtag));
    assert_false(holds(heir.cookie, heir.cookie_len, status.remote_vtag));
    assert_int_not_equal(heir.peer_tag, status.local_vtag);
    pair_free(p);
}

/* Who goes on to restart the association cannot do it behind the application's back. */
static void a_restart_is_told(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    struct stranger heir = stranger_new(&p->b);
    heir.addr = p->a.addr;
    heir.port = PAIR_PORT_A;
    stranger_inits(&heir, NULL, 0);
    stranger_takes_init_ack(&heir);
    assert_false(pair_saw(&p->b, HWS_EVENT_RESTART));
    stranger_echoes(&heir);
    assert_true(pair_saw(&p->b, HWS_EVENT_RESTART));
    pair_free(p);
}

/* ---- 5: bombing by acknowledgements withheld ---- */

static void with_pmtud(struct hws_params *a, struct hws_params *b)
{
    a->pmtud = b->pmtud = true;
}

/* However long the attacker is silent, its data does not go where it said that it is, too. */
static void withheld_sacks_move_no_data(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = with_pmtud});
    const struct hws_addr victim = stranger_addr(7);
    struct stranger s = stranger_new(&p->b);
    stranger_connects(&s, &victim, 1);
    for (uint32_t i = 0; i < 20; i++)
        pair_send_pattern(&p->b, 0, 0, 1, 1000);
    uint32_t to_victim = 0, data = 0;
    while (!pair_saw(&p->b, HWS_EVENT_DOWN)) {
        while (p->b.wire_head != NULL) {
            struct pair_packet *packet = pair_take(&p->b);
            data += strstr(pair_chunks(packet), "DATA") != NULL;
            if (is_for(packet, &victim)) {
                assert_string_equal(pair_chunks(packet), "HEARTBEAT");
                assert_in_range(packet->len, 0, 100);
                to_victim++;
            }
            free(packet);
        }
        pair_next_timer(&p->b);
    }
    assert_true(data > 10);
    assert_in_range(to_victim, 1, 20);
    pair_free(p);
}

/* Nor do answers to packets that only seem to come from there. */
static void spoofed_sources_get_no_answers(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    const struct hws_addr victim = stranger_addr(7);
    struct stranger s = stranger_new(&p->b);
    stranger_connects(&s, &victim, 1);
    clear_wire(&p->b);
    stranger_speaks(&s, &victim);
    uint8_t buf[100], tsn[4];
    struct hws_builder b;
    stranger_begins(&s, &b, buf, sizeof buf);
    assert_true(hws_chunk_put(&b, 0xfd, 0, "report", 6));
    stranger_sends(&s, &victim, &b);
    s.tsn += 10; /* a gap */
    stranger_speaks(&s, &victim);
    stranger_begins(&s, &b, buf, sizeof buf);
    hws_put32(tsn, s.peer_tsn - 1);
    assert_true(hws_chunk_put(&b, HWS_CHUNK_SHUTDOWN, 0, tsn, sizeof tsn));
    stranger_sends(&s, &victim, &b);
    pair_wait(p, 20ull * SECOND);
    uint32_t answers = 0;
    while (p->b.wire_head != NULL) {
        struct pair_packet *packet = pair_take(&p->b);
        if (is_for(packet, &victim))
            assert_string_equal(pair_chunks(packet), "HEARTBEAT");
        else
            answers++;
        free(packet);
    }
    assert_true(answers > 3);
    pair_free(p);
}

/* Who acknowledges what was not sent, to keep data flowing unseen, loses the association. */
static void guessed_sacks_end_the_association(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct stranger s = stranger_new(&p->b);
    stranger_connects(&s, NULL, 0);
    pair_send(&p->b, 0, 0, "one", 3);
    clear_wire(&p->b);
    stranger_sacks(&s, s.peer_tsn);
    assert_false(pair_saw(&p->b, HWS_EVENT_DOWN));
    stranger_sacks(&s, s.peer_tsn + 1);
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    pair_lost(&p->b, "ABORT");
    pair_free(p);
}

/* ---- 6: bombing by old cookies ---- */

static void short_cookie_life(struct hws_params *a, struct hws_params *b)
{
    (void)a;
    b->cookie_life_us = 5 * SECOND;
}

/* However long a Cookie Preservative asks for: a cookie lives twice its time at most. */
static void a_cookie_cannot_be_kept_for_long(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = short_cookie_life});
    struct stranger s = stranger_new(&p->b);
    uint8_t buf[200];
    struct hws_builder b;
    hws_builder_init(&b, buf, sizeof buf, s.port, PAIR_PORT_B, 0);
    const struct hws_init init = {
        .tag = s.tag, .a_rwnd = 5000, .ostreams = 1, .max_instreams = 1, .tsn = 1};
    assert_true(hws_init_open(&b, HWS_CHUNK_INIT, &init));
    hws_put32(hws_builder_tlv(&b, HWS_PARAM_COOKIE_PRESERVATIVE, 4), UINT32_MAX);
    assert_true(hws_builder_close(&b));
    stranger_sends(&s, &s.addr, &b);
    stranger_takes_init_ack(&s);
    p->now_us += 11ull * SECOND;
    stranger_echoes(&s);
    assert_int_equal(hws_engine_assoc_count(p->b.engine), 0);
    pair_free(p);
}

/* A cookie sent again and again, after the victim has ended the association: the first one brings
 * one small HEARTBEAT to one of the victim's addresses, not one to each, all others nothing. */
static void old_cookies_bring_nothing(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct hws_addr victims[HWS_LIMIT_PATHS - 1];
    for (uint8_t i = 0; i < HWS_LIMIT_PATHS - 1; i++)
        victims[i] = stranger_addr((uint8_t)(70 + i));
    struct stranger s = stranger_new(&p->b);
    stranger_inits(&s, victims, HWS_LIMIT_PATHS - 1);
    stranger_takes_init_ack(&s);
    stranger_echoes(&s);
    assert_int_equal(hws_engine_assoc_count(p->b.engine), 1);
    pair_lost(&p->b, "COOKIE-ACK");
    struct pair_packet *heartbeat = pair_take(&p->b);
    assert_string_equal(pair_chunks(heartbeat), "HEARTBEAT");
    assert_in_range(heartbeat->len, 1, 64);
    pair_silent(p);
    uint8_t buf[100];
    struct hws_builder b;
    hws_builder_init(&b, buf, sizeof buf, s.port, PAIR_PORT_B, s.tag);
    assert_true(hws_chunk_put(&b, HWS_CHUNK_ABORT, HWS_FLAG_T, NULL, 0));
    stranger_sends(&s, &heartbeat->dst, &b);
    assert_int_equal(hws_assoc_release(p->b.engine, p->b.assoc, p->now_us), HWS_OK);
    free(heartbeat);
    for (unsigned round = 0; round < 20; round++) {
        stranger_echoes(&s);
        pair_silent(p);
        assert_int_equal(hws_engine_assoc_count(p->b.engine), 0);
        p->now_us += 2ull * SECOND;
    }
    assert_int_equal(pair_stats(&p->b)->drop_cookie_mismatch, 20);
    pair_free(p);
}

/* ---- 7: redirection ---- */

/* A cookie made for one pair of ports sets up nothing at another. */
static void cookies_keep_their_ports(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct hws_endpoint_config other = {
        .port = PAIR_PORT_B + 1, .locals = &p->b.addr, .local_count = 1, .listening = true};
    hws_endpoint_id id;
    assert_int_equal(hws_endpoint_new(p->b.engine, &other, &id), HWS_OK);
    struct stranger s = stranger_new(&p->b);
    stranger_inits(&s, NULL, 0);
    stranger_takes_init_ack(&s);
    for (uint16_t i = 0; i < 3; i++) {
        uint8_t buf[1100];
        struct hws_builder b;
        stranger_begins(&s, &b, buf, sizeof buf);
        assert_true(hws_chunk_put(&b, HWS_CHUNK_COOKIE_ECHO, 0, s.cookie, s.cookie_len));
        hws_put16(buf, (uint16_t)(s.port + (i != 1)));
        hws_put16(buf + 2, (uint16_t)(PAIR_PORT_B + (i != 0)));
        stranger_sends(&s, &s.addr, &b);
        pair_silent(p);
        assert_int_equal(hws_engine_assoc_count(p->b.engine), 0);
    }
    stranger_echoes(&s);
    assert_int_equal(hws_engine_assoc_count(p->b.engine), 1);
    pair_free(p);
}

/* ---- 8: bombing by many chunks ---- */

/* One packet of that many chunks: what b answers it with, in packets and bytes. */
static void expect_one_answer(void (*put)(struct hws_builder *, unsigned i), uint32_t mtu)
{
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    if (mtu != 0) {
        struct hws_path_params params;
        assert_int_equal(hws_path_params(p->b.engine, p->b.assoc, 0, &params), HWS_OK);
        params.mtu = mtu;
        assert_int_equal(hws_path_set_params(p->b.engine, p->b.assoc, 0, &params, p->now_us),
                         HWS_OK);
    }
    uint8_t buf[1400];
    struct hws_builder b;
    pair_forge(&p->b, &b, buf, sizeof buf);
    for (unsigned i = 0; hws_builder_room(&b) > 100; i++)
        put(&b, i);
    uint32_t len = hws_builder_finish(&b);
    pair_inject(&p->b, buf, len);
    assert_int_equal(packets_on_wire(&p->b), 1);
    assert_in_range(bytes_on_wire(&p->b), 1, len);
    pair_free(p);
}

static void put_a_few_of_each(struct hws_builder *b, unsigned i)
{
    assert_true(hws_heartbeat_encode(b, HWS_CHUNK_HEARTBEAT, "answer!!", 8));
    assert_true(hws_chunk_put(b, 0xfd, 0, "and tell", 8));
    const struct hws_data data = {.tsn = 1000000 + i, .payload_len = 1};
    assert_non_null(hws_data_encode(b, &data));
}

static void put_unknown(struct hws_builder *b, unsigned i)
{
    (void)i;
    assert_true(hws_chunk_put(b, 0xfd, 0, NULL, 0));
}

static void put_large(struct hws_builder *b, unsigned i)
{
    uint8_t bytes[500] = {0};
    if (i == 0)
        assert_true(hws_heartbeat_encode(b, HWS_CHUNK_HEARTBEAT, bytes, sizeof bytes));
    else
        assert_true(hws_chunk_put(b, 0xfd, 0, bytes, 80));
}

/* One packet full of what wants an answer gets one packet, and not a larger one. */
static void many_chunks_get_one_packet(void **state)
{
    (void)state;
    expect_one_answer(put_a_few_of_each, 0);
    expect_one_answer(put_unknown, 0);
    expect_one_answer(put_large, 0);
}

/* So it is where the answers would fill more than one packet of the path. */
static void a_small_mtu_brings_no_more_packets(void **state)
{
    (void)state;
    expect_one_answer(put_a_few_of_each, 512);
    expect_one_answer(put_unknown, 512);
    expect_one_answer(put_large, 512);
}

/* Leaves a gap at b; the TSN of what arrived beyond it. */
static uint32_t make_gap(struct pair *p)
{
    struct hws_data data = {0};
    pair_send(&p->a, 0, 0, "lost", 4);
    pair_lost(&p->a, "DATA");
    pair_send(&p->a, 0, 0, "here", 4);
    const struct hws_tlv chunk = pair_chunk(pair_first(&p->a), 0);
    assert_true(hws_data_decode(&chunk, &data));
    pair_settle(p);
    return data.tsn;
}

static void tell_nodelay(struct hws_params *a, struct hws_params *b)
{
    a->nodelay = true;
    (void)b;
}

/* An ERROR, of whatever length, and a SACK with gaps are to go into one packet. */
static void a_sack_meets_every_room(void **state)
{
    (void)state;
    const uint8_t bytes[116] = {0};
    for (uint32_t len = 0; len <= sizeof bytes; len += 4) {
        struct pair *p = pair_new(&(struct pair_options){.mtu = 512, .params = tell_nodelay});
        pair_connect_and_talk(p);
        const struct hws_data twice = {.tsn = make_gap(p), .payload_len = 1};
        uint64_t packets = p->b.packets;
        uint8_t buf[1400];
        struct hws_builder b;
        pair_forge(&p->b, &b, buf, sizeof buf);
        for (unsigned i = 0; i < 3; i++)
            assert_true(hws_chunk_put(&b, 0xfd, 0, bytes, sizeof bytes));
        assert_true(hws_chunk_put(&b, 0xfd, 0, bytes, len));
        assert_non_null(hws_data_encode(&b, &twice));
        pair_inject(&p->b, buf, hws_builder_finish(&b));
        assert_true(p->b.packets > packets);
        pair_free(p);
    }
}

/* ---- 9: bombing by INIT ---- */

/* An INIT ACK has an upper size, whatever INIT says and however many addresses we have. */
static void an_init_ack_is_small(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.addrs = 4, .mtu = 9000});
    struct stranger s = stranger_new(&p->b);
    stranger_inits(&s, NULL, 0);
    assert_in_range(bytes_on_wire(&p->b), 1, 340);
    clear_wire(&p->b);
    uint8_t buf[8000];
    struct hws_builder b;
    hws_builder_init(&b, buf, sizeof buf, s.port, PAIR_PORT_B, 0);
    const struct hws_init init = {
        .tag = s.tag, .a_rwnd = 5000, .ostreams = 1, .max_instreams = 1, .tsn = 1};
    assert_true(hws_init_open(&b, HWS_CHUNK_INIT, &init));
    for (uint8_t i = 0; i < 100; i++) {
        const struct hws_addr more = stranger_addr(i);
        assert_true(hws_param_put_addr(&b, &more));
    }
    for (unsigned i = 0; i < 20; i++)
        memset(hws_builder_tlv(&b, 0xc0de, 300), 0xaa, 300);
    assert_true(hws_builder_close(&b));
    stranger_sends(&s, &s.addr, &b);
    assert_int_equal(packets_on_wire(&p->b), 1);
    assert_string_equal(pair_chunks(pair_first(&p->b)), "INIT-ACK");
    assert_in_range(bytes_on_wire(&p->b), 1, 1024);
    pair_free(p);
}

/* ---- Amplification in general ---- */

static void put_noise(struct sim_rng *rng, struct hws_builder *b)
{
    uint8_t value[64];
    uint32_t len = (uint32_t)(sim_rng_next(rng) % sizeof value);
    for (uint32_t i = 0; i < len; i++)
        value[i] = (uint8_t)sim_rng_next(rng);
    uint8_t type =
        (uint8_t)(sim_rng_next(rng) % 4 != 0 ? sim_rng_next(rng) % 16 : sim_rng_next(rng));
    (void)hws_chunk_put(b, type, (uint8_t)(sim_rng_next(rng) % 2), value, len);
}

/* An INIT with parameters that want to be reported, or that are wrong. */
static void put_noisy_init(struct sim_rng *rng, struct hws_builder *b)
{
    static const uint16_t types[] = {5, 6, 9, 11, 12, 0xc0de, 0x4321, 0x8008, 7, 8};
    struct hws_init init = {.tag = (uint32_t)sim_rng_next(rng),
                            .a_rwnd = sim_rng_next(rng) % 8 == 0 ? 0 : 5000,
                            .ostreams = sim_rng_next(rng) % 8 != 0,
                            .max_instreams = sim_rng_next(rng) % 8 != 0};
    if (!hws_init_open(b, HWS_CHUNK_INIT, &init))
        return;
    for (uint64_t n = sim_rng_next(rng) % 6; n > 0; n--) {
        uint32_t len = (uint32_t)(sim_rng_next(rng) % 30);
        uint8_t *value =
            hws_builder_tlv(b, types[sim_rng_next(rng) % (sizeof types / sizeof types[0])], len);
        if (value != NULL)
            memset(value, 0x5a, len);
    }
    (void)hws_builder_close(b);
}

/* No packet of a stranger gets two, and none gets a larger one but an INIT its INIT ACK. */
static void nothing_is_amplified(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.own_host = true});
    pair_connect(p);
    struct stranger s = stranger_new(&p->b);
    struct sim_rng rng = sim_rng_seeded(5062);
    uint32_t answered = 0, init_acks = 0;
    for (uint32_t i = 0; i < 40000; i++) {
        p->now_us += 2000; /* below the rate limit */
        uint8_t buf[600];
        struct hws_builder b;
        bool init = sim_rng_next(&rng) % 4 == 0;
        uint32_t tag = init || sim_rng_next(&rng) % 8 == 0 ? 0 : (uint32_t)sim_rng_next(&rng);
        uint16_t port = sim_rng_next(&rng) % 4 == 0 ? 9 : PAIR_PORT_B;
        hws_builder_init(&b, buf, sizeof buf, s.port, port, tag);
        if (init)
            put_noisy_init(&rng, &b);
        else
            for (uint64_t n = 1 + sim_rng_next(&rng) % 4; n > 0; n--)
                put_noise(&rng, &b);
        uint32_t len = b.len;
        stranger_sends(&s, &s.addr, &b);
        uint32_t packets = packets_on_wire(&p->b);
        assert_in_range(packets, 0, 1);
        answered += packets;
        if (packets == 1 && strcmp(pair_chunks(pair_first(&p->b)), "INIT-ACK") == 0)
            init_acks++;
        else
            assert_in_range(bytes_on_wire(&p->b), 0, len);
        clear_wire(&p->b);
    }
    assert_true(init_acks > 1000 && answered > init_acks + 1000);
    assert_int_equal(pair_status(&p->b).state, HWS_STATE_ESTABLISHED);
    pair_free(p);
}

/* ---- Guessing ---- */

#define DRAWS 4000u

/* Numbers as from a fair source: all different, each bit set as often as not, and no constant step
 * from one to the next. */
static void assert_unpredictable(const uint32_t *numbers)
{
    uint32_t steps = 0;
    for (uint32_t bit = 0; bit < 32; bit++) {
        uint32_t set = 0, changed = 0;
        for (uint32_t i = 1; i < DRAWS; i++) {
            set += numbers[i] >> bit & 1;
            changed += (numbers[i] ^ numbers[i - 1]) >> bit & 1;
        }
        assert_in_range(set, DRAWS * 9 / 20, DRAWS * 11 / 20);
        assert_in_range(changed, DRAWS * 9 / 20, DRAWS * 11 / 20);
    }
    for (uint32_t i = 2; i < DRAWS; i++)
        steps += numbers[i] - numbers[i - 1] == numbers[i - 1] - numbers[i - 2];
    assert_in_range(steps, 0, 2);
}

static void assert_all_unpredictable(uint32_t *tags, uint32_t *tsns)
{
    assert_unpredictable(tags);
    assert_unpredictable(tsns);
    for (uint32_t i = 0; i < DRAWS; i++)
        tags[i] ^= tsns[i];
    assert_unpredictable(tags);
}

static uint32_t tags_seen[DRAWS], tsns_seen[DRAWS];

/* 5.1, 5.3.1: the listener's Verification Tags and Initial TSNs. */
static void tags_and_tsns_of_init_acks(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    struct stranger s = stranger_new(&p->b);
    for (uint32_t i = 0; i < DRAWS; i++) {
        stranger_inits(&s, NULL, 0);
        stranger_takes_init_ack(&s);
        tags_seen[i] = s.peer_tag;
        tsns_seen[i] = s.peer_tsn;
    }
    assert_all_unpredictable(tags_seen, tsns_seen);
    pair_free(p);
}

/* The same for who begins. */
static void tags_and_tsns_of_inits(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    for (uint32_t i = 0; i < DRAWS; i++) {
        pair_begin(&p->a);
        struct pair_packet *packet = pair_take(&p->a);
        struct hws_tlv chunk = pair_chunk(packet, 0);
        struct hws_init init;
        assert_true(hws_init_decode(&chunk, &init));
        tags_seen[i] = init.tag;
        tsns_seen[i] = init.tsn;
        free(packet);
        assert_int_equal(hws_assoc_release(p->a.engine, p->a.assoc, p->now_us), HWS_OK);
        pair_silent(p);
    }
    assert_all_unpredictable(tags_seen, tsns_seen);
    pair_free(p);
}

/* ---- Forged ICMP (RFC 9260, 10) ---- */

struct icmp {
    uint8_t quote[200];
    uint32_t len;
    struct hws_addr remote;
};

/* What ICMP quotes of the first packet of a. */
static struct icmp icmp_about(const struct pair_packet *packet)
{
    struct icmp icmp = {.len = packet->len < 200 ? packet->len : 200, .remote = packet->dst};
    memcpy(icmp.quote, packet->data, icmp.len);
    return icmp;
}

static void tell(struct pair *p, const struct icmp *icmp, enum hws_net_kind kind)
{
    struct hws_net_event event = {.kind = kind,
                                  .local = p->a.addr,
                                  .remote = icmp->remote,
                                  .mtu = 600,
                                  .protocol_unreachable = kind == HWS_NET_UNREACHABLE,
                                  .quoted = icmp->len > 0 ? icmp->quote : NULL,
                                  .quoted_len = icmp->len};
    hws_engine_net_event(p->a.engine, &event, p->now_us);
    pair_pull(p);
}

/* Both messages, to no effect. */
static void told_in_vain(struct pair *p, const struct icmp *icmp)
{
    uint32_t mtu = pair_path(&p->a).mtu;
    tell(p, icmp, HWS_NET_TOO_BIG);
    tell(p, icmp, HWS_NET_UNREACHABLE);
    assert_int_equal(pair_path(&p->a).mtu, mtu);
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
}

/* The quote with one bit of its header turned over, and cut short in its header. */
static void mangled_in_vain(struct pair *p, const struct icmp *good, uint32_t header)
{
    struct icmp icmp = *good;
    for (uint32_t bit = 0; bit < 8 * 8; bit++) {
        icmp.quote[bit / 8] ^= (uint8_t)(1u << bit % 8);
        told_in_vain(p, &icmp);
        icmp.quote[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (icmp.len = 0; icmp.len < header; icmp.len++)
        told_in_vain(p, &icmp);
    icmp.len = good->len;
    icmp.remote = stranger_addr(9);
    told_in_vain(p, &icmp);
}

/* ICMP5, ICMP6: ports, addresses and the peer's tag have to be quoted. */
static void forged_icmp_about_data(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect_and_talk(p);
    pair_send(&p->a, 0, 0, "quoted", 6);
    struct pair_packet *data = pair_take(&p->a);
    struct icmp icmp = icmp_about(data);
    mangled_in_vain(p, &icmp, 8);
    hws_put32(icmp.quote + 4, pair_status(&p->a).local_vtag);
    told_in_vain(p, &icmp);
    hws_put32(icmp.quote + 4, 0);
    told_in_vain(p, &icmp);
    pair_wait(p, 10ull * SECOND);
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    icmp = icmp_about(data);
    icmp.len = 8;
    tell(p, &icmp, HWS_NET_TOO_BIG);
    assert_int_equal(pair_path(&p->a).mtu, 600);
    tell(p, &icmp, HWS_NET_UNREACHABLE);
    pair_wait(p, 20ull * SECOND);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    free(data);
    pair_free(p);
}

/* ICMP6: of an INIT the Initiate Tag has to be quoted as well. */
static void forged_icmp_about_init(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    struct icmp good = icmp_about(pair_first(&p->a)), icmp = good;
    mangled_in_vain(p, &good, 20);
    for (uint32_t bit = 0; bit < 32; bit++) {
        icmp.quote[16 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        told_in_vain(p, &icmp);
        icmp.quote[16 + bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    icmp.quote[12] = HWS_CHUNK_INIT_ACK;
    told_in_vain(p, &icmp);
    good.len = 20;
    tell(p, &good, HWS_NET_UNREACHABLE);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_free(p);
}

/* ICMP8: later than COOKIE-WAIT a message about the INIT is old news. */
static void icmp_about_an_old_init(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_begin(&p->a);
    struct icmp icmp = icmp_about(pair_first(&p->a));
    pair_arrives(&p->a, "INIT");
    pair_arrives(&p->b, "INIT-ACK");
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_COOKIE_ECHOED);
    told_in_vain(p, &icmp);
    pair_settle(p);
    told_in_vain(p, &icmp);
    pair_send(&p->a, 0, 0, "lost", 4);
    pair_wait(p, 10ull * SECOND);
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reflected_tag_is_for_its_chunk_alone),
        cmocka_unit_test(camping_on_an_address),
        cmocka_unit_test(false_answers_confirm_nothing),
        cmocka_unit_test(ports_cannot_be_guessed),
        cmocka_unit_test(cookies_do_not_tell_the_tags),
        cmocka_unit_test(a_restart_is_told),
        cmocka_unit_test(withheld_sacks_move_no_data),
        cmocka_unit_test(spoofed_sources_get_no_answers),
        cmocka_unit_test(guessed_sacks_end_the_association),
        cmocka_unit_test(a_cookie_cannot_be_kept_for_long),
        cmocka_unit_test(old_cookies_bring_nothing),
        cmocka_unit_test(cookies_keep_their_ports),
        cmocka_unit_test(many_chunks_get_one_packet),
        cmocka_unit_test(a_small_mtu_brings_no_more_packets),
        cmocka_unit_test(a_sack_meets_every_room),
        cmocka_unit_test(an_init_ack_is_small),
        cmocka_unit_test(nothing_is_amplified),
        cmocka_unit_test(tags_and_tsns_of_init_acks),
        cmocka_unit_test(tags_and_tsns_of_inits),
        cmocka_unit_test(forged_icmp_about_data),
        cmocka_unit_test(forged_icmp_about_init),
        cmocka_unit_test(icmp_about_an_old_init),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
