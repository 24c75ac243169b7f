/* Parameters as text. */
#include "proto/addr.h"
#include "proto/param.h"
#include "proto/text_line.h"

static void put_param_name(struct hws_line *l, uint16_t type)
{
    const char *name = hws_param_name(type);
    if (name == NULL && l->names != NULL)
        name = l->names->param(l->names->arg, type);
    if (name != NULL)
        hws_line_put(l, "%s", name);
    else
        hws_line_put(l, "Parameter-0x%04x", type);
}

static void put_param_brief(struct hws_line *l, const struct hws_tlv *p)
{
    put_param_name(l, p->type);
    hws_line_len(l, p);
}

static void put_addr(struct hws_line *l, const struct hws_tlv *p)
{
    struct hws_addr addr;
    char text[HWS_ADDR_TEXT_MAX];
    if (hws_param_addr(p, &addr))
        hws_line_put(l, " %s", hws_addr_text(&addr, text));
}

void hws_line_param_types(struct hws_line *l, const uint8_t *types, uint32_t count)
{
    hws_line_put(l, " [");
    for (uint32_t i = 0; i < count && !l->cut; i++) {
        hws_line_separator(l, i == 0);
        put_param_name(l, hws_get16(types + 2 * i));
    }
    hws_line_put(l, "]");
}

static void put_param_contents(struct hws_line *l, const struct hws_tlv *p)
{
    uint32_t number;
    switch (p->type) {
    case HWS_PARAM_IPV4:
    case HWS_PARAM_IPV6:
        put_addr(l, p);
        break;
    case HWS_PARAM_UNRECOGNIZED:
        hws_line_put(l, " ");
        hws_line_list(l, hws_param_value(p), hws_param_value_len(p), put_param_brief);
        break;
    case HWS_PARAM_COOKIE_PRESERVATIVE:
        if (hws_param_cookie_preservative(p, &number))
            hws_line_put(l, " increment-ms=%u", (unsigned)number);
        break;
    case HWS_PARAM_ADAPTATION:
        if (hws_param_adaptation(p, &number))
            hws_line_put(l, " indication=%u", (unsigned)number);
        break;
    case HWS_PARAM_SUPPORTED_ADDRESSES:
        hws_line_param_types(l, hws_param_value(p), hws_param_value_len(p) / 2);
        break;
    case HWS_PARAM_ECN:
    case HWS_PARAM_FORWARD_TSN:
        break;
    default:
        hws_line_len(l, p);
    }
}

void hws_line_param(struct hws_line *l, const struct hws_tlv *p)
{
    put_param_name(l, p->type);
    if (hws_param_len_ok(p))
        put_param_contents(l, p);
    else
        hws_line_malformed(l, p);
}
