/* An extension whose congestion controller, stream scheduler and path selector answer at random,
 * nonsense among it: whatever they do, the promises of the engine hold. */
#ifndef HWS_TESTS_SIM_ERRATIC_H
#define HWS_TESTS_SIM_ERRATIC_H

#include "stack/extend.h"

/* The name of all three. */
#define SIM_ERRATIC "erratic"

extern const struct hws_extension sim_erratic;

#endif
