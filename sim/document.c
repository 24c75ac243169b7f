#include "sim/document.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "sim/memory.h"

#define LINE_MAX_BYTES 1024u

bool sim_document_wrong(const struct sim_document *document, unsigned line, struct sim_error *error,
                        const char *format, ...)
{
    int used = line != 0
                   ? snprintf(error->text, sizeof error->text, "%s:%u: ", document->file, line)
                   : snprintf(error->text, sizeof error->text, "%s: ", document->file);
    if (used < 0 || (size_t)used >= sizeof error->text)
        return false;
    va_list args;
    va_start(args, format);
    vsnprintf(error->text + used, sizeof error->text - (size_t)used, format, args);
    va_end(args);
    return false;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without the blanks at both ends, in place. */
static char *trim(char *text)
{
    while (is_space(*text))
        text++;
    size_t len = strlen(text);
    while (len > 0 && is_space(text[len - 1]))
        text[--len] = '\0';
    return text;
}

static bool is_name(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len < SIM_NAME_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == len;
}

static struct sim_section *add_section(struct sim_document *document, const char *kind,
                                       const char *name, unsigned line)
{
    struct sim_section **at = &document->sections;
    while (*at != NULL)
        at = &(*at)->next;
    struct sim_section *section = *at = sim_new(1, sizeof *section);
    snprintf(section->kind, sizeof section->kind, "%s", kind);
    snprintf(section->name, sizeof section->name, "%s", name);
    section->line = line;
    return section;
}

static struct sim_entry *find_entry(struct sim_section *section, const char *key)
{
    struct sim_entry *entry = section->entries;
    while (entry != NULL && strcmp(entry->key, key) != 0)
        entry = entry->next;
    return entry;
}

static void add_entry(struct sim_section *section, const char *key, const char *value,
                      unsigned line)
{
    struct sim_entry **at = &section->entries;
    while (*at != NULL)
        at = &(*at)->next;
    struct sim_entry *entry = *at = sim_new(1, sizeof *entry);
    snprintf(entry->key, sizeof entry->key, "%s", key);
    entry->value = sim_string(value);
    entry->line = line;
}

static struct sim_section *find_section(struct sim_document *document, const char *kind,
                                        const char *name)
{
    struct sim_section *s = document->sections;
    while (s != NULL && (strcmp(s->kind, kind) != 0 || strcmp(s->name, name) != 0))
        s = s->next;
    return s;
}

/* "[kind]" or "[kind name]". */
static bool read_section(struct sim_document *document, char *text, unsigned line,
                         struct sim_error *error)
{
    size_t len = strlen(text);
    if (text[len - 1] != ']')
        return sim_document_wrong(document, line, error, "a section ends with ']'");
    text[len - 1] = '\0';
    char *kind = trim(text + 1);
    char *name = kind + strcspn(kind, " \t");
    if (*name != '\0')
        *name++ = '\0';
    name = trim(name);
    if (!is_name(kind) || (*name != '\0' && (!is_name(name) || strchr(name, '.') != NULL)))
        return sim_document_wrong(
            document, line, error,
            "a section is [kind] or [kind name]; names have letters, digits, '_' and '-'");
    if (find_section(document, kind, name) != NULL)
        return sim_document_wrong(document, line, error, "[%s%s%s] is there twice", kind,
                                  *name != '\0' ? " " : "", name);
    add_section(document, kind, name, line);
    return true;
}

static bool read_entry(struct sim_document *document, struct sim_section *section, char *text,
                       unsigned line, struct sim_error *error)
{
    char *equals = strchr(text, '=');
    if (equals == NULL)
        return sim_document_wrong(document, line, error,
                                  "'%s' is neither a [section] nor key = value", text);
    *equals = '\0';
    char *key = trim(text), *value = trim(equals + 1);
    if (section == NULL)
        return sim_document_wrong(document, line, error, "'%s' stands before the first [section]",
                                  key);
    if (!is_name(key))
        return sim_document_wrong(document, line, error,
                                  "'%s' is no key: letters, digits, '_', '-' and '.'", key);
    if (*value == '\0')
        return sim_document_wrong(document, line, error, "'%s' has no value", key);
    if (find_entry(section, key) != NULL)
        return sim_document_wrong(document, line, error, "'%s' is given twice in [%s %s]", key,
                                  section->kind, section->name);
    add_entry(section, key, value, line);
    return true;
}

static bool read_lines(struct sim_document *document, FILE *in, struct sim_error *error)
{
    char buffer[LINE_MAX_BYTES];
    struct sim_section *last = NULL;
    for (unsigned line = 1; fgets(buffer, sizeof buffer, in) != NULL; line++) {
        if (strlen(buffer) == sizeof buffer - 1)
            return sim_document_wrong(document, line, error, "a line has at most %u bytes",
                                      LINE_MAX_BYTES - 2);
        buffer[strcspn(buffer, "#")] = '\0';
        char *text = trim(buffer);
        if (*text == '\0')
            continue;
        bool good = *text == '[' ? read_section(document, text, line, error)
                                 : read_entry(document, last, text, line, error);
        if (!good)
            return false;
        for (last = document->sections; last != NULL && last->next != NULL;)
            last = last->next;
    }
    return true;
}

bool sim_document_read(struct sim_document *document, const char *file, struct sim_error *error)
{
    *document = (struct sim_document){.file = file};
    FILE *in = fopen(file, "r");
    if (in == NULL)
        return sim_document_wrong(document, 0, error, "%s", strerror(errno));
    bool good = read_lines(document, in, error);
    if (good && ferror(in))
        good = sim_document_wrong(document, 0, error, "cannot be read");
    fclose(in);
    if (!good)
        sim_document_free(document);
    return good;
}

static void free_entries(struct sim_entry *entry)
{
    while (entry != NULL) {
        struct sim_entry *next = entry->next;
        free(entry->value);
        free(entry);
        entry = next;
    }
}

void sim_document_free(struct sim_document *document)
{
    while (document->sections != NULL) {
        struct sim_section *section = document->sections;
        document->sections = section->next;
        free_entries(section->entries);
        free(section);
    }
}

void sim_document_copy(struct sim_document *to, const struct sim_document *from)
{
    *to = (struct sim_document){.file = from->file};
    for (const struct sim_section *s = from->sections; s != NULL; s = s->next) {
        struct sim_section *copy = add_section(to, s->kind, s->name, s->line);
        for (const struct sim_entry *e = s->entries; e != NULL; e = e->next)
            add_entry(copy, e->key, e->value, e->line);
    }
}

bool sim_document_set(struct sim_document *document, const char *path, const char *value,
                      unsigned line, struct sim_error *error)
{
    for (struct sim_section *s = document->sections; s != NULL; s = s->next) {
        char prefix[2 * SIM_NAME_MAX + 2];
        int len =
            snprintf(prefix, sizeof prefix, *s->name != '\0' ? "%s.%s." : "%s.", s->kind, s->name);
        if (strncmp(path, prefix, (size_t)len) != 0 || !is_name(path + len))
            continue;
        struct sim_entry *entry = find_entry(s, path + len);
        if (entry == NULL) {
            add_entry(s, path + len, value, line);
            return true;
        }
        free(entry->value);
        entry->value = sim_string(value);
        entry->line = line;
        return true;
    }
    return sim_document_wrong(document, line, error,
                              "'%s' names nothing here: it has to be KIND.NAME.KEY of a section "
                              "[KIND NAME], or KIND.KEY of one without a name",
                              path);
}
