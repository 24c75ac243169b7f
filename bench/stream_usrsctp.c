/* usrsctp with blocking calls: large buffers, NODELAY, no debug output. Its own threads receive. */
#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>
#include <usrsctp.h>

#include "bench/stream.h"

#define BUFFER_BYTES (1024 * 1024)

const char bench_stream_name[] = "usrsctp";

static struct socket *sock;

/* It does not search for a path's MTU beyond what it begins with. */
static bool set_path_mtu(unsigned path_mtu)
{
    struct sctp_paddrparams params = {.spp_flags = SPP_PMTUD_DISABLE, .spp_pathmtu = path_mtu};
    params.spp_address.ss_family = AF_INET;
    return path_mtu == 0 || usrsctp_setsockopt(sock, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &params,
                                               sizeof params) == 0;
}

bool bench_stream_start(const struct bench_stream_config *stack, bool listening)
{
    (void)listening;
    if (stack->link != NULL)
        return false;
    usrsctp_init(stack->udp ? BENCH_STREAM_UDP_PORT : 0, NULL, NULL);
    usrsctp_sysctl_set_sctp_blackhole(2);
    usrsctp_sysctl_set_sctp_no_csum_on_loopback(0);
    usrsctp_sysctl_set_sctp_ecn_enable(0);
    usrsctp_sysctl_set_sctp_max_chunks_on_queue(1u << 20);
    sock = usrsctp_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
    int size = BUFFER_BYTES, on = 1;
    struct sctp_udpencaps encaps = {.sue_port = htons(BENCH_STREAM_UDP_PORT)};
    encaps.sue_address.ss_family = AF_INET;
    return sock != NULL && set_path_mtu(stack->path_mtu) &&
           usrsctp_setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0 &&
           usrsctp_setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0 &&
           usrsctp_setsockopt(sock, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on) == 0 &&
           (!stack->udp || usrsctp_setsockopt(sock, IPPROTO_SCTP, SCTP_REMOTE_UDP_ENCAPS_PORT,
                                              &encaps, sizeof encaps) == 0);
}

bool bench_stream_listen(const struct sockaddr_in *local)
{
    struct sockaddr_in address = *local;
    return usrsctp_bind(sock, (struct sockaddr *)&address, sizeof address) == 0 &&
           usrsctp_listen(sock, 1) == 0;
}

bool bench_stream_accept(void)
{
    struct socket *listener = sock;
    sock = usrsctp_accept(listener, NULL, NULL);
    usrsctp_close(listener);
    return sock != NULL;
}

bool bench_stream_connect(const struct sockaddr_in *remote)
{
    struct sockaddr_in address = *remote;
    return usrsctp_connect(sock, (struct sockaddr *)&address, sizeof address) == 0;
}

bool bench_stream_send(const void *message, size_t len)
{
    struct sctp_sndinfo info = {.snd_sid = 0};
    return usrsctp_sendv(sock, message, len, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0) ==
           (ssize_t)len;
}

ssize_t bench_stream_receive(void *buffer, size_t size)
{
    struct sctp_rcvinfo info;
    socklen_t info_len = sizeof info, from_len = 0;
    unsigned info_type = 0;
    int flags = 0;
    return usrsctp_recvv(sock, buffer, size, NULL, &from_len, &info, &info_len, &info_type, &flags);
}

bool bench_stream_shutdown(void)
{
    uint8_t byte;
    return usrsctp_shutdown(sock, SHUT_WR) == 0 && bench_stream_receive(&byte, sizeof byte) == 0;
}

/* The stack lives in this process: leaving at once would lose the last SHUTDOWN COMPLETE. */
void bench_stream_end(void)
{
    usrsctp_close(sock);
    for (int i = 0; i < 100 && usrsctp_finish() != 0; i++)
        usleep(10000);
}

uint64_t bench_stream_retransmits(void)
{
    struct sctpstat stats;
    usrsctp_get_stat(&stats);
    return stats.sctps_sendretransdata;
}
