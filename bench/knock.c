/* The roles of setting up and ending, the same for every contender. The client's clock counts. */
#include "bench/knock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/round.h"

#define WARMUP_S 0.2
#define WAIT_MS 50
/* The server is done when nothing has ended for so long. */
#define QUIET_S 1.0
#define HANG_SECONDS 30

struct figures {
    uint64_t ended;
    double wall_s, cpu_s;
};

static struct figures figures_now(void)
{
    return (struct figures){knock_ended(), bench_wall_s(), bench_cpu_s()};
}

static void print_figures(const char *role, struct figures from, struct figures to)
{
    printf("knock contender=%s role=%s ended=%" PRIu64 " failed=%" PRIu64
           " wall_s=%.4f cpu_s=%.4f\n",
           knock_name, role, to.ended - from.ended, knock_failed(), to.wall_s - from.wall_s,
           to.cpu_s - from.cpu_s);
    fflush(stdout);
}

static bool run_for(double seconds)
{
    double end_s = bench_wall_s() + seconds;
    while (bench_wall_s() < end_s) {
        if (!knock_turn(WAIT_MS))
            return false;
    }
    return true;
}

static bool run_client(const struct sockaddr_in *remote, double seconds)
{
    if (!knock_start(NULL, remote) || !run_for(WARMUP_S))
        return false;
    struct figures from = figures_now();
    if (!run_for(seconds))
        return false;
    struct figures to = figures_now();
    print_figures("client", from, to);
    return to.ended > from.ended;
}

static bool run_server(const struct sockaddr_in *local)
{
    if (!knock_start(local, NULL))
        return false;
    printf("listening\n");
    fflush(stdout);
    struct figures from = {0}, last = {0};
    while (last.ended == 0 || bench_wall_s() < last.wall_s + QUIET_S) {
        if (!knock_turn(WAIT_MS))
            return false;
        if (knock_ended() > last.ended)
            last = figures_now();
        if (from.wall_s == 0)
            from = last;
    }
    print_figures("server", from, last);
    return true;
}

int main(int argc, char *argv[])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(KNOCK_PORT)};
    bool server = argc == 3 && strcmp(argv[1], "server") == 0;
    bool client = argc == 4 && strcmp(argv[1], "client") == 0;
    double seconds = client ? atof(argv[3]) : 0;
    if ((!server && !client) || (client && seconds <= 0) ||
        inet_pton(AF_INET, argv[2], &address.sin_addr) != 1) {
        fprintf(stderr, "usage: %s server ADDRESS\n       %s client ADDRESS SECONDS\n", argv[0],
                argv[0]);
        return 2;
    }
    alarm((unsigned)seconds + HANG_SECONDS);
    errno = 0;
    bool good = server ? run_server(&address) : run_client(&address, seconds);
    if (!good)
        fprintf(stderr, "%s %s: failed: %s\n", knock_name, argv[1], strerror(errno));
    fflush(stdout);
    _exit(good ? 0 : 1); /* what is under way is nobody's business any more */
}
