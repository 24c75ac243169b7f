/* One direction of a link: packets wait in a queue for a transmitter of some rate, then travel.
 * What happens is worked out when somebody asks, not event by event: a link that is asked for its
 * next arrival has transmitted everything that was due. */
#ifndef HWS_SIM_LINK_H
#define HWS_SIM_LINK_H

#include <stddef.h>

#include "sim/clock.h"
#include "sim/codel.h"
#include "sim/histogram.h"
#include "sim/packet.h"
#include "sim/rng.h"
#include "sim/scenario.h"

/* Why a packet did not arrive. */
enum sim_drop {
    SIM_DROP_QUEUE,  /* no room */
    SIM_DROP_AQM,    /* CoDel */
    SIM_DROP_LOSS,   /* the loss model */
    SIM_DROP_OUTAGE, /* the link was down */
    SIM_DROP_MTU,    /* too large */
    SIM_DROPS,
};

struct sim_link {
    struct sim_source source; /* fires when the first packet arrives */
    const struct sim_link_config *config;
    const char *name;
    uint32_t way;
    struct sim_ring queue; /* waits for the transmitter */
    struct sim_ring wire;  /* is on its way */
    uint64_t queue_bytes;
    uint64_t free_ns; /* the transmitter has nothing to do from then on */
    uint64_t last_arrival_ns;
    struct sim_rng rng;
    bool bad; /* Gilbert-Elliott: the bad state */
    uint32_t next_outage;
    struct sim_codel codel;
    /** Told of every packet that does not arrive; may be NULL. */
    void (*dropped)(void *ctx, struct sim_link *link, const struct sim_packet *packet,
                    enum sim_drop why, uint64_t now_ns);
    void *ctx;
    uint64_t packets, bytes, marks, drops[SIM_DROPS];
    uint64_t busy_ns;             /* the transmitter is, up to free_ns */
    struct sim_histogram wait_us; /* in the queue */
    uint64_t queue_max_bytes;
};

void sim_link_init(struct sim_link *link, const struct sim_link_config *config, const char *name,
                   uint32_t way, uint64_t seed);
void sim_link_fini(struct sim_link *link);

/** Sends a packet, whose reference the link takes over. */
void sim_link_send(struct sim_link *link, const struct sim_packet *packet, uint64_t now_ns);

/** When the link has to be asked again: the next arrival, or earlier; UINT64_MAX: nothing there. */
uint64_t sim_link_next(const struct sim_link *link);

/** The next packet that has arrived by now, with its reference. */
bool sim_link_take(struct sim_link *link, struct sim_packet *packet, uint64_t now_ns);

/** Transmits what had its turn by now: the counts are those of now. */
void sim_link_catch_up(struct sim_link *link, uint64_t now_ns);

/** Begins the counts anew. */
void sim_link_count_anew(struct sim_link *link, uint64_t now_ns);

/** How long the transmitter was busy, without what it has still to do for the packet it is at. */
uint64_t sim_link_busy_ns(const struct sim_link *link, uint64_t now_ns);

#endif
