/* Extensions at work (extend.h): what both sides offered, their state, chunks, timers and events in
 * one association, and the edge at which what they ask for is checked. An engine without extensions
 * has nothing of it but a look at how many there are. */
#ifndef HWS_STACK_EXTENSION_H
#define HWS_STACK_EXTENSION_H

#include "stack/core.h"

/* One extension in one association. */
struct hws_ext_slot {
    struct hws_ext_assoc shown; /* what its functions are called with; written before each call */
    struct hws_assoc *assoc;
    const struct hws_extension *ext;
    void *state;            /* NULL while it is not on */
    struct hws_list blocks; /* memory that it asked for (struct hws_ext_block) */
    uint64_t deadline_us;
    uint8_t wants[HWS_LIMIT_PATHS]; /* bit per chunk type that is to be filled in */
    uint32_t block_bytes;           /* of `blocks`, headers counted */
    uint8_t fills_left;             /* until something happens: a filler may ask for the next one */
    struct hws_ext_filling *filling; /* the chunk being filled in, or NULL */
    uint8_t call;                    /* which of its functions is running, enum hws_ext_call */
    bool on;
};

struct hws_ext_filling;

struct hws_ext_event {
    struct hws_ext_event *next;
    const struct hws_extension *ext;
    uint32_t code, len;
    uint8_t data[];
};

/* What an association has behind its own members when its engine has extensions. */
struct hws_ext_part {
    struct hws_ext_event *events, *last; /* in the order told */
    uint8_t event_count;
    bool first_told; /* the application may still look at the first one's data */
    bool repairing;
    struct hws_ext_offers offers; /* what both sides offered */
    struct hws_ext_slot slots[];  /* in the registry's order, without what is built in */
};

/** Whether its engine has any: what is done for every packet asks this first. */
static inline bool hws_extensions_any(const struct hws_assoc *a)
{
    return a->engine->registry.count > 1;
}

/** Bytes behind an association. */
static inline size_t hws_extensions_bytes(const struct hws_engine *e)
{
    uint32_t count = e->registry.count - 1;
    return count == 0 ? 0 : sizeof(struct hws_ext_part) + count * sizeof(struct hws_ext_slot);
}

/** A new association: nothing was agreed. */
void hws_extensions_init(struct hws_assoc *a);

/** INIT ACK or a cookie says what both sides offered. */
void hws_extensions_agree(struct hws_assoc *a, const struct hws_ext_offers *offers);

/** ESTABLISHED, or begun anew: turns on what was agreed. False: no memory. */
bool hws_extensions_begin(struct hws_assoc *a);

/** The association is over. */
void hws_extensions_end(struct hws_assoc *a);

/** Gives back what is left of it. */
void hws_extensions_free(struct hws_assoc *a);

/** Within an open INIT: every extension's parameter; within INIT ACK: those of `offers`. */
void hws_extensions_put_offers(struct hws_builder *b, const struct hws_registry *r,
                               const struct hws_ext_offers *offers);

/** A chunk of no type of ours. False: nor of an extension that is on here. */
bool hws_extensions_chunk_in(struct hws_assoc *a, struct hws_rx *rx, const struct hws_tlv *chunk);

/** Adds the chunks asked for that stand there. `first`: the packet may be as large as the path
 * allows, so that what does not fit into it alone never will. */
void hws_extensions_fill(struct hws_path *p, struct hws_builder *b, enum hws_ext_place place,
                         bool first);

/** A DATA chunk was added to a packet, or was taken. */
void hws_extensions_data_sent(struct hws_path *p, const uint8_t *chunk, uint32_t tsn, uint32_t len,
                              bool again);
void hws_extensions_data_received(struct hws_assoc *a, const struct hws_rx *rx,
                                  const struct hws_tlv *chunk, uint32_t tsn);

/** The earliest of its timers, and what to do when it is due. */
uint64_t hws_extensions_deadline(const struct hws_assoc *a);
void hws_extensions_expire(struct hws_assoc *a);

/** The next event, which is taken; another one may follow (EXTENSION is told again). */
void hws_extensions_describe_event(struct hws_assoc *a, struct hws_event *out);

/** Tells queues that are new, or whose extensions were turned on, what extensions say about how
 * DATA is sent. */
void hws_extensions_tune(struct hws_assoc *a);

#endif
