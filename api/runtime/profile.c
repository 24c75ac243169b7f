#include "api/runtime/profile.h"

#include <stddef.h>

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
