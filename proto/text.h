/* Any chunk as one readable line: the form logs, tests and traces use. */
#ifndef HWS_PROTO_TEXT_H
#define HWS_PROTO_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "proto/tlv.h"

/** Enough for any line hws_text_chunk writes without cutting, but for very long gap or cause lists,
 * which end in "...". */
#define HWS_TEXT_MAX 1024

/** Writes the chunk as one line without newline, always NUL-terminated within `cap` bytes; a chunk
 * whose contents are malformed says so. Returns the length written. Examples:
 *   DATA tsn=17 sid=3 ssn=9 ppid=0 len=1452 BE
 *   SACK cum=16 rwnd=65536 gaps=[2-3,5-5] dups=[15]
 *   INIT tag=0x1234abcd rwnd=131072 os=10 mis=2048 tsn=1 params=[IPv4 192.0.2.1, ECN-Capable]
 *   ABORT T causes=[User-Initiated-Abort len=4] */
size_t hws_text_chunk(char *out, size_t cap, const struct hws_tlv *chunk);

/** Writes the whole packet as one line: "1000>2000 vtag=0x00000000: CHUNK; CHUNK". */
size_t hws_text_packet(char *out, size_t cap, const uint8_t *packet, uint32_t len);

/* Names beside those of the RFCs; each function answers NULL for what it does not know. */
struct hws_text_names {
    const void *arg;
    const char *(*chunk)(const void *arg, uint8_t type);
    const char *(*param)(const void *arg, uint16_t type);
    const char *(*cause)(const void *arg, uint16_t code);
    /* What a chunk says, written as snprintf does; negative: nothing is known of it. */
    int (*contents)(const void *arg, const struct hws_tlv *chunk, char *out, size_t cap);
};

/** The same with further names; `names` may be NULL. */
size_t hws_text_packet_named(char *out, size_t cap, const uint8_t *packet, uint32_t len,
                             const struct hws_text_names *names);

#endif
