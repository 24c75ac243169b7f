/* Runs scenario scripts.
 * Usage: script [-v] FILE...        every script passes
 *        script --fails FILE...     every script fails, with the line and the message that its
 *                                   comment "# fails: LINE: TEXT" has
 *        script --mutate N FILE...  N random changes of each script: none harms the interpreter */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/rng.h"
#include "tests/script/script.h"

#define FILE_MAX (256u * 1024)

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, FILE_MAX + 1);
    if (file == NULL || text == NULL) {
        perror(path);
        exit(2);
    }
    size_t len = fread(text, 1, FILE_MAX, file);
    fclose(file);
    if (strlen(text) != len) {
        fprintf(stderr, "%s: not a text\n", path);
        exit(2);
    }
    return text;
}

static bool passes(struct script *s, const char *path, char *text, bool verbose)
{
    bool ok = script_run(s, path, text, verbose);
    if (ok)
        printf("ok %s\n", path);
    else
        printf("FAILED %s\n", s->failure);
    return ok;
}

/* ---- --fails ---- */

static bool fails_as_said(struct script *s, const char *path, char *text, bool verbose)
{
    static const char mark[] = "# fails: ";
    char expected[512] = "";
    const char *said = strstr(text, mark);
    if (said == NULL) {
        printf("FAILED %s: no comment \"%s...\"\n", path, mark);
        return false;
    }
    said += strlen(mark);
    snprintf(expected, sizeof expected, "%s:%.*s", path, (int)strcspn(said, "\n"), said);
    bool passed = script_run(s, path, text, verbose);
    bool ok = !passed && strncmp(s->failure, expected, strlen(expected)) == 0;
    if (ok)
        printf("ok %s\n", path);
    else
        printf("FAILED %s\n  should fail with %s\n  %s\n", path, expected,
               passed ? "passed" : s->failure);
    return ok;
}

/* ---- --mutate ---- */

/* A piece of the text is written over another, or a byte is changed, doubled or dropped. */
static void mutate(char *text, size_t len, struct sim_rng *rng)
{
    static const char bytes[] = " \n<>+-=.,;[]()$\"#0123456789xsaT.:";
    size_t at = sim_rng_below(rng, (uint32_t)len), from = sim_rng_below(rng, (uint32_t)len);
    size_t most = len - (at > from ? at : from);
    switch (sim_rng_below(rng, 4)) {
    case 0:
        text[at] = bytes[sim_rng_below(rng, sizeof bytes - 1)];
        break;
    case 1:
        memmove(text + at, text + at + 1, len - at);
        break;
    case 2:
        memmove(text + at + 1, text + at, len - at - 1);
        break;
    default:
        memmove(text + at, text + from, most < 30 ? most : sim_rng_below(rng, 30));
    }
}

static void run_mutations(struct script *s, const char *path, const char *text, unsigned count)
{
    size_t len = strlen(text);
    char *copy = malloc(len + 1);
    if (copy == NULL)
        exit(2);
    for (unsigned i = 0; i < count; i++) {
        struct sim_rng rng = sim_rng_seeded(i);
        memcpy(copy, text, len + 1);
        size_t header = strcspn(copy, "\n");
        for (uint32_t n = 1 + sim_rng_below(&rng, 3); n > 0 && strlen(copy) > header; n--)
            mutate(copy + header, strlen(copy + header), &rng);
        script_run(s, path, copy, false);
    }
    free(copy);
}

static int usage(void)
{
    fputs("usage: script [-v | --fails | --mutate N] FILE...\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    struct script *s = calloc(1, sizeof *s);
    bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
    bool fails = argc > 1 && strcmp(argv[1], "--fails") == 0;
    bool mutates = argc > 2 && strcmp(argv[1], "--mutate") == 0;
    int first = 1 + (verbose || fails) + 2 * mutates;
    unsigned failed = 0;
    if (s == NULL || first >= argc)
        return usage();
    for (int i = first; i < argc; i++) {
        char *text = read_file(argv[i]);
        if (mutates)
            run_mutations(s, argv[i], text, (unsigned)strtoul(argv[2], NULL, 10));
        else if (fails)
            failed += !fails_as_said(s, argv[i], text, false);
        else
            failed += !passes(s, argv[i], text, verbose);
        free(text);
    }
    free(s);
    return failed == 0 ? 0 : 1;
}
