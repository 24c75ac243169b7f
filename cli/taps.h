/* --trace, --pcap and --qlog: the files, and what fills them with every packet of a runtime, the
 * last one also with what its engine does. */
#ifndef HWS_CLI_TAPS_H
#define HWS_CLI_TAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/options.h"
#include "proto/text.h"

struct hws_pcapng;
struct hws_qlog;
struct hws_trace;

struct hws_cli_taps {
    struct hws_trace *trace;   /* NULL: not wanted */
    struct hws_pcapng *pcapng; /* NULL: not wanted */
    struct hws_qlog *qlog;     /* NULL: not wanted */
    uint64_t unix_offset_us;   /* between the engine's clock and time since 1970 */
    uint8_t protocol;
    const char *profile;
    struct hws_text_names names;
    int error; /* of the first write that failed, negative errno */
};

/** Opens the files that the options name and has the runtime fill them. False after a message. */
bool hws_cli_taps_open(struct hws_cli_taps *taps, const struct hws_cli_options *options,
                       struct hws_runtime *runtime);

/** Closes the files, with a message when something could not be written; then the answer is false.
 */
bool hws_cli_taps_close(struct hws_cli_taps *taps);

#endif
