/* Two engines at one port, each given every packet: exactly one of them answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "proto/chunk.h"
#include "proto/packet.h"
#include "sim/env.h"
#include "stack/engine.h"

#define SHARDS 2u
#define PORT 5000u
#define NOW_US 1000000u

struct world {
    struct sim_env envs[SHARDS];
    struct hws_engine *engines[SHARDS];
    hws_endpoint_id endpoints[SHARDS];
    uint8_t answer[HWS_PACKET_MAX_LEN];
    uint32_t answer_len;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    for (uint32_t i = 0; i < SHARDS; i++) {
        const struct hws_endpoint_config endpoint = {.port = PORT, .listening = true};
        sim_env_init(&w->envs[i], i);
        const struct hws_engine_config config = {.env = sim_env_make(&w->envs[i]),
                                                 .shard = {.count = SHARDS, .index = i}};
        w->engines[i] = hws_engine_new(&config);
        assert_non_null(w->engines[i]);
        assert_int_equal(hws_endpoint_new(w->engines[i], &endpoint, &w->endpoints[i]), HWS_OK);
    }
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    for (uint32_t i = 0; i < SHARDS; i++) {
        hws_engine_free(w->engines[i]);
        assert_int_equal(w->envs[i].live_objects, 0);
    }
    free(w);
    return 0;
}

static bool take_output(struct world *w, uint32_t shard)
{
    struct hws_train train = {.data = w->answer, .capacity = sizeof w->answer, .max_packets = 1};
    if (!hws_engine_output(w->engines[shard], &train, NOW_US))
        return false;
    w->answer_len = train.len;
    return true;
}

/* Which one answers; the test fails when none or several do. */
static uint32_t who_answers(struct world *w, const uint8_t *packet, uint32_t len)
{
    const struct hws_packet_in in = {
        .data = packet,
        .len = len,
        .truesize = len,
        .src = {.family = HWS_FAMILY_IPV4, .ip = {192, 0, 2, 1}},
        .dst = {.family = HWS_FAMILY_IPV4, .ip = {192, 0, 2, 2}},
    };
    uint32_t who = SHARDS, answers = 0;
    for (uint32_t i = 0; i < SHARDS; i++) {
        hws_engine_input(w->engines[i], &in, 1, NOW_US);
        if (take_output(w, i)) {
            who = i;
            answers++;
        }
    }
    assert_int_equal(answers, 1);
    return who;
}

static uint32_t put_init(uint8_t *bytes, uint16_t src_port)
{
    struct hws_builder b;
    const struct hws_init init = {
        .tag = 7, .a_rwnd = 65536, .ostreams = 1, .max_instreams = 1, .tsn = 1};
    hws_builder_init(&b, bytes, 200, src_port, PORT, 0);
    hws_init_open(&b, HWS_CHUNK_INIT, &init);
    hws_builder_close(&b);
    return hws_builder_finish(&b);
}

static void an_init_meets_one_listener(void **state)
{
    struct world *w = *state;
    uint8_t packet[200];
    unsigned who_did = 0;
    for (uint16_t port = 1000; port < 1040; port++) {
        uint32_t who = who_answers(w, packet, put_init(packet, port));
        who_did |= 1u << who;
        assert_int_equal(who, hws_shard_of_ports(SHARDS, port, PORT));
        assert_int_equal(w->answer[HWS_PACKET_HEADER_LEN], HWS_CHUNK_INIT_ACK);
        /* COOKIE ECHO will carry this tag, and come back to the same one. */
        assert_int_equal(hws_get32(w->answer + HWS_PACKET_HEADER_LEN + 4) % SHARDS, who);
    }
    assert_int_equal(who_did, 3);
}

static uint32_t put_chunk(uint8_t *bytes, uint32_t vtag, uint8_t type)
{
    struct hws_builder b;
    hws_builder_init(&b, bytes, 200, 1000, PORT, vtag);
    assert_non_null(hws_builder_chunk(&b, type, 0, 4));
    return hws_builder_finish(&b);
}

/* 8.4: an ABORT or a SHUTDOWN COMPLETE, which reflect the tag. */
static void out_of_the_blue_one_answers(void **state)
{
    struct world *w = *state;
    const uint8_t types[] = {HWS_CHUNK_HEARTBEAT, HWS_CHUNK_SHUTDOWN_ACK};
    const uint8_t answers[] = {HWS_CHUNK_ABORT, HWS_CHUNK_SHUTDOWN_COMPLETE};
    uint8_t packet[200];
    for (uint32_t vtag = 1; vtag < 40; vtag++) {
        for (size_t i = 0; i < sizeof types; i++) {
            uint32_t who = who_answers(w, packet, put_chunk(packet, vtag, types[i]));
            assert_int_equal(who, vtag % SHARDS);
            assert_int_equal(w->answer[HWS_PACKET_HEADER_LEN], answers[i]);
            assert_int_equal(w->answer[HWS_PACKET_HEADER_LEN + 1], HWS_FLAG_T);
            assert_int_equal(hws_get32(w->answer + 4), vtag);
        }
    }
    for (uint32_t i = 0; i < SHARDS; i++)
        assert_true(hws_engine_stats(w->engines[i])->drop_shard > 0);
}

/* The ports of an association that a shard begins lead to it, and its tag does. */
static void connecting(void **state)
{
    struct world *w = *state;
    const struct hws_addr peer = {.family = HWS_FAMILY_IPV4, .ip = {192, 0, 2, 1}};
    for (uint32_t i = 0; i < SHARDS; i++) {
        for (uint16_t remote_port = 1; remote_port <= 20; remote_port++) {
            const struct hws_endpoint_config drawn = {.remote_port = remote_port};
            hws_endpoint_id endpoint;
            hws_assoc_id assoc;
            bool fits = hws_shard_of_ports(SHARDS, PORT, remote_port) == i;
            assert_int_equal(hws_assoc_connect(w->engines[i], w->endpoints[i], &peer, 1,
                                               remote_port, NOW_US, &assoc),
                             fits ? HWS_OK : HWS_E_SHARD);
            assert_int_equal(hws_endpoint_new(w->engines[i], &drawn, &endpoint), HWS_OK);
            assert_int_equal(
                hws_assoc_connect(w->engines[i], endpoint, &peer, 1, remote_port, NOW_US, &assoc),
                HWS_OK);
        }
        while (take_output(w, i)) {
            assert_int_equal(w->answer[HWS_PACKET_HEADER_LEN], HWS_CHUNK_INIT);
            assert_int_equal(hws_get32(w->answer + HWS_PACKET_HEADER_LEN + 4) % SHARDS, i);
            assert_int_equal(hws_shard_of_packet(SHARDS, w->answer, w->answer_len), i);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_init_meets_one_listener),
        TEST(out_of_the_blue_one_answers),
        TEST(connecting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
