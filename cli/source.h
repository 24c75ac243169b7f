/* Input from a descriptor by libuv, a buffer at a time: nothing is read while the buffer still
 * holds something, so whoever consumes it slowly slows its producer down. Files are read by the
 * thread pool, pipes, terminals and sockets by the loop. */
#ifndef HWS_CLI_SOURCE_H
#define HWS_CLI_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "cli/stream.h"

struct hws_cli_source {
    uv_loop_t *loop;
    uv_file fd;
    enum hws_cli_stream_kind kind;
    union hws_cli_stream handle;
    uv_fs_t request;
    uint8_t *buf;
    size_t capacity;
    size_t start, len; /* what lies in `buf` and was not consumed */
    bool reading, eof, closed;
    int error; /* libuv's, when reading failed; eof is set then, too */
    void (*ready)(void *arg);
    void *arg;
};

/** `ready` is called when there is something to consume or the end was reached. 0 or a libuv
 * error. A descriptor that is not open counts as empty. */
int hws_cli_source_open(struct hws_cli_source *source, uv_loop_t *loop, uv_file fd, size_t capacity,
                        void (*ready)(void *arg), void *arg);

/** Asks for more; does nothing while there is something to consume, or at the end. */
void hws_cli_source_read(struct hws_cli_source *source);

void hws_cli_source_consume(struct hws_cli_source *source, size_t len);

/** No more `ready`; the memory goes once the loop has closed the handle: run it to its end. */
void hws_cli_source_close(struct hws_cli_source *source);

#endif
