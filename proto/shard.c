#include "proto/shard.h"

#include "proto/bytes.h"
#include "proto/chunk.h"

uint32_t hws_shard_of_ports(uint32_t count, uint16_t port, uint16_t other_port)
{
    uint16_t sum = (uint16_t)(port + other_port);
    return (sum * HWS_SHARD_SPREAD >> 16) % count;
}

uint32_t hws_shard_of_packet(uint32_t count, const uint8_t *packet, uint32_t len)
{
    if (len < HWS_SHARD_BYTES)
        return 0;
    uint32_t vtag = hws_get32(packet + 4);
    uint8_t type = packet[12], flags = packet[13];
    bool reflects = (type == HWS_CHUNK_ABORT || type == HWS_CHUNK_SHUTDOWN_COMPLETE) &&
                    (flags & HWS_FLAG_T) != 0;
    if (vtag == 0 || reflects)
        return hws_shard_of_ports(count, hws_get16(packet), hws_get16(packet + 2));
    return vtag % count;
}

uint32_t hws_shard_tag(const struct hws_shard *shard, uint32_t tag)
{
    if (shard->count <= 1)
        return tag;
    uint32_t ours = tag - tag % shard->count + shard->index;
    return ours >= shard->index ? ours : ours - shard->count; /* beyond 2^32: the one before */
}
