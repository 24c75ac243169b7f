#include "cli/ping.h"

#include <stdio.h>

#include "cli/address.h"
#include "cli/ping_run.h"

static void stop(struct hws_cli_ping *ping)
{
    uv_timer_stop(&ping->timer);
    if (ping->stopped)
        return;
    ping->stopped = true;
    ping->kind->stop(ping);
}

/* What has been sent a moment ago may still be answered, but who presses Ctrl-C does not wait. */
static void interrupt(void *arg)
{
    struct hws_cli_ping *ping = arg;
    ping->interrupted = true;
    ping->stopped = false;
    stop(ping);
}

static void on_timer(uv_timer_t *timer)
{
    struct hws_cli_ping *ping = timer->data;
    uint64_t count = ping->options.count;
    if (ferror(stdout) != 0) { /* nobody is told any more */
        uv_timer_stop(timer);
        interrupt(ping);
        return;
    }
    ping->sent_rounds++;
    ping->kind->send(ping);
    if (count != 0 && ping->sent_rounds == count && !ping->over)
        stop(ping);
}

void hws_cli_ping_begin(struct hws_cli_ping *ping)
{
    uv_timer_start(&ping->timer, on_timer, 0, ping->options.interval_ms);
}

void hws_cli_ping_end(struct hws_cli_ping *ping, int exit_code)
{
    if (ping->over)
        return;
    ping->over = true;
    ping->exit_code = exit_code;
    uv_close((uv_handle_t *)&ping->timer, NULL);
    uv_stop(&ping->session.loop);
}

static double elapsed_ms(const struct hws_cli_ping *ping)
{
    return (double)(uv_hrtime() - ping->started_ns) / 1e6;
}

static void run(struct hws_cli_ping *ping)
{
    setvbuf(stdout, NULL, _IOLBF, 0); /* a line is for whoever watches now */
    printf("PING %s port %u: %s\n", ping->options.host, (unsigned)ping->options.port,
           ping->kind->what);
    uv_timer_init(&ping->session.loop, &ping->timer);
    ping->timer.data = ping;
    ping->started_ns = uv_hrtime();
    ping->kind->start(ping);
    if (!ping->over)
        uv_run(&ping->session.loop, UV_RUN_DEFAULT);
    ping->kind->print(ping, elapsed_ms(ping));
    if (ferror(stdout) != 0) {
        fprintf(stderr, "hawser: cannot write the output\n");
        ping->exit_code = HWS_CLI_PING_ERROR;
    }
}

static void help(void)
{
    puts("hawser ping HOST[,HOST...] PORT [OPTION...]\n\n"
         "Sends an INIT every second and tells what comes back: an INIT ACK (open), an ABORT\n"
         "(closed), an ICMP message, or nothing. It never goes on to the COOKIE ECHO, so no\n"
         "association is left behind. With --assoc an association is set up, HEARTBEATs measure\n"
         "each of its paths, and it is shut down at the end. Ctrl-C ends with the statistics.\n"
         "Exit code 0: there were answers; 1: there were none; 2: an error, or usage.\n");
    hws_cli_options_help(HWS_CLI_PING);
}

static int ping_hosts(struct hws_cli_ping *ping)
{
    const struct hws_cli_command command = {
        .arg = ping, .interrupted = interrupt, .add_stats = ping->kind->add_stats};
    int rc = hws_cli_peers_find(&ping->options, &ping->peers);
    if (rc == HWS_CLI_OK)
        rc = hws_cli_session_open(&ping->session, &ping->options, &command);
    if (rc != HWS_CLI_OK)
        return HWS_CLI_PING_ERROR;
    run(ping);
    rc = hws_cli_session_close(&ping->session, HWS_CLI_OK);
    return rc == HWS_CLI_OK ? ping->exit_code : HWS_CLI_PING_ERROR;
}

int hws_cli_ping(int argc, char **argv)
{
    struct hws_cli_ping ping = {0};
    int rc = hws_cli_options_parse(HWS_CLI_PING, argc, argv, &ping.options);
    if (rc != HWS_CLI_OK)
        return rc;
    if (ping.options.help) {
        help();
        return HWS_CLI_OK;
    }
    ping.kind = ping.options.assoc ? &hws_cli_ping_association : &hws_cli_ping_probe;
    return ping_hosts(&ping);
}
