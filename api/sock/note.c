/* Notifications that wait to be received, each at its place between the messages of its
 * association. Their number is bounded: what a peer can cause again and again gives way. */
#include "api/sock/socket_internal.h"

static size_t size_of(uint32_t len)
{
    return offsetof(struct hws_note, bytes) + len;
}

struct hws_note *hws_note_new(struct hws_member *member, uint16_t type, uint32_t len)
{
    struct hws_note *note = hws_pool_zalloc(&member->sock->sockets->pool, size_of(len));
    if (note == NULL) {
        member->sock->notes_lost++;
        return NULL;
    }
    note->type = type;
    note->len = len;
    return note;
}

void hws_note_free(struct hws_sockets *sockets, struct hws_note *note)
{
    hws_pool_free(&sockets->pool, note, size_of(note->len));
}

static void unlink_note(struct hws_member *member, struct hws_note *note)
{
    TAILQ_REMOVE(&member->notes, note, in_queue);
    member->note_count--;
}

struct hws_note *hws_note_take(struct hws_member *member)
{
    struct hws_note *note = TAILQ_FIRST(&member->notes);
    unlink_note(member, note);
    return note;
}

void hws_note_free_all(struct hws_member *member)
{
    while (!TAILQ_EMPTY(&member->notes))
        hws_note_free(member->sock->sockets, hws_note_take(member));
}

bool hws_note_recurs(const struct hws_note *note)
{
    const struct sctp_assoc_change *change = (const void *)note->bytes;
    if (note->type == SCTP_ASSOC_CHANGE)
        return change->sac_state == SCTP_RESTART;
    return note->type != SCTP_SHUTDOWN_EVENT;
}

static bool may_be_lost(const struct hws_note *note)
{
    return !note->failed && note->taken == 0 && hws_note_recurs(note);
}

static void make_room(struct hws_member *member)
{
    struct hws_note *note = TAILQ_FIRST(&member->notes);
    if (member->note_count < HWS_SOCK_NOTES_MAX)
        return;
    while (note != NULL && !may_be_lost(note))
        note = TAILQ_NEXT(note, in_queue);
    if (note == NULL)
        return;
    unlink_note(member, note);
    hws_note_free(member->sock->sockets, note);
    member->sock->notes_lost++;
}

/* By what they come after; those that come after the same stand in the order they were made. */
static void insert(struct hws_member *member, struct hws_note *note)
{
    struct hws_note *before = TAILQ_LAST(&member->notes, hws_note_list);
    while (before != NULL && before->after > note->after)
        before = TAILQ_PREV(before, hws_note_list, in_queue);
    if (before != NULL)
        TAILQ_INSERT_AFTER(&member->notes, before, note, in_queue);
    else
        TAILQ_INSERT_HEAD(&member->notes, note, in_queue);
    member->note_count++;
}

static bool count_messages(const struct hws_member *member, struct hws_assoc_status *status)
{
    *status = (struct hws_assoc_status){0};
    return hws_assoc_status(member->sock->sockets->engine, member->assoc, status) == HWS_OK;
}

static uint64_t place_of(const struct hws_member *member, enum hws_note_place place)
{
    struct hws_assoc_status status;
    if (place == HWS_NOTE_FIRST || !count_messages(member, &status))
        return 0;
    return status.messages_ready;
}

static bool tells_of(const struct hws_note *note, uint16_t sid, uint16_t ssn)
{
    const struct sctp_pdapi_event *event = (const void *)note->bytes;
    return note->type == SCTP_PARTIAL_DELIVERY_EVENT && event->pdapi_stream == sid &&
           event->pdapi_seq == ssn;
}

bool hws_note_cut_off(struct hws_member *member, uint16_t sid, uint16_t ssn)
{
    struct hws_note *note = TAILQ_FIRST(&member->notes);
    while (note != NULL && !tells_of(note, sid, ssn))
        note = TAILQ_NEXT(note, in_queue);
    if (note == NULL)
        return false;
    TAILQ_REMOVE(&member->notes, note, in_queue);
    TAILQ_INSERT_HEAD(&member->notes, note, in_queue);
    note->after = 0;
    return true;
}

void *hws_note_add(struct hws_member *member, uint16_t type, uint32_t len,
                   enum hws_note_place place)
{
    if (!hws_assoc_options_want(&member->options, type) || member->sock->orphaned)
        return NULL;
    make_room(member);
    struct hws_note *note = hws_note_new(member, type, len);
    if (note == NULL)
        return NULL;
    /* Every notification begins with the same three fields (RFC 6458, 6.1). */
    struct sctp_shutdown_event *head = (void *)note->bytes;
    head->sse_type = type;
    head->sse_length = len;
    note->after = place_of(member, place);
    insert(member, note);
    return note->bytes;
}

/* ---- Messages that will not arrive: the engine keeps them until they are received ---- */

void hws_note_add_failed(struct hws_member *member)
{
    struct hws_note *note;
    if (!hws_wants_failed(&member->options) || member->sock->orphaned)
        return;
    TAILQ_FOREACH(note, &member->notes, in_queue)
    {
        if (note->failed)
            return;
    }
    note = hws_note_new(member, SCTP_SEND_FAILED_EVENT, 0);
    if (note == NULL)
        return;
    note->failed = true;
    note->after = place_of(member, HWS_NOTE_LAST);
    insert(member, note);
}

static bool put_before(struct hws_member *member, struct hws_note *all, struct hws_note *one)
{
    if (one == NULL)
        return false;
    one->after = all->after;
    TAILQ_INSERT_BEFORE(all, one, in_queue);
    member->note_count++;
    return true;
}

/* Puts the next failed message before the note that stands for all of them; when there is none that
 * note goes. Who wants both structures gets both, as from the kernel. */
static void unfold(struct hws_member *member, struct hws_note *all)
{
    struct hws_failed failed;
    struct hws_sockets *sockets = member->sock->sockets;
    bool put = false;
    while (!put && hws_assoc_failed(sockets->engine, member->assoc, &failed) == HWS_OK) {
        put = put_before(member, all, hws_notify_failed(member, SCTP_SEND_FAILED, &failed));
        if (put_before(member, all, hws_notify_failed(member, SCTP_SEND_FAILED_EVENT, &failed)))
            put = true;
    }
    if (put)
        return;
    unlink_note(member, all);
    hws_note_free(sockets, all);
}

struct hws_note *hws_note_due(struct hws_member *member)
{
    struct hws_note *note = TAILQ_FIRST(&member->notes);
    struct hws_assoc_status status;
    if (note == NULL || member->begun)
        return NULL;
    (void)count_messages(member, &status);
    while (note != NULL && note->after <= status.messages_taken && note->failed) {
        unfold(member, note);
        note = TAILQ_FIRST(&member->notes);
    }
    return note != NULL && note->after <= status.messages_taken ? note : NULL;
}
