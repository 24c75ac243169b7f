#include "api/runtime/env.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#include "api/link/clock_linux.h"
#include "api/runtime/blocks.h"
#include "api/runtime/hmac.h"

/* Random bytes drawn ahead, since a system call for every tag and TSN costs more than the rest of a
 * handshake. They lie in a page of their own that the kernel empties in a child process after fork:
 * `left` is 0 there. Each is erased when it is given out. */
#define DRAWN_BYTES 2048u
/* More than this is not worth a second copy. */
#define DRAWN_MOST 64u

struct drawn {
    size_t left;
    uint8_t bytes[DRAWN_BYTES];
};

struct context {
    struct drawn *drawn; /* NULL: the kernel is asked every time */
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

static struct drawn *drawn_new(void)
{
    struct drawn *drawn =
        mmap(NULL, sizeof *drawn, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (drawn == MAP_FAILED)
        return NULL;
    if (madvise(drawn, sizeof *drawn, MADV_WIPEONFORK) == 0)
        return drawn;
    munmap(drawn, sizeof *drawn);
    return NULL;
}

static void draw(void *out, size_t len)
{
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

static void env_random(void *ctx, void *out, size_t len)
{
    struct drawn *drawn = ((struct context *)ctx)->drawn;
    if (drawn == NULL || len > DRAWN_MOST) {
        draw(out, len);
        return;
    }
    if (drawn->left < len) {
        draw(drawn->bytes, sizeof drawn->bytes);
        drawn->left = sizeof drawn->bytes;
    }
    drawn->left -= len;
    memcpy(out, drawn->bytes + drawn->left, len);
    explicit_bzero(drawn->bytes + drawn->left, len);
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
    context->drawn = drawn_new();
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
    if (context->drawn != NULL) {
        explicit_bzero(context->drawn, sizeof *context->drawn);
        munmap(context->drawn, sizeof *context->drawn);
    }
    free(context);
    env->ctx = NULL;
}

uint64_t hws_env_now_us(void)
{
    return hws_clock_ns(CLOCK_MONOTONIC) / 1000u;
}

uint64_t hws_env_unix_offset_us(void)
{
    return hws_clock_ns(CLOCK_REALTIME) / 1000u - hws_env_now_us();
}

struct timespec hws_env_realtime(uint64_t at_us)
{
    uint64_t realtime_us = at_us + hws_env_unix_offset_us();
    return (struct timespec){.tv_sec = (time_t)(realtime_us / 1000000u),
                             .tv_nsec = (long)(realtime_us % 1000000u) * 1000};
}
