/* Hosts, routers and links, and the ways between them: the fewest links win, of equals those that
 * stand first in the scenario. Hosts forward nothing. */
#include <stdio.h>

#include "sim/memory.h"
#include "sim/run.h"
#include "sim/stack.h"

static void arrive(struct sim_run *run, struct sim_packet *packet)
{
    packet->hop++;
    if (packet->hop == packet->route->hops)
        sim_stack_arrive(packet->route->to->stack, packet);
    else
        sim_topology_send(run, packet);
}

static void link_fire(void *ctx, uint64_t now_ns)
{
    struct sim_link *link = ctx;
    struct sim_run *run = link->ctx;
    struct sim_packet packet;
    while (sim_link_take(link, &packet, now_ns))
        arrive(run, &packet);
    sim_clock_set(&run->clock, &link->source, sim_link_next(link));
}

void sim_topology_send(struct sim_run *run, struct sim_packet *packet)
{
    struct sim_link *link = packet->route->links[packet->hop];
    sim_link_send(link, packet, run->clock.now_ns);
    uint64_t next_ns = sim_link_next(link);
    if (next_ns != link->source.at_ns)
        sim_clock_set(&run->clock, &link->source, next_ns);
}

static void packet_dropped(void *ctx, struct sim_link *link, const struct sim_packet *packet,
                           enum sim_drop why, uint64_t now_ns)
{
    struct sim_run *run = ctx;
    run->ends[SIM_SIDES * packet->association + packet->way].lost[why]++;
    SIM_TELL(run, dropped, link, packet, why, now_ns);
}

/* Address number `n`; the number is found again in its last bytes. */
static struct hws_addr address(uint32_t n)
{
    n++;
    return (struct hws_addr){
        .family = HWS_FAMILY_IPV4,
        .ip = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n},
    };
}

static uint32_t address_number(const struct hws_addr *addr)
{
    return ((uint32_t)addr->ip[1] << 16 | (uint32_t)addr->ip[2] << 8 | addr->ip[3]) - 1;
}

static void add_interface(struct sim_run *run, struct sim_node *node, struct sim_link *out)
{
    struct sim_interface *at = &node->interfaces[node->interface_count++];
    *at = (struct sim_interface){.addr = address(run->addr_count), .out = out};
    run->owners[run->addr_count++] = node;
}

static void make_links(struct sim_run *run)
{
    const struct sim_scenario *s = run->scenario;
    for (uint32_t i = 0; i < s->node_count; i++)
        run->nodes[i].interfaces = sim_new(s->link_count, sizeof(struct sim_interface));
    for (uint32_t i = 0; i < SIM_WAYS * s->link_count; i++) {
        const struct sim_scenario_link *config = &s->links[i / SIM_WAYS];
        uint32_t way = i % SIM_WAYS;
        struct sim_link *link = &run->links[i];
        sim_link_init(link, &config->ways[way], config->name, way,
                      run->seed * UINT64_C(1000003) + i);
        link->dropped = packet_dropped;
        link->ctx = run;
        sim_clock_add(&run->clock, &link->source, i, link_fire, link);
        add_interface(run, &run->nodes[config->nodes[way]], link);
    }
}

/* ---- Ways ---- */

struct search {
    struct sim_run *run;
    uint32_t *links; /* to each node: the link that leads there, UINT32_MAX: not reached */
    uint32_t *queue;
};

static uint32_t node_after(const struct search *s, uint32_t link)
{
    return s->run->scenario->links[link / SIM_WAYS].nodes[1 - link % SIM_WAYS];
}

static uint32_t node_before(const struct search *s, uint32_t link)
{
    return s->run->scenario->links[link / SIM_WAYS].nodes[link % SIM_WAYS];
}

/* Breadth first from `from` over routers. */
static void search_from(const struct search *s, uint32_t from)
{
    uint32_t node_count = s->run->scenario->node_count, head = 0, tail = 0;
    for (uint32_t i = 0; i < node_count; i++)
        s->links[i] = UINT32_MAX;
    s->queue[tail++] = from;
    while (head < tail) {
        uint32_t at = s->queue[head++];
        const struct sim_node *node = &s->run->nodes[at];
        for (uint32_t i = 0; i < node->interface_count; i++) {
            uint32_t link = (uint32_t)(node->interfaces[i].out - s->run->links);
            uint32_t next = node_after(s, link);
            if (next == from || s->links[next] != UINT32_MAX ||
                !s->run->scenario->nodes[next].router)
                continue;
            s->links[next] = link;
            s->queue[tail++] = next;
        }
    }
}

/* The way from `from` whose last link is `last`. */
static void make_route(const struct search *s, struct sim_route *route, uint32_t from,
                       uint32_t last)
{
    uint32_t hops = 1, at;
    for (at = node_before(s, last); at != from; at = node_before(s, s->links[at])) {
        if (s->links[at] == UINT32_MAX)
            return;
        hops++;
    }
    route->links = sim_new(hops, sizeof(*route->links));
    route->hops = hops;
    uint32_t link = last;
    while (hops > 0) {
        route->links[--hops] = &s->run->links[link];
        link = hops > 0 ? s->links[node_before(s, link)] : link;
    }
    route->mtu = (uint32_t)route->links[0]->config->mtu;
    for (uint32_t i = 0; i < route->from->interface_count; i++)
        if (route->from->interfaces[i].out == route->links[0])
            route->src = route->from->interfaces[i].addr;
}

static void make_routes(const struct search *s, uint32_t from)
{
    struct sim_run *run = s->run;
    if (run->scenario->nodes[from].router)
        return;
    search_from(s, from);
    run->nodes[from].first_route = run->route_count;
    for (uint32_t i = 0; i < run->addr_count; i++) {
        struct sim_route *route = &run->routes[run->route_count++];
        /* Interface i is made with link i, which leaves there: what arrives comes by its twin. */
        *route =
            (struct sim_route){.dst = address(i), .from = &run->nodes[from], .to = run->owners[i]};
        if (run->owners[i] != &run->nodes[from])
            make_route(s, route, from, i ^ 1u);
    }
}

void sim_topology_init(struct sim_run *run)
{
    const struct sim_scenario *s = run->scenario;
    run->nodes = sim_new(s->node_count, sizeof(*run->nodes));
    run->links = sim_new(SIM_WAYS * s->link_count, sizeof(*run->links));
    run->owners = sim_new(SIM_WAYS * s->link_count, sizeof(*run->owners));
    run->routes = sim_new((size_t)s->node_count * SIM_WAYS * s->link_count, sizeof(*run->routes));
    for (uint32_t i = 0; i < s->node_count; i++)
        run->nodes[i] = (struct sim_node){.config = &s->nodes[i], .run = run, .index = i};
    make_links(run);
    struct search search = {.run = run,
                            .links = sim_new(s->node_count, sizeof(uint32_t)),
                            .queue = sim_new(s->node_count, sizeof(uint32_t))};
    for (uint32_t i = 0; i < s->node_count; i++)
        make_routes(&search, i);
    free(search.links);
    free(search.queue);
}

void sim_topology_fini(struct sim_run *run)
{
    for (uint32_t i = 0; i < SIM_WAYS * run->scenario->link_count; i++)
        sim_link_fini(&run->links[i]);
    for (uint32_t i = 0; i < run->route_count; i++)
        free(run->routes[i].links);
    for (uint32_t i = 0; i < run->scenario->node_count; i++)
        free(run->nodes[i].interfaces);
    free(run->nodes);
    free(run->links);
    free(run->owners);
    free(run->routes);
}

const struct sim_route *sim_route_find(const struct sim_node *from, const struct hws_addr *to)
{
    uint32_t number = address_number(to);
    if (to->family != HWS_FAMILY_IPV4 || number >= from->run->addr_count)
        return NULL;
    const struct sim_route *route = &from->run->routes[from->first_route + number];
    return route->hops != 0 ? route : NULL;
}

bool sim_route_exists(const struct sim_node *from, const struct sim_node *to)
{
    for (uint32_t i = 0; i < to->interface_count; i++)
        if (sim_route_find(from, &to->interfaces[i].addr) != NULL)
            return true;
    return false;
}
