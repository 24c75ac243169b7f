/* Error causes as text. */
#include "proto/cause.h"
#include "proto/chunk.h"
#include "proto/text_line.h"

static void put_chunk_brief(struct hws_line *l, const struct hws_tlv *c)
{
    hws_line_chunk_name(l, hws_chunk_type(c));
    hws_line_len(l, c);
}

static void put_cause_name(struct hws_line *l, uint16_t code)
{
    const char *name = hws_cause_name(code);
    if (name == NULL && l->names != NULL)
        name = l->names->cause(l->names->arg, code);
    if (name != NULL)
        hws_line_put(l, "%s", name);
    else
        hws_line_put(l, "Cause-%u", code);
}

static bool put_invalid_stream(struct hws_line *l, const struct hws_tlv *c)
{
    uint16_t sid;
    if (!hws_cause_invalid_stream(c, &sid))
        return false;
    hws_line_put(l, " sid=%u", sid);
    return true;
}

static bool put_missing_param(struct hws_line *l, const struct hws_tlv *c)
{
    int count = hws_cause_missing_param(c, NULL, 0);
    if (count < 0)
        return false;
    hws_line_param_types(l, c->bytes + 8, (uint32_t)count);
    return true;
}

static bool put_stale_cookie(struct hws_line *l, const struct hws_tlv *c)
{
    uint32_t staleness_us;
    if (!hws_cause_stale_cookie(c, &staleness_us))
        return false;
    hws_line_put(l, " staleness-us=%u", (unsigned)staleness_us);
    return true;
}

static bool put_no_user_data(struct hws_line *l, const struct hws_tlv *c)
{
    uint32_t tsn;
    if (!hws_cause_no_user_data(c, &tsn))
        return false;
    hws_line_put(l, " tsn=%u", (unsigned)tsn);
    return true;
}

static bool put_params(struct hws_line *l, const struct hws_tlv *c)
{
    hws_line_put(l, " ");
    hws_line_list(l, c->bytes + 4, c->len - 4u, hws_line_param);
    return true;
}

static bool put_unrecognized_chunk(struct hws_line *l, const struct hws_tlv *c)
{
    hws_line_put(l, " ");
    hws_line_list(l, c->bytes + 4, c->len - 4u, put_chunk_brief);
    return true;
}

static hws_line_contents *const cause_contents[] = {
    [HWS_CAUSE_INVALID_STREAM] = put_invalid_stream,
    [HWS_CAUSE_MISSING_PARAM] = put_missing_param,
    [HWS_CAUSE_STALE_COOKIE] = put_stale_cookie,
    [HWS_CAUSE_OUT_OF_RESOURCE] = hws_line_nothing,
    [HWS_CAUSE_UNRESOLVABLE_ADDRESS] = put_params,
    [HWS_CAUSE_UNRECOGNIZED_CHUNK] = put_unrecognized_chunk,
    [HWS_CAUSE_INVALID_PARAM] = hws_line_nothing,
    [HWS_CAUSE_UNRECOGNIZED_PARAMS] = put_params,
    [HWS_CAUSE_NO_USER_DATA] = put_no_user_data,
    [HWS_CAUSE_COOKIE_IN_SHUTDOWN] = hws_line_nothing,
    [HWS_CAUSE_RESTART_NEW_ADDRESSES] = put_params,
};

void hws_line_cause(struct hws_line *l, const struct hws_tlv *c)
{
    hws_line_contents *contents = hws_line_opaque;
    if (c->type < HWS_COUNT(cause_contents) && cause_contents[c->type] != NULL)
        contents = cause_contents[c->type];
    put_cause_name(l, c->type);
    if (!contents(l, c))
        hws_line_malformed(l, c);
}
