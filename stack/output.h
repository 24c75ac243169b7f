/* The output builder: turns what an association wants into chunks in bundling order, packets,
 * trains. The only place that builds an association's packets. */
#ifndef HWS_STACK_OUTPUT_H
#define HWS_STACK_OUTPUT_H

#include "stack/core.h"

/** Builds the association's next train. False: it has nothing to send now. */
bool hws_output_assoc(struct hws_assoc *a, struct hws_train *train);

/* Fill functions of the chunk table: each adds one chunk; false when it does not fit. */
bool hws_output_fill_init(struct hws_path *p, struct hws_builder *b);
bool hws_output_fill_cookie_echo(struct hws_path *p, struct hws_builder *b);
bool hws_output_fill_cookie_ack(struct hws_path *p, struct hws_builder *b);
bool hws_output_fill_shutdown(struct hws_path *p, struct hws_builder *b);
bool hws_output_fill_shutdown_ack(struct hws_path *p, struct hws_builder *b);

#endif
