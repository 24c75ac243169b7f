/* Error causes (RFC 9260, 3.3.10), carried by ERROR and ABORT chunks. */
#ifndef HWS_PROTO_CAUSE_H
#define HWS_PROTO_CAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/addr.h"
#include "proto/packet.h"

/* One row per cause: symbol, number, name in text, shortest length field. */
#define HWS_CAUSE_CODES(X)                                                                         \
    X(INVALID_STREAM, 1, "Invalid-Stream-Identifier", 8)                                           \
    X(MISSING_PARAM, 2, "Missing-Mandatory-Parameter", 8)                                          \
    X(STALE_COOKIE, 3, "Stale-Cookie", 8)                                                          \
    X(OUT_OF_RESOURCE, 4, "Out-of-Resource", 4)                                                    \
    X(UNRESOLVABLE_ADDRESS, 5, "Unresolvable-Address", 4)                                          \
    X(UNRECOGNIZED_CHUNK, 6, "Unrecognized-Chunk-Type", 4)                                         \
    X(INVALID_PARAM, 7, "Invalid-Mandatory-Parameter", 4)                                          \
    X(UNRECOGNIZED_PARAMS, 8, "Unrecognized-Parameters", 4)                                        \
    X(NO_USER_DATA, 9, "No-User-Data", 8)                                                          \
    X(COOKIE_IN_SHUTDOWN, 10, "Cookie-Received-While-Shutting-Down", 4)                            \
    X(RESTART_NEW_ADDRESSES, 11, "Restart-with-New-Addresses", 4)                                  \
    X(USER_ABORT, 12, "User-Initiated-Abort", 4)                                                   \
    X(PROTOCOL_VIOLATION, 13, "Protocol-Violation", 4)

enum hws_cause_code {
#define X(symbol, number, name, min_len) HWS_CAUSE_##symbol = number,
    HWS_CAUSE_CODES(X)
#undef X
};

/** The name of a cause, or NULL for one we do not know. */
const char *hws_cause_name(uint16_t code);

/* Each put function adds its cause to an open ERROR or ABORT chunk; false when it does not fit. */
bool hws_cause_put(struct hws_builder *b, uint16_t code, const void *value, uint32_t value_len);
bool hws_cause_put_invalid_stream(struct hws_builder *b, uint16_t sid);
bool hws_cause_put_missing_param(struct hws_builder *b, const uint16_t *types, uint32_t count);
bool hws_cause_put_stale_cookie(struct hws_builder *b, uint32_t staleness_us);
bool hws_cause_put_no_user_data(struct hws_builder *b, uint32_t tsn);
bool hws_cause_put_new_addresses(struct hws_builder *b, const struct hws_addr *addrs,
                                 uint32_t count);

/* Decoders of the causes with fixed values; false when too short. */
bool hws_cause_invalid_stream(const struct hws_tlv *c, uint16_t *sid);
bool hws_cause_stale_cookie(const struct hws_tlv *c, uint32_t *staleness_us);
bool hws_cause_no_user_data(const struct hws_tlv *c, uint32_t *tsn);
/** Reads up to `max` types, returns how many the cause holds (bounded by its length), -1 when its
 * count does not fit its length. */
int hws_cause_missing_param(const struct hws_tlv *c, uint16_t *types, uint32_t max);

#endif
