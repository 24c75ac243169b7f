/* What can be received, as text. */
#ifndef HWS_SEMANTICS_HEAR_H
#define HWS_SEMANTICS_HEAR_H

#include "calls.h"

/** Waits for something to receive, two seconds at most, receives it into 64 KiB and says it. */
void hear(const char *step, int fd);

/** The same as often as expected, and as long as there is more; stops at an error and at the end.
 */
void hear_all(const char *step, int fd, int expected);

/** Receives into `size` bytes with `flags` and says it. */
void hear_into(const char *step, int fd, size_t size, int flags);

/** Receives until nothing comes for a moment, and says nothing. */
void drain(int fd);

#endif
