#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/options.h"

int hws_cli_end_output(int code)
{
    bool failed = ferror(stdout) != 0;
    if (fflush(stdout) != 0)
        failed = true;
    if (!failed || code != HWS_CLI_OK)
        return code;
    fprintf(stderr, "hawser: cannot write the output: %s\n", strerror(errno));
    return HWS_CLI_FAILED;
}
