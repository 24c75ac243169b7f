/** @file
 * Socket options of hawser's own, beside those of RFC 6458 (docs/OPTIONS.md lists them all). They
 * are of level IPPROTO_SCTP. */
#ifndef HAWSER_OPTIONS_H
#define HAWSER_OPTIONS_H

#include <stdint.h>
#include <sys/socket.h>

#include <linux/sctp.h>

/** int, 0 or 1: connecting only asks whether somebody listens. The peer's INIT ACK ends it, without
 * an error; nothing more is sent, so neither side has an association. */
#define HWS_PROBE 10001

/** The name of the congestion controller of associations to come: text, at most
 * HWS_OPTION_NAME_MAX bytes, its end is where the value ends or a NUL is. ENOENT: there is none. */
#define HWS_CC 10002

/** The same for the stream scheduler. */
#define HWS_SCHED 10003

/** The same for the path selection. */
#define HWS_PATHSEL 10004

/** int, 0 or 1: a message ends only where a send says so by MSG_EOR (RFC 6458, 8.1.26). The Linux
 * kernel has no such option; SCTP_EXPLICIT_EOR is this one where its header has none. */
#define HWS_EXPLICIT_EOR 10005

#ifndef SCTP_EXPLICIT_EOR
#define SCTP_EXPLICIT_EOR HWS_EXPLICIT_EOR /**< RFC 6458's name for it */
#endif

/** Bytes of a name, its NUL included. */
#define HWS_OPTION_NAME_MAX 16

/** The names that HWS_CC takes, those of the runtime's extensions among them: text, blanks between
 * names, the default first, a NUL at its end. Read only; EINVAL: the value is too short for it. */
#define HWS_CC_NAMES 10006

/** The same for HWS_SCHED. */
#define HWS_SCHED_NAMES 10007

/** The same for HWS_PATHSEL. */
#define HWS_PATHSEL_NAMES 10008

#endif
