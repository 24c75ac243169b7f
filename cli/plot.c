#include "cli/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/plot_draw.h"
#include "cli/plot_read.h"

/* What posix_spawn's child exits with when the program cannot be run. */
#define EXIT_NOT_FOUND 127

static void help(void)
{
    puts("Usage: hawser plot [OPTION]... FILE...\n"
         "\n"
         "Draws what qlog files of hawser's (--qlog, HAWSER_QLOG) tell, as one SVG picture: DATA\n"
         "chunks with losses and retransmissions, congestion window, round trips, queues of\n"
         "streams, over time from the beginning of each file. Takes gnuplot.\n"
         "Exit code 0: it is drawn; 1: it is not; 2: usage.\n");
    hws_cli_options_help(HWS_CLI_PLOT);
}

/* ---- gnuplot ---- */

/* The child: the script is its input, the picture its output. */
static int start_gnuplot(int in, int out, pid_t *child)
{
    /* Neither the user's settings nor the locale's decimal point. */
    char *argv[] = {"gnuplot", "--default-settings", "-", NULL};
    char *envp[] = {"LC_ALL=C.UTF-8", NULL};
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    error = posix_spawnp(child, argv[0], &actions, NULL, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* False: gnuplot ended before it had read all, or could not be fed. */
static bool feed(int fd, const char *script, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, script, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        script += n;
        len -= (size_t)n;
    }
    return true;
}

static bool complain_of_gnuplot(int error, int status)
{
    if (error == ENOENT || (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_FOUND))
        fprintf(stderr, "hawser: gnuplot draws the pictures and is not installed: "
                        "apt install gnuplot-nox\n");
    else if (error != 0)
        fprintf(stderr, "hawser: cannot run gnuplot: %s\n", strerror(error));
    else
        fprintf(stderr, "hawser: gnuplot did not draw the picture\n");
    return false;
}

static bool run_gnuplot(int out, const char *script, size_t len)
{
    int ends[2], status = 0;
    pid_t child;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return complain_of_gnuplot(errno, 0);
    int error = start_gnuplot(ends[0], out, &child);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    bool fed = error == 0 && feed(ends[1], script, len);
    close(ends[1]);
    if (error == 0 && waitpid(child, &status, 0) != child)
        error = errno;
    bool good = error == 0 && fed && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return good || complain_of_gnuplot(error, status);
}

/* ---- The command ---- */

static bool complain_of_output(const char *path)
{
    fprintf(stderr, "hawser: cannot write %s: %s\n", path, strerror(errno));
    return false;
}

/* Not /dev/null, nor a link to somewhere else. */
static void remove_file(const char *path)
{
    struct stat status;
    if (lstat(path, &status) == 0 && S_ISREG(status.st_mode))
        unlink(path);
}

/* A picture that is not whole is not left behind. */
static bool draw_into(const char *path, const char *script, size_t len)
{
    if (path == NULL)
        return run_gnuplot(STDOUT_FILENO, script, len);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return complain_of_output(path);
    bool drawn = run_gnuplot(fd, script, len);
    if (close(fd) != 0)
        drawn = complain_of_output(path);
    if (!drawn)
        remove_file(path);
    return drawn;
}

static bool draw(const struct hws_cli_options *options, const struct hws_cli_plot_file *files)
{
    char *script = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&script, &len);
    bool some =
        stream != NULL && hws_cli_plot_draw(stream, files, options->file_count, options->panels);
    bool good = stream != NULL && fclose(stream) == 0;
    if (!good)
        fprintf(stderr, "hawser: there is not enough memory for the picture\n");
    else if (!some)
        fprintf(stderr, "hawser: the files have nothing to draw: no association sent data, or "
                        "nothing of what --what asks for\n");
    bool drawn = good && some && draw_into(options->write_file, script, len);
    free(script);
    return drawn;
}

static int plot(const struct hws_cli_options *options)
{
    struct hws_cli_plot_file *files = hws_cli_plot_resize(NULL, options->file_count, sizeof *files);
    size_t count = 0;
    bool good = true;
    while (good && count < options->file_count) {
        good = hws_cli_plot_read(options->files[count], &files[count]);
        count++;
    }
    good = good && draw(options, files);
    for (size_t i = 0; i < count; i++)
        hws_cli_plot_file_free(&files[i]);
    free(files);
    return good ? HWS_CLI_OK : HWS_CLI_FAILED;
}

int hws_cli_plot(int argc, char **argv)
{
    struct hws_cli_options options;
    int rc = hws_cli_options_parse(HWS_CLI_PLOT, argc, argv, &options);
    if (rc != HWS_CLI_OK)
        return rc;
    if (options.help) {
        help();
        return HWS_CLI_OK;
    }
    if (options.write_file == NULL && isatty(STDOUT_FILENO)) {
        fprintf(stderr, "hawser: the picture would go to the terminal: name a file with -o\n");
        return HWS_CLI_USAGE;
    }
    for (size_t i = 0; i < options.file_count; i++)
        if (hws_cli_is_input(options.write_file, options.files[i]))
            return HWS_CLI_USAGE;
    return plot(&options);
}
