/* usrsctp as the stack of hosts of the simulator (AF_CONN, without threads, in virtual time). It is
 * one instance for a process, which all its hosts share, and is not started twice: a process runs
 * one scenario with one seed. */
#ifndef HWS_SIM_STACK_USRSCTP_H
#define HWS_SIM_STACK_USRSCTP_H

#include "sim/stack.h"

extern const struct sim_stack_ops sim_stack_usrsctp;

#endif
