#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/options.h"

bool hws_cli_is_input(const char *out, const char *in)
{
    struct stat a, b;
    if (out == NULL || strcmp(out, "-") == 0 || stat(out, &a) != 0 || stat(in, &b) != 0 ||
        !S_ISREG(a.st_mode) || a.st_dev != b.st_dev || a.st_ino != b.st_ino)
        return false;
    fprintf(stderr, "hawser: %s is to be read: name another file to write\n", out);
    return true;
}

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
