#include "hear.h"

#include "ends.h"
#include "say.h"

struct named {
    int value;
    const char *name;
};

static const char *name_of(int value, const struct named *names)
{
    for (; names->name; names++)
        if (names->value == value)
            return names->name;
    return "unknown";
}

static const struct named change_states[] = {{SCTP_COMM_UP, "COMM_UP"},
                                             {SCTP_COMM_LOST, "COMM_LOST"},
                                             {SCTP_RESTART, "RESTART"},
                                             {SCTP_SHUTDOWN_COMP, "SHUTDOWN_COMP"},
                                             {SCTP_CANT_STR_ASSOC, "CANT_STR_ASSOC"},
                                             {0, NULL}};
static const struct named address_states[] = {{SCTP_ADDR_AVAILABLE, "AVAILABLE"},
                                              {SCTP_ADDR_UNREACHABLE, "UNREACHABLE"},
                                              {SCTP_ADDR_REMOVED, "REMOVED"},
                                              {SCTP_ADDR_ADDED, "ADDED"},
                                              {SCTP_ADDR_MADE_PRIM, "MADE_PRIM"},
                                              {SCTP_ADDR_CONFIRMED, "CONFIRMED"},
                                              {0, NULL}};

static void say_change(const char *step, const struct sctp_assoc_change *c, size_t size)
{
    say(step, "ASSOC_CHANGE %s flags %u error %u out %u in %u association %s info %zu <%s>",
        name_of(c->sac_state, change_states), c->sac_flags, c->sac_error, c->sac_outbound_streams,
        c->sac_inbound_streams, say_association(c->sac_assoc_id), size - sizeof(*c),
        say_bytes(c->sac_info, size - sizeof(*c)));
}

static void say_failed(const char *step, const struct sctp_send_failed *f, size_t size)
{
    const struct sctp_sndrcvinfo *i = &f->ssf_info;
    say(step,
        "SEND_FAILED %s error %u stream %u flags %u ppid %u context %u association %s %s <%s>",
        f->ssf_flags == SCTP_DATA_UNSENT ? "UNSENT" : "SENT", f->ssf_error, i->sinfo_stream,
        i->sinfo_flags, ntohl(i->sinfo_ppid), i->sinfo_context, say_association(i->sinfo_assoc_id),
        say_association(f->ssf_assoc_id), say_bytes(f->ssf_data, size - sizeof(*f)));
}

static void say_failed_event(const char *step, const struct sctp_send_failed_event *f, size_t size)
{
    const struct sctp_sndinfo *i = &f->ssfe_info;
    say(step,
        "SEND_FAILED_EVENT %s error %u stream %u flags %u ppid %u context %u association %s %s "
        "<%s>",
        f->ssf_flags == SCTP_DATA_UNSENT ? "UNSENT" : "SENT", f->ssf_error, i->snd_sid,
        i->snd_flags, ntohl(i->snd_ppid), i->snd_context, say_association(i->snd_assoc_id),
        say_association(f->ssf_assoc_id), say_bytes(f + 1, size - sizeof(*f)));
}

static void say_rest(const char *step, const union sctp_notification *n, size_t size)
{
    switch (n->sn_header.sn_type) {
    case SCTP_PEER_ADDR_CHANGE:
        say(step, "PEER_ADDR_CHANGE %s error %d address %s association %s",
            name_of(n->sn_paddr_change.spc_state, address_states), n->sn_paddr_change.spc_error,
            say_address(&n->sn_paddr_change.spc_aaddr),
            say_association(n->sn_paddr_change.spc_assoc_id));
        break;
    case SCTP_REMOTE_ERROR:
        say(step, "REMOTE_ERROR error %u association %s <%s>", ntohs(n->sn_remote_error.sre_error),
            say_association(n->sn_remote_error.sre_assoc_id),
            say_bytes(n->sn_remote_error.sre_data, size - sizeof(n->sn_remote_error)));
        break;
    case SCTP_PARTIAL_DELIVERY_EVENT:
        say(step, "PARTIAL_DELIVERY_EVENT indication %u stream %u seq %u association %s",
            n->sn_pdapi_event.pdapi_indication, n->sn_pdapi_event.pdapi_stream,
            n->sn_pdapi_event.pdapi_seq, say_association(n->sn_pdapi_event.pdapi_assoc_id));
        break;
    case SCTP_ADAPTATION_INDICATION:
        say(step, "ADAPTATION_INDICATION %u association %s",
            n->sn_adaptation_event.sai_adaptation_ind,
            say_association(n->sn_adaptation_event.sai_assoc_id));
        break;
    default:
        say(step, "notification %u", n->sn_header.sn_type);
    }
}

static void say_notification(const char *step, const void *data, size_t size, int flags)
{
    const union sctp_notification *n = data;
    if (size < sizeof(n->sn_header) || n->sn_header.sn_length != size) {
        say(step, "%zu bytes of a notification%s", size, say_flags(flags));
        return;
    }
    if (!(flags & MSG_EOR))
        say(step, "without MSG_EOR");
    switch (n->sn_header.sn_type) {
    case SCTP_ASSOC_CHANGE:
        say_change(step, &n->sn_assoc_change, size);
        break;
    case SCTP_SEND_FAILED:
        say_failed(step, &n->sn_send_failed, size);
        break;
    case SCTP_SEND_FAILED_EVENT:
        say_failed_event(step, data, size);
        break;
    case SCTP_SHUTDOWN_EVENT:
        say(step, "SHUTDOWN_EVENT association %s",
            say_association(n->sn_shutdown_event.sse_assoc_id));
        break;
    case SCTP_SENDER_DRY_EVENT:
        say(step, "SENDER_DRY_EVENT association %s",
            say_association(n->sn_sender_dry_event.sender_dry_assoc_id));
        break;
    default:
        say_rest(step, n, size);
    }
}

static size_t add_control(char *text, size_t room, const struct cmsghdr *c)
{
    const void *data = CMSG_DATA(c);
    if (c->cmsg_level != IPPROTO_SCTP)
        return (size_t)snprintf(text, room, " cmsg of level %d", c->cmsg_level);
    if (c->cmsg_type == SCTP_RCVINFO) {
        const struct sctp_rcvinfo *i = data;
        return (size_t)snprintf(text, room,
                                " RCVINFO(stream %u ssn %u flags %u ppid %u context %u %s)",
                                i->rcv_sid, i->rcv_ssn, i->rcv_flags, ntohl(i->rcv_ppid),
                                i->rcv_context, say_association(i->rcv_assoc_id));
    }
    if (c->cmsg_type == SCTP_NXTINFO) {
        const struct sctp_nxtinfo *i = data;
        return (size_t)snprintf(text, room, " NXTINFO(stream %u flags %u ppid %u length %u %s)",
                                i->nxt_sid, i->nxt_flags, ntohl(i->nxt_ppid), i->nxt_length,
                                say_association(i->nxt_assoc_id));
    }
    if (c->cmsg_type == SCTP_SNDRCV) {
        const struct sctp_sndrcvinfo *i = data;
        return (size_t)snprintf(
            text, room, " SNDRCV(stream %u ssn %u flags %u ppid %u context %u ttl %u %s)",
            i->sinfo_stream, i->sinfo_ssn, i->sinfo_flags, ntohl(i->sinfo_ppid), i->sinfo_context,
            i->sinfo_timetolive, say_association(i->sinfo_assoc_id));
    }
    return (size_t)snprintf(text, room, " cmsg of type %d", c->cmsg_type);
}

static void say_data(const char *step, const void *data, size_t size, struct msghdr *msg)
{
    char controls[1024] = "";
    size_t used = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
        used += add_control(controls + used, sizeof(controls) - used, c);
    say(step, "%zu bytes <%s>%s from %s%s", size, say_bytes(data, size), say_flags(msg->msg_flags),
        msg->msg_namelen ? say_address(msg->msg_name) : "no name", controls);
}

static ssize_t hear_once(const char *step, int fd, size_t size, int flags)
{
    static _Alignas(8) char data[65536 * 4];
    _Alignas(struct cmsghdr) char control[512];
    struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
    struct iovec iov = {.iov_base = data, .iov_len = size};
    struct msghdr msg = {.msg_name = &from,
                         .msg_namelen = sizeof(from),
                         .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(fd, &msg, flags);
    if (n < 0)
        answer(step, n);
    else if (n == 0)
        say(step, "end%s", say_flags(msg.msg_flags));
    else if (msg.msg_flags & MSG_NOTIFICATION)
        say_notification(step, data, (size_t)n, msg.msg_flags);
    else
        say_data(step, data, (size_t)n, &msg);
    return n;
}

void hear_into(const char *step, int fd, size_t size, int flags)
{
    hear_once(step, fd, size, flags);
}

void hear(const char *step, int fd)
{
    await(fd, POLLIN);
    hear_once(step, fd, 65536, MSG_DONTWAIT);
}

static bool more(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 50) == 1;
}

void hear_all(const char *step, int fd, int expected)
{
    for (int i = 0; i < expected || more(fd); i++) {
        await(fd, POLLIN);
        if (hear_once(step, fd, 65536, MSG_DONTWAIT) <= 0)
            return;
    }
}

void drain(int fd)
{
    static char data[65536];
    while (more(fd) && recv(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
        continue;
}
