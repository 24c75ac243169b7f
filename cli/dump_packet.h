/* What `hawser dump` does with an IP packet: SCTP is found in it, printed and written. */
#ifndef HWS_CLI_DUMP_PACKET_H
#define HWS_CLI_DUMP_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "api/trace/capture.h"
#include "cli/options.h"
#include "proto/addr.h"
#include "stack/registry.h"

struct hws_pcapng;
struct hws_trace;

/* What extensions call their chunks: those of a profile are known by its protocol. */
struct hws_cli_dump_names {
    struct hws_registry registry;
    struct hws_text_names names;
};

#define HWS_CLI_DUMP_NAMES 3u /* of 253, of 254, of all others */

struct hws_cli_dump_state {
    const struct hws_cli_options *options;
    struct hws_addr host; /* HWS_FAMILY_NONE: all */
    struct hws_cli_dump_names names[HWS_CLI_DUMP_NAMES];
    struct hws_trace *trace;       /* NULL: not wanted */
    struct hws_pcapng *pcapng;     /* NULL: not wanted */
    uint64_t packets;              /* printed or written */
    uint64_t bad_checksums;        /* of them */
    int trace_error, pcapng_error; /* of the first write that failed, negative errno */
};

/** Learns the names of these extensions, beside those of the profiles. False after a message: they
 * cannot be used together. */
bool hws_cli_dump_learn(struct hws_cli_dump_state *dump,
                        const struct hws_extension *const *extensions, size_t count);

/** Whether no more packets are wanted: there were as many as asked for, or a write failed. */
bool hws_cli_dump_is_done(const struct hws_cli_dump_state *dump);

/** Prints and writes the packet when it carries SCTP and the filters let it pass. */
void hws_cli_dump_packet(struct hws_cli_dump_state *dump, const struct hws_capture_ip *ip);

#endif
