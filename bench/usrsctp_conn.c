#include "bench/usrsctp_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/round.h"

#define TICK_MS 10u

static double ticked_s;

void conn_trim_stack(void)
{
    usrsctp_sysctl_set_sctp_ecn_enable(0);
    usrsctp_sysctl_set_sctp_asconf_enable(0);
    usrsctp_sysctl_set_sctp_auth_enable(0);
    usrsctp_sysctl_set_sctp_pr_enable(0);
    usrsctp_sysctl_set_sctp_reconfig_enable(0);
    usrsctp_sysctl_set_sctp_nrsack_enable(0);
    usrsctp_sysctl_set_sctp_pktdrop_enable(0);
}

/* No call of usrsctp is allowed here: packets wait until it has returned. The address of an end
 * is its own for both directions. */
static int on_output(void *addr, void *packet, size_t len, uint8_t tos, uint8_t set_df)
{
    struct conn_end *end = addr;
    struct conn_queue *queue = &end->peer->incoming;
    (void)tos;
    (void)set_df;
    end->packets++;
    if (queue->tail == queue->size || len > CONN_PACKET_MAX) {
        end->lost++;
        return ENOBUFS;
    }
    memcpy(queue->slots[queue->tail], packet, len);
    queue->lens[queue->tail++] = (uint32_t)len;
    return 0;
}

static bool open_end(struct conn_end *end, struct conn_end *peer, uint32_t queue_packets)
{
    *end = (struct conn_end){.peer = peer, .incoming.size = queue_packets};
    end->incoming.slots = malloc(sizeof *end->incoming.slots * queue_packets);
    end->incoming.lens = malloc(sizeof *end->incoming.lens * queue_packets);
    usrsctp_register_address(end);
    return end->incoming.slots != NULL && end->incoming.lens != NULL;
}

bool conn_open(struct conn_end *a, struct conn_end *b, uint32_t queue_packets)
{
    usrsctp_init_nothreads(0, on_output, NULL);
    conn_trim_stack();
    ticked_s = bench_wall_s();
    return open_end(a, b, queue_packets) && open_end(b, a, queue_packets);
}

struct sockaddr_conn conn_address(struct conn_end *end, uint32_t port)
{
    return (struct sockaddr_conn){.sconn_family = AF_CONN,
                                  .sconn_port = (uint16_t)(port << 8 | port >> 8),
                                  .sconn_addr = end};
}

void conn_deliver(struct conn_end *end)
{
    struct conn_queue *queue = &end->incoming;
    while (queue->head < queue->tail) {
        uint32_t slot = queue->head++;
        usrsctp_conninput(end, queue->slots[slot], queue->lens[slot], 0);
    }
    queue->head = queue->tail = 0;
}

void conn_tick(void)
{
    uint32_t elapsed_ms = (uint32_t)((bench_wall_s() - ticked_s) * 1000);
    if (elapsed_ms < TICK_MS)
        return;
    usrsctp_handle_timers(elapsed_ms);
    ticked_s += elapsed_ms / 1000.0;
}
