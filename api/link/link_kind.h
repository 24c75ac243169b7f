/* The kinds of links that carry SCTP directly over IP, chosen by name. */
#ifndef HWS_API_LINK_KIND_H
#define HWS_API_LINK_KIND_H

#include <stdbool.h>

#include "api/hawser/runtime.h"
#include "api/link/link.h"

/** The names, as they are written in messages. */
#define HWS_LINK_KIND_NAMES "raw, packet, xdp or auto"

/** Reads a kind by its name; false when there is none of this name. */
bool hws_link_kind_read(const char *name, enum hws_link_kind *kind);

/** Opens a link of that kind. 0, or a negative errno with a sentence in `error`. */
int hws_link_kind_open(enum hws_link_kind kind, const struct hws_link_raw_config *config,
                       struct hws_link **out, char error[HWS_LINK_ERROR_MAX]);

#endif
