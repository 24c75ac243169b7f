/* Every limit of the engine, in one place. A peer can never make a queue, list or loop longer than
 * what stands here. */
#ifndef HWS_STACK_LIMITS_H
#define HWS_STACK_LIMITS_H

/* Addresses of one peer (and of one endpoint) that an association uses; further ones that a peer
 * lists are ignored. */
#define HWS_LIMIT_PATHS 8u
/* Most bytes of one message. */
#define HWS_LIMIT_MESSAGE_BYTES (64u << 20)
/* The least user data that DATA chunks of a longer message may be limited to. */
#define HWS_LIMIT_FRAGMENT_MIN_BYTES 16u
/* Streams in either direction. */
#define HWS_LIMIT_STREAMS 65535u
/* TSNs in flight, and received beyond the cumulative TSN: a Gap Ack Block's offset has 16 bits. */
#define HWS_LIMIT_TSN_WINDOW 65536u
/* Duplicate TSNs reported in one SACK; Gap Ack Blocks as many as its packet holds. */
#define HWS_LIMIT_SACK_DUPS 32u
/* Memory that received data holds, as a multiple of the receive buffer, before DATA chunks are
 * dropped unacknowledged (RFC 9260, 6.2: a receiver out of buffer space may drop them). */
#define HWS_LIMIT_RCVBUF_FACTOR 2u
/* Bytes of error causes that wait to be sent to one peer; further ones are dropped and counted. */
#define HWS_LIMIT_PENDING_ERROR_BYTES 512u
/* The Upper Layer Abort Reason, sent and kept. */
#define HWS_LIMIT_ABORT_REASON_BYTES 128u
/* Causes of a peer's ERROR chunks that wait to be told, or its ABORT chunk, as much as is kept. */
#define HWS_LIMIT_REMOTE_ERROR_BYTES 512u
/* Addresses of this host that are known. */
#define HWS_LIMIT_HOST_ADDRESSES 64u
/* The longest State Cookie of a peer that is kept and echoed. */
#define HWS_LIMIT_COOKIE_BYTES 8192u
/* An INIT ACK to an address nobody has verified: no echo of unrecognized parameters beyond it. */
#define HWS_LIMIT_INIT_ACK_BYTES 1024u
/* Tags of ended associations that are kept from being used again; beyond it the oldest is forgotten
 * before its time. */
#define HWS_LIMIT_TIME_WAIT 65536u
/* Replies that belong to no association and wait to be sent (INIT ACK, ABORT, ERROR, ...). */
#define HWS_LIMIT_REPLIES 256u
/* Out-of-the-blue ABORTs and ERRORs per second and per engine. */
#define HWS_LIMIT_OOTB_REPLIES_PER_S 1000u
/* Verification tags drawn before giving up to find one that is not in use. */
#define HWS_LIMIT_TAG_DRAWS 64u
/* DATA chunks of which copies wait to be sent on further paths, before new data waits for them. */
#define HWS_LIMIT_COPIES_DUE 64u
/* The smallest and largest IP MTU a path is given (RFC 9260, 3.1 and 7.3; RFC 8899, 5.1.2). */
#define HWS_LIMIT_MTU_MIN 512u
#define HWS_LIMIT_MTU_MAX 65535u
/* Local ports that are drawn where none is named: the dynamic ports (RFC 6335, 6). */
#define HWS_EPHEMERAL_FIRST 49152u
#define HWS_EPHEMERAL_COUNT 16384u
/* Engines that share ports: a bit each where it is noted who has one. */
#define HWS_LIMIT_SHARDS 64u
/* The MTU a path starts with until the link says better. */
#define HWS_MTU_DEFAULT 1280u

#endif
