/** @file
 * All of hawser but the libuv adapter, <hawser/uv.h>. */
#ifndef HAWSER_HAWSER_H
#define HAWSER_HAWSER_H

#include "options.h"
#include "runtime.h"
#include "socket.h"

#endif
