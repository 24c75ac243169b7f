/* The hawser program: a table of commands. */
#include <stdio.h>
#include <string.h>

#include "api/hawser/hawser.h"
#include "cli/cat.h"
#include "cli/doctor.h"
#include "cli/dump.h"
#include "cli/echo.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/ping.h"
#include "cli/plot.h"
#include "cli/sim.h"

static const struct command {
    const char *name;
    const char *help;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"cat", "stdin to the peer, the peer to stdout", hws_cli_cat},
    {"echo", "send every message back", hws_cli_echo},
    {"ping", "whether a peer listens, and its round-trip time", hws_cli_ping},
    {"dump", "the SCTP packets of an interface, or of a capture file", hws_cli_dump},
    {"sim", "a scenario of hosts and links in virtual time, and what it measured", hws_cli_sim},
    {"plot", "pictures of qlog files", hws_cli_plot},
    {"doctor", "what SCTP needs of this machine, and remedies", hws_cli_doctor},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(FILE *out)
{
    fprintf(out, "hawser %s: SCTP in user space\n\n", hws_version());
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  hawser %-8s %s\n", commands[i].name, commands[i].help);
    fprintf(out, "\nhawser COMMAND --help tells a command's options.\n");
}

static int run(const char *name, int argc, char **argv)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(argc, argv);
    }
    fprintf(stderr, "hawser: no command '%s'; see hawser --help\n", name);
    return HWS_CLI_USAGE;
}

static int answer(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return HWS_CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help(stdout);
        return HWS_CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("hawser %s\n", hws_version());
        return HWS_CLI_OK;
    }
    return run(argv[1], argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    return hws_cli_hold_standard() ? hws_cli_end_output(answer(argc, argv)) : HWS_CLI_FAILED;
}
