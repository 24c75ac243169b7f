/* Output to a descriptor by libuv through two buffers: one is filled while the other one is being
 * written. When both are full there is no space, which is how a slow reader slows us down. */
#ifndef HWS_CLI_SINK_H
#define HWS_CLI_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "cli/stream.h"

/** Less room than this is none: a notification has to fit. */
#define HWS_CLI_SINK_ROOM 4096u

struct hws_cli_sink {
    uv_loop_t *loop;
    uv_file fd;
    enum hws_cli_stream_kind kind;
    union hws_cli_stream handle;
    union {
        uv_fs_t file;
        uv_write_t stream;
    } request;
    uint8_t *bufs[2];
    size_t capacity;  /* of each */
    size_t filled;    /* bytes in the buffer being filled */
    size_t writing;   /* bytes left of the buffer being written; 0: nothing is being written */
    size_t written;   /* bytes of it that are out */
    unsigned filling; /* which buffer */
    bool closed;
    int error; /* libuv's, when writing failed; nothing more is written then */
    void (*ready)(void *arg);
    void *arg;
};

/** `ready` is called when a buffer has been written, or writing failed. 0 or a libuv error. */
int hws_cli_sink_open(struct hws_cli_sink *sink, uv_loop_t *loop, uv_file fd, size_t capacity,
                      void (*ready)(void *arg), void *arg);

/** Room for the next bytes, *len of them, at least HWS_CLI_SINK_ROOM; NULL: none until `ready`. */
uint8_t *hws_cli_sink_space(struct hws_cli_sink *sink, size_t *len);

/** `len` bytes have been put there. */
void hws_cli_sink_commit(struct hws_cli_sink *sink, size_t len);

/** Starts writing what was committed, if no write is under way (then it follows by itself). */
void hws_cli_sink_flush(struct hws_cli_sink *sink);

/** Whether all that was committed is out. */
bool hws_cli_sink_idle(const struct hws_cli_sink *sink);

/** No more `ready`; the memory goes once the loop has closed the handle: run it to its end. */
void hws_cli_sink_close(struct hws_cli_sink *sink);

#endif
