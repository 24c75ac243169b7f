/* What options do, seen at the peer: sockets above real engines. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/sock/sockaddr.h"
#include "api/sock/sockopt.h"
#include "tests/hosts.h"

#define PORT 5000u
#define SECOND_US 1000000u

/* Both ends of an association, from `a` to `b`. */
struct world {
    struct hosts *hosts;
    struct hws_sock *here, *there;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->hosts = hosts_new();
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    hosts_free(w->hosts);
    free(w);
    return 0;
}

static int set(const struct world *w, struct hws_sock *sock, int option, const void *value,
               size_t len)
{
    return hws_sockopt_set(sock, IPPROTO_SCTP, option, value, (socklen_t)len, w->hosts->now_us);
}

static void get(struct hws_sock *sock, int option, void *value, size_t size)
{
    socklen_t len = (socklen_t)size;
    assert_int_equal(hws_sockopt_get(sock, IPPROTO_SCTP, option, value, &len), 0);
}

static void open_both(struct world *w)
{
    w->there = hosts_listen(&w->hosts->b, PORT);
    w->here = hws_sock_open(&w->hosts->a.sockets, AF_INET, HWS_SOCK_ONE_TO_ONE);
    assert_non_null(w->here);
}

static void up(struct world *w)
{
    struct hws_sock *listener = w->there;
    hosts_connect(w->here, &w->hosts->a, PORT);
    hosts_wait(w->hosts, SECOND_US);
    assert_int_equal(hws_sock_accept(listener, &w->there), 0);
}

static void send_bytes(struct world *w, struct hws_sock *sock, size_t len)
{
    static uint8_t bytes[8192];
    const struct hws_iovec iov = {bytes, len};
    const struct hws_sock_send msg = {.iov = &iov, .iov_count = 1};
    assert_true(len <= sizeof(bytes));
    assert_int_equal(hws_sock_sendmsg(sock, &msg, w->hosts->now_us), 0);
    hosts_settle(w->hosts);
}

static struct hws_sock_recv receive(struct world *w, struct hws_sock *sock, void *buf, size_t len)
{
    const struct hws_sock_iovec iov = {buf, len};
    struct hws_sock_recv msg = {.iov = &iov, .iov_count = 1};
    assert_int_equal(hws_sock_recvmsg(sock, &msg, w->hosts->now_us), 0);
    return msg;
}

static struct sctp_assoc_stats stats_of(struct hws_sock *sock)
{
    struct sctp_assoc_stats stats = {0};
    get(sock, SCTP_GET_ASSOC_STATS, &stats, sizeof(stats));
    return stats;
}

static void idle_associations_are_closed(void **state)
{
    struct world *w = *state;
    const int seconds = 5;
    uint32_t count;
    w->there = hosts_listen(&w->hosts->b, PORT);
    w->here = hws_sock_open(&w->hosts->a.sockets, AF_INET, HWS_SOCK_ONE_TO_MANY);
    assert_int_equal(set(w, w->here, SCTP_AUTOCLOSE, &seconds, sizeof(seconds)), 0);
    up(w);
    hosts_wait(w->hosts, 3 * SECOND_US);
    get(w->here, SCTP_GET_ASSOC_NUMBER, &count, sizeof(count));
    assert_int_equal(count, 1);
    hosts_wait(w->hosts, 2 * SECOND_US);
    get(w->here, SCTP_GET_ASSOC_NUMBER, &count, sizeof(count));
    assert_int_equal(count, 0);
}

static void messages_are_cut_where_asked(void **state)
{
    struct world *w = *state;
    const struct sctp_assoc_value most = {.assoc_value = 464};
    const int on = 1;
    open_both(w);
    up(w);
    send_bytes(w, w->here, 1000);
    assert_int_equal(stats_of(w->here).sas_oodchunks, 1);
    assert_int_equal(set(w, w->here, SCTP_MAXSEG, &most, sizeof(most)), 0);
    send_bytes(w, w->here, 1000);
    assert_int_equal(stats_of(w->here).sas_oodchunks, 1 + 3);
    assert_int_equal(set(w, w->here, SCTP_DISABLE_FRAGMENTS, &on, sizeof(on)), 0);
    const struct hws_iovec iov = {&most, 465};
    const struct hws_sock_send msg = {.iov = &iov, .iov_count = 1};
    assert_int_equal(hws_sock_sendmsg(w->here, &msg, w->hosts->now_us), -EMSGSIZE);
}

static void the_peer_is_told_the_adaptation_layer(void **state)
{
    struct world *w = *state;
    const struct sctp_setadaptation layer = {.ssb_adaptation_ind = 77};
    const struct sctp_event wanted = {.se_type = SCTP_ADAPTATION_INDICATION, .se_on = 1};
    union {
        struct sctp_adaptation_event adaptation;
        uint8_t bytes[64];
    } note;
    open_both(w);
    assert_int_equal(set(w, w->there, SCTP_EVENT, &wanted, sizeof(wanted)), 0);
    assert_int_equal(set(w, w->here, SCTP_ADAPTATION_LAYER, &layer, sizeof(layer)), 0);
    up(w);
    struct hws_sock_recv msg = receive(w, w->there, &note, sizeof(note));
    assert_true((msg.flags & MSG_NOTIFICATION) != 0);
    assert_int_equal(note.adaptation.sai_type, SCTP_ADAPTATION_INDICATION);
    assert_int_equal(note.adaptation.sai_adaptation_ind, 77);
}

static void sends_without_info_use_the_default(void **state)
{
    struct world *w = *state;
    const struct sctp_sndinfo info = {.snd_sid = 3, .snd_ppid = 0x01020304};
    const struct sctp_assoc_value context = {.assoc_value = 4711};
    uint8_t buf[16];
    open_both(w);
    up(w);
    assert_int_equal(set(w, w->here, SCTP_DEFAULT_SNDINFO, &info, sizeof(info)), 0);
    assert_int_equal(set(w, w->there, SCTP_CONTEXT, &context, sizeof(context)), 0);
    send_bytes(w, w->here, 4);
    struct hws_sock_recv msg = receive(w, w->there, buf, sizeof(buf));
    assert_int_equal(msg.rcv.rcv_sid, 3);
    assert_int_equal(msg.rcv.rcv_ppid, 0x01020304);
    assert_int_equal(msg.rcv.rcv_context, 4711);
}

static void packets_carry_what_ip_was_told(void **state)
{
    struct world *w = *state;
    const int tos = 0x28, ttl = 9;
    struct sctp_paddrparams params = {.spp_flags = SPP_DSCP, .spp_dscp = 0xb8};
    open_both(w);
    assert_int_equal(hws_sockopt_set(w->here, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl), 0), 0);
    up(w);
    assert_int_equal(w->hosts->a.last.ttl, 9);
    assert_int_equal(w->hosts->a.last.tos, 0);
    assert_int_equal(hws_sockopt_set(w->here, IPPROTO_IP, IP_TOS, &tos, sizeof(tos), 0), 0);
    send_bytes(w, w->here, 4);
    assert_int_equal(w->hosts->a.last.tos, 0x28);
    assert_int_equal(set(w, w->here, SCTP_PEER_ADDR_PARAMS, &params, sizeof(params)), 0);
    send_bytes(w, w->here, 4);
    assert_int_equal(w->hosts->a.last.tos, 0xb8);
}

static void data_goes_to_the_primary_address(void **state)
{
    struct world *w = *state;
    struct sockaddr_storage address;
    open_both(w);
    up(w);
    hosts_wait(w->hosts, 5 * SECOND_US); /* in which the second address is confirmed */
    hws_sockaddr_write(&w->hosts->b.addrs[1], PORT, &address);
    const struct sctp_prim prim = {.ssp_addr = address};
    send_bytes(w, w->here, 4);
    assert_true(hws_addr_same(&w->hosts->a.last.dst, &w->hosts->b.addrs[0]));
    assert_int_equal(set(w, w->here, SCTP_PRIMARY_ADDR, &prim, sizeof(prim)), 0);
    send_bytes(w, w->here, 4);
    assert_true(hws_addr_same(&w->hosts->a.last.dst, &w->hosts->b.addrs[1]));
}

static void a_heartbeat_is_sent_when_demanded(void **state)
{
    struct world *w = *state;
    const struct sctp_paddrparams quiet = {.spp_flags = SPP_HB_DISABLE};
    const struct sctp_paddrparams demand = {.spp_flags = SPP_HB_DEMAND};
    open_both(w);
    up(w);
    hosts_wait(w->hosts, 5 * SECOND_US);
    assert_int_equal(set(w, w->here, SCTP_PEER_ADDR_PARAMS, &quiet, sizeof(quiet)), 0);
    hosts_wait(w->hosts, SECOND_US);
    uint64_t before = stats_of(w->here).sas_opackets;
    assert_int_equal(set(w, w->there, SCTP_PEER_ADDR_PARAMS, &quiet, sizeof(quiet)), 0);
    hosts_wait(w->hosts, 300 * (uint64_t)SECOND_US);
    assert_int_equal(stats_of(w->here).sas_opackets, before);
    assert_int_equal(set(w, w->here, SCTP_PEER_ADDR_PARAMS, &demand, sizeof(demand)), 0);
    hosts_settle(w->hosts);
    assert_int_equal(stats_of(w->here).sas_opackets, before + HOSTS_ADDRS);
}

static void sacks_come_at_once_or_late(void **state)
{
    struct world *w = *state;
    const struct sctp_sack_info at_once = {.sack_freq = 1}, late = {.sack_delay = 400};
    open_both(w);
    up(w);
    assert_int_equal(set(w, w->there, SCTP_DELAYED_SACK, &at_once, sizeof(at_once)), 0);
    send_bytes(w, w->here, 4);
    assert_int_equal(stats_of(w->there).sas_osacks, 1);
    assert_int_equal(set(w, w->there, SCTP_DELAYED_SACK, &late, sizeof(late)), 0);
    send_bytes(w, w->here, 4);
    assert_int_equal(stats_of(w->there).sas_osacks, 1);
    hosts_wait(w->hosts, 400000);
    assert_in_range(stats_of(w->there).sas_osacks, 2, 3); /* a probe for the tail may hurry it */
}

static void the_window_is_half_the_buffer(void **state)
{
    struct world *w = *state;
    const int bytes = 100000;
    struct sctp_assocparams info = {0};
    open_both(w);
    assert_int_equal(hws_sockopt_set(w->there, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes), 0), 0);
    up(w);
    get(w->here, SCTP_ASSOCINFO, &info, sizeof(info));
    assert_int_equal(info.sasoc_peer_rwnd, 100000);
    assert_int_equal(info.sasoc_number_peer_destinations, HOSTS_ADDRS);
    get(w->there, SCTP_ASSOCINFO, &info, sizeof(info));
    assert_int_equal(info.sasoc_local_rwnd, 100000);
}

static void what_is_under_way_and_what_waits(void **state)
{
    struct world *w = *state;
    struct sctp_status status = {0};
    uint8_t buf[16];
    const int on = 1;
    open_both(w);
    up(w);
    send_bytes(w, w->here, 4);
    hosts_wait(w->hosts, SECOND_US);
    w->hosts->cut = true;
    send_bytes(w, w->here, 4);
    send_bytes(w, w->here, 4);
    get(w->here, SCTP_STATUS, &status, sizeof(status));
    assert_int_equal(status.sstat_unackdata, 1); /* Nagle's rule holds the second back */
    assert_int_equal(set(w, w->here, SCTP_NODELAY, &on, sizeof(on)), 0);
    hosts_settle(w->hosts);
    get(w->here, SCTP_STATUS, &status, sizeof(status));
    assert_int_equal(status.sstat_state, SCTP_ESTABLISHED);
    assert_int_equal(status.sstat_unackdata, 2);
    get(w->there, SCTP_STATUS, &status, sizeof(status));
    assert_int_equal(status.sstat_penddata, 1);
    receive(w, w->there, buf, sizeof(buf));
    get(w->there, SCTP_STATUS, &status, sizeof(status));
    assert_int_equal(status.sstat_penddata, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(idle_associations_are_closed),          TEST(messages_are_cut_where_asked),
        TEST(the_peer_is_told_the_adaptation_layer), TEST(sends_without_info_use_the_default),
        TEST(packets_carry_what_ip_was_told),        TEST(data_goes_to_the_primary_address),
        TEST(a_heartbeat_is_sent_when_demanded),     TEST(sacks_come_at_once_or_late),
        TEST(the_window_is_half_the_buffer),         TEST(what_is_under_way_and_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
