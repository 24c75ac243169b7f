/* What notifications say (RFC 6458, 6.1), in the bytes of the Linux kernel's structures: its order
 * of bytes, its lengths, its error codes. */
#include <arpa/inet.h>
#include <string.h>

#include "api/sock/sockaddr.h"
#include "api/sock/socket_internal.h"
#include "api/sock/sockopt_value.h"
#include "proto/cause.h"

#define CHUNK_HEADER_BYTES 4u
#define CAUSE_HEADER_BYTES 4u

/* ---- SCTP_ASSOC_CHANGE (6.1.1) ---- */

static struct sctp_assoc_change *add_change(struct hws_member *member, uint16_t state,
                                            uint32_t info_len, enum hws_note_place place)
{
    struct sctp_assoc_change *change = hws_note_add(
        member, SCTP_ASSOC_CHANGE, (uint32_t)sizeof(struct sctp_assoc_change) + info_len, place);
    if (change == NULL)
        return NULL;
    change->sac_state = state;
    change->sac_assoc_id = member->id;
    return change;
}

static void add_streams(struct sctp_assoc_change *change, const struct hws_event *event)
{
    if (change == NULL)
        return;
    change->sac_outbound_streams = event->ostreams;
    change->sac_inbound_streams = event->instreams;
}

void hws_notify_up(struct hws_member *member, const struct hws_event *event)
{
    add_streams(add_change(member, SCTP_COMM_UP, 0, HWS_NOTE_FIRST), event);
}

void hws_notify_restart(struct hws_member *member, const struct hws_event *event)
{
    add_streams(add_change(member, SCTP_RESTART, 0, HWS_NOTE_LAST), event);
}

/* The kernel gives the causes of the peer's ABORT, without the chunk's header. */
void hws_notify_down(struct hws_member *member, const struct hws_event *event)
{
    bool aborted = event->data_len > CHUNK_HEADER_BYTES;
    uint32_t info_len = aborted ? event->data_len - CHUNK_HEADER_BYTES : 0;
    uint16_t state = !member->was_up              ? SCTP_CANT_STR_ASSOC
                     : event->reason == HWS_E_EOF ? SCTP_SHUTDOWN_COMP
                                                  : SCTP_COMM_LOST;
    if (state != SCTP_COMM_LOST)
        info_len = 0;
    struct sctp_assoc_change *change = add_change(member, state, info_len, HWS_NOTE_LAST);
    if (change == NULL)
        return;
    uint16_t cause = event->reason == HWS_E_ABORTED ? HWS_CAUSE_USER_ABORT : event->cause;
    change->sac_error = htons(cause);
    if (info_len > 0)
        memcpy(change->sac_info, event->data + CHUNK_HEADER_BYTES, info_len);
}

/* ---- SCTP_PEER_ADDR_CHANGE (6.1.2) ---- */

struct path_change {
    int state, error;
};

/* As in the kernel Potentially Failed is told when it is exposed only, and so is its end
 * (RFC 7829, 7.3). */
static bool path_change(const struct hws_member *member, enum hws_event_type type,
                        struct hws_member_peer *peer, struct path_change *out)
{
    bool exposed = member->options.expose_pf == HWS_EXPOSE_PF_YES;
    bool tell = true;
    switch (type) {
    case HWS_EVENT_PATH_CONFIRMED:
        *out = (struct path_change){SCTP_ADDR_CONFIRMED, SCTP_HEARTBEAT_SUCCESS};
        break;
    case HWS_EVENT_PATH_FAILING:
        *out = (struct path_change){SCTP_ADDR_PF, SCTP_FAILED_THRESHOLD};
        tell = exposed;
        break;
    case HWS_EVENT_PATH_DOWN:
        *out = (struct path_change){SCTP_ADDR_UNREACHABLE, SCTP_FAILED_THRESHOLD};
        peer->told_down = true;
        break;
    default:
        *out = (struct path_change){SCTP_ADDR_AVAILABLE, SCTP_HEARTBEAT_SUCCESS};
        tell = exposed || peer->told_down;
        peer->told_down = false;
    }
    return tell;
}

void hws_notify_path(struct hws_member *member, const struct hws_event *event)
{
    struct hws_member_peer *peer = hws_member_peer(member, &event->remote);
    struct path_change what;
    if (peer == NULL || !path_change(member, event->type, peer, &what))
        return;
    struct sctp_paddr_change *change =
        hws_note_add(member, SCTP_PEER_ADDR_CHANGE, sizeof(*change), HWS_NOTE_LAST);
    if (change == NULL)
        return;
    struct sockaddr_storage address;
    hws_sock_write_address(member->sock, &event->remote, member->remote_port, &address);
    memcpy(&change->spc_aaddr, &address, sizeof(address));
    change->spc_state = what.state;
    change->spc_error = what.error;
    change->spc_assoc_id = member->id;
}

/* ---- SCTP_REMOTE_ERROR (6.1.3): the cause's value, padded, without the cause's header ---- */

void hws_notify_remote_error(struct hws_member *member, const struct hws_event *event)
{
    uint32_t len = event->data_len > CAUSE_HEADER_BYTES ? event->data_len - CAUSE_HEADER_BYTES : 0;
    uint32_t padded = (len + 3) & ~3u;
    struct sctp_remote_error *error =
        hws_note_add(member, SCTP_REMOTE_ERROR, (uint32_t)sizeof(*error) + padded, HWS_NOTE_LAST);
    if (error == NULL)
        return;
    error->sre_error = htons(event->cause);
    error->sre_assoc_id = member->id;
    if (len > 0)
        memcpy(error->sre_data, event->data + CAUSE_HEADER_BYTES, len);
}

/* ---- Short ones (6.1.5 to 6.1.9) ---- */

void hws_notify_shutdown(struct hws_member *member)
{
    struct sctp_shutdown_event *event =
        hws_note_add(member, SCTP_SHUTDOWN_EVENT, sizeof(*event), HWS_NOTE_LAST);
    if (event != NULL)
        event->sse_assoc_id = member->id;
}

void hws_notify_adaptation(struct hws_member *member, const struct hws_event *what)
{
    struct sctp_adaptation_event *event =
        hws_note_add(member, SCTP_ADAPTATION_INDICATION, sizeof(*event), HWS_NOTE_FIRST);
    if (event == NULL)
        return;
    event->sai_adaptation_ind = what->indication;
    event->sai_assoc_id = member->id;
}

void hws_notify_partial_aborted(struct hws_member *member, const struct hws_event *what)
{
    struct sctp_pdapi_event *event =
        hws_note_add(member, SCTP_PARTIAL_DELIVERY_EVENT, sizeof(*event), HWS_NOTE_LAST);
    if (event == NULL)
        return;
    event->pdapi_indication = SCTP_PARTIAL_DELIVERY_ABORTED;
    event->pdapi_stream = what->sid;
    event->pdapi_seq = what->ssn;
    event->pdapi_assoc_id = member->id;
}

void hws_notify_extension(struct hws_member *member, const struct hws_event *what)
{
    struct hws_extension_event *event = hws_note_add(
        member, HWS_EXTENSION_EVENT, (uint32_t)sizeof(*event) + what->data_len, HWS_NOTE_LAST);
    if (event == NULL)
        return;
    event->hee_assoc_id = member->id;
    event->hee_code = what->code;
    memcpy(event->hee_name, what->extension, strlen(what->extension)); /* the rest is zero */
    if (what->data_len > 0)
        memcpy(event + 1, what->data, what->data_len);
}

static bool dry_waits(const struct hws_member *member)
{
    const struct hws_note *last = TAILQ_LAST(&member->notes, hws_note_list);
    return last != NULL && last->type == SCTP_SENDER_DRY_EVENT;
}

void hws_notify_dry(struct hws_member *member)
{
    if (dry_waits(member))
        return;
    struct sctp_sender_dry_event *event =
        hws_note_add(member, SCTP_SENDER_DRY_EVENT, sizeof(*event), HWS_NOTE_LAST);
    if (event != NULL)
        event->sender_dry_assoc_id = member->id;
}

/* ---- SCTP_SEND_FAILED_EVENT (6.1.11) and SCTP_SEND_FAILED (6.1.4) ---- */

static uint16_t send_flags(const struct hws_failed *failed)
{
    return (
        uint16_t)(((failed->flags & HWS_SEND_UNORDERED) != 0 ? SCTP_UNORDERED : 0) |
                  ((failed->flags & HWS_SEND_SACK_IMMEDIATELY) != 0 ? SCTP_SACK_IMMEDIATELY : 0));
}

static void copy_message(const struct hws_failed *failed, uint8_t *to)
{
    for (size_t i = 0; i < failed->iov_count; i++) {
        memcpy(to, failed->iov[i].base, failed->iov[i].len);
        to += failed->iov[i].len;
    }
}

/* The protocol's error code where there is one, as it stands on the wire. */
static uint32_t failed_error(const struct hws_failed *failed)
{
    return failed->reason == HWS_E_INVAL     ? htons(HWS_CAUSE_INVALID_STREAM)
           : failed->reason == HWS_E_ABORTED ? htons(HWS_CAUSE_USER_ABORT)
                                             : 0;
}

static void write_new(const struct hws_member *member, const struct hws_failed *failed,
                      struct sctp_send_failed_event *event)
{
    event->ssf_type = SCTP_SEND_FAILED_EVENT;
    event->ssf_length = (uint32_t)sizeof(*event) + failed->len;
    event->ssf_flags = failed->sent ? SCTP_DATA_SENT : SCTP_DATA_UNSENT;
    event->ssf_error = failed_error(failed);
    event->ssfe_info = (struct sctp_sndinfo){
        .snd_sid = failed->sid,
        .snd_flags = send_flags(failed),
        .snd_ppid = htonl(failed->ppid),
        .snd_context = failed->context,
        .snd_assoc_id = member->id,
    };
    event->ssf_assoc_id = member->id;
    copy_message(failed, event->ssf_data);
}

static void write_old(const struct hws_member *member, const struct hws_failed *failed,
                      struct sctp_send_failed *event)
{
    event->ssf_type = SCTP_SEND_FAILED;
    event->ssf_length = (uint32_t)sizeof(*event) + failed->len;
    event->ssf_flags = failed->sent ? SCTP_DATA_SENT : SCTP_DATA_UNSENT;
    event->ssf_error = failed_error(failed);
    event->ssf_info = (struct sctp_sndrcvinfo){
        .sinfo_stream = failed->sid,
        .sinfo_flags = send_flags(failed),
        .sinfo_ppid = htonl(failed->ppid),
        .sinfo_context = failed->context,
        .sinfo_assoc_id = member->id,
    };
    event->ssf_assoc_id = member->id;
    copy_message(failed, event->ssf_data);
}

struct hws_note *hws_notify_failed(struct hws_member *member, uint16_t type,
                                   const struct hws_failed *failed)
{
    bool new = type == SCTP_SEND_FAILED_EVENT;
    size_t head = new ? sizeof(struct sctp_send_failed_event) : sizeof(struct sctp_send_failed);
    if (!hws_assoc_options_want(&member->options, type))
        return NULL;
    struct hws_note *note = hws_note_new(member, type, (uint32_t)head + failed->len);
    if (note == NULL)
        return NULL;
    if (new)
        write_new(member, failed, (void *)note->bytes);
    else
        write_old(member, failed, (void *)note->bytes);
    return note;
}
