/* Capture files that Wireshark opens (pcapng, draft-ietf-opsawg-pcapng). Packets begin with their
 * IP header. Those that come from inside the stack have none below SCTP: an IP header, and a UDP
 * one when encapsulated, is made for each. Over the protocols 253 and 254 Wireshark has to be told
 * what they carry, by tools/wireshark/hawser.lua, or by "-d ip.proto==253,sctp".
 *
 * Written here, since what is packaged does not fit: libpcap writes only the older pcap format,
 * which has no direction of a packet, and the writers of DPDK and Wireshark come with all of those.
 */
#ifndef HWS_API_PCAPNG_H
#define HWS_API_PCAPNG_H

#include "api/trace/capture.h"

struct hws_pcapng;

/** Makes the file, or empties it. 0 or a negative errno. */
int hws_pcapng_open(const char *path, struct hws_pcapng **out);

/** Adds a packet. 0 or a negative errno: -EMSGSIZE, it does not fit into an IP packet. */
int hws_pcapng_write(struct hws_pcapng *pcapng, const struct hws_capture_packet *packet);

/** Adds a packet with the headers it has. 0 or a negative errno. */
int hws_pcapng_write_ip(struct hws_pcapng *pcapng, const struct hws_capture_ip *ip);

/** Has what was added in the file. 0 or a negative errno. */
int hws_pcapng_flush(struct hws_pcapng *pcapng);

/** Closes the file. 0, or a negative errno when something could not be written. */
int hws_pcapng_close(struct hws_pcapng *pcapng);

#endif
