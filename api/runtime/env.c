#include "api/runtime/env.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "api/runtime/hmac.h"

static void *env_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size);
}

static void env_free(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    (void)size;
    free(ptr);
}

static void env_random(void *ctx, void *out, size_t len)
{
    (void)ctx;
    uint8_t *at = out;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno != EINTR)
            abort(); /* tags and keys that can be guessed are worse than none */
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}

static void env_hmac_sha256(void *ctx, const uint8_t key[HWS_MAC_KEY_LEN], const void *data,
                            size_t len, uint8_t mac[HWS_MAC_LEN])
{
    hws_hmac_sha256(ctx, key, data, len, mac);
}

int hws_env_init(struct hws_env *env)
{
    struct hws_hmac *hmac = hws_hmac_new();
    if (hmac == NULL)
        return -ENOMEM;
    *env = (struct hws_env){.ctx = hmac,
                            .alloc = env_alloc,
                            .free = env_free,
                            .random = env_random,
                            .hmac_sha256 = env_hmac_sha256};
    return 0;
}

void hws_env_fini(struct hws_env *env)
{
    hws_hmac_free(env->ctx);
    env->ctx = NULL;
}

uint64_t hws_env_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}
