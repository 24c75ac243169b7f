/* The structures behind the contract: engine, endpoint, association, path. Each is described where
 * it is declared; which file works on what is told in docs/ARCHITECTURE.md. */
#ifndef HWS_STACK_CORE_H
#define HWS_STACK_CORE_H

#include "proto/chunk.h"
#include "stack/budget.h"
#include "stack/cc.h"
#include "stack/engine.h"
#include "stack/hashtab.h"
#include "stack/heap.h"
#include "stack/idtab.h"
#include "stack/limits.h"
#include "stack/list.h"
#include "stack/locals.h"
#include "stack/observer.h"
#include "stack/outq.h"
#include "stack/pmtu.h"
#include "stack/pool.h"
#include "stack/queues.h"
#include "stack/reassembly.h"
#include "stack/registry.h"
#include "stack/rto.h"
#include "stack/sendq.h"
#include "stack/siphash.h"
#include "stack/tsnmap.h"

#define HWS_NEVER UINT64_MAX

/* ---- Timers: told in timer.h ---- */

enum hws_timer {
    HWS_TIMER_T1,
    HWS_TIMER_T2,
    HWS_TIMER_T5,
    HWS_TIMER_SACK,
    HWS_TIMER_AUTOCLOSE,
    HWS_TIMER_COUNT
};
enum hws_path_timer {
    HWS_PATH_TIMER_T3,
    HWS_PATH_TIMER_PROBE,
    HWS_PATH_TIMER_HEARTBEAT,
    HWS_PATH_TIMER_PMTU,
    HWS_PATH_TIMER_COUNT
};

/* ---- Wants: chunks that are to be sent; output.c turns them into bytes ---- */

#define HWS_WANT_INIT 0x001u
#define HWS_WANT_COOKIE_ECHO 0x002u
#define HWS_WANT_COOKIE_ACK 0x004u
#define HWS_WANT_SACK 0x008u
#define HWS_WANT_HEARTBEAT_ACK 0x010u
#define HWS_WANT_HEARTBEAT 0x020u
#define HWS_WANT_SHUTDOWN 0x040u
#define HWS_WANT_SHUTDOWN_ACK 0x080u
#define HWS_WANT_ERROR 0x100u
/* These are no rows of the chunk table: */
#define HWS_WANT_PROBE 0x200u     /* a packet of its own */
#define HWS_WANT_EXTENSION 0x400u /* chunks of extensions: hws_extensions_fill knows which */

/* One destination address of the peer (RFC 9260, 5.1.2): its own round trips, congestion window,
 * MTU and error count. */
struct hws_path {
    struct hws_assoc *assoc;
    struct hws_hashtab_node by_addr; /* engine->by_addr: peer address and ports */
    uint8_t index;                   /* in assoc->paths */
    bool confirmed : 1;              /* the peer has shown that it is there (5.4) */
    bool active : 1;
    bool owned : 1;          /* in by_addr: packets from there belong to this association */
    bool disowned : 1;       /* the address is not the peer's after all; its index stays taken */
    bool hb_pending : 1;     /* a HEARTBEAT waits for its ACK */
    bool cwnd_limited : 1;   /* cwnd, and nothing else, kept the last output from sending more */
    bool timing : 1;         /* rtt_tsn is being timed */
    bool one_packet : 1;     /* T3 expired: one packet in flight until an acknowledgement (7.2.1) */
    bool tail_probed : 1;    /* a tail loss probe was sent since something was last acknowledged */
    bool pmtu_probing : 1;   /* a probe waits for its HEARTBEAT ACK */
    bool pmtu_suspected : 1; /* data was lost, perhaps for its size, since the path last answered */
    bool own_params : 1;     /* `params` is this path's alone, else the association's */
    uint16_t wants;          /* HWS_WANT_* */
    uint16_t events;         /* HWS_EVENT_BIT(PATH_*) */
    uint16_t echo_len;       /* bytes at `echo` */
    uint16_t errors;         /* consecutive: T3 expiries and HEARTBEATs without answer (8.2) */
    struct hws_addr local, remote;
    uint16_t mtu;        /* of IP */
    uint16_t max_packet; /* SCTP bytes of a packet of that MTU, whole words */
    uint32_t lowest_tsn; /* of what is in flight there: T3 is its timer */
    uint32_t rtt_tsn;
    uint32_t hb_acked;  /* HEARTBEATs that were answered */
    uint32_t hb_rtt_us; /* round trip of the HEARTBEAT that was answered last */
    struct hws_rto rto;
    struct hws_pmtu pmtu;
    uint64_t rtt_sent_us;
    uint64_t last_data_us; /* data was last sent then; 0: never */
    uint64_t hb_nonce, hb_sent_us;
    uint64_t pmtu_nonce;
    uint64_t deadline_us[HWS_PATH_TIMER_COUNT];
    const struct hws_path_params *params;
    uint8_t *echo; /* Heartbeat Info to send back, from the pool */
    const struct hws_cc_ops *cc;
    _Alignas(uint64_t) uint8_t cc_state[];
};

/* A local port with its addresses. */
struct hws_endpoint {
    struct hws_engine *engine;
    hws_endpoint_id id;
    struct hws_hashtab_node by_port;
    uint16_t port;
    bool listening;
    bool released;              /* by the application; freed when the last association is gone */
    bool reuse, host_addresses; /* as configured */
    uint32_t assoc_count;
    struct hws_locals *locals;
    const struct hws_params *params; /* shared with its associations (params.h) */
};

/* What few associations have, and for a short time: the handshake's, and what went wrong. */
struct hws_assoc_cold {
    uint32_t preservative_ms; /* longer life asked for the next cookie (5.2.6), 0: none */
    uint64_t cookie_sent_us;  /* COOKIE ECHO was sent last */
    uint64_t met_us;        /* when the cookie of the peer was made that it came up with, 0: none */
    uint16_t stale_cookies; /* cookies that the peer called stale (5.2.6) */
    uint8_t *cookie;        /* the peer's State Cookie, while COOKIE-ECHOED */
    uint32_t cookie_len;
    uint8_t *abort_reason; /* Upper Layer Abort Reason of the peer's ABORT */
    uint32_t abort_reason_len;
    uint8_t *abort_chunk; /* the peer's ABORT */
    uint32_t abort_chunk_len;
    uint8_t *causes; /* of the peer's ERRORs, for the application */
    uint32_t causes_len;
    uint32_t causes_told; /* bytes of it that were told */
    uint8_t *errors_out;  /* encoded causes that wait for an ERROR chunk */
    uint32_t errors_out_len;
};

struct hws_control_counts {
    uint64_t packets_in, packets_out;
    uint64_t sacks_in, sacks_out;
    uint64_t control_in, control_out;
};

/* An engine with extensions has a struct hws_ext_part behind each.
 * Servers have many that are idle: flags are bits, members stand so that none is padded, and what
 * user data needs is in `queues`. */
struct hws_assoc {
    struct hws_engine *engine;
    struct hws_endpoint *endpoint;
    struct hws_locals *locals;       /* those of the endpoint when it was made */
    const struct hws_params *params; /* the endpoint's until either is changed (params.h) */
    hws_assoc_id id;
    enum hws_assoc_state state : 8;
    bool passive : 1;         /* the peer began */
    bool in_tables : 1;       /* can be found by tag and address */
    bool released : 1;        /* the application forgot it */
    bool over : 1;            /* DOWN was or will be told; nothing is sent or received any more */
    bool shutdown_wanted : 1; /* the application asked for the graceful end */
    bool blocked : 1;         /* send answered AGAIN: WRITABLE is owed */
    bool undry : 1;           /* data was queued since the last DRY */
    bool no_route : 1;        /* while setting up the network said that the peer is out of reach */
    bool unreachable : 1;     /* ICMP said that its host has no SCTP, and no packet came since */
    bool has_adaptation : 1;  /* the peer told its indication */
    bool in_recovery : 1;     /* Fast Recovery (7.2.4) */
    bool fast_packet : 1;     /* one packet of retransmissions may ignore cwnd (7.2.4, 3) */
    bool probing : 1;         /* what is in flight is a zero-window probe */
    bool probe_due : 1;       /* the window has been closed for an RTO: one may be sent (6.1 A) */
    bool sacks_seen : 1;      /* a SACK came since T3 last expired: a closed window is no fault */
    bool sack_now : 1;        /* of the data that came, something asks for a SACK at once */
    uint8_t path_count;
    uint16_t local_port, remote_port;
    uint32_t local_vtag, remote_vtag;
    uint32_t tie_local, tie_remote;
    uint16_t ostreams, instreams;
    uint32_t events; /* HWS_EVENT_BIT */

    struct hws_hashtab_node by_vtag; /* engine->by_vtag */
    struct hws_list touched_link;    /* engine->touched: has input to settle */
    struct hws_list ready_link;      /* engine->ready_control or ready_data */
    struct hws_list event_link;      /* engine->events */

    struct hws_heap_node timer_node; /* keyed by a time not later than any deadline */
    uint64_t deadline_us[HWS_TIMER_COUNT];
    uint64_t verify_until_us; /* HEARTBEATs to unconfirmed addresses are counted until then (5.4) */
    uint16_t verify_sent;     /* and that many were sent */
    uint16_t init_tries;      /* INIT or COOKIE ECHO sent again (Max.Init.Retransmits) */
    uint16_t errors;          /* consecutive, over all paths (8.1) */
    uint16_t cause;           /* of DOWN and REMOTE_ERROR */
    int16_t reason;           /* of DOWN */

    uint8_t init_path; /* where INIT or COOKIE ECHO was sent last */
    uint8_t primary;
    uint8_t last_data_path;    /* where the last DATA came from: SACKs go there (6.2) */
    uint8_t shutdown_path;     /* where SHUTDOWN or SHUTDOWN ACK was sent last */
    uint8_t shutdown_turn;     /* where it was sent last in turn, since nothing said what works */
    struct hws_path **paths;   /* the next member while there is one, else an array of their own */
    struct hws_path *one_path; /* most peers have one address */

    uint64_t shutdown_sent_us;   /* SHUTDOWN or SHUTDOWN ACK was sent last */
    struct hws_assoc_cold *cold; /* NULL: nothing of it (hws_assoc_need_cold) */
    struct hws_queues *queues;   /* of user data; none until it is first used (queues.h) */
    struct hws_control_counts counts;
    uint32_t peer_adaptation;

    /* Sending */
    uint32_t local_initial_tsn;
    uint32_t peer_a_rwnd; /* the peer's last a_rwnd */
    uint32_t burst_left;  /* new data that may still be sent before the next SACK (6.1 D) */
    uint64_t burst_us;    /* when burst_left was granted last */

    /* Receiving */
    uint32_t peer_initial_tsn;
    uint32_t unsacked_packets; /* packets with DATA since the last SACK */
    uint32_t advertised_rwnd;  /* last a_rwnd sent, less the user data that came since */
    uint32_t setup_rtt_us;     /* a round trip while it was set up (tune.h) */
};

/* A packet that belongs to no association (any more) and waits to be sent. */
struct hws_reply {
    struct hws_list link;
    struct hws_addr src, dst;
    uint32_t len;
    uint8_t packet[];
};

/* Tags given up (timewait.c). */
struct hws_timewait {
    struct hws_waiting *ring; /* oldest first; NULL until there is one */
    uint32_t *buckets;
    uint32_t size, first, count; /* places, a power of two; the oldest one's; how many wait */
};

struct hws_cookie_keys {
    uint8_t key[2][HWS_MAC_KEY_LEN];
    uint8_t current;
    bool previous_valid;
    uint64_t made_us; /* when the current key was drawn */
};

struct hws_engine {
    struct hws_engine_config config;
    struct hws_registry registry;
    struct hws_observer observer;
    struct hws_pool pool;
    struct hws_stats stats;
    struct hws_budget budget;
    uint64_t now_us;         /* of the call in progress */
    const struct hws_rx *rx; /* the packet whose chunks are being handled, or NULL */
    struct hws_siphash_key hash_key;
    struct hws_cookie_keys cookie_keys;
    struct hws_idtab assocs, endpoints;
    struct hws_hashtab by_vtag; /* associations by our verification tag */
    struct hws_hashtab by_addr; /* paths by peer address and both ports */
    struct hws_hashtab by_port; /* endpoints */
    struct hws_heap timers;     /* associations by deadline */
    struct hws_list touched, ready_control, ready_data, events;
    struct hws_list dead;  /* associations to free when the call ends */
    struct hws_list views; /* lent bytes whose association is gone */
    struct hws_timewait time_wait;
    struct hws_list replies;
    struct hws_msg_list lent_done; /* lent messages whose bytes nobody needs any more */
    uint32_t reply_count;
    uint32_t host_addr_count;
    struct hws_addr host_addrs[HWS_LIMIT_HOST_ADDRESSES];
    uint64_t ootb_second; /* the rate limit's window, and what it has let through */
    uint32_t ootb_sent;
};

/** A call begins. A driver that handed out its time before another call came may be late with it.
 */
static inline void hws_engine_enter(struct hws_engine *e, uint64_t now_us)
{
    if (now_us > e->now_us)
        e->now_us = now_us;
}

#define HWS_EVENT_BIT(type) (1u << HWS_EVENT_##type)

/* What a chunk handler gets to know about the packet its chunk came in. */
struct hws_rx {
    const struct hws_packet_in *packet;
    struct hws_header header;
    struct hws_path *path; /* the packet's source, NULL when no association's */
    uint32_t chunk_index;
    bool counted;   /* this packet has been counted as one with DATA */
    bool sack_seen; /* this packet brought a SACK already */
    bool reflected; /* its tag is the peer's, so that its first chunk alone is for us (8.5.1) */
    bool repaired;  /* there is no packet: an extension hands in its chunk */
    struct hws_data_source source; /* when `counted` */
};

#endif
