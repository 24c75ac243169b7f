#include <arpa/inet.h>
#include <hawser/socket.h>
#include <stdio.h>

int main(void)
{
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(5000)};
    inet_pton(AF_INET, "127.0.0.1", &peer.sin_addr);
    int fd = hws_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    if (fd < 0 || hws_connect(fd, (struct sockaddr *)&peer, sizeof peer) != 0)
        return perror("echo_client"), 1;

    char answer[64];
    ssize_t len = -1;
    if (hws_send(fd, "ahoy", 4, 0) == 4)
        len = hws_recv(fd, answer, sizeof answer, 0);
    printf("%.*s\n", len > 0 ? (int)len : 0, answer);
    hws_close(fd);
    return len != 4;
}
