/* What the kernel hands to a capture: packets that can be SCTP. */
#ifndef HWS_API_LIVE_FILTER_LINUX_H
#define HWS_API_LIVE_FILTER_LINUX_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#define HWS_LIVE_FILTER_MAX_PORTS 16u
/** Enough for that many ports, each looked for as source and destination in both families. */
#define HWS_LIVE_FILTER_MAX_INSNS 192u

struct hws_live_filter {
    struct sock_filter insns[HWS_LIVE_FILTER_MAX_INSNS];
    uint32_t count;
};

/** Packets of the protocols 132, 253 and 254, all fragments included. An IPv6 packet whose first
 * extension header is another than the fragment header passes whatever it carries. */
void hws_live_filter_sctp(struct hws_live_filter *filter);

/** UDP from or to one of the ports, at most HWS_LIVE_FILTER_MAX_PORTS; of a packet in fragments the
 * first one. */
void hws_live_filter_udp(struct hws_live_filter *filter, const uint16_t *ports, size_t count);

/** 0 or a negative errno. */
int hws_live_filter_attach(const struct hws_live_filter *filter, int fd);

#endif
