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

/** The type of a notification beside those of RFC 6458: an extension tells something of its own
 * (hws_ext_tell of <hawser/extend.h>). SCTP_EVENT with this type asks for it. */
#define HWS_EXTENSION_EVENT 0x801f

/** That notification. It begins as all do (RFC 6458, 6.1); what the extension says about it follows
 * this structure: hee_length less its size, in bytes. */
struct hws_extension_event {
    uint16_t hee_type;                  /**< HWS_EXTENSION_EVENT */
    uint16_t hee_flags;                 /**< 0 */
    uint32_t hee_length;                /**< of all of it, what follows included */
    sctp_assoc_t hee_assoc_id;          /**< the association */
    uint32_t hee_code;                  /**< what happened: the extension's own number */
    char hee_name[HWS_OPTION_NAME_MAX]; /**< which extension: text, ends with a NUL */
};

#endif
