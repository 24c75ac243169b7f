/* The engine alone: two SCTP hosts in one program, with no network, no clock and no thread.
 *
 * An engine takes packets and time as arguments and hands packets out; what carries them is up to
 * its driver. Here that is a wire of 40 ms which loses every fifth packet. Time is a number, so
 * seconds pass in no time, and random numbers come from a seed, so every run is the same. A driver
 * that sleeps asks hws_engine_deadline for how long.
 *
 * Usage: engine_alone */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/packet.h"
#include "stack/engine.h"

#define WIRE_DELAY_US 40000
#define PORT 7

struct host {
    const char *name;
    struct hws_addr addr;
    struct hws_engine *engine;
    hws_endpoint_id endpoint;
    bool over;
};

static uint64_t now_us;
static unsigned packets;

static void fail(const char *what, int error)
{
    fprintf(stderr, "engine_alone: %s: %s\n", what, hws_error_text(error));
    exit(1);
}

/* ---- What an engine takes from outside: memory, random numbers, a MAC for its cookies ---- */

static void *env_alloc(void *ctx, size_t size)
{
    return (void)ctx, malloc(size);
}

static void env_free(void *ctx, void *ptr, size_t size)
{
    (void)ctx, (void)size, free(ptr);
}

/* A program that talks to others asks the operating system (getrandom). */
static void env_random(void *ctx, void *out, size_t len)
{
    static uint32_t state = 1;
    (void)ctx;
    for (uint8_t *byte = out; len > 0; len--)
        *byte++ = (uint8_t)((state = state * 1664525u + 1013904223u) >> 24);
}

static void env_hmac(void *ctx, const uint8_t *key, const void *data, size_t len, uint8_t *mac)
{
    (void)ctx;
    if (HMAC(EVP_sha256(), key, HWS_MAC_KEY_LEN, data, len, mac, NULL) == NULL)
        abort();
}

static struct host host_new(const char *name, uint8_t number)
{
    struct hws_engine_config config = {.env = {NULL, env_alloc, env_free, env_random, env_hmac}};
    struct host host = {.name = name,
                        .addr = {.family = HWS_FAMILY_IPV4, .ip = {192, 0, 2, number}}};
    struct hws_endpoint_config endpoint = {
        .port = PORT, .locals = &host.addr, .local_count = 1, .listening = true};
    host.engine = hws_engine_new(&config);
    int error = host.engine == NULL ? HWS_E_NOMEM
                                    : hws_endpoint_new(host.engine, &endpoint, &host.endpoint);
    if (error != HWS_OK)
        fail(name, error);
    return host;
}

/* ---- The driver: input, expire -> event -> output -> deadline ---- */

static void receive(struct host *host, hws_assoc_id assoc)
{
    char text[64];
    size_t len;
    struct hws_rcvinfo info;
    while (hws_assoc_recv(host->engine, assoc, text, sizeof text, &len, &info, now_us) == HWS_OK)
        printf("%s: stream %u: %.*s\n", host->name, info.sid, (int)len, text);
}

static void take_event(struct host *host, const struct hws_event *event)
{
    if (event->type == HWS_EVENT_UP)
        printf("%s: up\n", host->name);
    else if (event->type == HWS_EVENT_READABLE)
        receive(host, event->assoc);
    else if (event->type == HWS_EVENT_DOWN) {
        printf("%s: %s\n", host->name, hws_error_text(event->reason));
        host->over = true;
        hws_assoc_release(host->engine, event->assoc, now_us);
    }
}

/* One host's turn: what is due, what happened, what it has to send. That arrives when the clock has
 * been turned by the length of the wire. */
static void turn(struct host *host, struct host *peer)
{
    static uint8_t buffer[HWS_PACKET_MAX_LEN];
    struct hws_train train = {.data = buffer, .capacity = sizeof buffer, .max_packets = 1};
    struct hws_event event;
    hws_engine_expire(host->engine, now_us);
    while (hws_engine_event(host->engine, &event))
        take_event(host, &event);
    for (; hws_engine_output(host->engine, &train, now_us); packets++) {
        struct hws_packet_in packet = {.data = buffer, .len = train.len, .truesize = train.len};
        packet.src = host->addr;
        packet.dst = train.dst;
        if (packets % 5 != 4)
            hws_engine_input(peer->engine, &packet, 1, now_us + WIRE_DELAY_US);
    }
    now_us += WIRE_DELAY_US;
}

int main(void)
{
    struct host client = host_new("client", 1), server = host_new("server", 2);
    hws_assoc_id assoc;
    int error =
        hws_assoc_connect(client.engine, client.endpoint, &server.addr, 1, PORT, now_us, &assoc);
    for (int i = 0; i < 12 && error == HWS_OK; i++) {
        char text[32];
        struct hws_iovec iov = {text, (size_t)snprintf(text, sizeof text, "message %d", i)};
        struct hws_sndinfo info = {.sid = (uint16_t)(i % 2)};
        error = hws_assoc_send(client.engine, assoc, &info, &iov, 1, now_us);
    }
    if (error == HWS_OK)
        error = hws_assoc_shutdown(client.engine, assoc, now_us); /* once all is acknowledged */
    if (error != HWS_OK)
        fail("client", error);
    while (!client.over || !server.over) {
        turn(&client, &server);
        turn(&server, &client);
    }
    printf("%u packets, every fifth lost, in %.2f s of virtual time\n", packets,
           (double)now_us / 1e6);
    hws_engine_free(client.engine);
    hws_engine_free(server.engine);
    return 0;
}
