#include "cli/counters.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/hawser/hawser.h"

void hws_cli_counters_print(const struct hws_runtime *runtime)
{
    struct hws_counter counter;
    const char *group = "";
    for (size_t i = 0; hws_runtime_counter(runtime, i, &counter) == 0; i++) {
        if (strcmp(counter.group, group) != 0)
            fprintf(stderr, "%s\"%s\":{", i == 0 ? "{" : "},", counter.group);
        else
            fputc(',', stderr);
        fprintf(stderr, "\"%s\":%" PRIu64, counter.name, counter.value);
        group = counter.group;
    }
    fputs("}}\n", stderr);
}
