#include "stack/reassembly.h"

#include <string.h>

#include "proto/serial.h"

#define FIRST_RING_SLOTS 8u
#define FIRST_STREAMS 32u

/* A payload that is ready at once and has so much is not copied out of any buffer. */
#define LARGE_BYTES 4096u

/* Small and often: it fits a cache line. */
struct hws_frag {
    struct hws_frag *next; /* the message's next fragment */
    union {
        struct {
            union {
                struct hws_frag *next_message; /* of a ready message's first fragment */
                size_t run_bytes;              /* of a run's first fragment: the run's payload */
            };
            struct hws_frag *other_end; /* of the first and last fragment of a run */
        };
        struct hws_hashtab_node waiting; /* of a waiting message's first fragment */
    };
    struct hws_buf *buf;    /* NULL: the payload was copied and lies behind this struct */
    const uint8_t *payload; /* what has not been taken yet */
    uint32_t payload_len;
    uint32_t charge_bytes;
    uint32_t tsn, ppid;
    uint16_t sid, ssn;
    uint8_t flags; /* of the DATA chunk */
    bool timed;    /* when it was received lies behind this struct, before a copied payload */
};

_Static_assert(sizeof(struct hws_frag) <= 2 * HWS_POOL_MIN_BYTES, "lies on one cache line");

struct run {
    struct hws_frag *head, *tail;
};

/* The runs that a new fragment joins, each by its end next to the fragment. */
struct neighbours {
    struct hws_frag *before, *after;
};

void hws_reassembly_init(struct hws_reassembly *r, struct hws_pool *pool, uint32_t stream_count)
{
    memset(r, 0, sizeof *r);
    r->pool = pool;
    r->stream_count = stream_count;
    hws_hashtab_init(&r->waiting, pool);
}

/* ---- Fragments ---- */

static bool begins(uint8_t flags)
{
    return (flags & HWS_DATA_B) != 0;
}

static bool ends(uint8_t flags)
{
    return (flags & HWS_DATA_E) != 0;
}

static bool is_unordered(uint8_t flags)
{
    return (flags & HWS_DATA_U) != 0;
}

/** Whether keeping the buffer costs at most four times the payload; else a copy is cheaper. */
static bool is_large_against(uint32_t payload_len, uint32_t truesize)
{
    return payload_len >= truesize / 4;
}

/* When a fragment that is timed was received. */
static uint64_t rx_time_us(const struct hws_frag *frag)
{
    uint64_t time_us;
    memcpy(&time_us, frag + 1, sizeof time_us);
    return time_us;
}

static size_t head_bytes(bool timed)
{
    return sizeof(struct hws_frag) + (timed ? sizeof(uint64_t) : 0);
}

/* What keeps the payload, and its price. */
static void keep_payload(struct hws_frag *frag, const struct hws_data *data,
                         struct hws_data_source *source)
{
    bool first = !source->charged || is_large_against(data->payload_len, source->truesize);
    frag->buf = hws_buf_ref(source->buf);
    frag->payload = data->payload;
    frag->charge_bytes += first ? source->truesize : data->payload_len;
    source->charged = true;
}

static void copy_payload(struct hws_frag *frag, const struct hws_data *data)
{
    frag->buf = NULL;
    frag->payload =
        memcpy((uint8_t *)frag + head_bytes(frag->timed), data->payload, data->payload_len);
    frag->charge_bytes += data->payload_len;
}

static struct hws_frag *frag_new(struct hws_reassembly *r, const struct hws_data *data,
                                 struct hws_data_source *source, bool plain)
{
    size_t head = head_bytes(source->time_us != 0);
    bool large = is_large_against(data->payload_len, source->truesize) ||
                 (plain && data->payload_len >= LARGE_BYTES);
    bool keep = source->buf != NULL && large;
    struct hws_frag *frag = hws_pool_alloc(r->pool, head + (keep ? 0 : data->payload_len));
    if (frag == NULL)
        return NULL;
    frag->next = NULL;
    frag->run_bytes = data->payload_len;
    frag->other_end = frag;
    frag->tsn = data->tsn;
    frag->ppid = data->ppid;
    frag->sid = data->sid;
    frag->ssn = data->ssn;
    frag->flags = data->flags;
    frag->timed = source->time_us != 0;
    if (frag->timed)
        memcpy(frag + 1, &source->time_us, sizeof source->time_us);
    frag->payload_len = data->payload_len;
    frag->charge_bytes = (uint32_t)head;
    if (keep)
        keep_payload(frag, data, source);
    else
        copy_payload(frag, data);
    r->charged_bytes += frag->charge_bytes;
    r->payload_bytes += frag->payload_len;
    return frag;
}

static void free_frag_memory(struct hws_pool *pool, struct hws_frag *frag)
{
    /* A copied payload was charged at its size when it was allocated. */
    size_t size = frag->buf != NULL ? head_bytes(frag->timed) : frag->charge_bytes;
    if (frag->buf != NULL)
        hws_buf_unref(frag->buf);
    hws_pool_free(pool, frag, size);
}

static void frag_free(struct hws_reassembly *r, struct hws_frag *frag)
{
    r->charged_bytes -= frag->charge_bytes;
    r->payload_bytes -= frag->payload_len;
    free_frag_memory(r->pool, frag);
}

static void free_message(struct hws_reassembly *r, struct hws_frag *frag)
{
    while (frag != NULL) {
        struct hws_frag *next = frag->next;
        frag_free(r, frag);
        frag = next;
    }
}

static bool is_same_message(const struct hws_frag *frag, const struct hws_data *data)
{
    return frag->sid == data->sid && is_unordered(frag->flags) == is_unordered(data->flags) &&
           (is_unordered(data->flags) || frag->ssn == data->ssn);
}

/* ---- Runs and the ring ---- */

static struct hws_frag **ring_slot(const struct hws_reassembly *r, uint32_t tsn)
{
    return &r->ring[tsn & (r->ring_size - 1)];
}

static struct hws_frag *ring_find(const struct hws_reassembly *r, uint32_t tsn)
{
    if (r->ring_runs == 0)
        return NULL;
    struct hws_frag *frag = *ring_slot(r, tsn);
    return frag != NULL && frag->tsn == tsn ? frag : NULL;
}

static bool is_run_head(const struct hws_frag *end)
{
    return end->next != NULL || end->other_end == end;
}

static bool is_run_tail(const struct hws_frag *end)
{
    return end->next == NULL;
}

static struct hws_frag *run_ending_at(const struct hws_reassembly *r, uint32_t tsn)
{
    if (r->growing != NULL && r->growing->tsn == tsn)
        return r->growing;
    if (r->open != NULL && r->open->tsn == tsn)
        return r->open;
    struct hws_frag *end = ring_find(r, tsn);
    return end != NULL && is_run_tail(end) ? end : NULL;
}

/** The message in partial delivery is not looked for: what comes before it has been delivered. */
static struct hws_frag *run_beginning_at(const struct hws_reassembly *r, uint32_t tsn)
{
    if (r->open != NULL && r->open->other_end->tsn == tsn)
        return r->open->other_end;
    struct hws_frag *end = ring_find(r, tsn);
    return end != NULL && is_run_head(end) ? end : NULL;
}

static bool ring_grow(struct hws_reassembly *r)
{
    uint32_t size = r->ring_size == 0 ? FIRST_RING_SLOTS : 2 * r->ring_size;
    struct hws_frag **ring = hws_pool_zalloc(r->pool, size * sizeof *ring);
    if (ring == NULL)
        return false;
    for (uint32_t i = 0; i < r->ring_size; i++)
        if (r->ring[i] != NULL)
            ring[r->ring[i]->tsn & (size - 1)] = r->ring[i];
    hws_pool_free(r->pool, r->ring, r->ring_size * sizeof *ring);
    r->ring = ring;
    r->ring_size = size;
    return true;
}

/** Whether this end of a run may lose its place in a ring as long as the window. Another TSN that
 * belongs there shows that all before it has arrived. Then nobody will ask for the beginning of a
 * message again; any other end that still waits for its neighbour waits in vain. */
static bool is_dispensable(const struct hws_frag *end)
{
    return begins(end->flags) && !is_run_tail(end);
}

/** Makes the slot of `tsn` free to use. HELD: done. */
static enum hws_reassembly_result ring_reserve(struct hws_reassembly *r, uint32_t tsn)
{
    while (r->ring_size == 0 || *ring_slot(r, tsn) != NULL) {
        if (r->ring_size == HWS_LIMIT_TSN_WINDOW)
            return is_dispensable(*ring_slot(r, tsn)) ? HWS_REASSEMBLY_HELD
                                                      : HWS_REASSEMBLY_INVALID;
        if (!ring_grow(r))
            return HWS_REASSEMBLY_NOMEM;
    }
    return HWS_REASSEMBLY_HELD;
}

static void ring_put(struct hws_reassembly *r, struct run run)
{
    *ring_slot(r, run.tail->tsn) = run.tail;
    struct hws_frag **head_slot = ring_slot(r, run.head->tsn);
    if (*head_slot == NULL || !is_dispensable(run.head))
        *head_slot = run.head;
    r->ring_runs++;
}

static void ring_clear(struct hws_reassembly *r, const struct hws_frag *end)
{
    if (*ring_slot(r, end->tsn) == end)
        *ring_slot(r, end->tsn) = NULL;
}

static void take_out(struct hws_reassembly *r, struct run run)
{
    if (r->open == run.tail) {
        r->open = NULL;
        return;
    }
    ring_clear(r, run.head);
    ring_clear(r, run.tail);
    r->ring_runs--;
}

static void put_back(struct hws_reassembly *r, struct run run)
{
    run.head->other_end = run.tail;
    run.tail->other_end = run.head;
    if (r->open == NULL)
        r->open = run.tail;
    else
        ring_put(r, run);
}

/* ---- What a new fragment meets ---- */

static struct neighbours find_neighbours(const struct hws_reassembly *r, uint32_t tsn)
{
    if (r->open == NULL && r->growing == NULL && r->ring_runs == 0)
        return (struct neighbours){NULL, NULL};
    return (struct neighbours){
        .before = run_ending_at(r, tsn - 1),
        .after = run_beginning_at(r, tsn + 1),
    };
}

static bool fits_before(const struct hws_reassembly *r, const struct hws_frag *before,
                        const struct hws_data *data)
{
    if (before == NULL)
        return begins(data->flags) || !r->ended || data->tsn != r->after_end_tsn;
    if (ends(before->flags))
        return begins(data->flags);
    return !begins(data->flags) && is_same_message(before, data);
}

static bool fits_after(const struct hws_frag *after, const struct hws_data *data)
{
    if (after == NULL)
        return true;
    if (begins(after->flags))
        return ends(data->flags);
    return !ends(data->flags) && is_same_message(after, data);
}

/** Finds what `data` joins. False: it contradicts its neighbours. */
static bool meet_neighbours(const struct hws_reassembly *r, const struct hws_data *data,
                            struct neighbours *near)
{
    *near = find_neighbours(r, data->tsn);
    if (!fits_before(r, near->before, data) || !fits_after(near->after, data))
        return false;
    if (begins(data->flags))
        near->before = NULL;
    if (ends(data->flags))
        near->after = NULL;
    return true;
}

/** Whether the new fragment continues the message in partial delivery. */
static bool joins_growing(const struct hws_reassembly *r, const struct neighbours *near)
{
    return near->before != NULL && near->before == r->growing;
}

/** Whether the run that `data` becomes part of will need its TSN in the ring. */
static bool needs_slot(const struct hws_reassembly *r, const struct hws_data *data,
                       const struct neighbours *near)
{
    if (r->open == NULL || (begins(data->flags) && ends(data->flags)))
        return false;
    return near->before != r->open && (near->after == NULL || near->after->other_end != r->open);
}

/* ---- Streams ---- */

static uint16_t next_ssn(const struct hws_reassembly *r, uint16_t sid)
{
    return sid < r->next_ssn_count ? r->next_ssn[sid] : 0;
}

static uint32_t grown_stream_count(const struct hws_reassembly *r, uint16_t sid)
{
    uint32_t count = FIRST_STREAMS;
    while (count <= sid)
        count *= 2;
    return count > r->stream_count && r->stream_count > sid ? r->stream_count : count;
}

static bool reserve_stream(struct hws_reassembly *r, uint16_t sid)
{
    if (sid < r->next_ssn_count)
        return true;
    uint32_t count = grown_stream_count(r, sid);
    uint16_t *ssns = hws_pool_zalloc(r->pool, count * sizeof *ssns);
    if (ssns == NULL)
        return false;
    if (r->next_ssn != NULL)
        memcpy(ssns, r->next_ssn, r->next_ssn_count * sizeof *ssns);
    hws_pool_free(r->pool, r->next_ssn, r->next_ssn_count * sizeof *ssns);
    r->next_ssn = ssns;
    r->next_ssn_count = count;
    return true;
}

static uint64_t waiting_hash(const struct hws_reassembly *r, uint16_t sid, uint16_t ssn)
{
    const uint16_t name[2] = {sid, ssn};
    return hws_siphash(&r->waiting_key, name, sizeof name);
}

static struct hws_frag *of_waiting(struct hws_hashtab_node *node)
{
    return (struct hws_frag *)(void *)((char *)node - offsetof(struct hws_frag, waiting));
}

static struct hws_frag *find_waiting(const struct hws_reassembly *r, uint16_t sid, uint16_t ssn)
{
    if (r->waiting.count == 0)
        return NULL;
    struct hws_hashtab_node *node = hws_hashtab_first(&r->waiting, waiting_hash(r, sid, ssn));
    for (; node != NULL; node = hws_hashtab_next(node)) {
        struct hws_frag *message = of_waiting(node);
        if (message->sid == sid && message->ssn == ssn)
            return message;
    }
    return NULL;
}

/** The key is drawn when it is first needed: most associations never are out of order. */
static bool reserve_waiting(struct hws_reassembly *r)
{
    if (r->waiting.buckets != NULL)
        return true;
    const struct hws_env *env = r->pool->env;
    env->random(env->ctx, &r->waiting_key, sizeof r->waiting_key);
    return hws_hashtab_reserve(&r->waiting);
}

/** Makes sure that an ordered message can be delivered or wait. HELD: it can. */
static enum hws_reassembly_result reserve_turn(struct hws_reassembly *r,
                                               const struct hws_data *data)
{
    if (!reserve_stream(r, data->sid))
        return HWS_REASSEMBLY_NOMEM;
    if (data->ssn == r->next_ssn[data->sid])
        return HWS_REASSEMBLY_HELD;
    if (find_waiting(r, data->sid, data->ssn) != NULL)
        return HWS_REASSEMBLY_INVALID;
    return reserve_waiting(r) ? HWS_REASSEMBLY_HELD : HWS_REASSEMBLY_NOMEM;
}

/** Everything that can fail, so that nothing has to be undone later. HELD: go on. */
static enum hws_reassembly_result reserve(struct hws_reassembly *r, const struct hws_data *data,
                                          const struct neighbours *near)
{
    if (joins_growing(r, near))
        return HWS_REASSEMBLY_HELD;
    if (!is_unordered(data->flags)) {
        enum hws_reassembly_result turn = reserve_turn(r, data);
        if (turn != HWS_REASSEMBLY_HELD)
            return turn;
    }
    return needs_slot(r, data, near) ? ring_reserve(r, data->tsn) : HWS_REASSEMBLY_HELD;
}

/* ---- Complete messages ---- */

static void queue_append(struct hws_message_queue *queue, struct hws_message_queue *more)
{
    if (more->head == NULL)
        return;
    if (queue->head == NULL)
        queue->head = more->head;
    else
        queue->tail->next_message = more->head;
    queue->tail = more->tail;
    *more = (struct hws_message_queue){NULL, NULL};
}

/** Hands a message to the application, behind the one in partial delivery. */
static void make_ready(struct hws_reassembly *r, struct hws_frag *message)
{
    struct hws_message_queue one = {message, message};
    message->next_message = NULL;
    if (r->growing != NULL) {
        queue_append(&r->later, &one);
        r->later_count++;
    } else {
        queue_append(&r->ready, &one);
        r->messages_ready++;
    }
}

/** Partial delivery has ended: what waited for that is ready. */
static void stop_growing(struct hws_reassembly *r)
{
    r->growing = NULL;
    queue_append(&r->ready, &r->later);
    r->messages_ready += r->later_count;
    r->later_count = 0;
}

/** Passes the turn in stream `sid` on, over every message that has waited for it. */
static void pass_turn(struct hws_reassembly *r, uint16_t sid)
{
    struct hws_frag *message;
    while ((message = find_waiting(r, sid, ++r->next_ssn[sid])) != NULL) {
        hws_hashtab_remove(&r->waiting, &message->waiting);
        make_ready(r, message);
    }
}

static void note_end(struct hws_reassembly *r, uint32_t tsn)
{
    r->ended = true;
    r->after_end_tsn = tsn + 1;
}

/** A message is complete: it becomes ready, now or in its turn. */
static enum hws_reassembly_result complete(struct hws_reassembly *r, struct run run)
{
    struct hws_frag *message = run.head;
    note_end(r, run.tail->tsn);
    if (is_unordered(message->flags)) {
        make_ready(r, message);
    } else if (message->ssn == r->next_ssn[message->sid]) {
        make_ready(r, message);
        pass_turn(r, message->sid);
    } else { /* cannot fail: reserve_turn made room */
        hws_hashtab_add(&r->waiting, &message->waiting,
                        waiting_hash(r, message->sid, message->ssn));
        return HWS_REASSEMBLY_HELD;
    }
    return r->growing != NULL ? HWS_REASSEMBLY_HELD : HWS_REASSEMBLY_READY;
}

/** More of the message in partial delivery has come. */
static enum hws_reassembly_result extend_growing(struct hws_reassembly *r, struct run run)
{
    if (r->ready.head == NULL) {
        frag_free(r, r->growing);
        run.head->next_message = NULL;
        r->ready = (struct hws_message_queue){run.head, run.head};
    } else {
        r->growing->next = run.head;
    }
    r->growing = run.tail;
    if (ends(run.tail->flags)) {
        note_end(r, run.tail->tsn);
        stop_growing(r);
    }
    return HWS_REASSEMBLY_READY;
}

static struct run join(struct hws_reassembly *r, struct hws_frag *frag,
                       const struct neighbours *near)
{
    struct run run = {frag, frag};
    if (near->after != NULL) {
        run.tail = near->after->other_end;
        take_out(r, (struct run){near->after, run.tail});
        frag->next = near->after;
        frag->run_bytes += near->after->run_bytes;
    }
    if (near->before != NULL && !joins_growing(r, near)) {
        run.head = near->before->other_end;
        take_out(r, (struct run){run.head, near->before});
        near->before->next = frag;
        run.head->run_bytes += frag->run_bytes;
    }
    return run;
}

/** Whether the chunk is a whole message whose turn it is, with nothing held that it could meet:
 * most small messages. */
static bool is_plain(const struct hws_reassembly *r, const struct hws_data *data)
{
    return begins(data->flags) && ends(data->flags) && data->payload_len > 0 && r->open == NULL &&
           r->growing == NULL && r->ring_runs == 0 && r->waiting.count == 0 &&
           (is_unordered(data->flags) ||
            (data->sid < r->next_ssn_count && data->ssn == r->next_ssn[data->sid]));
}

/** What is left for such a message of what hws_reassembly_add does. */
static enum hws_reassembly_result add_plain(struct hws_reassembly *r, const struct hws_data *data,
                                            struct hws_data_source *source)
{
    struct hws_frag *message = frag_new(r, data, source, true);
    if (message == NULL)
        return HWS_REASSEMBLY_NOMEM;
    note_end(r, data->tsn);
    make_ready(r, message);
    if (!is_unordered(data->flags))
        r->next_ssn[data->sid]++;
    return HWS_REASSEMBLY_READY;
}

enum hws_reassembly_result hws_reassembly_add(struct hws_reassembly *r, const struct hws_data *data,
                                              struct hws_data_source *source)
{
    struct neighbours near;
    if (is_plain(r, data))
        return add_plain(r, data, source);
    if (data->payload_len == 0 || !meet_neighbours(r, data, &near))
        return HWS_REASSEMBLY_INVALID;
    enum hws_reassembly_result room = reserve(r, data, &near);
    if (room != HWS_REASSEMBLY_HELD)
        return room;
    struct hws_frag *frag = frag_new(r, data, source, false);
    if (frag == NULL)
        return HWS_REASSEMBLY_NOMEM;
    struct run run = join(r, frag, &near);
    if (joins_growing(r, &near))
        return extend_growing(r, run);
    if (begins(run.head->flags) && ends(run.tail->flags))
        return complete(r, run);
    put_back(r, run);
    return HWS_REASSEMBLY_HELD;
}

/* ---- Delivery ---- */

bool hws_reassembly_reach_point(struct hws_reassembly *r, uint32_t cum, uint32_t point_bytes)
{
    if (r->growing != NULL)
        return false;
    /* Everything up to cum has arrived, so only the message of cum itself can go on growing. */
    struct hws_frag *tail = run_ending_at(r, cum);
    if (tail == NULL)
        return false;
    struct hws_frag *head = tail->other_end;
    bool ordered = !is_unordered(head->flags);
    if (!begins(head->flags) || head->run_bytes < point_bytes ||
        (ordered && head->ssn != next_ssn(r, head->sid)))
        return false;
    take_out(r, (struct run){head, tail});
    make_ready(r, head);
    r->growing = tail;
    if (ordered)
        pass_turn(r, head->sid);
    return true;
}

bool hws_reassembly_deliver_partial(struct hws_reassembly *r, uint32_t cum)
{
    return r->ready.head == NULL && hws_reassembly_reach_point(r, cum, 0);
}

/* A message was received when the last of its fragments came, whichever that was. */
static void note_times(struct hws_rcvinfo *info, const struct hws_frag *first)
{
    for (const struct hws_frag *frag = first; frag != NULL && frag->timed; frag = frag->next) {
        uint64_t time_us = rx_time_us(frag);
        if (time_us > info->rx_time_us)
            info->rx_time_us = time_us;
    }
}

static struct hws_rcvinfo describe(const struct hws_frag *first)
{
    struct hws_rcvinfo info = {
        .sid = first->sid,
        .ssn = first->ssn,
        .flags = is_unordered(first->flags) ? HWS_RECV_UNORDERED : 0,
        .ppid = first->ppid,
        .tsn = first->tsn,
    };
    note_times(&info, first);
    return info;
}

/* Of the message whose next fragment is `first`, some of which may have been taken. */
static struct hws_rcvinfo describe_next(const struct hws_reassembly *r,
                                        const struct hws_frag *first)
{
    if (!r->taking)
        return describe(first);
    struct hws_rcvinfo info = r->taking_info;
    note_times(&info, first);
    return info;
}

static void begin_taking(struct hws_reassembly *r, const struct hws_frag *first)
{
    r->taking_info = describe_next(r, first);
    r->taking = true;
}

static void message_left(struct hws_reassembly *r)
{
    r->taking = false;
    r->messages_taken++;
}

/** Takes the first fragment of the first ready message out of the queue. The next one of its
 * message, or NULL. */
static struct hws_frag *unqueue_fragment(struct hws_reassembly *r, struct hws_frag *frag,
                                         struct hws_rcvinfo *info)
{
    struct hws_frag *next = frag->next;
    if (next != NULL)
        next->next_message = frag->next_message;
    else
        message_left(r);
    if (next == NULL && ends(frag->flags))
        info->flags |= HWS_RECV_EOR;
    r->ready.head = next != NULL ? next : frag->next_message;
    if (r->ready.tail == frag)
        r->ready.tail = r->ready.head;
    return next;
}

/** Leaves a fragment all of whose bytes were taken. The next one of its message, or NULL. */
static struct hws_frag *leave_fragment(struct hws_reassembly *r, struct hws_frag *frag,
                                       struct hws_rcvinfo *info)
{
    if (frag == r->growing) { /* it stays to be joined by the next part */
        r->ready = (struct hws_message_queue){NULL, NULL};
        return NULL;
    }
    struct hws_frag *next = unqueue_fragment(r, frag, info);
    frag_free(r, frag);
    return next;
}

static size_t take_bytes(struct hws_reassembly *r, struct hws_frag *frag, uint8_t *out,
                         size_t capacity)
{
    uint32_t len = frag->payload_len < capacity ? frag->payload_len : (uint32_t)capacity;
    memcpy(out, frag->payload, len);
    frag->payload += len;
    frag->payload_len -= len;
    r->payload_bytes -= len;
    return len;
}

size_t hws_reassembly_take(struct hws_reassembly *r, void *buf, size_t capacity,
                           struct hws_rcvinfo *info)
{
    struct hws_frag *frag = r->ready.head;
    if (frag == NULL || capacity == 0)
        return 0;
    begin_taking(r, frag);
    *info = r->taking_info;
    size_t taken = 0;
    while (frag != NULL && taken < capacity) {
        taken += take_bytes(r, frag, (uint8_t *)buf + taken, capacity - taken);
        if (frag->payload_len > 0)
            break;
        frag = leave_fragment(r, frag, info);
    }
    return taken;
}

size_t hws_reassembly_peek(const struct hws_reassembly *r, void *buf, size_t capacity,
                           struct hws_rcvinfo *info)
{
    const struct hws_frag *frag = r->ready.head;
    if (frag == NULL || capacity == 0)
        return 0;
    *info = describe_next(r, frag);
    size_t len = 0;
    for (; frag != NULL && len < capacity; frag = frag->next) {
        size_t room = capacity - len;
        size_t part = frag->payload_len < room ? frag->payload_len : room;
        memcpy((uint8_t *)buf + len, frag->payload, part);
        len += part;
        if (part == frag->payload_len && frag->next == NULL && ends(frag->flags))
            info->flags |= HWS_RECV_EOR;
    }
    return len;
}

bool hws_reassembly_next(const struct hws_reassembly *r, struct hws_next *out)
{
    const struct hws_frag *frag = r->ready.head;
    if (frag != NULL && r->taking)
        frag = frag->next_message;
    if (frag == NULL)
        return false;
    *out = (struct hws_next){.info = describe(frag)};
    for (; frag != NULL; frag = frag->next) {
        out->len += frag->payload_len;
        out->whole = ends(frag->flags);
    }
    return true;
}

/* ---- Lending ---- */

/** The last fragment of the message in partial delivery is to be lent: another one without payload
 * takes its place. */
static bool replace_growing(struct hws_reassembly *r)
{
    struct hws_frag *frag = hws_pool_alloc(r->pool, sizeof *frag);
    if (frag == NULL)
        return false;
    *frag = *r->growing;
    frag->buf = NULL;
    frag->payload = NULL;
    frag->payload_len = 0;
    frag->charge_bytes = sizeof *frag;
    frag->timed = false;
    r->charged_bytes += frag->charge_bytes;
    r->growing = frag;
    return true;
}

/** Takes one fragment out of the queue to lend it. False: no memory. */
static bool lend_fragment(struct hws_reassembly *r, struct hws_frag *frag,
                          struct hws_recv_view *view)
{
    if (frag == r->growing) {
        if (!replace_growing(r))
            return false;
        r->ready = (struct hws_message_queue){NULL, NULL};
    } else {
        (void)unqueue_fragment(r, frag, &view->info);
    }
    view->iov[view->iov_count++] = (struct hws_iovec){frag->payload, frag->payload_len};
    view->len += frag->payload_len;
    return true;
}

struct hws_frag *hws_reassembly_lend(struct hws_reassembly *r, struct hws_recv_view *view)
{
    struct hws_frag *first = r->ready.head, *last = NULL, *frag = first;
    bool was_taking = r->taking;
    *view = (struct hws_recv_view){0};
    if (first == NULL)
        return NULL;
    begin_taking(r, first);
    view->info = r->taking_info;
    while (frag != NULL && view->iov_count < HWS_RECV_VIEW_PARTS && lend_fragment(r, frag, view)) {
        last = frag;
        frag = frag->next;
    }
    if (last == NULL) {
        r->taking = was_taking;
        return NULL;
    }
    last->next = NULL;
    return first;
}

void hws_reassembly_give_back(struct hws_reassembly *r, struct hws_frag *frags)
{
    free_message(r, frags);
}

void hws_reassembly_orphans(struct hws_pool *pool, struct hws_frag *frags)
{
    while (frags != NULL) {
        struct hws_frag *next = frags->next;
        free_frag_memory(pool, frags);
        frags = next;
    }
}

/* ---- Forgetting ---- */

static void free_waiting(void *ctx, struct hws_hashtab_node *node)
{
    free_message(ctx, of_waiting(node));
}

/* What a renege needs to know. */
struct renege {
    uint32_t cum;
    void (*forget)(void *ctx, uint32_t tsn);
    void *ctx;
};

static void renege_message(struct hws_reassembly *r, struct hws_frag *head,
                           const struct renege *renege)
{
    for (const struct hws_frag *frag = head; frag != NULL; frag = frag->next)
        renege->forget(renege->ctx, frag->tsn);
    free_message(r, head);
}

/* A run is contiguous, so all of it lies beyond cum or none of it. */
static void renege_run(struct hws_reassembly *r, struct hws_frag *tail, const struct renege *renege)
{
    struct run run = {tail->other_end, tail};
    if (hws_tsn_le(run.head->tsn, renege->cum))
        return;
    take_out(r, run);
    renege_message(r, run.head, renege);
}

static void renege_waiting(struct hws_reassembly *r, const struct renege *renege)
{
    for (uint32_t i = 0; i < r->waiting.bucket_count; i++) {
        struct hws_hashtab_node *next = NULL;
        for (struct hws_hashtab_node *n = r->waiting.buckets[i]; n != NULL; n = next) {
            next = n->next;
            struct hws_frag *message = of_waiting(n);
            if (hws_tsn_le(message->tsn, renege->cum))
                continue;
            hws_hashtab_remove(&r->waiting, n);
            renege_message(r, message, renege);
        }
    }
}

void hws_reassembly_renege(struct hws_reassembly *r, uint32_t cum,
                           void (*forget)(void *ctx, uint32_t tsn), void *ctx)
{
    struct renege renege = {cum, forget, ctx};
    if (r->open != NULL)
        renege_run(r, r->open, &renege);
    for (uint32_t i = 0; i < r->ring_size && r->ring_runs > 0; i++)
        if (r->ring[i] != NULL && is_run_tail(r->ring[i]))
            renege_run(r, r->ring[i], &renege);
    renege_waiting(r, &renege);
}

static void free_runs(struct hws_reassembly *r)
{
    if (r->open != NULL)
        free_message(r, r->open->other_end);
    r->open = NULL;
    for (uint32_t i = 0; i < r->ring_size && r->ring_runs > 0; i++) {
        struct hws_frag *end = r->ring[i];
        if (end == NULL || !is_run_tail(end))
            continue;
        struct run run = {end->other_end, end};
        take_out(r, run);
        free_message(r, run.head);
    }
}

bool hws_reassembly_abort_partial(struct hws_reassembly *r, struct hws_rcvinfo *info)
{
    if (r->growing == NULL)
        return false;
    *info = describe(r->growing);
    if (r->ready.head == NULL) { /* all of it that came has been taken */
        frag_free(r, r->growing);
        message_left(r);
    }
    stop_growing(r);
    return true;
}

static void free_ready(struct hws_reassembly *r)
{
    while (r->ready.head != NULL) {
        struct hws_frag *message = r->ready.head;
        r->ready.head = message->next_message;
        free_message(r, message);
    }
    r->ready.tail = NULL;
    r->taking = false;
    r->messages_taken = r->messages_ready;
}

void hws_reassembly_reset(struct hws_reassembly *r, bool keep_ready)
{
    free_runs(r);
    hws_hashtab_drain(&r->waiting, free_waiting, r);
    struct hws_rcvinfo aborted;
    (void)hws_reassembly_abort_partial(r, &aborted);
    if (!keep_ready)
        free_ready(r);
    if (r->next_ssn != NULL)
        memset(r->next_ssn, 0, r->next_ssn_count * sizeof *r->next_ssn);
    r->ended = false;
}

static void free_ring(struct hws_reassembly *r)
{
    hws_pool_free(r->pool, r->ring, r->ring_size * sizeof *r->ring);
    r->ring = NULL;
    r->ring_size = 0;
}

void hws_reassembly_trim(struct hws_reassembly *r)
{
    if (r->ring_runs == 0)
        free_ring(r);
    if (r->waiting.count == 0)
        hws_hashtab_fini(&r->waiting);
}

void hws_reassembly_fini(struct hws_reassembly *r)
{
    hws_reassembly_reset(r, false);
    hws_hashtab_fini(&r->waiting);
    free_ring(r);
    hws_pool_free(r->pool, r->next_ssn, r->next_ssn_count * sizeof *r->next_ssn);
    hws_reassembly_init(r, r->pool, r->stream_count);
}
