/* How fast is bulk data in memory: IP MTU 1500, messages of 8 KB, fragmented and reassembled? */
#include "bench/mem.h"

int main(int argc, char *argv[])
{
    static const struct bench_row row = {
        .name = "mem-1500-8k", .unit = BENCH_GBIT_PER_S, .message_bytes = 8192};
    static const struct bench_contender contenders[] = {{"hawser", bench_mem_hawser},
                                                        {"usrsctp", bench_mem_usrsctp}};
    return bench_rounds(&row, contenders, 2, argc, argv);
}
