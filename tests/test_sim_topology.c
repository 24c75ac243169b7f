/* Ways between hosts: the fewest links, over routers only, to each address by its own link. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/run.h"

static struct sim_document document;
static struct sim_scenario scenario;
static const struct sim_settings settings;
static struct sim_run run;

static void open_run(const char *text)
{
    struct sim_error error;
    char path[] = "/tmp/topologyXXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    bool good = sim_document_read(&document, path, &error) &&
                sim_scenario_read(&scenario, &document, &error);
    remove(path);
    if (!good || !sim_run_init(&run, &scenario, &settings, 1))
        fail_msg("%s", good ? run.error.text : error.text);
}

static void close_run(void)
{
    sim_run_fini(&run);
    sim_scenario_free(&scenario);
    sim_document_free(&document);
}

static struct sim_node *node(const char *name)
{
    for (uint32_t i = 0; i < scenario.node_count; i++)
        if (strcmp(scenario.nodes[i].name, name) == 0)
            return &run.nodes[i];
    return NULL;
}

/* The way from a host to an interface of another one, as the names of its links. */
static const char *way(const char *from, const char *to, uint32_t interface)
{
    static char text[256];
    const struct sim_route *route =
        sim_route_find(node(from), &node(to)->interfaces[interface].addr);
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; route != NULL && i < route->hops; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s%s", i != 0 ? " " : "",
                                 route->links[i]->name, route->links[i]->way == 0 ? "" : "'");
    return text;
}

#define HOSTS "[host a]\n[host b]\n[host c]\n[router r]\n[router s]\n"
#define LINK(name, ends) "[link " name "]\nends = " ends "\n"
#define ASSOCIATION "[association x]\nfrom = a\nto = b\n"

struct expected {
    const char *from, *to;
    uint32_t interface; /* of `to` */
    const char *links;  /* "": there is no way */
};

static void check_ways(const struct expected *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_string_equal(way(list[i].from, list[i].to, list[i].interface), list[i].links);
}

static void each_address_has_its_link(void **state)
{
    static const struct expected ways[] = {
        {"a", "b", 0, "l0"}, {"a", "b", 1, "l1'"}, {"b", "a", 0, "l0'"},
        {"b", "a", 1, "l1"}, {"a", "a", 0, ""},    {"c", "a", 0, ""},
    };
    (void)state;
    open_run(HOSTS LINK("l0", "a b") LINK("l1", "b a") ASSOCIATION);
    check_ways(ways, sizeof ways / sizeof ways[0]);
    close_run();
}

static void routers_forward_and_hosts_do_not(void **state)
{
    /* b's address on the link with c is reached by nobody else: c is a host. */
    static const struct expected ways[] = {
        {"a", "b", 0, "ar rs sb"},
        {"b", "a", 0, "sb' rs' ar'"},
        {"a", "b", 1, ""},
        {"c", "b", 1, "cb"},
    };
    (void)state;
    open_run(HOSTS LINK("ar", "a r") LINK("rs", "r s") LINK("sb", "s b") LINK("ac", "a c")
                 LINK("cb", "c b") ASSOCIATION);
    check_ways(ways, sizeof ways / sizeof ways[0]);
    const struct sim_route *route = sim_route_find(node("a"), &node("b")->interfaces[0].addr);
    assert_memory_equal(&route->src, &node("a")->interfaces[0].addr, sizeof route->src);
    assert_ptr_equal(route->to, node("b"));
    close_run();
}

static void the_shortest_way_wins_and_of_equals_the_first(void **state)
{
    static const struct expected ways[] = {
        {"a", "b", 0, "as2 sb"},
        {"b", "a", 1, "sb' as2'"},
        {"b", "a", 2, "sb' as1'"},
        {"b", "a", 0, "sb' rs' ar'"},
    };
    (void)state;
    open_run(HOSTS LINK("ar", "a r") LINK("rs", "r s") LINK("as2", "a s") LINK("as1", "a s")
                 LINK("sb", "s b") ASSOCIATION);
    check_ways(ways, sizeof ways / sizeof ways[0]);
    close_run();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_has_its_link),
        cmocka_unit_test(routers_forward_and_hosts_do_not),
        cmocka_unit_test(the_shortest_way_wins_and_of_equals_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
