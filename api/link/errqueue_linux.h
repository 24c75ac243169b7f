/* A socket's error queue (IP_RECVERR): ICMP messages about packets of ours, and what the host
 * itself had against one. */
#ifndef HWS_API_ERRQUEUE_LINUX_H
#define HWS_API_ERRQUEUE_LINUX_H

#include <stdbool.h>
#include <stdint.h>

#include "api/link/link.h"

/* The most that an ICMP message quotes of a packet: an ICMPv6 message has at most 1280 bytes. */
#define HWS_ERRQUEUE_QUOTE_MAX 1280u

/** Takes the next message that concerns SCTP (RFC 9260, section 10) from `fd`, an IP or, with
 * `udp`, UDP socket; the bytes it quotes go to `quote`, what it is to `icmp`. False when there is
 * none left. */
bool hws_errqueue_read(int fd, bool udp, uint8_t quote[HWS_ERRQUEUE_QUOTE_MAX],
                       struct hws_net_event *event, struct hws_icmp *icmp);

#endif
