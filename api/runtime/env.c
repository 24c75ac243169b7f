#include "api/runtime/env.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "api/runtime/blocks.h"
#include "api/runtime/hmac.h"

struct context {
    struct hws_hmac *hmac;
    struct hws_blocks blocks;
};

static void *env_alloc(void *ctx, size_t size)
{
    return hws_blocks_alloc(&((struct context *)ctx)->blocks, size);
}

static void env_free(void *ctx, void *ptr, size_t size)
{
    if (ptr != NULL)
        hws_blocks_free(&((struct context *)ctx)->blocks, ptr, size);
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
    hws_hmac_sha256(((struct context *)ctx)->hmac, key, data, len, mac);
}

int hws_env_init(struct hws_env *env)
{
    struct context *context = calloc(1, sizeof(*context));
    if (context == NULL || (context->hmac = hws_hmac_new()) == NULL) {
        free(context);
        return -ENOMEM;
    }
    *env = (struct hws_env){.ctx = context,
                            .alloc = env_alloc,
                            .free = env_free,
                            .random = env_random,
                            .hmac_sha256 = env_hmac_sha256};
    return 0;
}

void hws_env_fini(struct hws_env *env)
{
    struct context *context = env->ctx;
    hws_hmac_free(context->hmac);
    hws_blocks_fini(&context->blocks);
    free(context);
    env->ctx = NULL;
}

uint64_t hws_env_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}
