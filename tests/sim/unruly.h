/* An extension with chunks that does what it likes: it asks for too much, at the wrong time, with
 * wrong arguments, hands in what never was a DATA chunk, and sets timers that are due at once.
 * Whatever it does, the promises of the engine hold. */
#ifndef HWS_TESTS_SIM_UNRULY_H
#define HWS_TESTS_SIM_UNRULY_H

#include "stack/extend.h"

extern const struct hws_extension sim_unruly;
/* And one that is what it should be (examples/extensions/fec.c). */
extern const struct hws_extension hws_extension_fec;

#endif
