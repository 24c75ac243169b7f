#include "cli/ping_count.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

void hws_cli_ping_count_received(struct hws_cli_ping_count *count, double rtt_ms)
{
    if (count->received == 0 || rtt_ms < count->min_ms)
        count->min_ms = rtt_ms;
    if (rtt_ms > count->max_ms)
        count->max_ms = rtt_ms;
    count->received++;
    count->sum_ms += rtt_ms;
    count->square_sum_ms += rtt_ms * rtt_ms;
}

static void print_round_trips(const struct hws_cli_ping_count *count)
{
    double avg_ms = count->sum_ms / (double)count->received;
    double variance = count->square_sum_ms / (double)count->received - avg_ms * avg_ms;
    /* Rounding can take the variance of equal times below zero. */
    printf("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", count->min_ms, avg_ms, count->max_ms,
           sqrt(variance > 0 ? variance : 0));
}

void hws_cli_ping_count_print(const struct hws_cli_ping_count *count, const char *what,
                              double elapsed_ms)
{
    double loss =
        count->sent > 0 ? 100.0 * (double)(count->sent - count->received) / (double)count->sent : 0;
    printf("\n--- %s ping statistics ---\n", what);
    printf("%" PRIu64 " packets transmitted, %" PRIu64 " received, ", count->sent, count->received);
    if (count->errors > 0)
        printf("+%" PRIu64 " errors, ", count->errors);
    printf("%g%% packet loss, time %.0fms\n", loss, elapsed_ms);
    if (count->received > 0)
        print_round_trips(count);
}
