#include "proto/chunk.h"

#include <stddef.h>

#include "proto/param.h"

bool hws_shutdown_decode(const struct hws_tlv *c, uint32_t *cum_tsn)
{
    if (hws_chunk_value_len(c) != 4)
        return false;
    *cum_tsn = hws_get32(hws_chunk_value(c));
    return true;
}

bool hws_shutdown_encode(struct hws_builder *b, uint32_t cum_tsn)
{
    uint8_t *v = hws_builder_chunk(b, HWS_CHUNK_SHUTDOWN, 0, 4);
    if (v == NULL)
        return false;
    hws_put32(v, cum_tsn);
    return true;
}

bool hws_heartbeat_decode(const struct hws_tlv *c, const uint8_t **info, uint32_t *info_len)
{
    struct hws_tlv_iter it = hws_tlv_begin(hws_chunk_value(c), hws_chunk_value_len(c));
    struct hws_tlv p;
    if (!hws_tlv_next(&it, &p) || p.type != HWS_PARAM_HEARTBEAT_INFO)
        return false;
    *info = hws_param_value(&p);
    *info_len = hws_param_value_len(&p);
    return true;
}

bool hws_heartbeat_encode(struct hws_builder *b, uint8_t type, const void *info, uint32_t info_len)
{
    if (!hws_builder_open(b, type, 0))
        return false;
    uint8_t *v = hws_builder_tlv(b, HWS_PARAM_HEARTBEAT_INFO, info_len);
    if (v != NULL && info_len != 0)
        memcpy(v, info, info_len);
    return hws_builder_close(b);
}

bool hws_pad_encode(struct hws_builder *b)
{
    uint32_t value_len = hws_builder_room(b);
    uint8_t *v = hws_builder_chunk(b, HWS_CHUNK_PAD, 0, value_len);
    if (v == NULL)
        return false;
    memset(v, 0, value_len);
    return true;
}

bool hws_chunk_put(struct hws_builder *b, uint8_t type, uint8_t flags, const void *value,
                   uint32_t value_len)
{
    uint8_t *v = hws_builder_chunk(b, type, flags, value_len);
    if (v == NULL)
        return false;
    if (value_len != 0)
        memcpy(v, value, value_len);
    return true;
}
