/* Trains that wait to be sent, and the sending of them: sendmmsg straight from the buffers they
 * were built in, one message for each packet, or for as many packets as UDP_SEGMENT takes. */
#ifndef HWS_API_TXQUEUE_LINUX_H
#define HWS_API_TXQUEUE_LINUX_H

#include <stdbool.h>

#include "api/link/link.h"

/* The descriptors by family; -1: not open. */
struct hws_txqueue_fds {
    int ipv4, ipv6;
};

struct hws_txqueue;

/** A new queue that sends on `fds`, which are sockets of IP protocol `protocol`, and counts in
 * `stats`; with UDP, to the UDP ports that trains name and with UDP_SEGMENT. NULL when there is no
 * memory. */
struct hws_txqueue *hws_txqueue_new(struct hws_txqueue_fds fds, uint8_t protocol,
                                    struct hws_link_stats *stats);
void hws_txqueue_free(struct hws_txqueue *queue);

/* What the operations of struct hws_link_ops of the same name promise. net_event tells of failed
 * packets only; packets that fail in a row for one reason towards one address are one event. */
bool hws_txqueue_train(struct hws_txqueue *queue, struct hws_train *train);
void hws_txqueue_submit(struct hws_txqueue *queue, const struct hws_train *train);
bool hws_txqueue_flush(struct hws_txqueue *queue);
bool hws_txqueue_net_event(struct hws_txqueue *queue, struct hws_net_event *event);

/** The descriptor that the train at the head leaves by; -1: none waits. */
int hws_txqueue_head_fd(const struct hws_txqueue *queue);

#endif
