/* A program outside the tree: what is installed is enough to build and run it. */
#include <hawser/hawser.h>
#include <stdio.h>

int main(void)
{
    struct hws_runtime_config config;
    hws_runtime_config_init(&config);
    config.udp = true;
    char error[HWS_ERROR_MAX];
    struct hws_runtime *runtime = hws_runtime_new(&config, error);
    if (runtime == NULL) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    struct hws_sock *sock = hws_one_socket(runtime);
    printf("hawser %s\n", hws_version());
    hws_one_close(sock);
    hws_runtime_free(runtime);
    return sock == NULL;
}
