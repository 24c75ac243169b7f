/* What the engine needs from outside and never takes by itself: memory, randomness, a MAC. Time is
 * an argument of every call. Tests inject seeded and failing ones. */
#ifndef HWS_STACK_ENV_H
#define HWS_STACK_ENV_H

#include <stddef.h>
#include <stdint.h>

#define HWS_MAC_LEN 32u
#define HWS_MAC_KEY_LEN 32u

struct hws_env {
    void *ctx; /* handed to every function below */
    /** Memory for any object of `size` bytes, uninitialised; NULL when there is none. */
    void *(*alloc)(void *ctx, size_t size);
    /** Gives back what alloc returned, with the size it was asked for. */
    void (*free)(void *ctx, void *ptr, size_t size);
    /** Fills `out` with unpredictable bytes (verification tags, TSNs, keys). Must not fail. */
    void (*random)(void *ctx, void *out, size_t len);
    /** HMAC-SHA-256 of `len` bytes (RFC 2104). Must not fail. */
    void (*hmac_sha256)(void *ctx, const uint8_t key[HWS_MAC_KEY_LEN], const void *data, size_t len,
                        uint8_t mac[HWS_MAC_LEN]);
};

#endif
