/* usrsctp in memory: two sockets of family AF_CONN in one thread, without usrsctp's own threads.
 * CRC32c is computed and checked (usrsctp_enable_crc32c_offload, which would end that, is not
 * called). The settings are the best of those tried: see docs/PERFORMANCE.md. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <usrsctp.h>

#include "bench/mem.h"

#define SOURCE_PORT 5001u
#define SINK_PORT 5002u
/* More than the windows allow in flight, so that none is lost. */
#define QUEUE_PACKETS 16384u
#define PACKET_MAX 2048u

/* Larger ones cost more in cache misses than they bring. */
static const int buffer_bytes = 128 * 1024;

/* Packets on the way to one end. It starts anew whenever it is empty, so that the same few slots
 * are used while they are in the cache. */
struct queue {
    uint32_t head, tail;
    uint32_t lens[QUEUE_PACKETS];
    uint8_t (*slots)[PACKET_MAX];
};

struct end {
    struct socket *sock;
    struct queue incoming;
    struct end *peer;
    uint64_t packets; /* sent */
};

static struct {
    struct end source, sink;
    const struct bench_row *row;
    struct bench_mem_text text;
    double ticked_s;
    uint8_t part[sizeof(uint64_t)]; /* the beginning of the message that has not ended */
    size_t part_bytes;
    uint64_t lost;
    bool failed;
} bench;

/* No call of usrsctp is allowed here: packets wait until it has returned. The address of an end
 * is its own for both directions. */
static int on_output(void *addr, void *packet, size_t len, uint8_t tos, uint8_t set_df)
{
    struct end *end = addr;
    struct queue *queue = &end->peer->incoming;
    (void)tos;
    (void)set_df;
    end->packets++;
    if (queue->tail == QUEUE_PACKETS || len > PACKET_MAX) {
        bench.lost++;
        return ENOBUFS;
    }
    memcpy(queue->slots[queue->tail], packet, len);
    queue->lens[queue->tail++] = (uint32_t)len;
    return 0;
}

static void deliver(struct end *end)
{
    struct queue *queue = &end->incoming;
    while (queue->head < queue->tail) {
        uint32_t slot = queue->head++;
        usrsctp_conninput(end, queue->slots[slot], queue->lens[slot], 0);
    }
    queue->head = queue->tail = 0;
}

static void tick(void)
{
    double now_s = bench_wall_s();
    uint32_t elapsed_ms = (uint32_t)((now_s - bench.ticked_s) * 1000);
    if (elapsed_ms < 10)
        return;
    usrsctp_handle_timers(elapsed_ms);
    bench.ticked_s += elapsed_ms / 1000.0;
}

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
    tick();
    if (!send_all())
        return false;
    deliver(&bench.sink);
    deliver(&bench.source);
    return !bench.failed;
}

static void counters(void *arg, struct bench_round *sum)
{
    struct sctpstat stats;
    (void)arg;
    usrsctp_get_stat(&stats);
    sum->messages = bench.text.received;
    sum->packets = sum->trains = bench.source.packets;
    sum->sacks = stats.sctps_sendsacks;
    sum->retransmits = stats.sctps_sendretransdata;
    sum->timeouts = stats.sctps_timodata;
}

static void tune_stack(void)
{
    usrsctp_sysctl_set_sctp_sendspace((uint32_t)buffer_bytes);
    usrsctp_sysctl_set_sctp_recvspace((uint32_t)buffer_bytes);
    usrsctp_sysctl_set_sctp_max_chunks_on_queue(1u << 20);
    usrsctp_sysctl_set_sctp_ecn_enable(0);
    usrsctp_sysctl_set_sctp_asconf_enable(0);
    usrsctp_sysctl_set_sctp_auth_enable(0);
    usrsctp_sysctl_set_sctp_pr_enable(0);
    usrsctp_sysctl_set_sctp_reconfig_enable(0);
    usrsctp_sysctl_set_sctp_nrsack_enable(0);
    usrsctp_sysctl_set_sctp_pktdrop_enable(0);
}

static struct sockaddr_conn address(struct end *end, uint16_t port)
{
    return (struct sockaddr_conn){.sconn_family = AF_CONN,
                                  .sconn_port = (uint16_t)(port << 8 | port >> 8),
                                  .sconn_addr = end};
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

static bool open_end(struct end *end, struct end *peer, uint16_t port)
{
    struct sockaddr_conn own = address(end, port);
    end->peer = peer;
    end->incoming.slots = malloc(sizeof(*end->incoming.slots) * QUEUE_PACKETS);
    usrsctp_register_address(end);
    end->sock = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, on_receive, NULL, 0, NULL);
    return end->incoming.slots != NULL && end->sock != NULL && tune_socket(end->sock) &&
           usrsctp_bind(end->sock, (struct sockaddr *)&own, sizeof own) == 0;
}

static bool connect_ends(void)
{
    struct sockaddr_conn remote = address(&bench.source, SINK_PORT);
    struct socket *listener = bench.sink.sock;
    if (usrsctp_listen(listener, 1) != 0 ||
        (usrsctp_connect(bench.source.sock, (struct sockaddr *)&remote, sizeof remote) != 0 &&
         errno != EINPROGRESS))
        return false;
    for (int i = 0; i < 4; i++) {
        deliver(&bench.sink);
        deliver(&bench.source);
    }
    bench.sink.sock = usrsctp_accept(listener, NULL, NULL);
    return bench.sink.sock != NULL && usrsctp_set_non_blocking(bench.sink.sock, 1) == 0;
}

bool bench_mem_usrsctp(const struct bench_row *row, double seconds, struct bench_round *round)
{
    bench.row = row;
    usrsctp_init_nothreads(0, on_output, NULL);
    tune_stack();
    bench.ticked_s = bench_wall_s();
    bool good = open_end(&bench.source, &bench.sink, SOURCE_PORT) &&
                open_end(&bench.sink, &bench.source, SINK_PORT) && connect_ends() &&
                bench_mem_clock(row, seconds, round, turn, counters, NULL);
    if (bench.lost > 0)
        fprintf(stderr, "%s: usrsctp overran the queue between its ends\n", row->name);
    return good && bench.lost == 0;
}
