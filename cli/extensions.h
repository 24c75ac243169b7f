/* --extension: extensions of the engine, from shared objects. */
#ifndef HWS_CLI_EXTENSIONS_H
#define HWS_CLI_EXTENSIONS_H

#include "cli/options.h"

/** Loads those that the options name, in that order. False after a message. */
bool hws_cli_extensions_load(const struct hws_cli_options *options,
                             const struct hws_extension *out[HWS_CLI_EXTENSIONS_MAX]);

#endif
