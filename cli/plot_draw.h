/* Turns series into a gnuplot script that draws one SVG picture. */
#ifndef HWS_CLI_PLOT_DRAW_H
#define HWS_CLI_PLOT_DRAW_H

#include <stdio.h>

#include "cli/plot_data.h"

/** What is drawn, a panel each; values are bits of a mask. */
#define HWS_CLI_PLOT_SEQUENCE 0x1u /* TSNs, losses and retransmissions over time */
#define HWS_CLI_PLOT_CWND 0x2u     /* cwnd, ssthresh and flight of each path */
#define HWS_CLI_PLOT_RTT 0x4u      /* SRTT and RTO of each path */
#define HWS_CLI_PLOT_QUEUE 0x8u    /* what waits in each stream */
#define HWS_CLI_PLOT_ALL 0xfu

/** Writes the script: the same files and panels make the same script. False: there is nothing of
 * that kind in the files. */
bool hws_cli_plot_draw(FILE *script, const struct hws_cli_plot_file *files, size_t file_count,
                       unsigned panels);

#endif
