/* An extension made outside hawser's tree: who began the association greets, the other answers, and
 * both tell their application. */
#include <hawser/extend.h>
#include <stdio.h>
#include <string.h>

#define GREETING 0xa1u

struct greet {
    bool answered;
};

static bool fill(const struct hws_ext_assoc *assoc, struct hws_ext_out *out)
{
    const char *text = assoc->initiator ? "hello" : "hello to you";
    return hws_ext_put(assoc, out, text, (uint16_t)strlen(text)) == HWS_EXT_OK;
}

static void input(const struct hws_ext_assoc *assoc, const struct hws_ext_in *in)
{
    struct greet *greet = assoc->state;
    hws_ext_tell(assoc, 1, in->value, in->len < HWS_EXT_EVENT_MAX ? in->len : HWS_EXT_EVENT_MAX);
    if (!assoc->initiator && !greet->answered)
        greet->answered = hws_ext_want(assoc, GREETING, in->path) == HWS_EXT_OK;
}

static void begin(const struct hws_ext_assoc *assoc, const uint8_t *value, uint16_t len)
{
    (void)value;
    (void)len;
    if (assoc->initiator)
        hws_ext_want(assoc, GREETING, HWS_EXT_DATA_PATH);
}

static int text(const uint8_t *value, uint16_t len, char *out, size_t size)
{
    return snprintf(out, size, "text=\"%.*s\"", (int)len, (const char *)value);
}

static const struct hws_ext_chunk chunk = {.type = GREETING,
                                           .name = "GREETING",
                                           .min_len = 1,
                                           .states = HWS_EXT_IN_ANY,
                                           .place = HWS_EXT_BEFORE_DATA,
                                           .input = input,
                                           .fill = fill,
                                           .text = text};

static const struct hws_extension greet = {
#ifdef WRONG_VERSION
    .api = HWS_EXTEND_API + 1,
#else
    .api = HWS_EXTEND_API,
#endif
    .name = "greet",
    .param = 0x9a1e,
    .chunks = &chunk,
    .chunk_count = 1,
    .state_size = sizeof(struct greet),
    .begin = begin,
};
HWS_EXTENSION_EXPORT(greet);
