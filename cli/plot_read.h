/* Reads a qlog file of docs/TRACES.md into series. */
#ifndef HWS_CLI_PLOT_READ_H
#define HWS_CLI_PLOT_READ_H

#include "cli/plot_data.h"

/** Reads the file. False after a message that says what is wrong and where. A last record that was
 * cut off, since its writer was killed, is left out with a message. */
bool hws_cli_plot_read(const char *path, struct hws_cli_plot_file *out);

#endif
