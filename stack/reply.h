/* Packets that belong to no association, or to one that is gone: built at once, sent when output is
 * pulled. Those that answer strangers are bounded in number and rate. */
#ifndef HWS_STACK_REPLY_H
#define HWS_STACK_REPLY_H

#include "stack/core.h"

/** The packet being built; hws_reply_open and hws_reply_send enclose the chunks. */
struct hws_reply_builder {
    struct hws_builder b;
    struct hws_addr src, dst;
    uint16_t src_port, dst_port;
    uint8_t bytes[HWS_LIMIT_INIT_ACK_BYTES];
};

/** Starts the answer to a packet: addresses and ports swapped, at most `limit` bytes. */
void hws_reply_open(struct hws_reply_builder *r, const struct hws_rx *rx, uint32_t vtag,
                    uint32_t limit);
/** Starts a packet to a path of an association that may not live to send it. */
void hws_reply_open_path(struct hws_reply_builder *r, const struct hws_path *p, uint32_t vtag);

/** Closes the chunk of that `type` that is open; when its causes do not fit it goes without them.
 */
void hws_reply_close(struct hws_reply_builder *r, uint8_t type);

/** Refuses what `rx` carried with an ABORT to `tag`, no larger than what it answers, with one error
 * cause where it fits, as far as the rate limit allows. */
void hws_reply_refuse(struct hws_engine *e, const struct hws_rx *rx, uint32_t tag, uint16_t cause,
                      const void *value, uint32_t value_len);

/** Queues it. A stranger's answer is dropped and counted when HWS_LIMIT_REPLIES wait. */
void hws_reply_send(struct hws_engine *e, struct hws_reply_builder *r, bool stranger);

/** Whether one more answer to a packet out of the blue may be given now; counts it. */
bool hws_reply_ootb_allowed(struct hws_engine *e);

/** Fills a train with the oldest reply; false when there is none. */
bool hws_reply_output(struct hws_engine *e, struct hws_train *train);

void hws_reply_free_all(struct hws_engine *e);

#endif
