/* -v: what happens to the paths of an association, and what extensions tell, as lines on stderr. */
#ifndef HWS_CLI_EVENTS_H
#define HWS_CLI_EVENTS_H

#include "api/hawser/uv.h"

/** Has the handle (and those it accepts) be told of all that. */
void hws_cli_events_want(hws_uv_t *handle);

/** Takes what was read: false when it is a message, else it was a notification, which is printed
 * with the time now. */
bool hws_cli_events_print(const void *bytes, size_t len, const hws_uv_message_t *message);

#endif
