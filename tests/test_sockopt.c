/* Options of sockets, above an engine that remembers what it was told: which of the engine's
 * parameters each one means, and for whom. */
#include "memory_env.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include <linux/sctp.h>

#include "api/sock/socket.h"
#include "api/sock/sockopt.h"
#include "fake_engine.h"
#include "willing_host.h"

#define NOW 1000u
#define FIRST "192.0.2.9"
#define SECOND "192.0.2.10"
#define STRANGER "192.0.2.11"

struct world {
    struct memory_env mem;
    struct hws_sockets sockets;
    struct hws_sock *sock;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    fake_engine_reset();
    memory_env_init(&w->mem, 1, true);
    hws_sockets_init(&w->sockets, NULL, &w->mem.env, &willing_host);
    w->sock = hws_sock_open(&w->sockets, AF_INET6, HWS_SOCK_ONE_TO_ONE);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    hws_sockets_fini(&w->sockets, NOW);
    memory_env_fini(&w->mem);
    free(w);
    return 0;
}

static void event(struct world *w, enum hws_event_type type, const struct hws_addr *remote)
{
    struct hws_event e = {.type = type, .assoc = w->sock->assoc, .remote = *remote};
    hws_sockets_event(&w->sockets, &e, NOW);
}

static const struct hws_addr first = {.family = HWS_FAMILY_IPV4, .ip = {192, 0, 2, 9}};

static void connect_to_first(struct world *w)
{
    assert_int_equal(
        hws_sock_connect(w->sock, &first, 1, FAKE_ENGINE_REMOTE_PORT, false, NULL, NOW),
        -EINPROGRESS);
    event(w, HWS_EVENT_UP, &first);
}

static int set(struct world *w, int option, const void *value, size_t len)
{
    return hws_sockopt_set(w->sock, IPPROTO_SCTP, option, value, (socklen_t)len, NOW);
}

static int get(struct world *w, int option, void *value, size_t len)
{
    socklen_t got = (socklen_t)len;
    int rc = hws_sockopt_get(w->sock, IPPROTO_SCTP, option, value, &got);
    assert_true(rc < 0 || got == len);
    return rc;
}

static struct sockaddr_storage address(const char *text, uint16_t port)
{
    struct sockaddr_storage storage = {.ss_family = AF_INET};
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)&storage;
    in->sin_port = htons(port);
    assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
    return storage;
}

static struct sockaddr_storage peer(const char *text)
{
    return address(text, FAKE_ENGINE_REMOTE_PORT);
}

/* ---- Parameters of the association ---- */

static void parameters_go_to_the_endpoint_and_then_to_the_association(void **state)
{
    struct world *w = *state;
    struct sctp_rtoinfo rto = {.srto_initial = 300, .srto_min = 100, .srto_max = 2000};
    assert_int_equal(hws_sock_bind(w->sock, NULL, 0, 5000), 0);
    assert_int_equal(set(w, SCTP_RTOINFO, &rto, sizeof(rto)), 0);
    assert_int_equal(fake_engine.last_params.rto_min_us, 100000);
    connect_to_first(w);
    rto = (struct sctp_rtoinfo){.srto_max = 5000};
    assert_int_equal(set(w, SCTP_RTOINFO, &rto, sizeof(rto)), 0);
    assert_int_equal(fake_engine.params_set, 1);
    assert_int_equal(fake_engine.assoc_params.rto_max_us, 5000000);
    assert_int_equal(fake_engine.assoc_params.rto_initial_us, 1000000);
    assert_int_equal(get(w, SCTP_RTOINFO, &rto, sizeof(rto)), 0);
    assert_int_equal(rto.srto_max, 5000);
    assert_int_equal(rto.srto_initial, 1000);
    event(w, HWS_EVENT_DOWN, &first);
    assert_int_equal(set(w, SCTP_RTOINFO, &rto, sizeof(rto)), 0); /* for the next one */
    assert_int_equal(fake_engine.params_set, 1);
}

static void parameters_of_the_association_alone(void **state)
{
    struct world *w = *state;
    struct sctp_assocparams info = {.sasoc_asocmaxrxt = 3, .sasoc_cookie_life = 7000};
    connect_to_first(w);
    fake_engine.path_params[0].path_max_retrans = 2;
    assert_int_equal(set(w, SCTP_ASSOCINFO, &info, sizeof(info)),
                     -EINVAL); /* more than paths try */
    fake_engine.path_params[1].path_max_retrans = 1;
    assert_int_equal(set(w, SCTP_ASSOCINFO, &info, sizeof(info)), 0);
    assert_int_equal(fake_engine.assoc_params.assoc_max_retrans, 3);
    assert_int_equal(fake_engine.assoc_params.cookie_life_us, 7000000);
    info = (struct sctp_assocparams){0};
    assert_int_equal(set(w, SCTP_ASSOCINFO, &info, sizeof(info)), 0); /* changes nothing */
    assert_int_equal(get(w, SCTP_ASSOCINFO, &info, sizeof(info)), 0);
    assert_int_equal(info.sasoc_asocmaxrxt, 3);
    assert_int_equal(info.sasoc_cookie_life, 7000);
    assert_int_equal(info.sasoc_number_peer_destinations, FAKE_ENGINE_PATHS);
}

static void delayed_sack(void **state)
{
    struct world *w = *state;
    struct sctp_sack_info info = {.sack_delay = 50, .sack_freq = 4};
    connect_to_first(w);
    assert_int_equal(set(w, SCTP_DELAYED_SACK, &info, sizeof(info)), 0);
    assert_int_equal(fake_engine.assoc_params.sack_delay_us, 50000);
    assert_int_equal(fake_engine.assoc_params.sack_packets, 4);
    info = (struct sctp_sack_info){.sack_delay = 501};
    assert_int_equal(set(w, SCTP_DELAYED_SACK, &info, sizeof(info)), -EINVAL);
    assert_int_equal(get(w, SCTP_DELAYED_SACK, &info, sizeof(info)), 0);
    assert_int_equal(info.sack_delay, 50);
    assert_int_equal(info.sack_freq, 4);
}

/* ---- Parameters of paths ---- */

static void an_address_names_a_path(void **state)
{
    struct world *w = *state;
    struct sctp_paddrparams params = {.spp_address = peer(SECOND),
                                      .spp_hbinterval = 2000,
                                      .spp_pathmaxrxt = 2,
                                      .spp_pathmtu = 1300,
                                      .spp_flags = SPP_HB_ENABLE | SPP_PMTUD_DISABLE};
    connect_to_first(w);
    assert_int_equal(set(w, SCTP_PEER_ADDR_PARAMS, &params, sizeof(params)), 0);
    assert_int_equal(fake_engine.params_set, 0);
    assert_int_equal(fake_engine.path_params_set, 1);
    assert_int_equal(fake_engine.path_params[1].hb_interval_us, 2000000);
    assert_int_equal(fake_engine.path_params[1].path_max_retrans, 2);
    assert_int_equal(fake_engine.path_params[1].mtu, 1300);
    assert_false(fake_engine.path_params[1].pmtud);
    params = (struct sctp_paddrparams){.spp_address = peer(SECOND)};
    assert_int_equal(get(w, SCTP_PEER_ADDR_PARAMS, &params, sizeof(params)), 0);
    assert_int_equal(params.spp_hbinterval, 2000);
    assert_int_equal(params.spp_pathmaxrxt, 2);
    assert_int_equal(params.spp_pathmtu, 1501); /* what it is, not what was asked for */
    assert_int_equal(params.spp_flags, SPP_HB_ENABLE | SPP_PMTUD_DISABLE | SPP_SACKDELAY_ENABLE);
}

static void without_an_address_all_paths_are_meant(void **state)
{
    struct world *w = *state;
    struct sctp_paddrparams params = {
        .spp_pathmaxrxt = 3, .spp_pathmtu = 1400, .spp_flags = SPP_HB_DISABLE | SPP_PMTUD_DISABLE};
    struct sctp_paddrthlds thresholds = {.spt_address = address("0.0.0.0", 0), .spt_pathpfthld = 2};
    connect_to_first(w);
    assert_int_equal(set(w, SCTP_PEER_ADDR_PARAMS, &params, sizeof(params)), 0);
    assert_true(fake_engine.assoc_params.no_heartbeats);
    assert_int_equal(fake_engine.assoc_params.path_max_retrans, 3);
    for (unsigned i = 0; i < FAKE_ENGINE_PATHS; i++)
        assert_int_equal(fake_engine.path_params[i].mtu, 1400);
    assert_int_equal(set(w, SCTP_PEER_ADDR_THLDS, &thresholds, sizeof(thresholds)), 0);
    assert_int_equal(fake_engine.assoc_params.pf_max_retrans, 2);
    assert_int_equal(fake_engine.assoc_params.path_max_retrans, 3);
    params = (struct sctp_paddrparams){.spp_flags = SPP_HB_ENABLE};
    assert_int_equal(set(w, SCTP_PEER_ADDR_PARAMS, &params, sizeof(params)), 0);
    assert_false(fake_engine.assoc_params.no_heartbeats);
    assert_int_equal(fake_engine.assoc_params.hb_interval_us, 30000000); /* not forgotten */
}

static void before_the_association_the_endpoint_keeps_them(void **state)
{
    struct world *w = *state;
    struct sctp_paddrparams params = {.spp_hbinterval = 5000,
                                      .spp_flags = SPP_HB_ENABLE | SPP_PMTUD_DISABLE};
    assert_int_equal(hws_sock_bind(w->sock, NULL, 0, 5000), 0);
    assert_int_equal(hws_sock_listen(w->sock, 1), 0);
    assert_int_equal(set(w, SCTP_PEER_ADDR_PARAMS, &params, sizeof(params)), 0);
    assert_int_equal(fake_engine.last_params.hb_interval_us, 5000000);
    assert_false(fake_engine.last_params.pmtud);
    params.spp_address = peer(FIRST);
    assert_int_equal(set(w, SCTP_PEER_ADDR_PARAMS, &params, sizeof(params)), -EINVAL);
}

static void path_parameters_are_checked(void **state)
{
    static const struct {
        struct sctp_paddrparams params;
        int rc;
    } cases[] = {
        {{.spp_flags = SPP_HB_ENABLE | SPP_HB_DISABLE}, -EINVAL},
        {{.spp_flags = SPP_PMTUD_ENABLE | SPP_PMTUD_DISABLE}, -EINVAL},
        {{.spp_flags = SPP_PMTUD_DISABLE, .spp_pathmtu = 511}, -EINVAL},
        {{.spp_flags = SPP_PMTUD_DISABLE, .spp_pathmtu = 65536}, -EINVAL},
        {{.spp_flags = SPP_HB_ENABLE, .spp_hbinterval = UINT32_MAX}, -EINVAL},
        {{.spp_flags = SPP_SACKDELAY_ENABLE | SPP_SACKDELAY_DISABLE}, -EINVAL},
        {{.spp_sackdelay = 501}, -EINVAL},
        {{.spp_flags = SPP_IPV6_FLOWLABEL}, -EOPNOTSUPP},
    };
    struct world *w = *state;
    struct sctp_paddrparams unknown = {.spp_address = peer(STRANGER)};
    struct sctp_paddrparams other_port = {.spp_address = address(FIRST, 8)};
    connect_to_first(w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(set(w, SCTP_PEER_ADDR_PARAMS, &cases[i].params, sizeof(cases[i].params)),
                         cases[i].rc);
    assert_int_equal(set(w, SCTP_PEER_ADDR_PARAMS, &unknown, sizeof(unknown)), -EINVAL);
    assert_int_equal(get(w, SCTP_PEER_ADDR_PARAMS, &other_port, sizeof(other_port)), -EINVAL);
    assert_int_equal(fake_engine.path_params_set, 0);
}

static void a_heartbeat_on_demand(void **state)
{
    struct world *w = *state;
    struct sctp_paddrparams params = {.spp_address = peer(SECOND), .spp_flags = SPP_HB_DEMAND};
    connect_to_first(w);
    assert_int_equal(set(w, SCTP_PEER_ADDR_PARAMS, &params, sizeof(params)), 0);
    assert_int_equal(fake_engine.heartbeats[0], 0);
    assert_int_equal(fake_engine.heartbeats[1], 1);
}

static void thresholds_of_a_path(void **state)
{
    struct world *w = *state;
    struct sctp_paddrthlds thresholds = {
        .spt_address = peer(FIRST), .spt_pathmaxrxt = 4, .spt_pathpfthld = 1};
    connect_to_first(w);
    assert_int_equal(set(w, SCTP_PEER_ADDR_THLDS, &thresholds, sizeof(thresholds)), 0);
    assert_int_equal(fake_engine.path_params[0].path_max_retrans, 4);
    assert_int_equal(fake_engine.path_params[0].pf_max_retrans, 1);
    thresholds = (struct sctp_paddrthlds){.spt_address = peer(FIRST)};
    assert_int_equal(get(w, SCTP_PEER_ADDR_THLDS, &thresholds, sizeof(thresholds)), 0);
    assert_int_equal(thresholds.spt_pathmaxrxt, 4);
    assert_int_equal(thresholds.spt_pathpfthld, 1);
}

static void the_primary_path(void **state)
{
    struct world *w = *state;
    struct sctp_prim prim = {.ssp_addr = peer(SECOND)};
    assert_int_equal(set(w, SCTP_PRIMARY_ADDR, &prim, sizeof(prim)), -EINVAL);
    connect_to_first(w);
    assert_int_equal(set(w, SCTP_PRIMARY_ADDR, &prim, sizeof(prim)), 0);
    assert_int_equal(fake_engine.primary, 1);
    prim = (struct sctp_prim){0};
    assert_int_equal(get(w, SCTP_PRIMARY_ADDR, &prim, sizeof(prim)), 0);
    struct sockaddr_storage expected = peer(SECOND), got = prim.ssp_addr;
    const struct sockaddr_in6 *mapped = (const struct sockaddr_in6 *)(const void *)&got;
    const struct in_addr *ip = &((const struct sockaddr_in *)(const void *)&expected)->sin_addr;
    assert_int_equal(mapped->sin6_family, AF_INET6); /* what an AF_INET6 socket wants by default */
    assert_true(IN6_IS_ADDR_V4MAPPED(&mapped->sin6_addr));
    assert_memory_equal(&mapped->sin6_addr.s6_addr[12], ip, sizeof(*ip));
    int off = 0;
    assert_int_equal(set(w, SCTP_I_WANT_MAPPED_V4_ADDR, &off, sizeof(off)), 0);
    assert_int_equal(get(w, SCTP_PRIMARY_ADDR, &prim, sizeof(prim)), 0);
    got = prim.ssp_addr;
    assert_memory_equal(&got, &expected, sizeof(struct sockaddr_in));
}

static void what_is_known_of_a_path(void **state)
{
    struct world *w = *state;
    struct sctp_paddrinfo info = {.spinfo_address = peer(SECOND)};
    connect_to_first(w);
    assert_int_equal(get(w, SCTP_GET_PEER_ADDR_INFO, &info, sizeof(info)), 0);
    assert_int_equal(info.spinfo_state, SCTP_PF);
    assert_int_equal(info.spinfo_srtt, 5);
    assert_int_equal(info.spinfo_rto, 1500);
    assert_int_equal(info.spinfo_cwnd, 4380);
    assert_int_equal(info.spinfo_mtu, 1501);
    info.spinfo_address = peer(STRANGER);
    assert_int_equal(get(w, SCTP_GET_PEER_ADDR_INFO, &info, sizeof(info)), -EINVAL);
    assert_int_equal(set(w, SCTP_GET_PEER_ADDR_INFO, &info, sizeof(info)), -ENOPROTOOPT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parameters_go_to_the_endpoint_and_then_to_the_association),
        TEST(parameters_of_the_association_alone),
        TEST(delayed_sack),
        TEST(an_address_names_a_path),
        TEST(without_an_address_all_paths_are_meant),
        TEST(before_the_association_the_endpoint_keeps_them),
        TEST(path_parameters_are_checked),
        TEST(a_heartbeat_on_demand),
        TEST(thresholds_of_a_path),
        TEST(the_primary_path),
        TEST(what_is_known_of_a_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
