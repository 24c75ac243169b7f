/** @file
 * The engine: SCTP without I/O. Bytes in, bytes out, time as an argument.
 *
 * Whoever drives an engine runs this loop, in this order, from one thread at a time:
 *
 *     input* / net_event* / expire  ->  event*  ->  output*  ->  deadline
 *
 * Input and the application's calls never send: they change state, and output() pulls packets until
 * it has none left. No function here blocks, reads a clock or calls back into the driver (but for
 * the environment's alloc, free, random and hmac_sha256). An engine has no lock; different engines
 * share nothing.
 *
 * `now_us` is a monotonic time in microseconds; one that is less than in an earlier call counts as
 * that. Associations and endpoints are named by ids that carry a generation number: an id of
 * something that is gone answers HWS_E_NOENT and never reaches something newer. */
#ifndef HWS_STACK_ENGINE_H
#define HWS_STACK_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/addr.h"
#include "proto/shard.h"
#include "proto/text.h"
#include "stack/buf.h"
#include "stack/env.h"
#include "stack/error.h"
#include "stack/extend.h"
#include "stack/stats.h"

struct hws_engine;

/** Names an association; 0 names none. */
typedef uint64_t hws_assoc_id;
/** Names an endpoint (a local port with its addresses); 0 names none. */
typedef uint64_t hws_endpoint_id;

/* ---- Parameters ---- */

/** Protocol parameters (RFC 9260, section 16), per endpoint; an association inherits its
 * endpoint's. hws_params_default fills in the defaults given here. */
struct hws_params {
    uint32_t rto_initial_us;  /**< 1 s */
    uint32_t rto_min_us;      /**< 1 s; at least 1 ms, for data centres */
    uint32_t rto_max_us;      /**< 60 s */
    uint32_t init_rto_max_us; /**< 0: rto_max_us; the longest wait for INIT ACK or COOKIE ACK before
                                 INIT or COOKIE ECHO is sent again */
    uint8_t rto_alpha_shift;  /**< 3: RTO.Alpha is 1/8 = 1 >> 3; 1..8 */
    uint8_t rto_beta_shift;   /**< 2: RTO.Beta is 1/4 = 1 >> 2; 1..8 */
    uint32_t hb_interval_us;  /**< 30 s; 0: no heartbeats on idle paths */
    bool no_heartbeats;       /**< false: the same, without forgetting the interval */
    uint16_t hb_max_burst;    /**< 1: packets with HEARTBEATs sent in an RTO (5.4); 0: no limit */
    uint32_t cookie_life_us;  /**< 60 s */
    uint32_t sack_delay_us;   /**< 200 ms, at most 500 ms (6.2) */
    uint32_t sack_packets; /**< 2: packets with DATA before a SACK is due; a batch counts whole */
    uint32_t max_burst_bytes; /**< 65536: new data that may be sent in answer to one SACK however
                                 little it acknowledged (6.1 D) */
    uint32_t
        max_burst_packets; /**< 0: no limit; packets of new data in answer to one SACK, at most */
    uint32_t max_fragment_bytes; /**< 0: as large as the paths allow; else user data of a DATA
                                    chunk, HWS_LIMIT_FRAGMENT_MIN_BYTES at least */
    uint32_t slow_start_l;       /**< 32: limit L of 7.2.1, in PMDCS per SACK */
    uint16_t max_init_retrans;   /**< 8 */
    uint16_t assoc_max_retrans;  /**< 10 */
    uint16_t path_max_retrans;   /**< 5 */
    uint16_t pf_max_retrans; /**< 0: errors before a path is Potentially Failed (RFC 7829, 3.1) */
    uint16_t ostreams;       /**< 10: outbound streams to ask for, 1..65535 */
    uint16_t max_instreams;  /**< 65535: inbound streams to accept, 1..65535 */
    uint32_t rcvbuf_bytes;   /**< 1 MiB: user data held for the application; memory: up to twice */
    uint32_t rcvbuf_max_bytes; /**< 16 MiB: it grows up to this with the bandwidth-delay product, as
                                  long as the application takes what comes; not above rcvbuf_bytes:
                                  it does not grow */
    uint32_t sndbuf_bytes; /**< 256 KiB: messages queued or in flight, headers counted, before send
                              says AGAIN */
    uint32_t sndbuf_max_bytes; /**< 16 MiB: up to this it grows to twice what may be in flight */
    uint8_t tos;      /**< 0: the system's; IPv4's TOS or IPv6's traffic class of packets sent */
    uint8_t ttl;      /**< 0: the system's; IPv4's TTL or IPv6's hop limit */
    bool keep_failed; /**< false: keep messages that will not arrive for hws_assoc_failed */
    uint32_t pd_point_bytes; /**< 0: only when memory asks; else a message of which so much has come
                                is delivered in parts, at most rcvbuf_bytes (6.9) */
    uint64_t autoclose_us;   /**< 0: never; a graceful end begins when no DATA came or went for so
                                long   (RFC 6458, 8.1.8) */
    bool rx_times;   /**< false: keep when the packets of messages were received, for hws_rcvinfo */
    bool adaptation; /**< false: tell the peer adaptation_indication (RFC 5061, 4.2.6) */
    uint32_t adaptation_indication;
    bool tail_probe; /**< true: probe for a lost tail before T3 (RFC 8985, 7) */
    uint32_t mtu;    /**< 0: the network says; the IP MTU to use, HWS_LIMIT_MTU_MIN..MAX */
    bool pmtud;      /**< true: find the path MTU by probing (RFC 8899) */
    uint32_t
        pmtud_interval_us; /**< 600 s: from the end of a search to the next, PMTU_RAISE_TIMER */
    bool nodelay;          /**< false: Nagle's rule of 6.1 holds back a small packet, and on near
                                paths a small train */
    bool probe;            /**< false: INIT ACK ends the association at once, with HWS_E_EOF and
                              without another packet: only whether somebody listens is asked */
    const char *cc;        /**< NULL: "rfc9260"; congestion controller by name. Names are not
                              copied: they have to stay as long as the engine */
    const char *sched;     /**< NULL: "fcfs"; or "rr": stream scheduler by name */
    const char *pathsel;   /**< NULL: "primary"; path selector by name */
};

/** Fills in the defaults. */
void hws_params_default(struct hws_params *params);

/** Those of one path. A path inherits its association's. */
struct hws_path_params {
    uint32_t rto_initial_us, rto_min_us, rto_max_us;
    uint32_t hb_interval_us;   /**< 0: no heartbeats while idle */
    bool no_heartbeats;        /**< the same, without forgetting the interval */
    uint16_t path_max_retrans; /**< consecutive errors before the path is inactive */
    uint16_t pf_max_retrans;   /**< and before it is Potentially Failed */
    uint32_t mtu;              /**< IP MTU to use, HWS_LIMIT_MTU_MIN..MAX; 0: the network says */
    bool pmtud;                /**< find the MTU by probing; not while `mtu` is set */
    uint32_t pmtud_interval_us;
    uint8_t tos, ttl; /**< as in struct hws_params */
};

/** The names that `cc` takes in that engine (NULL: in any), the default first; NULL from the last
 * one on. */
const char *hws_cc_name(const struct hws_engine *engine, size_t index);
/** The names of stream schedulers. */
const char *hws_sched_name(const struct hws_engine *engine, size_t index);
/** The names of path selectors. */
const char *hws_pathsel_name(const struct hws_engine *engine, size_t index);

/** What an engine is made with. */
struct hws_engine_config {
    struct hws_env env;
    /** Answer packets to ports that are not ours as the host's only SCTP would (8.4, ABORT). Off:
     * stay silent, since another stack of this host may own the port. */
    bool own_host;
    /** Which of several engines this is that share addresses and ports, at most HWS_LIMIT_SHARDS;
     * every packet is to reach the one that hws_shard_of_packet names, the others ignore it. */
    struct hws_shard shard;
    /** Take every object straight from env.alloc instead of from slabs, so that a memory checker
     * sees each one. */
    bool direct_alloc;
    /** Accept packets without looking at their checksum (fuzzing only). */
    bool ignore_checksum;
    /** What this engine has beside RFC 9260 (extend.h), `extension_count` of them; they live as
     * long as the engine, the array need not. */
    const struct hws_extension *const *extensions;
    size_t extension_count; /**< HWS_EXT_MAX at most */
};

/** The longest text that hws_extensions_check writes, its NUL included. */
#define HWS_EXTENSION_ERROR_MAX 256u

/** Whether an engine can be made with these extensions. HWS_E_INVAL: not; `error`, of
 * HWS_EXTENSION_ERROR_MAX bytes, says as one sentence why. */
int hws_extensions_check(const struct hws_extension *const *extensions, size_t count, char *error);

/** What chunks, parameters and causes of the engine's extensions are called in traces; valid until
 * the engine is freed. */
struct hws_text_names hws_engine_names(const struct hws_engine *engine);

/** A new engine, or NULL when there is no memory, or when hws_extensions_check says no. The config
 * is copied. */
struct hws_engine *hws_engine_new(const struct hws_engine_config *config);

/** Frees the engine and everything in it; nothing is sent. References to received buffers are
 * let go, those of views that were not released as well. NULL is allowed. */
void hws_engine_free(struct hws_engine *engine);

/** Aborts every association, those that end by themselves after release included, so that their
 * peers know when the engine is about to be freed: pull output before. */
void hws_engine_abort_all(struct hws_engine *engine, uint64_t now_us);

/* ---- The network's side ---- */

/** The addresses this host has now, as far as a peer may be told of them: for endpoints with
 * `host_addresses`, and associations to come. Copied; those beyond HWS_LIMIT_HOST_ADDRESSES are
 * left out. */
void hws_engine_set_host_addresses(struct hws_engine *engine, const struct hws_addr *addrs,
                                   size_t count);

/** Memory that packets for this engine may take up before it takes them (the receive buffer of the
 * link's socket, as the kernel counts), which the windows of its associations then share: those
 * that receive now in equal parts, two full packets for each at least. 0: without limit, as at
 * first. Windows advertised already stay. */
void hws_engine_set_receive_budget(struct hws_engine *engine, uint64_t bytes);

/** A received packet. */
struct hws_packet_in {
    const uint8_t *data; /**< from the SCTP header on */
    uint32_t len;
    /** Memory this packet keeps from reuse while it is held: the whole slot, or its share of a
     * buffer that carries several packets. */
    uint32_t truesize;
    struct hws_buf *buf;      /**< owns `data`; NULL: the engine copies what it keeps */
    struct hws_addr src, dst; /**< src.udp_port is the peer's encapsulation port or 0 */
    uint64_t rx_time_us;      /**< the kernel's receive time in now_us's clock, 0: not known */
};

/** Takes a batch of received packets. Packets of any content are allowed; those that are not for
 * us or broken are counted and dropped. The caller keeps its own references to the buffers. */
void hws_engine_input(struct hws_engine *engine, const struct hws_packet_in *packets, size_t count,
                      uint64_t now_us);

/** What the network may say beside packets. */
enum hws_net_kind {
    HWS_NET_MTU,         /**< the IP MTU towards `remote` is `mtu` */
    HWS_NET_SEND_FAILED, /**< a packet to `remote` could not be sent, because of `reason` */
    HWS_NET_UNREACHABLE, /**< ICMP says so about a packet of ours, quoted below */
    HWS_NET_TOO_BIG,     /**< ICMP says so, next-hop MTU in `mtu`, quoted below */
};

/** Why a packet could not be sent. */
enum hws_send_failure {
    HWS_SEND_TOO_BIG = 1, /**< EMSGSIZE */
    HWS_SEND_UNREACHABLE, /**< ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, ... */
    HWS_SEND_FILTERED,    /**< EPERM */
    HWS_SEND_BUSY,        /**< EAGAIN, ENOBUFS: dropped on this host */
};

/** Something that the network said. */
struct hws_net_event {
    enum hws_net_kind kind;
    hws_assoc_id
        assoc; /**< HWS_NET_MTU: whose path; 0: every association's with that peer address */
    /** local may be HWS_FAMILY_NONE; HWS_NET_MTU: the address the network would send from */
    struct hws_addr local, remote;
    uint16_t local_port, remote_port; /**< HWS_NET_SEND_FAILED: of the packet */
    uint32_t packet_len;              /**< HWS_NET_SEND_FAILED: its SCTP bytes */
    uint32_t mtu;
    enum hws_send_failure reason;
    bool protocol_unreachable; /**< HWS_NET_UNREACHABLE: the host does not speak SCTP (ICMP 3/2) */
    const uint8_t *quoted;     /**< the SCTP bytes an ICMP message quotes, as many as there are */
    uint32_t quoted_len;
};

/** Tells the engine what else the network said. What does not concern it is ignored. */
void hws_engine_net_event(struct hws_engine *engine, const struct hws_net_event *event,
                          uint64_t now_us);

/** Packets that leave together: one source, one destination, all of `segment_len` bytes but the
 * last, which may be shorter. */
struct hws_train {
    /* From the caller: */
    uint8_t *data;        /**< where the packets are built, back to back */
    uint32_t capacity;    /**< bytes at `data`, at least HWS_PACKET_MAX_LEN to allow any MTU */
    uint32_t max_packets; /**< 1 or more; what one call of the link can send */
    /* From the engine: */
    uint32_t len;         /**< bytes in all */
    uint32_t segment_len; /**< bytes of each packet but the last */
    uint32_t packets;
    struct hws_addr src; /**< HWS_FAMILY_NONE: the network chooses */
    struct hws_addr dst; /**< dst.udp_port: the peer's encapsulation port or 0 */
    bool may_fragment;   /**< IP may fragment it: larger than the path MTU and cannot be cut */
    uint32_t mtu;        /**< of the path, for IP's fragments */
    uint8_t tos, ttl;    /**< of IP's header, 0: the system's */
};

/** Builds the next train. False: there is nothing to send now. */
bool hws_engine_output(struct hws_engine *engine, struct hws_train *train, uint64_t now_us);

/** Runs every timer that is due. */
void hws_engine_expire(struct hws_engine *engine, uint64_t now_us);

/** When expire has to be called next; UINT64_MAX: not before something else happens. May be
 * earlier than any timer (then expire finds nothing to do), never later. */
uint64_t hws_engine_deadline(const struct hws_engine *engine);

/* ---- The application's side ---- */

/** What the application should know. */
enum hws_event_type {
    HWS_EVENT_PATH_NEW, /**< a path was made: answer with HWS_NET_MTU when it is known */
    HWS_EVENT_UP,       /**< ESTABLISHED; `endpoint` tells a listener whose it is, by `passive` */
    HWS_EVENT_RESTART,  /**< the peer restarted: what was not acknowledged is lost (5.2.4 A) */
    HWS_EVENT_PATH_CONFIRMED,  /**< the peer has shown that the address is its own (5.4) */
    HWS_EVENT_PATH_FAILING,    /**< a path did not answer: Potentially Failed (RFC 7829) */
    HWS_EVENT_PATH_DOWN,       /**< a path does not answer: inactive (8.2) */
    HWS_EVENT_PATH_UP,         /**< it answers again: active */
    HWS_EVENT_READABLE,        /**< a message (or a part of a large one) can be received */
    HWS_EVENT_WRITABLE,        /**< send may succeed again after HWS_E_AGAIN */
    HWS_EVENT_SEND_FAILED,     /**< messages are dropped: queued before UP for streams that the peer
                                  does not take (5.1.1), or not acknowledged before RESTART */
    HWS_EVENT_PEER_SHUTDOWN,   /**< the peer asked for SHUTDOWN: nothing more can be sent */
    HWS_EVENT_REMOTE_ERROR,    /**< the peer sent an ERROR: `cause`, and `data`, its bytes */
    HWS_EVENT_DRY,             /**< everything sent has been acknowledged */
    HWS_EVENT_DOWN,            /**< over, `reason`; received messages can still be read */
    HWS_EVENT_ADAPTATION,      /**< the peer told its adaptation layer's `indication` */
    HWS_EVENT_PARTIAL_ABORTED, /**< message `ssn` of stream `sid`, which was being delivered in
                                  parts, will not be completed: what can be read of it ends without
                                  HWS_RECV_EOR */
    HWS_EVENT_EXTENSION,       /**< `extension` tells `code` and `data` (hws_ext_tell) */
};

/** An event. Members that its type does not name are 0. */
struct hws_event {
    enum hws_event_type type;
    hws_assoc_id assoc;
    hws_endpoint_id endpoint;
    bool passive;                  /**< UP: the peer began */
    int reason;                    /**< DOWN: HWS_E_EOF after a graceful shutdown, else why */
    uint16_t cause;                /**< REMOTE_ERROR, DOWN by ABORT: the first cause code or 0 */
    struct hws_addr local, remote; /**< PATH_*: the path */
    uint16_t instreams, ostreams;  /**< UP, RESTART: of the association */
    uint16_t sid, ssn;             /**< PARTIAL_ABORTED */
    uint32_t indication;           /**< ADAPTATION */
    /** REMOTE_ERROR: the error cause with its header; valid until the engine is called again; NULL
     * when it was too long to keep. DOWN by ABORT: the chunk with its header, its first
     * HWS_LIMIT_REMOTE_ERROR_BYTES; valid until the association is released. EXTENSION: what it
     * says; valid until the next event is taken. */
    const uint8_t *data;
    uint32_t data_len;
    const char *extension; /**< EXTENSION: its name */
    uint32_t code;         /**< EXTENSION: its own number of what happened */
};

/** Takes the next event; false when there is none. Events of one kind for one association are
 * folded into one, but those of EXTENSION. After DOWN no event names that association again. */
bool hws_engine_event(struct hws_engine *engine, struct hws_event *out);

/** Whether there may be events to take: output makes some, too, where an extension tells of what is
 * sent. */
bool hws_engine_has_events(const struct hws_engine *engine);

#define HWS_ENDPOINT_IPV4 1u /**< in `families`: IPv4 */
#define HWS_ENDPOINT_IPV6 2u /**< and IPv6 */

/** What an endpoint is made with. */
struct hws_endpoint_config {
    uint16_t port;        /**< local port, host order; 0: one that is free, from 49152 up */
    uint16_t remote_port; /**< of the peer to connect to, where a port is drawn for that: one that
                             leads to this shard then; 0: any */
    const struct hws_addr *locals; /**< addresses to use, at most HWS_LIMIT_PATHS; copied */
    size_t local_count;            /**< 0: any; the network chooses the source address */
    unsigned families; /**< HWS_ENDPOINT_*: no others are used; 0: both. Two endpoints of different
                          families may have one port */
    bool listening;    /**< accept associations from peers */
    bool reuse; /**< endpoints that all have it may share port and addresses; of those that listen a
                   hash of the peer's address and port chooses one for each peer */
    bool host_addresses; /**< with no locals: tell peers the host's addresses of the scope they are
                            in (hws_engine_set_host_addresses), so that there are several paths */
    const struct hws_params *params; /**< NULL: defaults; copied */
};

/** Makes an endpoint. Errors: HWS_E_INUSE (the port has an endpoint with a common address),
 * HWS_E_INVAL (also an address of a family that is not used), HWS_E_NOMEM. */
int hws_endpoint_new(struct hws_engine *engine, const struct hws_endpoint_config *config,
                     hws_endpoint_id *out);

/** The endpoint's port, 0 when there is no such endpoint. */
uint16_t hws_endpoint_port(const struct hws_engine *engine, hws_endpoint_id id);

/** Changes whether new associations are accepted. */
int hws_endpoint_listen(struct hws_engine *engine, hws_endpoint_id id, bool listening);

/** Lets the endpoint go: it accepts nothing more, its port is free once its last association is
 * gone. Associations live on. */
int hws_endpoint_release(struct hws_engine *engine, hws_endpoint_id id);

/** Changes the addresses of the endpoint, as in its configuration, for associations to come; others
 * keep theirs. Errors: HWS_E_NOENT, HWS_E_INVAL, HWS_E_INUSE (another endpoint of that port has one
 * of them), HWS_E_NOMEM. */
int hws_endpoint_set_locals(struct hws_engine *engine, hws_endpoint_id id,
                            const struct hws_addr *locals, size_t count);

/** Reads what new associations of the endpoint begin with. HWS_E_NOENT. */
int hws_endpoint_params(const struct hws_engine *engine, hws_endpoint_id id,
                        struct hws_params *out);

/** Changes that. HWS_E_NOENT, HWS_E_INVAL (a value out of its range), HWS_E_NOMEM. */
int hws_endpoint_set_params(struct hws_engine *engine, hws_endpoint_id id,
                            const struct hws_params *params);

/** Starts an association with the peer at `remotes` (1..HWS_LIMIT_PATHS addresses of one host, the
 * first one is tried first). UP or DOWN tells how it went. Errors: HWS_E_INVAL, HWS_E_NOENT,
 * HWS_E_INUSE (there is one with that peer already), HWS_E_SHARD (hws_shard_of_ports names another
 * shard: it can connect with these ports), HWS_E_NOMEM. */
int hws_assoc_connect(struct hws_engine *engine, hws_endpoint_id endpoint,
                      const struct hws_addr *remotes, size_t remote_count, uint16_t remote_port,
                      uint64_t now_us, hws_assoc_id *out);

#define HWS_SEND_UNORDERED 0x1u        /**< the U bit (3.3.1) */
#define HWS_SEND_SACK_IMMEDIATELY 0x2u /**< the I bit */

/** How a message is sent. */
struct hws_sndinfo {
    uint16_t sid;
    uint16_t flags;   /**< HWS_SEND_* */
    uint32_t ppid;    /**< host order number, sent big-endian */
    uint32_t context; /**< the application's own: comes back in struct hws_failed */
    uint8_t path; /**< 0: where data goes; n: first sent on path number n - 1 as long as that one is
                     active (RFC 6458, SCTP_ADDR_OVER); sent again as 6.4 says */
};

/** A piece of a message. */
struct hws_iovec {
    const void *base;
    size_t len;
};

/** Queues one message (1..HWS_LIMIT_MESSAGE_BYTES); its bytes are copied. Before ESTABLISHED
 * messages are queued as well. Accepted while less than sndbuf_bytes are queued or in flight, so
 * that a message larger than the buffer can pass. Errors: HWS_E_AGAIN (WRITABLE follows),
 * HWS_E_INVAL (stream, path, empty), HWS_E_MSGSIZE, HWS_E_SHUTDOWN, HWS_E_NOENT, HWS_E_NOMEM. */
int hws_assoc_send(struct hws_engine *engine, hws_assoc_id id, const struct hws_sndinfo *info,
                   const struct hws_iovec *iov, size_t iov_count, uint64_t now_us);

/** The same without a copy: the bytes (not the iovecs) stay the caller's, unchanged, until
 * hws_engine_lent_done gives `lent` back. After an error they were not taken. */
int hws_assoc_send_lent(struct hws_engine *engine, hws_assoc_id id, const struct hws_sndinfo *info,
                        const struct hws_iovec *iov, size_t iov_count, void *lent, uint64_t now_us);

/** Takes the next `lent` whose bytes nobody needs any more: acknowledged, dropped, or, when failed
 * messages are kept, looked at. Ask after input, expire, and calls that end or release. False:
 * none now. hws_engine_free forgets what is still lent without telling: it reads none of it, and
 * the caller has it all back. */
bool hws_engine_lent_done(struct hws_engine *engine, void **lent);

/** A message that was accepted and will not arrive, whole: parts of it may have. */
struct hws_failed {
    uint16_t sid;
    uint16_t flags; /**< HWS_SEND_* */
    uint32_t ppid, context;
    bool sent;    /**< some of it was sent, so that it may have arrived all the same */
    int reason;   /**< an hws_error: HWS_E_INVAL when the peer does not take the stream, HWS_E_RESET
                     when it restarted, else why the association ended */
    uint32_t len; /**< of the message */
    const struct hws_iovec *iov; /**< its bytes, until the next call for this association or its
                                    release */
    size_t iov_count;
};

/** Takes the next message that will not arrive, in the order sent, each once: with `keep_failed`
 * those that were not acknowledged when the association ended or restarted, and those for streams
 * that the peer does not take. Ask after SEND_FAILED and DOWN. Until taken they count against
 * sndbuf_bytes. Errors: HWS_E_AGAIN (none now), HWS_E_NOENT. */
int hws_assoc_failed(struct hws_engine *engine, hws_assoc_id id, struct hws_failed *out);

#define HWS_RECV_UNORDERED 0x1u /**< it was sent unordered */
#define HWS_RECV_EOR 0x2u       /**< these bytes end their message */

/** What came with a message. */
struct hws_rcvinfo {
    uint16_t sid, ssn;
    uint16_t flags; /**< HWS_RECV_* */
    uint32_t ppid;
    uint32_t tsn; /**< of the message's first fragment */
    /** With `rx_times`: when the last of the message's packets was received, in now_us's clock; of
     * a message in partial delivery the last of those so far. 0: not known. */
    uint64_t rx_time_us;
};

/** Copies the next bytes of the message at the head of the queue: all of it, or as much as fits
 * or has come (large messages are delivered in parts, 6.9). Parts of one message come one after
 * another; HWS_RECV_EOR marks the last. Errors: HWS_E_AGAIN (READABLE follows), HWS_E_NOENT, and
 * when the association is over and everything has been read, the reason it ended for. */
int hws_assoc_recv(struct hws_engine *engine, hws_assoc_id id, void *buf, size_t capacity,
                   size_t *len, struct hws_rcvinfo *info, uint64_t now_us);

/** The same without taking anything: the same bytes come again. */
int hws_assoc_peek(struct hws_engine *engine, hws_assoc_id id, void *buf, size_t capacity,
                   size_t *len, struct hws_rcvinfo *info, uint64_t now_us);

/** Whether recv would give something. */
bool hws_assoc_readable(const struct hws_engine *engine, hws_assoc_id id);

/** What is to be read after the message that is being read. */
struct hws_next {
    struct hws_rcvinfo info; /**< without HWS_RECV_EOR */
    uint32_t len;            /**< bytes of it that can be read now */
    bool whole;              /**< that is all of it */
};

/** The first message that can be read and of which nothing has been taken. Errors: HWS_E_AGAIN
 * (none), HWS_E_NOENT. */
int hws_assoc_next(const struct hws_engine *engine, hws_assoc_id id, struct hws_next *out);

#define HWS_RECV_VIEW_PARTS 16u /**< pieces of a view at most */

/** Received bytes where they lie. */
struct hws_recv_view {
    struct hws_iovec iov[HWS_RECV_VIEW_PARTS];
    size_t iov_count;
    size_t len;
    struct hws_rcvinfo info;
    void *held; /**< the engine's own */
};

/** Takes the next bytes of the message at the head of the queue as hws_assoc_recv does, without
 * copying them: as many fragments as there are parts. They stay, and their memory counts against
 * the receive buffer, until hws_recv_view_release; that holds after the association is gone, too.
 * Errors: as hws_assoc_recv, HWS_E_NOMEM. */
int hws_assoc_recv_view(struct hws_engine *engine, hws_assoc_id id, struct hws_recv_view *out);

/** Gives a view back, once. */
void hws_recv_view_release(struct hws_engine *engine, struct hws_recv_view *view);

/** Starts the graceful end: everything queued is sent and acknowledged first. DOWN follows. */
int hws_assoc_shutdown(struct hws_engine *engine, hws_assoc_id id, uint64_t now_us);

/** Ends at once with an ABORT that carries `reason` (at most HWS_LIMIT_ABORT_REASON_BYTES, 128; may
 * be NULL). DOWN with
 * HWS_E_ABORTED follows. */
int hws_assoc_abort(struct hws_engine *engine, hws_assoc_id id, const void *reason,
                    size_t reason_len, uint64_t now_us);

/** The Upper Layer Abort Reason that came with the peer's ABORT (3.3.10.12), its first
 * HWS_LIMIT_ABORT_REASON_BYTES; valid until the association is released. HWS_E_NOENT: no such
 * association, or no reason was given. */
int hws_assoc_abort_reason(const struct hws_engine *engine, hws_assoc_id id, const void **reason,
                           size_t *reason_len);

/** Forgets the association: its id is dead when this returns and no event names it. If it was not
 * over it is aborted, or, when shutting down, left to finish by itself. Received data is dropped.
 */
int hws_assoc_release(struct hws_engine *engine, hws_assoc_id id, uint64_t now_us);

/** Reads an association's parameters. HWS_E_NOENT. */
int hws_assoc_params(const struct hws_engine *engine, hws_assoc_id id, struct hws_params *out);

/** Changes them (11.1.12). Of those that a path has of its own, the ones that change are given to
 * all its paths. The streams, the probe flag and the names of controller, scheduler and path
 * selector hold for the association's life: changing them does nothing. HWS_E_NOENT, HWS_E_INVAL,
 * HWS_E_NOMEM. */
int hws_assoc_set_params(struct hws_engine *engine, hws_assoc_id id,
                         const struct hws_params *params, uint64_t now_us);

/** The same for path number `index`. */
int hws_path_params(const struct hws_engine *engine, hws_assoc_id id, uint32_t index,
                    struct hws_path_params *out);

/** Changes them. HWS_E_NOENT, HWS_E_INVAL, HWS_E_NOMEM. */
int hws_path_set_params(struct hws_engine *engine, hws_assoc_id id, uint32_t index,
                        const struct hws_path_params *params, uint64_t now_us);

/** Makes path number `index` the primary one, which carries data while it is active (11.1.5).
 * Errors: HWS_E_NOENT, HWS_E_INVAL (the peer has not confirmed that address). */
int hws_assoc_set_primary(struct hws_engine *engine, hws_assoc_id id, uint32_t index,
                          uint64_t now_us);

/** Sends one HEARTBEAT there now (11.1.9); path status tells when its ACK came. Errors:
 * HWS_E_NOENT, HWS_E_INVAL (not in a state where HEARTBEATs are sent, 8.3). */
int hws_assoc_heartbeat(struct hws_engine *engine, hws_assoc_id id, uint32_t index,
                        uint64_t now_us);

/** The peer's UDP port on path number `index` (RFC 6951): packets go there until one comes from
 * another port; 0: without UDP. Errors: HWS_E_NOENT. */
int hws_path_set_encapsulation(struct hws_engine *engine, hws_assoc_id id, uint32_t index,
                               uint16_t udp_port);

/** Our addresses that the peer was told, as many as there is room for; `*count` says how many there
 * are. One whose endpoint is bound to none, and that tells none: 0. Errors: HWS_E_NOENT. */
int hws_assoc_locals(const struct hws_engine *engine, hws_assoc_id id, struct hws_addr *out,
                     size_t capacity, size_t *count);

/** States of an association (RFC 9260, 4). */
enum hws_assoc_state {
    HWS_STATE_CLOSED,
    HWS_STATE_COOKIE_WAIT,
    HWS_STATE_COOKIE_ECHOED,
    HWS_STATE_ESTABLISHED,
    HWS_STATE_SHUTDOWN_PENDING,
    HWS_STATE_SHUTDOWN_SENT,
    HWS_STATE_SHUTDOWN_RECEIVED,
    HWS_STATE_SHUTDOWN_ACK_SENT,
};

/** The state's name as in RFC 9260, section 4. */
const char *hws_assoc_state_name(enum hws_assoc_state state);

/** What is known of an association. */
struct hws_assoc_status {
    enum hws_assoc_state state;
    uint16_t local_port, remote_port;
    uint32_t local_vtag, remote_vtag;
    uint16_t instreams, ostreams;
    uint32_t path_count;
    uint32_t primary;         /**< index of the primary path */
    uint32_t unsent_bytes;    /**< user data not sent for the first time */
    uint32_t flight_bytes;    /**< user data in flight */
    uint32_t unacked_bytes;   /**< user data sent or queued and not acknowledged */
    uint32_t unacked_chunks;  /**< DATA chunks sent and not acknowledged */
    uint32_t unsent_messages; /**< messages of which something was not sent for the first time */
    bool send_blocked;        /**< send would answer HWS_E_AGAIN: sndbuf_bytes are used up */
    uint32_t fragmentation_point; /**< user data of the largest DATA chunk that would be sent now */
    uint32_t peer_rwnd;           /**< what the peer still takes */
    uint32_t rwnd;                /**< what we last advertised, less what came since */
    uint32_t rcvbuf_bytes;        /**< the receive buffer, as far as it has grown */
    uint32_t charged_bytes;       /**< memory that received data holds */
    uint64_t messages_ready; /**< that became readable, whole or in part, since the beginning */
    uint64_t messages_taken; /**< of these, read to their end */
    uint64_t retransmits;
    bool timer_armed; /**< whether any retransmission timer runs, or data waits for its rate */
};

/** Whether the extension of that name is on: the association is up, and both sides offered it. */
bool hws_assoc_has_extension(const struct hws_engine *engine, hws_assoc_id id, const char *name);

/** Reads it. HWS_E_NOENT. */
int hws_assoc_status(const struct hws_engine *engine, hws_assoc_id id,
                     struct hws_assoc_status *out);

/** What was counted for one association; chunk counts of DATA include those sent again. */
struct hws_assoc_counts {
    uint64_t packets_in, packets_out;
    uint64_t sacks_in, sacks_out;
    uint64_t retransmits;                          /**< DATA chunks sent again */
    uint64_t data_out_ordered, data_out_unordered; /**< DATA chunks */
    uint64_t data_in_ordered, data_in_unordered;   /**< and received for the first time */
    uint64_t duplicates_in;                        /**< DATA chunks received again */
    uint64_t out_of_sequence_in;      /**< DATA chunks with a TSN above the next expected one */
    uint64_t gap_blocks_in;           /**< Gap Ack Blocks received */
    uint64_t control_in, control_out; /**< chunks other than DATA */
    uint64_t rto_max_us;              /**< the largest RTO since this was last asked */
    struct hws_addr rto_max_remote;   /**< and the path it was of */
};

/** Also begins a new observation of the largest RTO. HWS_E_NOENT. */
int hws_assoc_counts(struct hws_engine *engine, hws_assoc_id id, struct hws_assoc_counts *out);

/** The state's name as in RFC 9260 and RFC 7829. */
const char *hws_path_state_name(enum hws_path_state state);

/** What is known of a path. */
struct hws_path_status {
    struct hws_addr local, remote;
    enum hws_path_state state;
    bool confirmed, active;
    bool primary;
    uint32_t mtu;
    uint32_t cwnd, ssthresh, flight_bytes;
    uint32_t srtt_us, rttvar_us, rto_us;
    uint32_t errors;           /**< consecutive */
    uint64_t heartbeats_acked; /**< HEARTBEATs that were answered */
    uint32_t heartbeat_rtt_us; /**< and the round trip of the last one */
    uint32_t max_packet_bytes; /**< the largest SCTP packet sent there, checksum header included */
};

/** Path number `index`, 0 .. path_count-1. HWS_E_NOENT also: an address among them that turned out
 * not to be the peer's (5.1.2); the others keep their numbers. */
int hws_assoc_path_status(const struct hws_engine *engine, hws_assoc_id id, uint32_t index,
                          struct hws_path_status *out);

/** The engine's counters; valid until the engine is freed. */
const struct hws_stats *hws_engine_stats(const struct hws_engine *engine);

/** Associations that exist, in any state (those waiting for hws_assoc_release included). */
size_t hws_engine_assoc_count(const struct hws_engine *engine);

#endif
