/* Serial number arithmetic (RFC 1982, RFC 9260 section 1.6): the only place where TSNs and SSNs
 * are compared. */
#ifndef HWS_PROTO_SERIAL_H
#define HWS_PROTO_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

/** Whether TSN `a` comes before `b`. */
static inline bool hws_tsn_lt(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

/** Whether TSN `a` is `b` or comes before it. */
static inline bool hws_tsn_le(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) <= 0;
}

/** Whether SSN `a` comes before `b`. */
static inline bool hws_ssn_lt(uint16_t a, uint16_t b)
{
    return (int16_t)(uint16_t)(a - b) < 0;
}

#endif
