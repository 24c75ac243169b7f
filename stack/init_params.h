/* The parameter list of INIT and INIT ACK, read once into what the handshake needs. */
#ifndef HWS_STACK_INIT_PARAMS_H
#define HWS_STACK_INIT_PARAMS_H

#include "proto/param.h"
#include "stack/core.h"

/* Unrecognized parameters that are reported; more are only skipped. */
#define HWS_LIMIT_UNKNOWN_PARAMS 8u

/* The least a_rwnd of an INIT or INIT ACK (3.3.2, 3.3.3). */
#define HWS_INIT_MIN_RWND 1500u

enum hws_init_params_result {
    HWS_INIT_PARAMS_OK,
    HWS_INIT_PARAMS_MALFORMED, /* a length is wrong */
    HWS_INIT_PARAMS_HOST_NAME, /* Host Name Address: refused (3.3.2.1.4 of RFC 9260) */
};

struct hws_init_params {
    uint32_t addr_count;
    struct hws_addr addrs[HWS_LIMIT_PATHS];
    const uint8_t *cookie; /* State Cookie, NULL: none */
    uint32_t cookie_len;
    uint32_t life_extension_ms; /* Cookie Preservative */
    bool has_adaptation;        /* Adaptation Layer Indication */
    uint32_t adaptation_indication;
    struct hws_ext_offers offers; /* of extensions that we have, too */
    unsigned supported;           /* HWS_SUPPORTS_*; all when the peer does not say */
    uint32_t unknown_count;       /* to be reported (3.2.1) */
    struct hws_tlv unknown[HWS_LIMIT_UNKNOWN_PARAMS];
    struct hws_tlv offending; /* the parameter behind a result other than OK */
};

/** Whether the fixed part holds values the RFC allows: streams both ways, a window of 1500 bytes or
 * more (3.3.2, 3.3.3). The tag is the caller's to judge. */
bool hws_init_values_ok(const struct hws_init *init);

/* Why an INIT or INIT ACK is refused: the error cause to name and what goes with it. */
struct hws_init_refusal {
    uint16_t cause;
    const void *value;
    uint32_t value_len;
};

/** Whether the chunk cannot lead to an association whatever the state; `result` is what
 * hws_init_params_read said of it. */
bool hws_init_refused(const struct hws_init *init, enum hws_init_params_result result,
                      const struct hws_init_params *params, struct hws_init_refusal *why);

/** Addresses get the encapsulation port of `source`, where the chunk came from. */
enum hws_init_params_result hws_init_params_read(const struct hws_registry *r,
                                                 const struct hws_init *init,
                                                 const struct hws_addr *source,
                                                 struct hws_init_params *out);

/** Within an open INIT or INIT ACK: our addresses that the peer can use, when there are several
 * (5.1.2), the address types we support, and what else `params` says of us. */
void hws_init_params_put_local(struct hws_builder *b, const struct hws_locals *locals,
                               const struct hws_params *params, unsigned supported_by_peer);

#endif
