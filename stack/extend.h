/** @file
 * Extensions of hawser's engine: new chunk types with their negotiation, congestion controllers,
 * stream schedulers and path selectors, in one file against this header alone.
 *
 * An extension is a constant table, struct hws_extension. An engine gets its list of them when it
 * is made and never changes it; there is nothing global. Each association for which both sides
 * offered the extension has a state of its own, of the size declared, which the engine makes,
 * zeroes and frees, and further memory while it asks for that (hws_ext_alloc). Functions of an
 * extension are called with that association's handle, from the one thread that drives the engine;
 * they may not block, read a clock or keep pointers that they are given. What they return and ask
 * for is checked: a fault is refused, counted (`ext_faults`) and has no other effect.
 *
 * docs/EXTENDING.md builds one step by step. */
#ifndef HAWSER_EXTEND_H
#define HAWSER_EXTEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The version of this interface: what struct hws_extension.api says. */
#define HWS_EXTEND_API 2u

/** Extensions that an engine can have, beside its own. */
#define HWS_EXT_MAX 8u
/** Chunk types of one extension. */
#define HWS_EXT_CHUNKS_MAX 8u
/** Error causes of one extension. */
#define HWS_EXT_CAUSES_MAX 64u
/** The longest value of an INIT parameter of an extension, in bytes. */
#define HWS_EXT_PARAM_MAX 16u
/** The longest name of an extension, a chunk or a cause, in characters. */
#define HWS_EXT_NAME_MAX 15u
/** The largest state of an extension for an association, in bytes, and the most that it gets beside
 * it (hws_ext_alloc). */
#define HWS_EXT_STATE_MAX (1u << 20)
/** The most bytes that DATA chunks can be asked to leave free in a packet. */
#define HWS_EXT_RESERVE_MAX 64u
/** Events of one association that wait for the application; further ones are refused. */
#define HWS_EXT_EVENTS_MAX 16u
/** The most bytes of an event's data. */
#define HWS_EXT_EVENT_MAX 256u
/** The soonest that `timer` is called: who sets it anew each time lets time pass. */
#define HWS_EXT_TIMER_MIN_US 100u
/** Chunks that a filler may ask for in turn before something else happens. */
#define HWS_EXT_FILLS_MAX 64u
/** The largest state of a congestion controller for a path, in bytes. */
#define HWS_EXT_CC_STATE_MAX 256u
/** The largest state of a stream scheduler for an association, in bytes. */
#define HWS_EXT_SCHED_STATE_MAX 64u
/** And for a stream. */
#define HWS_EXT_SCHED_STREAM_MAX 64u
/** The largest state of a path selector for an association, in bytes. */
#define HWS_EXT_PATHSEL_STATE_MAX 1024u
/** The largest congestion window, in bytes: far beyond any bandwidth-delay product, far below what
 * overflows 32 bits. */
#define HWS_EXT_CWND_MAX (1u << 30)
/** The lowest rate of pacing, in bytes per second. */
#define HWS_EXT_PACING_MIN 1000u

/* ---- What an extension is called with, and may ask for ---- */

struct hws_ext_services;

/** An association, as an extension sees it. Valid during the call it came with. */
struct hws_ext_assoc {
    const struct hws_ext_services *services; /**< use the functions below */
    void *state;       /**< the extension's own: state_size bytes, aligned as malloc does */
    uint64_t now_us;   /**< monotonic time of this call */
    bool initiator;    /**< this side sent the INIT */
    uint8_t paths;     /**< destination addresses of the peer, numbered from 0 */
    uint8_t data_path; /**< the one that carries data now */
};

/** What a service answers. */
enum hws_ext_result {
    HWS_EXT_OK = 0,
    HWS_EXT_INVAL = -1, /**< an argument is out of bounds */
    HWS_EXT_STATE = -2, /**< not in this state of the association, or not from this function */
    HWS_EXT_FULL = -3,  /**< no room, or no memory: what was asked for is dropped */
    HWS_EXT_KNOWN = -4, /**< hws_ext_repair: the DATA chunk has come before */
};

/** A chunk that came. */
struct hws_ext_in {
    uint8_t type;         /**< of the chunk */
    uint8_t flags;        /**< Chunk Flags */
    uint8_t path;         /**< where it came from */
    uint16_t len;         /**< of the value; not less than the type's min_len */
    const uint8_t *value; /**< valid during the call */
};

/** A chunk being filled in: hws_ext_put appends to its value. */
struct hws_ext_out {
    uint8_t type;  /**< of the chunk */
    uint8_t flags; /**< may be set */
    uint8_t path;  /**< where it goes */
    uint16_t room; /**< bytes that hws_ext_put still takes */
};

/** A DATA chunk that was sent or came (RFC 9260, 3.3.1). */
struct hws_ext_data {
    const uint8_t *chunk; /**< from its header on, without padding; valid during the call */
    uint16_t len;         /**< header and user data */
    uint32_t tsn;         /**< Transmission Sequence Number */
    uint8_t path;         /**< it goes there, or came from there */
    bool again;      /**< sent: a retransmission. Came: by hws_ext_repair of another extension */
    uint64_t packet; /**< chunks with the same number are in one packet */
};

/** States of a path. */
enum hws_path_state {
    HWS_PATH_UNCONFIRMED,        /**< nobody has shown that the peer is there (5.4) */
    HWS_PATH_ACTIVE,             /**< it carries data */
    HWS_PATH_POTENTIALLY_FAILED, /**< it did not answer lately (RFC 7829, 3) */
    HWS_PATH_INACTIVE,           /**< nor for long (8.2) */
};

/** What is known of a path. */
struct hws_ext_path {
    enum hws_path_state state; /**< only a confirmed one carries data */
    uint16_t errors;           /**< consecutive (8.2) */
    uint32_t mtu;              /**< of IP, bytes */
    uint32_t max_chunk;  /**< the largest chunk that a packet of its own carries, with its header */
    uint32_t cwnd_bytes; /**< congestion window */
    uint32_t flight_bytes; /**< DATA chunks outstanding */
    uint32_t srtt_us;      /**< 0: not measured */
    uint32_t rttvar_us;    /**< variation of the round trip */
    uint32_t rto_us;       /**< retransmission timeout */
};

/** The engine's side; extensions call the functions below instead. */
struct hws_ext_services {
    uint32_t api; /**< HWS_EXTEND_API of the engine */
    /** hws_ext_want */
    int (*want)(const struct hws_ext_assoc *assoc, uint8_t type, uint8_t path);
    /** hws_ext_put */
    int (*put)(const struct hws_ext_assoc *assoc, struct hws_ext_out *out, const void *bytes,
               uint16_t len);
    /** hws_ext_repair */
    int (*repair)(const struct hws_ext_assoc *assoc, const uint8_t *chunk, uint16_t len);
    /** hws_ext_timer */
    int (*timer)(const struct hws_ext_assoc *assoc, uint64_t delay_us);
    /** hws_ext_tell */
    int (*tell)(const struct hws_ext_assoc *assoc, uint32_t code, const void *data, uint16_t len);
    /** hws_ext_report */
    int (*report)(const struct hws_ext_assoc *assoc, uint16_t cause, const void *value,
                  uint16_t len);
    /** hws_ext_path */
    int (*path)(const struct hws_ext_assoc *assoc, uint8_t path, struct hws_ext_path *out);
    /** hws_ext_alloc */
    void *(*alloc)(const struct hws_ext_assoc *assoc, size_t bytes);
    /** hws_ext_free */
    void (*free)(const struct hws_ext_assoc *assoc, void *memory);
};

/** Instead of a path's number: the one that carries data. */
#define HWS_EXT_DATA_PATH 0xffu
/** hws_ext_timer: none. */
#define HWS_EXT_NEVER UINT64_MAX

/** Asks for a chunk of one of the extension's types on a path: its filler is called, once, when the
 * next packet to there is built, and may ask for another one. HWS_EXT_INVAL (not a type it sends,
 * or no such path), HWS_EXT_STATE (`states` of the type do not allow it now), HWS_EXT_FULL (a
 * filler that goes on asking, HWS_EXT_FILLS_MAX times in turn). */
static inline int hws_ext_want(const struct hws_ext_assoc *assoc, uint8_t type, uint8_t path)
{
    return assoc->services->want(assoc, type, path);
}

/** Within a filler: appends to the chunk's value. HWS_EXT_FULL: more than `out->room`; the chunk is
 * left out and its filler called again for the next packet, unless this one was the path's largest
 * and empty: then it is given up. */
static inline int hws_ext_put(const struct hws_ext_assoc *assoc, struct hws_ext_out *out,
                              const void *bytes, uint16_t len)
{
    return assoc->services->put(assoc, out, bytes, len);
}

/** Hands in a DATA chunk, with its header, as if it had come from the network: marked as received,
 * delivered and acknowledged. Its bytes are copied. Within `input`, `data_received` and `timer`, in
 * states in which DATA is taken. HWS_EXT_INVAL (not a DATA chunk that the peer may send now),
 * HWS_EXT_KNOWN, HWS_EXT_STATE, HWS_EXT_FULL. */
static inline int hws_ext_repair(const struct hws_ext_assoc *assoc, const uint8_t *chunk,
                                 uint16_t len)
{
    return assoc->services->repair(assoc, chunk, len);
}

/** Has `timer` called after so many microseconds, HWS_EXT_TIMER_MIN_US at least, once; replaces
 * what was set before, HWS_EXT_NEVER takes it back. HWS_EXT_STATE, HWS_EXT_INVAL (the extension has
 * no `timer`). */
static inline int hws_ext_timer(const struct hws_ext_assoc *assoc, uint64_t delay_us)
{
    return assoc->services->timer(assoc, delay_us);
}

/** Tells the application something: HWS_EVENT_EXTENSION of the engine, a notification of type
 * HWS_EXTENSION_EVENT at the socket. `data` is copied, HWS_EXT_EVENT_MAX bytes at most.
 * HWS_EXT_INVAL, HWS_EXT_FULL. */
static inline int hws_ext_tell(const struct hws_ext_assoc *assoc, uint32_t code, const void *data,
                               uint16_t len)
{
    return assoc->services->tell(assoc, code, data, len);
}

/** Reports an error cause of the extension to the peer, in an ERROR chunk (RFC 9260, 3.3.10).
 * HWS_EXT_INVAL (not a cause of the extension), HWS_EXT_STATE. */
static inline int hws_ext_report(const struct hws_ext_assoc *assoc, uint16_t cause,
                                 const void *value, uint16_t len)
{
    return assoc->services->report(assoc, cause, value, len);
}

/** What is known of a path. HWS_EXT_INVAL: there is none of that number. */
static inline int hws_ext_path(const struct hws_ext_assoc *assoc, uint8_t path,
                               struct hws_ext_path *out)
{
    return assoc->services->path(assoc, path, out);
}

/** Memory beside the state, zeroed and aligned as malloc does, 1 byte or more: for what is needed
 * only while DATA is under way, so that the many associations that are idle do without. It stays
 * until hws_ext_free, or until the extension's `end` has returned, whichever is earlier. NULL: no
 * memory, more than HWS_EXT_STATE_MAX in all (a header of each piece counts), or from `end`: then
 * it has to do without. */
static inline void *hws_ext_alloc(const struct hws_ext_assoc *assoc, size_t bytes)
{
    return assoc->services->alloc(assoc, bytes);
}

/** Gives back what hws_ext_alloc gave for this association, once; NULL is allowed. Not from `end`,
 * after which it goes by itself. Answers NULL, for the pointer to it. */
static inline void *hws_ext_free(const struct hws_ext_assoc *assoc, void *memory)
{
    assoc->services->free(assoc, memory);
    return NULL;
}

/* ---- Chunk types ---- */

/** States of an association (RFC 9260, 4) in which a chunk may come and go. */
#define HWS_EXT_IN_ESTABLISHED 0x08u
#define HWS_EXT_IN_SHUTDOWN_PENDING 0x10u  /**< our data is still on its way */
#define HWS_EXT_IN_SHUTDOWN_SENT 0x20u     /**< the peer's may be */
#define HWS_EXT_IN_SHUTDOWN_RECEIVED 0x40u /**< our data is still on its way */
#define HWS_EXT_IN_SHUTDOWN_ACK_SENT 0x80u /**< no data any more */
/** Wherever one side may still send DATA for the first time or again. */
#define HWS_EXT_IN_TRANSFER                                                                        \
    (HWS_EXT_IN_ESTABLISHED | HWS_EXT_IN_SHUTDOWN_PENDING | HWS_EXT_IN_SHUTDOWN_SENT |             \
     HWS_EXT_IN_SHUTDOWN_RECEIVED)

/** In any state of an association that is up. */
#define HWS_EXT_IN_ANY (HWS_EXT_IN_TRANSFER | HWS_EXT_IN_SHUTDOWN_ACK_SENT)

/** Where a chunk stands in a packet. */
enum hws_ext_place {
    HWS_EXT_BEFORE_DATA, /**< behind the control chunks of RFC 9260 */
    HWS_EXT_AFTER_DATA,  /**< in what room DATA leaves; a packet of its own when there is no DATA */
};

/** A chunk type. */
struct hws_ext_chunk {
    uint8_t type;     /**< 0x80..0xfe, not one of IANA's: a peer without it skips the chunk */
    const char *name; /**< in traces: upper case, as in "PARITY" */
    uint16_t min_len; /**< of the value; shorter ones are dropped as malformed */
    uint8_t states;   /**< HWS_EXT_IN_* */
    enum hws_ext_place place; /**< in a packet */
    /** A chunk came, in one of `states`. NULL: it is only sent. */
    void (*input)(const struct hws_ext_assoc *assoc, const struct hws_ext_in *in);
    /** Fills in one that was asked for. False: there is none to send after all. NULL: it is only
     * received. */
    bool (*fill)(const struct hws_ext_assoc *assoc, struct hws_ext_out *out);
    /** Writes what a value of min_len bytes or more says, for a trace, as snprintf does: in the
     * style of "base=17 count=4"; NULL: flags and length are shown. */
    int (*text)(const uint8_t *value, uint16_t len, char *out, size_t size);
};

/** An error cause (RFC 9260, 3.3.10). */
struct hws_ext_cause {
    uint16_t code;    /**< 0x8000 and above */
    const char *name; /**< in traces */
};

/* ---- Congestion controllers ---- */

/** What a congestion controller begins with. Sizes are in bytes of DATA chunks, headers and padding
 * counted (7.2.2). */
struct hws_cc_config {
    uint32_t pmdcs_bytes;     /**< Path Maximum DATA Chunk Size (7.2) */
    bool ipv6;                /**< the peer's address: the initial cwnd differs (7.2.1) */
    uint32_t slow_start_l;    /**< limit L of 7.2.1, 1 or more */
    uint32_t max_burst_bytes; /**< the sender keeps this limit (6.1 D); here to know it */
};

/** What a SACK acknowledged on one path. */
struct hws_cc_ack {
    uint64_t now_us;              /**< monotonic time */
    uint32_t acked_bytes;         /**< newly acknowledged on this path, gap blocks included */
    uint32_t flight_before_bytes; /**< outstanding on this path before the SACK */
    uint32_t flight_bytes;        /**< and after */
    bool cum_advanced;            /**< the cumulative TSN ack moved */
    bool in_recovery;             /**< the association is in Fast Recovery (7.2.4) */
    bool cwnd_limited;            /**< before the SACK, cwnd kept us from sending more */
    bool all_acked;               /**< nothing is outstanding any more */
    uint32_t rtt_us;              /**< a round trip that this SACK ended, 0: none; one at a time is
                                     measured (6.3.1 C4) */
    uint32_t srtt_us;             /**< 0: not measured */
};

/** A congestion controller: one for each path, which makes, zeroes and frees its state. Functions
 * other than `init`, `ack`, `loss`, `timeout` and `cwnd` may be NULL. */
struct hws_cc_ops {
    const char *name;    /**< of letters, digits, '-' and '_', HWS_EXT_NAME_MAX at most */
    uint32_t state_size; /**< bytes, HWS_EXT_CC_STATE_MAX at most; aligned for a uint64_t */
    /** Starts, or starts anew (7.2.5). `state` is zeroed. */
    void (*init)(void *state, const struct hws_cc_config *config);
    /** PMDCS changed. */
    void (*mtu)(void *state, uint32_t pmdcs_bytes);
    /** A SACK acknowledged something on this path. Called before `loss` (7.2.4, last note). */
    void (*ack)(void *state, const struct hws_cc_ack *ack);
    /** Loss seen by missing reports, once per Fast Recovery (7.2.3). */
    void (*loss)(void *state, uint64_t now_us, uint32_t flight_bytes);
    /** T3-rtx expired (7.2.3). */
    void (*timeout)(void *state, uint64_t now_us, uint32_t flight_bytes);
    /** Data is about to be sent after `idle_us` without any, with nothing in flight (7.2.1: decay
     * once per RTO). */
    void (*idle)(void *state, uint64_t idle_us, uint32_t rto_us);
    /** A packet with `bytes` of DATA chunks was sent. */
    void (*sent)(void *state, uint64_t now_us, uint32_t bytes, uint32_t flight_bytes);
    /** What may be outstanding now: HWS_EXT_CWND_MAX at most, and not 0, or nothing would ever be
     * sent: that is a packet. What is out of bounds is counted (`cc_refused`). */
    uint32_t (*cwnd)(const void *state);
    /** Slow start threshold, for who looks at the association. */
    uint32_t (*ssthresh)(const void *state);
    /** Bytes of DATA chunks per second to pace to, 0: no pacing. HWS_EXT_PACING_MIN at least; less
     * is brought there, and counted. */
    uint64_t (*pacing)(const void *state);
};

/* ---- Path selectors ---- */

/** The DATA chunk that a path is wanted for. */
struct hws_pathsel_chunk {
    uint16_t sid;        /**< its stream */
    bool unordered;      /**< the U bit (3.3.1) */
    bool again;          /**< it was sent before, and lost */
    uint8_t last_path;   /**< when `again`: where it was sent last */
    uint32_t ppid;       /**< Payload Protocol Identifier, host order */
    uint32_t len;        /**< of its message, bytes */
    uint32_t sent_bytes; /**< of its message, in earlier chunks */
    uint64_t age_us;     /**< since the application gave the message */
};

/** What a path selector is asked. */
struct hws_pathsel_args {
    uint64_t now_us;                  /**< monotonic time */
    const struct hws_ext_path *paths; /**< by number; valid during the call */
    uint32_t path_count;              /**< 1 .. 8 */
    uint32_t primary;                 /**< number of the primary path */
    struct hws_pathsel_chunk chunk;   /**< the question */
};

/** And what it answers. */
struct hws_pathsel_choice {
    uint8_t path;   /**< number of the path that carries the chunk: a confirmed one, and not an
                       inactive one while another is active */
    uint8_t copies; /**< bit 1 << n: a copy of it leaves on path number n at once, too, when that is
                       active and its cwnd open; 0: none */
};

/** A path selector: one for each association. Functions other than `pick` may be NULL. What cannot
 * be done of its answers is not, and counted (`pathsel_refused`): the default chooses then. It is
 * not asked about messages for which the application named a path. */
struct hws_pathsel_ops {
    const char *name;    /**< of letters, digits, '-' and '_', HWS_EXT_NAME_MAX at most */
    uint32_t state_size; /**< bytes, HWS_EXT_PATHSEL_STATE_MAX at most; aligned for a uint64_t */
    /** Starts, or starts anew when the peer restarted. `state` is zeroed. */
    void (*init)(void *state);
    /** Chooses for the next chunk; asked again about the same one when it could not be sent. False:
     * as the default, "primary", would. */
    bool (*pick)(void *state, const struct hws_pathsel_args *args,
                 struct hws_pathsel_choice *choice);
    /** A chunk of `bytes`, header and padding counted, left on path number `path`; `copy`: another
     * path carries it, too. */
    void (*sent)(void *state, uint32_t path, uint32_t bytes, bool copy);
    /** Path number `path` has another state. */
    void (*path_changed)(void *state, uint32_t path, const struct hws_ext_path *facts);
};

/* ---- Stream schedulers ---- */

/** The first message of a stream's queue. */
struct hws_sched_message {
    uint16_t sid;      /**< its stream */
    bool unordered;    /**< the U bit (3.3.1) */
    uint32_t ppid;     /**< Payload Protocol Identifier, host order */
    uint32_t len;      /**< bytes */
    uint64_t order_us; /**< when the application gave it, later than every message before it: the
                          least came first */
};

/** hws_sched_ops.next: no stream is ready. */
#define HWS_SCHED_NONE UINT32_MAX

/** A stream scheduler: one for each association. A message, once begun, is sent whole before the
 * next choice (6.9: consecutive TSNs). Streams' states stay where they are as long as the
 * association's, so that they can point to each other. While one stream has been used it is not
 * asked. `init` may be NULL. */
struct hws_sched_ops {
    const char *name;     /**< of letters, digits, '-' and '_', HWS_EXT_NAME_MAX at most */
    uint32_t state_size;  /**< bytes, HWS_EXT_SCHED_STATE_MAX at most; aligned as malloc does */
    uint32_t stream_size; /**< and for each stream, HWS_EXT_SCHED_STREAM_MAX at most; zeroed */
    /** Starts, or starts anew when the peer restarted. `state` is zeroed. */
    void (*init)(void *state);
    /** The stream, which was not ready, has a message. */
    void (*ready)(void *state, void *stream, const struct hws_sched_message *head);
    /** The identifier of the ready stream whose turn it is, HWS_SCHED_NONE when none is; it stays
     * ready. Another answer is counted (`sched_refused`), and some ready stream takes its turn. */
    uint32_t (*next)(void *state);
    /** The stream's first message, of `bytes`, has left its queue: it is no longer ready, whoever's
     * turn it was. When it has another one, `ready` follows at once, before any other call. */
    void (*sent)(void *state, void *stream, uint32_t bytes);
};

/* ---- Extensions ---- */

/** An extension. Members that are not needed are 0 or NULL; an extension of chunk types has
 * `param`, `chunks` and what goes with them, others have none of these. */
struct hws_extension {
    uint32_t api;     /**< HWS_EXTEND_API */
    const char *name; /**< of letters, digits, '-' and '_' */

    const struct hws_cc_ops *const *ccs;           /**< ends with NULL */
    const struct hws_sched_ops *const *scheds;     /**< ends with NULL */
    const struct hws_pathsel_ops *const *pathsels; /**< ends with NULL */

    /** The INIT parameter by which both sides say that they have the extension: 0x8000..0xbffe, so
     * that a peer without it skips it silently (3.2.1), and not one of IANA's. The extension is on
     * for an association when both sides' `accept` took the other's parameter. */
    uint16_t param;
    const char *param_name; /**< in traces; NULL: the extension's */
    const void *offer;      /**< its value, the same in INIT and INIT ACK */
    uint16_t offer_len;     /**< HWS_EXT_PARAM_MAX at most */
    /** Whether this value of the peer's parameter is one to work with; NULL: any is. A listener
     * keeps nothing when it is asked. The answer has to be the same as the peer's when it is asked
     * about our offer: otherwise only one side has the extension on. */
    bool (*accept)(const uint8_t *value, uint16_t len);

    const struct hws_ext_chunk *chunks; /**< its chunk types */
    uint32_t chunk_count;               /**< HWS_EXT_CHUNKS_MAX at most */
    const struct hws_ext_cause *causes; /**< its error causes */
    uint32_t cause_count;               /**< HWS_EXT_CAUSES_MAX at most */

    uint32_t state_size; /**< bytes for each association for which it is on, HWS_EXT_STATE_MAX at
                            most */
    /** Bytes that a DATA chunk leaves free in the largest packet, so that a chunk about a whole
     * DATA chunk fits, too; HWS_EXT_RESERVE_MAX at most. */
    uint16_t reserve_bytes;

    /** SACKs that report a DATA chunk missing before it counts as lost (7.2.4), 3 or more; 0: 3.
     * What the extension repairs would else be sent again before the repair has come. */
    uint8_t missing_reports;

    /** The association is established, or the peer restarted (5.2.4 A): `state` is zeroed. `value`
     * is the peer's parameter. */
    void (*begin)(const struct hws_ext_assoc *assoc, const uint8_t *value, uint16_t len);
    /** The association is over, or begins anew. Services other than hws_ext_path answer
     * HWS_EXT_STATE. */
    void (*end)(const struct hws_ext_assoc *assoc);
    /** A DATA chunk stands in a packet that is being built. A chunk of HWS_EXT_AFTER_DATA that is
     * asked for here, on the chunk's path, comes into the same packet when there is room
     * (`reserve_bytes`). */
    void (*data_sent)(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data);
    /** A DATA chunk came for the first time and was taken. */
    void (*data_received)(const struct hws_ext_assoc *assoc, const struct hws_ext_data *data);
    /** The time set by hws_ext_timer has come. */
    void (*timer)(const struct hws_ext_assoc *assoc);
};

/** The symbol by which a shared object gives its extension. */
#define HWS_EXTENSION_SYMBOL "hws_extension"

/** Makes `extension`, a constant struct hws_extension, the one that this shared object gives. It
 * does nothing with HWS_EXTENSION_LINKED, for a program that names the extension itself. */
#if defined(HWS_EXTENSION_LINKED)
#define HWS_EXTENSION_EXPORT(extension)                                                            \
    _Static_assert(sizeof(extension) == sizeof(struct hws_extension), "not an extension")
#else
#define HWS_EXTENSION_EXPORT(extension)                                                            \
    __attribute__((visibility("default"))) extern const struct hws_extension *const hws_extension; \
    const struct hws_extension *const hws_extension = &(extension)
#endif

#ifdef __cplusplus
}
#endif

#endif
