/* Protocols for experiments are profiles: the same engine with extensions that are on by default,
 * defaults of its own for some parameters, and a name in traces. */
#ifndef HWS_API_PROFILE_H
#define HWS_API_PROFILE_H

#include <stdint.h>

#include "stack/engine.h"
#include "stack/extend.h"

struct hws_profile {
    uint8_t protocol;
    const char *name;
    const struct hws_extension *const *extensions; /* ends with NULL */
    void (*params)(struct hws_params *params);     /* changes the defaults */
};

/** The profile of an IP protocol; NULL: it has none. */
const struct hws_profile *hws_profile_of(uint8_t protocol);

/** Its name, or NULL. */
const char *hws_profile_name(uint8_t protocol);

struct hws_profile_extensions {
    const struct hws_extension *list[HWS_EXT_MAX];
    size_t count;
};

/** Those that a program gives, and beside them those of the profile (NULL: none) whose names it
 * does not give. HWS_E_INVAL: there are too many, or hws_extensions_check says no; `error`, of
 * HWS_EXTENSION_ERROR_MAX bytes, says why. */
int hws_profile_extend(const struct hws_profile *profile, const struct hws_extension *const *given,
                       size_t count, struct hws_profile_extensions *all, char *error);

#endif
