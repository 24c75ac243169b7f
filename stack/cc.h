/* Congestion control: the interface, and the controllers that are built in. A controller is a const
 * table of functions over a state that the path embeds; it sees these arguments and nothing else of
 * the association. Integers only. All sizes are in bytes of DATA chunks (headers and padding
 * counted, 7.2.2), times in microseconds. */
#ifndef HWS_STACK_CC_H
#define HWS_STACK_CC_H

#include <stdbool.h>
#include <stdint.h>

struct hws_cc_config {
    uint32_t pmdcs_bytes;     /* Path Maximum DATA Chunk Size (7.2) */
    bool ipv6;                /* the peer's address: the initial cwnd differs (7.2.1) */
    uint32_t slow_start_l;    /* limit L of 7.2.1, 1 or more */
    uint32_t max_burst_bytes; /* the sender keeps this limit (6.1 D); here to know it */
};

struct hws_cc_ack {
    uint64_t now_us;
    uint32_t acked_bytes;         /* newly acknowledged on this path, gap blocks included */
    uint32_t flight_before_bytes; /* outstanding on this path before the SACK */
    uint32_t flight_bytes;        /* and after */
    bool cum_advanced;            /* the cumulative TSN ack moved */
    bool in_recovery;             /* the association is in Fast Recovery (7.2.4) */
    bool cwnd_limited;            /* before the SACK, cwnd was what kept us from sending more */
    bool all_acked;               /* nothing is outstanding any more */
    uint32_t srtt_us;             /* 0: not measured */
};

struct hws_cc_ops {
    const char *name;
    uint32_t state_size; /* bytes, at most HWS_LIMIT_CC_STATE_BYTES */
    /** Starts, or starts anew (7.2.5). `state` is zeroed. */
    void (*init)(void *state, const struct hws_cc_config *config);
    /** PMDCS changed. */
    void (*mtu)(void *state, uint32_t pmdcs_bytes);
    /** A SACK acknowledged something on this path. Called before `loss` (7.2.4, last note). */
    void (*ack)(void *state, const struct hws_cc_ack *ack);
    /** Loss seen by missing reports, once per Fast Recovery (7.2.3). */
    void (*loss)(void *state, uint64_t now_us, uint32_t flight_bytes);
    /** T3-rtx expired (7.2.3). */
    void (*timeout)(void *state, uint64_t now_us, uint32_t flight_bytes);
    /** Data is about to be sent after `idle_us` without any, with nothing in flight (7.2.1: decay
     * once per RTO). */
    void (*idle)(void *state, uint64_t idle_us, uint32_t rto_us);
    /** A packet with `bytes` of DATA chunks was sent. */
    void (*sent)(void *state, uint64_t now_us, uint32_t bytes, uint32_t flight_bytes);
    /** What may be outstanding now. */
    uint32_t (*cwnd)(const void *state);
    uint32_t (*ssthresh)(const void *state);
    /** Bytes per second to pace to, 0: no pacing. */
    uint64_t (*pacing)(const void *state);
};

/** RFC 9260, section 7, as written; the default. */
extern const struct hws_cc_ops hws_cc_rfc9260;

#endif
