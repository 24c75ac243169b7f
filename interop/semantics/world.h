/* A process and a network for one case: a network namespace with nothing but the loopback
 * interface, so that cases share neither ports nor addresses. */
#ifndef HWS_SEMANTICS_WORLD_H
#define HWS_SEMANTICS_WORLD_H

#include <stdbool.h>

/* Beside 127.0.0.1 and ::1, with world_addresses(). */
#define WORLD_FIRST "10.1.0.1"
#define WORLD_SECOND "10.2.0.1"
/* With world_nobody() a route leads there, and nobody answers. */
#define WORLD_NOBODY "10.3.0.9"
/* No route leads there. */
#define WORLD_UNREACHABLE "10.4.0.9"

/** Moves the process into a namespace of its own. False, after saying why, where it may not. */
bool world_enter(void);

/** Adds WORLD_FIRST and WORLD_SECOND to the loopback interface. */
void world_addresses(void);

/** Adds WORLD_FIRST, and the route to WORLD_NOBODY. */
void world_nobody(void);

/** Gives up the privilege to bind ports below 1024. */
void world_drop_privilege(void);

#endif
