/* Protocol parameters (RFC 9260, section 16): their ranges, and how an endpoint's reach its
 * associations and theirs their paths. */
#ifndef HWS_STACK_PARAMS_H
#define HWS_STACK_PARAMS_H

#include "stack/engine.h"

/** Whether every value is within its range and every name known. */
bool hws_params_ok(const struct hws_params *params);

/** What a path of an association with these parameters begins with. */
void hws_params_for_path(const struct hws_params *params, struct hws_path_params *out);

#endif
