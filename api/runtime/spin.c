#include "api/runtime/spin.h"

void hws_spin_init(struct hws_spin *spin, uint32_t most_us)
{
    *spin = (struct hws_spin){.most_us = most_us, .for_us = most_us};
}

void hws_spin_learn(struct hws_spin *spin, uint64_t waited_us, bool packets)
{
    bool would_pay = packets && waited_us <= spin->most_us;
    spin->for_us = would_pay ? spin->most_us : spin->for_us / 2;
}
