#include "option.h"

#include "ends.h"
#include "say.h"

#include <netinet/ip.h>
#include <sys/time.h>

#define SCTP(name, layout, type)                                                                   \
    {                                                                                              \
#name, IPPROTO_SCTP, SCTP_##name, layout, sizeof(type)                                     \
    }
#define SYSTEM(level, name, layout, type)                                                          \
    {                                                                                              \
#name, level, name, layout, sizeof(type)                                                   \
    }

const struct option options[] = {
    SCTP(RTOINFO, "iddd", struct sctp_rtoinfo),
    SCTP(ASSOCINFO, "ihhddd", struct sctp_assocparams),
    SCTP(INITMSG, "hhhh", struct sctp_initmsg),
    SCTP(NODELAY, "d", int),
    SCTP(AUTOCLOSE, "d", int),
    SCTP(PRIMARY_ADDR, "iA", struct sctp_prim),
    SCTP(ADAPTATION_LAYER, "d", struct sctp_setadaptation),
    SCTP(DISABLE_FRAGMENTS, "d", int),
    SCTP(PEER_ADDR_PARAMS, "iAdhddddb_", struct sctp_paddrparams),
    SCTP(DEFAULT_SEND_PARAM, "hhh__dddddi", struct sctp_sndrcvinfo),
    SCTP(DEFAULT_SNDINFO, "hhddi", struct sctp_sndinfo),
    SCTP(EVENTS, "bbbbbbbbbbbbbb", struct sctp_event_subscribe),
    SCTP(EVENT, "ihb_", struct sctp_event),
    SCTP(I_WANT_MAPPED_V4_ADDR, "d", int),
    SCTP(MAXSEG, "id", struct sctp_assoc_value),
    SCTP(STATUS, "iddhhhhdiAddssd", struct sctp_status),
    SCTP(GET_PEER_ADDR_INFO, "iAddssd", struct sctp_paddrinfo),
    SCTP(DELAYED_SACK, "idd", struct sctp_sack_info),
    SCTP(CONTEXT, "id", struct sctp_assoc_value),
    SCTP(FRAGMENT_INTERLEAVE, "d", int),
    SCTP(PARTIAL_DELIVERY_POINT, "d", int),
    SCTP(MAX_BURST, "id", struct sctp_assoc_value),
    SCTP(GET_ASSOC_NUMBER, "d", uint32_t),
    SCTP(PEER_ADDR_THLDS, "i____Ahh____", struct sctp_paddrthlds),
    SCTP(PEER_ADDR_THLDS_V2, "i____Ahhh__", struct sctp_paddrthlds_v2),
    SCTP(RECVRCVINFO, "d", int),
    SCTP(RECVNXTINFO, "d", int),
    SCTP(REUSE_PORT, "d", int),
    SCTP(GET_ASSOC_STATS, "i____ASSSSSSSSSSSSSSS", struct sctp_assoc_stats),
    SCTP(REMOTE_UDP_ENCAPS_PORT, "i____Ah______", struct sctp_udpencaps),
    SCTP(PLPMTUD_PROBE_INTERVAL, "i____Ad____", struct sctp_probeinterval),
    SYSTEM(SOL_SOCKET, SO_REUSEADDR, "d", int),
    SYSTEM(SOL_SOCKET, SO_REUSEPORT, "d", int),
    SYSTEM(SOL_SOCKET, SO_LINGER, "dd", struct linger),
    SYSTEM(SOL_SOCKET, SO_RCVBUF, "d", int),
    SYSTEM(SOL_SOCKET, SO_SNDBUF, "d", int),
    SYSTEM(SOL_SOCKET, SO_RCVTIMEO, "qq", struct timeval),
    SYSTEM(SOL_SOCKET, SO_SNDTIMEO, "qq", struct timeval),
    SYSTEM(SOL_SOCKET, SO_ERROR, "d", int),
    SYSTEM(SOL_SOCKET, SO_TYPE, "d", int),
    SYSTEM(SOL_SOCKET, SO_PROTOCOL, "d", int),
    SYSTEM(SOL_SOCKET, SO_DOMAIN, "d", int),
    SYSTEM(SOL_SOCKET, SO_ACCEPTCONN, "d", int),
    SYSTEM(IPPROTO_IP, IP_TOS, "d", int),
    SYSTEM(IPPROTO_IP, IP_TTL, "d", int),
    SYSTEM(IPPROTO_IPV6, IPV6_V6ONLY, "d", int),
    SYSTEM(IPPROTO_IPV6, IPV6_TCLASS, "d", int),
    SYSTEM(IPPROTO_IPV6, IPV6_UNICAST_HOPS, "d", int),
    {0},
};

static size_t member_size(char letter)
{
    switch (letter) {
    case 'A':
        return sizeof(struct sockaddr_storage);
    case 'q':
    case 'S':
        return 8;
    case 'h':
        return 2;
    case 'b':
    case '_':
        return 1;
    default:
        return 4;
    }
}

const struct option *option_named(const char *name)
{
    const struct option *o = options;
    while (o->name && strcmp(o->name, name) != 0)
        o++;
    if (!o->name)
        abort();
    return o;
}

void option_check(void)
{
    for (const struct option *o = options; o->name; o++) {
        size_t size = 0;
        for (const char *letter = o->layout; *letter; letter++)
            size += member_size(*letter);
        if (size == o->size)
            continue;
        fprintf(stderr, "%s: %zu bytes, its layout has %zu\n", o->name, o->size, size);
        exit(1);
    }
}

size_t option_offset(const struct option *o, unsigned member)
{
    size_t offset = 0;
    for (const char *letter = o->layout; *letter; letter++) {
        if (*letter != '_' && member-- == 0)
            return offset;
        offset += member_size(*letter);
    }
    abort();
}

static char letter_of(const struct option *o, unsigned member)
{
    for (const char *letter = o->layout; *letter; letter++)
        if (*letter != '_' && member-- == 0)
            return *letter;
    abort();
}

void option_set_member(const struct option *o, void *value, unsigned member, uint64_t number)
{
    /* Little-endian, as all machines that this test runs on. */
    memcpy((char *)value + option_offset(o, member), &number, member_size(letter_of(o, member)));
}

static int print_member(char *text, char letter, const char *at)
{
    uint64_t number = 0;
    sctp_assoc_t id;
    if (letter == 'A')
        return sprintf(text, "%s ", say_address(at));
    if (letter == 'i') {
        memcpy(&id, at, sizeof(id));
        return sprintf(text, "%s ", say_association(id));
    }
    memcpy(&number, at, member_size(letter));
    if (letter == 's' || letter == 'S')
        return sprintf(text, "%s ", number ? "some" : "0");
    if (letter == 'd' && number > UINT32_MAX / 2)
        return sprintf(text, "%d ", (int)(uint32_t)number);
    return sprintf(text, "%llu ", (unsigned long long)number);
}

const char *option_text(const struct option *o, const void *value)
{
    static char text[1024];
    const char *at = value;
    int used = 0;
    for (const char *letter = o->layout; *letter; letter++) {
        if (*letter != '_')
            used += print_member(text + used, *letter, at);
        at += member_size(*letter);
    }
    text[used > 0 ? used - 1 : 0] = '\0';
    return text;
}

void option_put_address(const struct option *o, void *value, const char *host, int port)
{
    struct address a = address_of(host, port);
    char *at = value;
    for (const char *letter = o->layout; *letter; letter++) {
        if (*letter == 'A') {
            memcpy(at, &a.storage, sizeof(a.storage));
            return;
        }
        at += member_size(*letter);
    }
}
