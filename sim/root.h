/* Square roots in whole numbers, the same on every machine. */
#ifndef HWS_SIM_ROOT_H
#define HWS_SIM_ROOT_H

#include <stdint.h>

/** The largest whole number whose square is not above `n`. */
uint64_t sim_square_root(unsigned __int128 n);

#endif
