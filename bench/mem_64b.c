/* How many small messages a second in memory: 64 bytes each, many bundled in a packet? */
#include "bench/mem.h"

int main(int argc, char *argv[])
{
    static const struct bench_row row = {
        .name = "mem-64b", .unit = BENCH_MMSG_PER_S, .message_bytes = 64};
    static const struct bench_contender contenders[] = {{"hawser", bench_mem_hawser},
                                                        {"usrsctp", bench_mem_usrsctp}};
    return bench_rounds(&row, contenders, 2, argc, argv);
}
