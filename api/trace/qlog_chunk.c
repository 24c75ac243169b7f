#include "api/trace/qlog_chunk.h"

#include "proto/addr.h"
#include "proto/cause.h"
#include "proto/chunk.h"
#include "proto/param.h"

/* What an extension says of a chunk, cut there. */
#define CONTENTS_MAX_BYTES 256u

/* ---- Lists within chunks ---- */

typedef const char *name_fn(const struct hws_text_names *names, uint16_t number);

static const char *param_name(const struct hws_text_names *names, uint16_t type)
{
    const char *name = hws_param_name(type);
    return name == NULL && names != NULL ? names->param(names->arg, type) : name;
}

static const char *cause_name(const struct hws_text_names *names, uint16_t code)
{
    const char *name = hws_cause_name(code);
    return name == NULL && names != NULL ? names->cause(names->arg, code) : name;
}

/* A list of parameters or causes: each with its number, its name where it has one, its length. */
static void write_list(struct hws_json *json, const char *key, const uint8_t *bytes, uint32_t len,
                       const struct hws_text_names *names, name_fn *name_of)
{
    struct hws_tlv_iter it = hws_tlv_begin(bytes, len);
    struct hws_tlv element;
    hws_json_array(json, key);
    while (hws_tlv_next(&it, &element)) {
        const char *name = name_of(names, element.type);
        hws_json_object(json, NULL);
        hws_json_uint(json, "type", element.type);
        if (name != NULL)
            hws_json_text(json, "name", name);
        hws_json_uint(json, "length", element.len);
        hws_json_object_end(json);
    }
    hws_json_array_end(json);
    if (it.malformed)
        hws_json_bool(json, "malformed", true);
}

static void write_gaps(struct hws_json *json, const struct hws_sack *sack)
{
    hws_json_array(json, "gaps");
    for (uint32_t i = 0; i < sack->gap_count; i++) {
        struct hws_gap gap = hws_sack_gap(sack, i);
        hws_json_array(json, NULL);
        hws_json_uint(json, NULL, (uint32_t)(sack->cum_tsn + gap.start));
        hws_json_uint(json, NULL, (uint32_t)(sack->cum_tsn + gap.end));
        hws_json_array_end(json);
    }
    hws_json_array_end(json);
}

/* ---- Chunks: each writes its members, or answers that it is malformed ---- */

static bool write_data(struct hws_json *json, const struct hws_tlv *chunk)
{
    struct hws_data data;
    if (!hws_data_decode(chunk, &data))
        return false;
    hws_json_uint(json, "tsn", data.tsn);
    hws_json_uint(json, "stream_id", data.sid);
    hws_json_uint(json, "stream_sequence_number", data.ssn);
    hws_json_uint(json, "payload_protocol_id", data.ppid);
    hws_json_bool(json, "unordered", data.flags & HWS_DATA_U);
    hws_json_bool(json, "beginning", data.flags & HWS_DATA_B);
    hws_json_bool(json, "ending", data.flags & HWS_DATA_E);
    hws_json_bool(json, "sack_immediately", data.flags & HWS_DATA_I);
    return true;
}

static bool write_init(struct hws_json *json, const struct hws_tlv *chunk,
                       const struct hws_text_names *names)
{
    struct hws_init init;
    if (!hws_init_decode(chunk, &init))
        return false;
    hws_json_uint(json, "initiate_tag", init.tag);
    hws_json_uint(json, "a_rwnd", init.a_rwnd);
    hws_json_uint(json, "outbound_streams", init.ostreams);
    hws_json_uint(json, "inbound_streams", init.max_instreams);
    hws_json_uint(json, "initial_tsn", init.tsn);
    write_list(json, "parameters", init.params, init.params_len, names, param_name);
    return true;
}

static bool write_sack(struct hws_json *json, const struct hws_tlv *chunk)
{
    struct hws_sack sack;
    if (!hws_sack_decode(chunk, &sack))
        return false;
    hws_json_uint(json, "cumulative_tsn", sack.cum_tsn);
    hws_json_uint(json, "a_rwnd", sack.a_rwnd);
    write_gaps(json, &sack);
    hws_json_array(json, "duplicates");
    for (uint32_t i = 0; i < sack.dup_count; i++)
        hws_json_uint(json, NULL, hws_sack_dup(&sack, i));
    hws_json_array_end(json);
    return true;
}

static bool write_shutdown(struct hws_json *json, const struct hws_tlv *chunk)
{
    uint32_t cum_tsn;
    if (!hws_shutdown_decode(chunk, &cum_tsn))
        return false;
    hws_json_uint(json, "cumulative_tsn", cum_tsn);
    return true;
}

static bool write_causes(struct hws_json *json, const struct hws_tlv *chunk,
                         const struct hws_text_names *names)
{
    if (hws_chunk_type(chunk) == HWS_CHUNK_ABORT)
        hws_json_bool(json, "tag_reflected", hws_chunk_flags(chunk) & HWS_FLAG_T);
    write_list(json, "causes", hws_chunk_value(chunk), hws_chunk_value_len(chunk), names,
               cause_name);
    return true;
}

static bool write_members(struct hws_json *json, const struct hws_tlv *chunk,
                          const struct hws_text_names *names)
{
    switch (hws_chunk_type(chunk)) {
    case HWS_CHUNK_DATA:
        return write_data(json, chunk);
    case HWS_CHUNK_INIT:
    case HWS_CHUNK_INIT_ACK:
        return write_init(json, chunk, names);
    case HWS_CHUNK_SACK:
        return write_sack(json, chunk);
    case HWS_CHUNK_SHUTDOWN:
        return write_shutdown(json, chunk);
    case HWS_CHUNK_ABORT:
    case HWS_CHUNK_ERROR:
        return write_causes(json, chunk, names);
    default:
        return true;
    }
}

/* One that the RFCs do not have: an extension may know it. */
static void write_foreign(struct hws_json *json, const struct hws_tlv *chunk,
                          const struct hws_text_names *names)
{
    char contents[CONTENTS_MAX_BYTES];
    uint8_t type = hws_chunk_type(chunk);
    const char *name = names != NULL ? names->chunk(names->arg, type) : NULL;
    hws_json_text(json, "chunk_type", name != NULL ? name : "unknown");
    hws_json_uint(json, "type", type);
    hws_json_uint(json, "length", chunk->len);
    if (name != NULL && names->contents(names->arg, chunk, contents, sizeof(contents)) >= 0)
        hws_json_text(json, "contents", contents);
}

static void write_chunk(struct hws_json *json, const struct hws_tlv *chunk,
                        const struct hws_text_names *names)
{
    const char *name = hws_chunk_name(hws_chunk_type(chunk));
    hws_json_object(json, NULL);
    if (name == NULL) {
        write_foreign(json, chunk, names);
    } else {
        hws_json_text(json, "chunk_type", name);
        hws_json_uint(json, "length", chunk->len);
        if (!write_members(json, chunk, names))
            hws_json_bool(json, "malformed", true);
    }
    hws_json_object_end(json);
}

/* ---- Packets ---- */

void hws_qlog_write_header(struct hws_json *json, const uint8_t *packet, uint32_t len)
{
    struct hws_header header;
    if (!hws_header_read(packet, len, &header))
        return;
    hws_json_object(json, "header");
    hws_json_uint(json, "source_port", header.src_port);
    hws_json_uint(json, "destination_port", header.dst_port);
    hws_json_uint(json, "verification_tag", header.vtag);
    hws_json_object_end(json);
}

void hws_qlog_write_chunks(struct hws_json *json, const uint8_t *packet, uint32_t len,
                           const struct hws_text_names *names)
{
    struct hws_header header;
    struct hws_tlv chunk;
    hws_qlog_write_header(json, packet, len);
    hws_json_array(json, "chunks");
    struct hws_tlv_iter it = {.malformed = true};
    if (hws_header_read(packet, len, &header))
        it = hws_packet_chunks(packet, len);
    while (hws_tlv_next(&it, &chunk))
        write_chunk(json, &chunk, names);
    hws_json_array_end(json);
    if (it.malformed)
        hws_json_bool(json, "malformed", true);
}
