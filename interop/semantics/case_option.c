/* Every option: its value, its sizes, the values it refuses, in every state of a socket. */
#include "cases.h"
#include "ends.h"
#include "option.h"
#include "say.h"

static const char *step_of(const struct option *o, const char *what)
{
    static char text[128];
    snprintf(text, sizeof(text), "%s %s", o->name, what);
    return text;
}

/* EVENT is asked about one type; the others about nothing in particular. */
static void prepare(const struct option *o, char *value, const char *peer)
{
    memset(value, 0, OPTION_ROOM);
    if (o->number == SCTP_EVENT && o->level == IPPROTO_SCTP)
        option_set_member(o, value, 1, SCTP_ASSOC_CHANGE);
    if (peer)
        option_put_address(o, value, peer, PORT);
}

static void get_sized(int fd, const struct option *o, const char *what, socklen_t size,
                      const char *peer)
{
    _Alignas(8) char value[OPTION_ROOM];
    prepare(o, value, peer);
    if (getsockopt(fd, o->level, o->number, value, &size) < 0)
        answer(step_of(o, what), -1);
    else
        say(step_of(o, what), "%u bytes: %s", size, option_text(o, value));
}

static unsigned id_member(const struct option *o)
{
    unsigned member = 0;
    for (const char *letter = o->layout; *letter != 'i'; letter++)
        member += *letter != '_';
    return member;
}

static void get_other_id(int fd, const struct option *o, const char *what, sctp_assoc_t id)
{
    _Alignas(8) char value[OPTION_ROOM];
    socklen_t size = (socklen_t)o->size;
    unsigned member;
    char set[64];
    if (!strchr(o->layout, 'i'))
        return;
    member = id_member(o);
    prepare(o, value, NULL);
    option_set_member(o, value, member, (uint32_t)id);
    if (getsockopt(fd, o->level, o->number, value, &size) < 0)
        answer(step_of(o, what), -1);
    else
        say(step_of(o, what), "%u bytes: %s", size, option_text(o, value));
    prepare(o, value, NULL);
    if (getsockopt(fd, o->level, o->number, value, &size) < 0)
        return;
    option_set_member(o, value, member, (uint32_t)id);
    snprintf(set, sizeof(set), "%s, set", what);
    answer(step_of(o, set), setsockopt(fd, o->level, o->number, value, (socklen_t)o->size));
}

static void set_back(int fd, const struct option *o, const char *peer)
{
    _Alignas(8) char value[OPTION_ROOM];
    socklen_t size = (socklen_t)o->size;
    prepare(o, value, peer);
    getsockopt(fd, o->level, o->number, value, &size);
    answer(step_of(o, "set back"), setsockopt(fd, o->level, o->number, value, (socklen_t)o->size));
    answer(step_of(o, "set, 1 less"),
           setsockopt(fd, o->level, o->number, value, (socklen_t)o->size - 1));
    answer(step_of(o, "set, 8 more"),
           setsockopt(fd, o->level, o->number, value, (socklen_t)o->size + 8));
    answer(step_of(o, "set, 0 bytes"), setsockopt(fd, o->level, o->number, value, 0));
    answer(step_of(o, "set, -1 bytes"), setsockopt(fd, o->level, o->number, value, (socklen_t)-1));
}

static void walk_one(int fd, const struct option *o, const char *peer)
{
    get_sized(fd, o, "get", (socklen_t)o->size, NULL);
    if (peer && strchr(o->layout, 'A'))
        get_sized(fd, o, "get of an address", (socklen_t)o->size, peer);
    get_sized(fd, o, "get, 1 less", (socklen_t)o->size - 1, peer);
    get_sized(fd, o, "get, 8 more", (socklen_t)o->size + 8, peer);
    get_sized(fd, o, "get, 0 bytes", 0, peer);
    get_sized(fd, o, "get, -1 bytes", (socklen_t)-1, peer);
    set_back(fd, o, peer);
    get_other_id(fd, o, "association 77777", 77777);
    get_other_id(fd, o, "SCTP_CURRENT_ASSOC", SCTP_CURRENT_ASSOC);
    get_other_id(fd, o, "SCTP_ALL_ASSOC", SCTP_ALL_ASSOC);
}

static void fresh(void)
{
    option_check();
    for (const struct option *o = options; o->name; o++) {
        int fd = one_to_one();
        walk_one(fd, o, NULL);
        close(fd);
    }
}

static void fresh_many(void)
{
    for (const struct option *o = options; o->name; o++) {
        int fd = one_to_many();
        walk_one(fd, o, NULL);
        close(fd);
    }
}

static void fresh_ipv6(void)
{
    for (const struct option *o = options; o->name; o++) {
        int fd = socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP);
        if (o->level == IPPROTO_IP || o->level == IPPROTO_IPV6)
            walk_one(fd, o, NULL);
        close(fd);
    }
}

/* Each option with a pair of its own, so that what it leaves behind stays there. */
static void connected_ones(void)
{
    struct ends e = connected();
    for (const struct option *o = options; o->name; o++) {
        int fd = one_to_one();
        ready("connect", connect_to(fd, HERE, PORT));
        walk_one(fd, o, HERE);
        close(accept(e.listener, NULL, NULL));
        close(fd);
    }
}

static void connected_many(void)
{
    int server = many_listener(PORT), fd = one_to_many();
    ready("connect", connect_to(fd, HERE, PORT));
    for (const struct option *o = options; o->name; o++)
        walk_one(fd, o, HERE);
    close(server);
}

static void listening(void)
{
    int fd = listener(PORT);
    for (const struct option *o = options; o->name; o++)
        walk_one(fd, o, NULL);
}

static void after_the_end(void)
{
    struct ends e = connected();
    ready("shutdown", shutdown(e.client, SHUT_WR));
    await(e.server, POLLIN);
    ended(e.client);
    ended(e.server); /* a moment later: SHUTDOWN COMPLETE is under way */
    for (const struct option *o = options; o->name; o++) {
        get_sized(e.client, o, "get", (socklen_t)o->size, NULL);
        get_sized(e.server, o, "get of an address", (socklen_t)o->size, HERE);
    }
}

/* A value that is tried: which member of which option, and the number it is given. */
struct trial {
    const char *option;
    unsigned member;
    uint64_t number;
};

static const struct trial trials[] = {
    {"RTOINFO", 1, 2000},
    {"RTOINFO", 1, 100},    /* below the minimum */
    {"RTOINFO", 1, 100000}, /* above the maximum */
    {"RTOINFO", 2, 2000},
    {"RTOINFO", 2, 500},
    {"RTOINFO", 3, 2000},
    {"RTOINFO", 3, 70000},
    {"RTOINFO", 3, 1},
    {"ASSOCINFO", 1, 5},
    {"ASSOCINFO", 1, 65535},
    {"ASSOCINFO", 2, 5},
    {"ASSOCINFO", 3, 5},
    {"ASSOCINFO", 4, 5},
    {"ASSOCINFO", 5, 100},
    {"INITMSG", 0, 65535},
    {"INITMSG", 0, 1},
    {"INITMSG", 1, 65535},
    {"INITMSG", 2, 2},
    {"INITMSG", 3, 65535},
    {"NODELAY", 0, 1},
    {"NODELAY", 0, 7},
    {"AUTOCLOSE", 0, 5},
    {"AUTOCLOSE", 0, 0x7fffffff},
    {"AUTOCLOSE", 0, 0xffffffff},
    {"ADAPTATION_LAYER", 0, 0xffffffff},
    {"DISABLE_FRAGMENTS", 0, 7},
    {"PEER_ADDR_PARAMS", 2, 5000},
    {"PEER_ADDR_PARAMS", 3, 7},
    {"PEER_ADDR_PARAMS", 4, 1400},
    {"PEER_ADDR_PARAMS", 4, 100},
    {"PEER_ADDR_PARAMS", 5, 100},
    {"PEER_ADDR_PARAMS", 5, 501},
    {"PEER_ADDR_PARAMS", 6, SPP_HB_ENABLE},
    {"PEER_ADDR_PARAMS", 6, SPP_HB_DISABLE},
    {"PEER_ADDR_PARAMS", 6, SPP_HB_ENABLE | SPP_HB_DISABLE},
    {"PEER_ADDR_PARAMS", 6, SPP_HB_DEMAND},
    {"PEER_ADDR_PARAMS", 6, SPP_HB_ENABLE | SPP_HB_TIME_IS_ZERO},
    {"PEER_ADDR_PARAMS", 6, SPP_PMTUD_DISABLE},
    {"PEER_ADDR_PARAMS", 6, SPP_PMTUD_ENABLE | SPP_PMTUD_DISABLE},
    {"PEER_ADDR_PARAMS", 6, SPP_SACKDELAY_DISABLE},
    {"PEER_ADDR_PARAMS", 6, SPP_SACKDELAY_ENABLE | SPP_SACKDELAY_DISABLE},
    {"PEER_ADDR_PARAMS", 6, SPP_DSCP},
    {"PEER_ADDR_PARAMS", 6, 0},
    {"PEER_ADDR_PARAMS", 6, 0x8000},
    {"DEFAULT_SEND_PARAM", 0, 9},
    {"DEFAULT_SEND_PARAM", 0, 60000},
    {"DEFAULT_SEND_PARAM", 2, SCTP_UNORDERED},
    {"DEFAULT_SEND_PARAM", 2, SCTP_EOF},
    {"DEFAULT_SEND_PARAM", 2, 0x4000},
    {"DEFAULT_SEND_PARAM", 3, 77},
    {"DEFAULT_SEND_PARAM", 5, 77},
    {"DEFAULT_SNDINFO", 0, 9},
    {"DEFAULT_SNDINFO", 1, SCTP_UNORDERED | SCTP_SACK_IMMEDIATELY},
    {"DEFAULT_SNDINFO", 1, SCTP_ABORT},
    {"DEFAULT_SNDINFO", 1, 0x4000},
    {"DEFAULT_SNDINFO", 2, 77},
    {"EVENTS", 0, 1},
    {"EVENTS", 1, 7},
    {"EVENTS", 9, 1},
    {"EVENT", 1, SCTP_SENDER_DRY_EVENT},
    {"EVENT", 1, SCTP_DATA_IO_EVENT},
    {"EVENT", 1, 0},
    {"EVENT", 1, 0x80ff},
    {"EVENT", 2, 7},
    {"I_WANT_MAPPED_V4_ADDR", 0, 0},
    {"I_WANT_MAPPED_V4_ADDR", 0, 7},
    {"MAXSEG", 1, 1000},
    {"MAXSEG", 1, 1},
    {"MAXSEG", 1, 8},
    {"MAXSEG", 1, 70000},
    {"MAXSEG", 1, 65515},
    {"DELAYED_SACK", 1, 100},
    {"DELAYED_SACK", 1, 501},
    {"DELAYED_SACK", 2, 1},
    {"DELAYED_SACK", 2, 5},
    {"DELAYED_SACK", 2, 0},
    {"CONTEXT", 1, 77},
    {"FRAGMENT_INTERLEAVE", 0, 1},
    {"FRAGMENT_INTERLEAVE", 0, 2},
    {"FRAGMENT_INTERLEAVE", 0, 0xffffffff},
    {"PARTIAL_DELIVERY_POINT", 0, 5000},
    {"PARTIAL_DELIVERY_POINT", 0, 0xffffffff},
    {"MAX_BURST", 1, 0},
    {"MAX_BURST", 1, 9},
    {"MAX_BURST", 1, 0xffffffff},
    {"PEER_ADDR_THLDS", 2, 8},
    {"PEER_ADDR_THLDS", 3, 2},
    {"PEER_ADDR_THLDS", 3, 65535},
    {"PEER_ADDR_THLDS_V2", 4, 3},
    {"PEER_ADDR_THLDS_V2", 4, 0},
    {"RECVRCVINFO", 0, 7},
    {"RECVNXTINFO", 0, 7},
    {"REUSE_PORT", 0, 7},
    {"REMOTE_UDP_ENCAPS_PORT", 2, 0xab26},
    {"PLPMTUD_PROBE_INTERVAL", 2, 10000},
    {"PLPMTUD_PROBE_INTERVAL", 2, 4999},
    {"PLPMTUD_PROBE_INTERVAL", 2, 0},
    {"SO_REUSEADDR", 0, 7},
    {"SO_REUSEPORT", 0, 7},
    {"SO_LINGER", 0, 7},
    {"SO_LINGER", 1, 9},
    {"SO_LINGER", 1, 0xffffffff},
    {"SO_RCVBUF", 0, 100000},
    {"SO_RCVBUF", 0, 1},
    {"SO_RCVBUF", 0, 100000000},
    {"SO_RCVBUF", 0, 0xffffffff},
    {"SO_SNDBUF", 0, 100000},
    {"SO_SNDBUF", 0, 1},
    {"SO_SNDBUF", 0, 100000000},
    {"SO_RCVTIMEO", 0, 5},
    {"SO_RCVTIMEO", 1, 500000},
    {"SO_RCVTIMEO", 1, 1000000},
    {"SO_RCVTIMEO", 0, (uint64_t)-1},
    {"SO_SNDTIMEO", 1, 500000},
    {"SO_SNDTIMEO", 1, 1000000},
    {"IP_TOS", 0, 0x10},
    {"IP_TOS", 0, 0x13},
    {"IP_TOS", 0, 300},
    {"IP_TTL", 0, 1},
    {"IP_TTL", 0, 0},
    {"IP_TTL", 0, 256},
    {"IP_TTL", 0, 0xffffffff},
    {"IPV6_V6ONLY", 0, 7},
    {"IPV6_TCLASS", 0, 0x10},
    {"IPV6_TCLASS", 0, 0x13},
    {"IPV6_TCLASS", 0, 256},
    {"IPV6_TCLASS", 0, 0xffffffff},
    {"IPV6_UNICAST_HOPS", 0, 1},
    {"IPV6_UNICAST_HOPS", 0, 0},
    {"IPV6_UNICAST_HOPS", 0, 256},
    {"IPV6_UNICAST_HOPS", 0, 0xffffffff},
};

static void try(int fd, const struct trial *t, const char *peer)
{
    const struct option *o = option_named(t->option);
    _Alignas(8) char value[OPTION_ROOM];
    socklen_t size = (socklen_t)o->size;
    char what[64];
    prepare(o, value, peer);
    getsockopt(fd, o->level, o->number, value, &size);
    option_set_member(o, value, t->member, t->number);
    snprintf(what, sizeof(what), "member %u is %lld", t->member, (long long)t->number);
    answer(step_of(o, what), setsockopt(fd, o->level, o->number, value, (socklen_t)o->size));
    get_sized(fd, o, what, (socklen_t)o->size, peer);
}

static void values(int family, int type)
{
    for (size_t i = 0; i < sizeof(trials) / sizeof(*trials); i++) {
        int fd = socket(family, type, IPPROTO_SCTP);
        try(fd, &trials[i], NULL);
        close(fd);
    }
}

static void values_one(void)
{
    values(AF_INET, SOCK_STREAM);
}

static void values_many(void)
{
    values(AF_INET6, SOCK_SEQPACKET);
}

static void values_connected(void)
{
    struct ends e = connected();
    for (size_t i = 0; i < sizeof(trials) / sizeof(*trials); i++) {
        int fd = one_to_one();
        ready("connect", connect_to(fd, HERE, PORT));
        try(fd, &trials[i], HERE);
        close(accept(e.listener, NULL, NULL));
        close(fd);
    }
}

static void unknown(void)
{
    int fd = one_to_one(), value = 1;
    socklen_t size = sizeof(value);
    answer("get 9999", getsockopt(fd, IPPROTO_SCTP, 9999, &value, &size));
    answer("set 9999", setsockopt(fd, IPPROTO_SCTP, 9999, &value, sizeof(value)));
    answer("get -1", getsockopt(fd, IPPROTO_SCTP, -1, &value, &size));
    answer("set -1", setsockopt(fd, IPPROTO_SCTP, -1, &value, sizeof(value)));
    answer("get, level 99", getsockopt(fd, 99, 1, &value, &size));
    answer("set, level 99", setsockopt(fd, 99, 1, &value, sizeof(value)));
    answer("get, socket level 9999", getsockopt(fd, SOL_SOCKET, 9999, &value, &size));
    answer("set, socket level 9999", setsockopt(fd, SOL_SOCKET, 9999, &value, sizeof(value)));
    answer("get, IP 9999", getsockopt(fd, IPPROTO_IP, 9999, &value, &size));
    answer("set, IP 9999", setsockopt(fd, IPPROTO_IP, 9999, &value, sizeof(value)));
    answer("get, IPv6 9999", getsockopt(fd, IPPROTO_IPV6, 9999, &value, &size));
    answer("get, TCP", getsockopt(fd, IPPROTO_TCP, 1, &value, &size));
}

static void inherited(void)
{
    struct ends e = {.listener = listener(PORT), .client = one_to_one()};
    const struct option *rto = option_named("RTOINFO"), *sack = option_named("DELAYED_SACK");
    const struct option *path = option_named("PEER_ADDR_PARAMS"),
                        *burst = option_named("MAX_BURST");
    for (int side = 0; side < 2; side++) {
        int fd = side ? e.client : e.listener;
        try(fd, &(struct trial){"RTOINFO", 3, 700}, NULL);
        try(fd, &(struct trial){"DELAYED_SACK", 1, 77}, NULL);
        try(fd, &(struct trial){"PEER_ADDR_PARAMS", 2, 7777}, NULL);
        try(fd, &(struct trial){"MAX_BURST", 1, 7}, NULL);
    }
    ready("connect", connect_to(e.client, HERE, PORT));
    e.server = (int)ready("accept", accept(e.listener, NULL, NULL));
    for (int side = 0; side < 2; side++) {
        int fd = side ? e.client : e.server;
        get_sized(fd, rto, "association", (socklen_t)rto->size, NULL);
        get_sized(fd, sack, "association", (socklen_t)sack->size, NULL);
        get_sized(fd, path, "association", (socklen_t)path->size, HERE);
        get_sized(fd, burst, "association", (socklen_t)burst->size, NULL);
    }
}

/* Options that name one of the peer's addresses, with addresses that are and are not its. */
static void of_addresses(void)
{
    static const char *const names[] = {"PRIMARY_ADDR",       "GET_PEER_ADDR_INFO",
                                        "PEER_ADDR_PARAMS",   "PEER_ADDR_THLDS",
                                        "PEER_ADDR_THLDS_V2", "PLPMTUD_PROBE_INTERVAL"};
    static const struct {
        const char *what, *host;
        int port;
    } peers[] = {{"the second", "127.0.0.2", PORT},
                 {"of nobody", "127.0.0.3", PORT},
                 {"another port", HERE, OTHER_PORT},
                 {"wildcard", "0.0.0.0", 0},
                 {"IPv6", "::1", PORT}};
    int server = one_to_one(), fd = one_to_one();
    ready("bindx", bindx_to(server, SCTP_BINDX_ADD_ADDR, PORT,
                            (const char *const[]){HERE, "127.0.0.2", NULL}));
    ready("listen", listen(server, 1));
    /* What the application names is confirmed from the beginning (RFC 9260, 5.4). */
    ready("connectx", connectx_to(fd, PORT, (const char *const[]){HERE, "127.0.0.2", NULL}, NULL));
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const struct option *o = option_named(names[i]);
        for (size_t j = 0; j < sizeof(peers) / sizeof(*peers); j++) {
            _Alignas(8) char value[OPTION_ROOM] = {0};
            socklen_t size = (socklen_t)o->size;
            char what[64];
            option_put_address(o, value, peers[j].host, peers[j].port);
            snprintf(what, sizeof(what), "get, %s", peers[j].what);
            answer(step_of(o, what), getsockopt(fd, o->level, o->number, value, &size));
            memset(value, 0, sizeof(value));
            option_put_address(o, value, peers[j].host, peers[j].port);
            snprintf(what, sizeof(what), "set, %s", peers[j].what);
            answer(step_of(o, what),
                   setsockopt(fd, o->level, o->number, value, (socklen_t)o->size));
        }
    }
    get_sized(fd, option_named("PRIMARY_ADDR"), "at last", sizeof(struct sctp_prim), NULL);
}

static void say_value(int fd, const struct trial *t, const char *whose, sctp_assoc_t id)
{
    const struct option *o = option_named(t->option);
    _Alignas(8) char value[OPTION_ROOM];
    socklen_t size = (socklen_t)o->size;
    prepare(o, value, NULL);
    option_set_member(o, value, id_member(o), (uint32_t)id);
    if (getsockopt(fd, o->level, o->number, value, &size) < 0)
        answer(step_of(o, whose), -1);
    else
        say(step_of(o, whose), "%s", option_text(o, value));
}

static void set_for(int fd, const struct trial *t, const char *whose, sctp_assoc_t id,
                    uint64_t more)
{
    const struct option *o = option_named(t->option);
    _Alignas(8) char value[OPTION_ROOM];
    socklen_t size = (socklen_t)o->size;
    char what[64];
    prepare(o, value, NULL);
    getsockopt(fd, o->level, o->number, value, &size);
    option_set_member(o, value, id_member(o), (uint32_t)id);
    option_set_member(o, value, t->member, t->number + more);
    snprintf(what, sizeof(what), "set for %s", whose);
    answer(step_of(o, what), setsockopt(fd, o->level, o->number, value, (socklen_t)o->size));
}

/* On a one-to-many socket: whom a value reaches, by the id it is set for. */
static void for_whom(void)
{
    static const struct trial some[] = {
        {"RTOINFO", 1, 2000},    {"ASSOCINFO", 1, 5},        {"DEFAULT_SEND_PARAM", 3, 70},
        {"DELAYED_SACK", 1, 40}, {"DEFAULT_SNDINFO", 2, 60}, {"CONTEXT", 1, 80},
        {"MAX_BURST", 1, 50},    {"MAXSEG", 1, 600},         {"PEER_ADDR_PARAMS", 3, 20}};
    int server = many_listener(PORT), fd = one_to_many();
    sctp_assoc_t id = 0;
    ready("connectx", connectx_to(fd, PORT, (const char *const[]){HERE, NULL}, &id));
    for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++) {
        const struct {
            const char *name;
            sctp_assoc_t id;
        } whom[] = {{"it", id},
                    {"future", SCTP_FUTURE_ASSOC},
                    {"current", SCTP_CURRENT_ASSOC},
                    {"all", SCTP_ALL_ASSOC}};
        for (unsigned j = 0; j < 4; j++) {
            set_for(fd, &some[i], whom[j].name, whom[j].id, j);
            say_value(fd, &some[i], "of it", id);
            say_value(fd, &some[i], "of future ones", SCTP_FUTURE_ASSOC);
        }
    }
    close(server);
}

static void device(void)
{
    int fd = one_to_one();
    char name[16] = "";
    socklen_t size = sizeof(name);
    answer("get", getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &size));
    say("size", "%u", size);
    answer("unknown", setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "none9", 5));
    answer("lo", setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
    size = sizeof(name);
    answer("get", getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &size));
    say("name", "%u bytes %s", size, name);
    ready("listener", listener(PORT));
    answer("connect", connect_to(fd, HERE, PORT));
    answer("none", setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
}

/* The options of extensions, and of what a structure of its own is needed for. */
static void extensions(void)
{
    static const struct {
        const char *name;
        int number;
    } others[] = {
        {"SET_PEER_PRIMARY_ADDR", SCTP_SET_PEER_PRIMARY_ADDR},
        {"AUTH_CHUNK", SCTP_AUTH_CHUNK},
        {"HMAC_IDENT", SCTP_HMAC_IDENT},
        {"AUTH_KEY", SCTP_AUTH_KEY},
        {"AUTH_ACTIVE_KEY", SCTP_AUTH_ACTIVE_KEY},
        {"AUTH_DELETE_KEY", SCTP_AUTH_DELETE_KEY},
        {"PEER_AUTH_CHUNKS", SCTP_PEER_AUTH_CHUNKS},
        {"LOCAL_AUTH_CHUNKS", SCTP_LOCAL_AUTH_CHUNKS},
        {"AUTO_ASCONF", SCTP_AUTO_ASCONF},
        {"PR_SUPPORTED", SCTP_PR_SUPPORTED},
        {"DEFAULT_PRINFO", SCTP_DEFAULT_PRINFO},
        {"RECONFIG_SUPPORTED", SCTP_RECONFIG_SUPPORTED},
        {"ENABLE_STREAM_RESET", SCTP_ENABLE_STREAM_RESET},
        {"RESET_STREAMS", SCTP_RESET_STREAMS},
        {"ADD_STREAMS", SCTP_ADD_STREAMS},
        {"STREAM_SCHEDULER", SCTP_STREAM_SCHEDULER},
        {"STREAM_SCHEDULER_VALUE", SCTP_STREAM_SCHEDULER_VALUE},
        {"INTERLEAVING_SUPPORTED", SCTP_INTERLEAVING_SUPPORTED},
        {"ASCONF_SUPPORTED", SCTP_ASCONF_SUPPORTED},
        {"AUTH_SUPPORTED", SCTP_AUTH_SUPPORTED},
        {"ECN_SUPPORTED", SCTP_ECN_SUPPORTED},
        {"EXPOSE_POTENTIALLY_FAILED_STATE", SCTP_EXPOSE_POTENTIALLY_FAILED_STATE},
    };
    int fd = one_to_one();
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        _Alignas(8) char value[64] = {0};
        socklen_t size = sizeof(value);
        answer(others[i].name, getsockopt(fd, IPPROTO_SCTP, others[i].number, value, &size));
    }
}

static void opt_info(void)
{
    int server = many_listener(PORT), fd = one_to_many();
    struct sctp_rtoinfo rto = {.srto_assoc_id = 0};
    struct sctp_status status = {.sstat_assoc_id = 0};
    struct sctp_assoc_value value = {.assoc_id = 0};
    uint32_t ids[2] = {0};
    socklen_t size = sizeof(ids);
    sctp_assoc_t id = 0;
    ready("connectx", connectx_to(fd, PORT, (const char *const[]){HERE, NULL}, &id));
    answer("ids", sctp_opt_info(fd, 0, SCTP_GET_ASSOC_ID_LIST, ids, &size));
    say("id", "%s", id == (sctp_assoc_t)ids[1] ? "the same" : "another");
    size = sizeof(rto);
    answer("RTOINFO", sctp_opt_info(fd, id, SCTP_RTOINFO, &rto, &size));
    say("RTOINFO", "%u bytes: %s %u", size, say_association(rto.srto_assoc_id), rto.srto_max);
    answer("RTOINFO, association 77777", sctp_opt_info(fd, 77777, SCTP_RTOINFO, &rto, &size));
    size = sizeof(status);
    answer("STATUS", sctp_opt_info(fd, id, SCTP_STATUS, &status, &size));
    say("STATUS", "state %d", status.sstat_state);
    size = sizeof(value);
    answer("MAX_BURST", sctp_opt_info(fd, id, SCTP_MAX_BURST, &value, &size));
    say("MAX_BURST", "%u", value.assoc_value);
    answer("unknown", sctp_opt_info(fd, id, 9999, &value, &size));
    answer("bad descriptor", sctp_opt_info(-1, 0, SCTP_RTOINFO, &rto, &size));
    close(server);
}

const struct semantic_case cases_option[] = {
    {"options, fresh", fresh},
    {"options, one-to-many", fresh_many},
    {"options, IPv6", fresh_ipv6},
    {"options, connected", connected_ones},
    {"options, one-to-many connected", connected_many},
    {"options, listening", listening},
    {"options, ended", after_the_end},
    {"option values", values_one},
    {"option values, one-to-many", values_many},
    {"option values, connected", values_connected},
    {"options unknown", unknown},
    {"options inherited", inherited},
    {"options of addresses", of_addresses},
    {"options for whom", for_whom},
    {"option SO_BINDTODEVICE", device},
    {"options of extensions", extensions},
    {"option opt_info", opt_info},
    {0},
};
