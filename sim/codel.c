#include "sim/codel.h"

#include "sim/root.h"

/* Drops resume at the rate they had when dropping ended less than so many intervals ago (5.6). */
#define RESUME_INTERVALS 16u

/* The next drop comes an interval over the square root of the count later (3.2, 5.2). */
static uint64_t control_law(const struct sim_codel *codel, uint64_t from_ns)
{
    return from_ns + sim_square_root(codel->interval_ns * codel->interval_ns / codel->count);
}

/* Whether the delay has been above target for an interval. */
static bool above(struct sim_codel *codel, uint64_t now_ns, uint64_t sojourn_ns,
                  uint64_t backlog_bytes, uint64_t mtu)
{
    if (sojourn_ns < codel->target_ns || backlog_bytes <= mtu) {
        codel->first_above_ns = 0;
        return false;
    }
    if (codel->first_above_ns == 0) {
        codel->first_above_ns = now_ns + codel->interval_ns;
        return false;
    }
    return now_ns >= codel->first_above_ns;
}

static void enter(struct sim_codel *codel, uint64_t now_ns)
{
    uint32_t delta = codel->count - codel->last_count;
    bool lately = now_ns - codel->drop_next_ns < RESUME_INTERVALS * codel->interval_ns;
    codel->dropping = codel->entering = true;
    codel->count = delta > 1 && lately ? delta : 1;
    codel->last_count = codel->count;
    codel->drop_next_ns = control_law(codel, now_ns);
}

bool sim_codel_drops(struct sim_codel *codel, uint64_t now_ns, uint64_t sojourn_ns,
                     uint64_t backlog_bytes, uint64_t mtu, bool again)
{
    bool ok_to_drop = above(codel, now_ns, sojourn_ns, backlog_bytes, mtu);
    if (again && codel->entering)
        return false;
    codel->entering = false;
    if (!codel->dropping) {
        if (ok_to_drop)
            enter(codel, now_ns);
        return ok_to_drop;
    }
    if (!ok_to_drop) {
        codel->dropping = false;
        return false;
    }
    if (again)
        codel->drop_next_ns = control_law(codel, codel->drop_next_ns);
    if (now_ns < codel->drop_next_ns)
        return false;
    codel->count++;
    return true;
}

void sim_codel_marked(struct sim_codel *codel)
{
    if (!codel->entering)
        codel->drop_next_ns = control_law(codel, codel->drop_next_ns);
}
