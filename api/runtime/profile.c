#include "api/runtime/profile.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "api/hawser/runtime.h"

/* The extensions of profiles are linked in: they know <hawser/extend.h> and nothing else. */
extern const struct hws_extension hws_extension_fec;

static const struct hws_extension *const fec[] = {&hws_extension_fec, NULL};
static const struct hws_extension *const none[] = {NULL};

/* Messages are sent when the application gives them: what is lost costs no round trip. */
static void fec_params(struct hws_params *params)
{
    params->nodelay = true;
}

/* A network of one's own, a few milliseconds wide: timers that suit it. */
static void lab_params(struct hws_params *params)
{
    params->rto_initial_us = 200000;
    params->rto_min_us = 20000;
    params->sack_delay_us = 10000;
    params->nodelay = true;
}

static const struct hws_profile profiles[] = {
    {HWS_PROTO_EXPERIMENT_1, "fec", fec, fec_params},
    {HWS_PROTO_EXPERIMENT_2, "lab", none, lab_params},
};

const struct hws_profile *hws_profile_of(uint8_t protocol)
{
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
        if (profiles[i].protocol == protocol)
            return &profiles[i];
    return NULL;
}

const char *hws_profile_name(uint8_t protocol)
{
    const struct hws_profile *profile = hws_profile_of(protocol);
    return profile != NULL ? profile->name : NULL;
}

/* ---- Extensions ---- */

static bool is_given(const struct hws_extension *const *given, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(given[i]->name, name) == 0)
            return true;
    }
    return false;
}

int hws_profile_extend(const struct hws_profile *profile, const struct hws_extension *const *given,
                       size_t count, struct hws_profile_extensions *all, char *error)
{
    all->count = 0;
    if (hws_extensions_check(given, count, error) != HWS_OK)
        return HWS_E_INVAL;
    for (size_t i = 0; i < count; i++)
        all->list[all->count++] = given[i];
    for (size_t i = 0; profile != NULL && profile->extensions[i] != NULL; i++) {
        if (is_given(given, count, profile->extensions[i]->name))
            continue;
        if (all->count == HWS_EXT_MAX) {
            snprintf(error, HWS_EXTENSION_ERROR_MAX,
                     "%zu extensions, and those of the profile %s: there may be %u", count,
                     profile->name, HWS_EXT_MAX);
            return HWS_E_INVAL;
        }
        all->list[all->count++] = profile->extensions[i];
    }
    return hws_extensions_check(all->list, all->count, error);
}
