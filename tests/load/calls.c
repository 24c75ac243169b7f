/* Random calls with random arguments, valid ones and others, on random descriptors of one runtime
 * whose sockets talk to one another over the loopback interface. One thread, which drives the
 * runtime itself, so that a seed says which calls there are. Every buffer is exactly as long as the
 * call is told, so that AddressSanitizer sees a byte too many. What is checked: nothing crashes, a
 * call that may not wait comes back, a call that fails says why, a lent buffer comes back exactly
 * once, nothing leaks, and data does flow.
 *
 * Usage: calls [SECONDS [SEED]] */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "api/hawser/runtime.h"
#include "api/hawser/socket.h"
#include "tests/netns.h"

#define SLOTS 24u
#define VIEWS 8u
#define FIRST_PORT 5000
#define PORTS 6u
#define UDP_PORT 9899
#define CALL_SECONDS 20 /* a call that takes so long never ends */
#define WRONG_LEN ((size_t)1 << 62)

static uint64_t rng;
static struct hws_runtime *runtime;
static int slots[SLOTS];
static sctp_assoc_t ids[SLOTS]; /* seen lately */
static struct hws_view views[VIEWS];
static unsigned long lent, released, received, notifications, up;

/* Written by the watchdog: no stdio. */
static const char *volatile last_call = "nothing";

static void on_alarm(int number)
{
    static const char text[] = "calls: this call does not end: ";
    (void)number;
    if (write(2, text, sizeof(text) - 1) < 0 || write(2, last_call, strlen(last_call)) < 0 ||
        write(2, "\n", 1) < 0)
        _exit(3);
    abort();
}

/* ---- Chance ---- */

static uint32_t draw(uint32_t below)
{
    rng = rng * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(rng >> 33) % below;
}

static bool rarely(void)
{
    return draw(16) == 0;
}

static int any_fd(void)
{
    if (draw(64) == 0)
        return (int)draw(3) == 0 ? (int)draw(64) : INT_MIN + (int)draw(INT_MAX);
    return slots[draw(SLOTS)];
}

static sctp_assoc_t any_id(void)
{
    switch (draw(8)) {
    case 0:
        return (sctp_assoc_t)draw(4);
    case 1:
        return (sctp_assoc_t)draw(UINT32_MAX);
    default:
        return ids[draw(SLOTS)];
    }
}

static void *exactly(size_t len)
{
    void *bytes = malloc(len > 0 ? len : 1);
    if (bytes == NULL)
        abort();
    return bytes;
}

/* Small numbers, association ids and noise, as structures have them. */
static void *any_value(size_t len)
{
    uint8_t *bytes = exactly(len);
    uint32_t style = draw(3);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(style == 0 ? 0 : style == 1 ? draw(256) : draw(8) == 0);
    for (unsigned i = draw(3); i > 0 && len >= 4; i--) {
        int32_t number = draw(2) == 0 ? any_id() : (int32_t)draw(2000);
        memcpy(bytes + 4 * draw((uint32_t)len / 4), &number, sizeof(number));
    }
    return bytes;
}

static size_t any_len(void)
{
    static const size_t usual[] = {0, 1, 3, 4, 8, 12, 16, 20, 24, 32, 64, 152, 156, 160, 256};
    return draw(3) == 0 ? draw(300) : usual[draw(sizeof(usual) / sizeof(usual[0]))];
}

/* ---- Addresses ---- */

static socklen_t put_address(uint8_t *at, uint16_t port)
{
    uint8_t host = draw(4) == 0 ? (uint8_t)draw(5) : 1;
    if (draw(4) == 0) {
        struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        sin6.sin6_addr.s6_addr[15] = host;
        if (draw(2) == 0) {
            memset(&sin6.sin6_addr.s6_addr[10], 0xff, 2);
            sin6.sin6_addr.s6_addr[12] = 127;
        }
        memcpy(at, &sin6, sizeof(sin6));
        return sizeof(sin6);
    }
    struct sockaddr_in sin = {.sin_family = rarely() ? (sa_family_t)draw(AF_INET6) : AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(0x7f000000u + host)};
    memcpy(at, &sin, sizeof(sin));
    return sizeof(sin);
}

static uint16_t any_port(void)
{
    return rarely() ? (uint16_t)draw(65536) : (uint16_t)(FIRST_PORT + draw(PORTS));
}

/* Addresses back to back, in memory that ends where they end. */
static struct sockaddr *any_addresses(unsigned count, socklen_t *len)
{
    uint8_t bytes[64 * sizeof(struct sockaddr_in6)];
    uint16_t port = any_port();
    *len = 0;
    for (unsigned i = 0; i < count; i++)
        *len += put_address(bytes + *len, rarely() ? any_port() : port);
    void *out = exactly(*len);
    memcpy(out, bytes, *len);
    return out;
}

/* One address, of which a part may be missing. */
static struct sockaddr *any_address(socklen_t *len)
{
    struct sockaddr *whole = any_addresses(1, len);
    if (!rarely())
        return whole;
    *len = draw(*len);
    void *part = exactly(*len);
    memcpy(part, whole, *len);
    free(whole);
    return part;
}

/* ---- Making and ending ---- */

/* Closes what was there. */
static void keep(int fd)
{
    int *slot = &slots[draw(SLOTS)];
    if (fd < 0)
        return;
    for (size_t i = 0; i < SLOTS; i++) {
        if (slots[i] == fd) /* closed long ago */
            slots[i] = -1;
    }
    if (*slot >= 0)
        hws_close(*slot);
    *slot = fd;
}

/* So that there is somebody to talk to. */
static void settle_down(int fd)
{
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(any_port())};
    (void)hws_bind(fd, (const struct sockaddr *)&any, sizeof(any));
    (void)hws_listen(fd, 5);
}

static int call_socket(void)
{
    static const int styles[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_SEQPACKET, SOCK_DGRAM};
    int fd = hws_runtime_socket(runtime,
                                rarely()       ? (int)draw(12)
                                : draw(3) == 0 ? AF_INET6
                                               : AF_INET,
                                styles[draw(rarely() ? 4 : 3)] | SOCK_NONBLOCK,
                                rarely() ? (int)draw(200) : IPPROTO_SCTP);
    struct sctp_event_subscribe all;
    memset(&all, 1, sizeof(all));
    if (fd >= 0 && draw(4) != 0)
        (void)hws_setsockopt(fd, IPPROTO_SCTP, SCTP_EVENTS, &all, sizeof(all));
    if (fd >= 0 && draw(2) == 0)
        settle_down(fd);
    keep(fd);
    return fd;
}

static int call_close(void)
{
    return draw(8) == 0 ? hws_close(any_fd()) : 0;
}

static int call_shutdown(void)
{
    return draw(8) == 0 ? hws_shutdown(any_fd(), (int)draw(5) - 1) : 0;
}

static int call_bind(void)
{
    socklen_t len;
    struct sockaddr *addr = any_address(&len);
    int rc = hws_bind(any_fd(), addr, len);
    free(addr);
    return rc;
}

static int call_bindx(void)
{
    socklen_t len;
    unsigned count = rarely() ? draw(64) : 1 + draw(3);
    struct sockaddr *addrs = any_addresses(count, &len);
    int rc = hws_bindx(any_fd(), addrs, rarely() ? -(int)draw(5) : (int)count, (int)draw(4));
    free(addrs);
    return rc;
}

static int call_listen(void)
{
    return hws_listen(any_fd(), rarely() ? -(int)draw(3) : 1 + (int)draw(5));
}

static int call_connect(void)
{
    socklen_t len;
    struct sockaddr *addr = any_address(&len);
    int rc = hws_connect(any_fd(), addr, len);
    free(addr);
    return rc;
}

static int call_connectx(void)
{
    socklen_t len;
    sctp_assoc_t id = 0;
    unsigned count = rarely() ? draw(64) : 1 + draw(3);
    struct sockaddr *addrs = any_addresses(count, &len);
    int rc =
        hws_connectx(any_fd(), addrs, rarely() ? -(int)draw(5) : (int)count, rarely() ? NULL : &id);
    if (id != 0)
        ids[draw(SLOTS)] = id;
    free(addrs);
    return rc;
}

static int call_accept(void)
{
    socklen_t len = (socklen_t)draw(40);
    void *addr = exactly(len);
    int flags = SOCK_NONBLOCK | (rarely() ? (int)draw(INT_MAX) : 0);
    int fd = hws_accept4(any_fd(), rarely() ? NULL : addr, &len, flags);
    keep(fd);
    free(addr);
    return fd;
}

static int call_peeloff(void)
{
    int fd = hws_peeloff_flags(any_fd(), any_id(), SOCK_NONBLOCK | (rarely() ? draw(INT_MAX) : 0));
    keep(fd);
    return fd;
}

/* ---- Asking ---- */

static int call_names(void)
{
    socklen_t len = rarely() ? (socklen_t)-1 : (socklen_t)draw(40);
    void *addr = exactly(len > 40 ? 0 : len);
    int rc = draw(2) == 0 ? hws_getsockname(any_fd(), addr, &len)
                          : hws_getpeername(any_fd(), addr, &len);
    free(addr);
    return rc;
}

static int call_addresses(void)
{
    struct sockaddr *addrs = NULL;
    int fd = any_fd(), rc;
    if (draw(2) == 0) {
        rc = hws_getpaddrs(fd, any_id(), &addrs);
        hws_freepaddrs(addrs);
    } else {
        rc = hws_getladdrs(fd, any_id(), &addrs);
        hws_freeladdrs(addrs);
    }
    return rc;
}

static int call_fcntl(void)
{
    static const int commands[] = {F_GETFL, F_GETFD, F_SETFD, F_SETFL};
    int command = rarely() ? (int)draw(2000) : commands[draw(4)];
    return hws_fcntl(any_fd(), command, command == F_SETFL ? O_NONBLOCK : (int)draw(2));
}

/* ---- Options ---- */

static int any_level(void)
{
    static const int levels[] = {IPPROTO_SCTP, IPPROTO_SCTP, IPPROTO_SCTP, IPPROTO_SCTP,
                                 SOL_SOCKET,   IPPROTO_IP,   IPPROTO_IPV6};
    return rarely() ? (int)draw(300) : levels[draw(sizeof(levels) / sizeof(levels[0]))];
}

static int any_option(void)
{
    return rarely() ? (int)draw(UINT32_MAX >> 1) : (int)draw(140);
}

/* A linger time makes even a non-blocking close wait. */
static int call_setsockopt(void)
{
    size_t len = any_len();
    void *value = any_value(len);
    int level = any_level(), option = any_option();
    socklen_t said = rarely() ? (socklen_t)-1 : (socklen_t)len;
    if (level == SOL_SOCKET && option == SO_LINGER && len >= sizeof(struct linger))
        ((struct linger *)value)->l_linger = 0;
    int rc = hws_setsockopt(any_fd(), level, option, rarely() ? NULL : value, said);
    free(value);
    return rc;
}

static int call_getsockopt(void)
{
    size_t len = any_len();
    void *value = any_value(len);
    socklen_t said = rarely() ? (socklen_t)-1 : (socklen_t)len;
    bool info = draw(3) == 0 && said == len;
    int rc = info ? hws_opt_info(any_fd(), any_id(), any_option(), value, &said)
                  : hws_getsockopt(any_fd(), any_level(), any_option(), value, &said);
    if (rc == 0 && said > len) {
        fprintf(stderr, "calls: getsockopt says %u of %zu bytes\n", said, len);
        abort();
    }
    free(value);
    return rc;
}

/* ---- Sending ---- */

struct message {
    struct iovec iov[40];
    int count;
};

static void make_message(struct message *message)
{
    message->count = rarely() ? (int)draw(40) : 1 + (int)draw(3);
    for (int i = 0; i < message->count; i++) {
        size_t len = draw(4) == 0 ? draw(9000) : draw(200);
        message->iov[i] = (struct iovec){.iov_base = exactly(len), .iov_len = len};
        memset(message->iov[i].iov_base, i, len);
        if (draw(200) == 0)
            message->iov[i].iov_len = WRONG_LEN + draw(100) * (WRONG_LEN / 50);
    }
}

static void free_message(struct message *message)
{
    for (int i = 0; i < message->count; i++)
        free(message->iov[i].iov_base);
}

static int any_send_flags(void)
{
    return MSG_DONTWAIT | MSG_NOSIGNAL | (rarely() ? (int)draw(INT_MAX) : 0);
}

static uint16_t any_info_flags(void)
{
    static const uint16_t flags[] = {SCTP_UNORDERED, SCTP_ADDR_OVER, SCTP_SACK_IMMEDIATELY,
                                     SCTP_SENDALL,   SCTP_ABORT,     SCTP_EOF};
    return rarely() && rarely() ? (uint16_t)draw(65536) : rarely() ? flags[draw(6)] : 0;
}

static struct sctp_sndrcvinfo any_info(void)
{
    return (struct sctp_sndrcvinfo){.sinfo_stream = (uint16_t)(rarely() ? draw(65536) : draw(5)),
                                    .sinfo_flags = any_info_flags(),
                                    .sinfo_ppid = draw(UINT32_MAX),
                                    .sinfo_timetolive = draw(3),
                                    .sinfo_assoc_id = any_id()};
}

static struct sctp_sndinfo any_sndinfo(void)
{
    struct sctp_sndrcvinfo info = any_info();
    return (struct sctp_sndinfo){.snd_sid = info.sinfo_stream,
                                 .snd_flags = info.sinfo_flags,
                                 .snd_ppid = info.sinfo_ppid,
                                 .snd_assoc_id = info.sinfo_assoc_id};
}

static size_t put_control(uint8_t *at, size_t room, int type, const void *data, size_t len)
{
    struct cmsghdr header = {.cmsg_len = CMSG_LEN(len),
                             .cmsg_level = rarely() ? any_level() : IPPROTO_SCTP,
                             .cmsg_type = rarely() ? (int)draw(UINT32_MAX) : type};
    if (CMSG_SPACE(len) > room)
        return 0;
    if (rarely())
        header.cmsg_len = draw(3) == 0 ? WRONG_LEN : draw(80);
    memcpy(at, &header, sizeof(header));
    memcpy(at + CMSG_LEN(0), data, len);
    return CMSG_SPACE(len);
}

static size_t make_control(uint8_t *bytes, size_t room)
{
    size_t used = 0;
    for (unsigned i = draw(3); i > 0; i--) {
        struct sctp_sndinfo info = any_sndinfo();
        struct sctp_sndrcvinfo old = any_info();
        void *value = any_value(64);
        uint32_t type = draw(4);
        if (type == 0)
            used += put_control(bytes + used, room - used, SCTP_SNDINFO, &info, sizeof(info));
        else if (type == 1)
            used += put_control(bytes + used, room - used, SCTP_SNDRCV, &old, sizeof(old));
        else if (type == 2)
            used += put_control(bytes + used, room - used, (int)draw(10), value, draw(33));
        else
            used += put_control(bytes + used, room - used, SCTP_INIT, value,
                                sizeof(struct sctp_initmsg));
        free(value);
    }
    return used > 0 && rarely() ? draw((uint32_t)used) : used;
}

static int call_sendmsg(void)
{
    struct message message;
    uint8_t control[512] = {0};
    socklen_t len;
    struct sockaddr *addr = any_address(&len);
    make_message(&message);
    size_t control_len = make_control(control, sizeof(control));
    void *copy = exactly(control_len);
    memcpy(copy, control, control_len);
    bool named = draw(2) == 0;
    const struct msghdr msg = {.msg_name = named ? addr : NULL,
                               .msg_namelen = named ? len : 0,
                               .msg_iov = message.iov,
                               .msg_iovlen = (size_t)message.count,
                               .msg_control = copy,
                               .msg_controllen = control_len};
    ssize_t rc = hws_sendmsg(any_fd(), &msg, any_send_flags());
    free_message(&message);
    free(copy);
    free(addr);
    return rc < 0 ? -1 : 0;
}

static int call_sendv(void)
{
    struct message message;
    struct sctp_sendv_spa spa = {.sendv_flags = draw(8), .sendv_sndinfo = any_sndinfo()};
    struct sctp_sndinfo info = any_sndinfo();
    socklen_t len;
    unsigned count = rarely() ? draw(64) : draw(3);
    struct sockaddr *addrs = any_addresses(count, &len);
    make_message(&message);
    ssize_t rc;
    if (draw(2) == 0)
        rc = hws_sendv(any_fd(), message.iov, message.count, addrs, (int)count, &spa, sizeof(spa),
                       rarely() ? draw(9) : SCTP_SENDV_SPA, any_send_flags());
    else
        rc = hws_sendv(any_fd(), message.iov, message.count, addrs, (int)count, &info, sizeof(info),
                       SCTP_SENDV_SNDINFO, any_send_flags());
    free_message(&message);
    free(addrs);
    return rc < 0 ? -1 : 0;
}

/* The buffer goes when it comes back: what still uses it then is seen. */
static void on_release(void *arg)
{
    released++;
    free(arg);
}

static int call_send_lent(void)
{
    size_t len = 1 + draw(5000);
    struct sctp_sndinfo info = any_sndinfo();
    struct iovec iov[2] = {{.iov_base = exactly(len), .iov_len = len / 2}};
    iov[1] = (struct iovec){(uint8_t *)iov[0].iov_base + len / 2, len - len / 2};
    memset(iov[0].iov_base, 1, len);
    void *base = iov[0].iov_base;
    lent++; /* it may come back before the call does */
    ssize_t rc = hws_send_lent(any_fd(), iov, 2, draw(2) == 0 ? &info : NULL, any_send_flags(),
                               on_release, base);
    if (rc < 0) {
        lent--;
        free(base);
    }
    return rc < 0 ? -1 : 0;
}

/* ---- Receiving ---- */

static int any_receive_flags(void)
{
    return MSG_DONTWAIT | (draw(8) == 0 ? MSG_PEEK : 0) | (rarely() ? (int)draw(INT_MAX) : 0);
}

static void learn(const void *bytes, size_t len, int flags)
{
    const struct sctp_assoc_change *change = bytes;
    if ((flags & MSG_NOTIFICATION) == 0) {
        received++;
        return;
    }
    notifications++;
    if (len < sizeof(*change) || change->sac_type != SCTP_ASSOC_CHANGE)
        return;
    ids[draw(SLOTS)] = change->sac_assoc_id;
    up += change->sac_state == SCTP_COMM_UP;
}

static void make_room(struct message *message)
{
    message->count = rarely() ? (int)draw(40) : 1 + (int)draw(2);
    for (int i = 0; i < message->count; i++) {
        size_t len = draw(2) == 0 ? 4096 : draw(300);
        message->iov[i] = (struct iovec){.iov_base = exactly(len), .iov_len = len};
    }
}

static int call_recvmsg(void)
{
    struct message room;
    size_t control_len = draw(200);
    socklen_t name_len = draw(40);
    void *control = exactly(control_len), *name = exactly(name_len);
    make_room(&room);
    struct msghdr msg = {.msg_name = rarely() ? NULL : name,
                         .msg_namelen = name_len,
                         .msg_iov = room.iov,
                         .msg_iovlen = (size_t)room.count,
                         .msg_control = rarely() ? NULL : control,
                         .msg_controllen = control_len};
    ssize_t got = hws_recvmsg(any_fd(), &msg, any_receive_flags());
    if (got > 0 && room.count == 1)
        learn(room.iov[0].iov_base, (size_t)got, msg.msg_flags);
    if (got >= 0 && msg.msg_controllen > control_len)
        abort();
    free_message(&room);
    free(control);
    free(name);
    return got < 0 ? -1 : 0;
}

static int call_recvv(void)
{
    struct message room;
    socklen_t info_len = draw(80), name_len = draw(40);
    void *info = exactly(info_len), *name = exactly(name_len);
    unsigned type;
    int flags = any_receive_flags();
    make_room(&room);
    ssize_t got = hws_recvv(any_fd(), room.iov, room.count, rarely() ? NULL : name, &name_len,
                            rarely() ? NULL : info, &info_len, &type, &flags);
    free_message(&room);
    free(info);
    free(name);
    return got < 0 ? -1 : 0;
}

static int call_old_recvmsg(void)
{
    struct sctp_sndrcvinfo info;
    size_t len = draw(2000);
    void *bytes = exactly(len);
    int flags = any_receive_flags();
    ssize_t got = hws_sctp_recvmsg(any_fd(), bytes, len, NULL, NULL, &info, &flags);
    if (got > 0)
        learn(bytes, (size_t)got, flags);
    free(bytes);
    return got < 0 ? -1 : 0;
}

static int call_view(void)
{
    struct hws_view *view = &views[draw(VIEWS)];
    volatile uint8_t sum = 0;
    hws_view_release(view);
    ssize_t got = hws_recv_view(any_fd(), view, MSG_DONTWAIT);
    size_t len = 0;
    for (int i = 0; got > 0 && i < view->iovcnt; i++) {
        for (size_t k = 0; k < view->iov[i].iov_len; k++)
            sum = (uint8_t)(sum + ((const uint8_t *)view->iov[i].iov_base)[k]);
        len += view->iov[i].iov_len;
    }
    if (got > 0 && len != (size_t)got)
        abort();
    return got < 0 ? -1 : 0;
}

/* ---- All of them ---- */

static int call_run(void)
{
    return hws_runtime_run(runtime);
}

static const struct {
    const char *name;
    int (*call)(void);
    unsigned share; /* of all calls */
} calls[] = {
    {"socket", call_socket, 6},
    {"close", call_close, 8},
    {"shutdown", call_shutdown, 4},
    {"bind", call_bind, 6},
    {"bindx", call_bindx, 3},
    {"listen", call_listen, 6},
    {"connect", call_connect, 8},
    {"connectx", call_connectx, 6},
    {"accept4", call_accept, 10},
    {"peeloff", call_peeloff, 4},
    {"names", call_names, 3},
    {"addresses", call_addresses, 3},
    {"fcntl", call_fcntl, 2},
    {"setsockopt", call_setsockopt, 20},
    {"getsockopt", call_getsockopt, 20},
    {"sendmsg", call_sendmsg, 25},
    {"sendv", call_sendv, 12},
    {"send_lent", call_send_lent, 15},
    {"recvmsg", call_recvmsg, 25},
    {"recvv", call_recvv, 10},
    {"sctp_recvmsg", call_old_recvmsg, 8},
    {"recv_view", call_view, 10},
    {"run", call_run, 30},
};

static void call_any(void)
{
    static unsigned total;
    size_t i;
    if (total == 0) {
        for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
            total += calls[i].share;
    }
    uint32_t at = draw(total);
    for (i = 0; at >= calls[i].share; i++)
        at -= calls[i].share;
    last_call = calls[i].name;
    alarm(CALL_SECONDS);
    errno = 0;
    if (calls[i].call() == -1 && errno == 0) {
        fprintf(stderr, "calls: %s fails and does not say why\n", calls[i].name);
        abort();
    }
}

static void open_runtime(void)
{
    char error[HWS_ERROR_MAX];
    struct hws_runtime_config config;
    hws_runtime_config_init(&config);
    config.udp = true;
    config.udp_port = config.peer_udp_port = UDP_PORT;
    config.drive = HWS_DRIVE_CALLER;
    config.own_host = true;
    runtime = hws_runtime_new(&config, error);
    if (runtime == NULL) {
        fprintf(stderr, "calls: %s\n", error);
        exit(1);
    }
}

static void end(void)
{
    for (size_t i = 0; i < VIEWS; i++)
        hws_view_release(&views[i]);
    for (size_t i = 0; i < SLOTS; i++) {
        if (slots[i] >= 0 && draw(2) == 0)
            hws_close(slots[i]);
    }
    hws_runtime_free(runtime);
    for (size_t i = 0; i < SLOTS; i++) {
        if (slots[i] >= 0)
            hws_close(slots[i]);
    }
}

int main(int argc, char **argv)
{
    time_t seconds = argc > 1 ? atoi(argv[1]) : 5;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
    unsigned long count = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("calls: %ld s, seed %llu\n", (long)seconds, (unsigned long long)seed);
    if (!netns_enter())
        return 77;
    signal(SIGALRM, on_alarm);
    rng = seed;
    memset(slots, -1, sizeof(slots));
    open_runtime();
    for (time_t until = time(NULL) + seconds; time(NULL) < until; count++)
        call_any();
    last_call = "the end";
    end();
    printf(
        "calls: %lu calls, %lu associations seen up, %lu messages and %lu notifications received, "
        "%lu buffers lent, %lu given back\n",
        count, up, received, notifications, lent, released);
    return released == lent && up > 0 && received > 0 ? 0 : 1;
}
