/* HMAC-SHA-256 (RFC 2104) by OpenSSL's libcrypto, fetched once: a call costs the hash alone.
 * Nothing else of the library includes OpenSSL's headers. */
#ifndef HWS_API_HMAC_H
#define HWS_API_HMAC_H

#include <stddef.h>
#include <stdint.h>

#include "stack/env.h"

struct hws_hmac;

/** A context for one thread at a time; NULL when libcrypto has no HMAC-SHA-256 or no memory. */
struct hws_hmac *hws_hmac_new(void);

/** NULL is allowed. */
void hws_hmac_free(struct hws_hmac *hmac);

/** Writes the MAC of `len` bytes at `data` under `key`. */
void hws_hmac_sha256(struct hws_hmac *hmac, const uint8_t key[HWS_MAC_KEY_LEN], const void *data,
                     size_t len, uint8_t mac[HWS_MAC_LEN]);

#endif
