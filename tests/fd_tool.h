/* For tests of sockets with descriptors: runtimes over UDP on the loopback interface, and pairs of
 * connected sockets in them. */
#ifndef HWS_TESTS_FD_TOOL_H
#define HWS_TESTS_FD_TOOL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>

#include "api/fd/handle.h"
#include "api/hawser/socket.h"

#define PORT 5000

/** Answers -1 with that errno. */
#define assert_fails(call, error)                                                                  \
    do {                                                                                           \
        errno = 0;                                                                                 \
        assert_int_equal(call, -1);                                                                \
        assert_int_equal(errno, error);                                                            \
    } while (0)

/** Two runtimes; `server` listens (one-to-one) at PORT in `a`. */
struct fd_world {
    struct hws_runtime *a, *b;
    int server;
};

/** `peer_port`: where the other one is. Polls before it sleeps for HWS_TEST_SPIN_US, when the
 * environment has that. */
struct hws_runtime *fd_runtime(uint16_t udp_port, uint16_t peer_port, enum hws_drive drive);

/** Setup and teardown of a test, both runtimes with a thread. */
int fd_setup(void **state);
int fd_teardown(void **state);

struct sockaddr_in fd_address(uint16_t port);

int fd_listen(struct hws_runtime *runtime, int type, uint16_t port);

/** A one-to-one socket in `b`, connected to the server; the other end in `there`. */
int fd_connect(struct fd_world *w, int *there);

/** Waits until so many calls wait for `fd` in that direction. */
void fd_await_waiters(int fd, enum hws_direction direction, unsigned count);

/** Waits until the other end has received all that was sent: its next call sees it. */
void fd_await_acknowledged(int fd);

/** The events that poll shows now, or within `timeout_ms`, of those asked for and the ends. */
int fd_poll(int fd, short events, int timeout_ms);

/** Waits until poll shows exactly `want` of IN, OUT, RDHUP, HUP, ERR. */
void fd_expect(int fd, int want);

uint64_t fd_now_ms(void);

#endif
