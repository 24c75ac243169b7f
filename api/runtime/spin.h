/* How long a sleeper polls before it sleeps. To be woken costs the sleeper several microseconds and
 * the waker some; who polls saves both, and burns a core. It pays when what is waited for comes
 * soon enough, so what happened lately decides: a wait that ended in time is reason to poll as long
 * as is allowed, and each one that took longer halves that, down to not at all. */
#ifndef HWS_API_SPIN_H
#define HWS_API_SPIN_H

#include <stdbool.h>
#include <stdint.h>

struct hws_spin {
    uint32_t most_us; /* as configured; 0: never */
    uint32_t for_us;  /* how long to poll the next time */
};

/** Begins hopeful. */
void hws_spin_init(struct hws_spin *spin, uint32_t most_us);

/** A wait, polling and sleeping together, took `waited_us`; `packets`: they were what ended it. */
void hws_spin_learn(struct hws_spin *spin, uint64_t waited_us, bool packets);

#endif
