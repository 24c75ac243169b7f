/* A fixed amount of the memory rows' work, the same in every run, for an instruction counter: see
 * bench/instructions.sh. */
#include <inttypes.h>

#include "bench/mem.h"
#include "proto/crc32c.h"

/* The fastest CRC that valgrind's processor knows. */
#define CRC_NAME "sse4.2+pclmul"

struct work {
    struct bench_row row;
    uint64_t warmup, messages; /* received before and while instructions are counted */
};

static const struct work works[] = {
    {{"mem-1500-8k", BENCH_GBIT_PER_S, 8192}, 4000, 4000},
    {{"mem-64b", BENCH_MMSG_PER_S, 64}, 40000, 40000},
};

static const struct work *find_work(const char *name)
{
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        if (strcmp(works[i].row.name, name) == 0)
            return &works[i];
    }
    return NULL;
}

static bool pin_crc(void)
{
    const struct hws_crc32c_impl *const *impl = hws_crc32c_impls;
    while (*impl != NULL && strcmp((*impl)->name, CRC_NAME) != 0)
        impl++;
    if (*impl == NULL || !(*impl)->usable())
        return false;
    hws_crc32c_use(*impl);
    return true;
}

int main(int argc, char *argv[])
{
    const struct work *work = argc == 2 ? find_work(argv[1]) : NULL;
    uint64_t counted;
    if (work == NULL) {
        fprintf(stderr, "usage: %s mem-1500-8k|mem-64b\n", argv[0]);
        return 2;
    }
    if (!pin_crc()) {
        fprintf(stderr, "this processor has no %s: its instructions are not compared\n", CRC_NAME);
        return 1;
    }
    if (!bench_mem_repeatable(&work->row, work->warmup, work->messages, &counted))
        return 1;
    printf("messages=%" PRIu64 " compiler=" BENCH_COMPILER "\n", counted);
    return 0;
}
