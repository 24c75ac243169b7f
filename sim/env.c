#include "sim/env.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

/* Before each object: its size, to compare with what free is told. */
union prefix {
    size_t size;
    max_align_t align;
};

static void *env_alloc(void *ctx, size_t size)
{
    struct sim_env *env = ctx;
    if (size == 0) /* the pool has no class for it */
        abort();
    uint64_t number = env->allocs++;
    if (number >= env->fail_from && number < env->fail_until) {
        env->failed++;
        return NULL;
    }
    union prefix *p = malloc(sizeof *p + size);
    if (p == NULL)
        abort();
    p->size = size;
    /* Whoever reads what it has not written shall see it in every build. */
    memset(p + 1, 0xa5, size < 4096 ? size : 4096);
    env->live_objects++;
    env->live_bytes += size;
    return p + 1;
}

static void env_free(void *ctx, void *ptr, size_t size)
{
    struct sim_env *env = ctx;
    if (ptr == NULL)
        return;
    union prefix *p = (union prefix *)ptr - 1;
    if (p->size != size)
        env->wrong_frees++;
    env->live_objects--;
    env->live_bytes -= p->size;
    free(p);
}

static void env_random(void *ctx, void *out, size_t len)
{
    struct sim_env *env = ctx;
    sim_rng_fill(&env->rng, out, len);
}

static void env_hmac(void *ctx, const uint8_t key[HWS_MAC_KEY_LEN], const void *data, size_t len,
                     uint8_t mac[HWS_MAC_LEN])
{
    (void)ctx;
    unsigned mac_len = HWS_MAC_LEN;
    if (HMAC(EVP_sha256(), key, HWS_MAC_KEY_LEN, data, len, mac, &mac_len) == NULL)
        abort();
}

void sim_env_init(struct sim_env *env, uint64_t seed)
{
    *env = (struct sim_env){.rng = sim_rng_seeded(seed)};
}

struct hws_env sim_env_make(struct sim_env *env)
{
    return (struct hws_env){.ctx = env,
                            .alloc = env_alloc,
                            .free = env_free,
                            .random = env_random,
                            .hmac_sha256 = env_hmac};
}
