/* What hawser's contenders with sockets begin with. */
#ifndef HWS_BENCH_HAWSER_RUNTIME_H
#define HWS_BENCH_HAWSER_RUNTIME_H

#include "api/hawser/socket.h"

/** As hws_runtime_new; says on stderr why it fails. */
struct hws_runtime *bench_hawser_runtime(const struct hws_runtime_config *config);

/** The same, and a one-to-one socket in it; -1 on failure. */
int bench_hawser_socket(const struct hws_runtime_config *config, struct hws_runtime **runtime);

#endif
