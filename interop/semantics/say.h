/* What a call answered, as lines of text that do not depend on time, port or identifier:
 *     CASE: STEP: ANSWER
 * CASE: STEP is unique in the output: a step said again becomes "STEP (2)". */
#ifndef HWS_SEMANTICS_SAY_H
#define HWS_SEMANTICS_SAY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/** Names the case that all further lines belong to. */
void say_begin(const char *name);

__attribute__((format(printf, 2, 3))) void say(const char *step, const char *format, ...);

/** Says the result of a call: a number, or the name of errno when it is negative. Returns it. */
long answer(const char *step, long result);

/** For what only prepares a case: says nothing but a failure. Returns the result. */
long ready(const char *step, long result);

const char *say_errno(int error);

/** "A1" for the first association of the case that is mentioned, and so on; 0, 1, 2 as they are. */
const char *say_association(int32_t id);

/** Address and port; a port that the system chose has no number. In one of a few buffers. */
const char *say_address(const void *address);

/** Bytes that are letters as they are, others as numbers, and repeated ones once with a count. */
const char *say_bytes(const void *data, size_t size);

/** Says the names of the bits of poll. */
void say_poll(const char *step, int revents);

/** The names of the MSG_ flags, each after a space. */
const char *say_flags(int flags);

#endif
