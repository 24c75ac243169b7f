#include "stack/locals.h"

#include "stack/engine.h"

#define HWS_BOTH_FAMILIES (HWS_ENDPOINT_IPV4 | HWS_ENDPOINT_IPV6)

static unsigned family_bit(const struct hws_addr *a)
{
    if (a->family == HWS_FAMILY_IPV4)
        return HWS_ENDPOINT_IPV4;
    return a->family == HWS_FAMILY_IPV6 ? HWS_ENDPOINT_IPV6 : 0;
}

/* ---- Making ---- */

static unsigned used_families(unsigned families)
{
    return families != 0 ? families : HWS_BOTH_FAMILIES;
}

bool hws_locals_ok(const struct hws_addr *addrs, size_t count, unsigned families)
{
    if (count > HWS_LIMIT_PATHS || families & ~HWS_BOTH_FAMILIES)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!(family_bit(&addrs[i]) & used_families(families)))
            return false;
    return true;
}

void hws_locals_init(struct hws_locals *l, const struct hws_addr *addrs, size_t count,
                     unsigned families)
{
    *l = (struct hws_locals){
        .refs = 1,
        .families = used_families(families),
        .any = count == 0,
        .count = (uint32_t)count,
    };
    for (size_t i = 0; i < count; i++)
        l->addrs[i] = addrs[i];
}

struct hws_locals *hws_locals_copy(struct hws_pool *pool, const struct hws_locals *l)
{
    struct hws_locals *copy = hws_pool_alloc(pool, sizeof *copy);
    if (copy == NULL)
        return NULL;
    *copy = *l;
    copy->refs = 1;
    return copy;
}

struct hws_locals *hws_locals_ref(struct hws_locals *l)
{
    l->refs++;
    return l;
}

void hws_locals_unref(struct hws_pool *pool, struct hws_locals *l)
{
    if (l != NULL && --l->refs == 0)
        hws_pool_free(pool, l, sizeof *l);
}

/* ---- Scopes ---- */

/* From the widest to the narrowest: an address may be told to peers of its own scope and of
 * narrower ones. */
enum scope { SCOPE_GLOBAL, SCOPE_PRIVATE, SCOPE_LINK, SCOPE_LOOPBACK };

static enum scope scope_ipv4(const uint8_t *ip)
{
    if (ip[0] == 127)
        return SCOPE_LOOPBACK;
    if (ip[0] == 169 && ip[1] == 254)
        return SCOPE_LINK;
    bool is_private =
        ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) || (ip[0] == 192 && ip[1] == 168);
    return is_private ? SCOPE_PRIVATE : SCOPE_GLOBAL;
}

static enum scope scope_ipv6(const uint8_t *ip)
{
    static const uint8_t loopback[16] = {[15] = 1};
    if (memcmp(ip, loopback, sizeof loopback) == 0)
        return SCOPE_LOOPBACK;
    if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80)
        return SCOPE_LINK;
    return (ip[0] & 0xfe) == 0xfc ? SCOPE_PRIVATE : SCOPE_GLOBAL;
}

static enum scope scope_of(const struct hws_addr *a)
{
    return a->family == HWS_FAMILY_IPV4 ? scope_ipv4(a->ip) : scope_ipv6(a->ip);
}

/* A link-local address means something on its link only. */
static bool in_scope(const struct hws_addr *host, const struct hws_addr *remote)
{
    enum scope scope = scope_of(host);
    if (scope == SCOPE_LINK)
        return scope_of(remote) == SCOPE_LINK && host->scope_id == remote->scope_id;
    return scope <= scope_of(remote);
}

static void tell(struct hws_locals *l, const struct hws_addr *addr)
{
    if (l->count < HWS_LIMIT_PATHS && family_bit(addr) & l->families && !hws_locals_list(l, addr))
        l->addrs[l->count++] = *addr;
}

void hws_locals_scope(struct hws_locals *l, const struct hws_locals *of,
                      const struct hws_addr *host, size_t host_count, const struct hws_addr *remote,
                      const struct hws_addr *local)
{
    *l = *of;
    l->refs = 1;
    l->count = 0;
    if (local != NULL)
        tell(l, local);
    for (size_t i = 0; i < host_count; i++)
        if (in_scope(&host[i], remote))
            tell(l, &host[i]);
}

/* ---- Asking ---- */

bool hws_locals_list(const struct hws_locals *l, const struct hws_addr *local)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (hws_addr_same(&l->addrs[i], local))
            return true;
    return false;
}

bool hws_locals_uses(const struct hws_locals *l, const struct hws_addr *addr)
{
    return (family_bit(addr) & l->families) != 0;
}

bool hws_locals_take(const struct hws_locals *l, const struct hws_addr *local)
{
    if (local == NULL || local->family == HWS_FAMILY_NONE)
        return true;
    return l->any ? hws_locals_uses(l, local) : hws_locals_list(l, local);
}

static bool takes_one_of(const struct hws_locals *l, const struct hws_locals *bound)
{
    for (uint32_t i = 0; i < bound->count; i++)
        if (hws_locals_take(l, &bound->addrs[i]))
            return true;
    return false;
}

bool hws_locals_overlap(const struct hws_locals *a, const struct hws_locals *b)
{
    if (a->any && b->any)
        return (a->families & b->families) != 0;
    return a->any ? takes_one_of(a, b) : takes_one_of(b, a);
}

static unsigned common_prefix_bits(const struct hws_addr *a, const struct hws_addr *b)
{
    unsigned byte = 0;
    while (byte < sizeof a->ip && a->ip[byte] == b->ip[byte])
        byte++;
    if (byte == sizeof a->ip)
        return 8 * byte;
    unsigned differ = a->ip[byte] ^ b->ip[byte];
    return 8 * byte + (unsigned)__builtin_clz(differ) - 24;
}

const struct hws_addr *hws_locals_source(const struct hws_locals *l, const struct hws_addr *remote)
{
    const struct hws_addr *best = NULL;
    for (uint32_t i = 0; i < l->count; i++) {
        const struct hws_addr *local = &l->addrs[i];
        if (local->family == remote->family &&
            (best == NULL || common_prefix_bits(local, remote) > common_prefix_bits(best, remote)))
            best = local;
    }
    return best;
}
