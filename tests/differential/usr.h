/* A node that is usrsctp, driven without threads and in virtual time: it reads the clock through
 * gettimeofday, which this module replaces for the whole process, and its timers are ticked. One
 * end of one flow lives there. usrsctp is one instance per process, so is this. */
#ifndef HWS_TESTS_DIFFERENTIAL_USR_H
#define HWS_TESTS_DIFFERENTIAL_USR_H

#include "tests/sim/flow.h"

struct socket;

struct sim_usr {
    struct sim_node node; /* first: a node is converted to its sim_usr */
    struct sim_net *net;
    struct sim_end *end;
    struct socket *listener, *socket;
    uint64_t next_tick_us;
    uint32_t streams;
    uint32_t sent_bytes; /* of the message that is being sent */
};

/** Starts usrsctp with `end` on it; the other end of its flow must have its node. Not more than
 * once in a process. */
void sim_usr_init(struct sim_usr *usr, struct sim_net *net, struct sim_end *end, uint32_t streams);

/** Binds and listens or connects, as the end's configuration says. */
void sim_usr_start(struct sim_usr *usr);

#endif
