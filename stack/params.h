/* Protocol parameters (RFC 9260, section 16): their ranges, and how an endpoint's reach its
 * associations and theirs their paths. */
#ifndef HWS_STACK_PARAMS_H
#define HWS_STACK_PARAMS_H

#include "stack/engine.h"
#include "stack/pool.h"

/** Whether every value is within its range and every name known to the engine. */
bool hws_params_ok(const struct hws_engine *e, const struct hws_params *params);

/** A copy to share, with one reference: an endpoint and its associations have one set of parameters
 * until somebody changes theirs. It never changes. NULL: no memory. */
const struct hws_params *hws_params_share(struct hws_pool *pool, const struct hws_params *params);
const struct hws_params *hws_params_ref(const struct hws_params *shared);
void hws_params_unref(struct hws_pool *pool, const struct hws_params *shared);

/** What a path of an association with these shared parameters begins with, shared with them. */
const struct hws_path_params *hws_params_for_path(const struct hws_params *shared);

/** Gives the path parameters of its own, the same ones as it has. False: no memory. */
struct hws_path;
bool hws_params_own(struct hws_path *p);

#endif
