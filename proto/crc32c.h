/* CRC32c (Castagnoli), SCTP's checksum: RFC 9260 section 6.8 and appendix A. */
#ifndef HWS_PROTO_CRC32C_H
#define HWS_PROTO_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/** One way to compute the CRC. */
struct hws_crc32c_impl {
    const char *name;
    /** Continues `crc` (start with 0xffffffff, no final inversion) over `len` bytes. */
    uint32_t (*update)(uint32_t crc, const uint8_t *data, size_t len);
    /** Whether this processor can run it. */
    int (*usable)(void);
};

/** Every implementation compiled in, fastest first, ended by NULL; the last one, the table,
 * is always usable. */
extern const struct hws_crc32c_impl *const hws_crc32c_impls[];

/** The implementation in use: the fastest this processor can run. Never NULL. Thread-safe. */
const struct hws_crc32c_impl *hws_crc32c_impl(void);

/** Uses `impl`, which this processor can run, from now on: for measurements. */
void hws_crc32c_use(const struct hws_crc32c_impl *impl);

/** The CRC32c of `len` bytes, finished (inverted). */
uint32_t hws_crc32c(const uint8_t *data, size_t len);

/** The finished CRC32c of an SCTP packet of `len` >= 12 bytes with its checksum field taken as
 * zero; the packet is not written to. */
uint32_t hws_crc32c_packet(const uint8_t *packet, size_t len);

/** Stores the checksum into the packet's header, in the byte order of appendix A. */
void hws_crc32c_set(uint8_t *packet, size_t len);

/** Whether the packet's checksum is right. */
int hws_crc32c_ok(const uint8_t *packet, size_t len);

#endif
