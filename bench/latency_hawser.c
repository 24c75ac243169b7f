/* hawser's sockets with blocking calls and defaults everywhere, the library's thread included. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/hawser/socket.h"
#include "bench/latency.h"

#define BUFFER_BYTES 2048u

const char bench_latency_name[] = "hawser";

static struct hws_runtime *runtime;
static int sock = -1;
static uint8_t buffer[BUFFER_BYTES];

bool bench_latency_start(bool listening, bool spin)
{
    struct hws_runtime_config config;
    char error[HWS_ERROR_MAX];
    (void)listening;
    (void)spin;
    hws_runtime_config_init(&config);
    runtime = hws_runtime_new(&config, error);
    if (runtime == NULL)
        fprintf(stderr, "hawser: %s\n", error);
    else
        sock = hws_runtime_socket(runtime, AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    return sock >= 0;
}

bool bench_latency_accept(const struct sockaddr_in *local)
{
    int listener = sock;
    if (hws_bind(sock, (const struct sockaddr *)local, sizeof *local) != 0 ||
        hws_listen(sock, 1) != 0)
        return false;
    bench_latency_ready();
    sock = hws_accept(listener, NULL, NULL);
    hws_close(listener);
    return sock >= 0;
}

bool bench_latency_connect(const struct sockaddr_in *remote)
{
    int on = 1;
    return hws_connect(sock, (const struct sockaddr *)remote, sizeof *remote) == 0 &&
           hws_setsockopt(sock, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on) == 0;
}

bool bench_latency_send(const void *message, size_t len)
{
    return hws_send(sock, message, len, 0) == (ssize_t)len;
}

static ssize_t receive(void)
{
    return hws_recv(sock, buffer, sizeof buffer, 0);
}

bool bench_latency_echo(void)
{
    ssize_t len;
    while ((len = receive()) > 0)
        if (!bench_latency_send(buffer, (size_t)len))
            return false;
    return len == 0;
}

bool bench_latency_ping(const void *message, size_t len)
{
    do {
        if (!bench_latency_send(message, len) || receive() != (ssize_t)len)
            return false;
    } while (bench_latency_went_round());
    return true;
}

bool bench_latency_take(void)
{
    fprintf(stderr, "hawser: no receive timestamps\n");
    return false;
}

/* Once the peer has all of it: runtimes that end abort what is still up. */
void bench_latency_end(void)
{
    hws_shutdown(sock, SHUT_WR);
    while (receive() > 0)
        ;
    hws_close(sock);
    hws_runtime_free(runtime);
}
