#include "sim/root.h"

uint64_t sim_square_root(unsigned __int128 n)
{
    unsigned __int128 root = 0;
    for (unsigned __int128 bit = (unsigned __int128)1 << 126; bit != 0; bit >>= 2) {
        if (n >= root + bit) {
            n -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (uint64_t)root;
}
