/* Stories of what an endpoint or an association is configured to: addresses, families, shared
 * ports, the adaptation layer (RFC 5061, 4.2.6), closing when idle (RFC 6458, 8.1.8), and more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/pair.h"

#define SECOND 1000000u

/* ---- Adaptation layers ---- */

static void both_adapt(struct hws_params *a, struct hws_params *b)
{
    a->adaptation = b->adaptation = true;
    a->adaptation_indication = 17;
    b->adaptation_indication = 0xfffffffe;
}

static void one_adapts(struct hws_params *a, struct hws_params *b)
{
    (void)b;
    a->adaptation = true;
    a->adaptation_indication = 0;
}

static void adaptation_layers_are_told(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = both_adapt});
    pair_connect(p);
    assert_true(pair_saw(&p->a, HWS_EVENT_ADAPTATION));
    assert_true(pair_saw(&p->b, HWS_EVENT_ADAPTATION));
    assert_int_equal(p->a.told[HWS_EVENT_ADAPTATION].indication, 0xfffffffe);
    assert_int_equal(p->b.told[HWS_EVENT_ADAPTATION].indication, 17);
    pair_free(p);
}

static void only_who_adapts_says_so(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = one_adapts});
    pair_connect(p);
    assert_false(pair_saw(&p->a, HWS_EVENT_ADAPTATION));
    assert_true(pair_saw(&p->b, HWS_EVENT_ADAPTATION));
    assert_int_equal(p->b.told[HWS_EVENT_ADAPTATION].indication, 0);
    /* The peer's new incarnation uses none (its endpoint has the defaults). */
    pair_reboot(&p->a, false);
    pair_begin(&p->a);
    pair_settle(p);
    assert_true(pair_saw(&p->b, HWS_EVENT_RESTART));
    assert_false(pair_saw(&p->b, HWS_EVENT_ADAPTATION));
    pair_free(p);
}

/* 5.2.4 B: of an association that both begin each learns the other's. */
static void adaptation_layers_that_collide(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = both_adapt, .both_listen = true});
    pair_begin(&p->a);
    pair_begin(&p->b);
    pair_settle(p);
    assert_int_equal(p->a.told[HWS_EVENT_ADAPTATION].indication, 0xfffffffe);
    assert_int_equal(p->b.told[HWS_EVENT_ADAPTATION].indication, 17);
    pair_free(p);
}

/* ---- Autoclose ---- */

static void closes_after_10_s(struct hws_params *a, struct hws_params *b)
{
    (void)b;
    a->autoclose_us = 10 * SECOND;
}

static void an_idle_association_closes(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = closes_after_10_s});
    pair_connect(p);
    pair_run(p, 10 * SECOND - 1);
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_run(p, 1);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(p->a.reason, HWS_E_EOF);
    assert_true(pair_saw(&p->b, HWS_EVENT_PEER_SHUTDOWN));
    assert_true(pair_saw(&p->b, HWS_EVENT_DOWN));
    pair_free(p);
}

static void data_either_way_keeps_it_open(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = closes_after_10_s});
    pair_connect(p);
    for (unsigned i = 0; i < 6; i++) {
        pair_run(p, 9 * SECOND);
        pair_send(i % 2 == 0 ? &p->a : &p->b, 0, 0, "x", 1);
        pair_settle(p);
    }
    pair_run(p, 10 * SECOND - 1);
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_run(p, 1);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_free(p);
}

/* What nobody has acknowledged is not idle, however long it takes. */
static void outstanding_data_keeps_it_open(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = closes_after_10_s});
    pair_connect_and_talk(p);
    pair_send(&p->a, 0, 0, "x", 1);
    p->cut[0] = true;
    pair_run(p, 60ull * SECOND);
    assert_int_equal(pair_status(&p->a).state, HWS_STATE_ESTABLISHED);
    p->cut[0] = false;
    pair_run(p, 60ull * SECOND);
    pair_recv(&p->b, 0, "x", 1);
    pair_run(p, 20ull * SECOND);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(p->a.reason, HWS_E_EOF);
    pair_free(p);
}

static void set_autoclose(struct pair *p, uint64_t autoclose_us)
{
    struct hws_params params;
    assert_int_equal(hws_assoc_params(p->a.engine, p->a.assoc, &params), HWS_OK);
    params.autoclose_us = autoclose_us;
    assert_int_equal(hws_assoc_set_params(p->a.engine, p->a.assoc, &params, p->now_us), HWS_OK);
}

static void autoclose_can_be_changed(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.params = closes_after_10_s});
    pair_connect(p);
    set_autoclose(p, 0);
    pair_run(p, 100ull * SECOND);
    assert_false(pair_saw(&p->a, HWS_EVENT_DOWN));
    set_autoclose(p, 3 * SECOND);
    pair_run(p, 3 * SECOND);
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    pair_free(p);
}

/* ---- Setting up ---- */

static void impatient(struct hws_params *a, struct hws_params *b)
{
    (void)b;
    a->rto_initial_us = SECOND;
    a->init_rto_max_us = 3 * SECOND;
    a->max_init_retrans = 5;
}

/* RFC 6458, 8.1.3, sinit_max_init_timeo */
static void inits_wait_no_longer_than_told(void **state)
{
    (void)state;
    static const uint32_t waits_s[] = {1, 2, 3, 3, 3, 3};
    struct pair *p = pair_new(&(struct pair_options){.params = impatient});
    pair_begin(&p->a);
    for (unsigned i = 0; i < 6; i++) {
        pair_lost(&p->a, "INIT");
        pair_wait(p, waits_s[i] * SECOND - 1);
        pair_silent(p);
        pair_wait(p, 1);
    }
    assert_true(pair_saw(&p->a, HWS_EVENT_DOWN));
    assert_int_equal(p->a.reason, HWS_E_TIMEDOUT);
    pair_free(p);
}

/* ---- Families and shared ports ---- */

static int make(struct pair_end *end, struct hws_endpoint_config config, hws_endpoint_id *out)
{
    return hws_endpoint_new(end->engine, &config, out);
}

static void two_families_share_a_port(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    hws_endpoint_id four, six, both;
    struct hws_endpoint_config config = {.port = 77, .families = HWS_ENDPOINT_IPV4};
    assert_int_equal(make(&p->a, config, &four), HWS_OK);
    assert_int_equal(make(&p->a, config, &both), HWS_E_INUSE);
    config.families = HWS_ENDPOINT_IPV6;
    assert_int_equal(make(&p->a, config, &six), HWS_OK);
    config.families = 0;
    assert_int_equal(make(&p->a, config, &both), HWS_E_INUSE);
    config = (struct hws_endpoint_config){
        .locals = p->a.addrs, .local_count = 1, .families = HWS_ENDPOINT_IPV6};
    assert_int_equal(make(&p->a, config, &both), HWS_E_INVAL);
    hws_assoc_id id;
    assert_int_equal(
        hws_assoc_connect(p->a.engine, six, &p->b.addr, 1, PAIR_PORT_B, p->now_us, &id),
        HWS_E_INVAL);
    assert_int_equal(
        hws_assoc_connect(p->a.engine, four, &p->b.addr, 1, PAIR_PORT_B, p->now_us, &id), HWS_OK);
    pair_free(p);
}

/* An INIT to an address of the other family finds nobody. */
static void the_other_family_is_not_listened_to(void **state)
{
    (void)state;
    for (unsigned families = 1; families <= 2; families++) {
        struct pair *p = pair_new(NULL);
        assert_int_equal(hws_endpoint_release(p->b.engine, p->b.endpoint), HWS_OK);
        struct hws_endpoint_config config = {
            .port = PAIR_PORT_B, .families = families, .listening = true};
        assert_int_equal(make(&p->b, config, &p->b.endpoint), HWS_OK);
        pair_begin(&p->a);
        pair_settle(p);
        assert_int_equal(pair_saw(&p->a, HWS_EVENT_UP), families == HWS_ENDPOINT_IPV4);
        pair_free(p);
    }
}

static void reuse_takes_both(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    hws_endpoint_id id;
    struct hws_endpoint_config config = {.port = 77, .listening = true};
    assert_int_equal(make(&p->a, config, &id), HWS_OK);
    config.reuse = true;
    assert_int_equal(make(&p->a, config, &id), HWS_E_INUSE);
    config.port = 78;
    assert_int_equal(make(&p->a, config, &id), HWS_OK);
    assert_int_equal(make(&p->a, config, &id), HWS_OK);
    config.reuse = false;
    assert_int_equal(make(&p->a, config, &id), HWS_E_INUSE);
    pair_free(p);
}

/* Connects from 60 ports: how many associations each of the three endpoints gets, and who gets the
 * one from the first port. */
static uint32_t spread(struct pair *p, const hws_endpoint_id endpoints[3], uint32_t counts[3])
{
    uint32_t first = 3;
    for (uint16_t i = 0; i < 60; i++) {
        hws_endpoint_id from;
        struct hws_endpoint_config config = {
            .port = (uint16_t)(3000 + i), .locals = p->a.addrs, .local_count = 1};
        hws_assoc_id id;
        assert_int_equal(make(&p->a, config, &from), HWS_OK);
        assert_int_equal(
            hws_assoc_connect(p->a.engine, from, &p->b.addr, 1, PAIR_PORT_B, p->now_us, &id),
            HWS_OK);
        pair_settle(p);
        assert_true(pair_saw(&p->b, HWS_EVENT_UP));
        for (uint32_t k = 0; k < 3; k++) {
            bool its = p->b.told[HWS_EVENT_UP].endpoint == endpoints[k];
            counts[k] += its;
            first = i == 0 && its ? k : first;
        }
        assert_int_equal(hws_assoc_release(p->a.engine, id, p->now_us), HWS_OK);
        pair_settle(p);
        assert_int_equal(hws_assoc_release(p->b.engine, p->b.assoc, p->now_us), HWS_OK);
        assert_int_equal(hws_endpoint_release(p->a.engine, from), HWS_OK);
    }
    return first;
}

static void associations_spread_over_a_shared_port(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    assert_int_equal(hws_endpoint_release(p->b.engine, p->b.endpoint), HWS_OK);
    struct hws_endpoint_config config = {.port = PAIR_PORT_B, .reuse = true, .listening = true};
    hws_endpoint_id endpoints[3];
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(make(&p->b, config, &endpoints[i]), HWS_OK);
    uint32_t counts[3] = {0}, again[3] = {0}, fewer[3] = {0};
    uint32_t first = spread(p, endpoints, counts);
    for (unsigned i = 0; i < 3; i++)
        assert_in_range(counts[i], 5, 40);
    assert_int_equal(spread(p, endpoints, again), first); /* the same peers, the same endpoints */
    assert_memory_equal(counts, again, sizeof counts);
    assert_int_equal(hws_endpoint_listen(p->b.engine, endpoints[first], false), HWS_OK);
    (void)spread(p, endpoints, fewer);
    assert_int_equal(fewer[first], 0);
    assert_int_equal(fewer[0] + fewer[1] + fewer[2], 60);
    pair_free(p);
}

/* ---- Addresses ---- */

static size_t locals_of(struct pair_end *end, struct hws_addr out[PAIR_ADDRS_MAX])
{
    size_t count;
    assert_int_equal(hws_assoc_locals(end->engine, end->assoc, out, PAIR_ADDRS_MAX, &count),
                     HWS_OK);
    return count;
}

/* Endpoints bound to nothing tell the host's addresses: several paths each way. */
static void hosts_tell_their_addresses(void **state)
{
    (void)state;
    struct pair *p =
        pair_new(&(struct pair_options){.addrs = 3, .any_local = true, .told_host = true});
    pair_connect(p);
    pair_run(p, 10ull * SECOND);
    struct hws_addr told[PAIR_ADDRS_MAX];
    for (unsigned end = 0; end < 2; end++) {
        struct pair_end *e = end == 0 ? &p->a : &p->b;
        assert_int_equal(pair_status(e).path_count, 3);
        for (unsigned i = 0; i < 3; i++)
            assert_true(pair_path_to(e, &e->other->addrs[i]).confirmed);
        assert_int_equal(locals_of(e, told), 3);
        assert_true(hws_addr_same(&told[0], &e->addrs[0]));
    }
    p->cut[0] = true;
    pair_send(&p->a, 0, 0, "goes around", 11);
    pair_run(p, 10ull * SECOND);
    pair_recv(&p->b, 0, "goes around", 11);
    pair_free(p);
}

/* As before for who does not ask for it. */
static void any_address_tells_none(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.addrs = 3, .any_local = true});
    hws_engine_set_host_addresses(p->b.engine, p->b.addrs, 3);
    pair_connect(p);
    struct hws_addr told[PAIR_ADDRS_MAX];
    assert_int_equal(locals_of(&p->b, told), 0);
    assert_int_equal(pair_status(&p->a).path_count, 1);
    pair_free(p);
}

static void endpoints_change_their_addresses(void **state)
{
    (void)state;
    struct pair *p = pair_new(&(struct pair_options){.addrs = 2});
    hws_endpoint_id other;
    struct hws_addr told[PAIR_ADDRS_MAX];
    pair_connect(p);
    assert_int_equal(hws_endpoint_set_locals(p->b.engine, p->b.endpoint, &p->b.addrs[1], 1),
                     HWS_OK);
    assert_int_equal(locals_of(&p->b, told), 2); /* the association keeps what it has told */
    pair_send(&p->a, 0, 0, "x", 1);
    pair_settle(p);
    pair_recv(&p->b, 0, "x", 1);
    struct hws_endpoint_config config = {
        .port = PAIR_PORT_B, .locals = p->b.addrs, .local_count = 1};
    assert_int_equal(make(&p->b, config, &other), HWS_OK); /* the first address is free */
    assert_int_equal(hws_endpoint_set_locals(p->b.engine, p->b.endpoint, p->b.addrs, 2),
                     HWS_E_INUSE);
    assert_int_equal(hws_endpoint_set_locals(p->b.engine, p->b.endpoint, NULL, 0), HWS_E_INUSE);
    assert_int_equal(hws_endpoint_set_locals(p->b.engine, 99, p->b.addrs, 2), HWS_E_NOENT);
    assert_int_equal(hws_endpoint_release(p->b.engine, other), HWS_OK);
    struct hws_addr none = {0};
    assert_int_equal(hws_endpoint_set_locals(p->b.engine, p->b.endpoint, &none, 1), HWS_E_INVAL);
    assert_int_equal(hws_endpoint_set_locals(p->b.engine, p->b.endpoint, NULL, 0), HWS_OK);
    pair_free(p);
}

/* RFC 6458, 8.1 and RFC 6951, 6.1: SCTP_REMOTE_UDP_ENCAPS_PORT of a path. */
static void a_path_is_encapsulated(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL);
    pair_connect(p);
    uint32_t packet = pair_path(&p->a).max_packet_bytes;
    assert_int_equal(hws_path_set_encapsulation(p->a.engine, p->a.assoc, 0, 9899), HWS_OK);
    assert_int_equal(hws_path_set_encapsulation(p->a.engine, p->a.assoc, 1, 9899), HWS_E_NOENT);
    pair_send(&p->a, 0, 0, "x", 1);
    pair_pull(p);
    assert_int_equal(pair_first(&p->a)->dst.udp_port, 9899);
    assert_int_equal(pair_path(&p->a).max_packet_bytes, packet - 8);
    pair_settle(p);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adaptation_layers_are_told),
        cmocka_unit_test(only_who_adapts_says_so),
        cmocka_unit_test(adaptation_layers_that_collide),
        cmocka_unit_test(an_idle_association_closes),
        cmocka_unit_test(data_either_way_keeps_it_open),
        cmocka_unit_test(outstanding_data_keeps_it_open),
        cmocka_unit_test(autoclose_can_be_changed),
        cmocka_unit_test(inits_wait_no_longer_than_told),
        cmocka_unit_test(two_families_share_a_port),
        cmocka_unit_test(the_other_family_is_not_listened_to),
        cmocka_unit_test(reuse_takes_both),
        cmocka_unit_test(associations_spread_over_a_shared_port),
        cmocka_unit_test(hosts_tell_their_addresses),
        cmocka_unit_test(any_address_tells_none),
        cmocka_unit_test(endpoints_change_their_addresses),
        cmocka_unit_test(a_path_is_encapsulated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
