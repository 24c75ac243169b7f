/* The language of fuzz_engine's inputs: one operation after another, each a byte and its arguments.
 * The corpus generator writes it, the fuzzer mutates it. */
#ifndef HWS_TESTS_FUZZ_OPS_H
#define HWS_TESTS_FUZZ_OPS_H

/* The operation byte: low five bits the operation, bit 7 which engine. */
enum fuzz_op {
    FUZZ_SEND,     /* sid, flags, length / 64; flags: U, I, FUZZ_LENT, and a path from bit 4 on */
    FUZZ_DELIVER,  /* the next packet of that engine arrives */
    FUZZ_MUTATE,   /* offset, mask: it arrives with a byte altered */
    FUZZ_LOSE,     /* it does not arrive */
    FUZZ_REPEAT,   /* it arrives twice */
    FUZZ_PACKET,   /* control, length, bytes: a packet of the input's own, to that engine */
    FUZZ_TIME,     /* exponent: 2^n ms pass */
    FUZZ_RECEIVE,  /* capacity */
    FUZZ_SHUTDOWN, /* graceful */
    FUZZ_ABORT,
    FUZZ_RELEASE,       /* and connect anew */
    FUZZ_NETWORK,       /* kind, mtu: what the network says */
    FUZZ_LISTEN,        /* on or off */
    FUZZ_SETTLE,        /* everything arrives until nobody speaks */
    FUZZ_REBOOT,        /* the engine forgets everything and connects */
    FUZZ_PEEK,          /* capacity: what follows is the same */
    FUZZ_VIEW,          /* slot: a view is taken into it, or the one in it is given back */
    FUZZ_FAILED,        /* count of messages that will not arrive to be looked at */
    FUZZ_LOCALS,        /* addresses, FUZZ_ADDR_*: the endpoint's, for associations to come */
    FUZZ_HOST,          /* addresses: those the host has now */
    FUZZ_ENDPOINT,      /* flags, addresses: a new one, that connects */
    FUZZ_ENCAPSULATION, /* path, UDP port: where packets go */
    FUZZ_OPS,
};

/* Which of an engine's own addresses; other bits mean nothing. */
#define FUZZ_ADDR_FIRST 0x01u /* IPv4, where it begins */
#define FUZZ_ADDR_IPV6 0x02u
#define FUZZ_ADDR_SECOND 0x04u /* IPv4 */
#define FUZZ_ADDRS 3u

/* The flags of FUZZ_ENDPOINT; HWS_ENDPOINT_* are their low two bits. */
#define FUZZ_HOST_ADDRESSES 0x04u
#define FUZZ_REUSE 0x08u
#define FUZZ_KEEP_OLD 0x10u /* the old one stays */
#define FUZZ_DEAF 0x20u     /* it does not listen */

/* In the flags of FUZZ_SEND: the bytes are lent. */
#define FUZZ_LENT 0x04u

/* The control byte of FUZZ_PACKET: what is put right before the packet is handed in. */
#define FUZZ_FIX_PORTS 0x01u
#define FUZZ_FIX_TAG 0x02u      /* the receiver's own */
#define FUZZ_FIX_TAG_PEER 0x04u /* the peer's, as with the T bit */
#define FUZZ_FIX_TSN 0x08u      /* TSNs count from where the association stands */
#define FUZZ_FIX_COOKIE 0x10u   /* a COOKIE ECHO carries the last cookie seen */
#define FUZZ_STRANGER 0x20u     /* from an address that is nobody's */

#define FUZZ_PACKET_MAX 600u

#endif
