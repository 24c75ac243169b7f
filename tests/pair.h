/* Two engines on a wire that a test holds in its hands: it looks at each packet, lets it arrive,
 * loses it or keeps it, and moves the clock. A test reads as a story:
 *
 *     struct pair *p = pair_new(NULL);
 *     pair_connect(p);
 *     pair_send(&p->a, 0, 0, "hello", 5);
 *     pair_arrives(&p->a, "DATA");
 */
#ifndef HWS_TESTS_PAIR_H
#define HWS_TESTS_PAIR_H

#include "proto/chunk.h"
#include "sim/env.h"
#include "stack/engine.h"
#include "stack/limits.h"

#define PAIR_PORT_A 1000u
#define PAIR_PORT_B 2000u
#define PAIR_ADDRS_MAX 4u

struct pair_packet {
    struct pair_packet *next;
    struct hws_addr src, dst;
    bool may_fragment;
    uint8_t tos, ttl;
    uint32_t len;
    uint8_t data[];
};

/* One engine, its endpoint and association, and what it sent that has not arrived. */
struct pair_end {
    struct pair *pair;
    struct pair_end *other;
    struct sim_env env;
    const struct hws_extension *const *extensions;
    size_t extension_count;
    struct hws_engine *engine;
    struct hws_addr addrs[PAIR_ADDRS_MAX];
    uint32_t addr_count;
    struct hws_addr addr; /* the first */
    bool any_local, told_host;
    uint16_t port;
    hws_endpoint_id endpoint;
    hws_assoc_id assoc;
    struct pair_packet *wire_head, *wire_tail;
    uint32_t events;           /* bits 1 << enum hws_event_type, seen and not asked for yet */
    bool passive;              /* of UP */
    int reason;                /* of DOWN */
    uint16_t cause;            /* of DOWN or REMOTE_ERROR */
    uint64_t packets;          /* sent since the beginning */
    struct hws_event told[32]; /* the last event of each type, without `data` */
    uint32_t told_count[32];
    uint8_t told_data[HWS_LIMIT_REMOTE_ERROR_BYTES]; /* of the last event that had some */
    uint32_t told_data_len;
};

struct pair {
    struct pair_end a, b; /* a connects, b listens */
    uint64_t now_us;
    uint64_t rx_time_us;      /* what links tell of packets: when they were received; 0: nothing */
    uint32_t mtu;             /* told for every new path */
    bool tolerant;            /* of want of memory: what fails is not the test's concern */
    bool cut[PAIR_ADDRS_MAX]; /* packets to address number i of either end are lost */
    uint32_t wire_mtu; /* larger IP packets are lost unless IP may fragment them; 0: none are */
    bool icmp;         /* and their sender is told */
};

struct pair_options {
    void (*params)(struct hws_params *a, struct hws_params *b); /* NULL: defaults for both */
    uint32_t mtu;                                               /* 0: 1500 */
    uint32_t addrs; /* of each end, 0: 1; a connects to the first and learns the others */
    bool own_host, both_listen, ipv6, tolerant;
    bool any_local;                                /* neither end is bound to its addresses */
    bool told_host;                                /* but they are what it is told of its host */
    const struct hws_extension *const *extensions; /* of both ends */
    size_t extension_count;
    const struct hws_extension *const *a_extensions; /* or of one; they end with NULL */
    const struct hws_extension *const *b_extensions;
};

/** Two engines, an endpoint each. `options` may be NULL. */
struct pair *pair_new(const struct pair_options *options);

/** Frees both engines and fails the test if memory is left. */
void pair_free(struct pair *p);

/** Forgets everything `end` knew, as a host that is switched off and on, and gives it a new
 * endpoint with the same port. */
void pair_reboot(struct pair_end *end, bool listening);

/** Starts the association from `end`; nothing arrives yet. */
void pair_begin(struct pair_end *end);

/** Begins from a and lets everything arrive until both are up. */
void pair_connect(struct pair *p);

/** Connects, and has one message go each way: the first DATA of an association is acknowledged at
 * once (5.1), what follows is not. */
void pair_connect_and_talk(struct pair *p);

/** Takes events and output of both ends. Every function here has done so when it returns. */
void pair_pull(struct pair *p);

/** The first packet `end` has on the wire; the test fails when there is none. */
struct pair_packet *pair_first(struct pair_end *end);
bool pair_wire_empty(const struct pair *p);

/** Takes the first packet off the wire; the caller frees it. */
struct pair_packet *pair_take(struct pair_end *end);

/** The names of the packet's chunks, "COOKIE-ECHO+DATA"; valid until the next call. */
const char *pair_chunks(const struct pair_packet *packet);

/** The packet as text; valid until the next call. */
const char *pair_text(const struct pair_packet *packet);

/** The packet's chunk number `index`; the test fails when it has fewer. */
struct hws_tlv pair_chunk(const struct pair_packet *packet, uint32_t index);

/** The first packet of `end` has exactly these chunks: it arrives, or it is lost. */
void pair_arrives(struct pair_end *end, const char *chunks);
void pair_lost(struct pair_end *end, const char *chunks);

/** Nothing is on the wire. */
void pair_silent(struct pair *p);

/** Lets everything arrive, and what that causes, without time passing. */
void pair_settle(struct pair *p);

/** Moves the clock, running timers when they are due; what is sent stays on the wire. */
void pair_wait(struct pair *p, uint64_t us);

/** The same, and everything sent arrives at once. */
void pair_run(struct pair *p, uint64_t us);

/** Moves the clock to the next deadline of `end`, which must be there, and runs it. */
void pair_next_timer(struct pair_end *end);

/** Hands `end` a packet as if from the other end; the checksum is set here. */
void pair_inject(struct pair_end *end, uint8_t *data, uint32_t len);
/** The same with an address as source. */
void pair_inject_from(struct pair_end *end, const struct hws_addr *src, uint8_t *data,
                      uint32_t len);

/** The same with a destination address, too. */
void pair_inject_between(struct pair_end *end, const struct hws_addr *src,
                         const struct hws_addr *dst, uint8_t *data, uint32_t len);

/** Tells `end` that its packet met a link with this MTU (ICMP). */
void pair_too_big(struct pair_end *end, const struct pair_packet *packet, uint32_t mtu);

/** Starts a packet to `end` with the ports and tag of its association. */
void pair_forge(struct pair_end *end, struct hws_builder *b, uint8_t *buf, uint32_t cap);

/** Sends; the test fails when that is refused. */
void pair_send(struct pair_end *end, uint16_t sid, uint16_t flags, const void *data, size_t len);

/** Sends `len` bytes of a pattern that begins with `first`. */
void pair_send_pattern(struct pair_end *end, uint16_t sid, uint16_t flags, uint8_t first,
                       size_t len);

/** Receives a whole message of exactly these bytes; the test fails otherwise. */
void pair_recv(struct pair_end *end, uint16_t sid, const void *data, size_t len);
void pair_recv_pattern(struct pair_end *end, uint16_t sid, uint8_t first, size_t len);

/** Receives and throws away all there is; how many bytes. */
size_t pair_drain(struct pair_end *end);

/** There is nothing to receive. */
void pair_recv_nothing(struct pair_end *end);

/** Whether the event was seen since the last time it was asked for. */
bool pair_saw(struct pair_end *end, enum hws_event_type type);

struct hws_assoc_status pair_status(const struct pair_end *end);
/** The path to the peer's first address, or to another one. */
struct hws_path_status pair_path(const struct pair_end *end);
struct hws_path_status pair_path_to(const struct pair_end *end, const struct hws_addr *remote);
const struct hws_stats *pair_stats(const struct pair_end *end);

/** Shuts the association down from `end`; nothing arrives yet. */
void pair_shutdown(struct pair_end *end);

#endif
