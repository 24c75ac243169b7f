#include "cli/extensions.h"

#include <stdio.h>

bool hws_cli_extensions_load(const struct hws_cli_options *options,
                             const struct hws_extension *out[HWS_CLI_EXTENSIONS_MAX])
{
    char error[HWS_ERROR_MAX];
    for (uint32_t i = 0; i < options->extension_count; i++) {
        out[i] = hws_extension_load(options->extensions[i], error);
        if (out[i] != NULL)
            continue;
        fprintf(stderr, "hawser: %s\n", error);
        return false;
    }
    return true;
}
