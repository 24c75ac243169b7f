/* A live capture: what can be SCTP of the packets that this host's interfaces carry, as IP packets.
 * One thread at a time. */
#ifndef HWS_API_LIVE_H
#define HWS_API_LIVE_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "api/trace/capture.h"

#define HWS_LIVE_ERROR_MAX 256

struct hws_live_config {
    const char *interface;     /* NULL: all */
    const uint16_t *udp_ports; /* of RFC 6951; 16 at most */
    size_t udp_port_count;
};

struct hws_live;

/** Begins to capture. 0, or a negative errno and in `error` what is wrong and what to do. */
int hws_live_open(const struct hws_live_config *config, struct hws_live **out,
                  char error[HWS_LIVE_ERROR_MAX]);

/** Waits for a packet, with `mask` as the thread's signal mask meanwhile, and while the interface
 * is down for some time at most. 0, or a negative errno: -EINTR, a signal was handled. */
int hws_live_wait(struct hws_live *live, const sigset_t *mask);

/** The next packet: 1, and its bytes stay there until the next call. 0: none has come. A negative
 * errno: -ENETDOWN, the interface went down, and is captured again when it is up; -ENODEV, it is
 * gone. */
int hws_live_next(struct hws_live *live, struct hws_capture_ip *ip);

/** Packets that the kernel had to drop so far, since they were not taken in time. */
uint64_t hws_live_dropped(struct hws_live *live);

void hws_live_close(struct hws_live *live);

#endif
