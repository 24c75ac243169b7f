/* Path MTU discovery of one path, the state machine alone (RFC 8899, 5): which size packets may
 * have, and which size to probe next. Sizes are IP packets in bytes. It neither sends nor keeps
 * time: pmtud.c does, and tells it what became of each probe.
 *
 * Packets never exceed a size that a probe has confirmed, but for BASE_PLPMTU, which nearly every
 * path carries. */
#ifndef HWS_STACK_PMTU_H
#define HWS_STACK_PMTU_H

#include <stdbool.h>
#include <stdint.h>

/* RFC 8899, 5.1.2. Every IPv6 link carries 1280 bytes. */
#define HWS_PMTU_BASE_IPV4 1200u
#define HWS_PMTU_BASE_IPV6 1280u
#define HWS_PMTU_MAX_PROBES 3u
/* RFC 8899, 5.1.1: never shorter than this; it is an RTO where that is longer. */
#define HWS_PMTU_PROBE_TIMER_US 1000000u
#define HWS_PMTU_RAISE_TIMER_US 600000000u

/* RFC 8899, 5.2 */
enum hws_pmtu_state {
    HWS_PMTU_DISABLED, /* nothing has been probed: no packet needed to be larger, or none passed */
    HWS_PMTU_BASE,     /* confirming BASE_PLPMTU */
    HWS_PMTU_SEARCHING,
    HWS_PMTU_SEARCH_COMPLETE,
    HWS_PMTU_ERROR, /* not even BASE_PLPMTU passes */
};

struct hws_pmtu {
    enum hws_pmtu_state state : 8;
    bool ipv6 : 1;
    bool suspected : 1;  /* full packets are lost: `probe` tells whether size is why */
    bool raise_due : 1;  /* something larger may have become possible: search when it is of use */
    bool used : 1;       /* full packets were sent since the search ended */
    bool given_up : 1;   /* not one probe was answered: none until the path has recovered */
    uint8_t probe_count; /* consecutive probes lost */
    uint16_t max;        /* MAX_PLPMTU: what the interface or route allows */
    uint16_t plpmtu;     /* what packets may have */
    uint16_t probe;      /* PROBED_SIZE: to be sent or in flight; 0: none */
    uint16_t hint;       /* PL_PTB_SIZE to try next, 0: none */
    uint32_t too_big;    /* the smallest size that failed in this search, or max + 1 */
};

void hws_pmtu_init(struct hws_pmtu *d, bool ipv6);

/** BASE_PLPMTU and MIN_PLPMTU (RFC 8899, 5.1.2), or MAX_PLPMTU where that is less. */
uint16_t hws_pmtu_base(const struct hws_pmtu *d);
uint16_t hws_pmtu_min(const struct hws_pmtu *d);

/** MAX_PLPMTU is known or changed: at most HWS_LIMIT_MTU_MAX. */
void hws_pmtu_set_max(struct hws_pmtu *d, uint32_t mtu);

/** Packets are as full as they may be: a larger size is of use. Begins a search when one is due. */
void hws_pmtu_wanted(struct hws_pmtu *d);

/** PMTU_RAISE_TIMER expired. */
void hws_pmtu_raise(struct hws_pmtu *d);

/** The path answers again. */
void hws_pmtu_recovered(struct hws_pmtu *d);

/** Whether PLPMTU is known to pass: this, or a size below it, was confirmed. */
bool hws_pmtu_confirmed(const struct hws_pmtu *d);

/** The probe was acknowledged. */
void hws_pmtu_probe_acked(struct hws_pmtu *d);

/** PROBE_TIMER expired. `alive`: something else has been acknowledged on the path since. True: a
 * black hole (4.3): what is in flight is lost. */
bool hws_pmtu_probe_lost(struct hws_pmtu *d, bool alive);

/** Data in full packets was not acknowledged in time: a black hole is possible (4.3). */
void hws_pmtu_suspect(struct hws_pmtu *d);

/** Data is lost again and again on a path that answered no probe: whether it answers one now. */
void hws_pmtu_ask(struct hws_pmtu *d);

/** A validated Packet Too Big message with this next-hop MTU (4.6.2). True: packets are smaller
 * now, and those that were larger are lost. */
bool hws_pmtu_too_big(struct hws_pmtu *d, uint32_t ptb_size);

/** This host refused the probe for its size. */
void hws_pmtu_probe_refused(struct hws_pmtu *d);

/** This host refused a packet of PLPMTU or less. True: packets are smaller now. */
bool hws_pmtu_refused(struct hws_pmtu *d);

/** The size packets would have after a black hole: what is not larger passes in any case. */
uint32_t hws_pmtu_fallback(const struct hws_pmtu *d);

/** The peer does not answer: nothing can be probed (5.2). */
void hws_pmtu_disable(struct hws_pmtu *d);

#endif
