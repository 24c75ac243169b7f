/* How chunks, parameters and error causes lie in a packet (RFC 9260, 3.3), as tables. */
#include <stdio.h>
#include <string.h>

#include "proto/cause.h"
#include "proto/chunk.h"
#include "proto/param.h"
#include "tests/script/pattern.h"

#define INIT_FIELDS                                                                                \
    {                                                                                              \
        {"tag", 0, 4, "$peer_tag"}, {"rwnd", 4, 4, "$peer_rwnd"}, {"os", 8, 2, "$peer_os"},        \
            {"mis", 10, 2, "$peer_mis"}, {"tsn", 12, 4, "$peer_tsn"},                              \
    }

static const struct layout chunks[] = {
    {HWS_CHUNK_DATA,
     TAIL_BYTES,
     "data",
     "EBUI",
     0,
     12,
     {{"tsn", 0, 4, NULL}, {"sid", 4, 2, "0"}, {"ssn", 6, 2, "0"}, {"ppid", 8, 4, "0"}}},
    {HWS_CHUNK_INIT, TAIL_PARAMS, "params", NULL, 0, 16, INIT_FIELDS},
    {HWS_CHUNK_INIT_ACK, TAIL_PARAMS, "params", NULL, 0, 16, INIT_FIELDS},
    {HWS_CHUNK_SACK,
     TAIL_SACK,
     NULL,
     NULL,
     0,
     8,
     {{"cum", 0, 4, NULL}, {"rwnd", 4, 4, "$peer_rwnd"}}},
    {HWS_CHUNK_HEARTBEAT, TAIL_INFO, "info", NULL, 0, 0, {{0}}},
    {HWS_CHUNK_HEARTBEAT_ACK, TAIL_INFO, "info", NULL, 0, 0, {{0}}},
    {HWS_CHUNK_ABORT, TAIL_CAUSES, "causes", "T", 0x01, 0, {{0}}},
    {HWS_CHUNK_SHUTDOWN, TAIL_NONE, NULL, NULL, 0, 4, {{"cum", 0, 4, NULL}}},
    {HWS_CHUNK_SHUTDOWN_ACK, TAIL_NONE, NULL, NULL, 0, 0, {{0}}},
    {HWS_CHUNK_ERROR, TAIL_CAUSES, "causes", NULL, 0, 0, {{0}}},
    {HWS_CHUNK_COOKIE_ECHO, TAIL_BYTES, "cookie", NULL, 0, 0, {{0}}},
    {HWS_CHUNK_COOKIE_ACK, TAIL_NONE, NULL, NULL, 0, 0, {{0}}},
    {HWS_CHUNK_SHUTDOWN_COMPLETE, TAIL_NONE, NULL, "T", 0x01, 0, {{0}}},
};

static const struct layout params[] = {
    {HWS_PARAM_IPV4, TAIL_ADDR, NULL, NULL, 0, 0, {{0}}},
    {HWS_PARAM_IPV6, TAIL_ADDR, NULL, NULL, 0, 0, {{0}}},
    {HWS_PARAM_UNRECOGNIZED, TAIL_PARAMS, NULL, NULL, 0, 0, {{0}}},
    {HWS_PARAM_COOKIE_PRESERVATIVE, TAIL_NONE, NULL, NULL, 0, 4, {{"increment-ms", 0, 4, NULL}}},
    {HWS_PARAM_ADAPTATION, TAIL_NONE, NULL, NULL, 0, 4, {{"indication", 0, 4, NULL}}},
    {HWS_PARAM_SUPPORTED_ADDRESSES, TAIL_TYPES, NULL, NULL, 0, 0, {{0}}},
};

static const struct layout causes[] = {
    {HWS_CAUSE_INVALID_STREAM, TAIL_NONE, NULL, NULL, 0, 4, {{"sid", 0, 2, NULL}}},
    {HWS_CAUSE_MISSING_PARAM, TAIL_COUNTED_TYPES, NULL, NULL, 0, 0, {{0}}},
    {HWS_CAUSE_STALE_COOKIE, TAIL_NONE, NULL, NULL, 0, 4, {{"staleness-us", 0, 4, NULL}}},
    {HWS_CAUSE_OUT_OF_RESOURCE, TAIL_NONE, NULL, NULL, 0, 0, {{0}}},
    {HWS_CAUSE_UNRESOLVABLE_ADDRESS, TAIL_PARAMS, NULL, NULL, 0, 0, {{0}}},
    {HWS_CAUSE_UNRECOGNIZED_CHUNK, TAIL_CHUNKS, NULL, NULL, 0, 0, {{0}}},
    {HWS_CAUSE_INVALID_PARAM, TAIL_NONE, NULL, NULL, 0, 0, {{0}}},
    {HWS_CAUSE_UNRECOGNIZED_PARAMS, TAIL_PARAMS, NULL, NULL, 0, 0, {{0}}},
    {HWS_CAUSE_NO_USER_DATA, TAIL_NONE, NULL, NULL, 0, 4, {{"tsn", 0, 4, NULL}}},
    {HWS_CAUSE_COOKIE_IN_SHUTDOWN, TAIL_NONE, NULL, NULL, 0, 0, {{0}}},
    {HWS_CAUSE_RESTART_NEW_ADDRESSES, TAIL_PARAMS, NULL, NULL, 0, 0, {{0}}},
};

/* For what the tables do not have: a value of any bytes. */
static const struct layout opaque = {0};

/* What the three kinds of elements differ in. */
static const struct {
    const char *noun, *prefix;
    uint32_t type_max;
    const struct layout *layouts;
    size_t count;
} kinds[] = {
    [ELEMENT_CHUNK] = {"chunk", "CHUNK-", 255, chunks, sizeof chunks / sizeof chunks[0]},
    [ELEMENT_PARAM] = {"parameter", "Parameter-", 65535, params, sizeof params / sizeof params[0]},
    [ELEMENT_CAUSE] = {"error cause", "Cause-", 65535, causes, sizeof causes / sizeof causes[0]},
};

const struct layout *layout_find(enum element_kind kind, uint16_t type)
{
    for (size_t i = 0; i < kinds[kind].count; i++)
        if (kinds[kind].layouts[i].type == type)
            return &kinds[kind].layouts[i];
    return &opaque;
}

static const char *type_name(enum element_kind kind, uint16_t type)
{
    if (kind == ELEMENT_CHUNK)
        return hws_chunk_name((uint8_t)type);
    return kind == ELEMENT_PARAM ? hws_param_name(type) : hws_cause_name(type);
}

const char *layout_name(struct script *s, enum element_kind kind, uint16_t type)
{
    const char *known = type_name(kind, type);
    char text[32];
    if (known != NULL)
        return known;
    int len = snprintf(text, sizeof text, kind == ELEMENT_PARAM ? "%s0x%04x" : "%s%u",
                       kinds[kind].prefix, (unsigned)type);
    return script_copy_text(s, text, (size_t)len);
}

uint16_t layout_type(struct script *s, enum element_kind kind, const char *name)
{
    size_t prefix_len = strlen(kinds[kind].prefix);
    if (strncmp(name, kinds[kind].prefix, prefix_len) == 0) {
        struct scan number = {s, name + prefix_len};
        uint16_t type = (uint16_t)scan_number_upto(&number, kinds[kind].type_max);
        scan_expect_end(&number);
        return type;
    }
    for (uint32_t type = 0; type <= kinds[kind].type_max; type++) {
        const char *known = type_name(kind, (uint16_t)type);
        if (known != NULL && strcmp(known, name) == 0)
            return (uint16_t)type;
    }
    script_fail(s, "no %s is called %s", kinds[kind].noun, name);
}
