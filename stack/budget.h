/* What waits for the engine lies in a buffer that all its associations share: the receive buffer of
 * the link's socket. It is full when the memory behind the packets has reached its size, whatever
 * they carry, and then packets are lost. So the windows of the associations that receive now share
 * it: each advertises what its share holds of data in packets like its last ones. */
#ifndef HWS_STACK_BUDGET_H
#define HWS_STACK_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct hws_assoc;
struct hws_engine;

/* Of an engine. */
struct hws_budget {
    uint64_t bytes;  /* of memory, 0: without limit */
    uint32_t period; /* number of the present one; 0: none began */
    uint32_t active,
        active_before; /* associations that received DATA in this period and the last */
};

/* Of an association. */
struct hws_budget_share {
    uint32_t period;        /* of the last packet with DATA */
    uint32_t packet_bytes;  /* memory of its last packets with DATA */
    uint32_t payload_bytes; /* and the user data in them */
};

/** A packet of `len` SCTP bytes with DATA came. */
void hws_budget_packet(struct hws_assoc *a, uint32_t len);

/** And so much user data in it. */
void hws_budget_payload(struct hws_assoc *a, uint32_t len);

/** The window that the association's share allows: two full packets at least, so that everybody
 * gets on; UINT32_MAX without limit. */
uint32_t hws_budget_window(const struct hws_assoc *a);

/** The window to advertise where `rwnd` is what the receive buffer allows: no more than the share,
 * but what is advertised already is not taken back for that. */
uint32_t hws_budget_limit(const struct hws_assoc *a, uint32_t rwnd);

/** The same for an association that is about to begin: what a peer may send at first. */
uint32_t hws_budget_first(const struct hws_engine *e, uint32_t rwnd);

#endif
