/* The State Cookie (RFC 9260, 5.1.3): everything a listener needs to make an association later,
 * sent to the peer and forgotten. Its bytes carry a MAC under one of two rotating keys; what comes
 * back is hostile until that MAC has been checked, and its contents are checked even then. */
#ifndef HWS_STACK_COOKIE_H
#define HWS_STACK_COOKIE_H

#include "stack/core.h"

struct hws_cookie {
    uint64_t made_us;
    uint32_t life_us;
    uint32_t local_vtag, remote_vtag;
    uint32_t local_tsn, remote_tsn; /* initial */
    uint32_t remote_rwnd;
    uint16_t remote_ostreams, remote_max_instreams;
    uint32_t tie_local, tie_remote; /* of an association that existed; 0: none (5.2.2) */
    uint16_t local_port, remote_port;
    bool has_adaptation; /* the INIT had an Adaptation Layer Indication */
    uint32_t adaptation_indication;
    struct hws_ext_offers offers;  /* of extensions that both have */
    struct hws_addr local, remote; /* destination and source of the INIT */
    uint8_t addr_count;            /* further addresses the peer listed */
    struct hws_addr addrs[HWS_LIMIT_PATHS];
};

/* A key signs cookies for this long and then vouches for another such time. No cookie lives longer.
 */
#define HWS_COOKIE_KEY_LIFE_US 120000000u

/* The encoding: a fixed part, the addresses, the offers, the MAC. */
#define HWS_COOKIE_FIXED_LEN 56u
#define HWS_COOKIE_ADDR_LEN 23u
#define HWS_COOKIE_MAX_LEN                                                                         \
    (HWS_COOKIE_FIXED_LEN + HWS_COOKIE_ADDR_LEN * (2u + HWS_LIMIT_PATHS) +                         \
     HWS_EXT_MAX * (1u + HWS_EXT_PARAM_MAX) + HWS_MAC_LEN)

/** Draws the first key. */
void hws_cookie_init(struct hws_engine *e);

/** Encodes and signs; returns the length. The key rotates here when it is old. */
uint32_t hws_cookie_seal(struct hws_engine *e, const struct hws_cookie *cookie,
                         uint8_t out[HWS_COOKIE_MAX_LEN]);

/** Checks the MAC in constant time and decodes. False: not ours, or altered. Whether it is stale
 * is the caller's to judge (it depends on the association, 5.2.4). */
bool hws_cookie_open(const struct hws_engine *e, const uint8_t *bytes, uint32_t len,
                     struct hws_cookie *out);

#endif
