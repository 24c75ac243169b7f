/* How fast is each way to compute CRC32c that this processor can run, over packets in the cache?
 * Usage: bench_crc     GB/s of each, for a small packet, one of Ethernet's and a large one */
#include "proto/crc32c.h"

#include <stdint.h>
#include <stdio.h>

#include "bench/round.h"

#define LARGEST_BYTES 8980u
#define SECONDS 0.1
/* Between looks at the clock. */
#define PACKETS 1000u

static const size_t lens[] = {96, 1480, LARGEST_BYTES};

/* The CRC of one packet starts with that of the last, so that none is left out or begun early. */
static double gb_per_s(const struct hws_crc32c_impl *impl, const uint8_t *packet, size_t len)
{
    double start_s = bench_wall_s(), now_s;
    uint32_t crc = 0;
    uint64_t bytes = 0;
    do {
        for (unsigned i = 0; i < PACKETS; i++)
            crc = impl->update(crc, packet, len);
        bytes += PACKETS * len;
        now_s = bench_wall_s();
    } while (now_s - start_s < SECONDS);
    *(volatile uint32_t *)&crc = crc;
    return (double)bytes / (now_s - start_s) / 1e9;
}

int main(void)
{
    static uint8_t packet[LARGEST_BYTES];
    for (size_t i = 0; i < sizeof packet; i++)
        packet[i] = (uint8_t)(i * 131 >> 3);
    printf("%-20s", "CRC32c, GB/s");
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++)
        printf("%8zu B", lens[i]);
    for (const struct hws_crc32c_impl *const *impl = hws_crc32c_impls; *impl != NULL; impl++) {
        if (!(*impl)->usable())
            continue;
        printf("\n%-20s", (*impl)->name);
        for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++)
            printf("%10.1f", gb_per_s(*impl, packet, lens[i]));
    }
    printf("\n");
    return 0;
}
