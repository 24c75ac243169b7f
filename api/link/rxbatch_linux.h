/* Receives a batch of packets with one system call, each into pooled buffers of the size it needs.
 *
 * How large a packet is shows only when it has been received. A buffer that any packet fits in
 * would be 64 KB for each: the cache would see a new one every time, and the memory that a packet
 * pins would be forty times its size. So each message scatters over a chain of buffers, one of
 * each class: the small one takes the first bytes, the medium one what goes beyond, the large one
 * the rest. Each continues at the offset where the one before ended, so that a packet becomes
 * whole by copying only its head up into the buffer its tail lies in: nothing for an Ethernet
 * packet, 2 KB for a jumbo frame, 10 KB for the largest. */
#ifndef HWS_API_RXBATCH_LINUX_H
#define HWS_API_RXBATCH_LINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/link/rxpool.h"
#include "proto/addr.h"

/* Messages of one system call. */
#define HWS_RXBATCH_MAX 64u

/** One message as it came from the socket. */
struct hws_rxmsg {
    struct hws_buf *buf;      /* one reference, the taker's */
    uint32_t len;             /* bytes at buf->data */
    uint32_t segment_len;     /* UDP_GRO: length of each packet in it but the last; else len */
    struct hws_addr src, dst; /* with UDP ports; NONE where the socket does not tell */
    uint32_t interface;       /* of a packet socket: the one it came in through */
    uint64_t rx_time_us;      /* of CLOCK_MONOTONIC; 0: not known (SO_TIMESTAMPNS is not set) */
};

struct hws_rxbatch;

/** A new batch that takes its buffers from `pool`; NULL when there is no memory. */
struct hws_rxbatch *hws_rxbatch_new(struct hws_rxpool *pool);
void hws_rxbatch_free(struct hws_rxbatch *batch);

/** Receives up to `max` messages from `fd` without blocking, once those of the last call have been
 * taken, and returns their number. `drained` tells whether that was all there was, or as much as
 * is good to receive before looking at it: the rest stays with the socket. */
size_t hws_rxbatch_fill(struct hws_rxbatch *batch, int fd, size_t max, bool *drained);

enum hws_rxbatch_result { HWS_RXBATCH_EMPTY, HWS_RXBATCH_TAKEN, HWS_RXBATCH_TRUNCATED };

/** Takes the next message of the batch. TRUNCATED: it did not fit and is dropped. */
enum hws_rxbatch_result hws_rxbatch_take(struct hws_rxbatch *batch, struct hws_rxmsg *out);

#endif
