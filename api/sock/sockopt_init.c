/* Options about how associations begin and how long they try (RFC 6458, 8.1.1 to 8.1.3). */
#include <errno.h>

#include "api/sock/sockopt_value.h"

/* ---- SCTP_INITMSG (8.1.3): 0 leaves a field as it is ---- */

HWS_SOCKOPT_SET(initmsg)
{
    const struct sctp_initmsg *in = &value->initmsg;
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    if (rc < 0)
        return rc;
    if (in->sinit_num_ostreams != 0)
        params.ostreams = in->sinit_num_ostreams;
    if (in->sinit_max_instreams != 0)
        params.max_instreams = in->sinit_max_instreams;
    if (in->sinit_max_attempts != 0)
        params.max_init_retrans = in->sinit_max_attempts;
    hws_sockopt_set_ms(&params.init_rto_max_us, in->sinit_max_init_timeo);
    return hws_sockopt_store(target, &params);
}

HWS_SOCKOPT_GET(initmsg)
{
    const struct hws_params *params = &target->sock->params;
    uint32_t timeo_us = params->init_rto_max_us != 0 ? params->init_rto_max_us : params->rto_max_us;
    uint32_t timeo_ms = timeo_us / HWS_US_PER_MS;
    value->initmsg = (struct sctp_initmsg){
        .sinit_num_ostreams = params->ostreams,
        .sinit_max_instreams = params->max_instreams,
        .sinit_max_attempts = params->max_init_retrans,
        .sinit_max_init_timeo = (uint16_t)(timeo_ms < UINT16_MAX ? timeo_ms : UINT16_MAX)};
    return 0;
}

/* ---- SCTP_RTOINFO (8.1.1): milliseconds, 0 leaves a field as it is ---- */

HWS_SOCKOPT_SET(rtoinfo)
{
    const struct sctp_rtoinfo *in = &value->rtoinfo;
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    if (rc < 0)
        return rc;
    if (!hws_sockopt_ms_ok(in->srto_initial) || !hws_sockopt_ms_ok(in->srto_min) ||
        !hws_sockopt_ms_ok(in->srto_max))
        return -EINVAL;
    hws_sockopt_set_ms(&params.rto_initial_us, in->srto_initial);
    hws_sockopt_set_ms(&params.rto_min_us, in->srto_min);
    hws_sockopt_set_ms(&params.rto_max_us, in->srto_max);
    return params.rto_min_us <= params.rto_max_us ? hws_sockopt_store(target, &params) : -EINVAL;
}

HWS_SOCKOPT_GET(rtoinfo)
{
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    value->rtoinfo.srto_initial = params.rto_initial_us / HWS_US_PER_MS;
    value->rtoinfo.srto_min = params.rto_min_us / HWS_US_PER_MS;
    value->rtoinfo.srto_max = params.rto_max_us / HWS_US_PER_MS;
    return rc;
}

/* ---- SCTP_ASSOCINFO (8.1.2): 0 leaves a field as it is ---- */

/* More than all paths together could not be used up: each of them fails before. */
static bool more_than_paths(const struct hws_sockopt_target *target, uint16_t max_retrans)
{
    const struct hws_engine *engine = target->sock->sockets->engine;
    struct hws_assoc_status status;
    struct hws_path_params path;
    uint32_t sum = 0;
    if (target->assoc == 0 || hws_assoc_status(engine, target->assoc, &status) < 0)
        return false;
    for (uint32_t i = 0; i < status.path_count; i++) {
        if (hws_path_params(engine, target->assoc, i, &path) == HWS_OK)
            sum += path.path_max_retrans;
    }
    return status.path_count > 1 && max_retrans > sum;
}

HWS_SOCKOPT_SET(assocparams)
{
    const struct sctp_assocparams *in = &value->assocparams;
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    if (rc < 0)
        return rc;
    if (!hws_sockopt_ms_ok(in->sasoc_cookie_life) || more_than_paths(target, in->sasoc_asocmaxrxt))
        return -EINVAL;
    if (in->sasoc_asocmaxrxt != 0)
        params.assoc_max_retrans = in->sasoc_asocmaxrxt;
    hws_sockopt_set_ms(&params.cookie_life_us, in->sasoc_cookie_life);
    return hws_sockopt_store(target, &params);
}

HWS_SOCKOPT_GET(assocparams)
{
    struct sctp_assocparams *out = &value->assocparams;
    struct hws_assoc_status status = {.path_count = 0};
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    if (target->assoc != 0)
        hws_assoc_status(target->sock->sockets->engine, target->assoc, &status);
    out->sasoc_asocmaxrxt = params.assoc_max_retrans;
    out->sasoc_number_peer_destinations = (uint16_t)status.path_count;
    out->sasoc_peer_rwnd = status.peer_rwnd;
    out->sasoc_local_rwnd = status.rwnd;
    out->sasoc_cookie_life = params.cookie_life_us / HWS_US_PER_MS;
    return rc;
}

/* ---- SCTP_ADAPTATION_LAYER (8.1.10) ---- */

HWS_SOCKOPT_SET(adaptation)
{
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    params.adaptation = true;
    params.adaptation_indication = value->adaptation.ssb_adaptation_ind;
    return rc == 0 ? hws_sockopt_store(target, &params) : rc;
}

HWS_SOCKOPT_GET(adaptation)
{
    value->adaptation.ssb_adaptation_ind = target->sock->params.adaptation_indication;
    return 0;
}

/* ---- SCTP_AUTOCLOSE (8.1.8): seconds, 0: never ---- */

HWS_SOCKOPT_SET(autoclose)
{
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    uint32_t seconds = value->count < INT32_MAX ? value->count : INT32_MAX;
    params.autoclose_us = (uint64_t)seconds * HWS_US_PER_S;
    return rc == 0 ? hws_sockopt_store(target, &params) : rc;
}

HWS_SOCKOPT_GET(autoclose)
{
    value->count = (uint32_t)(target->sock->params.autoclose_us / HWS_US_PER_S);
    return 0;
}

/* ---- HWS_PROBE ---- */

HWS_SOCKOPT_SET(probe)
{
    struct hws_params params;
    int rc = hws_sockopt_load(target, &params);
    params.probe = value->number != 0;
    return rc == 0 ? hws_sockopt_store(target, &params) : rc;
}

HWS_SOCKOPT_GET(probe)
{
    value->number = target->sock->params.probe;
    return 0;
}
