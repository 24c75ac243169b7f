#include "bench/mem.h"

static bool run_until(bool (*turn)(void *arg), void *arg, double end_s)
{
    while (bench_wall_s() < end_s) {
        if (!turn(arg))
            return false;
    }
    return true;
}

static void start(struct bench_round *from, void (*counters)(void *, struct bench_round *),
                  void *arg)
{
    counters(arg, from);
    from->wall_s = bench_wall_s();
    from->cpu_s = bench_cpu_s();
}

bool bench_mem_clock(const struct bench_row *row, double seconds, struct bench_round *round,
                     bool (*turn)(void *arg), void (*counters)(void *arg, struct bench_round *sum),
                     void *arg)
{
    struct bench_round from = {0}, to = {0};
    if (!run_until(turn, arg, bench_wall_s() + BENCH_MEM_WARMUP_S))
        return false;
    start(&from, counters, arg);
    if (!run_until(turn, arg, from.wall_s + seconds))
        return false;
    start(&to, counters, arg);
    *round = (struct bench_round){
        .messages = to.messages - from.messages,
        .bytes = (to.messages - from.messages) * row->message_bytes,
        .wall_s = to.wall_s - from.wall_s,
        .cpu_s = to.cpu_s - from.cpu_s,
        .packets = to.packets - from.packets,
        .trains = to.trains - from.trains,
        .sacks = to.sacks - from.sacks,
        .retransmits = to.retransmits - from.retransmits,
        .timeouts = to.timeouts - from.timeouts,
    };
    return true;
}
