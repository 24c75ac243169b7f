#include "proto/crc32c.h"

#include <stdatomic.h>
#include <string.h>

#include "proto/bytes.h"
#include "proto/crc32c_impl.h"
#include "proto/packet.h"

#define CHECKSUM_OFFSET 8u
#define CRC_START 0xffffffffu

const struct hws_crc32c_impl *const hws_crc32c_impls[] = {
#if defined(__x86_64__)
    &hws_crc32c_x86_vpclmul,
    &hws_crc32c_x86,
#elif defined(__aarch64__) && defined(__AARCH64EL__) && defined(__linux__)
    &hws_crc32c_arm,
#endif
    &hws_crc32c_table,
    NULL,
};

static const struct hws_crc32c_impl *first_usable(void)
{
    const struct hws_crc32c_impl *const *impl = hws_crc32c_impls;
    while (!(*impl)->usable())
        impl++;
    return *impl;
}

static _Atomic(const struct hws_crc32c_impl *) chosen;

void hws_crc32c_use(const struct hws_crc32c_impl *impl)
{
    atomic_store_explicit(&chosen, impl, memory_order_relaxed);
}

/* Two threads that come here at once find the same answer, so the order of their stores does not
 * matter. */
const struct hws_crc32c_impl *hws_crc32c_impl(void)
{
    const struct hws_crc32c_impl *impl = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (impl == NULL) {
        impl = first_usable();
        hws_crc32c_use(impl);
    }
    return impl;
}

uint32_t hws_crc32c(const uint8_t *data, size_t len)
{
    return ~hws_crc32c_impl()->update(CRC_START, data, len);
}

uint32_t hws_crc32c_packet(const uint8_t *packet, size_t len)
{
    const struct hws_crc32c_impl *impl = hws_crc32c_impl();
    uint8_t header[HWS_PACKET_HEADER_LEN] = {0};
    memcpy(header, packet, CHECKSUM_OFFSET);
    uint32_t crc = impl->update(CRC_START, header, sizeof header);
    return ~impl->update(crc, packet + sizeof header, len - sizeof header);
}

/* Appendix A sends the CRC's coefficients in an order that makes its low byte the first. */
static uint32_t swap32(uint32_t v)
{
    return v >> 24 | (v >> 8 & 0xff00u) | (v << 8 & 0xff0000u) | v << 24;
}

void hws_crc32c_set(uint8_t *packet, size_t len)
{
    hws_put32(packet + CHECKSUM_OFFSET, swap32(hws_crc32c_packet(packet, len)));
}

int hws_crc32c_ok(const uint8_t *packet, size_t len)
{
    return hws_get32(packet + CHECKSUM_OFFSET) == swap32(hws_crc32c_packet(packet, len));
}
