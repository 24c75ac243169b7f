#include "api/link/nexthop_linux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/link/netwatch_linux.h"
#include "api/link/route_linux.h"

#define ENTRIES 1024u           /* a power of two; two addresses of one slot take turns */
#define WATCH_INTERVAL_US 2000u /* how often the kernel's news are looked at */
#define FRESH_US 5000000u       /* a neighbour that is known is looked at again after so long */
#define RETRY_US 20000u         /* one that the kernel is just resolving */
#define USABLE (NUD_PERMANENT | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE)

struct entry {
    struct hws_addr remote, source; /* the key; family NONE: empty */
    uint64_t until_us;              /* when to look again */
    struct hws_addr next_hop;       /* the neighbour, by its IP address */
    bool fast;                      /* `hop` is known */
    struct hws_nexthop hop;
};

struct local {
    struct hws_addr addr;
    uint64_t until_us;
    bool local;
};

struct hws_nexthops {
    int watch;
    int netlink; /* to ask by: a packet link shall not go deaf at the limit of descriptors */
    uint64_t watched_us; /* when the kernel's news were looked at last */
    uint32_t interface;  /* its index; 0: as routed */
    struct entry entries[ENTRIES];
    struct local locals[ENTRIES];
};

int hws_nexthops_new(const char *interface, struct hws_nexthops **out)
{
    struct hws_nexthops *table = calloc(1, sizeof(*table));
    if (table == NULL)
        return -ENOMEM;
    if (interface != NULL)
        table->interface = if_nametoindex(interface);
    table->watch = hws_netwatch_open_neighbours();
    table->netlink = hws_route_open();
    int result = table->watch < 0 ? table->watch : table->netlink < 0 ? table->netlink : 0;
    if (result == 0)
        *out = table;
    else
        hws_nexthops_free(table);
    return result;
}

void hws_nexthops_free(struct hws_nexthops *table)
{
    if (table == NULL)
        return;
    if (table->watch >= 0)
        close(table->watch);
    if (table->netlink >= 0)
        close(table->netlink);
    free(table);
}

void hws_nexthops_forget(struct hws_nexthops *table)
{
    for (uint32_t i = 0; i < ENTRIES; i++)
        table->entries[i].until_us = table->locals[i].until_us = 0;
}

static uint32_t slot_of(const struct hws_addr *a, const struct hws_addr *b)
{
    uint64_t words[4];
    memcpy(words, a->ip, 16);
    memcpy(words + 2, b->ip, 16);
    uint64_t mix = (words[0] ^ words[2] << 1) * 0x9e3779b97f4a7c15u;
    mix = (mix ^ words[1] ^ words[3] << 1 ^ mix >> 32) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(mix >> 40) % ENTRIES;
}

/* ---- Neighbours ---- */

struct question {
    struct nlmsghdr header;
    struct ndmsg neighbour;
    struct rtattr attribute;
    uint8_t addr[16];
};

static const struct rtattr *first_attribute(const struct ndmsg *neighbour)
{
    return (const void *)((const uint8_t *)neighbour + NLMSG_ALIGN(sizeof(*neighbour)));
}

static uint16_t read_neighbour(const struct nlmsghdr *header, size_t len, struct sockaddr_ll *link)
{
    if (!NLMSG_OK(header, len) || header->nlmsg_type != RTM_NEWNEIGH)
        return NUD_NONE;
    const struct ndmsg *neighbour = NLMSG_DATA(header);
    size_t left = header->nlmsg_len - NLMSG_LENGTH(sizeof(*neighbour));
    const struct rtattr *a = first_attribute(neighbour);
    for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        size_t value_len = RTA_PAYLOAD(a);
        if (a->rta_type == NDA_LLADDR && value_len <= sizeof(link->sll_addr)) {
            memcpy(link->sll_addr, RTA_DATA(a), value_len);
            link->sll_halen = (uint8_t)value_len;
        }
    }
    return link->sll_halen > 0 ? neighbour->ndm_state : NUD_NONE;
}

/* The state (NUD_*) of the neighbour, whose address goes to `link`. */
static uint16_t ask_neighbour(const struct hws_route *route, struct sockaddr_ll *link)
{
    _Alignas(struct nlmsghdr) uint8_t answer[1024];
    uint32_t len = hws_addr_len(&route->next_hop);
    struct question question = {
        .header = {.nlmsg_len = (uint32_t)offsetof(struct question, addr) + len,
                   .nlmsg_type = RTM_GETNEIGH,
                   .nlmsg_flags = NLM_F_REQUEST},
        .neighbour = {.ndm_family = len == 4 ? AF_INET : AF_INET6,
                      .ndm_ifindex = (int)route->interface},
        .attribute = {.rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = NDA_DST}};
    memcpy(question.addr, route->next_hop.ip, len);
    int answer_len = hws_route_ask(&question, question.header.nlmsg_len, answer, sizeof(answer));
    return answer_len < 0
               ? NUD_NONE
               : read_neighbour((const struct nlmsghdr *)answer, (size_t)answer_len, link);
}

/* ---- News ---- */

static void forget_neighbour(struct hws_nexthops *table, const struct ndmsg *neighbour,
                             const void *ip)
{
    size_t len = neighbour->ndm_family == AF_INET ? 4 : 16;
    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct entry *e = &table->entries[i];
        if (e->hop.link.sll_ifindex == neighbour->ndm_ifindex &&
            hws_addr_len(&e->next_hop) == len && memcmp(e->next_hop.ip, ip, len) == 0)
            e->until_us = 0;
    }
}

/* Hosts on a busy network change state all the time: only what concerns this one is forgotten. */
static void hear_neighbour(struct hws_nexthops *table, const struct nlmsghdr *header)
{
    const struct ndmsg *neighbour = NLMSG_DATA(header);
    size_t left = header->nlmsg_len - NLMSG_LENGTH(sizeof(*neighbour));
    const struct rtattr *a = first_attribute(neighbour);
    for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
        if (a->rta_type == NDA_DST && RTA_PAYLOAD(a) <= sizeof(struct in6_addr))
            forget_neighbour(table, neighbour, RTA_DATA(a));
}

static void hear(struct hws_nexthops *table, const uint8_t *news, size_t len)
{
    const struct nlmsghdr *header = (const void *)news;
    for (; NLMSG_OK(header, len); header = NLMSG_NEXT(header, len)) {
        if (header->nlmsg_type == RTM_NEWNEIGH || header->nlmsg_type == RTM_DELNEIGH)
            hear_neighbour(table, header);
        else
            hws_nexthops_forget(table);
    }
}

/* A system call for each train would cost more than news that are old by milliseconds. ENOBUFS:
 * some were lost. */
static void watch(struct hws_nexthops *table, uint64_t now_us)
{
    _Alignas(struct nlmsghdr) uint8_t news[8192];
    ssize_t len;
    if (now_us - table->watched_us < WATCH_INTERVAL_US)
        return;
    table->watched_us = now_us;
    while ((len = recv(table->watch, news, sizeof(news), 0)) > 0 ||
           (len < 0 && (errno == ENOBUFS || errno == EINTR))) {
        if (len > 0)
            hear(table, news, (size_t)len);
        else
            hws_nexthops_forget(table);
    }
}

/* ---- Next hops ---- */

/* What the kernel does not see us use grows stale, and then nobody asks whether the neighbour is
 * still there. So the packet that finds it stale goes the slow way, which makes the kernel ask. */
static bool look_up(struct hws_nexthops *table, struct entry *e, uint64_t now_us)
{
    struct hws_route route;
    bool ipv6 = e->remote.family == HWS_FAMILY_IPV6;
    uint16_t state = NUD_NONE;
    e->hop = (struct hws_nexthop){
        .link = {.sll_family = AF_PACKET, .sll_protocol = htons(ipv6 ? ETH_P_IPV6 : ETH_P_IP)}};
    if (hws_route_find(&e->remote, &e->source, table->interface, &route) == 0 && !route.local) {
        state = ask_neighbour(&route, &e->hop.link);
        e->next_hop = route.next_hop;
        e->hop.link.sll_ifindex = (int)route.interface;
        e->hop.source = e->source.family != HWS_FAMILY_NONE ? e->source : route.source;
        e->hop.mtu = route.mtu;
    }
    e->fast = (state & USABLE) != 0 && e->hop.source.family == e->remote.family;
    e->until_us = now_us + (e->fast ? FRESH_US : RETRY_US);
    return e->fast && state != NUD_STALE;
}

const struct hws_nexthop *hws_nexthops_find(struct hws_nexthops *table,
                                            const struct hws_addr *remote,
                                            const struct hws_addr *source, uint64_t now_us)
{
    watch(table, now_us);
    struct entry *e = &table->entries[slot_of(remote, source)];
    bool same = hws_addr_same(&e->remote, remote) && hws_addr_same(&e->source, source);
    if (same && now_us < e->until_us)
        return e->fast ? &e->hop : NULL;
    e->remote = *remote;
    e->source = *source;
    return look_up(table, e, now_us) ? &e->hop : NULL;
}

bool hws_nexthops_is_local(struct hws_nexthops *table, const struct hws_addr *addr, uint64_t now_us)
{
    static const struct hws_addr any;
    watch(table, now_us);
    struct local *l = &table->locals[slot_of(addr, &any)];
    if (now_us < l->until_us && hws_addr_same(&l->addr, addr))
        return l->local;
    l->addr = *addr;
    l->until_us = now_us + FRESH_US;
    l->local = hws_route_is_local(table->netlink, addr) == 1;
    return l->local;
}
