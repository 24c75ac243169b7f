/* A program outside of the tree, in what C and C++ share: what is installed is enough to build it
 * and to run it. A socket echoes a message to itself over UDP; then the same runtime's kin is on a
 * libuv loop. */
#include <arpa/inet.h>
#include <hawser/hawser.h>
#include <hawser/uv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCTP_PORT 5000

static int failed(const char *what)
{
    perror(what);
    return 1;
}

static int open_runtime(uint16_t udp_port, uint16_t peer_udp_port, uv_loop_t *loop,
                        struct hws_runtime **out)
{
    char error[HWS_ERROR_MAX];
    struct hws_runtime_config config;
    hws_runtime_config_init(&config);
    config.udp = true;
    config.udp_port = udp_port;
    config.peer_udp_port = peer_udp_port;
    config.loop = loop;
    *out = hws_runtime_new(&config, error);
    if (*out == NULL)
        fprintf(stderr, "%s\n", error);
    return *out == NULL;
}

static int talk(struct hws_runtime *server, struct hws_runtime *client)
{
    struct sockaddr_in addr;
    char answer[8];
    memset(&addr, 0, sizeof addr);
    addr.sin_family = AF_INET;
    addr.sin_port = htons(SCTP_PORT);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = hws_runtime_socket(server, AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    int fd = hws_runtime_socket(client, AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    if (listener < 0 || fd < 0)
        return failed("hws_runtime_socket");
    if (hws_bind(listener, (struct sockaddr *)&addr, sizeof addr) != 0 ||
        hws_listen(listener, 1) != 0)
        return failed("hws_listen");
    if (hws_connect(fd, (struct sockaddr *)&addr, sizeof addr) != 0)
        return failed("hws_connect");
    int accepted = hws_accept(listener, NULL, NULL);
    if (accepted < 0 || hws_send(fd, "ahoy", 4, 0) != 4 ||
        hws_recv(accepted, answer, sizeof answer, 0) != 4 || memcmp(answer, "ahoy", 4) != 0)
        return failed("message");
    hws_close(accepted);
    hws_close(fd);
    hws_close(listener);
    return 0;
}

static int turn_loop(void)
{
    uv_loop_t loop;
    struct hws_runtime *runtime;
    hws_uv_t handle;
    if (uv_loop_init(&loop) != 0 || open_runtime(0, HWS_UDP_PORT, &loop, &runtime) != 0)
        return 1;
    int status = hws_uv_init(runtime, &handle);
    if (status == 0)
        hws_uv_close(&handle, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    hws_runtime_free(runtime);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop) != 0 || status != 0;
}

int main(int argc, char **argv)
{
    struct hws_runtime *server, *client;
    uint16_t udp_port = (uint16_t)(argc > 1 ? atoi(argv[1]) : HWS_UDP_PORT);
    if (open_runtime(udp_port, 0, NULL, &server) != 0 ||
        open_runtime(0, udp_port, NULL, &client) != 0)
        return 1;
    int result = talk(server, client);
    hws_runtime_free(client);
    hws_runtime_free(server);
    printf("hawser %s: %s\n", hws_version(), result == 0 ? "ahoy" : "failed");
    return result != 0 || turn_loop() != 0;
}
