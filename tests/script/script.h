/* A scenario script while it runs: its text, its memory, its variables, the world it acts on. A
 * script ends at its first error: whatever finds one calls script_fail, which does not return. */
#ifndef HWS_TESTS_SCRIPT_H
#define HWS_TESTS_SCRIPT_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/script/value.h"
#include "tests/script/world.h"

#define SCRIPT_TEXT_MAX 16384u
#define SCRIPT_REASON_MAX 512u

struct script_block;

struct script {
    const char *file;
    uint32_t line;       /* of the script, 1 and up */
    const char *source;  /* the statement that runs, as it is written */
    const char *prelude; /* the start state whose lines run, NULL: the script's own */
    jmp_buf on_failure;
    char failure[SCRIPT_TEXT_MAX];  /* "file:line: what is wrong" and what explains it */
    char reason[SCRIPT_REASON_MAX]; /* why the last pattern did not match */
    struct script_block *blocks;    /* memory, given back when the script ends */
    struct script_vars vars;
    struct world world;
    uint32_t checks; /* expectations met so far */
    bool verbose;
};

/** Runs the script in `text`. True when all it expects came; otherwise `failure` says what did not.
 * Memory of the script and the engine is given back either way. */
bool script_run(struct script *s, const char *file, const char *text, bool verbose);

/** Ends the script with a message at its current line. */
__attribute__((noreturn, format(printf, 2, 3))) void script_fail(struct script *s,
                                                                 const char *format, ...);

/** Notes why a pattern does not match. Returns false, for the caller to return. */
__attribute__((format(printf, 2, 3))) bool script_reason(struct script *s, const char *format, ...);

/** Zeroed memory that lives as long as the script. */
void *script_alloc(struct script *s, size_t size);
char *script_copy_text(struct script *s, const char *text, size_t len);
void script_free_all(struct script *s);

#endif
