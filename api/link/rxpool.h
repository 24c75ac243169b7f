/* Buffers to receive into, reused, in three sizes: one that an Ethernet packet fits in, one for
 * jumbo frames, one for the largest IP packet. A packet pins (and an engine charges) the size it
 * lies in, so a small packet must not lie in a large buffer. */
#ifndef HWS_API_RXPOOL_H
#define HWS_API_RXPOOL_H

#include <stdint.h>

#include "stack/buf.h"

enum hws_rxclass { HWS_RX_SMALL, HWS_RX_MEDIUM, HWS_RX_LARGE, HWS_RX_CLASSES };

struct hws_rxpool;

/** A new pool, NULL when there is no memory. */
struct hws_rxpool *hws_rxpool_new(void);

/** Gives the pool up. Buffers in use stay valid; what is left goes with the last of them. */
void hws_rxpool_close(struct hws_rxpool *pool);

/** Bytes that fit into a buffer of the class. */
uint32_t hws_rxpool_capacity(enum hws_rxclass size);

/** The smallest class that `len` bytes fit in; HWS_RX_CLASSES when there is none. */
enum hws_rxclass hws_rxpool_fit(uint32_t len);

/** A buffer with one reference, or NULL when there is no memory. */
struct hws_buf *hws_rxpool_get(struct hws_rxpool *pool, enum hws_rxclass size);

#endif
