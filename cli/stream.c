#include "cli/stream.h"

static int open_pipe(union hws_cli_stream *stream, uv_loop_t *loop, uv_file fd)
{
    int rc = uv_pipe_init(loop, &stream->pipe, 0);
    if (rc < 0)
        return rc;
    rc = uv_pipe_open(&stream->pipe, fd);
    if (rc < 0)
        uv_close(&stream->handle, NULL);
    return rc;
}

int hws_cli_stream_open(union hws_cli_stream *stream, uv_loop_t *loop, uv_file fd,
                        enum hws_cli_stream_kind *kind)
{
    uv_handle_type type = uv_guess_handle(fd);
    /* Of block devices libuv does not know that they are read and written like files. */
    *kind = type == UV_FILE || type == UV_UNKNOWN_HANDLE ? HWS_CLI_FILE : HWS_CLI_STREAM;
    if (*kind != HWS_CLI_STREAM)
        return 0;
    int rc = type == UV_TTY ? uv_tty_init(loop, &stream->tty, fd, 0) : open_pipe(stream, loop, fd);
    if (rc < 0)
        *kind = HWS_CLI_NONE;
    return rc;
}
