/* Every socket option, above real engines: this file's list of what each one takes and answers was
 * made from the kernel's code, not from the table it tests, which must have the same rows. */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/sock/sockopt.h"
#include "api/sock/sockopt_value.h"
#include "tests/hosts.h"

#define PORT 5000u
#define VALUE_MAX 512u

typedef union hws_sockopt_value value;

/* Which lengths are right: `least` to `most`, or `other`. */
struct lengths {
    socklen_t least, most, other;
};

#define ANY UINT_MAX
#define EXACTLY(n)                                                                                 \
    {                                                                                              \
        n, n, n                                                                                    \
    }
#define AT_LEAST(n)                                                                                \
    {                                                                                              \
        n, ANY, n                                                                                  \
    }

/* Where the association id is; options without one have NO_ID. */
#define NO_ID UINT_MAX

/* What happens without an association, that is but for a connected socket. */
enum need { NEEDS_NOTHING, NEEDS_ASSOCIATION };

struct option {
    const char *name;
    int level, option;
    struct lengths set, get;
    socklen_t size; /* what get answers when there is room */
    value initial;  /* what a new socket answers */
    value put, got; /* what is set, and what is then answered */
    struct {
        value value;
        int rc;
    } wrong[4]; /* up to the first 0 */
    enum need get_needs, set_needs;
    int late; /* what set answers once the socket is bound */
    socklen_t id_at;
};

#define SCTP(id) #id, IPPROTO_SCTP, id
#define SOCKET(id) #id, SOL_SOCKET, id
#define SIZE(type) ((socklen_t)sizeof(struct type))
#define NUMBER(n)                                                                                  \
    {                                                                                              \
        .number = (n)                                                                              \
    }

/* Switches: int, 0 or 1; any other number is 1. */
#define SWITCH(id, at_first)                                                                       \
    {                                                                                              \
#id, IPPROTO_SCTP, id, .set = AT_LEAST(4), .get = AT_LEAST(4), .size = 4,                  \
                               .initial = NUMBER(at_first), .put = NUMBER((at_first) ? 0 : 7),     \
                               .got = NUMBER((at_first) ? 0 : 1), .id_at = NO_ID                   \
    }
/* Of SOL_SOCKET, which cuts what is read. */
#define CUT_SWITCH(id)                                                                             \
    {                                                                                              \
#id, SOL_SOCKET, id, .set = AT_LEAST(4), .get = AT_LEAST(0), .size = 4, .put = NUMBER(7),  \
                             .got = NUMBER(1), .id_at = NO_ID                                      \
    }
#define FACT(id, number)                                                                           \
    {                                                                                              \
#id, SOL_SOCKET, id, .get = AT_LEAST(0), .size = 4, .initial = NUMBER(number),             \
                             .id_at = NO_ID                                                        \
    }

#define HB_DEFAULT_FLAGS (SPP_HB_ENABLE | SPP_PMTUD_ENABLE | SPP_SACKDELAY_ENABLE)

static const struct option options[] = {
    {SCTP(SCTP_INITMSG), .set = EXACTLY(SIZE(sctp_initmsg)), .get = AT_LEAST(SIZE(sctp_initmsg)),
     .size = SIZE(sctp_initmsg), .initial.initmsg = {10, 65535, 8, 60000},
     .put.initmsg = {20, 0, 3, 1500}, .got.initmsg = {20, 65535, 3, 1500}, .id_at = NO_ID},
    {SCTP(SCTP_RTOINFO), .set = EXACTLY(SIZE(sctp_rtoinfo)), .get = AT_LEAST(SIZE(sctp_rtoinfo)),
     .size = SIZE(sctp_rtoinfo), .initial.rtoinfo = {0, 1000, 60000, 1000},
     .put.rtoinfo = {0, 0, 4000, 500}, .got.rtoinfo = {0, 1000, 4000, 500},
     .wrong = {{{.rtoinfo = {0, 0, 10, 20}}, -EINVAL}, {{.rtoinfo = {0, 0, 900, 0}}, -EINVAL}}},
    {SCTP(SCTP_ASSOCINFO), .set = EXACTLY(SIZE(sctp_assocparams)),
     .get = AT_LEAST(SIZE(sctp_assocparams)), .size = SIZE(sctp_assocparams),
     .initial.assocparams = {0, 10, 0, 0, 0, 60000}, .put.assocparams = {0, 6, 77, 77, 77, 5000},
     .got.assocparams = {0, 6, 0, 0, 0, 5000}},
    {SCTP(SCTP_ADAPTATION_LAYER), .set = EXACTLY(4), .get = AT_LEAST(4), .size = 4,
     .put.adaptation = {77}, .got.adaptation = {77}, .id_at = NO_ID},
    SWITCH(HWS_PROBE, 0),
    {SCTP(SCTP_PEER_ADDR_PARAMS), .set = {156, 156, 152}, .get = {156, ANY, 152}, .size = 156,
     .initial.paddrparams = {.spp_hbinterval = 30000,
                             .spp_pathmaxrxt = 5,
                             .spp_sackdelay = 200,
                             .spp_flags = HB_DEFAULT_FLAGS},
     .put.paddrparams = {.spp_hbinterval = 4000,
                         .spp_pathmaxrxt = 7,
                         .spp_pathmtu = 1300,
                         .spp_sackdelay = 100,
                         .spp_dscp = 0xb9,
                         .spp_flags =
                             SPP_HB_ENABLE | SPP_PMTUD_DISABLE | SPP_SACKDELAY_ENABLE | SPP_DSCP},
     .got.paddrparams = {.spp_hbinterval = 4000,
                         .spp_pathmaxrxt = 7,
                         .spp_pathmtu = 1300,
                         .spp_sackdelay = 100,
                         .spp_dscp = 0xb8,
                         .spp_flags =
                             SPP_HB_ENABLE | SPP_PMTUD_DISABLE | SPP_SACKDELAY_ENABLE | SPP_DSCP},
     .wrong = {{{.paddrparams = {.spp_flags = SPP_HB}}, -EINVAL},
               {{.paddrparams = {.spp_pathmtu = 511}}, -EINVAL},
               {{.paddrparams = {.spp_sackdelay = 501}}, -EINVAL},
               {{.paddrparams = {.spp_flags = SPP_IPV6_FLOWLABEL}}, -EOPNOTSUPP}}},
    {SCTP(SCTP_PEER_ADDR_THLDS), .set = AT_LEAST(SIZE(sctp_paddrthlds)),
     .get = AT_LEAST(SIZE(sctp_paddrthlds)), .size = SIZE(sctp_paddrthlds),
     .initial.paddrthlds = {.spt_pathmaxrxt = 5}, .put.paddrthlds = {.spt_pathpfthld = 3},
     .got.paddrthlds = {.spt_pathmaxrxt = 5, .spt_pathpfthld = 3}},
    {SCTP(SCTP_PEER_ADDR_THLDS_V2), .set = AT_LEAST(SIZE(sctp_paddrthlds_v2)),
     .get = AT_LEAST(SIZE(sctp_paddrthlds_v2)), .size = SIZE(sctp_paddrthlds_v2),
     .initial.paddrthlds_v2 = {.spt_pathmaxrxt = 5, .spt_pathcpthld = UINT16_MAX},
     .put.paddrthlds_v2 = {.spt_pathmaxrxt = 4, .spt_pathpfthld = 2, .spt_pathcpthld = UINT16_MAX},
     .got.paddrthlds_v2 = {.spt_pathmaxrxt = 4, .spt_pathpfthld = 2, .spt_pathcpthld = UINT16_MAX},
     .wrong = {{{.paddrthlds_v2 = {.spt_pathpfthld = 3, .spt_pathcpthld = 2}}, -EINVAL},
               {{.paddrthlds_v2 = {.spt_pathpfthld = 3, .spt_pathcpthld = 4}}, -EOPNOTSUPP}}},
    {SCTP(SCTP_PLPMTUD_PROBE_INTERVAL), .set = EXACTLY(SIZE(sctp_probeinterval)),
     .get = AT_LEAST(SIZE(sctp_probeinterval)), .size = SIZE(sctp_probeinterval),
     .initial.probeinterval = {.spi_interval = 600000}, .put.probeinterval = {.spi_interval = 5000},
     .got.probeinterval = {.spi_interval = 5000},
     .wrong = {{{.probeinterval = {.spi_interval = 4999}}, -EINVAL},
               {{.probeinterval = {.spi_interval = UINT32_MAX}}, -EINVAL}}},
    {SCTP(SCTP_REMOTE_UDP_ENCAPS_PORT), .set = EXACTLY(SIZE(sctp_udpencaps)),
     .get = AT_LEAST(SIZE(sctp_udpencaps)), .size = SIZE(sctp_udpencaps),
     .wrong = {{{.udpencaps = {.sue_port = 9}}, -EOPNOTSUPP}}},
    {SCTP(SCTP_PRIMARY_ADDR), .set = EXACTLY(SIZE(sctp_prim)), .get = AT_LEAST(SIZE(sctp_prim)),
     .size = SIZE(sctp_prim), .get_needs = NEEDS_ASSOCIATION, .set_needs = NEEDS_ASSOCIATION,
     .wrong = {{{.prim = {.ssp_addr = {.ss_family = AF_INET}}}, -EINVAL},
               {{.prim = {.ssp_addr = {.ss_family = AF_UNIX}}}, -EINVAL}}},
    {SCTP(SCTP_GET_PEER_ADDR_INFO), .get = AT_LEAST(SIZE(sctp_paddrinfo)),
     .size = SIZE(sctp_paddrinfo), .get_needs = NEEDS_ASSOCIATION},
    {SCTP(SCTP_EXPOSE_POTENTIALLY_FAILED_STATE), .set = EXACTLY(8), .get = AT_LEAST(8), .size = 8,
     .put.assoc_value = {0, 2}, .got.assoc_value = {0, 2},
     .wrong = {{{.assoc_value = {0, 3}}, -EINVAL}}},
    {SCTP(SCTP_STATUS), .get = AT_LEAST(SIZE(sctp_status)), .size = SIZE(sctp_status),
     .get_needs = NEEDS_ASSOCIATION},
    {SCTP(SCTP_GET_ASSOC_STATS), .get = AT_LEAST(4), .size = SIZE(sctp_assoc_stats),
     .get_needs = NEEDS_ASSOCIATION},
    SWITCH(SCTP_NODELAY, 0),
    {SCTP(SCTP_MAXSEG), .set = {8, 8, 4}, .get = {8, ANY, 4}, .size = 8,
     .put.assoc_value = {0, 1000}, .got.assoc_value = {0, 1000},
     .wrong = {{{.assoc_value = {0, 463}}, -EINVAL}, {{.assoc_value = {0, 65517}}, -EINVAL}}},
    {SCTP(SCTP_MAX_BURST), .set = {8, 8, 4}, .get = {8, ANY, 4}, .size = 8,
     .put.assoc_value = {0, 4}, .got.assoc_value = {0, 4}},
    {SCTP(SCTP_DEFAULT_SNDINFO), .set = EXACTLY(SIZE(sctp_sndinfo)),
     .get = AT_LEAST(SIZE(sctp_sndinfo)), .size = SIZE(sctp_sndinfo),
     .put.sndinfo = {3, SCTP_UNORDERED, 0x12345678, 9, 0},
     .got.sndinfo = {3, SCTP_UNORDERED, 0x12345678, 9, 0},
     .wrong = {{{.sndinfo = {.snd_flags = SCTP_SENDALL}}, -EINVAL}},
     .id_at = offsetof(struct sctp_sndinfo, snd_assoc_id)},
    {SCTP(SCTP_DEFAULT_SEND_PARAM), .set = EXACTLY(SIZE(sctp_sndrcvinfo)),
     .get = AT_LEAST(SIZE(sctp_sndrcvinfo)), .size = SIZE(sctp_sndrcvinfo),
     .put.sndrcvinfo = {.sinfo_stream = 2, .sinfo_ppid = 5, .sinfo_timetolive = 60},
     .got.sndrcvinfo = {.sinfo_stream = 2, .sinfo_ppid = 5, .sinfo_timetolive = 60},
     .wrong = {{{.sndrcvinfo = {.sinfo_flags = SCTP_SACK_IMMEDIATELY}}, -EINVAL}},
     .id_at = offsetof(struct sctp_sndrcvinfo, sinfo_assoc_id)},
    SWITCH(SCTP_DISABLE_FRAGMENTS, 0),
    SWITCH(HWS_EXPLICIT_EOR, 0),
    {SCTP(SCTP_DELAYED_SACK), .set = {12, 12, 8}, .get = {12, ANY, 8}, .size = 12,
     .initial.sack_info = {0, 200, 2}, .put.sack_info = {0, 50, 4}, .got.sack_info = {0, 50, 4},
     .wrong = {{{.sack_info = {0, 501, 0}}, -EINVAL}}},
    {SCTP(SCTP_CONTEXT), .set = EXACTLY(8), .get = AT_LEAST(8), .size = 8,
     .put.assoc_value = {0, 4711}, .got.assoc_value = {0, 4711}},
    {SCTP(SCTP_PARTIAL_DELIVERY_POINT), .set = EXACTLY(4), .get = AT_LEAST(4), .size = 4,
     .put = {.count = 65536}, .got = {.count = 65536},
     .wrong = {{{.count = (1u << 20) + 1}, -EINVAL}}, .id_at = NO_ID},
    {SCTP(SCTP_FRAGMENT_INTERLEAVE), .set = EXACTLY(4), .get = AT_LEAST(4), .size = 4,
     .put = NUMBER(2), .got = NUMBER(1), .id_at = NO_ID},
    SWITCH(SCTP_RECVRCVINFO, 0),
    SWITCH(SCTP_RECVNXTINFO, 0),
    SWITCH(SCTP_I_WANT_MAPPED_V4_ADDR, 1),
    {SCTP(SCTP_EVENT), .set = AT_LEAST(8), .get = AT_LEAST(8), .size = 8,
     .initial.event = {0, SCTP_SHUTDOWN_EVENT, 0}, .put.event = {0, SCTP_SHUTDOWN_EVENT, 5},
     .got.event = {0, SCTP_SHUTDOWN_EVENT, 1},
     .wrong = {{{.event = {0, SCTP_SN_TYPE_BASE - 1, 1}}, -EINVAL},
               {{.event = {0, SCTP_SN_TYPE_MAX + 1, 1}}, -EINVAL}}},
    {SCTP(SCTP_EVENTS), .set = {0, 14, 0}, .get = AT_LEAST(1), .size = 14,
     .put.events = {1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9},
     .got.events = {1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, .id_at = NO_ID},
    {SCTP(SCTP_REUSE_PORT), .set = AT_LEAST(4), .get = AT_LEAST(4), .size = 4, .put = NUMBER(1),
     .got = NUMBER(1), .late = -EFAULT, .id_at = NO_ID},
    CUT_SWITCH(SO_REUSEADDR),
    CUT_SWITCH(SO_REUSEPORT),
    CUT_SWITCH(SO_TIMESTAMPNS),
    {SOCKET(SO_RCVBUF), .set = AT_LEAST(4), .get = AT_LEAST(0), .size = 4,
     .initial = NUMBER(2 << 20), .put = NUMBER(5 << 20), .got = NUMBER(10 << 20), .id_at = NO_ID},
    {SOCKET(SO_SNDBUF), .set = AT_LEAST(4), .get = AT_LEAST(0), .size = 4,
     .initial = NUMBER(512 << 10), .put = NUMBER(100), .got = NUMBER(4608), .id_at = NO_ID},
    {SOCKET(SO_RCVTIMEO), .set = AT_LEAST(16), .get = AT_LEAST(0), .size = 16,
     .put.time = {2, 500000}, .got.time = {2, 500000},
     .wrong = {{{.time = {0, 1000000}}, -EDOM}, {{.time = {0, -1}}, -EDOM}}, .id_at = NO_ID},
    {SOCKET(SO_SNDTIMEO), .set = AT_LEAST(16), .get = AT_LEAST(0), .size = 16, .put.time = {3, 1},
     .got.time = {3, 1}, .wrong = {{{.time = {0, 1000000}}, -EDOM}}, .id_at = NO_ID},
    {SOCKET(SO_LINGER), .set = AT_LEAST(8), .get = AT_LEAST(0), .size = 8, .put.linger = {5, 30},
     .got.linger = {1, 30}, .id_at = NO_ID},
    FACT(SO_ERROR, 0),
    FACT(SO_TYPE, SOCK_STREAM),
    FACT(SO_PROTOCOL, IPPROTO_SCTP),
    FACT(SO_DOMAIN, AF_INET6),
    FACT(SO_ACCEPTCONN, 0),
    {"IP_TOS", IPPROTO_IP, IP_TOS, .set = AT_LEAST(0), .get = AT_LEAST(0), .size = 4,
     .put = NUMBER(0xb9), .got = NUMBER(0xb8), .id_at = NO_ID},
    {"IP_TTL", IPPROTO_IP, IP_TTL, .set = AT_LEAST(1), .get = AT_LEAST(0), .size = 4,
     .initial = NUMBER(64), .put = NUMBER(17), .got = NUMBER(17),
     .wrong = {{NUMBER(0), -EINVAL}, {NUMBER(256), -EINVAL}, {NUMBER(-2), -EINVAL}},
     .id_at = NO_ID},
    {"IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY, .set = AT_LEAST(4), .get = AT_LEAST(0), .size = 4,
     .put = NUMBER(2), .got = NUMBER(1), .late = -EINVAL, .id_at = NO_ID},
    {"IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS, .set = AT_LEAST(4), .get = AT_LEAST(0), .size = 4,
     .put = NUMBER(0x28), .got = NUMBER(0x28),
     .wrong = {{NUMBER(256), -EINVAL}, {NUMBER(-2), -EINVAL}}, .id_at = NO_ID},
    {"IPV6_UNICAST_HOPS", IPPROTO_IPV6, IPV6_UNICAST_HOPS, .set = AT_LEAST(4), .get = AT_LEAST(0),
     .size = 4, .initial = NUMBER(64), .put = NUMBER(255), .got = NUMBER(255),
     .wrong = {{NUMBER(256), -EINVAL}, {NUMBER(-2), -EINVAL}}, .id_at = NO_ID},
    {SCTP(HWS_CC), .set = AT_LEAST(1), .get = AT_LEAST(0), .size = 16, .initial.name = "rfc9260",
     .put.name = "rfc9260", .got.name = "rfc9260", .wrong = {{{.name = "none"}, -ENOENT}},
     .id_at = NO_ID},
    {SCTP(HWS_SCHED), .set = AT_LEAST(1), .get = AT_LEAST(0), .size = 16, .initial.name = "fcfs",
     .put.name = "rr", .got.name = "rr", .wrong = {{{.name = "r"}, -ENOENT}}, .id_at = NO_ID},
    {SCTP(HWS_PATHSEL), .set = AT_LEAST(1), .get = AT_LEAST(0), .size = 16,
     .initial.name = "primary", .put.name = "primary", .got.name = "primary",
     .wrong = {{{.name = ""}, -ENOENT}}, .id_at = NO_ID},
};

/* Tested one by one below, and those of extensions to come. */
static const char *const apart[] = {
    "SCTP_AUTOCLOSE", "SCTP_GET_ASSOC_NUMBER", "SCTP_GET_ASSOC_ID_LIST", "SO_BINDTODEVICE",
    "HWS_CC_NAMES",   "HWS_SCHED_NAMES",       "HWS_PATHSEL_NAMES"};

static const struct {
    const char *name;
    int option;
} to_come[] = {
#define TO_COME(id)                                                                                \
    {                                                                                              \
#id, id                                                                                    \
    }
    TO_COME(SCTP_SET_PEER_PRIMARY_ADDR),
    TO_COME(SCTP_AUTO_ASCONF),
    TO_COME(SCTP_ASCONF_SUPPORTED),
    TO_COME(SCTP_AUTH_CHUNK),
    TO_COME(SCTP_HMAC_IDENT),
    TO_COME(SCTP_AUTH_KEY),
    TO_COME(SCTP_AUTH_ACTIVE_KEY),
    TO_COME(SCTP_AUTH_DELETE_KEY),
    TO_COME(SCTP_AUTH_DEACTIVATE_KEY),
    TO_COME(SCTP_PEER_AUTH_CHUNKS),
    TO_COME(SCTP_LOCAL_AUTH_CHUNKS),
    TO_COME(SCTP_AUTH_SUPPORTED),
    TO_COME(SCTP_PR_SUPPORTED),
    TO_COME(SCTP_DEFAULT_PRINFO),
    TO_COME(SCTP_PR_ASSOC_STATUS),
    TO_COME(SCTP_PR_STREAM_STATUS),
    TO_COME(SCTP_RECONFIG_SUPPORTED),
    TO_COME(SCTP_ENABLE_STREAM_RESET),
    TO_COME(SCTP_RESET_STREAMS),
    TO_COME(SCTP_RESET_ASSOC),
    TO_COME(SCTP_ADD_STREAMS),
    TO_COME(SCTP_STREAM_SCHEDULER),
    TO_COME(SCTP_STREAM_SCHEDULER_VALUE),
    TO_COME(SCTP_INTERLEAVING_SUPPORTED),
    TO_COME(SCTP_ECN_SUPPORTED),
#undef TO_COME
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_written(const struct option *o)
{
    return o->set.most != 0;
}

/* ---- A socket in every state ---- */

enum stage { NEW, BOUND, LISTENING, CONNECTING, CONNECTED, OVER, STAGES };

static void connect_to(struct hws_sock *sock, struct host *host, uint16_t port)
{
    hosts_listen(host->other, port);
    hosts_connect(sock, host, port);
}

static void end_associations(struct hws_sock *sock, uint64_t now_us)
{
    for (const struct hws_member *member = hws_sock_first_member(sock); member != NULL;
         member = hws_sock_next_member(member))
        hws_assoc_abort(sock->sockets->engine, member->assoc, NULL, 0, now_us);
}

static struct hws_sock *socket_at(struct hosts *h, enum hws_sock_style style, enum stage stage)
{
    struct hws_sock *sock = hws_sock_open(&h->a.sockets, AF_INET6, style);
    assert_non_null(sock);
    if (stage == NEW)
        return sock;
    assert_int_equal(hws_sock_bind(sock, h->a.addrs, HOSTS_ADDRS, 0), 0);
    if (stage == LISTENING)
        assert_int_equal(hws_sock_listen(sock, 4), 0);
    if (stage < CONNECTING)
        return sock;
    connect_to(sock, &h->a, PORT);
    if (stage >= CONNECTED)
        hosts_wait(h, 1000);
    if (stage == OVER) {
        end_associations(sock, h->now_us);
        hosts_wait(h, 1000);
    }
    return sock;
}

static int set(struct hws_sock *sock, const struct option *o, const void *v, size_t len)
{
    return hws_sockopt_set(sock, o->level, o->option, v, (socklen_t)len, 2000000);
}

static int get(struct hws_sock *sock, const struct option *o, void *v, socklen_t *len)
{
    return hws_sockopt_get(sock, o->level, o->option, v, len);
}

static bool is_many(const struct hws_sock *sock)
{
    return sock->style == HWS_SOCK_ONE_TO_MANY;
}

static bool is(const struct option *o, int number)
{
    return o->level == IPPROTO_SCTP && o->option == number;
}

typedef void check_function(struct hws_sock *sock, const struct option *o, enum stage stage);

/* Calls `check` with every option, each above hosts of its own. */
static void each_option(enum hws_sock_style style, enum stage stage, check_function *check)
{
    for (size_t i = 0; i < COUNT(options); i++) {
        if (style != HWS_SOCK_ONE_TO_ONE && is(&options[i], SCTP_REUSE_PORT))
            continue;
        struct hosts *h = hosts_new();
        print_message("%s\n", options[i].name);
        check(socket_at(h, style, stage), &options[i], stage);
        hosts_free(h);
    }
}

static void each_option_of_both_styles(enum stage stage, check_function *check)
{
    each_option(HWS_SOCK_ONE_TO_ONE, stage, check);
    each_option(HWS_SOCK_ONE_TO_MANY, stage, check);
}

static void each_option_at_each_stage(check_function *check)
{
    for (enum stage stage = NEW; stage < STAGES; stage++)
        each_option_of_both_styles(stage, check);
}

/* What asks for a value: path and type are part of the question. */
static value question(const struct option *o)
{
    value v = {.number = 0};
    if (is(o, SCTP_EVENT))
        v.event.se_type = o->initial.event.se_type;
    if (is(o, SCTP_GET_PEER_ADDR_INFO)) {
        struct sockaddr_storage address = {.ss_family = AF_INET};
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)&address;
        in->sin_port = htons(PORT);
        in->sin_addr.s_addr = htonl(0xc0000202);
        v.paddrinfo.spinfo_address = address;
    }
    return v;
}

static void assert_told(struct hws_sock *sock, const struct option *o, const value *expected)
{
    value v = question(o);
    socklen_t len = sizeof(v);
    assert_int_equal(get(sock, o, &v, &len), 0);
    assert_int_equal(len, o->size);
    assert_memory_equal(&v, expected, len);
}

/* ---- The walks ---- */

static const struct option *find_option(const char *name)
{
    for (size_t i = 0; i < COUNT(options); i++) {
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    }
    return NULL;
}

static bool is_apart(const char *name)
{
    for (size_t i = 0; i < COUNT(apart); i++) {
        if (strcmp(apart[i], name) == 0)
            return true;
    }
    return false;
}

static bool is_to_come(const struct hws_sockopt_row *row)
{
    return row->set == NULL && row->get == NULL && row->get_list == NULL;
}

static void the_table_has_these_options(void **state)
{
    const struct hws_sockopt_row *row;
    size_t present = 0, coming = 0;
    (void)state;
    for (size_t i = 0; (row = hws_sockopt_row(i)) != NULL; i++) {
        const struct option *o = find_option(row->name);
        if (is_to_come(row)) {
            assert_string_equal(row->name, to_come[coming].name);
            coming++;
            continue;
        }
        present++;
        if (o == NULL && !is_apart(row->name))
            fail_msg("%s is not tested", row->name);
        size_t at = NO_ID;
        if (o == NULL)
            continue;
        assert_true(o->level == row->level && o->option == row->option);
        if (o->level == IPPROTO_SCTP)
            assert_int_equal(hws_sockopt_has_id(o->option, &at), o->id_at != NO_ID);
        assert_true(o->level != IPPROTO_SCTP || at == o->id_at);
    }
    assert_int_equal(present, COUNT(options) + COUNT(apart));
    assert_int_equal(coming, COUNT(to_come));
}

/* The page has a row for each option, in the table's order, and names those to come below. */
static void the_page_has_the_same(void **state)
{
    FILE *page = fopen("../docs/OPTIONS.md", "r");
    const struct hws_sockopt_row *row;
    char line[2048], name[64], quoted[80];
    size_t index = 0;
    (void)state;
    assert_non_null(page);
    while (fgets(line, sizeof(line), page) != NULL) {
        row = hws_sockopt_row(index);
        if (sscanf(line, "| `%63[A-Z0-9_]` |", name) == 1) {
            assert_string_equal(name, row->name);
            index++;
        }
        while ((row = hws_sockopt_row(index)) != NULL && is_to_come(row) &&
               snprintf(quoted, sizeof(quoted), "`%s`", row->name) > 0 &&
               strstr(line, quoted) != NULL)
            index++;
    }
    fclose(page);
    row = hws_sockopt_row(index);
    if (row != NULL)
        fail_msg("%s is not on the page", row->name);
}

static void those_of_extensions_to_come(void **state)
{
    struct hosts *h = hosts_new();
    struct hws_sock *sock = socket_at(h, HWS_SOCK_ONE_TO_ONE, CONNECTED);
    uint8_t bytes[VALUE_MAX] = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(to_come); i++) {
        socklen_t len = sizeof(bytes);
        int option = to_come[i].option;
        print_message("%s\n", to_come[i].name);
        assert_int_equal(hws_sockopt_set(sock, IPPROTO_SCTP, option, bytes, 8, 0), -ENOPROTOOPT);
        assert_int_equal(hws_sockopt_get(sock, IPPROTO_SCTP, option, bytes, &len), -ENOPROTOOPT);
    }
    hosts_free(h);
}

static void check_initial(struct hws_sock *sock, const struct option *o, enum stage stage)
{
    value initial = o->initial;
    (void)stage;
    if (o->level == SOL_SOCKET && o->option == SO_TYPE)
        initial.number = is_many(sock) ? SOCK_SEQPACKET : SOCK_STREAM;
    if (o->get_needs == NEEDS_NOTHING)
        assert_told(sock, o, &initial);
}

static void what_a_new_socket_has(void **state)
{
    (void)state;
    each_option_of_both_styles(NEW, check_initial);
}

/* Of an association more is told than was set. */
static bool tells_more(const struct hws_sock *sock, const struct option *o, enum stage stage)
{
    return stage == CONNECTED && !is_many(sock) &&
           (is(o, SCTP_ASSOCINFO) || is(o, SCTP_PEER_ADDR_PARAMS));
}

static void check_set(struct hws_sock *sock, const struct option *o, enum stage stage)
{
    if (!is_written(o) || o->set_needs == NEEDS_ASSOCIATION || is(o, SCTP_REMOTE_UDP_ENCAPS_PORT))
        return;
    int expected = stage == NEW ? 0 : o->late;
    assert_int_equal(set(sock, o, &o->put, o->size), expected);
    if (expected == 0 && !tells_more(sock, o, stage))
        assert_told(sock, o, &o->got);
}

static void what_is_set_is_told(void **state)
{
    (void)state;
    each_option_at_each_stage(check_set);
}

static void check_read_only(struct hws_sock *sock, const struct option *o, enum stage stage)
{
    value v = {.number = 0};
    (void)stage;
    if (is_written(o))
        return;
    assert_int_equal(set(sock, o, &v, o->size), -ENOPROTOOPT);
    assert_int_equal(set(sock, o, &v, o->size - 1),
                     o->level == SOL_SOCKET ? -EINVAL : -ENOPROTOOPT);
}

static void what_can_only_be_read(void **state)
{
    (void)state;
    each_option_of_both_styles(CONNECTED, check_read_only);
}

static void check_association(struct hws_sock *sock, const struct option *o, enum stage stage)
{
    value v = question(o);
    socklen_t len = sizeof(v);
    bool by_path = is(o, SCTP_GET_PEER_ADDR_INFO) && stage >= CONNECTING && stage != OVER;
    bool has = (stage == CONNECTED && !is_many(sock)) || by_path;
    int expected = o->get_needs == NEEDS_ASSOCIATION && !has ? -EINVAL : 0;
    assert_int_equal(get(sock, o, &v, &len), expected);
}

static void what_needs_an_association(void **state)
{
    (void)state;
    each_option_at_each_stage(check_association);
}

static bool is_right(const struct lengths *lengths, socklen_t len)
{
    return len == lengths->other || (len >= lengths->least && len <= lengths->most);
}

static void check_lengths_to_set(struct hws_sock *sock, const struct option *o, enum stage stage)
{
    uint8_t bytes[VALUE_MAX];
    (void)stage;
    for (socklen_t len = 0; is_written(o) && len < o->size + 40; len++) {
        memset(bytes, 0, sizeof(bytes));
        memcpy(bytes, &o->put, o->size);
        int rc = set(sock, o, bytes, len);
        bool refused = rc == -EINVAL;
        if (is(o, SCTP_PEER_ADDR_PARAMS) && len == 152)
            assert_true(refused); /* it has no room for the DSCP that its flags tell of */
        else if (o->set_needs == NEEDS_NOTHING && refused == is_right(&o->set, len))
            fail_msg("%u bytes: %d", len, rc);
    }
}

static void lengths_to_set(void **state)
{
    (void)state;
    each_option_of_both_styles(NEW, check_lengths_to_set);
}

/* IPPROTO_IP gives a byte where an int has no room. */
static socklen_t told_length(const struct option *o, socklen_t len)
{
    if (o->level == IPPROTO_IP && len > 0 && len < o->size)
        return 1;
    return len < o->size ? len : o->size;
}

/* The older structure is the first part of the newer one. */
static bool is_part(const struct option *o)
{
    return is(o, SCTP_PEER_ADDR_PARAMS);
}

/* An option that needs an association is asked about the only one there is. */
static void name_association(const struct hws_sock *sock, const struct option *o, value *v)
{
    if (is_many(sock) && o->get_needs == NEEDS_ASSOCIATION)
        memcpy((uint8_t *)v + o->id_at, &hws_sock_first_member(sock)->id, sizeof(sctp_assoc_t));
}

static void check_lengths_to_get(struct hws_sock *sock, const struct option *o, enum stage stage)
{
    (void)stage;
    for (socklen_t len = 0; len < o->size + 40; len++) {
        uint8_t bytes[VALUE_MAX];
        value v = question(o);
        socklen_t told = len;
        name_association(sock, o, &v);
        memset(bytes, 0xee, sizeof(bytes));
        memcpy(bytes, &v, len < sizeof(v) ? len : sizeof(v));
        int rc = get(sock, o, bytes, &told);
        bool fits = is_right(&o->get, len) || (is_part(o) && len > o->get.other);
        if (fits != (rc == 0))
            fail_msg("%u bytes: %d", len, rc);
        socklen_t expected = is_part(o) && len < o->size ? o->get.other : told_length(o, len);
        assert_int_equal(told, fits ? expected : len);
        if (len > sizeof(v) || !fits)
            continue;
        for (socklen_t i = len; i < sizeof(bytes); i++)
            assert_int_equal(bytes[i], 0xee); /* nothing is written behind the room there is */
    }
}

static void lengths_to_get(void **state)
{
    (void)state;
    each_option_of_both_styles(CONNECTED, check_lengths_to_get);
}

static void check_nothing(struct hws_sock *sock, const struct option *o, enum stage stage)
{
    socklen_t len = o->size;
    (void)stage;
    assert_int_equal(get(sock, o, NULL, &len), -EFAULT);
    assert_int_equal(get(sock, o, NULL, NULL), -EFAULT);
    if (is_written(o))
        assert_int_equal(set(sock, o, NULL, o->size), -EFAULT);
}

static void no_value_at_all(void **state)
{
    (void)state;
    each_option_of_both_styles(NEW, check_nothing);
}

static void check_wrong(struct hws_sock *sock, const struct option *o, enum stage stage)
{
    value before = question(o), after = question(o);
    socklen_t len = sizeof(before);
    (void)stage;
    if (o->get_needs == NEEDS_NOTHING)
        assert_int_equal(get(sock, o, &before, &len), 0);
    for (size_t i = 0; i < COUNT(o->wrong) && o->wrong[i].rc != 0; i++)
        assert_int_equal(set(sock, o, &o->wrong[i].value, o->size), o->wrong[i].rc);
    len = sizeof(after);
    if (o->get_needs == NEEDS_NOTHING)
        assert_int_equal(get(sock, o, &after, &len), 0);
    assert_memory_equal(&before, &after, sizeof(before));
}

static void wrong_values_change_nothing(void **state)
{
    (void)state;
    each_option_of_both_styles(NEW, check_wrong);
    each_option_of_both_styles(CONNECTED, check_wrong);
}

static void check_id_ignored(struct hws_sock *sock, const struct option *o, enum stage stage)
{
    const sctp_assoc_t id = 12345;
    value v = question(o), put = o->put;
    socklen_t len = sizeof(v);
    (void)stage;
    if (o->id_at == NO_ID)
        return;
    memcpy((uint8_t *)&v + o->id_at, &id, sizeof(id));
    memcpy((uint8_t *)&put + o->id_at, &id, sizeof(id));
    assert_int_equal(get(sock, o, &v, &len), 0);
    if (is_written(o) && o->set_needs == NEEDS_NOTHING)
        assert_int_equal(set(sock, o, &put, o->size), 0);
}

static void one_to_one_sockets_ignore_ids(void **state)
{
    (void)state;
    each_option(HWS_SOCK_ONE_TO_ONE, CONNECTED, check_id_ignored);
}

static int get_number(struct hws_sock *sock, int level, int option, int *number)
{
    socklen_t len = sizeof(*number);
    return hws_sockopt_get(sock, level, option, number, &len);
}

/* ---- Ids on one-to-many sockets ---- */

/* Those that can be set for SCTP_CURRENT_ASSOC and SCTP_ALL_ASSOC. */
static bool is_for_many(const struct option *o)
{
    return is(o, SCTP_DELAYED_SACK) || is(o, SCTP_CONTEXT) || is(o, SCTP_MAX_BURST) ||
           is(o, SCTP_DEFAULT_SNDINFO) || is(o, SCTP_DEFAULT_SEND_PARAM) || is(o, SCTP_EVENT);
}

static int set_for(struct hws_sock *sock, const struct option *o, sctp_assoc_t id)
{
    value put = o->put;
    memcpy((uint8_t *)&put + o->id_at, &id, sizeof(id));
    return set(sock, o, &put, o->size);
}

static int get_of(struct hws_sock *sock, const struct option *o, sctp_assoc_t id, value *v)
{
    socklen_t len = sizeof(*v);
    *v = question(o);
    memcpy((uint8_t *)v + o->id_at, &id, sizeof(id));
    return get(sock, o, v, &len);
}

static void check_ids(struct hws_sock *sock, const struct option *o, enum stage stage)
{
    static const sctp_assoc_t ids[] = {12345, SCTP_CURRENT_ASSOC, SCTP_ALL_ASSOC};
    value v;
    (void)stage;
    if (o->id_at == NO_ID || is(o, SCTP_GET_PEER_ADDR_INFO))
        return;
    for (size_t i = 0; i < COUNT(ids); i++) {
        bool many = is_for_many(o) && i > 0;
        assert_int_equal(get_of(sock, o, ids[i], &v), -EINVAL);
        if (is_written(o))
            assert_int_equal(set_for(sock, o, ids[i]), many ? 0 : -EINVAL);
    }
    assert_int_equal(get_of(sock, o, hws_sock_first_member(sock)->id, &v), 0);
}

static void ids_of_one_to_many_sockets(void **state)
{
    (void)state;
    each_option(HWS_SOCK_ONE_TO_MANY, CONNECTED, check_ids);
}

static bool has_been_set(struct hws_sock *sock, const struct option *o, sctp_assoc_t id)
{
    value v, expected = o->got;
    memcpy((uint8_t *)&expected + o->id_at, &id, sizeof(id));
    assert_int_equal(get_of(sock, o, id, &v), 0);
    return memcmp(&v, &expected, o->size) == 0;
}

/* Sets it for `id`, and looks who has it then: the first association, the second, those to come. */
static void assert_reaches(const struct option *o, unsigned whom, bool first, bool second,
                           bool future)
{
    struct hosts *h = hosts_new();
    struct hws_sock *sock = socket_at(h, HWS_SOCK_ONE_TO_MANY, CONNECTED);
    connect_to(sock, &h->a, PORT + 1);
    hosts_wait(h, 1000);
    const sctp_assoc_t one = hws_sock_first_member(sock)->id;
    const sctp_assoc_t two = hws_sock_next_member(hws_sock_first_member(sock))->id;
    const sctp_assoc_t ids[] = {SCTP_FUTURE_ASSOC, SCTP_CURRENT_ASSOC, SCTP_ALL_ASSOC, one};
    assert_int_equal(set_for(sock, o, ids[whom]), 0);
    assert_int_equal(has_been_set(sock, o, one), first);
    assert_int_equal(has_been_set(sock, o, two), second);
    assert_int_equal(has_been_set(sock, o, SCTP_FUTURE_ASSOC), future);
    connect_to(sock, &h->a, PORT + 2);
    const struct hws_member *third =
        hws_sock_next_member(hws_sock_next_member(hws_sock_first_member(sock)));
    assert_int_equal(has_been_set(sock, o, third->id), future);
    hosts_free(h);
}

static void whom_a_value_reaches(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(options); i++) {
        const struct option *o = &options[i];
        bool tells_its_own = is(o, SCTP_ASSOCINFO) || is(o, SCTP_PEER_ADDR_PARAMS);
        if (o->id_at == NO_ID || !is_written(o) || o->set_needs == NEEDS_ASSOCIATION ||
            is(o, SCTP_REMOTE_UDP_ENCAPS_PORT) || tells_its_own)
            continue;
        print_message("%s\n", o->name);
        assert_reaches(o, 0, false, false, true);
        assert_reaches(o, 3, true, false, false);
        if (!is_for_many(o))
            continue;
        assert_reaches(o, 1, true, true, false);
        assert_reaches(o, 2, true, true, true);
    }
}

/* ---- One by one ---- */

static void not_for_one_to_one_sockets(void **state)
{
    static const int numbers[] = {SCTP_AUTOCLOSE, SCTP_GET_ASSOC_NUMBER, SCTP_GET_ASSOC_ID_LIST};
    struct hosts *h = hosts_new();
    struct hws_sock *sock = socket_at(h, HWS_SOCK_ONE_TO_ONE, CONNECTED);
    int number = 1;
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++)
        assert_int_equal(get_number(sock, IPPROTO_SCTP, numbers[i], &number), -EOPNOTSUPP);
    assert_int_equal(hws_sockopt_set(sock, IPPROTO_SCTP, SCTP_AUTOCLOSE, &number, 4, 0),
                     -EOPNOTSUPP);
    hosts_free(h);
}

static void for_one_to_many_sockets_only(void **state)
{
    struct hosts *h = hosts_new();
    struct hws_sock *sock = socket_at(h, HWS_SOCK_ONE_TO_MANY, CONNECTED);
    int number = 5;
    sctp_assoc_t ids[4];
    socklen_t len = sizeof(ids);
    (void)state;
    assert_int_equal(hws_sockopt_set(sock, IPPROTO_SCTP, SCTP_REUSE_PORT, &number, 4, 0),
                     -EOPNOTSUPP);
    assert_int_equal(hws_sockopt_set(sock, IPPROTO_SCTP, SCTP_AUTOCLOSE, &number, 4, 0), 0);
    assert_int_equal(hws_sockopt_set(sock, IPPROTO_SCTP, SCTP_AUTOCLOSE, &number, 5, 0), -EINVAL);
    assert_int_equal(get_number(sock, IPPROTO_SCTP, SCTP_AUTOCLOSE, &number), 0);
    assert_int_equal(number, 5);
    connect_to(sock, &h->a, PORT + 1);
    assert_int_equal(get_number(sock, IPPROTO_SCTP, SCTP_GET_ASSOC_NUMBER, &number), 0);
    assert_int_equal(number, 2);
    assert_int_equal(hws_sockopt_get(sock, IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, ids, &len), 0);
    assert_int_equal(len, 3 * sizeof(sctp_assoc_t));
    assert_int_equal(ids[0], 2);
    assert_int_equal(ids[1], hws_sock_first_member(sock)->id);
    len = 2 * sizeof(sctp_assoc_t);
    assert_int_equal(hws_sockopt_get(sock, IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, ids, &len),
                     -EINVAL);
    hosts_free(h);
}

/* It has one association, whatever id is given, but is not of the one-to-one style. */
static void a_socket_that_was_peeled_off(void **state)
{
    struct hosts *h = hosts_new();
    struct hws_sock *many = socket_at(h, HWS_SOCK_ONE_TO_MANY, CONNECTED), *sock;
    struct sctp_status status = {.sstat_assoc_id = 12345};
    socklen_t len = sizeof(status);
    sctp_assoc_t id = hws_sock_first_member(many)->id;
    int number = 1;
    (void)state;
    assert_int_equal(hws_sock_peeloff(many, id, &sock, h->now_us), 0);
    assert_int_equal(hws_sockopt_get(sock, IPPROTO_SCTP, SCTP_STATUS, &status, &len), 0);
    assert_int_equal(status.sstat_assoc_id, id);
    assert_int_equal(status.sstat_state, SCTP_ESTABLISHED);
    assert_int_equal(get_number(sock, IPPROTO_SCTP, SCTP_GET_ASSOC_NUMBER, &number), 0);
    assert_int_equal(number, 1);
    assert_int_equal(get_number(many, IPPROTO_SCTP, SCTP_GET_ASSOC_NUMBER, &number), 0);
    assert_int_equal(number, 0);
    assert_int_equal(get_number(sock, SOL_SOCKET, SO_TYPE, &number), 0);
    assert_int_equal(number, SOCK_SEQPACKET);
    assert_int_equal(hws_sockopt_set(sock, IPPROTO_SCTP, SCTP_AUTOCLOSE, &number, 4, 0), 0);
    assert_int_equal(hws_sockopt_set(sock, IPPROTO_SCTP, SCTP_REUSE_PORT, &number, 4, 0),
                     -EOPNOTSUPP);
    hosts_free(h);
}

static void levels_of_an_ipv4_socket(void **state)
{
    struct hosts *h = hosts_new();
    struct hws_sock *sock = hws_sock_open(&h->a.sockets, AF_INET, HWS_SOCK_ONE_TO_ONE);
    int number = 1;
    (void)state;
    assert_int_equal(get_number(sock, SOL_SOCKET, SO_DOMAIN, &number), 0);
    assert_int_equal(number, AF_INET);
    assert_int_equal(get_number(sock, IPPROTO_IPV6, IPV6_V6ONLY, &number), -EOPNOTSUPP);
    assert_int_equal(hws_sockopt_set(sock, IPPROTO_IPV6, IPV6_V6ONLY, &number, 4, 0), -ENOPROTOOPT);
    assert_int_equal(get_number(sock, 99, 1, &number), -EOPNOTSUPP);
    assert_int_equal(hws_sockopt_set(sock, 99, 1, &number, 4, 0), -ENOPROTOOPT);
    assert_int_equal(get_number(sock, SOL_SOCKET, 9999, &number), -ENOPROTOOPT);
    assert_int_equal(get_number(sock, IPPROTO_SCTP, -1, &number), -ENOPROTOOPT);
    const struct timeval at_once = {-1, 0};
    struct timeval told = {9, 9};
    socklen_t len = sizeof(told);
    assert_int_equal(hws_sockopt_set(sock, SOL_SOCKET, SO_RCVTIMEO, &at_once, sizeof(at_once), 0),
                     0);
    assert_int_equal(hws_sockopt_get(sock, SOL_SOCKET, SO_RCVTIMEO, &told, &len), 0);
    assert_true(told.tv_sec == 0 && told.tv_usec == 0 && sock->rcvtimeo_us == 1);
    hosts_free(h);
}

static void the_interface_is_the_links(void **state)
{
    struct hosts *h = hosts_new();
    struct hws_sock *sock = socket_at(h, HWS_SOCK_ONE_TO_ONE, NEW);
    const struct option o = {SOCKET(SO_BINDTODEVICE), .size = IFNAMSIZ};
    char name[IFNAMSIZ];
    socklen_t len = sizeof(name);
    (void)state;
    assert_int_equal(get(sock, &o, name, &len), 0);
    assert_int_equal(len, 0);
    assert_int_equal(set(sock, &o, "", 0), 0);
    assert_int_equal(set(sock, &o, "lo", 2), -EOPNOTSUPP);
    assert_int_equal(set(sock, &o, "none such", 9), -ENODEV);
    strcpy(h->a.sockets.link.interface, "lo");
    assert_int_equal(set(sock, &o, "lo", 3), 0);
    assert_int_equal(set(sock, &o, "", 0), -EOPNOTSUPP);
    len = sizeof(name);
    assert_int_equal(get(sock, &o, name, &len), 0);
    assert_string_equal(name, "lo");
    assert_int_equal(len, 3);
    len = 3;
    assert_int_equal(get(sock, &o, name, &len), -EINVAL);
    hosts_free(h);
}

static void names_are_listed(void **state)
{
    static const struct {
        int option;
        const char *names;
    } all[] = {
        {HWS_CC_NAMES, "rfc9260"}, {HWS_SCHED_NAMES, "fcfs rr"}, {HWS_PATHSEL_NAMES, "primary"}};
    struct hosts *h = hosts_new();
    struct hws_sock *sock = socket_at(h, HWS_SOCK_ONE_TO_ONE, NEW);
    (void)state;
    for (size_t i = 0; i < COUNT(all); i++) {
        char text[32];
        socklen_t exact = (socklen_t)strlen(all[i].names) + 1, len = exact;
        assert_int_equal(hws_sockopt_get(sock, IPPROTO_SCTP, all[i].option, text, &len), 0);
        assert_string_equal(text, all[i].names);
        assert_int_equal(len, exact);
        for (len = 0; len < exact; len++)
            assert_int_equal(hws_sockopt_get(sock, IPPROTO_SCTP, all[i].option, text, &len),
                             -EINVAL);
        assert_int_equal(hws_sockopt_set(sock, IPPROTO_SCTP, all[i].option, text, exact, 0),
                         -ENOPROTOOPT);
    }
    hosts_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_these_options),
        cmocka_unit_test(the_page_has_the_same),
        cmocka_unit_test(those_of_extensions_to_come),
        cmocka_unit_test(what_a_new_socket_has),
        cmocka_unit_test(what_is_set_is_told),
        cmocka_unit_test(what_can_only_be_read),
        cmocka_unit_test(what_needs_an_association),
        cmocka_unit_test(lengths_to_set),
        cmocka_unit_test(lengths_to_get),
        cmocka_unit_test(no_value_at_all),
        cmocka_unit_test(wrong_values_change_nothing),
        cmocka_unit_test(one_to_one_sockets_ignore_ids),
        cmocka_unit_test(not_for_one_to_one_sockets),
        cmocka_unit_test(for_one_to_many_sockets_only),
        cmocka_unit_test(ids_of_one_to_many_sockets),
        cmocka_unit_test(whom_a_value_reaches),
        cmocka_unit_test(a_socket_that_was_peeled_off),
        cmocka_unit_test(levels_of_an_ipv4_socket),
        cmocka_unit_test(the_interface_is_the_links),
        cmocka_unit_test(names_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
