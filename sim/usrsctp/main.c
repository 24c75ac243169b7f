/* hawser sim for scenarios in which hosts have usrsctp. A program of its own, since nothing of
 * hawser is linked with usrsctp; `hawser sim` runs it where it lies beside it. Each run is a
 * process of its own: usrsctp is one instance, which keeps what it was. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/sim.h"
#include "sim/memory.h"
#include "sim/usrsctp/stack_usrsctp.h"

static bool write_all(int fd, const void *data, size_t len)
{
    for (const char *at = data; len > 0;) {
        ssize_t written = write(fd, at, len);
        if (written <= 0 && errno != EINTR)
            return false;
        at += written > 0 ? written : 0;
        len -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

static bool read_all(int fd, void *data, size_t len)
{
    for (char *at = data; len > 0;) {
        ssize_t got = read(fd, at, len);
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        at += got > 0 ? got : 0;
        len -= got > 0 ? (size_t)got : 0;
    }
    return true;
}

/* What is written: whether it went well, then the error, or the rows. The child's pointers to names
 * mean the same to its parent, which had them before. */
static void tell(int fd, bool good, const struct sim_result *result, const struct sim_error *error)
{
    if (write_all(fd, &good, sizeof good) && !good) {
        write_all(fd, error, sizeof *error);
    } else {
        write_all(fd, &result->count, sizeof result->count);
        write_all(fd, result->rows, result->count * sizeof *result->rows);
    }
}

static bool hear(int fd, struct sim_result *result, struct sim_error *error)
{
    bool good;
    strcpy(error->text, "the process of this run ended before its results came");
    if (!read_all(fd, &good, sizeof good) || (!good && read_all(fd, error, sizeof *error)) ||
        !read_all(fd, &result->count, sizeof result->count))
        return false;
    result->rows = sim_new(result->count, sizeof *result->rows);
    return read_all(fd, result->rows, result->count * sizeof *result->rows);
}

static bool run_apart(void *ctx, const struct sim_scenario *scenario,
                      const struct sim_settings *settings, uint64_t seed, struct sim_result *result,
                      struct sim_error *error)
{
    int fds[2];
    pid_t child = pipe(fds) == 0 && fflush(NULL) == 0 ? fork() : -1;
    if (child < 0) {
        snprintf(error->text, sizeof error->text, "no process for a run: %s", strerror(errno));
        return false;
    }
    if (child == 0) {
        bool good = sim_run_once(ctx, scenario, settings, seed, result, error);
        tell(fds[1], good, result, error);
        fflush(NULL); /* what was written while it ran */
        _exit(0);
    }
    close(fds[1]);
    bool good = hear(fds[0], result, error);
    close(fds[0]);
    waitpid(child, NULL, 0);
    return good;
}

int main(int argc, char **argv)
{
    static const struct sim_stack_ops *const stacks[] = {&sim_stack_usrsctp};
    static const struct hws_cli_sim_stacks mine = {.stacks = stacks, .count = 1, .once = run_apart};
    return hws_cli_end_output(hws_cli_sim_with(argc, argv, &mine));
}
