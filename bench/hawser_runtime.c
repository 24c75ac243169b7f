#include "bench/hawser_runtime.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

struct hws_runtime *bench_hawser_runtime(const struct hws_runtime_config *config)
{
    char error[HWS_ERROR_MAX];
    struct hws_runtime *runtime = hws_runtime_new(config, error);
    if (runtime == NULL)
        fprintf(stderr, "hawser: %s\n", error);
    return runtime;
}

int bench_hawser_socket(const struct hws_runtime_config *config, struct hws_runtime **runtime)
{
    *runtime = bench_hawser_runtime(config);
    return *runtime != NULL ? hws_runtime_socket(*runtime, AF_INET, SOCK_STREAM, IPPROTO_SCTP) : -1;
}
