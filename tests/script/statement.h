/* The statements of the language, in four families: set-up, what goes over the wire, calls of the
 * application, checks. */
#ifndef HWS_TESTS_SCRIPT_STATEMENT_H
#define HWS_TESTS_SCRIPT_STATEMENT_H

#include "tests/script/scan.h"

enum statement_kind {
    STATEMENT_SETUP, /* before the start state only */
    STATEMENT_START, /* the start state, once */
    STATEMENT_ACT,   /* does something: nothing unexpected may have been sent before */
    STATEMENT_CHECK, /* looks, changes nothing */
    STATEMENT_ANY    /* may stand anywhere */
};

struct statement {
    const char *name;
    enum statement_kind kind;
    void (*run)(struct scan *c);
};

extern const struct statement statements_setup[];
extern const struct statement statements_call[];
extern const struct statement statements_check[];

/** Runs one statement of the script or of a start state. */
void statement_run(struct script *s, const char *line);

/** "<" and ">" after a time. `to_us` is UINT64_MAX for a packet at any time. */
void wire_inject(struct scan *c);
void wire_expect(struct scan *c, uint64_t from_us, uint64_t to_us);
/** Answers HEARTBEATs until every path is confirmed. */
void wire_answer_heartbeats(struct scan *c);
/** Fails when a packet was sent that nothing expected. */
void wire_check_silent(struct script *s);

/** What is left at the end of a script has been expected. */
void check_end(struct script *s);

#endif
