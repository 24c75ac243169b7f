/* A packet as a script writes it: to be built, or to be compared with one that came. */
#ifndef HWS_TESTS_SCRIPT_PATTERN_H
#define HWS_TESTS_SCRIPT_PATTERN_H

#include "proto/tlv.h"
#include "tests/script/scan.h"

#define PATTERN_FIELDS_MAX 5u
#define PATTERN_ARRAY_MAX 64u

enum element_kind {
    ELEMENT_CHUNK,
    ELEMENT_PARAM,
    ELEMENT_CAUSE,
    ELEMENT_RAW, /* hex(..) in place of an element */
    ELEMENT_REST /* "...": any elements, or none */
};

/* What follows the fixed fields of an element. */
enum tail_kind {
    TAIL_BYTES,
    TAIL_NONE,
    TAIL_PARAMS,        /* a list of parameters */
    TAIL_CAUSES,        /* a list of error causes */
    TAIL_CHUNKS,        /* a list of chunks */
    TAIL_SACK,          /* gaps and duplicates with their counts */
    TAIL_INFO,          /* bytes within a Heartbeat Info parameter */
    TAIL_ADDR,          /* an address */
    TAIL_TYPES,         /* parameter types */
    TAIL_COUNTED_TYPES, /* parameter types after their number */
};

/* A fixed field: where it lies in the value, and what it is when an injected chunk does not say. */
struct field {
    const char *name;
    uint8_t offset, width;
    const char *initial; /* an expression; NULL: has to be given */
};

/* How an element of one type is written and laid out. */
struct layout {
    uint16_t type;
    enum tail_kind tail;
    const char *tail_name; /* "cookie=", "params=" ...; NULL: stands without a name */
    const char *letters;   /* flags, from the lowest bit; NULL: none have letters */
    uint8_t exact_letters; /* flags that an expected chunk has only when they are written */
    uint8_t fixed_len;     /* bytes of value before the tail */
    struct field fields[PATTERN_FIELDS_MAX];
};

struct element {
    enum element_kind kind;
    struct element *next;
    uint16_t type;
    const char *name;
    const struct layout *layout;
    struct condition fields[PATTERN_FIELDS_MAX];
    struct condition flags;    /* flags=N */
    struct condition length;   /* length=N: the length field, whatever the contents */
    struct condition tail;     /* bytes */
    struct condition tail_len; /* len=N */
    uint8_t letters;           /* flags written as letters */
    bool letters_given, list_given, gaps_given, dups_given;
    struct element *list;
    struct hws_addr addr;
    uint32_t count, dup_count;         /* of types or gaps; of duplicates */
    uint32_t array[PATTERN_ARRAY_MAX]; /* types; gap starts */
    uint32_t ends[PATTERN_ARRAY_MAX];  /* gap ends */
    uint32_t dups[PATTERN_ARRAY_MAX];
};

struct pattern {
    struct condition vtag, sport, dport, size, may_fragment;
    struct condition cut; /* injected: bytes that arrive */
    bool from_given, to_given, wrong_checksum;
    struct hws_addr from, to;
    struct element *chunks;
};

/** The layout of chunk, parameter or cause `type`; one with a value of bytes for those unknown. */
const struct layout *layout_find(enum element_kind kind, uint16_t type);
/** The type that is called `name` ("INIT", "CHUNK-63", "Cause-99", "Parameter-0xc001"). Fails when
 * there is none. */
uint16_t layout_type(struct script *s, enum element_kind kind, const char *name);

/** The name of a type: the other way round. */
const char *layout_name(struct script *s, enum element_kind kind, uint16_t type);

/** Takes a packet from the line. `expected`: it is compared, not built. */
void pattern_scan(struct scan *c, bool expected, struct pattern *out);

/** Builds the packet; returns its length. `out` has room for HWS_PACKET_MAX_LEN bytes. */
uint32_t pattern_build(struct script *s, const struct pattern *p, uint8_t *out);

/** Whether the packet matches; when not, the script's reason says why. Captures. */
bool pattern_match(struct script *s, const struct pattern *p, const struct world_packet *packet);

#endif
