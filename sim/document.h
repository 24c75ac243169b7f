/* A scenario file as text: sections "[kind name]" of lines "key = value". What they mean is
 * sim/scenario.h's. */
#ifndef HWS_SIM_DOCUMENT_H
#define HWS_SIM_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

/* Names of sections, and keys. */
#define SIM_NAME_MAX 64u

struct sim_entry {
    char key[SIM_NAME_MAX];
    char *value;
    unsigned line; /* of a sweep's value the sweep's; 0: from the command line */
    struct sim_entry *next;
};

struct sim_section {
    char kind[SIM_NAME_MAX];
    char name[SIM_NAME_MAX]; /* "" where the kind needs none */
    unsigned line;
    struct sim_entry *entries; /* in the file's order */
    struct sim_section *next;
};

/* What is wrong, in words, with file and line. */
struct sim_error {
    char text[512];
};

struct sim_document {
    const char *file;
    struct sim_section *sections;
};

/** Reads a file. False: it cannot be read, or a line is neither of the two. */
bool sim_document_read(struct sim_document *document, const char *file, struct sim_error *error);

void sim_document_free(struct sim_document *document);

/** A copy of its own. */
void sim_document_copy(struct sim_document *to, const struct sim_document *from);

/** Sets "kind.name.key" (or "kind.key"), replacing what the file says. `line`: where that stands.
 * False: no such section. */
bool sim_document_set(struct sim_document *document, const char *path, const char *value,
                      unsigned line, struct sim_error *error);

/** Notes what is wrong at a line; 0: not at one of the file's. Always false. */
bool sim_document_wrong(const struct sim_document *document, unsigned line, struct sim_error *error,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
