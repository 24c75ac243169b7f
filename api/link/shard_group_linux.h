/* What the shards of this process hold together: descriptors that the first one opens and that are
 * closed when the last one leaves. Shards meet here when they open a link or bind a port, and never
 * while they run. */
#ifndef HWS_API_SHARD_GROUP_LINUX_H
#define HWS_API_SHARD_GROUP_LINUX_H

#include <stdint.h>

#include "proto/shard.h"
#include "stack/limits.h"

/* A claim, and for each shard a socket of each family. */
#define HWS_SHARD_GROUP_FDS (1u + 2u * HWS_LIMIT_SHARDS)

/** Opens what a group has: `fds` is filled with -1. 0, or a negative errno; what was opened then is
 * closed by the caller. */
typedef int (*hws_shard_group_open)(void *arg, int fds[HWS_SHARD_GROUP_FDS]);

/** Joins the group of IP protocol and port. 0 with its descriptors, which the shard uses until it
 * leaves, or a negative errno: -EADDRINUSE when another runtime has this shard's place or counts
 * shards in another way; what `open` answered. */
int hws_shard_group_join(uint8_t protocol, uint16_t port, const struct hws_shard *shard,
                         hws_shard_group_open open, void *arg, const int **fds);

void hws_shard_group_leave(uint8_t protocol, uint16_t port, const struct hws_shard *shard);

#endif
