/* Reads one line of a script from left to right. Everything passes over leading spaces. */
#ifndef HWS_TESTS_SCRIPT_SCAN_H
#define HWS_TESTS_SCRIPT_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/script/script.h"

struct scan {
    struct script *s;
    const char *at;
};

bool scan_at_end(struct scan *c);
/** Fails the script when something is left of the line. */
void scan_expect_end(struct scan *c);
/** The next character that is no space, not taken. */
char scan_peek(struct scan *c);
/** Takes `text` when it comes next. */
bool scan_accept(struct scan *c, const char *text);
/** The same for a whole word. */
bool scan_accept_word(struct scan *c, const char *word);
/** Takes `text`, which has to come next. */
void scan_expect(struct scan *c, const char *text);
/** Takes a word of letters, digits, '-' and '_'; fails when there is none: "WHAT expected". */
const char *scan_word(struct scan *c, const char *what);
/** Takes "name=" or "name!="; NULL, with nothing taken, when neither comes next. */
const char *scan_key(struct scan *c, bool *negated);
/** Takes a plain number, decimal or 0x. */
uint64_t scan_number(struct scan *c);
uint64_t scan_number_upto(struct scan *c, uint64_t max);
/** Takes a time such as 1.5s, 200ms, 10us. */
uint64_t scan_time_us(struct scan *c);
/** Takes localN, peerN or a literal address. */
struct hws_addr scan_addr(struct scan *c);

#endif
