/* How much memory is resident for an idle association, one end of it? */
#include "bench/handshake_mem.h"

int main(int argc, char *argv[])
{
    static const struct bench_row row = {.name = "idle-rss", .unit = BENCH_RESIDENT_BYTES};
    static const struct bench_contender contenders[] = {{"hawser", bench_idle_hawser},
                                                        {"usrsctp", bench_idle_usrsctp}};
    return bench_rounds(&row, contenders, 2, argc, argv);
}
