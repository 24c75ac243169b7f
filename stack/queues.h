/* What an association needs once it carries user data. Most of the many that a server has are idle,
 * so it is made when the first message is sent or the first DATA chunk comes. Until then they share
 * a constant one that is empty: whoever only looks need not ask. */
#ifndef HWS_STACK_QUEUES_H
#define HWS_STACK_QUEUES_H

#include "stack/budget.h"
#include "stack/list.h"
#include "stack/outq.h"
#include "stack/reassembly.h"
#include "stack/sendq.h"
#include "stack/tsnmap.h"
#include "stack/tune.h"

struct hws_assoc;
struct hws_pathsel;

/* Messages that will not arrive, kept for the application (failed.c). */
struct hws_failures {
    struct hws_msg_list list; /* in the order sent */
    struct hws_msg *shown;    /* the one that the application was given last, or NULL */
    struct hws_iovec bytes;   /* of that one, when they were copied */
    uint32_t charge;          /* what they count against sndbuf_bytes */
};

struct hws_data_counts {
    uint64_t retransmits;
    uint64_t data_out_ordered, data_out_unordered;
    uint64_t data_in_ordered, data_in_unordered;
    uint64_t duplicates_in;
    uint64_t out_of_sequence_in;
    uint64_t gap_blocks_in;
};

struct hws_queues {
    struct hws_sendq sendq;
    struct hws_outq outq;
    uint32_t recovery_tsn; /* Fast Recovery ends when this is acknowledged */
    struct hws_tsnmap tsnmap;
    struct hws_budget_share share;
    uint64_t last_data_in_us; /* DATA came last */
    struct hws_reassembly reassembly;
    struct hws_list views; /* received bytes that the application has been lent */
    struct hws_failures failures;
    struct hws_data_counts counts;
    struct hws_tune tune;
    struct hws_pathsel *pathsel;       /* NULL: the default */
    uint16_t aborted_sid, aborted_ssn; /* of PARTIAL_ABORTED */
    uint16_t reserve_bytes;            /* of a packet that DATA leaves to extensions */
};

/** Empty; never written. */
extern const struct hws_queues hws_queues_empty;

/** An association that has none yet. */
void hws_queues_init(struct hws_assoc *a);

/** Makes them. False: no memory. */
bool hws_queues_make(struct hws_assoc *a);

/** Gives back what only transfer in progress needs: the association is idle. What has to outlive a
 * pause, such as the streams' sequence numbers, stays. */
void hws_queues_trim(struct hws_assoc *a);

/** Gives them back, with what can still be read. */
void hws_queues_free(struct hws_assoc *a);

#endif
