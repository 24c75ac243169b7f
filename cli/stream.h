/* A standard descriptor as libuv sees it: a stream (pipe, terminal, socket) or a file. */
#ifndef HWS_CLI_STREAM_H
#define HWS_CLI_STREAM_H

#include <stdbool.h>

#include <uv.h>

enum hws_cli_stream_kind {
    HWS_CLI_STREAM, /* for uv_read_start and uv_write */
    HWS_CLI_FILE,   /* for uv_fs_read and uv_fs_write: files, devices */
    HWS_CLI_NONE,   /* not open */
};

union hws_cli_stream {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_pipe_t pipe;
    uv_tty_t tty;
};

/** Finds out what `fd` is, and opens the handle when it is a stream. 0 or a libuv error. */
int hws_cli_stream_open(union hws_cli_stream *stream, uv_loop_t *loop, uv_file fd,
                        enum hws_cli_stream_kind *kind);

#endif
