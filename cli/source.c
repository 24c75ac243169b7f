#include "cli/source.h"

#include <stdlib.h>

static void got(struct hws_cli_source *source, ssize_t result)
{
    source->reading = false;
    if (result > 0) {
        source->start = 0;
        source->len = (size_t)result;
    } else {
        source->eof = true;
        source->error = result == UV_EOF ? 0 : (int)result;
    }
    if (!source->closed)
        source->ready(source->arg);
}

/* ---- Streams ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct hws_cli_source *source = handle->data;
    (void)suggested;
    *buf = uv_buf_init((char *)source->buf, (unsigned)source->capacity);
}

static void on_read(uv_stream_t *stream, ssize_t result, const uv_buf_t *buf)
{
    (void)buf;
    if (result == 0) /* nothing there after all */
        return;
    uv_read_stop(stream);
    got(stream->data, result);
}

/* ---- Files ---- */

static void free_when_idle(struct hws_cli_source *source)
{
    if (source->closed && !source->reading) {
        free(source->buf);
        source->buf = NULL;
    }
}

static void on_file_read(uv_fs_t *request)
{
    struct hws_cli_source *source = request->data;
    ssize_t result = request->result;
    uv_fs_req_cleanup(request);
    got(source, result);
    free_when_idle(source);
}

static void read_file(struct hws_cli_source *source)
{
    uv_buf_t buf = uv_buf_init((char *)source->buf, (unsigned)source->capacity);
    source->request.data = source;
    int rc = uv_fs_read(source->loop, &source->request, source->fd, &buf, 1, -1, on_file_read);
    if (rc < 0)
        got(source, rc);
}

/* ---- Both ---- */

int hws_cli_source_open(struct hws_cli_source *source, uv_loop_t *loop, uv_file fd, size_t capacity,
                        void (*ready)(void *arg), void *arg)
{
    *source = (struct hws_cli_source){
        .loop = loop, .fd = fd, .capacity = capacity, .ready = ready, .arg = arg};
    source->buf = malloc(capacity);
    if (source->buf == NULL)
        return UV_ENOMEM;
    int rc = hws_cli_stream_open(&source->handle, loop, fd, &source->kind);
    source->handle.handle.data = source;
    source->eof = source->kind == HWS_CLI_NONE;
    return rc;
}

void hws_cli_source_read(struct hws_cli_source *source)
{
    if (source->reading || source->eof || source->len > 0 || source->closed)
        return;
    source->reading = true;
    if (source->kind != HWS_CLI_STREAM) {
        read_file(source);
        return;
    }
    int rc = uv_read_start(&source->handle.stream, on_alloc, on_read);
    if (rc < 0)
        got(source, rc);
}

void hws_cli_source_consume(struct hws_cli_source *source, size_t len)
{
    source->start += len;
    source->len -= len;
}

static void on_closed(uv_handle_t *handle)
{
    struct hws_cli_source *source = handle->data;
    source->reading = false;
    free_when_idle(source);
}

void hws_cli_source_close(struct hws_cli_source *source)
{
    source->closed = true;
    if (source->kind == HWS_CLI_STREAM)
        uv_close(&source->handle.handle, on_closed);
    else
        free_when_idle(source);
}
