/* Where the IP packet begins in what was captured on a link of some type. */
#ifndef HWS_API_LINKTYPE_H
#define HWS_API_LINKTYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "api/trace/capture.h"

/** Numbers of the registry of link types (draft-ietf-opsawg-pcaplinktype). */
#define HWS_LINKTYPE_NULL 0u
#define HWS_LINKTYPE_ETHERNET 1u
#define HWS_LINKTYPE_RAW 101u
#define HWS_LINKTYPE_LOOP 108u
#define HWS_LINKTYPE_LINUX_SLL 113u
#define HWS_LINKTYPE_IPV4 228u
#define HWS_LINKTYPE_IPV6 229u
#define HWS_LINKTYPE_LINUX_SLL2 276u

/** Whether this is one of those above. */
bool hws_linktype_known(uint16_t linktype);

/** Takes the link's header off `ip`, and learns from it which way the packet went when `ip` does
 * not say. False when it is no IP packet. */
bool hws_linktype_strip(uint16_t linktype, struct hws_capture_ip *ip);

#endif
