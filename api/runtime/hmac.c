#include "api/runtime/hmac.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>

/* Keyed contexts that are kept: a cookie is checked with the current key or the one before it. */
#define KEPT_KEYS 2u

struct keyed {
    EVP_MAC_CTX *ctx; /* initialised with `key`; NULL: not in use */
    uint8_t key[HWS_MAC_KEY_LEN];
};

struct hws_hmac {
    EVP_MAC_CTX *plain; /* digest chosen, no key */
    struct keyed kept[KEPT_KEYS];
    uint32_t next; /* the one to give up next */
};

static EVP_MAC_CTX *fetch(void)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (mac == NULL)
        return NULL;
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    if (ctx != NULL && EVP_MAC_CTX_set_params(ctx, params) != 1) {
        EVP_MAC_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

struct hws_hmac *hws_hmac_new(void)
{
    struct hws_hmac *hmac = calloc(1, sizeof(*hmac));
    if (hmac == NULL)
        return NULL;
    hmac->plain = fetch();
    if (hmac->plain == NULL) {
        free(hmac);
        return NULL;
    }
    return hmac;
}

void hws_hmac_free(struct hws_hmac *hmac)
{
    if (hmac == NULL)
        return;
    for (uint32_t i = 0; i < KEPT_KEYS; i++)
        EVP_MAC_CTX_free(hmac->kept[i].ctx);
    EVP_MAC_CTX_free(hmac->plain);
    OPENSSL_cleanse(hmac, sizeof(*hmac));
    free(hmac);
}

static struct keyed *keyed_new(struct hws_hmac *hmac, const uint8_t *key)
{
    struct keyed *k = &hmac->kept[hmac->next];
    hmac->next = (hmac->next + 1) % KEPT_KEYS;
    EVP_MAC_CTX_free(k->ctx);
    k->ctx = EVP_MAC_CTX_dup(hmac->plain);
    if (k->ctx == NULL || EVP_MAC_init(k->ctx, key, HWS_MAC_KEY_LEN, NULL) != 1)
        abort(); /* no memory for a few hundred bytes: no MAC may be made up */
    memcpy(k->key, key, HWS_MAC_KEY_LEN);
    return k;
}

static struct keyed *keyed_find(struct hws_hmac *hmac, const uint8_t *key)
{
    for (uint32_t i = 0; i < KEPT_KEYS; i++) {
        struct keyed *k = &hmac->kept[i];
        if (k->ctx != NULL && memcmp(k->key, key, HWS_MAC_KEY_LEN) == 0)
            return k;
    }
    return keyed_new(hmac, key);
}

void hws_hmac_sha256(struct hws_hmac *hmac, const uint8_t key[HWS_MAC_KEY_LEN], const void *data,
                     size_t len, uint8_t mac[HWS_MAC_LEN])
{
    EVP_MAC_CTX *ctx = keyed_find(hmac, key)->ctx;
    size_t mac_len = 0;
    /* Without a key EVP_MAC_init starts again with the key it has. */
    if (EVP_MAC_init(ctx, NULL, 0, NULL) != 1 || EVP_MAC_update(ctx, data, len) != 1 ||
        EVP_MAC_final(ctx, mac, &mac_len, HWS_MAC_LEN) != 1 || mac_len != HWS_MAC_LEN)
        abort();
}
