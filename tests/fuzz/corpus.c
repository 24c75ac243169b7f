/* Writes the seed inputs of the fuzzers into two folders: packets with every kind of chunk, and
 * sequences of operations that lead into every state. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/cause.h"
#include "proto/chunk.h"
#include "proto/param.h"
#include "tests/fuzz/ops.h"

#define B_SIDE 0x80u
#define FIX_ALL (FUZZ_FIX_PORTS | FUZZ_FIX_TAG | FUZZ_FIX_TSN)

struct writer {
    const char *text_dir, *engine_dir;
    unsigned number;
};

static void write_file(struct writer *w, const char *dir, const char *name, const uint8_t *bytes,
                       size_t len)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%02u-%s", dir, w->number++, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, len, file) != len || fclose(file) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
}

/* The packet as an input of fuzz_text, and as an operation of fuzz_engine towards each side. */
static void write_packet(struct writer *w, const char *name, struct hws_builder *b, uint8_t control)
{
    uint32_t len = hws_builder_finish(b);
    write_file(w, w->text_dir, name, b->start, len);
    uint8_t input[3 + 3 + FUZZ_PACKET_MAX + 4];
    for (uint8_t side = 0; side < 2; side++) {
        size_t at = 0;
        input[at++] = 1;
        input[at++] = (uint8_t)(side * B_SIDE | FUZZ_PACKET);
        input[at++] = control;
        input[at++] = (uint8_t)(len / 2);
        memcpy(input + at, b->start, len);
        at += len;
        input[at++] = FUZZ_SETTLE;
        input[at++] = FUZZ_TIME;
        input[at++] = 12;
        write_file(w, w->engine_dir, name, input, at);
    }
}

static void start(struct hws_builder *b, uint8_t *buf)
{
    hws_builder_init(b, buf, FUZZ_PACKET_MAX, 1000, 2000, 0);
}

static void data_packets(struct writer *w)
{
    uint8_t buf[FUZZ_PACKET_MAX];
    struct hws_builder b;
    start(&b, buf);
    struct hws_data d = {.tsn = 1, .flags = HWS_DATA_B | HWS_DATA_E, .payload_len = 20};
    memset(hws_data_encode(&b, &d), 'x', 20);
    d.tsn = 2;
    d.flags = HWS_DATA_B | HWS_DATA_U;
    memset(hws_data_encode(&b, &d), 'y', 20);
    d.tsn = 3;
    d.flags = HWS_DATA_E | HWS_DATA_U | HWS_DATA_I;
    memset(hws_data_encode(&b, &d), 'z', 20);
    write_packet(w, "data", &b, FIX_ALL);
    start(&b, buf);
    struct hws_gap gaps[2] = {{2, 3}, {5, 5}};
    uint32_t dups[1] = {1};
    hws_sack_encode(&b, 0, 100000, gaps, 2, dups, 1);
    write_packet(w, "sack", &b, FIX_ALL);
}

static void init_packet(struct writer *w, uint8_t type, const char *name, uint8_t control)
{
    uint8_t buf[FUZZ_PACKET_MAX];
    struct hws_builder b;
    struct hws_addr v4 = {.family = HWS_FAMILY_IPV4, .ip = {192, 0, 2, 9}};
    struct hws_addr v6 = {.family = HWS_FAMILY_IPV6, .ip = {0x20, 1, 0x0d, 0xb8}};
    start(&b, buf);
    struct hws_init init = {
        .tag = 99, .a_rwnd = 65536, .ostreams = 5, .max_instreams = 5, .tsn = 7};
    hws_init_open(&b, type, &init);
    hws_param_put_addr(&b, &v4);
    hws_param_put_addr(&b, &v6);
    hws_param_put_supported_addresses(&b, HWS_SUPPORTS_IPV4 | HWS_SUPPORTS_IPV6);
    hws_param_put_cookie_preservative(&b, 1000);
    hws_builder_tlv(&b, HWS_PARAM_ECN, 0);
    memset(hws_builder_tlv(&b, 0xc123, 5), 0, 5);
    memset(hws_builder_tlv(&b, HWS_PARAM_COOKIE, 40), 0, 40);
    hws_builder_close(&b);
    write_packet(w, name, &b, control);
}

static void control_packets(struct writer *w)
{
    static const struct {
        uint8_t type, control;
    } plain[] = {
        {HWS_CHUNK_ABORT, FIX_ALL},
        {HWS_CHUNK_ABORT, FUZZ_FIX_PORTS | FUZZ_FIX_TAG_PEER},
        {HWS_CHUNK_SHUTDOWN_ACK, FIX_ALL},
        {HWS_CHUNK_SHUTDOWN_COMPLETE, FIX_ALL},
        {HWS_CHUNK_COOKIE_ACK, FIX_ALL},
        {HWS_CHUNK_PAD, FIX_ALL},
        {HWS_CHUNK_COOKIE_ECHO, FIX_ALL | FUZZ_FIX_COOKIE},
        {HWS_CHUNK_COOKIE_ECHO, FUZZ_FIX_PORTS | FUZZ_FIX_COOKIE | FUZZ_STRANGER},
        {0x3d, FIX_ALL},
        {0xfd, FIX_ALL},
    };
    uint8_t buf[FUZZ_PACKET_MAX];
    struct hws_builder b;
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        start(&b, buf);
        hws_chunk_put(&b, plain[i].type, i == 1 ? HWS_FLAG_T : 0, NULL, 0);
        write_packet(w, "control", &b, plain[i].control);
    }
    start(&b, buf);
    hws_shutdown_encode(&b, 0);
    write_packet(w, "shutdown", &b, FIX_ALL);
    start(&b, buf);
    hws_heartbeat_encode(&b, HWS_CHUNK_HEARTBEAT, "information", 11);
    hws_heartbeat_encode(&b, HWS_CHUNK_HEARTBEAT_ACK, "information", 11);
    write_packet(w, "heartbeat", &b, FIX_ALL);
}

static void error_packet(struct writer *w)
{
    uint8_t buf[FUZZ_PACKET_MAX];
    struct hws_builder b;
    const uint16_t missing[2] = {7, 8};
    start(&b, buf);
    hws_builder_open(&b, HWS_CHUNK_ERROR, 0);
    hws_cause_put_invalid_stream(&b, 3);
    hws_cause_put_missing_param(&b, missing, 2);
    hws_cause_put_stale_cookie(&b, 1000);
    hws_cause_put_no_user_data(&b, 5);
    hws_cause_put(&b, HWS_CAUSE_PROTOCOL_VIOLATION, "why", 3);
    hws_builder_close(&b);
    write_packet(w, "error", &b, FIX_ALL);
}

#define SEQUENCE(w, name, ...)                                                                     \
    write_file(w, (w)->engine_dir, name, (const uint8_t[]){__VA_ARGS__},                           \
               sizeof((const uint8_t[]){__VA_ARGS__}))

static void sequences(struct writer *w)
{
    SEQUENCE(w, "handshake", 0, FUZZ_DELIVER, B_SIDE | FUZZ_DELIVER, FUZZ_DELIVER,
             B_SIDE | FUZZ_DELIVER);
    SEQUENCE(w, "handshake-altered", 0, FUZZ_MUTATE, 0, 20, 1, FUZZ_TIME, 10, FUZZ_DELIVER,
             B_SIDE | FUZZ_MUTATE, 0, 60, 4, FUZZ_TIME, 11, FUZZ_SETTLE);
    SEQUENCE(w, "messages", 1, FUZZ_SEND, 0, 0, 200, FUZZ_SEND, 1, 1, 3, B_SIDE | FUZZ_SEND, 2, 2,
             90, FUZZ_SETTLE, B_SIDE | FUZZ_RECEIVE, 255, FUZZ_RECEIVE, 10, FUZZ_TIME, 9);
    SEQUENCE(w, "loss", 1, FUZZ_SEND, 0, 0, 250, FUZZ_LOSE, FUZZ_DELIVER, FUZZ_REPEAT, FUZZ_SETTLE,
             FUZZ_TIME, 11, FUZZ_SETTLE, FUZZ_TIME, 12, FUZZ_SETTLE);
    SEQUENCE(w, "shutdown", 1, FUZZ_SEND, 0, 0, 20, FUZZ_SHUTDOWN, FUZZ_SETTLE, FUZZ_TIME, 15);
    SEQUENCE(w, "shutdown-both", 1, FUZZ_SHUTDOWN, B_SIDE | FUZZ_SHUTDOWN, FUZZ_DELIVER,
             B_SIDE | FUZZ_DELIVER, FUZZ_LOSE, FUZZ_TIME, 12, FUZZ_SETTLE);
    SEQUENCE(w, "abort", 1, FUZZ_SEND, 0, 0, 255, FUZZ_ABORT, FUZZ_SETTLE, B_SIDE | FUZZ_RECEIVE, 9,
             FUZZ_RELEASE, FUZZ_SETTLE);
    SEQUENCE(w, "collision", 0, B_SIDE | FUZZ_RELEASE, FUZZ_DELIVER, B_SIDE | FUZZ_DELIVER,
             FUZZ_SETTLE, FUZZ_SEND, 0, 0, 9, FUZZ_SETTLE);
    SEQUENCE(w, "restart", 1, FUZZ_RELEASE, FUZZ_LOSE, FUZZ_DELIVER, FUZZ_SETTLE);
    SEQUENCE(w, "reboot", 1, FUZZ_SEND, 0, 0, 255, B_SIDE | FUZZ_SEND, 0, 0, 255, FUZZ_REBOOT,
             FUZZ_DELIVER, B_SIDE | FUZZ_DELIVER, FUZZ_SETTLE, FUZZ_SEND, 0, 0, 5, FUZZ_SETTLE);
    SEQUENCE(w, "reboot-shutdown", 1, FUZZ_SHUTDOWN, FUZZ_DELIVER, B_SIDE | FUZZ_LOSE, FUZZ_REBOOT,
             FUZZ_SETTLE, FUZZ_TIME, 12, FUZZ_SETTLE);
    SEQUENCE(w, "network", 1, FUZZ_SEND, 0, 0, 255, FUZZ_NETWORK, 3, 0, 2, 88, FUZZ_NETWORK, 1, 0,
             0, 0, FUZZ_NETWORK, 2, 0x80, 0, 0, FUZZ_SETTLE);
    SEQUENCE(w, "peek", 1, FUZZ_SEND, 0, 0, 200, FUZZ_SEND, 1, 1, 3, FUZZ_SETTLE,
             B_SIDE | FUZZ_PEEK, 255, B_SIDE | FUZZ_PEEK, 9, B_SIDE | FUZZ_PEEK, 0, FUZZ_PEEK, 1);
    SEQUENCE(w, "views", 1, FUZZ_SEND, 0, 0, 250, FUZZ_SEND, 1, 1, 3, FUZZ_SETTLE,
             B_SIDE | FUZZ_VIEW, 0, B_SIDE | FUZZ_VIEW, 1, B_SIDE | FUZZ_VIEW, 0,
             B_SIDE | FUZZ_ABORT, B_SIDE | FUZZ_RELEASE, B_SIDE | FUZZ_VIEW, 1, FUZZ_SETTLE,
             FUZZ_SEND, 0, 0, 9, FUZZ_SETTLE, B_SIDE | FUZZ_VIEW, 7);
    SEQUENCE(w, "failed", 1, FUZZ_SEND, 0, 0, 250, FUZZ_SEND, 1, FUZZ_LENT, 30, FUZZ_ABORT,
             FUZZ_FAILED, 1, FUZZ_SETTLE, FUZZ_FAILED, 255, FUZZ_RELEASE);
    SEQUENCE(w, "locals", 1, B_SIDE | FUZZ_LOCALS, FUZZ_ADDR_FIRST | FUZZ_ADDR_SECOND, FUZZ_LOCALS,
             FUZZ_ADDR_FIRST | FUZZ_ADDR_IPV6, FUZZ_ABORT, FUZZ_SETTLE, FUZZ_RELEASE, FUZZ_SETTLE,
             FUZZ_SEND, 0, 0x10, 99, FUZZ_SETTLE, FUZZ_TIME, 15, FUZZ_SETTLE, FUZZ_SEND, 0, 0x20, 9,
             FUZZ_SETTLE);
    SEQUENCE(w, "host-addresses", 1, FUZZ_HOST, 7, B_SIDE | FUZZ_HOST, 7, B_SIDE | FUZZ_ENDPOINT,
             FUZZ_HOST_ADDRESSES, 0, FUZZ_ENDPOINT, FUZZ_HOST_ADDRESSES | FUZZ_REUSE, 0,
             FUZZ_SETTLE, FUZZ_SEND, 0, 0, 99, FUZZ_SETTLE, FUZZ_TIME, 15, FUZZ_SETTLE);
    SEQUENCE(w, "families", 0, B_SIDE | FUZZ_ENDPOINT, 1, 0, FUZZ_ENDPOINT, 2 | FUZZ_KEEP_OLD, 2,
             FUZZ_SETTLE, FUZZ_ENDPOINT, 1, 1, FUZZ_SETTLE);
    SEQUENCE(w, "encapsulation", 1, FUZZ_ENCAPSULATION, 0, 99, FUZZ_SEND, 0, 0, 99, FUZZ_SETTLE,
             FUZZ_ENCAPSULATION, 0, 0, FUZZ_SEND, 0, 0, 99, FUZZ_SETTLE);
    SEQUENCE(w, "idle", 1, FUZZ_TIME, 16, FUZZ_SETTLE, FUZZ_TIME, 17, FUZZ_TIME, 17, FUZZ_LISTEN,
             0);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: fuzz_corpus TEXT-FOLDER ENGINE-FOLDER\n");
        return 2;
    }
    struct writer w = {argv[1], argv[2], 0};
    data_packets(&w);
    init_packet(&w, HWS_CHUNK_INIT, "init", FUZZ_FIX_PORTS);
    init_packet(&w, HWS_CHUNK_INIT_ACK, "init-ack", FUZZ_FIX_PORTS | FUZZ_FIX_TAG);
    control_packets(&w);
    error_packet(&w);
    sequences(&w);
    return 0;
}
