#include "tests/sockworld.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- What sockets need of their host ---- */

static int add_port(void *arg, uint16_t port)
{
    struct sockhost *h = arg;
    (void)port;
    h->ports++;
    return 0;
}

static void remove_port(void *arg, uint16_t port)
{
    struct sockhost *h = arg;
    (void)port;
    h->ports--;
}

static int check_local(void *arg, const struct hws_addr *local)
{
    const struct sim_node *node = &((struct sockhost *)arg)->host.node;
    for (uint32_t i = 0; i < node->addr_count; i++) {
        if (hws_addr_same(&node->addrs[i], local))
            return 0;
    }
    return -EADDRNOTAVAIL;
}

static int check_route(void *arg, const struct hws_addr *remote)
{
    (void)arg;
    return remote->ip[0] == 198 ? -ENETUNREACH : 0;
}

static int check_port(void *arg, uint16_t port)
{
    return port < ((struct sockhost *)arg)->port_limit ? -EACCES : 0;
}

static void on_event(struct sim_host *host, const struct hws_event *event)
{
    struct sockhost *h = (struct sockhost *)host;
    if (h->watch != NULL)
        h->watch(h->watch_arg, h, event);
    hws_sockets_event(&h->sockets, event, host->node.world->now_us);
}

static void on_turn(struct sim_host *host)
{
    struct sockhost *h = (struct sockhost *)host;
    struct hws_sock_release one;
    hws_sockets_dispatch(&h->sockets);
    while (hws_sockets_released(&h->sockets, &one))
        one.release(one.arg);
}

/* ---- The world ---- */

static struct hws_addr address(uint32_t host, uint32_t subnet, bool ipv6)
{
    struct hws_addr addr = {.family = ipv6 ? HWS_FAMILY_IPV6 : HWS_FAMILY_IPV4};
    addr.ip[0] = ipv6 ? 0xfd : 10;
    addr.ip[1] = (uint8_t)subnet;
    addr.ip[ipv6 ? 15 : 3] = (uint8_t)(host + 1);
    return addr;
}

static void init_host(struct sockworld *w, uint32_t k, uint64_t seed, uint32_t addr_count,
                      bool ipv6)
{
    struct sockhost *h = &w->hosts[k];
    const struct sim_host_config config = {.seed = seed * SOCKWORLD_HOSTS + k,
                                           .interface_mtu = SOCKWORLD_MTU,
                                           .max_packets = 16,
                                           .direct_alloc = true,
                                           .own_host = true};
    sim_host_init(&h->host, &w->net, &config);
    for (uint32_t i = 0; i < addr_count + ipv6; i++) {
        struct hws_addr addr = address(k, i, i == addr_count);
        sim_host_add_addr(&h->host, &addr);
    }
    h->host.on_event = on_event;
    h->host.on_turn = on_turn;
    h->env = sim_env_make(&h->host.env);
    const struct hws_sockets_host host = {.arg = h,
                                          .add_port = add_port,
                                          .remove_port = remove_port,
                                          .check_local = check_local,
                                          .check_route = check_route,
                                          .check_port = check_port};
    hws_sockets_init(&h->sockets, h->host.engine, &h->env, &host);
}

void sockworld_begin(struct sockworld *w, uint64_t seed, uint32_t addr_count, bool ipv6)
{
    memset(w, 0, sizeof(*w));
    sim_world_init(&w->world, seed);
    sim_net_init(&w->net, &w->world, seed + 1);
    struct sim_link *links = &w->net.links[0][0][0][0];
    for (size_t i = 0; i < sizeof(w->net.links) / sizeof(*links); i++)
        links[i].config =
            (struct sim_link_config){.delay_us = SOCKWORLD_DELAY_US, .mtu = SOCKWORLD_MTU};
    for (uint32_t k = 0; k < SOCKWORLD_HOSTS; k++)
        init_host(w, k, seed, addr_count, ipv6);
}

struct sockworld *sockworld_new(uint64_t seed, uint32_t addr_count, bool ipv6)
{
    struct sockworld *w = malloc(sizeof(*w));
    assert_non_null(w);
    sockworld_begin(w, seed, addr_count, ipv6);
    return w;
}

void sockworld_end(struct sockworld *w)
{
    for (uint32_t k = 0; k < SOCKWORLD_HOSTS; k++) {
        struct sockhost *h = &w->hosts[k];
        hws_sockets_fini(&h->sockets, w->world.now_us);
        SIM_CHECK(&w->world, h->ports == 0, "%u ports are left", h->ports);
    }
    for (uint32_t k = 0; k < SOCKWORLD_HOSTS; k++)
        sim_host_fini(&w->hosts[k].host);
    sim_world_fini(&w->world);
    sim_net_fini(&w->net);
    SIM_CHECK(&w->world, w->world.live_packets == 0, "%zu packets are left", w->world.live_packets);
}

void sockworld_free(struct sockworld *w)
{
    sockworld_end(w);
    if (w->world.failed)
        fail_msg("%s", w->world.failure);
    free(w);
}

uint64_t sockworld_now(const struct sockworld *w)
{
    return w->world.now_us;
}

static void nothing(struct sim_world *world, void *ctx, uint32_t arg)
{
    (void)world;
    (void)arg;
    ((struct sockhost *)ctx)->host.changed = true;
}

void sockworld_kick(struct sockhost *h)
{
    sim_world_call(h->host.node.world, 0, &h->host.node, nothing, h, 0);
}

void sockworld_run(struct sockworld *w, uint64_t us)
{
    uint64_t until_us = w->world.now_us + us;
    for (uint32_t k = 0; k < SOCKWORLD_HOSTS; k++)
        sockworld_kick(&w->hosts[k]);
    while (sim_world_step(&w->world, until_us))
        ;
}

void sockworld_settle(struct sockworld *w)
{
    sockworld_run(w, 2000000);
}

const struct hws_addr *sockhost_addr(const struct sockhost *h, uint32_t i)
{
    return &h->host.node.addrs[i];
}

void sockworld_cut_path(struct sockworld *w, uint32_t i, bool cut)
{
    for (uint32_t from = 0; from < SOCKWORLD_HOSTS; from++) {
        for (uint32_t k = 0; k < SIM_NODE_ADDRS_MAX; k++) {
            sim_net_link(&w->net, from, k, 1 - from, i)->config.absent = cut;
            sim_net_link(&w->net, from, i, 1 - from, k)->config.absent = cut;
        }
    }
}

void sockworld_cut(struct sockworld *w, bool cut)
{
    for (uint32_t i = 0; i < SIM_NODE_ADDRS_MAX; i++)
        sockworld_cut_path(w, i, cut);
}

/* ---- Calls ---- */

static uint64_t now_of(const struct hws_sock *sock)
{
    const struct sockhost *h = sock->sockets->host.arg;
    return h->host.node.world->now_us;
}

struct hws_sock *sockhost_open(struct sockhost *h, enum hws_sock_style style, uint16_t port)
{
    struct hws_sock *sock = hws_sock_open(&h->sockets, AF_INET6, style);
    assert_non_null(sock);
    if (port != 0)
        assert_int_equal(hws_sock_bind(sock, NULL, 0, port), 0);
    return sock;
}

struct hws_sock *sockhost_listen(struct sockhost *h, enum hws_sock_style style, uint16_t port,
                                 int backlog)
{
    struct hws_sock *sock = sockhost_open(h, style, port);
    assert_int_equal(hws_sock_listen(sock, backlog), 0);
    return sock;
}

void sock_want(struct hws_sock *sock, struct hws_member *member, uint32_t events)
{
    hws_sock_subscribe(sock, member, events, UINT32_MAX, now_of(sock));
}

void sock_want_all(struct hws_sock *sock)
{
    sock_want(sock, NULL, UINT32_MAX);
}

void sockworld_connect(struct sockworld *w, struct hws_sock **client, struct hws_sock **server)
{
    struct hws_sock *listener = sockhost_listen(&w->hosts[1], HWS_SOCK_ONE_TO_ONE, 5000, 1);
    *client = sockhost_open(&w->hosts[0], HWS_SOCK_ONE_TO_ONE, 0);
    assert_int_equal(hws_sock_connect(*client, sockhost_addr(&w->hosts[1], 0), 1, 5000, false, NULL,
                                      sockworld_now(w)),
                     -EINPROGRESS);
    sockworld_settle(w);
    assert_int_equal(hws_sock_connect_result(*client), 0);
    assert_int_equal(hws_sock_accept(listener, server), 0);
    hws_sock_close(listener, sockworld_now(w));
}

int sock_send_to(struct hws_sock *sock, const struct sockhost *to, uint16_t port, const char *text)
{
    const struct hws_iovec iov = {text, strlen(text)};
    const struct hws_sock_send msg = {.remotes = sockhost_addr(to, 0),
                                      .remote_count = 1,
                                      .remote_port = port,
                                      .iov = &iov,
                                      .iov_count = 1};
    return hws_sock_sendmsg(sock, &msg, now_of(sock));
}

int sock_send_id(struct hws_sock *sock, sctp_assoc_t id, uint16_t flags, const char *text)
{
    const struct hws_iovec iov = {text, strlen(text)};
    const struct hws_sock_send msg = {
        .has_info = true, .assoc_id = id, .flags = flags, .iov = &iov, .iov_count = 1};
    return hws_sock_sendmsg(sock, &msg, now_of(sock));
}

int sock_recv(struct hws_sock *sock, struct sock_got *got)
{
    const struct hws_sock_iovec iov = {got->text, sizeof(got->text) - 1};
    got->msg = (struct hws_sock_recv){.iov = &iov, .iov_count = 1};
    int rc = hws_sock_recvmsg(sock, &got->msg, now_of(sock));
    got->text[got->msg.len] = '\0';
    return rc;
}

sctp_assoc_t sock_expect(struct hws_sock *sock, const char *text)
{
    struct sock_got got;
    assert_int_equal(sock_recv(sock, &got), 0);
    assert_int_equal(got.msg.flags, MSG_EOR);
    assert_string_equal(got.text, text);
    return got.msg.id;
}

const union sctp_notification *sock_expect_note(struct hws_sock *sock, uint16_t type)
{
    static _Alignas(8) struct sock_got got;
    assert_int_equal(sock_recv(sock, &got), 0);
    assert_int_equal(got.msg.flags, MSG_NOTIFICATION | MSG_EOR);
    static _Alignas(8) char bytes[sizeof(got.text)];
    memcpy(bytes, got.text, got.msg.len);
    const union sctp_notification *note = (const void *)bytes;
    assert_int_equal(note->sn_header.sn_type, type);
    assert_int_equal(note->sn_header.sn_length, got.msg.len);
    return note;
}

const struct sctp_assoc_change *sock_expect_change(struct hws_sock *sock, uint16_t state)
{
    const struct sctp_assoc_change *change =
        &sock_expect_note(sock, SCTP_ASSOC_CHANGE)->sn_assoc_change;
    assert_int_equal(change->sac_state, state);
    return change;
}

void sock_expect_nothing(struct hws_sock *sock)
{
    struct sock_got got;
    assert_int_equal(sock_recv(sock, &got), -EAGAIN);
}
