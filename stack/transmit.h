/* DATA chunks into packets (RFC 9260, 6.1): retransmissions first, then new data, while the peer's
 * window, the congestion window and the burst limit allow. */
#ifndef HWS_STACK_TRANSMIT_H
#define HWS_STACK_TRANSMIT_H

#include "stack/core.h"

/** New data may follow: what one acknowledgement of `acked_bytes` sets free at once (6.1 D), or
 * what a timeout or idle time does (0). `repairing`: it acknowledged in order and showed no loss.
 */
void hws_transmit_allow_burst(struct hws_assoc *a, uint32_t acked_bytes, bool repairing);

/** The path whose turn it is to carry DATA chunks: retransmissions before new data. */
struct hws_path *hws_transmit_path(struct hws_assoc *a);

/** Whether any DATA chunk could be sent on this path now; false for any other than the one above.
 */
bool hws_transmit_possible(struct hws_path *p);

/** Whether new data that could be sent on this path waits for more of it, or for the next SACK. */
bool hws_transmit_waits(const struct hws_path *p);

/** User data of the largest DATA chunk that would be made now. */
uint32_t hws_transmit_fragment_max(const struct hws_path *p);

/** What may be in flight where data goes, but no more than one burst where round trips are short.
 */
uint32_t hws_transmit_most_at_once(const struct hws_assoc *a);

/** Whether the path's cwnd lets a chunk pass. */
bool hws_transmit_open(const struct hws_path *p);

/** Appends the DATA chunk of that TSN to the packet. False: there is no room. */
bool hws_transmit_chunk(struct hws_path *p, struct hws_builder *b, uint32_t tsn, bool again);

/** Chunks of `bytes`, headers counted, are on their way on `p`: timers, congestion control. */
void hws_transmit_sent(struct hws_path *p, uint32_t bytes);

/** Fills the rest of the packet. A chunk larger than any packet of the path (its MTU shrank) goes
 * alone, with `may_fragment` set in the train. */
void hws_transmit_fill(struct hws_path *p, struct hws_builder *b, struct hws_train *train);

#endif
