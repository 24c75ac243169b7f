#include "stack/sendq.h"

#include <string.h>

#include "proto/chunk.h"

void hws_sendq_init(struct hws_sendq *q, struct hws_pool *pool, const struct hws_sched_ops *sched)
{
    memset(q, 0, sizeof *q);
    q->pool = pool;
    q->sched = sched;
    sched->init(q->sched_state, pool);
}

void hws_msg_unref(struct hws_pool *pool, struct hws_msg *msg)
{
    if (--msg->refs == 0)
        hws_pool_free(pool, msg, sizeof *msg + msg->len);
}

static void free_stream(struct hws_sendq *q, struct hws_outstream *stream)
{
    while (stream->head != NULL) {
        struct hws_msg *msg = stream->head;
        stream->head = msg->next;
        hws_msg_unref(q->pool, msg);
    }
    hws_pool_free(q->pool, stream, sizeof *stream);
}

void hws_sendq_fini(struct hws_sendq *q)
{
    for (uint32_t i = 0; i < q->capacity; i++)
        if (q->streams[i] != NULL)
            free_stream(q, q->streams[i]);
    hws_pool_free(q->pool, q->streams, q->capacity * sizeof(struct hws_outstream *));
    q->sched->fini(q->sched_state);
    q->streams = NULL;
    q->capacity = 0;
    q->current = NULL;
    q->unsent_bytes = 0;
    q->unsent_messages = 0;
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

static struct hws_outstream *get_stream(struct hws_sendq *q, uint16_t sid)
{
    if (sid < q->capacity && q->streams[sid] != NULL)
        return q->streams[sid];
    if (sid >= q->capacity && !grow(q, sid))
        return NULL;
    if (!q->sched->reserve(q->sched_state, q->stream_count + 1))
        return NULL;
    struct hws_outstream *stream = hws_pool_zalloc(q->pool, sizeof *stream);
    if (stream == NULL)
        return NULL;
    stream->sched.sid = sid;
    stream->sched.heap.index = HWS_HEAP_NONE;
    hws_list_init(&stream->sched.list);
    q->streams[sid] = stream;
    q->stream_count++;
    return stream;
}

static void gather(uint8_t *out, const struct hws_iovec *iov, size_t iov_count)
{
    for (size_t i = 0; i < iov_count; i++) {
        if (iov[i].len > 0)
            memcpy(out, iov[i].base, iov[i].len);
        out += iov[i].len;
    }
}

int hws_sendq_push(struct hws_sendq *q, const struct hws_sndinfo *info, const struct hws_iovec *iov,
                   size_t iov_count, uint32_t len)
{
    struct hws_outstream *stream = get_stream(q, info->sid);
    if (stream == NULL)
        return HWS_E_NOMEM;
    struct hws_msg *msg = hws_pool_alloc(q->pool, sizeof *msg + len);
    if (msg == NULL)
        return HWS_E_NOMEM;
    *msg = (struct hws_msg){.order = q->orders++,
                            .len = len,
                            .refs = 1,
                            .ppid = info->ppid,
                            .sid = info->sid,
                            .flags = info->flags};
    gather(msg->data, iov, iov_count);
    if (stream->head == NULL) {
        stream->head = msg;
        q->sched->ready(q->sched_state, &stream->sched, msg->order);
    } else {
        stream->tail->next = msg;
    }
    stream->tail = msg;
    q->unsent_bytes += len;
    q->unsent_messages++;
    return HWS_OK;
}

static uint32_t drop_messages(struct hws_sendq *q, struct hws_outstream *stream)
{
    uint32_t count = 0;
    while (stream->head != NULL) {
        struct hws_msg *msg = stream->head;
        stream->head = msg->next;
        q->unsent_bytes -= msg->len;
        q->unsent_messages--;
        hws_msg_unref(q->pool, msg);
        count++;
    }
    return count;
}

/* The scheduler forgets every stream and is then told of those that still have messages. */
uint32_t hws_sendq_limit_streams(struct hws_sendq *q, uint32_t stream_count)
{
    uint32_t dropped = 0;
    for (uint32_t sid = stream_count; sid < q->capacity; sid++)
        dropped += q->streams[sid] != NULL ? drop_messages(q, q->streams[sid]) : 0;
    if (dropped == 0)
        return 0;
    struct hws_sched_stream *s;
    while ((s = q->sched->next(q->sched_state)) != NULL)
        q->sched->sent(q->sched_state, s, 0);
    for (uint32_t sid = 0; sid < q->capacity && sid < stream_count; sid++) {
        struct hws_outstream *stream = q->streams[sid];
        if (stream != NULL && stream->head != NULL)
            q->sched->ready(q->sched_state, &stream->sched, stream->head->order);
    }
    return dropped;
}

static struct hws_outstream *choose(struct hws_sendq *q)
{
    if (q->current != NULL)
        return q->current;
    struct hws_sched_stream *next = q->sched->next(q->sched_state);
    return next != NULL ? HWS_CONTAINER(next, struct hws_outstream, sched) : NULL;
}

/* The head message has been cut whole: the stream gives way and, when it has more, queues again. */
static void finish_head(struct hws_sendq *q, struct hws_outstream *stream)
{
    struct hws_msg *msg = stream->head;
    stream->head = msg->next;
    q->current = NULL;
    q->unsent_messages--;
    q->sched->sent(q->sched_state, &stream->sched, msg->len);
    if (stream->head != NULL)
        q->sched->ready(q->sched_state, &stream->sched, stream->head->order);
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
    struct hws_msg *msg = stream->head;
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
    q->unsent_bytes -= len;
    if (last)
        finish_head(q, stream); /* the queue's reference becomes the fragment's */
    else
        msg->refs++;
    return true;
}
