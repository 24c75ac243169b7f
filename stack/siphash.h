/* SipHash-2-4: the keyed hash of every table whose keys a peer can choose. */
#ifndef HWS_STACK_SIPHASH_H
#define HWS_STACK_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct hws_siphash_key {
    uint64_t k0, k1;
};

uint64_t hws_siphash(const struct hws_siphash_key *key, const void *data, size_t len);

#endif
