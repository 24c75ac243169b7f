/* Runs a script: line by line, each a statement, perhaps after a time. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/script/script.h"
#include "tests/script/statement.h"

/* ---- Failure ---- */

static void append(struct script *s, const char *format, ...)
{
    size_t len = strlen(s->failure);
    va_list args;
    va_start(args, format);
    vsnprintf(s->failure + len, sizeof s->failure - len, format, args);
    va_end(args);
}

static void append_log(struct script *s)
{
    const struct world *w = &s->world;
    uint32_t count = w->log_count < WORLD_LOG_LINES ? w->log_count : WORLD_LOG_LINES;
    if (count > 0)
        append(s, "\n  what happened last (seconds; < to hawser, > from hawser, ! event):");
    for (uint32_t i = w->log_count - count; i < w->log_count; i++)
        append(s, "\n  %s", w->log[i % WORLD_LOG_LINES]);
}

void script_fail(struct script *s, const char *format, ...)
{
    char message[SCRIPT_TEXT_MAX / 4];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    s->failure[0] = '\0';
    append(s, "%s:%u: %s", s->file, (unsigned)s->line, message);
    if (s->source != NULL)
        append(s, "\n  line: %s", s->source);
    if (s->prelude != NULL)
        append(s, "\n  on the way to the start state \"%s\"", s->prelude);
    append_log(s);
    longjmp(s->on_failure, 1);
}

bool script_reason(struct script *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(s->reason, sizeof s->reason, format, args);
    va_end(args);
    return false;
}

/* ---- One statement ---- */

static const struct statement *find_statement(const char *name)
{
    const struct statement *const tables[] = {statements_setup, statements_call, statements_check};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const struct statement *t = tables[i]; t->name != NULL; t++)
            if (strcmp(t->name, name) == 0)
                return t;
    return NULL;
}

static void check_place(struct script *s, const struct statement *t)
{
    bool started = s->world.engine != NULL;
    if ((t->kind == STATEMENT_SETUP || t->kind == STATEMENT_START) && started)
        script_fail(s, "%s stands before the start state, which stands once", t->name);
    if ((t->kind == STATEMENT_ACT || t->kind == STATEMENT_CHECK) && !started)
        script_fail(s, "a start state has to stand before %s", t->name);
    if (t->kind == STATEMENT_ACT)
        wire_check_silent(s);
}

static void run_named(struct scan *c)
{
    const char *name = scan_word(c, "a statement");
    const struct statement *t = find_statement(name);
    if (t == NULL)
        script_fail(c->s, "no statement is called %s", name);
    check_place(c->s, t);
    t->run(c);
    if (t->kind == STATEMENT_CHECK)
        c->s->checks++;
}

/* "+TIME", "+TIME..TIME" or "+*" before a statement. */
struct timing {
    bool given, range;
    uint64_t from_us, to_us; /* absolute; to_us UINT64_MAX: any time */
};

static struct timing scan_timing(struct scan *c)
{
    uint64_t now_us = c->s->world.now_us;
    struct timing t = {.from_us = now_us, .to_us = now_us};
    if (!scan_accept(c, "+"))
        return t;
    t.given = true;
    if (scan_accept(c, "*")) {
        t.range = true;
        t.to_us = UINT64_MAX;
        return t;
    }
    t.from_us = t.to_us = now_us + scan_time_us(c);
    if (scan_accept(c, "..")) {
        t.range = true;
        t.to_us = now_us + scan_time_us(c);
    }
    if (t.to_us < t.from_us || t.to_us - now_us > WORLD_WAIT_MAX_US)
        script_fail(c->s, "not a time that can pass");
    return t;
}

/* Time passes, and nothing is sent. */
static void pass_time(struct script *s, const struct timing *t)
{
    if (t->range)
        script_fail(s, "a range of times stands before > only");
    wire_check_silent(s);
    world_wait(s, t->to_us);
    wire_check_silent(s);
    s->checks++;
}

static void check_started(struct script *s)
{
    if (s->world.engine == NULL)
        script_fail(s, "a start state has to stand before this line");
}

void statement_run(struct script *s, const char *line)
{
    struct scan c = {s, line};
    s->source = line;
    struct timing t = scan_timing(&c);
    if (t.given)
        check_started(s);
    if (scan_accept(&c, ">")) {
        check_started(s);
        wire_expect(&c, t.from_us, t.to_us);
        return;
    }
    if (t.given)
        pass_time(s, &t);
    if (scan_accept(&c, "<")) {
        check_started(s);
        wire_check_silent(s);
        wire_inject(&c);
    } else if (!scan_at_end(&c)) {
        run_named(&c);
    }
}

/* ---- Lines ---- */

/* Cuts a comment and trailing space; "#" within quotes is none. */
static void trim(char *line)
{
    bool quoted = false;
    for (char *at = line; *at != '\0'; at++) {
        quoted ^= *at == '"';
        if (*at == '#' && !quoted)
            *at = '\0';
        if (*at == '\0')
            break;
    }
    size_t len = strlen(line);
    while (len > 0 && isspace((unsigned char)line[len - 1]))
        line[--len] = '\0';
}

/* Appends the next line of the text, without what trim cuts. Returns where the one after it
 * starts. */
static const char *append_line(struct script *s, const char *text, char **statement)
{
    size_t len = strcspn(text, "\n");
    char *line = script_copy_text(s, text, len);
    trim(line);
    const char *start = line + strspn(line, " \t");
    char *joined = script_alloc(s, strlen(*statement) + strlen(start) + 2);
    sprintf(joined, "%s%s%s", *statement, **statement == '\0' ? "" : " ", start);
    *statement = joined;
    s->line++;
    return text + len + (text[len] == '\n');
}

/* Takes one statement; a line that ends in a backslash goes on in the next. */
static const char *next_statement(struct script *s, const char *text, char **out)
{
    static char empty[] = "";
    *out = empty;
    for (;;) {
        text = append_line(s, text, out);
        size_t len = strlen(*out);
        if (len == 0 || (*out)[len - 1] != '\\' || *text == '\0')
            return text;
        (*out)[len - 1] = '\0';
        while (len > 1 && (*out)[len - 2] == ' ')
            (*out)[--len - 1] = '\0';
    }
}

static void check_header(struct script *s, const char *text)
{
    s->line = 1;
    if (strncmp(text, "# ", 2) != 0 ||
        !(isdigit((unsigned char)text[2]) || strncmp(text + 2, "RFC ", 4) == 0))
        script_fail(s, "the first line says what is shown: \"# SECTION ...\" or \"# RFC ...\"");
    s->line = 0;
}

static void run_text(struct script *s, const char *text)
{
    check_header(s, text);
    while (*text != '\0') {
        char *statement;
        text = next_statement(s, text, &statement);
        if (*statement != '\0')
            statement_run(s, statement);
    }
    s->source = NULL;
    check_started(s);
    check_end(s);
}

static bool memory_given_back(struct script *s)
{
    const struct sim_env *env = &s->world.env;
    if (env->live_objects == 0 && env->wrong_frees == 0)
        return true;
    snprintf(s->failure, sizeof s->failure, "%s: the engine kept %zu objects of memory", s->file,
             env->live_objects);
    return false;
}

bool script_run(struct script *s, const char *file, const char *text, bool verbose)
{
    memset(s, 0, sizeof *s);
    s->file = file;
    s->verbose = verbose;
    world_init(&s->world);
    volatile bool passed = false;
    if (setjmp(s->on_failure) == 0) {
        run_text(s, text);
        passed = true;
    }
    world_fini(&s->world);
    script_free_all(s);
    return passed && memory_given_back(s);
}
