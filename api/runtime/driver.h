/* Drives one engine over one link, without an event loop: whoever owns the loop says when a
 * descriptor is ready or time has passed, and asks when to come again. The order is the engine's:
 *
 *     input* / net_event* / expire  ->  event*  ->  output*  ->  deadline */
#ifndef HWS_API_DRIVER_H
#define HWS_API_DRIVER_H

#include "api/link/link.h"
#include "stack/engine.h"

/** One packet that crossed the link, for traces and captures. */
struct hws_driver_packet {
    bool outbound;
    uint64_t now_us;                  /* the engine's time */
    const struct hws_addr *src, *dst; /* src may be HWS_FAMILY_NONE when outbound: no route */
    const uint8_t *data;              /* from the SCTP header on */
    uint32_t len;
};

typedef void (*hws_driver_trace)(void *arg, const struct hws_driver_packet *packet);
/** `icmp` tells of a HWS_NET_UNREACHABLE which one it is. */
typedef void (*hws_driver_net_trace)(void *arg, const struct hws_net_event *event,
                                     const struct hws_icmp *icmp);

struct hws_driver_host {
    void *arg;
    /** Takes one event (HWS_EVENT_PATH_NEW has been answered already). */
    void (*event)(void *arg, const struct hws_event *event, uint64_t now_us);
    /** Runs the application's callbacks after a batch of events; true when there was one, since
     * then there may be further events. */
    bool (*dispatch)(void *arg);
};

struct hws_driver {
    struct hws_engine *engine;
    struct hws_link *link;
    struct hws_driver_host host;
    hws_driver_trace trace; /* NULL: none */
    void *trace_arg;
    hws_driver_net_trace net_trace; /* shown what the network said; NULL: none */
    void *net_trace_arg;
    uint32_t blocked_fds; /* bit i: the link takes no more until its fds[i] is writable */
};

/** Packets of one receive batch: fewer received means that there are no more. */
#define HWS_DRIVER_BATCH 64u

/** Receives one batch and hands it to the engine, together with what else the network said.
 * Returns the number of packets; 0: nothing is waiting. hws_driver_run follows. */
size_t hws_driver_input(struct hws_driver *driver, uint64_t now_us);

/** Expires timers, hands out events and sends what is due. True: there is more to do at once. */
bool hws_driver_run(struct hws_driver *driver, uint64_t now_us);

/** Looks up the route to the peer address `remote` and tells the engine the MTU and the source
 * address of the interface that leads there. `assoc` 0: every association's with that address. */
void hws_driver_tell_route(struct hws_driver *driver, hws_assoc_id assoc,
                           const struct hws_addr *remote, uint64_t now_us);

#endif
