/* hawser's sockets with blocking calls, driven by the caller: one thread, defaults everywhere. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "api/link/link_kind.h"
#include "bench/hawser_runtime.h"
#include "bench/stream.h"

const char bench_stream_name[] = "hawser";

static struct hws_runtime *runtime;
static int sock = -1;

bool bench_stream_start(const struct bench_stream_config *stack, bool listening)
{
    struct hws_runtime_config config;
    hws_runtime_config_init(&config);
    config.drive = HWS_DRIVE_CALLER;
    config.udp = stack->udp;
    config.udp_port = listening ? BENCH_STREAM_UDP_PORT : 0;
    config.ipv6 = false;
    if (stack->link != NULL && !hws_link_kind_read(stack->link, &config.link))
        return false;
    if (config.link == HWS_LINK_XDP)
        config.interface = stack->interface;
    sock = bench_hawser_socket(&config, &runtime);
    return sock >= 0;
}

bool bench_stream_listen(const struct sockaddr_in *local)
{
    return hws_bind(sock, (const struct sockaddr *)local, sizeof *local) == 0 &&
           hws_listen(sock, 1) == 0;
}

bool bench_stream_accept(void)
{
    int listener = sock;
    sock = hws_accept(listener, NULL, NULL);
    hws_close(listener);
    return sock >= 0;
}

bool bench_stream_connect(const struct sockaddr_in *remote)
{
    return hws_connect(sock, (const struct sockaddr *)remote, sizeof *remote) == 0;
}

bool bench_stream_send(const void *message, size_t len)
{
    return hws_send(sock, message, len, 0) == (ssize_t)len;
}

ssize_t bench_stream_receive(void *buffer, size_t size)
{
    return hws_recv(sock, buffer, size, 0);
}

bool bench_stream_shutdown(void)
{
    uint8_t byte;
    return hws_shutdown(sock, SHUT_WR) == 0 && hws_recv(sock, &byte, sizeof byte, 0) == 0;
}

void bench_stream_end(void)
{
    hws_close(sock);
    hws_runtime_free(runtime);
}

uint64_t bench_stream_retransmits(void)
{
    struct hws_counter counter;
    for (size_t i = 0; hws_runtime_counter(runtime, i, &counter) == 0; i++) {
        if (strcmp(counter.name, "retransmits") == 0)
            return counter.value;
    }
    return 0;
}
