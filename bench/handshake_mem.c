/* How many associations are set up and gracefully ended in a second, 64 at a time? */
#include "bench/handshake_mem.h"

int main(int argc, char *argv[])
{
    static const struct bench_row row = {.name = "handshake-mem", .unit = BENCH_K_PER_S};
    static const struct bench_contender contenders[] = {{"hawser", bench_handshake_hawser},
                                                        {"usrsctp", bench_handshake_usrsctp}};
    return bench_rounds(&row, contenders, 2, argc, argv);
}
