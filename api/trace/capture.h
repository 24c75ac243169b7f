/* One packet that crossed a link, as traces and capture files take it. */
#ifndef HWS_API_CAPTURE_H
#define HWS_API_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/addr.h"

struct hws_capture_packet {
    bool outbound;
    uint64_t unix_us;           /* time since 1970 */
    const struct hws_addr *src; /* with its UDP port when encapsulated; may be HWS_FAMILY_NONE when
                                   outbound: the network chooses it */
    const struct hws_addr *dst; /* likewise */
    uint8_t protocol;           /* IP protocol of SCTP, when it is not encapsulated in UDP */
    const uint8_t *data;        /* from the SCTP header on */
    uint32_t len;
};

#endif
