#include "cli/firewall.h"

#include <string.h>

#define LINE_MAX_BYTES 4096
#define SEPARATORS " \t\n,{}"

static bool is_one_of(const char *word, const char *const *list)
{
    while (*list != NULL && strcmp(*list, word) != 0)
        list++;
    return *list != NULL;
}

/* Words of a rule. A number counts after the field it belongs to: "ip protocol { 6, 132 } drop". */
static bool names_sctp(const char *line)
{
    static const char *const fields[] = {"protocol", "l4proto", "nexthdr", NULL};
    static const char *const protocols[] = {"132", "253", "254", NULL};
    static const char *const ports[] = {"dport", "sport", NULL};
    char copy[LINE_MAX_BYTES];
    bool after_protocol = false, after_port = false;
    snprintf(copy, sizeof(copy), "%s", line);
    char *rest;
    for (char *word = strtok_r(copy, SEPARATORS, &rest); word != NULL;
         word = strtok_r(NULL, SEPARATORS, &rest)) {
        after_protocol |= is_one_of(word, fields);
        after_port |= is_one_of(word, ports);
        if (strcmp(word, "sctp") == 0 || (after_protocol && is_one_of(word, protocols)) ||
            (after_port && strcmp(word, "9899") == 0))
            return true;
    }
    return false;
}

static bool is_closed_chain(const char *line)
{
    bool local = strstr(line, "hook input") != NULL || strstr(line, "hook output") != NULL;
    return local && strstr(line, "policy drop") != NULL;
}

static void keep_first(struct hws_cli_firewall *out, const char *line)
{
    const char *start = line + strspn(line, " \t");
    snprintf(out->first, sizeof(out->first), "%.*s", (int)strcspn(start, "\n"), start);
}

void hws_cli_firewall_scan(FILE *ruleset, struct hws_cli_firewall *out)
{
    char line[LINE_MAX_BYTES];
    *out = (struct hws_cli_firewall){.rules = 0};
    while (fgets(line, sizeof(line), ruleset) != NULL) {
        out->closed_chains += is_closed_chain(line);
        if (!names_sctp(line))
            continue;
        if (out->rules++ == 0)
            keep_first(out, line);
    }
}
