/* The default selector: the primary path while it is active; else one that is; else, of those that
 * failed, the one with the fewest errors (RFC 7829, 3.2). What timed out goes to another path, what
 * is only missing to the one it was sent on (RFC 9260, 6.4). */
#include "stack/pathsel.h"

/* How well a path can carry data: not at all unconfirmed, badly when inactive, less well when it is
 * Potentially Failed. */
static unsigned fitness(const struct hws_ext_path *p)
{
    static const uint8_t of_state[] = {
        [HWS_PATH_UNCONFIRMED] = 0,
        [HWS_PATH_INACTIVE] = 1,
        [HWS_PATH_POTENTIALLY_FAILED] = 2,
        [HWS_PATH_ACTIVE] = 3,
    };
    return of_state[p->state];
}

/* Whether `p` is to be preferred to `best`: fitter, or of several that failed the one with fewer
 * errors. */
static bool better(const struct hws_ext_path *p, const struct hws_ext_path *best)
{
    unsigned f = fitness(p), f_best = fitness(best);
    return f > f_best || (f == f_best && f > 0 && p->errors < best->errors);
}

static uint32_t pick_new(const struct hws_pathsel_args *args)
{
    uint32_t best = args->primary;
    if (args->paths[best].state == HWS_PATH_ACTIVE)
        return best;
    for (uint32_t i = 0; i < args->path_count; i++)
        if (better(&args->paths[i], &args->paths[best]))
            best = i;
    return best;
}

static uint32_t pick_again(const struct hws_pathsel_args *args)
{
    const struct hws_ext_path *paths = args->paths;
    uint32_t was = args->chunk.last_path;
    if (paths[was].errors == 0 && paths[was].state == HWS_PATH_ACTIVE)
        return was;
    uint32_t best = pick_new(args);
    if (paths[best].state != HWS_PATH_ACTIVE) /* none is: those that failed as often take turns */
        best = was;
    for (uint32_t i = 1; i < args->path_count; i++) {
        uint32_t next = (was + i) % args->path_count;
        bool elsewhere = best == was && fitness(&paths[next]) == fitness(&paths[was]) &&
                         paths[next].errors == paths[was].errors;
        if (better(&paths[next], &paths[best]) || elsewhere)
            best = next;
    }
    return best;
}

static bool primary_pick(void *state, const struct hws_pathsel_args *args,
                         struct hws_pathsel_choice *choice)
{
    (void)state;
    choice->path = (uint8_t)(args->chunk.again ? pick_again(args) : pick_new(args));
    return true;
}

const struct hws_pathsel_ops hws_pathsel_primary = {.name = "primary", .pick = primary_pick};
