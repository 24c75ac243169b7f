#include "stack/sendq.h"

#include <string.h>

#include "proto/chunk.h"

void hws_sendq_init(struct hws_sendq *q, struct hws_pool *pool, const struct hws_sched_ops *sched,
                    uint64_t *refused)
{
    memset(q, 0, sizeof *q);
    q->pool = pool;
    q->sched = sched;
    q->refused = refused;
    if (sched->init != NULL)
        sched->init(q->sched_state);
}

static size_t stream_bytes(const struct hws_sendq *q)
{
    return sizeof(struct hws_outstream) + q->sched->stream_size;
}

static void free_stream(struct hws_sendq *q, struct hws_outstream *stream)
{
    struct hws_msg *msg;
    while ((msg = hws_msg_list_pop(&stream->queue)) != NULL)
        hws_msg_unref(q->pool, msg);
    hws_pool_free(q->pool, stream, stream_bytes(q));
}

void hws_sendq_fini(struct hws_sendq *q)
{
    for (uint32_t i = 0; i < q->capacity; i++)
        if (q->streams[i] != NULL)
            free_stream(q, q->streams[i]);
    hws_pool_free(q->pool, q->streams, q->capacity * sizeof(struct hws_outstream *));
    q->streams = NULL;
    q->capacity = 0;
    q->current = NULL;
    q->only = NULL;
    q->chosen = NULL;
    q->unsent_bytes = 0;
    q->unsent_messages = 0;
    q->overrides = 0;
}

static bool grow(struct hws_sendq *q, uint16_t sid)
{
    uint32_t capacity = q->capacity > 0 ? q->capacity : 4;
    while (capacity <= sid)
        capacity *= 2;
    struct hws_outstream **streams = hws_pool_zalloc(q->pool, capacity * sizeof *streams);
    if (streams == NULL)
        return false;
    if (q->streams != NULL)
        memcpy(streams, q->streams, q->capacity * sizeof *streams);
    hws_pool_free(q->pool, q->streams, q->capacity * sizeof *streams);
    q->streams = streams;
    q->capacity = capacity;
    return true;
}

static void make_ready(struct hws_sendq *q, struct hws_outstream *stream)
{
    if (q->only != NULL)
        return;
    const struct hws_msg *msg = stream->queue.head;
    const struct hws_sched_message head = {
        .sid = msg->sid,
        .unordered = msg->flags & HWS_SEND_UNORDERED,
        .ppid = msg->ppid,
        .len = msg->len,
        .order_us = msg->order_us,
    };
    q->sched->ready(q->sched_state, stream->sched_state, &head);
    q->chosen = NULL;
}

/* With a second stream there is something to schedule. */
static void note_stream(struct hws_sendq *q, struct hws_outstream *stream)
{
    struct hws_outstream *only = q->only;
    q->only = q->stream_count++ == 0 ? stream : NULL;
    if (only != NULL && only->queue.head != NULL)
        make_ready(q, only);
}

bool hws_sendq_make_stream(struct hws_sendq *q, uint16_t sid)
{
    if (sid >= q->capacity && !grow(q, sid))
        return false;
    struct hws_outstream *stream = hws_pool_zalloc(q->pool, stream_bytes(q));
    if (stream == NULL)
        return false;
    q->streams[sid] = stream;
    note_stream(q, stream);
    return true;
}

static void enqueue(struct hws_sendq *q, struct hws_msg *msg)
{
    struct hws_outstream *stream = q->streams[msg->sid];
    bool first = stream->queue.head == NULL;
    hws_msg_list_push(&stream->queue, msg);
    if (first)
        make_ready(q, stream);
    stream->queued_bytes += msg->len;
    q->unsent_bytes += msg->len;
    q->unsent_messages++;
    q->overrides += msg->path != 0;
}

void hws_sendq_push(struct hws_sendq *q, struct hws_msg *msg, uint64_t now_us)
{
    q->order_us = q->order_us < now_us ? now_us : q->order_us + 1;
    msg->order_us = q->order_us;
    enqueue(q, msg);
}

static bool ready(const struct hws_sendq *q, uint32_t sid)
{
    return sid < q->capacity && q->streams[sid] != NULL && q->streams[sid]->queue.head != NULL;
}

/* The stream whose turn it is; when the scheduler names none that is ready, the first one. */
static struct hws_outstream *ask(struct hws_sendq *q)
{
    uint32_t sid = q->sched->next(q->sched_state);
    if (!ready(q, sid)) {
        ++*q->refused;
        for (sid = 0; !ready(q, sid);)
            sid++;
    }
    return q->streams[sid];
}

static struct hws_outstream *choose(struct hws_sendq *q)
{
    if (q->current != NULL)
        return q->current;
    if (q->only != NULL)
        return q->only->queue.head != NULL ? q->only : NULL;
    if (q->chosen == NULL && q->unsent_messages > 0)
        q->chosen = ask(q);
    return q->chosen;
}

const struct hws_msg *hws_sendq_next(struct hws_sendq *q)
{
    struct hws_outstream *stream = choose(q);
    return stream != NULL ? stream->queue.head : NULL;
}

/* Nothing of the head message is left to cut: the stream gives way and, when it has more, queues
 * again. */
static void finish_head(struct hws_sendq *q, struct hws_outstream *stream)
{
    struct hws_msg *msg = hws_msg_list_pop(&stream->queue);
    q->current = NULL;
    q->chosen = NULL;
    q->unsent_messages--;
    q->overrides -= msg->path != 0;
    if (q->only == NULL)
        q->sched->sent(q->sched_state, stream->sched_state, msg->len);
    if (stream->queue.head != NULL) {
        __builtin_prefetch(stream->queue.head->next);
        make_ready(q, stream);
    }
}

struct hws_msg *hws_sendq_take(struct hws_sendq *q)
{
    struct hws_outstream *stream = choose(q);
    if (stream == NULL)
        return NULL;
    struct hws_msg *msg = stream->queue.head;
    stream->queued_bytes -= msg->len - msg->cut;
    q->unsent_bytes -= msg->len - msg->cut;
    finish_head(q, stream);
    return msg;
}

static bool has_beyond(const struct hws_sendq *q, uint32_t stream_count)
{
    for (uint32_t sid = stream_count; sid < q->capacity; sid++)
        if (q->streams[sid] != NULL && q->streams[sid]->queue.head != NULL)
            return true;
    return false;
}

uint32_t hws_sendq_limit_streams(struct hws_sendq *q, uint32_t stream_count,
                                 struct hws_msg_list *dropped)
{
    struct hws_msg_list kept = {0};
    struct hws_msg *msg;
    uint32_t count = 0;
    if (!has_beyond(q, stream_count))
        return 0;
    while ((msg = hws_sendq_take(q)) != NULL) {
        bool keep = msg->sid < stream_count;
        hws_msg_list_push(keep ? &kept : dropped, msg);
        count += !keep;
    }
    while ((msg = hws_msg_list_pop(&kept)) != NULL)
        enqueue(q, msg);
    return count;
}

/* How much of the message goes into this chunk; 0: it waits for the next packet. All but the last
 * fragment are whole words, so that padding never leaves a hole in a full packet. */
static uint32_t fragment_len(const struct hws_msg *msg, uint32_t room, uint32_t full)
{
    uint32_t left = msg->len - msg->cut;
    if (left <= room)
        return left;
    if (msg->cut == 0 && left <= full)
        return 0;
    return room & ~3u;
}

static void begin(struct hws_sendq *q, struct hws_outstream *stream, struct hws_msg *msg)
{
    q->current = stream;
    if (!(msg->flags & HWS_SEND_UNORDERED))
        msg->ssn = stream->next_ssn++;
}

bool hws_sendq_cut(struct hws_sendq *q, uint32_t room, uint32_t full, struct hws_fragment *out)
{
    struct hws_outstream *stream = choose(q);
    if (stream == NULL)
        return false;
    struct hws_msg *msg = stream->queue.head;
    uint32_t len = fragment_len(msg, room, full);
    if (len == 0)
        return false;
    if (msg->cut == 0)
        begin(q, stream, msg);
    bool last = msg->cut + len == msg->len;
    *out = (struct hws_fragment){
        .msg = msg,
        .offset = msg->cut,
        .len = (uint16_t)len,
        .flags = (uint8_t)((msg->cut == 0 ? HWS_DATA_B : 0) | (last ? HWS_DATA_E : 0) |
                           (msg->flags & HWS_SEND_UNORDERED ? HWS_DATA_U : 0) |
                           (last && (msg->flags & HWS_SEND_SACK_IMMEDIATELY) ? HWS_DATA_I : 0)),
    };
    msg->cut += len;
    stream->queued_bytes -= len;
    q->unsent_bytes -= len;
    if (last)
        finish_head(q, stream); /* the queue's reference becomes the fragment's */
    else
        msg->refs++;
    return true;
}
