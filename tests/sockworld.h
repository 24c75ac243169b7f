/* Two hosts with sockets above real engines, joined by the simulated network, in virtual time: for
 * stories about what sockets mean. The network is perfect unless a test changes it. */
#ifndef HWS_TESTS_SOCKWORLD_H
#define HWS_TESTS_SOCKWORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/sock/socket.h"
#include "tests/sim/host.h"

#define SOCKWORLD_HOSTS 2u
#define SOCKWORLD_MTU 1500u
#define SOCKWORLD_DELAY_US 1000u

struct sockhost {
    struct sim_host host; /* first: a host is converted to its sockhost */
    struct hws_env env;
    struct hws_sockets sockets;
    uint32_t ports;      /* added and not removed */
    uint16_t port_limit; /* ports below it are not allowed */
    /* Sees every event before the sockets do; NULL: nobody looks. */
    void (*watch)(void *arg, struct sockhost *h, const struct hws_event *event);
    void *watch_arg;
};

struct sockworld {
    struct sim_world world;
    struct sim_net net;
    struct sockhost hosts[SOCKWORLD_HOSTS];
};

/** The same in memory of the caller, and without failing a test: promises that are broken are
 * noted in w->world. */
void sockworld_begin(struct sockworld *w, uint64_t seed, uint32_t addr_count, bool ipv6);
void sockworld_end(struct sockworld *w);

/** Both hosts have `addr_count` IPv4 addresses (host k, number i: 10.i.0.k+1) and then one IPv6
 * address in the same subnet as the last if `ipv6`. */
struct sockworld *sockworld_new(uint64_t seed, uint32_t addr_count, bool ipv6);

/** Frees sockets and engines; fails the test when memory, packets or ports are left. */
void sockworld_free(struct sockworld *w);

/** Lets `us` microseconds pass. */
void sockworld_run(struct sockworld *w, uint64_t us);

/** What calls did is sent, and everything arrives: two seconds. */
void sockworld_settle(struct sockworld *w);

uint64_t sockworld_now(const struct sockworld *w);

/** Has the host take events and send at this instant. */
void sockworld_kick(struct sockhost *h);

/** Address number `i` of the host. */
const struct hws_addr *sockhost_addr(const struct sockhost *h, uint32_t i);

/** Cuts or restores everything between the hosts. */
void sockworld_cut(struct sockworld *w, bool cut);

/** The same for their addresses number `i`. */
void sockworld_cut_path(struct sockworld *w, uint32_t i, bool cut);

/* ---- Short forms of calls ---- */

/** A socket bound to `port`; 0: not bound. */
struct hws_sock *sockhost_open(struct sockhost *h, enum hws_sock_style style, uint16_t port);

/** One that listens. */
struct hws_sock *sockhost_listen(struct sockhost *h, enum hws_sock_style style, uint16_t port,
                                 int backlog);

/** Asks for these notifications of an association, or with NULL of those to come: bit n is
 * SCTP_SN_TYPE_BASE + n. */
void sock_want(struct hws_sock *sock, struct hws_member *member, uint32_t events);
#define SOCK_EVENT(type) (1u << ((type)-SCTP_SN_TYPE_BASE))

/** Asks for every notification of associations to come. */
void sock_want_all(struct hws_sock *sock);

/** A one-to-one association from hosts[0] to hosts[1], port 5000; both ends. The listener is
 * closed. */
void sockworld_connect(struct sockworld *w, struct hws_sock **client, struct hws_sock **server);

/** Sends text to the peer at address 0 of `to`, `port`. */
int sock_send_to(struct hws_sock *sock, const struct sockhost *to, uint16_t port, const char *text);

/** Sends text to an association. */
int sock_send_id(struct hws_sock *sock, sctp_assoc_t id, uint16_t flags, const char *text);

/** Receives; `text` gets what came, as a string. The answer of hws_sock_recvmsg. */
struct sock_got {
    struct hws_sock_recv msg;
    char text[4096];
};
int sock_recv(struct hws_sock *sock, struct sock_got *got);

/** Receives this text; the test fails otherwise. The association's id. */
sctp_assoc_t sock_expect(struct hws_sock *sock, const char *text);

/** Receives a notification of this type; the test fails otherwise. Valid until the next call. */
const union sctp_notification *sock_expect_note(struct hws_sock *sock, uint16_t type);

/** The same for an SCTP_ASSOC_CHANGE of this state. */
const struct sctp_assoc_change *sock_expect_change(struct hws_sock *sock, uint16_t state);

/** There is nothing to receive. */
void sock_expect_nothing(struct hws_sock *sock);

#endif
