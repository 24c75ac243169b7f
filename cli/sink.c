#include "cli/sink.h"

#include <stdlib.h>

static void write_more(struct hws_cli_sink *sink);

static void free_when_idle(struct hws_cli_sink *sink)
{
    if (!sink->closed || sink->writing > 0)
        return;
    free(sink->bufs[0]);
    sink->bufs[0] = NULL;
}

static void fail(struct hws_cli_sink *sink, int error)
{
    sink->error = error;
    sink->writing = 0;
}

/* `result` bytes more are out, or a libuv error. */
static void wrote(struct hws_cli_sink *sink, ssize_t result)
{
    if (result < 0) {
        fail(sink, (int)result);
    } else {
        sink->writing -= (size_t)result;
        sink->written += (size_t)result;
    }
    if (sink->writing > 0)
        write_more(sink);
    else if (!sink->closed)
        hws_cli_sink_flush(sink);
    if (!sink->closed)
        sink->ready(sink->arg);
    free_when_idle(sink);
}

static void on_stream_written(uv_write_t *request, int status)
{
    struct hws_cli_sink *sink = request->data;
    wrote(sink, status < 0 ? status : (ssize_t)sink->writing);
}

static void on_file_written(uv_fs_t *request)
{
    struct hws_cli_sink *sink = request->data;
    ssize_t result = request->result;
    uv_fs_req_cleanup(request);
    wrote(sink, result);
}

static void write_more(struct hws_cli_sink *sink)
{
    uint8_t *from = sink->bufs[1 - sink->filling] + sink->written;
    uv_buf_t buf = uv_buf_init((char *)from, (unsigned)sink->writing);
    int rc;
    if (sink->kind == HWS_CLI_STREAM) {
        sink->request.stream.data = sink;
        rc = uv_write(&sink->request.stream, &sink->handle.stream, &buf, 1, on_stream_written);
    } else {
        sink->request.file.data = sink;
        rc = uv_fs_write(sink->loop, &sink->request.file, sink->fd, &buf, 1, -1, on_file_written);
    }
    if (rc < 0)
        fail(sink, rc);
}

void hws_cli_sink_flush(struct hws_cli_sink *sink)
{
    if (sink->writing > 0 || sink->filled == 0 || sink->error != 0)
        return;
    sink->filling = 1 - sink->filling;
    sink->writing = sink->filled;
    sink->written = 0;
    sink->filled = 0;
    write_more(sink);
}

int hws_cli_sink_open(struct hws_cli_sink *sink, uv_loop_t *loop, uv_file fd, size_t capacity,
                      void (*ready)(void *arg), void *arg)
{
    *sink = (struct hws_cli_sink){
        .loop = loop, .fd = fd, .capacity = capacity, .ready = ready, .arg = arg};
    sink->bufs[0] = malloc(2 * capacity);
    if (sink->bufs[0] == NULL)
        return UV_ENOMEM;
    sink->bufs[1] = sink->bufs[0] + capacity;
    int rc = hws_cli_stream_open(&sink->handle, loop, fd, &sink->kind);
    sink->handle.handle.data = sink;
    return rc;
}

uint8_t *hws_cli_sink_space(struct hws_cli_sink *sink, size_t *len)
{
    if (sink->capacity - sink->filled < HWS_CLI_SINK_ROOM)
        hws_cli_sink_flush(sink);
    *len = sink->capacity - sink->filled;
    return *len >= HWS_CLI_SINK_ROOM && sink->error == 0 ? sink->bufs[sink->filling] + sink->filled
                                                         : NULL;
}

void hws_cli_sink_commit(struct hws_cli_sink *sink, size_t len)
{
    sink->filled += len;
}

bool hws_cli_sink_idle(const struct hws_cli_sink *sink)
{
    return sink->error != 0 || (sink->filled == 0 && sink->writing == 0);
}

static void on_closed(uv_handle_t *handle)
{
    struct hws_cli_sink *sink = handle->data;
    sink->writing = 0;
    free_when_idle(sink);
}

void hws_cli_sink_close(struct hws_cli_sink *sink)
{
    sink->closed = true;
    if (sink->kind == HWS_CLI_STREAM)
        uv_close(&sink->handle.handle, on_closed);
    else
        free_when_idle(sink);
}
