/* usrsctp in memory, without its own threads: one-to-many sockets of family AF_CONN, which spares
 * it a socket for each association; one-to-one sockets, made and closed each time, are slower.
 * Events other than the associations' beginning and end are not asked for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/handshake_mem.h"
#include "bench/usrsctp_conn.h"

#define FIRST_PORT 1024u
#define WARMUP_S 0.2
#define IDLE_CLIENTS 100u
#define IDLE_SERVERS 100u
#define IDLE_FIRST 100u
#define QUEUE_PACKETS 1024u

struct end {
    struct conn_end conn;
    uint64_t up, down;
};

static struct {
    struct end client, server;
    struct socket *sockets[IDLE_CLIENTS], *listeners[IDLE_SERVERS];
    sctp_assoc_t begun[HANDSHAKE_IN_FLIGHT]; /* in a churn: of client i, to be shut down now */
    bool idle[HANDSHAKE_IN_FLIGHT];          /* client i has none */
    bool failed;
} bench;

static void turn(void)
{
    conn_tick();
    conn_deliver(&bench.server.conn);
    conn_deliver(&bench.client.conn);
    bench.failed |= bench.client.conn.lost + bench.server.conn.lost > 0;
}

/* ---- Events ---- */

static void told(struct end *end, size_t index, const struct sctp_assoc_change *change)
{
    bool client = end == &bench.client;
    if (change->sac_state == SCTP_COMM_UP) {
        end->up++;
        if (client && index < HANDSHAKE_IN_FLIGHT)
            bench.begun[index] = change->sac_assoc_id;
    } else if (change->sac_state == SCTP_SHUTDOWN_COMP) {
        end->down++;
        if (client && index < HANDSHAKE_IN_FLIGHT)
            bench.idle[index] = true;
    } else {
        bench.failed = true;
    }
}

/* `arg` is where the socket's pointer is kept. */
static int on_receive(struct socket *sock, union sctp_sockstore from, void *data, size_t len,
                      struct sctp_rcvinfo info, int flags, void *arg)
{
    struct socket **place = arg;
    (void)sock;
    (void)from;
    (void)info;
    if (data == NULL)
        return 1;
    const union sctp_notification *what = data;
    bool client = place >= bench.sockets && place < bench.sockets + IDLE_CLIENTS;
    if ((flags & MSG_NOTIFICATION) != 0 && len >= sizeof(struct sctp_assoc_change) &&
        what->sn_header.sn_type == SCTP_ASSOC_CHANGE)
        told(client ? &bench.client : &bench.server, client ? (size_t)(place - bench.sockets) : 0,
             &what->sn_assoc_change);
    free(data);
    return 1;
}

/* ---- Sockets ---- */

static bool open_socket(struct socket **place, struct end *end, uint32_t port, bool listening)
{
    struct sockaddr_conn own = conn_address(&end->conn, port);
    struct sctp_event event = {.se_type = SCTP_ASSOC_CHANGE, .se_on = 1};
    *place = usrsctp_socket(AF_CONN, SOCK_SEQPACKET, IPPROTO_SCTP, on_receive, NULL, 0, place);
    return *place != NULL && usrsctp_set_non_blocking(*place, 1) == 0 &&
           usrsctp_setsockopt(*place, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event) == 0 &&
           usrsctp_bind(*place, (struct sockaddr *)&own, sizeof own) == 0 &&
           (!listening || usrsctp_listen(*place, 1) == 0);
}

static bool open_sockets(uint32_t clients, uint32_t servers)
{
    if (!conn_open(&bench.client.conn, &bench.server.conn, QUEUE_PACKETS))
        return false;
    for (uint32_t i = 0; i < clients; i++)
        if (!open_socket(&bench.sockets[i], &bench.client, FIRST_PORT + i, false))
            return false;
    for (uint32_t i = 0; i < servers; i++)
        if (!open_socket(&bench.listeners[i], &bench.server, 2 * FIRST_PORT + i, true))
            return false;
    return true;
}

static bool connect_one(uint32_t client, uint32_t server)
{
    struct sockaddr_conn remote = conn_address(&bench.client.conn, 2 * FIRST_PORT + server);
    return usrsctp_connect(bench.sockets[client], (struct sockaddr *)&remote, sizeof remote) == 0 ||
           errno == EINPROGRESS;
}

/* ---- Setting up and ending ---- */

static bool shut_down(uint32_t client)
{
    struct sctp_sndinfo info = {.snd_flags = SCTP_EOF, .snd_assoc_id = bench.begun[client]};
    bench.begun[client] = 0;
    return usrsctp_sendv(bench.sockets[client], "", 0, NULL, 0, &info, sizeof info,
                         SCTP_SENDV_SNDINFO, 0) >= 0;
}

static bool churn_until(double end_s)
{
    while (bench_wall_s() < end_s && !bench.failed) {
        for (uint32_t i = 0; i < HANDSHAKE_IN_FLIGHT; i++) {
            if (bench.begun[i] != 0 && !shut_down(i))
                return false;
            if (bench.idle[i] && !connect_one(i, 0))
                return false;
            bench.idle[i] = false;
        }
        turn();
    }
    return !bench.failed;
}

bool bench_handshake_usrsctp(const struct bench_row *row, double seconds, struct bench_round *round)
{
    (void)row;
    if (!open_sockets(HANDSHAKE_IN_FLIGHT, 1))
        return false;
    for (uint32_t i = 0; i < HANDSHAKE_IN_FLIGHT; i++)
        bench.idle[i] = true;
    if (!churn_until(bench_wall_s() + WARMUP_S))
        return false;
    struct bench_round from = {.messages = bench.server.down,
                               .packets = bench.client.conn.packets,
                               .wall_s = bench_wall_s(),
                               .cpu_s = bench_cpu_s()};
    bool good = churn_until(from.wall_s + seconds);
    *round = (struct bench_round){.messages = bench.server.down - from.messages,
                                  .packets = bench.client.conn.packets - from.packets,
                                  .wall_s = bench_wall_s() - from.wall_s,
                                  .cpu_s = bench_cpu_s() - from.cpu_s};
    return good;
}

/* ---- Keeping ---- */

static bool connect_all(uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (!connect_one(i % IDLE_CLIENTS, i / IDLE_CLIENTS))
            return false;
        while (!bench.failed && (bench.client.up <= i || bench.server.up <= i))
            turn();
    }
    return !bench.failed;
}

bool bench_idle_usrsctp(const struct bench_row *row, double seconds, struct bench_round *round)
{
    const uint32_t count = IDLE_CLIENTS * IDLE_SERVERS;
    (void)row;
    (void)seconds;
    if (!open_sockets(IDLE_CLIENTS, IDLE_SERVERS) || !connect_all(0, IDLE_FIRST))
        return false;
    uint64_t resident = bench_resident_bytes();
    double wall_s = bench_wall_s(), cpu_s = bench_cpu_s();
    if (!connect_all(IDLE_FIRST, count))
        return false;
    *round = (struct bench_round){.messages = 2 * (count - IDLE_FIRST),
                                  .wall_s = bench_wall_s() - wall_s,
                                  .cpu_s = bench_cpu_s() - cpu_s,
                                  .resident_bytes = bench_resident_bytes() - resident};
    return true;
}
