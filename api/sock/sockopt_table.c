/* The options: what each is about, its structure and lengths, and who does it. */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>

#include "api/sock/sockopt_value.h"

/* A row's first columns. */
#define SCTP(id) .name = #id, .level = IPPROTO_SCTP, .option = (id)
#define SOCKET(id) .name = #id, .level = SOL_SOCKET, .option = (id), .scope = HWS_SOCKOPT_SOCKET
#define BUFFER(id) .name = #id, .level = SOL_SOCKET, .option = (id), .scope = HWS_SOCKOPT_SHARED
#define IP(id)                                                                                     \
    .name = #id, .level = IPPROTO_IP, .option = (id), .scope = HWS_SOCKOPT_SHARED,                 \
    .lengths = HWS_SOCKOPT_BYTE, .size = sizeof(int)
#define IPV6(id)                                                                                   \
    .name = #id, .level = IPPROTO_IPV6, .option = (id), .scope = HWS_SOCKOPT_SHARED,               \
    .lengths = HWS_SOCKOPT_CUT, .size = sizeof(int), .limits = HWS_SOCKOPT_ONLY_IPV6

/* Then what the value is. */
#define NUMBER .lengths = HWS_SOCKOPT_LEAST, .size = sizeof(int)
#define CUT .lengths = HWS_SOCKOPT_CUT
#define CUT_NUMBER CUT, .size = sizeof(int)
#define VALUE(type) .size = sizeof(struct type)
#define WITH_ID(type, id) VALUE(type), .id_at = offsetof(struct type, id)
#define WITH_PATH(type, id, address) WITH_ID(type, id), .address_at = offsetof(struct type, address)

#define ASSOC_VALUE_OR_NUMBER                                                                      \
    WITH_ID(sctp_assoc_value, assoc_id), .legacy_size = sizeof(int),                               \
                                         .widen = hws_sockopt_widen_number,                        \
                                         .narrow = hws_sockopt_narrow_number
#define NAMED .scope = HWS_SOCKOPT_SOCKET, .lengths = HWS_SOCKOPT_NAME, .size = HWS_OPTION_NAME_MAX

#define BOTH(what) .set = hws_sockopt_set_##what, .get = hws_sockopt_get_##what
#define GET(what) .get = hws_sockopt_get_##what

/* An option of an extension to come. */
#define TO_COME(id)                                                                                \
    {                                                                                              \
        .name = #id, .level = IPPROTO_SCTP, .option = (id)                                         \
    }

static const struct hws_sockopt_row rows[] = {
    /* How associations begin */
    {SCTP(SCTP_INITMSG), .scope = HWS_SOCKOPT_SOCKET, VALUE(sctp_initmsg), BOTH(initmsg)},
    {SCTP(SCTP_RTOINFO), .scope = HWS_SOCKOPT_FUTURE, WITH_ID(sctp_rtoinfo, srto_assoc_id),
     BOTH(rtoinfo)},
    {SCTP(SCTP_ASSOCINFO), .scope = HWS_SOCKOPT_FUTURE, WITH_ID(sctp_assocparams, sasoc_assoc_id),
     BOTH(assocparams)},
    {SCTP(SCTP_ADAPTATION_LAYER), .scope = HWS_SOCKOPT_SOCKET, VALUE(sctp_setadaptation),
     BOTH(adaptation)},
    {SCTP(SCTP_AUTOCLOSE), .scope = HWS_SOCKOPT_SOCKET, .size = sizeof(int),
     .limits = HWS_SOCKOPT_NOT_ONE_TO_ONE, BOTH(autoclose)},
    {SCTP(HWS_PROBE), .scope = HWS_SOCKOPT_SOCKET, NUMBER, BOTH(probe)},

    /* Paths */
    {SCTP(SCTP_PEER_ADDR_PARAMS), .scope = HWS_SOCKOPT_PATH,
     WITH_PATH(sctp_paddrparams, spp_assoc_id, spp_address), .known_id = true,
     /* without flow label and DSCP */
     .legacy_size = (offsetof(struct sctp_paddrparams, spp_ipv6_flowlabel) + 3u) & ~3u,
     BOTH(paddrparams)},
    {SCTP(SCTP_PEER_ADDR_THLDS), .scope = HWS_SOCKOPT_PATH, .lengths = HWS_SOCKOPT_LEAST,
     WITH_PATH(sctp_paddrthlds, spt_assoc_id, spt_address), .no_path = ENOENT, BOTH(paddrthlds)},
    {SCTP(SCTP_PEER_ADDR_THLDS_V2), .scope = HWS_SOCKOPT_PATH, .lengths = HWS_SOCKOPT_LEAST,
     WITH_PATH(sctp_paddrthlds_v2, spt_assoc_id, spt_address), .no_path = ENOENT,
     BOTH(paddrthlds_v2)},
    {SCTP(SCTP_PLPMTUD_PROBE_INTERVAL), .scope = HWS_SOCKOPT_PATH,
     WITH_PATH(sctp_probeinterval, spi_assoc_id, spi_address), BOTH(probe_interval)},
    {SCTP(SCTP_REMOTE_UDP_ENCAPS_PORT), .scope = HWS_SOCKOPT_PATH,
     WITH_PATH(sctp_udpencaps, sue_assoc_id, sue_address), BOTH(encapsulation)},
    {SCTP(SCTP_PRIMARY_ADDR), .scope = HWS_SOCKOPT_SET_PATH,
     WITH_PATH(sctp_prim, ssp_assoc_id, ssp_addr), BOTH(primary)},
    {SCTP(SCTP_GET_PEER_ADDR_INFO), .scope = HWS_SOCKOPT_GET_PATH,
     WITH_PATH(sctp_paddrinfo, spinfo_assoc_id, spinfo_address), GET(paddrinfo)},
    {SCTP(SCTP_EXPOSE_POTENTIALLY_FAILED_STATE), .scope = HWS_SOCKOPT_FUTURE,
     WITH_ID(sctp_assoc_value, assoc_id), BOTH(expose_pf)},

    /* What an association is */
    {SCTP(SCTP_STATUS), .scope = HWS_SOCKOPT_ASSOC, WITH_ID(sctp_status, sstat_assoc_id),
     GET(status)},
    {SCTP(SCTP_GET_ASSOC_STATS), .scope = HWS_SOCKOPT_ASSOC, .lengths = HWS_SOCKOPT_FROM_ID,
     WITH_ID(sctp_assoc_stats, sas_assoc_id), GET(assoc_stats)},
    {SCTP(SCTP_GET_ASSOC_NUMBER), .scope = HWS_SOCKOPT_SOCKET, NUMBER,
     .limits = HWS_SOCKOPT_NOT_ONE_TO_ONE, GET(assoc_number)},
    {SCTP(SCTP_GET_ASSOC_ID_LIST), .scope = HWS_SOCKOPT_SOCKET, VALUE(sctp_assoc_ids),
     .limits = HWS_SOCKOPT_NOT_ONE_TO_ONE, .get_list = hws_sockopt_get_assoc_ids},

    /* Sending */
    {SCTP(SCTP_NODELAY), .scope = HWS_SOCKOPT_SHARED, NUMBER, BOTH(nodelay)},
    {SCTP(SCTP_MAXSEG), .scope = HWS_SOCKOPT_FUTURE, ASSOC_VALUE_OR_NUMBER, BOTH(maxseg)},
    {SCTP(SCTP_MAX_BURST), .scope = HWS_SOCKOPT_MANY, ASSOC_VALUE_OR_NUMBER, BOTH(max_burst)},
    {SCTP(SCTP_DEFAULT_SNDINFO), .scope = HWS_SOCKOPT_MANY, WITH_ID(sctp_sndinfo, snd_assoc_id),
     BOTH(default_sndinfo)},
    {SCTP(SCTP_DEFAULT_SEND_PARAM), .scope = HWS_SOCKOPT_MANY,
     WITH_ID(sctp_sndrcvinfo, sinfo_assoc_id), BOTH(default_sndrcvinfo)},
    {SCTP(SCTP_DISABLE_FRAGMENTS), .scope = HWS_SOCKOPT_SOCKET, NUMBER, BOTH(no_fragments)},
    {SCTP(HWS_EXPLICIT_EOR), .scope = HWS_SOCKOPT_SOCKET, NUMBER, BOTH(explicit_eor)},

    /* Receiving */
    {SCTP(SCTP_DELAYED_SACK), .scope = HWS_SOCKOPT_MANY, WITH_ID(sctp_sack_info, sack_assoc_id),
     .legacy_size = sizeof(struct sctp_assoc_value), .widen = hws_sockopt_widen_sack,
     BOTH(delayed_sack)},
    {SCTP(SCTP_CONTEXT), .scope = HWS_SOCKOPT_MANY, WITH_ID(sctp_assoc_value, assoc_id),
     BOTH(context)},
    {SCTP(SCTP_PARTIAL_DELIVERY_POINT), .scope = HWS_SOCKOPT_SHARED, .size = sizeof(uint32_t),
     BOTH(pd_point)},
    {SCTP(SCTP_FRAGMENT_INTERLEAVE), .scope = HWS_SOCKOPT_SOCKET, .size = sizeof(int),
     BOTH(fragment_interleave)},
    {SCTP(SCTP_RECVRCVINFO), .scope = HWS_SOCKOPT_SOCKET, NUMBER, BOTH(rcvinfo)},
    {SCTP(SCTP_RECVNXTINFO), .scope = HWS_SOCKOPT_SOCKET, NUMBER, BOTH(nxtinfo)},
    {SCTP(SCTP_I_WANT_MAPPED_V4_ADDR), .scope = HWS_SOCKOPT_SOCKET, NUMBER, BOTH(mapped_v4)},

    /* Notifications */
    {SCTP(SCTP_EVENT), .scope = HWS_SOCKOPT_MANY, .lengths = HWS_SOCKOPT_LEAST,
     WITH_ID(sctp_event, se_assoc_id), BOTH(event)},
    {SCTP(SCTP_EVENTS), .scope = HWS_SOCKOPT_SHARED, .lengths = HWS_SOCKOPT_UP_TO,
     VALUE(sctp_event_subscribe), BOTH(events)},

    /* Ports */
    {SCTP(SCTP_REUSE_PORT), .scope = HWS_SOCKOPT_SOCKET, NUMBER,
     .limits = HWS_SOCKOPT_SET_ONLY_ONE_TO_ONE | HWS_SOCKOPT_SET_ONLY_UNBOUND,
     BOTH(sctp_reuse_port)},
    {SOCKET(SO_REUSEADDR), CUT_NUMBER, BOTH(reuse_address)},
    {SOCKET(SO_REUSEPORT), CUT_NUMBER, BOTH(reuse_port)},

    {SOCKET(SO_BINDTODEVICE), .lengths = HWS_SOCKOPT_NAME, .size = IFNAMSIZ,
     .set = hws_sockopt_set_interface, .get_list = hws_sockopt_get_interface},

    /* Buffers, waiting, closing */
    {BUFFER(SO_RCVBUF), CUT_NUMBER, BOTH(rcvbuf)},
    {BUFFER(SO_SNDBUF), CUT_NUMBER, BOTH(sndbuf)},
    {BUFFER(SO_TIMESTAMPNS), CUT_NUMBER, BOTH(timestampns)},
    {SOCKET(SO_RCVTIMEO), CUT, VALUE(timeval), BOTH(rcvtimeo)},
    {SOCKET(SO_SNDTIMEO), CUT, VALUE(timeval), BOTH(sndtimeo)},
    {SOCKET(SO_LINGER), CUT, VALUE(linger), BOTH(linger)},

    /* What a socket is */
    {SOCKET(SO_ERROR), CUT_NUMBER, GET(error)},
    {SOCKET(SO_TYPE), CUT_NUMBER, GET(type)},
    {SOCKET(SO_PROTOCOL), CUT_NUMBER, GET(protocol)},
    {SOCKET(SO_DOMAIN), CUT_NUMBER, GET(domain)},
    {SOCKET(SO_ACCEPTCONN), CUT_NUMBER, GET(listening)},

    /* IP's header */
    {IP(IP_TOS), BOTH(tos)},
    {IP(IP_TTL), BOTH(ttl)},
    {IPV6(IPV6_V6ONLY), BOTH(v6only)},
    {IPV6(IPV6_TCLASS), BOTH(tclass)},
    {IPV6(IPV6_UNICAST_HOPS), BOTH(hops)},

    /* Algorithms by name */
    {SCTP(HWS_CC), NAMED, BOTH(cc)},
    {SCTP(HWS_SCHED), NAMED, BOTH(sched)},
    {SCTP(HWS_PATHSEL), NAMED, BOTH(pathsel)},
    {SCTP(HWS_CC_NAMES), .scope = HWS_SOCKOPT_SOCKET, .size = 1,
     .get_list = hws_sockopt_get_cc_names},
    {SCTP(HWS_SCHED_NAMES), .scope = HWS_SOCKOPT_SOCKET, .size = 1,
     .get_list = hws_sockopt_get_sched_names},
    {SCTP(HWS_PATHSEL_NAMES), .scope = HWS_SOCKOPT_SOCKET, .size = 1,
     .get_list = hws_sockopt_get_pathsel_names},

    TO_COME(SCTP_SET_PEER_PRIMARY_ADDR), /* RFC 5061 */
    TO_COME(SCTP_AUTO_ASCONF),
    TO_COME(SCTP_ASCONF_SUPPORTED),
    TO_COME(SCTP_AUTH_CHUNK), /* RFC 4895 */
    TO_COME(SCTP_HMAC_IDENT),
    TO_COME(SCTP_AUTH_KEY),
    TO_COME(SCTP_AUTH_ACTIVE_KEY),
    TO_COME(SCTP_AUTH_DELETE_KEY),
    TO_COME(SCTP_AUTH_DEACTIVATE_KEY),
    TO_COME(SCTP_PEER_AUTH_CHUNKS),
    TO_COME(SCTP_LOCAL_AUTH_CHUNKS),
    TO_COME(SCTP_AUTH_SUPPORTED),
    TO_COME(SCTP_PR_SUPPORTED), /* RFC 7496 */
    TO_COME(SCTP_DEFAULT_PRINFO),
    TO_COME(SCTP_PR_ASSOC_STATUS),
    TO_COME(SCTP_PR_STREAM_STATUS),
    TO_COME(SCTP_RECONFIG_SUPPORTED), /* RFC 6525 */
    TO_COME(SCTP_ENABLE_STREAM_RESET),
    TO_COME(SCTP_RESET_STREAMS),
    TO_COME(SCTP_RESET_ASSOC),
    TO_COME(SCTP_ADD_STREAMS),
    TO_COME(SCTP_STREAM_SCHEDULER), /* RFC 8260 */
    TO_COME(SCTP_STREAM_SCHEDULER_VALUE),
    TO_COME(SCTP_INTERLEAVING_SUPPORTED),
    TO_COME(SCTP_ECN_SUPPORTED),
};

const struct hws_sockopt_row *hws_sockopt_row(size_t index)
{
    return index < sizeof(rows) / sizeof(rows[0]) ? &rows[index] : NULL;
}
