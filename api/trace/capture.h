/* Packets as traces and capture files take them: SCTP's own, that crossed a link of ours, and those
 * of IP, that an interface carried. */
#ifndef HWS_API_CAPTURE_H
#define HWS_API_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/addr.h"
#include "proto/text.h"

/** Which way an interface carried a packet. */
enum hws_capture_way {
    HWS_CAPTURE_WAY_UNKNOWN = 0,
    HWS_CAPTURE_IN = 1,
    HWS_CAPTURE_OUT = 2,
};

struct hws_capture_packet {
    enum hws_capture_way way;
    uint64_t unix_us;           /* time since 1970 */
    const struct hws_addr *src; /* with its UDP port when encapsulated; may be HWS_FAMILY_NONE when
                                   outbound: the network chooses it */
    const struct hws_addr *dst; /* likewise */
    uint8_t protocol;           /* IP protocol of SCTP, when it is not encapsulated in UDP */
    const char *profile;        /* its name, or NULL */
    const struct hws_text_names *names; /* of extensions, or NULL */
    const uint8_t *data;                /* from the SCTP header on */
    uint32_t len;
};

struct hws_capture_ip {
    enum hws_capture_way way;
    uint64_t unix_us;
    const uint8_t *data;  /* from the IP header on */
    uint32_t len;         /* bytes of the packet that were captured */
    uint32_t wire_len;    /* that it had */
    uint32_t segment_len; /* not 0: a UDP packet that the kernel has still to cut into several, each
                             with so many bytes of this one's payload, the last one with the rest */
    bool unfinished_checksum; /* the interface computes it, after the packet was captured */
};

#endif
