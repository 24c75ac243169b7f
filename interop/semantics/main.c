/* Says what each call of the sockets API answers, case by case; the same source for the kernel's
 * calls and for hawser's (calls.h).
 * Usage: semantics_kernel [CASE..]     the cases whose name begins so; all without */
#include "cases.h"
#include "say.h"
#include "world.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE = 6, SECONDS_PER_CASE = 12, MOST_CASES = 256, SKIPPED = 77 };

struct running {
    const struct semantic_case *which;
    pid_t pid;
    int status;
    FILE *output;
};

static struct running runs[MOST_CASES];
static unsigned run_count;

static const struct semantic_case *const groups[] = {
    cases_socket, cases_bind,   cases_connect, cases_listen, cases_send,   cases_receive, cases_end,
    cases_many,   cases_notify, cases_control, cases_poll,   cases_option, cases_address};

static bool wanted(const char *name, int count, char *prefixes[])
{
    bool found = count == 0;
    for (int i = 0; i < count; i++)
        found |= strncmp(name, prefixes[i], strlen(prefixes[i])) == 0;
    return found;
}

static void choose(int count, char *prefixes[])
{
    for (size_t g = 0; g < sizeof(groups) / sizeof(*groups); g++)
        for (const struct semantic_case *c = groups[g]; c->name; c++)
            if (wanted(c->name, count, prefixes) && run_count < MOST_CASES)
                runs[run_count++].which = c;
}

static void run_case(const struct running *r)
{
    dup2(fileno(r->output), STDOUT_FILENO);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    alarm(SECONDS_PER_CASE);
    if (!world_enter())
        _exit(SKIPPED);
    signal(SIGPIPE, SIG_IGN);
    say_begin(r->which->name);
    r->which->run();
    fflush(stdout);
    _exit(0);
}

static void start(struct running *r)
{
    r->output = fdopen(memfd_create("output", MFD_CLOEXEC), "w+");
    r->pid = r->output ? fork() : -1;
    if (r->pid == 0)
        run_case(r);
    if (r->pid < 0) {
        perror("semantics");
        exit(1);
    }
}

static void reap(void)
{
    int status;
    pid_t pid = wait(&status);
    for (unsigned i = 0; i < run_count; i++)
        if (runs[i].pid == pid)
            runs[i].status = status;
}

static void run_all(void)
{
    for (unsigned i = 0; i < run_count; i++) {
        if (i >= AT_ONCE)
            reap();
        start(&runs[i]);
    }
    for (unsigned i = run_count < AT_ONCE ? 0 : run_count - AT_ONCE; i < run_count; i++)
        reap();
}

/* A case that ended by a signal, an alarm for example, says so in its own words. */
static bool print(const struct running *r)
{
    char line[4096];
    rewind(r->output);
    while (fgets(line, sizeof(line), r->output))
        fputs(line, stdout);
    fclose(r->output);
    if (WIFSIGNALED(r->status))
        printf("%s: process: ended by SIG%s\n", r->which->name, sigabbrev_np(WTERMSIG(r->status)));
    else if (WEXITSTATUS(r->status) != 0)
        printf("%s: process: ended with %d\n", r->which->name, WEXITSTATUS(r->status));
    return !WIFEXITED(r->status) || WEXITSTATUS(r->status) != SKIPPED;
}

int main(int argc, char *argv[])
{
    bool possible = true;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    /* A host that owns its ports refuses what nobody listens to, as a kernel does. */
    setenv("HAWSER_OWN_HOST", "1", 1);
    choose(argc - 1, argv + 1);
    run_all();
    for (unsigned i = 0; i < run_count; i++)
        possible &= print(&runs[i]);
    return possible ? 0 : SKIPPED;
}
