/* What commands write. */
#ifndef HWS_CLI_OUTPUT_H
#define HWS_CLI_OUTPUT_H

#include <stdbool.h>

/** True after a message: `out` is the file `in`, which would be gone before it was read. NULL, "-"
 * and what is no regular file is nobody else's. */
bool hws_cli_is_input(const char *out, const char *in);

/** Keeps the descriptors of stdin, stdout and stderr from becoming a socket's or a file's where the
 * program was started with them closed. False: they could not be kept. */
bool hws_cli_hold_standard(void);

/** Writes what stdout still holds. `code`, the command's exit code, unless that was HWS_CLI_OK and
 * something could not be written: HWS_CLI_FAILED, after a message. */
int hws_cli_end_output(int code);

#endif
