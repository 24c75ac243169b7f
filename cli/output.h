/* What commands write. */
#ifndef HWS_CLI_OUTPUT_H
#define HWS_CLI_OUTPUT_H

/** Writes what stdout still holds. `code`, the command's exit code, unless that was HWS_CLI_OK and
 * something could not be written: HWS_CLI_FAILED, after a message. */
int hws_cli_end_output(int code);

#endif
