/* A path selector that sends small messages twice: on the path that answers fastest and, at the
 * same time, on the next one. When a path fails or slows down, they arrive by the other one without
 * waiting for a timeout; what they cost is their bytes once more. Larger messages take the default
 * path, and a chunk of theirs that was lost goes again as the default says. */
#include <hawser/extend.h>

#define SMALL_BYTES 512u /* user data of a message that is sent twice */
#define NONE UINT32_MAX
/* What a path is taken for whose round trip is not known. */
#define UNKNOWN_US 1000000u

static uint32_t trip_us(const struct hws_ext_path *path)
{
    return path->srtt_us != 0 ? path->srtt_us : UNKNOWN_US;
}

/* Whether a chunk would leave there at once. */
static bool open(const struct hws_ext_path *path)
{
    return path->state == HWS_PATH_ACTIVE && path->flight_bytes < path->cwnd_bytes;
}

/* The path that answers fastest of those that are open, `but` left out; NONE: there is none. */
static uint32_t fastest(const struct hws_pathsel_args *args, uint32_t but)
{
    uint32_t best = NONE;
    for (uint32_t i = 0; i < args->path_count; i++) {
        if (i == but || !open(&args->paths[i]))
            continue;
        if (best == NONE || trip_us(&args->paths[i]) < trip_us(&args->paths[best]))
            best = i;
    }
    return best;
}

static bool pick(void *state, const struct hws_pathsel_args *args,
                 struct hws_pathsel_choice *choice)
{
    (void)state;
    if (args->chunk.len > SMALL_BYTES)
        return false;
    uint32_t first = fastest(args, NONE);
    if (first == NONE)
        return false;
    uint32_t second = fastest(args, first);
    choice->path = (uint8_t)first;
    choice->copies = (uint8_t)(second != NONE ? 1u << second : 0);
    return true;
}

static const struct hws_pathsel_ops redundant_ops = {.name = "redundant", .pick = pick};

static const struct hws_pathsel_ops *const pathsels[] = {&redundant_ops, NULL};

const struct hws_extension hws_extension_redundant = {
    .api = HWS_EXTEND_API, .name = "redundant", .pathsels = pathsels};
HWS_EXTENSION_EXPORT(hws_extension_redundant);
