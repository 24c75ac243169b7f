/* The engine's environment on this operating system: malloc, getrandom, libcrypto, and its clock.
 */
#ifndef HWS_API_ENV_H
#define HWS_API_ENV_H

#include <time.h>

#include "stack/env.h"

/** Fills `env`. 0, or -ENOMEM. hws_env_fini follows when the engine is gone. */
int hws_env_init(struct hws_env *env);

void hws_env_fini(struct hws_env *env);

/** The monotonic clock, in microseconds: the engine's now_us. */
uint64_t hws_env_now_us(void);

/** What has to be added to that clock to get microseconds since 1970, as CLOCK_REALTIME is set now.
 */
uint64_t hws_env_unix_offset_us(void);

/** What CLOCK_REALTIME, as it is set now, showed at `at_us`, which is not in the future. */
struct timespec hws_env_realtime(uint64_t at_us);

#endif
