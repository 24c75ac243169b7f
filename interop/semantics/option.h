/* The options of the API as data: what each one's structure is made of. */
#ifndef HWS_SEMANTICS_OPTION_H
#define HWS_SEMANTICS_OPTION_H

#include "calls.h"

enum { OPTION_ROOM = 512 };

/* `layout` has a letter for each member: d 32 bits, h 16 bits, b 8 bits, q 64 bits, i an
 * association's id, A a sockaddr_storage, _ a byte of padding, s 32 bits of which only zero or not
 * is told, S the same with 64 bits. */
struct option {
    const char *name;
    int level;
    int number;
    const char *layout;
    size_t size; /* of the structure; option_check() compares */
};

extern const struct option options[];

/** The option with that name. */
const struct option *option_named(const char *name);

/** Ends the program where a layout is not as large as its structure. */
void option_check(void);

/** Where the n-th member that is no padding lies. */
size_t option_offset(const struct option *o, unsigned member);

void option_set_member(const struct option *o, void *value, unsigned member, uint64_t number);

/** All members, separated by spaces. */
const char *option_text(const struct option *o, const void *value);

/** Writes the address into the first member that is one; does nothing where there is none. */
void option_put_address(const struct option *o, void *value, const char *host, int port);

#endif
