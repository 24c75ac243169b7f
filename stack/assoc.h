/* Associations: making and ending them, finding them, their lists, and what to tell the
 * application. */
#ifndef HWS_STACK_ASSOC_H
#define HWS_STACK_ASSOC_H

#include "stack/core.h"

/* What both ways of making an association know. */
struct hws_assoc_seed {
    struct hws_endpoint *endpoint;
    uint16_t remote_port;
    uint32_t local_vtag, local_initial_tsn;
    const struct hws_addr *local; /* source of the first path, may be HWS_FAMILY_NONE */
    const struct hws_addr *remotes;
    size_t remote_count;
    bool passive;
};

/** A new association in CLOSED state with its paths, in all tables. NULL: no memory. */
struct hws_assoc *hws_assoc_new(const struct hws_assoc_seed *seed);

/** Adds a path to `remote`. NULL when there is one already, or too many, or no memory. */
struct hws_path *hws_assoc_add_path(struct hws_assoc *a, const struct hws_addr *local,
                                    const struct hws_addr *remote);

/** Adds a path to an address that the peer listed, unless none of ours could reach it or another
 * association has it: nobody gets an address by naming it (RFC 5062, address camping). */
void hws_assoc_add_listed(struct hws_assoc *a, const struct hws_addr *remote);

/** Whether an address that the peer lists is nothing new: one of its paths, given up or not, or one
 * that would not become a path. */
bool hws_assoc_knows(const struct hws_assoc *a, const struct hws_addr *remote);

/** Takes from an association an address that was never confirmed and whose owner has shown up. */
void hws_assoc_disown(struct hws_path *p);

/** Forgets everything about the transfer of data, both ways, but what can be read; the next TSN is
 * `initial_tsn`. */
void hws_assoc_reset_transfer(struct hws_assoc *a, uint32_t initial_tsn);

/** The peer's side is known (from INIT, INIT ACK or a cookie): tag, streams, window, first TSN. */
void hws_assoc_set_peer(struct hws_assoc *a, uint32_t vtag, uint32_t initial_tsn, uint32_t rwnd,
                        uint16_t peer_ostreams, uint16_t peer_max_instreams);

/** What the peer said of its adaptation layer (RFC 5061, 4.2.6). */
void hws_assoc_set_adaptation(struct hws_assoc *a, bool present, uint32_t indication);

/** Its state from now on. */
void hws_assoc_enter(struct hws_assoc *a, enum hws_assoc_state state);

/** ESTABLISHED: starts heartbeats; a shutdown asked for earlier goes on. */
void hws_assoc_establish(struct hws_assoc *a);
/** The same for the first time: tells the application. */
void hws_assoc_up(struct hws_assoc *a);

/** The association is over, for `reason` (an hws_error): everything stops, the application is told,
 * or, when it has forgotten the association, the memory is given back. */
void hws_assoc_down(struct hws_assoc *a, int reason, uint16_t cause);

/** Takes a released association out of all tables; it is freed when the engine's call ends. */
void hws_assoc_bury(struct hws_assoc *a);

/** Frees what was buried. */
void hws_assoc_reap(struct hws_engine *e);

/** Its cold part, made when there is none; NULL: no memory. */
struct hws_assoc_cold *hws_assoc_need_cold(struct hws_assoc *a);
/** Lets go of the peer's cookie. */
void hws_assoc_drop_cookie(struct hws_assoc *a);

/** Frees everything of an association at once. */
void hws_assoc_free(struct hws_assoc *a);

/** The association with our tag and those ports; NULL when there is none. */
struct hws_assoc *hws_assoc_by_vtag(const struct hws_engine *e, uint32_t vtag, uint16_t local_port,
                                    uint16_t remote_port);
/** The path of an association with the peer's address and those ports, at local address `local`. */
struct hws_path *hws_assoc_by_addr(const struct hws_engine *e, const struct hws_addr *remote,
                                   const struct hws_addr *local, uint16_t local_port,
                                   uint16_t remote_port);
/** The association's path to that address, NULL when it is not one of the peer's. */
struct hws_path *hws_assoc_path(const struct hws_assoc *a, const struct hws_addr *remote);

/** An unpredictable verification tag, not 0 and in use by no association. */
uint32_t hws_assoc_draw_vtag(struct hws_engine *e);
/** Changes our tag in the tables. */
void hws_assoc_set_vtag(struct hws_assoc *a, uint32_t vtag);

/** Where data goes: the primary path unless another one is fitter (confirmed, active, without
 * errors). */
struct hws_path *hws_assoc_data_path(const struct hws_assoc *a);

/** Whether the path is fit to carry data: confirmed, active, and without errors. */
bool hws_path_fit(const struct hws_path *p);

/** Whether another path is fit to carry data. */
bool hws_assoc_has_alternate(const struct hws_path *p);

/** Where a chunk last sent on path number `last` is sent again: there as long as it answers (fast
 * retransmission), else on one that has failed less often (6.4; RFC 7829, 3.2). */
struct hws_path *hws_assoc_retransmission_path(const struct hws_assoc *a, uint8_t last);

/** The confirmed path that follows path number `last` in turn; that one when there is no other. */
struct hws_path *hws_assoc_next_path(const struct hws_assoc *a, uint8_t last);

/** Where to answer what came on `p`: there, unless nothing but HEARTBEATs may go to an address not
 * confirmed (5.4). */
struct hws_path *hws_assoc_answer_path(struct hws_path *p);

/** Asks for a chunk on a path. A chunk that an association sends once moves there from others. */
void hws_want(struct hws_path *p, uint16_t want);
void hws_unwant(struct hws_assoc *a, uint16_t want);

/** Puts the association on the list of those with data to send. */
void hws_assoc_ready(struct hws_assoc *a);

/** Puts the association on the list of those that settle() looks at when the batch ends. */
void hws_assoc_touch(struct hws_assoc *a);

/** Notes an event for the application. `bit` is HWS_EVENT_BIT(...). */
void hws_assoc_tell(struct hws_assoc *a, uint32_t bit);
void hws_path_tell(struct hws_path *p, uint32_t bit);

/** States in which the application's data may be sent for the first time. */
bool hws_assoc_may_send(const struct hws_assoc *a);

/** WRITABLE, when it is owed and there is room. */
void hws_assoc_tell_writable(struct hws_assoc *a);

/** Whether it carries, or has carried, user data. */
static inline bool hws_assoc_has_queues(const struct hws_assoc *a)
{
    return a->queues != &hws_queues_empty;
}

/** Has it queues from now on; false: no memory. */
static inline bool hws_assoc_need_queues(struct hws_assoc *a)
{
    return hws_assoc_has_queues(a) || hws_queues_make(a);
}

/** The association is being set up: COOKIE-WAIT or COOKIE-ECHOED. */
static inline bool hws_assoc_setting_up(const struct hws_assoc *a)
{
    return a->state == HWS_STATE_COOKIE_WAIT || a->state == HWS_STATE_COOKIE_ECHOED;
}

/** The cumulative TSN ack point: our data up to there has arrived at the peer. */
static inline uint32_t hws_assoc_acked_tsn(const struct hws_assoc *a)
{
    return hws_assoc_has_queues(a) ? a->queues->outq.cum : a->local_initial_tsn - 1;
}

/** The TSN of the next new DATA chunk. */
static inline uint32_t hws_assoc_next_tsn(const struct hws_assoc *a)
{
    return hws_assoc_has_queues(a) ? a->queues->outq.next_tsn : a->local_initial_tsn;
}

/** The peer's data up to there has arrived: the cumulative TSN ack to tell it. */
static inline uint32_t hws_assoc_arrived_tsn(const struct hws_assoc *a)
{
    return hws_assoc_has_queues(a) ? a->queues->tsnmap.cum : a->peer_initial_tsn - 1;
}

/** User data queued or in flight. */
static inline uint32_t hws_assoc_unacked(const struct hws_assoc *a)
{
    return a->queues->sendq.unsent_bytes + a->queues->outq.unacked_bytes;
}

/** The same as memory: what counts against sndbuf_bytes. A message costs its header, too. */
static inline uint32_t hws_assoc_send_charge(const struct hws_assoc *a)
{
    uint32_t objects = a->queues->sendq.unsent_messages + hws_outq_count(&a->queues->outq);
    return hws_assoc_unacked(a) + objects * (uint32_t)sizeof(struct hws_msg) +
           a->queues->failures.charge;
}

/** What the peer takes beyond what is in flight (6.2.1 C, D). */
static inline uint32_t hws_assoc_peer_rwnd(const struct hws_assoc *a)
{
    uint32_t flight = a->queues->outq.flight_payload;
    return a->peer_a_rwnd > flight ? a->peer_a_rwnd - flight : 0;
}

/** The receive buffer: as configured, or what it has grown to (tune.h). */
static inline uint32_t hws_assoc_rcvbuf(const struct hws_assoc *a)
{
    uint32_t grown = a->queues->tune.rcvbuf_bytes;
    return grown > a->params->rcvbuf_bytes ? grown : a->params->rcvbuf_bytes;
}

/** Memory that received data may hold before DATA chunks are dropped. */
static inline uint32_t hws_assoc_memory_limit(const struct hws_assoc *a)
{
    return hws_assoc_rcvbuf(a) * HWS_LIMIT_RCVBUF_FACTOR;
}

/** The window to advertise. It counts user data, as the peer does, so that it never shrinks by more
 * than what came; only when the memory behind that data nears its limit is it less (small chunks).
 */
static inline uint32_t hws_assoc_rwnd(const struct hws_assoc *a)
{
    const struct hws_reassembly *r = &a->queues->reassembly;
    uint32_t limit = hws_assoc_memory_limit(a);
    uint32_t memory = limit > r->charged_bytes ? limit - r->charged_bytes : 0;
    uint32_t rcvbuf = hws_assoc_rcvbuf(a);
    uint32_t data = rcvbuf > r->payload_bytes ? rcvbuf - r->payload_bytes : 0;
    return data < memory ? data : memory;
}

/* ---- Paths (path.c) ---- */

struct hws_path *hws_path_new(struct hws_assoc *a, const struct hws_addr *local,
                              const struct hws_addr *remote);
void hws_path_free(struct hws_path *p);
/** Packets may have this size of IP from now on, at most HWS_LIMIT_MTU_MAX. */
void hws_path_set_mtu(struct hws_path *p, uint32_t mtu);
/** SCTP bytes of the largest packet within an IP packet of `mtu` bytes, whole words. */
uint16_t hws_path_packet_len(const struct hws_path *p, uint32_t mtu);
/** The peer's encapsulation port: a NAT may have given it another one (RFC 6951, 5.4). */
void hws_path_set_udp_port(struct hws_path *p, uint16_t port);
/** Packets leave by another source: congestion control begins anew (7.2.5). */
void hws_path_new_route(struct hws_path *p);
/** Congestion window and round trips as on the first day (restart, 5.2.4 A). */
void hws_path_restart(struct hws_path *p);
/** The peer answered there: error counters go to zero, the path is active (8.1 to 8.3). */
void hws_path_answered(struct hws_path *p);
/** Whether the address is confirmed for what set the association up (5.4, rules 1 and 2), which is
 * no news to the application. */
void hws_path_set_confirmed(struct hws_path *p, bool confirmed);
/** Proof that the peer owns the address (5.4). */
void hws_path_confirm(struct hws_path *p);
/** A round trip was measured there. */
void hws_path_round_trip(struct hws_path *p, uint64_t rtt_us);
/** A timer expired that runs for an RTO: the next runs longer (6.3.3 E2). */
void hws_path_back_off(struct hws_path *p);
/** It answers: the RTO that T1 backed off is as on the first day, unless it was measured. */
void hws_path_forget_back_off(struct hws_path *p);
/** The application changed its parameters, or the association's: those are kept when the path has
 * none of its own, else copied. */
void hws_path_configure(struct hws_path *p, const struct hws_path_params *params);

enum hws_path_fault {
    HWS_PATH_FAULT_TIMEOUT,   /* T3 or T2 expired: counts against the association, too (8.1) */
    HWS_PATH_FAULT_HEARTBEAT, /* no HEARTBEAT ACK: against it only where data goes */
};

/** No answer: counts against the path (8.2). False: the association is over (8.1). */
bool hws_path_error(struct hws_path *p, enum hws_path_fault fault);

/** Potentially Failed at once, whatever pf_max_retrans allows. */
void hws_path_suspect(struct hws_path *p);

/** More errors than pf_max_retrans (RFC 7829, 3.1). */
static inline bool hws_path_potentially_failed(const struct hws_path *p)
{
    return p->active && p->errors > p->params->pf_max_retrans;
}

/** Association Maximum DATA Chunk Size: what every path carries whole, so that a chunk can be sent
 * again on any (7.3). */
uint32_t hws_assoc_amdcs(const struct hws_assoc *a);

enum hws_path_state hws_path_state(const struct hws_path *p);

static inline uint32_t hws_path_flight(const struct hws_path *p)
{
    return p->assoc->queues->outq.flight_bytes[p->index];
}
/** Largest DATA chunk the path carries whole: PMDCS (7.2). */
static inline uint32_t hws_path_pmdcs(const struct hws_path *p)
{
    return p->max_packet - HWS_PACKET_HEADER_LEN;
}

/** A cwnd that no controller may answer, brought to where it may be. */
uint32_t hws_path_refuse_cwnd(const struct hws_path *p, uint32_t cwnd_bytes);

/** UINT32_MAX for a controller that has none. */
static inline uint32_t hws_path_ssthresh(const struct hws_path *p)
{
    return p->cc->ssthresh != NULL ? p->cc->ssthresh(p->cc_state) : UINT32_MAX;
}

/** The congestion window: what the controller answers, within bounds. */
static inline uint32_t hws_path_cwnd(const struct hws_path *p)
{
    uint32_t cwnd_bytes = p->cc->cwnd(p->cc_state);
    return cwnd_bytes - 1 < HWS_EXT_CWND_MAX ? cwnd_bytes : hws_path_refuse_cwnd(p, cwnd_bytes);
}

#endif
