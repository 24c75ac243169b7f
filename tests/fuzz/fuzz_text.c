/* libFuzzer target: any bytes as a packet, through the text form and every decoder. Reading beyond
 * a checked view is for the sanitizers to see; the text must always end within its room. */
#include <stdlib.h>
#include <string.h>

#include "proto/cause.h"
#include "proto/chunk.h"
#include "proto/param.h"
#include "proto/text.h"

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

static volatile uint32_t sink; /* keeps the compiler from leaving the reads out */

static void touch(const uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        sink += bytes[i];
}

static void read_params(const uint8_t *bytes, uint32_t len)
{
    struct hws_tlv_iter it = hws_tlv_begin(bytes, len);
    struct hws_tlv p;
    while (hws_tlv_next(&it, &p)) {
        struct hws_addr addr;
        uint32_t increment_ms;
        unsigned bits;
        touch(p.bytes, p.len);
        sink += hws_param_len_ok(&p);
        sink += hws_param_addr(&p, &addr);
        sink += hws_param_cookie_preservative(&p, &increment_ms);
        sink += hws_param_supported_addresses(&p, &bits);
    }
}

static void read_causes(const uint8_t *bytes, uint32_t len)
{
    struct hws_tlv_iter it = hws_tlv_begin(bytes, len);
    struct hws_tlv c;
    while (hws_tlv_next(&it, &c)) {
        uint16_t sid, types[4];
        uint32_t value;
        touch(c.bytes, c.len);
        sink += hws_cause_invalid_stream(&c, &sid);
        sink += hws_cause_stale_cookie(&c, &value);
        sink += hws_cause_no_user_data(&c, &value);
        sink += (uint32_t)hws_cause_missing_param(&c, types, 4);
    }
}

static void read_sack(const struct hws_tlv *chunk)
{
    struct hws_sack sack;
    if (!hws_sack_decode(chunk, &sack))
        return;
    for (uint32_t i = 0; i < sack.gap_count; i++)
        sink += hws_sack_gap(&sack, i).start;
    for (uint32_t i = 0; i < sack.dup_count; i++)
        sink += hws_sack_dup(&sack, i);
}

/* Every decoder sees every chunk, whatever its type. */
static void read_chunk(const struct hws_tlv *chunk)
{
    struct hws_data data;
    struct hws_init init;
    const uint8_t *info;
    uint32_t value;
    touch(chunk->bytes, chunk->len);
    if (hws_data_decode(chunk, &data))
        touch(data.payload, data.payload_len);
    if (hws_init_decode(chunk, &init))
        read_params(init.params, init.params_len);
    read_sack(chunk);
    sink += hws_shutdown_decode(chunk, &value);
    if (hws_heartbeat_decode(chunk, &info, &value))
        touch(info, value);
    read_causes(hws_chunk_value(chunk), hws_chunk_value_len(chunk));
}

static void write_text(const struct hws_tlv *chunk, size_t cap)
{
    char *text = malloc(cap);
    MUST(text != NULL);
    size_t len = hws_text_chunk(text, cap, chunk);
    MUST(len < cap && text[len] == 0);
    MUST(memchr(text, '\n', len) == NULL);
    free(text);
}

static void write_packet(const uint8_t *data, uint32_t size, size_t cap)
{
    char *text = malloc(cap);
    MUST(text != NULL);
    size_t len = hws_text_packet(text, cap, data, size);
    MUST(len < cap && text[len] == 0);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65535)
        return 0;
    write_packet(data, (uint32_t)size, HWS_TEXT_MAX);
    write_packet(data, (uint32_t)size, 1 + size % 64);
    struct hws_header header;
    if (!hws_header_read(data, (uint32_t)size, &header))
        return 0;
    struct hws_tlv_iter it = hws_packet_chunks(data, (uint32_t)size);
    struct hws_tlv chunk;
    while (hws_tlv_next(&it, &chunk)) {
        read_chunk(&chunk);
        write_text(&chunk, HWS_TEXT_MAX);
        write_text(&chunk, 1 + size % 64);
    }
    return 0;
}
