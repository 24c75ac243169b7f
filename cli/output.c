#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* The lowest number that is free is taken, so they are looked at in turn. Reading finds an end at
 * once, writing fails with EBADF as ever. */
bool hws_cli_hold_standard(void)
{
    bool held = true;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
            held = false;
    }
    return held;
}

int hws_cli_end_output(int code)
{
    bool failed_before = ferror(stdout) != 0; /* and nobody knows any more why */
    bool failed = fflush(stdout) != 0;
    if ((!failed && !failed_before) || code != HWS_CLI_OK)
        return code;
    fprintf(stderr, "hawser: cannot write the output%s%s\n", failed_before ? "" : ": ",
            failed_before ? "" : strerror(errno));
    return HWS_CLI_FAILED;
}
