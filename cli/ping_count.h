/* What ping counts, and how it tells it in the end: the words are those of ping(8). */
#ifndef HWS_CLI_PING_COUNT_H
#define HWS_CLI_PING_COUNT_H

#include <stdint.h>

/** Exit codes as ping's. */
#define HWS_CLI_PING_ANSWERED 0
#define HWS_CLI_PING_NO_ANSWER 1
#define HWS_CLI_PING_ERROR 2

struct hws_cli_ping_count {
    uint64_t sent, received, errors; /* errors: told by ICMP or this host that it cannot arrive */
    double min_ms, max_ms, sum_ms, square_sum_ms;
};

/** An answer came after so long. */
void hws_cli_ping_count_received(struct hws_cli_ping_count *count, double rtt_ms);

/** Prints the statistics of `what` (an address and a port) to stdout. */
void hws_cli_ping_count_print(const struct hws_cli_ping_count *count, const char *what,
                              double elapsed_ms);

#endif
