/* The world of a script: one engine in virtual time, what it sent and told, and a peer that says
 * only what the script says. */
#ifndef HWS_TESTS_SCRIPT_WORLD_H
#define HWS_TESTS_SCRIPT_WORLD_H

#include "sim/env.h"
#include "stack/engine.h"

#define WORLD_ADDRS_MAX 9u /* one more than the engine's limit */
#define WORLD_LOG_LINES 12u
#define WORLD_LOG_LINE_MAX 1400u
#define WORLD_EVENTS_MAX 256u
/* Virtual time that one line may take. */
#define WORLD_WAIT_MAX_US (UINT64_C(86400) * 1000000)

struct script;

/* A packet that the engine sent. */
struct world_packet {
    struct world_packet *next;
    uint64_t at_us;
    struct hws_addr src, dst;
    bool may_fragment;
    uint32_t len;
    uint8_t data[];
};

struct world {
    struct sim_env env;
    struct hws_engine *engine; /* made when the first line needs it */
    hws_endpoint_id endpoint;
    hws_assoc_id assoc; /* the last one that was connected or came up; 0: none yet */
    uint64_t now_us;
    struct hws_stats stats_start; /* when the start state was reached */

    struct hws_addr locals[WORLD_ADDRS_MAX], peers[WORLD_ADDRS_MAX];
    uint32_t local_count, peer_count;
    uint16_t local_port, peer_port;
    uint32_t mtu;
    bool any_local; /* the endpoint is not bound to addresses */
    bool own_host;
    struct hws_params params;

    struct world_packet *sent_head, *sent_tail;
    /* The last packet to each of the peer's addresses, for ICMP messages to quote. */
    struct world_packet *last_to[WORLD_ADDRS_MAX];
    struct hws_event events[WORLD_EVENTS_MAX];
    uint32_t event_count;

    char log[WORLD_LOG_LINES][WORLD_LOG_LINE_MAX];
    uint32_t log_count; /* lines ever written */
};

/** Addresses, ports and parameters that a script starts with. */
void world_init(struct world *w);
void world_fini(struct world *w);

/** Makes the engine and its endpoint when there are none yet. */
void world_start(struct script *s);

/** Hands one packet to the engine. */
void world_input(struct script *s, const struct hws_addr *src, const struct hws_addr *dst,
                 const uint8_t *data, uint32_t len);

/** Takes what the engine has to tell and to send. After every call into it. */
void world_pump(struct script *s);

/** The number of the path to `remote`; fails when the association has none. */
uint32_t world_path(struct script *s, const struct hws_addr *remote, struct hws_path_status *out);

/** The first packet sent that no line has expected yet; NULL: none. */
struct world_packet *world_first(const struct world *w);
void world_drop_first(struct script *s);

/** Lets time pass until a packet is there or `until_us` is reached. */
void world_wait(struct script *s, uint64_t until_us);

/** Virtual time since the script began. */
double world_seconds(const struct world *w, uint64_t at_us);

/** Writes a line into the log of what happened last. */
__attribute__((format(printf, 2, 3))) void world_log(struct script *s, const char *format, ...);
/** Writes a packet into the log; `direction` is '<' (to the engine) or '>'. */
void world_log_packet(struct script *s, char direction, const struct hws_addr *src,
                      const struct hws_addr *dst, const uint8_t *data, uint32_t len);

#endif
