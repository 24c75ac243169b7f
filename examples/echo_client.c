#include <arpa/inet.h>
#include <hawser/hawser.h>
#include <netinet/in.h>
#include <stdio.h>

int main(void)
{
    char error[HWS_ERROR_MAX], answer[64];
    struct hws_runtime *rt = hws_runtime_new(NULL, error); /* SCTP over IP protocol 132 */
    if (rt == NULL)
        return fprintf(stderr, "%s\n", error), 1;
    struct hws_sock *s = hws_one_socket(rt);
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(7)};
    inet_pton(AF_INET, "127.0.0.1", &peer.sin_addr);
    ssize_t len = -1;
    if (hws_one_connect(s, (struct sockaddr *)&peer, sizeof peer) == 0 &&
        hws_one_send(s, "ahoy", 4, 0) == 4)
        len = hws_one_recv(s, answer, sizeof answer, 0);
    printf("%.*s\n", len < 0 ? 0 : (int)len, answer);
    hws_one_close(s);
    hws_runtime_free(rt);
    return len < 0;
}
