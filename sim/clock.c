#include "sim/clock.h"

#include "sim/memory.h"

/* So many turns at one instant are more than sources that come to an end have: gigabytes go over a
 * link that takes no time with fewer. */
#define STALL_TURNS UINT64_C(5000)

static bool before(const struct sim_source *a, const struct sim_source *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->rank < b->rank;
}

static void put(struct sim_clock *clock, struct sim_source *source, uint32_t place)
{
    clock->heap[place] = source;
    source->place = place;
}

static void rise(struct sim_clock *clock, struct sim_source *source)
{
    uint32_t place = source->place;
    for (; place > 0 && before(source, clock->heap[(place - 1) / 2]); place = (place - 1) / 2)
        put(clock, clock->heap[(place - 1) / 2], place);
    put(clock, source, place);
}

static void sink(struct sim_clock *clock, struct sim_source *source)
{
    uint32_t place = source->place;
    for (;;) {
        uint32_t child = 2 * place + 1;
        if (child + 1 < clock->count && before(clock->heap[child + 1], clock->heap[child]))
            child++;
        if (child >= clock->count || !before(clock->heap[child], source))
            break;
        put(clock, clock->heap[child], place);
        place = child;
    }
    put(clock, source, place);
}

void sim_clock_add(struct sim_clock *clock, struct sim_source *source, uint32_t rank,
                   void (*fire)(void *ctx, uint64_t now_ns), void *ctx)
{
    if (clock->count == clock->capacity) {
        clock->capacity = clock->capacity != 0 ? 2 * clock->capacity : 16;
        clock->heap = sim_grow(clock->heap, clock->capacity, sizeof(*clock->heap));
    }
    *source = (struct sim_source){.at_ns = SIM_NEVER, .rank = rank, .fire = fire, .ctx = ctx};
    put(clock, source, clock->count++);
    rise(clock, source);
}

void sim_clock_set(struct sim_clock *clock, struct sim_source *source, uint64_t at_ns)
{
    uint64_t was_ns = source->at_ns;
    source->at_ns = at_ns < clock->now_ns ? clock->now_ns : at_ns;
    if (source->at_ns < was_ns)
        rise(clock, source);
    else if (source->at_ns > was_ns)
        sink(clock, source);
}

bool sim_clock_run(struct sim_clock *clock, uint64_t until_ns)
{
    uint64_t stall = 0;
    while (clock->count > 0 && clock->heap[0]->at_ns <= until_ns) {
        struct sim_source *source = clock->heap[0];
        stall = source->at_ns > clock->now_ns ? 0 : stall + 1;
        if (stall > STALL_TURNS * clock->count)
            return false;
        clock->now_ns = source->at_ns;
        source->fire(source->ctx, clock->now_ns);
    }
    clock->now_ns = until_ns;
    return true;
}

void sim_clock_fini(struct sim_clock *clock)
{
    free(clock->heap);
    *clock = (struct sim_clock){0};
}
