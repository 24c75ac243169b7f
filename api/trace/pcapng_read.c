#include "api/trace/pcapng_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/trace/linktype.h"
#include "proto/bytes.h"

#define BLOCK_SECTION_HEADER 0x0a0d0d0au /* the same in either byte order */
#define BLOCK_INTERFACE 1u
#define BLOCK_SIMPLE_PACKET 3u
#define BLOCK_ENHANCED_PACKET 6u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define BYTE_ORDER_MAGIC_SWAPPED 0x4d3c2b1au
#define BLOCK_OVERHEAD 12u        /* type, length, length again */
#define BLOCK_MAX_BYTES 0x800000u /* of those that are looked into */
#define INTERFACES_MAX 1024u
#define INTERFACE_LEN 8u
#define ENHANCED_LEN 20u
#define OPTION_END 0u
#define OPTION_FLAGS 2u      /* of a packet */
#define OPTION_RESOLUTION 9u /* of an interface: of its times */
#define OPTION_TIME_OFFSET 14u
#define RESOLUTION_BINARY 0x80u
#define RESOLUTION_US 6u /* 10^-6 s */
#define FLAGS_WAY_MASK 3u

struct interface {
    uint16_t linktype;
    uint32_t snap_len;  /* 0: packets are whole */
    uint8_t resolution; /* as the option has it */
    uint64_t offset_s;
};

struct hws_pcapng_reader {
    FILE *file;
    bool swapped;    /* the section's byte order is not this machine's */
    uint64_t offset; /* in the file, of the block */
    uint64_t next;   /* of the block behind it */
    uint64_t unknown;
    struct interface interfaces[INTERFACES_MAX];
    uint32_t interface_count;
    uint32_t len; /* of the block's body */
    uint8_t *body;
};

static uint16_t swap16(uint32_t value)
{
    return (uint16_t)((value >> 8 | value << 8) & 0xffffu);
}

static uint32_t swap32(uint32_t value)
{
    return value >> 24 | (value >> 8 & 0xff00u) | (value << 8 & 0xff0000u) | value << 24;
}

static uint32_t get32(const struct hws_pcapng_reader *reader, const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return reader->swapped ? swap32(value) : value;
}

static uint16_t get16(const struct hws_pcapng_reader *reader, const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof(value));
    return reader->swapped ? swap16(value) : value;
}

static int damaged(const struct hws_pcapng_reader *reader, const char *what,
                   char error[HWS_PCAPNG_ERROR_MAX])
{
    snprintf(error, HWS_PCAPNG_ERROR_MAX, "the block at byte %" PRIu64 " %s", reader->offset, what);
    return -EPROTO;
}

/* Less could be read than a block has. */
static int cut_short(const struct hws_pcapng_reader *reader, char error[HWS_PCAPNG_ERROR_MAX])
{
    int reason = errno;
    if (!ferror(reader->file))
        return damaged(reader, "ends early", error);
    snprintf(error, HWS_PCAPNG_ERROR_MAX, "cannot be read on from byte %" PRIu64 ": %s",
             reader->offset, strerror(reason));
    return -EIO;
}

/* ---- Blocks ---- */

/* Looks at a section's byte order and comes back to where the block's body begins. */
static int read_byte_order(struct hws_pcapng_reader *reader, char error[HWS_PCAPNG_ERROR_MAX])
{
    uint32_t magic;
    if (fread(&magic, sizeof(magic), 1, reader->file) != 1)
        return cut_short(reader, error);
    if (magic != BYTE_ORDER_MAGIC && magic != BYTE_ORDER_MAGIC_SWAPPED)
        return damaged(reader, "is no section header of pcapng", error);
    reader->swapped = magic == BYTE_ORDER_MAGIC_SWAPPED;
    reader->interface_count = 0;
    return 0;
}

static bool skip_bytes(struct hws_pcapng_reader *reader, uint32_t len)
{
    uint8_t scrap[4096];
    while (len > 0) {
        size_t part = len < sizeof(scrap) ? len : sizeof(scrap);
        if (fread(scrap, part, 1, reader->file) != 1)
            return false;
        len -= (uint32_t)part;
    }
    return true;
}

static bool is_read(uint32_t type)
{
    return type == BLOCK_INTERFACE || type == BLOCK_SIMPLE_PACKET || type == BLOCK_ENHANCED_PACKET;
}

/* What is between the type with the length and the length again; `done` bytes have been read. */
static int read_body(struct hws_pcapng_reader *reader, uint32_t type, uint32_t done,
                     char error[HWS_PCAPNG_ERROR_MAX])
{
    uint8_t again[4];
    reader->len -= done;
    if (!is_read(type)) {
        if (!skip_bytes(reader, reader->len))
            return cut_short(reader, error);
    } else if (reader->len > BLOCK_MAX_BYTES) {
        return damaged(reader, "is longer than 8 MiB", error);
    } else {
        uint8_t *body = realloc(reader->body, reader->len + 1u);
        if (body == NULL)
            return -ENOMEM;
        reader->body = body;
        if (fread(body, 1, reader->len, reader->file) != reader->len)
            return cut_short(reader, error);
    }
    if (fread(again, sizeof(again), 1, reader->file) != 1)
        return cut_short(reader, error);
    if (get32(reader, again) != reader->len + done + BLOCK_OVERHEAD)
        return damaged(reader, "has two lengths that differ", error);
    return 0;
}

/* Reads the rest of a block whose type has been read. */
static int read_rest(struct hws_pcapng_reader *reader, uint32_t type,
                     char error[HWS_PCAPNG_ERROR_MAX])
{
    uint8_t head[4];
    uint32_t done = 0;
    if (fread(head, sizeof(head), 1, reader->file) != 1)
        return cut_short(reader, error);
    if (type == BLOCK_SECTION_HEADER) {
        int rc = read_byte_order(reader, error);
        if (rc < 0)
            return rc;
        done = sizeof(uint32_t);
    }
    uint32_t len = get32(reader, head);
    if (len < BLOCK_OVERHEAD + done || len % 4 != 0)
        return damaged(reader, "has a length that cannot be", error);
    reader->len = len - BLOCK_OVERHEAD;
    reader->next = reader->offset + len;
    return read_body(reader, type, done, error);
}

/* 1: a block, whose body is there when it is one that is looked into. 0: the file is at its end. */
static int read_block(struct hws_pcapng_reader *reader, uint32_t *type,
                      char error[HWS_PCAPNG_ERROR_MAX])
{
    uint8_t head[4];
    reader->offset = reader->next;
    size_t got = fread(head, 1, sizeof(head), reader->file);
    if (got == 0 && feof(reader->file))
        return 0;
    if (got < sizeof(head))
        return cut_short(reader, error);
    *type = get32(reader, head);
    int rc = read_rest(reader, *type, error);
    return rc == 0 ? 1 : rc;
}

/* ---- Options ---- */

/* The value of an option that has `len` bytes, or NULL. Options begin at `at`. */
static const uint8_t *find_option(const struct hws_pcapng_reader *reader, uint32_t at,
                                  uint16_t code, uint16_t len)
{
    while (at <= reader->len && reader->len - at >= 4) {
        uint16_t this_code = get16(reader, reader->body + at);
        uint16_t this_len = get16(reader, reader->body + at + 2);
        if (this_code == OPTION_END || hws_pad4(this_len) > reader->len - at - 4)
            return NULL;
        if (this_code == code && this_len == len)
            return reader->body + at + 4;
        at += 4 + hws_pad4(this_len);
    }
    return NULL;
}

static int add_interface(struct hws_pcapng_reader *reader, char error[HWS_PCAPNG_ERROR_MAX])
{
    if (reader->len < INTERFACE_LEN)
        return damaged(reader, "describes an interface and is too short", error);
    if (reader->interface_count == INTERFACES_MAX)
        return damaged(reader, "describes the 1025th interface; 1024 can be read", error);
    struct interface *interface = &reader->interfaces[reader->interface_count++];
    const uint8_t *resolution = find_option(reader, INTERFACE_LEN, OPTION_RESOLUTION, 1);
    const uint8_t *offset = find_option(reader, INTERFACE_LEN, OPTION_TIME_OFFSET, 8);
    interface->linktype = get16(reader, reader->body);
    interface->snap_len = get32(reader, reader->body + 4);
    interface->resolution = resolution != NULL ? *resolution : RESOLUTION_US;
    interface->offset_s = 0;
    if (offset != NULL) {
        uint32_t first = get32(reader, offset), second = get32(reader, offset + 4);
        bool low_first = reader->swapped != (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
        interface->offset_s =
            low_first ? (uint64_t)second << 32 | first : (uint64_t)first << 32 | second;
    }
    return 0;
}

/* ---- Packets ---- */

static uint64_t decimal_us(uint64_t time, uint32_t digits)
{
    for (; digits > RESOLUTION_US; digits--)
        time /= 10;
    for (; digits < RESOLUTION_US; digits++)
        time *= 10;
    return time;
}

/* In units of 2^-bits s. Of the fraction 32 bits are kept. */
static uint64_t binary_us(uint64_t time, uint32_t bits)
{
    if (bits >= 64)
        return 0;
    uint64_t fraction = time & ((UINT64_C(1) << bits) - 1);
    uint64_t us =
        bits > 32 ? (fraction >> (bits - 32)) * 1000000u >> 32 : fraction * 1000000u >> bits;
    return (time >> bits) * 1000000u + us;
}

static uint64_t time_us(const struct interface *interface, uint64_t time)
{
    uint32_t exponent = interface->resolution & ~RESOLUTION_BINARY;
    uint64_t us = (interface->resolution & RESOLUTION_BINARY) != 0 ? binary_us(time, exponent)
                                                                   : decimal_us(time, exponent);
    return us + interface->offset_s * 1000000u;
}

static int bad_packet(const struct hws_pcapng_reader *reader, char error[HWS_PCAPNG_ERROR_MAX])
{
    return damaged(reader, "has a packet that is longer than the block, or of no interface", error);
}

static int read_enhanced(struct hws_pcapng_reader *reader, struct hws_capture_ip *ip,
                         const struct interface **interface, char error[HWS_PCAPNG_ERROR_MAX])
{
    if (reader->len < ENHANCED_LEN)
        return bad_packet(reader, error);
    uint32_t index = get32(reader, reader->body), len = get32(reader, reader->body + 12);
    if (index >= reader->interface_count || len > reader->len - ENHANCED_LEN)
        return bad_packet(reader, error);
    const uint8_t *flags =
        find_option(reader, ENHANCED_LEN + hws_pad4(len), OPTION_FLAGS, sizeof(uint32_t));
    uint64_t time =
        (uint64_t)get32(reader, reader->body + 4) << 32 | get32(reader, reader->body + 8);
    *interface = &reader->interfaces[index];
    ip->unix_us = time_us(*interface, time);
    ip->data = reader->body + ENHANCED_LEN;
    ip->len = len;
    ip->wire_len = get32(reader, reader->body + 16);
    uint32_t way = flags != NULL ? get32(reader, flags) & FLAGS_WAY_MASK : 0;
    ip->way = way == FLAGS_WAY_MASK ? HWS_CAPTURE_WAY_UNKNOWN : (enum hws_capture_way)way;
    return 0;
}

/* Has no time. Its length is what the packet had, unless the interface cut it. */
static int read_simple(struct hws_pcapng_reader *reader, struct hws_capture_ip *ip,
                       const struct interface **interface, char error[HWS_PCAPNG_ERROR_MAX])
{
    if (reader->len < 4 || reader->interface_count == 0)
        return bad_packet(reader, error);
    *interface = &reader->interfaces[0];
    uint32_t snap_len = (*interface)->snap_len;
    ip->wire_len = get32(reader, reader->body);
    ip->len = snap_len != 0 && snap_len < ip->wire_len ? snap_len : ip->wire_len;
    ip->data = reader->body + 4;
    return ip->len > reader->len - 4 ? bad_packet(reader, error) : 0;
}

/* 1: an IP packet; 0: something else. */
static int read_packet(struct hws_pcapng_reader *reader, uint32_t type, struct hws_capture_ip *ip,
                       char error[HWS_PCAPNG_ERROR_MAX])
{
    const struct interface *interface;
    *ip = (struct hws_capture_ip){.way = HWS_CAPTURE_WAY_UNKNOWN};
    int rc = type == BLOCK_ENHANCED_PACKET ? read_enhanced(reader, ip, &interface, error)
                                           : read_simple(reader, ip, &interface, error);
    if (rc < 0)
        return rc;
    if (!hws_linktype_known(interface->linktype)) {
        reader->unknown++;
        return 0;
    }
    return hws_linktype_strip(interface->linktype, ip) ? 1 : 0;
}

int hws_pcapng_reader_next(struct hws_pcapng_reader *reader, struct hws_capture_ip *ip,
                           char error[HWS_PCAPNG_ERROR_MAX])
{
    for (;;) {
        uint32_t type = 0;
        int rc = read_block(reader, &type, error);
        if (rc <= 0)
            return rc;
        if (type == BLOCK_INTERFACE)
            rc = add_interface(reader, error);
        else if (type == BLOCK_ENHANCED_PACKET || type == BLOCK_SIMPLE_PACKET)
            rc = read_packet(reader, type, ip, error);
        else
            rc = 0;
        if (rc != 0)
            return rc;
    }
}

/* ---- The file ---- */

static bool is_pcap(uint32_t magic)
{
    return magic == 0xa1b2c3d4u || magic == 0xd4c3b2a1u || magic == 0xa1b23c4du ||
           magic == 0x4d3cb2a1u;
}

/* The first block says what the file is. */
static int read_first_block(struct hws_pcapng_reader *reader, char error[HWS_PCAPNG_ERROR_MAX])
{
    uint32_t magic = 0;
    if (fread(&magic, sizeof(magic), 1, reader->file) == 1 && magic == BLOCK_SECTION_HEADER)
        return read_rest(reader, magic, error);
    if (ferror(reader->file))
        return cut_short(reader, error);
    snprintf(error, HWS_PCAPNG_ERROR_MAX, "%s",
             is_pcap(magic)
                 ? "is of the older format pcap; \"editcap -F pcapng OLD NEW\" converts it"
                 : "is no capture file of the format pcapng");
    return -EPROTO;
}

int hws_pcapng_reader_open(const char *path, struct hws_pcapng_reader **out,
                           char error[HWS_PCAPNG_ERROR_MAX])
{
    struct hws_pcapng_reader *reader = calloc(1, sizeof(*reader));
    int rc = reader == NULL ? -ENOMEM : 0;
    if (rc == 0) {
        reader->file = fopen(path, "rbe");
        rc = reader->file == NULL ? -errno : 0;
    }
    if (rc < 0)
        snprintf(error, HWS_PCAPNG_ERROR_MAX, "cannot be read: %s", strerror(-rc));
    else
        rc = read_first_block(reader, error);
    if (rc == 0)
        *out = reader;
    else
        hws_pcapng_reader_close(reader);
    return rc;
}

uint64_t hws_pcapng_reader_unknown(const struct hws_pcapng_reader *reader)
{
    return reader->unknown;
}

void hws_pcapng_reader_close(struct hws_pcapng_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->file != NULL)
        fclose(reader->file);
    free(reader->body);
    free(reader);
}
