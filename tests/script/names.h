/* The engine's structures by the names of their members, and its events by theirs. */
#ifndef HWS_TESTS_SCRIPT_NAMES_H
#define HWS_TESTS_SCRIPT_NAMES_H

#include "stack/engine.h"
#include "tests/script/scan.h"

/* A member of a structure: unsigned of 1, 2, 4 or 8 bytes, or (width 0) a text. */
struct names_member {
    const char *name;
    uint16_t offset, width;
    bool boolean;
};

extern const struct names_member names_params[];
extern const struct names_member names_path_params[];
extern const struct names_member names_assoc_status[];
extern const struct names_member names_path_status[];
extern const struct names_member names_stats[];

/** NULL when the table has no such name. */
const struct names_member *names_find(const struct names_member *table, const char *name);

/** Takes "name=VALUE ..." from the line and sets the members of `object`. `what` names the kind in
 * messages. */
void names_scan_members(struct scan *c, const struct names_member *table, const char *what,
                        void *object);

/** Takes "name=CONDITION ..." from the line and checks the members of `object`. */
void names_check_members(struct scan *c, const struct names_member *table, const char *what,
                         const void *object);

const char *names_event(enum hws_event_type type);
/** False when no event is called `name`. */
bool names_event_find(const char *name, enum hws_event_type *out);
/** The error called `name`; fails when there is none. */
int names_scan_error(struct scan *c);
/** Takes a state such as COOKIE-WAIT. */
enum hws_assoc_state names_scan_state(struct scan *c);
/** Takes a path's state such as ACTIVE. */
enum hws_path_state names_scan_path_state(struct scan *c);

#endif
