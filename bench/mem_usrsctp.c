/* usrsctp in memory: two sockets of family AF_CONN in one thread, without usrsctp's own threads.
 * The settings are the best of those tried: see docs/PERFORMANCE.md. */
#include <errno.h>
#include <stdlib.h>

#include "bench/mem.h"
#include "bench/usrsctp_conn.h"

#define SOURCE_PORT 5001u
#define SINK_PORT 5002u
/* More than the windows allow in flight, so that none is lost. */
#define QUEUE_PACKETS 16384u

/* Larger ones cost more in cache misses than they bring. */
static const int buffer_bytes = 128 * 1024;

struct end {
    struct conn_end conn;
    struct socket *sock;
};

static struct {
    struct end source, sink;
    const struct bench_row *row;
    struct bench_mem_text text;
    uint8_t part[sizeof(uint64_t)]; /* the beginning of the message that has not ended */
    size_t part_bytes;
    bool failed;
} bench;

static bool send_all(void)
{
    struct sctp_sndinfo info = {.snd_sid = 0};
    for (;;) {
        ssize_t sent =
            usrsctp_sendv(bench.source.sock, bench_mem_next(&bench.text), bench.row->message_bytes,
                          NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0);
        if (sent != (ssize_t)bench.row->message_bytes)
            return sent < 0 && (errno == EWOULDBLOCK || errno == EAGAIN);
        bench.text.sent++;
    }
}

/* A message may come in parts; its number is in the first one. */
static int on_receive(struct socket *sock, union sctp_sockstore from, void *data, size_t len,
                      struct sctp_rcvinfo info, int flags, void *arg)
{
    (void)sock;
    (void)from;
    (void)info;
    (void)arg;
    if (data == NULL)
        return 1;
    if (bench.part_bytes == 0)
        memcpy(bench.part, data, sizeof bench.part);
    bench.part_bytes += len;
    if ((flags & MSG_EOR) != 0) {
        bench.failed |= !bench_mem_check(&bench.text, bench.row, bench.part, bench.part_bytes);
        bench.part_bytes = 0;
    }
    free(data);
    return 1;
}

static bool turn(void *arg)
{
    (void)arg;
    conn_tick();
    if (!send_all())
        return false;
    conn_deliver(&bench.sink.conn);
    conn_deliver(&bench.source.conn);
    return !bench.failed;
}

static void counters(void *arg, struct bench_round *sum)
{
    struct sctpstat stats;
    (void)arg;
    usrsctp_get_stat(&stats);
    sum->messages = bench.text.received;
    sum->packets = sum->trains = bench.source.conn.packets;
    sum->sacks = stats.sctps_sendsacks;
    sum->retransmits = stats.sctps_sendretransdata;
    sum->timeouts = stats.sctps_timodata;
}

static void tune_stack(void)
{
    usrsctp_sysctl_set_sctp_sendspace((uint32_t)buffer_bytes);
    usrsctp_sysctl_set_sctp_recvspace((uint32_t)buffer_bytes);
    usrsctp_sysctl_set_sctp_max_chunks_on_queue(1u << 20);
}

/* Small messages leave bundled when Nagle's algorithm holds them back; large ones need none. */
static bool tune_socket(struct socket *sock)
{
    int nodelay = bench.row->message_bytes >= BENCH_MEM_PACKET_BYTES;
    struct sctp_paddrparams path = {.spp_flags = SPP_PMTUD_DISABLE | SPP_HB_ENABLE,
                                    .spp_pathmtu = BENCH_MEM_PACKET_BYTES};
    path.spp_address.ss_family = AF_CONN;
    return usrsctp_setsockopt(sock, IPPROTO_SCTP, SCTP_NODELAY, &nodelay, sizeof nodelay) == 0 &&
           usrsctp_setsockopt(sock, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path, sizeof path) == 0 &&
           usrsctp_setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes) ==
               0 &&
           usrsctp_setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes) ==
               0 &&
           usrsctp_set_non_blocking(sock, 1) == 0;
}

static bool open_end(struct end *end, uint16_t port)
{
    struct sockaddr_conn own = conn_address(&end->conn, port);
    end->sock = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, on_receive, NULL, 0, NULL);
    return end->sock != NULL && tune_socket(end->sock) &&
           usrsctp_bind(end->sock, (struct sockaddr *)&own, sizeof own) == 0;
}

static bool connect_ends(void)
{
    struct sockaddr_conn remote = conn_address(&bench.source.conn, SINK_PORT);
    struct socket *listener = bench.sink.sock;
    if (usrsctp_listen(listener, 1) != 0 ||
        (usrsctp_connect(bench.source.sock, (struct sockaddr *)&remote, sizeof remote) != 0 &&
         errno != EINPROGRESS))
        return false;
    for (int i = 0; i < 4; i++) {
        conn_deliver(&bench.sink.conn);
        conn_deliver(&bench.source.conn);
    }
    bench.sink.sock = usrsctp_accept(listener, NULL, NULL);
    return bench.sink.sock != NULL && usrsctp_set_non_blocking(bench.sink.sock, 1) == 0;
}

bool bench_mem_usrsctp(const struct bench_row *row, double seconds, struct bench_round *round)
{
    bench.row = row;
    bool good = conn_open(&bench.source.conn, &bench.sink.conn, QUEUE_PACKETS);
    tune_stack();
    good = good && open_end(&bench.source, SOURCE_PORT) && open_end(&bench.sink, SINK_PORT) &&
           connect_ends() && bench_mem_clock(row, seconds, round, turn, counters, NULL);
    bool lost = bench.source.conn.lost + bench.sink.conn.lost > 0;
    if (lost)
        fprintf(stderr, "%s: usrsctp overran the queue between its ends\n", row->name);
    return good && !lost;
}
