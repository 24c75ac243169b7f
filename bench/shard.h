/* One shard with many associations: a source and a sink, each an engine driven as a runtime does
 * it, joined in memory. Both are the shard of the same number, so that every packet of one is the
 * other's. */
#ifndef HWS_BENCH_SHARD_H
#define HWS_BENCH_SHARD_H

#include "bench/round.h"
#include "proto/shard.h"

struct bench_shard;

/** Makes the shard and its associations, all up. NULL, after a message, when that fails. */
struct bench_shard *bench_shard_new(const struct bench_row *row, const struct hws_shard *shard,
                                    uint32_t assoc_count);
void bench_shard_free(struct bench_shard *shard);

/** Sends and receives until `end_s` of bench_wall_s. False, after a message, when something is
 * lost, altered, or steered to the wrong shard. */
bool bench_shard_run(struct bench_shard *shard, double end_s);

/** Totals so far; times are the caller's to fill in. */
void bench_shard_count(const struct bench_shard *shard, struct bench_round *sum);

#endif
