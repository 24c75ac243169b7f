/** @file
 * Who wants to see what an engine does from within: traces. The engine tells of each change when it
 * has happened, between the packets that its driver sees go in and out.
 *
 * An observer only looks: it may call nothing of the engine, what it is shown is valid until it
 * returns, and the engine does the same without one. */
#ifndef HWS_STACK_OBSERVER_H
#define HWS_STACK_OBSERVER_H

#include "stack/engine.h"

/** What an observation is about. */
enum hws_observed {
    HWS_OBSERVED_ASSOC_STATE,   /**< an association has another state, or other tags (5.2.4 A) */
    HWS_OBSERVED_PATH_STATE,    /**< a path is new or has another state */
    HWS_OBSERVED_METRICS,       /**< congestion control or round trips of a path may have changed */
    HWS_OBSERVED_LOST,          /**< a DATA chunk in flight is taken for lost: to be sent again */
    HWS_OBSERVED_RETRANSMITTED, /**< it was sent again */
    HWS_OBSERVED_STREAM_QUEUE,  /**< messages that wait in an outbound stream came or went */
    HWS_OBSERVED_DROPPED,       /**< something received, or an answer to it, is given up */
};

/** Why a DATA chunk is taken for lost. */
enum hws_lost_reason {
    HWS_LOST_MISSING_REPORTS, /**< reported missing three times (7.2.4) */
    HWS_LOST_T3,              /**< T3-rtx expired (6.3.3) */
    HWS_LOST_TAIL_PROBE,      /**< sent again as a tail loss probe (RFC 8985, 7) */
    HWS_LOST_WINDOW_OPENED, /**< a zero-window probe was dropped, and the window is open (6.1 A) */
    HWS_LOST_PATH_CUT,      /**< the network says that packets do not get there */
    HWS_LOST_TOO_LARGE,     /**< packets of its size do not pass any more (RFC 8899) */
};

/** The reason's name: "missing_reports", ... */
const char *hws_lost_reason_name(enum hws_lost_reason reason);

/** Of HWS_OBSERVED_ASSOC_STATE. */
struct hws_observed_assoc_state {
    enum hws_assoc_state before, now;
    int reason;     /**< CLOSED: an hws_error, HWS_E_EOF after a graceful end; else 0 */
    uint16_t cause; /**< CLOSED by ABORT: its first cause code, or 0 */
    uint16_t instreams, ostreams;
};

/** Of HWS_OBSERVED_PATH_STATE. */
struct hws_observed_path_state {
    bool is_new;
    enum hws_path_state before, now; /**< `before` is not used when it is new */
};

/** Of HWS_OBSERVED_METRICS. */
struct hws_observed_metrics {
    uint32_t cwnd_bytes, ssthresh_bytes; /**< ssthresh: UINT32_MAX before the first loss */
    uint32_t flight_bytes;               /**< DATA chunks with their headers, as cwnd counts */
    uint32_t srtt_us, rttvar_us;         /**< 0: not measured */
    uint32_t rto_us;
    uint32_t peer_rwnd_bytes; /**< what the peer takes beyond what is in flight to it */
    uint32_t mtu;             /**< of IP */
};

/** Of HWS_OBSERVED_LOST and HWS_OBSERVED_RETRANSMITTED. */
struct hws_observed_chunk {
    uint32_t tsn;
    uint16_t sid;
    uint16_t len;                /**< user data */
    enum hws_lost_reason reason; /**< LOST */
};

/** Of HWS_OBSERVED_STREAM_QUEUE. */
struct hws_observed_stream_queue {
    uint16_t sid;
    uint64_t queued_bytes; /**< user data not sent for the first time */
};

/** Of HWS_OBSERVED_DROPPED. */
struct hws_observed_drop {
    const char *reason;                 /**< the name of what counts it in struct hws_stats */
    const struct hws_packet_in *packet; /**< NULL: it was no part of one received */
};

/** Something that happened. */
struct hws_observation {
    enum hws_observed kind;
    uint64_t now_us; /**< never less than in an earlier one */
    /** The association, all 0 when there is none (DROPPED). The id is 0 once it was released. */
    hws_assoc_id assoc;
    uint32_t local_vtag, remote_vtag; /**< remote: 0 while not known */
    uint16_t local_port, remote_port;
    /** Of PATH_STATE, METRICS, LOST (where it was sent), RETRANSMITTED (where it is sent now). */
    uint32_t path;
    const struct hws_addr *local, *remote; /**< of the path; NULL when it is about none */
    /** What `kind` says. */
    union {
        struct hws_observed_assoc_state assoc_state;
        struct hws_observed_path_state path_state;
        struct hws_observed_metrics metrics;
        struct hws_observed_chunk chunk;
        struct hws_observed_stream_queue stream_queue;
        struct hws_observed_drop drop;
    } u;
};

/** Who is told. */
struct hws_observer {
    void *ctx;
    void (*tell)(void *ctx, const struct hws_observation *observation); /**< NULL: nobody is */
};

/** Has the observer told of everything from now on; it is copied. NULL: nobody is told any more. */
void hws_engine_set_observer(struct hws_engine *engine, const struct hws_observer *observer);

#endif
