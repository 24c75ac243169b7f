/* CoDel, controlled delay (RFC 8289): whether the packet at the head of a queue is to be dropped
 * when its turn has come. */
#ifndef HWS_SIM_CODEL_H
#define HWS_SIM_CODEL_H

#include <stdbool.h>
#include <stdint.h>

struct sim_codel {
    uint64_t target_ns, interval_ns; /* 5 ms and 100 ms in the RFC (4.3, 4.4) */
    uint64_t first_above_ns;         /* 0: the delay is below target */
    uint64_t drop_next_ns;
    uint32_t count, last_count;
    bool dropping;
    bool entering; /* the turn's first packet began dropping: the next one goes in any case */
};

/** Asked once for the packet that begins a turn of the transmitter: whether it is to be dropped (or
 * marked) instead. After a drop the next packet is asked for with `again`, until one may go.
 * `sojourn_ns`: how long it waited; `backlog_bytes`: what stays behind it. */
bool sim_codel_drops(struct sim_codel *codel, uint64_t now_ns, uint64_t sojourn_ns,
                     uint64_t backlog_bytes, uint64_t mtu, bool again);

/** It was marked (RFC 3168) instead of dropped, and goes. */
void sim_codel_marked(struct sim_codel *codel);

#endif
