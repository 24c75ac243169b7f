/* Two hosts with an engine and sockets each, and a wire between them on which nothing is lost. Time
 * is the test's. */
#ifndef HWS_TESTS_HOSTS_H
#define HWS_TESTS_HOSTS_H

#include "api/sock/socket.h"
#include "sim/env.h"

#define HOSTS_ADDRS 2u

struct host {
    struct hosts *hosts;
    struct host *other;
    struct sim_env memory;
    struct hws_env env;
    struct hws_engine *engine;
    struct hws_sockets sockets;
    struct hws_addr addrs[HOSTS_ADDRS];
    struct hws_train last; /* what it sent last; its bytes are gone */
};

struct hosts {
    struct host a, b;
    uint64_t now_us;
    bool cut; /* what is sent is lost */
};

/** 192.0.2.1 and 192.0.3.1, and 192.0.2.2 and 192.0.3.2. */
struct hosts *hosts_new(void);

/** Frees both, and checks that no memory is left. */
void hosts_free(struct hosts *h);

/** Delivers packets and events until nothing is left to do now. */
void hosts_settle(struct hosts *h);

/** Lets time pass, timers run in it. */
void hosts_wait(struct hosts *h, uint64_t us);

/** A socket of `host` that listens on `port` of both addresses. */
struct hws_sock *hosts_listen(struct host *host, uint16_t port);

/** Begins an association with the other host's `port`, from a socket that is bound or new. */
void hosts_connect(struct hws_sock *sock, struct host *host, uint16_t port);

#endif
