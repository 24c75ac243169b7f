#include "api/link/route_cache_linux.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/link/clock_linux.h"
#include "api/link/netwatch_linux.h"
#include "api/link/route_linux.h"

/* Of some changes nobody is told: rules of policy routing, for one. */
#define LIFE_US 1000000u
/* Who asks in a row is told once whether something has changed. */
#define UNCHANGED_US 1000u

static void forget_all(struct hws_route_cache *cache)
{
    for (uint32_t i = 0; i < HWS_ROUTE_CACHE_ENTRIES; i++)
        cache->entries[i].remote.family = HWS_FAMILY_NONE;
}

/* Whether nothing has changed since the last call; changes to come will be told of. */
static bool unchanged(struct hws_route_cache *cache)
{
    uint8_t byte;
    uint64_t now_us = hws_clock_ns(CLOCK_MONOTONIC) / 1000u;
    if (now_us < cache->unchanged_until_us)
        return true;
    if (cache->watch == 0) {
        int fd = hws_netwatch_open();
        cache->watch = fd < 0 ? 0 : fd + 1;
        return false;
    }
    if (recv(cache->watch - 1, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) < 0 &&
        errno == EAGAIN) {
        cache->unchanged_until_us = now_us + UNCHANGED_US;
        return true;
    }
    hws_netwatch_drain(cache->watch - 1);
    return false;
}

static struct hws_route_cache_entry *find(struct hws_route_cache *cache,
                                          const struct hws_addr *remote)
{
    for (uint32_t i = 0; i < HWS_ROUTE_CACHE_ENTRIES; i++) {
        struct hws_route_cache_entry *e = &cache->entries[i];
        if (hws_addr_same(&e->remote, remote) && e->until_us > hws_clock_coarse_us())
            return e;
    }
    return NULL;
}

static int ask(struct hws_route_cache *cache, const struct hws_addr *remote, uint32_t interface,
               struct hws_route_cache_entry **out)
{
    struct hws_route_cache_entry *e = &cache->entries[cache->next++ % HWS_ROUTE_CACHE_ENTRIES];
    e->remote.family = HWS_FAMILY_NONE;
    int result = hws_route_lookup(remote, interface, &e->local, &e->mtu);
    if (result != 0)
        return result;
    e->remote = *remote;
    e->until_us = hws_clock_coarse_us() + LIFE_US;
    *out = e;
    return 0;
}

int hws_route_cache_lookup(struct hws_route_cache *cache, const struct hws_addr *remote,
                           uint32_t interface, struct hws_addr *local, uint32_t *mtu)
{
    if (!unchanged(cache))
        forget_all(cache);
    struct hws_route_cache_entry *e = find(cache, remote);
    int result = e == NULL ? ask(cache, remote, interface, &e) : 0;
    if (result == 0 && local != NULL)
        *local = e->local;
    if (result == 0 && mtu != NULL)
        *mtu = e->mtu;
    return result;
}

void hws_route_cache_doubt(struct hws_route_cache *cache)
{
    cache->unchanged_until_us = 0;
}

void hws_route_cache_fini(struct hws_route_cache *cache)
{
    if (cache->watch != 0)
        close(cache->watch - 1);
    memset(cache, 0, sizeof *cache);
}
