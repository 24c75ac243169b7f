/* Buffers that grow with the bandwidth-delay product, up to a limit: the receive buffer, and with
 * it the window that is advertised, when the application takes about a window of user data in a
 * round trip; the send buffer with cwnd. Neither shrinks a window that was advertised (6.2.1). */
#ifndef HWS_STACK_TUNE_H
#define HWS_STACK_TUNE_H

#include <stdbool.h>
#include <stdint.h>

struct hws_assoc;

/* What the application took in the round trip that is under way. */
struct hws_tune {
    uint32_t rcvbuf_bytes; /* what the receive buffer has grown to, 0: it has not */
    uint32_t taken_bytes;  /* user data since the round began */
    uint64_t since_us;     /* when the round began */
};

/** How long a packet takes to the peer and back, when the association was set up: from our INIT ACK
 * to the COOKIE ECHO, or from our COOKIE ECHO to the COOKIE ACK. A receiver of data has no other
 * measure. */
void hws_tune_set_up(struct hws_assoc *a, uint64_t sent_us);

/** The application has taken so much user data. */
void hws_tune_taken(struct hws_assoc *a, uint32_t bytes);

/** Whether the send buffer takes no more. */
bool hws_tune_send_full(const struct hws_assoc *a);

#endif
