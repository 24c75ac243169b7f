/* The parameters of an endpoint by name: those of struct hws_params, without their units or with
 * them. */
#ifndef HWS_SIM_PARAMS_H
#define HWS_SIM_PARAMS_H

#include <stdbool.h>

#include "stack/engine.h"

enum sim_params_answer {
    SIM_PARAMS_SET,
    SIM_PARAMS_UNKNOWN, /* no such parameter */
    SIM_PARAMS_WRONG,   /* it takes another kind of value, as `*allowed` says */
};

/** Sets `key`. Strings are kept by reference. */
enum sim_params_answer sim_params_set(struct hws_params *params, const char *key, const char *value,
                                      const char **allowed);

#endif
