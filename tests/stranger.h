/* A host that is only a few packets: it sets up an association with one end of a pair by hand and
 * sends what no engine of ours would. What the end sends stays on its wire. */
#ifndef HWS_TESTS_STRANGER_H
#define HWS_TESTS_STRANGER_H

#include "tests/pair.h"

struct stranger {
    struct pair_end *to;
    struct hws_addr addr; /* where it really is */
    uint16_t port;
    uint32_t tag, tsn; /* its own: Initiate Tag and the next TSN */
    /* What the INIT ACK told: */
    uint32_t peer_tag, peer_tsn;
    uint32_t cookie_len;
    uint8_t cookie[1024];
};

/** 198.51.100.`d`: an address that is neither end's. */
struct hws_addr stranger_addr(uint8_t d);

/** A stranger at 198.51.100.1 with a port of its own. */
struct stranger stranger_new(struct pair_end *to);

/** Sends an INIT that lists `count` further addresses. */
void stranger_inits(struct stranger *s, const struct hws_addr *listed, uint32_t count);

/** Takes the INIT ACK, which must be the first packet on the end's wire. */
void stranger_takes_init_ack(struct stranger *s);

void stranger_echoes(const struct stranger *s);

/** All three; the end must come up. */
void stranger_connects(struct stranger *s, const struct hws_addr *listed, uint32_t count);

/** Starts a packet with the association's ports and tag. */
void stranger_begins(const struct stranger *s, struct hws_builder *b, uint8_t *buf, uint32_t cap);

/** Sends it, with that source address. */
void stranger_sends(const struct stranger *s, const struct hws_addr *src, struct hws_builder *b);

/** Sends a SACK, a message of one byte. */
void stranger_sacks(const struct stranger *s, uint32_t cum_tsn);
void stranger_speaks(struct stranger *s, const struct hws_addr *src);

#endif
