/** @file
 * Runtimes of hawser: SCTP (RFC 9260) in user space.
 *
 * A runtime holds one SCTP engine and its link to the network; sockets are made in a runtime. A
 * program may have several, which share nothing. Calls that name no runtime use the default one,
 * which the first of them makes (hws_runtime_default).
 *
 * Calls follow POSIX: they answer -1 (or NULL) with the reason in errno, with the Linux kernel's
 * numbers.
 *
 * Threads: any call from any thread, unless the runtime is on a libuv loop: then everything
 * belongs to the thread of that loop.
 *
 * fork: what a child inherits is dead. Every call on an inherited runtime or descriptor answers
 * ESTALE there; the parent goes on undisturbed. What the child makes anew works. */
#ifndef HAWSER_RUNTIME_H
#define HAWSER_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Marks what the library exports. */
#if defined(__GNUC__)
#define HWS_API __attribute__((visibility("default")))
#else
#define HWS_API
#endif

/** The library's version as text, for example "0.1.0". Any thread. */
HWS_API const char *hws_version(void);

struct hws_runtime;
struct hws_extension;
struct uv_loop_s;

/** The UDP port of RFC 6951. */
#define HWS_UDP_PORT 9899

#define HWS_PROTO_SCTP 132 /**< IP protocol number of SCTP */
/** The first protocol for experiments (RFC 3692), a profile: the extension fec is on where the peer
 * has it, too, and sockets begin with SCTP_NODELAY. In traces "253/fec". */
#define HWS_PROTO_EXPERIMENT_1 253
/** The second one, for extensions of one's own in a network of one's own: sockets begin with
 * SCTP_NODELAY, RTO.Initial 200 ms, RTO.Min 20 ms and SACKs that are delayed by 10 ms at most. In
 * traces "254/lab". */
#define HWS_PROTO_EXPERIMENT_2 254

/** Who runs a runtime: receives packets and watches the time. */
enum hws_drive {
    /** The library: a thread of its own, begun with the first socket and asleep while there is
     * nothing to do. A blocked call does the work itself in the meantime, so that what it waits
     * for comes without a context switch. */
    HWS_DRIVE_THREAD,
    /** The caller: there is no thread. The program polls hws_runtime_fd with
     * hws_runtime_timeout_ms and calls hws_runtime_run; blocking calls do that by themselves.
     * Between hws_runtime_run and hws_runtime_timeout_ms, on the thread that called both in the
     * turn before as well, hws_connect, hws_connectx, hws_shutdown, and hws_close of a socket whose
     * association is over, leave what they send to hws_runtime_timeout_ms, or to the next call
     * that sends: all of a turn goes out together. */
    HWS_DRIVE_CALLER,
};

/** What carries packets directly over IP. Peers see no difference. */
enum hws_link_kind {
    /** Raw sockets. */
    HWS_LINK_RAW,
    /** AF_PACKET sockets: below the host's IP, at less cost for each packet. What has no neighbour
     * to go to goes by raw sockets all the same. nftables' input and output hooks are not passed,
     * those of ingress and egress are. */
    HWS_LINK_PACKET,
    /** AF_XDP sockets, where hawser was built with libxdp: one interface gets an XDP program that
     * takes out the packets to our ports. It has to be named unless it is the only one that is up
     * beside lo, and its MTU may be 3826 at most. Needs CAP_NET_ADMIN and CAP_BPF, too. */
    HWS_LINK_XDP,
    /** HWS_LINK_PACKET where it can be had, else HWS_LINK_RAW. */
    HWS_LINK_AUTO,
};

/** The longest time for hws_runtime_config.spin_us. */
#define HWS_SPIN_MAX_US 1000000

/** How a runtime reaches the network and who runs it. Start from hws_runtime_config_init. */
struct hws_runtime_config {
    /** IP protocol number, 1..255; HWS_PROTO_SCTP by default. Not used when encapsulated. */
    uint8_t protocol;
    /** Encapsulate in UDP (RFC 6951) instead of using raw sockets; false by default. */
    bool udp;
    /** What to use when not encapsulated; HWS_LINK_RAW by default. */
    enum hws_link_kind link;
    /** Local UDP port, 0: an ephemeral one (the default). Listeners want HWS_UDP_PORT. */
    uint16_t udp_port;
    /** UDP port of the peers to connect to; HWS_UDP_PORT by default. */
    uint16_t peer_udp_port;
    /** Whether to open IPv4; true by default. A family the host does not have is left out when
     * the other one is there. */
    bool ipv4;
    /** The same for IPv6. */
    bool ipv6;
    /** Answer packets to ports nobody of ours owns with an ABORT, as the host's only SCTP does
     * (RFC 9260, 8.4); false by default, since another process may own the port. */
    bool own_host;
    /** Network interface to use (not when encapsulated); NULL by default: all. */
    const char *interface;
    /** Who runs it; HWS_DRIVE_THREAD by default. */
    enum hws_drive drive;
    /** Blocked calls and the library's thread poll for so many microseconds before they sleep, as
     * long as that has paid lately: what they wait for comes some microseconds earlier, and a core
     * is busy meanwhile. 0 (the default) to HWS_SPIN_MAX_US; not used with `loop`. */
    uint32_t spin_us;
    /** A libuv loop of the caller that runs it instead; it has to outlive the runtime. Such a
     * runtime has no descriptors: its sockets are those of <hawser/uv.h>. NULL by default. */
    struct uv_loop_s *loop;
    /** Into how many shards the ports are divided, at most HWS_SHARDS_MAX; 0 and 1: not at all (the
     * default). Runtimes of one process with the same protocol (or UDP port) and the same number
     * bind the same ports, each with a listener of its own, and every association belongs to one
     * of them: a runtime for each core, which share nothing. All of them have to be there: what is
     * for a shard that is not is lost. See hws_shard_of for whose an association is. */
    unsigned shard_count;
    /** Which one this runtime is, 0 .. shard_count - 1. */
    unsigned shard;
    /** What its engine has beside RFC 9260: tables of <hawser/extend.h> that live as long as the
     * runtime; the array need not. NULL by default. */
    const struct hws_extension *const *extensions;
    /** How many; HWS_EXT_MAX of <hawser/extend.h> at most, those of the profile counted. One with
     * the name of one of the profile's stands in its place. */
    size_t extension_count;
    /** Leave out what the profile of protocol 253 or 254 sets; false by default. */
    bool no_profile;
};

/** The largest shard_count. */
#define HWS_SHARDS_MAX 64u

/** Loads an extension from a shared object, which stays loaded until the process ends. Any thread.
 * @param path   a file.
 * @param error  where one clear sentence goes when this fails: HWS_ERROR_MAX bytes, or NULL.
 * @return what the object exports by HWS_EXTENSION_EXPORT, or NULL: ENOENT, EACCES, ENAMETOOLONG,
 *         ENOEXEC (not a shared object for this machine, or it lacks a symbol), EINVAL (it exports
 *         no extension, or one that is not as <hawser/extend.h> says; of another version of it,
 *         too). */
HWS_API const struct hws_extension *hws_extension_load(const char *path, char *error);

/** Fills in the defaults given above. */
HWS_API void hws_runtime_config_init(struct hws_runtime_config *config);

/** Which shard an association with these ports belongs to. A peer's association is accepted by that
 * shard's listener. A socket that connects without having been bound to a port gets one that leads
 * to its own shard (also when it was bound to port 0: another one then); connecting from a port
 * that was named, and that leads elsewhere, fails with EADDRNOTAVAIL: connect in the shard told
 * here. Associations with equal ports are all in one shard, whoever their peers are. Any thread.
 * @return 0 .. shard_count - 1. */
HWS_API unsigned hws_shard_of(unsigned shard_count, uint16_t local_port, uint16_t remote_port);

/** Longest text that hws_runtime_new writes about what went wrong, its NUL included. */
#define HWS_ERROR_MAX 512

/** Makes a runtime.
 * @param config  how to reach the network; copied. NULL: all defaults.
 * @param error   where one clear sentence goes when this fails: what is missing and the ways out;
 *                at least HWS_ERROR_MAX bytes, or NULL.
 * @return the runtime, which the caller gives to hws_runtime_free, or NULL.
 *
 * Errors: EPERM (raw and packet sockets need CAP_NET_RAW), EOPNOTSUPP (hawser was built without
 * AF_XDP), EADDRINUSE (the UDP port is taken, or another runtime of this process is that shard),
 * EAFNOSUPPORT (no such family on this host), EINVAL (neither family; no such shard; no
 * such link; an interface's name that is empty or has more than 15 characters; AF_XDP without the
 * name of one of several interfaces; an extension that is not as <hawser/extend.h> says), EMSGSIZE
 * (AF_XDP on an interface with too large an MTU), ENOMEM, EMFILE. */
HWS_API struct hws_runtime *hws_runtime_new(const struct hws_runtime_config *config, char *error);

/** Frees the runtime and ends every socket in it; associations that still exist are aborted, so
 * that their peers know. Calls that wait in it answer ESTALE, as every later call on one of its
 * descriptors does; hws_close still frees the number. NULL is allowed. Must not be called from a
 * callback, nor for the default runtime. When the loop is the caller's, it has to run until it has
 * nothing left of the runtime, before it is closed. */
HWS_API void hws_runtime_free(struct hws_runtime *runtime);

/** The runtime of calls that name none. The first call makes it: raw sockets with protocol 132 and
 * a thread of the library, changed by environment variables, which are read once:
 *
 * - HAWSER_LINK: "raw" (default), "packet", "xdp", "auto" (enum hws_link_kind) or "udp";
 * - HAWSER_PROTOCOL: IP protocol of raw sockets, 1..255;
 * - HAWSER_UDP_PORT: local UDP port (RFC 6951), 0..65535; 0 (default): an ephemeral one;
 * - HAWSER_PEER_UDP_PORT: UDP port of peers to connect to, 1..65535; 9899 by default;
 * - HAWSER_EXTENSIONS: files to load as hws_extension_load does, with ':' between them;
 * - HAWSER_SPIN_US: as hws_runtime_config.spin_us, 0..1000000; 0 by default;
 * - HAWSER_OWN_HOST: 1: answer for every port of the host as a kernel does; 0 by default;
 * - HAWSER_QLOG: a file, which is made or emptied, or a directory, for a file hawser-PID.sqlog: all
 *   that happens, as qlog (docs/TRACES.md); it is complete after exit(3); none by default.
 *
 * When the program ends by exit(3), associations that are being shut down get up to two seconds to
 * finish; what is open then is closed as close does.
 * @return the runtime, which lives as long as the process; NULL: EINVAL (a variable has a wrong
 * value), what open(2) says of the file of HAWSER_QLOG, or as hws_runtime_new; the reason is then
 * also written to stderr, once, and kept for hws_runtime_default_error. */
HWS_API struct hws_runtime *hws_runtime_default(void);

/** Why the default runtime could not be made, as one sentence; "" when it could, or when nobody has
 * tried. The text is constant until the next try. */
HWS_API const char *hws_runtime_default_error(void);

/** Runs what is due, without waiting: receives packets, expires timers, sends.
 * @return 0, or -1: EINVAL (on a libuv loop), ESTALE (after fork). */
HWS_API int hws_runtime_run(struct hws_runtime *runtime);

/** A descriptor that polls as readable when hws_runtime_run has something to do. It belongs to the
 * runtime: poll it and do nothing else with it.
 * @return the descriptor, or -1: EINVAL (not HWS_DRIVE_CALLER), ESTALE. */
HWS_API int hws_runtime_fd(struct hws_runtime *runtime);

/** How long hws_runtime_run need not be called when the descriptor does not become readable. Sends
 * what calls of this turn have left to it.
 * @return milliseconds, rounded up; 0: at once; -1: without limit, or an error as
 * hws_runtime_fd (then errno is set, and 0 otherwise). */
HWS_API int hws_runtime_timeout_ms(struct hws_runtime *runtime);

/** One counter of a runtime. The texts are constant. */
struct hws_counter {
    const char *group; /**< "engine" or "link" */
    const char *name;  /**< a JSON name, for example "packets_in" */
    const char *what;  /**< what is counted */
    uint64_t value;    /**< since the runtime was made */
};

/** Reads counter number `index` (0, 1, ...), group by group.
 * @return 0, or -1: ENOENT (there are no more), ESTALE (after fork). */
HWS_API int hws_runtime_counter(const struct hws_runtime *runtime, size_t index,
                                struct hws_counter *counter);

#ifdef __cplusplus
}
#endif

#endif
