/* A link carries packets between an engine and a network: raw sockets, UDP, or another engine in
 * the same process. The engine builds packets straight into a link's buffers (trains) and keeps
 * references to the buffers a link received into. All calls come from the runtime's thread. */
#ifndef HWS_API_LINK_H
#define HWS_API_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/engine.h"

/* Counters of a link: name in JSON, what is counted. */
#define HWS_LINK_STATS(X)                                                                          \
    X(rx_packets, "packets received")                                                              \
    X(rx_calls, "receive calls that returned something")                                           \
    X(rx_foreign, "packets received that were not for a port of ours, or not SCTP in their form")  \
    X(rx_truncated, "packets larger than the receive buffer")                                      \
    X(rx_socket_drops, "packets the kernel dropped since the socket's buffer was full")            \
    X(rx_buffer_bytes, "receive buffer that the kernel granted")                                   \
    X(tx_packets, "packets sent")                                                                  \
    X(tx_calls, "send calls")                                                                      \
    X(tx_blocked, "times the socket took no more for a while")                                     \
    X(tx_failed, "packets that could not be sent")

struct hws_link_stats {
#define X(name, what) uint64_t name;
    HWS_LINK_STATS(X)
#undef X
};

/* A link has at most two descriptors per address family. */
#define HWS_LINK_MAX_FDS 4u

struct hws_link;

struct hws_link_ops {
    const char *name; /* "raw", "packet", "udp", "memory" */
    /** Makes packets for local port `port` reach this link, and claims the port against other
     * processes. 0, or a negative errno: -EADDRINUSE when another process or link has it. To add
     * a port that is there already changes nothing. */
    int (*add_port)(struct hws_link *link, uint16_t port);
    void (*remove_port)(struct hws_link *link, uint16_t port);
    /** Receives up to `max` packets without blocking and returns how many. Each packet's `buf` has
     * a reference that the caller lets go after input (packets may share a buf; each has its own
     * reference). As many as `max`: there may be more that no descriptor tells of, ask again.
     * Fewer: that was all there was, or the descriptors tell of the rest. */
    size_t (*receive)(struct hws_link *link, struct hws_packet_in *packets, size_t max);
    /** The next thing the network said (error queue, a failed send); false when there is none. */
    bool (*net_event)(struct hws_link *link, struct hws_net_event *event);
    /** Gives the buffer for one more train in `data`, `capacity` and `max_packets`; false when all
     * are in use: flush first. */
    bool (*train)(struct hws_link *link, struct hws_train *train);
    /** Queues the train just built in the buffer that train() gave. */
    void (*submit)(struct hws_link *link, const struct hws_train *train);
    /** Sends what is queued. False when the socket takes no more now: call again when `fds` are
     * writable; meanwhile train() gives what buffers are left. A packet that cannot be sent is
     * reported by net_event and the next one is tried. */
    bool (*flush)(struct hws_link *link);
    /** The descriptors to poll; returns their number. An error queue that is not empty shows as
     * POLLERR together with POLLPRI: watch for both (libuv: UV_PRIORITIZED beside UV_READABLE,
     * without it UV_EBADF comes and the watch ends), then call net_event until it is false. */
    size_t (*fds)(struct hws_link *link, int fds[HWS_LINK_MAX_FDS]);
    /** The source address the network would choose towards `remote` and the IP MTU there, looked
     * up now. 0 or a negative errno (-ENETUNREACH, ...). `local` or `mtu` may be NULL. */
    int (*route)(struct hws_link *link, const struct hws_addr *remote, struct hws_addr *local,
                 uint32_t *mtu);
    /** The local UDP port of an encapsulating link (RFC 6951), 0: it does not encapsulate. */
    uint16_t (*encapsulation_port)(struct hws_link *link);
    const struct hws_link_stats *(*stats)(struct hws_link *link);
    void (*close)(struct hws_link *link);
};

/** What an ICMP message says (ICMPv6 where the packet it is about was IPv6). */
struct hws_icmp {
    uint8_t type, code;
};

/** What every link begins with. */
struct hws_link {
    const struct hws_link_ops *ops;
    bool ipv4, ipv6;      /* the families that it can reach, where it has descriptors */
    struct hws_icmp icmp; /* of the HWS_NET_UNREACHABLE that net_event answered last */
    /* The owner polls and has seen no POLLERR: net_event need not ask the kernel for errors. */
    bool no_errors;
    /* The owner polls and has seen that its descriptor number i, as fds() tells them, has nothing
     * to receive: bit i. receive need not ask the kernel there. */
    uint8_t quiet_fds;
    /* After a flush that was false, bit i: to flush on, fds[i] need not be writable. */
    uint32_t not_blocking;
};

struct hws_link_raw_config {
    uint8_t protocol;       /* IP protocol: 132, 253 or 254 */
    bool ipv4, ipv6;        /* families to open */
    const char *interface;  /* SO_BINDTODEVICE; NULL: all */
    bool own_host;          /* receive packets to every port, not only those added */
    bool rest;              /* receive only what a link on AF_PACKET beside it does not take */
    struct hws_shard shard; /* receive only the packets of this one */
};

struct hws_link_udp_config {
    uint16_t port;   /* local UDP port (RFC 6951: 9899); 0: an ephemeral one */
    bool ipv4, ipv6; /* families to open, the same by all shards */
    /* Share the port with the other shards of this process and receive only this one's packets.
     * With port 0 nothing is shared. */
    struct hws_shard shard;
};

/** Longest text that an open function writes about what went wrong. */
#define HWS_LINK_ERROR_MAX 512

/** Opens a link. 0, or a negative errno with one clear sentence in `error` that says what is
 * missing and the ways out. The caller closes it with ops->close. */
int hws_link_raw_open(const struct hws_link_raw_config *config, struct hws_link **out,
                      char error[HWS_LINK_ERROR_MAX]);
int hws_link_packet_open(const struct hws_link_raw_config *config, struct hws_link **out,
                         char error[HWS_LINK_ERROR_MAX]);
int hws_link_xdp_open(const struct hws_link_raw_config *config, struct hws_link **out,
                      char error[HWS_LINK_ERROR_MAX]);
int hws_link_udp_open(const struct hws_link_udp_config *config, struct hws_link **out,
                      char error[HWS_LINK_ERROR_MAX]);

/** Whether AF_XDP can be used, apart from a certain interface. 0, or a negative errno with a
 * sentence in `error`. */
int hws_link_xdp_usable(char error[HWS_LINK_ERROR_MAX]);

/** Two links joined back to back in one process; what one sends the other receives, in order. An
 * IP MTU applies to both. */
int hws_link_memory_pair(uint32_t mtu, struct hws_link **a, struct hws_link **b);

#endif
