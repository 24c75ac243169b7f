/* A network namespace of its own for a test with real sockets: nothing it sends leaves it, and
 * nothing of the host disturbs it. */
#ifndef HWS_TESTS_NETNS_H
#define HWS_TESTS_NETNS_H

#include <stdbool.h>

/** Moves the process into a new namespace whose loopback interface is up; without privilege, in a
 * user namespace of its own. False, after printing "SKIP: reason", where that is not possible. */
bool netns_enter(void);

/** Sets the MTU of the namespace's loopback interface. */
void netns_set_lo_mtu(int mtu);

#endif
